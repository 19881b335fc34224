package serve_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/culvert-net/culvert/internal/serve"
)

var quiet = slog.New(slog.DiscardHandler)

func TestCheckLoopback(t *testing.T) {
	for _, tt := range []struct {
		addr   string
		public bool
		bad    bool
	}{
		{"127.0.0.1:8811", false, false},
		{"127.9.8.7:1", false, false},
		{"[::1]:8811", false, false},
		{"[::ffff:127.0.0.1]:1", false, false},
		{"localhost:0", false, false},
		{"0.0.0.0:8811", true, false},
		{":8811", true, false},
		{"[::]:8811", true, false},
		{"192.168.1.2:8811", true, false},
		{"127.0.0.1", false, true},
		{"127.0.0.1:http", false, true},
		{"127.0.0.1:70000", false, true},
		{"example.com:80", false, true},
	} {
		err := serve.CheckLoopback("--listen", tt.addr)
		_, bad := errors.AsType[*serve.AddrError](err)
		if errors.Is(err, serve.ErrPublic) != tt.public || bad != tt.bad {
			t.Errorf("CheckLoopback(%q) = %v, want public %t, bad %t", tt.addr, err, tt.public, tt.bad)
		}
		if err != nil && !strings.HasPrefix(err.Error(), "--listen "+tt.addr) {
			t.Errorf("CheckLoopback(%q) = %q, want the flag and the address first", tt.addr, err)
		}
	}
}

// A status page that others could reach was refused with the reason of the API.
func TestCheckPage(t *testing.T) {
	err := serve.CheckPage("0.0.0.0:8813")
	if !errors.Is(err, serve.ErrPublic) || !strings.HasPrefix(err.Error(), "0.0.0.0:8813: ") ||
		strings.Contains(err.Error(), "circuits") || !strings.Contains(err.Error(), "shows what this program does") {
		t.Errorf("CheckPage = %v, want it refused for what it shows", err)
	}
	if err := serve.CheckPage("127.0.0.1:8813"); err != nil {
		t.Errorf("CheckPage of loopback = %v, want nil", err)
	}
}

func TestListenTaken(t *testing.T) {
	l, err := serve.Listen("--listen", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	all, err := serve.ListenAll("--listen", []string{"127.0.0.1:0", l.Addr().String()}, l.Addr().String())
	taken, ok := errors.AsType[*serve.TakenError](err)
	if !ok || taken.Flag != "--listen" || taken.Addr != l.Addr().String() || all != nil {
		t.Fatalf("ListenAll = %v, %v; want a TakenError, even where the address is optional", all, err)
	}
}

// An address that is somebody else's is said to be so; 203.0.113.0/24 is nobody's.
func TestListenElsewhere(t *testing.T) {
	all, err := serve.ListenAll("--listen", []string{"203.0.113.1:0"}, "")
	if err == nil || all != nil || !strings.Contains(err.Error(), "--listen 203.0.113.1:0: this machine has no such address; choose one that it has with --listen") {
		t.Errorf("ListenAll = %v, %v; want what to do", all, err)
	}
}

// start serves h until stop is called; done gets what Run returned.
func start(t *testing.T, h http.HandlerFunc, drain time.Duration) (url string, stop context.CancelFunc, done <-chan error) {
	t.Helper()
	l, err := serve.Listen("--listen", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	s := &serve.Server{Name: "test", Handler: h, Listeners: []net.Listener{l}, Drain: drain, Log: quiet}
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(cancel)
	return "http://" + l.Addr().String(), cancel, ended
}

func wait(t *testing.T, done <-chan error) {
	t.Helper()
	select {
	case err := <-done:
		if err != nil {
			t.Fatalf("Run = %v, want nil", err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("Run does not return")
	}
}

// What was begun before the stop is finished after it.
func TestRunDrains(t *testing.T) {
	inside, gate := make(chan struct{}), make(chan struct{})
	url, stop, done := start(t, func(w http.ResponseWriter, r *http.Request) {
		close(inside)
		<-gate
		if r.Context().Err() != nil {
			t.Error("the request's context ended with the server's")
		}
		_, _ = io.WriteString(w, "whole")
	}, 10*time.Second)
	answer := make(chan string, 1)
	go func() {
		resp, err := http.Get(url)
		if err != nil {
			answer <- err.Error()
			return
		}
		defer resp.Body.Close()
		text, _ := io.ReadAll(resp.Body)
		answer <- string(text)
	}()
	<-inside
	stop()
	close(gate)
	if got := <-answer; got != "whole" {
		t.Errorf("answer = %q, want it whole", got)
	}
	wait(t, done)
}

// What does not finish in time has its context ended.
func TestRunAborts(t *testing.T) {
	inside := make(chan struct{})
	url, stop, done := start(t, func(_ http.ResponseWriter, r *http.Request) {
		close(inside)
		<-r.Context().Done()
	}, time.Millisecond)
	go func() {
		if resp, err := http.Get(url); err == nil {
			resp.Body.Close()
		}
	}()
	<-inside
	stop()
	wait(t, done)
}

func TestAdmin(t *testing.T) {
	path := filepath.Join(t.TempDir(), serve.AdminSocket)
	var got struct{ Mode string }
	if err := serve.Ask(t.Context(), path, "/status", &got); !errors.Is(err, serve.ErrNoDaemon) {
		t.Fatalf("Ask without a socket = %v, want ErrNoDaemon", err)
	}
	// One that a dead process left behind.
	left, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	left.(*net.UnixListener).SetUnlinkOnClose(false)
	left.Close()
	if err := serve.Ask(t.Context(), path, "/status", &got); !errors.Is(err, serve.ErrNoDaemon) {
		t.Fatalf("Ask at a dead socket = %v, want ErrNoDaemon", err)
	}
	l, err := serve.ListenAdmin(path)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("socket has mode %v, %v; want 0600", info.Mode().Perm(), err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	s := &serve.Server{
		Name: "admin", Listeners: []net.Listener{l}, Log: quiet,
		Handler: serve.Status(func() error { return nil }, func() any { return map[string]string{"mode": "world"} }, http.NotFoundHandler()),
	}
	go func() { done <- s.Run(ctx) }()
	if err := serve.Ask(t.Context(), path, "/status", &got); err != nil || got.Mode != "world" {
		t.Errorf("Ask = %+v, %v; want the mode", got, err)
	}
	stop()
	wait(t, done)
	if _, err := serve.ListenAdmin("/" + strings.Repeat("x", 110)); err == nil || !strings.Contains(err.Error(), "--data") {
		t.Errorf("ListenAdmin of a long path = %v, want what to do", err)
	}
}

func TestStatus(t *testing.T) {
	var missing error
	metrics := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "up 1") })
	h := serve.LocalOnly(serve.Status(func() error { return missing }, func() any { return 7 }, metrics))
	get := func(path, host, name, value string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.Host = host
		if name != "" {
			r.Header.Set(name, value)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	if w := get("/readyz", "127.0.0.1:8812", "", ""); w.Code != 200 {
		t.Errorf("/readyz = %d, want 200", w.Code)
	}
	missing = errors.New("no provider is known")
	if w := get("/readyz", "localhost", "", ""); w.Code != 503 || !strings.Contains(w.Body.String(), "no provider is known") {
		t.Errorf("/readyz = %d, %s; want 503 and what is missing", w.Code, w.Body)
	}
	if w := get("/", "127.0.0.1:8812", "", ""); w.Code != 200 || !strings.Contains(w.Body.String(), "/status") {
		t.Errorf("/ = %d, %s; want where to look", w.Code, w.Body)
	}
	if w := get("/nothing", "127.0.0.1:8812", "", ""); w.Code != 404 {
		t.Errorf("/nothing = %d, want 404", w.Code)
	}
	if w := get("/livez", "[::1]:8812", "", ""); w.Code != 200 {
		t.Errorf("/livez = %d, want 200", w.Code)
	}
	for _, tt := range []struct{ host, name, value string }{
		{"evil.example:8812", "", ""},
		{"127.0.0.1:8812", "Origin", "http://evil.example"},
		{"127.0.0.1:8812", "Sec-Fetch-Site", "cross-site"},
	} {
		for _, path := range []string{"/status", "/metrics"} {
			if w := get(path, tt.host, tt.name, tt.value); w.Code != 403 {
				t.Errorf("%s for %v = %d, want 403", path, tt, w.Code)
			}
		}
	}
	if w := get("/metrics", "127.0.0.1:8812", "", ""); w.Code != 200 || w.Body.String() != "up 1" {
		t.Errorf("/metrics = %d, %s; want the metrics", w.Code, w.Body)
	}
	if w := get("/status", "127.0.0.1:8812", "Sec-Fetch-Site", "none"); w.Code != 200 || strings.TrimSpace(w.Body.String()) != "7" {
		t.Errorf("/status = %d, %s; want the status", w.Code, w.Body)
	}
}

func TestDebugServesProfiles(t *testing.T) {
	w := httptest.NewRecorder()
	serve.Debug().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/debug/pprof/goroutine?debug=1", nil))
	if w.Code != 200 || !strings.Contains(w.Body.String(), "goroutine profile") {
		t.Errorf("goroutine profile = %d, %.100s", w.Code, w.Body)
	}
}

// A connection beyond the bound waits until another one ends, and a server that
// has no slot left stops all the same.
func TestConnections(t *testing.T) {
	l, err := serve.Listen("--listen", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	done := make(chan error, 1)
	var served atomic.Int32
	s := &serve.Server{
		Name: "test", Listeners: []net.Listener{l}, Log: quiet, Connections: 2,
		Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { served.Add(1) }),
	}
	go func() { done <- s.Run(ctx) }()
	ask := func() (net.Conn, *bufio.Reader) {
		t.Helper()
		conn, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		_ = conn.SetDeadline(time.Now().Add(10 * time.Second)) // a generous cap
		fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
		return conn, bufio.NewReader(conn)
	}
	read := func(from *bufio.Reader) {
		t.Helper()
		resp, err := http.ReadResponse(from, nil)
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Fatalf("answer = %+v, %v", resp, err)
		}
	}
	first, a := ask()
	read(a)
	_, b := ask()
	read(b)
	_, c := ask() // the system takes it, the server does not
	if n := served.Load(); n != 2 {
		t.Errorf("%d requests were served on two connections, want 2", n)
	}
	first.Close()
	read(c)
	_, _ = ask()
	stop()
	wait(t, done)
}
