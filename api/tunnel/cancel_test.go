package tunnel

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/culvert-net/culvert/api/backend"
)

// clientPhases are the places where a client's end can be waiting, each with a
// peer and a dialer that keep it there.
var clientPhases = []struct {
	name   string
	peer   peer
	before func(context.Context) error
	max    int
	inRead bool // Do returns, a Read waits
}{
	{"dial", nil, func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }, 1 << 16, false},
	{"write", func(conn *memConn) { <-conn.Done() }, nil, 16, false},
	{"head", func(conn *memConn) { takeRequest(conn); <-conn.Done() }, nil, 1 << 16, false},
	{"half a head", func(conn *memConn) {
		takeRequest(conn)
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\n")
		<-conn.Done()
	}, nil, 1 << 16, false},
	{"error body", func(conn *memConn) {
		takeRequest(conn)
		_, _ = io.WriteString(conn, "HTTP/1.1 500 X\r\nContent-Length: 9\r\n\r\n")
		<-conn.Done()
	}, nil, 1 << 16, false},
	{"first byte", func(conn *memConn) {
		takeRequest(conn)
		_, _ = io.WriteString(conn, streamHead)
		<-conn.Done()
	}, nil, 1 << 16, true},
	{"mid-stream", func(conn *memConn) {
		takeRequest(conn)
		_, _ = io.WriteString(conn, streamHead+chunks("data: 1\n\n"))
		<-conn.Done()
	}, nil, 1 << 16, true},
	{"mid-document", func(conn *memConn) {
		takeRequest(conn)
		_, _ = io.WriteString(conn, jsonHead+chunks("{"))
		<-conn.Done()
	}, nil, 1 << 16, true},
	{"END", func(conn *memConn) {
		takeRequest(conn)
		_, _ = io.WriteString(conn, streamAnswer("data: 1\n\n"))
		<-conn.Done()
	}, nil, 1 << 16, true},
}

// Cancelling resets the stream at once in every phase, asks nobody else, and
// leaves no goroutine (the bubble would not end).
func TestClientCancel(t *testing.T) {
	for _, ph := range clientPhases {
		for _, how := range []string{"cancel", "deadline", "close"} {
			if how == "close" && !ph.inRead {
				continue
			}
			t.Run(ph.name+"/"+how, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { testClientCancel(t, ph.peer, ph.before, ph.max, how) })
			})
		}
	}
}

func testClientCancel(t *testing.T, p peer, before func(context.Context) error, max int, how string) {
	r := newRouter("a", "b")
	d := newDialer(t, p)
	d.before, d.max = before, max
	ctx, cancel := context.WithCancel(t.Context())
	want := context.Canceled
	if how == "deadline" {
		ctx, cancel = context.WithTimeout(t.Context(), time.Second)
		want = context.DeadlineExceeded
	}
	defer cancel()

	bodies := make(chan io.Closer, 1)
	got := make(chan error, 1)
	go func() {
		resp, err := newTestClient(t, r, d).Do(ctx, chat(t, streamChat))
		if err == nil {
			bodies <- resp.Body
			_, err = io.ReadAll(resp.Body)
			_ = resp.Body.Close()
			_ = resp.Body.Close()
		}
		got <- err
	}()
	synctest.Wait() // now the phase is reached
	start := time.Now()
	switch how {
	case "cancel":
		cancel()
	case "deadline":
		time.Sleep(time.Second)
		start = time.Now()
	case "close":
		_ = (<-bodies).Close()
	}
	if err := <-got; !errors.Is(err, want) {
		t.Errorf("error = %v, want %v", err, want)
	}
	if took := time.Since(start); took != 0 {
		t.Errorf("took %v of virtual time, want none", took)
	}
	synctest.Wait()
	for _, conn := range d.conns {
		if reset, _ := conn.state(); !reset {
			t.Error("stream was not reset")
		}
	}
	if got, want := r.reported(), "a cancelled"; got != want {
		t.Errorf("reports = %q, want %q", got, want)
	}
}

// A stream that a dialer hands out although the context has ended is reset.
func TestCancelledWhileDialSucceeds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		r := newRouter("a", "b")
		d := newDialer(t, func(conn *memConn) { takeRequest(conn); <-conn.Done() })
		d.before = func(context.Context) error { cancel(); return nil }
		if _, err := newTestClient(t, r, d).Do(ctx, chat(t, plainChat)); err != context.Canceled {
			t.Errorf("Do = %v, want context.Canceled", err)
		}
		if reset, _ := d.conns[0].state(); !reset {
			t.Error("stream was not reset")
		}
	})
}

// Cancelling during the second attempt, inside a Read, ends it too.
func TestCancelDuringReplacement(t *testing.T) {
	for _, ph := range clientPhases {
		if ph.name == "mid-document" {
			continue // no replacement of a stream
		}
		t.Run(ph.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRouter("a", "b")
				d := newDialer(t, sayThenReset(streamHead), ph.peer)
				first := true
				d.before = func(ctx context.Context) error {
					if first || ph.before == nil {
						first = false
						return nil
					}
					return ph.before(ctx)
				}
				resp, err := newTestClient(t, r, d).Do(t.Context(), chat(t, streamChat))
				if err != nil {
					t.Fatal(err)
				}
				got := make(chan error, 1)
				go func() {
					_, err := io.ReadAll(resp.Body)
					got <- err
				}()
				synctest.Wait()
				_ = resp.Body.Close()
				if err := <-got; !errors.Is(err, context.Canceled) {
					t.Errorf("Read = %v, want context.Canceled", err)
				}
				if got, want := r.reported(), "a failed, b cancelled"; got != want {
					t.Errorf("reports = %q, want %q", got, want)
				}
			})
		})
	}
}

// Closing before reading cancels; reading after it fails.
func TestCloseWithoutReading(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRouter("a")
		d := newDialer(t, say(streamAnswer(good)))
		resp, err := newTestClient(t, r, d).Do(t.Context(), chat(t, streamChat))
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if n, err := resp.Body.Read(make([]byte, 1)); n != 0 || err == nil || err == io.EOF {
			t.Errorf("Read after Close = %d, %v, want an error", n, err)
		}
		if got, want := r.reported(), "a cancelled"; got != want {
			t.Errorf("reports = %q, want %q", got, want)
		}
	})
}

// blockingBody yields text, then nothing until its context ends.
type blockingBody struct {
	ctx  context.Context
	text io.Reader
}

func (b blockingBody) Read(p []byte) (int, error) {
	if n, _ := b.text.Read(p); n > 0 {
		return n, nil
	}
	<-b.ctx.Done()
	return 0, b.ctx.Err()
}

func (blockingBody) Close() error { return nil }

// A client that resets, or whose circuit dies, cancels the backend at once, in
// every phase.
func TestServerCancelsBackend(t *testing.T) {
	wait := func(ctx context.Context) { <-ctx.Done() }
	tests := []struct {
		name string
		do   func(ctx context.Context) (*backend.Response, error)
	}{
		{"waiting", func(ctx context.Context) (*backend.Response, error) { wait(ctx); return nil, ctx.Err() }},
		{"answered too late", func(ctx context.Context) (*backend.Response, error) {
			wait(ctx)
			return answerWith(200, "application/json", io.LimitReader(nil, 0))(ctx, nil)
		}},
		{"before the first event", func(ctx context.Context) (*backend.Response, error) { return blocking(ctx, "text/event-stream", "") }},
		{"mid-stream", func(ctx context.Context) (*backend.Response, error) { return blocking(ctx, "text/event-stream", good) }},
		{"document", func(ctx context.Context) (*backend.Response, error) { return blocking(ctx, "application/json", "{") }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ended := make(chan time.Time, 1)
				srv := serveBackend(t, ServerConfig{Backend: backendFunc(func(ctx context.Context, _ *backend.Request) (*backend.Response, error) {
					context.AfterFunc(ctx, func() { ended <- time.Now() })
					return tt.do(ctx)
				})})
				client, _ := srv.open(1 << 16)
				if err := writeRequest(client, chat(t, streamChat), []byte(streamChat), ""); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				time.Sleep(time.Minute)
				start := time.Now()
				_ = client.Reset()
				if took := (<-ended).Sub(start); took > 50*time.Millisecond {
					t.Errorf("backend was cancelled after %v, want at most 50ms", took)
				}
			})
		})
	}
}

func blocking(ctx context.Context, media, text string) (*backend.Response, error) {
	resp, err := answerWith(200, media, nil)(ctx, nil)
	resp.Body = blockingBody{ctx, stringsReader(text)}
	return resp, err
}
