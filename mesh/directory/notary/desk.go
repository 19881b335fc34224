package notary

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/culvert-net/culvert/mesh/directory"
	"github.com/culvert-net/culvert/mesh/directory/mirror"
	"github.com/culvert-net/culvert/mesh/world"
)

// Desk takes publications into a set. A key that the epoch has not seen needs
// the epoch's stamp: without one, anybody could fill the directory with made-up
// nodes at the price of a signature each.
type Desk struct {
	world    *world.World
	set      *directory.Set
	accepted func(d world.Descriptor, stamp []byte)

	mu     sync.Mutex
	stamps map[publisher][]byte // of this epoch and the one before; guarded by mu

	waiting chan struct{} // a token per publication whose stamp is to be checked
	checks  chan struct{} // one token: stamps are checked one at a time
}

var _ mirror.Desk = (*Desk)(nil)

// publisher is a key in an epoch.
type publisher struct {
	key   [32]byte
	epoch uint64
}

// NewDesk makes a desk. accepted, which may be nil, is told of each descriptor
// that is new, in the order in which they were taken, with the stamp of its key
// for its epoch, nil if that came elsewhere; it does not block.
func NewDesk(w *world.World, set *directory.Set, accepted func(d world.Descriptor, stamp []byte)) *Desk {
	if accepted == nil {
		accepted = func(world.Descriptor, []byte) {}
	}
	return &Desk{world: w, set: set, accepted: accepted, stamps: make(map[publisher][]byte), waiting: make(chan struct{}, maxWaiting), checks: make(chan struct{}, 1)}
}

// Publish implements mirror.Desk.
func (d *Desk) Publish(ctx context.Context, stamp []byte, descriptors, sheets [][]byte, now time.Time) directory.Result {
	var res directory.Result
	stamped := make(map[publisher]error)
	var ds []world.Descriptor
	var place []int
	for i, b := range descriptors {
		desc, err := decode(b)
		if err == nil {
			by := publisher{desc.Key, desc.Epoch}
			known, checked := stamped[by]
			if !checked {
				known = d.admit(ctx, stamp, &desc, now)
				stamped[by] = known
			}
			err = known
		}
		if err != nil {
			res.Refused = append(res.Refused, directory.Refusal{Index: i, Reason: directory.ReasonOf(err)})
			continue
		}
		ds, place = append(ds, desc), append(place, i)
	}
	taken := d.set.Add(ds, now)
	res.Added, res.Known = taken.Added, taken.Known
	for _, i := range taken.New {
		res.New = append(res.New, place[i])
		d.accepted(ds[i], d.stamp(publisher{ds[i].Key, ds[i].Epoch}))
	}
	for _, r := range taken.Refused {
		res.Refused = append(res.Refused, directory.Refusal{Index: place[r.Index], Reason: r.Reason})
	}
	// After the descriptors, which say whose they are: who has no stamp has no
	// sheets either.
	priced := d.set.AddSheets(sheets, false, now)
	res.Added += priced.Added
	res.Known += priced.Known
	for _, r := range priced.Refused {
		res.Refused = append(res.Refused, directory.Refusal{Index: len(descriptors) + r.Index, Reason: r.Reason})
	}
	slices.SortFunc(res.Refused, func(a, b directory.Refusal) int { return cmp.Compare(a.Index, b.Index) })
	return res
}

func decode(b []byte) (world.Descriptor, error) {
	if len(b) > directory.MaxDescriptor {
		return world.Descriptor{}, directory.ReasonMalformed
	}
	return world.DecodeDescriptor(b)
}

// admit checks the stamp of a publication, unless its key was seen in the epoch.
// All that is cheaper is checked before.
func (d *Desk) admit(ctx context.Context, stamp []byte, desc *world.Descriptor, now time.Time) error {
	if err := directory.Verify(desc, d.world, now); err != nil {
		return err
	}
	bits := d.world.Terms().TicketBits
	if bits == 0 || d.set.Holds(desc.Key, desc.Epoch) {
		return nil
	}
	ticket, err := world.ParseTicket(stamp)
	if err != nil {
		return directory.ReasonStamp
	}
	select {
	case d.waiting <- struct{}{}:
		defer func() { <-d.waiting }()
	default:
		return directory.ReasonFull
	}
	select {
	case d.checks <- struct{}{}:
		defer func() { <-d.checks }()
	case <-ctx.Done():
		return directory.ReasonFull
	}
	if err := ticket.Check(d.world.ID, desc.Epoch, desc.Key, bits); err != nil {
		return directory.ReasonStamp
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for old := range d.stamps {
		if old.epoch+1 < d.world.Epoch(now) {
			delete(d.stamps, old)
		}
	}
	// As many as the set has room for; checking them one at a time bounds the rest.
	d.stamps[publisher{desc.Key, desc.Epoch}] = bytes.Clone(stamp)
	return nil
}

// stamp is the one that a key came with in an epoch, for those who are told of
// what it says later.
func (d *Desk) stamp(by publisher) []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.stamps[by]
}
