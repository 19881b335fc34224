package bridge

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/culvert-net/culvert/api/backend"
	"github.com/culvert-net/culvert/api/tunnel"
	"github.com/culvert-net/culvert/circuit"
	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/member"
	"github.com/culvert-net/culvert/internal/app/node"
	"github.com/culvert-net/culvert/internal/app/onchain"
	"github.com/culvert-net/culvert/internal/app/pricing"
	"github.com/culvert-net/culvert/ledger"
	"github.com/culvert-net/culvert/mesh"
	"github.com/culvert-net/culvert/mesh/directory"
	"github.com/culvert-net/culvert/mesh/directory/mirror"
	"github.com/culvert-net/culvert/mesh/world"
)

const (
	stateOpen    = "open"    // of a circuit that reaches a provider
	stateMembers = "members" // of one that ends at a node which serves no model
)

// toProvider reports whether a circuit that is open ends at a provider. A node
// that is not listed any more was one.
func toProvider(c circuit.Info, snap *directory.Snapshot) bool {
	n, ok := snap.Node(c.Last)
	return !ok || len(n.Models) > 0
}

// worldFiles are patterns of what a bridge keeps of its world, besides its file.
func worldFiles() []string { return slices.Concat(mirror.Files(), member.Files()) }

// inWorld is a bridge of a world.
type inWorld struct {
	world *world.World
	chain *onchain.Settings // nil: nothing is paid
	known *directory.View   // who is in the world

	// Two hosts with keys of their own: who serves the directory cannot tell
	// that a circuit's builder is the same bridge.
	links, fetches *mesh.Host

	directory *node.Signed
	circuits  *circuit.Client
	router    *node.Router
	tunnel    *tunnel.Client

	members *membership
	money   *money // nil: there is no chain
}

var _ mode = (*inWorld)(nil)

func newWorld(ctx context.Context, b *bridge, w *world.World, chain *onchain.Settings) (_ mode, err error) {
	m := &inWorld{world: w, chain: chain, known: directory.NewView(w)}
	chain.Warn(b.log)
	defer func() {
		if err != nil {
			err = errors.Join(err, m.close())
		}
	}()
	if len(w.Seeds) == 0 {
		return nil, app.Usage(fmt.Errorf("the world file of %q lists no seeds, so there is nobody to ask for the directory", w.Phrase))
	}
	for _, h := range []**mesh.Host{&m.links, &m.fetches} {
		if *h, err = mesh.New(mesh.Config{Quiet: true, Local: w.Local, Log: b.log}); err != nil {
			return nil, err
		}
	}
	failures := node.NewFailures()
	paths := node.NewPaths(m.known, failures)
	m.circuits, err = circuit.NewClient(circuit.ClientConfig{
		World: w.ID, Hops: m.hops(), CellSize: int(w.Rules.FixedCellBytes),
		Links: node.NewLinks(m.links, m.known), Paths: paths, Log: b.log,
		Pairs: chain != nil, // a pay stream beside each request
	})
	if err != nil {
		return nil, err
	}
	m.directory, err = node.OpenSigned(node.SignedConfig{
		World: w, View: m.known, Dir: b.data.Path(""), Host: m.fetches, Circuits: m.circuits, Wrap: b.wrap, Log: b.log,
	})
	if err != nil {
		return nil, err
	}
	m.router = node.NewRouter(m.known, failures, m.noDirectory)
	if m.money, err = openMoney(ctx, b, w, chain, m.known, m.circuits); err != nil {
		return nil, err
	}
	m.router.Pays, m.router.WhyNot = m.money.pays, m.money.whyNot
	switch c := w.Charter; {
	case m.money != nil:
		m.router.Prices = m.money.prices
	case c != nil && c.Chain != nil:
		m.router.Prices = pricing.NewBook(pricing.Config{Domain: ledger.Domain{ChainID: c.Chain.ID, Contract: c.Chain.Contract}})
	}
	m.tunnel, err = tunnel.NewClient(tunnel.ClientConfig{
		Router: m.router, Dialer: node.Dialer{Client: m.circuits, Hops: m.hops(), Used: paths.Used}, Payer: m.money.tunnelPayer(), Log: b.log,
	})
	if err != nil {
		return nil, err
	}
	m.members, err = openMembership(b.data, w, m.known, m.circuits, b.log)
	return m, err
}

func (m *inWorld) name() string             { return ModeWorld }
func (m *inWorld) backend() backend.Backend { return m.tunnel }

// hops is how long circuits are.
func (m *inWorld) hops() int { return int(m.world.Rules.DefaultCircuitLen) }

// noDirectory is nil if it is known who is in the world, else why it is not.
func (m *inWorld) noDirectory() error {
	return node.NoDirectory(m.directory.Status(), m.world, time.Now())
}

// ready says what is missing until a request can be answered.
func (m *inWorld) ready() error {
	snap := m.known.Snapshot()
	if snap.Len() == 0 {
		if err := m.noDirectory(); err != nil {
			return err // everything else follows from it
		}
	}
	var missing []error
	if relays, need := len(snap.Relays()), m.hops()-1; relays < need {
		missing = append(missing, errors.New(node.TooFewRelays(relays, need)))
	}
	if !node.HasProvider(snap) {
		missing = append(missing, node.ErrNobody)
	} else if err := m.money.unread(); err != nil && !node.HasFree(snap) {
		missing = append(missing, err) // nobody can be paid, or would be free
	}
	// One that is full counts: under load a request waits a moment for the
	// next, and a bridge that works must not look as if it did not.
	if !slices.ContainsFunc(m.circuits.Circuits(), func(c circuit.Info) bool { return c.State == stateOpen && toProvider(c, snap) }) {
		none := "no circuit is ready yet"
		// With nobody to build one to, that says it all.
		if err := m.circuits.Problem(); err != nil && len(missing) == 0 {
			none += ": " + node.NoCircuit(err, m.hops())
		}
		missing = append(missing, errors.New(none))
	}
	return errors.Join(missing...)
}

func (m *inWorld) describe(s *Status) {
	s.World = node.NewWorldStatus(m.world)
	s.Chain = m.chain.Status()
	s.Money = m.money.status(context.Background())
	s.Directory = node.NewDirectoryStatus(m.directory, m.known.Snapshot())
	s.Circuits = circuitStatus(m.circuits.Circuits(), m.known.Snapshot())
	if service := m.members.running(); service != nil {
		s.Member = service.Status()
	}
}

func (m *inWorld) parts() []app.Part {
	return append([]app.Part{
		{Name: "directory", Run: m.directory.Run},
		{Name: "circuits", Run: m.circuits.Run},
		{Name: "directory watch", Run: func(ctx context.Context) error {
			return node.Follow(ctx, m.known, m.circuits.Changed)
		}},
		{Name: "membership", Run: m.members.run},
	}, m.money.parts()...)
}

func (m *inWorld) admin(rest http.Handler) http.Handler { return m.members.admin(m.money.admin(rest)) }

func (m *inWorld) close() error {
	errs := []error{m.money.close()}
	if m.members != nil {
		errs = append(errs, m.members.close())
	}
	for _, h := range []*mesh.Host{m.links, m.fetches} {
		if h != nil {
			errs = append(errs, h.Close())
		}
	}
	return errors.Join(errs...)
}
