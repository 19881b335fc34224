package openai_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/culvert-net/culvert/api/backend/backendtest"
	"github.com/culvert-net/culvert/api/backend/openai"
	wire "github.com/culvert-net/culvert/api/openai"
)

// shop is a model server that answers questions about itself: each path with
// a behaviour, and what it does not know as it was told.
type shop map[string]backendtest.Behaviour

func (s shop) serve(w http.ResponseWriter, r *http.Request, c *backendtest.Call) {
	behave, ok := s[r.URL.Path]
	if !ok {
		behave = s[""]
	}
	behave(w, r, c)
}

// only answers requests for one of these models, and refuses all others.
func only(status int, models ...string) backendtest.Behaviour {
	return func(w http.ResponseWriter, r *http.Request, c *backendtest.Call) {
		var asked struct{ Model string }
		if json.Unmarshal(c.Body, &asked) == nil && slices.Contains(models, asked.Model) {
			backendtest.Answer(`{"object":"list","data":[{"object":"embedding","embedding":[0.5]}],"choices":[{"index":0}]}`)(w, r, c)
			return
		}
		backendtest.Status(status, "application/json", `{"error":{"message":"not this"}}`)(w, r, c)
	}
}

const modelList = `{"object":"list","data":[{"id":"a"}]}`

func TestAble(t *testing.T) {
	missing := backendtest.Status(404, "text/plain", "404 page not found")
	models := backendtest.Answer(modelList)
	refuses := func(status int) backendtest.Behaviour { return only(status) }
	ollama := func(show backendtest.Behaviour) shop {
		return shop{
			"": missing, "/v1/models": models, "/api/version": backendtest.Answer(`{"version":"0.17.4"}`),
			"/api/show": show, "/v1/embeddings": refuses(400), "/v1/completions": refuses(400),
		}
	}
	llama := func(embeddings, completions, chat backendtest.Behaviour) shop {
		return shop{
			"":               backendtest.Status(404, "application/json", `{"error":{"code":404,"message":"File Not Found"}}`, "Server", "llama.cpp"),
			"/v1/models":     backendtest.Status(200, "application/json", modelList, "Server", "llama.cpp"),
			"/v1/embeddings": embeddings, "/v1/completions": completions, "/v1/chat/completions": chat,
		}
	}
	for _, c := range []struct {
		name   string
		server shop
		model  string
		few    bool
		want   string
	}{
		{"Ollama, a chat model", ollama(backendtest.Answer(`{"capabilities":["completion","tools"]}`)), "a", false, "chat completions embeddings"},
		{"Ollama, an embedding model", ollama(backendtest.Answer(`{"capabilities":["embedding"]}`)), "a", false, "embeddings"},
		{"Ollama, neither", ollama(backendtest.Answer(`{"capabilities":[]}`)), "a", false, ""},
		{"Ollama that does not say", ollama(backendtest.Answer(`{}`)), "a", false, "chat completions embeddings"},
		{"llama-server", llama(refuses(501), refuses(400), only(400, "a")), "a", true, "chat completions"},
		{"llama-server with a pooling of none", llama(refuses(400), refuses(400), only(400, "a")), "a", true, "chat completions"},
		{"llama-server for embeddings", llama(only(400, "a"), refuses(501), refuses(501)), "a", true, "embeddings"},
		{"llama-server for both", llama(only(400, "a"), refuses(400), only(400, "a")), "a", true, "chat completions embeddings"},
		{"one that answers all with 200", shop{"": backendtest.Answer(`{"error":"Unexpected endpoint"}`), "/v1/models": models}, "a", true, "chat"},
		{"one that gives chats for everything", shop{"": backendtest.Answer(`{"choices":[{"message":{"role":"assistant","content":"a"}}]}`), "/v1/models": models}, "a", true, "chat completions"},
		{"one that gives something for everything", shop{"": backendtest.Answer(`{"ok":true}`), "/v1/models": models}, "a", true, "chat completions"},
		{"hosted, chat", shop{"": missing, "/v1/models": models, "/v1/embeddings": only(400, "text-embed-1")}, "gpt", false, "chat"},
		{"hosted, embedding", shop{"": missing, "/v1/models": models, "/v1/embeddings": only(400, "text-embed-1")}, "text-embed-1", false, "embeddings"},
		{"hosted, a name that misleads", shop{"": missing, "/v1/models": models, "/v1/embeddings": only(400, "x")}, "embed-chat", false, "chat"},
		{"hosted, nothing without a key", shop{"": missing, "/v1/models": backendtest.Status(401, "application/json", `{}`)}, "gpt", false, "chat"},
	} {
		up := backendtest.NewUpstream(t)
		up.Set(c.server.serve)
		able, err := newClient(t, openai.Config{BaseURL: up.URL}).Able(t.Context(), c.model, c.few)
		var got []string
		for _, one := range able {
			got = append(got, string(one))
		}
		if err != nil || able == nil && c.want != "" || strings.Join(got, " ") != c.want {
			t.Errorf("%s: %q, %v; want %q", c.name, got, err, c.want)
		}
	}
}

// TestAbleLater is about servers that cannot say now.
func TestAbleLater(t *testing.T) {
	up := backendtest.NewUpstream(t)
	for _, status := range []int{403, 429, 503} {
		for _, path := range []string{"/v1/embeddings", "/v1/completions", "/api/show"} {
			up.Set(shop{
				"": backendtest.Status(404, "text/plain", "no"), "/v1/models": backendtest.Answer(modelList),
				"/api/version": backendtest.Answer(`{"version":"1"}`), "/api/show": backendtest.Answer(`{}`),
				"/v1/embeddings": only(400, "a"), path: backendtest.Status(status, "application/json", `{"error":"later"}`),
			}.serve)
			c := newClient(t, openai.Config{BaseURL: up.URL})
			if able, err := c.Able(t.Context(), "a", true); err == nil {
				t.Errorf("%d at %s: %q, want an error", status, path, able)
			}
		}
	}
	// Many models of a server are not loaded one after the other.
	up.Set(shop{
		"": backendtest.Status(404, "text/plain", "no"), "/v1/models": backendtest.Answer(modelList),
		"/v1/embeddings": only(400, "a"), "/v1/completions": only(400),
	}.serve)
	c := newClient(t, openai.Config{BaseURL: up.URL})
	before := len(up.Calls())
	for i := range 20 {
		able, err := c.Able(t.Context(), fmt.Sprintf("model-%d", i), false)
		if err != nil || !slices.Equal(able, []wire.Capability{wire.Chat, wire.Completions}) {
			t.Fatalf("Able = %v, %v", able, err)
		}
	}
	for _, call := range up.Calls()[before:] {
		if call.Method == http.MethodPost && strings.Contains(string(call.Body), "model-") {
			t.Errorf("%s was asked about %s", call.Path, call.Body)
		}
	}
}
