package member

import (
	"slices"
	"testing"
	"time"

	"github.com/culvert-net/culvert/mesh/event"
	"github.com/culvert-net/culvert/mesh/eventlog"
	"github.com/culvert-net/culvert/mesh/world"
)

// The view counts what this node said, under another id in each epoch.
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
	v, err := Vector().Do(&Ops{Member: m}, t.Context(), None{})
	try(t, err)
	want := []VectorEntry{{Epoch: epoch, Replica: m.replica(epoch).String(), Counter: 3}}
	if !slices.Equal(v.Entries, want) {
		t.Errorf("Vector = %+v, want %+v", v.Entries, want)
	}
	if m.replica(epoch) == m.replica(epoch+1) {
		t.Error("an id that stays can be linked")
	}
}
