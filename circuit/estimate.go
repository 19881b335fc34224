package circuit

import (
	"slices"
	"sync"
	"time"
)

// estimate is how long a thing takes: what four of five of the last ones took
// at most. It may be used concurrently.
//
// What was given up counts too, once it took longer than the estimate, with the
// time it had taken until then: if only those that succeed in time were
// counted, a network that becomes slow would never be seen to, and everything
// over it would be done twice.
type estimate struct {
	first          time.Duration // until there are enough to go by; immutable
	floor, ceiling time.Duration // of the result; immutable

	mu     sync.Mutex
	recent [estimateWindow]time.Duration // guarded by mu, as all below
	next   int                           // where the next one goes
	count  int                           // of recent that are set
}

// add counts one that took d; done is false if it was given up then.
func (e *estimate) add(d time.Duration, done bool) {
	if !done && d <= e.get() {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.recent[e.next] = d
	e.next = (e.next + 1) % estimateWindow
	e.count = min(e.count+1, estimateWindow)
}

// times is the estimate and what it goes by.
func (e *estimate) times() Times {
	t := Times{Patience: e.get()}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.count > 0 {
		sorted := slices.Sorted(slices.Values(e.recent[:e.count]))
		t.P50, t.P80 = sorted[(e.count-1)/2], sorted[(e.count-1)*4/5]
	}
	return t
}

// get is the estimate.
func (e *estimate) get() time.Duration {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.count < estimateLeast {
		return e.first
	}
	sorted := slices.Sorted(slices.Values(e.recent[:e.count]))
	return min(max(sorted[(e.count-1)*4/5], e.floor), e.ceiling)
}
