package api

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"github.com/culvert-net/culvert/api/openai"
)

// guard keeps web pages out: being on loopback does not protect a server from
// what the person's own browser is made to send. A page's requests carry an
// Origin or Sec-Fetch-Site, and one that rebinds a name of its own to
// 127.0.0.1 carries that name as Host.
type guard struct {
	hosts map[string]bool // lower case, besides loopback
}

func newGuard(hosts []string) guard {
	g := guard{hosts: map[string]bool{"localhost": true}}
	for _, h := range hosts {
		g.hosts[strings.ToLower(h)] = true
	}
	return g
}

func (g guard) middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodConnect:
			exchangeOf(r).fail(w, &openai.Error{
				Status: http.StatusMethodNotAllowed, Type: openai.TypeInvalidRequest, Code: "method_not_allowed",
				Message: "this server is no proxy and takes no CONNECT; set it as the base URL of your client, not as its proxy",
			})
		case !g.host(r.Host) && (r.Host != "" || r.ProtoAtLeast(1, 1)): // HTTP/1.0 has no Host, and no browser speaks it
			exchangeOf(r).fail(w, forbidden("unknown_host",
				"this server is not known under the name in the Host header; use 127.0.0.1 or localhost, or add the name to the configured hosts"))
		case !g.sameSite(r):
			exchangeOf(r).fail(w, forbidden("cross_origin",
				"requests from web pages of another origin are refused"))
		default:
			next.ServeHTTP(w, r)
		}
	})
}

func forbidden(code, message string) *openai.Error {
	return &openai.Error{Status: http.StatusForbidden, Type: openai.TypePermission, Code: code, Message: message}
}

// host accepts addresses of loopback, which nobody can rebind, and listed names.
func (g guard) host(hostport string) bool {
	host := hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		host = h
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if ip, err := netip.ParseAddr(host); err == nil && ip.IsLoopback() {
		return true
	}
	return g.hosts[strings.ToLower(host)]
}

// sameSite refuses what a browser says comes from elsewhere, whatever the
// method: reading is as bad as writing.
func (g guard) sameSite(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "none", "same-origin":
	default:
		return false
	}
	origins := r.Header.Values("Origin")
	if len(origins) == 0 {
		return true
	}
	u, err := url.Parse(origins[0])
	return err == nil && len(origins) == 1 && u.Host != "" && u.Host == r.Host
}
