//go:build e2e && leak

package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/culvert-net/culvert/api/backend/backendtest"
	"github.com/culvert-net/culvert/internal/serve"
)

// settled is how long a bridge may take to let go of the circuits of users who
// ask nothing more, which it keeps for five minutes.
const settled = 8 * time.Minute

// held is what every node holds, after a collection.
func (w *world) held(t *testing.T) map[string]serve.Held {
	t.Helper()
	all := make(map[string]serve.Held)
	for name, url := range w.Debug {
		resp, err := http.Get(url + "/debug/held")
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var h serve.Held
		err = json.NewDecoder(resp.Body).Decode(&h)
		resp.Body.Close()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		all[name] = h
	}
	if len(all) != len(w.PIDs) {
		t.Fatalf("%d of %d nodes have a debug server", len(all), len(w.PIDs))
	}
	return all
}

// idle waits until the bridge has the circuits that it has with no user: two
// stems, and one to the provider that requests will likely go to.
func (w *world) idle(t *testing.T) {
	t.Helper()
	eventually(t, settled, "the bridge has only the circuits it keeps ready", func() error {
		states := make(map[string]int)
		for _, c := range w.status().Circuits {
			if c.State == "members" { // the bridge is one, and syncs at its own times
				continue
			}
			if c.Requests > 0 {
				return fmt.Errorf("it has circuit %s, which somebody used", c.ID)
			}
			states[c.State]++
		}
		if len(states) != 2 || states["stem"] != 2 || states["open"] != 1 {
			return fmt.Errorf("it has %v, want two stems and one that is open", states)
		}
		return nil
	})
}

// sides are the bridge, the provider, and the two relays together.
func sides(held map[string]serve.Held) map[string]serve.Held {
	one, two := held["relay-1"], held["relay-2"]
	return map[string]serve.Held{
		"bridge": held["bridge"], "provider-1": held["provider-1"],
		"relays": {Goroutines: one.Goroutines + two.Goroutines, Files: one.Files + two.Files, HeapInuse: one.HeapInuse + two.HeapInuse},
	}
}

// more is how much heap may be in use that was not before: 4 MiB a program.
func more(side string) uint64 {
	if side == "relays" {
		return 2 * 4 << 20
	}
	return 4 << 20
}

// Ten thousand clients that leave, in every phase of a request: no program
// keeps a goroutine, a descriptor or 4 MiB of them.
func TestLeakAborted(t *testing.T) {
	t.Parallel()
	const aborted, clients = 10_000, 16
	var asked atomic.Int64
	phases := []backendtest.Behaviour{
		backendtest.Silent, backendtest.SilentStream, backendtest.Endless(time.Millisecond), backendtest.HalfAnswer,
	}
	u := upstream(t, func(rw http.ResponseWriter, r *http.Request, c *backendtest.Call) {
		phases[asked.Add(1)%int64(len(phases))](rw, r, c)
	})
	// With two relays every circuit passes both, and chance decides only which
	// comes first: together they hold the same, whatever the paths.
	w := start(t, "--backend", u.URL, "--isolation", "key", "--debug", "--relays", "2")
	leave := func(n int) {
		t.Helper()
		if err := atOnce(clients, n, func(i int) error {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			arrived := asked.Load()
			go func() {
				// Others arrive too: some leave long before their phase, some in it.
				for asked.Load() < arrived+2 && ctx.Err() == nil {
					time.Sleep(time.Millisecond)
				}
				time.Sleep(time.Duration(i%7) * time.Millisecond)
				cancel()
			}()
			resp, err := w.post(ctx, chatBody(i%3 != 0))
			if err != nil {
				return nil // left before the status
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			return resp.Body.Close()
		}); err != nil {
			t.Error(err)
		}
	}
	leave(500) // every connection between nodes is made, every pool has its size
	http.DefaultClient.CloseIdleConnections()
	w.idle(t)
	before := sides(w.held(t))
	leave(aborted)
	http.DefaultClient.CloseIdleConnections()
	w.idle(t)
	for name, h := range before {
		// What the pool replaces meanwhile comes and goes; a leak stays.
		eventually(t, settled, name+" holds what it held", func() error {
			now := sides(w.held(t))[name]
			if now.Goroutines > h.Goroutines || now.Files > h.Files || now.HeapInuse > h.HeapInuse+more(name) {
				return fmt.Errorf("%+v; before %d aborted requests %+v", now, aborted, h)
			}
			t.Logf("%s: %+v, before %+v", name, now, h)
			return nil
		})
	}
	u.answer(backendtest.Answer(backendtest.Completion))
	w.ask(chatBody(false)).completed(t)
}

// A client reads nothing for a minute, with a hundred megabytes on their way:
// the model server is no longer read, no program holds more than 2 MiB for it,
// and then it gets all of it.
func TestLeakStalled(t *testing.T) {
	t.Parallel()
	const total = 100 << 20
	event := `data: {"id":"c","choices":[{"index":0,"delta":{"content":"` + strings.Repeat("x", 4000) + `"}}]}` + "\n\n"
	var sent atomic.Int64
	u := upstream(t, func(rw http.ResponseWriter, r *http.Request, c *backendtest.Call) {
		rw.Header().Set("Content-Type", "text/event-stream")
		for sent.Load() < total {
			n, err := io.WriteString(rw, event)
			if err != nil {
				return
			}
			sent.Add(int64(n))
		}
		_, _ = io.WriteString(rw, backendtest.Done)
	})
	w := start(t, "--backend", u.URL, "--debug")
	before := w.held(t)
	// By a plain client: whoever measures an answer keeps all of it.
	resp, err := http.Post(w.BaseURL+"/chat/completions", "application/json", strings.NewReader(chatBody(true)))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	first := bufio.NewReaderSize(resp.Body, 16)
	if _, err := first.ReadByte(); err != nil {
		t.Fatal(err)
	}
	// What the system's socket buffers take is not ours, and is filled at once.
	still := int64(-1)
	eventually(t, patience, "the model server is no longer read", func() error {
		was := still
		still = sent.Load()
		time.Sleep(500 * time.Millisecond)
		if was != still || still == 0 {
			return fmt.Errorf("%d bytes sent, %d a moment before", still, was)
		}
		return nil
	})
	time.Sleep(time.Minute)
	if now := sent.Load(); now != still || now > total/2 {
		t.Errorf("the model server has sent %d bytes, %d when the client had just stopped reading", now, still)
	}
	for name, h := range w.held(t) {
		t.Logf("%s: %+v, before %+v", name, h, before[name])
		if h.HeapInuse > before[name].HeapInuse+2<<20 {
			t.Errorf("%s holds %d KiB more for a client that does not read; want at most 2,048", name, (h.HeapInuse-before[name].HeapInuse)>>10)
		}
	}
	t.Logf("sent when stalled: %d KiB, all buffers of the system included", still>>10)
	n, err := io.Copy(io.Discard, first)
	if want := sent.Load() + int64(len(backendtest.Done)) - 1; err != nil || n != want {
		t.Errorf("then the client got %d bytes, %v; want %d", n, err, want)
	}
}
