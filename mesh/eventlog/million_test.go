//go:build linux

package eventlog

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/culvert-net/culvert/mesh/event"
	"github.com/culvert-net/culvert/mesh/world"
)

// `make bench-log` sets the first: how many epochs a million events are spread
// over. The second says where the process it measures finds them.
const (
	epochsOfMillion = "CULVERT_LOG_MILLION"
	placeOfMillion  = "CULVERT_LOG_MILLION_PLACE"
)

const million = 1_000_000

// maxAnon is what a node with a million events may hold beside the pages of its
// file, which the system takes back when it needs them.
const maxAnon = 150 << 10 // KiB

func millionWorld(tb testing.TB) *world.World {
	return testWorld(tb, terms{quota: 1 << 20, horizon: 14 * 24 * time.Hour})
}

// A million events are written, and then read by a process of its own, whose
// memory is that of a node that just started.
func TestMillion(t *testing.T) {
	epochs, err := strconv.Atoi(os.Getenv(epochsOfMillion))
	if err != nil || epochs < 1 {
		return // not asked for: it takes minutes
	}
	w := millionWorld(t)
	path := filepath.Join(t.TempDir(), "log.db")
	l := open(t, path, Config{World: w})
	now := midOf(w, someEpoch)
	var writing time.Duration
	for from := 0; from < million; from += groupEvents {
		batch := make([]*event.Event, min(groupEvents, million-from))
		var wg sync.WaitGroup
		for core := range runtime.GOMAXPROCS(0) {
			wg.Go(func() {
				for i := core; i < len(batch); i += runtime.GOMAXPROCS(0) {
					n := from + i
					batch[i] = receipt(t, w, someEpoch-uint64(epochs-1)+uint64(n*epochs/million), n%100, n)
				}
			})
		}
		wg.Wait()
		start := time.Now()
		add(t, l, now, batch...)
		writing += time.Since(start)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d events in %d epochs: %d MiB, %.0f events/s written without verification, RssAnon %d MiB",
		million, epochs, info.Size()>>20, million/writing.Seconds(), anon(t)>>10)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestMillionChild$", "-test.v")
	cmd.Env = append(os.Environ(), placeOfMillion+"="+path)
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Fatal(err)
	}
}

// The process that TestMillion measures. It is no test by itself.
func TestMillionChild(t *testing.T) {
	path := os.Getenv(placeOfMillion)
	if path == "" {
		return
	}
	w := millionWorld(t)
	now := midOf(w, someEpoch)
	timed := func(what string, f func() int) {
		t.Helper()
		start := time.Now()
		n := f()
		t.Logf("%-28s %8d in %8.1f ms, RssAnon %d MiB", what, n, float64(time.Since(start).Microseconds())/1000, anon(t)>>10)
		if kib := anon(t); kib > maxAnon {
			t.Errorf("%s: RssAnon is %d KiB, more than %d", what, kib, maxAnon)
		}
	}
	fail := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	var l *Log
	timed("open", func() int {
		l = open(t, path, Config{World: w})
		return 1
	})
	infos, err := l.Epochs()
	fail(err)
	timed("heads of all epochs", func() int {
		infos, err := l.Epochs()
		fail(err)
		return len(infos)
	})
	timed("ids of all epochs", func() (n int) {
		for _, x := range infos {
			fail(l.IDs(x.Epoch, func(world.Hash) bool { n++; return true }))
		}
		return n
	})
	timed("newest 1,000 events", func() (n int) {
		fail(l.Scan(Filter{Newest: true, Limit: 1000}, func(*event.Event, Meta) error { n++; return nil }))
		return n
	})
	timed("events of one author", func() (n int) {
		author := public(7)
		fail(l.Scan(Filter{Author: &author}, func(*event.Event, Meta) error { n++; return nil }))
		return n
	})
	timed("add 10,240 to one epoch", func() (n int) {
		for n < 10*groupEvents {
			batch := make([]*event.Event, groupEvents)
			for i := range batch {
				batch[i] = receipt(t, w, someEpoch, i%100, million+n+i)
			}
			add(t, l, now, batch...)
			n += len(batch)
		}
		return n
	})
	timed("count everything anew", func() int {
		whole(t, l)
		return million
	})
	timed("drop half", func() int {
		n, err := l.Prune(now.Add(7 * 24 * time.Hour))
		fail(err)
		return n
	})
}

// anon is the memory of this process that no file stands behind, in KiB.
func anon(tb testing.TB) (kib int) {
	tb.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		tb.Fatal(err)
	}
	m := regexp.MustCompile(`RssAnon:\s+(\d+) kB`).FindSubmatch(status)
	if m == nil {
		tb.Fatal("no RssAnon")
	}
	if _, err := fmt.Sscan(string(m[1]), &kib); err != nil {
		tb.Fatal(err)
	}
	return kib
}
