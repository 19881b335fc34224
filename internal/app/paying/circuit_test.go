package paying

import (
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/culvert-net/culvert/api/tunnel"
	"github.com/culvert-net/culvert/circuit"
	"github.com/culvert-net/culvert/circuit/onion"
	"github.com/culvert-net/culvert/internal/app/node"
	"github.com/culvert-net/culvert/ledger"
)

// providerNode is the key of the node that serves.
var providerNode = [32]byte{1}

// lab is real circuits over links in memory: a client, two relays and a provider.
type lab struct {
	client *circuit.Client
	relay  *circuit.Relay // the provider's

	mu    sync.Mutex
	nodes map[[32]byte]*place // by key
	links []net.Conn          // guarded by mu
}

// place is one node of it.
type place struct {
	lab    *lab
	key    [32]byte
	onion  *ecdh.PrivateKey
	accept chan circuit.Link
}

type link struct {
	net.Conn
	peer [32]byte
}

func (l link) Peer() [32]byte { return l.peer }
func (l link) Reset() error   { return l.Close() }

func (p *place) Lookup(id [8]byte) (*ecdh.PrivateKey, bool) {
	return p.onion, id == onion.KeyID([32]byte(p.onion.PublicKey().Bytes()))
}

func (p *place) Open(ctx context.Context, to [32]byte) (circuit.Link, error) {
	peer := p.lab.nodes[to]
	if peer == nil {
		return nil, circuit.ErrUnknownNode
	}
	a, b := net.Pipe()
	p.lab.mu.Lock()
	p.lab.links = append(p.lab.links, a)
	p.lab.mu.Unlock()
	select {
	case peer.accept <- link{b, p.key}:
		return link{a, to}, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p *place) Accept(ctx context.Context) (circuit.Link, error) {
	select {
	case l := <-p.accept:
		return l, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p *place) hop() circuit.Hop {
	return circuit.Hop{Key: p.key, Onion: [32]byte(p.onion.PublicKey().Bytes())}
}

// Stem implements circuit.Paths.
func (l *lab) Stem(int, [32]byte) ([]circuit.Hop, error) {
	return []circuit.Hop{l.nodes[[32]byte{2}].hop(), l.nodes[[32]byte{3}].hop()}, nil
}

// Provider implements circuit.Paths.
func (l *lab) Provider(key [32]byte) (circuit.Hop, error) { return l.nodes[key].hop(), nil }

// Likely implements circuit.Paths.
func (l *lab) Likely() [][32]byte { return [][32]byte{providerNode} }

// Reached implements circuit.Paths.
func (l *lab) Reached([32]byte, bool) {}

// cut breaks all links.
func (l *lab) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.links {
		_ = c.Close()
	}
	l.links = nil
}

func (l *lab) dialer() tunnel.Dialer {
	return node.Dialer{Client: l.client, Hops: 3, Used: func([32]byte) {}}
}

func (l *lab) acceptors() (requests, pays tunnel.Acceptor) {
	return node.Acceptor{Listener: l.relay.Listener(circuit.StreamHTTP)}, node.Acceptor{Listener: l.relay.Listener(circuit.StreamPay)}
}

// overCircuits is a market over real circuits.
func overCircuits(m *market) {
	m.Helper()
	l := &lab{nodes: make(map[[32]byte]*place)}
	for n := range byte(4) {
		key, err := ecdh.X25519().GenerateKey(rand.Reader)
		m.must(err)
		l.nodes[[32]byte{n}] = &place{lab: l, key: [32]byte{n}, onion: key, accept: make(chan circuit.Link, 64)}
	}
	log, world := slog.New(slog.DiscardHandler), [32]byte{'w'}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	m.Cleanup(func() {
		cancel()
		wg.Wait()
	})
	for n := byte(1); n < 4; n++ {
		at := l.nodes[[32]byte{n}]
		cfg := circuit.RelayConfig{World: world, Self: at.key, CellSize: 512, Links: at, Keys: at, Extend: n != 1, Log: log}
		if n == 1 {
			cfg.Serve = []circuit.StreamKind{circuit.StreamHTTP, circuit.StreamPay}
		}
		r, err := circuit.NewRelay(cfg)
		m.must(err)
		if n == 1 {
			l.relay = r
		}
		wg.Go(func() { _ = r.Run(ctx) })
	}
	var err error
	l.client, err = circuit.NewClient(circuit.ClientConfig{
		World: world, Hops: 3, CellSize: 512, Links: l.nodes[[32]byte{0}], Paths: l, Log: log, Pairs: true,
	})
	m.must(err)
	wg.Go(func() { _ = l.client.Run(ctx) })
	m.lab = l
}

// Over real circuits requests are paid for, many at once, and each circuit that
// breaks leaves books that fit.
func TestOverCircuits(t *testing.T) {
	m := newMarket(t, overCircuits, func(m *market) { m.window = 1_000_000 })
	id := m.buy("", 1_000_000)
	var wg sync.WaitGroup
	const n = 12
	for range n {
		wg.Go(func() {
			text, resp, err := m.ask(request(t, `,"stream":true`))
			if err != nil || strings.Count(text, "word ") != 20 {
				t.Errorf("%q, %v", text, err)
			} else if r, known := resp.Settled(); known && r.Cost != "208" {
				t.Errorf("%+v", r)
			}
		})
	}
	wg.Wait()
	m.settled()
	if b, s := m.balance(id), m.books(id); b.Spent != ledger.Wei(n*208) || s.Finished != b.Spent {
		t.Fatalf("our books %+v, theirs %+v", b, s)
	}

	m.model.set(func(f *fakeModel) { f.hold = make(chan struct{}) })
	resp, err := m.client.Do(t.Context(), request(t, `,"stream":true`))
	m.must(err)
	if _, err := io.ReadFull(resp.Body, make([]byte, 10)); err != nil {
		t.Fatal(err)
	}
	m.lab.cut()
	if _, err := io.ReadAll(resp.Body); err == nil {
		t.Error("an answer of a circuit that broke is whole")
	}
	_ = resp.Body.Close()
	m.hurry()
	m.settled()
	m.model.set(func(f *fakeModel) { f.hold = nil })
	if b := m.balance(id); b.Unsettled.IsZero() || b.Running != 0 {
		t.Errorf("after the break: %+v", b)
	}
	if text, _, err := m.ask(request(t, "")); err != nil || strings.Count(text, "word ") != 20 {
		t.Fatalf("the next request: %q, %v", text, err)
	}
	m.settled()
	if c := m.payer.Counts(); c.Paid != n+1 || c.Aborted != 1 || c.Disputed+c.Failed != 0 {
		t.Errorf("%+v", c)
	}
}
