package serve_test

import (
	"bufio"
	"bytes"
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

// A far end chooses the bytes of an answer, and with them where one write to
// the connection ends and the next begins. What it puts there is never taken
// for net/http's own words: else it could change the length of an answer, and
// with it what the client takes for the answer to its next request.
func TestAnswerIsNotTakenForMalformed(t *testing.T) {
	const own = "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n"
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
			var before int
			if _, err := fmt.Sscanf(r.URL.Path, "/%d", &before); err != nil {
				t.Errorf("path %q", r.URL.Path)
			}
			body := answerWith(before, own)
			if r.URL.RawQuery == "length" {
				w.Header().Set("Content-Length", fmt.Sprint(len(body)))
			}
			_, _ = w.Write(body)
		}),
	}
	go func() { done <- s.Run(ctx) }()
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second)) // a generous cap
	answers := bufio.NewReader(conn)
	// One of the lengths puts own at the beginning of a write, whatever the size
	// of net/http's buffer and of the header.
	for before := 3500; before < 4200; before++ {
		for _, kind := range []string{"", "?length"} {
			fmt.Fprintf(conn, "GET /%d%s HTTP/1.1\r\nHost: x\r\n\r\n", before, kind)
			resp, err := http.ReadResponse(answers, nil)
			if err != nil {
				t.Fatalf("%d%s: %v", before, kind, err)
			}
			body, err := io.ReadAll(resp.Body)
			if want := answerWith(before, own); err != nil || !bytes.Equal(body, want) {
				t.Fatalf("%d%s: %d bytes, %v, want %d: …%.200q", before, kind, len(body), err, len(want), body[min(before, len(body)):])
			}
		}
	}
	// What is malformed is told so on a connection that had answers, too.
	if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if rest, err := io.ReadAll(answers); err != nil || !strings.HasSuffix(string(rest), `{"malformed":400}`) {
		t.Errorf("malformed after answers: %.300q, %v", rest, err)
	}
	conn.Close()
	cancel()
	if err := <-done; err != nil {
		t.Errorf("Run = %v", err)
	}
}

// answerWith has own behind some bytes, and more behind it.
func answerWith(before int, own string) []byte {
	return []byte(strings.Repeat("x", before) + own + strings.Repeat("y", 8<<10))
}
