//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	gpt "github.com/sashabaranov/go-openai"

	"github.com/culvert-net/culvert/api/backend/backendtest"
)

// Every route crosses three hops with its bytes unchanged, and is told apart by
// what the provider's server has.
func TestRoutes(t *testing.T) {
	t.Parallel()
	for _, d := range backendtest.Dialects() {
		t.Run(d.Path, func(t *testing.T) {
			t.Parallel()
			u := upstream(t, backendtest.Answer(backendtest.Completion))
			u.Set(backendtest.ByPath(backendtest.Answer(list), func(w http.ResponseWriter, r *http.Request, c *backendtest.Call) {
				switch {
				case r.URL.Path == d.Path && strings.Contains(string(c.Body), `"stream":true`):
					backendtest.Stream(0, d.Events...)(w, r, c)
				case r.URL.Path == d.Path:
					backendtest.Answer(d.Answer)(w, r, c)
				case r.URL.Path == chatPath:
					backendtest.Answer(backendtest.Completion)(w, r, c)
				default:
					backendtest.Status(http.StatusNotFound, "application/json", `{}`)(w, r, c)
				}
			}))
			w := start(t, "--backend", u.URL)
			post := func(path, body string) (int, string) {
				resp, err := w.client().Post(strings.TrimSuffix(w.BaseURL, "/v1")+path, "application/json", strings.NewReader(body))
				if err != nil {
					t.Fatal(err)
				}
				defer resp.Body.Close()
				text, err := io.ReadAll(resp.Body)
				if err != nil {
					t.Fatal(err)
				}
				return resp.StatusCode, string(text)
			}
			if status, got := post(d.Path, d.Plain); status != 200 || got != d.Answer {
				t.Errorf("answer = %d %s, want %s", status, got, d.Answer)
			}
			calls := u.Calls()
			if last := calls[len(calls)-1]; string(last.Body) != d.Plain {
				t.Errorf("the upstream got %s, want %s", last.Body, d.Plain)
			}
			if d.Streaming != "" {
				if status, got := post(d.Path, d.Streaming); status != 200 || got != strings.Join(d.Events, "") {
					t.Errorf("stream = %d %s", status, got)
				}
			}
			for _, other := range backendtest.Dialects() {
				if other.Path == d.Path {
					continue
				}
				if status, got := post(other.Path, other.Plain); status != 400 || !strings.Contains(got, `"code":"capability_missing"`) {
					t.Errorf("%s, which the server lacks: %d %s, want 400 capability_missing", other.Path, status, got)
				}
			}
		})
	}
}

// The demonstration model serves every route to a library, and is found by name.
func TestDemoRoutes(t *testing.T) {
	t.Parallel()
	w := start(t, "--backend", "mock")
	cfg := gpt.DefaultConfig("any")
	cfg.BaseURL = w.BaseURL
	cfg.HTTPClient = w.client()
	client := gpt.NewClientWithConfig(cfg)
	const demo = "culvert-demo"

	vectors, err := client.CreateEmbeddings(t.Context(), gpt.EmbeddingRequest{Model: demo, Input: []string{"a", "b"}})
	if err != nil || len(vectors.Data) != 2 || len(vectors.Data[0].Embedding) == 0 {
		t.Errorf("CreateEmbeddings = %+v, %v", vectors, err)
	}
	stream, err := client.CreateCompletionStream(t.Context(), gpt.CompletionRequest{Model: demo, Prompt: "once"})
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	text := ""
	for {
		part, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		text += part.Choices[0].Text
	}
	if !strings.Contains(text, "canned answer") {
		t.Errorf("completion = %q, want one that says it is canned", text)
	}
	one, err := client.GetModel(t.Context(), demo)
	if err != nil || one.ID != demo {
		t.Errorf("GetModel = %+v, %v", one, err)
	}
	if _, err := client.GetModel(t.Context(), "org/none:latest"); err == nil || !strings.Contains(fmt.Sprint(err), "404") {
		t.Errorf("GetModel of nobody's = %v, want a 404", err)
	}
}
