package tunnel

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/culvert-net/culvert/api/backend"
	"github.com/culvert-net/culvert/api/body"
)

// A shutdown accepts nothing more, lets answers finish within the deadline, and
// cancels the rest.
func TestShutdown(t *testing.T) {
	for _, tt := range []struct {
		name     string
		needs    time.Duration
		took     time.Duration
		finished bool
	}{
		{"finishes", 5 * time.Second, 5 * time.Second, true},
		{"too slow", time.Hour, 20 * time.Second, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := serveBackend(t, ServerConfig{Drain: 20 * time.Second, Backend: backendFunc(
					func(ctx context.Context, req *backend.Request) (*backend.Response, error) {
						select {
						case <-time.After(tt.needs):
						case <-ctx.Done():
							return nil, ctx.Err()
						}
						return answerWith(200, "application/json", stringsReader("{}"))(ctx, req)
					})})
				type result struct {
					text string
					err  error
				}
				answered := make(chan result, 1)
				go func() {
					text, err := exchangeRaw(srv, rawRequest(plainChat))
					answered <- result{text, err}
				}()
				synctest.Wait()

				start := time.Now()
				if err := srv.stop(); err != nil {
					t.Errorf("Run = %v, want nil", err)
				}
				if took := time.Since(start); took != tt.took {
					t.Errorf("shutdown took %v, want %v", took, tt.took)
				}
				select {
				case <-srv.acc.closed:
				default:
					t.Error("the acceptor was not closed")
				}
				got := <-answered
				if tt.finished && !strings.HasSuffix(got.text, lastChunk) || !tt.finished && !errors.Is(got.err, errReset) {
					t.Errorf("answer = %q, %v, want it complete: %v", got.text, got.err, tt.finished)
				}
			})
		})
	}
}

// An acceptor that fails ends Run with its error, after the streams.
func TestAcceptFails(t *testing.T) {
	s, err := NewServer(ServerConfig{
		Backend: answerWith(200, "application/json", stringsReader("{}")), Budget: body.NewBudget(1 << 20),
	})
	if err != nil {
		t.Fatal(err)
	}
	broken := errors.New("listener broke")
	if err := s.Run(t.Context(), failingAcceptor{broken}); !errors.Is(err, broken) {
		t.Errorf("Run = %v, want %v", err, broken)
	}
}

type failingAcceptor struct{ err error }

func (a failingAcceptor) Accept() (Conn, error) { return nil, a.err }
func (failingAcceptor) Close() error            { return nil }

func TestNewServerRefuses(t *testing.T) {
	ok := answerWith(200, "application/json", nil)
	for name, cfg := range map[string]ServerConfig{
		"no backend":        {Budget: body.NewBudget(1)},
		"no budget":         {Backend: ok},
		"negative requests": {Backend: ok, Budget: body.NewBudget(1), MaxRequests: -1},
		"negative drain":    {Backend: ok, Budget: body.NewBudget(1), Drain: -1},
	} {
		if _, err := NewServer(cfg); err == nil {
			t.Errorf("%s: NewServer = nil error", name)
		}
	}
}

// Every event leaves when it comes; the head before the first of them.
func TestStreamIsNotHeldBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		events, source := io.Pipe()
		srv := serveBackend(t, ServerConfig{Backend: answerWith(200, "text/event-stream", events)})
		c := newTestClient(t, newRouter("a"), dialServer{srv, 1 << 16})
		resp, err := c.Do(t.Context(), chat(t, streamChat)) // returns although nothing was said yet
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		buf := make([]byte, 1024)
		start := time.Now()
		for _, event := range []string{": wait\n\n", "data: 1\n\n", "da", "ta: 2\r\n\r\n", "data: \xe2\x82", "\xac\n\n", "data: [DONE]\n\n"} {
			if _, err := io.WriteString(source, event); err != nil {
				t.Fatal(err)
			}
			n, err := resp.Body.Read(buf)
			if err != nil || string(buf[:n]) != event {
				t.Fatalf("Read = %q, %v, want %q", buf[:n], err, event)
			}
			time.Sleep(time.Second)
		}
		_ = source.Close()
		if n, err := resp.Body.Read(buf); n != 0 || err != io.EOF {
			t.Errorf("Read = %d, %v, want EOF", n, err)
		}
		if took := time.Since(start); took != 7*time.Second {
			t.Errorf("took %v, want 7s", took)
		}
	})
}
