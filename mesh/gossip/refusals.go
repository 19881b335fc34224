package gossip

import (
	"slices"
	"sync"
	"time"
)

// Refusals remembers events that our log refused though peers have them: they
// would be fetched or sent again in each session. It also knows how much of that
// each peer has cost. Both are bounded. The zero value is empty; nil remembers
// nothing and bounds nothing.
type Refusals struct {
	mu    sync.Mutex
	peers map[[32]byte]*refused // guarded by mu: by who brought them
	total int                   // guarded by mu: events of all of them
}

// refused is what one peer brought.
type refused struct {
	events map[held]bool
	order  []held    // the same, oldest first
	bytes  allowance // what it has cost of late
}

// of is a peer's record. The caller holds mu.
func (r *Refusals) of(peer [32]byte, now time.Time) *refused {
	x := r.peers[peer]
	if x == nil {
		if r.peers == nil {
			r.peers = make(map[[32]byte]*refused)
		}
		x = &refused{events: make(map[held]bool), bytes: allowance{at: now}}
		r.peers[peer] = x
	}
	return x
}

// add remembers an event that a peer brought, of so many bytes, and reports
// whether the peer may bring more such.
func (r *Refusals) add(peer [32]byte, epoch uint64, id ID, size int, now time.Time) bool {
	if r == nil {
		return true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	x := r.of(peer, now)
	// An event costs more than its bytes: it is looked at, and remembered.
	x.bytes.used += float64(max(size, leastRefused))
	if e := (held{epoch: epoch, id: id}); !x.events[e] {
		x.events[e], x.order = true, append(x.order, e)
		r.total++
		if len(x.order) > maxRefusedPeer {
			r.forget(x)
		}
		if r.total > maxRefused {
			r.forget(r.largest())
		}
	}
	return x.bytes.left(peerRefused, refusedPer, now)
}

// largest is the peer of whom most is remembered: forgetting that, whoever brings
// much makes us forget what it brought itself. The caller holds mu.
func (r *Refusals) largest() *refused {
	var most *refused
	for _, x := range r.peers {
		if most == nil || len(x.order) > len(most.order) {
			most = x
		}
	}
	return most
}

// forget drops a quarter of what a peer brought, the oldest. The caller holds mu.
func (r *Refusals) forget(x *refused) {
	n := (len(x.order) + 3) / 4
	for _, old := range x.order[:n] {
		delete(x.events, old)
	}
	x.order = slices.Delete(x.order, 0, n)
	r.total -= n
}

// spent is until when a peer has to be left alone, since it has cost too much; it
// is now when it need not be.
func (r *Refusals) spent(peer [32]byte, now time.Time) (until time.Time) {
	if r == nil {
		return now
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	x := r.peers[peer]
	if x == nil || x.bytes.left(peerRefused, refusedPer, now) {
		return now
	}
	over := (x.bytes.used - peerRefused) / peerRefused
	return now.Add(max(refusedRest, time.Duration(over*float64(refusedPer))))
}

// in lists those of some pages, whoever brought them: first those of one peer, the
// newest first.
func (r *Refusals) in(pages []uint64, shift uint8, peer [32]byte) []ID {
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	var ids []ID
	listed := make(map[ID]bool)
	list := func(x *refused) {
		for _, e := range slices.Backward(x.order) {
			if _, ok := slices.BinarySearch(pages, pageOf(e.epoch, shift)); ok && !listed[e.id] {
				listed[e.id] = true
				ids = append(ids, e.id)
			}
		}
	}
	if x := r.peers[peer]; x != nil {
		list(x)
	}
	for key, x := range r.peers {
		if key != peer {
			list(x)
		}
	}
	return ids
}

// Forget is to be called when the log may take now what it refused: at a new
// epoch, or with a new roster. What peers have cost stays.
func (r *Refusals) Forget() {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	for peer, x := range r.peers {
		if x.bytes.left(peerRefused, refusedPer, now); x.bytes.used == 0 {
			delete(r.peers, peer)
			continue
		}
		x.events, x.order = make(map[held]bool), nil
	}
	r.total = 0
}
