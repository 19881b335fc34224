package member

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/node"
	"github.com/culvert-net/culvert/mesh"
	"github.com/culvert-net/culvert/mesh/event"
	"github.com/culvert-net/culvert/mesh/gossip"
	"github.com/culvert-net/culvert/mesh/seal"
)

// Service is a member that runs.
type Service struct {
	*Member
	dial    gossip.Dialer
	set     node.Directory
	session gossip.Config
	syncer  *gossip.Syncer
	door    door

	signer *seal.Signer // nil: this node is no directory signer

	// Of a member that others reach; nil without push.
	pusher *gossip.Pusher
	push   *mesh.Push
	keep   func(ctx context.Context) error // links to others
}

// Start makes a Service that opens sessions with dial, to members that stand in
// set. It does nothing until its Parts run.
func (m *Member) Start(dial gossip.Dialer, set node.Directory) (*Service, error) {
	s := &Service{Member: m, dial: dial, set: set, door: newDoor(), session: gossip.Config{
		World: m.cfg.World, Key: m.cfg.Key, Group: group{m}, Log: m.log(), Carriers: m.carriers(), Known: new(gossip.Refusals), Intake: new(gossip.Intake),
	}}
	var err error
	s.syncer, err = gossip.NewSyncer(gossip.SyncerConfig{Session: s.session, Dial: dial, Log: m.cfg.Log})
	return s, err
}

// StartHost is Start for a member that others reach: it also pushes.
func (m *Member) StartHost(links Links) (*Service, error) {
	s, err := m.Start(links, links.Set)
	if err != nil {
		return nil, err
	}
	return s, s.startPush(links.Host, links)
}

// Parts are what runs, in the order of starting.
func (s *Service) Parts() []app.Part {
	parts := []app.Part{{Name: "upkeep", Run: s.upkeep}, {Name: "sync", Run: s.syncer.Run}, {Name: "members watch", Run: s.followReachable}}
	if s.pusher != nil {
		parts = append(parts, app.Part{Name: "push", Run: s.pusher.Run}, app.Part{Name: "links to members", Run: s.keep})
	}
	if s.signer != nil {
		parts = append(parts, app.Part{Name: "seals", Run: s.signer.Run})
	}
	return parts
}

// Serve answers a session that somebody opened, and closes the stream.
func (s *Service) Serve(ctx context.Context, stream io.ReadWriteCloser) {
	s.served(s.syncer.Serve(ctx, stream))
}

func (s *Service) served(err error) {
	if err != nil {
		s.cfg.Log.Debug("sync session not finished", "reason", gossip.ReasonOf(err).Label())
	}
}

// ServeHost lets others open sessions, and ask to join, at host until ctx ends.
func (s *Service) ServeHost(ctx context.Context, host *mesh.Host) {
	host.Handle(mesh.ProtoSync, syncPeerStreams, syncStreams, func(stream *mesh.Stream) {
		s.served(s.syncer.ServeFrom(ctx, stream.Peer(), stream))
		_ = stream.Close() // it may be closed already
	})
	if s.signer != nil {
		host.Handle(mesh.ProtoSeal, sealPeerStreams, sealStreams, func(stream *mesh.Stream) { s.answerSeal(ctx, stream) })
	}
	host.Handle(mesh.ProtoJoin, joinPeerStreams, joinStreams, func(stream *mesh.Stream) {
		s.serveJoin(ctx, stream, s.door.links)
	})
}

// Say puts an event of our own into the log and pushes it.
func (s *Service) Say(ctx context.Context, e *event.Event) error {
	if err := s.Member.Say(ctx, e, time.Now()); err != nil {
		return err
	}
	if s.pusher != nil {
		s.pusher.Push(gossip.Pack(e, nil))
	}
	return nil
}

// upkeep does what is due, until ctx ends. What goes wrong is tried again.
func (s *Service) upkeep(ctx context.Context) error {
	tick := time.NewTicker(upkeepEvery)
	defer tick.Stop()
	var pruned, looked time.Time
	var peers desertion
	generation, entry := s.Roster().Head()
	waited := s.waiting.Digest()
	for {
		updated := s.Updated()
		now := time.Now()
		s.due(ctx, now)
		s.deserted(&peers, now)
		if now.Sub(looked) >= rulesEvery {
			s.endorsed.watch(now)
			looked = now
		}
		if now.Sub(pruned) >= pruneEvery {
			s.prune(now)
			pruned = now
		}
		// Who is out, who is in, and who waits is everybody's business at once.
		g, e := s.Roster().Head()
		in := g == generation && e == entry
		if !in && s.push != nil {
			s.push.MembersChanged()
		}
		waits := s.waiting.Digest()
		if !in || waits != waited {
			s.syncer.Kick()
		}
		generation, entry, waited = g, e, waits
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		case <-updated:
		}
	}
}

// desertion is what was last seen of the peers of push.
type desertion struct {
	peers  int
	left   uint64
	kicked time.Time
}

// deserted begins a round when as many peers of push have left as there were: the
// network may be gone, or this node was evicted and is to know it. Who is cut off
// tries again, so how many there are at a moment says little.
func (s *Service) deserted(last *desertion, now time.Time) {
	if s.push == nil {
		return
	}
	stats := s.push.Stats()
	all := last.peers > 0 && stats.Left-last.left >= uint64(last.peers)
	last.peers, last.left = stats.Peers, stats.Left
	if all && now.Sub(last.kicked) >= desertedAgain && !s.syncer.Shunned() {
		last.kicked = now
		s.syncer.Kick()
	}
}

// due carries out what was approved, and rotates the group's key.
func (s *Service) due(ctx context.Context, now time.Time) {
	if s.IsMember() != nil {
		return
	}
	if err := s.settle(ctx, now); err != nil && ctx.Err() == nil {
		s.cfg.Log.Warn("what was approved was not carried out; it is tried again", "err", err)
	}
	if _, err := s.book.Retry(); err != nil {
		s.cfg.Log.Warn("seals that came were not applied; it is tried again", "err", err)
	}
	if err := s.rotations.propose(ctx, now); err != nil && ctx.Err() == nil {
		s.cfg.Log.Warn("the group's key was not rotated; it is tried again", "err", err)
	}
}

// prune drops what the world does not remember any more. By a clock that is ahead
// of others' all would be old, so that is looked at first.
func (s *Service) prune(now time.Time) {
	if skew := s.clock.Skew(); skew.Wrong {
		s.cfg.Log.Warn("old epochs are kept: this machine's clock differs from other members'", "clock", skew.String())
		return
	}
	n, err := s.events.Prune(now)
	if err == nil {
		err = s.keys.Forget(now)
	}
	if err == nil {
		err = s.chain.PruneBoxes(now)
	}
	if n > 0 {
		s.cfg.Log.Info("old epochs were dropped", "epochs", n)
	}
	if err != nil {
		s.cfg.Log.Warn("old epochs were not dropped; it is tried again", "err", err)
	}
}

// Alarm is what the owner must be told, empty if all is well.
func (m *Member) Alarm() string {
	alarm := m.Roster().Alarm()
	if n := m.book.Status().Proofs; n > 0 {
		if alarm != "" {
			alarm += "; "
		}
		var by []string
		for _, key := range m.book.Liars() {
			by = append(by, short(key))
		}
		alarm += fmt.Sprintf("directory signers have signed two seals of %s: %s; founders should replace them", app.Count(n, "epoch"), strings.Join(by, ", "))
	}
	return alarm
}
