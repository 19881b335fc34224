//go:build e2e

package e2e

import (
	"net/http"
	"strings"
	"testing"

	"github.com/culvert-net/culvert/api/backend/backendtest"
)

// What a model server may do to a client is the same in local mode and behind
// three hops, and on every route: an answer that is whole, an error with a
// status, or a cut that cannot be taken for an end.
func TestSurvives(t *testing.T) {
	t.Parallel()
	run := func(t *testing.T, u *backendtest.Upstream, w *world) {
		for _, d := range append(backendtest.Dialects(), chatDialect) {
			for _, c := range append(documentCases(d), streamCases(d)...) {
				u.Set(to(d.Path, c.behave))
				c.check(t, d.Path, w.askAt(d.Path, c.body))
			}
		}
		for _, c := range chatCases() {
			u.Set(to(chatPath, c.behave))
			c.check(t, chatPath, w.askAt(chatPath, c.body))
		}
	}
	able := to("", backendtest.Answer(backendtest.Completion))
	t.Run("local", func(t *testing.T) {
		t.Parallel()
		u := backendtest.NewUpstream(t)
		u.Set(able)
		dir := t.TempDir()
		daemonise(t, nil, "bridge", "serve", "--data", dir, "--upstream", u.URL, "--listen", "127.0.0.1:0", "--status-listen", "127.0.0.1:0")
		w := &world{t: t, upstream: u.URL}
		w.BaseURL = ready(t, "bridge", dir).BaseURLs[0]
		run(t, u, w)
	})
	t.Run("three hops", func(t *testing.T) {
		t.Parallel()
		u := backendtest.NewUpstream(t)
		u.Set(able)
		run(t, u, start(t, "--backend", u.URL))
	})
}

// marked is a body with a field that no question of a gateway's own has.
func marked(body string) string { return strings.Replace(body, "{", `{"x_case":1,`, 1) }

// to behaves towards marked requests to path, and else like a server that has
// every route.
func to(path string, b backendtest.Behaviour) backendtest.Behaviour {
	return backendtest.ByPath(backendtest.Answer(list), func(w http.ResponseWriter, r *http.Request, c *backendtest.Call) {
		switch {
		case r.URL.Path == path && strings.Contains(string(c.Body), "x_case"):
			b(w, r, c)
		default:
			for _, d := range append(backendtest.Dialects(), chatDialect) {
				if d.Path == r.URL.Path {
					backendtest.Answer(d.Answer)(w, r, c)
					return
				}
			}
			backendtest.Status(http.StatusNotFound, "application/json", `{}`)(w, r, c)
		}
	})
}

// chatDialect is chat as one of the routes.
var chatDialect = backendtest.Dialect{
	Path: chatPath, Plain: chatBody(false), Streaming: chatBody(true),
	Answer: backendtest.Completion, Events: backendtest.Events(2),
}

// survival is one thing a server does, and what the client must see of it.
type survival struct {
	name   string
	behave backendtest.Behaviour
	body   string
	status int    // 200: the answer is want; cut: the stream begins with want; else an error
	want   string // of an error: its code; "*" is any
}

// cut is the status of a survival that ends in the middle.
const cut = -1

func (c survival) check(t *testing.T, path string, r reply) {
	t.Helper()
	at := path + ": " + c.name
	if name, _ := unwanted(r.header); name != "" {
		t.Errorf("%s: header %s came through", at, name)
	}
	if strings.ContainsRune(string(r.body), 0x1b) {
		t.Errorf("%s: an escape sequence came through: %.300q", at, r.body)
	}
	switch {
	case c.status == cut:
		if r.err == nil || r.status != 200 || !strings.HasPrefix(string(r.body), c.want) ||
			strings.Count(string(r.body), `data: {"error":`) != 1 || strings.Contains(string(r.body), "[DONE]") {
			t.Errorf("%s: status %d, %.300q, %v; want a cut that is told", at, r.status, r.body, r.err)
		}
	case c.status != 200:
		_, _, code := r.failure(t)
		if r.status != c.status || c.want != "*" && code != c.want {
			t.Errorf("%s: status %d, code %q; want %d, %q", at, r.status, code, c.status, c.want)
		}
	case r.err != nil || r.status != 200 || string(r.body) != c.want:
		t.Errorf("%s: status %d, %d bytes %.300q, %v; want %d bytes", at, r.status, len(r.body), r.body, r.err, len(c.want))
	}
}

// unwanted is a header that no provider may send to a client.
func unwanted(h http.Header) (name, value string) {
	for _, name := range []string{"Set-Cookie", "Server", "Location", "Link", "X-From-Backend", "Access-Control-Allow-Origin"} {
		if value := h.Get(name); value != "" {
			return name, value
		}
	}
	return "", ""
}

// streamCases are about answers that are streamed, on any route that has them.
func streamCases(d backendtest.Dialect) []survival {
	if d.Streaming == "" {
		return nil
	}
	ask := marked(d.Streaming)
	first, half := d.Events[0], d.Events[1][:40]
	const frame = `data: {"error":{"message":"CUDA error","type":"server_error","code":500}}` + "\n\n"
	large := "data: " + strings.Repeat("x", 4<<20) + "\n\n"
	return []survival{
		{"reset between events", backendtest.CutAfter(first), ask, cut, first},
		{"reset in an event", backendtest.CutAfter(first, half), ask, cut, first},
		{"end without done", backendtest.Stream(0, first), ask, cut, first},
		{"end in an event", backendtest.Stream(0, first, half), ask, cut, first},
		{"error frame", backendtest.Stream(0, first, frame, backendtest.Done), ask, cut, first},
		{"error frame after half an event", backendtest.Stream(0, first, "data: {\"choices\":[\n", frame), ask, cut, first},
		{"error frame at once", backendtest.Stream(0, frame), ask, 500, ""},
		{"reset at once", backendtest.CutAfter(""), ask, 502, "upstream_cut"},
		{"empty stream", backendtest.Stream(0), ask, 502, "stream_incomplete"},
		{"document for a stream", backendtest.Answer(d.Answer), ask, 502, "not_a_stream"},
		{"error document for a stream", backendtest.Answer(`{"error":{"message":"no memory","code":"oom"}}`), ask, 502, "oom"},
		{"cut gzip stream", backendtest.CutGzip("text/event-stream", first, 5), ask, 502, "upstream_cut"},
		{"gzip stream", backendtest.Gzip("text/event-stream", first, backendtest.Done), ask, 200, first + backendtest.Done},
		{"gzip bomb", backendtest.Bomb("text/event-stream"), ask, 502, "*"},
		{"line without end", backendtest.Flood("data: "), ask, 502, "*"},
		{"done without its end", backendtest.Stream(0, first, "data: [DONE]"), ask, 200, first + backendtest.Done},
		{"large line", backendtest.Stream(0, large, backendtest.Done), ask, 200, large + backendtest.Done},
		{"byte by byte", backendtest.Stream(0, strings.Split(first+backendtest.Done, "")...), ask, 200, first + backendtest.Done},
	}
}

// documentCases are about answers that are not streamed, on any route.
func documentCases(d backendtest.Dialect) []survival {
	ask := marked(d.Plain)
	return []survival{
		{"empty answer", backendtest.Answer(""), ask, 502, "*"},
		{"null", backendtest.Answer("null"), ask, 502, "bad_answer"},
		{"error in a success", backendtest.Answer(`{"error":{"message":"no memory","code":"oom"}}`), ask, 502, "oom"},
		{"half an answer", backendtest.CutAnswer(d.Answer), ask, 502, "*"},
		{"stream for a document", backendtest.Stream(0, backendtest.Chunk(0), backendtest.Done), ask, 502, "*"},
		{"page", backendtest.Status(http.StatusOK, "text/html", "<html>"), ask, 502, "unexpected_content_type"},
		{"redirect", backendtest.Redirect("/v1/models"), ask, 502, "unexpected_status"},
		{"too much work", backendtest.Status(429, "application/json", `{"error":{"message":"later","code":"rate_limit_exceeded"}}`), ask, 429, "rate_limit_exceeded"},
		{"too long", backendtest.Status(400, "application/json", `{"error":{"message":"4096 tokens","code":"context_length_exceeded"}}`), ask, 400, "context_length_exceeded"},
		{"escape sequences", backendtest.Status(400, "application/json", `{"error":{"message":"\u001b]0;owned\u0007\u001b[2J","code":"x\u001b[1m"}}`), ask, 400, "*"},
		{"raw escape sequences", backendtest.Status(500, "text/plain", "\x1b[2Jno"), ask, 500, "*"},
		{"cookies and its own headers", backendtest.Status(http.StatusOK, "application/json", d.Answer,
			"Set-Cookie", "a=b", "Server", "x", "Link", "<x>", "X-From-Backend", "1", "Access-Control-Allow-Origin", "*"), ask, 200, d.Answer},
		{"gzip bomb", backendtest.Bomb("application/json"), ask, 502, "*"},
		{"early hints without end", backendtest.Hints(10_000), ask, 502, "*"},
		{"keep-alive that does not", backendtest.CloseAfter(d.Answer), ask, 200, d.Answer},
	}
}

// chatCases are about what only chat has.
func chatCases() []survival {
	const usage = `data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[],"usage":{"prompt_tokens":2,"completion_tokens":1,"total_tokens":3}}` + "\n\n"
	const reasoning = `data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"reasoning":"a","reasoning_content":"b"},"finish_reason":null}]}` + "\n\n"
	first, ask := backendtest.Chunk(0), marked(chatBody(true))
	asking := strings.Replace(ask, `"stream":true`, `"stream":true,"stream_options":{"include_usage":true}`, 1)
	tools := strings.Replace(ask, `"stream":true`, `"stream":true,"tools":[{"type":"function","function":{"name":"f"}}]`, 1)
	two := strings.Replace(marked(chatBody(false)), `"model"`, `"n":2,"model"`, 1)
	call := func(id, index string) string {
		return backendtest.ToolDelta(`"id":"` + id + `","index":` + index + `,"function":{"name":"f","arguments":"{}"}`)
	}
	return []survival{
		{"usage missing", backendtest.Stream(0, first, backendtest.Done), asking, 200, first + backendtest.Done},
		{"usage unsolicited", backendtest.Stream(0, first, usage, backendtest.Done), ask, 200, first + backendtest.Done},
		{"usage without choices", backendtest.Stream(0, first, usage, backendtest.Done), asking, 200, first + usage + backendtest.Done},
		{"reasoning", backendtest.Stream(0, reasoning, backendtest.Done), ask, 200, reasoning + backendtest.Done},
		{"tool index used again", backendtest.Stream(0, call("a", "0"), call("b", "0"), backendtest.Done), tools, 200, call("a", "0") + call("b", "1") + backendtest.Done},
		{"one answer for two", backendtest.Answer(backendtest.Completion), two, 400, ""},
	}
}
