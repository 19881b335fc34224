package reference

import (
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/culvert-net/culvert/internal/bench/load"
	"github.com/culvert-net/culvert/internal/bench/script"
	"github.com/culvert-net/culvert/internal/bench/upstream"
)

func proxy(t *testing.T, to string) string {
	t.Helper()
	s := httptest.NewServer(Proxy(&url.URL{Scheme: "http", Host: to}))
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://")
}

func relay(t *testing.T, to string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- Relay(l, to) }()
	t.Cleanup(func() {
		l.Close()
		if err := <-served; err != nil {
			t.Errorf("Relay = %v", err)
		}
	})
	return l.Addr().String()
}

// What is compared with gives right answers too, whatever their shape.
func TestReferencesAreRight(t *testing.T) {
	t.Parallel()
	up := httptest.NewServer(upstream.New(upstream.Config{}))
	t.Cleanup(up.Close)
	to := strings.TrimPrefix(up.URL, "http://")
	for _, way := range []struct {
		name string
		addr string
	}{
		{"upstream", to},
		{"proxy", proxy(t, to)},
		{"relay", relay(t, to)},
		{"floor", proxy(t, relay(t, relay(t, proxy(t, to))))},
	} {
		for _, l := range []load.Load{
			{Order: script.Order{Tokens: 32}},
			{Order: script.Order{Tokens: 32}, Stream: true},
			{Order: script.Order{Tokens: 1, Fill: 200_000, Pad: 200_000}},
		} {
			l.Clients, l.Count = 8, 16
			if r := load.Run(t.Context(), way.addr, l); r.Right != l.Count || r.Stale != 0 {
				t.Errorf("%s, %+v: %d of %d right, %d stale connections: %q", way.name, l.Order, r.Right, l.Count, r.Stale, r.Why)
			}
		}
	}
}

// Each event passes when it comes: the next one is only written once this one
// was read.
func TestProxyHoldsNothingBack(t *testing.T) {
	t.Parallel()
	read := make(chan struct{})
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for range 3 {
			w.Write([]byte("data: x\n\n"))
			http.NewResponseController(w).Flush()
			select {
			case <-read:
			case <-r.Context().Done():
				return
			}
		}
	}))
	t.Cleanup(up.Close)
	resp, err := http.Post("http://"+proxy(t, strings.TrimPrefix(up.URL, "http://")), "application/json", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	buf := make([]byte, 64)
	for i := range 3 {
		if n, err := resp.Body.Read(buf); string(buf[:n]) != "data: x\n\n" {
			t.Fatalf("event %d = %q, %v", i, buf[:n], err)
		}
		read <- struct{}{}
	}
}

// A relay whose next one is gone ends the connection.
func TestRelayToNobody(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone := l.Addr().String()
	l.Close()
	conn, err := net.Dial("tcp", relay(t, gone))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Read(make([]byte, 1)); err == nil || errors.Is(err, net.ErrClosed) {
		t.Errorf("Read = %v, want that it ended", err)
	}
}
