package recon

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/culvert-net/culvert/mesh/world/postcard"
)

// message writes a first message that has all these cells in it, of a set that
// is said to have size members.
func message(size int, cells []cell) []byte {
	b := postcard.AppendUint(nil, uint64(size))
	b = postcard.AppendUint(b, uint64(len(cells)))
	b = postcard.AppendUint(b, uint64(len(cells)))
	for i := range cells {
		b = appendCell(b, &cells[i])
		b = postcard.AppendInt(b, int64(cells[i].count)-expected(size, i))
	}
	return b
}

// first gives a decoder of own the cells as its first message.
func first(own *Encoder, size int, cells []cell) (*Decoder, error) {
	d := NewDecoder(own)
	return d, d.First(message(size, cells))
}

// cellsOf are the first n cells of a set.
func cellsOf(tb testing.TB, n int, shorts ...uint64) []cell {
	tb.Helper()
	e := encoderOf(tb, &ID{1}, shorts, Limits{})
	e.grow(n)
	return slices.Clone(e.cells[:n])
}

// Each lie is found for what it is.
func TestLiesEndTheSession(t *testing.T) {
	check := checkerOf(&ID{1})
	// alone has short in cell i, and nothing elsewhere.
	alone := func(n, i int, short uint64) []cell {
		cells := make([]cell, n)
		cells[i] = cell{short, check.of(short), 1}
		return cells
	}
	outside := uint64(1) // an id that is not in cell 1
	for m := mappingOf(outside); m.index <= 1; {
		if m.next(); m.index == 1 {
			outside++
			m = mappingOf(outside)
		}
	}
	for _, tt := range []struct {
		name  string
		size  int
		own   []uint64
		cells []cell
		want  error
	}{
		// Once taken out of cell 0, it is there again.
		{"twice", 2, nil, func() []cell {
			cells := cellsOf(t, 40, 77)
			cells[0] = cell{0, 0, 2}
			return cells
		}(), ErrRepeat},
		{"in a cell that is not its own", 1, nil, func() []cell {
			cells := alone(2, 1, outside)
			cells[0] = cell{5, 5, 1}
			return cells
		}(), ErrMismatch},
		{"ours, as theirs", 2, []uint64{7}, []cell{{0, 0, 2}}, ErrMismatch},
		{"theirs, as ours", 0, []uint64{7}, []cell{{7 ^ 9, check.of(7) ^ check.of(9), 0}}, ErrMismatch},
		{"an empty sum left over", 1, nil, append(cellsOf(t, 20, 77), cell{3, 4, 0}), ErrMismatch},
		{"a bit left over", 1, nil, func() []cell {
			cells := cellsOf(t, 20, 77)
			cells[19].sum ^= 1
			return cells
		}(), ErrMismatch},
		{"honest", 1, nil, cellsOf(t, 20, 77), nil},
	} {
		d, err := first(encoderOf(t, &ID{1}, tt.own, Limits{}), tt.size, tt.cells)
		if !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v; done: %t", tt.name, err, tt.want, d.Done())
		}
	}
}

// What no cells are known to bring about is refused all the same.
func TestExcessIsRefused(t *testing.T) {
	own := encoderOf(t, &ID{1}, nil, Limits{})
	d := NewDecoder(own)
	d.cells, d.found = make([]cell, 3), make([]found, 3)
	if err := d.recover(0, cell{77, own.check.of(77), 1}); !errors.Is(err, ErrExcess) {
		t.Errorf("a fourth id of three cells: %v", err)
	}
	d = NewDecoder(own)
	d.cells, d.steps = make([]cell, 3), 3*maxSteps
	if err := d.recover(0, cell{77, own.check.of(77), 1}); !errors.Is(err, ErrExcess) {
		t.Errorf("three cells touched more than %d times: %v", d.steps, err)
	}
}

func TestMalformedCells(t *testing.T) {
	honest := encoderOf(t, &ID{1}, []uint64{1, 2, 3}, Limits{}).First(0)
	own := encoderOf(t, &ID{1}, nil, Limits{})
	for n := range honest {
		if err := NewDecoder(own).First(honest[:n]); !errors.Is(err, ErrMalformed) {
			t.Fatalf("%d bytes of %d: %v", n, len(honest), err)
		}
	}
	for name, b := range map[string][]byte{
		"a byte more":              append(slices.Clone(honest), 0),
		"no cells":                 {0, 0, 0},
		"fewer counts than cells":  {0, 2, 1},
		"too large a set":          append(postcard.AppendUint(nil, MaxSet+1), honest[1:]...),
		"more cells than bytes":    append([]byte{0}, binary.AppendUvarint(binary.AppendUvarint(nil, 1<<40), 1<<40)...),
		"not all are in cell 0":    append([]byte{1, 1, 1}, append(make([]byte, minCell), 1)...),
		"less than none in a cell": append([]byte{2, 2, 2}, append(make([]byte, 2*minCell+1), 3)...),
		"more than all in a cell":  append([]byte{1, 2, 2}, append(make([]byte, 2*minCell+1), 2)...),
	} {
		if err := NewDecoder(own).First(b); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	d := NewDecoder(own)
	if err := d.Next([]byte{1}); !errors.Is(err, ErrMalformed) {
		t.Errorf("more before the first: %v", err)
	}
	if err := d.First(honest); err != nil {
		t.Fatal(err)
	}
	if err := d.First(honest); !errors.Is(err, ErrMalformed) {
		t.Errorf("a second first: %v", err)
	}
	for _, b := range [][]byte{nil, {0}, {1}, make([]byte, 30)} {
		if err := d.Next(b); !errors.Is(err, ErrMalformed) {
			t.Errorf("more, %x: %v", b, err)
		}
	}
}

func TestLimitsOfCells(t *testing.T) {
	from := encoderOf(t, &ID{1}, []uint64{1, 2, 3}, Limits{Cells: 20})
	if _, err := from.Next(21); !errors.Is(err, ErrLimit) {
		t.Errorf("21 cells where 20 are the limit: %v", err)
	}
	if _, err := from.Next(0); !errors.Is(err, ErrLimit) {
		t.Errorf("no cells: %v", err)
	}
	if err := NewDecoder(encoderOf(t, &ID{1}, nil, Limits{Bytes: 100})).First(from.First(0)); !errors.Is(err, ErrLimit) {
		t.Errorf("more bytes than the limit: %v", err)
	}
	if err := NewDecoder(encoderOf(t, &ID{1}, nil, Limits{Cells: 5})).First(message(0, make([]cell, 6))); !errors.Is(err, ErrLimit) {
		t.Errorf("more cells than the limit: %v", err)
	}
	d, err := first(encoderOf(t, &ID{1}, nil, Limits{Cells: 9}), 5, cellsOf(t, 8, 1, 2, 3, 4, 5)[:1])
	if err != nil {
		t.Fatal(err)
	}
	if n, err := d.Want(); n != 8 || err != nil {
		t.Errorf("Want = %d, %v with 8 more to the limit", n, err)
	}
	if err := d.Next(append([]byte{9}, make([]byte, 9*(minCell+1))...)); !errors.Is(err, ErrLimit) {
		t.Errorf("a cell beyond the limit: %v", err)
	}
	if _, err := NewEncoder(&ID{1}, []uint64{5, 3, 5}, Limits{}); !errors.Is(err, ErrCollision) {
		t.Errorf("two members of one name: %v", err)
	}
}

// liar changes cells at random, in ways that keep them plausible.
func liar(rnd *rand.Rand, cells []cell, members []uint64) {
	check := checkerOf(&ID{1})
	for range 1 + rnd.IntN(4) {
		i, j := rnd.IntN(len(cells)), rnd.IntN(len(cells))
		switch rnd.IntN(7) {
		case 0: // a bit
			cells[i].sum ^= 1 << rnd.IntN(64)
		case 1:
			cells[i].check ^= 1 << rnd.IntN(32)
		case 2: // two change places
			cells[i], cells[j] = cells[j], cells[i]
		case 3: // one copied
			cells[i] = cells[j]
		case 4: // an id that is nobody's, where it belongs and where it doesn't
			s := rnd.Uint64()
			for m := mappingOf(s); int(m.index) < len(cells); m.next() {
				if rnd.IntN(4) > 0 {
					cells[m.index].add(s, check.of(s), 1)
				}
			}
		case 5: // a member again
			s := members[rnd.IntN(len(members))]
			cells[i].add(s, check.of(s), 1)
		case 6: // a cell of one id
			s := members[rnd.IntN(len(members))]
			cells[i] = cell{s, check.of(s), 1}
		}
	}
}

// Whatever is done to cells, the session ends with an error or with a result
// that the fingerprints confirm or refute; and a result is never one that
// contradicts what we know ourselves.
func TestPoisonedCells(t *testing.T) {
	rnd := rand.New(rand.NewPCG(8, 8))
	outcomes := make(map[string]int)
	for range 20_000 {
		members, ours := make([]uint64, 5+rnd.IntN(30)), []uint64(nil)
		for i := range members {
			members[i] = rnd.Uint64()
			if rnd.IntN(4) > 0 {
				ours = append(ours, members[i])
			}
		}
		for range rnd.IntN(4) {
			ours = append(ours, rnd.Uint64())
		}
		own := encoderOf(t, &ID{1}, ours, Limits{})
		cells := cellsOf(t, 60, members...)
		liar(rnd, cells, members)
		size := int(cells[0].count)
		for i := range cells { // or the message would be refused for its form
			cells[i].count = max(0, min(cells[i].count, int32(size)))
		}
		d, err := first(own, size, cells)
		for _, s := range d.Local() {
			if !own.has(s) {
				t.Fatalf("%x is said to be ours", s)
			}
		}
		for _, s := range d.Remote() {
			if own.has(s) {
				t.Fatalf("%x is ours, and said not to be", s)
			}
		}
		if n := len(d.Local()) + len(d.Remote()); n != len(d.known) || n > len(cells) {
			t.Fatalf("%d ids, %d of them different, of %d cells", n, len(d.known), len(cells))
		}
		theirs := slices.Sorted(slices.Values(members))
		after := slices.DeleteFunc(append(slices.Clone(ours), d.Remote()...), func(s uint64) bool { return slices.Contains(d.Local(), s) })
		slices.Sort(after)
		switch {
		case err != nil:
			outcomes[err.Error()]++
		case !d.Done():
			outcomes["undecided"]++
		case slices.Equal(after, theirs):
			outcomes["right"]++
		default:
			outcomes["wrong, as the fingerprints show"]++
		}
	}
	t.Log(outcomes)
	for _, want := range []string{ErrRepeat.Error(), ErrMismatch.Error(), "undecided", "right", "wrong, as the fingerprints show"} {
		if outcomes[want] == 0 {
			t.Errorf("no lie ended as %q; are they still what they were?", want)
		}
	}
}

// FuzzFirst: a message is refused, or it is the only one that says what it says.
func FuzzFirst(f *testing.F) {
	f.Add(encoderOf(f, &ID{1}, []uint64{1, 2, 3}, Limits{}).First(3), []byte{1})
	f.Add(message(1, cellsOf(f, 5, 77)), []byte{})
	f.Add([]byte{0, 1, 1}, []byte{})
	f.Fuzz(func(t *testing.T, first, next []byte) {
		d := NewDecoder(encoderOf(t, &ID{1}, nil, Limits{Cells: 10_000}))
		cells, err := d.readFirst(first)
		if err != nil {
			return
		}
		again := postcard.AppendUint(nil, uint64(d.size))
		again = postcard.AppendUint(again, uint64(len(cells)))
		again = postcard.AppendUint(again, uint64(len(cells)+len(d.ahead)))
		for i := range cells {
			again = appendCell(again, &cells[i])
			again = postcard.AppendInt(again, int64(cells[i].count)-expected(d.size, i))
		}
		for i, n := range d.ahead {
			again = postcard.AppendInt(again, int64(n)-expected(d.size, len(cells)+i))
		}
		if string(again) != string(first) {
			t.Errorf("%x becomes %x", first, again)
		}
		if d.take(cells) == nil && d.Next(next) == nil {
			if n, err := d.Want(); err == nil && (n > 0) == d.Done() {
				t.Errorf("%d cells are wanted, done: %t", n, d.Done())
			}
		}
		if len(d.found) > len(d.cells) {
			t.Errorf("%d ids of %d cells", len(d.found), len(d.cells))
		}
	})
}

// FuzzCells lets the input say what happens to the cells of an honest set, in
// a session of several messages.
func FuzzCells(f *testing.F) {
	f.Add(uint64(1), []byte{0, 0, 0, 0}, uint8(20))
	f.Add(uint64(2), []byte{4, 1, 9, 200, 6, 0, 0, 1}, uint8(60))
	f.Fuzz(func(t *testing.T, seed uint64, lies []byte, differences uint8) {
		from, own := apart(t, rand.New(rand.NewPCG(seed, 1)), 20, int(differences), false)
		d := NewDecoder(own)
		twist := func(b []byte) []byte {
			for ; len(lies) >= 4; lies = lies[4:] {
				at := int(binary.LittleEndian.Uint16(lies)) % len(b)
				if lies[2]&1 == 0 {
					b[at] ^= lies[3]
				} else if end := at + int(lies[3])%16; end <= len(b) {
					b = slices.Delete(b, at, end)
				}
				if lies[2]&2 != 0 || len(b) == 0 {
					lies = lies[4:] // the rest is for later messages
					break
				}
			}
			return b
		}
		if d.First(twist(from.First(0))) != nil {
			return
		}
		for range 100 {
			n, err := d.Want()
			if err != nil || n == 0 {
				return
			}
			b, err := from.Next(n)
			if err != nil {
				return
			}
			if d.Next(twist(b)) != nil {
				return
			}
		}
		t.Errorf("a hundred messages, and no end")
	})
}
