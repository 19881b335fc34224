package eventlog

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/culvert-net/culvert/mesh/world"
)

// Clock compares this node's clock with those of the members whose new events
// it gets. An event of epoch e was made, by its author's clock, between the
// epoch's begin and its end; that it is here at a time of ours bounds how far
// the two are apart. Nobody's clock is set by it: it is for status and doctor,
// since a node with a wrong clock only sees that nobody takes its events.
type Clock struct {
	world *world.World

	mu    sync.Mutex
	peers map[[32]byte]bounds // guarded by mu
}

// bounds are what a member's events say of how far our clock is behind its own
// (below zero: ahead): at least least, at most most. An event that was long on
// its way must not look like a clock that is ahead, so of what events say as
// upper bound the highest is kept too, not the lowest.
type bounds struct {
	least, most time.Duration
	epoch       uint64 // of the newest event
	seen        time.Time
}

// NewClock returns a Clock that has seen nothing.
func NewClock(w *world.World) *Clock {
	return &Clock{world: w, peers: make(map[[32]byte]bounds)}
}

// Wants reports whether an event of that epoch would say something new of a
// member's clock.
func (c *Clock) Wants(member [32]byte, epoch uint64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	b, known := c.peers[member]
	return !known && len(c.peers) < maxSkewPeers || known && b.epoch != epoch
}

// Observe notes that a new event of a member, verified, came at now. Only what
// was pushed says something: what sync fetches is old.
func (c *Clock) Observe(member [32]byte, epoch uint64, now time.Time) {
	now = now.Round(0) // by the wall: that is what may be wrong
	most := c.world.EpochStart(epoch + 1).Sub(now)
	least := c.world.EpochStart(epoch).Sub(now)
	c.mu.Lock()
	defer c.mu.Unlock()
	b, known := c.peers[member]
	switch {
	case !known && len(c.peers) >= maxSkewPeers:
		return
	case !known || now.Before(b.seen) || now.Sub(b.seen) > skewMemory*c.world.EpochLen():
		// Of a clock that was set since, or long ago: what was known is void.
		b = bounds{least: least, most: most}
	}
	b.least, b.most = max(b.least, least), max(b.most, most)
	b.epoch, b.seen = epoch, now
	c.peers[member] = b
}

// Skew is how this node's clock stands to those of others.
type Skew struct {
	Peers  int           // who was compared
	Wrong  bool          // most of them agree that it is off
	Behind bool          // else ahead
	Least  time.Duration // by so much at least
	Epochs uint64        // the same in epochs, rounded
}

// String says it for people.
func (s Skew) String() string {
	if !s.Wrong {
		if s.Peers < minSkewPeers {
			return fmt.Sprintf("the clock was compared with %d others, too few to tell", s.Peers)
		}
		return fmt.Sprintf("the clock agrees with %d others", s.Peers)
	}
	way, far := "ahead of", s.Least.Round(time.Second).String()
	if s.Behind {
		way = "behind"
	}
	if s.Epochs > 0 {
		far = fmt.Sprintf("%d epochs", s.Epochs)
	}
	return fmt.Sprintf("this clock is %s %s those of %d others: set it right, or they refuse what this node says", far, way, s.Peers)
}

// Skew tells what the observations say together: the middle one of the bounds
// counts, so that some who lie change nothing.
func (c *Clock) Skew() Skew {
	c.mu.Lock()
	var least, most []time.Duration
	for _, b := range c.peers {
		least, most = append(least, b.least), append(most, b.most)
	}
	c.mu.Unlock()
	s := Skew{Peers: len(least)}
	if s.Peers < minSkewPeers {
		return s
	}
	slices.Sort(least)
	slices.Sort(most)
	behind, ahead := least[(s.Peers-1)/2], -most[s.Peers/2]
	switch {
	case behind > skewSlack:
		s.Wrong, s.Behind, s.Least = true, true, behind
	case ahead > skewSlack:
		s.Wrong, s.Least = true, ahead
	default:
		return s
	}
	// The lower bound is the sharper one: what is late on its way makes it lower,
	// and the highest counts.
	s.Epochs = uint64((behind.Abs() + c.world.EpochLen()/2) / c.world.EpochLen())
	return s
}
