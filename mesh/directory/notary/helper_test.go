package notary

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/culvert-net/culvert/mesh/directory"
	"github.com/culvert-net/culvert/mesh/directory/dirtest"
	"github.com/culvert-net/culvert/mesh/directory/mirror"
	"github.com/culvert-net/culvert/mesh/quorum"
	"github.com/culvert-net/culvert/mesh/world"
)

// signer is one directory signer in a test.
type signer struct {
	*Notary
	set    *directory.Set
	store  *mirror.Store
	memory *quorum.Memory
	down   bool // does not answer; guarded by meeting.mu
	behind int  // times it was told that it is behind
}

// meeting is all signers of a world, on a network that works unless a hook says
// otherwise.
type meeting struct {
	*dirtest.World
	mu      sync.Mutex
	signers []*signer
	lost    func(from, to int, request []byte) bool // nil loses nothing
}

var errLost = errors.New("no answer")

// meet makes the signers of a world with t of n.
func meet(tb testing.TB, t, n int) *meeting {
	tb.Helper()
	return gather(tb, dirtest.New(tb, 5*time.Minute, t, n))
}

// gather makes the signers of a world.
func gather(tb testing.TB, w *dirtest.World) *meeting {
	tb.Helper()
	m := &meeting{World: w}
	for i := range w.Signers {
		m.signers = append(m.signers, &signer{
			set: directory.NewSet(m.World.World), memory: quorum.NewMemory(m.ID), store: m.newStore(tb),
		})
		m.start(tb, i, 1)
	}
	return m
}

func (m *meeting) newStore(tb testing.TB) *mirror.Store {
	tb.Helper()
	s, err := mirror.Open(mirror.Config{World: m.World.World, Quorum: m.Quorum})
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// start makes a signer's notary anew, as after a restart.
func (m *meeting) start(tb testing.TB, i, firstNodes int) {
	tb.Helper()
	s := m.signers[i]
	n, err := New(Config{
		World: m.World.World, Quorum: m.Quorum, Key: m.Signers[i], Memory: s.memory, Set: s.set, Store: s.store,
		Peers: line{m, i}, FirstNodes: firstNodes, Behind: func() { s.behind++ },
	})
	if err != nil {
		tb.Fatal(err)
	}
	s.Notary = n
}

// line is a signer's way to the others.
type line struct {
	*meeting
	from int
}

func (l line) Ask(_ context.Context, key [32]byte, request []byte) ([]byte, error) {
	to := l.number(key)
	l.mu.Lock()
	s, lost, down := l.signers[to], l.lost, l.signers[to].down
	l.mu.Unlock()
	if down || lost != nil && lost(l.from, to, request) {
		return nil, errLost
	}
	return s.Answer(request, time.Now()), nil
}

// away says which signer does not answer from now on, or does again.
func (m *meeting) away(i int, down bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.signers[i].down = down
}

// number is which signer a key is.
func (m *meeting) number(key [32]byte) int {
	for i, k := range m.Signers {
		if dirtest.Public(k) == key {
			return i
		}
	}
	panic("not a signer")
}

// know puts descriptors into the sets of some signers.
func (m *meeting) know(ds []world.Descriptor, now time.Time, who ...int) {
	for _, i := range who {
		m.signers[i].set.Add(ds, now)
	}
}

// has reports whether a node stands in a signer's newest bundle.
func (s *signer) has(w *world.World, node int) bool {
	b := s.store.Newest()
	if b == nil {
		return false
	}
	return directory.ReadContent(w, b.Root.Epoch, b.Descriptors(), nil).Has(dirtest.Public(dirtest.Key(node)))
}
