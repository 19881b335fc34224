package openai

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
)

const list = `{"object":"list","data":[{"id":"m","object":"model"}]}`

// server answers paths with JSON texts and everything else with 404.
func server(t *testing.T, header string, paths map[string]string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, ok := paths[r.URL.Path]
		if header != "" {
			w.Header().Set("Server", header)
		}
		if text == "" && ok {
			http.Redirect(w, r, "/elsewhere", http.StatusFound)
			return
		}
		if text == "" {
			text = paths["*"]
		}
		if text == "" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Write([]byte(text))
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func TestDetect(t *testing.T) {
	const unexpected = `{"error":"Unexpected endpoint or method"}`
	for _, c := range []struct {
		name, header string
		paths        map[string]string
		want         Kind
	}{
		{"ollama", "", map[string]string{"/v1/models": list, "/api/version": `{"version":"0.17.4"}`}, Ollama},
		{"vllm", "uvicorn", map[string]string{"/v1/models": list, "/version": `{"version":"0.11"}`}, VLLM},
		{"vllm without version", "uvicorn", map[string]string{"/v1/models": `{"data":[{"id":"m","owned_by":"vllm"}]}`}, VLLM},
		{"llama-server", "llama.cpp", map[string]string{"/v1/models": list}, LlamaCPP},
		{"llama-server behind nginx", "nginx", map[string]string{"/v1/models": list, "/props": `{"default_generation_settings":{}}`}, LlamaCPP},
		{"lm studio", "", map[string]string{"/v1/models": list, "/api/v0/models": list, "*": unexpected}, LMStudio},
		{"other", "", map[string]string{"/v1/models": list, "*": unexpected}, Other},
		{"no models yet", "", map[string]string{"/v1/models": `{"object":"list","data":[]}`, "/api/version": `{"version":"0.17.4"}`}, Ollama},
	} {
		for _, base := range []string{"", "/v1"} {
			url := server(t, c.header, c.paths) + base
			if got, err := Detect(t.Context(), url); err != nil || got != c.want {
				t.Errorf("%s at %s: %q, %v; want %q", c.name, base, got, err, c.want)
			}
		}
	}
}

func TestDetectRefuses(t *testing.T) {
	for name, paths := range map[string]map[string]string{
		"web server":       nil,
		"page everywhere":  {"*": "<html>hello</html>"},
		"JSON everywhere":  {"*": `{"status":"ok","version":"1"}`},
		"redirect":         {"/v1/models": "", "/elsewhere": list},
		"data is not list": {"/v1/models": `{"data":"all"}`},
	} {
		if got, err := Detect(t.Context(), server(t, "", paths)); !errors.Is(err, ErrNotModelServer) {
			t.Errorf("%s: %q, %v; want ErrNotModelServer", name, got, err)
		}
	}
	if _, err := Detect(t.Context(), "localhost:1"); err == nil {
		t.Error("a base URL without scheme was accepted")
	}
}

func TestFind(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	ollama := server(t, "", map[string]string{"/v1/models": list, "/api/version": `{"version":"0.17.4"}`})
	web := server(t, "", nil)
	llama := server(t, "llama.cpp", map[string]string{"/v1/models": list})

	found := find(t.Context(), []string{"http://" + silent.Addr().String(), llama, web, "http://" + closed.Addr().String(), ollama})
	var kinds []Kind
	for _, f := range found {
		kinds = append(kinds, f.Kind)
		if len(f.Models) != 1 || f.Models[0].ID != "m" {
			t.Errorf("%s: models %+v", f.Kind, f.Models)
		}
	}
	if !slices.Equal(kinds, []Kind{LlamaCPP, Ollama}) || found[0].BaseURL != llama {
		t.Errorf("found %v", kinds)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if found := find(gone, []string{ollama}); len(found) != 0 {
		t.Errorf("found %v under a cancelled context", found)
	}
}
