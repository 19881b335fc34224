package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/culvert-net/culvert/api"
	"github.com/culvert-net/culvert/api/backend"
	"github.com/culvert-net/culvert/api/backend/backendtest"
	"github.com/culvert-net/culvert/api/keys"
)

// forgetful is a keys.Store that keeps nothing.
type forgetful struct{}

func (forgetful) Load(context.Context) ([]keys.Record, map[string]keys.Usage, error) {
	return nil, nil, nil
}
func (forgetful) SaveKey(context.Context, *keys.Record) error            { return nil }
func (forgetful) SaveUsage(context.Context, map[string]keys.Usage) error { return nil }

// keyed is a Server with keys, and a backend that counts.
type keyed struct {
	*bench
	ring   *keys.Ring
	groups []backend.Group
	answer func() *backend.Response
}

func withKeys(t *testing.T) *keyed {
	t.Helper()
	ring, err := keys.Open(t.Context(), forgetful{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	k := &keyed{ring: ring, answer: func() *backend.Response {
		return answered("application/json", `{"id":"x","usage":{"total_tokens":7}}`)
	}}
	k.bench = serve(t, api.Config{
		Keys: ring,
		Backend: stub{
			do: func(_ context.Context, req *backend.Request) (*backend.Response, error) {
				k.groups = append(k.groups, req.Group)
				return k.answer(), nil
			},
			models: func(context.Context) ([]backend.Model, error) {
				return []backend.Model{{ID: "llama3"}, {ID: "m"}, {ID: "qwen3"}, {ID: "tagged:latest", Alias: "tagged"}}, nil
			},
		},
		Local: func(context.Context) error { return errors.New("not asked where there are keys") },
	})
	return k
}

func (k *keyed) add(t *testing.T, name string, rules keys.Rules) string {
	t.Helper()
	text, _, err := k.ring.Add(t.Context(), name, rules)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func (k *keyed) ask(t *testing.T, key, body string) *http.Response {
	t.Helper()
	return k.send(t, http.MethodPost, "/v1/chat/completions", strings.NewReader(body),
		"Content-Type", "application/json", "Authorization", "Bearer "+key)
}

// failed checks an error in OpenAI's shape and returns its message.
func failed(t *testing.T, resp *http.Response, status int, kind, code string) string {
	t.Helper()
	var doc struct {
		Error struct{ Message, Type, Code string }
	}
	text, _ := io.ReadAll(resp.Body)
	if err := json.Unmarshal(text, &doc); err != nil || resp.StatusCode != status || doc.Error.Type != kind || doc.Error.Code != code {
		t.Errorf("answer = %d %s (%v), want %d %s %s", resp.StatusCode, text, err, status, kind, code)
	}
	return doc.Error.Message
}

func TestKeyIsRequired(t *testing.T) {
	k := withKeys(t)
	good := k.add(t, "good", keys.Rules{})
	gone := k.add(t, "gone", keys.Rules{})
	if _, err := k.ring.Revoke(t.Context(), "gone"); err != nil {
		t.Fatal(err)
	}
	unknown := k.add(t, "unknown", keys.Rules{})
	other := withKeys(t)
	other.add(t, "x", keys.Rules{})
	for _, tt := range []struct {
		name    string
		headers []string
		want    string // part of the message; "": let in
	}{
		{"good", []string{"Authorization", "Bearer " + good}, ""},
		{"good, as bearer in small letters", []string{"Authorization", "bearer  " + good}, ""},
		{"good, as Anthropic's clients send it", []string{"X-Api-Key", good}, ""},
		{"none", nil, "no API key was sent"},
		{"any", []string{"Authorization", "Bearer sk-any"}, "not a key of this program"},
		{"another scheme", []string{"Authorization", "Basic " + good}, "not a key of this program"},
		{"mistyped", []string{"Authorization", "Bearer " + good[:len(good)-1] + "1"}, "mistyped"},
		{"revoked", []string{"Authorization", "Bearer " + gone}, `"gone" was revoked`},
		{"Authorization counts, if there are both", []string{"Authorization", "Bearer x", "X-Api-Key", good}, "not a key"},
	} {
		resp := k.send(t, http.MethodPost, "/v1/chat/completions", strings.NewReader(backendtest.Plain), append(tt.headers, "Content-Type", "application/json")...)
		if tt.want == "" {
			if resp.StatusCode != http.StatusOK {
				t.Errorf("%s: status %d, want 200", tt.name, resp.StatusCode)
			}
			continue
		}
		message := failed(t, resp, http.StatusUnauthorized, "invalid_request_error", "invalid_api_key")
		if !strings.Contains(message, tt.want) || strings.Contains(message, good) || resp.Header.Get("WWW-Authenticate") == "" {
			t.Errorf("%s: message %q, want %q", tt.name, message, tt.want)
		}
	}
	// Two keys are none, whichever of them is good.
	for _, header := range []string{"Authorization", "X-Api-Key"} {
		resp := k.send(t, http.MethodGet, "/v1/models", nil, header, "Bearer "+good, header, "Bearer "+gone)
		if m := failed(t, resp, http.StatusUnauthorized, "invalid_request_error", "invalid_api_key"); !strings.Contains(m, "more than one") {
			t.Errorf("two of %s: %q", header, m)
		}
	}
	resp := other.ask(t, unknown, backendtest.Plain)
	if m := failed(t, resp, http.StatusUnauthorized, "invalid_request_error", "invalid_api_key"); !strings.Contains(m, "not known here") {
		t.Errorf("a key of another bridge: %q", m)
	}
	// Everything but the probes is behind the door, the lists and what does not exist too.
	for path, want := range map[string]int{"/": 200, "/livez": 200, "/readyz": 200, "/v1/models": 401, "/v1/none": 401, "/chat/completions": 401} {
		if resp := k.send(t, http.MethodGet, path, nil); resp.StatusCode != want {
			t.Errorf("GET %s without a key = %d, want %d", path, resp.StatusCode, want)
		}
	}
	if strings.Contains(k.log.String(), good) || strings.Contains(k.log.String(), gone) {
		t.Error("a key is in the log")
	}
}

// Whoever may not ask hears whether the server is ready, and not why it is not.
func TestReadyzKeepsItsReasons(t *testing.T) {
	ring, err := keys.Open(t.Context(), forgetful{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	stranger := errors.New("another user")
	b := serve(t, api.Config{
		Backend: stub{}, Keys: ring, Local: func(context.Context) error { return stranger },
		Ready: func() error { return errors.New("http://10.1.2.3 is away") },
	})
	const bare, full = "{\"ready\":false}\n", "{\"ready\":false,\"reasons\":[\"http://10.1.2.3 is away\"]}\n"
	check := func(who, want string, headers ...string) {
		t.Helper()
		resp := b.send(t, http.MethodGet, "/readyz", nil, headers...)
		if text := read(t, resp); resp.StatusCode != http.StatusServiceUnavailable || text != want {
			t.Errorf("%s: %d %s, want %s", who, resp.StatusCode, text, want)
		}
	}
	check("another user", bare)
	stranger = nil
	check("the same user", full)
	key, _, err := ring.Add(t.Context(), "k", keys.Rules{})
	if err != nil {
		t.Fatal(err)
	}
	check("no key", bare)
	check("a key", full, "Authorization", "Bearer "+key)
}

func TestKeyModels(t *testing.T) {
	k := withKeys(t)
	key := k.add(t, "some", keys.Rules{Models: []string{"m", "qwen*"}})
	if resp := k.ask(t, key, backendtest.Plain); resp.StatusCode != http.StatusOK {
		t.Errorf("an allowed model: status %d", resp.StatusCode)
	}
	message := failed(t, k.ask(t, key, strings.Replace(backendtest.Plain, `"m"`, `"llama3"`, 1)), http.StatusForbidden, "invalid_request_error", "model_not_found")
	if !strings.Contains(message, `"some"`) || !strings.Contains(message, `"llama3"`) || !strings.Contains(message, "m, qwen*") {
		t.Errorf("message = %q, want key, model and what is allowed", message)
	}
	// Gateways take a list of models to fall back on, beside the one that was checked.
	for _, field := range []string{`"models":["llama3"]`, `"Fallbacks":[{"m":["llama3"]}]`, `"\u006dodels":["llama3"],"models":null`} {
		body := strings.Replace(backendtest.Plain, `"model"`, field+`,"model"`, 1)
		if m := failed(t, k.ask(t, key, body), http.StatusBadRequest, "invalid_request_error", ""); !strings.Contains(m, `"some"`) {
			t.Errorf("%s: message %q", field, m)
		}
	}
	if len(k.groups) != 1 {
		t.Errorf("%d requests reached the backend, want one", len(k.groups))
	}
	fallback := strings.Replace(backendtest.Plain, `"model"`, `"models":["llama3"],"model"`, 1)
	if resp := k.ask(t, k.add(t, "every", keys.Rules{}), fallback); resp.StatusCode != http.StatusOK {
		t.Errorf("a list of models, with a key for all of them: status %d", resp.StatusCode)
	}
	list := func(key string) (string, string) {
		resp := k.send(t, http.MethodGet, "/v1/models", nil, "Authorization", "Bearer "+key)
		text, _ := io.ReadAll(resp.Body)
		return string(text), resp.Header.Get("ETag")
	}
	some, tag := list(key)
	if strings.Contains(some, "llama3") || !strings.Contains(some, `"m"`) || !strings.Contains(some, "qwen3") {
		t.Errorf("models of the key = %s", some)
	}
	// One may be asked for by its alias, and so is listed.
	if short, _ := list(k.add(t, "short", keys.Rules{Models: []string{"tagged"}})); !strings.Contains(short, `"tagged:latest"`) || strings.Contains(short, "llama3") {
		t.Errorf("models of a key for an alias = %s", short)
	}
	if all, other := list(k.add(t, "all", keys.Rules{})); !strings.Contains(all, "llama3") || tag == other {
		t.Errorf("models of a key for all = %s, with ETag %s; the other's is %s", all, other, tag)
	}
}

func TestKeyLimits(t *testing.T) {
	k := withKeys(t)
	key := k.add(t, "laptop", keys.Rules{Requests: keys.Limit{Month: 3}, Tokens: keys.Limit{Month: 14}})
	k.answer = func() *backend.Response {
		resp := answered("application/json", `{"id":"x","usage":{"total_tokens":7}}`)
		resp.Header.Set("X-Ratelimit-Remaining-Tokens", "99999")
		return resp
	}
	h := func(resp *http.Response, names ...string) string {
		var all []string
		for _, name := range names {
			all = append(all, resp.Header.Get("x-ratelimit-"+name))
		}
		return strings.Join(all, " ")
	}
	resp := k.ask(t, key, backendtest.Plain)
	if got := h(resp, "limit-requests", "remaining-requests", "limit-tokens", "remaining-tokens"); resp.StatusCode != 200 || got != "3 2 14 14" {
		t.Errorf("first: %d with %s", resp.StatusCode, got)
	}
	if reset := h(resp, "reset-requests"); !strings.HasSuffix(reset, "s") {
		t.Errorf("reset = %q, want a duration", reset)
	}
	// What is refused before it is sent on is not counted.
	k.ask(t, key, `{"model":"m"}`)
	if got := h(k.ask(t, key, backendtest.Plain), "remaining-requests", "remaining-tokens"); got != "1 7" {
		t.Errorf("second: %s", got)
	}
	resp = k.ask(t, key, backendtest.Plain)
	message := failed(t, resp, http.StatusTooManyRequests, "tokens", "rate_limit_exceeded")
	if !strings.Contains(message, `key "laptop" has used its 14 tokens per month; it begins anew in`) || !strings.HasSuffix(message, "-01 00:00:00 UTC") {
		t.Errorf("message = %q", message)
	}
	if resp.Header.Get("Retry-After") == "" || h(resp, "remaining-requests", "remaining-tokens") != "1 0" || resp.Header.Get("X-Should-Retry") != "false" {
		t.Errorf("headers of 429 = %v", resp.Header)
	}
	if len(k.groups) != 2 {
		t.Errorf("%d requests reached the backend, want 2", len(k.groups))
	}
	if got := k.ring.Limited(); got[keys.Tokens] != 1 || got[keys.Requests] != 0 {
		t.Errorf("refused requests are counted as %v", got)
	}
	// A key without limits is told those of the far end.
	if got := h(k.ask(t, k.add(t, "free", keys.Rules{}), backendtest.Plain), "limit-requests", "remaining-tokens"); got != " 99999" {
		t.Errorf("without limits: %q", got)
	}
}

// Tokens of streams are counted too, of those that were cut and of those that
// do not say.
func TestKeyCountsStreams(t *testing.T) {
	event := backendtest.Chunk(0)
	prompt := int64(len(backendtest.Streaming) / 4)
	for _, tt := range []struct {
		name, answer string
		want         int64
	}{
		{"with usage", event + "data: {\"choices\":[],\"usage\":{\"total_tokens\":42}}\n\ndata: [DONE]\n\n", 42},
		{"without", event + event + event + "data: [DONE]\n\n", prompt + 4},
		{"cut", event + event, prompt + 2},
	} {
		k := withKeys(t)
		key := k.add(t, "k", keys.Rules{})
		k.answer = func() *backend.Response { return answered("text/event-stream", tt.answer) }
		resp := k.ask(t, key, backendtest.Streaming)
		_, _ = io.Copy(io.Discard, resp.Body)
		waitFor(t, tt.name+" is counted", func() bool { return k.ring.List()[0].Used["day"].Tokens != 0 })
		if u := k.ring.List()[0].Used["day"]; u.Tokens != tt.want || u.Requests != 1 {
			t.Errorf("%s: used = %+v, want %d tokens", tt.name, u, tt.want)
		}
	}
}

// A key's own isolation comes before the bridge's, and a group is the key's.
func TestKeyIsolation(t *testing.T) {
	k := withKeys(t)
	free, same := k.add(t, "free", keys.Rules{}), k.add(t, "same", keys.Rules{Isolation: keys.ByKey})
	other := strings.Replace(backendtest.Plain, `"role":"user"`, `"role":"user","name":"x"`, 1)
	for _, key := range []string{free, same} {
		for _, body := range []string{backendtest.Plain, backendtest.Plain, other} {
			if resp := k.ask(t, key, body); resp.StatusCode != 200 {
				t.Fatalf("status %d", resp.StatusCode)
			}
		}
	}
	g := k.groups
	if g[0] != g[1] || g[0] == g[2] || g[3] != g[4] || g[3] != g[5] || g[0] == g[3] {
		t.Errorf("groups = %.4x; want by conversation for one key, by key for the other", g)
	}
}

// Without keys, whose process asks decides.
func TestLocalCallers(t *testing.T) {
	var verdict error
	s := serve(t, api.Config{
		Backend: stub{do: func(context.Context, *backend.Request) (*backend.Response, error) {
			return answered("application/json", `{"id":"x"}`), nil
		}},
		Local: func(context.Context) error { return verdict },
	})
	if resp := s.post(t, backendtest.Plain); resp.StatusCode != http.StatusOK {
		t.Errorf("an own process: status %d", resp.StatusCode)
	}
	verdict = errors.New("uid 7")
	message := failed(t, s.post(t, backendtest.Plain), http.StatusForbidden, "permission_error", "other_user")
	if !strings.Contains(message, "bridge keys add NAME") || strings.Contains(message, "uid 7") {
		t.Errorf("message = %q", message)
	}
	if resp := s.send(t, http.MethodGet, "/livez", nil); resp.StatusCode != http.StatusOK {
		t.Errorf("a probe: status %d", resp.StatusCode)
	}
}
