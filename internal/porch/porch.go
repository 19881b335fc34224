// Package porch bounds streams whose openers have shown nothing yet.
//
// Anybody can open such a stream, so a new one takes the place of the oldest rather
// than be turned away: who wants to keep others out has to open as many as there are
// places within a round trip of theirs, again and again, and not within a timeout.
// Each stays for a limited time in all, so that one that is never quite silent does
// not stay longer than one that is.
//
// Enter takes a stream in, Leave says that its opener has shown what it must, or that
// the stream is over. It knows nothing of streams but how to end one, and is no bound
// on what is done for those that have left. A Porch and its Visitors may be used
// concurrently.
//
// Implements: docs/spec/sync.md and docs/spec/member.md.
package porch

import (
	"slices"
	"sync"
	"time"
)

// Why is why a visit is over.
type Why uint8

// All reasons.
const (
	Left    Why = iota // by itself, or it is not over
	Crowded            // a newer one has its place
	Late               // it has had its time
)

// Porch is where streams wait. It must not be copied.
type Porch struct {
	places int           // immutable
	limit  time.Duration // immutable

	mu   sync.Mutex
	open []*Visitor // oldest first; guarded by mu
}

// New is a porch with so many places, in each of which nobody stays for longer than
// limit.
func New(places int, limit time.Duration) *Porch { return &Porch{places: places, limit: limit} }

// Visitor is one stream.
type Visitor struct {
	porch *Porch
	end   func() // ends the stream
	timer *time.Timer
	why   Why // guarded by the porch's mu
}

// Enter takes in a stream, which end ends. end is called once at most, on a goroutine
// of its own: nobody waits for a stream that ends slowly.
func (p *Porch) Enter(end func()) *Visitor {
	v := &Visitor{porch: p, end: end}
	p.mu.Lock()
	defer p.mu.Unlock()
	v.timer = time.AfterFunc(p.limit, func() {
		if p.remove(v, Late) {
			v.end()
		}
	})
	if len(p.open) >= p.places {
		oldest := p.open[0]
		p.open, oldest.why = slices.Delete(p.open, 0, 1), Crowded
		go oldest.end()
	}
	p.open = append(p.open, v)
	return v
}

// Len is how many are there.
func (p *Porch) Len() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.open)
}

// remove ends a visit, and reports whether it was not over.
func (p *Porch) remove(v *Visitor, why Why) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	i := slices.Index(p.open, v)
	if i >= 0 {
		p.open = slices.Delete(p.open, i, i+1)
		v.why = why
	}
	return i >= 0
}

// Leave ends the visit, as often as it is called. It returns why it was over before,
// Left if it was not.
func (v *Visitor) Leave() Why {
	v.timer.Stop()
	v.porch.remove(v, Left)
	v.porch.mu.Lock()
	defer v.porch.mu.Unlock()
	return v.why
}
