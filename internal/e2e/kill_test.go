//go:build e2e

package e2e

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/culvert-net/culvert/api/backend/backendtest"
)

// waiting starts a chat that the upstream holds back, and returns the hops
// that carry it.
func waiting(t *testing.T, w *world, u *server, body string) (answer <-chan reply, hops []string) {
	t.Helper()
	answer = w.asking(body)
	u.nextChat(t, patience)
	hops = w.busy()
	if len(hops) != 3 {
		t.Fatalf("hops = %v, want three", hops)
	}
	return answer, hops
}

// received waits for an answer.
func received(t *testing.T, answer <-chan reply, limit time.Duration) reply {
	t.Helper()
	select {
	case r := <-answer:
		return r
	case <-time.After(limit):
		t.Fatalf("no answer within %v", limit)
		return reply{}
	}
}

// The user saw half an answer when a relay died: he is told, and the
// connection does not end as if all were well. The next request works.
func TestRelayKilledMidStream(t *testing.T) {
	t.Parallel()
	for _, place := range []struct {
		name string
		hop  int
	}{{"entry", 0}, {"middle", 1}} {
		t.Run(place.name, func(t *testing.T) {
			t.Parallel()
			u := upstream(t, backendtest.Endless(5*time.Millisecond))
			w := start(t, "--backend", u.URL)
			e := w.stream(t.Context(), t)
			for range 3 {
				if _, err := e.next(); err != nil {
					t.Fatal(err)
				}
			}
			w.kill(w.busy()[place.hop])
			brokenOff(t, e)
			u.answer(backendtest.Answer(backendtest.Completion))
			w.ask(chatBody(false)).completed(t)
		})
	}
}

// brokenOff reads a stream to an end that no client takes for success.
func brokenOff(t *testing.T, e *events) {
	t.Helper()
	var last string
	for {
		data, err := e.next()
		switch {
		case err == nil && data == "[DONE]":
			t.Fatal("a cut stream ended with [DONE]")
		case err == nil:
			last = data
			continue
		case errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
			t.Fatalf("a cut stream ended cleanly after %.200q", last)
		}
		break
	}
	if !strings.HasPrefix(last, `{"error":{`) {
		t.Fatalf("last event before the cut = %.200q, want an error frame", last)
	}
}

// A relay dies while the model still thinks: the client notices nothing but
// time, whichever way it asks.
func TestRelayKilledBeforeFirstByte(t *testing.T) {
	t.Parallel()
	gate := make(chan struct{})
	u := upstream(t, backendtest.Gated(gate, backendtest.Answer(backendtest.Completion)))
	w := start(t, "--backend", u.URL)
	answer, hops := waiting(t, w, u, chatBody(false))
	w.kill(hops[1])
	u.nextChat(t, patience) // the same, over another way
	if again := w.busy(); slices.Contains(again, hops[1]) {
		t.Errorf("second way %v passes the dead %s", again, hops[1])
	}
	close(gate)
	received(t, answer, patience).completed(t)
}

// With streams too.
func TestRelayKilledBeforeFirstEvent(t *testing.T) {
	t.Parallel()
	gate := make(chan struct{})
	u := upstream(t, backendtest.Gated(gate, backendtest.Stream(0, backendtest.Events(5)...)))
	w := start(t, "--backend", u.URL)
	answer, hops := waiting(t, w, u, chatBody(true))
	w.kill(hops[0])
	u.nextChat(t, patience)
	close(gate)
	r := received(t, answer, patience)
	r.completed(t)
	if want := strings.Join(backendtest.Events(5), ""); string(r.body) != want {
		t.Errorf("answer = %q, want %q", r.body, want)
	}
}

// A provider dies before it answered: another one is asked.
func TestProviderKilledBeforeFirstByte(t *testing.T) {
	t.Parallel()
	gate := make(chan struct{})
	u := upstream(t, backendtest.Gated(gate, backendtest.Answer(backendtest.Completion)))
	w := start(t, "--backend", u.URL, "--providers", "2")
	answer, hops := waiting(t, w, u, chatBody(false))
	w.kill(hops[2])
	u.nextChat(t, patience)
	close(gate)
	r := received(t, answer, patience)
	r.completed(t)
	if got := r.header.Get("X-Culvert-Provider"); got == hops[2] || got == "" {
		t.Errorf("answer came from %q, want the other provider than %q", got, hops[2])
	}
	// The dead one is passed over from now on.
	for range 5 {
		w.ask(chatBody(false)).completed(t)
	}
}

// A provider that dies within its answer has answered in part: nobody else is
// asked, and the user is told.
func TestProviderKilledMidStream(t *testing.T) {
	t.Parallel()
	u := upstream(t, backendtest.Endless(5*time.Millisecond))
	w := start(t, "--backend", u.URL, "--providers", "2")
	e := w.stream(t.Context(), t)
	if _, err := e.next(); err != nil {
		t.Fatal(err)
	}
	w.kill(w.busy()[2])
	brokenOff(t, e)
	if n := len(u.chats()); n != 1 {
		t.Errorf("%d providers saw the prompt after its answer had begun, want 1", n)
	}
}

// A relay that neither works nor dies is found out by PING, and the request
// goes another way.
func TestRelayStoppedBeforeFirstByte(t *testing.T) {
	t.Parallel()
	gate := make(chan struct{})
	u := upstream(t, backendtest.Gated(gate, backendtest.Answer(backendtest.Completion)))
	w := start(t, "--backend", u.URL)
	answer, hops := waiting(t, w, u, chatBody(false))
	w.signal(hops[1], syscall.SIGSTOP)
	t.Cleanup(func() { w.signal(hops[1], syscall.SIGCONT) })
	u.nextChat(t, longest)
	close(gate)
	received(t, answer, longest).completed(t)
}

// The client is gone: the model server stops working for it, in every phase.
func TestClientGone(t *testing.T) {
	t.Parallel()
	u := upstream(t, backendtest.Silent)
	w := start(t, "--backend", u.URL)
	for _, phase := range []struct {
		name   string
		behave backendtest.Behaviour
		stream bool
		events int // to be read before leaving
	}{
		{"before the status", backendtest.Silent, true, 0},
		{"before the status, not streamed", backendtest.Silent, false, 0},
		{"before the first token", backendtest.SilentStream, true, 0},
		{"within the stream", backendtest.Endless(2 * time.Millisecond), true, 3},
		{"within the document", backendtest.HalfAnswer, false, 0},
	} {
		t.Run(phase.name, func(t *testing.T) {
			u.answer(phase.behave)
			ctx, leave := context.WithCancel(t.Context())
			defer leave()
			left := make(chan struct{})
			go func() {
				defer close(left)
				resp, err := w.post(ctx, chatBody(phase.stream))
				if err != nil {
					return
				}
				defer resp.Body.Close()
				// The end of the context ends it.
				_, _ = io.Copy(&countdown{left: phase.events, zero: leave}, resp.Body)
			}()
			call := u.nextChat(t, patience)
			if phase.events == 0 {
				leave()
			}
			call.WaitCancelled(t)
			<-left
		})
	}
}

// countdown calls zero after some events were written to it.
type countdown struct {
	left int
	zero func()
}

func (c *countdown) Write(p []byte) (int, error) {
	if n := strings.Count(string(p), "\n\n"); n > 0 && c.left > 0 {
		if c.left -= n; c.left <= 0 {
			c.zero()
		}
	}
	return len(p), nil
}
