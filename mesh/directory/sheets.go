package directory

import (
	"bytes"
	"cmp"
	"slices"
	"time"

	"github.com/culvert-net/culvert/mesh/world"
)

// heldSheets are the price sheets that a set holds: those that its live
// descriptors name, each once, whoever names it. A sheet is opaque bytes here; its
// hash in a signed descriptor is all that makes it somebody's. The set's mu guards
// it.
type heldSheets struct {
	held  map[world.Hash]heldSheet
	names map[world.Hash]map[namer]struct{} // of live descriptors, whether the sheet is here or not
	size  int                               // bytes of all that are held
}

type heldSheet struct {
	bytes []byte
	since time.Time // when it came
}

// namer is a key that names a sheet in an epoch.
type namer struct {
	key   [32]byte
	epoch uint64
}

func newHeldSheets() heldSheets {
	return heldSheets{held: make(map[world.Hash]heldSheet), names: make(map[world.Hash]map[namer]struct{})}
}

// rename says that a key names other sheets than before: those of was, nil for
// none, and now those of is. What nobody names any more is dropped.
func (h *heldSheets) rename(by namer, was, is *Node) {
	if is != nil {
		for _, hash := range is.Prices {
			if h.names[hash] == nil {
				h.names[hash] = make(map[namer]struct{})
			}
			h.names[hash][by] = struct{}{}
		}
	}
	if was == nil {
		return
	}
	for _, hash := range was.Prices {
		if is != nil && slices.Contains(is.Prices, hash) {
			continue
		}
		delete(h.names[hash], by)
		if len(h.names[hash]) == 0 {
			delete(h.names, hash)
			h.size -= len(h.held[hash].bytes)
			delete(h.held, hash)
		}
	}
}

// all are the sheets by hash.
func (h *heldSheets) all() map[world.Hash][]byte {
	out := make(map[world.Hash][]byte, len(h.held))
	for hash, s := range h.held {
		out[hash] = s.bytes
	}
	return out
}

// AddSheets takes price sheets that live descriptors of the set name, so add
// those first. It keeps none of the slices. A bad sheet costs only itself.
//
// vouched says that a directory signer misses them, which no stranger can say:
// there is room then that newcomers may not fill.
func (s *Set) AddSheets(sheets [][]byte, vouched bool, now time.Time) Result {
	var res Result
	hashes := make([]world.Hash, len(sheets))
	for i, b := range sheets { // outside the lock
		if len(b) <= MaxSheet {
			hashes[i] = SheetHash(b)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, b := range sheets {
		_, here := s.sheets.held[hashes[i]]
		switch {
		case len(b) == 0 || len(b) > MaxSheet || len(s.sheets.names[hashes[i]]) == 0:
			res.refuse(i, ReasonSheet)
		case here:
			res.Known++
		case s.sheets.size+len(b) > s.roomFor(hashes[i], vouched):
			res.refuse(i, ReasonFull)
		default:
			s.sheets.held[hashes[i]] = heldSheet{bytes.Clone(b), now}
			s.sheets.size += len(b)
			res.Added++
			res.New = append(res.New, i)
		}
	}
	if res.Added > 0 {
		s.touch()
	}
	for _, r := range res.Refused {
		s.refused[r.Reason]++
	}
	return res
}

// roomFor is how much the sheets of the set may take with one of that hash. The
// caller holds mu.
func (s *Set) roomFor(hash world.Hash, vouched bool) int {
	if vouched {
		return maxHeldSheets
	}
	for by := range s.sheets.names[hash] {
		if s.epochs[by.epoch-1].slot(by.key) != nil {
			return maxHeldSheets
		}
	}
	return maxHeldSheets / 2
}

// LiveSheets are the price sheets that belong into the bundle with content c:
// those that it names, as far as they are known here. Where there is no room for
// all, those that stood in the bundle before come first, then those that are known
// longest.
func (s *Set) LiveSheets(c, before *Content) [][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	type candidate struct {
		hash world.Hash
		old  bool
		heldSheet
	}
	var all []candidate
	for hash := range c.names() {
		if h, ok := s.sheets.held[hash]; ok {
			all = append(all, candidate{hash, before.hasSheet(hash), h})
		}
	}
	slices.SortFunc(all, func(a, b candidate) int {
		if a.old != b.old {
			if a.old {
				return -1
			}
			return 1
		}
		return cmp.Or(a.since.Compare(b.since), compareHash(a.hash, b.hash))
	})
	var out [][]byte
	size := 0
	for _, a := range all {
		if size+leafSize(a.bytes) <= maxSheets {
			size += leafSize(a.bytes)
			out = append(out, a.bytes)
		}
	}
	return out
}

// leafSize is what a sheet takes in a bundle: a leaf has a byte for its kind.
func leafSize(sheet []byte) int { return 1 + len(sheet) }

// LackingSheets are price sheets that the set has held since before a moment and
// that a bundle with content c ought to have, since somebody in it names them.
// before is as for Lacking.
func (s *Set) LackingSheets(c, before *Content, since time.Time) [][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	size, newcomers := 0, false
	for hash, b := range c.sheets {
		size += leafSize(b)
		newcomers = newcomers || !before.hasSheet(hash)
	}
	var out [][]byte
	for hash := range c.names() {
		own, ok := s.sheets.held[hash]
		switch {
		case !ok || c.hasSheet(hash) || own.since.After(since):
		case size+leafSize(own.bytes) > maxSheets && !(newcomers && before.hasSheet(hash)):
			// A full bundle may leave new ones out, but none for a new one.
		default:
			out = append(out, own.bytes)
		}
	}
	slices.SortFunc(out, bytes.Compare) // an answer is the same whenever it is asked for
	return out
}

// names are the hashes of the sheets that nodes of the content name.
func (c *Content) names() map[world.Hash]bool {
	out := make(map[world.Hash]bool)
	for _, sl := range c.slots {
		for _, hash := range sl.node.Prices {
			out[hash] = true
		}
	}
	return out
}

// withSheets takes the sheets of the bundle, before anybody else has c.
func (c *Content) withSheets(sheets [][]byte) *Content {
	names := c.names()
	for _, b := range sheets {
		hash := SheetHash(b)
		if len(b) > MaxSheet || !names[hash] {
			c.left++
			continue
		}
		if c.sheets == nil {
			c.sheets = make(map[world.Hash][]byte)
		}
		c.sheets[hash] = b
	}
	return c
}

// hasSheet reports whether a sheet is in the content, which may be nil.
func (c *Content) hasSheet(hash world.Hash) bool {
	if c == nil {
		return false
	}
	_, ok := c.sheets[hash]
	return ok
}
