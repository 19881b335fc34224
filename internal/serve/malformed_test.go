package serve_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/culvert-net/culvert/internal/serve"
)

// What reaches no handler is answered in the words of whoever set Malformed; what
// a handler says passes as it is, however alike it looks.
func TestMalformed(t *testing.T) {
	l, err := serve.Listen("--listen", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	s := &serve.Server{
		Name: "test", Listeners: []net.Listener{l}, Log: quiet,
		Malformed: func(status int) []byte { return fmt.Appendf(nil, `{"malformed":%d}`, status) },
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			w.Header().Set("Connection", "close")
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprintf(w, "handler: %s %s", r.Method, r.RequestURI)
		}),
	}
	go func() { done <- s.Run(ctx) }()
	for _, tt := range []struct{ name, request, status, body string }{
		{"no HTTP", "hello\r\n\r\n", "400", `{"malformed":400}`},
		{"no Host", "GET / HTTP/1.1\r\n\r\n", "400", `{"malformed":400}`},
		{"bad header", "GET / HTTP/1.1\r\nHost: x\r\nbad header\r\n\r\n", "400", `{"malformed":400}`},
		{"large header", "GET / HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("x", 80<<10) + "\r\n\r\n", "431", `{"malformed":431}`},
		{"unknown encoding", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: br\r\n\r\n", "501", `{"malformed":501}`},
		{"unknown expectation", "POST / HTTP/1.1\r\nHost: x\r\nExpect: wonders\r\nContent-Length: 0\r\n\r\n", "417", `{"malformed":417}`},
		{"another version", "GET / HTTP/2.0\r\nHost: x\r\n\r\n", "505", `{"malformed":505}`},
		{"handler", "GET /x HTTP/1.1\r\nHost: x\r\n\r\n", "400", "handler: GET /x"},
		{"options of all", "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", "400", "handler: OPTIONS *"},
	} {
		conn, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.SetDeadline(time.Now().Add(10 * time.Second)) // a generous cap
		if _, err := io.WriteString(conn, tt.request); err != nil {
			t.Fatal(err)
		}
		resp, err := io.ReadAll(conn)
		conn.Close()
		head, body, _ := strings.Cut(string(resp), "\r\n\r\n")
		if err != nil || !strings.HasPrefix(head, "HTTP/1.1 "+tt.status+" ") || body != tt.body {
			t.Errorf("%s: %.300q, %v; want %s with %s", tt.name, resp, err, tt.status, tt.body)
		}
		if ours := strings.HasPrefix(body, "{"); ours != strings.Contains(head, "\r\nContent-Type: application/json\r\n") {
			t.Errorf("%s: head %q", tt.name, head)
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("Run = %v", err)
	}
}
