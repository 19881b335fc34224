package tunnel

import (
	"io"
	"strings"
	"testing"

	"github.com/culvert-net/culvert/api/backend/backendtest"
	"github.com/culvert-net/culvert/api/openai"
)

// A model that exists, but not for what is asked, is refused before anybody is
// dialled, and the answer says what is missing.
func TestNotAble(t *testing.T) {
	r := newRouter("a")
	r.unable = []openai.Capability{openai.Embeddings}
	c := newTestClient(t, r, newDialer(t))
	_, err := c.Do(t.Context(), backendtest.RequestTo(t, "/v1/embeddings", `{"model":"m","input":"x"}`))
	e, ok := err.(*openai.Error)
	if !ok || e.Status != 400 || e.Code != "capability_missing" || e.Param != "model" || !strings.Contains(e.Message, "embeddings") {
		t.Errorf("Do = %#v, want a 400 that names embeddings", err)
	}
}

// A model asked for by its alias reaches the provider under its id, and nothing
// else of the body changes.
func TestAliasOnTheWire(t *testing.T) {
	const asked = `{"x":1.10, "model" :"alias","prompt":"\u00e9" }`
	for model, want := range map[string]string{"": asked, "m:latest": strings.Replace(asked, "alias", "m:latest", 1)} {
		r := newRouter("a")
		r.targets[0].Model = model
		got := make(chan string, 1)
		c := newTestClient(t, r, newDialer(t, func(conn *memConn) {
			raw := takeRequest(conn)
			got <- raw[strings.Index(raw, "\r\n\r\n")+4:]
			_, _ = io.WriteString(conn, jsonAnswer("{}"))
			_ = conn.CloseWrite()
		}))
		resp, err := c.Do(t.Context(), backendtest.RequestTo(t, "/v1/completions", asked))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(resp.Body); err != nil {
			t.Error(err)
		}
		if body := <-got; body != want {
			t.Errorf("model %q: the provider got %s, want %s", model, body, want)
		}
	}
}
