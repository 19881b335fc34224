package bundle

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"sync"

	"lukechampine.com/blake3"

	"github.com/culvert-net/culvert/mesh/world"
)

// Kinds of leaves: a leaf is one byte that says which, and the content.
const (
	kindDescriptor = 0 // a descriptor's canonical bytes
	kindSheet      = 1 // a price sheet's
	kinds          = 2
)

// ErrLeaves is wrapped by errors about leaves that no bundle can have.
var ErrLeaves = errors.New("not the leaves of a bundle")

// Leaves are the content of a bundle: sorted by bytes, without doubles.
type Leaves struct {
	all    [][]byte
	size   int                 // bytes of all
	hashes func() []world.Hash // made once, when somebody asks
	root   func() world.Hash   // likewise
}

// Descriptor is the leaf of a descriptor, given its canonical bytes.
func Descriptor(canonical []byte) []byte {
	return append([]byte{kindDescriptor}, canonical...)
}

// Sheet is the leaf of a price sheet, which is opaque bytes here.
func Sheet(sheet []byte) []byte { return append([]byte{kindSheet}, sheet...) }

// largest is how long a leaf of a kind may be.
func largest(kind byte) int {
	if kind == kindSheet {
		return MaxLeaf
	}
	return maxDescriptor
}

// NewLeaves sorts leaves and drops doubles. It keeps the slices in all, which
// the caller leaves alone from then on.
func NewLeaves(all [][]byte) (*Leaves, error) {
	all = slices.Clone(all)
	slices.SortFunc(all, bytes.Compare)
	return sortedLeaves(slices.CompactFunc(all, bytes.Equal))
}

// sortedLeaves takes leaves that are in order already, and refuses others.
func sortedLeaves(all [][]byte) (*Leaves, error) {
	if len(all) > MaxLeaves {
		return nil, fmt.Errorf("%w: %d of them, at most %d are allowed", ErrLeaves, len(all), MaxLeaves)
	}
	l := &Leaves{all: all}
	var sizes [kinds]int
	for i, leaf := range all {
		switch {
		case len(leaf) < 2 || leaf[0] >= kinds:
			return nil, fmt.Errorf("%w: one that is empty or of an unknown kind", ErrLeaves)
		case len(leaf) > largest(leaf[0]):
			return nil, fmt.Errorf("%w: one of kind %d has %d bytes, at most %d are allowed", ErrLeaves, leaf[0], len(leaf), largest(leaf[0]))
		case i > 0 && bytes.Compare(all[i-1], leaf) >= 0:
			return nil, fmt.Errorf("%w: they are not sorted", ErrLeaves)
		}
		l.size += len(leaf)
		sizes[leaf[0]] += len(leaf)
	}
	if sizes[kindDescriptor] > MaxBytes || sizes[kindSheet] > MaxSheetBytes {
		return nil, fmt.Errorf("%w: %d bytes of descriptors and %d of price sheets, at most %d and %d are allowed",
			ErrLeaves, sizes[kindDescriptor], sizes[kindSheet], MaxBytes, MaxSheetBytes)
	}
	l.hashes = sync.OnceValue(l.hash)
	l.root = sync.OnceValue(func() world.Hash { return merkle(l.hashes()) })
	return l, nil
}

// Len is the number of leaves, Size that of their bytes.
func (l *Leaves) Len() int  { return len(l.all) }
func (l *Leaves) Size() int { return l.size }

// All are the leaves, in order. They are shared: nobody changes them.
func (l *Leaves) All() [][]byte { return l.all }

// Hashes are those of the leaves, in order.
func (l *Leaves) Hashes() []world.Hash { return l.hashes() }

// Merkle is the root of the tree over the leaves.
func (l *Leaves) Merkle() world.Hash { return l.root() }

// Descriptors are the canonical bytes of all descriptors, Sheets the bytes of all
// price sheets.
func (l *Leaves) Descriptors() [][]byte { return l.of(kindDescriptor) }
func (l *Leaves) Sheets() [][]byte      { return l.of(kindSheet) }

func (l *Leaves) of(kind byte) [][]byte {
	out := make([][]byte, 0, len(l.all))
	for _, leaf := range l.all {
		if leaf[0] == kind {
			out = append(out, leaf[1:])
		}
	}
	return out
}

func (l *Leaves) hash() []world.Hash {
	out := make([]world.Hash, len(l.all))
	for i, leaf := range l.all {
		out[i] = LeafHash(leaf)
	}
	return out
}

// LeafHash names a leaf.
func LeafHash(leaf []byte) world.Hash {
	h := blake3.New(len(world.Hash{}), nil)
	h.Write([]byte("dir-leaf")) // a hash's Write returns no error
	h.Write(leaf)
	return world.Hash(h.Sum(nil))
}

// merkle hashes pairs until one is left; who has no partner moves up as it is.
// Leaves and nodes have labels of one length, so that none is the other.
func merkle(level []world.Hash) world.Hash {
	if len(level) == 0 {
		return blake3.Sum256([]byte("dir-none"))
	}
	level = slices.Clone(level)
	for len(level) > 1 {
		next := level[:0]
		for i := 0; i < len(level); i += 2 {
			if i+1 == len(level) {
				next = append(next, level[i])
				break
			}
			next = append(next, blake3.Sum256(slices.Concat([]byte("dir-node"), level[i][:], level[i+1][:])))
		}
		level = next
	}
	return level[0]
}

// Delta is how one bundle's leaves become another's.
type Delta struct {
	Removed []uint32 // places in the old leaves, ascending
	Added   [][]byte // ascending
}

// Diff is the delta from one to the other.
func Diff(from, to *Leaves) Delta {
	var d Delta
	i, j := 0, 0
	for i < len(from.all) || j < len(to.all) {
		order := 0
		switch {
		case i == len(from.all):
			order = 1
		case j == len(to.all):
			order = -1
		default:
			order = bytes.Compare(from.all[i], to.all[j])
		}
		if order < 0 {
			d.Removed = append(d.Removed, uint32(i))
		}
		if order > 0 {
			d.Added = append(d.Added, to.all[j])
		}
		if order <= 0 {
			i++
		}
		if order >= 0 {
			j++
		}
	}
	return d
}

// Apply is what Diff was made from. What it returns is not yet known to be the
// right thing: New compares it with a root.
func (l *Leaves) Apply(d Delta) (*Leaves, error) {
	kept := make([][]byte, 0, len(l.all)+len(d.Added))
	next := 0
	for i, at := range d.Removed {
		if int64(at) >= int64(len(l.all)) || i > 0 && at <= d.Removed[i-1] {
			return nil, fmt.Errorf("%w: a delta removes what is not there", ErrLeaves)
		}
		kept = append(kept, l.all[next:at]...)
		next = int(at) + 1
	}
	kept = append(append(kept, l.all[next:]...), d.Added...)
	slices.SortFunc(kept, bytes.Compare)
	return sortedLeaves(kept)
}
