//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/culvert-net/culvert/api/backend/backendtest"
)

// tokens is how many chunks a counted stream has.
const tokens = 20

// counted answers a chat with chunks that name its last message and their
// place, a usage chunk and the end.
func counted(rw http.ResponseWriter, r *http.Request, c *backendtest.Call) {
	var q struct {
		Messages []struct{ Content string }
	}
	err := json.Unmarshal(c.Body, &q)
	c.Body = nil // of thousands
	if err != nil || len(q.Messages) == 0 {
		backendtest.Status(http.StatusBadRequest, "application/json", `{"error":{"message":"no message"}}`)(rw, r, c)
		return
	}
	backendtest.Stream(0, strings.SplitAfter(countedStream(q.Messages[len(q.Messages)-1].Content), "\n\n")...)(rw, r, c)
}

// countedStream is the stream that counted makes of word.
func countedStream(word string) string {
	var b strings.Builder
	for i := range tokens {
		fmt.Fprintf(&b, `data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"%s-%d "},"finish_reason":null}]}`+"\n\n", word, i)
	}
	b.WriteString(`data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}` + "\n\n")
	fmt.Fprintf(&b, `data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[],"usage":{"prompt_tokens":1,"completion_tokens":%d,"total_tokens":%d}}`+"\n\n", tokens, tokens+1)
	b.WriteString(backendtest.Done)
	return b.String()
}

// countedBody asks for a counted stream.
func countedBody(system, word string) string {
	return fmt.Sprintf(`{"model":%q,"stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"system","content":%q},{"role":"user","content":%q}]}`, model, system, word)
}

// atOnce calls f for 0 to n−1, from some goroutines, until one of them fails.
func atOnce(clients, n int, f func(i int) error) error {
	var (
		next   atomic.Int64
		once   sync.Once
		failed error
		wg     sync.WaitGroup
	)
	for range clients {
		wg.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				if err := f(i); err != nil {
					once.Do(func() { failed = fmt.Errorf("%d of %d: %w", i, n, err) })
					next.Store(int64(n))
					return
				}
			}
		})
	}
	wg.Wait()
	return failed
}

// whole is nil for an answer of success that is want, to the byte.
func (r reply) whole(want string) error {
	switch {
	case r.err != nil:
		return r.err
	case r.status != http.StatusOK || string(r.body) != want:
		at := 0
		for at < min(len(r.body), len(want)) && r.body[at] == want[at] {
			at++
		}
		return fmt.Errorf("status %d, %d bytes for %d, other from byte %d: %.300q", r.status, len(r.body), len(want), at, r.body[max(0, at-20):])
	}
	return nil
}

// Ten thousand streams at sixteen clients: each is whole, and each is the one
// that was asked for, whichever circuit carried it beside whichever others.
func TestManyStreams(t *testing.T) {
	t.Parallel()
	const streams, clients = 10_000, 16
	for _, isolation := range []string{"key", "conversation"} {
		t.Run(isolation, func(t *testing.T) {
			u := upstream(t, counted)
			w := start(t, "--backend", u.URL, "--isolation", isolation)
			n := streams
			if isolation == "conversation" {
				n /= 10 // each of which is a circuit of its own
			}
			if err := atOnce(clients, n, func(i int) error {
				word := fmt.Sprintf("w%d", i)
				return w.ask(countedBody("s"+word, word)).whole(countedStream(word))
			}); err != nil {
				t.Error(err)
			}
			if got := len(u.chats()); got != n {
				t.Errorf("%d requests reached the model server for %d asked", got, n)
			}
		})
	}
}

// Two users, a thousand requests, and relays and the model server that fail
// meanwhile: a circuit that carried one user's request never carries the
// other's.
func TestGroupsNeverShareACircuit(t *testing.T) {
	t.Parallel()
	const requests, clients = 1000, 8
	var asked atomic.Int64
	u := upstream(t, func(rw http.ResponseWriter, r *http.Request, c *backendtest.Call) {
		switch asked.Add(1) % 10 {
		case 3:
			panic(http.ErrAbortHandler) // before the first byte
		case 6:
			backendtest.CutAfter(backendtest.Chunk(0), "data: {")(rw, r, c)
		case 9:
			backendtest.Status(http.StatusInternalServerError, "application/json", `{"error":{"message":"no"}}`)(rw, r, c)
		default:
			counted(rw, r, c)
		}
	})
	w := start(t, "--backend", u.URL, "--isolation", "key", "--relays", "5", "--providers", "2")
	var mu sync.Mutex
	owner := make(map[string]int) // by circuit
	good := 0
	kills := map[int]string{requests / 4: "relay-5", requests / 2: "provider-2", 3 * requests / 4: "relay-4"}
	if err := atOnce(clients, requests, func(i int) error {
		if node := kills[i]; node != "" {
			w.kill(node)
		}
		user, word := i%2, fmt.Sprintf("w%d", i)
		r := w.askAs(fmt.Sprintf("user-%d", user), countedBody("same", word))
		id := r.header.Get("X-Culvert-Circuit")
		mu.Lock()
		defer mu.Unlock()
		if bytes.HasSuffix(r.body, []byte(backendtest.Done)) {
			good++
		}
		if was, known := owner[id]; known && was != user && id != "" {
			return fmt.Errorf("circuit %s carried a request of user %d and one of user %d", id, was, user)
		}
		owner[id] = user
		return nil
	}); err != nil {
		t.Error(err)
	}
	if len(owner) < 4 || good < requests/2 {
		t.Errorf("%d circuits and %d whole answers for %d requests; too few to show anything", len(owner), good, requests)
	}
}
