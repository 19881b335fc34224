package backendtest

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/culvert-net/culvert/api/backend"
)

// Dialect is a route other than chat, and what is said on it.
type Dialect struct {
	Path      string
	Plain     string   // a request that a careless forwarder would change
	Streaming string   // "" if the route has no streams
	Answer    string   // to Plain
	Events    []string // to Streaming
}

// Dialects are the routes other than chat.
func Dialects() []Dialect {
	return []Dialect{
		{
			Path:      "/v1/completions",
			Plain:     `{"x_seed":9007199254740993, "model":"m","prompt" : ["once","upon"],"n":1,"suffix":"\u00e9","echo":false}`,
			Streaming: `{"model":"m","prompt":"once upon","stream":true,"stream_options":{"include_usage":true}}`,
			Answer: `{"id":"cmpl-1","object":"text_completion","created":1,"model":"m",` +
				`"choices":[{"index":0,"text":" a time","logprobs":null,"finish_reason":"stop"}],` +
				`"usage":{"prompt_tokens":2,"completion_tokens":2,"total_tokens":4}}`,
			Events: []string{
				`data: {"id":"cmpl-1","object":"text_completion","created":1,"model":"m","choices":[{"index":0,"text":" a","logprobs":null,"finish_reason":null}]}` + "\n\n",
				`data: {"id":"cmpl-1","object":"text_completion","created":1,"model":"m","choices":[],"usage":{"prompt_tokens":2,"completion_tokens":2,"total_tokens":4}}` + "\n\n",
				Done,
			},
		},
		{
			Path:  "/v1/embeddings",
			Plain: `{"model":"m", "input":["a",  "b"],"encoding_format":"float","x_scale":1.10}`,
			Answer: `{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.10,-1E-7]},` +
				`{"object":"embedding","index":1,"embedding":[0.25,3]}],"model":"m","usage":{"prompt_tokens":2,"total_tokens":2}}`,
		},
	}
}

// testRoutes checks that the other routes have what chat has.
func testRoutes(t *testing.T, up *Upstream, b backend.Backend) {
	for _, d := range Dialects() {
		t.Run(strings.TrimPrefix(d.Path, "/v1/"), func(t *testing.T) {
			up.Set(Answer(d.Answer))
			resp, err := b.Do(t.Context(), RequestTo(t, d.Path, d.Plain))
			if err != nil {
				t.Fatalf("Do: %v", err)
			}
			if got := all(t, resp); got != d.Answer || resp.Status != http.StatusOK {
				t.Errorf("answer = %d %s, want %s", resp.Status, got, d.Answer)
			}
			if c := up.Next(t); c.Path != d.Path || c.Sum != sha256.Sum256([]byte(d.Plain)) {
				t.Errorf("upstream got %s to %s, want %s to %s", c.Body, c.Path, d.Plain, d.Path)
			}
			up.Set(CutAnswer(d.Answer))
			if whole(t, b, d.Path, d.Plain) {
				t.Error("half an answer came as a whole one")
			}
			up.Next(t)
			up.Set(Silent)
			cancelled(t, up, b, d.Path, d.Plain)
			if d.Streaming == "" {
				return
			}
			up.Set(Stream(0, d.Events...))
			if resp, err = b.Do(t.Context(), RequestTo(t, d.Path, d.Streaming)); err != nil {
				t.Fatalf("Do: %v", err)
			}
			if got := all(t, resp); got != strings.Join(d.Events, "") {
				t.Errorf("stream = %s", got)
			}
			up.Next(t)
			up.Set(CutAfter(d.Events[0]))
			if whole(t, b, d.Path, d.Streaming) {
				t.Error("a stream that was cut came as a whole one")
			}
			up.Next(t)
			up.Set(SilentStream)
			cancelled(t, up, b, d.Path, d.Streaming)
		})
	}
}

// whole reports whether a request has an answer that is complete.
func whole(t *testing.T, b backend.Backend, path, body string) bool {
	t.Helper()
	resp, err := b.Do(t.Context(), RequestTo(t, path, body))
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	_, err = io.ReadAll(resp.Body)
	return err == nil && resp.Status == http.StatusOK
}

// cancelled makes a request and gives it up once it has arrived.
func cancelled(t *testing.T, up *Upstream, b backend.Backend, path, body string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	req := RequestTo(t, path, body)
	go func() {
		resp, err := b.Do(ctx, req)
		if err == nil {
			_, err = io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
		}
		ended <- err
	}()
	call := up.Next(t)
	cancel()
	call.WaitCancelled(t)
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the client got %v, want the context's error", err)
	}
}
