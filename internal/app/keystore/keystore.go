// Package keystore keeps the API keys of a program in a kv.Store.
//
// New checks the store's format and returns what api/keys needs of it. It is
// the seam between the two: neither knows the other. A Store may be used
// concurrently.
//
// Implements: docs/conventions.md "Data" (keys.db).
package keystore

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/culvert-net/culvert/api/keys"
	"github.com/culvert-net/culvert/internal/kv"
)

// File is the store's name inside a data directory.
const File = "keys.db"

// Buckets, and the format of what is in them.
const (
	bucketMeta  = "meta"  // "format": a number
	bucketKeys  = "keys"  // id: keys.Record
	bucketUsage = "usage" // id: keys.Usage
	format      = 1
)

// Store keeps keys.
type Store struct{ kv kv.Store }

var _ keys.Store = (*Store)(nil)

// ErrNewer is wrapped for a store that a later program wrote.
var ErrNewer = errors.New("written by a newer program")

// New makes store one of keys if it is empty. One of a later format is refused:
// it may hold limits that would not be kept.
func New(ctx context.Context, store kv.Store) (*Store, error) {
	key := []byte("format")
	err := store.Update(ctx, func(tx kv.Tx) error {
		text, err := tx.Get(bucketMeta, key)
		if errors.Is(err, kv.ErrNotFound) {
			return tx.Put(bucketMeta, key, []byte(strconv.Itoa(format)))
		}
		if err != nil {
			return err
		}
		switch n, err := strconv.Atoi(string(text)); {
		case err != nil || n < 1:
			return fmt.Errorf("%w: its format is no number", kv.ErrDamaged)
		case n > format:
			return fmt.Errorf("%w: its format is %d and this one knows %d", ErrNewer, n, format)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", File, err)
	}
	return &Store{store}, nil
}

// Load implements keys.Store.
func (s *Store) Load(ctx context.Context) (all []keys.Record, used map[string]keys.Usage, err error) {
	err = s.kv.View(ctx, func(tx kv.Tx) error {
		all, used = nil, make(map[string]keys.Usage)
		err := tx.Scan(bucketKeys, nil, func(id, value []byte) error {
			r, err := keys.DecodeRecord(value)
			if err == nil && r.ID != string(id) {
				err = errors.New("it has the id of another")
			}
			if err != nil {
				return fmt.Errorf("%s: key %q: %w (%w)", File, id, kv.ErrDamaged, err)
			}
			all = append(all, *r)
			return nil
		})
		if err != nil {
			return err
		}
		return tx.Scan(bucketUsage, nil, func(id, value []byte) error {
			u, err := keys.DecodeUsage(value)
			if err != nil {
				return fmt.Errorf("%s: usage of key %q: %w (%w)", File, id, kv.ErrDamaged, err)
			}
			used[string(id)] = u
			return nil
		})
	})
	return all, used, err
}

// SaveKey implements keys.Store.
func (s *Store) SaveKey(ctx context.Context, r *keys.Record) error {
	return s.kv.Update(ctx, func(tx kv.Tx) error { return tx.Put(bucketKeys, []byte(r.ID), r.Encode()) })
}

// SaveUsage implements keys.Store.
func (s *Store) SaveUsage(ctx context.Context, used map[string]keys.Usage) error {
	return s.kv.Update(ctx, func(tx kv.Tx) error {
		for id, u := range used {
			if err := tx.Put(bucketUsage, []byte(id), u.Encode()); err != nil {
				return err
			}
		}
		return nil
	})
}
