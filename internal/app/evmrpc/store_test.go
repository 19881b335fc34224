package evmrpc

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/culvert-net/culvert/internal/kv"
	"github.com/culvert-net/culvert/internal/kv/bolt"
)

// memory is what a writer keeps.
type memory struct{ kv.Store }

func newStore(t *testing.T) memory {
	t.Helper()
	s, err := bolt.Open(filepath.Join(t.TempDir(), "ledger.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return memory{s}
}

func (m memory) Do(ctx context.Context, f func(kv.Tx) error) error { return m.Update(ctx, f) }
