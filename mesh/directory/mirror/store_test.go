package mirror

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/culvert-net/culvert/mesh/directory/bundle"
	"github.com/culvert-net/culvert/mesh/directory/dirtest"
	"github.com/culvert-net/culvert/mesh/quorum"
	"github.com/culvert-net/culvert/mesh/sealed"
	"github.com/culvert-net/culvert/mesh/world"
)

func testWorld(t testing.TB) *dirtest.World { return dirtest.New(t, 5*time.Minute, 2, 3) }

func open(t testing.TB, w *dirtest.World, dir string) *Store {
	t.Helper()
	s, err := Open(Config{World: w.World, Quorum: w.Quorum, Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// chain makes the bundles of n epochs from first on, each with one relay more.
func chain(t testing.TB, w *dirtest.World, first uint64, n int) (all []*bundle.Bundle) {
	t.Helper()
	var previous world.Hash
	for i := range n {
		epoch := first + uint64(i)
		b := w.Bundle(t, epoch, previous, w.Relays(t, i+1, epoch), 0, 1)
		previous = b.Root.ID()
		all = append(all, b)
	}
	return all
}

func TestStore(t *testing.T) {
	w := testWorld(t)
	dir := t.TempDir()
	s := open(t, w, dir)
	if s.Newest() != nil || s.Highest() != nil || s.Forked() != nil {
		t.Error("a new store has something")
	}
	all := chain(t, w, 100, keep+2)
	for _, b := range all {
		updated := s.Updated()
		if err := s.Put(b); err != nil {
			t.Fatal(err)
		}
		select {
		case <-updated:
		default:
			t.Error("nobody was told of a new bundle")
		}
	}
	newest := all[len(all)-1]
	for range 2 { // the second time after a restart
		if s.Newest().Root.ID() != newest.Root.ID() || s.Highest().Epoch != newest.Root.Epoch || len(s.Roots()) != keep {
			t.Errorf("newest %v, highest %v, %d roots", s.Newest().Root.Epoch, s.Highest().Epoch, len(s.Roots()))
		}
		if s.Find(all[2].Root.ID()) == nil || s.Find(all[1].Root.ID()) != nil {
			t.Error("not the newest few are kept")
		}
		if err := s.Put(all[3]); !errors.Is(err, ErrLower) {
			t.Errorf("an older bundle: %v, want ErrLower", err)
		}
		if err := s.Put(newest); err != nil {
			t.Errorf("the same again: %v", err)
		}
		s = open(t, w, dir)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) != keep+1 {
		t.Errorf("files %v, %v", files, err)
	}
	for _, f := range files {
		if info, err := os.Stat(f); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v, %v", f, info.Mode(), err)
		}
	}
	for name, b := range map[string]*bundle.Bundle{
		"too few": w.Bundle(t, 200, world.Hash{}, w.Relays(t, 1, 200), 1),
		"no one":  w.Bundle(t, 200, world.Hash{}, w.Relays(t, 1, 200)),
	} {
		if err := s.Put(b); !errors.Is(err, quorum.ErrTooFew) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Two roots of one epoch: proof is on disk before anybody is told, and nothing
// is believed any more, whatever is restarted.
func TestFork(t *testing.T) {
	w := testWorld(t)
	a := w.Bundle(t, 100, world.Hash{}, w.Relays(t, 1, 100), 0, 1)
	b := w.Bundle(t, 100, world.Hash{}, w.Relays(t, 2, 100), 1, 2)
	next := w.Bundle(t, 101, a.Root.ID(), w.Relays(t, 3, 101), 0, 1)
	for name, fork := range map[string]func(*Store) error{
		"a bundle": func(s *Store) error { return s.Put(b) },
		"a root":   func(s *Store) error { return s.Saw(b.Root) },
		"a root, before": func(s *Store) error {
			return errors.Join(s.Saw(w.Bundle(t, 99, world.Hash{}, nil, 0, 1).Root), s.Saw(b.Root))
		},
		"somebody's proof": func(s *Store) error {
			if err := s.Accuse(quorum.NewContradiction(a.Root.Signed(), b.Root.Signed())); err != nil {
				return err
			}
			return ErrForked
		},
	} {
		dir := t.TempDir()
		s := open(t, w, dir)
		if err := s.Put(a); err != nil {
			t.Fatal(err)
		}
		if err := fork(s); !errors.Is(err, ErrForked) {
			t.Errorf("%s: %v, want ErrForked", name, err)
		}
		for range 2 { // the second time after a restart
			err := s.Forked()
			if err == nil || !strings.Contains(err.Error(), "epoch 100") || !strings.Contains(err.Error(), world.Hash(w.Quorum.Signers[0]).Short()) &&
				!strings.Contains(err.Error(), world.Hash(w.Quorum.Signers[1]).Short()) && !strings.Contains(err.Error(), world.Hash(w.Quorum.Signers[2]).Short()) {
				t.Errorf("%s: %v, want the epoch and who signed both", name, err)
			}
			if err := s.Put(next); !errors.Is(err, ErrForked) {
				t.Errorf("%s: the next bundle: %v, want ErrForked", name, err)
			}
			s = open(t, w, dir)
		}
	}
	s := open(t, w, t.TempDir())
	if err := s.Accuse(quorum.NewContradiction(a.Root.Signed(), next.Root.Signed())); !errors.Is(err, quorum.ErrNoContradiction) {
		t.Errorf("a proof of nothing: %v", err)
	}
	if s.Forked() != nil {
		t.Error("a proof of nothing convinced it")
	}
}

// After a restart a root of the epoch seen last is compared with that one, even
// if its bundle never came.
func TestHighestSurvives(t *testing.T) {
	w := testWorld(t)
	dir := t.TempDir()
	s := open(t, w, dir)
	a := w.Bundle(t, 100, world.Hash{}, w.Relays(t, 1, 100), 0, 1)
	b := w.Bundle(t, 100, world.Hash{}, w.Relays(t, 2, 100), 1, 2)
	if err := errors.Join(s.Saw(a.Root), s.Believe(a.Root)); err != nil {
		t.Fatal(err)
	}
	s = open(t, w, dir)
	if err := s.Put(w.Bundle(t, 99, world.Hash{}, nil, 0, 1)); !errors.Is(err, ErrLower) {
		t.Errorf("an older one: %v", err)
	}
	if err := s.Put(b); !errors.Is(err, ErrForked) {
		t.Errorf("another one: %v", err)
	}
}

func TestDamagedFiles(t *testing.T) {
	w := testWorld(t)
	dir := t.TempDir()
	s := open(t, w, dir)
	for _, b := range chain(t, w, 100, 2) {
		if err := s.Put(b); err != nil {
			t.Fatal(err)
		}
	}
	path := s.path(101)
	if err := os.WriteFile(path, []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := sealed.Write(s.path(102), bundleMagic, w.ID, w.Bundle(t, 102, world.Hash{}, nil, 0).Encode()); err != nil {
		t.Fatal(err) // one that too few signed
	}
	s = open(t, w, dir)
	if s.Newest().Root.Epoch != 100 || s.Highest().Epoch != 101 {
		t.Errorf("newest %d, highest %d, want what is not damaged", s.Newest().Root.Epoch, s.Highest().Epoch)
	}
	if err := os.WriteFile(filepath.Join(dir, seenFile), []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(Config{World: w.World, Quorum: w.Quorum, Dir: dir}); err == nil || !strings.Contains(err.Error(), seenFile) {
		t.Errorf("a damaged %s: %v", seenFile, err)
	}
	if _, err := Open(Config{World: w.World}); err == nil {
		t.Error("a store of a world without signers opens")
	}
}
