package channel

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/culvert-net/culvert/internal/kv"
	"github.com/culvert-net/culvert/ledger"
)

// Store is what must survive.
type Store interface {
	// Do runs f on the records and returns nil when what f wrote is durable. An
	// error of f undoes what f wrote and is returned. f may run more than once.
	Do(ctx context.Context, f func(kv.Tx) error) error

	// View runs f on what is durable.
	View(ctx context.Context, f func(kv.Tx) error) error

	// Restored reports whether the store is an older copy of itself, and nobody
	// has dealt with it yet.
	Restored() bool
}

// Chain is what is known of the contract, at confirmation depth.
type Chain interface {
	// Channel is what the contract holds of a channel; false: nobody bought it.
	Channel(ledger.ChannelID) (ledger.Channel, bool)

	// Fresh is when the chain was last read without an error.
	Fresh() time.Time
}

// errStop ends a Scan early.
var errStop = errors.New("enough")

// record is a pointer to something that is kept.
type record interface{ visit(fields) }

// get reads a record; false: there is none.
func get(tx kv.Tx, bucket string, key []byte, r record) (bool, error) {
	b, err := tx.Get(bucket, key)
	if errors.Is(err, kv.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if err := decode(b, r); err != nil {
		return false, fmt.Errorf("%w: bucket %s: %w", kv.ErrDamaged, bucket, err)
	}
	return true, nil
}

func put(tx kv.Tx, bucket string, key []byte, r record) error {
	return tx.Put(bucket, key, encode(r))
}

// has reports whether a key has a value.
func has(tx kv.Tx, bucket string, key []byte) (bool, error) {
	_, err := tx.Get(bucket, key)
	if errors.Is(err, kv.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// place is a channel in one epoch, as a key.
type place struct {
	id    ledger.ChannelID
	epoch uint32
}

func (p place) key() []byte {
	b := append(make([]byte, 0, 64), p.id[:]...)
	return append(b, byte(p.epoch>>16), byte(p.epoch>>8), byte(p.epoch))
}

const placeBytes = 32 + 3

// with is the key of something of the channel and epoch.
func (p place) with(rest ...byte) []byte { return append(p.key(), rest...) }

func (p place) seq(n uint64) []byte { return binary.BigEndian.AppendUint64(p.key(), n) }

// placeOf reads the front of a key.
func placeOf(key []byte) (p place, rest []byte, err error) {
	if len(key) < placeBytes {
		return p, nil, fmt.Errorf("%w: a key of %d bytes", kv.ErrDamaged, len(key))
	}
	copy(p.id[:], key)
	p.epoch = uint32(key[32])<<16 | uint32(key[33])<<8 | uint32(key[34])
	return p, key[placeBytes:], nil
}

// ownerKey is the key of a running round: those of one process stand together.
func ownerKey(owner string, rest []byte) []byte {
	return append(append([]byte(owner), 0), rest...)
}

func checkOwner(owner string) error {
	if owner == "" || len(owner) > maxOwner || bytes.IndexByte([]byte(owner), 0) >= 0 {
		return fmt.Errorf("the owner's name has 1 to %d bytes and no zero byte", maxOwner)
	}
	return nil
}

// pages calls f within a Do for some keys of a bucket at a time, until all were
// seen. f may change what it likes.
func pages(ctx context.Context, s Store, bucket string, prefix []byte, f func(tx kv.Tx, key, value []byte) error) error {
	var all [][]byte
	err := s.View(ctx, func(tx kv.Tx) error {
		all = nil
		return tx.Scan(bucket, prefix, func(key, _ []byte) error {
			all = append(all, key)
			return nil
		})
	})
	if err != nil {
		return err
	}
	for len(all) > 0 {
		n := min(page, len(all))
		err := s.Do(ctx, func(tx kv.Tx) error {
			for _, key := range all[:n] {
				value, err := tx.Get(bucket, key)
				if errors.Is(err, kv.ErrNotFound) {
					continue
				}
				if err != nil {
					return err
				}
				if err := f(tx, key, value); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		all = all[n:]
	}
	return nil
}

// over is a - b, or nothing if b is more.
func over(a, b ledger.Amount) ledger.Amount {
	left, err := a.Sub(b)
	if err != nil {
		return ledger.Amount{}
	}
	return left
}

func maxAmount(a, b ledger.Amount) ledger.Amount {
	if a.Less(b) {
		return b
	}
	return a
}

// sum adds amounts, checked.
func sum(of ...ledger.Amount) (total ledger.Amount, err error) {
	for _, a := range of {
		if total, err = total.Add(a); err != nil {
			return ledger.Amount{}, err
		}
	}
	return total, nil
}

// sumCapped adds amounts; beyond what there is it is all there is. It is for
// limits, never for books.
func sumCapped(of ...ledger.Amount) ledger.Amount {
	total, err := sum(of...)
	if err != nil {
		return ledger.MaxAmount
	}
	return total
}

func unixMilli(t time.Time) uint64 { return uint64(max(0, t.UnixMilli())) }

func unix(t time.Time) uint64 { return uint64(max(0, t.Unix())) }

func timeOf(milli uint64) time.Time { return time.UnixMilli(int64(milli)) }
