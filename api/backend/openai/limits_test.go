package openai_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/culvert-net/culvert/api/backend"
	"github.com/culvert-net/culvert/api/backend/backendtest"
	"github.com/culvert-net/culvert/api/backend/openai"
	wire "github.com/culvert-net/culvert/api/openai"
)

// outcome is the error of a request, in Do or while reading.
func outcome(t *testing.T, b backend.Backend, body string) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), backendtest.Patience)
	defer cancel()
	resp, err := b.Do(ctx, backendtest.Request(t, body))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.Status != http.StatusOK {
		return backend.ReadError(resp)
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

func wantError(t *testing.T, name string, err error, status int, code string) {
	t.Helper()
	var e *wire.Error
	if !errors.As(err, &e) || e.Status != status || e.Code != code {
		t.Errorf("%s: %v, want %d %s", name, err, status, code)
	}
}

func TestMaxAnswer(t *testing.T) {
	up := backendtest.NewUpstream(t)
	exact := newClient(t, openai.Config{BaseURL: up.URL, MaxAnswer: int64(len(backendtest.Completion))})
	if err := outcome(t, exact, backendtest.Plain); err != nil {
		t.Errorf("an answer of the largest size: %v", err)
	}
	small := newClient(t, openai.Config{BaseURL: up.URL, MaxAnswer: int64(len(backendtest.Completion)) - 1})
	wantError(t, "one byte more", outcome(t, small, backendtest.Plain), http.StatusBadGateway, "answer_too_large")
	up.Set(backendtest.Gzip("application/json", strings.Repeat(" ", 1<<20)))
	wantError(t, "decoded", outcome(t, small, backendtest.Plain), http.StatusBadGateway, "answer_too_large")
	up.Set(backendtest.Stream(0, backendtest.Events(100)...))
	if err := outcome(t, small, backendtest.Streaming); err != nil {
		t.Errorf("a stream: %v", err)
	}
}

func TestUnreachable(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	c := newClient(t, openai.Config{BaseURL: "http://" + l.Addr().String()})
	err = outcome(t, c, backendtest.Plain)
	wantError(t, "closed port", err, http.StatusBadGateway, "upstream_unreachable")
	if strings.Contains(err.Error(), "127.0.0.1") {
		t.Errorf("%v tells the client where the server is", err)
	}
	if _, err := c.Models(t.Context()); err == nil {
		t.Error("Models of a closed port succeeded")
	}
}

func TestCutGzip(t *testing.T) {
	up := backendtest.NewUpstream(t)
	for _, text := range []string{"", "\x1f\x8b", "not gzip"} {
		up.Set(backendtest.Status(http.StatusOK, "application/json", text, "Content-Encoding", "gzip"))
		wantError(t, "gzip of "+text, outcome(t, newClient(t, openai.Config{BaseURL: up.URL}), backendtest.Plain), http.StatusBadGateway, "upstream_cut")
	}
}
