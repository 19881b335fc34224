package recon

import (
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// cost is what a session took.
type cost struct {
	bytes  int // both ways, requests of cells at 4 bytes
	rounds int
}

// request is what asking for cells costs on the wire.
const request = 4

func shortsOf(tb testing.TB, key *Key, ids []ID) ([]uint64, map[uint64]ID) {
	tb.Helper()
	shorts, names := make([]uint64, len(ids)), make(map[uint64]ID, len(ids))
	for i := range ids {
		shorts[i] = ShortID(key, &ids[i])
		names[shorts[i]] = ids[i]
	}
	return shorts, names
}

func encoderOf(tb testing.TB, key *Key, shorts []uint64, limits Limits) *Encoder {
	tb.Helper()
	e, err := NewEncoder(key, shorts, limits)
	if err != nil {
		tb.Fatal(err)
	}
	return e
}

// byCells lets a decoder of one set take cells of the other until it is done.
func byCells(from, own *Encoder) (*Decoder, cost, error) {
	d := NewDecoder(own)
	message := from.First(uint64(len(own.items)))
	c := cost{bytes: len(message), rounds: 1}
	if err := d.First(message); err != nil {
		return d, c, err
	}
	for {
		n, err := d.Want()
		if n == 0 || err != nil {
			return d, c, err
		}
		if message, err = from.Next(n); err != nil {
			return d, c, err
		}
		c.bytes += len(message) + request
		c.rounds++
		if err := d.Next(message); err != nil {
			return d, c, err
		}
	}
}

// byRanges compares own with other.
func byRanges(key *Key, own, other Storage, limits Limits) (*Ranges, cost, error) {
	a, b := NewRanges(key, own, limits), NewRanges(key, other, limits)
	message := a.Initiate()
	var c cost
	for {
		c.bytes += len(message)
		c.rounds++
		reply, err := b.Respond(message)
		if err != nil {
			return a, c, fmt.Errorf("the other side: %w", err)
		}
		c.bytes += len(reply)
		if message, err = a.Respond(reply); a.Done() || err != nil {
			return a, c, err
		}
	}
}

// pair makes two sets: what they share, and what each has alone.
func pair(rnd *rand.Rand, common, left, right int) (a, b []ID) {
	id := func() (id ID) {
		for i := 0; i < len(id); i += 8 {
			binary.LittleEndian.PutUint64(id[i:], rnd.Uint64())
		}
		return id
	}
	for range common {
		x := id()
		a, b = append(a, x), append(b, x)
	}
	for range left {
		a = append(a, id())
	}
	for range right {
		b = append(b, id())
	}
	rnd.Shuffle(len(a), func(i, j int) { a[i], a[j] = a[j], a[i] })
	rnd.Shuffle(len(b), func(i, j int) { b[i], b[j] = b[j], b[i] })
	return Sort(a), Sort(b)
}

// check demands that both sides have the union at the end, and that nobody is
// given what he has.
func check(tb testing.TB, a, b, have, need []ID) {
	tb.Helper()
	left, right := joined(a, need), joined(b, have)
	if len(left) != len(a)+len(need) || len(right) != len(b)+len(have) || !slices.Equal(left, right) {
		tb.Errorf("with %d to give and %d to take, %d and %d ids are on the two sides", len(have), len(need), len(left), len(right))
	}
}

func joined(a, b []ID) Sorted { return Sort(slices.Concat(a, b)) }

// full gives short ids their names again.
func full(shorts []uint64, names map[uint64]ID) []ID {
	ids := make([]ID, len(shorts))
	for i, s := range shorts {
		ids[i] = names[s]
	}
	return ids
}

// kind is what two sets share, and what each has alone.
type kind struct{ common, left, right int }

// fully is given by "make sim", which has the time for 10,000 pairs.
var fully = flag.Bool("full", false, "compare 10,000 pairs of sets")

// Every kind of pair ends equal by cells, by ranges, and by ranges after cells
// that were too few.
func TestSetsBecomeEqual(t *testing.T) {
	rnd := rand.New(rand.NewPCG(4, 2))
	pairs := 3_000
	if *fully {
		pairs = 10_000
	}
	undecided := 0
	for i := range pairs {
		k := kind{rnd.IntN(30), rnd.IntN(12), rnd.IntN(12)}
		switch rnd.IntN(8) {
		case 0:
			k.left = 0
		case 1:
			k.right = 0
		case 2:
			k.left, k.right = 0, 0
		case 3:
			k.common = 0
		case 4:
			k.common *= 10
		}
		var limits Limits
		if i%2 == 0 {
			limits.Message = MinMessage
		}
		if !equalize(t, rnd, i, k, limits) {
			undecided++
		}
		if t.Failed() {
			t.Fatalf("case %d: %+v", i, k)
		}
	}
	if undecided > pairs/500 {
		t.Errorf("%d of %d pairs were not decided by cells", undecided, pairs)
	}
}

func TestLargeSetsBecomeEqual(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 2))
	for i, k := range []kind{
		{0, 0, 0},
		{0, 0, 20_000},
		{0, 20_000, 0},
		{0, 5_000, 5_000},
		{20_000, 0, 0},
		{100_000, 1, 0},
		{20_000, 0, 1},
		{90_000, 5_000, 5_000},
		{20_000, 0, 10_000},
		{30_000, 3_000, 100},
	} {
		if !equalize(t, rnd, i, k, Limits{}) {
			t.Errorf("%+v was not decided by cells", k)
		}
	}
}

// equalize demands it of one pair. It reports whether cells did it.
func equalize(t *testing.T, rnd *rand.Rand, n int, k kind, limits Limits) bool {
	t.Helper()
	a, b := pair(rnd, k.common, k.left, k.right)
	key := ID{byte(n), byte(n >> 8)}
	ownShorts, own := shortsOf(t, &key, a)
	otherShorts, other := shortsOf(t, &key, b)

	decided := true
	d, _, err := byCells(encoderOf(t, &key, otherShorts, limits), encoderOf(t, &key, ownShorts, limits))
	switch {
	case errors.Is(err, ErrLimit):
		decided = false
	case err != nil:
		t.Fatalf("%+v by cells: %v", k, err)
	default:
		check(t, a, b, full(d.Local(), own), full(d.Remote(), other))
	}

	r, c, err := byRanges(&key, Sorted(a), Sorted(b), limits)
	if err != nil {
		t.Fatalf("%+v by ranges, in %d rounds: %v", k, c.rounds, err)
	}
	check(t, a, b, r.Have(), r.Need())

	if k.left+k.right <= 8 {
		return decided
	}
	// What too few cells told is kept, and ranges tell the rest.
	few := Limits{Cells: 8}
	d, _, err = byCells(encoderOf(t, &key, otherShorts, few), encoderOf(t, &key, ownShorts, few))
	if !errors.Is(err, ErrLimit) {
		t.Fatalf("%+v by eight cells: %v", k, err)
	}
	a, b = joined(a, full(d.Remote(), other)), joined(b, full(d.Local(), own))
	r, _, err = byRanges(&key, Sorted(a), Sorted(b), limits)
	if err != nil {
		t.Fatalf("%+v by ranges after cells: %v", k, err)
	}
	check(t, a, b, r.Have(), r.Need())
	return decided
}
