package api_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/culvert-net/culvert/api"
	"github.com/culvert-net/culvert/api/backend"
	"github.com/culvert-net/culvert/api/backend/backendtest"
	"github.com/culvert-net/culvert/api/keys"
	"github.com/culvert-net/culvert/api/openai"
)

// paid is a Backend that is paid, by whose purse lets it.
type paid struct {
	cost  string
	known func() bool // whether the cost is, at the end of an answer; nil: it is
	text  func(stream bool) string
	asked atomic.Int64
}

func (p *paid) Models(context.Context) ([]backend.Model, error) { return nil, nil }

func (p *paid) Do(_ context.Context, req *backend.Request) (*backend.Response, error) {
	if req.Purse != nil && p.cost != "" {
		if err := req.Purse.Afford(); err != nil {
			return nil, err
		}
	}
	n := p.asked.Add(1)
	media := "application/json"
	if req.View.Stream {
		media = "text/event-stream"
	}
	resp := answered(media, p.text(req.View.Stream))
	if p.cost == "" {
		return resp, nil
	}
	body := &settling{Reader: resp.Body, end: func() {
		if req.Purse != nil {
			req.Purse.Spent(backend.Receipt{Cost: p.cost})
		}
	}}
	resp.Body = body
	resp.Settled = func() (backend.Receipt, bool) {
		known := body.ended && (p.known == nil || p.known())
		return backend.Receipt{ID: fmt.Sprintf("r%d", n), Cost: p.cost}, known
	}
	return resp, nil
}

// settling knows when it has ended.
type settling struct {
	io.Reader
	ended bool
	end   func()
}

func (s *settling) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p)
	if err == io.EOF && !s.ended {
		s.ended = true
		s.end()
	}
	return n, err
}

func (s *settling) Close() error { return nil }

func usual(stream bool) string {
	if stream {
		return strings.Join(backendtest.Events(3), "")
	}
	return backendtest.Completion
}

// What a request has cost is a header of a document and a trailer of a stream;
// what is free, failed, cut or not known has neither.
func TestCostIsTold(t *testing.T) {
	cutText := func(bool) string { return backendtest.Chunk(0) }
	for _, tt := range []struct {
		name            string
		p               *paid
		header, trailer string
		declared        bool
	}{
		{"paid", &paid{cost: "340282366920938463463374607", text: usual}, "340282366920938463463374607 r1", "340282366920938463463374607 r2", true},
		{"free", &paid{text: usual}, " ", " ", false},
		{"not known", &paid{cost: "5", text: usual, known: func() bool { return false }}, " ", " ", true},
		{"cut", &paid{cost: "5", text: cutText}, " ", " ", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := serve(t, api.Config{Backend: tt.p})
			of := func(h http.Header) string { return h.Get("X-Culvert-Cost") + " " + h.Get("X-Culvert-Receipt") }
			ask := func(body string) *http.Response {
				resp, err := http.Post(b.url+"/v1/chat/completions", "application/json", strings.NewReader(body))
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { resp.Body.Close() })
				return resp
			}
			resp := ask(backendtest.Plain)
			if got := of(resp.Header); got != tt.header || resp.Header.Get("Trailer") != "" || len(resp.Trailer) != 0 {
				t.Errorf("a document says %q, want %q", got, tt.header)
			}
			resp = ask(backendtest.Streaming)
			if _, declared := resp.Trailer["X-Culvert-Cost"]; declared != tt.declared || of(resp.Header) != " " {
				t.Errorf("a stream's trailer is declared: %v, want %v; its header %v", declared, tt.declared, resp.Header)
			}
			text, err := io.ReadAll(resp.Body)
			if got := of(resp.Trailer); got != tt.trailer {
				t.Errorf("a stream's trailer is %q, want %q", got, tt.trailer)
			}
			if tt.name != "cut" && (err != nil || string(text) != usual(true)) || tt.name == "cut" && err == nil {
				t.Errorf("the stream is %q, %v", text, err)
			}
		})
	}
}

// The bytes of a stream with trailers are those of RFC 9112, and the connection
// is good for the next request.
func TestTrailersAsBytes(t *testing.T) {
	b := serve(t, api.Config{Backend: &paid{cost: "12", text: usual}})
	conn, err := net.Dial("tcp", strings.TrimPrefix(b.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	r := bufio.NewReader(conn)
	for n := 1; n <= 2; n++ {
		fmt.Fprintf(conn, "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
			len(backendtest.Streaming), backendtest.Streaming)
		var raw bytes.Buffer
		for !strings.HasSuffix(raw.String(), "\r\n\r\n") { // the head
			line, err := r.ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			raw.WriteString(line)
		}
		if head := raw.String(); !strings.Contains(head, "\r\nTrailer: X-Culvert-Cost, X-Culvert-Receipt\r\n") ||
			!strings.Contains(head, "\r\nTransfer-Encoding: chunked\r\n") {
			t.Errorf("the head is %q", head)
		}
		raw.Reset()
		for !strings.HasSuffix(raw.String(), "\r\n\r\n") || !strings.Contains(raw.String(), "\r\n0\r\n") {
			line, err := r.ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			raw.WriteString(line)
		}
		want := fmt.Sprintf("\r\n0\r\nX-Culvert-Cost: 12\r\nX-Culvert-Receipt: r%d\r\n\r\n", n)
		if !strings.HasSuffix(raw.String(), want) {
			t.Errorf("the body ends %q, want %q", raw.String()[max(0, raw.Len()-120):], want)
		}
	}
	if r.Buffered() > 0 {
		t.Errorf("%d bytes follow", r.Buffered())
	}
}

// A client nobody here wrote is not disturbed by them.
func TestTrailersToAClient(t *testing.T) {
	b := serve(t, api.Config{Backend: &paid{cost: "12", text: usual}})
	c := b.client(t)
	for range 3 { // over one connection
		stream, err := c.CreateChatCompletionStream(t.Context(), question("m"))
		if err != nil {
			t.Fatal(err)
		}
		if text, _, err := recvAll(stream); err != io.EOF || text != "t0 t1 t2 " {
			t.Errorf("the client read %q, %v", text, err)
		}
		stream.Close()
		whole, err := c.CreateChatCompletion(t.Context(), question("m"))
		if err != nil || len(whole.Choices) == 0 {
			t.Errorf("the client read %+v, %v", whole, err)
		}
	}
}

// A key spends until its limit, then what costs money is refused and says when it
// begins anew; what is free goes on.
func TestKeyMoney(t *testing.T) {
	p := &paid{cost: "60", text: usual}
	ring, err := keys.Open(t.Context(), forgetful{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	k := &keyed{ring: ring}
	k.bench = serve(t, api.Config{Backend: p, Keys: ring})
	hundred, err := keys.ParseAmount("100")
	if err != nil {
		t.Fatal(err)
	}
	key := k.add(t, "laptop", keys.Rules{Money: keys.Money{Month: hundred}})
	for _, body := range []string{backendtest.Plain, backendtest.Streaming} {
		if resp := k.ask(t, key, body); resp.StatusCode != 200 {
			t.Fatalf("status %d", resp.StatusCode)
		} else if _, err := io.ReadAll(resp.Body); err != nil {
			t.Fatal(err)
		}
	}
	if used := ring.List()[0].Used["month"].Money.String(); used != "120" {
		t.Errorf("spent %s, want 120", used)
	}
	for _, body := range []string{backendtest.Plain, backendtest.Streaming} {
		resp := k.ask(t, key, body)
		message := failed(t, resp, 429, "money", "rate_limit_exceeded")
		if !strings.Contains(message, `key "laptop" has spent its 100 wei per month; it begins anew in`) ||
			resp.Header.Get("Retry-After") == "" || resp.Header.Get("X-Should-Retry") != "false" {
			t.Errorf("it says %q, with %v", message, resp.Header)
		}
	}
	p.cost = ""
	if resp := k.ask(t, key, backendtest.Plain); resp.StatusCode != 200 {
		t.Errorf("what is free is refused with %d", resp.StatusCode)
	}
	if other := k.add(t, "other", keys.Rules{}); k.ask(t, other, backendtest.Plain).StatusCode != 200 {
		t.Error("another key pays for the first one's limit")
	}
}

// Those without a key share a limit, as long as there are no keys.
func TestKeylessMoney(t *testing.T) {
	ring, err := keys.Open(t.Context(), forgetful{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	limit, err := keys.ParseAmount("100")
	if err != nil {
		t.Fatal(err)
	}
	p := &paid{cost: "100", text: usual}
	k := &keyed{ring: ring}
	k.bench = serve(t, api.Config{Backend: p, Keys: ring, Keyless: keys.Money{Day: limit}})
	if resp := k.ask(t, "anything", backendtest.Plain); resp.StatusCode != 200 {
		t.Fatalf("status %d", resp.StatusCode)
	}
	message := failed(t, k.ask(t, "another", backendtest.Plain), 429, "money", "rate_limit_exceeded")
	if !strings.Contains(message, "programs without a key have spent their 100 wei per day") {
		t.Errorf("it says %q", message)
	}
	p.cost = ""
	if resp := k.ask(t, "anything", backendtest.Plain); resp.StatusCode != 200 {
		t.Errorf("what is free is refused with %d", resp.StatusCode)
	}
}

// Who has no money left is told what the payer says, and not asked to try again.
func TestNoMoneyLeft(t *testing.T) {
	broke := &openai.Error{Status: 429, Type: openai.CodeQuota, Code: openai.CodeQuota, Message: "nothing is left; run: bridge buy"}
	b := serve(t, api.Config{Backend: stub{do: func(context.Context, *backend.Request) (*backend.Response, error) { return nil, broke }}})
	for _, body := range []string{backendtest.Plain, backendtest.Streaming} {
		resp, err := http.Post(b.url+"/v1/chat/completions", "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if message := failed(t, resp, 429, openai.CodeQuota, openai.CodeQuota); message != broke.Message || resp.Header.Get("X-Should-Retry") != "false" {
			t.Errorf("it says %q, with %v", message, resp.Header)
		}
	}
}
