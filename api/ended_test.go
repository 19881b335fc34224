package api_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/culvert-net/culvert/api"
	"github.com/culvert-net/culvert/api/backend/backendtest"
	"github.com/culvert-net/culvert/api/backend/openai"
	"github.com/culvert-net/culvert/api/usage"
)

const usageChunk = `data: {"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":2,"total_tokens":9}}` + "\n\n"

// Each request to a model is told of once, with what became of it; a client
// that went away is one, whatever it had been sent.
func TestEnded(t *testing.T) {
	up := backendtest.NewUpstream(t)
	client, err := openai.New(openai.Config{BaseURL: up.URL})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	told := make(chan usage.Ended, 10)
	b := serve(t, api.Config{Backend: client, Ended: func(e usage.Ended) { told <- e }})
	whole := func(t *testing.T, body string) {
		_, _ = io.Copy(io.Discard, b.post(t, body).Body) // some are cut
	}
	const chatPath = "/v1/chat/completions"
	arrived := make(chan struct{})
	for _, tt := range []struct {
		name    string
		answer  backendtest.Behaviour
		ask     func(t *testing.T)
		want    usage.Ended // without times
		first   bool        // there was a first event
		refused bool        // nothing was passed on
	}{
		{
			name: "document", answer: backendtest.Answer(backendtest.Completion),
			ask:  func(t *testing.T) { whole(t, backendtest.Plain) },
			want: usage.Ended{Route: "chat", Model: "m", Status: 200, Input: 3, Output: 1},
		},
		{
			name: "embeddings", answer: backendtest.Answer(`{"object":"list","data":[],"model":"m","usage":{"prompt_tokens":8,"total_tokens":8}}`),
			ask: func(t *testing.T) {
				_ = read(t, b.send(t, http.MethodPost, "/v1/embeddings", strings.NewReader(`{"model":"e","input":"x"}`), "Content-Type", "application/json"))
			},
			want: usage.Ended{Route: "embeddings", Model: "e", Status: 200, Input: 8},
		},
		{
			name: "stream", answer: backendtest.Stream(0, backendtest.Chunk(0), usageChunk, backendtest.Done),
			ask:   func(t *testing.T) { whole(t, backendtest.Streaming) },
			want:  usage.Ended{Route: "chat", Model: "m", Stream: true, Status: 200, Input: 7, Output: 2},
			first: true,
		},
		{
			name: "stream that was cut", answer: backendtest.CutAfter(backendtest.Chunk(0), backendtest.Chunk(1)),
			ask:   func(t *testing.T) { whole(t, backendtest.Streaming) },
			want:  usage.Ended{Route: "chat", Model: "m", Stream: true, Status: 502},
			first: true,
		},
		{
			name: "stream that ends with an error", answer: backendtest.Stream(0, backendtest.Chunk(0), `data: {"error":{"message":"slow down","code":429}}`+"\n\n"),
			ask:   func(t *testing.T) { whole(t, backendtest.Streaming) },
			want:  usage.Ended{Route: "chat", Model: "m", Stream: true, Status: 429},
			first: true,
		},
		{
			name: "upstream's error", answer: backendtest.Status(503, "application/json", `{"error":{"message":"busy"}}`),
			ask:  func(t *testing.T) { whole(t, backendtest.Plain) },
			want: usage.Ended{Route: "chat", Model: "m", Status: 503},
		},
		{
			name: "no JSON", answer: backendtest.Silent,
			ask:     func(t *testing.T) { whole(t, "{") },
			want:    usage.Ended{Route: "chat", Status: 400},
			refused: true,
		},
		{
			name: "not with GET", answer: backendtest.Silent,
			ask:     func(t *testing.T) { _ = read(t, b.send(t, http.MethodGet, chatPath, nil)) },
			want:    usage.Ended{Route: "chat", Status: 405},
			refused: true,
		},
		{
			name: "gone before the answer",
			answer: func(w http.ResponseWriter, r *http.Request, c *backendtest.Call) {
				close(arrived)
				backendtest.Silent(w, r, c)
			},
			ask: func(t *testing.T) {
				ctx, leave := context.WithCancel(t.Context())
				req, err := http.NewRequestWithContext(ctx, http.MethodPost, b.url+chatPath, strings.NewReader(backendtest.Plain))
				if err != nil {
					t.Fatal(err)
				}
				req.Header.Set("Content-Type", "application/json")
				go func() {
					<-arrived
					leave()
				}()
				if resp, err := b.http(t).Do(req); err == nil {
					resp.Body.Close()
					t.Fatal("a silent server answered")
				}
			},
			want: usage.Ended{Route: "chat", Model: "m", Status: 499},
		},
		{
			name: "gone within a stream", answer: backendtest.Endless(time.Millisecond),
			ask: func(t *testing.T) {
				resp := b.post(t, backendtest.Streaming)
				if _, err := resp.Body.Read(make([]byte, 10)); err != nil {
					t.Fatal(err)
				}
				resp.Body.Close()
			},
			want:  usage.Ended{Route: "chat", Model: "m", Stream: true, Status: 499},
			first: true,
		},
		{
			name: "gone within its body", answer: backendtest.Silent,
			ask: func(t *testing.T) {
				c, err := net.Dial("tcp", strings.TrimPrefix(b.url, "http://"))
				if err != nil {
					t.Fatal(err)
				}
				_, _ = io.WriteString(c, "POST "+chatPath+" HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{")
				c.Close()
			},
			want:    usage.Ended{Route: "chat", Status: 499},
			refused: true,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			up.Set(tt.answer)
			began := time.Now()
			tt.ask(t)
			var got usage.Ended
			select {
			case got = <-told:
			case <-time.After(10 * time.Second):
				t.Fatal("nobody was told")
			}
			most := time.Since(began)
			if got.Took <= 0 || got.Took > most || got.First > got.Took || got.Overhead > got.Took {
				t.Errorf("took %v, first event after %v, overhead %v, of %v at most", got.Took, got.First, got.Overhead, most)
			}
			if (got.First > 0) != tt.first || (got.Overhead > 0) == tt.refused {
				t.Errorf("first event after %v, overhead %v", got.First, got.Overhead)
			}
			got.Took, got.First, got.Overhead = 0, 0, 0
			if got != tt.want {
				t.Errorf("told %+v, want %+v", got, tt.want)
			}
		})
	}
	// What leads to no model is nobody's request.
	up.Set(backendtest.Answer(`{"object":"list","data":[]}`))
	for _, path := range []string{"/", "/livez", "/readyz", "/v1/models", "/v1/nothing"} {
		_ = read(t, b.send(t, http.MethodGet, path, nil))
	}
	whole(t, "{") // comes after those
	if e := <-told; e.Status != 400 || len(told) > 0 {
		t.Errorf("told %+v and %d more", e, len(told))
	}
}
