package eventlog

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"go.etcd.io/bbolt"

	"github.com/culvert-net/culvert/mesh/event"
	"github.com/culvert-net/culvert/mesh/world"
)

// sector is the least that a disk writes whole.
const sector = 512

// A transaction writes its pages, flushes, writes one page that points to them
// (one of the first two of the file), and flushes. Whatever a power failure
// leaves of the first, and wherever it cuts the second, the log opens, is whole,
// and is as it was before or after.
func TestTornWrites(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	w := testWorld(t, terms{quota: 1000})
	now := midOf(w, someEpoch)
	receipts := func(author int) (events []*event.Event) {
		for n := range 120 {
			events = append(events, receipt(t, w, someEpoch-uint64(n%3), author, n))
		}
		return events
	}
	for name, change := range map[string]func(*Log) error{
		"add": func(l *Log) error {
			add(t, l, now, receipts(1)...)
			return nil
		},
		"seal": func(l *Log) error { return l.SetSeal(someEpoch, []byte("seal"), make([]world.Hash, 1)) },
		"prune": func(l *Log) error {
			_, err := l.pruneOne(w.EpochStart(someEpoch + 5))
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "log.db")
			stage := func(f func(*Log) error) state {
				t.Helper()
				l := open(t, path, Config{World: w})
				if err := f(l); err != nil {
					t.Fatal(err)
				}
				infos := infosOf(t, l)
				if err := l.Close(); err != nil {
					t.Fatal(err)
				}
				return state{infos, trimmed(t, path)}
			}
			before := stage(func(l *Log) error {
				for author := 2; author < 5; author++ { // so that there are free pages, too
					add(t, l, now, receipts(author)...)
				}
				return nil
			})
			after := stage(change)
			if slices.Equal(before.infos, after.infos) {
				t.Fatal("the change changed nothing")
			}
			try := func(what string, data []byte, want ...state) {
				t.Helper()
				path := filepath.Join(dir, "torn.db")
				if err := os.WriteFile(path, data, 0o600); err != nil {
					t.Fatal(err)
				}
				l, err := Open(path, Config{World: w})
				if err != nil {
					t.Fatalf("%s: %v", what, err)
				}
				defer l.Close()
				whole(t, l)
				got := infosOf(t, l)
				if !slices.ContainsFunc(want, func(s state) bool { return slices.Equal(s.infos, got) }) {
					t.Fatalf("%s: %+v, want what was before or after", what, got)
				}
			}
			for i := range 60 {
				try(fmt.Sprintf("pages in part, %d", i), tornPages(r, before.data, after.data), before)
			}
			page := os.Getpagesize()
			for cut := 0; cut <= page; cut += 8 {
				data := slices.Clone(after.data)
				copy(data, before.data[:2*page])
				for meta := range 2 {
					at := meta * page
					copy(data[at:at+cut], after.data[at:])
				}
				try(fmt.Sprintf("pointer cut at %d", cut), data, before, after)
				if cut == 128 {
					cut = page - 8
				}
			}
		})
	}
}

// state is what a log says, and its file.
type state struct {
	infos []EpochInfo
	data  []byte
}

func infosOf(tb testing.TB, l *Log) []EpochInfo {
	tb.Helper()
	infos, err := l.Epochs()
	if err != nil {
		tb.Fatal(err)
	}
	return infos
}

// trimmed is a file without the hole at its end.
func trimmed(tb testing.TB, path string) []byte {
	tb.Helper()
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		tb.Fatal(err)
	}
	size := 0
	err = db.View(func(tx *bbolt.Tx) error {
		size = int(tx.Size())
		return nil
	})
	data, readErr := os.ReadFile(path)
	if err := errors.Join(err, readErr, db.Close()); err != nil {
		tb.Fatal(err)
	}
	return data[:size]
}

// tornPages is a file of which some pages have been written anew, some of them
// in part, and the pointer not yet.
func tornPages(r *rand.Rand, before, after []byte) []byte {
	page := os.Getpagesize()
	data := slices.Clone(before)
	if n := len(after) - len(data); n > 0 && r.IntN(4) > 0 {
		data = append(data, make([]byte, n)...)
	}
	for at := 2 * page; at < min(len(data), len(after)); at += page {
		end := min(at+page, len(after), len(data))
		if bytes.Equal(data[at:end], after[at:end]) {
			continue
		}
		for from := at; from < end; from += sector {
			if r.IntN(3) > 0 {
				copy(data[from:min(from+sector, end)], after[from:])
			}
		}
	}
	return data
}
