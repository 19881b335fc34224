package openai_test

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/culvert-net/culvert/api/backend/backendtest"
	"github.com/culvert-net/culvert/api/backend/openai"
)

// TestServerThatClosesKeptConnections is llama-server, which announces
// keep-alive and closes after its answer. People lost every seventh request.
func TestServerThatClosesKeptConnections(t *testing.T) {
	for name, size := range map[string]int{"small bodies": 1, "bodies beyond the socket's buffer": 4 << 20} {
		t.Run(name, func(t *testing.T) {
			up := backendtest.NewUpstream(t)
			up.Set(backendtest.CloseAfter(backendtest.Completion))
			c := newClient(t, openai.Config{BaseURL: up.URL})
			body := `{"model":"m","messages":[{"role":"user","content":"` + strings.Repeat("x", size) + `"}]}`
			n := 400
			if size > 1 {
				n = 8
			}
			var running sync.WaitGroup
			for range 2 {
				running.Go(func() {
					for i := range n / 2 {
						if err := outcome(t, c, body); err != nil {
							t.Errorf("request %d: %v", i, err)
						}
					}
				})
			}
			running.Wait()
		})
	}
}

// TestRetriesOnce is about a server that hangs up on every request: what was
// sent on a kept connection is sent once more, and not again.
func TestRetriesOnce(t *testing.T) {
	up := backendtest.NewUpstream(t)
	c := newClient(t, openai.Config{BaseURL: up.URL})
	if err := outcome(t, c, backendtest.Plain); err != nil {
		t.Fatal(err)
	}
	up.Set(func(http.ResponseWriter, *http.Request, *backendtest.Call) { panic(http.ErrAbortHandler) })
	for i, want := range []int{1 + 2, 1 + 2 + 1} { // on the kept connection and a fresh one; then on a fresh one
		wantError(t, "hang up", outcome(t, c, backendtest.Plain), http.StatusBadGateway, "upstream_unreachable")
		if n := len(up.Calls()); n != want {
			t.Errorf("failure %d: %d requests reached the server, want %d", i, n, want)
		}
	}
}

// TestNoRetryAfterFirstByte is about an answer that broke off after it began.
func TestNoRetryAfterFirstByte(t *testing.T) {
	up := backendtest.NewUpstream(t)
	c := newClient(t, openai.Config{BaseURL: up.URL})
	if err := outcome(t, c, backendtest.Plain); err != nil {
		t.Fatal(err)
	}
	up.Set(func(w http.ResponseWriter, _ *http.Request, _ *backendtest.Call) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			panic(err)
		}
		defer conn.Close()
		fmt.Fprint(conn, "HTTP/1.1 2")
	})
	if err := outcome(t, c, backendtest.Plain); err == nil {
		t.Error("half a status line was taken for an answer")
	}
	if n := len(up.Calls()); n != 2 {
		t.Errorf("%d requests reached the server, want 2", n)
	}
}

func connections(up *backendtest.Upstream) int {
	remotes := map[string]bool{}
	for _, c := range up.Calls() {
		remotes[c.Remote] = true
	}
	return len(remotes)
}

func TestPooling(t *testing.T) {
	up := backendtest.NewUpstream(t)
	c := newClient(t, openai.Config{BaseURL: up.URL})
	up.Set(backendtest.Stream(0, backendtest.Events(3)...))
	for range 5 {
		if err := outcome(t, c, backendtest.Streaming); err != nil {
			t.Fatal(err)
		}
	}
	if n := connections(up); n != 1 {
		t.Errorf("5 streams in a row took %d connections, want 1", n)
	}
}

func TestLlamaIsNotPooled(t *testing.T) {
	up := backendtest.NewUpstream(t)
	c := newClient(t, openai.Config{BaseURL: up.URL})
	stream := backendtest.Stream(0, backendtest.Events(3)...)
	up.Set(func(w http.ResponseWriter, r *http.Request, c *backendtest.Call) {
		w.Header().Set("Server", "llama.cpp")
		stream(w, r, c)
	})
	for range 5 {
		if err := outcome(t, c, backendtest.Streaming); err != nil {
			t.Fatal(err)
		}
	}
	if n := connections(up); n != 5 {
		t.Errorf("5 streams of a llama-server took %d connections, want 5", n)
	}
}

func TestNoProxy(t *testing.T) {
	proxy := backendtest.NewUpstream(t)
	t.Setenv("HTTP_PROXY", proxy.URL)
	t.Setenv("http_proxy", proxy.URL)
	c := newClient(t, openai.Config{BaseURL: "http://server.invalid:1"})
	if err := outcome(t, c, backendtest.Plain); err == nil {
		t.Error("a name that does not exist answered")
	}
	if len(proxy.Calls()) > 0 {
		t.Error("the prompt went to a proxy of the environment")
	}
}

func TestNotHTTP(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan struct{})
	go func() {
		defer close(served)
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		fmt.Fprint(conn, "SSH-2.0-OpenSSH\r\n")
	}()
	wantError(t, "not HTTP", outcome(t, newClient(t, openai.Config{BaseURL: "http://" + l.Addr().String()}), backendtest.Plain), 502, "upstream_unreachable")
	l.Close()
	<-served
}
