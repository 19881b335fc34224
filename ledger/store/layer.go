package store

import (
	"bytes"
	"errors"
	"slices"
	"strings"

	"github.com/culvert-net/culvert/internal/kv"
)

// reader is what a layer lies on: another one, or the transaction.
type reader interface {
	Get(bucket string, key []byte) ([]byte, error)
	Scan(bucket string, prefix []byte, f func(key, value []byte) error) error
}

// layer holds changes that are not in what lies below it yet.
type layer struct {
	below   reader
	buckets map[string][]change // in the order of their keys
	changes int
	bytes   int
}

// change is a key's new value, or that it has none.
type change struct {
	key     string
	value   []byte
	deleted bool
}

func newLayer(below reader) *layer { return &layer{below: below, buckets: make(map[string][]change)} }

// reset forgets the changes, and keeps the memory.
func (l *layer) reset() {
	for name, all := range l.buckets {
		clear(all)
		l.buckets[name] = all[:0]
	}
	l.changes, l.bytes = 0, 0
}

// find is where key stands or would stand.
func find(all []change, key []byte) (int, bool) {
	return slices.BinarySearchFunc(all, key, func(c change, key []byte) int { return strings.Compare(c.key, string(key)) })
}

// Get gives bytes that belong to the caller.
func (l *layer) Get(bucket string, key []byte) ([]byte, error) {
	all := l.buckets[bucket]
	at, found := find(all, key)
	switch {
	case !found:
		return l.below.Get(bucket, key)
	case all[at].deleted:
		return nil, kv.ErrNotFound
	}
	return append([]byte{}, all[at].value...), nil
}

// set takes a change; its value is the layer's from now on.
func (l *layer) set(bucket string, c change) {
	all := l.buckets[bucket]
	at, found := find(all, []byte(c.key))
	if found {
		l.bytes -= len(all[at].key) + len(all[at].value)
		all[at] = c
	} else {
		l.changes++
		l.buckets[bucket] = slices.Insert(all, at, c)
	}
	l.bytes += len(c.key) + len(c.value)
}

// Scan merges the changes with what lies below. The bucket must not change
// meanwhile.
func (l *layer) Scan(bucket string, prefix []byte, f func(key, value []byte) error) error {
	all := l.buckets[bucket]
	at, _ := find(all, prefix)
	all = all[at:]
	// next calls f for the first of the changes.
	next := func() error {
		c := all[0]
		all = all[1:]
		if c.deleted {
			return nil
		}
		return f([]byte(c.key), append([]byte{}, c.value...))
	}
	err := l.below.Scan(bucket, prefix, func(key, value []byte) error {
		for len(all) > 0 && all[0].key < string(key) {
			if err := next(); err != nil {
				return err
			}
		}
		if len(all) > 0 && all[0].key == string(key) {
			return next()
		}
		return f(key, value)
	})
	for err == nil && len(all) > 0 && strings.HasPrefix(all[0].key, string(prefix)) {
		err = next()
	}
	return err
}

// writer takes changes: a layer, or the transaction.
type writer interface {
	put(bucket string, c change) error
}

func (l *layer) put(bucket string, c change) error {
	l.set(bucket, c)
	return nil
}

// transaction writes changes to a kv.Tx.
type transaction struct{ kv.Tx }

func (t transaction) put(bucket string, c change) error {
	if c.deleted {
		return t.Delete(bucket, []byte(c.key))
	}
	return t.Put(bucket, []byte(c.key), c.value)
}

// pour moves the changes into what takes them, in an order that depends on
// nothing but them.
func (l *layer) pour(into writer) error {
	names := make([]string, 0, len(l.buckets))
	for name, all := range l.buckets {
		if len(all) > 0 {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		for _, c := range l.buckets[name] {
			if err := into.put(name, c); err != nil {
				return err
			}
		}
	}
	return nil
}

// tx is what a function of Do sees: a layer with the rules of kv.Tx.
type tx struct {
	layer    *layer // nil when the function has returned
	scanning []string
	err      error // ErrTooMuch, which the function cannot get over
}

var errReserved = errors.New("bucket " + reserved + " is the store's own; name another")

// Get implements kv.Tx.
func (t *tx) Get(bucket string, key []byte) ([]byte, error) {
	if err := t.check(bucket, key, nil); err != nil {
		return nil, err
	}
	return t.layer.Get(bucket, key)
}

// Put implements kv.Tx.
func (t *tx) Put(bucket string, key, value []byte) error {
	return t.write(bucket, key, value, false)
}

// Delete implements kv.Tx.
func (t *tx) Delete(bucket string, key []byte) error {
	return t.write(bucket, key, nil, true)
}

// Scan implements kv.Tx.
func (t *tx) Scan(bucket string, prefix []byte, f func(key, value []byte) error) error {
	if t.layer == nil {
		return kv.ErrDone
	}
	if err := checkBucket(bucket); err != nil {
		return err
	}
	t.scanning = append(t.scanning, bucket)
	defer func() { t.scanning = t.scanning[:len(t.scanning)-1] }()
	return t.layer.Scan(bucket, prefix, f)
}

func (t *tx) write(bucket string, key, value []byte, deleted bool) error {
	if err := t.check(bucket, key, value); err != nil {
		return err
	}
	if t.err != nil {
		return t.err
	}
	if slices.Contains(t.scanning, bucket) {
		return kv.ErrScanning
	}
	t.layer.set(bucket, change{key: string(key), value: bytes.Clone(value), deleted: deleted})
	if t.layer.changes > MaxChanges || t.layer.bytes > MaxBytes {
		t.err = ErrTooMuch
	}
	return t.err
}

func (t *tx) check(bucket string, key, value []byte) error {
	if t.layer == nil {
		return kv.ErrDone
	}
	if err := checkBucket(bucket); err != nil {
		return err
	}
	return kv.CheckPair(key, value)
}

func checkBucket(name string) error {
	if name == reserved {
		return errReserved
	}
	return kv.CheckBucket(name)
}
