package reference

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"
	"time"
)

// idlePerHost keeps a connection for each client of the largest load.
const idlePerHost = 1024

// copyBuffer is what httputil.ReverseProxy would allocate for each answer.
const copyBuffer = 32 << 10

// Proxy carries requests to the server at target, each event at once.
//
// It reads a request's body whole before it sends the first byte. Without that
// the server's first byte ends the reading of the body, the transport takes the
// request for broken, and the answer is cut (golang.org/issue/40747): then
// something faster, but wrong, would be measured.
func Proxy(target *url.URL) http.Handler {
	transport := &http.Transport{
		MaxIdleConnsPerHost: idlePerHost,
		IdleConnTimeout:     time.Minute,
		DisableCompression:  true,
	}
	p := &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(target) },
		Transport:     transport,
		FlushInterval: -1,
		BufferPool:    &pool{},
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body bytes.Buffer
		if r.ContentLength > 0 && r.ContentLength <= maxGrow {
			body.Grow(int(r.ContentLength) + bytes.MinRead)
		}
		if _, err := body.ReadFrom(r.Body); err != nil {
			http.Error(w, "the body is cut", http.StatusBadRequest)
			return
		}
		r.ContentLength = int64(body.Len())
		r.Body = io.NopCloser(bytes.NewReader(body.Bytes()))
		r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body.Bytes())), nil }
		p.ServeHTTP(w, r)
	})
}

// maxGrow bounds what is allocated because a client announced it.
const maxGrow = 32 << 20

// pool keeps buffers between answers.
type pool struct{ free sync.Pool }

func (p *pool) Get() []byte {
	if b, ok := p.free.Get().(*[]byte); ok {
		return *b
	}
	return make([]byte, copyBuffer)
}

func (p *pool) Put(b []byte) { p.free.Put(&b) }
