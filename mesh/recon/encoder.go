package recon

import (
	"slices"

	"github.com/culvert-net/culvert/mesh/world/postcard"
)

const (
	// openCells is how many cells come unasked: enough for a handful of
	// differences, few enough that one costs some 300 bytes.
	openCells = 8

	// openCounts is how many cells have their count sent unasked, a byte or so
	// each. The counts say how many differences there are (estimate.go), and are
	// left out when their cells are sent.
	openCounts = 100

	// openBehind bounds the cells that come unasked because one set is larger
	// than the other and so must differ by that much: 8 KiB.
	openBehind = 600
)

// cell is the sum of the short ids in it. Sums are exclusive ors, so a cell of
// one set less that of another is the cell of their difference.
type cell struct {
	sum   uint64
	check uint32
	count int32
}

func (c *cell) add(short uint64, check uint32, count int32) {
	c.sum ^= short
	c.check ^= check
	c.count += count
}

// item is a member of a set and where it goes next.
type item struct {
	short uint64
	mapping
	check uint32
}

// Encoder makes the coded cells of one set, as many as are asked for.
type Encoder struct {
	limits Limits
	check  checker
	items  []item // by short id
	cells  []cell // made so far, ahead of what was sent
	sent   int
	told   int // cells whose count was sent
}

// NewEncoder makes cells of the set with these short ids, in any order.
func NewEncoder(key *Key, shorts []uint64, limits Limits) (*Encoder, error) {
	if len(shorts) > MaxSet {
		return nil, ErrLimit
	}
	e := &Encoder{limits: limits.or(), check: checkerOf(key), items: make([]item, len(shorts))}
	sorted := slices.Clone(shorts)
	slices.Sort(sorted)
	for i, s := range sorted {
		if i > 0 && s == sorted[i-1] {
			return nil, ErrCollision
		}
		e.items[i] = item{short: s, mapping: mappingOf(s), check: e.check.of(s)}
	}
	return e, nil
}

// First is the first message to one whose set has peer members: this set's
// size, the first cells, and the counts of some more.
func (e *Encoder) First(peer uint64) []byte {
	size := uint64(len(e.items))
	behind := max(size, peer) - min(size, peer)
	n := min(openCells+int(min(behind, openBehind)*3/2), openBehind, e.limits.Cells)
	told := min(max(n, openCounts), e.limits.Cells)
	b := postcard.AppendUint(nil, size)
	b = postcard.AppendUint(b, uint64(n))
	b = postcard.AppendUint(b, uint64(told))
	b = e.append(b, n)
	e.grow(told)
	for i := n; i < told; i++ {
		b = postcard.AppendInt(b, e.deviation(i))
	}
	e.told = told
	return b
}

// Next is a message with the next n cells.
func (e *Encoder) Next(n int) ([]byte, error) {
	if n < 1 || n > e.limits.Cells-e.sent {
		return nil, ErrLimit
	}
	return e.append(postcard.AppendUint(nil, uint64(n)), n), nil
}

func (e *Encoder) append(b []byte, n int) []byte {
	e.grow(e.sent + n)
	for range n {
		c := &e.cells[e.sent]
		b = appendCell(b, c)
		if e.sent >= e.told {
			b = postcard.AppendInt(b, e.deviation(e.sent))
		}
		e.sent++
	}
	return b
}

func (e *Encoder) deviation(i int) int64 {
	return int64(e.cells[i].count) - expected(len(e.items), i)
}

// grow makes at least n cells. It makes them in blocks that grow with what
// there is, and looks at every member once for each: for 15,000 cells of 100,000
// members that takes an eighth of what a heap by next cell takes.
func (e *Encoder) grow(n int) {
	if n <= len(e.cells) {
		return
	}
	n = min(max(n, len(e.cells)*3/2, openCounts), e.limits.Cells)
	e.cells = slices.Grow(e.cells, n-len(e.cells))[:n]
	for k := range e.items {
		it := &e.items[k]
		for int(it.index) < n {
			e.cells[it.index].add(it.short, it.check, 1)
			it.next()
		}
	}
}

// has reports whether short is in the set.
func (e *Encoder) has(short uint64) bool {
	_, found := slices.BinarySearchFunc(e.items, short, func(it item, s uint64) int {
		switch {
		case it.short < s:
			return -1
		case it.short > s:
			return 1
		}
		return 0
	})
	return found
}
