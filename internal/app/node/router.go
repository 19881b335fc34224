package node

import (
	"errors"
	"fmt"
	mrand "math/rand/v2"
	"slices"
	"sync"

	"github.com/culvert-net/culvert/api/backend"
	"github.com/culvert-net/culvert/api/tunnel"
	"github.com/culvert-net/culvert/mesh/directory"
	"github.com/culvert-net/culvert/mesh/route"
)

// Router gives the tunnel providers out of the directory, passing over those
// that failed lately as long as there are others.
type Router struct {
	set      *directory.Set
	failures *Failures
	missing  func() error

	mu  sync.Mutex
	rnd *mrand.Rand // guarded by mu
}

var _ tunnel.Router = (*Router)(nil)

// NewRouter chooses from set. missing is nil as long as what set does not hold
// does not exist, and else says why that is not known.
func NewRouter(set *directory.Set, failures *Failures, missing func() error) *Router {
	return &Router{set: set, failures: failures, missing: missing, rnd: newRand()}
}

// Choose implements tunnel.Router.
func (r *Router) Choose(model string, exclude []tunnel.Target) (tunnel.Target, error) {
	snap := r.set.Snapshot()
	out := func(key [32]byte) bool {
		n, _ := snap.Node(key)
		return !Offers(n, model) || slices.ContainsFunc(exclude, func(t tunnel.Target) bool { return t.Key == key })
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	n, err := route.Provider(snap, model, func(key [32]byte) bool { return out(key) || r.failures.Lately(key) }, r.rnd)
	if errors.Is(err, route.ErrNoProvider) {
		n, err = route.Provider(snap, model, out, r.rnd)
	}
	switch {
	case errors.Is(err, route.ErrUnknownModel):
		if why := r.missing(); why != nil {
			return tunnel.Target{}, &tunnel.Explained{Reason: why.Error(), Err: fmt.Errorf("%w: %w", tunnel.ErrNoProvider, why)}
		}
		return tunnel.Target{}, fmt.Errorf("%w: %w", tunnel.ErrUnknownModel, err)
	case err != nil:
		return tunnel.Target{}, fmt.Errorf("%w: %w", tunnel.ErrNoProvider, err)
	}
	return tunnel.Target{Key: n.Key, Name: DisplayName(n)}, nil
}

// Report implements tunnel.Router. A refusal is an answer, and who asked may
// have gone for reasons of its own: neither says that the provider failed.
func (r *Router) Report(t tunnel.Target, outcome tunnel.Outcome) {
	switch outcome {
	case tunnel.OutcomeOK:
		r.failures.Report(t.Key, true)
	case tunnel.OutcomeFailed, tunnel.OutcomeCut:
		r.failures.Report(t.Key, false)
	}
}

// Models implements tunnel.Router.
func (r *Router) Models() []backend.Model {
	snap := r.set.Snapshot()
	var out []backend.Model
	for _, m := range snap.Models() {
		if slices.ContainsFunc(snap.Providers(m.ID), func(n directory.Node) bool { return Offers(n, m.ID) }) {
			out = append(out, backend.Model{ID: m.ID, OwnedBy: "culvert"})
		}
	}
	return out
}

// CapUnavailable marks a model whose server does not answer at present. Its
// provider keeps its place: a node without any model would stand as a relay,
// which a provider need not be.
const CapUnavailable = "unavailable"

// Offers reports whether a node serves a model now.
func Offers(n directory.Node, model string) bool {
	return slices.ContainsFunc(n.Models, func(m directory.Model) bool {
		return m.ID == model && !slices.Contains(m.Caps, CapUnavailable)
	})
}

// HasProvider reports whether anybody offers a model now.
func HasProvider(snap *directory.Snapshot) bool { return len(providers(snap)) > 0 }
