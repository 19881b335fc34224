package backend_test

import (
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/culvert-net/culvert/api/backend"
	"github.com/culvert-net/culvert/api/openai"
)

func TestRequestHeader(t *testing.T) {
	from := http.Header{"Cookie": {"x"}, "Authorization": {"Bearer x"}, "Accept": {"*/*"}, "Content-Type": {"text/html"}}
	for _, c := range []struct {
		req  backend.Request
		want string
	}{
		{backend.Request{Header: from}, "Accept=application/json"},
		{backend.Request{Header: from, Body: []byte("{}")}, "Accept=application/json Content-Type=application/json"},
		{backend.Request{Header: from, Body: []byte("{}"), View: openai.View{Stream: true}}, "Accept=text/event-stream Content-Type=application/json"},
	} {
		if got := show(backend.RequestHeader(&c.req)); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
}

func show(h http.Header) string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(h)) {
		all = append(all, name+"="+strings.Join(h[name], ","))
	}
	return strings.Join(all, " ")
}

func TestResponseHeader(t *testing.T) {
	for _, c := range []struct{ name, value, want string }{
		{"Content-Type", "application/json; charset=utf-8", "Content-Type=application/json"},
		{"Content-Type", "Text/Event-Stream;broken=\"", "Content-Type=text/event-stream"},
		{"Content-Type", "text/html", ""},
		{"Content-Type", "", ""},
		{"Retry-After", "20", "Retry-After=20"},
		{"Retry-After", " 0 ", ""},
		{"Retry-After", "-5", ""},
		{"Retry-After", "soon", ""},
		{"Retry-After", "99999999", "Retry-After=86400"},
		{"Retry-After", "99999999999999999999", ""},
		{"X-Ratelimit-Limit-Tokens", "1000", "X-Ratelimit-Limit-Tokens=1000"},
		{"X-Ratelimit-Reset-Tokens", "1.5", "X-Ratelimit-Reset-Tokens=1.5"},
		{"X-Ratelimit-Reset-Tokens", "1.", ""},
		{"X-Ratelimit-Reset-Tokens", "6m0s", ""},
		{"X-Ratelimit-Limit-Tokens", strings.Repeat("1", 17), ""},
		{"X-Ratelimit-Limit-Tokens", "1e5", ""},
		{"X-Ratelimit-Limit-Person", "1000", ""},
		{"Set-Cookie", "x=1", ""},
		{"Server", "x", ""},
	} {
		if got := show(backend.ResponseHeader(http.Header{c.name: {c.value}})); got != c.want {
			t.Errorf("%s: %s: got %q, want %q", c.name, c.value, got, c.want)
		}
	}
}

func TestRetryAfterDate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		at := func(d time.Duration) http.Header {
			return http.Header{"Retry-After": {time.Now().Add(d).UTC().Format(http.TimeFormat)}}
		}
		for give, want := range map[time.Duration]time.Duration{
			30 * time.Second:     30 * time.Second,
			-30 * time.Second:    0,
			100 * 24 * time.Hour: 24 * time.Hour,
		} {
			if got := backend.RetryAfter(at(give)); got != want {
				t.Errorf("in %v: %v, want %v", give, got, want)
			}
		}
	})
}

func TestErrors(t *testing.T) {
	cause := errors.New("dial 10.0.0.1: refused")
	e := backend.AsError(cause)
	if e.Status != http.StatusBadGateway || e.Cause != cause || strings.Contains(e.Error(), "10.0.0.1") {
		t.Errorf("AsError: %+v", e)
	}
	limited := &openai.Error{Status: 429, Type: openai.TypeRateLimit, Message: "slow down", RetryAfter: 3 * time.Second}
	if backend.AsError(errors.Join(cause, limited)) != limited {
		t.Error("AsError lost the error that carries a status")
	}
	resp := backend.ErrorResponse(limited, http.Header{"X-Ratelimit-Limit-Tokens": {"5"}, "Server": {"x"}, "Content-Type": {"text/html"}})
	if got, want := show(resp.Header), "Content-Type=application/json Retry-After=3 X-Ratelimit-Limit-Tokens=5"; got != want {
		t.Errorf("ErrorResponse: %s, want %s", got, want)
	}
	if got := backend.ReadError(resp); *got != *limited {
		t.Errorf("ReadError: %+v, want %+v", *got, *limited)
	}
	large := &backend.Response{Status: 500, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(strings.Repeat("x ", 1<<20)))}
	if got := backend.ReadError(large); got.Status != 500 || len(got.Message) > 1000 {
		t.Errorf("ReadError of a large body: %d, %d bytes", got.Status, len(got.Message))
	}
}
