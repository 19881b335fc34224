package e2e

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/culvert-net/culvert/api/backend/backendtest"
	"github.com/culvert-net/culvert/circuit"
	"github.com/culvert-net/culvert/internal/app/sandbox"
)

// A relay must be unable to know what it carries. A thousand prompts with a
// marked word each cross three hops, and the answers say the words back. What
// every relay read from its links and wrote to them, after link decryption and
// with its own layer taken off or put on, and what it logged at debug, holds
// none of the words in any dress, and on each link no key but those of its two
// ends.
func TestRelaysSeeNothing(t *testing.T) {
	const prompts, clients = 1000, 8
	u := backendtest.NewUpstream(t)
	u.Set(backendtest.ByPath(backendtest.Answer(`{"object":"list","data":[{"id":"m","object":"model"}]}`), echo))
	tapes := make(map[string]*tape) // by relay; written before the relay starts
	w := inProcess(t, u.URL, func(name string, n *sandbox.InProcess) {
		if strings.HasPrefix(name, "relay-") {
			tp := &tape{}
			tapes[name] = tp
			n.Gateway.WrapLinks = func(l circuit.Links) circuit.Links { return &tappedLinks{Links: l, tape: tp} }
		}
	})

	words := make([]string, prompts)
	var wg sync.WaitGroup
	mark := rand.Text()[:24]
	for i := range words {
		words[i] = fmt.Sprintf("%s%04d", mark, i)
	}
	for c := range clients {
		wg.Go(func() {
			for i := c; i < prompts; i += clients {
				if err := say(measured(t, u.URL), w.ready.BaseURL, words[i], i%2 == 0); err != nil {
					t.Errorf("prompt %d: %v", i, err)
				}
			}
		})
	}
	wg.Wait()
	seen := arrived(u)
	for _, word := range words {
		if !seen[word] {
			t.Fatalf("prompt %q did not reach the model server", word)
		}
	}
	w.stop(t)

	finder := newFinder(mark)
	keys := w.keys(t)
	busy, creates := 0, 0
	for name, tp := range tapes {
		log, err := os.ReadFile(w.ready.Logs[name])
		if err != nil {
			t.Fatal(err)
		}
		if word, dress := finder.find(log); word != "" {
			t.Errorf("%s's log holds %q as %s", name, word, dress)
		}
		if key := otherKey(log, keys, keys[name]); key != "" {
			t.Errorf("%s's log holds the key of %s", name, key)
		}
		if tp.bytes() > 100<<10 {
			busy++
		}
		for _, l := range tp.links {
			if otherKey(l.read, keys, allBut(keys, name)...) == name {
				creates++ // it names the relay it is for
			}
			for _, record := range [][]byte{l.read, l.written} {
				if word, dress := finder.find(record); word != "" {
					t.Errorf("%s handled %q as %s", name, word, dress)
				}
				if key := otherKey(record, keys, keys[name], l.Peer()); key != "" {
					t.Errorf("%s saw the key of %s on a link that is not that node's", name, key)
				}
			}
		}
	}
	if creates == 0 {
		t.Error("no record holds a CREATE's own key, so it would not show another's either")
	}
	if busy < 2 {
		t.Errorf("%d relays carried more than 100 KiB; the prompts did not go through them", busy)
	}
}

// allBut is all keys but name's.
func allBut(keys map[string][32]byte, name string) [][32]byte {
	var others [][32]byte
	for n, key := range keys {
		if n != name {
			others = append(others, key)
		}
	}
	return others
}

// echo answers a chat with its last message.
func echo(w http.ResponseWriter, r *http.Request, c *backendtest.Call) {
	var q struct {
		Stream   bool
		Messages []struct{ Content string }
	}
	if err := json.Unmarshal(c.Body, &q); err != nil || len(q.Messages) == 0 {
		backendtest.Status(http.StatusNotFound, "application/json", "{}")(w, r, c)
		return
	}
	word := q.Messages[len(q.Messages)-1].Content
	if q.Stream {
		backendtest.Stream(0, strings.Replace(backendtest.Chunk(0), "t0 ", word, 1), backendtest.Done)(w, r, c)
		return
	}
	backendtest.Answer(strings.Replace(backendtest.Completion, "Hello", word, 1))(w, r, c)
}

// say sends word as a prompt and wants it back.
func say(client *http.Client, base, word string, stream bool) error {
	body := fmt.Sprintf(`{"model":"m","stream":%t,"messages":[{"role":"user","content":%q}]}`, stream, word)
	resp, err := client.Post(base+"/chat/completions", "application/json", strings.NewReader(body))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK || !strings.Contains(string(text), word) {
		return fmt.Errorf("status %d, %.200q, %v; want the word back", resp.StatusCode, text, err)
	}
	return nil
}

// arrived are the last messages that reached the model server.
func arrived(u *backendtest.Upstream) map[string]bool {
	words := make(map[string]bool)
	for _, c := range u.Calls() {
		var q struct{ Messages []struct{ Content string } }
		if json.Unmarshal(c.Body, &q) == nil && len(q.Messages) > 0 {
			words[q.Messages[len(q.Messages)-1].Content] = true
		}
	}
	return words
}

// local is a sandbox in this process.
type local struct {
	ready sandbox.Ready
	quit  context.CancelFunc
	done  chan error
}

func inProcess(t *testing.T, backend string, watch func(string, *sandbox.InProcess)) *local {
	t.Helper()
	o := sandbox.Defaults()
	o.Chain = false // it is a process, whatever the others are
	o.Backend, o.Listen, o.InProcess, o.LogLevel = backend, "127.0.0.1:0", true, "debug"
	o.Dir, o.ReadyFile = filepath.Join(t.TempDir(), "d"), filepath.Join(t.TempDir(), "ready.json")
	o.Out, o.Err, o.Watch = io.Discard, t.Output(), watch
	return runSandbox(t, o)
}

// runSandbox runs a sandbox in this process until the test ends.
func runSandbox(t *testing.T, o sandbox.Options) *local {
	t.Helper()
	ctx, quit := context.WithCancel(t.Context())
	w := &local{quit: quit, done: make(chan error, 1)}
	go func() { w.done <- sandbox.Run(ctx, o) }()
	t.Cleanup(func() { w.stop(t) })
	eventually(t, 20*time.Second, "the sandbox is ready", func() error {
		select {
		case err := <-w.done:
			w.done <- err
			t.Fatalf("sandbox ended while starting: %v", err)
		default:
		}
		text, err := os.ReadFile(o.ReadyFile)
		if err != nil {
			return err
		}
		return json.Unmarshal(text, &w.ready)
	})
	return w
}

// stop may be called twice.
func (w *local) stop(t *testing.T) {
	t.Helper()
	w.quit()
	err := <-w.done
	w.done <- nil
	if err != nil {
		t.Errorf("sandbox: %v", err)
	}
}
