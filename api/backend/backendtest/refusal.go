package backendtest

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/culvert-net/culvert/api/backend"
	"github.com/culvert-net/culvert/api/openai"
)

// mayLeave are the header fields that may reach an upstream.
var mayLeave = map[string]bool{
	"Accept": true, "Accept-Encoding": true, "Content-Type": true, "Content-Length": true,
	"Connection": true, "Authorization": true,
}

func testHeadersOut(t *testing.T, up *Upstream, b backend.Backend) {
	req := Request(t, Streaming)
	req.Header = http.Header{
		"Content-Type": {"application/json; charset=utf-8; boundary=alice"}, "Accept": {"*/*; alice"},
		"Host": {"alice.example"}, "Authorization": {"Bearer sk-alice"}, "Cookie": {"id=alice"},
		"User-Agent": {"alice/1.0"}, "X-Stainless-Os": {"alice"}, "Openai-Organization": {"alice"},
		"X-Forwarded-For": {"192.0.2.1"}, "Traceparent": {"00-alice"}, "Referer": {"https://alice.example/"},
		"Accept-Language": {"alice"}, "Idempotency-Key": {"alice"}, "X-Request-Id": {"alice"},
	}
	up.Set(Stream(0, Events(1)...))
	resp, err := b.Do(t.Context(), req)
	if err != nil {
		t.Fatalf("Do: %v", err)
	}
	all(t, resp)

	c := up.Next(t)
	for name, values := range c.Header {
		if !mayLeave[name] {
			t.Errorf("header %s reached the upstream", name)
		}
		if strings.Contains(strings.Join(values, ","), "alice") {
			t.Errorf("header %s carries the client's value", name)
		}
	}
	if strings.Contains(c.Host, "alice") {
		t.Errorf("the client's Host reached the upstream")
	}
	if got := c.Header.Get("Content-Type"); got != "application/json" {
		t.Errorf("Content-Type %q", got)
	}
	if got := c.Header.Get("Accept"); got != "text/event-stream" {
		t.Errorf("Accept %q", got)
	}
	if got := c.Header.Get("Accept-Encoding"); got != "identity" {
		t.Errorf("Accept-Encoding %q", got)
	}
}

func testHeadersBack(t *testing.T, up *Upstream, b backend.Backend) {
	sent := []string{
		"Set-Cookie", "id=1", "Server", "secret/1.0", "X-Internal", "10.0.0.1", "Location", "http://10.0.0.1/",
		"X-Ratelimit-Remaining-Requests", "17", "X-Ratelimit-Limit-Tokens", "alice", "X-Ratelimit-Mark", "1",
		"Retry-After", "3",
	}
	check := func(h http.Header) {
		t.Helper()
		for name := range h {
			switch name {
			case "Content-Type", "Retry-After", "X-Ratelimit-Remaining-Requests":
			default:
				t.Errorf("header %s came back", name)
			}
		}
		if got := h.Get("X-Ratelimit-Remaining-Requests"); got != "17" {
			t.Errorf("X-Ratelimit-Remaining-Requests = %q, want 17", got)
		}
		if got := h.Get("Retry-After"); got != "3" {
			t.Errorf("Retry-After = %q, want 3", got)
		}
	}
	up.Set(Status(http.StatusOK, "application/json; charset=utf-8", Completion, sent...))
	resp := do(t, b, Plain)
	check(resp.Header)
	all(t, resp)

	up.Set(Status(http.StatusTooManyRequests, "application/json", `{"error":{"message":"slow down"}}`, sent...))
	resp, err := b.Do(t.Context(), Request(t, Plain))
	if err != nil {
		t.Fatalf("Do: %v; want a Response, whose headers say when to come back", err)
	}
	defer resp.Body.Close()
	check(resp.Header)
	if resp.Status != http.StatusTooManyRequests {
		t.Errorf("status %d, want 429", resp.Status)
	}
}

func testErrors(t *testing.T, up *Upstream, b backend.Backend) {
	for _, c := range []struct {
		status            int
		contentType, body string
		want              openai.Error // Message: what it must contain
	}{
		{
			400, "application/json", `{"error":{"message":"context is 4096 tokens","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}`,
			openai.Error{Status: 400, Type: "invalid_request_error", Param: "messages", Code: "context_length_exceeded", Message: "context is 4096 tokens"},
		},
		{
			500, "application/json", `{"error":{"code":500,"message":"slot unavailable","type":"server_error"}}`,
			openai.Error{Status: 500, Type: "server_error", Message: "slot unavailable"},
		},
		{
			404, "application/json", `{"error":{"message":"model 'm' not found","type":"not_found_error","param":null,"code":null}}`,
			openai.Error{Status: 404, Type: "not_found_error", Message: "model 'm' not found"},
		},
		{404, "text/plain", "404 page not found", openai.Error{Status: 404, Type: "not_found_error", Message: "404 page not found"}},
		{500, "text/html", "<html><body><h1>Oops</h1></body></html>", openai.Error{Status: 500, Type: "upstream_error", Message: "500"}},
		{503, "application/json", "", openai.Error{Status: 503, Type: "upstream_error", Message: "503"}},
	} {
		up.Set(Status(c.status, c.contentType, c.body))
		e := fails(t, b, Plain)
		if e.Status != c.want.Status || e.Type != c.want.Type || e.Code != c.want.Code || e.Param != c.want.Param {
			t.Errorf("upstream %d %s: got %d %q code %q param %q", c.status, c.body, e.Status, e.Type, e.Code, e.Param)
		}
		if !strings.Contains(e.Message, c.want.Message) || strings.ContainsAny(e.Message, "<>\n") {
			t.Errorf("upstream %d %s: message %q", c.status, c.body, e.Message)
		}
	}
}

// testNoAnswer is about answers with a status or type that must not be passed on.
func testNoAnswer(t *testing.T, up *Upstream, b backend.Backend) {
	elsewhere := NewUpstream(t)
	for name, behave := range map[string]Behaviour{
		"redirect":   Redirect(elsewhere.URL),
		"no content": Status(http.StatusCreated, "application/json", Completion),
		"html":       Status(http.StatusOK, "text/html", "<html></html>"),
		"no type":    Status(http.StatusOK, "", "x"),
		"svg":        Status(http.StatusOK, "image/svg+xml", "<svg/>"),
		"hang up":    func(http.ResponseWriter, *http.Request, *Call) { panic(http.ErrAbortHandler) },
	} {
		up.Set(behave)
		if e := fails(t, b, Plain); e.Status != http.StatusBadGateway {
			t.Errorf("%s: status %d, want 502", name, e.Status)
		}
	}
	if n := len(elsewhere.Calls()); n != 0 {
		t.Errorf("the redirect was followed %d times", n)
	}
}

func testCuts(t *testing.T, up *Upstream, b backend.Backend) {
	half := Chunk(2)[:len(Chunk(2))/2]
	for name, c := range map[string]struct {
		behave Behaviour
		body   string
	}{
		"between events": {CutAfter(Chunk(0), Chunk(1)), Streaming},
		"mid-frame":      {CutAfter(Chunk(0), Chunk(1), half), Streaming},
		"before events":  {CutAfter(), Streaming},
		"half an answer": {CutAnswer(Completion), Plain},
	} {
		up.Set(c.behave)
		resp, err := b.Do(t.Context(), Request(t, c.body))
		if err != nil {
			continue // a Backend may notice before it answers
		}
		text, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err == nil {
			t.Errorf("%s: %d bytes and a clean end, want an error", name, len(text))
		}
	}
}

// testCancel is about a client that goes away, in every phase.
func testCancel(t *testing.T, up *Upstream, b backend.Backend) {
	for _, c := range []struct {
		name   string
		behave Behaviour
		body   string
		read   int // bytes to read before the client goes
	}{
		{"waiting for a stream", Silent, Streaming, 0},
		{"waiting for an answer", Silent, Plain, 0},
		{"before the first token", SilentStream, Streaming, 0},
		{"mid-stream", Endless(0), Streaming, len(Chunk(0))},
		{"mid-answer", HalfAnswer, Plain, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			up.Set(c.behave)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			ended := make(chan error, 1)
			reading := make(chan struct{})
			go func() {
				resp, err := b.Do(ctx, Request(t, c.body))
				if err != nil {
					ended <- err
					return
				}
				defer resp.Body.Close()
				if _, err := io.ReadFull(resp.Body, make([]byte, c.read)); err != nil {
					ended <- err
					return
				}
				close(reading)
				_, err = io.Copy(io.Discard, resp.Body)
				ended <- err
			}()
			call := up.Next(t)
			if c.read > 0 {
				<-reading
			}
			cancel()
			call.WaitCancelled(t)
			if err := <-ended; !errors.Is(err, context.Canceled) {
				t.Errorf("the client got %v, want the context's error", err)
			}
		})
	}
}

func testClose(t *testing.T, up *Upstream, b backend.Backend) {
	up.Set(Endless(0))
	resp := do(t, b, Streaming)
	if _, err := io.ReadFull(resp.Body, make([]byte, 100)); err != nil {
		t.Fatalf("reading: %v", err)
	}
	for range 2 {
		if err := resp.Body.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
	up.Next(t).WaitCancelled(t)
}
