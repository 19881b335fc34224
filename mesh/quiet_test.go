package mesh

import (
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/event"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/peerstore"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-libp2p/p2p/host/autonat"
	"github.com/libp2p/go-libp2p/p2p/protocol/identify"
	ma "github.com/multiformats/go-multiaddr"
	"github.com/multiformats/go-multistream"
)

func TestServerProtocols(t *testing.T) {
	h := newHost(t, Config{Listen: []string{"/ip4/127.0.0.1/tcp/0"}, Local: true})
	h.Handle(ProtoCircuit, 1, 1, echo)
	h.Handle(ProtoMirror, 1, 1, echo)
	want := []protocol.ID{ProtoCircuit, ProtoMirror, identify.ID, identify.IDPush}
	got := h.node.Mux().Protocols()
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("protocols = %v, want %v", got, want)
	}

	// And so it tells others.
	other := newHost(t, Config{Local: true})
	sub, err := other.node.EventBus().Subscribe(new(event.EvtPeerIdentificationCompleted))
	if err != nil {
		t.Fatal(err)
	}
	defer sub.Close()
	s, err := other.Open(testContext(t), ProtoCircuit, h.Key(), h.Addrs())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Reset()
	// libp2p gathers what it tells in a goroutine of its own, some time after
	// Handle, and pushes what has changed since it was asked.
	late := time.After(patience)
	for told := false; !told; {
		var id event.EvtPeerIdentificationCompleted
		select {
		case e := <-sub.Out():
			id = e.(event.EvtPeerIdentificationCompleted)
		case <-late:
			t.Fatalf("the server did not tell its protocols, %v", want)
		}
		slices.Sort(id.Protocols)
		for _, p := range id.Protocols {
			if !slices.Contains(want, p) {
				t.Errorf("the server says that it serves %q", p)
			}
		}
		if id.AgentVersion != "culvert" || id.ProtocolVersion != "" {
			t.Errorf("identify = %q %q, want %q %q", id.AgentVersion, id.ProtocolVersion, "culvert", "")
		}
		told = slices.Equal(id.Protocols, want)
	}
}

// seen is everything a relay's libp2p holds about a peer, its key and address
// left out.
type seen struct {
	Protocols       []protocol.ID
	Agent, Version  any
	AgentErr        string
	Addrs, OwnAddrs int
	SignedRecord    bool
	Transport       []string // protocols of the connection's address
	State           network.ConnectionState
	Direction       network.Direction
	Streams         []protocol.ID // opened by the peer, in order
	Asked           []string      // answers of the peer to what the relay asks
}

// guard is a relay that notes what its peers do.
type guard struct {
	*Host
	mu      sync.Mutex
	streams map[peer.ID][]protocol.ID // guarded by mu
}

func newGuard(t *testing.T, listen string) *guard {
	g := &guard{Host: serverOn(t, listen), streams: make(map[peer.ID][]protocol.ID)}
	g.Handle(ProtoCircuit, 10, 10, echo)
	g.swarm.SetStreamHandler(func(ns network.Stream) {
		g.accept(ns)
		g.mu.Lock()
		defer g.mu.Unlock()
		id := ns.Conn().RemotePeer()
		g.streams[id] = append(g.streams[id], ns.Protocol())
	})
	return g
}

// look lets a bridge use the guard and returns what the guard knows then.
func (g *guard) look(t *testing.T, b *Host) seen {
	t.Helper()
	failed, err := g.node.EventBus().Subscribe(new(event.EvtPeerIdentificationFailed))
	if err != nil {
		t.Fatal(err)
	}
	defer failed.Close()

	s, err := b.Open(testContext(t), ProtoCircuit, g.Key(), g.Addrs())
	if err != nil {
		t.Fatal(err)
	}
	exchange(t, s, "a cell")
	_ = s.Close()
	select { // the guard's own attempt at identify is over
	case <-failed.Out():
	case <-time.After(patience):
		t.Fatal("the guard identified a bridge, or is still trying to")
	}

	id := idOf(b.Key())
	eventually(t, "the guard has seen both streams", func() bool {
		g.mu.Lock()
		defer g.mu.Unlock()
		return len(g.streams[id]) == 2
	})
	conns := g.swarm.ConnsToPeer(id)
	if len(conns) != 1 {
		t.Fatalf("connections = %d, want 1", len(conns))
	}
	c, store := conns[0], g.swarm.Peerstore()
	o := seen{State: c.ConnState(), Direction: c.Stat().Direction}
	g.mu.Lock()
	o.Streams = slices.Clone(g.streams[id])
	g.mu.Unlock()
	slices.Sort(o.Streams) // they race on the link
	o.Protocols, _ = store.GetProtocols(id)
	o.Agent, err = store.Get(id, "AgentVersion")
	if err != nil {
		o.AgentErr = err.Error()
	}
	o.Version, _ = store.Get(id, "ProtocolVersion")
	o.Addrs = len(store.Addrs(id))
	if cab, ok := peerstore.GetCertifiedAddrBook(store); ok {
		o.SignedRecord = cab.GetPeerRecord(id) != nil
	}
	ma.ForEach(c.RemoteMultiaddr(), func(p ma.Component) bool {
		o.Transport = append(o.Transport, p.Protocol().Name)
		return true
	})
	for _, p := range []protocol.ID{identify.ID, identify.IDPush, "/ipfs/ping/1.0.0", ProtoCircuit, ProtoMirror} {
		o.Asked = append(o.Asked, ask(t, c, p))
	}
	return o
}

// ask opens a stream of protocol p to the peer and returns what comes of it.
func ask(t *testing.T, c network.Conn, p protocol.ID) string {
	t.Helper()
	s, err := c.NewStream(testContext(t))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Reset()
	_ = s.SetDeadline(time.Now().Add(patience))
	if err := multistream.SelectProtoOrFail(p, s); err != nil {
		return "refused"
	}
	return "served"
}

// What a guard learns of two bridges, and of one before and after a restart,
// is equal but for address and key.
func TestBridgesLookAlike(t *testing.T) { overEach(t, checkBridgesLookAlike) }

func checkBridgesLookAlike(t *testing.T, listen string) {
	g := newGuard(t, listen)
	first, second := bridge(t), bridge(t)
	a, b := g.look(t, first), g.look(t, second)
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	restarted := bridge(t)
	if restarted.Key() == first.Key() {
		t.Error("a restarted bridge has its old key")
	}
	c := g.look(t, restarted)
	if !reflect.DeepEqual(a, b) || !reflect.DeepEqual(a, c) {
		t.Errorf("bridges differ:\n%+v\n%+v\n%+v", a, b, c)
	}

	if len(a.Protocols) != 0 || a.Agent != nil || a.Version != nil || a.SignedRecord || a.Addrs != 0 {
		t.Errorf("a bridge told about itself: %+v", a)
	}
	for i, answer := range a.Asked {
		if answer != "refused" {
			t.Errorf("question %d to a bridge was %s", i, answer)
		}
	}
	if want := []protocol.ID{ProtoCircuit, identify.ID}; !slices.Equal(a.Streams, want) {
		t.Errorf("a bridge opened %v, want %v", a.Streams, want)
	}
}

func TestBridgeServesNothing(t *testing.T) {
	b := bridge(t)
	if p := b.node.Mux().Protocols(); len(p) != 0 {
		t.Errorf("protocols = %v, want none", p)
	}
	if a := b.swarm.ListenAddresses(); len(a) != 0 {
		t.Errorf("listens on %v", a)
	}
	if a := b.Addrs(); len(a) != 0 {
		t.Errorf("Addrs = %v, want none", a)
	}
	nat := b.node.(interface{ GetAutoNat() autonat.AutoNAT }).GetAutoNat()
	if _, ok := nat.(*autonat.StaticAutoNAT); !ok {
		t.Errorf("reachability is found out by %T", nat)
	}
	defer func() {
		if recover() == nil {
			t.Error("Handle on a bridge did not panic")
		}
	}()
	b.Handle(testProto, 1, 1, echo)
}
