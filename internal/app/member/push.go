package member

import (
	"context"

	"github.com/culvert-net/culvert/internal/app/node"
	"github.com/culvert-net/culvert/mesh"
	"github.com/culvert-net/culvert/mesh/gossip"
)

// broadcast is a host's push as gossip needs it.
type broadcast struct {
	push *mesh.Push // set before the first call
}

var _ gossip.Broadcaster = (*broadcast)(nil)

// Publish implements gossip.Broadcaster.
func (b *broadcast) Publish(ctx context.Context, topic string, data []byte) error {
	return b.push.Publish(ctx, topic, data)
}

// Subscribe implements gossip.Broadcaster.
func (b *broadcast) Subscribe(topic string) (gossip.Subscription, error) {
	s, err := b.push.Subscribe(topic)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// startPush makes the host push among members.
func (s *Service) startPush(host *mesh.Host, links Links) error {
	b := &broadcast{}
	var err error
	s.pusher, err = gossip.NewPusher(gossip.PusherConfig{
		World: s.cfg.World, Group: group{s.Member}, Log: s.log(), Judge: s.log(), Broadcast: b, Logger: s.cfg.Log,
	})
	if err != nil {
		return err
	}
	b.push, err = host.Push(mesh.PushConfig{
		Member: group{s.Member}.Member,
		Check: func(topic string, _ [32]byte, data []byte) mesh.Verdict {
			switch s.pusher.Check(topic, data) {
			case gossip.Accept:
				return mesh.Accept
			case gossip.Reject:
				return mesh.Reject
			}
			return mesh.Ignore
		},
	})
	s.push = b.push
	s.keep = func(ctx context.Context) error {
		return host.KeepLinks(ctx, mesh.LinksConfig{Peers: func() []mesh.Peer { return s.reachable() }})
	}
	return err
}

// followReachable begins a round when a member can be reached that could not be: a
// node that starts knows members before it knows where they are.
func (s *Service) followReachable(ctx context.Context) error {
	known := make(map[[32]byte]bool)
	return node.Follow(ctx, s.set, func() {
		now, more := make(map[[32]byte]bool), false
		for _, p := range s.reachable() {
			now[p.Key] = true
			more = more || !known[p.Key] && p.Key != s.self
		}
		known = now
		if more {
			s.syncer.Kick()
		}
	})
}

// reachable are the members that stand in the directory.
func (s *Service) reachable() []mesh.Peer {
	snap := s.set.Snapshot()
	var out []mesh.Peer
	for _, key := range (group{s.Member}).Members() {
		if n, ok := snap.Node(key); ok && n.End {
			out = append(out, mesh.Peer{Key: key, Addrs: n.Addrs})
		}
	}
	return out
}
