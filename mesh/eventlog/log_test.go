package eventlog

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/culvert-net/culvert/internal/files"
	"github.com/culvert-net/culvert/internal/kv"
	"github.com/culvert-net/culvert/mesh/event"
	"github.com/culvert-net/culvert/mesh/world"
)

func TestOpenRefuses(t *testing.T) {
	w := testWorld(t, terms{quota: 1})
	dir := t.TempDir()
	path := filepath.Join(dir, "log.db")
	l := open(t, path, Config{World: w})
	if _, err := Open(path, Config{World: w}); !errors.Is(err, kv.ErrLocked) {
		t.Errorf("second Open = %v, want ErrLocked", err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path, Config{World: testWorld(t, terms{quota: 2})}); !errors.Is(err, ErrOtherWorld) {
		t.Errorf("Open for another world = %v, want ErrOtherWorld", err)
	}
	if _, err := l.Epochs(); !errors.Is(err, ErrClosed) {
		t.Errorf("Epochs of a closed log = %v, want ErrClosed", err)
	}
	l = open(t, path, Config{World: w})
	err := l.update(func(tx *bbolt.Tx) error { return tx.Bucket(bucketMeta).Put(keyFormat, be64(format+1)) })
	if err := errors.Join(err, l.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path, Config{World: w}); !errors.Is(err, ErrNewer) {
		t.Errorf("Open of a newer format = %v, want ErrNewer", err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path, Config{World: w}); !errors.Is(err, files.ErrNotPrivate) {
		t.Errorf("Open of a file that others may read = %v, want ErrNotPrivate", err)
	}
	for _, size := range []int64{5, 5000} {
		if err := errors.Join(os.Chmod(path, 0o600), os.Truncate(path, size)); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(path, Config{World: w}); !errors.Is(err, kv.ErrDamaged) {
			t.Errorf("Open of a file cut to %d bytes = %v, want ErrDamaged", size, err)
		}
	}
}

// A log that this program wrote when format 1 was new must stay readable.
func TestGolden(t *testing.T) {
	golden, err := os.ReadFile("testdata/format1.db")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "log.db")
	if err := os.WriteFile(path, golden, 0o600); err != nil {
		t.Fatal(err)
	}
	l := open(t, path, Config{World: testWorld(t, terms{quota: 20})})
	got := whole(t, l)
	if got.Epochs != 3 || got.Pruned != 1 || got.Events != 21 {
		t.Errorf("Check = %+v; want 3 epochs, 1 pruned, 21 events", got)
	}
	var places []uint64
	err = l.Scan(Filter{}, func(_ *event.Event, m Meta) error { places = append(places, m.Place); return nil })
	if err != nil || len(places) != 21 || places[0] != 6 || places[20] != 26 {
		t.Errorf("Scan = %d, %v; want places 6 to 26", places, err)
	}
	w := l.cfg.World
	e := receipt(t, w, someEpoch-1, 1, 3)
	if _, meta, err := l.Get(someEpoch-1, e.ID); err != nil || meta.Via != ViaPush || !meta.Received.Equal(midOf(w, someEpoch)) {
		t.Errorf("Get = %+v, %v; want what was pushed in the middle of the epoch", meta, err)
	}
	if state, err := l.InSeal(someEpoch-1, e.ID); err != nil || state != SealIn {
		t.Errorf("InSeal = %v, %v; want in the seal", state, err)
	}
	if v, err := l.Vector(someEpoch); err != nil || v[world.Hash{1}] != 5 {
		t.Errorf("Vector = %v, %v; want 5 own events", v, err)
	}
	if floor, err := l.Floor(); err != nil || floor != someEpoch-6 {
		t.Errorf("Floor = %d, %v; want %d", floor, err, someEpoch-6)
	}
}

// What TestGolden reads is written into a file that an environment variable
// names, when a format is new.
func TestWriteGolden(t *testing.T) {
	path := os.Getenv("CULVERT_GOLDEN_LOG")
	if path == "" {
		path = filepath.Join(t.TempDir(), "log.db")
	}
	w := testWorld(t, terms{quota: 20})
	now := midOf(w, someEpoch)
	l := open(t, path, Config{World: w, Replica: func(uint64) world.Hash { return world.Hash{1} }})
	batch := func(via Via, now time.Time, epoch uint64, author, n int) {
		t.Helper()
		var events []*event.Event
		for i := range n {
			events = append(events, receipt(t, w, epoch, author, i))
		}
		if r, err := l.Add(context.Background(), events, via, now); err != nil || r.Added != n {
			t.Fatalf("Add = %+v, %v", r, err)
		}
	}
	batch(ViaSync, now.Add(-6*time.Hour), someEpoch-7, 0, 5)
	if n, err := l.Prune(now); err != nil || n != 1 {
		t.Fatalf("Prune = %d, %v", n, err)
	}
	batch(ViaPush, now, someEpoch-1, 1, 15)
	err := l.SetSeal(someEpoch-1, []byte("a statement"), []world.Hash{receipt(t, w, someEpoch-1, 1, 3).ID, {9}})
	if err != nil {
		t.Fatal(err)
	}
	batch(ViaOwn, now, someEpoch, 2, 5)
	add(t, l, now, descriptor(t, w, someEpoch+1, 3, 1))
	if got := whole(t, l); got.Events != 21 {
		t.Errorf("%d events, want 21", got.Events)
	}
	size := int64(0) // without the hole that the file is to grow into
	err = l.view(func(tx *bbolt.Tx) error {
		size = tx.Size()
		return nil
	})
	if err := errors.Join(err, l.Close(), os.Truncate(path, size)); err != nil {
		t.Fatal(err)
	}
}

// Many callers at once: each gets the result of its own, and they share
// transactions.
func TestGroupCommit(t *testing.T) {
	w := testWorld(t, terms{quota: 1000})
	l := fresh(t, w)
	now := midOf(w, someEpoch)
	const callers, each = 64, 8
	l.turn <- struct{}{} // nobody writes until all wait
	var wg sync.WaitGroup
	for i := range callers {
		wg.Go(func() {
			var events []*event.Event
			for n := range each {
				events = append(events, receipt(t, w, someEpoch, i, n), receipt(t, w, someEpoch, 100, n))
			}
			r, err := l.Add(context.Background(), events, ViaPush, now)
			if err != nil || len(r.Refused) > 0 || r.Added+r.Known != 2*each || r.Added < each {
				t.Errorf("Add = %+v, %v", r, err)
			}
		})
	}
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		l.mu.Lock()
		n := len(l.waiting)
		l.mu.Unlock()
		if n == callers {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d of %d callers wait", n, callers)
		}
	}
	before := written(t, l)
	updated := l.Updated()
	<-l.turn
	wg.Wait()
	select {
	case <-updated:
	default:
		t.Error("Updated was not closed")
	}
	if r := whole(t, l); r.Events != callers*each+each {
		t.Errorf("%d events, want %d", r.Events, callers*each+each)
	}
	if n := written(t, l) - before; n > callers*2*each/groupEvents+1 {
		t.Errorf("%d transactions for %d callers", n, callers)
	}
}

// written is how many transactions have been written.
func written(tb testing.TB, l *Log) (n int) {
	tb.Helper()
	err := l.view(func(tx *bbolt.Tx) error {
		n = tx.ID()
		return nil
	})
	if err != nil {
		tb.Fatal(err)
	}
	return n
}

// Who does not want to wait any longer leaves nothing behind.
func TestAddIsWithdrawn(t *testing.T) {
	w := testWorld(t, terms{quota: 10})
	l := fresh(t, w)
	now := midOf(w, someEpoch)
	l.turn <- struct{}{}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() {
		_, err := l.Add(ctx, []*event.Event{receipt(t, w, someEpoch, 0, 0)}, ViaOwn, now)
		done <- err
	}()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("Add = %v, want context.Canceled", err)
	}
	<-l.turn
	add(t, l, now, receipt(t, w, someEpoch, 0, 1))
	if has, err := l.Has(someEpoch, receipt(t, w, someEpoch, 0, 0).ID); has || err != nil {
		t.Errorf("Has = %v, %v; want it not to be there", has, err)
	}
}

func TestAddRefusesTheCaller(t *testing.T) {
	w := testWorld(t, terms{quota: 10})
	l := fresh(t, w)
	foreign := receipt(t, testWorld(t, terms{quota: 11}), someEpoch, 0, 0)
	if _, err := l.Add(context.Background(), []*event.Event{foreign}, ViaOwn, midOf(w, someEpoch)); !errors.Is(err, ErrOtherWorld) {
		t.Errorf("Add of another world's event = %v, want ErrOtherWorld", err)
	}
	many := make([]*event.Event, groupEvents+1)
	if _, err := l.Add(context.Background(), many, ViaOwn, midOf(w, someEpoch)); err == nil || !strings.Contains(err.Error(), "parts") {
		t.Errorf("Add of %d events = %v, want to be told to split them", len(many), err)
	}
	if r, err := l.Add(context.Background(), nil, ViaOwn, midOf(w, someEpoch)); err != nil || r.Added != 0 {
		t.Errorf("Add of nothing = %+v, %v", r, err)
	}
}

func TestExplain(t *testing.T) {
	w := testWorld(t, terms{quota: 2})
	l := fresh(t, w)
	now := midOf(w, someEpoch)
	a := NewAdmission(AdmissionConfig{Log: l, Members: authors(1)})
	e := receipt(t, w, someEpoch-2, 0, 0)
	ingest := func(via Via, e *event.Event) {
		t.Helper()
		if _, err := a.Ingest(context.Background(), []Candidate{{Bytes: e.Canonical()}}, via, now); err != nil {
			t.Fatal(err)
		}
	}
	explain := func(id world.Hash) Explanation {
		t.Helper()
		x, err := l.Explain(id)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	if x := explain(e.ID); x.Stored || x.Refused {
		t.Errorf("of what never came: %+v", x)
	}
	ingest(ViaPush, e)
	if x := explain(e.ID); x.Stored || !x.Refused || x.Reason != ReasonLate || x.RefusedBy != ViaPush || !x.RefusedAt.Equal(now) {
		t.Errorf("of what was pushed too late: %+v", x)
	}
	ingest(ViaSync, e)
	if err := l.SetSeal(someEpoch-2, []byte("seal"), nil); err != nil {
		t.Fatal(err)
	}
	x := explain(e.ID)
	if !x.Stored || x.Meta.Via != ViaSync || x.Used != 1 || x.Quota != 2 || x.Seal != SealOutside || x.Event.ID != e.ID || !x.Refused {
		t.Errorf("of what came by sync: %+v", x)
	}
	// A flood of refusals pushes the old ones out.
	for i := range maxRefusals {
		l.refuse(refused{id: world.Hash{0: byte(i), 1: byte(i >> 8), 2: 1}, reason: ReasonStranger, via: ViaPush, at: now})
	}
	if x := explain(e.ID); x.Refused || !x.Stored {
		t.Errorf("after a flood: %+v", x)
	}
	if len(l.refusals.ring) != maxRefusals {
		t.Errorf("%d refusals are remembered, want %d", len(l.refusals.ring), maxRefusals)
	}
}

func TestVector(t *testing.T) {
	w := testWorld(t, terms{quota: 100})
	path := filepath.Join(t.TempDir(), "log.db")
	own := func(epoch uint64) world.Hash { return world.Hash{0: byte(epoch), 1: 1} }
	l := open(t, path, Config{World: w, Replica: own})
	now := midOf(w, someEpoch)
	for n := range 3 {
		if r, err := l.Add(context.Background(), []*event.Event{receipt(t, w, someEpoch, 0, n)}, ViaOwn, now); err != nil || r.Added != 1 {
			t.Fatalf("Add = %+v, %v", r, err)
		}
	}
	add(t, l, now, receipt(t, w, someEpoch, 1, 0)) // not ours
	if r, err := l.Add(context.Background(), []*event.Event{receipt(t, w, someEpoch+1, 0, 0)}, ViaOwn, now); err != nil || r.Added != 1 {
		t.Fatalf("Add = %+v, %v", r, err)
	}
	want := func(epoch uint64, want map[world.Hash]uint64) {
		t.Helper()
		if got, err := l.Vector(epoch); err != nil || !maps.Equal(got, want) {
			t.Fatalf("Vector(%d) = %v, %v; want %v", epoch, got, err, want)
		}
	}
	want(someEpoch, map[world.Hash]uint64{own(someEpoch): 3})
	want(someEpoch+1, map[world.Hash]uint64{own(someEpoch + 1): 1})
	if _, err := l.Prune(now.Add(VectorEpochs * time.Hour)); err != nil {
		t.Fatal(err)
	}
	want(someEpoch, nil)
	want(someEpoch+1, map[world.Hash]uint64{own(someEpoch + 1): 1})
}

func TestSealIsOne(t *testing.T) {
	w := testWorld(t, terms{quota: 10})
	l := fresh(t, w)
	ids := []world.Hash{{1}, {2}, {1}}
	if err := l.SetSeal(someEpoch, []byte("one"), ids); err != nil {
		t.Fatal(err)
	}
	if err := l.SetSeal(someEpoch, []byte("one"), ids); err != nil {
		t.Errorf("the same again = %v", err)
	}
	if err := l.SetSeal(someEpoch, []byte("two"), ids); !errors.Is(err, ErrOtherSeal) {
		t.Errorf("another = %v, want ErrOtherSeal", err)
	}
	if got, err := l.Seal(someEpoch); err != nil || !bytes.Equal(got, []byte("one")) {
		t.Errorf("Seal = %q, %v; want the first", got, err)
	}
	if got, err := l.Seal(someEpoch + 1); err != nil || got != nil {
		t.Errorf("Seal of an epoch without = %q, %v", got, err)
	}
	for _, bad := range [][]byte{nil, make([]byte, maxStatement+1)} {
		if err := l.SetSeal(someEpoch+1, bad, nil); err == nil {
			t.Errorf("a statement of %d bytes was taken", len(bad))
		}
	}
	whole(t, l)
}

// Check finds what is wrong, whatever it is.
func TestCheckFinds(t *testing.T) {
	w := testWorld(t, terms{quota: 100})
	now := midOf(w, someEpoch)
	e := receipt(t, w, someEpoch, 0, 1)
	in := func(tx *bbolt.Tx, name []byte) *bbolt.Bucket { return inEpoch(tx, someEpoch, name) }
	for _, tt := range []struct {
		name  string
		quick bool // found without counting
		harm  func(*bbolt.Tx) error
	}{
		{"lost id", false, func(tx *bbolt.Tx) error { return in(tx, bucketIDs).Delete(e.ID[:]) }},
		{"id of nothing", false, func(tx *bbolt.Tx) error { return in(tx, bucketIDs).Put(make([]byte, 32), be64(1)) }},
		{"lost record", false, func(tx *bbolt.Tx) error { return in(tx, bucketRecords).Delete(be64(2)) }},
		{"broken record", false, func(tx *bbolt.Tx) error { return in(tx, bucketRecords).Put(be64(2), []byte("x")) }},
		{"changed record", false, func(tx *bbolt.Tx) error {
			v := bytes.Clone(in(tx, bucketRecords).Get(be64(2)))
			v[len(v)-1] ^= 1
			return in(tx, bucketRecords).Put(be64(2), v)
		}},
		{"record of a later place", false, func(tx *bbolt.Tx) error {
			return in(tx, bucketRecords).Put(be64(99), bytes.Clone(in(tx, bucketRecords).Get(be64(2))))
		}},
		{"lost subject", false, func(tx *bbolt.Tx) error {
			subject, _ := e.Subject()
			return in(tx, bucketSubjects).Delete(append(subject[:], be64(2)...))
		}},
		{"wrong count", false, func(tx *bbolt.Tx) error {
			k := newAuthorKey(e.Author(), e.Type())
			return in(tx, bucketAuthors).Put(k[:], []byte{0, 0, 0, 9})
		}},
		{"outside of no seal", false, func(tx *bbolt.Tx) error { return in(tx, bucketOutside).Put(e.ID[:], empty) }},
		{"missing from no seal", false, func(tx *bbolt.Tx) error { return in(tx, bucketMissing).Put(e.ID[:], empty) }},
		{"lost fingerprint", true, func(tx *bbolt.Tx) error { return tx.Bucket(bucketLanes).Delete(be64(someEpoch)) }},
		{"lost head", true, func(tx *bbolt.Tx) error { return tx.Bucket(bucketHeads).Delete(be64(someEpoch)) }},
		{"lost events", true, func(tx *bbolt.Tx) error { return tx.Bucket(bucketEvents).DeleteBucket(be64(someEpoch)) }},
		{"lost seal", true, func(tx *bbolt.Tx) error {
			h, err := headOf(tx, someEpoch)
			h.flags |= flagSealed
			return errors.Join(err, tx.Bucket(bucketHeads).Put(be64(someEpoch), h.encode()))
		}},
		{"broken fingerprint", true, func(tx *bbolt.Tx) error { return tx.Bucket(bucketLanes).Put(be64(someEpoch), []byte("x")) }},
		{"not dropped", true, func(tx *bbolt.Tx) error { return tx.Bucket(bucketMeta).Put(keyFloor, be64(someEpoch+1)) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := fresh(t, w)
			add(t, l, now, receipt(t, w, someEpoch, 0, 0), e, receipt(t, w, someEpoch, 1, 1))
			whole(t, l)
			if err := l.update(tt.harm); err != nil {
				t.Fatal(err)
			}
			for _, full := range []bool{false, true} {
				r, err := l.Check(full)
				if found := len(r.Problems) > 0; err != nil || found != (full || tt.quick) {
					t.Errorf("Check(%v) = %q, %v", full, r.Problems, err)
				}
			}
		})
	}
}
