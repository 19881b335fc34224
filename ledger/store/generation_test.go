package store_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/culvert-net/culvert/ledger/store"
)

// copyFile puts what stands in one file into another.
func copyFile(t *testing.T, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// Which store is taken for an older copy of itself. Each row begins with a store
// that holds two writes, of which a copy was made after the first; "db" is the
// store, "file" the second file.
func TestRestored(t *testing.T) {
	for _, tt := range []struct {
		name string
		do   func(t *testing.T, dir string)
		join bool
		want bool
	}{
		{"nothing happened", func(*testing.T, string) {}, false, false},
		{"first start", func(t *testing.T, dir string) {
			remove(t, dir, "db")
			remove(t, dir, "file")
		}, false, false},
		{"the store is the copy", func(t *testing.T, dir string) { copyFile(t, dir+"/db.copy", dir+"/db") }, false, true},
		{"the store is gone", func(t *testing.T, dir string) { remove(t, dir, "db") }, false, true},
		{"the file is the copy, as after a loss of power", func(t *testing.T, dir string) { copyFile(t, dir+"/file.copy", dir+"/file") }, false, false},
		{"the file is gone", func(t *testing.T, dir string) { remove(t, dir, "file") }, false, true},
		{"the file is gone, and the store is said to be current", func(t *testing.T, dir string) { remove(t, dir, "file") }, true, false},
		{"the store is the copy, and said to be current", func(t *testing.T, dir string) { copyFile(t, dir+"/db.copy", dir+"/db") }, true, true},
		{"the store is the copy, and the file is gone", func(t *testing.T, dir string) {
			copyFile(t, dir+"/db.copy", dir+"/db")
			remove(t, dir, "file")
		}, false, true},
		{"both are of other moments", func(t *testing.T, dir string) {
			copyFile(t, dir+"/file", dir+"/file.later")
			copyFile(t, dir+"/db.copy", dir+"/db")
			copyFile(t, dir+"/file.later", dir+"/file")
		}, false, true},
		// What no file on the same disk can show: others have to.
		{"both are the copy", func(t *testing.T, dir string) {
			copyFile(t, dir+"/db.copy", dir+"/db")
			copyFile(t, dir+"/file.copy", dir+"/file")
		}, false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			for _, n := range []string{"1", "2"} {
				s := openAt(t, dir, false)
				put(t, s, "a", n, n)
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
				if n == "1" {
					copyFile(t, dir+"/db", dir+"/db.copy")
					copyFile(t, dir+"/file", dir+"/file.copy")
				}
			}
			tt.do(t, dir)
			s := openAt(t, dir, tt.join)
			if got := s.Restored(); got != tt.want {
				t.Fatalf("Restored = %t, want %t", got, tt.want)
			}
			if !tt.want {
				return
			}
			// It stays so until it is settled, whatever is written.
			put(t, s, "a", "3", "3")
			s = reopen(t, s, dir)
			if !s.Restored() {
				t.Error("a restored store that nobody settled is current when it is opened again")
			}
			if err := s.Settle(t.Context()); err != nil || s.Restored() {
				t.Errorf("Settle = %v, and Restored = %t", err, s.Restored())
			}
			if s = reopen(t, s, dir); s.Restored() {
				t.Error("a settled store is restored when it is opened again")
			}
		})
	}
}

func remove(t *testing.T, dir, name string) {
	t.Helper()
	if err := os.Remove(filepath.Join(dir, name)); err != nil {
		t.Fatal(err)
	}
}

func reopen(t *testing.T, s asKV, dir string) asKV {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return openAt(t, dir, false)
}

// A process that is killed after any of its writes opens a store that is not
// restored: the file follows the store, and is never before it.
func TestFileFollows(t *testing.T) {
	dir := t.TempDir()
	s := openAt(t, dir, false)
	for range 20 {
		put(t, s, "a", "k", "v")
		copyFile(t, dir+"/file", dir+"/file.copy")
		err := s.Do(t.Context(), func(store.Tx) error { return nil }) // writes nothing
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if a, _ := os.ReadFile(dir + "/file"); string(a) != string(mustRead(t, dir+"/file.copy")) {
		t.Errorf("the file says %q after a group that wrote nothing", a)
	}
	copyFile(t, dir+"/file.copy", dir+"/file")
	if s = openAt(t, dir, false); s.Restored() {
		t.Error("restored")
	}
}

func mustRead(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A file that says something else is not believed, and the error says what to
// do.
func TestBadGenerationFile(t *testing.T) {
	dir := t.TempDir()
	s := openAt(t, dir, false)
	put(t, s, "a", "k", "v")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	good := mustRead(t, dir+"/file")
	below := openFile(t, dir)
	defer below.Close()
	for i := range good {
		bad := append([]byte(nil), good...)
		bad[i] ^= 1
		for _, b := range [][]byte{bad, good[:i], append(good[:len(good):len(good)], good[:i+1]...)} {
			if err := os.WriteFile(dir+"/file", b, 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := store.Open(t.Context(), below, store.Config{Generation: dir + "/file"}); err == nil {
				t.Fatalf("opened with a file of %q", b)
			}
		}
	}
}

// A store that goes back while it is open, as when a database fails over to a
// replica that had not got all of it, is not trusted with anything more.
func TestRestoredWhileOpen(t *testing.T) {
	dir := t.TempDir()
	below := openFile(t, dir)
	defer below.Close()
	switched := &broken{Store: below}
	s, err := store.Open(t.Context(), switched, store.Config{Generation: dir + "/file"})
	if err != nil {
		t.Fatal(err)
	}
	put(t, asKV{s, nil}, "a", "1", "")
	copyFile(t, dir+"/db", dir+"/old.db") // nobody writes
	put(t, asKV{s, nil}, "a", "2", "")
	old := openPath(t, dir+"/old.db")
	defer old.Close()
	switched.Store = old
	ran := false
	f := func(store.Tx) error { ran = true; return nil }
	for range 2 {
		if err := s.Do(t.Context(), f); !errors.Is(err, store.ErrRestored) || ran {
			t.Errorf("Do = %v (f has run: %t), want ErrRestored", err, ran)
		}
	}
	if err := s.View(t.Context(), f); !errors.Is(err, store.ErrRestored) || ran {
		t.Errorf("View = %v (f has run: %t), want ErrRestored", err, ran)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s, err = store.Open(t.Context(), old, store.Config{Generation: dir + "/file"})
	if err != nil || !s.Restored() {
		t.Errorf("opened again: %v, restored: %t", err, s.Restored())
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// A second gateway that finds the shared store restored stops the first, which
// does not know.
func TestRestoredBesideOthers(t *testing.T) {
	dir := t.TempDir()
	below := openFile(t, dir)
	defer below.Close()
	openWith := func(file string, join bool) asKV {
		t.Helper()
		s, err := store.Open(t.Context(), below, store.Config{Generation: filepath.Join(dir, file), Join: join})
		if err != nil {
			t.Fatal(err)
		}
		return asKV{s, nil}
	}
	a := openWith("a", false)
	put(t, a, "a", "k", "v")
	b := openWith("b", true)
	if b.Restored() {
		t.Fatal("one that joins is restored")
	}
	put(t, b, "a", "k", "w")
	put(t, a, "a", "k", "x")
	c := openWith("c", false) // without a file, and not said to join
	if !c.Restored() {
		t.Fatal("a store without its file is current")
	}
	nothing := func(store.Tx) error { return nil }
	if err := a.Do(t.Context(), nothing); !errors.Is(err, store.ErrRestored) {
		t.Errorf("Do of one who was there before = %v, want ErrRestored", err)
	}
	d := openWith("d", true)
	if !d.Restored() {
		t.Error("one that joins before it was settled is not told")
	}
	if err := errors.Join(c.Do(context.Background(), nothing), c.Settle(t.Context()), d.Do(t.Context(), nothing)); err != nil {
		t.Errorf("those who know: %v", err)
	}
	for _, s := range []asKV{a, b, c, d} {
		if err := s.Store.Close(); err != nil {
			t.Error(err)
		}
	}
	if a = openWith("a", false); a.Restored() {
		t.Error("restored after it was settled")
	}
	if err := a.Store.Close(); err != nil {
		t.Error(err)
	}
}
