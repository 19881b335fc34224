package api_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/culvert-net/culvert/api"
	"github.com/culvert-net/culvert/api/backend"
)

// TestIsolation holds which requests are of one group and which are not.
func TestIsolation(t *testing.T) {
	const (
		first = `{"model":"m","messages":[{"role":"system","content":"s"},{"role":"user","content":"one"}]}`
		next  = `{"temperature":0,"model":"m","messages":[{"role":"system","content":"s"},{"role":"user","content":"one"},{"role":"assistant","content":"a"},{"role":"user","content":"two"}]}`
		other = `{"model":"m","messages":[{"role":"system","content":"s"},{"role":"user","content":"two"}]}`
		rules = `{"model":"m","messages":[{"role":"system","content":"t"},{"role":"user","content":"one"}]}`
	)
	type ask struct{ body, key, header string }
	for _, c := range []struct {
		name string
		by   api.Isolation
		a, b ask
		same bool
	}{
		{"the same twice", "", ask{first, "k", ""}, ask{first, "k", ""}, true},
		{"a conversation goes on", "", ask{first, "k", ""}, ask{next, "k", ""}, true},
		{"another first question", "", ask{first, "k", ""}, ask{other, "k", ""}, false},
		{"another system prompt", "", ask{first, "k", ""}, ask{rules, "k", ""}, false},
		{"another key", "", ask{first, "k", ""}, ask{first, "l", ""}, false},
		{"another header", "", ask{first, "k", "x"}, ask{first, "k", "y"}, false},
		{"what is in one part is not in the next", "", ask{first, "kx", "y"}, ask{first, "k", "xy"}, false},
		{"by key: another question", api.ByKey, ask{first, "k", ""}, ask{other, "k", ""}, true},
		{"by key: another key", api.ByKey, ask{first, "k", ""}, ask{first, "l", ""}, false},
		{"by key: another header", api.ByKey, ask{first, "k", "x"}, ask{first, "k", "y"}, false},
	} {
		var groups []backend.Group
		b := stub{do: func(_ context.Context, req *backend.Request) (*backend.Response, error) {
			groups = append(groups, req.Group)
			return answered("application/json", `{"id":"x"}`), nil
		}}
		s, err := api.New(api.Config{Backend: b, Isolation: c.by})
		if err != nil {
			t.Fatal(err)
		}
		for _, q := range []ask{c.a, c.b} {
			r := httptest.NewRequest(http.MethodPost, "http://localhost/v1/chat/completions", strings.NewReader(q.body))
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("Authorization", "Bearer "+q.key)
			r.Header.Set("X-Culvert-Isolation", q.header)
			s.Handler().ServeHTTP(httptest.NewRecorder(), r)
		}
		if len(groups) != 2 {
			t.Fatalf("%s: %d requests reached the backend", c.name, len(groups))
		}
		if same := groups[0] == groups[1]; same != c.same {
			t.Errorf("%s: the same group: %v, want %v", c.name, same, c.same)
		}
	}
	if _, err := api.New(api.Config{Backend: stub{}, Isolation: "none"}); err == nil {
		t.Error("an unknown isolation was accepted")
	}
}
