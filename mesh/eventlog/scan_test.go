package eventlog

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/culvert-net/culvert/mesh/event"
	"github.com/culvert-net/culvert/mesh/world"
)

// A scan of more than one part, whose caller adds events and drops an epoch
// meanwhile: it has what was there when it began and is still there, in order,
// and nothing that came later.
func TestScanInParts(t *testing.T) {
	const total = 4*chunkEvents + 100
	w := testWorld(t, terms{quota: total})
	now := midOf(w, someEpoch)
	for _, newest := range []bool{false, true} {
		l := fresh(t, w)
		var want []world.Hash
		var batch []*event.Event
		for n := range total {
			e := receipt(t, w, someEpoch-uint64(n%4), n%3, n)
			batch, want = append(batch, e), append(want, e.ID)
			if len(batch) == 100 || n == total-1 {
				add(t, l, now, batch...)
				batch = nil
			}
		}
		if newest {
			slices.Reverse(want)
		}
		dropped := make(map[world.Hash]bool)
		err := l.IDs(someEpoch-3, func(id world.Hash) bool { dropped[id] = true; return true })
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		late := want[chunkEvents:] // a part is read when the first of it is handed out
		err = l.Scan(Filter{Newest: newest}, func(e *event.Event, _ Meta) error {
			if n == 5 {
				add(t, l, now, receipt(t, w, someEpoch, 1, total+1), receipt(t, w, someEpoch-1, 1, total+2))
				if done, err := l.Prune(w.EpochStart(someEpoch + 4)); err != nil || done != 1 {
					t.Fatalf("Prune = %d, %v", done, err)
				}
				kept := slices.DeleteFunc(slices.Clone(late), func(id world.Hash) bool { return dropped[id] })
				want = append(want[:chunkEvents:chunkEvents], kept...)
			}
			if n >= len(want) || e.ID != want[n] {
				t.Fatalf("newest %v: event %d is not the one expected", newest, n)
			}
			n++
			return nil
		})
		if err != nil || n != len(want) {
			t.Errorf("newest %v: Scan gave %d events, %v; want %d", newest, n, err, len(want))
		}
	}
}

func TestScanStops(t *testing.T) {
	w := testWorld(t, terms{quota: 100})
	l := fresh(t, w)
	for n := range 5 {
		add(t, l, midOf(w, someEpoch), receipt(t, w, someEpoch, 0, n))
	}
	stop, n := errors.New("stop"), 0
	err := l.Scan(Filter{}, func(*event.Event, Meta) error {
		if n++; n == 3 {
			return stop
		}
		return nil
	})
	if !errors.Is(err, stop) || n != 3 {
		t.Errorf("Scan = %v after %d events; want the error of the third", err, n)
	}
	n = 0
	if err := l.IDs(someEpoch, func(world.Hash) bool { n++; return n < 2 }); err != nil || n != 2 {
		t.Errorf("IDs went on to %d, %v; want 2", n, err)
	}
}

// Everything at once: writers, readers, pruning, seals. What a snapshot holds
// always fits its fingerprint, and places only grow.
func TestConcurrentUse(t *testing.T) {
	w := testWorld(t, terms{quota: 1 << 20})
	l := fresh(t, w)
	a := NewAdmission(AdmissionConfig{Log: l, Members: authors(4)})
	done := make(chan struct{})
	var writers, readers sync.WaitGroup
	at := func(n int) time.Time { return midOf(w, someEpoch+uint64(n/10)) }
	for author := range 4 {
		writers.Go(func() {
			for n := range 60 {
				epoch := w.Epoch(at(n))
				sent := []Candidate{
					{Bytes: receipt(t, w, epoch, author, n).Canonical()},
					{Bytes: receipt(t, w, epoch-1, (author+1)%4, n).Canonical()},
				}
				if _, err := a.Ingest(context.Background(), sent, ViaSync, at(n)); err != nil {
					t.Error(err)
				}
				if n%15 == 14 {
					if _, err := l.Prune(at(n)); err != nil {
						t.Error(err)
					}
					err := l.SetSeal(epoch-2, []byte("seal"), []world.Hash{{byte(n)}})
					if err != nil && !errors.Is(err, ReasonPruned) {
						t.Error(err)
					}
				}
			}
		})
	}
	for range 2 {
		readers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				infos, err := l.Epochs()
				if err != nil {
					t.Error(err)
				}
				for _, x := range infos {
					ids, f, err := l.Snapshot(x.Epoch)
					if err != nil || uint64(len(ids)) != f.Count() {
						t.Errorf("Snapshot(%d) has %d ids, %d in the fingerprint, %v", x.Epoch, len(ids), f.Count(), err)
					}
				}
				last := uint64(0)
				err = l.Scan(Filter{}, func(e *event.Event, m Meta) error {
					if m.Place <= last {
						t.Errorf("place %d after %d", m.Place, last)
					}
					last = m.Place
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	close(done)
	readers.Wait()
	whole(t, l)
}
