package node

import (
	"bytes"
	"context"
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/culvert-net/culvert/circuit"
	"github.com/culvert-net/culvert/circuit/onion"
	"github.com/culvert-net/culvert/mesh"
	"github.com/culvert-net/culvert/mesh/directory"
	"github.com/culvert-net/culvert/mesh/directory/mirror"
	"github.com/culvert-net/culvert/mesh/quorum"
	"github.com/culvert-net/culvert/mesh/world"
)

// onionKey1 is a node's only onion key.
type onionKey1 struct{ *ecdh.PrivateKey }

func (k onionKey1) public() [32]byte { return [32]byte(k.PublicKey().Bytes()) }

func (k onionKey1) Lookup(id [8]byte) (*ecdh.PrivateKey, bool) {
	return k.PrivateKey, id == onion.KeyID(k.public())
}

// realWorld is a world of real hosts on loopback.
type realWorld struct {
	t     *testing.T
	world *world.World
	set   *directory.Set
	ctx   context.Context
	wg    *sync.WaitGroup
}

func newRealWorld(t *testing.T) *realWorld {
	w, err := world.New(world.World{Phrase: "links", Rules: world.DefaultRules(), Local: true})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	r := &realWorld{t: t, world: w, set: directory.NewSet(w), ctx: ctx, wg: new(sync.WaitGroup)}
	t.Cleanup(func() { cancel(); r.wg.Wait() })
	return r
}

// node starts a node; it is published with also before its own addresses, and
// of these only with the ones that keep keeps.
func (r *realWorld) node(name string, models []directory.Model, also []string, keep func(addr string) bool) *circuit.Relay {
	t := r.t
	t.Helper()
	_, priv, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	host, err := mesh.New(mesh.Config{Key: priv, Local: true, Listen: []string{"/ip4/127.0.0.1/tcp/0", "/ip4/127.0.0.1/udp/0/quic-v1"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = host.Close() })
	key, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	addrs := also
	for _, a := range host.Addrs() {
		if a, _, _ = strings.Cut(a, "/p2p/"); keep(a) {
			addrs = append(addrs, a)
		}
	}
	now := time.Now()
	ds, err := directory.Build(priv, r.world.ID, r.world.Epoch(now), uint64(now.Unix()), directory.Node{
		Name: name, Addrs: addrs, Models: models,
		Onion: []directory.OnionKey{{Public: onionKey1{key}.public(), NotAfter: now.Add(time.Hour).Truncate(time.Second)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if res := r.set.Add(ds, now); len(res.Refused) > 0 {
		t.Fatal(res.Refused)
	}
	links := NewLinks(host, r.set)
	links.Serve()
	relay, err := circuit.NewRelay(circuit.RelayConfig{
		World: r.world.ID, Self: host.Key(), CellSize: int(r.world.Rules.FixedCellBytes),
		Links: links, Keys: onionKey1{key}, Extend: true, Serve: served(models != nil), Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	r.wg.Go(func() { _ = relay.Run(r.ctx) })
	return relay
}

func echoAll(ln *circuit.Listener) {
	for {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			_, _ = io.Copy(c, c)
			_ = c.(*circuit.Stream).CloseWrite()
		}()
	}
}

// client is a bridge's circuits.
func (r *realWorld) client() *circuit.Client {
	t := r.t
	t.Helper()
	host, err := mesh.New(mesh.Config{Quiet: true, Local: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = host.Close() })
	client, err := circuit.NewClient(circuit.ClientConfig{
		World: r.world.ID, Hops: 3, CellSize: int(r.world.Rules.FixedCellBytes), Links: NewLinks(host, r.set),
		Paths: NewPaths(r.set, NewFailures()), Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	r.wg.Go(func() { _ = client.Run(r.ctx) })
	return client
}

// ask sends size bytes to the provider and wants them back.
func (r *realWorld) ask(c *circuit.Client, group byte, size int) {
	t := r.t
	t.Helper()
	var provider [32]byte
	for _, n := range r.set.Snapshot().Providers("m") {
		provider = n.Key
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	s, err := c.Dial(ctx, provider, circuit.Group{group})
	if err != nil {
		t.Fatalf("Dial: %v", err)
	}
	defer s.Close()
	_ = s.SetDeadline(time.Now().Add(20 * time.Second))
	go func() {
		_, _ = s.Write(make([]byte, size))
		_ = s.CloseWrite()
	}()
	if got, err := io.ReadAll(s); err != nil || len(got) != size {
		t.Fatalf("%d of %d bytes came back, %v", len(got), size, err)
	}
}

func isQUIC(addr string) bool { return strings.Contains(addr, "/quic-v1") }
func any1(string) bool        { return true }

// A world that can be reached over UDP alone works like any other.
func TestCircuitOverQUICOnly(t *testing.T) {
	r := newRealWorld(t)
	r.node("relay-1", nil, nil, isQUIC)
	r.node("relay-2", nil, nil, isQUIC)
	p := r.node("provider", []directory.Model{serves("m")}, nil, isQUIC)
	r.wg.Go(func() { echoAll(p.Listener(circuit.StreamHTTP)) })
	c := r.client()
	for i := range 5 {
		r.ask(c, byte(i), 1<<20)
	}
}

// One relay is behind a firewall that takes TCP connections and passes nothing
// on: it is reached over QUIC, and the others over TCP as before.
func TestRelayWithTCPBlocked(t *testing.T) {
	wall, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer wall.Close()
	blocked := fmt.Sprintf("/ip4/127.0.0.1/tcp/%d", wall.Addr().(*net.TCPAddr).Port)
	r := newRealWorld(t)
	r.node("relay-1", nil, []string{blocked}, isQUIC)
	r.node("relay-2", nil, nil, any1)
	p := r.node("provider", []directory.Model{serves("m")}, nil, any1)
	r.wg.Go(func() { echoAll(p.Listener(circuit.StreamHTTP)) })
	c := r.client()
	for i := range 5 {
		r.ask(c, byte(i), 100<<10)
	}
}

// served is what a node serves that is a provider, or is none.
func served(provider bool) []circuit.StreamKind {
	if provider {
		return []circuit.StreamKind{circuit.StreamHTTP, circuit.StreamDirectory}
	}
	return nil
}

// Questions to the directory are answered over circuits as they are on links, and
// publications are not taken there.
func TestDirectoryOverCircuits(t *testing.T) {
	r := newRealWorld(t)
	r.node("relay-1", nil, nil, any1)
	r.node("relay-2", nil, nil, any1)
	end := r.node("end", []directory.Model{serves("m")}, nil, any1)
	r.wg.Go(func() {
		_ = ServeMirrorOver(r.ctx, end.Listener(circuit.StreamDirectory), 4, emptyStore(t, r.world), slog.New(slog.DiscardHandler))
	})
	c, key := r.client(), r.set.Snapshot().Providers("m")[0].Key
	open := func() *circuit.Stream {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		s, err := c.DialKind(ctx, key, circuit.Group{}, circuit.StreamDirectory)
		if err != nil {
			t.Fatalf("DialKind: %v", err)
		}
		_ = s.SetDeadline(time.Now().Add(20 * time.Second))
		t.Cleanup(func() { _ = s.Close() })
		return s
	}
	if at, err := AskTime(open(), r.world); err != nil || time.Since(at).Abs() > time.Minute {
		t.Errorf("AskTime over a circuit = %v, %v", at, err)
	}
	if _, err := mirror.AskRoots(open(), world.Hash{1}); !errors.Is(err, directory.ReasonWorld) {
		t.Errorf("AskRoots of another world = %v, want it refused", err)
	}
	if _, err := mirror.Publish(open(), r.world.ID, nil, nil, nil); !errors.Is(err, directory.ReasonNotTaking) {
		t.Errorf("Publish over a circuit = %v, want it refused", err)
	}
}

// emptyStore is a mirror's before it has a bundle, in a world with one signer.
func emptyStore(t *testing.T, w *world.World) *mirror.Store {
	t.Helper()
	s, err := mirror.Open(mirror.Config{World: w, Quorum: quorum.Quorum{Signers: [][32]byte{{1}}, Threshold: 1}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A clock that differs from the seeds' is found out by asking them.
func TestClockWatch(t *testing.T) {
	_, priv, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	var hosts [2]*mesh.Host
	for i, key := range []ed25519.PrivateKey{priv, nil} {
		if hosts[i], err = mesh.New(mesh.Config{Key: key, Local: true, Listen: []string{"/ip4/127.0.0.1/tcp/0"}}); err != nil {
			t.Fatal(err)
		}
		defer hosts[i].Close()
	}
	w, err := world.New(world.World{Phrase: "clock", Rules: world.DefaultRules(), Local: true, Seeds: hosts[0].Addrs()})
	if err != nil {
		t.Fatal(err)
	}
	ServeMirror(t.Context(), hosts[0], emptyStore(t, w), nil, slog.New(slog.DiscardHandler))
	var said bytes.Buffer
	c := &ClockWatch{World: w, Host: hosts[1], Log: slog.New(slog.NewTextHandler(&said, nil))}
	if _, known := c.Ahead(); known || c.Off() {
		t.Error("a clock that was compared with none is known to be off")
	}
	c.look(t.Context())
	if ahead, known := c.Ahead(); !known || ahead.Abs() > 10*time.Second || c.Off() || said.Len() > 0 {
		t.Errorf("compared with itself: %v, %v; said %q", ahead, known, said.String())
	}
	c.mu.Lock()
	c.ahead = ClockLimit(w) + time.Second
	c.mu.Unlock()
	if !c.Off() {
		t.Error("a clock beyond the limit is not off")
	}
	own := &ClockWatch{World: w, Host: hosts[0], Log: slog.New(slog.DiscardHandler)}
	own.look(t.Context())
	if _, known := own.Ahead(); known {
		t.Error("the only seed compared its clock with its own")
	}
}
