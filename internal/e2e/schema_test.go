//go:build e2e

package e2e

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/culvert-net/culvert/internal/openapi"
)

// Answers that OpenAI's description allows, with every member it knows and with
// the least, come through as such, in local mode and through three hops.
func TestSchemaAnswers(t *testing.T) {
	t.Parallel()
	d, err := openapi.Published()
	if err != nil {
		t.Fatal(err)
	}
	const (
		message = `"messages":[{"role":"user","content":"Hello"}]`
		usage   = `"stream":true,"stream_options":{"include_usage":true}`
		tools   = `"tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{}}}]`
	)
	requests := []struct{ path, body, want string }{
		{chatPath, message, `"chat.completion"`},
		{chatPath, message + `,"n":2`, `"index":1`},
		{chatPath, message + "," + tools, `"tool_calls"`},
		{chatPath, message + `,"stream":true`, "[DONE]"},
		{chatPath, message + "," + usage, `"usage":{`},
		{chatPath, message + `,"stream":true,` + tools, "[DONE]"},
		{chatPath, message + `,"temperature":"hot"`, "temperature"},
		{"/v1/completions", `"prompt":"Hello"`, `"text_completion"`},
		{"/v1/completions", `"prompt":"Hello",` + usage, "[DONE]"},
		{"/v1/embeddings", `"input":["a","b"],"dimensions":3`, `"embedding":[0,0,0]`},
		{"/v1/embeddings", `"input":"a","encoding_format":"base64"`, `"embedding":"AAAAAA=="`},
	}
	run := func(t *testing.T, base string) {
		client := strict(t, nil)
		root := strings.TrimSuffix(base, "/v1")
		read := func(resp *http.Response, err error) string {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			text, err := io.ReadAll(resp.Body)
			if err != nil {
				t.Fatal(err)
			}
			return string(text)
		}
		for _, model := range []string{openapi.Full, openapi.Least} {
			for _, r := range requests {
				body := `{"model":"` + model + `",` + r.body + `}`
				got := read(client.Post(root+r.path, "application/json", strings.NewReader(body)))
				if least := model == openapi.Least && r.want == `"tool_calls"`; !strings.Contains(got, r.want) && !least {
					t.Errorf("%s %s: %.1000s; want %s in it", r.path, body, got, r.want)
				}
			}
			if got := read(client.Get(base + "/models/" + model)); !strings.Contains(got, `"id":"`+model+`"`) {
				t.Errorf("model %s: %s", model, got)
			}
		}
		if got := read(client.Get(base + "/models")); !strings.Contains(got, openapi.Full) || !strings.Contains(got, openapi.Least) {
			t.Errorf("models: %s", got)
		}
		for _, path := range []string{"/v1/models/nobody", "/v1/nothing", chatPath} {
			if got := read(client.Get(root + path)); !strings.Contains(got, `"error"`) {
				t.Errorf("%s: %s; want an error", path, got)
			}
		}
	}
	server := httptest.NewServer(openapi.NewUpstream(d))
	t.Cleanup(server.Close)
	t.Run("local", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		daemonise(t, nil, "bridge", "serve", "--data", dir, "--upstream", server.URL, "--listen", "127.0.0.1:0", "--status-listen", "127.0.0.1:0")
		run(t, ready(t, "bridge", dir).BaseURLs[0])
	})
	t.Run("three hops", func(t *testing.T) {
		t.Parallel()
		run(t, start(t, "--backend", server.URL).BaseURL)
	})
}
