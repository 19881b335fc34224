package backendtest

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/culvert-net/culvert/api/backend"
	"github.com/culvert-net/culvert/api/openai"
)

// New puts a Backend in front of up. It cleans up by t.Cleanup.
type New func(t *testing.T, up *Upstream) backend.Backend

// Run is the conformance suite: what a server of requests relies on, whatever
// is behind the Backend.
func Run(t *testing.T, newBackend New) {
	for _, c := range []struct {
		name string
		test func(t *testing.T, up *Upstream, b backend.Backend)
	}{
		{"whole answer", testWhole},
		{"stream", testStream},
		{"stream is not buffered", testUnbuffered},
		{"bodies unchanged", testBodies},
		{"large lines", testLarge},
		{"headers out", testHeadersOut},
		{"headers back", testHeadersBack},
		{"errors keep their status", testErrors},
		{"answers that are none", testNoAnswer},
		{"cuts are errors", testCuts},
		{"end without done", testNoDone},
		{"gzip", testGzip},
		{"other routes", testRoutes},
		{"quirks of servers", testQuirks},
		{"one answer for several", testNumber},
		{"several answers", testNumbered},
		{"tool calls", testToolCalls},
		{"cancel", testCancel},
		{"close cancels", testClose},
		{"closed kept connections", testKeptConnections},
		{"many at once", testConcurrent},
		{"models", testModels},
	} {
		t.Run(c.name, func(t *testing.T) {
			up := NewUpstream(t)
			c.test(t, up, measured{newBackend(t, up), up, t})
		})
	}
}

// Request is a chat request with body, as a client might have sent it.
func Request(tb testing.TB, body string) *backend.Request {
	tb.Helper()
	return RequestTo(tb, "/v1/chat/completions", body)
}

// RequestTo is a request to any route.
func RequestTo(tb testing.TB, path, body string) *backend.Request {
	tb.Helper()
	route, ok := openai.RouteOf(path)
	if !ok {
		tb.Fatalf("there is no route %s", path)
	}
	v, e := route.Parse([]byte(body))
	if e != nil {
		tb.Fatalf("parsing for %s: %v", path, e)
	}
	return &backend.Request{
		ID: "req-1", Method: http.MethodPost, Path: path,
		Header: http.Header{"Content-Type": {"application/json"}},
		Body:   []byte(body), View: v,
	}
}

// Bodies of a plain request and a streaming one.
const (
	Plain     = `{"model":"m","messages":[{"role":"user","content":"hi"}]}`
	Streaming = `{"model":"m","stream":true,"messages":[{"role":"user","content":"hi"}]}`
)

// do makes a request that must be answered.
func do(t *testing.T, b backend.Backend, body string) *backend.Response {
	t.Helper()
	resp, err := b.Do(t.Context(), Request(t, body))
	if err != nil {
		t.Fatalf("Do: %v", err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	return resp
}

// fails makes a request that must fail, before or in the answer's status.
func fails(t *testing.T, b backend.Backend, body string) *openai.Error {
	t.Helper()
	resp, err := b.Do(t.Context(), Request(t, body))
	if err != nil {
		return backend.AsError(err)
	}
	if resp.Status == http.StatusOK {
		resp.Body.Close()
		t.Fatal("Do: status 200, want an error")
	}
	return backend.ReadError(resp)
}

// all reads an answer that must be complete, and closes it.
func all(t *testing.T, resp *backend.Response) string {
	t.Helper()
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("reading the answer: %v", err)
	}
	return string(text)
}

func testWhole(t *testing.T, up *Upstream, b backend.Backend) {
	resp := do(t, b, Plain)
	if got := resp.Header.Get("Content-Type"); resp.Status != http.StatusOK || got != "application/json" {
		t.Errorf("status %d, type %q", resp.Status, got)
	}
	if got := all(t, resp); got != Completion {
		t.Errorf("answer = %s, want %s", got, Completion)
	}
	if c := up.Next(t); c.Method != http.MethodPost || c.Path != "/v1/chat/completions" {
		t.Errorf("upstream saw %s %s", c.Method, c.Path)
	}
	if err := resp.Body.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
}

func testStream(t *testing.T, up *Upstream, b backend.Backend) {
	events := append([]string{": hello\r\n\r\n", "data: \xf0\x9f\r\n\r\n"}, Events(50)...)
	up.Set(Stream(0, events...))
	resp := do(t, b, Streaming)
	if got := resp.Header.Get("Content-Type"); got != "text/event-stream" {
		t.Errorf("type %q", got)
	}
	if got, want := all(t, resp), strings.Join(events, ""); got != want {
		t.Errorf("stream differs: got %d bytes, want %d", len(got), len(want))
	}
}

func testUnbuffered(t *testing.T, up *Upstream, b backend.Backend) {
	gate := make(chan struct{})
	up.Set(func(w http.ResponseWriter, r *http.Request, c *Call) {
		Stream(0, Chunk(0))(w, r, c)
		Gated(gate, func(w http.ResponseWriter, _ *http.Request, _ *Call) { write(w, Done) })(w, r, c)
	})
	resp := do(t, b, Streaming)
	first := make([]byte, len(Chunk(0)))
	if _, err := io.ReadFull(resp.Body, first); err != nil || string(first) != Chunk(0) {
		t.Fatalf("first event = %q, %v", first, err)
	}
	close(gate) // only now may the rest come
	if got := all(t, resp); got != Done {
		t.Errorf("rest = %q", got)
	}
}

func testBodies(t *testing.T, up *Upstream, b backend.Backend) {
	const seed = 7
	r := rand.New(rand.NewPCG(seed, seed))
	for i := range 40 {
		body := RandomBody(r, "m")
		all(t, do(t, b, string(body)))
		if up.Next(t).Sum != sha256.Sum256(body) {
			t.Fatalf("body %d of seed %d changed on the way", i, seed)
		}
	}
}

func testLarge(t *testing.T, up *Upstream, b backend.Backend) {
	line := "data: " + strings.Repeat("x", 4<<20) + "\n\n"
	up.Set(Stream(0, line, Done))
	request := `{"model":"m","stream":true,"messages":[{"role":"user","content":"` + strings.Repeat("y", 2<<20) + `"}]}`
	if got := all(t, do(t, b, request)); got != line+Done {
		t.Errorf("answer of %d bytes, want %d", len(got), len(line+Done))
	}
	if up.Next(t).Sum != sha256.Sum256([]byte(request)) {
		t.Error("request changed on the way")
	}
}

func testNoDone(t *testing.T, up *Upstream, b backend.Backend) {
	up.Set(Stream(0, Chunk(0), Chunk(1)))
	// Whether that is a whole answer is not the transport's to say.
	if got := all(t, do(t, b, Streaming)); got != Chunk(0)+Chunk(1) {
		t.Errorf("stream = %q", got)
	}
}

func testGzip(t *testing.T, up *Upstream, b backend.Backend) {
	up.Set(Gzip("application/json", Completion))
	resp := do(t, b, Plain)
	if enc := resp.Header.Get("Content-Encoding"); enc != "" {
		t.Errorf("Content-Encoding %q", enc)
	}
	if got := all(t, resp); got != Completion {
		t.Errorf("answer = %q", got)
	}
	up.Set(Gzip("text/event-stream", Events(5)...))
	if got := all(t, do(t, b, Streaming)); got != strings.Join(Events(5), "") {
		t.Errorf("stream = %q", got)
	}
	// A compressed answer that breaks off is the server's fault, and nobody else's.
	for _, keep := range []int{0, 5, 10, 1 << 20} {
		for body, contentType := range map[string]string{Plain: "application/json", Streaming: "text/event-stream"} {
			up.Set(CutGzip(contentType, Chunk(0), keep))
			resp, err := b.Do(t.Context(), Request(t, body))
			if err == nil && resp.Status == http.StatusOK {
				_, err = io.ReadAll(resp.Body)
				resp.Body.Close()
			} else if err == nil {
				err = backend.ReadError(resp)
			}
			if e, ok := errors.AsType[*openai.Error](err); !ok || e.Status != http.StatusBadGateway || e.Code != "upstream_cut" {
				t.Errorf("%s of %d compressed bytes: %v, want 502 upstream_cut", contentType, keep, err)
			}
		}
	}
	up.Set(Status(http.StatusOK, "application/json", Completion, "Content-Encoding", "br"))
	if e := fails(t, b, Plain); e.Status != http.StatusBadGateway {
		t.Errorf("an encoding that was not asked for: status %d, want 502", e.Status)
	}
}

func testKeptConnections(t *testing.T, up *Upstream, b backend.Backend) {
	up.Set(CloseAfter(Completion))
	for range 100 {
		if got := all(t, do(t, b, Plain)); got != Completion {
			t.Fatalf("answer = %q", got)
		}
	}
}

func testConcurrent(t *testing.T, up *Upstream, b backend.Backend) {
	want := strings.Join(Events(20), "")
	up.Set(Stream(0, Events(20)...))
	var running sync.WaitGroup
	for range 16 {
		running.Go(func() {
			for range 5 {
				resp, err := b.Do(t.Context(), Request(t, Streaming))
				if err != nil {
					t.Errorf("Do: %v", err)
					return
				}
				text, err := io.ReadAll(resp.Body)
				resp.Body.Close()
				if err != nil || string(text) != want {
					t.Errorf("stream of %d bytes, %v; want %d", len(text), err, len(want))
				}
			}
		})
	}
	running.Wait()
}

func testModels(t *testing.T, up *Upstream, b backend.Backend) {
	up.Set(Answer(`{"object":"list","data":[{"id":"m","object":"model","created":5,"owned_by":"x"}]}`))
	models, err := b.Models(t.Context())
	if err != nil {
		t.Fatalf("Models: %v", err)
	}
	if len(models) == 0 {
		t.Error("no models")
	}
	for i := 1; i < len(models); i++ {
		if models[i-1].ID >= models[i].ID {
			t.Errorf("models are not sorted: %q before %q", models[i-1].ID, models[i].ID)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.Do(ctx, Request(t, Plain)); err != context.Canceled {
		t.Errorf("Do under a cancelled context: %v, want the context's own error", err)
	}
}
