package node

import (
	"bytes"
	"crypto/rand"
	"errors"
	"hash/maphash"
	mrand "math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/culvert-net/culvert/circuit"
	"github.com/culvert-net/culvert/mesh/directory"
	"github.com/culvert-net/culvert/mesh/route"
)

// Paths chooses the hops of circuits: uniformly among relays, passing over
// those that did not answer lately as long as enough others remain.
type Paths struct {
	set      Directory
	failures *Failures
	seed     maphash.Seed // of this start: the order in which unused providers are likely

	mu     sync.Mutex
	rnd    *mrand.Rand // guarded by mu
	recent [][32]byte  // providers, used last first; guarded by mu
}

var _ circuit.Paths = (*Paths)(nil)

// NewPaths chooses from set.
func NewPaths(set Directory, failures *Failures) *Paths {
	return &Paths{set: set, failures: failures, seed: maphash.MakeSeed(), rnd: newRand()}
}

// newRand is seeded by the system: what it chooses decides who sees what.
func newRand() *mrand.Rand {
	var seed [32]byte
	rand.Read(seed[:]) // never fails: crypto/rand crashes the program instead
	return mrand.New(mrand.NewChaCha8(seed))
}

// Stem implements circuit.Paths.
func (p *Paths) Stem(n int, not [32]byte) ([]circuit.Hop, error) {
	snap, now := p.set.Snapshot(), time.Now()
	unfit := func(key [32]byte) bool {
		node, _ := snap.Node(key)
		_, ok := onionKey(node, now)
		return key == not || !ok
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	nodes, err := route.Stem(snap, n, func(key [32]byte) bool { return unfit(key) || p.failures.Lately(key) }, p.rnd)
	if errors.Is(err, route.ErrTooFewRelays) {
		nodes, err = route.Stem(snap, n, unfit, p.rnd)
	}
	if err != nil {
		return nil, err
	}
	hops := make([]circuit.Hop, len(nodes))
	for i, node := range nodes {
		hops[i] = hop(node, now)
	}
	return hops, nil
}

// Provider implements circuit.Paths.
func (p *Paths) Provider(key [32]byte) (circuit.Hop, error) {
	n, ok := p.set.Snapshot().Node(key)
	if _, fresh := onionKey(n, time.Now()); !ok || !fresh {
		return circuit.Hop{}, circuit.ErrUnknownNode
	}
	return hop(n, time.Now()), nil
}

// Likely implements circuit.Paths: a few providers, the ones used last first.
// The others come in an order that is fixed for this start, so that the same
// few circuits are kept and not new ones made at every look.
func (p *Paths) Likely() [][32]byte {
	keys := providers(p.set.Snapshot())
	p.mu.Lock()
	rank := make(map[[32]byte]int, len(p.recent))
	for i, key := range p.recent {
		rank[key] = i - len(p.recent) // before the others' 0
	}
	p.mu.Unlock()
	order := func(key [32]byte) (failed bool, recent int, rest uint64) {
		return p.failures.Lately(key), rank[key], maphash.Comparable(p.seed, key)
	}
	slices.SortFunc(keys, func(a, b [32]byte) int {
		aFailed, aRecent, aRest := order(a)
		bFailed, bRecent, bRest := order(b)
		switch {
		case aFailed != bFailed && bFailed, aFailed == bFailed && aRecent < bRecent,
			aFailed == bFailed && aRecent == bRecent && aRest < bRest:
			return -1
		case a == b:
			return 0
		}
		return 1
	})
	return keys[:min(len(keys), likelyProviders)]
}

// Reached implements circuit.Paths.
func (p *Paths) Reached(key [32]byte, ok bool) { p.failures.Report(key, ok) }

// Used notes that a request went to this provider.
func (p *Paths) Used(key [32]byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.recent = slices.DeleteFunc(p.recent, func(k [32]byte) bool { return k == key })
	p.recent = slices.Insert(p.recent, 0, key)
	p.recent = p.recent[:min(len(p.recent), maxRecent)]
}

// providers lists nodes that offer a model now, in the order of their keys.
func providers(snap *directory.Snapshot) [][32]byte {
	var keys [][32]byte
	for _, m := range snap.Models() {
		for _, n := range snap.Providers(m.ID) {
			if Offers(n, m.ID) {
				keys = append(keys, n.Key)
			}
		}
	}
	slices.SortFunc(keys, func(a, b [32]byte) int { return bytes.Compare(a[:], b[:]) })
	return slices.Compact(keys)
}

// onionKey is the newest onion key of a node that is not past its time.
func onionKey(n directory.Node, now time.Time) ([32]byte, bool) {
	for _, k := range n.Onion {
		if now.Before(k.NotAfter) {
			return k.Public, true
		}
	}
	return [32]byte{}, false
}

func hop(n directory.Node, now time.Time) circuit.Hop {
	key, _ := onionKey(n, now) // chosen because it has one
	return circuit.Hop{Name: DisplayName(n), Key: n.Key, Onion: key}
}
