package tunnel

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/culvert-net/culvert/api/openai"
)

const (
	good      = "data: {\"a\":1}\n\n"
	errorBody = `{"error":{"message":"out of memory","type":"server_error","param":null,"code":null}}`
)

func resetAtOnce(conn *memConn)    { _ = conn.Reset() }
func refuseUnread(conn *memConn)   { _ = conn.refuse() }
func resetAfterRead(conn *memConn) { takeRequest(conn); _ = conn.Reset() }

// failures are the ways an attempt can end before the first byte of an
// answer's body. provider says that the provider itself said no.
var failures = []struct {
	name     string
	peer     peer
	report   string
	provider bool
	status   int // of the error if nobody else answers
}{
	{"dial fails", nil, "failed", false, 503},
	{"reset while writing", resetAtOnce, "failed", false, 502},
	{"refused unread", refuseUnread, "refused", true, 503},
	{"lost before the head", resetAfterRead, "failed", false, 502},
	{"END instead of a head", say(""), "failed", false, 502},
	{"half a head", say("HTTP/1.1 200 O"), "failed", false, 502},
	{"malformed head", say("HTTP/1.1 200 OK\nContent-Length: 1\n\nx"), "failed", false, 502},
	{"interim answer", say("HTTP/1.1 100 Continue\r\n\r\n" + streamAnswer(good)), "failed", false, 502},
	{"redirect", say("HTTP/1.1 302 Found\r\nLocation: http://x/\r\nContent-Length: 0\r\n\r\n"), "failed", false, 502},
	{"page of HTML", say("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>"), "failed", false, 502},
	{"document with a length", say("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"), "failed", false, 502},
	{"bad gateway", say(errorAnswer(502, errorBody)), "refused", true, 502},
	{"unavailable", say(errorAnswer(503, errorBody)), "refused", true, 503},
	{"unavailable, body cut", sayThenReset("HTTP/1.1 503 X\r\nContent-Length: 90\r\n\r\n{"), "refused", true, 503},
	{"head only", sayThenReset(streamHead), "failed", false, 502},
	{"head and END", say(streamHead), "failed", false, 502},
	{"bytes after the end", say(streamAnswer(good) + "x"), "failed", false, 502},
	{"head and a malformed chunk", say(streamHead + "5;x\r\n"), "failed", false, 502},
}

// outcome is what the person who asked gets.
type outcome struct {
	status int    // of the answer or the error
	text   string // of the answer
	cut    bool   // an error that came by reading
}

func ask(t *testing.T, c *Client) outcome {
	t.Helper()
	return askFor(t, c, streamChat)
}

func askFor(t *testing.T, c *Client, data string) outcome {
	t.Helper()
	resp, err := c.Do(t.Context(), chat(t, data))
	if err != nil {
		var e *openai.Error
		if !errors.As(err, &e) {
			t.Fatalf("Do = %v, want an *openai.Error", err)
		}
		return outcome{status: e.Status, text: e.Message}
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err == nil {
		return outcome{status: resp.Status, text: string(text)}
	}
	var (
		cut *CutError
		e   *openai.Error
	)
	if !errors.As(err, &cut) || !errors.As(err, &e) {
		t.Fatalf("Read = %v, want a *CutError that carries an *openai.Error", err)
	}
	return outcome{status: e.Status, text: string(text), cut: true}
}

// counting counts the prompts that reached a provider.
func counting(n *atomic.Int32, p peer) peer {
	if p == nil {
		return nil
	}
	return func(conn *memConn) {
		n.Add(1)
		p(conn)
	}
}

func TestRetry(t *testing.T) {
	for _, f := range failures {
		t.Run(f.name, func(t *testing.T) {
			t.Run("answered elsewhere", func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					r := newRouter("a", "b", "c")
					d := newDialer(t, f.peer, say(streamAnswer(good)))
					if got, want := ask(t, newTestClient(t, r, d)), (outcome{status: 200, text: good}); got != want {
						t.Errorf("answer = %+v, want %+v", got, want)
					}
					if got, want := r.reported(), "a "+f.report+", b ok"; got != want {
						t.Errorf("reports = %q, want %q", got, want)
					}
				})
			})
			t.Run("nobody else", func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					r := newRouter("a")
					peers := []peer{f.peer}
					want, reports := outcome{status: f.status}, "a "+f.report
					if !f.provider { // the same provider, over another circuit
						peers = append(peers, say(streamAnswer(good)))
						want, reports = outcome{status: 200, text: good}, reports+", a ok"
					}
					got := ask(t, newTestClient(t, r, newDialer(t, peers...)))
					if f.provider {
						got.text = ""
					}
					if got != want {
						t.Errorf("answer = %+v, want %+v", got, want)
					}
					if got := r.reported(); got != reports {
						t.Errorf("reports = %q, want %q", got, reports)
					}
				})
			})
			for _, second := range failures {
				t.Run("then "+second.name, func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						var prompts atomic.Int32
						r := newRouter("a", "b", "c")
						d := newDialer(t, counting(&prompts, f.peer), counting(&prompts, second.peer))
						got := ask(t, newTestClient(t, r, d))
						if got.status != second.status {
							t.Errorf("answer = %+v, want status %d", got, second.status)
						}
						if got, want := r.reported(), "a "+f.report+", b "+second.report; got != want {
							t.Errorf("reports = %q, want %q", got, want)
						}
						if n := prompts.Load(); n > 2 || len(d.dialed) != 2 {
							t.Errorf("%d providers were reached by %d dials, want at most 2 by 2", n, len(d.dialed))
						}
					})
				})
			}
		})
	}
}

// What is an answer, or half of one, is never asked for again.
func TestNoRetry(t *testing.T) {
	two := chunks("data: 1\n\n", "data: 2\n\n")
	tests := []struct {
		name   string
		peer   peer
		want   outcome
		report string
	}{
		{"complete", say(streamAnswer(good)), outcome{200, good, false}, "ok"},
		{"stream without events", say(streamAnswer()), outcome{200, "", false}, "ok"},
		{"bad request", say(errorAnswer(400, errorBody)), outcome{400, errorBody, false}, "refused"},
		{"rate limit", say(errorAnswer(429, errorBody)), outcome{429, errorBody, false}, "refused"},
		{"server error", say(errorAnswer(500, errorBody)), outcome{500, errorBody, false}, "refused"},
		{"gateway timeout", say(errorAnswer(504, errorBody)), outcome{504, errorBody, false}, "refused"},
		{"reset after bytes", sayThenReset(streamHead + two), outcome{502, "data: 1\n\ndata: 2\n\n", true}, "cut"},
		{"END after bytes", say(streamHead + two), outcome{502, "data: 1\n\ndata: 2\n\n", true}, "cut"},
		{"reset after the last chunk", sayThenReset(streamAnswer(good)), outcome{502, good, true}, "cut"},
		{"half a document", say(jsonHead + chunks(`{"a"`)), outcome{502, `{"a"`, true}, "cut"},
		{"reset after a document", sayThenReset(jsonAnswer("{}")), outcome{502, "{}", true}, "cut"},
		{
			"document too large", say(jsonHead + strings.Repeat(chunks(strings.Repeat(" ", MaxChunk)), MaxAnswer/MaxChunk) + chunks(" ")),
			outcome{502, strings.Repeat(" ", MaxAnswer), true},
			"cut",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRouter("a", "b")
				if got := ask(t, newTestClient(t, r, newDialer(t, tt.peer))); got != tt.want {
					t.Errorf("answer = %.200v, want %.200v", got, tt.want)
				}
				if got, want := r.reported(), "a "+tt.report; got != want {
					t.Errorf("reports = %q, want %q", got, want)
				}
			})
		})
	}
}

// A second answer takes the place of the first only if it is what the first
// announced.
func TestSecondAnswerMustMatch(t *testing.T) {
	tests := []struct {
		name   string
		second peer
		want   outcome
		report string
	}{
		{"document for a stream", say(jsonAnswer("{}")), outcome{status: 502, cut: true}, "cancelled"},
		{"error answer", say(errorAnswer(429, errorBody)), outcome{status: 429, cut: true}, "refused"},
		{"stream", say(streamAnswer(good)), outcome{status: 200, text: good}, "ok"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRouter("a", "b")
				d := newDialer(t, sayThenReset(streamHead), tt.second)
				if got := ask(t, newTestClient(t, r, d)); got != tt.want {
					t.Errorf("answer = %+v, want %+v", got, tt.want)
				}
				if got, want := r.reported(), "a failed, b "+tt.report; got != want {
					t.Errorf("reports = %q, want %q", got, want)
				}
			})
		})
	}
}

// A document without a byte is no answer; a stream without events is one.
func TestEmptyDocument(t *testing.T) {
	r := newRouter("a", "b")
	d := newDialer(t, say(jsonHead+lastChunk), say(jsonAnswer("{}")))
	if got, want := ask(t, newTestClient(t, r, d)), (outcome{status: 200, text: "{}"}); got != want {
		t.Errorf("answer = %+v, want %+v", got, want)
	}
	if got, want := r.reported(), "a failed, b ok"; got != want {
		t.Errorf("reports = %q, want %q", got, want)
	}
}

// A refusal keeps its status, Retry-After and rate limits, and of its text what
// can be shown.
func TestRefusalIsRebuilt(t *testing.T) {
	head := "HTTP/1.1 429 Slow Down\r\nContent-Type: application/json\r\nRetry-After: 7\r\n" +
		"X-Ratelimit-Remaining-Requests: 0\r\nX-Ratelimit-Reset-Requests: soon\r\nX-Tag: user-1\r\nSet-Cookie: a=b\r\n"
	long := strings.Repeat("x", 5000)
	tests := []struct{ name, body, want, not string }{
		{"envelope", `{"error":{"message":"slow\u0000 \u001b[2Jdown\u202e","type":"rate_limit_error","param":"n","code":"x"}}`, `"message":"slow [2Jdown","type":"rate_limit_error","param":"n","code":"x"`, "\\u001b"},
		{"long message", `{"error":{"message":"` + long + `"}}`, `"type":"rate_limit_error"`, long[:2000]},
		{"page", "<html>stack trace</html>", `"message":"the model server answered with status 429`, "stack"},
		{"text", "go away", `"message":"the model server answered with status 429`, "away"},
		{"no envelope", `{"message":"secret"}`, `"message":"the model server answered with status 429`, "secret"},
		{"too large", `{"error":{"message":"hi"},"pad":"` + strings.Repeat("x", openai.MaxErrorBody) + `"}`, `"message":"the model server answered with status 429`, `"hi"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			raw := head + "Content-Length: " + itoa(len(tt.body)) + "\r\n\r\n" + tt.body
			d := newDialer(t, say(raw))
			resp, err := newTestClient(t, newRouter("a"), d).Do(t.Context(), chat(t, plainChat))
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			text, err := io.ReadAll(resp.Body)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(string(text), tt.want) || strings.Contains(string(text), tt.not) {
				t.Errorf("body = %.200s, want it with %s and without %.50s", text, tt.want, tt.not)
			}
			want := http.Header{
				"Content-Type": {"application/json"}, "Retry-After": {"7"}, "X-Ratelimit-Remaining-Requests": {"0"},
			}
			if resp.Status != 429 || !equalHeader(resp.Header, want) {
				t.Errorf("answer = %d %v, want 429 %v", resp.Status, resp.Header, want)
			}
		})
	}
}
