package gossip

import (
	"context"
	"crypto/sha256"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/culvert-net/culvert/mesh/world"
)

// PusherConfig is what NewPusher needs.
type PusherConfig struct {
	World     *world.World
	Group     Group
	Log       Log
	Judge     Judge
	Broadcast Broadcaster

	// Logger gets a line at debug when pushing fails. Nil: none.
	Logger *slog.Logger
}

// Pusher sends new events to all members at once, and takes theirs.
type Pusher struct {
	cfg  PusherConfig
	wake chan struct{} // something was queued

	mu     sync.Mutex
	queue  [][]byte                 // guarded by mu: oldest first
	queued int                      // guarded by mu: bytes of it
	keys   map[string]*world.Secret // guarded by mu: by topic that is listened to
	seen   window                   // guarded by mu
	status PushStatus               // guarded by mu
}

// PushStatus counts since the start.
type PushStatus struct {
	Topics   int    // listened to
	Sent     uint64 // events
	Batches  uint64 // that carried them
	Dropped  uint64 // events: the queue was full or there was nobody to tell; sync brings them
	Received uint64 // batches of others
	Added    uint64 // events of them that were new
	Known    uint64 // events of them that were not
	Refused  uint64 // events of them that the log did not take
	Bad      uint64 // batches that no honest member sends
	Replayed uint64 // batches that came again, or late
	Failed   uint64 // batches that could not be published
	Repeated uint64 // batches that were published again, for who came later
}

// Fate is what is to become of a batch that a peer brought.
type Fate uint8

// The fates.
const (
	Accept Fate = iota // it is good: send it on
	Ignore             // it is not, which whoever brought it could not know
	Reject             // whoever brought it had to see that it is not
)

// NewPusher returns a Pusher that does nothing until Run is called.
func NewPusher(cfg PusherConfig) (*Pusher, error) {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return &Pusher{cfg: cfg, wake: make(chan struct{}, 1), keys: make(map[string]*world.Secret)}, nil
}

// Push queues events that this node made, or has reason to tell everybody. It
// does not wait. What comes by push is sent on by the Broadcaster and not to be
// pushed again.
func (p *Pusher) Push(events ...[]byte) {
	p.mu.Lock()
	for _, e := range events {
		if len(e) > maxBatch-batchHead-3 {
			p.status.Dropped++
			continue
		}
		p.queue, p.queued = append(p.queue, e), p.queued+len(e)
	}
	for p.queued > maxQueue {
		p.queued -= len(p.queue[0])
		p.queue = p.queue[1:]
		p.status.Dropped++
	}
	p.mu.Unlock()
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// Run pushes and listens until ctx ends.
func (p *Pusher) Run(ctx context.Context) error {
	ears := ears{pusher: p, open: make(map[string]*ear)}
	defer ears.close()
	echo := echo{pusher: p}
	tick := time.NewTicker(earTick)
	defer tick.Stop()
	for {
		ears.adjust(ctx, time.Now())
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
			if now := time.Now(); !echo.idle(now) {
				echo.call(ctx, ears.present(), now)
			}
			continue
		case <-p.wake:
		}
		// What follows in a moment goes with it.
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(batchDelay):
		}
		ears.adjust(ctx, time.Now()) // there may be another generation by now
		p.publish(ctx, func(batch [][]byte, published bool) {
			var present [][32]byte
			if published {
				present = ears.present()
			}
			echo.note(batch, present, time.Now())
		})
	}
}

// publish sends all that is queued, and tells done of each batch.
func (p *Pusher) publish(ctx context.Context, done func(batch [][]byte, published bool)) {
	for {
		batch := p.next()
		if len(batch) == 0 {
			return
		}
		err := p.send(ctx, batch)
		p.mu.Lock()
		if err != nil {
			p.status.Failed++
			p.status.Dropped += uint64(len(batch))
		} else {
			p.status.Batches++
			p.status.Sent += uint64(len(batch))
		}
		p.mu.Unlock()
		done(batch, err == nil)
		if err != nil {
			p.cfg.Logger.Debug("push failed; sync will bring these events", "events", len(batch), "err", err)
		}
	}
}

// next takes as much off the queue as fits into one batch.
func (p *Pusher) next() (batch [][]byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	size := batchHead
	for len(p.queue) > 0 {
		e := p.queue[0]
		if size += len(e) + 3; size > maxBatch {
			break
		}
		batch = append(batch, e)
		p.queue, p.queued = p.queue[1:], p.queued-len(e)
	}
	return batch
}

// key is the key under which is published now, or nil.
func (p *Pusher) key(now time.Time) *world.Secret {
	_, entry := p.cfg.Group.Speaks()
	return p.cfg.Group.Key(entry, p.cfg.World.Epoch(now))
}

// send publishes one batch under the topic of the moment.
func (p *Pusher) send(ctx context.Context, batch [][]byte) error {
	now := time.Now()
	cpk := p.key(now)
	if cpk == nil {
		return errors.New("there is no group key for this epoch")
	}
	b, err := sealBatch(cpk, now, batch)
	if err != nil {
		return err
	}
	return p.cfg.Broadcast.Publish(ctx, topic(cpk), b)
}

// Check judges a batch that a peer brought, before it is sent on: it opens it and
// looks at its events, but keeps nothing. It is called once for each batch, from
// many goroutines. Whoever sends on a batch with an event that is no good event is
// blamed for it, so that one member cannot use all others to spread rubbish.
func (p *Pusher) Check(name string, data []byte) Fate {
	now := time.Now()
	p.mu.Lock()
	cpk := p.keys[name]
	p.mu.Unlock()
	if cpk == nil {
		return Ignore // a topic that was left a moment ago
	}
	made, events, err := openBatch(cpk, data)
	fate := Accept
	switch {
	case err != nil:
		fate = Reject
	case now.Sub(made).Abs() > replayWindow:
		fate = Ignore
	}
	p.mu.Lock()
	if fate == Accept && !p.seen.add(sha256.Sum256(data), now) {
		fate = Ignore
	}
	if fate == Ignore {
		p.status.Replayed++
	}
	p.mu.Unlock()
	if fate == Accept {
		fate = p.judge(events)
	}
	if fate == Reject {
		p.mu.Lock()
		p.status.Bad++
		p.mu.Unlock()
	}
	return fate
}

// judge is what the events of a batch make of it: bad if one is, good if one is
// new and none refused, so that nobody can make old ones go round again. Who
// sends a batch on is blamed for what is bad in it, and what is refused here was
// not looked at to the end: by another clock or roster it may be looked at, and
// found bad.
func (p *Pusher) judge(events [][]byte) Fate {
	fate := Ignore
	for _, e := range events {
		switch outcome, fresh := p.cfg.Judge.Judge(e); {
		case outcome == Bad:
			return Reject
		case outcome == Refused:
			return Ignore
		case fresh:
			fate = Accept
		}
	}
	return fate
}

// take puts a batch's events into the log. What the batch is worth was judged
// before by Check, which every message goes through on its way here.
func (p *Pusher) take(ctx context.Context, cpk *world.Secret, data []byte) error {
	_, events, err := openBatch(cpk, data)
	if err != nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.status.Bad++
		return nil
	}
	added, verdicts, err := p.cfg.Log.Admit(ctx, events, ViaPush)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.status.Received++
	p.status.Added += uint64(added)
	kept := 0
	for _, v := range verdicts {
		if v.Outcome == Kept {
			kept++
		}
	}
	p.status.Known += uint64(kept - added)
	p.status.Refused += uint64(len(verdicts) - kept)
	return nil
}

// Status is a copy of the moment.
func (p *Pusher) Status() PushStatus {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.status
	s.Topics = len(p.keys)
	return s
}
