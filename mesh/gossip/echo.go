package gossip

import (
	"context"
	"time"
)

// echo says again what was pushed a moment ago, to members that came to the topic
// since: those that learned of a new generation later than we did, or have just
// started. It is owned by the Pusher's Run.
type echo struct {
	pusher *Pusher
	said   []said // oldest first
	size   int    // bytes of all of them
}

// said is a batch that was pushed.
type said struct {
	events [][]byte
	size   int
	told   map[[32]byte]bool // who was in the topic by then
	first  time.Time
	last   time.Time
	again  int
}

// note remembers a batch of our own, and who was there to be told.
func (e *echo) note(batch [][]byte, present [][32]byte, now time.Time) {
	s := said{events: batch, told: make(map[[32]byte]bool), first: now, last: now}
	for _, b := range batch {
		s.size += len(b)
	}
	for _, key := range present {
		s.told[key] = true
	}
	e.said, e.size = append(e.said, s), e.size+s.size
	for e.size > maxEcho {
		e.drop()
	}
}

// drop forgets the oldest batch.
func (e *echo) drop() {
	e.size -= e.said[0].size
	e.said = e.said[1:]
}

// idle reports whether nothing is left to be said again.
func (e *echo) idle(now time.Time) bool {
	for len(e.said) > 0 && now.Sub(e.said[0].first) > echoFor {
		e.drop()
	}
	return len(e.said) == 0
}

// call says again what those who are present now were not told.
func (e *echo) call(ctx context.Context, present [][32]byte, now time.Time) {
	for i := range e.said {
		s := &e.said[i]
		if s.again >= echoTimes || now.Sub(s.last) < echoEvery {
			continue
		}
		late := false
		for _, key := range present {
			late = late || !s.told[key]
		}
		if !late || e.pusher.send(ctx, s.events) != nil { // it is tried again at the next tick
			continue
		}
		for _, key := range present {
			s.told[key] = true
		}
		s.again, s.last = s.again+1, now
		e.pusher.mu.Lock()
		e.pusher.status.Repeated++
		e.pusher.mu.Unlock()
	}
}
