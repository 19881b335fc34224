package recon

import (
	"math"

	"github.com/culvert-net/culvert/mesh/world/postcard"
)

const (
	// cellsEach is how many cells a difference takes where there are hundreds.
	cellsEach = 1.42

	// spareCells is by how many more the cells that are needed vary, where
	// differences are few: 99 in 100 sessions keep within it.
	spareCells = 32
)

// Decoder finds the differences between its own set and one whose cells it is
// given. What it does for a cell is bounded whatever the cells say; that its
// result is right, only the fingerprints show.
type Decoder struct {
	own   *Encoder
	guess estimate
	bytes int // taken in
	steps int // times a cell was touched

	size   int     // of the other set
	opened bool    // First was called
	ahead  []int32 // counts of cells that are to come, from cell len(cells) on

	cells  []cell // the other's less ours, less what was recovered
	todo   []int32
	found  []found
	known  map[uint64]bool
	due    map[int32]int32 // by cell to come: the first of found that it holds, plus 1
	remote []uint64
	local  []uint64
}

// found is a recovered id, and the next cell to take it out of.
type found struct {
	item
	count int32 // 1: of the other set alone; -1: of ours
	then  int32 // the next of found that is due at the same cell, plus 1
}

// NewDecoder takes cells of a set to compare with own, which may send cells of
// its own too.
func NewDecoder(own *Encoder) *Decoder {
	return &Decoder{own: own, known: make(map[uint64]bool), due: make(map[int32]int32)}
}

// First takes the first message.
func (d *Decoder) First(message []byte) error {
	cells, err := d.readFirst(message)
	if err != nil {
		return err
	}
	return d.take(cells)
}

func (d *Decoder) readFirst(message []byte) ([]cell, error) {
	if d.opened {
		return nil, ErrMalformed
	}
	if err := d.charge(message); err != nil {
		return nil, err
	}
	in := postcard.NewDecoder(message)
	size, n, told := in.U64(), in.U64(), in.U64()
	// A count takes a byte at least, so nothing is allocated for less.
	if in.Err() != nil || size > MaxSet || n < 1 || told < n || told > uint64(len(message)) {
		return nil, ErrMalformed
	}
	if told > uint64(d.own.limits.Cells) {
		return nil, ErrLimit
	}
	d.opened = true
	d.size = int(size)
	d.own.grow(int(told))
	cells := d.read(in, int(n))
	for i := int(n); i < int(told); i++ {
		count := readCount(in, d.size, i)
		d.ahead = append(d.ahead, count)
		d.guess.add(i, count-d.own.cells[i].count)
	}
	if in.Finish() != nil {
		return nil, ErrMalformed
	}
	return cells, nil
}

// Next takes a message with more cells.
func (d *Decoder) Next(message []byte) error {
	if !d.opened {
		return ErrMalformed
	}
	if err := d.charge(message); err != nil {
		return err
	}
	in := postcard.NewDecoder(message)
	n := in.Count(minCell)
	if n == 0 {
		return ErrMalformed
	}
	if n > d.own.limits.Cells-len(d.cells) {
		return ErrLimit
	}
	d.own.grow(len(d.cells) + n)
	cells := d.read(in, n)
	if in.Finish() != nil {
		return ErrMalformed
	}
	return d.take(cells)
}

func (d *Decoder) charge(message []byte) error {
	if d.bytes += len(message); d.bytes > d.own.limits.Bytes {
		return ErrLimit
	}
	return nil
}

// read reads the next n cells, less our own.
func (d *Decoder) read(in *postcard.Decoder, n int) []cell {
	cells := make([]cell, 0, n)
	for i := len(d.cells); i < len(d.cells)+n && in.Err() == nil; i++ {
		c, ours := readCell(in), &d.own.cells[i]
		if len(d.ahead) > 0 {
			c.count = d.ahead[0] - ours.count
			d.ahead = d.ahead[1:]
		} else {
			c.count = readCount(in, d.size, i) - ours.count
			d.guess.add(i, c.count)
		}
		c.sum ^= ours.sum
		c.check ^= ours.check
		cells = append(cells, c)
	}
	return cells
}

// take takes cells in and recovers what can be recovered.
func (d *Decoder) take(cells []cell) error {
	for _, c := range cells {
		i := int32(len(d.cells))
		d.cells = append(d.cells, c)
		// What was recovered before is not what this cell is to tell.
		for k := d.due[i]; k != 0; {
			at := k - 1
			f := &d.found[at]
			k = f.then
			d.cells[i].add(f.short, f.check, -f.count)
			d.steps++
			f.next()
			d.wait(at)
		}
		delete(d.due, i)
		d.todo = append(d.todo, i)
		if err := d.peel(); err != nil {
			return err
		}
	}
	if d.Done() {
		for i := range d.cells {
			if d.cells[i] != (cell{}) {
				return ErrMismatch
			}
		}
	}
	return nil
}

// wait puts an id down for the cell it is in next.
func (d *Decoder) wait(at int32) {
	f := &d.found[at]
	if int(f.index) >= d.own.limits.Cells {
		return
	}
	f.then = d.due[f.index]
	d.due[f.index] = at + 1
}

// peel recovers the ids that are alone in a cell, and those that are so once
// these are taken out. It ends: an id is recovered once, and there are no more
// of them than cells.
func (d *Decoder) peel() error {
	for len(d.todo) > 0 {
		i := d.todo[len(d.todo)-1]
		d.todo = d.todo[:len(d.todo)-1]
		c := d.cells[i]
		if c.count != 1 && c.count != -1 || c.check != d.own.check.of(c.sum) {
			continue
		}
		if err := d.recover(i, c); err != nil {
			return err
		}
	}
	return nil
}

// recover takes the only id of cell i, which is c, out of all cells.
func (d *Decoder) recover(i int32, c cell) error {
	if d.known[c.sum] {
		return ErrRepeat
	}
	// What the other has alone, we don't have; what we have alone, we do.
	if d.own.has(c.sum) != (c.count < 0) {
		return ErrMismatch
	}
	if len(d.found) >= len(d.cells) {
		return ErrExcess
	}
	f := found{item: item{short: c.sum, mapping: mappingOf(c.sum), check: c.check}, count: c.count}
	there := false
	for int(f.index) < len(d.cells) {
		there = there || f.index == i
		d.cells[f.index].add(f.short, f.check, -f.count)
		d.todo = append(d.todo, f.index)
		d.steps++
		f.next()
	}
	if !there {
		return ErrMismatch
	}
	if d.steps > maxSteps*len(d.cells) {
		return ErrExcess
	}
	d.known[c.sum] = true
	d.found = append(d.found, f)
	d.wait(int32(len(d.found) - 1))
	if c.count > 0 {
		d.remote = append(d.remote, c.sum)
	} else {
		d.local = append(d.local, c.sum)
	}
	return nil
}

// Done reports whether all differences are recovered: every id is in cell 0,
// and nothing is left in it.
func (d *Decoder) Done() bool { return len(d.cells) > 0 && d.cells[0] == cell{} }

// Want is how many more cells to ask for, 0 when Done. It is ErrLimit when as
// many came as could have been needed, by far.
func (d *Decoder) Want() (int, error) {
	if d.Done() {
		return 0, nil
	}
	have := len(d.cells)
	most := min(3*d.Estimate()+64, d.own.limits.Cells)
	if have >= most {
		return 0, ErrLimit
	}
	// Two things may be worse than the mean, the estimate and the luck with
	// cells; both at once is rarer than either.
	mean := cellsEach * float64(d.Estimate())
	worst := math.Hypot(cellsEach*min(d.guess.atMost(), d.members())-mean, spareCells)
	want := int(mean+worst) - have
	return min(max(want, have/4, spareCells), most-have), nil
}

// Estimate is how many differences there seem to be.
func (d *Decoder) Estimate() int { return int(min(d.guess.differences(), d.members())) }

// members is how many ids both sides have: more differences than that are a
// lie.
func (d *Decoder) members() float64 { return float64(d.size) + float64(len(d.own.items)) }

// Remote are the short ids that the other side has and we lack, as far as they
// are recovered.
func (d *Decoder) Remote() []uint64 { return d.remote }

// Local are the short ids that we have and the other side lacks.
func (d *Decoder) Local() []uint64 { return d.local }
