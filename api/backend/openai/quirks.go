package openai

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/culvert-net/culvert/api/backend"
	"github.com/culvert-net/culvert/api/body"
	wire "github.com/culvert-net/culvert/api/openai"
	"github.com/culvert-net/culvert/api/sse"
)

// checkNumber refuses a request for several answers if the server would give
// one and not say so (Ollama), or fail (llama-server). It is asked once a
// while, with the smallest request there is; one that does not say is believed
// to do what it is asked.
func (c *Client) checkNumber(ctx context.Context, req *backend.Request) error {
	if req.View.N <= 1 {
		return nil
	}
	q := question{Model: req.View.Model, Most: 1, N: 2}
	if route, _ := wire.RouteOf(req.Path); route.Needs == wire.Chat {
		q.Messages = []says{{"user", "a"}}
	} else {
		q.Prompt = "a"
	}
	gives, err := c.does(ctx, "n", req, q, func(status int, text []byte) bool {
		return status != http.StatusOK && status != http.StatusInternalServerError || status == http.StatusOK && wire.Choices(text) > 1
	})
	if gives || err != nil {
		return err
	}
	return wire.Invalid("n", "the model server gives one answer to a request; leave n out or set it to 1, and ask several times")
}

// schemaFormat asks for an answer that no model gives by itself.
const schemaFormat = `{"type":"json_schema","json_schema":{"name":"probe","strict":true,"schema":{` +
	`"type":"object","properties":{"probe":{"type":"string","enum":["culvert"]}},"required":["probe"],"additionalProperties":false}}}`

// checkSchema refuses a request whose answer must fit a JSON schema if the
// server would take no notice of it (llama-server did). Servers of one's own
// are asked, once a while; a hosted one, where a question costs money, is
// believed to refuse what it does not do.
func (c *Client) checkSchema(ctx context.Context, req *backend.Request) error {
	f, ok := req.View.Lookup("response_format")
	if !ok || req.Path != pathOf(wire.Chat) || wire.KindOf(f.Raw(req.Body)) != "json_schema" {
		return nil
	}
	kind, err := c.kind(ctx)
	if err != nil || kind == Other {
		return ctx.Err()
	}
	q := question{
		Model: req.View.Model, Messages: []says{{"user", "a"}}, Most: schemaTokens, Format: json.RawMessage(schemaFormat),
	}
	holds, err := c.does(ctx, "schema", req, q, func(status int, text []byte) bool {
		// An answer that was cut short is a beginning of what was asked for.
		said := strings.Join(strings.Fields(wire.Content(text)), "")
		return status != http.StatusOK || strings.HasPrefix(`{"probe":"culvert"}`, said)
	})
	if holds || err != nil {
		return err
	}
	return &wire.Error{
		Status: http.StatusBadRequest, Type: wire.TypeInvalidRequest, Code: "unsupported_parameter", Param: "response_format",
		Message: "the model server takes no notice of JSON schemas; say in the prompt how the answer should look, and check it, or choose another model",
	}
}

// does reports whether a model does what req asks of it, by the answer to a
// question, which is asked once a while. A server that does not answer it is
// believed.
func (c *Client) does(ctx context.Context, what string, req *backend.Request, q question, judge func(status int, text []byte) bool) (bool, error) {
	key := what + " " + req.Path + " " + req.View.Model
	var does, known bool
	c.server.look(func() { does, known = c.server.does[key] })
	if known {
		return does, nil
	}
	status, text, err := c.probe(ctx, req.Path, q)
	switch {
	case ctx.Err() != nil:
		return false, ctx.Err()
	case err != nil:
		return true, nil
	}
	does = judge(status, text)
	c.server.look(func() {
		if len(c.server.does) < maxModels {
			c.server.does[key] = does
		}
	})
	return does, nil
}

// fit checks a request against what is known of its model, and is its body with
// the model's id where it has its alias.
func (c *Client) fit(req *backend.Request) ([]byte, error) {
	m, known := backend.FindModel(c.models.peek(), req.View.Model)
	switch {
	case !known:
		return req.Body, nil
	case m.Context > 0 && req.View.Words > m.Context:
		return nil, wire.TooLong(req.View.Prompt(), req.View.Words, m.Context)
	}
	return wire.Rename(req.Body, req.View, m.ID), nil
}

// refine puts an error of the server in terms of the request, where servers
// answer with a status that blames themselves.
func refine(req *backend.Request, e *wire.Error) {
	_, tools := req.View.Lookup("tools")
	switch message := strings.ToLower(e.Message); {
	case e.Status == http.StatusInternalServerError && tools &&
		(strings.Contains(message, "tool") || strings.Contains(message, "'description'")):
		// llama-server: not with streams, not without a template for them, and
		// not without a description of each.
		*e = wire.Error{Status: http.StatusBadRequest, Type: wire.TypeInvalidRequest, Code: "unsupported_parameter", Param: "tools", Message: e.Message}
	case e.Status == http.StatusNotImplemented:
		route, _ := wire.RouteOf(req.Path)
		*e = *wire.NotAble(req.View.Model, route.Needs)
	}
}

// inspect reads an answer whole where it may have to be changed or refused. The
// calls of tools are repaired. An answer to a long prompt is refused if the
// server cut the prompt without a word: it then counts fewer tokens than the
// prompt has words, and answers something else. One that counts no tokens is
// believed.
func (c *Client) inspect(req *backend.Request, resp *backend.Response) (*backend.Response, error) {
	_, tools := req.View.Lookup("tools")
	switch {
	case resp.Status != http.StatusOK, !tools && (req.View.Words < longPrompt || req.View.Stream):
		return resp, nil
	case backend.ContentType(resp.Header) == backend.ContentStream:
		resp.Body = &mendedStream{body: resp.Body, events: sse.NewReader(resp.Body, sse.MaxEvent)}
		return resp, nil
	}
	defer resp.Body.Close()
	text, release, err := c.held.Read(resp.Body, -1, c.maxAnswer)
	switch {
	case errors.Is(err, body.ErrBusy):
		return nil, wire.Unavailable("busy", "the answers in progress use all memory set aside for them; try again", busyRetry)
	case err != nil:
		return nil, err
	}
	// A quarter is left to tokenizers that join words.
	if used := wire.PromptTokens(text); used > 0 && used < req.View.Words/4*3 {
		release()
		return nil, wire.TooLong(req.View.Prompt(), req.View.Words, used)
	}
	if tools {
		text = new(wire.ToolCalls).Repair(text)
	}
	resp.Body = &heldBody{Reader: bytes.NewReader(text), release: release}
	return resp, nil
}

// heldBody is an answer that was read whole.
type heldBody struct {
	*bytes.Reader
	release func()
}

// Close gives the memory back. It may be called any number of times.
func (b *heldBody) Close() error {
	b.release()
	return nil
}

// mendedStream repairs the tool calls of a stream as its events come.
type mendedStream struct {
	body   io.Closer
	events *sse.Reader
	calls  wire.ToolCalls
	rest   []byte // of what has come, repaired and not read yet
}

func (m *mendedStream) Read(p []byte) (int, error) {
	for len(m.rest) == 0 {
		e, err := m.events.Next()
		if err != nil {
			return 0, err
		}
		m.rest = e.Raw
		// An event of several data lines is no chunk of a chat.
		if fixed := m.calls.Repair(e.Data); len(fixed) > 0 && bytes.Contains(e.Raw, e.Data) {
			m.rest = bytes.Replace(e.Raw, e.Data, fixed, 1)
		}
	}
	n := copy(p, m.rest)
	m.rest = m.rest[n:]
	return n, nil
}

func (m *mendedStream) Close() error { return m.body.Close() }
