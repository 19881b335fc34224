package kvtest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/culvert-net/culvert/internal/kv"
)

// againstMap does the same random things to the store and to a map.
func againstMap(t *testing.T, s kv.Store) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	undo := errors.New("undo")
	model := map[string]string{}
	for range 60 {
		next := maps.Clone(model)
		err := s.Update(context.Background(), func(tx kv.Tx) error {
			for range r.IntN(40) {
				key := fmt.Sprintf("%x", r.IntN(200))
				if r.IntN(3) == 0 {
					delete(next, key)
					if err := tx.Delete("a", []byte(key)); err != nil {
						return err
					}
					continue
				}
				next[key] = strings.Repeat("v", r.IntN(300))
				if err := tx.Put("a", []byte(key), []byte(next[key])); err != nil {
					return err
				}
			}
			if r.IntN(4) == 0 {
				return undo
			}
			return nil
		})
		switch {
		case err == nil:
			model = next
		case !errors.Is(err, undo):
			t.Fatalf("seed %d: Update = %v", seed, err)
		}
		got := map[string]string{}
		var sorted []string
		view(t, s, func(tx kv.Tx) error {
			return tx.Scan("a", nil, func(key, value []byte) error {
				got[string(key)] = string(value)
				sorted = append(sorted, string(key))
				return nil
			})
		})
		if !maps.Equal(got, model) || !slices.IsSorted(sorted) {
			t.Fatalf("seed %d: the store has %d keys, the model %d, or they differ", seed, len(got), len(model))
		}
	}
}
