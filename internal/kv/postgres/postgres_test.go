//go:build postgres

package postgres_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/culvert-net/culvert/internal/kv"
	"github.com/culvert-net/culvert/internal/kv/kvtest"
	"github.com/culvert-net/culvert/internal/kv/postgres"
	"github.com/culvert-net/culvert/internal/kv/postgres/pgtest"
)

// openAt opens the store that a place of the conformance suite stands for.
func openAt(t *testing.T, url, place string) kv.Store {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	s, err := postgres.Open(ctx, postgres.Config{URL: url, Name: fmt.Sprintf("t_%x", sha256.Sum256([]byte(place)))[:20]})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestConformance(t *testing.T) {
	s := pgtest.New(t)
	open := func(t *testing.T, place string) kv.Store { return openAt(t, s.URL(), place) }
	kvtest.Run(t, open)
	t.Run("shared", func(t *testing.T) { kvtest.Shared(t, open) })
}

// The place and the URL of the process that TestKilled kills.
const (
	placeOfChild = "CULVERT_KV_TEST_PLACE"
	urlOfChild   = "CULVERT_KV_TEST_URL"
)

// The process that TestKilled kills. It is no test by itself.
func TestKilledChild(t *testing.T) {
	place := os.Getenv(placeOfChild)
	if place == "" {
		return
	}
	s := openAt(t, os.Getenv(urlOfChild), place)
	if err := kvtest.Write(s, os.Stdout); err != nil {
		t.Fatal(err)
	}
}
