package kvtest

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/culvert-net/culvert/internal/kv"
)

// Open opens the store of one place: what was written there before is there
// again.
type Open func(t *testing.T, place string) kv.Store

// Run holds a store to the contract of package kv.
func Run(t *testing.T, open Open) {
	for name, test := range map[string]func(*testing.T, kv.Store){
		"values":      values,
		"limits":      limits,
		"order":       order,
		"scanning":    scanning,
		"rollback":    rollback,
		"reading":     reading,
		"snapshot":    snapshot,
		"over":        over,
		"cancelled":   cancelled,
		"concurrency": concurrency,
		"against map": againstMap,
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, t.TempDir())
			defer s.Close()
			test(t, s)
		})
	}
	t.Run("reopened", func(t *testing.T) { reopened(t, open) })
}

func update(t *testing.T, s kv.Store, f func(kv.Tx) error) {
	t.Helper()
	if err := s.Update(context.Background(), f); err != nil {
		t.Fatalf("Update = %v", err)
	}
}

func view(t *testing.T, s kv.Store, f func(kv.Tx) error) {
	t.Helper()
	if err := s.View(context.Background(), f); err != nil {
		t.Fatalf("View = %v", err)
	}
}

func put(t *testing.T, s kv.Store, bucket, key, value string) {
	t.Helper()
	update(t, s, func(tx kv.Tx) error { return tx.Put(bucket, []byte(key), []byte(value)) })
}

// get is a value, or "-" if there is none.
func get(t *testing.T, s kv.Store, bucket, key string) (value string) {
	t.Helper()
	view(t, s, func(tx kv.Tx) error {
		v, err := tx.Get(bucket, []byte(key))
		value = string(v)
		if errors.Is(err, kv.ErrNotFound) {
			value, err = "-", nil
		}
		return err
	})
	return value
}

func want(t *testing.T, what string, got, want any) {
	t.Helper()
	if got != want {
		t.Errorf("%s = %v, want %v", what, got, want)
	}
}

func values(t *testing.T, s kv.Store) {
	want(t, "a key in no bucket", get(t, s, "a", "k"), "-")
	put(t, s, "a", "k", "1")
	want(t, "a key", get(t, s, "a", "k"), "1")
	want(t, "the key in another bucket", get(t, s, "b", "k"), "-")
	want(t, "another key", get(t, s, "a", "kk"), "-")
	put(t, s, "a", "k", "2")
	want(t, "a key that was set again", get(t, s, "a", "k"), "2")
	put(t, s, "a", "empty", "")
	want(t, "an empty value", get(t, s, "a", "empty"), "")
	put(t, s, "a", "\x00\xff", "\x00\xff")
	want(t, "bytes that are no text", get(t, s, "a", "\x00\xff"), "\x00\xff")

	update(t, s, func(tx kv.Tx) error {
		key, value := []byte("mine"), []byte("mine")
		if err := tx.Put("a", key, value); err != nil {
			return err
		}
		copy(key, "xxxx") // what Put took stays the caller's
		copy(value, "xxxx")
		v, err := tx.Get("a", []byte("mine"))
		want(t, "a value within the transaction that set it", string(v), "mine")
		copy(v, "yyyy") // and what Get gave is the caller's
		return err
	})
	want(t, "a value whose bytes were used again", get(t, s, "a", "mine"), "mine")

	update(t, s, func(tx kv.Tx) error {
		return errors.Join(tx.Delete("a", []byte("k")), tx.Delete("a", []byte("never")), tx.Delete("never", []byte("k")))
	})
	want(t, "a deleted key", get(t, s, "a", "k"), "-")

	var kept []byte
	view(t, s, func(tx kv.Tx) (err error) {
		kept, err = tx.Get("a", []byte("mine"))
		return err
	})
	for i := range 50 {
		put(t, s, "a", fmt.Sprint("filler", i), strings.Repeat("z", 1000))
	}
	want(t, "a value after its transaction", string(kept), "mine")
}

func limits(t *testing.T, s kv.Store) {
	long := strings.Repeat("k", kv.MaxKey)
	large := strings.Repeat("v", kv.MaxValue)
	bucket := strings.Repeat("b", kv.MaxBucket)
	put(t, s, bucket, long, large)
	want(t, "the largest value is kept", get(t, s, bucket, long) == large, true)
	for _, tt := range []struct{ name, bucket, key, value string }{
		{"no key", "a", "", "v"},
		{"long key", "a", long + "k", "v"},
		{"large value", "a", "k", large + "v"},
		{"no bucket", "", "k", "v"},
		{"long bucket", bucket + "b", "k", "v"},
		{"odd bucket", "A/b", "k", "v"},
	} {
		err := s.Update(context.Background(), func(tx kv.Tx) error {
			return tx.Put(tt.bucket, []byte(tt.key), []byte(tt.value))
		})
		if err == nil {
			t.Errorf("%s: Put was accepted", tt.name)
		}
	}
}

// keys lists a bucket's keys under a prefix.
func keys(tx kv.Tx, bucket, prefix string) (all []string, err error) {
	err = tx.Scan(bucket, []byte(prefix), func(key, _ []byte) error {
		all = append(all, string(key))
		return nil
	})
	return all, err
}

func order(t *testing.T, s kv.Store) {
	update(t, s, func(tx kv.Tx) error {
		for _, key := range []string{"b", "a\xff", "a", "\xff", "a\x00", "ab", "\x00"} {
			if err := tx.Put("a", []byte(key), []byte("v"+key)); err != nil {
				return err
			}
		}
		return tx.Put("b", []byte("aa"), nil)
	})
	view(t, s, func(tx kv.Tx) error {
		for prefix, sorted := range map[string][]string{
			"":     {"\x00", "a", "a\x00", "ab", "a\xff", "b", "\xff"},
			"a":    {"a", "a\x00", "ab", "a\xff"},
			"\xff": {"\xff"},
			"ac":   nil,
		} {
			all, err := keys(tx, "a", prefix)
			if err != nil || !slices.Equal(all, sorted) {
				t.Errorf("Scan(%q) = %q, %v; want %q", prefix, all, err, sorted)
			}
		}
		return tx.Scan("a", nil, func(key, value []byte) error {
			want(t, "a scanned value", string(value), "v"+string(key))
			return nil
		})
	})
}

func scanning(t *testing.T, s kv.Store) {
	put(t, s, "a", "1", "")
	put(t, s, "a", "2", "")
	stop := errors.New("enough")
	update(t, s, func(tx kv.Tx) error {
		seen := 0
		err := tx.Scan("a", nil, func(key, _ []byte) error {
			seen++
			for _, err := range []error{tx.Put("a", []byte("3"), nil), tx.Delete("a", key)} {
				if !errors.Is(err, kv.ErrScanning) {
					t.Errorf("a write to the bucket that is scanned = %v, want ErrScanning", err)
				}
			}
			if err := tx.Put("b", key, nil); err != nil {
				t.Errorf("a write to another bucket = %v", err)
			}
			return stop
		})
		if !errors.Is(err, stop) || seen != 1 {
			t.Errorf("Scan = %v after %d keys, want the error of the first", err, seen)
		}
		return tx.Delete("a", []byte("1"))
	})
	want(t, "what was deleted after the scan", get(t, s, "a", "1"), "-")
	want(t, "what was written meanwhile", get(t, s, "b", "1"), "")
}

func rollback(t *testing.T, s kv.Store) {
	put(t, s, "a", "k", "old")
	fault := errors.New("changed my mind")
	err := s.Update(context.Background(), func(tx kv.Tx) error {
		return errors.Join(tx.Put("a", []byte("k"), []byte("new")), tx.Put("new", []byte("k"), nil), fault)
	})
	if !errors.Is(err, fault) {
		t.Errorf("Update = %v, want the function's error", err)
	}
	want(t, "a value after an error", get(t, s, "a", "k"), "old")
	want(t, "a bucket after an error", get(t, s, "new", "k"), "-")
	func() {
		defer func() { want(t, "what was recovered", recover(), any("oh")) }()
		_ = s.Update(context.Background(), func(tx kv.Tx) error {
			_ = tx.Delete("a", []byte("k"))
			panic("oh")
		})
	}()
	want(t, "a value after a panic", get(t, s, "a", "k"), "old")
	put(t, s, "a", "k", "still works")
}

func reading(t *testing.T, s kv.Store) {
	put(t, s, "a", "k", "v")
	view(t, s, func(tx kv.Tx) error {
		for _, err := range []error{tx.Put("a", []byte("k"), nil), tx.Delete("a", []byte("k"))} {
			if !errors.Is(err, kv.ErrReadOnly) {
				t.Errorf("a write within View = %v, want ErrReadOnly", err)
			}
		}
		return nil
	})
	want(t, "the value", get(t, s, "a", "k"), "v")
}

// A store as small as this one does not grow.
func snapshot(t *testing.T, s kv.Store) {
	put(t, s, "a", "k", "old")
	view(t, s, func(tx kv.Tx) error {
		done := make(chan error)
		go func() {
			done <- s.Update(context.Background(), func(tx kv.Tx) error { return tx.Put("a", []byte("k"), []byte("new")) })
		}()
		if err := <-done; err != nil {
			t.Errorf("an Update beside a View = %v", err)
		}
		v, err := tx.Get("a", []byte("k"))
		want(t, "what a View sees of a later Update", string(v), "old")
		return err
	})
	want(t, "the value after it", get(t, s, "a", "k"), "new")
}

func over(t *testing.T, s kv.Store) {
	var kept kv.Tx
	update(t, s, func(tx kv.Tx) error { kept = tx; return nil })
	_, err := kept.Get("a", []byte("k"))
	for _, err := range []error{
		err, kept.Put("a", []byte("k"), nil), kept.Delete("a", []byte("k")),
		kept.Scan("a", nil, func(_, _ []byte) error { return nil }),
	} {
		if !errors.Is(err, kv.ErrDone) {
			t.Errorf("a Tx after its transaction = %v, want ErrDone", err)
		}
	}
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Errorf("Close twice = %v", err)
	}
	nothing := func(kv.Tx) error { return nil }
	for _, err := range []error{s.View(context.Background(), nothing), s.Update(context.Background(), nothing)} {
		if !errors.Is(err, kv.ErrClosed) {
			t.Errorf("a closed store = %v, want ErrClosed", err)
		}
	}
}

func cancelled(t *testing.T, s kv.Store) {
	ctx, cancel := context.WithCancel(context.Background())
	err := s.Update(ctx, func(tx kv.Tx) error {
		defer cancel()
		return tx.Put("a", []byte("k"), nil)
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("an Update that was cancelled = %v, want context.Canceled", err)
	}
	want(t, "what it wrote", get(t, s, "a", "k"), "-")
	ran := false
	f := func(kv.Tx) error { ran = true; return nil }
	if err := errors.Join(s.View(ctx, f), s.Update(ctx, f)); !errors.Is(err, context.Canceled) || ran {
		t.Errorf("a transaction of a context that has ended = %v (run: %t), want context.Canceled", err, ran)
	}
}

// Updates of many goroutines happen one after the other.
func concurrency(t *testing.T, s kv.Store) {
	const writers, each = 8, 10
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			for range each {
				err := s.Update(context.Background(), func(tx kv.Tx) error {
					n, err := number(tx, "a", "n")
					if err != nil {
						return err
					}
					return setNumber(tx, "a", "n", n+1)
				})
				if err != nil {
					t.Errorf("Update = %v", err)
				}
				_ = s.View(context.Background(), func(tx kv.Tx) error { _, err := number(tx, "a", "n"); return err })
			}
		})
	}
	wg.Wait()
	view(t, s, func(tx kv.Tx) error {
		n, err := number(tx, "a", "n")
		want(t, "the counter", n, uint64(writers*each))
		return err
	})
}

// number reads a counter that setNumber wrote; 0 if there is none.
func number(tx kv.Tx, bucket, key string) (uint64, error) {
	v, err := tx.Get(bucket, []byte(key))
	if errors.Is(err, kv.ErrNotFound) {
		return 0, nil
	}
	if err == nil && len(v) != 8 {
		err = fmt.Errorf("a counter of %d bytes", len(v))
	}
	if err != nil {
		return 0, err
	}
	return binary.BigEndian.Uint64(v), nil
}

func setNumber(tx kv.Tx, bucket, key string, n uint64) error {
	return tx.Put(bucket, []byte(key), binary.BigEndian.AppendUint64(nil, n))
}

func reopened(t *testing.T, open Open) {
	place := t.TempDir()
	s := open(t, place)
	put(t, s, "a", "k", "v")
	put(t, s, "a", "gone", "v")
	update(t, s, func(tx kv.Tx) error { return tx.Delete("a", []byte("gone")) })
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, place)
	defer s.Close()
	view(t, s, func(tx kv.Tx) error {
		all, err := keys(tx, "a", "")
		if err != nil || !slices.Equal(all, []string{"k"}) {
			t.Errorf("keys after reopening = %q, %v; want one", all, err)
		}
		v, err := tx.Get("a", []byte("k"))
		want(t, "its value", bytes.Equal(v, []byte("v")), true)
		return err
	})
}
