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
	events map[refused]bool // guarded by mu
	order  []refused        // guarded by mu: the same, oldest first
}

// refused is one event, as it came from one peer or, where that makes no difference,
// from anybody. Else whoever sends a descriptor without its stamp could keep us from
// asking others for it.
type refused struct {
	held
	from [32]byte // zero: anybody
}

func (r *Refusals) add(from [32]byte, v *Verdict) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	e := refused{held: held{epoch: v.Epoch, id: v.ID}}
	if v.Sent {
		e.from = from
	}
	if r.events[e] {
		return
	}
	if r.events == nil {
		r.events = make(map[refused]bool)
	}
	if len(r.order) >= maxRefused {
		for _, old := range r.order[:maxRefused/4] {
			delete(r.events, old)
		}
		r.order = slices.Delete(r.order, 0, maxRefused/4)
	}
	r.events[e], r.order = true, append(r.order, e)
}

// in lists those of some pages that are not to be had from a peer.
func (r *Refusals) in(peer [32]byte, pages []uint64, shift uint8) []ID {
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	var ids []ID
	for _, e := range r.order {
		if e.from != [32]byte{} && e.from != peer {
			continue
		}
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
