package node

import (
	"errors"
	"fmt"
	mrand "math/rand/v2"
	"slices"
	"sync"

	"github.com/culvert-net/culvert/api/backend"
	"github.com/culvert-net/culvert/api/openai"
	"github.com/culvert-net/culvert/api/tunnel"
	"github.com/culvert-net/culvert/mesh/directory"
	"github.com/culvert-net/culvert/mesh/route"
)

// Router gives the tunnel providers out of the directory, passing over those
// that failed lately as long as there are others.
type Router struct {
	set      Directory
	failures *Failures
	missing  func() error

	// Prices are what providers ask for, and Pays reports whether a node that asks to
	// be paid for a model can be; nil knows no price, and pays nobody. Set before the
	// first Choose.
	Prices Prices
	Pays   func(n directory.Node, model string) bool

	// WhyNot says, where nobody of a model is left who is free or can be paid, what
	// helps: a reason, or an *openai.Error that is the answer itself; nil: there is
	// nothing to say.
	WhyNot func(model string) error

	mu  sync.Mutex
	rnd *mrand.Rand // guarded by mu
}

var _ tunnel.Router = (*Router)(nil)

// NewRouter chooses from set. missing is nil as long as what set does not hold
// does not exist, and else says why that is not known.
func NewRouter(set Directory, failures *Failures, missing func() error) *Router {
	return &Router{set: set, failures: failures, missing: missing, rnd: newRand()}
}

// Prices says what a provider asks for.
type Prices interface {
	// Price is what a node of the snapshot asks for a model now; false if what it
	// says of money counts for nothing, or does not name the model.
	Price(snap *directory.Snapshot, n directory.Node, model string) (backend.Price, bool)
	// Less reports whether the first is the lower price.
	Less(a, b backend.Price) bool
}

// ErrNobody says that nobody in the world serves anything at present. A provider
// that is started again is not one that never was, so no model is unknown then.
var ErrNobody = errors.New("no provider is known")

// Choose implements tunnel.Router.
func (r *Router) Choose(name string, needs openai.Capability, exclude []tunnel.Target) (tunnel.Target, error) {
	snap := r.set.Snapshot()
	model := modelOf(snap, name)
	out := func(key [32]byte) bool {
		n, _ := snap.Node(key)
		return !offers(n, model, needs) || slices.ContainsFunc(exclude, func(t tunnel.Target) bool { return t.Key == key })
	}
	pays := func(n directory.Node) bool { return r.Pays != nil && r.Pays(n, model) }
	r.mu.Lock()
	defer r.mu.Unlock()
	n, err := route.Provider(snap, model, func(key [32]byte) bool { return out(key) || r.failures.Lately(key) }, pays, r.rnd)
	if errors.Is(err, route.ErrNoProvider) {
		n, err = route.Provider(snap, model, out, pays, r.rnd)
	}
	switch {
	case errors.Is(err, route.ErrUnknownModel):
		if why := r.missing(); why != nil {
			return tunnel.Target{}, &tunnel.Explained{Reason: why.Error(), Err: fmt.Errorf("%w: %w", tunnel.ErrNoProvider, why)}
		}
		if !HasProvider(snap) {
			return tunnel.Target{}, &tunnel.Explained{Reason: ErrNobody.Error(), Err: fmt.Errorf("%w: %w", tunnel.ErrNoProvider, ErrNobody)}
		}
		return tunnel.Target{}, fmt.Errorf("%w: %w", tunnel.ErrUnknownModel, err)
	case errors.Is(err, route.ErrUnpaid):
		return tunnel.Target{}, r.unpaid(model, err)
	case err != nil && notAble(snap, model, needs):
		return tunnel.Target{}, fmt.Errorf("%w: %w", tunnel.ErrNotAble, err)
	case err != nil:
		return tunnel.Target{}, fmt.Errorf("%w: %w", tunnel.ErrNoProvider, err)
	}
	return tunnel.Target{Key: n.Key, Name: DisplayName(n), Model: model}, nil
}

// unpaid is for a request that somebody could answer, and nobody can be paid for.
func (r *Router) unpaid(model string, err error) *openai.Error {
	why := errors.New("there is no balance with any of them")
	if r.WhyNot != nil {
		why = r.WhyNot(model)
	}
	e, ok := errors.AsType[*openai.Error](why)
	if !ok {
		e = openai.Quota("every provider of this model that is left asks to be paid, and " + why.Error() + "; or pick a model of GET /v1/models that has no price")
	}
	e.Cause = fmt.Errorf("%w: %w", tunnel.ErrNoProvider, err)
	return e
}

// modelOf is the id of a model that was asked for by it or by its alias.
func modelOf(snap *directory.Snapshot, name string) string {
	if long := backend.LongName(name); len(snap.Providers(name)) == 0 && len(snap.Providers(long)) > 0 {
		return long
	}
	return name
}

// notAble reports whether a model is offered, but by nobody for what is needed.
func notAble(snap *directory.Snapshot, model string, needs openai.Capability) bool {
	all := snap.Providers(model)
	return slices.ContainsFunc(all, func(n directory.Node) bool { return Offers(n, model) }) &&
		!slices.ContainsFunc(all, func(n directory.Node) bool { return offers(n, model, needs) })
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
// A model can do what any of its providers offers.
func (r *Router) Models() []backend.Model {
	snap := r.set.Snapshot()
	var out []backend.Model
	for _, m := range snap.Models() {
		row := backend.Model{ID: m.ID, OwnedBy: "culvert", Context: int(m.Context)}
		free := false
		for _, n := range snap.Providers(m.ID) {
			if able := abilities(n, m.ID); able != nil {
				row.Providers++
				row.Able = append(row.Able, able...)
				free = free || !n.Priced()
				r.cheaper(&row, snap, n)
			}
		}
		if free {
			row.Price = nil
		}
		if row.Providers > 0 {
			slices.Sort(row.Able)
			row.Able = slices.Compact(row.Able)
			out = append(out, row)
		}
	}
	backend.SetAliases(out)
	return out
}

// cheaper makes a row show the price of n, if that is known and lower.
func (r *Router) cheaper(row *backend.Model, snap *directory.Snapshot, n directory.Node) {
	if r.Prices == nil || !n.Priced() {
		return
	}
	if p, ok := r.Prices.Price(snap, n, row.ID); ok && (row.Price == nil || r.Prices.Less(p, *row.Price)) {
		row.Price = &p
	}
}

// CapUnavailable marks a model whose server does not answer at present. Its
// provider keeps its place: a node without any model would stand as a relay,
// which a provider need not be.
const CapUnavailable = "unavailable"

// abilities are the routes a node serves a model on now; nil if it does not. A
// descriptor that names none of them means chat.
func abilities(n directory.Node, model string) []openai.Capability {
	i := slices.IndexFunc(n.Models, func(m directory.Model) bool { return m.ID == model })
	if i < 0 || slices.Contains(n.Models[i].Caps, CapUnavailable) {
		return nil
	}
	var able []openai.Capability
	for _, r := range openai.Routes {
		if slices.Contains(n.Models[i].Caps, string(r.Needs)) {
			able = append(able, r.Needs)
		}
	}
	if able == nil {
		able = []openai.Capability{openai.Chat}
	}
	return able
}

// Offers reports whether a node serves a model now.
func Offers(n directory.Node, model string) bool { return abilities(n, model) != nil }

func offers(n directory.Node, model string, needs openai.Capability) bool {
	return slices.Contains(abilities(n, model), needs)
}

// HasFree reports whether anybody offers a model now, and asks for nothing.
func HasFree(snap *directory.Snapshot) bool {
	return slices.ContainsFunc(providers(snap), func(key [32]byte) bool {
		n, ok := snap.Node(key)
		return ok && !n.Priced()
	})
}

// HasProvider reports whether anybody offers a model now.
func HasProvider(snap *directory.Snapshot) bool { return len(providers(snap)) > 0 }
