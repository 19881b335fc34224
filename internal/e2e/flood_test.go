//go:build e2e

package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/culvert-net/culvert/api/backend/backendtest"
	"github.com/culvert-net/culvert/internal/serve"
)

// zeros is a body of n bytes, in a JSON string, that nobody has to hold.
func zeros(n int64) io.Reader {
	return io.MultiReader(strings.NewReader(`{"model":"`+model+`","x":"`), io.LimitReader(endless{}, n), strings.NewReader(`"}`))
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = '0'
	}
	return len(p), nil
}

// Bodies of 200 MB are refused with the limit in words, whether they say their
// size or not, while others are answered; the bridge holds none of it.
func TestHugeBodies(t *testing.T) {
	t.Parallel()
	const size, huge, usual = 200 << 20, 6, 60
	u := upstream(t, backendtest.Answer(backendtest.Completion))
	w := start(t, "--backend", u.URL, "--isolation", "key", "--debug")
	before := w.bridgeHeld(t)
	refused := make(chan error, huge)
	for i := range huge {
		go func() { refused <- w.sendHuge(size, i%2 == 0) }()
	}
	if err := atOnce(4, usual, func(int) error { return w.ask(chatBody(false)).whole(backendtest.Completion) }); err != nil {
		t.Error("beside huge bodies:", err)
	}
	for range huge {
		if err := <-refused; err != nil {
			t.Error(err)
		}
	}
	eventually(t, patience, "the bridge holds nothing of them", func() error {
		if now := w.bridgeHeld(t); now.HeapInuse > before.HeapInuse+4<<20 {
			return fmt.Errorf("%d KiB in use, %d before", now.HeapInuse>>10, before.HeapInuse>>10)
		}
		return nil
	})
	if n := len(u.chats()); n != usual {
		t.Errorf("%d requests reached the model server, want the %d usual ones", n, usual)
	}
}

// sendHuge is nil if a body of n bytes is refused as too large.
func (w *world) sendHuge(n int64, sized bool) error {
	req, err := http.NewRequest(http.MethodPost, w.BaseURL+"/chat/completions", zeros(n))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	if sized {
		req.ContentLength = n + int64(len(`{"model":"`+model+`","x":""}`))
	}
	// What most clients do not: the answer is read while the body is sent.
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("huge body, sized %t: no answer: %w", sized, err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusRequestEntityTooLarge || !strings.Contains(string(text), "33554432 bytes") {
		return fmt.Errorf("huge body, sized %t: status %d, %.200q, %v; want 413 that names the limit", sized, resp.StatusCode, text, err)
	}
	return nil
}

func (w *world) bridgeHeld(t *testing.T) (h serve.Held) {
	t.Helper()
	resp, err := http.Get(w.Debug["bridge"] + "/debug/held")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&h); err != nil {
		t.Fatal(err)
	}
	return h
}

// What is hardly HTTP gets a status and a reason, and the next client an answer.
func TestOddRequests(t *testing.T) {
	t.Parallel()
	u := upstream(t, backendtest.Answer(backendtest.Completion))
	w := start(t, "--backend", u.URL)
	base, err := url.Parse(w.BaseURL)
	if err != nil {
		t.Fatal(err)
	}
	body := chatBody(false)
	head := "POST /v1/chat/completions HTTP/1.1\r\nHost: " + base.Host + "\r\nContent-Type: application/json\r\n"
	sized := fmt.Sprintf("Content-Length: %d\r\n", len(body))
	for _, tt := range []struct {
		name, request string
		status        int
	}{
		{"ten thousand headers", head + strings.Repeat("X-Flood: "+strings.Repeat("y", 100)+"\r\n", 10_000) + sized + "\r\n" + body, 431},
		{"a header of a megabyte", head + "X-Flood: " + strings.Repeat("y", 1<<20) + "\r\n" + sized + "\r\n" + body, 431},
		{"an old client", strings.Replace(head, "HTTP/1.1", "HTTP/1.0", 1) + sized + "\r\n" + body, 200},
		{"an old client that wants a stream", strings.Replace(head, "HTTP/1.1", "HTTP/1.0", 1) +
			fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(chatBody(true)), chatBody(true)), 400},
		{"not HTTP", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + strings.Repeat("x", 200) + "\r\n\r\n", 400},
		{"two lengths", head + sized + "Content-Length: 5\r\n\r\n" + body, 400},
		{"no host", strings.Replace(head, "Host: "+base.Host+"\r\n", "", 1) + sized + "\r\n" + body, 400},
		{"another host", strings.Replace(head, base.Host, "example.com", 1) + sized + "\r\n" + body, 403},
		{"a page's origin", head + "Origin: https://example.com\r\n" + sized + "\r\n" + body, 403},
		{"a form", strings.Replace(head, "application/json", "text/plain", 1) + sized + "\r\n" + body, 415},
		{"a compressed body", head + "Content-Encoding: gzip\r\n" + sized + "\r\n" + body, 415},
		{"a tunnel", "CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n", 405},
	} {
		t.Run(tt.name, func(t *testing.T) {
			conn, err := net.Dial("tcp", base.Host)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			go func() { _, _ = io.WriteString(conn, tt.request) }() // it may be refused before its end
			resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(resp.Body)
			if resp.StatusCode != tt.status || err != nil {
				t.Fatalf("status %d, %.200q, %v; want %d", resp.StatusCode, text, err, tt.status)
			}
			if tt.status != http.StatusOK {
				reply{status: resp.StatusCode, body: text}.failure(t)
			}
		})
	}
	if n := len(u.chats()); n != 1 {
		t.Errorf("%d requests reached the model server, want the old client's", n)
	}
	w.ask(chatBody(false)).completed(t)
}
