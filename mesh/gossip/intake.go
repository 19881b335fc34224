package gossip

import (
	"context"
	"sync"
	"time"
)

// Intake keeps a log from being sent the same events by many peers at once: who
// lacks much takes it from one peer at a time, and turns to the next when that
// one stalls. The zero value is idle; nil lets every session take what it lacks.
type Intake struct {
	mu     sync.Mutex
	holder *claim        // guarded by mu: whose sessions take much now; nil: nobody's
	queued int           // guarded by mu: claims of ours that wait for their turn
	total  int           // guarded by mu: events that all sessions have added
	freed  chan struct{} // guarded by mu: closed when the holder leaves
}

// claim is one peer's part in an intake, for as many sessions as follow each other
// with it. Its fields are guarded by the intake's mu.
type claim struct {
	intake *Intake
	ours   bool // sessions that we open: they come before those of others

	queued bool
	began  time.Time // when it became the holder
	last   time.Time // when it last brought something new
	since  int       // what it added since it began
	added  int       // what it added in all
}

// claim begins a peer's part.
func (in *Intake) claim(ours bool) *claim {
	if in == nil {
		return nil
	}
	return &claim{intake: in, ours: ours}
}

// others counts what other peers' sessions have added so far.
func (c *claim) others() int {
	if c == nil {
		return 0
	}
	c.intake.mu.Lock()
	defer c.intake.mu.Unlock()
	return c.intake.total - c.added
}

// take reports whether so many events may be taken now that were found lacking when
// the others had added so much. Few always may: they cost less than the wait. It
// makes c the holder, if nobody else is or the holder stalls.
func (c *claim) take(events, others int) bool {
	if c == nil || events <= maxUnclaimed {
		return true
	}
	in, now := c.intake, time.Now()
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.holder == c {
		return true
	}
	free := in.holder == nil || !now.Before(in.holder.until())
	// What others brought meanwhile would come a second time.
	stale := (in.total-c.added-others)*staleShare > events
	if !free || stale || !c.ours && in.queued > 0 {
		c.queue()
		return false
	}
	in.free()
	in.holder, c.began, c.last, c.since = c, now, now, 0
	return true
}

// queue notes that we wait for a turn. The caller holds mu.
func (c *claim) queue() {
	if c.ours && !c.queued {
		c.queued = true
		c.intake.queued++
	}
}

// until is when a holder that brings nothing more counts as stalled: soon after it
// last brought something, and sooner when it brings little in a long time. The
// caller holds mu.
func (c *claim) until() time.Time {
	idle, slow := c.last.Add(stallTimeout), c.began.Add(stallTimeout+time.Duration(c.since)*slowEvent)
	if slow.Before(idle) {
		return slow
	}
	return idle
}

// progress notes that a session has added events.
func (c *claim) progress(added int) {
	if c == nil || added == 0 {
		return
	}
	c.intake.mu.Lock()
	defer c.intake.mu.Unlock()
	c.intake.total += added
	c.added += added
	c.since += added
	c.last = time.Now()
}

// wait returns when c may be the holder, or with ctx's error.
func (c *claim) wait(ctx context.Context) error {
	if c == nil {
		return ctx.Err()
	}
	in := c.intake
	for {
		in.mu.Lock()
		h, now := in.holder, time.Now()
		if h == nil || h == c || !now.Before(h.until()) {
			in.mu.Unlock()
			return ctx.Err()
		}
		c.queue()
		if in.freed == nil {
			in.freed = make(chan struct{})
		}
		freed, stalls := in.freed, time.NewTimer(h.until().Sub(now))
		in.mu.Unlock()
		select {
		case <-ctx.Done():
		case <-freed:
		case <-stalls.C:
		}
		stalls.Stop()
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// drop ends a peer's part.
func (c *claim) drop() {
	if c == nil {
		return
	}
	c.intake.mu.Lock()
	defer c.intake.mu.Unlock()
	if c.queued {
		c.queued = false
		c.intake.queued--
	}
	if c.intake.holder == c {
		c.intake.free()
	}
}

// free lets the holder go and wakes who waits. The caller holds mu.
func (in *Intake) free() {
	in.holder = nil
	if in.freed != nil {
		close(in.freed)
		in.freed = nil
	}
}
