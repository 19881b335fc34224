//go:build e2e && mesh && linux

package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/culvert-net/culvert/internal/app/member"
	"github.com/culvert-net/culvert/mesh/event"
	"github.com/culvert-net/culvert/mesh/eventlog"
)

// askedForMillion is set by `make mesh MILLION=1`: it takes minutes.
const askedForMillion = "CULVERT_MESH_MILLION"

const (
	millionEvents = 1_000_000
	millionEpochs = 300 // of an hour; the horizon is 336

	// Bars of the design: what an observer with a million events may hold beside
	// the pages of its file, which the system takes back when it needs them, and
	// what its start may take. The clock on the wall is printed; CPU time decides.
	millionAnon  = 150 << 10 // KiB
	millionStart = 3 * time.Second

	// millionServed is how many of the events a newcomer is sent while the memory of
	// who serves them is looked at: nearly all are of epochs before its world was
	// founded, and a peer may cost it some megabytes of what it refuses.
	millionServed = 10_000
)

// An observer that remembers a million events starts in seconds and stays small,
// whatever it is asked.
func TestMeshMillion(t *testing.T) {
	if os.Getenv(askedForMillion) == "" {
		t.Skip("SKIP TestMeshMillion: it takes minutes; ask for it by: make mesh MILLION=1")
	}
	w := newWatchers(t, "--mode", "closed", "--quota", unlimited)
	w.daemons["a"].stop(t)
	w.fill(newAuthor(t, w.dir("a")), filepath.Join(w.dir("a"), member.LogFile))

	began := time.Now()
	w.serve("a")
	t.Logf("started with %d events in %.2f s, %.2f s of CPU, RssAnon %d MiB (bars: 3 s, 150 MiB)",
		w.status("a").Log.Events, time.Since(began).Seconds(), w.cpu("a").Seconds(), w.anon("a")>>10)
	if cpu := w.cpu("a"); cpu > millionStart {
		t.Errorf("starting took %v of CPU, want at most %v", cpu, millionStart)
	}
	for _, tt := range []struct {
		name string
		do   func()
	}{
		{"status", func() { w.status("a") }},
		{"the last 1,000 events", func() { succeed(t, "observer", "log", "--last", "1000", "--data", w.dir("a")) }},
		{"the whole list", func() {
			// Its own descriptor is among them, once it has published one.
			if n, want := len(w.ids("a")), int(w.status("a").Log.Events); n < millionEvents || n != want {
				t.Errorf("the list has %d events, want %d", n, want)
			}
		}},
		{"log check --full", func() { w.whole(int(w.status("a").Log.Events), "a") }},
		{"a newcomer that fetches", func() {
			w.join("a", "b")
			eventuallyEvery(t, 250*time.Millisecond, filling, "b was sent some of the events", func() error {
				if s := w.status("a"); s.Sync.Sent < millionServed {
					return fmt.Errorf("it was sent %d", s.Sync.Sent)
				}
				return nil
			})
		}},
	} {
		began := time.Now()
		most := w.most("a", tt.do)
		t.Logf("%-24s %6.1f s, RssAnon at most %d MiB", tt.name, time.Since(began).Seconds(), most>>10)
		if most > millionAnon {
			t.Errorf("%s: RssAnon was %d KiB, want at most %d", tt.name, most, millionAnon)
		}
	}
}

// fill writes the log of an observer that does not run, without what admission
// costs: a million signatures to verify would take minutes.
func (w *watchers) fill(a *author, path string) {
	w.t.Helper()
	l, err := eventlog.Open(path, eventlog.Config{World: a.world})
	if err != nil {
		w.t.Fatal(err)
	}
	now := time.Now()
	newest := a.world.Epoch(now)
	const at = 1000 // a transaction
	for from := 0; from < millionEvents; from += at {
		events := make([]*event.Event, at)
		var wg sync.WaitGroup
		cores := runtime.GOMAXPROCS(0)
		errs := make([]error, cores)
		for core := range cores {
			wg.Go(func() {
				own := *a
				for i := core; i < at && errs[core] == nil; i += cores {
					own.n = uint64(from + i)
					events[i], errs[core] = own.sign(newest - millionEpochs + 1 + uint64((from+i)*millionEpochs/millionEvents))
				}
			})
		}
		wg.Wait()
		if err := errors.Join(errs...); err != nil {
			w.t.Fatal(err)
		}
		r, err := l.Add(context.Background(), events, eventlog.ViaSync, now)
		if err != nil || r.Added != at {
			w.t.Fatalf("Add = %+v, %v; want %d added", r, err, at)
		}
	}
	if err := l.Close(); err != nil {
		w.t.Fatal(err)
	}
}

var rssAnon = regexp.MustCompile(`RssAnon:\s+(\d+) kB`)

// anon is the memory of an observer that no file stands behind, in KiB.
func (w *watchers) anon(name string) int {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", w.daemons[name].cmd.Process.Pid))
	if err != nil {
		w.t.Error(err)
		return 0
	}
	m := rssAnon.FindSubmatch(text)
	if m == nil {
		w.t.Error("no RssAnon")
		return 0
	}
	kib, _ := strconv.Atoi(string(m[1])) // digits
	return kib
}

// most is the most of it that was seen while something is done.
func (w *watchers) most(name string, do func()) (kib int) {
	w.t.Helper()
	done := make(chan struct{})
	var look sync.WaitGroup
	look.Go(func() {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			kib = max(kib, w.anon(name))
			select {
			case <-tick.C:
			case <-done:
				return
			}
		}
	})
	func() {
		defer close(done) // do may end the test
		do()
	}()
	look.Wait()
	return kib
}
