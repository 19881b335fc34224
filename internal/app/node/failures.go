package node

import (
	"sync"
	"time"
)

// Failures remembers which nodes did not answer lately. Who asks decides what
// that means; everything here only prefers the others.
type Failures struct {
	mu    sync.Mutex
	until map[[32]byte]time.Time // guarded by mu
}

// NewFailures remembers nobody.
func NewFailures() *Failures { return &Failures{until: make(map[[32]byte]time.Time)} }

// Report notes how an attempt to use a node ended.
func (f *Failures) Report(key [32]byte, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if ok {
		delete(f.until, key)
		return
	}
	now := time.Now()
	if len(f.until) >= maxFailed {
		for k, t := range f.until {
			if now.After(t) {
				delete(f.until, k)
			}
		}
	}
	if len(f.until) < maxFailed {
		f.until[key] = now.Add(avoidFor)
	}
}

// Lately reports whether the node failed and has not been used since.
func (f *Failures) Lately(key [32]byte) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	t, failed := f.until[key]
	return failed && time.Now().Before(t)
}
