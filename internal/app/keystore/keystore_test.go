package keystore

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/culvert-net/culvert/api/keys"
	"github.com/culvert-net/culvert/internal/kv"
	"github.com/culvert-net/culvert/internal/kv/bolt"
)

func openFile(t *testing.T, path string) kv.Store {
	t.Helper()
	s, err := bolt.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func ring(t *testing.T, s kv.Store) *keys.Ring {
	t.Helper()
	store, err := New(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	r, err := keys.Open(t.Context(), store, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Keys and what they have used are there again.
func TestRestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), File)
	s := openFile(t, path)
	r := ring(t, s)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	text, _, err := r.Add(t.Context(), "a", keys.Rules{Requests: keys.Limit{Month: 2}})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := r.Add(t.Context(), "b", keys.Rules{}); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Revoke(t.Context(), "b"); err != nil {
		t.Fatal(err)
	}
	g, err := r.Find(text)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.Admit(); err != nil {
		t.Fatal(err)
	}
	stop()
	if err := errors.Join(<-done, s.Close()); err != nil {
		t.Fatal(err)
	}
	r = ring(t, openFile(t, path))
	if g, err = r.Find(text); err != nil {
		t.Fatal(err)
	}
	if states, err := g.Admit(); err != nil || states[0].Remaining != 0 {
		t.Errorf("the second request = %+v, %v; want it to be the last", states, err)
	}
	for _, l := range r.List() {
		if (l.Name == "b") == l.Revoked.IsZero() {
			t.Errorf("%s is revoked at %v", l.Name, l.Revoked)
		}
	}
}

func TestRefused(t *testing.T) {
	for _, tt := range []struct {
		name, bucket, key, value string
		want                     error
	}{
		{"later format", bucketMeta, "format", "2", ErrNewer},
		{"format that is none", bucketMeta, "format", "one", kv.ErrDamaged},
		{"record", bucketKeys, "key_a", "{}", kv.ErrDamaged},
		{"usage", bucketUsage, "key_a", "1", kv.ErrDamaged},
	} {
		s := openFile(t, filepath.Join(t.TempDir(), File))
		ring(t, s)
		err := s.Update(t.Context(), func(tx kv.Tx) error { return tx.Put(tt.bucket, []byte(tt.key), []byte(tt.value)) })
		if err != nil {
			t.Fatal(err)
		}
		store, err := New(t.Context(), s)
		if err == nil {
			_, _, err = store.Load(t.Context())
		}
		if !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
}

// A file that was written by the first version that had keys can be read by
// every later one. It is written anew by GOLDEN=write, once for each format.
func TestGolden(t *testing.T) {
	const golden, key = "testdata/format1.db", "sk-culvert-testdata"
	if os.Getenv("GOLDEN") == "write" {
		s := openFile(t, golden)
		store, err := New(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		r := keys.Record{Digest: keys.Digest{1, 2, 3}, Key: keys.Key{
			ID: "key_golden", Name: "golden", Hint: key[len(key)-4:], Created: time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC),
			Rules: keys.Rules{
				Models: []string{"m", "llama*"}, Isolation: keys.ByKey, Expires: time.Date(2126, 1, 1, 0, 0, 0, 0, time.UTC),
				Requests: keys.Limit{Minute: 1, Day: 2, Month: 3}, Tokens: keys.Limit{Minute: 4, Day: 5, Month: 6},
			},
		}}
		used := map[string]keys.Usage{r.ID: {{Window: 7, Requests: 8, Tokens: 9}, {}, {Window: 10, Tokens: 11}}}
		if err := errors.Join(store.SaveKey(t.Context(), &r), store.SaveUsage(t.Context(), used), s.Close()); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), File) // opening changes a file
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	store, err := New(t.Context(), openFile(t, path))
	if err != nil {
		t.Fatal(err)
	}
	all, used, err := store.Load(t.Context())
	if err != nil || len(all) != 1 {
		t.Fatalf("Load = %d keys, %v", len(all), err)
	}
	k, u := all[0], used["key_golden"]
	if k.Name != "golden" || k.Digest != (keys.Digest{1, 2, 3}) || k.Models[1] != "llama*" || k.Isolation != keys.ByKey || k.Expires.Year() != 2126 ||
		k.Requests != (keys.Limit{Minute: 1, Day: 2, Month: 3}) || k.Tokens != (keys.Limit{Minute: 4, Day: 5, Month: 6}) || !k.Revoked.IsZero() {
		t.Errorf("the key = %+v", k)
	}
	if u[0] != (keys.Used{Window: 7, Requests: 8, Tokens: 9}) || u[2] != (keys.Used{Window: 10, Tokens: 11}) {
		t.Errorf("its usage = %+v", u)
	}
}
