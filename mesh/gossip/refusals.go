package gossip

import (
	"slices"
	"sync"
)

// Refusals remembers events that our log refused though peers have them: they
// would be fetched or sent again in each session. It is bounded, and forgets the
// oldest. The zero value is empty; nil remembers nothing.
type Refusals struct {
	mu     sync.Mutex
	events map[held]bool // guarded by mu
	order  []held        // guarded by mu: the same, oldest first
}

func (r *Refusals) add(epoch uint64, id ID) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	e := held{epoch: epoch, id: id}
	if r.events[e] {
		return
	}
	if r.events == nil {
		r.events = make(map[held]bool)
	}
	if len(r.order) >= maxRefused {
		for _, old := range r.order[:maxRefused/4] {
			delete(r.events, old)
		}
		r.order = slices.Delete(r.order, 0, maxRefused/4)
	}
	r.events[e], r.order = true, append(r.order, e)
}

// in lists those of some pages.
func (r *Refusals) in(pages []uint64, shift uint8) []ID {
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	var ids []ID
	for _, e := range r.order {
		if _, ok := slices.BinarySearch(pages, pageOf(e.epoch, shift)); ok {
			ids = append(ids, e.id)
		}
	}
	return ids
}

// Forget is to be called when the log may take now what it refused: at a new
// epoch, or with a new roster.
func (r *Refusals) Forget() {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events, r.order = nil, nil
}
