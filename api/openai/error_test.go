package openai_test

import (
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	goopenai "github.com/sashabaranov/go-openai"

	"github.com/culvert-net/culvert/api/openai"
)

func TestErrorWrite(t *testing.T) {
	w := httptest.NewRecorder()
	openai.Unavailable("busy", "try \"again\"", 1500*time.Millisecond).Write(w)
	const want = `{"error":{"message":"try \"again\"","type":"server_error","param":null,"code":"busy"}}` + "\n"
	if w.Code != 503 || w.Body.String() != want || w.Header().Get("Retry-After") != "2" || w.Header().Get("Content-Type") != "application/json" {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	var parsed goopenai.ErrorResponse
	if err := json.Unmarshal(w.Body.Bytes(), &parsed); err != nil || parsed.Error.Code != "busy" {
		t.Errorf("a client reads %+v, %v", parsed.Error, err)
	}
}

func TestModelNotFound(t *testing.T) {
	e := openai.ModelNotFound(strings.Repeat("é", 500), "there are others")
	if e.Status != 404 || e.Code != "model_not_found" || len(e.Message) > 600 || !json.Valid(e.JSON()) {
		t.Errorf("%d %s: %d bytes", e.Status, e.Code, len(e.Message))
	}
}

func TestFromUpstream(t *testing.T) {
	long := strings.Repeat("word ", 10_000)
	for _, c := range []struct {
		name   string
		status int
		body   string
		want   openai.Error
	}{
		{"openai", 400, `{"error":{"message":"m","type":"t","param":"p","code":"c"}}`, openai.Error{Status: 400, Type: "t", Param: "p", Code: "c", Message: "m"}},
		{"llama-server", 501, `{"error":{"code":501,"message":"no embeddings","type":"not_supported_error"}}`, openai.Error{Status: 501, Type: "not_supported_error", Message: "no embeddings"}},
		{"ollama", 400, `{"error":{"message":"bad","type":"invalid_request_error","param":null,"code":null}}`, openai.Error{Status: 400, Type: "invalid_request_error", Message: "bad"}},
		{"bare", 400, `{"error":"bad"}`, openai.Error{Status: 400, Type: "invalid_request_error", Message: "bad"}},
		{"old vllm", 404, `{"object":"error","message":"no such model","type":"NotFoundError","param":null,"code":404}`, openai.Error{Status: 404, Type: "NotFoundError", Message: "no such model"}},
		{"fastapi", 404, `{"detail":"Not Found"}`, openai.Error{Status: 404, Type: "not_found_error", Message: "Not Found"}},
		{"fastapi list", 422, `{"detail":[{"loc":["body","x"],"msg":"bad"}]}`, openai.Error{Status: 422, Type: "invalid_request_error", Message: `[{"loc":["body","x"],"msg":"bad"}]`}},
		{"text", 404, "404 page\n\tnot found\n", openai.Error{Status: 404, Type: "not_found_error", Message: "404 page not found"}},
		{"html", 500, "<!DOCTYPE html><html>x</html>", openai.Error{Status: 500, Type: "upstream_error", Message: "the model server answered with status 500 and no reason"}},
		{"html inside", 500, "oops <HTML>x</HTML>", openai.Error{Status: 500, Type: "upstream_error", Message: "the model server answered with status 500 and no reason"}},
		{"empty", 503, "", openai.Error{Status: 503, Type: "upstream_error", Message: "the model server answered with status 503 and no reason"}},
		{"null", 429, "null", openai.Error{Status: 429, Type: "rate_limit_error", Message: "the model server answered with status 429 and no reason"}},
		{"odd members", 400, `{"error":{"message":7,"type":{},"param":[],"code":true}}`, openai.Error{Status: 400, Type: "invalid_request_error", Message: "7"}},
		{"quota", 402, `{"error":{"message":"no credit"}}`, openai.Error{Status: 429, Type: "insufficient_quota", Code: "insufficient_quota", Message: "no credit"}},
		{"redirect", 307, "x", openai.Error{Status: 502, Type: "upstream_error", Code: "unexpected_status", Message: "the model server answered with status 307, which is neither success nor an error"}},
		{"control", 400, "{\"error\":\"a\\u0007\\u001b[31mb\\u202ec\"}", openai.Error{Status: 400, Type: "invalid_request_error", Message: "a[31mbc"}},
		{"paths", 500, `{"error":"cannot open '/home/ann/m.gguf' or C:\\m.gguf for /v1/chat/completions at http://10.0.0.1/x, and/or ~/m"}`, openai.Error{Status: 500, Type: "upstream_error", Message: "cannot open [path] or [path] for /v1/chat/completions at [address] and/or [path]"}},
		{"keys", 401, `{"error":{"message":"Incorrect API key provided: sk-proj-abc***xyz. (Authorization: Bearer gsk_0123456789abcdef) for a risk-free, disk-bound task; bearer token","code":"sk-abcdefgh"}}`, openai.Error{Status: 401, Type: "authentication_error", Message: "Incorrect API key provided: [key] (Authorization: Bearer [key]) for a risk-free, disk-bound task; bearer token"}},
		{"strange code", 400, `{"error":{"message":"m","code":"</script> x"}}`, openai.Error{Status: 400, Type: "invalid_request_error", Message: "m"}},
		{"long", 500, long, openai.Error{Status: 500, Type: "upstream_error"}},
	} {
		e := openai.FromUpstream(c.status, []byte(c.body))
		if c.name == "long" {
			c.want.Message = e.Message
			if n := len(e.Message); n > 1000 || n < 900 {
				t.Errorf("long: message of %d bytes", n)
			}
		}
		if *e != c.want {
			t.Errorf("%s: got %+v, want %+v", c.name, *e, c.want)
		}
		if again := openai.FromUpstream(e.Status, e.JSON()); *again != *e {
			t.Errorf("%s: applied again: %+v, before %+v", c.name, *again, *e)
		}
	}
}

func TestInAnswer(t *testing.T) {
	for text, want := range map[string]int{
		`{"error":{"message":"m","code":503}}`:                  503,
		`{"error":{"message":"m","code":"rate_limit"}}`:         502,
		`{"error":{"message":"m","code":"insufficient_quota"}}`: 429,
		`{"error":"m"}`: 502,
		`{"id":"x","error":{"message":"m","code":200}}`:    502,
		`{"choices":[],"error":null}`:                      0,
		`{"choices":[{"text":"\"error\": {}"}]}`:           0,
		`{"choices":[{"delta":{"x":{"error":"inside"}}}]}`: 0,
		`[DONE]`:  0,
		``:        0,
		`{"error`: 0,
	} {
		got := 0
		if e := openai.InAnswer([]byte(text)); e != nil {
			got = e.Status
		}
		if got != want {
			t.Errorf("%s: status %d, want %d", text, got, want)
		}
	}
}

func FuzzFromUpstream(f *testing.F) {
	f.Add(500, []byte(`{"error":{"message":"m","type":"t","param":"p","code":500}}`))
	f.Add(404, []byte("404 /home/x/y not found <html>"))
	f.Add(402, []byte(`{"detail":[1]}`))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		e := openai.FromUpstream(status, body)
		if e.Status < 400 || e.Status > 599 || e.Message == "" || len(e.Message) > 1000 || strings.ContainsAny(e.Message, "\r\n\x1b") {
			t.Fatalf("%d %q", e.Status, e.Message)
		}
		if again := openai.FromUpstream(e.Status, e.JSON()); *again != *e {
			t.Fatalf("not stable: %+v and %+v", *e, *again)
		}
	})
}
