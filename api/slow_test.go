package api_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/culvert-net/culvert/api"
	"github.com/culvert-net/culvert/api/backend"
	"github.com/culvert-net/culvert/api/backend/backendtest"
	"github.com/culvert-net/culvert/api/backend/openai"
)

// TestSlowBody is a client that stops in the middle of its body: after two
// minutes it is told, wherever the body was for.
func TestSlowBody(t *testing.T) {
	onPipe(t, stub{}, func(t *testing.T, pipe *backendtest.Pipe) {
		conn, err := pipe.Dial(t.Context(), "", "")
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		began := time.Now()
		fmt.Fprint(conn, "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{")
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		wantError(t, "slow body", resp, http.StatusRequestTimeout, "body_timeout")
		if took := time.Since(began); took != 2*time.Minute {
			t.Errorf("after %v, want two minutes", took)
		}
	})
}

// Clients send all of a body before they read the answer. One whose body was
// refused unread had its connection closed while it was still writing, and saw
// "broken pipe" in place of the error.
func TestRefusedBodyIsSkipped(t *testing.T) {
	const (
		good    = "Content-Type: application/json"
		chunked = "Transfer-Encoding: chunked"
		large   = 40 << 20
	)
	sized := func(n int) string { return fmt.Sprintf("Content-Length: %d", n) }
	for _, tt := range []struct {
		name   string
		path   string
		header []string
		bytes  int
		status int
		code   string
		sent   bool // all of the body is taken
	}{
		{"too large", "/v1/chat/completions", []string{good, sized(large)}, large, 413, "body_too_large", true},
		{"too large, in chunks", "/v1/chat/completions", []string{good, chunked}, large, 413, "body_too_large", true},
		{"no JSON", "/v1/chat/completions", []string{"Content-Type: text/plain", sized(large)}, large, 415, "unsupported_media_type", true},
		{"no such route", "/v1/nothing", []string{good, sized(large)}, large, 404, "unknown_url", true},
		{"far too large", "/v1/chat/completions", []string{good, sized(1 << 40)}, large, 413, "body_too_large", false},
		{"announces and does not send", "/v1/chat/completions", []string{good, sized(large)}, 0, 413, "body_too_large", true},
		{"asks before it sends", "/v1/chat/completions", []string{good, sized(large), "Expect: 100-continue"}, 0, 413, "body_too_large", true},
	} {
		onPipe(t, stub{}, func(t *testing.T, pipe *backendtest.Pipe) {
			conn, err := pipe.Dial(t.Context(), "", "")
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
				t.Fatal(err)
			}
			if _, err := fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: localhost\r\n%s\r\n\r\n", tt.path, strings.Join(tt.header, "\r\n")); err != nil {
				t.Fatal(err)
			}
			wrote := make(chan error, 1)
			go func() { wrote <- sendZeros(conn, tt.bytes, slices.Contains(tt.header, chunked)) }()
			if tt.sent {
				if err := <-wrote; err != nil {
					t.Errorf("%s: sending the body: %v", tt.name, err)
					return
				}
			}
			resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Errorf("%s: reading the answer: %v", tt.name, err)
				return
			}
			wantError(t, tt.name, resp, tt.status, tt.code)
			conn.Close()
			time.Sleep(time.Second) // of the bubble: net/http closes half a second later
		})
	}
}

// A sender who asked whether its body is wanted, and heard that it is, sends all
// of it too: curl does so with what it reads from a pipe.
func TestRefusedBodyIsSkippedOnceItIsWanted(t *testing.T) {
	onPipe(t, stub{}, func(t *testing.T, pipe *backendtest.Pipe) {
		conn, err := pipe.Dial(t.Context(), "", "")
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(conn, "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"+
			"Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n")
		in := bufio.NewReader(conn)
		if resp, err := http.ReadResponse(in, nil); err != nil || resp.StatusCode != http.StatusContinue {
			t.Errorf("asking: %v, %v; want 100", resp, err)
			return
		}
		if err := sendZeros(conn, 40<<20, true); err != nil {
			t.Errorf("sending the body: %v", err)
			return
		}
		resp, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Errorf("reading the answer: %v", err)
			return
		}
		wantError(t, "too large", resp, http.StatusRequestEntityTooLarge, "body_too_large")
	})
}

// sendZeros writes a body of n zeros, as it is or in chunks of a mebibyte.
func sendZeros(w io.Writer, n int, chunked bool) error {
	piece, end := make([]byte, 1<<20), ""
	if chunked {
		piece, end = []byte("100000\r\n"+string(piece)+"\r\n"), "0\r\n\r\n"
	}
	for range n >> 20 {
		if _, err := w.Write(piece); err != nil {
			return err
		}
	}
	if end == "" {
		return nil // to write nothing would wait for a reader
	}
	_, err := io.WriteString(w, end)
	return err
}

// TestClientThatDoesNotRead holds the far end up for a while, and not for ever.
func TestClientThatDoesNotRead(t *testing.T) {
	var ended chan time.Duration // made in the bubble, or waiting for it would stop the clock
	endless := stub{do: func(ctx context.Context, _ *backend.Request) (*backend.Response, error) {
		began := time.Now()
		context.AfterFunc(ctx, func() { ended <- time.Since(began) })
		resp := answered("text/event-stream", "")
		resp.Body = io.NopCloser(chunks{ctx.Err})
		return resp, nil
	}}
	onPipe(t, endless, func(t *testing.T, pipe *backendtest.Pipe) {
		ended = make(chan time.Duration, 1)
		conn, err := pipe.Dial(t.Context(), "", "")
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprintf(conn, "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
			len(backendtest.Streaming), backendtest.Streaming)
		if after := <-ended; after != 5*time.Minute {
			t.Errorf("the far end was cancelled after %v, want five minutes", after)
		}
	})
}

// TestClientThatReadsSlowly takes minutes for what was there at once, and gets
// the whole answer. There is no socket here whose buffer would take it.
func TestClientThatReadsSlowly(t *testing.T) {
	text := strings.Join(backendtest.Events(20), "")
	onPipe(t, stub{do: func(context.Context, *backend.Request) (*backend.Response, error) {
		return answered("text/event-stream", text), nil
	}}, func(t *testing.T, pipe *backendtest.Pipe) {
		conn, err := pipe.Dial(t.Context(), "", "")
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprintf(conn, "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
			len(backendtest.Streaming), backendtest.Streaming)
		resp, err := http.ReadResponse(bufio.NewReader(slow{conn}), nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(resp.Body)
		if err != nil || string(got) != text {
			t.Errorf("%d bytes, %v; want the %d of the answer", len(got), err, len(text))
		}
	})
}

// slow reads sixteen bytes a second.
type slow struct{ io.Reader }

func (s slow) Read(p []byte) (int, error) {
	time.Sleep(time.Second) // of a bubble
	return s.Reader.Read(p[:min(16, len(p))])
}

// chunks is a stream without end.
type chunks struct{ err func() error }

func (c chunks) Read(p []byte) (int, error) {
	if err := c.err(); err != nil {
		return 0, err
	}
	return copy(p, "data: x\n\n"), nil
}

// TestStopping is a program that stops while clients are there: they get an
// answer rather than nothing.
func TestStopping(t *testing.T) {
	up := backendtest.NewUpstream(t)
	client, err := openai.New(openai.Config{BaseURL: up.URL})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	s, err := api.New(api.Config{Backend: client})
	if err != nil {
		t.Fatal(err)
	}
	base, stop := context.WithCancel(t.Context())
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		defer context.AfterFunc(base, cancel)()
		s.Handler().ServeHTTP(w, r.WithContext(ctx))
	}))
	server.Start()
	defer server.Close()
	b := &bench{url: server.URL}

	up.Set(func(w http.ResponseWriter, r *http.Request, c *backendtest.Call) {
		if strings.Contains(string(c.Body), "stream") {
			backendtest.Endless(0)(w, r, c)
			return
		}
		backendtest.Silent(w, r, c)
	})
	streamed := b.post(t, backendtest.Streaming)
	up.Next(t)
	waiting := make(chan *http.Response)
	go func() { waiting <- b.post(t, backendtest.Plain) }()
	call := up.Next(t)
	stop()
	call.WaitCancelled(t)
	wantError(t, "waiting", <-waiting, 499, "request_cancelled")
	if text := cut(t, "streaming", streamed); !strings.Contains(text, `data: {"error":`) {
		t.Errorf("no error frame at the end of %d bytes", len(text))
	}
}

// TestAbortedStreams checks that clients who go away leave nothing behind.
func TestAbortedStreams(t *testing.T) {
	b := start(t)
	b.up.Set(backendtest.Endless(0))
	abort := func() {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, b.url+"/v1/chat/completions", strings.NewReader(backendtest.Streaming))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(resp.Body, make([]byte, 10)); err != nil {
			t.Error(err)
		}
		cancel()
		resp.Body.Close()
		b.up.Next(t).WaitCancelled(t)
	}
	abort()
	before := runtime.NumGoroutine()
	for range 300 {
		abort()
	}
	waitFor(t, "the goroutines have ended", func() bool { return runtime.NumGoroutine() <= before+5 })
}
