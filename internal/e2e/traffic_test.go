//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/culvert-net/culvert/api/backend/backendtest"
	"github.com/culvert-net/culvert/internal/app/bridge"
	"github.com/culvert-net/culvert/mesh/directory/follow"
)

// questions records all that a bridge says to mirrors, a stream at a time.
type questions struct {
	mu  sync.Mutex
	all []*bytes.Buffer // guarded by mu, as what they hold
}

// distinct are the different questions that were asked.
func (q *questions) distinct() map[string]bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	out := make(map[string]bool)
	for _, b := range q.all {
		if b.Len() > 0 { // not one that was opened and not used yet
			out[b.String()] = true
		}
	}
	return out
}

// wrap is bridge.Options.WrapMirrors.
func (q *questions) wrap(o follow.Opener) follow.Opener { return &asking{o, q} }

// asking opens streams that are recorded.
type asking struct {
	follow.Opener
	q *questions
}

func (a *asking) Open(ctx context.Context, to follow.Mirror) (io.ReadWriteCloser, error) {
	s, err := a.Opener.Open(ctx, to)
	if err != nil {
		return nil, err
	}
	a.q.mu.Lock()
	defer a.q.mu.Unlock()
	said := new(bytes.Buffer)
	a.q.all = append(a.q.all, said)
	return &heard{s, a.q, said}, nil
}

type heard struct {
	io.ReadWriteCloser
	q    *questions
	said *bytes.Buffer
}

func (h *heard) Write(p []byte) (int, error) {
	h.q.mu.Lock()
	h.said.Write(p)
	h.q.mu.Unlock()
	return h.ReadWriteCloser.Write(p)
}

// What a bridge asks mirrors says nothing of what it is used for. Two bridges of one
// world, of which one is asked for one model and one for another, say the same bytes
// to mirrors, from their start on and over more than one change of the epoch.
func TestDirectoryTrafficIsIdentical(t *testing.T) {
	t.Parallel()
	u := backendtest.NewUpstream(t)
	u.Set(backendtest.ByPath(
		backendtest.Answer(`{"object":"list","data":[{"id":"a","object":"model"},{"id":"b","object":"model"}]}`),
		backendtest.Answer(backendtest.Completion)))
	asked := [2]*questions{{}, {}}
	w := inProcess(t, u.URL, nil)
	file := filepath.Join(w.ready.Dirs["relay-1"], "world.toml")
	// Both are to begin with the same root.
	if at := time.Now(); at.Second() > 30 {
		time.Sleep(at.Truncate(time.Minute).Add(time.Minute + 5*time.Second).Sub(at))
	}
	bases := [2]string{anotherBridge(t, file, asked[0]), anotherBridge(t, file, asked[1])}
	eventually(t, 4*time.Minute, "both bridges have followed for three roots", func() error {
		for i, model := range []string{"a", "b"} {
			body := fmt.Sprintf(`{"model":%q,"messages":[{"role":"user","content":"hello"}]}`, model)
			r, err := http.Post(bases[i]+"/chat/completions", "application/json", strings.NewReader(body))
			if err != nil {
				return err
			}
			if _ = r.Body.Close(); r.StatusCode != http.StatusOK {
				return fmt.Errorf("bridge %d: status %d", i, r.StatusCode)
			}
		}
		first, second := asked[0].distinct(), asked[1].distinct()
		// The question for roots, which is one and the same for ever, and one for the
		// bundle of each root.
		if len(first) < 4 || len(second) < 4 || !maps.Equal(first, second) {
			time.Sleep(time.Second) // of a minute's epoch
			return fmt.Errorf("%d and %d different questions", len(first), len(second))
		}
		return nil
	})
	for q := range asked[0].distinct() {
		if !asked[1].distinct()[q] {
			t.Errorf("only the first bridge asked %x", q)
		}
	}
}

// anotherBridge runs one more bridge of a sandbox, and returns its base URL.
func anotherBridge(t *testing.T, world string, q *questions) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "b")
	cfg := bridge.Defaults()
	if _, err := bridge.Init(dir, world, cfg); err != nil {
		t.Fatal(err)
	}
	cfg.API.Listen, cfg.Status.Listen = []string{"127.0.0.1:0"}, ""
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- bridge.Serve(ctx, bridge.Options{Data: dir, Config: cfg, Err: t.Output(), WrapMirrors: q.wrap})
	}()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("another bridge ended with %v", err)
		}
	})
	return ready(t, "bridge", dir).BaseURLs[0]
}
