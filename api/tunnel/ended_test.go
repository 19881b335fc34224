package tunnel

import (
	"context"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/culvert-net/culvert/api/backend"
	"github.com/culvert-net/culvert/api/usage"
)

// Each stream that is served is told of once, with what became of its request.
func TestEnded(t *testing.T) {
	const told = `"usage":{"prompt_tokens":3,"completion_tokens":2}`
	for _, tt := range []struct {
		name    string
		backend backendFunc
		raw     string
		leave   bool // as soon as a byte of the answer is there
		want    usage.Ended
	}{
		{name: "document", backend: answerWith(200, "application/json", stringsReader("{"+told+"}")), raw: rawRequest(plainChat), want: usage.Ended{Route: "chat", Model: "m", Status: 200, Input: 3, Output: 2}},
		{
			name: "stream", raw: rawRequest(streamChat), backend: answerWith(200, "text/event-stream", stringsReader("data: {"+told+"}\n\ndata: [DONE]\n\n")),
			want: usage.Ended{Route: "chat", Model: "m", Stream: true, Status: 200, First: time.Second, Input: 3, Output: 2},
		},
		{
			name: "stream that was cut", raw: rawRequest(streamChat), backend: answerWith(200, "text/event-stream", cutAfter("data: {}\n\n")),
			want: usage.Ended{Route: "chat", Model: "m", Stream: true, Status: 502, First: time.Second},
		},
		{name: "document that was cut", raw: rawRequest(plainChat), backend: answerWith(200, "application/json", cutAfter("{")), want: usage.Ended{Route: "chat", Model: "m", Status: 502}},
		{name: "empty document", raw: rawRequest(plainChat), backend: answerWith(200, "application/json", stringsReader("")), want: usage.Ended{Route: "chat", Model: "m", Status: 502}},
		{name: "document without end", raw: rawRequest(plainChat), backend: answerWith(200, "application/json", io.LimitReader(zeros{}, MaxAnswer+1)), want: usage.Ended{Route: "chat", Model: "m", Status: 502}},
		{name: "page", raw: rawRequest(plainChat), backend: answerWith(200, "text/html", stringsReader("<p>")), want: usage.Ended{Route: "chat", Model: "m", Status: 502}},
		{name: "backend's error", raw: rawRequest(plainChat), backend: answerWith(429, "application/json", stringsReader(errorBody)), want: usage.Ended{Route: "chat", Model: "m", Status: 429}},
		{name: "no JSON", raw: rawRequest("{"), want: usage.Ended{Route: "chat", Status: 400}},
		{name: "no route", raw: "POST /v1/other HTTP/1.1\r\nHost: culvert\r\nContent-Length: 2\r\nAccept: application/json\r\nContent-Type: application/json\r\n\r\n{}", want: usage.Ended{Status: 404}},
		{name: "no HTTP", raw: "hello\r\n\r\n", want: usage.Ended{Status: 400}},
		{name: "nothing", raw: "", want: usage.Ended{Status: 499}},
		{
			name: "client gone", raw: rawRequest(streamChat), leave: true, backend: answerWith(200, "text/event-stream", stringsReader("data: {}\n\n")),
			want: usage.Ended{Route: "chat", Model: "m", Stream: true, Status: 499},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ended := make(chan usage.Ended, 2)
				slow := backendFunc(func(ctx context.Context, req *backend.Request) (*backend.Response, error) {
					resp, err := tt.backend(ctx, req)
					resp.Body = &slowly{ctx: ctx, body: resp.Body}
					return resp, err
				})
				srv := serveBackend(t, ServerConfig{Backend: slow, Ended: func(e usage.Ended) { ended <- e }})
				if tt.leave {
					client, _ := srv.open(1 << 16)
					_, _ = io.WriteString(client, tt.raw)
					_ = client.CloseWrite()
					if _, err := client.Read(make([]byte, 1)); err != nil {
						t.Fatal(err)
					}
					_ = client.Reset()
				} else {
					_, _ = exchangeRaw(srv, tt.raw)
				}
				got := <-ended
				if got.Took < got.First || got.Input > 0 && got.Took != time.Second {
					t.Errorf("took %v, its first event %v", got.Took, got.First)
				}
				got.Took, got.Overhead = 0, 0
				if got != tt.want {
					t.Errorf("told %+v, want %+v", got, tt.want)
				}
				if s := srv.server.Stats(); s.Streams > 1 || s.Requests != 0 || s.RefusedStreams+s.RefusedRequests+s.RefusedBodies != 0 {
					t.Errorf("afterwards: %+v", s)
				}
				_ = srv.stop()
				if len(ended) > 0 {
					t.Error("told twice")
				}
			})
		})
	}
}

// slowly is a body whose first read takes a second, unless ctx ends.
type slowly struct {
	ctx  context.Context
	body io.ReadCloser
	read bool
}

func (s *slowly) Read(p []byte) (int, error) {
	if !s.read {
		s.read = true
		select {
		case <-time.After(time.Second):
		case <-s.ctx.Done():
			return 0, s.ctx.Err()
		}
	}
	return s.body.Read(p)
}

func (s *slowly) Close() error { return s.body.Close() }
