package evmrpc

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/culvert-net/culvert/circuit"
	"github.com/culvert-net/culvert/internal/app/devchain"
	"github.com/culvert-net/culvert/ledger"
	"github.com/culvert-net/culvert/ledger/chain"
	"github.com/culvert-net/culvert/mesh/directory"
	"github.com/culvert-net/culvert/mesh/world"
)

// market is a devchain with the contract, and something in its log.
func market(t *testing.T) chain.Config {
	t.Helper()
	c, err := devchain.Start(t.Context(), devchain.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Errorf("Close = %v", err)
		}
	})
	f := c.Ready()
	return chain.Config{URL: f.RPC, Network: chain.DevNetwork(), Contract: f.Market.Address, Deployed: f.Market.Block, CodeHash: f.Market.CodeHash}
}

// wallet is one of the devchain's accounts.
func wallet(t *testing.T, i int) *ledger.Key {
	t.Helper()
	h, err := ledger.ParseHash(devchain.Accounts()[i].Key) // of the same form
	if err != nil {
		t.Fatal(err)
	}
	k, err := ledger.KeyOfBytes(h)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// nobody is a wallet for questions that no chain answers.
func nobody() chain.Config {
	return chain.Config{URL: "http://127.0.0.1:1", Network: chain.DevNetwork(), Contract: ledger.Address{1}, CodeHash: ledger.Hash{1}}
}

// crowd are providers without circuits: what one says is a function of the stream.
type crowd struct {
	t     *testing.T
	world *world.World
	set   *directory.Set

	mu    sync.Mutex
	says  map[[32]byte]func(ctx context.Context, s net.Conn) // guarded by mu
	asked map[[32]byte]int                                   // guarded by mu
	group map[circuit.Group]map[[32]byte]bool                // who saw it; guarded by mu
	wg    sync.WaitGroup
}

func newCrowd(t *testing.T) *crowd {
	t.Helper()
	w, err := world.New(world.World{Phrase: "chain", Rules: world.DefaultRules(), Local: true})
	if err != nil {
		t.Fatal(err)
	}
	c := &crowd{t: t, world: w, set: directory.NewSet(w), says: make(map[[32]byte]func(context.Context, net.Conn)), asked: make(map[[32]byte]int), group: make(map[circuit.Group]map[[32]byte]bool)}
	t.Cleanup(c.wg.Wait)
	return c
}

// add puts a provider into the directory.
func (c *crowd) add(name string, offers bool, pay ledger.Address, says func(ctx context.Context, s net.Conn)) [32]byte {
	c.t.Helper()
	seed := make([]byte, ed25519.SeedSize)
	copy(seed, name)
	priv := ed25519.NewKeyFromSeed(seed)
	now := time.Now()
	n := directory.Node{
		Name: name, Addrs: []string{"/ip4/127.0.0.1/tcp/4811"}, ChainRPC: offers,
		Onion: []directory.OnionKey{{Public: [32]byte(seed), NotAfter: now.Add(time.Hour).Truncate(time.Second)}},
	}
	if !pay.IsZero() {
		n.Prices = []world.Hash{{1}}
		n.Pay = []directory.Pay{{ChainID: 31337, Contract: [20]byte{1}, Provider: pay}}
		n.Models = []directory.Model{{ID: "m", Runtime: "vllm"}}
	}
	ds, err := directory.Build(priv, c.world.ID, c.world.Epoch(now), uint64(now.Unix()), n)
	if err != nil {
		c.t.Fatal(err)
	}
	if r := c.set.Add(ds, now); len(r.Refused) > 0 {
		c.t.Fatal(r.Refused)
	}
	key := [32]byte(priv.Public().(ed25519.PublicKey))
	c.mu.Lock()
	defer c.mu.Unlock()
	c.says[key] = says
	return key
}

// Open implements Opener.
func (c *crowd) Open(_ context.Context, to [32]byte, group circuit.Group) (Stream, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked[to]++
	if c.group[group] == nil {
		c.group[group] = make(map[[32]byte]bool)
	}
	c.group[group][to] = true
	says := c.says[to]
	if says == nil {
		return nil, circuit.ErrUnknownNode
	}
	here, there := net.Pipe()
	c.wg.Go(func() {
		defer there.Close()
		says(context.Background(), there)
	})
	return here, nil
}

func (c *crowd) count(key [32]byte) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.asked[key]
}

func (c *crowd) road(cfg chain.Config, paid func(ledger.Address) bool) *Road {
	return NewRoad(RoadConfig{Opener: c, Known: c.set, Paid: paid, Chain: cfg, Log: slog.New(slog.DiscardHandler)})
}

// over is cfg, asked over a road.
func over(cfg chain.Config, r *Road) chain.Config {
	cfg.URL, cfg.Transport, cfg.Witness, cfg.Failed = URL, r.Asked(), r.Compared(), r.Failed
	return cfg
}

// desk answers as a gateway does.
func desk(t *testing.T, cfg chain.Config) (*Desk, func(context.Context, net.Conn)) {
	t.Helper()
	d, err := NewDesk(DeskConfig{Chain: cfg, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return d, func(ctx context.Context, s net.Conn) { d.answer(ctx, s) }
}

// bend changes what a node answers.
type bend func(method string, result json.RawMessage) json.RawMessage

// RoundTrip implements http.RoundTripper.
func (b bend) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	var asked struct{ Method string }
	if err := json.Unmarshal(body, &asked); err != nil {
		return nil, err
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	var m map[string]json.RawMessage
	if err := json.NewDecoder(resp.Body).Decode(&m); err != nil {
		return nil, err
	}
	if result, ok := m["result"]; ok {
		m["result"] = b(asked.Method, result)
	}
	out, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(out)), int64(len(out))
	resp.Header.Del("Content-Length")
	return resp, nil
}

// canned is a node that says one thing.
type canned func(r *http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (c canned) RoundTrip(r *http.Request) (*http.Response, error) { return c(r) }

func says(status int, body string) canned {
	return func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader([]byte(body)))}, nil
	}
}

// sells registers a provider, so that there is something in the log.
func sells(t *testing.T, cfg chain.Config, key *ledger.Key) {
	t.Helper()
	run(t, cfg, key, cfg.Calls().Register(key.Address(), ledger.Wei(1000), []byte("d"), ledger.Hash{}))
}

// run sends a call and waits for it.
func run(t *testing.T, cfg chain.Config, key *ledger.Key, c chain.Call) {
	t.Helper()
	cfg.Store = newStore(t)
	w, err := chain.NewWriter(cfg, key)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	id, err := w.Send(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	var last chain.Progress
	if _, err := w.Wait(ctx, id, func(p chain.Progress) { last = p }); err != nil {
		t.Fatal(fmt.Errorf("%w (at %+v)", err, last))
	}
}
