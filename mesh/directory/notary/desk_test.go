package notary

import (
	"bytes"
	"context"
	"slices"
	"testing"
	"time"

	"github.com/culvert-net/culvert/mesh/directory"
	"github.com/culvert-net/culvert/mesh/directory/dirtest"
	"github.com/culvert-net/culvert/mesh/world"
)

// stamp is the ticket of the n-th node for an epoch.
func stamp(t *testing.T, w *dirtest.World, n int, epoch uint64) []byte {
	t.Helper()
	ticket, err := world.MakeTicket(t.Context(), w.ID, epoch, dirtest.Public(dirtest.Key(n)), nil, w.Terms().TicketBits)
	if err != nil {
		t.Fatal(err)
	}
	return ticket.Bytes()
}

func canonical(ds ...[]world.Descriptor) (out [][]byte) {
	for _, d := range slices.Concat(ds...) {
		out = append(out, d.Canonical())
	}
	return out
}

func TestDesk(t *testing.T) {
	w := dirtest.New(t, 5*time.Minute, 2, 3)
	set := directory.NewSet(w.World)
	var accepted []world.Hash
	var stamps [][]byte
	desk := NewDesk(w.World, set, func(d world.Descriptor, stamp []byte) {
		accepted, stamps = append(accepted, d.ID), append(stamps, stamp)
	})
	now := w.EpochStart(w.Epoch(time.Now())).Add(time.Minute)
	epoch := w.Epoch(now)
	node := w.Node(t, 1, epoch, 1, "a", "b")
	good := stamp(t, w, 1, epoch)
	forged := slices.Clone(good)
	forged[0] ^= 1
	for _, c := range []struct {
		name  string
		stamp []byte
		raw   [][]byte
		want  directory.Reason // of all of them; 0: all are taken
	}{
		{"without a stamp", nil, canonical(node), directory.ReasonStamp},
		{"a made-up one", forged, canonical(node), directory.ReasonStamp},
		{"another's", stamp(t, w, 2, epoch), canonical(node), directory.ReasonStamp},
		{"of another epoch", stamp(t, w, 1, epoch-1), canonical(node), directory.ReasonStamp},
		{"too short", []byte("stamp"), canonical(node), directory.ReasonStamp},
		{"a bad descriptor", good, [][]byte{[]byte("nothing")}, directory.ReasonMalformed},
		{"one of long ago", good, canonical(w.Node(t, 1, epoch-5, 1)), directory.ReasonEpoch},
		{"with it", good, canonical(node), 0},
		{"a change in the same epoch", nil, canonical(w.Node(t, 1, epoch, 2, "c")), 0},
		{"the same again", nil, canonical(w.Node(t, 1, epoch, 2, "c")), 0},
		{"the last epoch needs its own", nil, canonical(w.Node(t, 1, epoch-1, 1)), directory.ReasonStamp},
	} {
		res := desk.Publish(t.Context(), c.stamp, c.raw, nil, now)
		if c.want == 0 && (len(res.Refused) > 0 || res.Added+res.Known != len(c.raw)) {
			t.Errorf("%s: %+v, want all taken", c.name, res)
		}
		if c.want != 0 && (len(res.Refused) != len(c.raw) || res.Refused[0].Reason != c.want) {
			t.Errorf("%s: %+v, want %v", c.name, res, c.want)
		}
	}
	changed := w.Node(t, 1, epoch, 2, "c")
	if want := []world.Hash{node[0].ID, node[1].ID, changed[0].ID}; !slices.Equal(accepted, want) {
		t.Errorf("told of %d descriptors, want the %d that were new", len(accepted), len(want))
	}
	for _, s := range stamps { // that of the first publication, also with a later change
		if !bytes.Equal(s, good) {
			t.Errorf("a descriptor is passed on with the stamp %x", s)
		}
	}
	// Stamps of epochs past are forgotten.
	later := now.Add(2 * w.EpochLen())
	if res := desk.Publish(t.Context(), stamp(t, w, 5, epoch+2), canonical(w.Node(t, 5, epoch+2, 1)), nil, later); res.Added != 1 || len(desk.stamps) != 1 {
		t.Errorf("two epochs later: %+v, %d stamps", res, len(desk.stamps))
	}
	// A publication of several is answered place by place.
	mixed := append([][]byte{[]byte("nothing")}, canonical(w.Node(t, 3, epoch+2, 1), w.Node(t, 4, epoch+2, 1))...)
	res := desk.Publish(t.Context(), stamp(t, w, 4, epoch+2), mixed, nil, later)
	if res.Added != 1 || len(res.New) != 1 || res.New[0] != 2 || len(res.Refused) != 2 || res.Refused[0].Index != 0 ||
		res.Refused[1] != (directory.Refusal{Index: 1, Reason: directory.ReasonStamp}) {
		t.Errorf("a mixed publication: %+v", res)
	}
}

// Stamps are checked one at a time, and only so many publications wait.
func TestDeskIsBounded(t *testing.T) {
	w := dirtest.New(t, 5*time.Minute, 2, 3)
	desk := NewDesk(w.World, directory.NewSet(w.World), nil)
	epoch := w.Epoch(time.Now())
	desk.checks <- struct{}{} // somebody's is being checked
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if res := desk.Publish(ctx, stamp(t, w, 1, epoch), canonical(w.Node(t, 1, epoch, 1)), nil, time.Now()); len(res.Refused) != 1 || res.Refused[0].Reason != directory.ReasonFull {
		t.Errorf("given up while waiting: %+v", res)
	}
	for range maxWaiting {
		desk.waiting <- struct{}{}
	}
	if res := desk.Publish(t.Context(), stamp(t, w, 1, epoch), canonical(w.Node(t, 1, epoch, 1)), nil, time.Now()); len(res.Refused) != 1 || res.Refused[0].Reason != directory.ReasonFull {
		t.Errorf("with all places taken: %+v", res)
	}
}

// Price sheets are taken with the descriptors that name them, and what is refused
// of them says which.
func TestDeskTakesSheets(t *testing.T) {
	w := dirtest.New(t, 5*time.Minute, 2, 3)
	set := directory.NewSet(w.World)
	desk := NewDesk(w.World, set, nil)
	now := w.EpochStart(w.Epoch(time.Now())).Add(time.Minute)
	epoch := w.Epoch(now)
	sheets := [][]byte{[]byte("current"), []byte("next")}
	node := canonical(w.Priced(t, 1, epoch, 1, sheets, "a", "b"))

	res := desk.Publish(t.Context(), nil, node, sheets, now)
	if res.Added != 0 || len(res.Refused) != 4 || res.Refused[2] != (directory.Refusal{Index: 2, Reason: directory.ReasonSheet}) || len(set.Snapshot().Sheets()) != 0 {
		t.Errorf("without a stamp: %+v", res)
	}
	res = desk.Publish(t.Context(), stamp(t, w, 1, epoch), node, [][]byte{sheets[0], []byte("another")}, now)
	if res.Added != 3 || len(res.Refused) != 1 || res.Refused[0] != (directory.Refusal{Index: 3, Reason: directory.ReasonSheet}) {
		t.Errorf("with a sheet that is not named: %+v", res)
	}
	res = desk.Publish(t.Context(), nil, node, sheets, now)
	if res.Added != 1 || res.Known != 3 || len(res.Refused) != 0 || len(set.Snapshot().Sheets()) != 2 {
		t.Errorf("the other one: %+v", res)
	}
}
