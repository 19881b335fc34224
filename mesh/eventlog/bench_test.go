//go:build unix

package eventlog

import (
	"context"
	"fmt"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/culvert-net/culvert/mesh/event"
	"github.com/culvert-net/culvert/mesh/world"
)

// BenchmarkIngest is the way of what a peer sends, from bytes to the disk:
// decoded, looked up, verified, written, flushed. The batch is what is sent at
// once. Run it with -cpu 1 for what one core does.
func BenchmarkIngest(b *testing.B) {
	const total, authorCount, epochs = 32 << 10, 64, 4
	w := testWorld(b, terms{quota: total})
	now := midOf(w, someEpoch)
	all := make([]Candidate, total)
	bytes := 0
	for i := range all {
		e := receipt(b, w, someEpoch-uint64(i*epochs/total), i%authorCount, i)
		all[i] = Candidate{Bytes: e.Canonical()}
		bytes += len(all[i].Bytes)
	}
	for _, batch := range []int{32, 256, 1024} {
		b.Run(fmt.Sprintf("batch=%d", batch), func(b *testing.B) {
			b.SetBytes(int64(bytes / total * batch))
			b.ReportAllocs()
			var a *Admission
			done, at, files := 0, total, b.TempDir()
			var cpu time.Duration
			for b.Loop() {
				if at+batch > total {
					b.StopTimer()
					l := open(b, filepath.Join(files, fmt.Sprint(done)), Config{World: w})
					a, at = NewAdmission(AdmissionConfig{Log: l, Members: authors(authorCount)}), 0
					b.StartTimer()
				}
				before := cpuTime(b)
				r, err := a.Ingest(context.Background(), all[at:at+batch], ViaSync, now)
				cpu += cpuTime(b) - before
				if err != nil || r.Added != batch {
					b.Fatalf("Ingest = %+v, %v", r, err)
				}
				done, at = done+batch, at+batch
			}
			b.ReportMetric(float64(done)/b.Elapsed().Seconds(), "events/s")
			b.ReportMetric(float64(done)/cpu.Seconds(), "events/cpu-s")
			b.ReportMetric(float64(cpu.Nanoseconds())/float64(done), "cpu-ns/event")
		})
	}
}

// cpuTime is what this process has used of all cores, which does not depend on
// who else uses the machine.
func cpuTime(tb testing.TB) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkRefuse is what an event costs that is refused for what it is.
func BenchmarkRefuse(b *testing.B) {
	w, other := testWorld(b, terms{quota: 10}), testWorld(b, terms{quota: 11})
	l := fresh(b, w)
	now := midOf(w, someEpoch)
	add(b, l, now, receipt(b, w, someEpoch, 0, 0))
	a := NewAdmission(AdmissionConfig{Log: l, Members: authors(1)})
	for name, e := range map[string]*event.Event{
		"world":    receipt(b, other, someEpoch, 0, 1),
		"late":     receipt(b, w, someEpoch-3, 0, 1),
		"known":    receipt(b, w, someEpoch, 0, 0),
		"stranger": receipt(b, w, someEpoch, 1, 1),
	} {
		batch := make([]Candidate, 64)
		for i := range batch {
			batch[i].Bytes = e.Canonical()
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if r, err := a.Ingest(context.Background(), batch, ViaPush, now); err != nil || r.Added > 0 {
					b.Fatalf("Ingest = %+v, %v", r, err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(batch)), "ns/event")
		})
	}
}

// BenchmarkRead is what reconciliation and folding read.
func BenchmarkRead(b *testing.B) {
	const total = 20_000
	w := testWorld(b, terms{quota: total})
	l := fresh(b, w)
	now := midOf(w, someEpoch)
	var last world.Hash
	for from := 0; from < total; from += 1000 {
		var events []*event.Event
		for i := range 1000 {
			events = append(events, receipt(b, w, someEpoch, i%64, from+i))
		}
		add(b, l, now, events...)
		last = events[999].ID
	}
	b.Run("ids", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			n := 0
			if err := l.IDs(someEpoch, func(world.Hash) bool { n++; return true }); err != nil || n != total {
				b.Fatal(n, err)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*total), "ns/id")
	})
	b.Run("scan", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			n := 0
			if err := l.Scan(Filter{}, func(*event.Event, Meta) error { n++; return nil }); err != nil || n != total {
				b.Fatal(n, err)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*total), "ns/event")
	})
	b.Run("get", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, _, err := l.Get(someEpoch, last); err != nil {
				b.Fatal(err)
			}
		}
	})
}
