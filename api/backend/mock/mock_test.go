package mock_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	goopenai "github.com/sashabaranov/go-openai"

	"github.com/culvert-net/culvert/api/backend"
	"github.com/culvert-net/culvert/api/backend/backendtest"
	"github.com/culvert-net/culvert/api/backend/mock"
	"github.com/culvert-net/culvert/api/openai"
	"github.com/culvert-net/culvert/api/sse"
	"github.com/culvert-net/culvert/internal/openapi"
)

// request is a chat request with more members than model and messages.
func request(t *testing.T, more string) *backend.Request {
	t.Helper()
	return backendtest.Request(t, `{"model":"culvert-demo","messages":[{"role":"system","content":"x"},{"role":"user","content":"hällo"}]`+more+`}`)
}

func do(t *testing.T, more string) []byte {
	t.Helper()
	resp, err := mock.New(mock.Config{}).Do(t.Context(), request(t, more))
	if err != nil {
		t.Fatalf("Do: %v", err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("reading: %v", err)
	}
	return text
}

// strict decodes into a client's types and refuses members they do not know.
func strict(t *testing.T, text []byte, into any) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(string(text)))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}

func TestWhole(t *testing.T) {
	var got goopenai.ChatCompletionResponse
	strict(t, do(t, ""), &got)
	if got.Object != "chat.completion" || got.Model != mock.Model || !strings.HasPrefix(got.ID, "chatcmpl-") || len(got.Choices) != 1 {
		t.Fatalf("%+v", got)
	}
	c := got.Choices[0]
	if c.FinishReason != "stop" || c.Message.Role != "assistant" || !strings.Contains(c.Message.Content, "canned answer") {
		t.Errorf("%+v", c)
	}
	if !strings.Contains(c.Message.Content, "was 5 characters") || strings.Contains(c.Message.Content, "hällo") {
		t.Errorf("content %q must tell the length of the prompt, and nothing else of it", c.Message.Content)
	}
	if u := got.Usage; u.PromptTokens != 10 || u.CompletionTokens == 0 || u.TotalTokens != u.PromptTokens+u.CompletionTokens {
		t.Errorf("usage %+v", u)
	}
}

func TestStream(t *testing.T) {
	var whole goopenai.ChatCompletionResponse
	strict(t, do(t, ""), &whole)
	for _, usage := range []bool{false, true} {
		events := sse.NewReader(strings.NewReader(string(do(t, fmt.Sprintf(`,"stream":true,"stream_options":{"include_usage":%v}`, usage)))), sse.MaxEvent)
		var text, finish string
		var counted *goopenai.Usage
		done := false
		for i := 0; ; i++ {
			e, err := events.Next()
			if err == io.EOF {
				break
			}
			if err != nil || done {
				t.Fatalf("event %d: %v, done %v", i, err, done)
			}
			if done = e.IsDone(); done {
				continue
			}
			var c goopenai.ChatCompletionStreamResponse
			strict(t, e.Data, &c)
			if c.Object != "chat.completion.chunk" || c.Model != mock.Model {
				t.Errorf("chunk %s", e.Data)
			}
			if i == 0 && c.Choices[0].Delta.Role != "assistant" {
				t.Errorf("first chunk %s", e.Data)
			}
			if c.Usage != nil {
				counted = c.Usage
			}
			for _, choice := range c.Choices {
				text += choice.Delta.Content
				finish += string(choice.FinishReason)
			}
		}
		if !done || finish != "stop" || text != whole.Choices[0].Message.Content {
			t.Errorf("done %v, finish %q, %q", done, finish, text)
		}
		if (counted != nil) != usage || usage && *counted != whole.Usage {
			t.Errorf("usage %+v, want it %v: %+v", counted, usage, whole.Usage)
		}
	}
}

func TestMaxTokens(t *testing.T) {
	for _, more := range []string{`,"max_tokens":3`, `,"max_completion_tokens":3`, `,"max_tokens":9,"max_completion_tokens":3`} {
		var got goopenai.ChatCompletionResponse
		strict(t, do(t, more), &got)
		if c := got.Choices[0]; c.FinishReason != "length" || c.Message.Content != "This is a" || got.Usage.CompletionTokens != 3 {
			t.Errorf("%s: %+v, %+v", more, c, got.Usage)
		}
	}
}

func TestRefusals(t *testing.T) {
	b := mock.New(mock.Config{})
	other := backendtest.Request(t, backendtest.Plain)
	elsewhere := request(t, "")
	elsewhere.Path = "/v1/responses"
	for name, c := range map[string]struct {
		req    *backend.Request
		status int
		code   string
	}{
		"other model": {other, 404, "model_not_found"},
		"other route": {elsewhere, 404, "unknown_url"},
		"two answers": {request(t, `,"n":2`), 400, ""},
		"odd limit":   {request(t, `,"max_tokens":1.5`), 400, ""},
	} {
		_, err := b.Do(t.Context(), c.req)
		var e *openai.Error
		if !errors.As(err, &e) || e.Status != c.status || e.Code != c.code {
			t.Errorf("%s: %v, want %d %s", name, err, c.status, c.code)
		}
	}
}

func TestModels(t *testing.T) {
	models, err := mock.New(mock.Config{}).Models(t.Context())
	if err != nil || len(models) != 1 || models[0].ID != mock.Model || models[0].Created == 0 {
		t.Errorf("%+v, %v", models, err)
	}
}

func TestPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := mock.New(mock.Config{Pace: 20 * time.Millisecond})
		began := time.Now()
		resp, err := b.Do(t.Context(), request(t, `,"stream":true,"max_tokens":5`))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(resp.Body); err != nil {
			t.Fatal(err)
		}
		if took, want := time.Since(began), 8*20*time.Millisecond; took != want { // role, 5 tokens, finish, end
			t.Errorf("stream took %v, want %v", took, want)
		}
	})
}

func TestCancel(t *testing.T) {
	for _, pace := range []time.Duration{0, time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			b := mock.New(mock.Config{Pace: pace})
			ctx, cancel := context.WithCancel(t.Context())
			streamed, err := b.Do(ctx, request(t, `,"stream":true`))
			if err != nil {
				t.Fatal(err)
			}
			closed, err := b.Do(t.Context(), request(t, `,"stream":true`))
			if err != nil {
				t.Fatal(err)
			}
			closed.Body.Close()
			closed.Body.Close()
			if _, err := closed.Body.Read(make([]byte, 10)); err == nil || err == io.EOF {
				t.Errorf("reading after Close: %v", err)
			}
			time.AfterFunc(time.Minute, cancel)
			time.Sleep(2 * time.Minute)
			if _, err := io.ReadAll(streamed.Body); err != context.Canceled {
				t.Errorf("pace %v: reading ended with %v", pace, err)
			}
			if _, err := b.Do(ctx, request(t, "")); err != context.Canceled {
				t.Errorf("pace %v: Do ended with %v", pace, err)
			}
		})
	}
}

func ask(t *testing.T, path, body string) []byte {
	t.Helper()
	resp, err := mock.New(mock.Config{}).Do(t.Context(), backendtest.RequestTo(t, path, body))
	if err != nil {
		t.Fatalf("Do: %v", err)
	}
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("reading: %v", err)
	}
	return text
}

func TestCompletion(t *testing.T) {
	for _, prompt := range []string{`"hällo"`, `["hällo"]`} {
		var whole goopenai.CompletionResponse
		strict(t, ask(t, "/v1/completions", `{"model":"culvert-demo","prompt":`+prompt+`}`), &whole)
		if whole.Object != "text_completion" || !strings.HasPrefix(whole.ID, "cmpl-") || len(whole.Choices) != 1 {
			t.Fatalf("%+v", whole)
		}
		c := whole.Choices[0]
		if c.FinishReason != "stop" || !strings.Contains(c.Text, "canned answer") || !strings.Contains(c.Text, "was 5 characters") {
			t.Errorf("%+v", c)
		}
		events := sse.NewReader(strings.NewReader(string(ask(t, "/v1/completions", `{"model":"culvert-demo","stream":true,"prompt":`+prompt+`}`))), sse.MaxEvent)
		text, done := "", false
		for !done {
			e, err := events.Next()
			if err != nil {
				t.Fatal(err)
			}
			if done = e.IsDone(); !done {
				var part goopenai.CompletionResponse
				strict(t, e.Data, &part)
				text += part.Choices[0].Text
			}
		}
		if text != c.Text {
			t.Errorf("streamed %q, whole %q", text, c.Text)
		}
	}
	for body, param := range map[string]string{
		`{"model":"culvert-demo","prompt":["a","b"]}`:   "prompt",
		`{"model":"culvert-demo","prompt":[1,2]}`:       "prompt",
		`{"model":"culvert-demo","prompt":"a","n":2}`:   "n",
		`{"model":"culvert-demo","prompt":"a","n":1.5}`: "",
	} {
		_, err := mock.New(mock.Config{}).Do(t.Context(), backendtest.RequestTo(t, "/v1/completions", body))
		if e, ok := errors.AsType[*openai.Error](err); !ok || e.Status != 400 || e.Param != param {
			t.Errorf("%s: %v, want a 400 that names %q", body, err, param)
		}
	}
}

// TestEmbeddings checks that vectors are real ones of their text alone, in
// either form, and that the answer says what they are.
func TestEmbeddings(t *testing.T) {
	embed := func(more string) (all [][]float32, text string) {
		t.Helper()
		raw := ask(t, "/v1/embeddings", `{"model":"culvert-demo"`+more+`}`)
		var got goopenai.EmbeddingResponse
		if err := json.Unmarshal(raw, &got); err != nil {
			t.Fatal(err)
		}
		for i, e := range got.Data {
			if e.Index != i || e.Object != "embedding" {
				t.Errorf("%+v", e)
			}
			all = append(all, e.Embedding)
		}
		if got.Model != mock.Model || got.Usage.PromptTokens == 0 || got.Usage.TotalTokens != got.Usage.PromptTokens {
			t.Errorf("%+v", got)
		}
		return all, string(raw)
	}
	three, text := embed(`,"input":["a","b","a"]`)
	if len(three) != 3 || len(three[0]) != 32 || !slices.Equal(three[0], three[2]) || slices.Equal(three[0], three[1]) {
		t.Errorf("vectors = %v", three)
	}
	if !strings.Contains(text, "demonstration") {
		t.Errorf("%s does not say that it is made up", text)
	}
	var sum float64
	for _, f := range three[0] {
		sum += float64(f) * float64(f)
	}
	if sum < 0.999 || sum > 1.001 {
		t.Errorf("the square of a vector is %v, want 1", sum)
	}
	if one, _ := embed(`,"input":"a"`); len(one) != 1 || !slices.Equal(one[0], three[0]) {
		t.Errorf("alone a text has another vector: %v", one)
	}
	if tokens, _ := embed(`,"input":[1,2,3],"dimensions":5`); len(tokens) != 1 || len(tokens[0]) != 5 {
		t.Errorf("tokens = %v", tokens)
	}
	var based goopenai.EmbeddingResponseBase64
	if err := json.Unmarshal(ask(t, "/v1/embeddings", `{"model":"culvert-demo","input":"a","encoding_format":"base64"}`), &based); err != nil {
		t.Fatal(err)
	}
	if got, err := based.ToEmbeddingResponse(); err != nil || !slices.Equal(got.Data[0].Embedding, three[0]) {
		t.Errorf("base64 = %v, %v; want %v", got, err, three[0])
	}
	for more, param := range map[string]string{`,"dimensions":0`: "dimensions", `,"dimensions":5000`: "dimensions", `,"encoding_format":"hex"`: "encoding_format"} {
		_, err := mock.New(mock.Config{}).Do(t.Context(), backendtest.RequestTo(t, "/v1/embeddings", `{"model":"culvert-demo","input":"a"`+more+`}`))
		if e, ok := errors.AsType[*openai.Error](err); !ok || e.Status != 400 || e.Param != param {
			t.Errorf("%s: %v, want a 400 that names %s", more, err, param)
		}
	}
}

// Every answer keeps to OpenAI's description, which knows none of the quirks
// that clients of real servers put up with.
func TestSchema(t *testing.T) {
	d, err := openapi.Published()
	if err != nil {
		t.Fatal(err)
	}
	const usage = `,"stream":true,"stream_options":{"include_usage":true}`
	for _, c := range []struct{ path, more string }{
		{"/v1/chat/completions", `"messages":[{"role":"user","content":"x"}]`},
		{"/v1/chat/completions", `"messages":[{"role":"user","content":"x"}],"max_tokens":0`},
		{"/v1/chat/completions", `"messages":[{"role":"user","content":"x"}]` + usage},
		{"/v1/completions", `"prompt":"x"`},
		{"/v1/completions", `"prompt":"x"` + usage},
		{"/v1/embeddings", `"input":["x","y"]`},
		{"/v1/embeddings", `"input":"x","encoding_format":"base64"`},
	} {
		req := backendtest.RequestTo(t, c.path, `{"model":"culvert-demo",`+c.more+`}`)
		resp, err := mock.New(mock.Config{}).Do(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(resp.Body)
		if err == nil {
			err = d.Check(openapi.Answer{
				Method: req.Method, Path: req.Path, Request: req.Body,
				Status: resp.Status, ContentType: resp.Header.Get("Content-Type"), Body: text,
			})
		}
		if err != nil {
			t.Error(err)
		}
	}
}
