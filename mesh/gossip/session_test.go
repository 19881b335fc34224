package gossip

import (
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/culvert-net/culvert/mesh/recon"
)

// fill gives a node n events of an author, spread over epochs from first on.
func fill(x *node, author uint64, n int, first, epochs uint64) {
	x.log.add(filling(author, n, first, epochs)...)
}

func filling(author uint64, n int, first, epochs uint64) (batch [][]byte) {
	for i := range uint64(n) {
		batch = append(batch, body(first+i%epochs, author, i, 300))
	}
	return batch
}

func TestSession(t *testing.T) {
	for _, tt := range []struct {
		name               string
		both, ours, theirs int
		epochs             uint64
		mode               Mode
		trips              int // to learn the ids
	}{
		{"nothing at all", 0, 0, 0, 1, ModeEqual, 0},
		{"equal", 500, 0, 0, 100, ModeEqual, 0},
		{"cold", 0, 0, 2000, 300, ModeList, 1},
		{"the peer is cold", 0, 2000, 0, 300, ModeList, 1},
		{"few events", 10, 3, 4, 2, ModeList, 1},
		{"one more there", 3000, 0, 1, 10, ModeCells, 1},
		{"one more here", 3000, 1, 0, 10, ModeCells, 1},
		// One session in a hundred takes a third: TestTwoTripsAreEnough counts.
		{"some on both sides", 3000, 40, 60, 300, ModeCells, 3},
		{"most of it", 100, 2000, 2000, 10, ModeList, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ab := nodes(t, 2)
			a, b := ab[0], ab[1]
			fill(a, 1, tt.both, 1000, tt.epochs)
			fill(b, 1, tt.both, 1000, tt.epochs)
			fill(a, 2, tt.ours, 1000, tt.epochs)
			fill(b, 3, tt.theirs, 1000, tt.epochs)
			got, other := a.mustSync(t, b)
			if !same(a, b) {
				t.Fatal("the logs still differ")
			}
			if got.Mode != tt.mode || other.Mode != tt.mode {
				t.Errorf("mode %q and %q, want %q", got.Mode, other.Mode, tt.mode)
			}
			if got.LearnTrips > tt.trips {
				t.Errorf("%d round trips to learn the ids, want %d", got.LearnTrips, tt.trips)
			}
			if got.Theirs != tt.theirs || got.Ours != tt.ours || got.Added != tt.theirs || other.Added != tt.ours {
				t.Errorf("result %+v and %+v", got, other)
			}
			if other.Peer != a.key || got.Size.Plain.Sent != other.Size.Plain.Received || got.Size.Wire.Received != other.Size.Wire.Sent {
				t.Errorf("sides disagree: %+v and %+v", got, other)
			}
			if got.Left || other.Left {
				t.Error("something is said to be left")
			}
			t.Logf("%s: learn %d B in %d trips, all %d B (%d on the wire) in %d trips", got.Mode, got.Learn.Total(), got.LearnTrips, got.Size.Plain.Total(), got.Size.Wire.Total(), got.RoundTrips)
			if again, _ := a.mustSync(t, b); again.Mode != ModeEqual {
				t.Errorf("a second session is by %q", again.Mode)
			}
		})
	}
}

// When the short way does not lead to the set that the peer said it has, whole
// ids are compared, and the logs are the same all the same.
func TestRangesWhenShortIDsFail(t *testing.T) {
	for _, tt := range []struct {
		name string
		list func(s *session, own *collection, shorts []uint64) *cells
	}{
		{"a list with ids left out", func(_ *session, _ *collection, shorts []uint64) *cells {
			return &cells{list: true, body: appendShorts(nil, sorted(shorts)[5:]), count: uint64(len(shorts) - 5)}
		}},
		{"cells that cannot be decoded", func(s *session, own *collection, shorts []uint64) *cells {
			other, err := recon.NewEncoder(&recon.Key{1}, shorts, recon.Limits{})
			if err != nil {
				panic(err)
			}
			return &cells{body: other.First(uint64(len(shorts))), count: uint64(len(shorts))}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ab := nodes(t, 2)
			a, b := ab[0], ab[1]
			fill(a, 1, 2000, 1000, 5)
			fill(b, 1, 2000, 1000, 5)
			fill(a, 2, 30, 1000, 5)
			fill(b, 3, 40, 1000, 5)
			r, err := versus(a, b, true, func(s *session, _ *summary) error {
				m, err := ask(s)
				if err != nil {
					return err
				}
				own, err := s.collect(m.from, m.shift, m.pages)
				if err != nil {
					return err
				}
				x := &asked{session: s, differ: m, own: own}
				shorts, err := x.index(own)
				if err != nil {
					return err
				}
				c := tt.list(s, own, slices.Clone(shorts))
				all := own.sum()
				c.covered, c.sum = uint64(len(m.pages)), all.Sum()
				if x.coder, err = recon.NewEncoder(&recon.Key{1}, shorts, recon.Limits{}); err != nil {
					return err
				}
				x.coder.First(uint64(len(shorts)))
				if err := say(s, kindCells, c.bytes()); err != nil {
					return err
				}
				return x.serve()
			})
			if err != nil || r.Mode != ModeRanges || !same(a, b) {
				t.Errorf("session by %q ends with %v, logs the same: %v", r.Mode, err, same(a, b))
			}
		})
	}
}

// Events that come and epochs that are pruned while sessions run are nobody's
// fault.
func TestWhileEventsCome(t *testing.T) {
	ab := nodes(t, 2)
	a, b := ab[0], ab[1]
	fill(a, 1, 300, 10, 4)
	fill(b, 2, 300, 10, 4)
	var stop atomic.Bool
	var wg sync.WaitGroup
	for i, x := range ab {
		wg.Go(func() {
			for n := uint64(0); n < 50_000 && !stop.Load(); n++ {
				x.log.add(body(10+n%6, uint64(5+i), n, 100))
			}
		})
	}
	for round := range 30 {
		if round == 15 {
			a.log.prune(11)
		}
		if round == 20 {
			b.log.prune(11)
		}
		_, _, err, answerErr := a.sync(b, nil)
		for _, e := range []error{err, answerErr} {
			if r := ReasonOf(e); r != ReasonNone && r != ReasonWithheld {
				t.Errorf("round %d: opener %v, answerer %v", round, err, answerErr)
			}
		}
	}
	stop.Store(true)
	wg.Wait()
	a.mustSync(t, b)
	if !same(a, b) {
		t.Error("the logs differ in the end")
	}
}

// Pages that hold more than one session compares are compared by epochs, some at
// a time, until nothing is left.
func TestLargePages(t *testing.T) {
	if !*fully {
		t.Skip("half a million events: make sim")
	}
	ab := nodes(t, 2)
	a, b := ab[0], ab[1]
	const n = maxIDs + 60_000
	for _, x := range ab {
		var batch [][]byte
		for i := range uint64(n) {
			batch = append(batch, body(1024+i%60, 1, i, 40))
		}
		x.log.add(batch...)
	}
	fill(a, 2, 30, 1024, 60)
	fill(b, 3, 40, 1030, 3)
	fill(b, 4, 10, 2000, 1)
	for range 5 {
		r, other := a.mustSync(t, b)
		if r.Work > maxWork/2 || other.Work > maxWork/2 {
			t.Errorf("%d and %d units of work", r.Work, other.Work)
		}
		if r.Mode == ModeEqual {
			break
		}
		if !r.Left && !same(a, b) {
			t.Fatalf("nothing is said to be left: %+v", r)
		}
	}
	if !same(a, b) {
		t.Error("the logs differ in the end")
	}
}
