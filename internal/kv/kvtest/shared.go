package kvtest

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/culvert-net/culvert/internal/kv"
)

// Shared holds to its promise a store that several programs may have open: what
// one wrote the others see, and their Updates happen one after the other. One
// that only a single program may open refuses the second with kv.ErrLocked
// instead, and does not run this.
func Shared(t *testing.T, open Open) {
	place := t.TempDir()
	stores := []kv.Store{open(t, place), open(t, place), open(t, place)}
	put(t, stores[0], "a", "k", "v")
	want(t, "what another has written", get(t, stores[1], "a", "k"), "v")
	const each = 40
	var wg sync.WaitGroup
	for _, s := range stores {
		for range 2 {
			wg.Go(func() {
				for range each {
					err := s.Update(context.Background(), func(tx kv.Tx) error {
						// Two counters, so that none is only right by the lock of its row.
						a, err := number(tx, "a", "n")
						if err != nil {
							return err
						}
						b, err := number(tx, "b", "n")
						return errors.Join(err, setNumber(tx, "a", "n", b+1), setNumber(tx, "b", "n", a+1))
					})
					if err != nil {
						t.Errorf("Update = %v", err)
					}
				}
			})
		}
	}
	wg.Wait()
	view(t, stores[2], func(tx kv.Tx) error {
		for _, bucket := range []string{"a", "b"} {
			n, err := number(tx, bucket, "n")
			if err != nil {
				return err
			}
			want(t, "the counter in "+bucket, n, uint64(len(stores)*2*each))
		}
		return nil
	})
	if err := stores[0].Close(); err != nil {
		t.Errorf("Close = %v", err)
	}
	want(t, "a value after another program has gone", get(t, stores[1], "a", "k"), "v")
	for _, s := range stores[1:] {
		if err := s.Close(); err != nil {
			t.Errorf("Close = %v", err)
		}
	}
}
