//go:build postgres

package store_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"github.com/culvert-net/culvert/internal/kv"
	"github.com/culvert-net/culvert/internal/kv/kvtest"
	"github.com/culvert-net/culvert/internal/kv/postgres"
	"github.com/culvert-net/culvert/internal/kv/postgres/pgtest"
	"github.com/culvert-net/culvert/ledger/store"
)

// openGateway opens a place as one more gateway does, in a schema of its own.
func openGateway(t testing.TB, url, place string) asKV {
	t.Helper()
	below, err := postgres.Open(context.Background(), postgres.Config{URL: url, Name: fmt.Sprintf("t_%x", sha256.Sum256([]byte(place)))[:20]})
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.MkdirTemp(place, "gateway")
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(context.Background(), below, store.Config{Generation: filepath.Join(file, "file"), Join: true})
	if err != nil {
		t.Fatal(err)
	}
	return asKV{s, below}
}

func TestPostgresConformance(t *testing.T) {
	server := pgtest.New(t)
	open := func(t *testing.T, place string) kv.Store { return openGateway(t, server.URL(), place) }
	kvtest.Run(t, open)
	t.Run("shared", func(t *testing.T) { kvtest.Shared(t, open) })
}

// When the server dies under two gateways whose many rounds write, what was
// acknowledged is there, and what got an error is not, unless it was said to be
// uncertain. They go on when it is back.
func TestPostgresServerKilled(t *testing.T) {
	server := pgtest.New(t)
	place := t.TempDir()
	gateways := []asKV{openGateway(t, server.URL(), place), openGateway(t, server.URL(), place)}
	const writers, each = 16, 150
	var mu sync.Mutex
	outcome := map[string]error{}
	var wg sync.WaitGroup
	half := make(chan bool, 1)
	for w := range writers {
		wg.Go(func() {
			for n := range each {
				key := fmt.Sprintf("%02d-%03d", w, n)
				err := gateways[w%2].Do(context.Background(), func(tx store.Tx) error { return tx.Put("a", []byte(key), nil) })
				mu.Lock()
				outcome[key] = err
				if len(outcome) == writers*each/2 {
					half <- true
				}
				mu.Unlock()
			}
		})
	}
	<-half
	server.End(t, syscall.SIGKILL)
	server.Start(t)
	wg.Wait()
	failed := 0
	there := map[string]bool{}
	err := gateways[0].View(t.Context(), func(tx store.Tx) error {
		return tx.Scan("a", nil, func(key, _ []byte) error { there[string(key)] = true; return nil })
	})
	if err != nil {
		t.Fatal(err)
	}
	for key, err := range outcome {
		switch {
		case err == nil && !there[key]:
			t.Errorf("%s was acknowledged, and is not there", key)
		case err != nil && !errors.Is(err, kv.ErrUncertain) && there[key]:
			t.Errorf("%s got an error (%v), and is there", key, err)
		case err != nil:
			failed++
		}
	}
	t.Logf("%d of %d writes failed", failed, len(outcome))
	for i, s := range gateways {
		put(t, s, "b", fmt.Sprint(i), "goes on")
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

func BenchmarkPostgresDo(b *testing.B) {
	server := pgtest.New(b)
	for _, callers := range []int{1, 16, 64, 256} {
		b.Run(fmt.Sprint(callers), func(b *testing.B) { benchDo(b, openGateway(b, server.URL(), b.TempDir()), callers) })
	}
}
