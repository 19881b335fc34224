//go:build unix

package eventlog

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/culvert-net/culvert/mesh/event"
	"github.com/culvert-net/culvert/mesh/world"
)

// limitOfChild is how large a file the process that TestFullDisk starts may
// write, in bytes.
const limitOfChild = "CULVERT_LOG_TEST_LIMIT"

// large is an event of 12 KiB.
func large(tb testing.TB, w *world.World, n int) *event.Event {
	tb.Helper()
	s := event.Shard{Place: event.Place{WorldID: w.ID, EpochID: someEpoch}, Source: fmt.Sprint(n), Payload: make([]byte, event.MaxPayload)}
	e, err := event.SignShard(key(0), s)
	if err != nil {
		tb.Fatal(err)
	}
	return e
}

// The process of TestFullDisk. It is no test by itself.
func TestFullDiskChild(t *testing.T) {
	place := os.Getenv(placeOfChild)
	if place == "" || os.Getenv(limitOfChild) == "" {
		return
	}
	w := testWorld(t, terms{quota: 1 << 20})
	now := midOf(w, someEpoch)
	l := open(t, place, Config{World: w})
	add(t, l, now, large(t, w, 0)) // so that the file has grown once
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
		t.Fatal(err)
	}
	limit := old
	if _, err := fmt.Sscan(os.Getenv(limitOfChild), &limit.Cur); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	n, failures := 1, 0
	for failures < 5 {
		var batch []*event.Event
		for range 1 + n%8 {
			batch = append(batch, large(t, w, n+len(batch)))
		}
		r, err := l.Add(context.Background(), batch, ViaPush, now)
		switch {
		case err == nil && r.Added == len(batch):
			n += len(batch)
			fmt.Println("added", n)
		case errors.Is(err, ErrNoRoom):
			failures++
			if got := whole(t, l); got.Events != uint64(n) {
				t.Fatalf("%d events after the disk was full, want %d", got.Events, n)
			}
		default:
			t.Fatalf("Add = %+v, %v; want ErrNoRoom when the disk is full", r, err)
		}
		if n > 4000 {
			t.Fatal("the disk is never full")
		}
	}
	// Somebody made room.
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
		t.Fatal(err)
	}
	add(t, l, now, large(t, w, n))
	fmt.Println("added", n+1)
}

// A disk that is full is an error that says so; the log can be read on, has all
// that was acknowledged, and takes events again when there is room. The limit is
// met once when the file grows, once when a page is written to where it has
// grown already.
func TestFullDisk(t *testing.T) {
	for name, limit := range map[string]int{"no room to grow": growth + growth/4, "no room to write": growth / 8} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "log.db")
			ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
			defer cancel()
			cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestFullDiskChild$")
			cmd.Env = append(os.Environ(), placeOfChild+"="+path, fmt.Sprintf("%s=%d", limitOfChild, limit))
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			n := 0
			for lines := bufio.NewScanner(strings.NewReader(string(out))); lines.Scan(); {
				_, _ = fmt.Sscanf(lines.Text(), "added %d", &n)
			}
			l := open(t, path, Config{World: testWorld(t, terms{quota: 1 << 20})})
			if got := whole(t, l); got.Events != uint64(n) || n < 10 {
				t.Errorf("%d events, want %d", got.Events, n)
			}
		})
	}
}
