package directory

import (
	"fmt"

	"github.com/culvert-net/culvert/mesh/world"
)

// Content is what the descriptors of one bundle say, verified. It is immutable.
type Content struct {
	epoch uint64 // for which the bundle was made
	world world.Hash
	slots map[[32]byte]*slot
	named map[named]*entry
	left  int // leaves that were left out

	sheets map[world.Hash][]byte // price sheets that a descriptor names
}

// named is what a descriptor is known by.
type named struct {
	key [32]byte
	id  world.Hash
}

// ReadContent verifies the descriptors of a bundle of epoch, given their
// canonical bytes. What was verified for like, which may be nil, is not verified
// again.
//
// A descriptor that does not verify is left out, and so is a key that says two
// things at once: signers vouch for what is there, and not even all of them can
// make a node say what it did not. Of the bundle's price sheets, those are left
// out that nobody names who stands in it.
func ReadContent(w *world.World, epoch uint64, descriptors [][]byte, like *Content, sheets ...[]byte) *Content {
	return readContent(w, epoch, descriptors, like.entry).withSheets(sheets)
}

// ReadContent is the function of that name, for who has a set of verified
// descriptors.
func (s *Set) ReadContent(epoch uint64, descriptors [][]byte, sheets ...[]byte) *Content {
	s.mu.Lock()
	defer s.mu.Unlock()
	return readContent(s.world, epoch, descriptors, func(d *world.Descriptor) *entry {
		sl := s.epochs[d.Epoch].slot(d.Key)
		if sl == nil {
			return nil
		}
		for _, e := range sl.live {
			if e.d.ID == d.ID {
				return e
			}
		}
		return nil
	}).withSheets(sheets)
}

// readContent asks verified for an entry with the id and key of a descriptor; nil
// is none.
func readContent(w *world.World, epoch uint64, descriptors [][]byte, verified func(*world.Descriptor) *entry) *Content {
	c := &Content{epoch: epoch, world: w.ID, slots: make(map[[32]byte]*slot), named: make(map[named]*entry)}
	out := make(map[[32]byte]bool)
	for _, b := range descriptors {
		e, err := readEntry(w, epoch, b, verified)
		if err != nil {
			c.left++
			continue
		}
		if out[e.d.Key] || !c.put(e) {
			c.left++
			out[e.d.Key] = true
			if sl := c.slots[e.d.Key]; sl != nil {
				c.left += len(sl.live)
				delete(c.slots, e.d.Key)
			}
		}
	}
	for _, sl := range c.slots {
		sl.node = makeNode(sl.live)
		for _, e := range sl.live {
			c.named[named{e.d.Key, e.d.ID}] = e
		}
	}
	return c
}

// entry finds the entry with the id and key of a descriptor.
func (c *Content) entry(d *world.Descriptor) *entry {
	if c == nil {
		return nil
	}
	return c.named[named{d.Key, d.ID}]
}

func readEntry(w *world.World, epoch uint64, b []byte, verified func(*world.Descriptor) *entry) (*entry, error) {
	if len(b) > MaxDescriptor {
		return nil, ReasonMalformed
	}
	d, err := world.DecodeDescriptor(b)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ReasonMalformed, err)
	case d.World != w.ID:
		return nil, ReasonWorld
	case d.Epoch > epoch || d.Epoch+1 < epoch:
		return nil, ReasonEpoch
	}
	// The id says nothing of content that does not hash to it.
	if e := verified(&d); e != nil && e.d.Signature == d.Signature && d.VerifyID() == nil {
		return e, nil
	}
	return verifyTimeless(&d, w)
}

// put adds an entry; false if it contradicts what its key says beside.
func (c *Content) put(e *entry) bool {
	sl := c.slots[e.d.Key]
	if sl == nil {
		sl = &slot{seq: e.contact.seq, live: make(map[string]*entry)}
		c.slots[e.d.Key] = sl
	}
	for _, o := range sl.live {
		if o.d.Epoch != e.d.Epoch || o.contact.seq != e.contact.seq || contradicts(o, e) {
			return false
		}
		break // who agrees with one about the node agrees with all
	}
	if sl.live[e.model()] != nil || len(sl.live) == maxModels {
		return false
	}
	sl.live[e.model()] = e
	sl.size += e.size
	return true
}

// Epoch is the epoch the bundle was made for.
func (c *Content) Epoch() uint64 { return c.epoch }

// LeftOut is how many descriptors and price sheets did not stand up.
func (c *Content) LeftOut() int { return c.left }

// Has reports whether a key stands in the content.
func (c *Content) Has(key [32]byte) bool { return c.slots[key] != nil }

// Keys is the number of keys.
func (c *Content) Keys() int { return len(c.slots) }

// epochOf is the epoch in which a slot's descriptors were made.
func (sl *slot) epochOf() uint64 {
	for _, e := range sl.live {
		return e.d.Epoch
	}
	return 0
}

// snapshot is the content as consumers see it.
func (c *Content) snapshot() *Snapshot {
	parts := make(map[uint64]*epochPart)
	for key, sl := range c.slots {
		at := sl.epochOf()
		if parts[at] == nil {
			parts[at] = &epochPart{slots: make(map[[32]byte]*slot)}
		}
		parts[at].slots[key] = sl
	}
	return newSnapshot(c.world, c.epoch, parts, c.sheets)
}
