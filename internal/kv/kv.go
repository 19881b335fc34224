// Package kv is the small store under everything that must survive a crash:
// API keys and what they have used today; balances and replay windows later.
//
// A Store runs functions in transactions: View to read, Update to read and
// write. When Update returns nil, what it wrote is on the disk; when it returns
// an error, or the process is killed before, nothing of it is. Keys live in
// buckets, which need no making, and are ordered by their bytes. What
// stands in a value is the caller's business: the package knows no record and no
// format of one.
//
// It is not for logs, caches or anything that is written per request: an
// Update costs a disk flush. Collect, and write once for many.
//
// Implementations: kv/bolt, one file of one process, and kv/postgres, a
// database that several programs share. Each passes kv/kvtest.
// All methods of a Store may be called concurrently; a Tx belongs to the
// function it was given to.
//
// Implements: docs/conventions.md "Stores".
package kv

import (
	"context"
	"errors"
	"fmt"
)

// Store keeps pairs of bytes in buckets.
type Store interface {
	// View runs f on one state of the store: what others write meanwhile is not
	// seen. It returns f's error. An Update that makes the store grow may wait
	// until no View runs, so f is short, and never waits for one.
	View(ctx context.Context, f func(Tx) error) error

	// Update runs f and makes what it wrote durable, all of it or nothing.
	// Updates happen one after the other, those of other programs that share the
	// store too, so what f read stays true until it is written. An error of f undoes what it wrote, and is returned. f may be run
	// more than once, and must have no effect but through its Tx. It must not
	// call the Store.
	Update(ctx context.Context, f func(Tx) error) error

	// Close waits for running transactions and releases the store. It may be
	// called twice.
	Close() error
}

// Tx is a running transaction. What Get and Scan hand out belongs to the
// caller; what Put takes stays the caller's.
type Tx interface {
	// Get is the value of key, and ErrNotFound if there is none. An empty value
	// is a value.
	Get(bucket string, key []byte) ([]byte, error)

	// Put sets the value of key. In a View it is ErrReadOnly.
	Put(bucket string, key, value []byte) error

	// Delete removes key; one that is not there is no error. In a View it is
	// ErrReadOnly.
	Delete(bucket string, key []byte) error

	// Scan calls f for each key that begins with prefix, in the order of their
	// bytes, until f returns an error, which it passes on. Meanwhile the bucket
	// cannot be written to (ErrScanning): collect, then write.
	Scan(bucket string, prefix []byte, f func(key, value []byte) error) error
}

var (
	// ErrNotFound is returned for a key that has no value.
	ErrNotFound = errors.New("no such key in the store")

	// ErrReadOnly is returned for a write within a View.
	ErrReadOnly = errors.New("this transaction only reads")

	// ErrScanning is returned for a write to a bucket that is being scanned.
	ErrScanning = errors.New("the bucket is being scanned")

	// ErrDone is returned by a Tx after its function has returned.
	ErrDone = errors.New("the transaction is over")

	// ErrClosed is returned by a Store that was closed.
	ErrClosed = errors.New("the store is closed")

	// ErrLocked is wrapped when another process has the store, and cannot share
	// it. What is made to be shared never returns it.
	ErrLocked = errors.New("in use by another program")

	// ErrUncertain is wrapped by an Update alone: a store on another machine went
	// away while it committed and did not come back, or the disk failed at the
	// end. What was written is there, all of it, or is not. Read it before writing
	// it again.
	ErrUncertain = errors.New("the commit broke off; whether it was written is not known")

	// ErrDamaged is wrapped when what is stored cannot be what was written.
	ErrDamaged = errors.New("damaged")
)

// CheckBucket returns an error unless name may be a bucket's: what every
// implementation must refuse, so that none comes to depend on more.
func CheckBucket(name string) error {
	if name == "" || len(name) > MaxBucket {
		return fmt.Errorf("bucket name of %d bytes: it has 1 to %d", len(name), MaxBucket)
	}
	for _, c := range []byte(name) {
		if !('a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-') {
			return fmt.Errorf("bucket name %q: it has a-z, 0-9 and -", name)
		}
	}
	return nil
}

// CheckPair returns an error unless key and value may be stored.
func CheckPair(key, value []byte) error {
	if len(key) == 0 || len(key) > MaxKey {
		return fmt.Errorf("key of %d bytes: it has 1 to %d", len(key), MaxKey)
	}
	if len(value) > MaxValue {
		return fmt.Errorf("value of %d bytes: it has at most %d", len(value), MaxValue)
	}
	return nil
}
