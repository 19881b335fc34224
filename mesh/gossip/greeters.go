package gossip

import (
	"slices"
	"sync"
	"time"
)

// greeters are the streams whose openers have shown nothing yet. Anybody can open
// one, so a new one takes the place of the oldest rather than be turned away: who
// wants to keep members out has to open as many as there are places within a round
// trip of theirs, again and again, and not within a timeout. The zero value is
// empty.
type greeters struct {
	mu   sync.Mutex
	open []*greeter // oldest first; guarded by mu
}

// greeter is one of them.
type greeter struct {
	end   func() // closes the stream
	timer *time.Timer
	why   Reason // it was ended for; guarded by the mu of greeters
}

// enter takes in a stream that end closes, for greetingTimeout at most.
func (g *greeters) enter(end func()) *greeter {
	x := &greeter{end: end}
	g.mu.Lock()
	x.timer = time.AfterFunc(greetingTimeout, func() { g.expel(x, ReasonTimeout) })
	var oldest *greeter
	if len(g.open) >= maxGreeting {
		oldest = g.open[0]
	}
	g.open = append(g.open, x)
	g.mu.Unlock()
	if oldest != nil {
		g.expel(oldest, ReasonBusy)
	}
	return x
}

// expel ends a greeting, unless it is over.
func (g *greeters) expel(x *greeter, why Reason) {
	if g.remove(x, why) {
		x.end()
	}
}

// leave ends x's greeting, as often as it is called. It returns why the greeting was
// over before, ReasonNone if it was not.
func (g *greeters) leave(x *greeter) Reason {
	x.timer.Stop()
	g.remove(x, ReasonNone)
	g.mu.Lock()
	defer g.mu.Unlock()
	return x.why
}

func (g *greeters) remove(x *greeter, why Reason) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	i := slices.Index(g.open, x)
	if i >= 0 {
		g.open = slices.Delete(g.open, i, i+1)
		x.why = why
	}
	return i >= 0
}
