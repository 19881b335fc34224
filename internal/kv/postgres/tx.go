package postgres

import (
	"bytes"
	"context"
	"errors"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/culvert-net/culvert/internal/kv"
)

// tx is a running transaction.
type tx struct {
	ctx      context.Context // of the call it lives in
	sql      *statements
	conn     *pgx.Conn
	writable bool
	wrote    bool
	over     bool
	scanning []string // buckets that are being scanned

	// Writes wait here until something is read, there are many of them, or the
	// end: they take one round trip together.
	pending      pgx.Batch
	pendingBytes int

	// err is the first that the server or the way to it gave.
	err error
}

// Get implements kv.Tx.
func (t *tx) Get(bucket string, key []byte) (value []byte, err error) {
	if err := t.check(bucket, key, nil); err != nil {
		return nil, err
	}
	found := false
	t.pending.Queue(t.sql.get, bucket, key).Query(func(rows pgx.Rows) error {
		for rows.Next() {
			found = true
			if err := rows.Scan(&value); err != nil {
				return err
			}
		}
		return rows.Err()
	})
	if err := t.send(t.ctx); err != nil {
		return nil, err
	}
	if !found {
		return nil, kv.ErrNotFound
	}
	return value, nil
}

// Put implements kv.Tx.
func (t *tx) Put(bucket string, key, value []byte) error {
	// A nil value would be no value at all.
	return t.write(bucket, key, value, t.sql.put, bucket, bytes.Clone(key), append([]byte{}, value...))
}

// Delete implements kv.Tx.
func (t *tx) Delete(bucket string, key []byte) error {
	return t.write(bucket, key, nil, t.sql.delete, bucket, bytes.Clone(key))
}

func (t *tx) write(bucket string, key, value []byte, sql string, arguments ...any) error {
	if err := t.check(bucket, key, value); err != nil {
		return err
	}
	if !t.writable {
		return kv.ErrReadOnly
	}
	if slices.Contains(t.scanning, bucket) {
		return kv.ErrScanning
	}
	t.wrote = true
	t.pending.Queue(sql, arguments...)
	t.pendingBytes += len(bucket) + len(key) + len(value)
	if t.pendingBytes < pageBytes {
		return nil
	}
	return t.send(t.ctx)
}

// Scan implements kv.Tx. It reads page by page, so that f can read and write
// between them, and never more than a page is held.
func (t *tx) Scan(bucket string, prefix []byte, f func(key, value []byte) error) error {
	if t.over {
		return kv.ErrDone
	}
	if err := kv.CheckBucket(bucket); err != nil {
		return err
	}
	if len(prefix) > kv.MaxKey {
		return nil
	}
	t.scanning = append(t.scanning, bucket)
	defer func() { t.scanning = t.scanning[:len(t.scanning)-1] }()
	// No key with the prefix comes before the one or after the other.
	from := append([]byte{}, prefix...)
	last := append(from[:len(from):len(from)], bytes.Repeat([]byte{0xff}, kv.MaxKey-len(prefix))...)
	for rows := firstPage; ; {
		page, whole, err := t.page(bucket, from, last, rows)
		if err != nil {
			return err
		}
		for _, p := range page {
			if err := f(p.key, p.value); err != nil {
				return err
			}
		}
		switch {
		case whole && len(page) < rows:
			return nil
		case whole:
			rows = min(2*rows, maxPage)
		default: // values are large: ask for what can be held
			rows = len(page)
		}
		from = append(page[len(page)-1].key, 0) // the next possible key
		if bytes.Compare(from, last) > 0 {
			return nil
		}
	}
}

type pair struct{ key, value []byte }

// page reads up to so many pairs, and fewer if they are large: then it is not
// whole.
func (t *tx) page(bucket string, from, last []byte, limit int) (page []pair, whole bool, err error) {
	if err := t.send(t.ctx); err != nil {
		return nil, false, err
	}
	size := 0
	err = ask(t.ctx, func(ctx context.Context) error {
		rows, err := t.conn.Query(ctx, t.sql.scan, bucket, from, last, limit)
		if err != nil {
			return err
		}
		defer rows.Close()
		for size < pageBytes && rows.Next() {
			var p pair
			if err := rows.Scan(&p.key, &p.value); err != nil {
				return err
			}
			page = append(page, p)
			size += len(p.key) + len(p.value)
		}
		rows.Close() // reads the others away
		return rows.Err()
	})
	return page, size < pageBytes, t.keep(err)
}

// send sends what is pending, and waits for what the server says to it.
func (t *tx) send(ctx context.Context) error {
	if t.err != nil {
		return t.err
	}
	if t.pending.Len() == 0 {
		return nil
	}
	err := ask(ctx, func(ctx context.Context) error { return t.conn.SendBatch(ctx, &t.pending).Close() })
	t.pending, t.pendingBytes = pgx.Batch{}, 0
	return t.keep(err)
}

// keep remembers the first error of the server.
func (t *tx) keep(err error) error {
	if t.err == nil {
		t.err = err
	}
	return err
}

func (t *tx) check(bucket string, key, value []byte) error {
	if t.over {
		return kv.ErrDone
	}
	return errors.Join(kv.CheckBucket(bucket), kv.CheckPair(key, value))
}
