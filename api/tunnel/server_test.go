package tunnel

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/culvert-net/culvert/api/backend"
	"github.com/culvert-net/culvert/api/body"
	"github.com/culvert-net/culvert/api/openai"
)

func stringsReader(s string) io.Reader { return strings.NewReader(s) }

// rawRequest is data as our client sends it.
func rawRequest(data string) string {
	return "POST /v1/chat/completions HTTP/1.1\r\nHost: culvert\r\nContent-Length: " + itoa(len(data)) +
		"\r\nAccept: application/json\r\nContent-Type: application/json\r\n\r\n" + data
}

// exchangeRaw sends raw bytes and END, and returns all that comes back.
func exchangeRaw(srv *running, raw string) (string, error) {
	client, _ := srv.open(1 << 16)
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		_, _ = io.WriteString(client, raw)
		_ = client.CloseWrite()
	}()
	b, err := io.ReadAll(client)
	_ = client.Close()
	<-sent
	return string(b), err
}

func TestAnswersOnTheWire(t *testing.T) {
	limits := func(h http.Header) backendFunc {
		return func(context.Context, *backend.Request) (*backend.Response, error) {
			return &backend.Response{Status: 429, Header: h, Body: io.NopCloser(stringsReader(errorBody))}, nil
		}
	}
	failing := func(err error) backendFunc {
		return func(context.Context, *backend.Request) (*backend.Response, error) { return nil, err }
	}
	tests := []struct {
		name    string
		backend backendFunc
		want    string // "": reset; "…" stands for anything
	}{
		{"document", answerWith(200, "application/json; charset=utf-8", stringsReader("{}")), "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: application/json\r\n\r\n" + chunks("{}") + lastChunk},
		{"stream", answerWith(200, "text/event-stream", stringsReader(good)), "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: text/event-stream\r\n\r\n" + chunks(good) + lastChunk},
		{"stream without events", answerWith(200, "text/event-stream", stringsReader("")), "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: text/event-stream\r\n\r\n" + lastChunk},
		{
			"error", limits(http.Header{"Content-Type": {"application/json"}, "Retry-After": {"3"}, "X-Ratelimit-Limit-Tokens": {"9"}, "Server": {"uvicorn"}}),
			"HTTP/1.1 429 Too Many Requests\r\nContent-Length: " + itoa(len(errorBody)+1) + "\r\nContent-Type: application/json\r\nRetry-After: 3\r\nX-Ratelimit-Limit-Tokens: 9\r\n\r\n" + errorBody + "\n",
		},
		{"provider's own key refused", func(context.Context, *backend.Request) (*backend.Response, error) {
			return &backend.Response{Status: 401, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(stringsReader(`{"error":{"message":"bad key sk-secret"}}`))}, nil
		}, "HTTP/1.1 502 Bad Gateway\r\n…backend_refused…"},
		{"provider's own account is empty", func(context.Context, *backend.Request) (*backend.Response, error) {
			return &backend.Response{Status: 429, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(stringsReader(`{"error":{"message":"sk-secret has no money","code":"insufficient_quota"}}`))}, nil
		}, "HTTP/1.1 502 Bad Gateway\r\n…backend_refused…"},
		{"provider is to pay", answerWith(402, "application/json", stringsReader(`{"error":{"message":"sk-secret"}}`)), "HTTP/1.1 502 Bad Gateway\r\n…backend_refused…"},
		{"redirect", answerWith(302, "application/json", stringsReader("{}")), "HTTP/1.1 502 Bad Gateway\r\n…unexpected_status…"},
		{"no content", answerWith(204, "", stringsReader("")), "HTTP/1.1 502 Bad Gateway\r\n…unexpected_status…"},
		{"page", answerWith(200, "text/html", stringsReader("<p>")), "HTTP/1.1 502 Bad Gateway\r\n…bad_media_type…"},
		{"empty document", answerWith(200, "application/json", stringsReader("")), "HTTP/1.1 502 Bad Gateway\r\n…empty_answer…"},
		{"document cut", answerWith(200, "application/json", cutAfter("{")), "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: application/json\r\n\r\n" + chunks("{")},
		{"document cut before its first byte", answerWith(200, "application/json", cutAfter("")), "HTTP/1.1 502 Bad Gateway\r\n…upstream_failed…"},
		{"document too large", answerWith(200, "application/json", io.LimitReader(zeros{}, MaxAnswer+1)), ""},
		{"stream cut", answerWith(200, "text/event-stream", cutAfter(good)), "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: text/event-stream\r\n\r\n" + chunks(good)},
		{"stream cut before its first byte", answerWith(200, "text/event-stream", cutAfter("")), "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: text/event-stream\r\n\r\n"},
		{"backend's error", failing(openai.Invalid("n", "one at a time")), "HTTP/1.1 400 Bad Request\r\n…one at a time…"},
		{"backend's other error", failing(errors.New("dial tcp 10.0.0.1")), "HTTP/1.1 502 Bad Gateway\r\n…upstream_failed…"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := exchangeRaw(serveBackend(t, ServerConfig{Backend: tt.backend}), rawRequest(plainChat))
			if tt.want == "" {
				if !errors.Is(err, errReset) {
					t.Errorf("stream ended with %v, want a reset", err)
				}
				return
			}
			if err != nil || !matches(got, tt.want) || strings.Contains(got, "10.0.0.1") || strings.Contains(got, "sk-secret") {
				t.Errorf("answer = %q, %v, want %q", got, err, tt.want)
			}
		})
	}
}

// A backend that refuses this provider after its answer was begun says as little
// about it in the stream as before.
func TestLateRefusal(t *testing.T) {
	begun := make(chan struct{})
	late := backendFunc(func(ctx context.Context, _ *backend.Request) (*backend.Response, error) {
		<-begun
		return &backend.Response{Status: 401, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(stringsReader(`{"error":{"message":"bad key sk-secret"}}`))}, nil
	})
	client, _ := serveBackend(t, ServerConfig{Backend: late, Commit: time.Nanosecond}).open(64 << 10)
	go func() {
		_, _ = io.WriteString(client, rawRequest(streamChat))
		_ = client.CloseWrite()
	}()
	head := make([]byte, len(streamHead))
	if _, err := io.ReadFull(client, head); err != nil {
		t.Fatal(err)
	}
	close(begun)
	rest, err := io.ReadAll(client)
	if err != nil || !strings.Contains(string(rest), "backend_refused") || strings.Contains(string(rest), "sk-secret") {
		t.Errorf("the stream goes on with %q, %v; want backend_refused", rest, err)
	}
	_ = client.Close()
}

// matches compares with a pattern in which … stands for anything.
func matches(got, pattern string) bool {
	parts := strings.Split(pattern, "…")
	if len(parts) == 1 {
		return got == pattern
	}
	for _, p := range parts {
		_, rest, found := strings.Cut(got, p)
		if !found {
			return false
		}
		got = rest
	}
	return true
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// cutAfter yields s, then an error.
func cutAfter(s string) io.Reader {
	return io.MultiReader(stringsReader(s), readerFunc(func([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }))
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func TestServerRefuses(t *testing.T) {
	never := backendFunc(func(context.Context, *backend.Request) (*backend.Response, error) {
		t.Error("the backend was asked")
		return nil, errors.New("asked")
	})
	tests := []struct{ name, raw, want string }{
		{"unlisted path", strings.Replace(rawRequest(plainChat), "/v1/chat/completions", "/v1/files", 1), "HTTP/1.1 404 Not Found\r\n…unknown_url…"},
		{"unlisted method", strings.Replace(rawRequest(plainChat), "POST", "GET", 1), "HTTP/1.1 405 Method Not Allowed\r\n…method_not_allowed…"},
		{"not JSON", rawRequest("{"), "HTTP/1.1 400 Bad Request\r\n…"},
		{"no messages", rawRequest(`{"model":"m"}`), "HTTP/1.1 400 Bad Request\r\n…"},
		{"empty", rawRequest(""), "HTTP/1.1 400 Bad Request\r\n…"},
		{"declared too large", strings.Replace(rawRequest(plainChat), itoa(len(plainChat)), itoa(body.MaxBody+1), 1), "HTTP/1.1 413 Request Entity Too Large\r\n…32 MiB…"},
		{"sent too large", rawRequest(strings.Repeat(" ", body.MaxBody+1)), "HTTP/1.1 413 Request Entity Too Large\r\n…32 MiB…"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := exchangeRaw(serveBackend(t, ServerConfig{Backend: never}), tt.raw)
			if err != nil || !matches(got, tt.want) {
				t.Errorf("answer = %.300q, %v, want %q", got, err, tt.want)
			}
		})
	}
	t.Run("no memory", func(t *testing.T) {
		srv := serveBackend(t, ServerConfig{Backend: never, Budget: body.NewBudget(10)})
		got, err := exchangeRaw(srv, rawRequest(plainChat))
		if err != nil || !matches(got, "HTTP/1.1 503 Service Unavailable\r\n…Retry-After: 2…provider_busy…") {
			t.Errorf("answer = %q, %v, want 503", got, err)
		}
		if s := srv.server.Stats(); s.RefusedBodies != 1 {
			t.Errorf("then %+v, want one body refused", s)
		}
	})
}

// Requests beyond the bound are told to come back; the bound frees itself.
func TestServerIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		budget := body.NewBudget(1 << 20)
		srv := serveBackend(t, ServerConfig{MaxRequests: 2, Budget: budget, Backend: backendFunc(
			func(ctx context.Context, req *backend.Request) (*backend.Response, error) {
				<-release
				return answerWith(200, "application/json", stringsReader("{}"))(ctx, req)
			})})
		answers := make(chan string, 2)
		for range 2 {
			go func() {
				got, _ := exchangeRaw(srv, rawRequest(plainChat))
				answers <- got
			}()
		}
		synctest.Wait()
		got, err := exchangeRaw(srv, rawRequest(plainChat))
		if err != nil || !matches(got, "HTTP/1.1 503 Service Unavailable\r\n…Retry-After: 2…provider_busy…") {
			t.Errorf("third answer = %q, %v, want 503", got, err)
		}
		if s := srv.server.Stats(); s.Requests != 2 || s.RefusedRequests != 1 {
			t.Errorf("then %+v, want two requests and one refused", s)
		}
		close(release)
		for range 2 {
			if got := <-answers; !strings.HasSuffix(got, chunks("{}")+lastChunk) {
				t.Errorf("answer = %q, want {}", got)
			}
		}
		if got, _ := exchangeRaw(srv, rawRequest(plainChat)); !strings.HasSuffix(got, chunks("{}")+lastChunk) {
			t.Errorf("later answer = %q, want {}", got)
		}
		synctest.Wait()
		if held := budget.Held(); held != 0 {
			t.Errorf("%d bytes still held, want 0", held)
		}
	})
}

// Streams beyond the bound are reset unread.
func TestStreamsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := serveBackend(t, ServerConfig{Backend: answerWith(200, "application/json", stringsReader("{}"))})
		for range MaxStreams {
			srv.open(16)
		}
		client, _ := srv.open(16)
		if _, err := client.Read(make([]byte, 1)); !errors.Is(err, errReset) {
			t.Errorf("Read = %v, want a reset", err)
		}
	})
}

// Whoever opens a stream and says nothing, or takes nothing, is cut off.
func TestServerTimeLimits(t *testing.T) {
	head, _, _ := strings.Cut(rawRequest(plainChat), "{")
	endless := answerWith(200, "text/event-stream", zeros{})
	tests := []struct {
		name string
		raw  string
		end  bool
		took time.Duration
	}{
		{"silent", "", false, HeadLimit},
		{"half a head", head[:20], false, HeadLimit},
		{"head only", head, false, HeadLimit},
		{"no END", rawRequest(plainChat), false, HeadLimit},
		{"takes nothing", rawRequest(plainChat), true, WriteStall},
		{"early refusal not taken", strings.Replace(rawRequest(plainChat), "chat", "chit", 1), false, LingerLimit},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := serveBackend(t, ServerConfig{Backend: endless})
				client, _ := srv.open(4096)
				start := time.Now()
				_, _ = io.WriteString(client, tt.raw)
				if tt.end {
					_ = client.CloseWrite()
				}
				<-client.Done()
				if took := time.Since(start); took != tt.took {
					t.Errorf("cut off after %v, want %v", took, tt.took)
				}
			})
		})
	}
}
