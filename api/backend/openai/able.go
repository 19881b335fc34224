package openai

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
	"sync"
	"time"

	"github.com/culvert-net/culvert/api/backend"
	wire "github.com/culvert-net/culvert/api/openai"
)

// findings are what was found out about the server, once it answered. They are found
// out anew after serverFresh: a server may be started again with other flags.
type findings struct {
	mu     sync.Mutex // guards what follows
	kind   Kind       // "" until known
	routes map[wire.Capability]bool
	does   map[string]bool // whether a model does what it is asked, by question, route and model
	until  time.Time
}

// look gives f what is known, for as long as f runs.
func (s *findings) look(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := time.Now(); now.After(s.until) {
		s.kind, s.until = "", now.Add(serverFresh)
		s.routes, s.does = make(map[wire.Capability]bool), make(map[string]bool)
	}
	f()
}

// Able finds out what model can be asked for. The answers are those of the
// server itself: it is sent small questions, and an error if one of them has
// no answer yet. few says that the server has no more than a few models; of
// many only those are asked which look as if they embed, since a question may
// make a server load the model.
func (c *Client) Able(ctx context.Context, model string, few bool) ([]wire.Capability, error) {
	kind, err := c.kind(ctx)
	if err != nil {
		return nil, err
	}
	if kind == Ollama {
		if able, err := c.askOllama(ctx, model); able != nil || err != nil {
			return able, err
		}
	}
	embeds, err := c.has(ctx, wire.Embeddings)
	if err != nil {
		return nil, err
	}
	writes := true
	switch {
	case embeds && kind == Ollama: // one too old to say: its models do both
	case embeds && (few || looksEmbedding(model)):
		if embeds, err = c.accepts(ctx, wire.Embeddings, question{Model: model, Input: "a"}); err != nil {
			return nil, err
		}
		if embeds {
			writes, err = c.accepts(ctx, wire.Chat, question{Model: model, Messages: []says{{"user", "a"}}, Most: 1})
		}
	default:
		embeds = false
	}
	if err != nil {
		return nil, err
	}
	var able []wire.Capability
	if writes {
		able = append(able, wire.Chat)
		continues, err := c.has(ctx, wire.Completions)
		if err != nil {
			return nil, err
		}
		if continues {
			able = append(able, wire.Completions)
		}
	}
	if embeds {
		able = append(able, wire.Embeddings)
	}
	return able, nil
}

// looksEmbedding knows the usual names of models that embed.
func looksEmbedding(model string) bool {
	name := strings.ToLower(model)
	return slices.ContainsFunc([]string{"embed", "bge-", "gte-", "e5-", "minilm"}, func(part string) bool {
		return strings.Contains(name, part)
	})
}

// kind is which server this is, asked until it answers.
func (c *Client) kind(ctx context.Context) (Kind, error) {
	var kind Kind
	c.server.look(func() { kind = c.server.kind })
	if kind != "" {
		return kind, nil
	}
	kind, err := Detect(ctx, c.root)
	switch {
	case errors.Is(err, ErrNotModelServer):
		kind = Other // a hosted one says nothing without a key
	case err != nil:
		return "", err
	}
	c.server.look(func() { c.server.kind = kind })
	return kind, nil
}

// has reports whether the server has a route at all. The question is a body
// that lacks everything, so that no model is loaded for it.
func (c *Client) has(ctx context.Context, route wire.Capability) (bool, error) {
	var has, known bool
	c.server.look(func() { has, known = c.server.routes[route] })
	if known {
		return has, nil
	}
	status, _, err := c.probe(ctx, pathOf(route), struct{}{})
	if err != nil {
		return false, err
	}
	switch status {
	case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotImplemented:
	default:
		has = true
	}
	c.server.look(func() { c.server.routes[route] = has })
	return has, nil
}

// question is the smallest request to a model.
type question struct {
	Model    string `json:"model"`
	Input    string `json:"input,omitempty"`
	Prompt   string `json:"prompt,omitempty"`
	Messages []says `json:"messages,omitempty"`
	Most     int    `json:"max_tokens,omitempty"`
	N        int    `json:"n,omitempty"`

	Format json.RawMessage `json:"response_format,omitempty"`
}

type says struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

// accepts reports whether a model answers a question on a route, with an answer
// of that route: some servers answer everything with 200.
func (c *Client) accepts(ctx context.Context, route wire.Capability, q question) (bool, error) {
	status, text, err := c.probe(ctx, pathOf(route), q)
	if err != nil || status != http.StatusOK {
		return false, err
	}
	if route == wire.Embeddings {
		// The name is enough: an embedding may be longer than what was read.
		return bytes.Contains(text, []byte(`"embedding"`)), nil
	}
	return wire.Choices(text) > 0, nil
}

// pathOf is the path of the route that needs a capability.
func pathOf(needs wire.Capability) string {
	i := slices.IndexFunc(wire.Routes, func(r wire.Route) bool { return r.Needs == needs })
	return wire.Routes[i].Path
}

// probe asks and returns the status, and of a success the answer. Statuses that
// say nothing about what was asked (no access, too much work, not ready) are
// errors.
func (c *Client) probe(ctx context.Context, path string, q any) (int, []byte, error) {
	body, err := json.Marshal(q)
	if err != nil {
		return 0, nil, fmt.Errorf("writing a question: %w", err)
	}
	header := http.Header{"Accept": {backend.ContentJSON}, "Content-Type": {backend.ContentJSON}}
	url := c.root + strings.TrimPrefix(path, "/v1")
	if !strings.HasPrefix(path, "/v1/") {
		url = version.ReplaceAllString(c.root, "") + path
	}
	resp, err := c.send(ctx, http.MethodPost, url, header, body)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxProbe))
	if err != nil {
		return 0, nil, err
	}
	status := resp.Status
	if e := wire.InAnswer(text); status == http.StatusOK && e != nil {
		status = http.StatusNotFound // LM Studio answers every path so
	}
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusRequestTimeout, http.StatusTooManyRequests,
		http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return 0, nil, fmt.Errorf("asking %s: status %d", path, status)
	}
	return status, text, nil
}

// askOllama asks for what Ollama knows of a model without loading it. It
// returns nothing if this Ollama does not say.
func (c *Client) askOllama(ctx context.Context, model string) ([]wire.Capability, error) {
	status, text, err := c.probe(ctx, "/api/show", question{Model: model})
	if err != nil || status != http.StatusOK {
		return nil, err
	}
	var doc struct {
		Capabilities []string `json:"capabilities"`
	}
	if json.Unmarshal(text, &doc) != nil || doc.Capabilities == nil {
		return nil, nil
	}
	able := []wire.Capability{} // that it can do nothing of ours is an answer too
	writes := slices.Contains(doc.Capabilities, "completion")
	if writes {
		able = append(able, wire.Chat, wire.Completions)
	}
	// It embeds with models that write as well (0.17.4 does), and lists only
	// those that do nothing else.
	if writes || slices.Contains(doc.Capabilities, "embedding") {
		able = append(able, wire.Embeddings)
	}
	return able, nil
}
