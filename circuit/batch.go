package circuit

import (
	"crypto/rand"
	"fmt"
	"io"
	mrand "math/rand/v2"
	"sync"
	"time"

	"github.com/culvert-net/culvert/circuit/cell"
)

// batches lends the large buffers, so that only links under load hold one.
type batches struct {
	pool   sync.Pool
	reader chan struct{} // one per buffer that a reader holds
}

func newBatches() *batches {
	return &batches{
		pool:   sync.Pool{New: func() any { return new([batchBytes]byte) }},
		reader: make(chan struct{}, maxReadBatches),
	}
}

// borrow is get for a reader, which may keep the buffer while its link is
// silent; nil when too many do.
func (p *batches) borrow() *[batchBytes]byte {
	select {
	case p.reader <- struct{}{}:
		return p.get()
	default:
		return nil
	}
}

func (p *batches) giveBack(b *[batchBytes]byte) {
	p.put(b)
	<-p.reader
}

func (p *batches) get() *[batchBytes]byte  { return p.pool.Get().(*[batchBytes]byte) }
func (p *batches) put(b *[batchBytes]byte) { p.pool.Put(b) }

// batchReader reads a link in whole cells: as many as have arrived, never
// waiting for one that has not. It holds a small buffer and borrows a large
// one while reads fill it. Owned by one goroutine.
type batchReader struct {
	link  io.Reader
	size  int // of a cell
	pool  *batches
	small []byte
	large *[batchBytes]byte // nil: not borrowed
	buf   []byte            // small or large[:]
	next  int               // start of what has not been handed out
	end   int               // end of what was read
}

func newBatchReader(link io.Reader, size int, pool *batches) *batchReader {
	r := &batchReader{link: link, size: size, pool: pool, small: make([]byte, max(idleBytes, 2*size))}
	r.buf = r.small
	return r
}

// read returns at least one cell; the bytes are the caller's to change until
// the next call. An end in the middle of a cell is io.ErrUnexpectedEOF.
func (r *batchReader) read() ([]byte, error) {
	r.resize()
	for r.end-r.next < r.size {
		n, err := r.link.Read(r.buf[r.end:])
		r.end += n
		if err != nil && r.end-r.next < r.size {
			if err == io.EOF && r.end > r.next {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
	}
	whole := (r.end - r.next) / r.size * r.size
	cells := r.buf[r.next : r.next+whole]
	r.next += whole
	return cells, nil
}

// resize moves the rest of the last read to the front of the buffer that the
// last read calls for: the large one when it filled the small one, the small
// one when it would have held it.
func (r *batchReader) resize() {
	rest := r.buf[r.next:r.end]
	if r.large == nil && r.end == len(r.small) {
		r.large = r.pool.borrow()
		if r.large == nil {
			r.end, r.next = copy(r.buf, rest), 0
			return
		}
		r.end = copy(r.large[:], rest)
		r.buf, r.next = r.large[:], 0
		return
	}
	switch {
	case r.large != nil && r.end <= len(r.small):
		r.end = copy(r.small, rest)
		r.buf = r.small
		r.pool.giveBack(r.large)
		r.large = nil
	default:
		r.end = copy(r.buf, rest)
	}
	r.next = 0
}

// release gives a borrowed buffer back. The reader must not be used again.
func (r *batchReader) release() {
	if r.large != nil {
		r.pool.giveBack(r.large)
		r.large = nil
	}
	r.buf = nil
}

// filler makes the random bytes that hide how much of a cell means something:
// ChaCha8 seeded by the system, one per goroutine that writes cells, because
// a system call per cell would cost more than sealing it.
type filler struct{ src *mrand.ChaCha8 }

func newFiller() filler {
	var seed [32]byte
	rand.Read(seed[:]) // never fails: crypto/rand crashes the program instead
	return filler{mrand.NewChaCha8(seed)}
}

// fill overwrites b.
func (f filler) fill(b []byte) {
	// Read of a ChaCha8 never fails.
	_, _ = f.src.Read(b)
}

// newStall is a timer, stopped, that resets links when one of them has taken
// nothing for too long.
func newStall(links ...Link) *time.Timer {
	t := time.AfterFunc(stallTimeout, func() {
		for _, l := range links {
			_ = l.Reset()
		}
	})
	t.Stop()
	return t
}

// writeCell sends one cell of which only the command and the first bytes of
// the body mean something.
func writeCell(w io.Writer, f filler, size int, cmd cell.Command, body []byte) error {
	c := make([]byte, size)
	c[0] = byte(cmd)
	f.fill(c[1+copy(c[1:], body):])
	if _, err := w.Write(c); err != nil {
		return fmt.Errorf("write cell: %w", err)
	}
	return nil
}
