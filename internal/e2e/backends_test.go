//go:build e2e

package e2e

import (
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/culvert-net/culvert/api/backend/backendtest"
	"github.com/culvert-net/culvert/internal/app/market"
	"github.com/culvert-net/culvert/ledger"
)

// hosted is somebody's API, which answers who shows the key, and nobody else.
func hosted(key string) backendtest.Behaviour {
	return func(w http.ResponseWriter, r *http.Request, c *backendtest.Call) {
		if r.Header.Get("Authorization") != "Bearer "+key {
			backendtest.Status(http.StatusUnauthorized, "application/json", `{"error":{"message":"Incorrect API key provided","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}`)(w, r, c)
			return
		}
		sayBack(w, r, c)
	}
}

// own is a server of one's own, which says by some header and pages what it is.
func own(server string, pages map[string]string) backendtest.Behaviour {
	return func(w http.ResponseWriter, r *http.Request, c *backendtest.Call) {
		w.Header().Set("Server", server)
		if text, ok := pages[r.URL.Path]; ok {
			backendtest.Answer(text)(w, r, c)
			return
		}
		sayBack(w, r, c)
	}
}

// overTLS is a server in front of another one, and the file with its certificate.
func overTLS(t *testing.T, to string) (at, certificate string) {
	t.Helper()
	target, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewTLSServer(httputil.NewSingleHostReverseProxy(target))
	t.Cleanup(s.Close)
	certificate = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(certificate, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	return s.URL, certificate
}

// A provider that forwards to a hosted API over TLS, with a key of its own, and one
// with a model server of its own are the same to the market: one provider, started
// again with another backend and nothing else changed, sells at the same prices from
// the same channel, and is owed the same for the same words. The key reaches the API
// and nobody else.
func TestMarketBackends(t *testing.T) {
	t.Parallel()
	s := openStall(t)
	apiKey := "sk-hosted-" + rand.Text()
	s.secrets[apiKey] = "the provider's API key"
	var first []ledger.Amount
	for i, b := range []struct {
		server string
		behave backendtest.Behaviour
		key    string
	}{
		{"a hosted API", hosted(apiKey), apiKey},
		{"vLLM", own("uvicorn", map[string]string{"/version": `{"version":"0.11.0"}`}), ""},
		{"llama.cpp", own("llama.cpp", map[string]string{"/props": `{"default_generation_settings":{"n_ctx":4096},"total_slots":1}`}), ""},
		{"Ollama", own("", map[string]string{"/api/version": `{"version":"0.17.4"}`, "/api/show": `{"capabilities":["completion","embedding"]}`}), ""},
	} {
		u := backendtest.NewUpstream(t)
		u.Set(b.behave)
		at := u.URL
		if s.env = nil; b.key != "" {
			var certificate string
			at, certificate = overTLS(t, u.URL)
			at += "/v1"
			s.env = append(s.env, "CULVERT_GATEWAY_PROVIDER_KEY="+b.key, "SSL_CERT_FILE="+certificate)
		}
		s.env = append(s.env, "CULVERT_GATEWAY_PROVIDER_URL="+at)
		s.restart("provider-1", patient()...)
		list := told[[]market.Listing](s, "bridge", "providers")
		if len(list) != 1 || len(list[0].Models) != 2 || list[0].Models[0].Input != inputPrice || list[0].Models[0].Output != outputPrice {
			t.Fatalf("%s: the providers are %+v", b.server, list)
		}
		var costs []ledger.Amount
		for _, r := range routes() {
			costs = append(costs, s.pay("", r))
		}
		s.settled()
		if i == 0 {
			first = costs
		}
		if fmt.Sprint(costs) != fmt.Sprint(first) {
			t.Errorf("%s: the same requests cost %v, at the first backend %v", b.server, costs, first)
		}
		served := 0
		for _, c := range u.Calls() {
			if strings.Contains(string(c.Body), s.mark) {
				served++
			}
			if got := c.Header.Get("Authorization"); got != "" && got != "Bearer "+b.key {
				t.Errorf("%s: %s came with the authorization %q", b.server, c.Path, got)
			}
		}
		if served != len(routes()) {
			t.Errorf("%s has answered %d requests, want %d", b.server, served, len(routes()))
		}
	}
	s.rounds()
	if done := s.deal("provider-1", "claim"); done.Amount != s.spent {
		t.Errorf("%v is claimed; %v was spent", done.Amount, s.spent)
	}
	s.forgotten()
}
