package tunnel

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/culvert-net/culvert/api/backend"
	"github.com/culvert-net/culvert/api/body"
	"github.com/culvert-net/culvert/api/openai"
)

func itoa(n int) string { return strconv.Itoa(n) }

func equalHeader(a, b http.Header) bool {
	return maps.EqualFunc(a, b, func(x, y []string) bool { return slices.Equal(x, y) })
}

// Nothing of the client's own headers leaves the machine, and every client's
// head is the same.
func TestRequestOnTheWire(t *testing.T) {
	for data, accept := range map[string]string{plainChat: "application/json", streamChat: "text/event-stream"} {
		d := newDialer(t, say(jsonAnswer("{}")))
		resp, err := newTestClient(t, newRouter("a"), d).Do(t.Context(), chat(t, data))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		want := "POST /v1/chat/completions HTTP/1.1\r\nHost: culvert\r\nContent-Length: " + itoa(len(data)) +
			"\r\nAccept: " + accept + "\r\nContent-Type: application/json\r\n\r\n" + data
		if got := d.conns[0].sent(); got != want {
			t.Errorf("request = %q, want %q", got, want)
		}
		if want := (backend.Origin{Provider: "a", Circuit: "c1"}); resp.Origin != want {
			t.Errorf("origin = %+v, want %+v", resp.Origin, want)
		}
	}
}

// A cache key means the same thing within one circuit and nothing elsewhere.
func TestScrubbedPerCircuit(t *testing.T) {
	data := `{"model":"m","user":"alice","prompt_cache_key":"k1","messages":[{"role":"user","content":"hi"}]}`
	key := regexp.MustCompile(`"prompt_cache_key":"([0-9a-f]{32})"`)
	seen := map[string]string{} // who and circuit → key
	c1, c2 := newTestClient(t, newRouter("a"), noDialer{}), newTestClient(t, newRouter("a"), noDialer{})
	for name, c := range map[string]*Client{"c1": c1, "c2": c2} {
		for range 2 {
			// Two attempts, on circuits 1 and 2; then the same again.
			d := newDialer(t, resetAfterRead, say(jsonAnswer("{}")))
			c.dialer = d
			resp, err := c.Do(t.Context(), chat(t, data))
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			for _, conn := range d.conns {
				sent := conn.sent()
				m := key.FindStringSubmatch(sent)
				if m == nil || strings.Contains(sent, "alice") || strings.Contains(sent, `"k1"`) {
					t.Fatalf("request = %q, want no user and a pseudonym", sent)
				}
				if old, ok := seen[name+conn.circuit]; ok && old != m[1] {
					t.Errorf("key on %s = %s, then %s: want one", conn.circuit, old, m[1])
				}
				seen[name+conn.circuit] = m[1]
			}
		}
	}
	if all := slices.Compact(slices.Sorted(maps.Values(seen))); len(all) != 4 {
		t.Errorf("keys = %v, want 4 different ones", seen)
	}
}

type noDialer struct{}

func (noDialer) Dial(context.Context, Target, backend.Group) (Conn, error) {
	return nil, errors.New("unused")
}

func TestErrorsBeforeAnyAttempt(t *testing.T) {
	tests := []struct {
		name   string
		router *fakeRouter
		edit   func(*backend.Request)
		status int
		code   string
		retry  bool
	}{
		{"unknown model", newRouter("a"), func(r *backend.Request) { r.View.Model = "other" }, 404, "model_not_found", false},
		{"no provider", newRouter(), nil, 503, "no_provider", true},
		{"unlisted path", newRouter("a"), func(r *backend.Request) { r.Path = "/v1/files" }, 404, "unknown_url", false},
		{"unlisted method", newRouter("a"), func(r *backend.Request) { r.Method = "GET" }, 405, "method_not_allowed", false},
		{"too large", newRouter("a"), func(r *backend.Request) { r.Body = make([]byte, body.MaxBody+1) }, 413, "request_too_large", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			req := chat(t, plainChat)
			if tt.edit != nil {
				tt.edit(req)
			}
			_, err := newTestClient(t, tt.router, newDialer(t)).Do(t.Context(), req)
			checkError(t, err, tt.status, tt.code)
			if e, ok := err.(*openai.Error); ok && (e.RetryAfter > 0) != tt.retry {
				t.Errorf("RetryAfter = %v, want one: %v", e.RetryAfter, tt.retry)
			}
		})
	}
}

func checkError(t *testing.T, err error, status int, code string) {
	t.Helper()
	e, ok := errors.AsType[*openai.Error](err)
	if !ok || e.Status != status || e.Code != code {
		t.Fatalf("error = %v, want %d %s", err, status, code)
	}
	if strings.Contains(e.Message, "203.0.113.9") || e.Message == "" {
		t.Errorf("message = %q, want one without addresses", e.Message)
	}
}

// Each limit has its own status and says how long was waited.
func TestTimeLimits(t *testing.T) {
	const endless = 24 * time.Hour
	wait := func(raw string) peer {
		return func(conn *memConn) {
			takeRequest(conn)
			_, _ = io.WriteString(conn, raw)
			<-conn.Done()
		}
	}
	silent := func(ctx context.Context) error {
		<-ctx.Done()
		return ctx.Err()
	}
	tests := []struct {
		name   string
		peer   peer
		before func(context.Context) error
		took   time.Duration // both attempts
		status int
		code   string
	}{
		{"dial", nil, silent, 2 * DialLimit, 504, "circuit_timeout"},
		{"upload", func(conn *memConn) { <-conn.Done() }, nil, 2 * FirstTokenLimit, 504, "first_token_timeout"},
		{"head", wait(""), nil, 2 * FirstTokenLimit, 504, "first_token_timeout"},
		{"first byte", wait(streamHead), nil, 2 * FirstTokenLimit, 504, "first_token_timeout"},
		{"gap", wait(streamHead + chunks("x")), nil, AnswerGap, 504, "answer_stalled"},
		{"end", wait(streamAnswer("x")), nil, EndLimit, 504, "answer_stalled"},
		{"error body", wait("HTTP/1.1 503 X\r\nContent-Length: 9\r\n\r\n{"), nil, 2 * EndLimit, 503, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDialer(t, tt.peer, tt.peer)
				d.before, d.max = tt.before, 16
				ctx, cancel := context.WithTimeout(t.Context(), endless)
				defer cancel()
				start := time.Now()
				resp, err := newTestClient(t, newRouter("a", "b"), d).Do(ctx, chat(t, streamChat))
				if err == nil {
					defer resp.Body.Close()
					_, err = io.ReadAll(resp.Body)
					if resp.Status != http.StatusOK {
						err = &openai.Error{Status: resp.Status, Message: "refused"}
					}
				}
				checkError(t, err, tt.status, tt.code)
				if took := time.Since(start); took != tt.took {
					t.Errorf("took %v, want %v", took, tt.took)
				}
			})
		})
	}
}

// A prefill of ten minutes and an answer that trickles are not hangs.
func TestSlowIsNotDead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDialer(t, func(conn *memConn) {
			takeRequest(conn)
			time.Sleep(10 * time.Minute)
			_, _ = io.WriteString(conn, streamHead)
			time.Sleep(10 * time.Minute)
			for range 20 {
				_, _ = io.WriteString(conn, chunks("x"))
				time.Sleep(4 * time.Minute)
			}
			_, _ = io.WriteString(conn, lastChunk)
			_ = conn.CloseWrite()
		})
		want := outcome{status: 200, text: strings.Repeat("x", 20)}
		if got := ask(t, newTestClient(t, newRouter("a"), d)); got != want {
			t.Errorf("answer = %+v, want %+v", got, want)
		}
	})
}

// A server that refuses early takes no more of the request; its answer counts.
func TestEarlyRefusal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDialer(t, func(conn *memConn) {
			_, _ = io.WriteString(conn, errorAnswer(413, errorBody))
			_ = conn.CloseWrite()
			<-conn.Done()
		})
		d.max = 128
		r := newRouter("a", "b")
		large := paddedChat(smallRequest+1, true)
		if got, want := askFor(t, newTestClient(t, r, d), large), (outcome{413, errorBody, false}); got != want {
			t.Errorf("answer = %+v, want %+v", got, want)
		}
		if got, want := r.reported(), "a refused"; got != want {
			t.Errorf("reports = %q, want %q", got, want)
		}
	})
}

// An error of the dialer that was written for a person reaches the person.
func TestDialerSpeaks(t *testing.T) {
	d := newDialer(t, nil, nil)
	d.before = func(context.Context) error {
		return errors.Join(errors.New("stem"), openai.Unavailable("too_few_relays", "the world has 1 relay", 0))
	}
	_, err := newTestClient(t, newRouter("a"), d).Do(t.Context(), chat(t, plainChat))
	checkError(t, err, 503, "too_few_relays")
}

// Why there is no circuit or no provider reaches the person; what happened
// underneath, with its addresses, does not.
func TestReasonsAreShown(t *testing.T) {
	why := &Explained{Reason: "entry relay-2 did not answer", Err: errors.New("dial 203.0.113.9: refused")}
	d := newDialer(t, nil, nil)
	d.before = func(context.Context) error { return fmt.Errorf("attempt: %w", why) }
	_, err := newTestClient(t, newRouter("a"), d).Do(t.Context(), chat(t, plainChat))
	checkReason(t, err, "no_circuit")

	r := newRouter("a")
	r.fail = fmt.Errorf("choosing: %w: %w", ErrNoProvider, why)
	_, err = newTestClient(t, r, noDialer{}).Do(t.Context(), chat(t, plainChat))
	checkReason(t, err, "no_provider")

	synctest.Test(t, func(t *testing.T) {
		d := newDialer(t, nil, nil)
		d.before = func(ctx context.Context) error {
			<-ctx.Done()
			return fmt.Errorf("%w: %w", ctx.Err(), why)
		}
		_, err := newTestClient(t, newRouter("a"), d).Do(t.Context(), chat(t, plainChat))
		e, _ := errors.AsType[*openai.Error](err)
		checkError(t, err, 504, "circuit_timeout")
		if !strings.Contains(e.Message, why.Reason) {
			t.Errorf("message = %q, want the reason", e.Message)
		}
	})
}

// checkReason checks a 503 with the reason of TestReasonsAreShown.
func checkReason(t *testing.T, err error, code string) {
	t.Helper()
	checkError(t, err, 503, code)
	e, _ := errors.AsType[*openai.Error](err)
	if !strings.Contains(e.Message, "entry relay-2 did not answer; ask again") || e.RetryAfter <= 0 {
		t.Errorf("message = %q, Retry-After %v; want the reason and when to ask again", e.Message, e.RetryAfter)
	}
}

func TestNewClientRefuses(t *testing.T) {
	if _, err := NewClient(ClientConfig{}); err == nil {
		t.Error("NewClient without Router and Dialer = nil error")
	}
}

func TestModels(t *testing.T) {
	m, err := newTestClient(t, newRouter("a"), noDialer{}).Models(t.Context())
	if err != nil || len(m) != 1 || m[0].ID != "m" {
		t.Errorf("Models = %v, %v, want m", m, err)
	}
}
