package api_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/culvert-net/culvert/api"
	"github.com/culvert-net/culvert/api/backend"
	"github.com/culvert-net/culvert/api/backend/backendtest"
	"github.com/culvert-net/culvert/api/body"
	"github.com/culvert-net/culvert/api/openai"
)

// TestBodiesUnchanged sends 1,000 bodies that a careless forwarder would
// change, and compares hashes at both ends.
func TestBodiesUnchanged(t *testing.T) {
	b := start(t)
	const workers = 4
	var running sync.WaitGroup
	for w := range workers {
		running.Go(func() {
			r := rand.New(rand.NewPCG(1, uint64(w)))
			for i := range 1000 / workers {
				sent := backendtest.RandomBody(r, fmt.Sprintf("model-%d-%d", w, i))
				resp, err := b.http(t).Post(b.url+"/v1/chat/completions", "application/json", bytes.NewReader(sent))
				if err != nil {
					t.Errorf("worker %d, body %d: %v", w, i, err)
					return
				}
				got, err := io.ReadAll(resp.Body)
				resp.Body.Close()
				if err != nil || string(got) != backendtest.Completion {
					t.Errorf("worker %d, body %d: answer %d %.200q, %v", w, i, resp.StatusCode, got, err)
				}
				sum := sha256.Sum256(sent)
				if !arrived(b.up, sum) {
					t.Errorf("worker %d, body %d changed on the way", w, i)
				}
			}
		})
	}
	running.Wait()
	if n := len(b.up.Calls()); n != 1000 {
		t.Errorf("%d requests reached the upstream, want 1,000", n)
	}
}

func arrived(up *backendtest.Upstream, sum [sha256.Size]byte) bool {
	for _, c := range up.Calls() {
		if c.Sum == sum {
			return true
		}
	}
	return false
}

// TestHeadersStayHere checks that nothing of the client's headers leaves.
func TestHeadersStayHere(t *testing.T) {
	b := start(t)
	resp := b.send(t, http.MethodPost, "/v1/chat/completions?x=alice", strings.NewReader(backendtest.Plain),
		"Content-Type", "application/json; x=alice", "Authorization", "Bearer alice", "Cookie", "alice=1",
		"User-Agent", "alice", "X-Stainless-Os", "alice", "OpenAI-Organization", "alice", "X-Forwarded-For", "alice",
		"Traceparent", "alice", "X-Request-Id", "alice", "Forwarded", "for=alice", "Via", "alice")
	read(t, resp)
	c := b.up.Next(t)
	for name, values := range c.Header {
		switch name {
		case "Accept", "Accept-Encoding", "Content-Length", "Content-Type":
		default:
			t.Errorf("header %s reached the upstream", name)
		}
		if strings.Contains(strings.Join(values, " "), "alice") {
			t.Errorf("header %s: %q", name, values)
		}
	}
	if strings.Contains(c.Path, "alice") {
		t.Errorf("the query reached the upstream: %s", c.Path)
	}
}

func TestBadRequests(t *testing.T) {
	b := start(t)
	const path = "/v1/chat/completions"
	post := func(body io.Reader, headers ...string) *http.Response {
		return b.send(t, http.MethodPost, path, body, headers...)
	}
	asJSON := func(body string) *http.Response { return b.post(t, body) }

	wantError(t, "no type", post(strings.NewReader(backendtest.Plain)), 415, "unsupported_media_type")
	wantError(t, "form", post(strings.NewReader(backendtest.Plain), "Content-Type", "text/plain"), 415, "unsupported_media_type")
	wantError(t, "gzip", post(strings.NewReader("x"), "Content-Type", "application/json", "Content-Encoding", "gzip"), 415, "unsupported_media_type")
	for name, body := range map[string]string{
		"empty": "", "not JSON": "hello", "half": `{"model":"m"`, "two": backendtest.Plain + "{}", "array": "[]",
		"no model": `{"messages":[{"role":"user","content":"hi"}]}`, "no messages": `{"model":"m"}`,
		"empty messages": `{"model":"m","messages":[]}`, "no role": `{"model":"m","messages":[{}]}`,
		"stream": `{"model":"m","stream":"yes","messages":[{"role":"user"}]}`,
		"twice":  `{"model":"m","Model":"n","messages":[{"role":"user"}]}`, "BOM": "\xef\xbb\xbf" + backendtest.Plain,
		"deep": strings.Repeat("[", 1<<20), "NUL": "\x00",
	} {
		wantError(t, name, asJSON(body), 400, "")
	}
	large := func() io.Reader { return io.LimitReader(spaces{}, body.MaxBody+1) }
	wantError(t, "too large, undeclared", post(large(), "Content-Type", "application/json"), 413, "body_too_large")
	if n := len(b.up.Calls()); n > 0 {
		t.Errorf("%d bad requests reached the upstream", n)
	}
	// The largest one passes.
	most := `{"model":"m","messages":[{"role":"user","content":"` + strings.Repeat("x", body.MaxBody-56) + `"}]}`
	for len(most) < body.MaxBody {
		most += " "
	}
	if resp := asJSON(most); resp.StatusCode != 200 || len(most) != body.MaxBody {
		t.Errorf("a body of %d bytes: status %d", len(most), resp.StatusCode)
	}
}

type spaces struct{}

func (spaces) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

func TestHalfBody(t *testing.T) {
	b := start(t)
	conn, err := net.Dial("tcp", strings.TrimPrefix(b.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{")
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	b.log.wait(t, "status=499")
	if len(b.up.Calls()) > 0 {
		t.Error("half a body reached the upstream")
	}
}

func TestBusy(t *testing.T) {
	budget := body.NewBudget(64 << 10)
	gate := make(chan struct{})
	b := serve(t, api.Config{Budget: budget, Backend: stub{do: func(context.Context, *backend.Request) (*backend.Response, error) {
		<-gate
		return answered("application/json", "{}"), nil
	}}})
	filler := `{"model":"m","messages":[{"role":"user","content":"` + strings.Repeat("x", 14<<10) + `"}]}`
	var running sync.WaitGroup
	for range 4 {
		running.Go(func() {
			resp, err := b.http(t).Post(b.url+"/v1/chat/completions", "application/json", strings.NewReader(filler))
			if err != nil || resp.StatusCode != 200 {
				t.Errorf("a request within the budget: %+v, %v", resp, err)
				return
			}
			resp.Body.Close()
		})
	}
	waitFor(t, "all four are held", func() bool { return budget.Held() > 56<<10 })
	resp := b.post(t, filler)
	wantError(t, "one more", resp, http.StatusServiceUnavailable, "busy")
	if got := resp.Header.Get("Retry-After"); got != "1" {
		t.Errorf("Retry-After %q", got)
	}
	close(gate)
	running.Wait()
	waitFor(t, "all are released", func() bool { return budget.Held() == 0 })
	if resp := b.post(t, filler); resp.StatusCode != 200 {
		t.Errorf("afterwards: status %d", resp.StatusCode)
	}
}

// TestTooManyRequests is about requests in progress: the one too many is told
// so before its body is read, and the next after it is taken.
func TestTooManyRequests(t *testing.T) {
	gate := make(chan struct{})
	inside := make(chan struct{}, 2)
	b := serve(t, api.Config{Requests: 2, Backend: stub{do: func(context.Context, *backend.Request) (*backend.Response, error) {
		inside <- struct{}{}
		<-gate
		return answered("application/json", "{}"), nil
	}}})
	var running sync.WaitGroup
	for range 2 {
		running.Go(func() {
			if resp := b.post(t, backendtest.Plain); resp.StatusCode != 200 {
				t.Errorf("a request of two: status %d", resp.StatusCode)
			}
		})
	}
	<-inside
	<-inside
	resp := b.post(t, backendtest.Plain)
	if got := resp.Header.Get("Retry-After"); got != "1" {
		t.Errorf("Retry-After %q", got)
	}
	wantError(t, "a third", resp, http.StatusServiceUnavailable, "busy")
	if resp, err := http.Get(b.url + "/livez"); err != nil || resp.StatusCode != 200 {
		t.Errorf("livez meanwhile: %+v, %v", resp, err)
	}
	close(gate)
	running.Wait()
	if resp := b.post(t, backendtest.Plain); resp.StatusCode != 200 {
		t.Errorf("afterwards: status %d", resp.StatusCode)
	}
}

// TestBadAnswers is about upstreams that claim success.
func TestBadAnswers(t *testing.T) {
	b := start(t)
	for _, c := range []struct {
		name   string
		behave backendtest.Behaviour
		status int
		code   string
	}{
		{"empty", backendtest.Answer(""), 502, "bad_answer"},
		{"null", backendtest.Answer("null"), 502, "bad_answer"},
		{"half JSON", backendtest.Answer(`{"id":`), 502, "bad_answer"},
		{"array", backendtest.Answer(`[]`), 502, "bad_answer"},
		{"error inside", backendtest.Answer(`{"error":{"message":"out of memory","code":"oom"}}`), 502, "oom"},
		{"status inside", backendtest.Answer(`{"error":{"message":"slow down","code":429}}`), 429, ""},
		{"text inside", backendtest.Answer(`{"error":"broken"}`), 502, ""},
		{"HTML", backendtest.Status(200, "text/html", "<html>"), 502, "unexpected_content_type"},
		{"HTML 500", backendtest.Status(500, "text/html", "<html>"), 500, ""},
		{"redirect", backendtest.Redirect("/v1/models"), 502, "unexpected_status"},
		{"cut", backendtest.CutAnswer(backendtest.Completion), 502, "upstream_cut"},
		{"hang up", backendtest.CutAfter(), 502, "upstream_unreachable"},
		{"stream", backendtest.Stream(0, backendtest.Events(2)...), 502, "unexpected_content_type"},
		{"too large", backendtest.Answer(`{"x":"` + strings.Repeat("x", api.MaxAnswer) + `"}`), 502, "answer_too_large"},
	} {
		b.up.Set(c.behave)
		message := wantError(t, c.name, b.post(t, backendtest.Plain), c.status, c.code)
		if strings.Contains(message, "<") {
			t.Errorf("%s: message %q", c.name, message)
		}
	}
	b.up.Set(backendtest.Status(429, "application/json", `{"error":{"message":"slow down","type":"requests","code":"rate_limit_exceeded"}}`,
		"Retry-After", "7", "X-Ratelimit-Remaining-Requests", "0"))
	resp := b.post(t, backendtest.Streaming)
	wantError(t, "429", resp, 429, "rate_limit_exceeded")
	if resp.Header.Get("Retry-After") != "7" || resp.Header.Get("X-Ratelimit-Remaining-Requests") != "0" {
		t.Errorf("429: headers %v", resp.Header)
	}
}

// TestAnswerUnchanged checks the other direction, null errors included.
func TestAnswerUnchanged(t *testing.T) {
	b := start(t)
	for _, text := range []string{
		backendtest.Completion,
		" {\r\n\"error\" : null, \"n\": 123456789012345678901234567890 }\n",
		`{"choices":[{"message":{"content":"{\"error\":{}}"}}],"x":"` + strings.Repeat("é", 2<<20) + `"}`,
	} {
		b.up.Set(backendtest.Answer(text))
		resp := b.post(t, backendtest.Plain)
		if got := read(t, resp); got != text || resp.ContentLength != int64(len(text)) {
			t.Errorf("answer of %d bytes came as %d, declared %d", len(text), len(got), resp.ContentLength)
		}
	}
}

// TestCause checks that the log knows why, and the client does not.
func TestCause(t *testing.T) {
	b := serve(t, api.Config{Backend: stub{do: func(context.Context, *backend.Request) (*backend.Response, error) {
		return nil, &openai.Error{Status: 503, Type: openai.TypeServer, Code: "no_provider", Message: "none", Cause: errors.New("local-detail")}
	}}})
	if message := wantError(t, "no provider", b.post(t, backendtest.Plain), 503, "no_provider"); message != "none" {
		t.Errorf("message %q", message)
	}
	b.log.wait(t, "err=local-detail")
}

// waitFor waits for something that must become true.
func waitFor(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(backendtest.Patience); !is(); {
		if time.Now().After(end) {
			t.Fatalf("waited in vain until %s", what)
		}
		<-time.After(time.Millisecond)
	}
}

// TestRoutes checks on every other route what TestBodiesUnchanged, TestStream
// and TestCut check of chat.
func TestRoutes(t *testing.T) {
	for _, d := range backendtest.Dialects() {
		t.Run(d.Path, func(t *testing.T) {
			b := start(t)
			post := func(body string) *http.Response {
				return b.send(t, http.MethodPost, d.Path, strings.NewReader(body), "Content-Type", "application/json")
			}
			b.up.Set(backendtest.Answer(d.Answer))
			resp := post(d.Plain)
			if got := read(t, resp); got != d.Answer || resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "application/json" {
				t.Errorf("answer = %d %s", resp.StatusCode, got)
			}
			if c := b.up.Next(t); c.Path != d.Path || string(c.Body) != d.Plain {
				t.Errorf("upstream got %s to %s", c.Body, c.Path)
			}
			wantError(t, "wrong type", b.send(t, http.MethodPost, d.Path, strings.NewReader(d.Plain), "Content-Type", "text/plain"), 415, "unsupported_media_type")
			wantError(t, "no prompt", post(`{"model":"m"}`), 400, "")
			wantError(t, "too large", b.send(t, http.MethodPost, d.Path, io.LimitReader(spaces{}, body.MaxBody+1), "Content-Type", "application/json"), 413, "body_too_large")
			wantError(t, "GET", b.send(t, http.MethodGet, d.Path, nil), 405, "method_not_allowed")
			wantError(t, "from a page", b.send(t, http.MethodPost, d.Path, strings.NewReader(d.Plain), "Content-Type", "application/json", "Origin", "https://attacker.example"), 403, "cross_origin")
			if n := len(b.up.Calls()); n != 1 {
				t.Errorf("%d requests reached the upstream, want the first alone", n)
			}
			for name, behave := range map[string]backendtest.Behaviour{
				"cut": backendtest.CutAnswer(d.Answer), "null": backendtest.Answer("null"), "empty": backendtest.Answer(""),
				"error inside": backendtest.Answer(`{"error":"x"}`), "stream": backendtest.Stream(0, backendtest.Events(1)...),
			} {
				b.up.Set(behave)
				if resp := post(d.Plain); resp.StatusCode != 502 {
					t.Errorf("%s: status %d, want 502", name, resp.StatusCode)
				}
			}
			if d.Streaming == "" {
				if e := wantError(t, "stream", post(`{"model":"m","input":"x","stream":true}`), 400, ""); !strings.Contains(e, "stream") {
					t.Errorf("message %q does not name stream", e)
				}
				return
			}
			b.up.Set(backendtest.Stream(0, d.Events...))
			if got := read(t, post(d.Streaming)); got != strings.Join(d.Events, "") {
				t.Errorf("stream = %q", got)
			}
			b.up.Set(backendtest.CutAfter(d.Events[0]))
			if got := cut(t, "cut", post(d.Streaming)); !strings.HasPrefix(got, d.Events[0]+"\ndata: {\"error\":") {
				t.Errorf("cut stream = %q", got)
			}
		})
	}
}
