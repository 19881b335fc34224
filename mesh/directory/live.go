package directory

import (
	"bytes"
	"cmp"
	"slices"
	"time"
)

// Live are the canonical bytes of the descriptors that belong into the bundle of
// an epoch: of each key those of the newest epoch up to it, none of a key that
// contradicted itself there. Where there is no room for all, keys that stood in
// the bundle before come first, then those that are known longest.
func (s *Set) Live(epoch uint64, before *Content) [][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	type candidate struct {
		key [32]byte
		old bool
		*slot
	}
	var all []candidate
	for key, sl := range s.standing(epoch) {
		if sl.proof == nil {
			all = append(all, candidate{key, before != nil && before.Has(key), sl})
		}
	}
	slices.SortFunc(all, func(a, b candidate) int {
		if a.old != b.old {
			if a.old {
				return -1
			}
			return 1
		}
		return cmp.Or(a.since.Compare(b.since), bytes.Compare(a.key[:], b.key[:]))
	})
	var out [][]byte
	var taken room
	for _, c := range all {
		if !taken.plus(c.room()).in(s.capacity) {
			continue
		}
		taken = taken.plus(c.room())
		for _, e := range c.live {
			out = append(out, e.d.Canonical())
		}
	}
	return out
}

// room is what a slot takes in a bundle: a leaf has a byte for its kind.
func (sl *slot) room() room { return room{1, sl.size + len(sl.live)} }

// Lacking are descriptors that the set has held since before a moment and that
// a bundle with content c ought to have: of keys it lacks or has less or older
// of, and of keys it has though they contradicted themselves. before is the
// content of the bundle before c, nil if it is not known.
func (s *Set) Lacking(c, before *Content, since time.Time) [][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	var taken room
	var newcomers bool
	for key, sl := range c.slots {
		taken = taken.plus(sl.room())
		newcomers = newcomers || before == nil || !before.Has(key)
	}
	var out [][]byte
	for key, own := range s.standing(c.epoch) {
		theirs := c.slots[key]
		switch {
		case own.proof != nil:
			if theirs != nil {
				for _, e := range own.proof {
					out = append(out, e.d.Canonical())
				}
			}
			continue
		case own.since.After(since):
			continue
		case theirs == nil && !taken.plus(own.room()).in(s.capacity):
			// A full bundle may leave newcomers out, but none for a newcomer.
			if before == nil || !before.Has(key) || !newcomers {
				continue
			}
		}
		for _, e := range own.live {
			if theirs.lacks(e) {
				out = append(out, e.d.Canonical())
			}
		}
	}
	slices.SortFunc(out, bytes.Compare) // an answer is the same whenever it is asked for
	return out
}

// lacks reports whether a slot of a bundle ought to have e: it says less about
// the node, something older, or something that contradicts it.
func (sl *slot) lacks(e *entry) bool {
	if sl == nil {
		return true
	}
	if c := cmp.Or(cmp.Compare(sl.epochOf(), e.d.Epoch), cmp.Compare(sl.seq, e.contact.seq)); c != 0 {
		return c < 0
	}
	return !sl.holds(e.d.ID)
}

// standing are the slots of the newest epoch up to a given one, by key. The
// caller holds mu.
func (s *Set) standing(epoch uint64) map[[32]byte]*slot {
	out := make(map[[32]byte]*slot)
	for _, e := range []uint64{epoch, epoch - 1} { // epochs begin with 1970: none is 0
		if part := s.epochs[e]; part != nil {
			for key, sl := range part.slots {
				if out[key] == nil {
					out[key] = sl
				}
			}
		}
	}
	return out
}
