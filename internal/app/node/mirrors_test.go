package node

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/culvert-net/culvert/circuit"
	"github.com/culvert-net/culvert/mesh"
	"github.com/culvert-net/culvert/mesh/directory"
	"github.com/culvert-net/culvert/mesh/directory/follow"
	"github.com/culvert-net/culvert/mesh/directory/mirror"
	"github.com/culvert-net/culvert/mesh/directory/notary"
	"github.com/culvert-net/culvert/mesh/directory/publish"
	"github.com/culvert-net/culvert/mesh/quorum"
	"github.com/culvert-net/culvert/mesh/world"
)

// signedWorld is a world of real hosts on loopback with three directory signers.
type signedWorld struct {
	t     *testing.T
	world *world.World
	ctx   context.Context
	wg    sync.WaitGroup
	hosts []*mesh.Host // of the signers
	keys  []ed25519.PrivateKey
	log   *slog.Logger
}

func newHost(t *testing.T) (*mesh.Host, ed25519.PrivateKey) {
	t.Helper()
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	host, err := mesh.New(mesh.Config{Key: key, Local: true, Listen: []string{"/ip4/127.0.0.1/tcp/0"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = host.Close() })
	return host, key
}

func newSignedWorld(t *testing.T) *signedWorld {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	s := &signedWorld{t: t, ctx: ctx, log: slog.New(slog.DiscardHandler)}
	t.Cleanup(func() { cancel(); s.wg.Wait() })
	rules := world.DefaultRules()
	charter := &world.Charter{
		Version: 1, FounderThreshold: 1, DirectoryThreshold: 2, CircuitSuite: world.CircuitSuite,
		EventHorizonS: uint64(world.DefaultHorizon / time.Second), QuotaPerAuthor: 100, TicketBits: 1,
	}
	var seeds []string
	for range 3 {
		host, key := newHost(t)
		s.hosts, s.keys = append(s.hosts, host), append(s.keys, key)
		charter.DirectorySigners = append(charter.DirectorySigners, host.Key())
		a, err := world.ParseAddr(host.Addrs()[0])
		if err != nil {
			t.Fatal(err)
		}
		seeds = append(seeds, SeedAddr(a.Transport, host.Key()))
	}
	charter.Founders = charter.DirectorySigners[:1]
	var err error
	if s.world, err = world.New(world.World{Phrase: "signed", Rules: rules, Charter: charter, Seeds: seeds, Local: true}); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *signedWorld) store(dir string) *mirror.Store {
	s.t.Helper()
	store, err := mirror.Open(mirror.Config{World: s.world, Quorum: quorum.Of(s.world), Dir: dir})
	if err != nil {
		s.t.Fatal(err)
	}
	return store
}

// sign runs the signers, which wait for so many nodes.
func (s *signedWorld) sign(nodes int) {
	s.t.Helper()
	q := quorum.Of(s.world)
	var sets []*directory.Set
	for range s.hosts {
		sets = append(sets, directory.NewSet(s.world))
	}
	for i, host := range s.hosts {
		dir := s.t.TempDir()
		memory, err := quorum.OpenMemory(filepath.Join(dir, "signed.db"), s.world.ID)
		if err != nil {
			s.t.Fatal(err)
		}
		store := s.store(dir)
		n, err := notary.New(notary.Config{
			World: s.world, Quorum: q, Key: s.keys[i], Memory: memory, Set: sets[i], Store: store,
			Peers: Signers{Host: host, World: s.world, Nodes: sets[i]}, FirstNodes: nodes, Log: s.log,
		})
		if err != nil {
			s.t.Fatal(err)
		}
		desk := notary.NewDesk(s.world, sets[i], nil)
		ServeMirror(s.ctx, host, store, desk, s.log)
		ServeSigners(host, n, q, s.log)
		s.wg.Go(func() { _ = n.Run(s.ctx) })
	}
}

// node starts a relay, or a provider of a model, that publishes, follows and
// mirrors.
func (s *signedWorld) node(name, model string) *directory.View {
	t := s.t
	t.Helper()
	host, key := newHost(t)
	dir := t.TempDir()
	keys, err := directory.OpenKeyring(filepath.Join(dir, "onion.keys"), s.world)
	if err != nil {
		t.Fatal(err)
	}
	a, err := world.ParseAddr(host.Addrs()[0])
	if err != nil {
		t.Fatal(err)
	}
	self := directory.Node{Name: name, Addrs: []string{a.Transport}}
	if model != "" {
		self.Models = []directory.Model{{ID: model, Runtime: "vllm"}}
	}
	p, err := publish.New(publish.Config{
		World: s.world, Key: key, Keys: keys, Seeds: Desks{host}, File: filepath.Join(dir, "own.db"),
		Self: func() (directory.Node, bool) { return self, true }, Log: s.log,
	})
	if err != nil {
		t.Fatal(err)
	}
	store, view := s.store(dir), directory.NewView(s.world)
	f, err := follow.New(follow.Config{World: s.world, Store: store, View: view, Direct: Mirrors{host}, Self: host.Key(), Log: s.log})
	if err != nil {
		t.Fatal(err)
	}
	links := NewLinks(host, view)
	links.Missing = f.Refresh
	links.Serve()
	relay, err := circuit.NewRelay(circuit.RelayConfig{
		World: s.world.ID, Self: host.Key(), CellSize: int(s.world.Rules.FixedCellBytes),
		Links: links, Keys: keys, Extend: true, Serve: []circuit.StreamKind{circuit.StreamDirectory}, Log: s.log,
	})
	if err != nil {
		t.Fatal(err)
	}
	ServeMirror(s.ctx, host, store, nil, s.log)
	for _, run := range []func(context.Context) error{p.Run, f.Run, relay.Run, func(ctx context.Context) error {
		return ServeMirrorOver(ctx, relay.Listener(circuit.StreamDirectory), 8, store, s.log)
	}} {
		s.wg.Go(func() { _ = run(s.ctx) })
	}
	return view
}

// A whole world by signed roots, over real links: nodes publish with a stamp,
// signers make the first root, everybody follows, and a bridge that has it asks
// its next mirrors over circuits.
func TestSignedDirectory(t *testing.T) {
	s := newSignedWorld(t)
	s.sign(4)
	var views []*directory.View
	for i := range 3 {
		views = append(views, s.node(fmt.Sprint("relay-", i), ""))
	}
	views = append(views, s.node("provider", "m"))

	host, _ := newHost(t)
	store, view := s.store(t.TempDir()), directory.NewView(s.world)
	client, err := circuit.NewClient(circuit.ClientConfig{
		World: s.world.ID, Hops: 3, CellSize: int(s.world.Rules.FixedCellBytes),
		Links: NewLinks(host, view), Paths: NewPaths(view, NewFailures()), Log: s.log,
	})
	if err != nil {
		t.Fatal(err)
	}
	bridge, err := follow.New(follow.Config{World: s.world, Store: store, View: view, Direct: Mirrors{host}, Log: s.log})
	if err != nil {
		t.Fatal(err)
	}
	s.wg.Go(func() { _ = client.Run(s.ctx) })
	s.wg.Go(func() { _ = bridge.Run(s.ctx) })
	views = append(views, view)

	ctx, cancel := context.WithTimeout(s.ctx, 3*time.Minute)
	defer cancel()
	for i, v := range views {
		for v.Snapshot().Len() < 4 {
			updated := v.Updated()
			if v.Snapshot().Len() >= 4 {
				break
			}
			select {
			case <-updated:
			case <-ctx.Done():
				t.Fatalf("node %d knows %d nodes", i, v.Snapshot().Len())
			}
		}
		if len(v.Snapshot().Relays()) != 3 || len(v.Snapshot().Providers("m")) != 1 {
			t.Errorf("node %d: %d relays, %d providers", i, len(v.Snapshot().Relays()), len(v.Snapshot().Providers("m")))
		}
	}

	// Over circuits the same is to be had.
	over := MirrorsOver{client}
	for _, relay := range view.Snapshot().Relays() {
		stream, err := over.Open(ctx, follow.Mirror{Key: relay.Key})
		if err != nil {
			t.Fatalf("over a circuit: %v", err)
		}
		roots, err := mirror.AskRoots(stream, s.world.ID)
		if err != nil || len(roots.Roots) != 1 || roots.Roots[0].ID() != store.Newest().Root.ID() {
			t.Errorf("over a circuit to %s: %+v, %v", relay.Name, roots, err)
		}
		_ = stream.Close()
	}
}

// Only signers are listened to among signers.
func TestServeSignersRefusesOthers(t *testing.T) {
	s := newSignedWorld(t)
	s.sign(4)
	host, _ := newHost(t)
	stranger := Signers{Host: host, World: s.world, Nodes: directory.NewView(s.world)}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if b, err := stranger.Ask(ctx, s.hosts[0].Key(), []byte("request")); err == nil {
		t.Errorf("a stranger is told %x", b)
	}
	signer := Signers{Host: s.hosts[1], World: s.world, Nodes: directory.NewView(s.world)}
	if b, err := signer.Ask(ctx, s.hosts[0].Key(), []byte("request")); err != nil || len(b) == 0 {
		t.Errorf("a signer is told %x, %v", b, err)
	}
	if _, err := signer.Ask(ctx, host.Key(), []byte("request")); err == nil {
		t.Error("somebody who is nowhere answers")
	}
}
