// Package body reads request bodies whole, in memory, under one budget.
//
// A body must be complete before the first byte goes upstream: a server that
// answers early would otherwise close the client's body while the transport
// is still sending it, and cut the answer (golang/go#40747). So NewBudget
// bounds the sum of what is held at once, and Budget.Read reads one body
// within its own limit and hands back the function that returns its share.
//
// The package does not look into bodies and never writes them anywhere.
// A Budget may be used concurrently. Spec: docs/spec/api.md, Limits.
package body

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
)

// ErrBusy says that the bodies held right now leave no room for this one. It
// passes by itself as requests end: a 503 with Retry-After.
var ErrBusy = errors.New("body: memory for request bodies is spent")

// TooLargeError says that one body is larger than its limit: a 413.
type TooLargeError struct {
	Max int64 // the limit, in bytes
}

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("body: larger than %d bytes", e.Max)
}

// Budget bounds the sum of bodies held in memory.
type Budget struct {
	total int64        // immutable after NewBudget
	held  atomic.Int64 // bytes reserved, never above total
}

// NewBudget returns a budget of total bytes.
func NewBudget(total int64) *Budget {
	return &Budget{total: total}
}

// Held is how many bytes are reserved now, for metrics and tests.
func (b *Budget) Held() int64 { return b.held.Load() }

// Read reads r to its end and returns its bytes. n is the length declared for
// r, or -1; it only saves copies and refuses early, the bytes decide. Beyond
// max bytes the error is *TooLargeError, with the budget spent ErrBusy, else
// the reader's own.
//
// release gives the bytes' share back and may be called any number of times;
// after an error it does nothing. The bytes must not be used after it.
func (b *Budget) Read(r io.Reader, n, max int64) (data []byte, release func(), err error) {
	if n > max {
		return nil, func() {}, &TooLargeError{Max: max}
	}
	size := int64(firstChunk)
	if n >= 0 {
		size = min(size, n)
	}
	size = min(size, max)
	if !b.reserve(size) {
		return nil, func() {}, ErrBusy
	}
	buf := make([]byte, 0, size)
	var probe [1]byte
	for {
		if int64(len(buf)) == size {
			// Full. Most bodies end exactly here, so ask before growing.
			switch k, err := io.ReadFull(r, probe[:]); {
			case k == 1:
			case err == io.EOF:
				return buf, b.releaser(size), nil
			default:
				b.held.Add(-size)
				return nil, func() {}, err
			}
			if size == max {
				b.held.Add(-size)
				return nil, func() {}, &TooLargeError{Max: max}
			}
			larger := next(size, n, max)
			if !b.reserve(larger) {
				b.held.Add(-size)
				return nil, func() {}, ErrBusy
			}
			grown := make([]byte, 0, larger)
			grown = append(append(grown, buf...), probe[0])
			b.held.Add(-size)
			buf, size = grown, larger
			continue
		}
		k, err := r.Read(buf[len(buf):size])
		buf = buf[:len(buf)+k]
		if err == io.EOF {
			return buf, b.releaser(size), nil
		}
		if err != nil {
			b.held.Add(-size)
			return nil, func() {}, err
		}
	}
}

// next is the buffer size after size: the declared length as soon as that is
// no more than a growth step away.
func next(size, n, max int64) int64 {
	larger := min((size+1)*growth, max)
	if n > size && n <= larger {
		return n
	}
	return larger
}

func (b *Budget) reserve(n int64) bool {
	for {
		held := b.held.Load()
		if held+n > b.total {
			return false
		}
		if b.held.CompareAndSwap(held, held+n) {
			return true
		}
	}
}

func (b *Budget) releaser(n int64) func() {
	var once sync.Once
	return func() { once.Do(func() { b.held.Add(-n) }) }
}
