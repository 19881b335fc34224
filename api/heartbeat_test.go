package api_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/culvert-net/culvert/api"
	"github.com/culvert-net/culvert/api/backend"
	"github.com/culvert-net/culvert/api/backend/backendtest"
	"github.com/culvert-net/culvert/api/openai"
	"github.com/culvert-net/culvert/api/sse"
)

// poster sends a chat request.
type poster func(body string) *http.Response

// inBubble serves b in virtual time and hands a client to f.
func inBubble(t *testing.T, b backend.Backend, f func(t *testing.T, post poster)) {
	t.Helper()
	onPipe(t, b, func(t *testing.T, pipe *backendtest.Pipe) {
		transport := &http.Transport{DialContext: pipe.Dial, DisableCompression: true}
		defer transport.CloseIdleConnections()
		f(t, func(body string) *http.Response {
			t.Helper()
			path := "/v1/chat/completions"
			if strings.Contains(body, `"prompt"`) {
				path = "/v1/completions"
			}
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://localhost"+path, strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Content-Type", "application/json")
			resp, err := measured(t, transport, nil).RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			return resp
		})
	})
}

// onPipe serves b in virtual time on a network without sockets.
func onPipe(t *testing.T, b backend.Backend, f func(t *testing.T, pipe *backendtest.Pipe)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s, err := api.New(api.Config{Backend: b})
		if err != nil {
			t.Fatal(err)
		}
		pipe := backendtest.NewPipe()
		server := &http.Server{Handler: s.Handler()}
		served := make(chan error)
		go func() { served <- server.Serve(pipe) }()
		f(t, pipe)
		server.Close()
		<-served
	})
}

// noOp is what precedes an error frame behind a heartbeat.
var noOp = string(sse.AppendNoOp(nil, "chat.completion.chunk"))

// script is an answer whose parts come after pauses.
type script struct {
	backend.Backend
	silent time.Duration // before the status
	parts  []part
	err    error // how the answer ends; nil: io.EOF
}

type part struct {
	after time.Duration
	text  string
}

func (s *script) Do(ctx context.Context, _ *backend.Request) (*backend.Response, error) {
	if err := sleep(ctx, s.silent); err != nil {
		return nil, err
	}
	resp := answered("text/event-stream", "")
	r, w := io.Pipe()
	go func() {
		for _, p := range s.parts {
			if err := sleep(ctx, p.after); err != nil {
				w.CloseWithError(err)
				return
			}
			io.WriteString(w, p.text)
		}
		w.CloseWithError(s.err)
	}()
	resp.Body = r
	return resp, nil
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func TestHeartbeats(t *testing.T) {
	const beat, second = sse.Heartbeat, time.Second
	one, two := backendtest.Chunk(1), backendtest.Chunk(2)
	upstream := openai.Upstream(502, "gone", "gone")
	frame := "data: " + string(upstream.JSON()) + "\n\n"
	const counts = `data: {"choices":[],"usage":{"total_tokens":1}}` + "\n\n" // nobody asked
	for _, c := range []struct {
		name   string
		script script
		head   time.Duration // when the status comes
		want   string
		cut    bool
	}{
		{"quick", script{parts: []part{{0, one}, {9 * second, two}, {9 * second, sse.Done}}}, 0, one + two + sse.Done, false},
		{"long prefill", script{parts: []part{{35 * second, one + sse.Done}}}, 10 * second, beat + beat + beat + one + sse.Done, false},
		{"pause", script{parts: []part{{second, one}, {25 * second, sse.Done}}}, second, one + beat + beat + sse.Done, false},
		{"events that are left out", script{parts: []part{{0, one}, {6 * second, counts}, {6 * second, counts}, {6 * second, counts}, {6 * second, sse.Done}}}, 0, one + beat + beat + sse.Done, false},
		{"late status", script{silent: 12 * second, parts: []part{{0, one + sse.Done}}}, 12 * second, one + sse.Done, false},
		{"late status, then silence", script{silent: 12 * second, parts: []part{{5 * second, one + sse.Done}}}, 13 * second, beat + one + sse.Done, false},
		{"cut after a heartbeat", script{parts: []part{{0, one}, {15 * second, ""}}, err: upstream}, 0, one + beat + "\n" + noOp + frame, true},
		{"cut after an event", script{parts: []part{{15 * second, one}}, err: upstream}, 10 * second, beat + one + "\n" + frame, true},
		{"error frame after a heartbeat", script{parts: []part{{15 * second, frame}}}, 10 * second, beat + noOp + frame, true},
	} {
		inBubble(t, &c.script, func(t *testing.T, post poster) {
			began := time.Now()
			resp := post(backendtest.Streaming)
			defer resp.Body.Close()
			if head := time.Since(began); head != c.head {
				t.Errorf("%s: the status came after %v, want %v", c.name, head, c.head)
			}
			text, err := io.ReadAll(resp.Body)
			if string(text) != c.want || (err != nil) != c.cut {
				t.Errorf("%s: %q, %v; want %q, cut %v", c.name, text, err, c.want, c.cut)
			}
		})
	}
}

// TestHeartbeatsOfCompletions checks that what is put before an error frame is
// an event of the route.
func TestHeartbeatsOfCompletions(t *testing.T) {
	late := &script{parts: []part{{15 * time.Second, "data: {\"error\":{\"message\":\"m\"}}\n\n"}}}
	inBubble(t, late, func(t *testing.T, post poster) {
		text := cut(t, "error frame", post(`{"model":"m","stream":true,"prompt":"x"}`))
		want := sse.Heartbeat + string(sse.AppendNoOp(nil, "text_completion")) + "data: {\"error\":"
		if !strings.HasPrefix(text, want) {
			t.Errorf("got %q, want %q first", text, want)
		}
	})
}

// TestEarlyError is an error after nine seconds: it keeps its status.
func TestEarlyError(t *testing.T) {
	refusal := openai.Upstream(504, "slow", "slow")
	inBubble(t, &script{parts: []part{{9 * time.Second, ""}}, err: refusal}, func(t *testing.T, post poster) {
		wantError(t, "early error", post(backendtest.Streaming), 504, "slow")
	})
}

// TestTenMinutePrefill goes the whole way: the status and heartbeats come long
// before the far end has answered at all.
func TestTenMinutePrefill(t *testing.T) {
	late := &script{silent: 10 * time.Minute, parts: []part{{0, backendtest.Chunk(1) + sse.Done}}}
	inBubble(t, backend.EarlyCommit(late, backend.CommitAfter), func(t *testing.T, post poster) {
		began := time.Now()
		resp := post(backendtest.Streaming)
		defer resp.Body.Close()
		if head := time.Since(began); head > 12*time.Second {
			t.Errorf("the status came after %v", head)
		}
		text, err := io.ReadAll(resp.Body)
		if n := strings.Count(string(text), sse.Heartbeat); err != nil || n < 55 || n > 60 {
			t.Errorf("%d heartbeats in ten minutes, %v", n, err)
		}
		if rest := strings.ReplaceAll(string(text), sse.Heartbeat, ""); rest != backendtest.Chunk(1)+sse.Done {
			t.Errorf("besides heartbeats: %q", rest)
		}
	})
}

// TestLateFailure is an error after the status had to be sent.
func TestLateFailure(t *testing.T) {
	late := backend.EarlyCommit(stub{do: func(ctx context.Context, _ *backend.Request) (*backend.Response, error) {
		if err := sleep(ctx, time.Minute); err != nil {
			return nil, err
		}
		return nil, openai.Upstream(503, "full", "full")
	}}, backend.CommitAfter)
	inBubble(t, late, func(t *testing.T, post poster) {
		resp := post(backendtest.Streaming)
		text := cut(t, "late failure", resp)
		frame := "data: " + string(openai.Upstream(503, "full", "full").JSON()) + "\n\n"
		if !strings.HasSuffix(text, sse.Heartbeat+noOp+frame) || strings.Count(text, `"error"`) != 1 {
			t.Errorf("got %q", text)
		}
	})
}
