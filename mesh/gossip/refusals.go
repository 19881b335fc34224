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
	events map[held]bool // true: for how it was sent, so others are asked for it all the same
	order  []held        // the same, oldest first
	bytes  allowance     // what it has cost of late
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
func (r *Refusals) add(peer [32]byte, v *Verdict, size int, now time.Time) bool {
	if r == nil {
		return true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	x := r.of(peer, now)
	// An event costs more than its bytes: it is looked at, and remembered.
	x.bytes.used += float64(max(size, leastRefused))
	e := held{epoch: v.Epoch, id: v.ID}
	if _, known := x.events[e]; !known {
		x.events[e], x.order = v.Sent, append(x.order, e)
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

// in lists those of some pages that are not to be had from a peer: first those that
// it brought itself, the newest first. What somebody else sent as it is not taken,
// without its stamp, may be had from this one.
func (r *Refusals) in(peer [32]byte, pages []uint64, shift uint8) []ID {
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	var ids []ID
	listed := make(map[ID]bool)
	list := func(x *refused, own bool) {
		for _, e := range slices.Backward(x.order) {
			if x.events[e] && !own {
				continue
			}
			if _, ok := slices.BinarySearch(pages, pageOf(e.epoch, shift)); ok && !listed[e.id] {
				listed[e.id] = true
				ids = append(ids, e.id)
			}
		}
	}
	if x := r.peers[peer]; x != nil {
		list(x, true)
	}
	for key, x := range r.peers {
		if key != peer {
			list(x, false)
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
