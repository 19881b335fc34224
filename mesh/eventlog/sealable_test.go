package eventlog

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/culvert-net/culvert/mesh/event"
	"github.com/culvert-net/culvert/mesh/world"
)

// A seal may name all but descriptors; what came by a moment is told from what came
// later, and so is what a seal did not name.
func TestSealable(t *testing.T) {
	w := testWorld(t, terms{quota: 10})
	l := fresh(t, w)
	now := midOf(w, someEpoch)
	ids := func(events ...*event.Event) []world.Hash {
		var out []world.Hash
		for _, e := range events {
			out = append(out, e.ID)
		}
		slices.SortFunc(out, func(a, b world.Hash) int { return bytes.Compare(a[:], b[:]) })
		return out
	}
	early := []*event.Event{receipt(t, w, someEpoch, 0, 1), receipt(t, w, someEpoch, 1, 2)}
	late := receipt(t, w, someEpoch, 2, 3)
	add(t, l, now, early...)
	add(t, l, now, descriptor(t, w, someEpoch, 3, 1), receipt(t, w, someEpoch+1, 0, 1))
	cut := now.Add(time.Minute)
	add(t, l, cut, late)
	want := func(what string, got []world.Hash, err error, events ...*event.Event) {
		t.Helper()
		if err != nil || !slices.Equal(got, ids(events...)) {
			t.Errorf("%s: %d ids, %v; want %d", what, len(got), err, len(events))
		}
	}
	got, err := l.Sealable(someEpoch, time.Time{})
	want("all", got, err, append(early, late)...)
	got, err = l.Sealable(someEpoch, cut)
	want("before", got, err, early...)
	got, err = l.Sealable(someEpoch+7, cut)
	want("an epoch without events", got, err)
	got, err = l.Outside(someEpoch, 9)
	want("outside of no seal", got, err)
	if err := l.SetSeal(someEpoch, []byte("seal"), ids(early...)); err != nil {
		t.Fatal(err)
	}
	got, err = l.Outside(someEpoch, 9)
	want("outside", got, err, late)
	more := receipt(t, w, someEpoch, 2, 4)
	add(t, l, cut, more)
	got, err = l.Outside(someEpoch, 9)
	want("outside, later", got, err, late, more)
	if got, err = l.Outside(someEpoch, 1); err != nil || len(got) != 1 {
		t.Errorf("at most one: %d, %v", len(got), err)
	}
	whole(t, l)
}

// Who says something in an epoch that is sealed is told so, and nothing of it is
// kept. What others say too late is kept, outside; what the seal names is welcome.
func TestSealedIsTold(t *testing.T) {
	w := testWorld(t, terms{quota: 10})
	l := fresh(t, w)
	now := midOf(w, someEpoch)
	in, lost, late, theirs := receipt(t, w, someEpoch, 0, 1), receipt(t, w, someEpoch, 0, 2), receipt(t, w, someEpoch, 0, 3), receipt(t, w, someEpoch, 1, 1)
	add(t, l, now, in)
	if err := l.SetSeal(someEpoch, []byte("seal"), []world.Hash{in.ID, lost.ID}); err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		name string
		e    *event.Event
		via  Via
		want Reason // 0: it is added
	}{
		{"own, late", late, ViaOwn, ReasonSealed},
		{"own, named by the seal", lost, ViaOwn, 0},
		{"another's, late", theirs, ViaSync, 0},
		{"a descriptor, which no seal names", descriptor(t, w, someEpoch, 3, 1), ViaOwn, 0},
		{"own, of an open epoch", receipt(t, w, someEpoch+1, 0, 1), ViaOwn, 0},
	} {
		admission := NewAdmission(AdmissionConfig{Log: l, Members: authors(4)})
		if err := admission.Check(t.Context(), x.e, nil, x.via, now); x.want != 0 && err != x.want {
			t.Errorf("%s: Check = %v, want %v", x.name, err, x.want)
		}
		r, err := l.Add(t.Context(), []*event.Event{x.e}, x.via, now)
		if err != nil || (x.want == 0) != (r.Added == 1) || x.want != 0 && (len(r.Refused) != 1 || r.Refused[0].Reason != x.want) {
			t.Errorf("%s: Add = %+v, %v; want reason %d", x.name, r, err, x.want)
		}
	}
	if n := l.Refused(ReasonSealed); n == 0 {
		t.Error("the refusal is not counted")
	}
	whole(t, l)
}
