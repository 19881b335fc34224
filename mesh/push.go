package mesh

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	pubsub "github.com/libp2p/go-libp2p-pubsub"
	pb "github.com/libp2p/go-libp2p-pubsub/pb"
	"github.com/libp2p/go-libp2p/core/event"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"lukechampine.com/blake3"
)

var (
	// ErrQuiet is returned by what a quiet host does not do: it would show that
	// there is a member behind it.
	ErrQuiet = errors.New("a quiet host does not push: members without a public host are told over circuits")

	// ErrPushing is returned if a host, or a topic of it, has what may be there once.
	ErrPushing = errors.New("already there: close or cancel the other one first")

	// ErrTopic is returned by Publish for a topic that is not subscribed to, and
	// by Subscribe for a name that none can have.
	ErrTopic = errors.New("no such topic: it must be subscribed to, and its name must have 1 to 128 bytes")

	// ErrTooLong is returned by Publish for more than MaxPush bytes.
	ErrTooLong = fmt.Errorf("message is longer than %d bytes: publish it in parts", MaxPush)

	// ErrCancelled is returned by Next when the subscription has been cancelled
	// or the push closed.
	ErrCancelled = errors.New("subscription cancelled")
)

// Verdict is what is to become of a message that a peer has brought.
type Verdict int

// The verdicts.
const (
	// Accept gives it to the subscriber and sends it on.
	Accept Verdict = iota

	// Ignore does neither, and blames nobody: it is known, late, or of a
	// generation whose key is still missing here.
	Ignore

	// Reject does neither, and is counted against the peer: no honest member
	// passes such a message on.
	Reject
)

// PushConfig says who pushes, and what is good.
type PushConfig struct {
	// Member says whether key is a member's. Nobody else is told a topic or a
	// message, or heard. It is called often, from many goroutines, and must not
	// wait; what it says may change, see Push.MembersChanged.
	Member func(key [32]byte) bool

	// Check judges a message that from has brought, not necessarily made. It is
	// called by several goroutines, and only once per message that is new.
	Check func(topic string, from [32]byte, data []byte) Verdict
}

// Push is a host's part in its members' push. It may be used concurrently.
type Push struct {
	// Immutable after Host.Push.
	host   *Host
	cfg    PushConfig
	ps     *pubsub.PubSub // written by start, with mu held
	gate   *pushGate
	ctx    context.Context // of what pubsub runs; ends with Close
	cancel context.CancelFunc
	tell   event.Emitter
	wake   chan struct{}

	counts pushCounts
	wg     sync.WaitGroup // tend

	mu     sync.Mutex
	closed bool                     // guarded by mu
	topics map[string]*Subscription // guarded by mu
}

// Push starts the push. A host has one at most, and a quiet one none: ErrQuiet,
// ErrPushing, ErrClosed. Closing the host closes it.
func (h *Host) Push(cfg PushConfig) (*Push, error) {
	if h.quiet {
		return nil, ErrQuiet
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.closed:
		return nil, ErrClosed
	case h.push != nil:
		return nil, fmt.Errorf("starting the push: %w", ErrPushing)
	}
	p := &Push{host: h, cfg: cfg, wake: make(chan struct{}, 1), topics: make(map[string]*Subscription)}
	p.gate = newPushGate(h, cfg.Member, p.cut)
	p.ctx, p.cancel = context.WithCancel(context.Background())
	p.mu.Lock() // a peer may have to be cut off before there is what cuts
	err := p.start()
	p.mu.Unlock()
	if err != nil {
		p.cancel()
		return nil, fmt.Errorf("starting the push: %w", err)
	}
	p.wg.Go(p.tend)
	h.push = p
	return p, nil
}

// start makes the gossipsub router.
func (p *Push) start() error {
	var err error
	if p.tell, err = p.host.node.EventBus().Emitter(new(event.EvtPeerProtocolsUpdated)); err != nil {
		return err
	}
	params := pubsub.DefaultGossipSubParams()
	params.D, params.Dlo, params.Dhi = PushDegree, PushDegreeLow, PushDegreeHigh
	params.Dout, params.Dscore, params.Dlazy = pushDegreeOut, PushDegree, PushDegree
	params.HeartbeatInterval = PushBeat
	// No peer tells us of others: whom we dial is KeepLinks' business.
	params.Connectors, params.PrunePeers = 0, 0

	host := &pushHost{Host: p.host.node, gate: p.gate}
	p.ps, err = pubsub.NewGossipSub(p.ctx, host,
		pubsub.WithGossipSubParams(params),
		pubsub.WithGossipSubProtocols([]protocol.ID{ProtoPush}, func(f pubsub.GossipSubFeature, _ protocol.ID) bool {
			return f == pubsub.GossipSubFeatureMesh || f == pubsub.GossipSubFeatureIdontwant
		}),
		// Who made a message stands inside, where only members can read it.
		pubsub.WithMessageSignaturePolicy(pubsub.StrictNoSign),
		pubsub.WithNoAuthor(),
		pubsub.WithMessageIdFn(messageID),
		pubsub.WithMaxMessageSize(MaxPush+pushLeast),
		pubsub.WithFloodPublish(true),
		pubsub.WithPeerOutboundQueueSize(pushQueue),
		pubsub.WithValidateQueueSize(pushQueue),
		pubsub.WithValidateWorkers(pushWorkers),
		pubsub.WithDefaultValidator(p.judge, pubsub.WithValidatorInline(true)),
		pubsub.WithBlacklist(pushRefused{p.gate}),
		pubsub.WithSubscriptionFilter(pushFilter{p.gate}),
		pubsub.WithAppSpecificRpcInspector(p.gate.inspect),
		pubsub.WithRawTracer(&p.counts),
		// Its lines name peers and topics.
		pubsub.WithLogger(slog.New(slog.DiscardHandler)),
		pubsub.WithRPCLogger(slog.New(slog.DiscardHandler)),
	)
	return err
}

// messageID is a message's hash: nothing else in it could tell two apart.
func messageID(m *pb.Message) string {
	id := blake3.Sum256(m.GetData())
	return string(id[:])
}

// judge is what pubsub asks before it sends a message on.
func (p *Push) judge(_ context.Context, id peer.ID, m *pubsub.Message) pubsub.ValidationResult {
	from, err := keyOf(id)
	switch {
	case err != nil || len(m.GetData()) > MaxPush:
		return pubsub.ValidationIgnore
	case from == p.host.key:
		return pubsub.ValidationAccept
	}
	switch p.cfg.Check(m.GetTopic(), from, m.GetData()) {
	case Accept:
		return pubsub.ValidationAccept
	case Reject:
		p.counts.forged.Add(1)
		p.gate.forged(id)
		return pubsub.ValidationReject
	default:
		return pubsub.ValidationIgnore
	}
}

// Publish sends data to all who subscribed to topic, as this host must have. It
// returns when data has been queued for the peers that are there now; what one
// cannot take is dropped.
func (p *Push) Publish(ctx context.Context, topic string, data []byte) error {
	if len(data) > MaxPush {
		return ErrTooLong
	}
	p.mu.Lock()
	s := p.topics[topic]
	p.mu.Unlock()
	if s == nil {
		return ErrTopic
	}
	if err := s.topic.Publish(ctx, data); err != nil {
		return fmt.Errorf("publishing: %w", err)
	}
	p.counts.published.Add(1)
	return nil
}

// Subscription is what has come under one topic.
type Subscription struct {
	push  *Push
	name  string
	topic *pubsub.Topic
	sub   *pubsub.Subscription
}

// Subscribe joins a topic. Its name is told to members only, but should say
// nothing even so: who knows the world derives it.
func (p *Push) Subscribe(topic string) (*Subscription, error) {
	if topic == "" || len(topic) > pushTopicName {
		return nil, ErrTopic
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.closed:
		return nil, ErrClosed
	case p.topics[topic] != nil:
		return nil, fmt.Errorf("subscribing: %w", ErrPushing)
	}
	t, err := p.ps.Join(topic)
	if err != nil {
		return nil, fmt.Errorf("joining a topic: %w", err)
	}
	sub, err := t.Subscribe(pubsub.WithBufferSize(pushQueue), pubsub.WithMessageFilter(func(m *pubsub.Message) bool {
		return m.ReceivedFrom != p.host.node.ID()
	}))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("subscribing: %w", err), t.Close())
	}
	s := &Subscription{push: p, name: topic, topic: t, sub: sub}
	p.topics[topic] = s
	return s, nil
}

// Next waits for a message of another member, and says which peer brought it.
// Messages that nobody has asked for while pushQueue others wait are dropped.
func (s *Subscription) Next(ctx context.Context) (data []byte, from [32]byte, err error) {
	m, err := s.sub.Next(ctx)
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, from, ctx.Err()
	case err != nil:
		return nil, from, ErrCancelled
	}
	from, err = keyOf(m.ReceivedFrom)
	return m.GetData(), from, err
}

// Present lists the members that are in the topic and that we push to.
func (s *Subscription) Present() [][32]byte {
	var out [][32]byte
	for _, id := range s.topic.ListPeers() {
		if key, err := keyOf(id); err == nil {
			out = append(out, key)
		}
	}
	return out
}

// Cancel leaves the topic. It may be called more than once.
func (s *Subscription) Cancel() {
	s.push.mu.Lock()
	defer s.push.mu.Unlock()
	s.leave()
}

// leave is Cancel with the push's mu held.
func (s *Subscription) leave() {
	if s.push.topics[s.name] != s {
		return
	}
	delete(s.push.topics, s.name)
	s.sub.Cancel()
	// The subscription was the only thing that could keep it open.
	_ = s.topic.Close()
}

// MembersChanged says that Member may answer otherwise than before: who is a
// member no more is cut off at once, and links to new ones are used.
func (p *Push) MembersChanged() {
	select {
	case p.wake <- struct{}{}:
	default: // it is about to look
	}
}

// tend looks after peers whose standing has changed.
func (p *Push) tend() {
	tick := time.NewTicker(pushTend)
	defer tick.Stop()
	for {
		select {
		case <-p.ctx.Done():
			return
		case <-tick.C:
		case <-p.wake:
		}
		p.gate.expire(time.Now())
		heard := make(map[peer.ID]bool)
		for _, id := range p.ps.ListPeers("") {
			heard[id] = true
		}
		for _, id := range p.host.swarm.Peers() {
			switch ok := p.gate.admits(id); {
			case !ok:
				p.cut(id)
			case !heard[id] && p.speaks(id):
				// As if it had just said so: pubsub has seen it before, and
				// was told to leave it alone.
				_ = p.tell.Emit(event.EvtPeerProtocolsUpdated{Peer: id, Added: []protocol.ID{ProtoPush}})
			}
		}
	}
}

// speaks reports whether a peer has said that it serves the push.
func (p *Push) speaks(id peer.ID) bool {
	got, err := p.host.node.Peerstore().SupportsProtocols(id, ProtoPush)
	return err == nil && len(got) > 0
}

// cut ends what pubsub has with a peer, in both directions.
func (p *Push) cut(id peer.ID) {
	p.mu.Lock()
	ps := p.ps
	p.mu.Unlock()
	ps.BlacklistPeer(id)
	p.gate.reset(id)
}

// PushStats counts since the start, but for Peers.
type PushStats struct {
	Peers     int    // whom we push to now
	Left      uint64 // who did not take more, each time
	Published uint64 // messages of our own
	Delivered uint64 // messages of others that were new and good
	Duplicate uint64
	Forged    uint64 // that Check rejected
	Ignored   uint64 // that Check ignored, or that are not of the form
	Dropped   uint64 // for want of room in a queue, to a peer or from one
}

// Stats is a moment's count.
func (p *Push) Stats() PushStats {
	s := p.counts.snapshot()
	if p.ctx.Err() == nil {
		s.Peers = len(p.ps.ListPeers(""))
	}
	s.Dropped += p.gate.dropped.Load()
	return s
}

// Close leaves all topics and ends the push. It may be called more than once.
func (p *Push) Close() {
	p.mu.Lock()
	first := !p.closed
	p.closed = true
	for _, s := range p.topics {
		s.leave()
	}
	p.mu.Unlock()

	if first {
		p.gate.close()
		p.cancel()
		p.gate.wg.Wait()
		_ = p.tell.Close() // it only counts
		p.host.mu.Lock()
		p.host.push = nil
		p.host.mu.Unlock()
	}
	p.wg.Wait()
}

// pushCounts counts what pubsub does.
type pushCounts struct {
	left, published, delivered, duplicate, forged, refused, dropped atomic.Uint64
}

var _ pubsub.RawTracer = (*pushCounts)(nil)

func (c *pushCounts) snapshot() PushStats {
	forged := c.forged.Load()
	return PushStats{
		Left:      c.left.Load(),
		Published: c.published.Load(),
		// pubsub delivers our own to ourselves too.
		Delivered: sub0(c.delivered.Load(), c.published.Load()),
		Duplicate: c.duplicate.Load(),
		Forged:    forged,
		Ignored:   sub0(c.refused.Load(), forged),
		Dropped:   c.dropped.Load(),
	}
}

// sub0 is a less b, which was counted a moment earlier or later.
func sub0(a, b uint64) uint64 { return a - min(a, b) }

// DeliverMessage implements pubsub.RawTracer, as do the others.
func (c *pushCounts) DeliverMessage(*pubsub.Message) { c.delivered.Add(1) }

// DuplicateMessage counts what came twice.
func (c *pushCounts) DuplicateMessage(*pubsub.Message) { c.duplicate.Add(1) }

// RejectMessage counts what was not good, or not looked at for want of room.
func (c *pushCounts) RejectMessage(_ *pubsub.Message, reason string) {
	switch reason {
	case pubsub.RejectValidationQueueFull, pubsub.RejectValidationThrottled:
		c.dropped.Add(1)
	default:
		c.refused.Add(1)
	}
}

// DropRPC counts what a peer's queue had no room for.
func (c *pushCounts) DropRPC(*pubsub.RPC, peer.ID) { c.dropped.Add(1) }

// UndeliverableMessage counts what the subscriber was too slow for.
func (c *pushCounts) UndeliverableMessage(*pubsub.Message) { c.dropped.Add(1) }

// OnClosedOutboundStream counts peers that are gone, or cut us off.
func (c *pushCounts) OnClosedOutboundStream(peer.ID) { c.left.Add(1) }

// The rest is not counted.

func (c *pushCounts) OnNewOutboundStream(peer.ID, protocol.ID) {}
func (c *pushCounts) Join(string)                              {}
func (c *pushCounts) Leave(string)                             {}
func (c *pushCounts) Graft(peer.ID, string)                    {}
func (c *pushCounts) Prune(peer.ID, string)                    {}
func (c *pushCounts) ValidateMessage(*pubsub.Message)          {}
func (c *pushCounts) ThrottlePeer(peer.ID)                     {}
func (c *pushCounts) RecvRPC(*pubsub.RPC)                      {}
func (c *pushCounts) SendRPC(*pubsub.RPC, peer.ID)             {}
