package gossip

import (
	"slices"
	"sync"
)

// Refusals remembers events that our log refused though peers have them: they
// would be fetched again in every session. It is bounded, and forgets the oldest.
// The zero value is empty; nil remembers nothing.
type Refusals struct {
	mu     sync.Mutex
	events []held // guarded by mu: oldest first
}

func (r *Refusals) add(epoch uint64, id ID) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	e := held{epoch: epoch, id: id}
	if slices.Contains(r.events, e) {
		return
	}
	if len(r.events) >= maxRefused {
		r.events = slices.Delete(r.events, 0, maxRefused/4)
	}
	r.events = append(r.events, e)
}

// in lists those of some pages.
func (r *Refusals) in(pages []uint64, shift uint8) []ID {
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	var ids []ID
	for _, e := range r.events {
		if _, ok := slices.BinarySearch(pages, pageOf(e.epoch, shift)); ok {
			ids = append(ids, e.id)
		}
	}
	return ids
}

// Forget is to be called when the log may take now what it refused: at a new
// epoch, or with a new roster.
func (r *Refusals) Forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = nil
}
