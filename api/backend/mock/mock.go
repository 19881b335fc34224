// Package mock is the demo model: a Backend that gives canned answers and says
// so in each of them.
//
// New makes one; Do answers chats and completions, streamed token by token or
// whole, and embeddings, in exactly the shape of a real server, and Models
// lists the one model it pretends to be. It is for seeing a world at work before a model server is
// installed; it must not be served where anybody pays. It runs no model, and
// repeats nothing of a prompt but how long its last message was.
//
// A Backend of this package may be used concurrently; it starts no goroutine.
package mock

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
	"unicode/utf8"

	"github.com/culvert-net/culvert/api/backend"
	"github.com/culvert-net/culvert/api/openai"
)

// Model is the id of the demo model.
const Model = "culvert-demo"

// Config sets up the demo model.
type Config struct {
	// Pace is the pause before each token of a stream, and before a whole
	// answer; 0 means none.
	Pace time.Duration
}

// Backend is the demo model.
type Backend struct {
	pace    time.Duration
	created int64 // unix seconds, when it was made
}

var _ backend.Backend = (*Backend)(nil)

// New returns the demo model.
func New(cfg Config) *Backend {
	return &Backend{pace: cfg.Pace, created: time.Now().Unix()}
}

// Models implements backend.Backend.
func (b *Backend) Models(ctx context.Context) ([]backend.Model, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return []backend.Model{{
		ID: Model, OwnedBy: "culvert", Created: b.created,
		Able: able(),
	}}, nil
}

// Able is what the demo model can be asked for, for whoever describes it.
func Able(context.Context, string, bool) ([]openai.Capability, error) { return able(), nil }

func able() []openai.Capability {
	return []openai.Capability{openai.Chat, openai.Completions, openai.Embeddings}
}

// Do implements backend.Backend.
func (b *Backend) Do(ctx context.Context, req *backend.Request) (*backend.Response, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	route, ok := openai.RouteOf(req.Path)
	if !ok || req.Method != http.MethodPost {
		return nil, &openai.Error{
			Status: http.StatusNotFound, Type: openai.TypeInvalidRequest, Code: "unknown_url",
			Message: "the demonstration model answers chats, completions and embeddings only",
		}
	}
	if req.View.Model != Model {
		return nil, openai.ModelNotFound(req.View.Model, "the demonstration model is called "+Model)
	}
	if route.Needs == openai.Embeddings {
		text, err := embed(req)
		if err != nil {
			return nil, err
		}
		return b.whole(ctx, text)
	}
	a, err := compose(req, route)
	if err != nil {
		return nil, err
	}
	a.ID, a.Created = a.prefix+rand.Text(), time.Now().Unix()
	if req.View.Stream {
		return respond(backend.ContentStream, newStream(ctx, b.pace, a)), nil
	}
	return b.whole(ctx, a.whole())
}

// whole answers with a document after the pause that its writing takes.
func (b *Backend) whole(ctx context.Context, text []byte) (*backend.Response, error) {
	if err := pause(ctx, b.pace); err != nil {
		return nil, err
	}
	return respond(backend.ContentJSON, io.NopCloser(bytes.NewReader(text))), nil
}

func respond(contentType string, body io.ReadCloser) *backend.Response {
	return &backend.Response{
		Status: http.StatusOK,
		Header: http.Header{"Content-Type": {contentType}},
		Body:   body,
	}
}

// request is what the demo model looks at.
type request struct {
	Messages []struct {
		Content json.RawMessage `json:"content"`
	} `json:"messages"`
	Prompt              json.RawMessage `json:"prompt"`
	N                   *int            `json:"n"`
	MaxTokens           *int            `json:"max_tokens"`
	MaxCompletionTokens *int            `json:"max_completion_tokens"`
}

// compose writes the answer to req.
func compose(req *backend.Request, route openai.Route) (*answer, error) {
	var r request
	if err := json.Unmarshal(req.Body, &r); err != nil {
		return nil, openai.Invalid("", "n and the token limits must have the types OpenAI's API gives them")
	}
	if r.N != nil && *r.N != 1 {
		return nil, openai.Invalid("n", "the demonstration model gives one answer; leave n out or set it to 1")
	}
	a := &answer{finish: "stop", includeUsage: req.View.IncludeUsage}
	last := 0
	if route.Needs == openai.Chat {
		a.shape = chatShape
		for _, m := range r.Messages {
			a.usage.Prompt += len(tokens(plain(m.Content))) + perMessage
			last = length(m.Content)
		}
	} else {
		prompt, one := onlyText(r.Prompt)
		if !one {
			return nil, openai.Invalid("prompt", "the demonstration model continues one text; send prompt as a string")
		}
		a.shape = textShape
		a.usage.Prompt, last = len(tokens(prompt)), utf8.RuneCountInString(prompt)
	}
	a.tokens = tokens(fmt.Sprintf(text, last))
	for _, limit := range []*int{r.MaxTokens, r.MaxCompletionTokens} {
		if limit != nil && *limit >= 0 && *limit < len(a.tokens) {
			a.tokens, a.finish = a.tokens[:*limit], "length"
		}
	}
	a.usage.Completion = len(a.tokens)
	a.usage.Total = a.usage.Prompt + a.usage.Completion
	return a, nil
}

// onlyText is a prompt that is a string, or a list of one.
func onlyText(prompt json.RawMessage) (string, bool) {
	var texts []string
	if json.Unmarshal(prompt, &texts) == nil && len(texts) == 1 {
		return texts[0], true
	}
	var s string
	err := json.Unmarshal(prompt, &s)
	return s, err == nil && string(prompt) != "null"
}
