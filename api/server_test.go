package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/culvert-net/culvert/api"
	"github.com/culvert-net/culvert/api/backend"
	"github.com/culvert-net/culvert/api/backend/backendtest"
	"github.com/culvert-net/culvert/api/backend/openai"
	"github.com/culvert-net/culvert/internal/openapi"
)

// journal is a log that can be read while it is written.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// wait waits until the log holds text.
func (j *journal) wait(t *testing.T, text string) {
	t.Helper()
	waitFor(t, "the log says "+text, func() bool { return strings.Contains(j.String(), text) })
}

// bench is a Server on a real port, in front of an Upstream.
type bench struct {
	url string
	up  *backendtest.Upstream
	log *journal
}

func start(t *testing.T) *bench {
	t.Helper()
	up := backendtest.NewUpstream(t)
	client, err := openai.New(openai.Config{BaseURL: up.URL})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	b := serve(t, api.Config{Backend: client})
	b.up = up
	return b
}

// serve serves cfg, with a log.
func serve(t *testing.T, cfg api.Config) *bench {
	t.Helper()
	b := &bench{log: &journal{}}
	cfg.Log = slog.New(slog.NewTextHandler(b.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	s, err := api.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(s.Handler())
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	b.url = server.URL
	return b
}

// check measures an answer that no client of ours got.
func check(t *testing.T, a openapi.Answer) {
	t.Helper()
	d, err := openapi.Published()
	if err == nil {
		err = d.Check(a)
	}
	if err != nil {
		t.Error(err)
	}
}

// measured measures every answer by OpenAI's description.
func measured(t *testing.T, base http.RoundTripper, foreign func() bool) *openapi.Transport {
	t.Helper()
	d, err := openapi.Published()
	if err != nil {
		t.Fatal(err)
	}
	return &openapi.Transport{Base: base, Description: d, Foreign: foreign, Report: func(err error) { t.Error(err) }}
}

// transport measures those of b, whose Upstream may be foreign to it.
func (b *bench) transport(t *testing.T) *openapi.Transport {
	t.Helper()
	return measured(t, nil, func() bool { return b.up != nil && b.up.Foreign() })
}

// http is a client of such a transport.
func (b *bench) http(t *testing.T) *http.Client {
	t.Helper()
	return &http.Client{Transport: b.transport(t)}
}

// post sends a chat request.
func (b *bench) post(t *testing.T, body string) *http.Response {
	t.Helper()
	return b.send(t, http.MethodPost, "/v1/chat/completions", strings.NewReader(body), "Content-Type", "application/json")
}

func (b *bench) send(t *testing.T, method, path string, body io.Reader, headers ...string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, b.url+path, body)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i] == "Host" {
			req.Host = headers[i+1]
			continue
		}
		req.Header.Add(headers[i], headers[i+1])
	}
	resp, err := b.transport(t).RoundTrip(req)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	return resp
}

// read is the whole answer, which must not be cut.
func read(t *testing.T, resp *http.Response) string {
	t.Helper()
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("reading the answer: %v", err)
	}
	return string(text)
}

// wantError checks that resp is an error in OpenAI's shape.
func wantError(t *testing.T, name string, resp *http.Response, status int, code string) string {
	t.Helper()
	text := read(t, resp)
	// Whatever was asked: some errors are about what was no request.
	check(t, openapi.Answer{
		Method: http.MethodPost, Path: "/", Status: resp.StatusCode, ContentType: resp.Header.Get("Content-Type"), Body: []byte(text),
	})
	var doc struct {
		Error *struct {
			Message string  `json:"message"`
			Type    string  `json:"type"`
			Param   *string `json:"param"`
			Code    *string `json:"code"`
		} `json:"error"`
	}
	if err := json.Unmarshal([]byte(text), &doc); err != nil || doc.Error == nil || doc.Error.Message == "" || doc.Error.Type == "" {
		t.Errorf("%s: %d, body %q is no error that says something (%v)", name, resp.StatusCode, text, err)
		return ""
	}
	got := ""
	if doc.Error.Code != nil {
		got = *doc.Error.Code
	}
	if resp.StatusCode != status || got != code {
		t.Errorf("%s: status %d, code %q (%s); want %d, %q", name, resp.StatusCode, got, doc.Error.Message, status, code)
	}
	if ct := resp.Header.Get("Content-Type"); ct != "application/json" {
		t.Errorf("%s: Content-Type %q", name, ct)
	}
	return doc.Error.Message
}

func TestNew(t *testing.T) {
	for name, cfg := range map[string]api.Config{
		"no backend":      {},
		"quick heartbeat": {Backend: stub{}, Heartbeat: time.Second},
	} {
		if _, err := api.New(cfg); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// stub is a Backend of functions.
type stub struct {
	do     func(ctx context.Context, req *backend.Request) (*backend.Response, error)
	models func(ctx context.Context) ([]backend.Model, error)
}

func (s stub) Do(ctx context.Context, req *backend.Request) (*backend.Response, error) {
	return s.do(ctx, req)
}

func (s stub) Models(ctx context.Context) ([]backend.Model, error) { return s.models(ctx) }

func answered(contentType, text string) *backend.Response {
	return &backend.Response{
		Status: http.StatusOK, Header: http.Header{"Content-Type": {contentType}},
		Body: io.NopCloser(strings.NewReader(text)),
	}
}

func TestHeaders(t *testing.T) {
	b := serve(t, api.Config{Backend: stub{do: func(context.Context, *backend.Request) (*backend.Response, error) {
		resp := answered("application/json; charset=x", "{}")
		resp.Header.Set("Set-Cookie", "a=b")
		resp.Header.Set("X-Ratelimit-Limit-Tokens", "7")
		resp.Origin = backend.Origin{Provider: "blue-heron", Circuit: "c-12"}
		return resp, nil
	}}})
	resp := b.post(t, backendtest.Plain)
	for name, want := range map[string]string{
		"Content-Type": "application/json", "Content-Length": "2", "Cache-Control": "no-cache",
		"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; sandbox",
		"X-Culvert-Provider": "blue-heron", "X-Culvert-Circuit": "c-12", "X-Ratelimit-Limit-Tokens": "7", "Set-Cookie": "",
	} {
		if got := resp.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	for _, name := range []string{"X-Request-Id", "X-Culvert-Overhead-Us"} {
		if resp.Header.Get(name) == "" {
			t.Errorf("%s is missing", name)
		}
	}
	if again := b.post(t, backendtest.Plain).Header.Get("X-Request-Id"); again == resp.Header.Get("X-Request-Id") {
		t.Errorf("two requests have the id %s", again)
	}
	local := start(t).post(t, backendtest.Plain)
	if local.Header["X-Culvert-Provider"] != nil || local.Header["X-Culvert-Circuit"] != nil {
		t.Errorf("local mode names a provider: %v", local.Header)
	}
}

// TestLog checks what is logged of a request, and what is not.
func TestLog(t *testing.T) {
	b := start(t)
	read(t, b.send(t, http.MethodPost, "/v1/chat/completions?key=secret-query",
		strings.NewReader(`{"model":"m","messages":[{"role":"user","content":"secret-prompt"}]}`),
		"Content-Type", "application/json", "Authorization", "Bearer secret-key", "User-Agent", "secret-agent"))
	read(t, b.send(t, http.MethodGet, "/secret-path", nil))
	b.log.wait(t, "status=404")
	text := b.log.String()
	for _, want := range []string{"level=DEBUG msg=request", "route=/v1/chat/completions", "status=200", "method=POST", "id=req_"} {
		if !strings.Contains(text, want) {
			t.Errorf("the log lacks %q:\n%s", want, text)
		}
	}
	if strings.Contains(text, "secret") || strings.Contains(text, "Hello") {
		t.Errorf("the log tells secrets:\n%s", text)
	}
}

func TestPanic(t *testing.T) {
	b := serve(t, api.Config{Backend: stub{do: func(context.Context, *backend.Request) (*backend.Response, error) {
		panic("secret-prompt")
	}}})
	wantError(t, "panic", b.post(t, backendtest.Plain), http.StatusInternalServerError, "internal_error")
	b.log.wait(t, "status=500")
	if text := b.log.String(); !strings.Contains(text, "level=ERROR") || strings.Contains(text, "secret") {
		t.Errorf("log:\n%s", text)
	}
}

func TestBackendErrors(t *testing.T) {
	b := serve(t, api.Config{Backend: stub{do: func(context.Context, *backend.Request) (*backend.Response, error) {
		return nil, errors.New("dial tcp 10.0.0.1:80: refused")
	}}})
	if message := wantError(t, "plain error", b.post(t, backendtest.Plain), http.StatusBadGateway, "upstream_failed"); strings.Contains(message, "10.0.0.1") {
		t.Errorf("message %q tells where the server is", message)
	}
	b.log.wait(t, "10.0.0.1")
}
