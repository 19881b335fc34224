package eventlog

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/culvert-net/culvert/mesh/event"
	"github.com/culvert-net/culvert/mesh/recon"
	"github.com/culvert-net/culvert/mesh/world"
)

// model is what a log does, written down without a thought of a disk.
type model struct {
	world  *world.World
	stored []modelEvent // by arrival; pruned ones are gone
	pruned map[uint64]EpochInfo
	sealed map[uint64]map[world.Hash]bool
	floor  uint64
	added  int // events stored, pruned ones too
}

type modelEvent struct {
	event *event.Event
	via   Via
	now   time.Time
}

func (m *model) of(epoch uint64) (events []modelEvent) {
	for _, x := range m.stored {
		if x.event.Epoch() == epoch {
			events = append(events, x)
		}
	}
	return events
}

func (m *model) add(e *event.Event, via Via, now time.Time) (Reason, bool) {
	at, epoch := m.world.Epoch(now), e.Epoch()
	t := m.world.Terms()
	switch {
	case epoch > at+1:
		return ReasonEarly, false
	case epoch < m.world.Epoch(now.Add(-t.Horizon)):
		return ReasonHorizon, false
	case epoch < m.floor:
		return ReasonPruned, false
	}
	same := uint32(0)
	for _, x := range m.of(epoch) {
		if x.event.ID == e.ID {
			return 0, true
		}
		if x.event.Author() == e.Author() && x.event.Type() == e.Type() {
			same++
		}
	}
	if e.Type() != event.TypeDescriptor && same >= t.Quota {
		return ReasonQuota, false
	}
	if via == ViaOwn && e.Type() != event.TypeDescriptor && m.seal(epoch, e.ID) == SealOutside {
		return ReasonSealed, false
	}
	m.stored = append(m.stored, modelEvent{e, via, now.Truncate(time.Millisecond)})
	m.added++
	return 0, false
}

func (m *model) info(epoch uint64) EpochInfo {
	if x, ok := m.pruned[epoch]; ok {
		return x
	}
	var f recon.Fingerprint
	for _, x := range m.of(epoch) {
		f.Add((*recon.ID)(&x.event.ID))
	}
	return EpochInfo{Epoch: epoch, Count: f.Count(), Fingerprint: f.Sum(), Sealed: m.sealed[epoch] != nil}
}

func (m *model) epochs() (all []EpochInfo) {
	set := make(map[uint64]bool)
	for _, x := range m.stored {
		set[x.event.Epoch()] = true
	}
	for epoch := range m.sealed {
		set[epoch] = true
	}
	for epoch := range m.pruned {
		set[epoch] = true
	}
	for _, epoch := range slices.Sorted(maps.Keys(set)) {
		all = append(all, m.info(epoch))
	}
	return all
}

func (m *model) prune(now time.Time) int {
	horizon, dropped := m.world.Epoch(now.Add(-m.world.Terms().Horizon)), 0
	for _, x := range m.epochs() {
		if x.Epoch >= horizon || x.Pruned {
			continue
		}
		x.Pruned = true
		m.pruned[x.Epoch] = x
		m.stored = slices.DeleteFunc(m.stored, func(y modelEvent) bool { return y.event.Epoch() == x.Epoch })
		delete(m.sealed, x.Epoch)
		m.floor, dropped = x.Epoch+1, dropped+1
	}
	return dropped
}

func (m *model) seal(epoch uint64, id world.Hash) SealState {
	switch ids := m.sealed[epoch]; {
	case ids == nil:
		return SealNone
	case ids[id]:
		return SealIn
	}
	return SealOutside
}

// Whatever is done to a log, and however often it is closed and opened, it says
// what the model says.
func TestModel(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	w := testWorld(t, terms{quota: 9})
	path := filepath.Join(t.TempDir(), "log.db")
	l := open(t, path, Config{World: w})
	m := &model{world: w, pruned: make(map[uint64]EpochInfo), sealed: make(map[uint64]map[world.Hash]bool)}
	now := midOf(w, someEpoch)
	rounds, sealed := 400, 0 // seals are pruned again: what the model holds at the end may be none
	if testing.Short() {
		rounds = 80
	}
	for round := range rounds {
		at := w.Epoch(now)
		switch r.IntN(12) {
		default:
			m.batch(t, l, r, now)
		case 0: // time goes on, or is set back
			now = now.Add(time.Duration(r.IntN(int(5*time.Hour))) - 90*time.Minute)
		case 1:
			got, err := l.Prune(now)
			if want := m.prune(now); err != nil || got != want {
				t.Fatalf("round %d: Prune = %d, %v; want %d", round, got, err, want)
			}
		case 2:
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
			l = open(t, path, Config{World: w})
		case 3:
			if m.setSeal(t, l, r, at-uint64(r.IntN(4))) {
				sealed++
			}
		}
		if round%20 == 19 {
			m.compare(t, l, r)
			whole(t, l)
		}
	}
	if !testing.Short() && (len(m.pruned) == 0 || sealed == 0) || m.added == 0 {
		t.Errorf("%d epochs pruned, %d sealed, %d events stored: the test tested little", len(m.pruned), sealed, m.added)
	}
}

// batch adds some events, doubles and foreign epochs among them.
func (m *model) batch(t *testing.T, l *Log, r *rand.Rand, now time.Time) {
	t.Helper()
	via := []Via{ViaOwn, ViaPush, ViaSync}[r.IntN(3)]
	var events []*event.Event
	for range 1 + r.IntN(12) {
		epoch := m.world.Epoch(now) + 2 - uint64(r.IntN(10))
		if r.IntN(6) == 0 {
			events = append(events, descriptor(t, m.world, epoch, r.IntN(3), r.IntN(40)))
		} else {
			events = append(events, receipt(t, m.world, epoch, r.IntN(3), r.IntN(40)))
		}
	}
	var want Result
	for i, e := range events {
		switch reason, known := m.add(e, via, now); {
		case known:
			want.Known++
		case reason != 0:
			want.Refused = append(want.Refused, Refusal{i, reason})
		default:
			want.Added++
		}
	}
	got, err := l.Add(context.Background(), events, via, now)
	if err != nil || got.Added != want.Added || got.Known != want.Known || !slices.Equal(got.Refused, want.Refused) {
		t.Fatalf("Add = %+v, %v; want %+v", got, err, want)
	}
}

// setSeal seals an epoch over some of its events and some that are not here.
// It reports whether the seal was taken.
func (m *model) setSeal(t *testing.T, l *Log, r *rand.Rand, epoch uint64) bool {
	t.Helper()
	ids := make(map[world.Hash]bool)
	for _, x := range m.of(epoch) {
		if r.IntN(4) > 0 {
			ids[x.event.ID] = true
		}
	}
	for range r.IntN(4) {
		ids[receipt(t, m.world, epoch, r.IntN(3), r.IntN(40)).ID] = true
	}
	err := l.SetSeal(epoch, []byte{byte(len(ids)), byte(r.Uint32()), 1}, slices.Collect(maps.Keys(ids)))
	switch {
	case epoch < m.floor:
		if !errors.Is(err, ReasonPruned) {
			t.Fatalf("SetSeal of a pruned epoch = %v", err)
		}
	case m.sealed[epoch] != nil:
		if err != nil && !errors.Is(err, ErrOtherSeal) {
			t.Fatalf("SetSeal of a sealed epoch = %v", err)
		}
	case err != nil:
		t.Fatal(err)
	default:
		m.sealed[epoch] = ids
		return true
	}
	return false
}

// compare asks the log everything.
func (m *model) compare(t *testing.T, l *Log, r *rand.Rand) {
	t.Helper()
	got, err := l.Epochs()
	want := m.epochs()
	if err != nil || !slices.Equal(got, want) {
		t.Fatalf("Epochs = %+v, %v;\nwant %+v", got, err, want)
	}
	if floor, err := l.Floor(); err != nil || floor != m.floor {
		t.Fatalf("Floor = %d, %v; want %d", floor, err, m.floor)
	}
	for _, x := range want {
		m.compareEpoch(t, l, x.Epoch)
	}
	for _, x := range m.stored {
		e, meta, err := l.Get(x.event.Epoch(), x.event.ID)
		if err != nil || !bytes.Equal(e.Canonical(), x.event.Canonical()) || meta.Via != x.via || !meta.Received.Equal(x.now) {
			t.Fatalf("Get = %v, %+v, %v; want %v, %+v", e, meta, err, x.event, x)
		}
		if got, err := l.InSeal(x.event.Epoch(), x.event.ID); err != nil || got != m.seal(x.event.Epoch(), x.event.ID) {
			t.Fatalf("InSeal = %v, %v; want %v", got, err, m.seal(x.event.Epoch(), x.event.ID))
		}
	}
	for range 10 {
		m.compareScan(t, l, r)
	}
}

func (m *model) compareEpoch(t *testing.T, l *Log, epoch uint64) {
	t.Helper()
	var want, got []world.Hash
	for _, x := range m.of(epoch) {
		want = append(want, x.event.ID)
	}
	slices.SortFunc(want, compareIDs)
	err := l.IDs(epoch, func(id world.Hash) bool { got = append(got, id); return true })
	if err != nil || !slices.Equal(got, want) {
		t.Fatalf("IDs(%d) = %v, %v; want %v", epoch, got, err, want)
	}
	ids, f, err := l.Snapshot(epoch)
	same := func(a recon.ID, b world.Hash) int { return bytes.Compare(a[:], b[:]) }
	if err != nil || slices.CompareFunc(ids, want, same) != 0 || f.Count() != uint64(len(want)) {
		t.Fatalf("Snapshot(%d) = %v, of %d, %v; want %v", epoch, ids, f.Count(), err, want)
	}
	if info, err := l.Epoch(epoch); err != nil || info != m.info(epoch) {
		t.Fatalf("Epoch(%d) = %+v, %v; want %+v", epoch, info, err, m.info(epoch))
	}
	if f, err := l.Fingerprint(epoch); err != nil || m.pruned[epoch].Count == 0 && f.Sum() != m.info(epoch).Fingerprint {
		t.Fatalf("Fingerprint(%d) of %d ids, %v; want of %d", epoch, f.Count(), err, m.info(epoch).Count)
	}
	for id := range m.sealed[epoch] {
		if got, err := l.InSeal(epoch, id); err != nil || got != SealIn {
			t.Fatalf("InSeal of an id that the seal names = %v, %v", got, err)
		}
	}
}

// compareScan scans with a filter of chance.
func (m *model) compareScan(t *testing.T, l *Log, r *rand.Rand) {
	t.Helper()
	f := Filter{Newest: r.IntN(2) == 0, Limit: r.IntN(2) * r.IntN(30)}
	if r.IntN(3) == 0 {
		f.Type = []event.Type{event.TypeReceipt, event.TypeDescriptor}[r.IntN(2)]
	}
	if r.IntN(3) == 0 {
		author := public(r.IntN(4))
		f.Author = &author
	}
	if r.IntN(3) == 0 {
		subject := target(r.IntN(8))
		f.Subject = &subject
	}
	if len(m.stored) > 0 {
		any := m.stored[r.IntN(len(m.stored))]
		if r.IntN(3) == 0 {
			f.Since = any.now
		}
		if r.IntN(3) == 0 {
			f.Epochs = []uint64{any.event.Epoch(), any.event.Epoch() - 1}
		}
		if r.IntN(3) == 0 {
			_, meta, err := l.Get(any.event.Epoch(), any.event.ID)
			if err != nil {
				t.Fatal(err)
			}
			f.After = meta.Place
		}
	}
	var want, got []world.Hash
	past := f.After == 0
	for _, x := range m.stored {
		if past && f.fits(x) {
			want = append(want, x.event.ID)
		}
		if !past {
			_, meta, err := l.Get(x.event.Epoch(), x.event.ID)
			if err != nil {
				t.Fatal(err)
			}
			past = meta.Place == f.After
		}
	}
	if f.Newest {
		slices.Reverse(want)
	}
	if f.Limit > 0 && len(want) > f.Limit {
		want = want[:f.Limit]
	}
	err := l.Scan(f, func(e *event.Event, _ Meta) error { got = append(got, e.ID); return nil })
	if err != nil || !slices.Equal(got, want) {
		t.Fatalf("Scan(%+v) has %d events, %v; want %d", f, len(got), err, len(want))
	}
}

func (f *Filter) fits(x modelEvent) bool {
	subject, ok := x.event.Subject()
	return (f.Type == 0 || x.event.Type() == f.Type) &&
		(f.Author == nil || x.event.Author() == *f.Author) &&
		(f.Subject == nil || ok && subject == *f.Subject) &&
		(f.Since.IsZero() || !x.now.Before(f.Since)) &&
		(f.Epochs == nil || slices.Contains(f.Epochs, x.event.Epoch()))
}
