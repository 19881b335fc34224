package gossip

import (
	"context"
	crand "crypto/rand"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/culvert-net/culvert/internal/porch"
	"github.com/culvert-net/culvert/mesh/terrain"
)

// SyncerConfig is what NewSyncer needs.
type SyncerConfig struct {
	Session Config
	Dial    Dialer

	// Every is how long it is from one round to the next, give or take a fifth.
	// Zero: a quarter of an epoch, from 15 s to 5 min.
	Every time.Duration

	// Log gets a line when a peer is banned, at debug one per session. Nil: none.
	Log *slog.Logger
}

// Syncer repairs the log with partners, and answers those that repair theirs with
// us.
type Syncer struct {
	cfg   SyncerConfig
	peers peers
	kick  chan struct{}

	outbound chan struct{} // held by a session that we opened
	inbound  chan struct{} // held by one that a member opened
	// Those whose openers have shown nothing yet. Whoever floods one of them keeps
	// nobody out of the other.
	strangers, neighbours *porch.Porch

	mu     sync.Mutex
	rnd    *rand.Rand // guarded by mu
	status Status     // guarded by mu
	epoch  uint64     // guarded by mu: of the last round
	roster head       // guarded by mu: of the last round
	settle time.Time  // guarded by mu: when to look again since the roster is new, or our place in it in doubt; zero: not

	standing standing // guarded by mu
}

// NewSyncer returns a Syncer that does nothing until Run or Serve is called.
func NewSyncer(cfg SyncerConfig) (*Syncer, error) {
	if len(cfg.Session.Carriers) > maxCarriers {
		return nil, errors.New("gossip: more lists than sync carries")
	}
	if cfg.Session.Known == nil {
		cfg.Session.Known = new(Refusals)
	}
	if cfg.Session.Intake == nil {
		cfg.Session.Intake = new(Intake)
	}
	if cfg.Every <= 0 {
		cfg.Every = min(max(cfg.Session.World.EpochLen()/4, minEvery), maxEvery)
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	var seed [32]byte
	if _, err := crand.Read(seed[:]); err != nil {
		return nil, err
	}
	return &Syncer{
		cfg:      cfg,
		kick:     make(chan struct{}, 1),
		outbound: make(chan struct{}, maxOutbound),
		inbound:  make(chan struct{}, maxInbound),

		strangers:  porch.New(maxGreeting, greetingTimeout),
		neighbours: porch.New(maxGreeting, greetingTimeout),

		rnd: rand.New(rand.NewChaCha8(seed)),
	}, nil
}

// Run repairs in rounds until ctx ends: one at once, then every so often, soon
// after each epoch begins, when Kick is called, and once more some seconds after
// one that found a new roster.
func (s *Syncer) Run(ctx context.Context) error {
	for {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		s.Round(ctx)
		wait := time.NewTimer(s.untilNext(time.Now()))
		select {
		case <-ctx.Done():
		case <-wait.C:
		case <-s.kick:
		}
		wait.Stop()
	}
}

// Kick makes a round begin soon, with everybody who is not banned: the network
// healed, or a link came up.
func (s *Syncer) Kick() {
	s.peers.wake()
	select {
	case s.kick <- struct{}{}:
	default:
	}
}

// untilNext is how long to wait for the next round. It is drawn, so that members
// that were started together do not stay together.
func (s *Syncer) untilNext(now time.Time) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	wait := s.cfg.Every*4/5 + time.Duration(s.rnd.Int64N(int64(s.cfg.Every)*2/5+1))
	w := s.cfg.Session.World
	begins := w.EpochStart(w.Epoch(now) + 1).Sub(now)
	if begins < wait {
		wait = begins + time.Duration(s.rnd.Int64N(int64(min(w.EpochLen()/20, maxSpread))+1))
	}
	if !s.settle.IsZero() {
		wait = min(wait, max(0, s.settle.Sub(now)))
		s.settle = time.Time{}
	}
	s.status.Next = now.Add(wait)
	return wait
}

// Round repairs with the partners of the moment and returns how it went, which
// is also in Status.
func (s *Syncer) Round(ctx context.Context) Round {
	round := Round{Started: time.Now()}
	partners := s.partners(round.Started)
	round.Partners = make([]Partner, len(partners))
	var wg sync.WaitGroup
	for i, p := range partners {
		wg.Go(func() { round.Partners[i] = s.repair(ctx, p) })
	}
	wg.Wait()
	round.Took = time.Since(round.Started)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status.Rounds++
	s.status.Last = round
	return round
}

// partners draws who is repaired with: the near ones and random ones. Who is
// left alone for now is replaced by another random one.
func (s *Syncer) partners(now time.Time) []terrain.Place {
	c := &s.cfg.Session
	epoch := c.World.Epoch(now)
	generation, entry := c.Group.Head()
	_, speaks := c.Group.Speaks()
	cpk := c.Group.Key(speaks, epoch)
	s.mu.Lock()
	defer s.mu.Unlock()
	// What our log refused for the roster or the epoch it may take now.
	if at := (head{generation, entry}); at != s.roster || epoch != s.epoch {
		if at != s.roster {
			s.settle = now.Add(settleMin + time.Duration(s.rnd.Int64N(int64(settleMax-settleMin))))
		}
		s.roster, s.epoch = at, epoch
		c.Known.Forget()
	}
	if cpk == nil {
		return nil
	}
	members := c.Group.Members()
	drawn := terrain.Draw(cpk, c.World.ID, epoch, members).Partners(c.member(), terrain.Near, len(members), s.rnd)
	var out []terrain.Place
	for _, p := range drawn {
		if len(out) < terrain.Near+terrain.Random && s.peers.ready(p.Key, now) && !now.Before(c.Known.spent(p.Key, now)) {
			out = append(out, p)
		}
	}
	return out
}

// repair runs sessions with one partner until nothing is left to do.
func (s *Syncer) repair(ctx context.Context, to terrain.Place) Partner {
	p := Partner{Key: to.Key, Near: to.Near}
	select {
	case s.outbound <- struct{}{}:
		defer func() { <-s.outbound }()
	case <-ctx.Done():
		p.Error = ReasonTimeout
		return p
	}
	cfg := s.cfg.Session
	cfg.claim = cfg.Intake.claim(true)
	defer cfg.claim.drop()
	for p.Sessions < maxRepeat {
		if cfg.claim.wait(ctx) != nil {
			p.Error = ReasonTimeout
			break
		}
		r, err := s.session(ctx, &cfg, to.Key)
		p.Take(&r, err)
		s.note(&r, err)
		if err != nil || !r.Left || !r.Deferred && r.Added+r.Sent == 0 {
			break
		}
	}
	return p
}

// session opens one session.
func (s *Syncer) session(ctx context.Context, cfg *Config, member [32]byte) (Result, error) {
	opening, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	stream, err := s.cfg.Dial.Open(opening, member)
	if err != nil {
		reason := ReasonUnreachable
		if ctx.Err() != nil { // it was given up, not tried to the end
			reason = ReasonTimeout
		}
		return Result{Peer: member}, &Error{Reason: reason, err: err}
	}
	return Initiate(ctx, cfg, member, stream)
}

// Serve answers a session that somebody opened, closes the stream and returns.
func (s *Syncer) Serve(ctx context.Context, stream io.ReadWriteCloser) error {
	return s.serve(ctx, stream, s.strangers)
}

// ServeFrom is Serve for a stream on a link that has shown whose it is: those of
// members do not wait with everybody's.
func (s *Syncer) ServeFrom(ctx context.Context, peer [32]byte, stream io.ReadWriteCloser) error {
	if s.cfg.Session.Group.Member(peer) {
		return s.serve(ctx, stream, s.neighbours)
	}
	return s.serve(ctx, stream, s.strangers)
}

func (s *Syncer) serve(ctx context.Context, stream io.ReadWriteCloser, pool *porch.Porch) error {
	greeting := pool.Enter(func() { _ = stream.Close() })
	admitted := false
	r, err := Respond(ctx, &s.cfg.Session, stream, func(member [32]byte) Reason {
		now := time.Now()
		if now.Before(s.cfg.Session.Known.spent(member, now)) {
			return ReasonRefused
		}
		if why := s.peers.admit(member, now); why != ReasonNone {
			return why
		}
		select {
		case s.inbound <- struct{}{}:
		default:
			return ReasonBusy
		}
		if why := reasonOver[greeting.Leave()]; why != ReasonNone {
			<-s.inbound
			return why
		}
		admitted = true
		return ReasonNone
	})
	if why := reasonOver[greeting.Leave()]; why != ReasonNone {
		err = &Error{Reason: why}
	}
	if !admitted {
		s.count(r.Mode, err)
		return err
	}
	<-s.inbound
	s.note(&r, err)
	return err
}

// reasonOver is why a session ends whose greeting was over too early.
var reasonOver = [...]Reason{porch.Left: ReasonNone, porch.Crowded: ReasonBusy, porch.Late: ReasonTimeout}

// note takes in how a session with somebody known went.
func (s *Syncer) note(r *Result, err error) {
	now := time.Now()
	banned := s.peers.done(r, err, now)
	s.count(r.Mode, err)
	s.mu.Lock()
	s.status.Totals.take(r)
	if s.standing.take(r, err) && s.settle.IsZero() {
		s.settle = now.Add(doubtAgain)
	}
	s.mu.Unlock()
	switch reason := ReasonOf(err); {
	case banned:
		s.cfg.Log.Warn("sync peer banned", "peer", short(r.Peer), "reason", reason.Label(), "for", banTime)
	case reason == ReasonRefused && !toldBy(err):
		s.peers.rest(r.Peer, s.cfg.Session.Known.spent(r.Peer, now))
		s.cfg.Log.Warn("sync peer left alone: it brings too much that is not taken here", "peer", short(r.Peer), "refused", r.Refused)
	default:
		s.cfg.Log.Debug("sync session", "peer", short(r.Peer), "mode", string(r.Mode), "reason", reason.Label(), "theirs", r.Theirs, "ours", r.Ours,
			"added", r.Added, "sent", r.Sent, "bytes", r.Size.Wire.Total(), "round_trips", r.RoundTrips,
			"learn_bytes", r.Learn.Total(), "learn_round_trips", r.LearnTrips)
	}
}
