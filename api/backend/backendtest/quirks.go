package backendtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/culvert-net/culvert/api/backend"
)

// Requests that servers treat in ways of their own.
const (
	withTools      = `{"model":"m","messages":[{"role":"user","content":"hi"}],"tools":[{"type":"function","function":{"name":"f"}}]}`
	streamingTools = `{"model":"m","stream":true,"messages":[{"role":"user","content":"hi"}],"tools":[{"type":"function","function":{"name":"f"}}]}`
	twoAnswers     = `{"model":"m","n":2,"messages":[{"role":"user","content":"hi"}]}`
)

// NoToolsInStreams is llama-server of early 2025: a plain answer to a request
// with tools, and 500 if it is to be streamed.
func NoToolsInStreams(w http.ResponseWriter, r *http.Request, c *Call) {
	if strings.Contains(string(c.Body), `"stream":true`) {
		Status(500, "application/json", `{"error":{"code":500,"message":"Cannot use tools with stream","type":"server_error"}}`)(w, r, c)
		return
	}
	Answer(Completion)(w, r, c)
}

// NoNumber is llama-server of early 2025: more than one answer is a failure.
func NoNumber(w http.ResponseWriter, r *http.Request, c *Call) {
	if numberOf(c) > 1 {
		Status(500, "application/json", `{"error":{"code":500,"message":"Only one completion choice is allowed","type":"server_error"}}`)(w, r, c)
		return
	}
	Answer(Completion)(w, r, c)
}

// Numbered gives as many choices as were asked for.
func Numbered(w http.ResponseWriter, r *http.Request, c *Call) {
	choices := strings.Repeat(`,{"index":1,"message":{"role":"assistant","content":"x","refusal":null},"logprobs":null,"finish_reason":"stop"}`, max(1, numberOf(c)))
	Answer(`{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[`+choices[1:]+`]}`)(w, r, c)
}

func numberOf(c *Call) int {
	var asked struct{ N int }
	if json.Unmarshal(c.Body, &asked) != nil {
		return 0
	}
	return asked.N
}

// CutsPrompts answers whatever fits into a context of so many tokens, without a
// word about the rest.
func CutsPrompts(context int) Behaviour {
	return Answer(fmt.Sprintf(`{"id":"c","object":"chat.completion","created":1,"model":"m",`+
		`"choices":[{"index":0,"message":{"role":"assistant","content":"x","refusal":null},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":%d,"completion_tokens":1,"total_tokens":%d}}`, context, context+1))
}

// ToolDelta is an event with one tool call, whose members are given.
func ToolDelta(call string) string {
	return `data: {"x":1.10,"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"tool_calls":[{` + call + `}]},"finish_reason":null}]}` + "\n\n"
}

// testQuirks has a case for what each server does in its own way.
func testQuirks(t *testing.T, up *Upstream, b backend.Backend) {
	for _, c := range []struct {
		name   string
		behave Behaviour
		body   string
		status int // 200: the answer is passed on
		param  string
		code   string
	}{
		{"tools in a stream", NoToolsInStreams, streamingTools, 400, "tools", "unsupported_parameter"},
		{"tools without a stream", NoToolsInStreams, withTools, 200, "", ""},
		{"tools without a template", Status(500, "application/json", `{"error":{"code":500,"message":"tools param requires --jinja flag"}}`), withTools, 400, "tools", "unsupported_parameter"},
		{"a failure that has nothing to do with tools", Status(500, "application/json", `{"error":{"code":500,"message":"out of memory"}}`), withTools, 500, "", ""},
		{"n that fails", NoNumber, twoAnswers, 400, "n", ""},
		{"a prompt that was cut", CutsPrompts(2048), long(4000), 400, "messages", "context_length_exceeded"},
		{"a long prompt", CutsPrompts(4100), long(4000), 200, "", ""},
		{"a long prompt that nobody counted", Answer(Completion[:strings.Index(Completion, `"usage"`)] + `"usage":null}`), long(4000), 200, "", ""},
		{"a route that was not started", Status(501, "application/json", `{"error":{"code":501,"message":"This server does not support chat. Start it without --embeddings","type":"not_supported_error"}}`), Plain, 400, "model", "capability_missing"},
		{"a path that is text", Status(404, "text/plain", "404 page not found"), Plain, 404, "", ""},
	} {
		up.Set(c.behave)
		if c.status == http.StatusOK {
			all(t, do(t, b, c.body))
			continue
		}
		if e := fails(t, b, c.body); e.Status != c.status || e.Param != c.param || e.Code != c.code {
			t.Errorf("%s: %d, param %q, code %q, %q; want %d, %q, %q", c.name, e.Status, e.Param, e.Code, e.Message, c.status, c.param, c.code)
		}
	}
}

func long(words int) string {
	return `{"model":"m","messages":[{"role":"user","content":"` + strings.Repeat("word ", words) + `"}]}`
}

// testNumber is about servers that give one answer where several were asked for.
func testNumber(t *testing.T, up *Upstream, b backend.Backend) {
	up.Set(Answer(Completion))
	for _, body := range []string{twoAnswers, `{"stream":true,` + twoAnswers[1:]} {
		if e := fails(t, b, body); e.Status != 400 || e.Param != "n" {
			t.Errorf("n that is ignored: %d, param %q; want 400 that names n", e.Status, e.Param)
		}
	}
	for _, c := range up.Calls() {
		if string(c.Body) == twoAnswers {
			t.Error("the request reached a server that would not have done what it asks")
		}
	}
}

// testNumbered is about a server that gives all the answers that are asked for.
func testNumbered(t *testing.T, up *Upstream, b backend.Backend) {
	up.Set(Numbered)
	for range 3 {
		if got := all(t, do(t, b, twoAnswers)); strings.Count(got, `"index"`) != 2 {
			t.Errorf("answer = %s, want two choices", got)
		}
	}
	if n := len(up.Calls()); n != 4 {
		t.Errorf("the server was asked %d times, want 3 requests and one question", n)
	}
}

// testToolCalls is about calls that cannot be put together as they come.
func testToolCalls(t *testing.T, up *Upstream, b backend.Backend) {
	for _, c := range []struct {
		name       string
		sent, want []string
	}{
		{
			"sound",
			[]string{`"index":0,"id":"a","type":"function","function":{"name":"f","arguments":""}`, `"index":0,"function":{"arguments":"{}"}`, `"index":1,"id":"b","function":{"name":"f"}`},
			nil,
		},
		{
			"every call has index 0",
			[]string{`"id":"a","index":0,"function":{"name":"f","arguments":"{}"}`, `"id":"b","index":0,"function":{"name":"g","arguments":"{}"}`, `"index":0,"function":{"arguments":"!"}`},
			[]string{`"id":"a","index":0,"function":{"name":"f","arguments":"{}"}`, `"id":"b","index":1,"function":{"name":"g","arguments":"{}"}`, `"index":1,"function":{"arguments":"!"}`},
		},
		{
			"a new id with each part",
			[]string{`"index":0,"id":"a","function":{"name":"f"}`, `"index":0,"id":"b","function":{"arguments":"{"}`, `"index":0,"id":"c","function":{"arguments":"}"}`},
			nil,
		},
		{
			"no index",
			[]string{`"id":"a","function":{"name":"f"}`, `"id":"b","function":{"name":"g"}`},
			[]string{`"index":0,"id":"a","function":{"name":"f"}`, `"index":1,"id":"b","function":{"name":"g"}`},
		},
	} {
		if c.want == nil {
			c.want = c.sent
		}
		events := func(calls []string) (events []string) {
			for _, call := range calls {
				events = append(events, ToolDelta(call))
			}
			return append(events, Done)
		}
		up.Set(Stream(0, events(c.sent)...))
		if got, want := all(t, do(t, b, streamingTools)), strings.Join(events(c.want), ""); got != want {
			t.Errorf("%s: got\n%s\nwant\n%s", c.name, got, want)
		}
	}
	const before = `{"x":1.10,"id":"c","object":"chat.completion","created":1,"model":"m",` +
		`"choices":[{"index":0,"message":{"role":"assistant","content":null,"refusal":null,"tool_calls":[{"id":`
	const after = `,"type":"function","function":{"name":"f","arguments":"{}"}}]},"logprobs":null,"finish_reason":"tool_calls"}]}`
	up.Set(Answer(before + `""` + after))
	got := all(t, do(t, b, withTools))
	id, ok := strings.CutPrefix(got, before+`"call_`)
	if id, ok2 := strings.CutSuffix(id, `"`+after); !ok || !ok2 || len(id) < 16 {
		t.Errorf("a call without an id: got %s", got)
	}
	up.Set(Answer(before + `"kept"` + after))
	if got := all(t, do(t, b, withTools)); got != before+`"kept"`+after {
		t.Errorf("a sound call: got %s", got)
	}
	up.Set(Stream(0, ToolDelta(`"index":0,"id":"","function":{"name":"f"}`), Done))
	if got := all(t, do(t, b, streamingTools)); !strings.Contains(got, `"id":"call_`) {
		t.Errorf("a streamed call without an id: got %s", got)
	}
	up.Set(CutAfter(ToolDelta(`"index":0,"id":"a","function":{"name":"f"}`), "data: {"))
	if whole(t, b, "/v1/chat/completions", streamingTools) {
		t.Error("a stream that was cut came as a whole one")
	}
}
