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
	"github.com/culvert-net/culvert/mesh/directory/mirror"
	worlds "github.com/culvert-net/culvert/mesh/world"
)

// questions records all that a bridge says to mirrors, a stream at a time.
type questions struct {
	world worlds.Hash
	mu    sync.Mutex
	all   []*bytes.Buffer      // guarded by mu, as what they hold
	roots map[worlds.Hash]bool // guarded by mu; all that mirrors had while it asked
}

// forms are the questions that were asked, with "root" in place of the id of each
// root that any mirror had: what a question says of its asker beyond the time.
func (q *questions) forms(roots map[worlds.Hash]bool) map[string]int {
	q.mu.Lock()
	defer q.mu.Unlock()
	out := make(map[string]int)
	for _, b := range q.all {
		if b.Len() == 0 { // one that was opened and not used yet
			continue
		}
		said := b.String()
		for id := range roots {
			said = strings.ReplaceAll(said, string(id[:]), "root")
		}
		out[said]++
	}
	return out
}

// seen adds the roots that mirrors had to a set.
func (q *questions) seen(to map[worlds.Hash]bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	maps.Copy(to, q.roots)
}

// wrap is bridge.Options.WrapMirrors.
func (q *questions) wrap(o follow.Opener) follow.Opener { return &asking{o, q} }

// asking opens streams that are recorded, after it has asked on one of its own what
// roots there are.
type asking struct {
	follow.Opener
	q *questions
}

func (a *asking) Open(ctx context.Context, to follow.Mirror) (io.ReadWriteCloser, error) {
	if err := a.look(ctx, to); err != nil {
		return nil, err
	}
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

func (a *asking) look(ctx context.Context, at follow.Mirror) error {
	s, err := a.Opener.Open(ctx, at)
	if err != nil {
		return err
	}
	defer s.Close()
	roots, err := mirror.AskRoots(s, a.q.world)
	if err != nil {
		return err
	}
	a.q.mu.Lock()
	defer a.q.mu.Unlock()
	for _, r := range roots.Roots {
		a.q.roots[r.Root.ID()] = true
	}
	return nil
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

// What a bridge asks mirrors says nothing of what it is used for: two bridges of one
// world, of which one is asked for one model and one for another, say the same bytes
// to mirrors when they start.
func TestDirectoryTrafficIsIdentical(t *testing.T) {
	t.Parallel()
	followAlike(t, longest, 1)
}

// followAlike runs two bridges, each of which is asked for a model of its own, until
// both have fetched some bundles, and fails unless they asked the same: for the roots,
// for the bundle of a root, and for the changes from one root to another. Which root
// is the newest when one asks is up to the clock and to chance; nothing else may be.
func followAlike(t *testing.T, within time.Duration, bundles int) {
	t.Helper()
	u := backendtest.NewUpstream(t)
	u.Set(backendtest.ByPath(
		backendtest.Answer(`{"object":"list","data":[{"id":"a","object":"model"},{"id":"b","object":"model"}]}`),
		backendtest.Answer(backendtest.Completion)))
	w := inProcess(t, u.URL, nil)
	file := filepath.Join(w.ready.Dirs["relay-1"], "world.toml")
	of, err := worlds.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	var asked [2]*questions
	var bases [2]string
	for i := range asked {
		asked[i] = &questions{world: of.ID, roots: make(map[worlds.Hash]bool)}
		bases[i] = anotherBridge(t, file, asked[i])
	}
	var forms [2]map[string]int
	eventually(t, within, fmt.Sprintf("both bridges have fetched %d bundles", bundles), func() error {
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
		roots := make(map[worlds.Hash]bool)
		for _, q := range asked {
			q.seen(roots)
		}
		var fetched [2]int
		for i, q := range asked {
			forms[i] = q.forms(roots)
			for form, n := range forms[i] {
				if strings.Contains(form, "root") {
					fetched[i] += n
				}
			}
		}
		if min(fetched[0], fetched[1]) < bundles {
			time.Sleep(200 * time.Millisecond)
			return fmt.Errorf("%d and %d bundles", fetched[0], fetched[1])
		}
		return nil
	})
	// The roots, a bundle, and the changes since another one.
	want := 2 + min(bundles-1, 1)
	for i, other := range []int{1, 0} {
		if len(forms[i]) != want {
			t.Errorf("bridge %d asked %d different things, want %d", i, len(forms[i]), want)
		}
		for form := range forms[i] {
			if forms[other][form] == 0 {
				t.Errorf("only bridge %d asked %x", i, form)
			}
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
