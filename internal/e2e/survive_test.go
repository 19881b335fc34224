//go:build e2e

package e2e

import (
	"net/http"
	"strings"
	"testing"

	"github.com/culvert-net/culvert/api/backend/backendtest"
)

// What a model server may do to a client is the same in local mode and behind
// three hops: an answer that is whole, an error with a status, or a cut that
// cannot be taken for an end.
func TestSurvives(t *testing.T) {
	t.Parallel()
	first, half := backendtest.Chunk(0), backendtest.Chunk(1)[:40]
	const frame = `data: {"error":{"message":"CUDA error","type":"server_error","code":500}}` + "\n\n"
	const usage = `data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[],"usage":{"total_tokens":3}}` + "\n\n"
	const reasoning = `data: {"choices":[{"index":0,"delta":{"reasoning":"a","reasoning_content":"b"},"finish_reason":null}]}` + "\n\n"
	call := func(id, index string) string {
		return backendtest.ToolDelta(`"id":"` + id + `","index":` + index + `,"function":{"name":"f","arguments":"{}"}`)
	}
	large := "data: " + strings.Repeat("x", 4<<20) + "\n\n"
	asking := strings.Replace(chatBody(true), `"stream":true`, `"stream":true,"stream_options":{"include_usage":true}`, 1)
	tools := strings.Replace(chatBody(true), `"stream":true`, `"stream":true,"tools":[{"type":"function","function":{"name":"f"}}]`, 1)
	two := strings.Replace(chatBody(false), `"model"`, `"n":2,"model"`, 1)

	const cut = -1
	cases := []struct {
		name   string
		behave backendtest.Behaviour
		body   string
		status int    // 200: the answer is want; cut: the stream begins with want; else an error
		want   string // of an error: its code
	}{
		{"reset between events", backendtest.CutAfter(first), chatBody(true), cut, first},
		{"reset in an event", backendtest.CutAfter(first, half), chatBody(true), cut, first},
		{"end without done", backendtest.Stream(0, first), chatBody(true), cut, first},
		{"end in an event", backendtest.Stream(0, first, half), chatBody(true), cut, first},
		{"error frame", backendtest.Stream(0, first, frame, backendtest.Done), chatBody(true), cut, first},
		{"error frame after half an event", backendtest.Stream(0, first, "data: {\"choices\":[\n", frame), chatBody(true), cut, first},
		{"error frame at once", backendtest.Stream(0, frame), chatBody(true), 500, ""},
		{"reset at once", backendtest.CutAfter(""), chatBody(true), 502, "upstream_cut"},
		{"empty stream", backendtest.Stream(0), chatBody(true), 502, "stream_incomplete"},
		{"document for a stream", backendtest.Answer(backendtest.Completion), chatBody(true), 502, "not_a_stream"},
		{"error document for a stream", backendtest.Answer(`{"error":{"message":"no memory","code":"oom"}}`), chatBody(true), 502, "oom"},
		{"cut gzip stream", backendtest.CutGzip("text/event-stream", first, 5), chatBody(true), 502, "upstream_cut"},
		{"gzip stream", backendtest.Gzip("text/event-stream", first, backendtest.Done), chatBody(true), 200, first + backendtest.Done},
		{"done without its end", backendtest.Stream(0, first, "data: [DONE]"), chatBody(true), 200, first + backendtest.Done},
		{"usage missing", backendtest.Stream(0, first, backendtest.Done), asking, 200, first + backendtest.Done},
		{"usage unsolicited", backendtest.Stream(0, first, usage, backendtest.Done), chatBody(true), 200, first + backendtest.Done},
		{"usage without choices", backendtest.Stream(0, first, usage, backendtest.Done), asking, 200, first + usage + backendtest.Done},
		{"reasoning", backendtest.Stream(0, reasoning, backendtest.Done), chatBody(true), 200, reasoning + backendtest.Done},
		{"tool index used again", backendtest.Stream(0, call("a", "0"), call("b", "0"), backendtest.Done), tools, 200, call("a", "0") + call("b", "1") + backendtest.Done},
		{"large line", backendtest.Stream(0, large, backendtest.Done), chatBody(true), 200, large + backendtest.Done},
		{"byte by byte", backendtest.Stream(0, strings.Split(first+backendtest.Done, "")...), chatBody(true), 200, first + backendtest.Done},

		{"empty answer", backendtest.Answer(""), chatBody(false), 502, "*"},
		{"null", backendtest.Answer("null"), chatBody(false), 502, "bad_answer"},
		{"error in a success", backendtest.Answer(`{"error":{"message":"no memory","code":"oom"}}`), chatBody(false), 502, "oom"},
		{"half an answer", backendtest.CutAnswer(backendtest.Completion), chatBody(false), 502, "*"},
		{"stream for a document", backendtest.Stream(0, first, backendtest.Done), chatBody(false), 502, "*"},
		{"page", backendtest.Status(http.StatusOK, "text/html", "<html>"), chatBody(false), 502, "unexpected_content_type"},
		{"redirect", backendtest.Redirect("/v1/models"), chatBody(false), 502, "unexpected_status"},
		{"too much work", backendtest.Status(429, "application/json", `{"error":{"message":"later","code":"rate_limit_exceeded"}}`), chatBody(false), 429, "rate_limit_exceeded"},
		{"too long", backendtest.Status(400, "application/json", `{"error":{"message":"4096 tokens","code":"context_length_exceeded"}}`), chatBody(false), 400, "context_length_exceeded"},
		{"one answer for two", backendtest.Answer(backendtest.Completion), two, 400, ""},
		{"keep-alive that does not", backendtest.CloseAfter(backendtest.Completion), chatBody(false), 200, backendtest.Completion},
	}
	run := func(t *testing.T, u *server, w *world) {
		for _, c := range cases {
			u.answer(c.behave)
			r := w.ask(c.body)
			switch {
			case c.status == cut:
				if r.err == nil || r.status != 200 || !strings.HasPrefix(string(r.body), c.want) ||
					strings.Count(string(r.body), `data: {"error":`) != 1 || strings.Contains(string(r.body), "[DONE]") {
					t.Errorf("%s: status %d, %.300q, %v; want a cut that is told", c.name, r.status, r.body, r.err)
				}
			case c.status != 200:
				_, _, code := r.failure(t)
				if r.status != c.status || c.want != "*" && code != c.want {
					t.Errorf("%s: status %d, code %q; want %d, %q", c.name, r.status, code, c.status, c.want)
				}
			case r.err != nil || r.status != 200 || string(r.body) != c.want:
				t.Errorf("%s: status %d, %d bytes %.300q, %v; want %d bytes", c.name, r.status, len(r.body), r.body, r.err, len(c.want))
			}
		}
	}
	t.Run("local", func(t *testing.T) {
		t.Parallel()
		u := upstream(t, backendtest.Answer(backendtest.Completion))
		dir := t.TempDir()
		daemonise(t, nil, "bridge", "serve", "--data", dir, "--upstream", u.URL, "--listen", "127.0.0.1:0", "--status-listen", "127.0.0.1:0")
		w := &world{t: t}
		w.BaseURL = ready(t, "bridge", dir).BaseURLs[0]
		run(t, u, w)
	})
	t.Run("three hops", func(t *testing.T) {
		t.Parallel()
		u := upstream(t, backendtest.Answer(backendtest.Completion))
		run(t, u, start(t, "--backend", u.URL))
	})
}
