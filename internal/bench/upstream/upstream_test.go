package upstream

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/culvert-net/culvert/internal/bench/script"
)

// request is a chat in our words.
func request(o script.Order, stream bool) string {
	prompt := o.Prompt(script.NewNonce([script.NonceLength / 2]byte{1}))
	return fmt.Sprintf(`{"model":"bench","messages":[{"role":"user","content":"%s"}],"stream":%v,"stream_options":{"include_usage":true}}`, prompt, stream)
}

// Headers that say who asked are counted: those a client marked, and those only
// a proxy adds.
func TestStats(t *testing.T) {
	s := New(Config{})
	for _, h := range []http.Header{
		{},
		{"User-Agent": {"Go-http-client/1.1"}, "Accept": {"application/json"}},
		{"User-Agent": {"x " + Mark}, "Authorization": {"Bearer " + Mark}},
		{"X-Forwarded-For": {"127.0.0.1"}, "Via": {"1.1 x"}},
	} {
		r := httptest.NewRequest(http.MethodPost, ChatPath, strings.NewReader(request(script.Order{Tokens: 1}, false)))
		r.Header = h
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code != http.StatusOK {
			t.Fatalf("status %d: %s", w.Code, w.Body)
		}
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, StatsPath, nil))
	if got, want := w.Body.String(), `{"orders":4,"naming":4}`; got != want {
		t.Errorf("stats = %s, want %s", got, want)
	}
}

func TestRefuses(t *testing.T) {
	s := New(Config{})
	for _, tt := range []struct {
		name, path, body string
		status           int
	}{
		{"no such page", "/api/show", "", 404},
		{"no message", ChatPath, `{}`, 400},
		{"no order", ChatPath, `{"messages":[{"role":"user","content":"Hello!"}]}`, 400},
		{"not ended", ChatPath, `{"messages":[{"role":"user","content":"bench `, 400},
	} {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest(http.MethodPost, tt.path, strings.NewReader(tt.body)))
		if w.Code != tt.status || !strings.HasPrefix(w.Body.String(), `{"error":{"message":"`) {
			t.Errorf("%s: status %d, %s; want %d and an error as OpenAI's are", tt.name, w.Code, w.Body, tt.status)
		}
	}
}

// A stream like llama-server's is whole; then the connection is closed, of which
// its header says nothing. An answer in one piece leaves it open.
func TestLlama(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- New(Config{Llama: true}).Serve(l) }()
	t.Cleanup(func() {
		l.Close()
		if err := <-served; !errors.Is(err, net.ErrClosed) {
			t.Errorf("Serve = %v, want the closed listener", err)
		}
	})
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	in := bufio.NewReader(conn)
	ask := func(stream bool) string {
		t.Helper()
		body := request(script.Order{Tokens: 2}, stream)
		fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", ChatPath, len(body), body)
		resp, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		if resp.Close || resp.Header.Get("Server") != "llama.cpp" {
			t.Errorf("stream %v: close = %v, Server = %q", stream, resp.Close, resp.Header.Get("Server"))
		}
		text, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Errorf("stream %v: %v", stream, err)
		}
		return string(text)
	}
	for range 2 {
		if text := ask(false); !strings.HasSuffix(text, `"total_tokens":79}}`) {
			t.Errorf("answer = %s", text)
		}
	}
	if text := ask(true); !strings.HasSuffix(text, "data: [DONE]\n\n") || strings.Count(text, "data: ") != 6 {
		t.Errorf("stream = %s", text)
	}
	if _, err := in.ReadByte(); !errors.Is(err, io.EOF) {
		t.Errorf("after the stream: %v, want the end", err)
	}
}
