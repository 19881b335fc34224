package gossip

import (
	"testing"
)

// fill gives a node n events of an author, spread over epochs from first on.
func fill(x *node, author uint64, n int, first, epochs uint64) {
	var batch [][]byte
	for i := range uint64(n) {
		batch = append(batch, body(first+i%epochs, author, i, 300))
	}
	x.log.add(batch...)
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
		{"some on both sides", 3000, 40, 60, 300, ModeCells, 2},
		{"most of it", 100, 2000, 2000, 10, ModeCells, 3},
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
