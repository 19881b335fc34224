package openai_test

import (
	"context"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"

	"github.com/culvert-net/culvert/api/backend"
	"github.com/culvert-net/culvert/api/backend/backendtest"
	"github.com/culvert-net/culvert/api/backend/openai"
	wire "github.com/culvert-net/culvert/api/openai"
)

func newClient(t *testing.T, cfg openai.Config) *openai.Client {
	t.Helper()
	c, err := openai.New(cfg)
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func TestConformance(t *testing.T) {
	backendtest.Run(t, func(t *testing.T, up *backendtest.Upstream) backend.Backend {
		return newClient(t, openai.Config{BaseURL: up.URL})
	})
}

func TestBaseURL(t *testing.T) {
	up := backendtest.NewUpstream(t)
	for path, want := range map[string]string{
		"":                  "/v1/chat/completions",
		"/":                 "/v1/chat/completions",
		"/v1":               "/v1/chat/completions",
		"/v1/":              "/v1/chat/completions",
		"/openai/v1":        "/openai/v1/chat/completions",
		"/v1beta":           "/v1beta/chat/completions",
		"/api/paas/v4/":     "/api/paas/v4/chat/completions",
		"/a%2Fb":            "/a%2Fb/v1/chat/completions",
		"/deployments/v1-x": "/deployments/v1-x/v1/chat/completions",
	} {
		if err := outcome(t, newClient(t, openai.Config{BaseURL: up.URL + path}), backendtest.Plain); err != nil {
			t.Errorf("%q: %v", path, err)
		}
		if got := up.Next(t).Path; got != want {
			t.Errorf("base %q asks %s, want %s", path, got, want)
		}
	}
	for _, bad := range []string{
		"", "localhost:8000", "ftp://x", "http://", "http://me:secret@host", "http://host/?key=secret",
		"http://host/#secret", "http://ho st:secret", "http://host:port/secret",
	} {
		_, err := openai.New(openai.Config{BaseURL: bad})
		if err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("New(%q): %v", bad, err)
		}
	}
}

func TestKey(t *testing.T) {
	up := backendtest.NewUpstream(t)
	req := backendtest.Request(t, backendtest.Plain)
	req.Header.Set("Authorization", "Bearer the-client's")
	for key, want := range map[string]string{"": "", "ours": "Bearer ours"} {
		resp, err := newClient(t, openai.Config{BaseURL: up.URL, Key: key}).Do(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if got := up.Next(t).Header.Get("Authorization"); got != want {
			t.Errorf("key %q: Authorization %q, want %q", key, got, want)
		}
	}
}

func TestOtherPath(t *testing.T) {
	req := backendtest.Request(t, backendtest.Plain)
	req.Path = "/admin"
	up := backendtest.NewUpstream(t)
	if _, err := newClient(t, openai.Config{BaseURL: up.URL}).Do(t.Context(), req); err == nil || len(up.Calls()) > 0 {
		t.Errorf("a path outside /v1 was asked: %v", err)
	}
}

func TestModels(t *testing.T) {
	up := backendtest.NewUpstream(t)
	up.Set(backendtest.Answer(`{"object":"list","data":[{"id":"b","created":5,"owned_by":"x"},{"id":"a","created":1.5},` +
		`{"id":"b","owned_by":"y"},{"id":""},{"id":"bad\u0007"},{"id":"` + strings.Repeat("l", 300) + `"},{"id":"c","owned_by":"\u202e"}]}`))
	c := newClient(t, openai.Config{BaseURL: up.URL, Key: "k"})
	want := []backend.Model{{ID: "a"}, {ID: "b", OwnedBy: "x", Created: 5}, {ID: "c"}}
	for range 3 {
		got, err := c.Models(t.Context())
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("%+v, %v", got, err)
		}
		got[0].ID = "changed by the caller"
	}
	if calls := up.Calls(); len(calls) != 1 || calls[0].Path != "/v1/models" || calls[0].Header.Get("Authorization") != "Bearer k" {
		t.Errorf("%d requests for models, want 1 with the key", len(calls))
	}
}

func TestModelsFail(t *testing.T) {
	up := backendtest.NewUpstream(t)
	for name, behave := range map[string]backendtest.Behaviour{
		"no list":    backendtest.Answer(`{"object":"list"}`),
		"not JSON":   backendtest.Answer(`hello`),
		"status":     backendtest.Status(500, "text/html", "<html>"),
		"wrong type": backendtest.Status(200, "text/html", "<html>"),
		"cut":        backendtest.CutAnswer(backendtest.Completion),
	} {
		up.Set(behave)
		if list, err := newClient(t, openai.Config{BaseURL: up.URL}).Models(t.Context()); err == nil {
			t.Errorf("%s: %+v", name, list)
		}
	}
	up.Set(backendtest.Silent)
	c := newClient(t, openai.Config{BaseURL: up.URL})
	ctx, cancel := context.WithCancel(t.Context())
	first := make(chan error)
	go func() {
		_, err := c.Models(ctx)
		first <- err
	}()
	for range 5 { // the requests of the table, and the one that waits now
		up.Next(t)
	}
	call := up.Next(t)
	waiting, giveUp := context.WithCancel(t.Context())
	giveUp()
	if _, err := c.Models(waiting); err != context.Canceled {
		t.Errorf("a caller who gives up waiting got %v", err)
	}
	cancel()
	call.WaitCancelled(t)
	if err := <-first; err != context.Canceled {
		t.Errorf("the caller who asks got %v", err)
	}
}

// TestQuota is a server where our account is empty: like TestKeyRefused.
func TestQuota(t *testing.T) {
	up := backendtest.NewUpstream(t)
	up.Set(backendtest.Status(402, "application/json", `{"error":"empty"}`))
	wantError(t, "402", outcome(t, newClient(t, openai.Config{BaseURL: up.URL}), backendtest.Plain), 429, "insufficient_quota")
}

// TestKeyRefused is a server that does not take our key. In local mode the
// person who asked set it, and is told so; a provider's end of a tunnel keeps
// it to itself, which is why the conformance suite does not ask.
func TestKeyRefused(t *testing.T) {
	up := backendtest.NewUpstream(t)
	up.Set(backendtest.Status(401, "application/json", `{"error":"no key"}`))
	err := outcome(t, newClient(t, openai.Config{BaseURL: up.URL}), backendtest.Plain)
	if e, ok := errors.AsType[*wire.Error](err); !ok || e.Status != 401 || e.Type != wire.TypeAuthentication || e.Message != "no key" {
		t.Errorf("outcome = %#v, want the server's 401", err)
	}
}

// TestKeyIsNotRepeated is a server that quotes the key it was sent: in a refusal,
// and in an answer that has begun.
func TestKeyIsNotRepeated(t *testing.T) {
	const key = "gsk_4f9a1b2c3d4e5f60718293a4b5c6d7e8"
	up := backendtest.NewUpstream(t)
	c := newClient(t, openai.Config{BaseURL: up.URL, Key: key})
	for _, status := range []int{200, 401, 500} {
		up.Set(backendtest.Status(status, "application/json", `{"error":{"message":"the key `+key+` is of no use","code":"`+key+`"}}`))
		resp, err := c.Do(t.Context(), backendtest.Request(t, backendtest.Plain))
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || strings.Contains(string(text), key) || !strings.Contains(string(text), "is of no use") {
			t.Errorf("%d: %s, %v", status, text, err)
		}
	}
}

// TestAlias is about names without :latest: once the server's models are known,
// it is sent the name that it lists, and nothing else of a body changes.
func TestAlias(t *testing.T) {
	up := backendtest.NewUpstream(t)
	up.Set(backendtest.ByPath(backendtest.Answer(`{"data":[{"id":"m:latest"},{"id":"q"},{"id":"q:latest"},{"id":"small","max_model_len":16}]}`),
		backendtest.Answer(backendtest.Completion)))
	c := newClient(t, openai.Config{BaseURL: up.URL})
	sent := func(model string) string {
		t.Helper()
		if err := outcome(t, c, strings.Replace(backendtest.Plain, `"m"`, ` "`+model+`" `, 1)); err != nil {
			t.Fatal(err)
		}
		calls := up.Calls()
		return string(calls[len(calls)-1].Body)
	}
	want := func(model string) string { return strings.Replace(backendtest.Plain, `"m"`, ` "`+model+`" `, 1) }
	if got := sent("m"); got != want("m") {
		t.Errorf("before the models are known the server got %s", got)
	}
	list, err := c.Models(t.Context())
	if err != nil || len(list) != 4 || list[0].Alias != "m" || list[2].Alias != "" || list[3].Context != 16 {
		t.Fatalf("Models = %+v, %v", list, err)
	}
	for model, as := range map[string]string{"m": "m:latest", "m:latest": "m:latest", "q": "q", "q:latest": "q:latest", "other": "other"} {
		if got := sent(model); got != want(as) {
			t.Errorf("asked for %s, the server got %s, want %s", model, got, want(as))
		}
	}
	// A prompt that cannot fit is not sent.
	before := len(up.Calls())
	err = outcome(t, c, `{"model":"small","messages":[{"role":"user","content":"`+strings.Repeat("word ", 17)+`"}]}`)
	wantError(t, "beyond the context", err, 400, "context_length_exceeded")
	if n := len(up.Calls()); n != before {
		t.Errorf("%d requests, want none", n-before)
	}
}
