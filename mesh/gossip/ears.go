package gossip

import (
	"context"
	"sync"
	"time"

	"github.com/culvert-net/culvert/mesh/world"
)

// ears are the topics that a Pusher listens to: those of the epoch, of the one
// before or after it near its ends, since clocks differ, and the same under the
// roster's entry before the last for a while, since news of a new one takes a
// while. They are owned by Run.
type ears struct {
	pusher *Pusher
	open   map[string]*ear
	wg     sync.WaitGroup

	newest, before world.Hash // roster entries
	changed        time.Time  // when newest became so
}

// ear is one topic that is listened to.
type ear struct {
	sub    Subscription
	cancel context.CancelFunc
	done   chan struct{} // closed when nobody listens any more
}

// adjust opens and closes topics as the moment asks for.
func (e *ears) adjust(ctx context.Context, now time.Time) {
	want := e.topics(now)
	for name, x := range e.open {
		if want[name] == nil || x.dead() {
			x.close()
			delete(e.open, name)
			e.pusher.deaf(name)
		}
	}
	for name, cpk := range want {
		if e.open[name] != nil {
			continue
		}
		e.pusher.hear(name, cpk)
		sub, err := e.pusher.cfg.Broadcast.Subscribe(name)
		if err != nil {
			e.pusher.deaf(name)
			e.pusher.cfg.Logger.Debug("push topic not joined; it is tried again", "err", err)
			continue
		}
		listening, cancel := context.WithCancel(ctx)
		x := &ear{sub: sub, cancel: cancel, done: make(chan struct{})}
		e.open[name] = x
		e.wg.Go(func() {
			defer close(x.done)
			e.pusher.listen(listening, sub, cpk)
		})
	}
}

// topics are those to listen to, with their keys.
func (e *ears) topics(now time.Time) map[string]*world.Secret {
	cfg := &e.pusher.cfg
	if _, entry := cfg.Group.Speaks(); entry != e.newest {
		e.before, e.newest, e.changed = e.newest, entry, now
	}
	entries := []world.Hash{e.newest}
	if !e.before.IsZero() && now.Sub(e.changed) < rosterOverlap {
		entries = append(entries, e.before)
	}
	overlap := min(epochOverlap, cfg.World.EpochLen()/4)
	epoch := cfg.World.Epoch(now)
	epochs := []uint64{epoch}
	if epoch > 0 && now.Sub(cfg.World.EpochStart(epoch)) < overlap {
		epochs = append(epochs, epoch-1)
	}
	if cfg.World.EpochStart(epoch+1).Sub(now) <= overlap {
		epochs = append(epochs, epoch+1)
	}
	out := make(map[string]*world.Secret)
	for _, entry := range entries {
		for _, n := range epochs {
			if cpk := cfg.Group.Key(entry, n); cpk != nil {
				out[topic(cpk)] = cpk
			}
		}
	}
	return out
}

// present lists who is in the topic that is published under.
func (e *ears) present() [][32]byte {
	cpk := e.pusher.key(time.Now())
	if cpk == nil {
		return nil
	}
	x := e.open[topic(cpk)]
	if x == nil {
		return nil
	}
	return x.sub.Present()
}

// close leaves all topics and waits for those who listen.
func (e *ears) close() {
	for name, x := range e.open {
		x.close()
		e.pusher.deaf(name)
	}
	e.wg.Wait()
}

// dead reports whether the subscription ended by itself.
func (x *ear) dead() bool {
	select {
	case <-x.done:
		return true
	default:
		return false
	}
}

func (x *ear) close() {
	x.cancel()
	x.sub.Cancel()
}

// hear makes Check know a topic's key; it is called before anything can come.
func (p *Pusher) hear(name string, cpk *world.Secret) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keys[name] = cpk
}

// deaf makes Check forget it.
func (p *Pusher) deaf(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.keys, name)
}

// listen takes what comes under one topic.
func (p *Pusher) listen(ctx context.Context, sub Subscription, cpk *world.Secret) {
	for {
		data, _, err := sub.Next(ctx)
		if err != nil {
			return
		}
		if err := p.take(ctx, cpk, data); err != nil && ctx.Err() == nil {
			p.cfg.Logger.Debug("pushed events were not stored; sync will bring them", "err", err)
		}
	}
}
