// Package bolt is a kv.Store in one file of one process, by bbolt: pages are
// copied on write and a transaction ends with the flush of one page that
// points to them, so a process that is killed at any moment leaves the old
// state or the new one.
//
// Open opens or makes the file; see kv.Store for the rest. The file is locked
// while it is open: commands talk to a running daemon instead of opening it.
//
// It knows nothing of what is stored. A Store may be used concurrently. What
// no Store can do (buckets in buckets, a whole one dropped at once, a million
// records behind one flush in a thousand) is done on bbolt itself, by
// mesh/eventlog alone, with the two parts of this package that are the same
// there: OpenFile, and Guard around every call that reads the file.
//
// Implements: docs/conventions.md "Stores".
package bolt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"syscall"

	"go.etcd.io/bbolt"
	bbolterrors "go.etcd.io/bbolt/errors"

	"github.com/culvert-net/culvert/internal/files"
	"github.com/culvert-net/culvert/internal/kv"
)

// Store is an open file.
type Store struct {
	path string
	db   *bbolt.DB
}

var _ kv.Store = (*Store)(nil)

// Open opens the store at path, and makes it if it is not there. Its errors are
// those of OpenFile.
func Open(path string) (*Store, error) {
	db, err := OpenFile(path, mapped, growth)
	if err != nil {
		return nil, err
	}
	return &Store{path: path, db: db}, nil
}

// OpenFile opens the file of a store, and makes it if it is not there. Address
// space for mapped bytes is taken at once, and a file that is full grows by
// growth. A file that another process has open wraps kv.ErrLocked, one that is
// broken wraps kv.ErrDamaged, one that others may read wraps
// files.ErrNotPrivate.
func OpenFile(path string, mapped, growth int) (*bbolt.DB, error) {
	_, err := os.Stat(path)
	made := errors.Is(err, fs.ErrNotExist)
	if !made {
		if err := files.CheckPrivate(path); err != nil {
			return nil, err
		}
	}
	var db *bbolt.DB
	err = Guard(func() (err error) {
		o := bbolt.Options{Timeout: lockTime, FreelistType: bbolt.FreelistMapType}
		if runtime.GOOS != "windows" { // where the file would grow to what is mapped
			o.InitialMmapSize = mapped
		}
		db, err = bbolt.Open(path, files.Private, &o)
		return err
	})
	if err != nil {
		// Where bbolt panicked, the file stays locked until the process ends.
		return nil, fmt.Errorf("%s: %w", path, explain(err))
	}
	db.AllocSize = growth
	if err := check(path, db); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	if made {
		if err := files.SyncDir(filepath.Dir(path)); err != nil {
			return nil, errors.Join(fmt.Errorf("%s: %w", path, err), db.Close())
		}
	}
	return db, nil
}

// explain puts bbolt's errors of opening into ours.
func explain(err error) error {
	_, system := errors.AsType[syscall.Errno](err)
	switch {
	case errors.Is(err, bbolterrors.ErrTimeout):
		return fmt.Errorf("%w; stop that one first", kv.ErrLocked)
	case errors.Is(err, kv.ErrDamaged):
		return fmt.Errorf("%w; %s", err, remedy)
	case !system: // bbolt's own words about what it found
		return fmt.Errorf("%w (%v); %s", kv.ErrDamaged, err, remedy)
	}
	return err
}

// remedy is what to do about a file that is damaged.
const remedy = "restore it from a copy, or move it away to begin anew"

// check finds a file that was cut, and reads a small one whole. bbolt trusts
// what it maps: a page that is not there would end the program later, in the
// middle of something.
func check(path string, db *bbolt.DB) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	err = Guard(func() error {
		return db.View(func(tx *bbolt.Tx) error {
			if info.Size() < tx.Size() {
				return fmt.Errorf("%d bytes of %d are there", info.Size(), tx.Size())
			}
			if info.Size() > maxChecked {
				return nil
			}
			// bbolt's own Check is not for this: what it makes of a broken page
			// may take minutes and gigabytes.
			return tx.ForEach(func(_ []byte, b *bbolt.Bucket) error {
				return b.ForEach(func(_, _ []byte) error { return nil })
			})
		})
	})
	if err != nil {
		return fmt.Errorf("%s: %w (%v); %s", path, kv.ErrDamaged, err, remedy)
	}
	return nil
}

// Guard runs f, which calls bbolt, and makes an error of what bbolt panics
// with, or of the memory it touches, when a file's pages are not what they
// should be.
func Guard(f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("%w: %v", kv.ErrDamaged, fault)
		}
	}()
	return f()
}

// View implements kv.Store.
func (s *Store) View(ctx context.Context, f func(kv.Tx) error) error {
	return s.run(ctx, false, f)
}

// Update implements kv.Store.
func (s *Store) Update(ctx context.Context, f func(kv.Tx) error) error {
	return s.run(ctx, true, f)
}

func (s *Store) run(ctx context.Context, write bool, f func(kv.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	btx, err := s.db.Begin(write)
	if errors.Is(err, bbolterrors.ErrDatabaseNotOpen) {
		return kv.ErrClosed
	}
	if err != nil {
		return fmt.Errorf("%s: %w", s.path, err)
	}
	t := &tx{btx: btx}
	defer func() {
		t.btx = nil
		// After a commit this does nothing; else f failed or panicked, and what
		// rolling back finds wrong changes nothing.
		_ = Guard(btx.Rollback)
	}()
	if err := f(t); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if !write {
		return nil
	}
	if err := Guard(btx.Commit); err != nil {
		// The last write may be what failed: then readers may see it already, and
		// it may still be lost.
		return fmt.Errorf("%s: %w (%w)", s.path, kv.ErrUncertain, err)
	}
	return nil
}

// Close implements kv.Store.
func (s *Store) Close() error { return s.db.Close() }

// tx is a running transaction.
type tx struct {
	btx      *bbolt.Tx // nil when it is over
	scanning []string  // buckets that are being scanned
}

// Get implements kv.Tx.
func (t *tx) Get(bucket string, key []byte) (value []byte, err error) {
	if err := t.check(bucket, key, nil); err != nil {
		return nil, err
	}
	err = Guard(func() error {
		if b := t.btx.Bucket([]byte(bucket)); b != nil {
			value = clone(b.Get(key))
		}
		return nil
	})
	if err == nil && value == nil {
		err = kv.ErrNotFound
	}
	return value, err
}

// Put implements kv.Tx.
func (t *tx) Put(bucket string, key, value []byte) error {
	if err := t.mayWrite(bucket, key, value); err != nil {
		return err
	}
	return Guard(func() error {
		b, err := t.btx.CreateBucketIfNotExists([]byte(bucket))
		if err != nil {
			return err
		}
		// bbolt refers to both until the commit, and keeps nil as it is.
		return b.Put(clone(key), append([]byte{}, value...))
	})
}

// Delete implements kv.Tx.
func (t *tx) Delete(bucket string, key []byte) error {
	if err := t.mayWrite(bucket, key, nil); err != nil {
		return err
	}
	return Guard(func() error {
		if b := t.btx.Bucket([]byte(bucket)); b != nil {
			return b.Delete(key)
		}
		return nil
	})
}

// Scan implements kv.Tx. f runs outside of Guard: what it panics with is its
// own.
func (t *tx) Scan(bucket string, prefix []byte, f func(key, value []byte) error) error {
	if t.btx == nil {
		return kv.ErrDone
	}
	if err := kv.CheckBucket(bucket); err != nil {
		return err
	}
	var c *bbolt.Cursor
	err := Guard(func() error {
		if b := t.btx.Bucket([]byte(bucket)); b != nil {
			c = b.Cursor()
		}
		return nil
	})
	if err != nil || c == nil {
		return err
	}
	t.scanning = append(t.scanning, bucket)
	defer func() { t.scanning = t.scanning[:len(t.scanning)-1] }()
	var key, value []byte
	step := func() ([]byte, []byte) { return c.Seek(prefix) }
	for {
		err := Guard(func() error {
			k, v := step()
			key, value = clone(k), clone(v)
			return nil
		})
		if err != nil {
			return err
		}
		if key == nil || !bytes.HasPrefix(key, prefix) {
			return nil
		}
		if err := f(key, value); err != nil {
			return err
		}
		step = c.Next
	}
}

func (t *tx) check(bucket string, key, value []byte) error {
	if t.btx == nil {
		return kv.ErrDone
	}
	if err := kv.CheckBucket(bucket); err != nil {
		return err
	}
	return kv.CheckPair(key, value)
}

func (t *tx) mayWrite(bucket string, key, value []byte) error {
	if err := t.check(bucket, key, value); err != nil {
		return err
	}
	if !t.btx.Writable() {
		return kv.ErrReadOnly
	}
	for _, name := range t.scanning {
		if name == bucket {
			return kv.ErrScanning
		}
	}
	return nil
}

// clone copies what is only there while the transaction runs. Unlike
// bytes.Clone's, the copy of an empty value is not nil.
func clone(b []byte) []byte {
	if b == nil {
		return nil
	}
	return append(make([]byte, 0, len(b)), b...)
}
