package bridge

import (
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/culvert-net/culvert/api/keys"
	"github.com/culvert-net/culvert/internal/app"
)

func newKeyring(t *testing.T) *keyring {
	t.Helper()
	data, err := app.OpenData(t.TempDir(), program)
	if err != nil {
		t.Fatal(err)
	}
	k, err := openKeys(t.Context(), data, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = errors.Join(k.close(), data.Close()) })
	return k
}

// Other machines are served only where there is a key.
// What is printed can be put into a client.
func TestBaseURLs(t *testing.T) {
	var own []netip.Addr
	for _, ip := range []string{"127.0.0.1", "192.168.1.2", "::1", "fe80::1", "2001:db8::1"} {
		own = append(own, netip.MustParseAddr(ip))
	}
	everywhere := []string{"http://127.0.0.1:1/v1", "http://192.168.1.2:1/v1", "http://[2001:db8::1]:1/v1"}
	for addr, want := range map[string][]string{
		"127.0.0.1:8811": {"http://127.0.0.1:8811/v1"}, "[::1]:8811": {"http://[::1]:8811/v1"},
		"[::]:1": everywhere, "0.0.0.0:1": everywhere,
	} {
		if got := baseURLs(netip.MustParseAddrPort(addr), own); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", addr, got, want)
		}
	}
}

func TestCheckListen(t *testing.T) {
	k := newKeyring(t)
	log := slog.New(slog.DiscardHandler)
	loopback, public := []string{"127.0.0.1:1", "[::1]:1"}, []string{"0.0.0.0:1", ":1", "[::]:1", "192.168.1.2:1"}
	if err := k.checkListen(loopback, log); err != nil {
		t.Errorf("loopback without keys: %v", err)
	}
	for _, addr := range public {
		err := k.checkListen([]string{"127.0.0.1:1", addr}, log)
		if app.Code(err) != app.ExitRefused || !strings.Contains(err.Error(), "api.listen (--listen) "+addr) || !errors.Is(err, errNoKeys) {
			t.Errorf("%s without keys: %v, want exit code 4 and why", addr, err)
		}
	}
	if _, _, err := k.Add(t.Context(), "k", keys.Rules{}); err != nil {
		t.Fatal(err)
	}
	if err := k.checkListen(append(loopback, public...), log); err != nil {
		t.Errorf("with a key: %v", err)
	}
}

func TestHosts(t *testing.T) {
	got, err := hosts([]string{"box.lan"}, []string{"127.0.0.1:1", "192.168.7.2:1", "[fd00::1]:1"})
	if want := []string{"box.lan", "192.168.7.2", "fd00::1"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("hosts = %v, %v; want %v", got, err, want)
	}
	got, err = hosts(nil, []string{"0.0.0.0:1"})
	if err != nil || !slices.Contains(got, "127.0.0.1") {
		t.Errorf("hosts of all addresses = %v, %v; want this machine's", got, err)
	}
}

func TestKeysStatus(t *testing.T) {
	k := newKeyring(t)
	rows := func() (text string) {
		k.status().rows(func(name, format string, args ...any) { text = name + format })
		return text
	}
	k.local = nil
	if s := k.status(); s.Callers != CallersAll || !strings.Contains(rows(), "ANY PROGRAM OF THIS MACHINE") {
		t.Errorf("where callers cannot be told: %+v, %q", s, rows())
	}
	k.local = newKeyring(t).local
	if s := k.status(); k.local != nil && (s.Callers != CallersUser || !strings.Contains(rows(), "this user")) {
		t.Errorf("without keys: %+v, %q", s, rows())
	}
	for _, name := range []string{"a", "b"} {
		if _, _, err := k.Add(t.Context(), name, keys.Rules{}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := k.Revoke(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	if s := k.status(); *s != (KeysStatus{1, 1, CallersKeys}) {
		t.Errorf("with keys: %+v", s)
	}
	(*KeysStatus)(nil).rows(func(string, string, ...any) { t.Error("no status prints a row") })
}

// Commands that make no sense are refused, and others' are not looked at.
func TestKeysAdmin(t *testing.T) {
	k := newKeyring(t)
	k.local = nil
	h := k.admin(http.NotFoundHandler())
	do := func(method, path, body string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader(body)))
		return w
	}
	for _, tt := range []struct {
		method, path, body string
		status             int
		want               string
	}{
		{"POST", "/keys/add", `{"name":"a"}`, 200, keys.Prefix},
		{"POST", "/keys/add", `{"name":"a"}`, 409, "already"},
		{"POST", "/keys/add", `{"name":"b","rules":{"money":1}}`, 400, "same version"},
		{"POST", "/keys/add", `{"name":"` + strings.Repeat("x", maxKeyCommand) + `"}`, 400, "error"},
		{"POST", "/keys/add", `{"name":"b","rules":{"isolation":"x"}}`, 409, "isolation"},
		{"GET", "/keys/add", "", 404, ""},
		{"GET", "/keys", "", 200, `"name": "a"`},
		{"POST", "/keys/revoke", `{"key":"a"}`, 200, "revoked"},
		{"POST", "/keys/revoke", `{"key":"a"}`, 409, "revoked already"},
		{"GET", "/other", "", 404, ""},
	} {
		if w := do(tt.method, tt.path, tt.body); w.Code != tt.status || !strings.Contains(w.Body.String(), tt.want) {
			t.Errorf("%s %s %.40s = %d %.200s, want %d %q", tt.method, tt.path, tt.body, w.Code, w.Body, tt.status, tt.want)
		}
	}
	if strings.Contains(do("GET", "/keys", "").Body.String(), "sha256") {
		t.Error("the list has digests")
	}
	k = newKeyring(t)
	if k.local != nil { // the test's requests come on no connection that is known
		h = k.admin(http.NotFoundHandler())
		if w := do("GET", "/keys", ""); w.Code != http.StatusForbidden {
			t.Errorf("another user's command = %d, want 403", w.Code)
		}
	}
}

func TestExpiry(t *testing.T) {
	now := time.Date(2026, 6, 1, 12, 0, 0, 5, time.UTC)
	for text, want := range map[string]string{
		"":                          "0001-01-01T00:00:00Z",
		"30d":                       "2026-07-01T12:00:00Z",
		"12h":                       "2026-06-02T00:00:00Z",
		"90m":                       "2026-06-01T13:30:00Z",
		"2027-01-01":                "2027-01-01T00:00:00Z",
		"2026-06-01T15:00:00+02:00": "2026-06-01T13:00:00Z",
		"2026-06-01":                "",
		"-1h":                       "",
		"0d":                        "",
		"d":                         "",
		"1.5d":                      "",
		"4000000000d":               "",
		"99999999d":                 "",
		"tomorrow":                  "",
	} {
		got, err := expiry(text, now)
		if (err == nil) != (want != "") || err == nil && got.Format(time.RFC3339) != want {
			t.Errorf("expiry(%q) = %v, %v; want %q", text, got, err, want)
		}
	}
}

func TestPrintKeys(t *testing.T) {
	past := time.Date(2020, 1, 2, 0, 0, 0, 0, time.UTC)
	var out strings.Builder
	sum, err := keys.ParseAmount("20000000000000000000")
	if err != nil {
		t.Fatal(err)
	}
	err = printKeys(&out, []keys.Listed{
		{Key: keys.Key{Name: "a", ID: "key_a", Hint: "wxyz", Rules: keys.Rules{Models: []string{"m", "n*"}, Requests: keys.Limit{Day: 5}, Tokens: keys.Limit{Month: 6}}}, Used: map[string]keys.Count{"month": {Requests: 7, Tokens: 8}}},
		{Key: keys.Key{Name: "b", Revoked: past}},
		{Key: keys.Key{Name: "c", Rules: keys.Rules{Expires: past}}},
		{Key: keys.Key{Name: "d", Rules: keys.Rules{Expires: past.AddDate(500, 0, 0)}}},
		{Key: keys.Key{Name: "e", Rules: keys.Rules{Money: keys.Money{Day: sum}}}, Used: map[string]keys.Count{"month": {Requests: 9, Money: sum}}},
	}, "bridge keys add NAME")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"sk-culvert-…wxyz", "m,n*", "5 requests/day, 6 tokens/month", "7 requests, 8 tokens", "revoked 2020-01-02", "expired 2020-01-02", "until 2520-01-02", "20000000000000000000 wei/day", "9 requests, 0 tokens, 20000000000000000000 wei"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("list = %s; want %q in it", out.String(), want)
		}
	}
	out.Reset()
	if err := printKeys(&out, nil, "bridge keys add NAME"); err != nil || !strings.Contains(out.String(), "bridge keys add NAME") {
		t.Errorf("no keys: %s, %v", out.String(), err)
	}
}
