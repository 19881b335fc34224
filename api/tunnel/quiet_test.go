package tunnel

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/culvert-net/culvert/api/backend"
)

// lockedBuffer is a log that several goroutines write.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

// Nothing of a prompt, an answer or a key is in a log at any level, nor in an
// error, however an attempt ends.
func TestNothingIsTold(t *testing.T) {
	const canary = "canary-7c1"
	data := `{"model":"m","stream":true,"user":"` + canary + `","messages":[{"role":"user","content":"` + canary + `"}]}`
	var log lockedBuffer
	logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug - 4}))
	check := func(t *testing.T, err error) {
		t.Helper()
		if err != nil && strings.Contains(err.Error(), canary) {
			t.Errorf("error = %v, which holds the canary", err)
		}
		log.mu.Lock()
		defer log.mu.Unlock()
		if strings.Contains(log.buf.String(), canary) {
			t.Errorf("log holds the canary: %s", log.buf.String())
		}
	}
	for _, f := range failures {
		c := newTestClient(t, newRouter("a", "b"), newDialer(t, f.peer, f.peer))
		c.log = logger
		resp, err := c.Do(t.Context(), chat(t, data))
		if err == nil {
			_, err = io.ReadAll(resp.Body)
			resp.Body.Close()
		}
		check(t, err)
	}
	for _, b := range []backendFunc{
		answerWith(200, "text/event-stream", cutAfter("data: "+canary+"\n\n")),
		answerWith(200, "application/json", cutAfter(canary)),
		answerWith(200, "text/"+canary, cutAfter(canary)),
		func(context.Context, *backend.Request) (*backend.Response, error) { return nil, errors.New("down") },
	} {
		srv := serveBackend(t, ServerConfig{Backend: b, Log: logger})
		_, _ = exchangeRaw(srv, rawRequest(data))
		_, _ = exchangeRaw(srv, rawRequest(data)+canary)
		_, _ = exchangeRaw(srv, canary)
		if err := srv.stop(); err != nil {
			t.Error(err)
		}
		check(t, nil)
	}
	if log.buf.Len() == 0 {
		t.Error("nothing was logged, so the test saw nothing")
	}
}

// discardConn takes everything.
type discardConn struct{ *memConn }

func (discardConn) Write(p []byte) (int, error) { return len(p), nil }

// endlessEvents repeats raw bytes, one repetition a read.
type endlessEvents struct{ raw string }

func (e endlessEvents) Read(p []byte) (int, error) { return copy(p, e.raw), nil }

// An event costs no allocation at either end (2026-11).
func TestEventsDoNotAllocate(t *testing.T) {
	const event = "data: {\"choices\":[{\"delta\":{\"content\":\"x\"}}]}\n\n"
	conn, _ := newPipe("c", 1)
	w := newChunkWriter(discardConn{conn}, endlessEvents{event}, new(chunkBuffer))
	server := testing.AllocsPerRun(1000, func() {
		chunk, err := w.next()
		if _, err := w.send(chunk, err); err != nil {
			t.Fatal(err)
		}
	})
	a, err := readAnswer(io.MultiReader(stringsReader(streamHead), endlessEvents{chunks(event)}))
	if err != nil {
		t.Fatal(err)
	}
	x := &exchange{answer: a, gap: stall{limit: AnswerGap, set: conn.SetReadDeadline}}
	buf := make([]byte, len(event))
	client := testing.AllocsPerRun(1000, func() {
		if _, err := x.read(buf); err != nil {
			t.Fatal(err)
		}
	})
	if server > 0 || client > 0 {
		t.Errorf("allocations per event: server %v, client %v, want 0", server, client)
	}
}
