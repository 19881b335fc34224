package openai_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/culvert-net/culvert/api/backend/backendtest"
	"github.com/culvert-net/culvert/api/backend/openai"
	wire "github.com/culvert-net/culvert/api/openai"
)

// A schema that the server takes no notice of used to give an answer of any
// form, which looked like the model's mistake.
func TestSchema(t *testing.T) {
	const asks = `{"model":"m","messages":[{"role":"user","content":"hi"}],"response_format":{"type":"json_schema","json_schema":{"name":"x","schema":{"type":"object"}}}}`
	says := func(content string) backendtest.Behaviour {
		return backendtest.Answer(strings.Replace(backendtest.Completion, `"Hello"`, content, 1))
	}
	for _, tt := range []struct {
		name   string
		server string // its Server header
		probe  backendtest.Behaviour
		body   string
		asked  int // questions
		ok     bool
	}{
		{"holds to it", "llama.cpp", says(`"{\n \"probe\" : \"culvert\" }"`), asks, 1, true},
		{"was cut short", "llama.cpp", says(`"{\"probe\":\"cul"`), asks, 1, true},
		{"takes no notice", "llama.cpp", says(`"Hello"`), asks, 1, false},
		{"makes some other object", "llama.cpp", says(`"{\"answer\":\"culvert\"}"`), asks, 1, false},
		{"refuses by itself", "llama.cpp", backendtest.Status(400, "application/json", `{"error":{"message":"no"}}`), asks, 1, true},
		{"cannot say now", "llama.cpp", backendtest.Status(503, "application/json", `{"error":{"message":"loading"}}`), asks, 2, true},
		{"hosted", "nginx", says(`"Hello"`), asks, 0, true},
		{"no schema", "llama.cpp", says(`"Hello"`), strings.Replace(asks, "json_schema", "json_object", 1), 0, true},
	} {
		questions := 0
		up := backendtest.NewUpstream(t)
		up.Set(func(w http.ResponseWriter, r *http.Request, c *backendtest.Call) {
			w.Header().Set("Server", tt.server)
			switch {
			case r.URL.Path == "/v1/models":
				backendtest.Answer(`{"object":"list","data":[{"id":"m","object":"model"}]}`)(w, r, c)
			case r.Method != http.MethodPost:
				backendtest.Status(404, "application/json", `{}`)(w, r, c)
			case strings.Contains(string(c.Body), "culvert"):
				questions++
				tt.probe(w, r, c)
			default:
				backendtest.Answer(backendtest.Completion)(w, r, c)
			}
		})
		client := newClient(t, openai.Config{BaseURL: up.URL})
		for range 2 { // the second time it is known
			resp, err := client.Do(t.Context(), backendtest.RequestTo(t, "/v1/chat/completions", tt.body))
			if err == nil {
				resp.Body.Close()
			}
			e, refused := errors.AsType[*wire.Error](err)
			if refused == tt.ok || refused && (e.Status != 400 || e.Param != "response_format") {
				t.Errorf("%s: %v; want an answer: %t", tt.name, err, tt.ok)
			}
		}
		if questions != tt.asked {
			t.Errorf("%s: the server was asked %d questions, want %d", tt.name, questions, tt.asked)
		}
	}
}
