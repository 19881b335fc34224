package store_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/culvert-net/culvert/internal/kv"
	"github.com/culvert-net/culvert/internal/kv/bolt"
	"github.com/culvert-net/culvert/internal/kv/kvtest"
	"github.com/culvert-net/culvert/ledger/store"
)

// asKV is a store with the methods of what it lies on, so that it can be held
// to the same contract.
type asKV struct {
	*store.Store
	below kv.Store
}

func (s asKV) Update(ctx context.Context, f func(kv.Tx) error) error { return s.Do(ctx, f) }

func (s asKV) Close() error {
	if err := s.Store.Close(); err != nil {
		return err
	}
	return s.below.Close()
}

// open opens the store of a place, on a file.
func open(t testing.TB, place string) asKV { t.Helper(); return openAt(t, place, false) }

// openAt opens the store in the file db of a directory, with the second file
// beside it.
func openAt(t testing.TB, dir string, join bool) asKV {
	t.Helper()
	below := openFile(t, dir)
	s, err := store.Open(context.Background(), below, store.Config{Generation: filepath.Join(dir, "file"), Join: join})
	if err != nil {
		t.Fatal(err)
	}
	return asKV{s, below}
}

func openFile(t testing.TB, dir string) kv.Store {
	t.Helper()
	return openPath(t, filepath.Join(dir, "db"))
}

func openPath(t testing.TB, path string) kv.Store {
	t.Helper()
	s, err := bolt.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestConformance(t *testing.T) {
	kvtest.Run(t, func(t *testing.T, place string) kv.Store { return open(t, place) })
}
