//go:build e2e

package e2e

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"github.com/culvert-net/culvert/api/backend/backendtest"
)

// Bad requests get the status and shape that OpenAI gives them, and none of
// them reaches a provider.
func TestBadInputs(t *testing.T) {
	t.Parallel()
	u := upstream(t, backendtest.Answer(backendtest.Completion))
	w := start(t, "--backend", u.URL)
	for _, tt := range []struct {
		name, body  string
		status      int
		param, code string
	}{
		{"malformed", `{"model":"m","messages":[`, 400, "", ""},
		{"not an object", `[1,2]`, 400, "", ""},
		{"model of the wrong type", `{"model":7,"messages":[{"role":"user","content":"x"}]}`, 400, "model", ""},
		{"messages of the wrong type", `{"model":"m","messages":"x"}`, 400, "messages", ""},
		{"stream of the wrong type", `{"model":"m","stream":"yes","messages":[{"role":"user","content":"x"}]}`, 400, "stream", ""},
		{"no messages", `{"model":"m"}`, 400, "messages", ""},
		{"empty messages", `{"model":"m","messages":[]}`, 400, "messages", ""},
		{"no model", `{"messages":[{"role":"user","content":"x"}]}`, 400, "model", ""},
		{"unknown model", `{"model":"nobody-has-this","messages":[{"role":"user","content":"x"}]}`, 404, "model", "model_not_found"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := w.ask(tt.body)
			_, param, code := r.failure(t)
			if r.status != tt.status || tt.param != "" && param != tt.param || tt.code != "" && code != tt.code {
				t.Errorf("status %d, param %q, code %q; want %d, %q, %q", r.status, param, code, tt.status, tt.param, tt.code)
			}
		})
	}
	if n := len(u.chats()); n != 0 {
		t.Errorf("%d bad requests reached the upstream", n)
	}
	w.ask(chatBody(false)).completed(t)
}

// What a model server refuses is passed on with its status, through three hops.
func TestUpstreamErrors(t *testing.T) {
	t.Parallel()
	u := upstream(t, backendtest.Silent)
	w := start(t, "--backend", u.URL)
	for _, status := range []int{400, 401, 429, 500, 503} {
		u.answer(backendtest.Status(status, "application/json", `{"error":{"message":"the server says no","type":"x"}}`, "Retry-After", "7"))
		r := w.ask(chatBody(true))
		r.failure(t)
		if r.status < 400 || status == 429 && (r.status != 429 || r.header.Get("Retry-After") != "7") {
			t.Errorf("upstream's %d became %d with Retry-After %q: %s", status, r.status, r.header.Get("Retry-After"), r.body)
		}
	}
}

// The model server of the only provider dies. Who asks is told so, the model
// leaves the list, and comes back with the server.
func TestDeadBackend(t *testing.T) {
	t.Parallel()
	u := upstream(t, backendtest.Answer(backendtest.Completion))
	front := newFront(t, u.URL)
	w := start(t, "--backend", front.url)
	w.ask(chatBody(false)).completed(t)

	front.stop()
	r := w.ask(chatBody(false))
	message, _, _ := r.failure(t)
	if r.status < 500 || !strings.Contains(message, "model server") && !strings.Contains(message, "provider") {
		t.Errorf("status %d, message %q; want a 5xx that says what is down", r.status, message)
	}
	eventually(t, longest, "the model leaves the list", func() error { return w.listed("") })
	r = w.ask(chatBody(false))
	if _, _, code := r.failure(t); r.status != http.StatusServiceUnavailable || code != "no_provider" {
		t.Errorf("status %d, code %q; want 503 no_provider", r.status, code)
	}
	front.start(t)
	eventually(t, longest, "the model comes back", func() error { return w.listed(model) })
	w.ask(chatBody(false)).completed(t)
}

// listed is nil if GET /v1/models has exactly that model, or none for "".
func (w *world) listed(id string) error {
	resp, err := w.client().Get(w.BaseURL + "/models")
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	want := `"data":[]`
	if id != "" {
		want = `"data":[{"id":"` + id + `"`
	}
	if !strings.Contains(string(text), want) || strings.Count(string(text), `"id":`) > 1 {
		return fmt.Errorf("the list is %s", text)
	}
	return nil
}

// front stands before a model server, can die, and comes back at the same
// address.
type front struct {
	url    string
	addr   string
	server *http.Server
	proxy  http.Handler
}

func newFront(t *testing.T, target string) *front {
	t.Helper()
	to, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	f := &front{addr: "127.0.0.1:0", proxy: &httputil.ReverseProxy{
		Rewrite:  func(r *httputil.ProxyRequest) { r.SetURL(to) },
		ErrorLog: log.New(io.Discard, "", 0),
	}}
	f.start(t)
	f.url = "http://" + f.addr
	t.Cleanup(f.stop)
	return f
}

func (f *front) start(t *testing.T) {
	t.Helper()
	l, err := net.Listen("tcp", f.addr)
	if err != nil {
		t.Fatal(err)
	}
	f.addr, f.server = l.Addr().String(), &http.Server{Handler: f.proxy}
	go f.server.Serve(l) // ends with stop
}

func (f *front) stop() { _ = f.server.Close() }
