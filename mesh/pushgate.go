package mesh

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	pubsub "github.com/libp2p/go-libp2p-pubsub"
	pb "github.com/libp2p/go-libp2p-pubsub/pb"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/multiformats/go-multistream"
)

// pushGate decides who takes part in the push: members, as long as they behave.
// Nobody else is told which topics we are in, and what a peer may make us do or
// keep is bounded here.
type pushGate struct {
	// Immutable.
	host   *Host
	member func([32]byte) bool
	cut    func(peer.ID) // ends what there is with a peer

	dropped atomic.Uint64  // messages over a peer's rate
	wg      sync.WaitGroup // streams that peers opened, and cuts

	mu      sync.Mutex
	closed  bool                                // guarded by mu
	records map[peer.ID]*pushRecord             // guarded by mu
	streams map[peer.ID]map[network.Stream]bool // guarded by mu: that peers opened
}

// pushRecord is what we remember of a peer.
type pushRecord struct {
	since   time.Time // when forged and entered began to be counted
	forged  int
	entered int       // topics
	banned  time.Time // until then; zero: not

	topics map[string]bool // that it is in

	budget  int // bytes it may push now
	control int // bytes of all else that it may send now
	filled  time.Time
}

func newPushGate(h *Host, member func([32]byte) bool, cut func(peer.ID)) *pushGate {
	return &pushGate{
		host: h, member: member, cut: cut,
		records: make(map[peer.ID]*pushRecord), streams: make(map[peer.ID]map[network.Stream]bool),
	}
}

// admits reports whether a peer takes part now.
func (g *pushGate) admits(id peer.ID) bool {
	key, err := keyOf(id)
	if err != nil || !g.member(key) {
		return false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	r := g.records[id]
	return !g.closed && (r == nil || r.banned.IsZero())
}

// record is what there is of a peer, with mu held. There are as many as there
// were members connected within pushBan.
func (g *pushGate) record(id peer.ID) *pushRecord {
	r := g.records[id]
	if r == nil {
		now := time.Now()
		r = &pushRecord{since: now, budget: pushBurst, control: pushControlBurst, filled: now, topics: make(map[string]bool)}
		g.records[id] = r
	}
	return r
}

// expire forgets what is old enough, and ends bans.
func (g *pushGate) expire(now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for id, r := range g.records {
		switch {
		case !r.banned.IsZero() && now.Before(r.banned):
		case !r.banned.IsZero(), len(g.streams[id]) == 0 && now.Sub(r.since) >= pushBan:
			delete(g.records, id)
		case now.Sub(r.since) >= pushBan:
			r.since, r.forged, r.entered = now, 0, 0
		}
	}
}

// forged counts a message that cannot be genuine against who brought it.
func (g *pushGate) forged(id peer.ID) {
	g.mu.Lock()
	defer g.mu.Unlock()
	r := g.record(id)
	r.forged++
	if r.forged >= maxForged {
		g.ban(id, r)
	}
}

// ban ends a peer's part for a while, with mu held. pubsub may be waiting for us
// in its own loop, so the cut is another goroutine's.
func (g *pushGate) ban(id peer.ID, r *pushRecord) {
	if g.closed || !r.banned.IsZero() {
		return
	}
	r.banned = time.Now().Add(pushBan)
	g.host.refusals.count(ProtoPush + " misbehaviour")
	g.wg.Go(func() { g.cut(id) })
}

// inspect is asked about everything that a peer sends, before it is read.
func (g *pushGate) inspect(id peer.ID, rpc *pubsub.RPC) error {
	if !g.admits(id) {
		return errors.New("not a member")
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	r, now := g.record(id), time.Now()
	if d := now.Sub(r.filled); d > 0 {
		r.budget = min(pushBurst, r.budget+int(min(d, pushBurst/pushBytes*time.Second).Seconds()*pushBytes))
		r.control = min(pushControlBurst, r.control+int(min(d, pushControlBurst/pushControl*time.Second).Seconds()*pushControl))
		r.filled = now
	}
	control := rpc.Size()
	for _, m := range rpc.Publish {
		control -= m.Size()
	}
	// Some of what is said beside messages must not be lost, such as which topics a
	// peer is in, so who says too much is not heard at all.
	if r.control -= max(0, control); r.control < 0 {
		g.ban(id, r)
		return errors.New("too much beside messages")
	}
	kept := rpc.Publish[:0]
	for _, m := range rpc.Publish {
		cost := max(pushLeast, len(m.GetData()))
		if cost > r.budget {
			g.dropped.Add(1)
			continue
		}
		r.budget -= cost
		kept = append(kept, m)
	}
	rpc.Publish = kept
	return nil
}

// pushFilter bounds the topics of a peer.
type pushFilter struct{ *pushGate }

// CanSubscribe implements pubsub.SubscriptionFilter: it is about our own.
func (pushFilter) CanSubscribe(string) bool { return true }

// FilterIncomingSubscriptions implements pubsub.SubscriptionFilter. Which topics
// there will be next we may learn a moment later than the peer, so unknown ones
// are kept, but few.
func (f pushFilter) FilterIncomingSubscriptions(id peer.ID, subs []*pb.RPC_SubOpts) ([]*pb.RPC_SubOpts, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	r := f.record(id)
	var kept []*pb.RPC_SubOpts
	for _, s := range subs {
		topic := s.GetTopicid()
		switch {
		case !s.GetSubscribe():
			delete(r.topics, topic)
		case r.topics[topic]:
		case topic == "" || len(topic) > pushTopicName || len(r.topics) >= pushTopics:
			continue
		default:
			r.topics[topic] = true
			if r.entered++; r.entered > pushTopicChanges {
				f.ban(id, r)
				return nil, pubsub.ErrTooManySubscriptions
			}
		}
		kept = append(kept, s)
	}
	return kept, nil
}

// pushRefused is the gate as pubsub asks it.
type pushRefused struct{ *pushGate }

// Contains implements pubsub.Blacklist. It is asked for a message's author too,
// of whom there is none.
func (r pushRefused) Contains(id peer.ID) bool {
	return id != "" && id != r.host.node.ID() && !r.admits(id)
}

// Add implements pubsub.Blacklist. Who is in it is the gate's to say.
func (r pushRefused) Add(peer.ID) bool { return true }

// accept takes a stream that a peer opened, for as long as handle runs.
func (g *pushGate) accept(ns network.Stream, handle network.StreamHandler) {
	id := ns.Conn().RemotePeer()
	if !g.admits(id) {
		g.host.refusals.count(ProtoPush + " member")
		_ = ns.Reset()
		return
	}
	g.mu.Lock()
	if g.closed {
		g.mu.Unlock()
		_ = ns.Reset()
		return
	}
	g.wg.Add(1)
	if g.streams[id] == nil {
		g.streams[id] = make(map[network.Stream]bool)
	}
	g.streams[id][ns] = true
	g.mu.Unlock()

	handle(ns)

	g.mu.Lock()
	defer g.mu.Unlock()
	if delete(g.streams[id], ns); len(g.streams[id]) == 0 {
		delete(g.streams, id)
		if r := g.records[id]; r != nil {
			clear(r.topics) // pubsub forgets them with the stream
		}
	}
	g.wg.Done()
}

// reset ends the streams that a peer opened.
func (g *pushGate) reset(id peer.ID) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for ns := range g.streams[id] {
		_ = ns.Reset()
	}
}

// close lets nobody in any more, and ends the streams that peers opened.
func (g *pushGate) close() {
	g.host.node.RemoveStreamHandler(ProtoPush)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
	for _, streams := range g.streams {
		for ns := range streams {
			_ = ns.Reset()
		}
	}
}

// pushHost is our host as pubsub sees it: through the gate, and without a way to
// dial.
type pushHost struct {
	host.Host
	gate *pushGate
}

// SetStreamHandler implements host.Host.
func (h *pushHost) SetStreamHandler(id protocol.ID, handle network.StreamHandler) {
	h.Host.SetStreamHandler(id, func(ns network.Stream) { h.gate.accept(ns, handle) })
}

// Connect implements host.Host.
func (h *pushHost) Connect(context.Context, peer.AddrInfo) error {
	return errors.New("whom this host dials is not for a peer to say")
}

// NewStream implements host.Host.
func (h *pushHost) NewStream(ctx context.Context, id peer.ID, _ ...protocol.ID) (network.Stream, error) {
	if !h.gate.admits(id) {
		return nil, errors.New("not a member")
	}
	ns, err := h.gate.host.swarm.NewStream(network.WithNoDial(ctx, "push runs over links that are there"), id)
	if err != nil {
		return nil, err
	}
	if err := ns.SetProtocol(ProtoPush); err != nil {
		_ = ns.Reset()
		return nil, err
	}
	return &pushStream{Stream: ns, lazy: multistream.NewMSSelect(ns, protocol.ID(ProtoPush))}, nil
}

// pushStream names its protocol with its first bytes.
type pushStream struct {
	network.Stream
	lazy multistream.LazyConn
}

// Read implements io.Reader.
func (s *pushStream) Read(p []byte) (int, error) { return s.lazy.Read(p) }

// Write implements io.Writer.
func (s *pushStream) Write(p []byte) (int, error) { return s.lazy.Write(p) }
