package billing

import (
	"context"
	"sync"
	"time"
)

// looker reads the chain for requests that what is known of it does not cover. Anybody
// can send such a request, as a channel's name shows nothing of who bought it: so
// however many come, the chain is read once every lookEvery, for all who wait, and
// few wait. A looker may be used concurrently.
type looker struct {
	read func(context.Context) error // nil: it is not read

	mu      sync.Mutex
	next    time.Time   // before which no look begins; guarded by mu
	coming  *look       // that has not begun; guarded by mu
	waiting map[who]int // guarded by mu
}

// who waits: each kind has room of its own, so that strangers take none of customers'.
type who int

const (
	strangers who = iota // name a channel that is not known
	customers            // have signed for one that is
)

// look is one reading of the chain.
type look struct {
	over chan struct{}
	read bool // whether it succeeded; set before over is closed
}

// wait returns once the chain was read from now on, or false if it was not, or if
// there is no room to wait.
func (l *looker) wait(ctx context.Context, w who) bool {
	l.mu.Lock()
	begin := time.Until(l.next)
	if l.read == nil || l.waiting[w] >= maxLooking || begin > lookEvery {
		l.mu.Unlock()
		return false
	}
	l.waiting[w]++
	c := l.coming
	first := c == nil
	if first {
		c = &look{over: make(chan struct{})}
		l.coming = c
	}
	l.mu.Unlock()
	defer func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.waiting[w]--
	}()
	if first {
		l.do(ctx, c, begin)
	}
	select {
	case <-c.over:
		return c.read
	case <-ctx.Done():
		return false
	}
}

// do reads, for all who wait by then. It goes on when the first of them is gone: who
// comes and goes keeps nobody from it.
func (l *looker) do(ctx context.Context, c *look, begin time.Duration) {
	time.Sleep(begin) // lookEvery at most
	l.mu.Lock()
	l.coming, l.next = nil, time.Now().Add(lookEvery)
	l.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookLimit)
	defer cancel()
	c.read = l.read(ctx) == nil
	if !c.read {
		l.mu.Lock()
		l.next = time.Now().Add(lookPause)
		l.mu.Unlock()
	}
	close(c.over)
}
