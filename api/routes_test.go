package api_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/culvert-net/culvert/api"
	"github.com/culvert-net/culvert/api/backend"
	"github.com/culvert-net/culvert/api/backend/backendtest"
	"github.com/culvert-net/culvert/api/openai"
	"github.com/culvert-net/culvert/internal/openapi"
)

func TestModels(t *testing.T) {
	list := []backend.Model{{ID: "a", OwnedBy: "culvert", Created: 5}, {ID: "b/c:d"}}
	var err error
	b := serve(t, api.Config{Backend: stub{models: func(context.Context) ([]backend.Model, error) { return list, err }}})
	resp := b.send(t, http.MethodGet, "/v1/models", nil)
	const want = `{"object":"list","data":[{"id":"a","object":"model","created":5,"owned_by":"culvert"},` +
		`{"id":"b/c:d","object":"model","created":0,"owned_by":"unknown"}]}`
	if got := read(t, resp); got != want || resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "application/json" {
		t.Errorf("%d %s", resp.StatusCode, got)
	}
	tag := resp.Header.Get("ETag")
	for _, match := range []string{tag, "W/" + tag, `"x", ` + tag, "*"} {
		resp := b.send(t, http.MethodGet, "/v1/models", nil, "If-None-Match", match)
		if text := read(t, resp); resp.StatusCode != http.StatusNotModified || text != "" || resp.Header.Get("ETag") != tag {
			t.Errorf("If-None-Match %s: %d %s", match, resp.StatusCode, text)
		}
	}
	if resp := b.send(t, http.MethodHead, "/v1/models", nil); resp.StatusCode != 200 || resp.Header.Get("ETag") != tag || read(t, resp) != "" {
		t.Errorf("HEAD: %d %v", resp.StatusCode, resp.Header)
	}
	list = nil
	resp = b.send(t, http.MethodGet, "/v1/models", nil, "If-None-Match", tag)
	if got := read(t, resp); got != `{"object":"list","data":[]}` || resp.Header.Get("ETag") == tag {
		t.Errorf("after a change: %d %s", resp.StatusCode, got)
	}
	err = errors.New("down")
	wantError(t, "backend down", b.send(t, http.MethodGet, "/v1/models", nil), http.StatusBadGateway, "upstream_failed")
}

// TestModel asks for one model by names that hold what paths are made of.
func TestModel(t *testing.T) {
	list := []backend.Model{
		{ID: "a b%/c"},
		{ID: "hf.co/org/m:Q4_K_M", Context: 4096, Able: []openai.Capability{openai.Chat, openai.Embeddings}, Providers: 2},
		{ID: "llama3.2:latest", OwnedBy: "library"},
		{ID: "paid", Price: &backend.Price{Currency: "wei", Input: "1", Cached: "2", Output: "340282366920938463463374607431", Reason: "4", Image: "5", Minimum: "6", Text: "for people"}},
		{ID: "short", OwnedBy: "x"},
		{ID: "short:latest", OwnedBy: "y"},
	}
	backend.SetAliases(list)
	var err error
	b := serve(t, api.Config{Backend: stub{models: func(context.Context) ([]backend.Model, error) { return list, err }}})
	const large = `{"id":"hf.co/org/m:Q4_K_M","object":"model","created":0,"owned_by":"unknown","context_length":4096,"capabilities":["chat","embeddings"],"providers":2}`
	const llama = `{"id":"llama3.2:latest","object":"model","created":0,"owned_by":"library","aliases":["llama3.2"]}`
	for path, want := range map[string]string{
		"hf.co/org/m:Q4_K_M": large, "hf.co%2Forg%2Fm%3AQ4_K_M": large, "hf.co%2forg/m%3aQ4_K_M": large,
		"llama3.2:latest": llama, "llama3.2": llama, "llama3.2%3Alatest": llama,
		"short":        `{"id":"short","object":"model","created":0,"owned_by":"x"}`,
		"short:latest": `{"id":"short:latest","object":"model","created":0,"owned_by":"y"}`,
		"paid":         `{"id":"paid","object":"model","created":0,"owned_by":"unknown","price":{"currency":"wei","per":1000000,"input":"1","cached_input":"2","output":"340282366920938463463374607431","reasoning":"4","image":"5","minimum":"6","text":"for people"}}`,
		"a%20b%25%2Fc": `{"id":"a b%/c","object":"model","created":0,"owned_by":"unknown"}`,
	} {
		resp := b.send(t, http.MethodGet, "/v1/models/"+path, nil)
		if got := read(t, resp); got != want || resp.StatusCode != 200 {
			t.Errorf("%s: %d %s, want %s", path, resp.StatusCode, got, want)
		}
		again := b.send(t, http.MethodGet, "/v1/models/"+path, nil, "If-None-Match", resp.Header.Get("ETag"))
		if text := read(t, again); again.StatusCode != http.StatusNotModified || text != "" {
			t.Errorf("%s again: %d %s", path, again.StatusCode, text)
		}
	}
	if got := read(t, b.send(t, http.MethodGet, "/v1/models", nil)); !strings.Contains(got, llama) || !strings.Contains(got, large) {
		t.Errorf("list = %s", got)
	}
	for _, path := range []string{"nobody", "hf.co/org/m", "llama3.2:other", "short:latest:latest", "%ff", "..%2f.."} {
		wantError(t, path, b.send(t, http.MethodGet, "/v1/models/"+path, nil), http.StatusNotFound, "model_not_found")
	}
	wantError(t, "DELETE", b.send(t, http.MethodDelete, "/v1/models/llama3.2", nil), http.StatusMethodNotAllowed, "method_not_allowed")
	err = errors.New("down")
	wantError(t, "backend down", b.send(t, http.MethodGet, "/v1/models/short", nil), http.StatusBadGateway, "upstream_failed")
}

func TestProbes(t *testing.T) {
	var state error
	b := serve(t, api.Config{Backend: stub{}, Ready: func() error { return state }})
	if resp := b.send(t, http.MethodGet, "/livez", nil); resp.StatusCode != 200 || read(t, resp) != "{\"live\":true}\n" {
		t.Errorf("livez: %d", resp.StatusCode)
	}
	if resp := b.send(t, http.MethodGet, "/readyz", nil); resp.StatusCode != 200 || read(t, resp) != "{\"ready\":true}\n" {
		t.Errorf("readyz: %d", resp.StatusCode)
	}
	for want, err := range map[string]error{
		`{"ready":false,"reasons":["no directory"]}`:               errors.New("no directory"),
		`{"ready":false,"reasons":["no directory","no circuits"]}`: errors.Join(errors.New("no directory"), errors.New("no circuits")),
	} {
		state = err
		resp := b.send(t, http.MethodGet, "/readyz", nil)
		if got := read(t, resp); resp.StatusCode != 503 || strings.TrimSpace(got) != want {
			t.Errorf("readyz: %d %s, want 503 %s", resp.StatusCode, got, want)
		}
	}
	if resp := serve(t, api.Config{Backend: stub{}}).send(t, http.MethodGet, "/readyz", nil); resp.StatusCode != 200 {
		t.Errorf("readyz without a check: %d", resp.StatusCode)
	}
}

func TestPointer(t *testing.T) {
	b := serve(t, api.Config{Backend: stub{}, Banner: api.Info{Mode: "local", Version: "1.2.3", Status: "http://127.0.0.1:8812"}})
	var doc struct {
		Name, Mode, Version, Status string
		BaseURL                     string `json:"base_url"`
		Routes                      []string
	}
	if err := json.Unmarshal([]byte(read(t, b.send(t, http.MethodGet, "/", nil))), &doc); err != nil {
		t.Fatal(err)
	}
	if doc.Name != "culvert" || doc.Mode != "local" || doc.Version != "1.2.3" || doc.BaseURL != b.url+"/v1" || doc.Status == "" {
		t.Errorf("%+v", doc)
	}
	if got := strings.Join(doc.Routes, ", "); got != "GET /, GET /livez, GET /readyz, GET /v1/models, GET /v1/models/{id}, "+
		"POST /v1/chat/completions, POST /v1/completions, POST /v1/embeddings" {
		t.Errorf("routes %s", got)
	}
	resp := b.send(t, http.MethodGet, "/", nil, "Accept", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8")
	if text := read(t, resp); resp.Header.Get("Content-Type") != "text/plain; charset=utf-8" || !strings.Contains(text, b.url+"/v1\n") || !strings.Contains(text, "local mode") {
		t.Errorf("%v\n%s", resp.Header, text)
	}
}

func TestUnknownRoutes(t *testing.T) {
	b := start(t)
	for _, path := range []string{"/nothing", "/v1", "/v1/", "/v1/chat/completions/", "/chat/completions", "/v1/models/", "/v1//models", "/%2e%2e/etc"} {
		if message := wantError(t, path, b.send(t, http.MethodGet, path, nil), http.StatusNotFound, "unknown_url"); !strings.Contains(message, b.url+"/v1") {
			t.Errorf("%s: message %q does not say where to go", path, message)
		}
	}
	for _, c := range []struct{ method, path, allow string }{
		{http.MethodGet, "/v1/chat/completions", "POST"},
		{http.MethodPut, "/v1/chat/completions", "POST"},
		{http.MethodOptions, "/v1/chat/completions", "POST"},
		{http.MethodPost, "/v1/models", "GET, HEAD"},
		{http.MethodDelete, "/", "GET, HEAD"},
	} {
		resp := b.send(t, c.method, c.path, nil)
		wantError(t, c.method+" "+c.path, resp, http.StatusMethodNotAllowed, "method_not_allowed")
		if got := resp.Header.Get("Allow"); got != c.allow {
			t.Errorf("%s %s: Allow %q, want %q", c.method, c.path, got, c.allow)
		}
	}
	if resp := b.send(t, http.MethodHead, "/v1/chat/completions", nil); resp.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("HEAD of a POST route: %d", resp.StatusCode)
	}
}

func TestGuard(t *testing.T) {
	b := serve(t, api.Config{
		Backend: stub{models: func(context.Context) ([]backend.Model, error) { return nil, nil }},
		Hosts:   []string{"Bridge.Example"},
	})
	host := strings.TrimPrefix(b.url, "http://")
	for _, c := range []struct {
		name    string
		headers []string
		code    string
	}{
		{"address", nil, ""},
		{"localhost", []string{"Host", "localhost:8811"}, ""},
		{"IPv6", []string{"Host", "[::1]:8811"}, ""},
		{"IPv6 without port", []string{"Host", "[::1]"}, ""},
		{"other loopback", []string{"Host", "127.3.0.1"}, ""},
		{"listed", []string{"Host", "bridge.example:80"}, ""},
		{"rebound name", []string{"Host", "attacker.example"}, "unknown_host"},
		{"rebound name with our port", []string{"Host", "localhost.attacker.example:8811"}, "unknown_host"},
		{"other address", []string{"Host", "192.0.2.7"}, "unknown_host"},
		{"same origin", []string{"Origin", "http://" + host}, ""},
		{"other origin", []string{"Origin", "https://attacker.example"}, "cross_origin"},
		{"other port", []string{"Origin", "http://127.0.0.1:1"}, "cross_origin"},
		{"null origin", []string{"Origin", "null"}, "cross_origin"},
		{"two origins", []string{"Origin", "http://" + host, "Origin", "https://attacker.example"}, "cross_origin"},
		{"typed address", []string{"Sec-Fetch-Site", "none"}, ""},
		{"fetch of ours", []string{"Sec-Fetch-Site", "same-origin"}, ""},
		{"fetch of others", []string{"Sec-Fetch-Site", "cross-site"}, "cross_origin"},
		{"fetch of a sibling", []string{"Sec-Fetch-Site", "same-site"}, "cross_origin"},
	} {
		resp := b.send(t, http.MethodGet, "/v1/models", nil, c.headers...)
		if c.code != "" {
			wantError(t, c.name, resp, http.StatusForbidden, c.code)
		} else if read(t, resp); resp.StatusCode != 200 {
			t.Errorf("%s: status %d, want 200", c.name, resp.StatusCode)
		}
	}
	resp := b.send(t, http.MethodPost, "/v1/chat/completions", strings.NewReader(backendtest.Plain),
		"Content-Type", "application/json", "Origin", "https://attacker.example")
	wantError(t, "POST from a page", resp, http.StatusForbidden, "cross_origin")
}

// raw sends a request as it stands and returns all that comes back until the
// connection ends.
func (b *bench) raw(t *testing.T, request string) string {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(b.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	return string(answer)
}

// TestOldAndOdd is about requests that common clients do not send.
func TestOldAndOdd(t *testing.T) {
	b := start(t)
	old := func(body string) string {
		return fmt.Sprintf("POST /v1/chat/completions HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	}
	host := strings.TrimPrefix(b.url, "http://")
	for _, c := range []struct{ name, request, status, want string }{
		{"HTTP/1.0", old(backendtest.Plain), "200 OK", backendtest.Completion},
		{"HTTP/1.0 stream", old(backendtest.Streaming), "400 Bad Request", `"param":"stream"`},
		{"HTTP/1.0, lost", "GET /x HTTP/1.0\r\n\r\n", "404 Not Found", "http://" + host + "/v1"},
		{"HTTP/1.0, other host", "GET /livez HTTP/1.0\r\nHost: attacker.example\r\n\r\n", "403 Forbidden", "unknown_host"},
		{"HTTP/1.0 from a page", "GET /livez HTTP/1.0\r\nOrigin: https://attacker.example\r\n\r\n", "403 Forbidden", "cross_origin"},
		{"CONNECT", "CONNECT api.example:443 HTTP/1.1\r\nHost: api.example:443\r\nConnection: close\r\n\r\n", "405 Method Not Allowed", "no proxy"},
		{"proxy request", "GET http://api.example/v1/models HTTP/1.1\r\nHost: api.example\r\nConnection: close\r\n\r\n", "403 Forbidden", "unknown_host"},
	} {
		got := b.raw(t, c.request)
		if !strings.Contains(got, " "+c.status+"\r\n") || !strings.Contains(got, "\r\nContent-Type: application/json\r\n") || !strings.Contains(got, c.want) {
			t.Errorf("%s: got %q, want %s with %s", c.name, got, c.status, c.want)
		}
		resp, err := http.ReadResponse(bufio.NewReader(strings.NewReader(got)), nil)
		if err != nil {
			t.Fatal(err)
		}
		check(t, openapi.Answer{
			Method: http.MethodPost, Path: "/v1/chat/completions", Status: resp.StatusCode,
			ContentType: resp.Header.Get("Content-Type"), Body: []byte(read(t, resp)),
		})
	}
}

// TestMalformed checks the words for what no handler sees.
func TestMalformed(t *testing.T) {
	for status, code := range map[int]string{400: "malformed_request", 417: "malformed_request", 431: "header_too_large", 501: "malformed_request", 505: "http_version"} {
		resp := &http.Response{
			StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}},
			Body: io.NopCloser(bytes.NewReader(api.Malformed(status))),
		}
		wantError(t, "malformed", resp, status, code)
	}
}
