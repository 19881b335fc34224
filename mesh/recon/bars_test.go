package recon

import (
	"math"
	"math/rand/v2"
	"testing"
)

// apart is a pair of encoders of sets of random short ids: size of them in
// common, and so many differences, on both sides or on one.
func apart(tb testing.TB, rnd *rand.Rand, size, differences int, oneSided bool) (from, own *Encoder) {
	tb.Helper()
	key := ID{1}
	a, b := make([]uint64, 0, size+differences), make([]uint64, 0, size+differences)
	for range size {
		s := rnd.Uint64()
		a, b = append(a, s), append(b, s)
	}
	for range differences {
		if oneSided || rnd.IntN(2) == 0 {
			a = append(a, rnd.Uint64())
		} else {
			b = append(b, rnd.Uint64())
		}
	}
	return encoderOf(tb, &key, a, Limits{}), encoderOf(tb, &key, b, Limits{})
}

// What it may cost to learn which ids differ: on average, and but for one
// session in fifty in each. These are counts of bytes, so they are the same on
// every machine.
func TestBytesPerDifference(t *testing.T) {
	for _, tt := range []struct {
		differences, runs int
		mean, each        float64 // bytes per difference
	}{
		{1, 2, 330, 400},
		{100, 10, 33, 40},
		{1_000, 3, 30, 40},
		{10_000, 1, 30, 40},
	} {
		for _, oneSided := range []bool{false, true} {
			rnd := rand.New(rand.NewPCG(3, uint64(tt.differences)))
			total, above := 0.0, 0
			for range tt.runs {
				from, own := apart(t, rnd, 100_000, tt.differences, oneSided)
				d, c, err := byCells(from, own)
				if err != nil || len(d.Remote())+len(d.Local()) != tt.differences {
					t.Fatalf("%d differences: %d found, %v", tt.differences, len(d.Remote())+len(d.Local()), err)
				}
				// Each side says first how many ids it has, and their fingerprint.
				each := float64(c.bytes+2*(len(ID{})+4)) / float64(tt.differences)
				if each > tt.each {
					above++
				}
				total += each
			}
			mean := total / float64(tt.runs)
			if above > tt.runs/50 || mean > tt.mean {
				t.Errorf("%d differences (on one side: %t) cost %.1f bytes each, and %d of %d sessions more than %v", tt.differences, oneSided, mean, above, tt.runs, tt.each)
			}
			t.Logf("%d differences in 100,000, on one side: %t: %.1f bytes each", tt.differences, oneSided, mean)
		}
	}
}

// In 99 of 100 sessions the estimate of the first message is good enough to
// have all cells after a second one.
func TestTwoRounds(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 5))
	const runs = 2_000
	more := 0
	for i := range runs {
		differences := int(math.Exp(rnd.Float64() * math.Log(500)))
		from, own := apart(t, rnd, rnd.IntN(200), differences, i%2 == 0)
		_, c, err := byCells(from, own)
		if c.rounds > 2 || err != nil {
			more++
		}
	}
	if more > runs/100 {
		t.Errorf("%d of %d sessions took more than two rounds", more, runs)
	}
	t.Logf("%d of %d sessions took more than two rounds", more, runs)
}

// The rounds of ranges grow with the logarithm of the sets.
func TestRoundsOfRanges(t *testing.T) {
	for _, tt := range []struct {
		k      kind
		rounds int
	}{
		{kind{100, 1, 0}, 2},
		{kind{10_000, 1, 1}, 3},
		{kind{100_000, 1, 0}, 3},
		{kind{100_000, 500, 500}, 3},
	} {
		rnd := rand.New(rand.NewPCG(6, 6))
		a, b := pair(rnd, tt.k.common, tt.k.left, tt.k.right)
		r, c, err := byRanges(&ID{1}, Sorted(a), Sorted(b), Limits{})
		if err != nil || len(r.Have()) != tt.k.left || len(r.Need()) != tt.k.right {
			t.Errorf("%+v: %d to give, %d to take, %v", tt.k, len(r.Have()), len(r.Need()), err)
		}
		if c.rounds > tt.rounds {
			t.Errorf("%+v took %d rounds, more than %d", tt.k, c.rounds, tt.rounds)
		}
		t.Logf("%+v: %d rounds, %d bytes", tt.k, c.rounds, c.bytes)
	}
}
