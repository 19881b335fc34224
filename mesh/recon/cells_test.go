package recon

import (
	"encoding/hex"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"lukechampine.com/blake3"
)

// The walk through the cells is the same on every machine and in every version.
func TestMappingVectors(t *testing.T) {
	for _, tt := range []struct {
		short uint64
		want  []int32
	}{
		{0, []int32{0, 1, 3, 27, 28, 89, 157, 379, 432, 874, 896, 1424}},
		{1, []int32{0, 1, 2, 3, 6, 10, 12, 13, 19, 37, 42, 67}},
		{0xffffffffffffffff, []int32{0, 1, 2, 6, 10, 13, 15, 16, 34, 39, 366, 3057}},
	} {
		m, got := mappingOf(tt.short), []int32(nil)
		for range 12 {
			got = append(got, m.index)
			m.next()
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%x is in the cells %v, want %v", tt.short, got, tt.want)
		}
	}
}

func TestMappingEnds(t *testing.T) {
	for s := range uint64(100) {
		m := mappingOf(s)
		for last := int32(-1); m.index != never; m.next() {
			if m.index <= last {
				t.Fatalf("%x: cell %d after %d", s, m.index, last)
			}
			last = m.index
		}
		if m.next(); m.index != never {
			t.Fatalf("%x: cell %d after the last", s, m.index)
		}
	}
}

// Cell i holds one in 1+i/2 ids.
func TestMappingDensity(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 1))
	const ids, cells = 50_000, 200
	var count [cells]float64
	for range ids {
		for m := mappingOf(rnd.Uint64()); m.index < cells; m.next() {
			count[m.index]++
		}
	}
	for i, n := range count {
		p := 2 / float64(i+2)
		if off := math.Abs(n - ids*p); off > 5*math.Sqrt(ids*p*(1-p)) {
			t.Errorf("cell %d holds %v of %d ids, want some %.0f", i, n, ids, ids*p)
		}
		if i > 0 && int64(math.Round(ids*p)) != expected(ids, i) {
			t.Errorf("cell %d is expected to hold %d, want %.2f", i, expected(ids, i), ids*p)
		}
	}
}

// Messages that another version must understand.
func TestMessageVectors(t *testing.T) {
	var ids []ID
	var shorts []uint64
	key := testID(1 << 40)
	for n := range uint64(200) {
		ids = append(ids, testID(n))
		shorts = append(shorts, ShortID(&key, &ids[n]))
	}
	e := encoderOf(t, &key, shorts, Limits{})
	first := e.First(210)
	next, err := e.Next(100)
	if err != nil {
		t.Fatal(err)
	}
	ids = Sort(ids)
	begin := NewRanges(&key, Sorted(ids), Limits{}).Initiate()
	reply, err := NewRanges(&key, Sorted(ids[:170]), Limits{}).Respond(begin)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name    string
		message []byte
		want    string
	}{
		{"first", first, "c85c6d2e529df012"},
		{"next", next, "5aa4fc5402d76fae"},
		{"begin", begin, "514281770e86b6bc"},
		{"reply", reply, "e06da7fdd79c2920"},
	} {
		sum := blake3.Sum256(tt.message)
		if got := hex.EncodeToString(sum[:8]); got != tt.want {
			t.Errorf("%s: %d bytes with the hash %s, want %s", tt.name, len(tt.message), got, tt.want)
		}
	}
}

// The cells do not depend on how many are made at a time, or on the order of
// the set.
func TestCellsAreOnesOwn(t *testing.T) {
	rnd := rand.New(rand.NewPCG(2, 2))
	shorts := make([]uint64, 300)
	for i := range shorts {
		shorts[i] = rnd.Uint64()
	}
	want := cellsOf(t, 1_000, shorts...)
	slices.Reverse(shorts)
	e := encoderOf(t, &ID{1}, shorts, Limits{})
	for n := 1; n <= 1_000; n += 1 + rnd.IntN(60) {
		e.grow(n)
		if !slices.Equal(e.cells[:n], want[:n]) {
			t.Fatalf("the first %d cells differ", n)
		}
	}
}

// The estimate is right within what its comment says, and one in a hundred is
// above its bound.
func TestEstimate(t *testing.T) {
	for _, tt := range []struct {
		runs, differences int
		oneSided          bool
		deviation         float64
	}{
		{1_000, 300, false, .17},
		{200, 5_000, true, .07},
	} {
		rnd := rand.New(rand.NewPCG(3, 3))
		sum, squares, above := 0.0, 0.0, 0
		for range tt.runs {
			from, own := apart(t, rnd, 50, tt.differences, tt.oneSided)
			d := NewDecoder(own)
			if err := d.First(from.First(uint64(len(own.items)))); err != nil {
				t.Fatal(err)
			}
			// Not differences: that one set is larger would hide an error.
			x := d.guess.squares / d.guess.cells / float64(tt.differences)
			sum += x
			squares += x * x
			if d.guess.atMost() < float64(tt.differences) {
				above++
			}
		}
		n := float64(tt.runs)
		mean := sum / n
		deviation := math.Sqrt(squares/n - mean*mean)
		if math.Abs(mean-1) > .03 || deviation > tt.deviation {
			t.Errorf("%d differences are estimated at %.2f ± %.2f of what they are", tt.differences, mean, deviation)
		}
		if above > tt.runs/50 {
			t.Errorf("%d differences are above the bound %d times in %d", tt.differences, above, tt.runs)
		}
	}
}

func TestEqualSetsTakeOneCell(t *testing.T) {
	for _, n := range []int{0, 1, 1_000} {
		from, own := apart(t, rand.New(rand.NewPCG(4, 4)), n, 0, false)
		d, c, err := byCells(from, own)
		if err != nil || c.rounds != 1 || len(d.Local())+len(d.Remote()) != 0 {
			t.Errorf("%d members: %d rounds, %d and %d found, %v", n, c.rounds, len(d.Local()), len(d.Remote()), err)
		}
	}
}
