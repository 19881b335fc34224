package evmrpc

import (
	"bytes"
	"context"
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/culvert-net/culvert/circuit"
	"github.com/culvert-net/culvert/circuit/onion"
	"github.com/culvert-net/culvert/internal/app/node"
	"github.com/culvert-net/culvert/ledger"
	"github.com/culvert-net/culvert/ledger/chain"
	"github.com/culvert-net/culvert/mesh"
	"github.com/culvert-net/culvert/mesh/directory"
	"github.com/culvert-net/culvert/mesh/world"
)

// oneKey is a node's only onion key.
type oneKey struct{ *ecdh.PrivateKey }

func (k oneKey) public() [32]byte { return [32]byte(k.PublicKey().Bytes()) }

func (k oneKey) Lookup(id [8]byte) (*ecdh.PrivateKey, bool) {
	return k.PrivateKey, id == onion.KeyID(k.public())
}

// paper is a log that is read afterwards.
type paper struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (p *paper) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.b.Write(b)
}

func (p *paper) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.b.String()
}

// A bridge registers, reads and is sure of it over real circuits, past relays that
// learn nothing; and nobody on the way, the ones it asks included, writes down who or
// what it was.
func TestOverCircuits(t *testing.T) {
	cfg := market(t)
	w, err := world.New(world.World{Phrase: "over circuits", Rules: world.DefaultRules(), Local: true})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	t.Cleanup(func() { cancel(); running.Wait() })
	set := directory.NewSet(w)
	var written paper
	log := slog.New(slog.NewTextHandler(&written, &slog.HandlerOptions{Level: slog.LevelDebug}))

	var desks []*Desk
	for i := range 4 {
		_, priv, err := ed25519.GenerateKey(nil)
		if err != nil {
			t.Fatal(err)
		}
		host, err := mesh.New(mesh.Config{Key: priv, Local: true, Listen: []string{"/ip4/127.0.0.1/tcp/0"}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = host.Close() })
		key, err := ecdh.X25519().GenerateKey(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		a, _, _ := strings.Cut(host.Addrs()[0], "/p2p/")
		now := time.Now()
		ds, err := directory.Build(priv, w.ID, w.Epoch(now), uint64(now.Unix()), directory.Node{
			Name: fmt.Sprint("node-", i), Addrs: []string{a}, ChainRPC: i < 2,
			Onion: []directory.OnionKey{{Public: oneKey{key}.public(), NotAfter: now.Add(time.Hour).Truncate(time.Second)}},
		})
		if err != nil {
			t.Fatal(err)
		}
		if r := set.Add(ds, now); len(r.Refused) > 0 {
			t.Fatal(r.Refused)
		}
		links := node.NewLinks(host, set)
		links.Serve()
		serve := []circuit.StreamKind{circuit.StreamDirectory}
		if i < 2 {
			serve = append(serve, circuit.StreamChain)
		}
		relay, err := circuit.NewRelay(circuit.RelayConfig{
			World: w.ID, Self: host.Key(), CellSize: int(w.Rules.FixedCellBytes),
			Links: links, Keys: oneKey{key}, Extend: true, Serve: serve, Log: log,
		})
		if err != nil {
			t.Fatal(err)
		}
		running.Go(func() { _ = relay.Run(ctx) })
		if i >= 2 {
			continue
		}
		d, err := NewDesk(DeskConfig{Chain: cfg, Log: log})
		if err != nil {
			t.Fatal(err)
		}
		desks = append(desks, d)
		running.Go(func() { _ = d.Serve(ctx, relay.Listener(circuit.StreamChain)) })
		running.Go(func() { _ = d.Run(ctx) })
	}
	host, err := mesh.New(mesh.Config{Quiet: true, Local: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = host.Close() })
	client, err := circuit.NewClient(circuit.ClientConfig{
		World: w.ID, Hops: 3, CellSize: int(w.Rules.FixedCellBytes), Links: node.NewLinks(host, set),
		Paths: node.NewPaths(set, node.NewFailures()), Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	running.Go(func() { _ = client.Run(ctx) })

	road := NewRoad(RoadConfig{Opener: Over{client}, Known: set, Chain: cfg, Log: slog.New(slog.DiscardHandler)})
	mine := over(cfg, road)
	key := wallet(t, 4)
	sells(t, mine, key)
	session := ledger.NewKey()
	run(t, mine, key, cfg.Calls().Buy(key.Address(), session.Address(), ledger.Wei(500), ledger.Wei(1000)))
	r, err := chain.NewReader(mine)
	if err != nil {
		t.Fatal(err)
	}
	within, done := context.WithTimeout(ctx, time.Minute)
	defer done()
	if err := r.Sync(within); err != nil {
		t.Fatal(err)
	}
	id := ledger.ChannelOf(key.Address(), session.Address(), key.Address())
	if c, ok := r.Channel(id); !ok || c.Deposited != ledger.Wei(500) || r.Fresh().IsZero() {
		t.Errorf("%+v, %t", c, ok)
	}
	for i, d := range desks {
		if c := d.Status().Counts; c.Answered == 0 || c.Refused+c.Failed > 0 {
			t.Errorf("desk %d: %+v", i, c)
		}
	}
	text := strings.ToLower(written.String())
	address, session20 := key.Address(), session.Address()
	client32 := host.Key()
	for what, secret := range map[string][]byte{"wallet": address[:], "session key": session20[:], "channel": id[:], "contract": cfg.Contract[:], "bridge": client32[:]} {
		if strings.Contains(text, hex.EncodeToString(secret)) {
			t.Errorf("the %s was written down:\n%s", what, written.String())
		}
	}
	if strings.Contains(text, "eth_") {
		t.Errorf("what was asked was written down:\n%s", written.String())
	}
	if len(text) == 0 {
		t.Error("nothing was logged, so this shows nothing")
	}
}
