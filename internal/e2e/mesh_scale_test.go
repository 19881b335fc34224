//go:build e2e && mesh

package e2e

import (
	"errors"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/culvert-net/culvert/internal/app/member"
)

// Sizes and bars of the design.
const (
	manyEvents   = 100_000
	missedEvents = 1000

	maxDescriptors = 16 // that members publish meanwhile

	maxLearnBytes = 40 // per difference, before padding
	maxLearnTrips = 2

	// coldCPU is what fetching manyEvents may cost the newcomer: the design's 15 s
	// of a core, three times over, since CI's cores are slow and shared.
	coldCPU = 45 * time.Second
)

// filling is how long moving a hundred thousand events may take on a machine that
// does other things too.
const filling = 4 * time.Minute

// Three members have a hundred thousand events, each of which one of them was told.
// One is killed, a thousand events happen meanwhile, and it catches up for the bytes
// and round trips that the design allows. A fourth one fetches everything.
func TestMeshScale(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("SKIP TestMeshScale: the CPU time of other processes is read on Linux only")
	}
	w := newWatchers(t, "--mode", "closed", "--quota", unlimited)
	w.join("a", "b")
	w.join("a", "c")
	w.members(3, "a", "b", "c")

	authors := make(map[string]*author)
	for _, name := range []string{"a", "b", "c"} {
		authors[name] = newAuthor(t, w.dir(name))
	}
	began := time.Now()
	told := 0
	for i, name := range []string{"a", "b", "c"} {
		n := manyEvents*(i+1)/3 - told
		w.imports(name, authors[name].write(t, n))
		told += n
	}
	t.Logf("%d events signed and imported in %.1f s", told, time.Since(began).Seconds())
	began = time.Now()
	call(t, "observer", "sync", "--data", w.dir("a"))
	call(t, "observer", "sync", "--data", w.dir("b"))
	w.hold(filling, manyEvents, "a", "b", "c")
	t.Logf("three members have them after %.1f s more", time.Since(began).Seconds())
	w.same(manyEvents, "a", "b", "c")

	w.kill("c")
	w.imports("a", authors["a"].write(t, missedEvents/2))
	w.imports("b", authors["b"].write(t, missedEvents/2))
	call(t, "observer", "sync", "--data", w.dir("a"))
	w.hold(patience, manyEvents+missedEvents, "a", "b")
	began = time.Now()
	w.level = "debug" // which says what each session cost
	w.serve("c")
	w.hold(longest, manyEvents+missedEvents, "c")
	t.Logf("killed, c has what it missed %.1f s after its start", time.Since(began).Seconds())
	w.same(manyEvents+missedEvents, "a", "b", "c")
	eventually(t, patience, "c has said how it caught up", func() error { return w.caughtUp("c") })

	w.join("a", "d")
	began = time.Now()
	w.hold(filling, manyEvents+missedEvents, "d")
	took, cpu := time.Since(began), w.cpu("d")
	var s member.SyncStatus
	eventually(t, longest, "d ends its sessions, whose bytes are counted then", func() error {
		if s = w.status("d").Sync; s.Outbound+s.Inbound > 0 {
			return fmt.Errorf("%d run", s.Outbound+s.Inbound)
		}
		return nil
	})
	t.Logf("cold: %d events fetched into an empty member in %.1f s with %.1f s of CPU, %d KiB in, %d sessions (bar: 15 s of a core)",
		manyEvents+missedEvents, took.Seconds(), cpu.Seconds(), s.BytesIn>>10, s.Sessions)
	if cpu > coldCPU {
		t.Errorf("fetching %d events took %v of CPU, want at most %v", manyEvents+missedEvents, cpu, coldCPU)
	}
	w.same(manyEvents+missedEvents, "a", "d")
	w.whole(manyEvents+missedEvents, "a", "b", "c", "d")
}

// caughtUp looks at the sessions of an observer in which it found that it had
// missed something, of which there must be one.
func (w *watchers) caughtUp(name string) error {
	found := false
	for _, s := range w.sessions(name) {
		// The one who answers does not count trips. Descriptors may have been missed too.
		if s.Theirs < missedEvents || s.Theirs > missedEvents+maxDescriptors || s.LearnTrips == 0 {
			continue
		}
		found = true
		each := float64(s.Learn) / float64(s.Theirs+s.Ours)
		w.t.Logf("catch-up: %d events missed of %d, learnt by %s in %d round trips and %.1f B each before padding (bars: %d, %d B); bodies and all: %d KiB, %d round trips, %d added",
			s.Theirs, manyEvents, s.Mode, s.LearnTrips, each, maxLearnTrips, maxLearnBytes, s.Bytes>>10, s.RoundTrips, s.Added)
		if each > maxLearnBytes || s.LearnTrips > maxLearnTrips {
			w.t.Errorf("catching up took %d round trips and %.1f B each", s.LearnTrips, each)
		}
	}
	if !found {
		return errors.New(fmt.Sprint("no session found ", missedEvents, " events: ", w.sessions(name)))
	}
	return nil
}
