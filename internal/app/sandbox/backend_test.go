package sandbox

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/culvert-net/culvert/api/backend"
	"github.com/culvert-net/culvert/api/backend/openai"
	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/gateway"
)

// modelServer lists models with this body, or answers everything with 404.
func modelServer(t *testing.T, list string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if list == "" || r.URL.Path != "/v1/models" {
			http.NotFound(w, r)
			return
		}
		w.Write([]byte(list))
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// A server that was named and does not answer was found out after a minute, by
// the provider that was never ready.
func TestNamedBackendIsAskedFirst(t *testing.T) {
	dead := httptest.NewServer(http.NotFoundHandler())
	dead.Close()
	for _, tt := range []struct {
		name, url string
		code      int
		want      string
	}{
		{"serves", modelServer(t, `{"data":[{"id":"m"}]}`), 0, ", 1 model ("},
		{"dead", dead.URL, app.ExitNotReady, "cannot be reached"},
		{"no model server", modelServer(t, ""), app.ExitUsage, "/v1/models is answered with status 404"},
		{"no model", modelServer(t, `{"data":[]}`), app.ExitNotReady, "has no model"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			p := newProgress(&out)
			defer p.close()
			src, err := chooseBackend(t.Context(), tt.url, p)
			if app.Code(err) != tt.code {
				t.Fatalf("error = %v, code %d; want code %d", err, app.Code(err), tt.code)
			}
			said := out.String()
			if err != nil {
				said = err.Error()
			} else if src.url != tt.url || src.kind != gateway.BackendOpenAI {
				t.Errorf("source = %+v, want the server", src)
			}
			if !strings.Contains(said, tt.url) || !strings.Contains(said, tt.want) {
				t.Errorf("said %q; want the URL and %q", said, tt.want)
			}
		})
	}
}

func TestFoundBackend(t *testing.T) {
	asked := []string{"http://127.0.0.1:1", "http://127.0.0.1:2"}
	empty := openai.Found{Kind: openai.Ollama, BaseURL: asked[0]}
	full := openai.Found{Kind: openai.VLLM, BaseURL: asked[1], Models: []backend.Model{{ID: "a"}, {ID: "b"}}}
	for _, tt := range []struct {
		name  string
		found []openai.Found
		url   string
		want  string
	}{
		{"one with models", []openai.Found{empty, full}, full.BaseURL, "model server found: vllm at http://127.0.0.1:2, 2 models"},
		{"one without", []openai.Found{empty}, "", "http://127.0.0.1:1 has no model"},
		{"none", nil, "", "no model server found at http://127.0.0.1:1, http://127.0.0.1:2: the demo model answers"},
	} {
		var out bytes.Buffer
		p := newProgress(&out)
		src := choose(tt.found, asked, p)
		p.close()
		if src.url != tt.url || (src.kind == gateway.BackendMock) != (tt.url == "") || !strings.Contains(out.String(), tt.want) {
			t.Errorf("%s: %+v, %q; want %q and %q", tt.name, src, out.String(), tt.url, tt.want)
		}
	}
}

func TestHint(t *testing.T) {
	flag := app.Usage(errors.New("--listen 1: taken"))
	if got := hint(flag, true); app.Code(got) != app.ExitUsage || !strings.Contains(got.Error(), "make run") {
		t.Errorf("hint = %v, want the error and how flags are given through make", got)
	}
	for _, err := range []error{nil, errors.New("relay-1 ended")} {
		if got := hint(err, true); got != err {
			t.Errorf("hint(%v) = %v, want it as it is", err, got)
		}
	}
	if got := hint(flag, false); got != flag {
		t.Errorf("hint without make = %v, want the error as it is", got)
	}
}
