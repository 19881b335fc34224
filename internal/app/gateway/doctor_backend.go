package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/culvert-net/culvert/api/backend"
	wire "github.com/culvert-net/culvert/api/openai"
	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/doctor"
	"github.com/culvert-net/culvert/internal/app/node"
)

// What the doctor finds of the model server behind a provider, one capability
// after the other. What the server says is not repeated: it may quote a key.

func (p *patient) modelServer(ctx context.Context) []doctor.Finding {
	switch {
	case p.Misconfigured != nil:
		return doctor.One(doctor.Skip("the configuration does not say which"))
	case !p.cfg.Is(RoleProvider):
		return nil
	}
	who := "the demo model"
	if p.cfg.Provider.Backend != BackendMock {
		who = doctor.ShowURL(p.cfg.Provider.URL)
	}
	src, err := newSource(&p.cfg.Provider)
	if err != nil {
		return doctor.One(doctor.Bad("Set url in [provider] of config.toml.", "%s: %v", who, err))
	}
	p.source = src
	models, err := src.Models(ctx)
	if err != nil {
		return doctor.One(doctor.Bad("Start it, and look whether it answers: curl "+app.Shell(who)+". Its address and key stand in [provider] of config.toml.",
			"%s: %s", who, node.WhyNoModels(err)))
	}
	kind := src.runtime(ctx)
	if len(models) == 0 {
		return doctor.One(doctor.Bad("Load a model into it, for example: ollama pull llama3.2", "%s (%s) lists no models", who, kind))
	}
	p.models = models
	out := doctor.One(doctor.Fine("%s (%s) lists %s", who, kind, app.Count(len(models), "model")))
	offered := 0
	for _, m := range models {
		if nameable(m.ID) && offered < maxModels {
			offered++
		}
	}
	if offered < len(models) {
		out = append(out, doctor.Warn("Give them names of printable ASCII without spaces; a node may offer "+app.Count(maxModels, "model")+".",
			"%d of %d cannot be offered to others", len(models)-offered, len(models)))
	}
	if p.model != "" && !slices.ContainsFunc(models, func(m backend.Model) bool { return m.ID == p.model }) {
		out = append(out, doctor.Warn("Use a name that it lists.", "%s does not list %q", who, p.model))
	}
	if p.silent {
		out = append(out, doctor.Skip("--no-ask: what it can do was not tried"))
	}
	return out
}

// asks reports whether requests are to be sent.
func (p *patient) asks() bool { return len(p.models) > 0 && !p.silent }

func (p *patient) embeddings(ctx context.Context) []doctor.Finding {
	if !p.asks() {
		return nil
	}
	model := p.pick(true)
	a := p.send(ctx, "/v1/embeddings", model, false, map[string]any{"model": model, "input": "ok"})
	var doc struct {
		Data []struct {
			Embedding json.RawMessage `json:"embedding"`
		} `json:"data"`
	}
	if a.status == http.StatusOK && json.Unmarshal(a.body, &doc) == nil && len(doc.Data) > 0 && len(doc.Data[0].Embedding) > len("[]") {
		p.able = true
		return doctor.One(doctor.Fine("%s answers in %s", model, doctor.Spent(a.total)))
	}
	return doctor.One(doctor.Fine("not served for %s (%s), which is fine for a server of chat models", model, a.why()))
}

func (p *patient) completions(ctx context.Context) []doctor.Finding {
	if !p.asks() {
		return nil
	}
	model := p.pick(false)
	a := p.send(ctx, "/v1/completions", model, false, map[string]any{"model": model, "prompt": "ok", "max_tokens": 1})
	if a.status == http.StatusOK && a.choices() {
		p.able = true
		return doctor.One(doctor.Fine("%s answers in %s", model, doctor.Spent(a.total)))
	}
	return doctor.One(doctor.Fine("not served for %s (%s); few clients ask for them", model, a.why()))
}

// chatBody is as small a chat as there is.
func chatBody(model string, stream bool) map[string]any {
	body := map[string]any{
		"model": model, "max_tokens": 1,
		"messages": []map[string]string{{"role": "user", "content": "Say ok."}},
	}
	if stream {
		body["stream"] = true
		body["stream_options"] = map[string]bool{"include_usage": true}
	}
	return body
}

func (p *patient) chat(ctx context.Context) []doctor.Finding {
	if !p.asks() {
		return nil
	}
	model := p.pick(false)
	a := p.send(ctx, "/v1/chat/completions", model, false, chatBody(model, false))
	if a.status == http.StatusOK && a.choices() {
		p.chats = true
		return doctor.One(doctor.Fine("%s answers in %s", model, doctor.Spent(a.total)))
	}
	if p.able {
		return doctor.One(doctor.Warn("If it is meant to chat, look into its log, or name another model: "+p.Lines.Line("doctor", "--model", "NAME"),
			"%s does not (%s); it serves other requests", model, a.why()))
	}
	return doctor.One(doctor.Bad("Look into the model server's log, or try another model: "+p.Lines.Line("doctor", "--model", "NAME"),
		"%s does not answer a chat (%s)", model, a.why()))
}

func (p *patient) stream(ctx context.Context) []doctor.Finding {
	if !p.asks() || !p.chats {
		return nil
	}
	model := p.pick(false)
	a := p.send(ctx, "/v1/chat/completions", model, true, chatBody(model, true))
	const look = "Look into the model server's log and version; most apps ask for streams."
	switch {
	case a.status != http.StatusOK || a.err != nil:
		return doctor.One(doctor.Bad(look, "%s does not stream (%s)", model, a.why()))
	case a.kind != backend.ContentStream:
		return doctor.One(doctor.Bad("Use a server that streams (stream: true); most apps ask for it.", "%s answers in one piece when asked for a stream", model))
	}
	chunks, usage, done := events(a.body)
	switch {
	case chunks == 0 || !done:
		return doctor.One(doctor.Bad(look, "%s breaks its streams off: %s, without the [DONE] at the end", model, app.Count(chunks, "event")))
	case !usage:
		return doctor.One(doctor.Warn("Update the server; it should honour stream_options.include_usage.", "%s streams, first byte after %s, but does not say how many tokens that was", model, doctor.Spent(a.first)))
	}
	return doctor.One(doctor.Fine("%s, first byte after %s, with the count of its tokens", model, doctor.Spent(a.first)))
}

// embedders are parts of the names of models that embed and do not chat.
var embedders = []string{"embed", "minilm", "bge-", "gte-", "e5-"}

// pick is the model to ask: the one that was named, else the first that looks
// like one for the purpose, else the first.
func (p *patient) pick(embeds bool) string {
	if p.model != "" {
		return p.model
	}
	for _, m := range p.models {
		name := strings.ToLower(m.ID)
		if slices.ContainsFunc(embedders, func(part string) bool { return strings.Contains(name, part) }) == embeds {
			return m.ID
		}
	}
	return p.models[0].ID
}

// probed is what came of a request.
type probed struct {
	status       int
	kind         string // content type
	body         []byte
	first, total time.Duration // until the first byte, and the end
	err          error
}

// send makes one request about model to the model server.
func (p *patient) send(ctx context.Context, path, model string, stream bool, body map[string]any) (a probed) {
	start := time.Now()
	defer func() { a.total = time.Since(start) }()
	text, err := json.Marshal(body)
	if err != nil {
		a.err = err
		return a
	}
	resp, err := p.source.Do(ctx, &backend.Request{
		Method: http.MethodPost, Path: path, Header: http.Header{}, Body: text,
		View: wire.View{Model: model, Stream: stream, IncludeUsage: stream},
	})
	if err != nil {
		a.err = err
		if e, ok := errors.AsType[*wire.Error](err); ok {
			a.status = e.Status
		}
		return a
	}
	defer resp.Body.Close()
	a.status, a.kind = resp.Status, resp.Header.Get("Content-Type")
	var b bytes.Buffer
	if _, err := io.CopyN(&b, resp.Body, 1); err == nil {
		a.first = time.Since(start)
	}
	_, a.err = io.Copy(&b, io.LimitReader(resp.Body, maxProbeAnswer))
	a.body = b.Bytes()
	return a
}

// why is why the answer is none, in our own words.
func (a *probed) why() string {
	var e *wire.Error
	switch {
	case errors.Is(a.err, context.DeadlineExceeded):
		return fmt.Sprintf("no answer within %v", askLimit)
	case errors.As(a.err, &e) && e.Code == "upstream_unreachable":
		return "it cannot be reached or closes the connection"
	case a.status == http.StatusUnauthorized || a.status == http.StatusForbidden:
		return fmt.Sprintf("status %d: it wants another API key than it got", a.status)
	case a.status != 0 && a.status != http.StatusOK:
		return fmt.Sprintf("status %d", a.status)
	case a.err != nil:
		return "the answer broke off"
	}
	return "an answer in another form than OpenAI's"
}

// choices reports whether the answer has one.
func (a *probed) choices() bool {
	var doc struct {
		Choices []json.RawMessage `json:"choices"`
	}
	return a.err == nil && json.Unmarshal(a.body, &doc) == nil && len(doc.Choices) > 0
}

// events reads a stream: how many events there are besides the last, whether
// one has the usage, and whether it ended as it should.
func events(body []byte) (chunks int, usage, done bool) {
	for line := range bytes.Lines(body) {
		data, ok := bytes.CutPrefix(bytes.TrimSpace(line), []byte("data:"))
		if data = bytes.TrimSpace(data); !ok || done {
			continue
		}
		if string(data) == "[DONE]" {
			done = true
			continue
		}
		var doc struct {
			Usage *struct {
				Completion *int `json:"completion_tokens"`
			} `json:"usage"`
		}
		if json.Unmarshal(data, &doc) != nil {
			continue
		}
		chunks++
		usage = usage || doc.Usage != nil && doc.Usage.Completion != nil
	}
	return chunks, usage, done
}
