package member

import (
	"testing"
	"time"

	"github.com/culvert-net/culvert/mesh/event"
	"github.com/culvert-net/culvert/mesh/eventlog"
	"github.com/culvert-net/culvert/mesh/world"
)

// The view counts what this node said, under another id in each epoch, and shows
// what another replica told.
func TestVectorView(t *testing.T) {
	founder := newKey(t)
	m := open(t, makeWorld(t, 1, founder), founder)
	try(t, foundBy(m, "", time.Now(), founder))
	now := time.Now()
	epoch := m.cfg.World.Epoch(now)
	for i := range byte(3) {
		e, err := event.SignEndorsement(founder, event.Endorsement{Place: event.Place{WorldID: m.cfg.World.ID, EpochID: epoch}, Rules: world.Hash{i}, Weight: 1})
		try(t, err)
		_, err = m.events.Add(t.Context(), []*event.Event{e}, eventlog.ViaOwn, now)
		try(t, err)
	}
	other := world.Hash{7}
	try(t, m.events.MergeVector(epoch, epoch, map[world.Hash]uint64{other: 9}))

	ops := &Ops{Member: m}
	v, err := Vector().Do(ops, t.Context(), None{})
	try(t, err)
	want := map[string]VectorEntry{
		m.replica(epoch).String(): {Epoch: epoch, Replica: m.replica(epoch).String(), Own: true, Counter: 3},
		other.String():            {Epoch: epoch, Replica: other.String(), Counter: 9},
	}
	if len(v.Entries) != len(want) {
		t.Fatalf("Vector = %+v", v)
	}
	for _, e := range v.Entries {
		if e != want[e.Replica] {
			t.Errorf("entry %+v, want %+v", e, want[e.Replica])
		}
	}
	if m.replica(epoch) == m.replica(epoch+1) {
		t.Error("an id that stays can be linked")
	}
}
