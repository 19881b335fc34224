package gossip

import (
	"testing"
)

// The bars of the design, before padding. What is counted is what both sides say
// from the summary on until the opener knows the ids; the hello and the proofs of
// membership are the same for every session and come on top (TestSession logs
// them).
func TestBars(t *testing.T) {
	if testing.Short() {
		t.Skip("100,000 events twice")
	}
	const both, epochs = 100_000, 336 // two weeks of hours
	a, b := nodes(t, 2)[0], nodes(t, 2)[1]
	fill(a, 1, both, 1000, epochs)
	fill(b, 1, both, 1000, epochs)

	equal, _ := a.mustSync(t, b)
	t.Logf("equal: %d B, %d trips in all", equal.Learn.Total(), equal.RoundTrips)
	if equal.Mode != ModeEqual || equal.Learn.Total() > 200 || equal.RoundTrips > 1 {
		t.Errorf("equal logs cost %d B and %d round trips", equal.Learn.Total(), equal.RoundTrips)
	}

	number := uint64(0)
	differ := func(ours, theirs int, first, among uint64) Result {
		for i := range ours + theirs {
			number++
			e := body(first+number*7919%among, 9, number, 40)
			if i < ours {
				a.log.add(e)
			} else {
				b.log.add(e)
			}
		}
		r, _ := a.mustSync(t, b)
		if r.Ours != ours || r.Theirs != theirs {
			t.Fatalf("found %d and %d differences, want %d and %d", r.Ours, r.Theirs, ours, theirs)
		}
		return r
	}
	for _, tt := range []struct {
		name         string
		ours, theirs int
		first, among uint64
		bytes        float64 // per difference
	}{
		{"one, new", 0, 1, 1335, 1, 400},
		{"one, old", 1, 0, 1100, 1, 400},
		{"a hundred, new", 50, 50, 1334, 2, 40},
		{"a hundred, scattered", 50, 50, 1000, epochs, 40},
		{"a hundred, all there", 0, 100, 1000, epochs, 40},
		{"a thousand, scattered", 500, 500, 1000, epochs, 40},
	} {
		t.Run(tt.name, func(t *testing.T) {
			runs := 2
			if *fully {
				runs = 5
			}
			var total int64
			for range runs {
				r := differ(tt.ours, tt.theirs, tt.first, tt.among)
				total += r.Learn.Total()
			}
			each := float64(total) / float64(runs) / float64(tt.ours+tt.theirs)
			t.Logf("%.1f B per difference", each)
			if each > tt.bytes {
				t.Errorf("%.1f B per difference, want at most %.0f", each, tt.bytes)
			}
		})
	}
}

// Two round trips after the hello are enough to learn the ids, 99 times of 100.
func TestTwoTripsAreEnough(t *testing.T) {
	runs := 100
	if *fully {
		runs = 4_000
	}
	late := 0
	for run := range runs {
		ab := nodes(t, 2)
		a, b := ab[0], ab[1]
		d := []int{1, 3, 10, 30, 100, 300}[run%6]
		fill(a, 1, 600, 1000, 3)
		fill(b, 1, 600, 1000, 3)
		fill(a, uint64(run+2), d/2, 1000, 3)
		fill(b, uint64(run+1002), d-d/2, 1000, 3)
		if r, _ := a.mustSync(t, b); r.LearnTrips > 2 {
			late++
		}
		if !same(a, b) {
			t.Fatal("a difference is left")
		}
	}
	t.Logf("%d of %d sessions took more than two round trips", late, runs)
	if late > runs/100+3 { // three more: keys of sessions are random, and a hundred sessions few
		t.Errorf("%d of %d sessions took more than two round trips to learn the ids", late, runs)
	}
}
