package gossip

import (
	"errors"
	"io"
)

// standing is what came of our sessions since a member last took us for one. Who is
// no member for others is told nothing: they close the stream after our hello. But
// one that does so may have been misled itself, so it takes several, or one several
// times, and no other that answers. Who cannot be reached says nothing of it.
type standing struct {
	closers map[[32]byte]bool // members that closed a session
	closed  int               // how often
}

// take takes in how a session with a member went. It reports whether it leaves us in
// doubt.
func (s *standing) take(r *Result, err error) (doubt bool) {
	switch {
	case r.Proved, r.Size.Wire.Received > 0:
		*s = standing{}
	case closedUnheard(r, err):
		if s.closers == nil {
			s.closers = make(map[[32]byte]bool)
		}
		s.closers[r.Peer] = true
		s.closed++
		return !s.shunned()
	}
	return false
}

// closedUnheard reports whether the peer closed the stream of a session of ours after
// our hello, in order. A link that breaks looks otherwise.
func closedUnheard(r *Result, err error) bool {
	return ReasonOf(err) == ReasonClosed && errors.Is(err, io.EOF) && r.Size.Wire.Sent > 0
}

// shunned reports whether nobody takes us for a member.
func (s *standing) shunned() bool {
	return len(s.closers) >= shunnedBy || s.closed >= shunnedTimes
}

// Shunned reports whether members that this node reaches take no session of it, as
// they do with one that was evicted. One that does clears it.
func (s *Syncer) Shunned() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.standing.shunned()
}
