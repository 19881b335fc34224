package serve

import (
	"encoding/json"
	"net"
	"net/http"
	"net/netip"
)

// Status is the handler of a status page: /livez answers while the program
// runs, /readyz is 200 when ready returns nil and 503 with its text else, and
// /status is what status returns, as JSON, and /metrics is metrics. The root says
// so: it is what a person opens.
func Status(ready func() error, status func() any, metrics http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, map[string]string{
			"/status": "what this program is doing", "/readyz": "200 when it does its work, else 503 and why", "/livez": "200 while it runs",
			"/metrics": "counts, for Prometheus",
		})
	})
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, map[string]string{"status": "ok"})
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if err := ready(); err != nil {
			answer(w, http.StatusServiceUnavailable, map[string]string{"status": "not ready", "reason": err.Error()})
			return
		}
		answer(w, http.StatusOK, map[string]string{"status": "ready"})
	})
	mux.Handle("GET /metrics", metrics)
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, status())
	})
	return mux
}

func answer(w http.ResponseWriter, code int, v any) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(code)
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	// The client may be gone; there is nobody left to tell.
	_ = e.Encode(v)
}

// LocalOnly refuses what a web page could send here: a name that resolves to
// this machine but is not ours (DNS rebinding), and requests of other origins.
func LocalOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		site := r.Header.Get("Sec-Fetch-Site")
		foreign := site != "" && site != "none" && site != "same-origin" || r.Header.Get("Origin") != ""
		if !localHost(r.Host) || foreign {
			answer(w, http.StatusForbidden, map[string]string{"status": "refused", "reason": "only this machine's own programs may ask"})
			return
		}
		next.ServeHTTP(w, r)
	})
}

// localHost reports whether a Host header names this machine.
func localHost(host string) bool {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = host
	}
	if name == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(name)
	return err == nil && ip.Unmap().IsLoopback()
}
