package openapi

import (
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
)

func published(tb testing.TB) *Description {
	tb.Helper()
	d, err := Published()
	if err != nil {
		tb.Fatal(err)
	}
	return d
}

const (
	chatPath = "/v1/chat/completions"
	chat     = `{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,` +
		`"message":{"role":"assistant","content":"x","refusal":null},"logprobs":null,"finish_reason":"stop"}]}`
	chunk  = `{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"x"},"finish_reason":null}]}`
	text   = `{"id":"c","object":"text_completion","created":1,"model":"m","choices":[{"index":0,"text":"x","logprobs":null,"finish_reason":null}]}`
	list   = `{"object":"list","data":[{"id":"m","object":"model","created":1,"owned_by":"x"}]}`
	vector = `{"object":"list","data":[{"object":"embedding","index":0,"embedding":[1]}],"model":"m","usage":{"prompt_tokens":1,"total_tokens":1}}`
	broken = `{"error":{"message":"m","type":"t","param":null,"code":null}}`
)

// frames makes a stream of events.
func frames(data ...string) string {
	return "data: " + strings.Join(data, "\n\ndata: ") + "\n\n"
}

// without is s with old replaced; it must be there, or the test shows nothing.
func without(t *testing.T, s, old, replacement string) string {
	t.Helper()
	if !strings.Contains(s, old) {
		t.Fatalf("%s is not in %s", old, s)
	}
	return strings.Replace(s, old, replacement, 1)
}

// A field that is missing, of another type, or has a value that nobody knows is
// found, wherever it is; so is a stream that does not end as it should.
func TestTeeth(t *testing.T) {
	answerTo := func(path, body string) Answer {
		return Answer{Method: http.MethodPost, Path: path, Status: 200, ContentType: document, Body: []byte(body), End: io.EOF}
	}
	streamed := func(path, body string, end error) Answer {
		return Answer{
			Method: http.MethodPost, Path: path, Request: []byte(`{"stream":true}`),
			Status: 200, ContentType: stream, Body: []byte(body), End: end,
		}
	}
	failing := func(status int, body string) Answer {
		return Answer{Method: http.MethodPost, Path: chatPath, Status: status, ContentType: document, Body: []byte(body)}
	}
	get := func(path, body string) Answer {
		return Answer{Method: http.MethodGet, Path: path, Status: 200, ContentType: document, Body: []byte(body)}
	}
	packed := answerTo("/v1/embeddings", without(t, vector, `[1]`, `"AACAPw=="`))
	packed.Request = []byte(`{"encoding_format":"base64"}`)
	head := get("/v1/models", "")
	head.Method = http.MethodHead
	html := failing(404, broken)
	html.ContentType = "text/html"
	cut := answerTo(chatPath, chat[:20])
	cut.End = io.ErrUnexpectedEOF
	left := cut
	left.End = ErrLeft
	foreign := func(a Answer) Answer {
		a.Foreign = true
		return a
	}
	wanted := answerTo(chatPath, chat)
	wanted.Request = []byte(`{"stream":true}`)
	reset := errors.New("connection reset")

	for _, tt := range []struct {
		name string
		a    Answer
		want string // part of the error; "" if there is none
	}{
		{"chat", answerTo(chatPath, chat), ""},
		{"chat with fields of its server's own", answerTo(chatPath, without(t, chat, `{"id"`, `{"x_own":1,"id"`)), ""},
		{"chat without a field", answerTo(chatPath, without(t, chat, `,"refusal":null`, ``)), "refusal"},
		{"chat with a wrong type", answerTo(chatPath, without(t, chat, `"created":1`, `"created":"1"`)), "created"},
		{"chat with a new reason", answerTo(chatPath, without(t, chat, `"stop"`, `"eos"`)), "finish_reason"},
		{"chat with a null", answerTo(chatPath, without(t, chat, `"stop"`, `null`)), "finish_reason"},
		{"chat of another kind", answerTo(chatPath, without(t, chat, `chat.completion`, `chat`)), "object"},
		{"chat that is no JSON", answerTo(chatPath, chat[1:]), "no JSON"},
		{"chat that is cut", cut, "is cut"},
		{"chat that nobody read on", left, ""},
		{"foreign chat", foreign(answerTo(chatPath, `{}`)), ""},
		{"foreign chat that is no JSON", foreign(answerTo(chatPath, chat[1:])), "no JSON"},
		{"chat for a stream", wanted, "a stream was asked for: true"},
		{"stream for a chat", Answer{Method: "POST", Path: chatPath, Status: 200, ContentType: stream, Body: []byte(frames(chunk, done))}, "asked for: false"},
		{"success of no route", answerTo("/v1/audio/speech", `{}`), "does not have"},
		{"success by another method", get(chatPath, `{}`), "does not have"},

		{"stream", streamed(chatPath, frames(chunk, chunk, done), io.EOF), ""},
		{"stream with comments and CRLF", streamed(chatPath, ": x\n\n"+strings.ReplaceAll(frames(chunk, done), "\n", "\r\n"), io.EOF), ""},
		{"stream, a field short", streamed(chatPath, frames(chunk, without(t, chunk, `,"finish_reason":null`, ``), done), io.EOF), "event 2 of 3"},
		{"stream with a wrong type", streamed(chatPath, frames(without(t, chunk, `"x"`, `1`), done), io.EOF), "content"},
		{"stream with a new reason", streamed(chatPath, frames(without(t, chunk, `null`, `"eos"`), done), io.EOF), "finish_reason"},
		{"stream without an end", streamed(chatPath, frames(chunk), io.EOF), "looks complete"},
		{"stream after its end", streamed(chatPath, frames(done, chunk), io.EOF), "after [DONE]"},
		{"half an event after its end", streamed(chatPath, frames(chunk, done)+"data: {", io.EOF), "without a blank line"},
		{"half an event after its end, foreign", foreign(streamed(chatPath, frames(done)+"data: {", io.EOF)), "without a blank line"},
		{"half an event after the error frame", streamed(chatPath, frames(broken)+"data: {", reset), "without a blank line"},
		{"stream that was cut in silence", streamed(chatPath, frames(chunk), reset), "without an error frame"},
		{"stream that was cut aloud", streamed(chatPath, frames(chunk, broken), reset), ""},
		{"error frame and a clean end", streamed(chatPath, frames(chunk, broken), io.EOF), "looks complete"},
		{"error frame and done", streamed(chatPath, frames(chunk, broken, done), io.EOF), "after the error frame"},
		{"error frame, a field short", streamed(chatPath, frames(without(t, broken, `,"code":null`, ``)), reset), "code"},
		{"error frame with a name", streamed(chatPath, "event: error\n"+frames(broken), reset), "event: line"},
		{"stream that nobody read on", streamed(chatPath, frames(chunk)+"data: {", ErrLeft), ""},
		{"what was read of it", streamed(chatPath, frames(chunk[1:]), ErrLeft), "no JSON"},

		{"text", streamed("/v1/completions", frames(text, done), io.EOF), ""},
		{"text with usage to come", streamed("/v1/completions", frames(without(t, text, `{"id"`, `{"usage":null,"id"`), done), io.EOF), ""},
		{"text, a field short", streamed("/v1/completions", frames(without(t, text, `"logprobs":null,`, ``), done), io.EOF), "logprobs"},
		{"whole text without a reason", answerTo("/v1/completions", text), "finish_reason"},

		{"vectors", answerTo("/v1/embeddings", vector), ""},
		{"vectors of text", answerTo("/v1/embeddings", without(t, vector, `[1]`, `["1"]`)), "embedding"},
		{"packed vectors", packed, ""},
		{"packed vectors that nobody asked for", answerTo("/v1/embeddings", string(packed.Body)), "embedding"},

		{"models", get("/v1/models", list), ""},
		{"models, a field short", get("/v1/models", without(t, list, `,"owned_by":"x"`, ``)), "owned_by"},
		{"a model", get("/v1/models/a/b:c", `{"id":"m","object":"model","created":1,"owned_by":"x"}`), ""},
		{"a model of another kind", get("/v1/models/a", `{"id":"m","object":"x","created":1,"owned_by":"x"}`), "object"},
		{"only the head", head, ""},
		{"a page of ours", get("/readyz", `{"ready":true}`), ""},

		{"error", failing(404, broken), ""},
		{"error, a field short", failing(500, without(t, broken, `"param":null,`, ``)), "param"},
		{"error with a number", failing(400, without(t, broken, `"code":null`, `"code":400`)), "code"},
		{"error as a page", html, "text/html"},
		{"no error and no success", failing(302, broken), "no operation"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := published(t).Check(tt.a)
			if tt.want == "" && err != nil {
				t.Errorf("Check = %v, want none", err)
			}
			if tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("Check = %v, want one with %q", err, tt.want)
			}
		})
	}
}

// The names of schemas in routes are those that the description gives each
// operation.
func TestRoutesAreTheDescriptions(t *testing.T) {
	d := published(t)
	at := func(v any, keys ...string) any {
		for _, k := range keys {
			m, _ := v.(map[string]any)
			v = m[k]
		}
		return v
	}
	schema := func(content any, kind string) string {
		s, _ := at(content, kind, "schema", "$ref").(string)
		return strings.TrimPrefix(s, reference(""))
	}
	for _, r := range routes {
		op := at(d.doc, "paths", r.path, r.method)
		answers := at(op, "responses", "200", "content")
		if got := schema(at(op, "requestBody", "content"), document); got != r.request {
			t.Errorf("%s takes %q, not %q", r.path, got, r.request)
		}
		if got := schema(answers, document); got != r.document {
			t.Errorf("%s answers %q, not %q", r.path, got, r.document)
		}
		if got := schema(answers, stream); got != r.event && r.event != completionEvent {
			t.Errorf("%s streams %q, not %q", r.path, got, r.event)
		}
	}
}

// The table of exceptions is the same in the source and for people.
func TestExceptionsArePublished(t *testing.T) {
	page, err := os.ReadFile("../../docs/design/schema.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for line := range strings.Lines(string(page)) {
		if strings.HasPrefix(line, "| ") {
			rows++
		}
	}
	if want := len(Exceptions) + 2; rows != want { // with the head and the rule below it
		t.Errorf("docs/design/schema.md has %d rows, want %d", rows, want)
	}
	for _, e := range Exceptions {
		row := "| " + e.Where + " | " + e.Rule + " | " + e.Why + " |\n"
		if !strings.Contains(string(page), row) {
			t.Errorf("docs/design/schema.md lacks the row\n%s", row)
		}
	}
}
