package circuit_test

import (
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/culvert-net/culvert/circuit"
	"github.com/culvert-net/culvert/circuit/onion"
)

var world = [32]byte{'w', 'o', 'r', 'l', 'd'}

// network joins the nodes of a test. dial is how a link is made: net.Pipe in
// bubbles, TCP in benchmarks.
type network struct {
	dial func() (a, b net.Conn)
	wrap func(from, to [32]byte, c net.Conn) net.Conn // nil: as it is

	mu    sync.Mutex
	nodes map[[32]byte]*node
}

// node is one place in the network, and its circuit.Links.
type node struct {
	net    *network
	key    [32]byte
	onion  *ecdh.PrivateKey
	name   string
	accept chan *link
	cancel context.CancelFunc
	relay  *circuit.Relay

	mu    sync.Mutex
	down  bool // dials to it fail
	links []*link
}

type link struct {
	net.Conn
	peer [32]byte
}

func (l *link) Peer() [32]byte { return l.peer }
func (l *link) Reset() error   { return l.Close() }

func newNetwork() *network {
	return &network{dial: func() (net.Conn, net.Conn) { return net.Pipe() }, nodes: make(map[[32]byte]*node)}
}

func tcpPair(tb testing.TB) func() (net.Conn, net.Conn) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { ln.Close() })
	var mu sync.Mutex
	return func() (net.Conn, net.Conn) {
		mu.Lock()
		defer mu.Unlock()
		a, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			tb.Fatal(err)
		}
		b, err := ln.Accept()
		if err != nil {
			tb.Fatal(err)
		}
		return a, b
	}
}

func (n *network) add(tb testing.TB, name string) *node {
	tb.Helper()
	priv, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	nd := &node{net: n, onion: priv, name: name, accept: make(chan *link, 64)}
	rand.Read(nd.key[:])
	n.mu.Lock()
	n.nodes[nd.key] = nd
	n.mu.Unlock()
	return nd
}

func (nd *node) Lookup(id [8]byte) (*ecdh.PrivateKey, bool) {
	if id != onion.KeyID([32]byte(nd.onion.PublicKey().Bytes())) {
		return nil, false
	}
	return nd.onion, true
}

func (nd *node) hop() circuit.Hop {
	return circuit.Hop{Name: nd.name, Key: nd.key, Onion: [32]byte(nd.onion.PublicKey().Bytes())}
}

func (nd *node) Open(ctx context.Context, to [32]byte) (circuit.Link, error) {
	nd.net.mu.Lock()
	peer := nd.net.nodes[to]
	nd.net.mu.Unlock()
	if peer == nil {
		return nil, circuit.ErrUnknownNode
	}
	peer.mu.Lock()
	defer peer.mu.Unlock()
	if peer.down {
		return nil, errors.New("connection refused")
	}
	a, b := nd.net.dial()
	if nd.net.wrap != nil {
		a = nd.net.wrap(nd.key, to, a)
	}
	near, far := &link{Conn: a, peer: to}, &link{Conn: b, peer: nd.key}
	select {
	case peer.accept <- far:
		peer.links = append(peer.links, far)
		return near, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (nd *node) Accept(ctx context.Context) (circuit.Link, error) {
	select {
	case l := <-nd.accept:
		return l, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// serve runs a relay at nd until the test ends or kill.
func (nd *node) serve(tb testing.TB, change func(*circuit.RelayConfig)) {
	tb.Helper()
	cfg := circuit.RelayConfig{
		World: world, Self: nd.key, CellSize: 512, Links: nd, Keys: nd, Extend: true, Log: slog.New(slog.DiscardHandler),
	}
	if change != nil {
		change(&cfg)
	}
	r, err := circuit.NewRelay(cfg)
	if err != nil {
		tb.Fatal(err)
	}
	nd.relay = r
	ctx, cancel := context.WithCancel(context.Background())
	nd.cancel = cancel
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = r.Run(ctx)
	}()
	tb.Cleanup(func() { cancel(); <-done })
}

// kill takes the node off the network as a dead process would be.
func (nd *node) kill() {
	nd.mu.Lock()
	nd.down = true
	links := nd.links
	nd.links = nil
	nd.mu.Unlock()
	nd.cancel()
	for _, l := range links {
		l.Close()
	}
}

// paths gives a client the relays in the order they were added, and counts
// what it is asked. Its fields but the guarded ones are set before Run.
type paths struct {
	relays    []*node
	providers []*node
	likely    bool
	forgive   bool                                             // never avoid a node that failed
	stem      func(n int, not [32]byte) ([]circuit.Hop, error) // nil: relays, in order

	mu     sync.Mutex
	failed map[[32]byte]bool
	stems  int              // Stem was asked
	asked  int              // Provider was asked
	blamed map[[32]byte]int // Reached with false
	met    map[[32]byte]int // Reached with true
}

func (p *paths) Stem(n int, not [32]byte) ([]circuit.Hop, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stems++
	if p.stem != nil {
		return p.stem(n, not)
	}
	var hops []circuit.Hop
	for _, r := range p.relays {
		if r.key != not && !p.failed[r.key] && len(hops) < n {
			hops = append(hops, r.hop())
		}
	}
	if len(hops) < n {
		return nil, fmt.Errorf("%d relays, need %d", len(hops), n)
	}
	return hops, nil
}

func (p *paths) Provider(key [32]byte) (circuit.Hop, error) {
	p.mu.Lock()
	p.asked++
	p.mu.Unlock()
	i := slices.IndexFunc(p.providers, func(n *node) bool { return n.key == key })
	if i < 0 {
		return circuit.Hop{}, circuit.ErrUnknownNode
	}
	return p.providers[i].hop(), nil
}

func (p *paths) Likely() [][32]byte {
	var keys [][32]byte
	if p.likely {
		for _, n := range p.providers {
			keys = append(keys, n.key)
		}
	}
	return keys
}

func (p *paths) Reached(key [32]byte, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if ok {
		p.met[key]++
		delete(p.failed, key)
		return
	}
	p.blamed[key]++
	if !p.forgive {
		p.failed[key] = true
	}
}

// lab is a small world: a client, relays and one provider that echoes.
type lab struct {
	net      *network
	user     *node
	client   *circuit.Client
	paths    *paths
	relays   []*node
	provider *node
}

// newLab builds a world with circuits of hops nodes and spare more relays.
func newLab(tb testing.TB, n *network, hops, spare int) *lab {
	tb.Helper()
	l := stillLab(tb, n, hops, spare)
	l.run(tb)
	return l
}

// stillLab is newLab whose client does not run yet.
func stillLab(tb testing.TB, n *network, hops, spare int) *lab {
	tb.Helper()
	l := &lab{net: n, user: n.add(tb, "user"), paths: &paths{
		failed: make(map[[32]byte]bool), blamed: make(map[[32]byte]int), met: make(map[[32]byte]int),
	}}
	for i := range hops - 1 + spare {
		r := n.add(tb, fmt.Sprintf("relay-%d", i+1))
		r.serve(tb, nil)
		l.relays = append(l.relays, r)
	}
	l.provider = n.add(tb, "provider")
	l.provider.serve(tb, func(c *circuit.RelayConfig) { c.Extend, c.Serve = false, []circuit.StreamKind{circuit.StreamHTTP} })
	l.paths.relays, l.paths.providers = l.relays, []*node{l.provider}
	client, err := circuit.NewClient(circuit.ClientConfig{
		World: world, Hops: hops, CellSize: 512, Links: l.user, Paths: l.paths, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		tb.Fatal(err)
	}
	l.client = client
	return l
}

// run runs the client until the test ends or the returned func is called.
func (l *lab) run(tb testing.TB) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = l.client.Run(ctx)
	}()
	stop = func() { cancel(); <-done }
	tb.Cleanup(stop)
	return stop
}

// each hands every stream that reaches the provider to f.
func (l *lab) each(tb testing.TB, f func(s *circuit.Stream)) {
	var wg sync.WaitGroup
	ln := l.provider.relay.Listener(circuit.StreamHTTP)
	wg.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { f(c.(*circuit.Stream)) })
		}
	})
	tb.Cleanup(func() { ln.Close(); l.provider.cancel(); wg.Wait() })
}

func (l *lab) dial(tb testing.TB) *circuit.Stream {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	s, err := l.client.Dial(ctx, l.provider.key, circuit.Group{})
	if err != nil {
		tb.Fatalf("Dial: %v", err)
	}
	return s
}

// onLinksOf puts wrap around the links that the named node opens.
func (n *network) onLinksOf(name string, wrap func(net.Conn) net.Conn) {
	n.wrap = func(from, _ [32]byte, c net.Conn) net.Conn {
		n.mu.Lock()
		defer n.mu.Unlock()
		if n.nodes[from].name == name {
			return wrap(c)
		}
		return c
	}
}
