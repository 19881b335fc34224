package api_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"github.com/culvert-net/culvert/api"
	"github.com/culvert-net/culvert/api/backend/backendtest"
	"github.com/culvert-net/culvert/api/backend/openai"
	"github.com/culvert-net/culvert/api/usage"
)

// upstream answers without the bookkeeping of a backendtest.Upstream.
func upstream(b *testing.B, events int) string {
	stream := backendtest.Stream(0, backendtest.Events(events)...)
	whole := backendtest.Answer(backendtest.Completion)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		if r.Header.Get("Accept") == "text/event-stream" {
			stream(w, r, nil)
			return
		}
		whole(w, r, nil)
	}))
	b.Cleanup(s.Close)
	return s.URL
}

// BenchmarkChat measures one request after another, to the upstream itself,
// through Go's reverse proxy, and through the Server.
func BenchmarkChat(b *testing.B) {
	const events = 200
	direct := upstream(b, events)
	target, err := url.Parse(direct)
	if err != nil {
		b.Fatal(err)
	}
	proxy := httptest.NewServer(httputil.NewSingleHostReverseProxy(target))
	defer proxy.Close()
	client, err := openai.New(openai.Config{BaseURL: direct})
	if err != nil {
		b.Fatal(err)
	}
	defer client.Close()
	s, err := api.New(api.Config{Backend: client, Ended: func(usage.Ended) {}}) // as the programs do
	if err != nil {
		b.Fatal(err)
	}
	ours := httptest.NewServer(s.Handler())
	defer ours.Close()

	for kind, body := range map[string]string{"whole": backendtest.Plain, "stream": backendtest.Streaming} {
		for _, way := range []struct{ name, url string }{{"direct", direct}, {"reverseproxy", proxy.URL}, {"culvert", ours.URL}} {
			b.Run(kind+"/"+way.name, func(b *testing.B) {
				b.ReportAllocs()
				cuts := 0 // the reverse proxy's now and then: golang/go#40747
				for b.Loop() {
					req, err := http.NewRequest(http.MethodPost, way.url+"/v1/chat/completions", strings.NewReader(body))
					if err != nil {
						b.Fatal(err)
					}
					req.Header.Set("Content-Type", "application/json")
					if kind == "stream" {
						req.Header.Set("Accept", "text/event-stream")
					}
					resp, err := http.DefaultTransport.RoundTrip(req)
					if err != nil {
						b.Fatal(err)
					}
					if _, err := io.Copy(io.Discard, resp.Body); err != nil {
						cuts++
					}
					resp.Body.Close()
				}
				if way.name != "reverseproxy" && cuts > 0 {
					b.Errorf("%d answers were cut", cuts)
				}
			})
		}
	}
}
