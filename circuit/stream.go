package circuit

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"github.com/culvert-net/culvert/circuit/cell"
)

// Stream is one byte stream of a circuit: a net.Conn whose two directions
// end one by one. Read returns io.EOF only after the other end said, inside
// the layers, how many bytes it sent and all of them were read; a stream that
// merely stops is an error. Methods may be called concurrently.
type Stream struct {
	m    *mux
	id   uint16
	name string // of the circuit, for the owner of this machine
	done chan struct{}
	circ *circuit // at the client's end, else nil

	// All below is guarded by m.mu; cond is on it.
	cond   *sync.Cond
	err    error // why no more bytes come or go
	closed bool  // by Close
	queued bool  // stands in m.ready

	// Receiving. cells holds the sizes of the cells that in came in, the first
	// of which has used bytes read of it.
	in    fifo
	cells []int
	used  int
	credits
	gotBytes uint64
	gotEnd   bool
	heard    bool // anything of it came

	// Sending. out is not yet in a cell.
	out       fifo
	credit    int // cells we may still send
	sentBytes uint64
	opening   int  // kind to OPEN with, −1: none
	alone     bool // a place is kept for a stream beside this one
	writing   bool // a Write is under way; others wait, so that each arrives whole
	ending    bool // END follows out
	endSent   bool
	resetting bool // RESET is to be written
	code      byte // that it carries

	readBy, writeBy       time.Time
	readTimer, writeTimer *time.Timer
	linger                *time.Timer // resets a closed stream whose END does not leave
	scratch               [8]byte     // data of END, RESET, CREDIT, OPEN while it is put
}

var _ net.Conn = (*Stream)(nil)

func newStream(m *mux, id uint16) *Stream {
	return &Stream{
		m: m, id: id, cond: sync.NewCond(&m.mu), done: make(chan struct{}),
		credits: newCredits(), credit: initialCredit, opening: -1,
	}
}

// Beside opens another stream on the circuit of this one, which the client has
// dialled. No circuit is built for it: the errors are Dial's for one that has
// ended, and ErrBusy if it has as many streams as a circuit carries. Where
// ClientConfig.Pairs is set, there is room for one beside each that carries a
// request.
func (s *Stream) Beside(ctx context.Context, kind StreamKind) (*Stream, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("open a stream beside another: %w", err)
	}
	if s.circ == nil {
		return nil, errors.New("circuit: only who dialled a stream opens another beside it")
	}
	other, err := s.circ.openBeside(s, kind)
	if err != nil {
		return nil, fmt.Errorf("open a stream beside another: %w", err)
	}
	return other, nil
}

// Circuit is the opaque name of the circuit, the same for all its streams.
func (s *Stream) Circuit() string { return s.name }

// Done is closed when the other end reset the stream, the circuit ended, or
// Close was called.
func (s *Stream) Done() <-chan struct{} { return s.done }

// Read implements io.Reader. What arrived before a failure is still read.
func (s *Stream) Read(p []byte) (int, error) {
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	for {
		switch {
		case s.closed:
			return 0, ErrClosed
		case expired(s.readBy):
			return 0, os.ErrDeadlineExceeded
		case len(p) == 0:
			return 0, nil
		case s.in.len() > 0:
			n := copy(p, s.in.bytes())
			s.consumed(n)
			return n, nil
		case s.gotEnd:
			return 0, io.EOF
		case s.err != nil:
			return 0, s.err
		}
		s.cond.Wait()
	}
}

// consumed accounts for n bytes read and grants whole cells again.
func (s *Stream) consumed(n int) {
	s.in.drop(n)
	s.used += n
	whole := 0
	for whole < len(s.cells) && s.used >= s.cells[whole] {
		s.used -= s.cells[whole]
		whole++
	}
	s.cells = s.cells[:copy(s.cells, s.cells[whole:])]
	s.grant += whole
	if s.due() && !s.gotEnd && s.err == nil {
		s.m.schedule(s)
	}
}

// Write implements io.Writer. It waits while the other end grants nothing.
func (s *Stream) Write(p []byte) (int, error) {
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	written, mine := 0, false
	defer func() {
		if mine {
			s.writing = false
			s.cond.Broadcast()
		}
	}()
	for {
		switch {
		case s.closed || s.ending:
			return written, ErrClosed
		case s.err != nil:
			return written, s.err
		case len(p) == 0:
			return written, nil
		case expired(s.writeBy):
			return written, os.ErrDeadlineExceeded
		case s.writing && !mine:
			s.cond.Wait()
			continue
		}
		s.writing, mine = true, true
		if room := SendQueue - s.out.len(); room > 0 {
			n := min(room, len(p))
			s.out.push(p[:n])
			p = p[n:]
			written += n
			s.m.schedule(s)
			continue
		}
		s.cond.Wait()
	}
}

// CloseWrite ends this end's direction: the other end reads io.EOF after all
// that was written.
func (s *Stream) CloseWrite() error {
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	switch {
	case s.closed:
		return ErrClosed
	case s.err != nil:
		return s.err
	}
	if !s.ending {
		s.ending = true
		s.m.schedule(s)
	}
	return nil
}

// Close ends the stream. If both directions were ended, what was written
// still arrives; else the other end sees a reset. It may be called twice.
func (s *Stream) Close() error {
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	if s.closed {
		return nil
	}
	if s.err == nil && (!s.ending || !s.gotEnd) {
		s.reset(ErrClosed)
	}
	s.closed = true
	s.in, s.cells = fifo{}, nil
	s.finish()
	if s.err == nil && !s.endSent {
		s.linger = time.AfterFunc(lingerTimeout, func() {
			s.m.mu.Lock()
			defer s.m.mu.Unlock()
			if s.err == nil && !s.endSent {
				s.reset(ErrClosed)
			}
		})
	}
	return nil
}

// Reset aborts both directions at once; what was written and is not yet on
// its way is dropped.
func (s *Stream) Reset() error {
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	if s.err == nil {
		s.reset(ErrClosed)
	}
	return nil
}

// Refuse is Reset for a stream of which nothing was read and nothing will be:
// the other end learns that this one has no room, and may go elsewhere.
func (s *Stream) Refuse() error {
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	s.refuse()
	return nil
}

// refuse is Refuse with mu held.
func (s *Stream) refuse() {
	if s.err == nil {
		s.code = resetBusy
		s.reset(ErrClosed)
	}
}

// reset notes a RESET for the writer and ends the stream here. mu is held.
func (s *Stream) reset(err error) {
	s.resetting = true
	s.abort(err)
	s.m.schedule(s)
}

// abort ends the stream with err. mu is held.
func (s *Stream) abort(err error) {
	if s.err == nil {
		s.err = err
	}
	s.out = fifo{}
	s.finish()
}

// finish wakes everyone who waits on the stream. mu is held.
func (s *Stream) finish() {
	select {
	case <-s.done:
	default:
		close(s.done)
	}
	stop(s.readTimer, s.writeTimer, s.linger) // they hold the stream, and nobody waits any more
	s.cond.Broadcast()
}

func stop(timers ...*time.Timer) {
	for _, t := range timers {
		if t != nil {
			t.Stop()
		}
	}
}

// next is the next message to write; more says that there is another behind
// it. mu is held.
func (s *Stream) next() (msg cell.Message, ok, more bool) {
	switch {
	case s.opening >= 0:
		s.scratch[0] = byte(s.opening)
		s.opening = -1
		return cell.Message{Kind: cell.Open, Stream: s.id, Data: s.scratch[:1]}, true, s.pending()
	case s.resetting:
		s.resetting = false
		s.m.drop(s)
		s.scratch[0] = s.code
		return cell.Message{Kind: cell.Reset, Stream: s.id, Data: s.scratch[:1]}, true, false
	case s.err != nil:
		return cell.Message{}, false, false
	case s.due() && !s.gotEnd:
		binary.BigEndian.PutUint16(s.scratch[:], uint16(s.give(s.m)))
		return cell.Message{Kind: cell.Credit, Stream: s.id, Data: s.scratch[:2]}, true, s.pending()
	case s.out.len() > 0 && s.credit > 0:
		n := min(s.out.len(), s.m.codec.size()-cell.HeaderSize)
		data := s.out.bytes()[:n]
		s.out.drop(n) // data stays as it is until the next push
		s.credit--
		s.sentBytes += uint64(n)
		s.cond.Broadcast() // there is room for a Write
		return cell.Message{Kind: cell.Data, Stream: s.id, Data: data}, true, s.pending()
	case s.ending && !s.endSent && s.out.len() == 0:
		s.endSent = true
		stop(s.linger)
		s.out = fifo{}
		binary.BigEndian.PutUint64(s.scratch[:], s.sentBytes)
		s.forget()
		return cell.Message{Kind: cell.End, Stream: s.id, Data: s.scratch[:8]}, true, false
	}
	return cell.Message{}, false, false
}

// pending reports whether next would give a message. mu is held.
func (s *Stream) pending() bool {
	return s.resetting || s.err == nil &&
		(s.due() && !s.gotEnd ||
			s.out.len() > 0 && s.credit > 0 ||
			s.ending && !s.endSent && s.out.len() == 0)
}

// forget drops the stream from the circuit once both directions ended.
func (s *Stream) forget() {
	if s.endSent && s.gotEnd {
		s.m.drop(s)
	}
}

// onData takes a DATA cell. mu is held, as by all on… methods.
func (s *Stream) onData(data []byte) error {
	if s.window == 0 || s.gotEnd {
		return violation(cell.Data)
	}
	s.took(s.m)
	s.gotBytes += uint64(len(data))
	if s.err != nil {
		return nil // reset here; the other end does not know yet
	}
	s.in.push(data)
	s.cells = append(s.cells, len(data))
	s.cond.Broadcast()
	return nil
}

// onEnd takes the other end's END and holds it to what arrived.
func (s *Stream) onEnd(sent uint64) error {
	if s.gotEnd || sent != s.gotBytes {
		return violation(cell.End)
	}
	s.gotEnd = true
	s.forget()
	s.cond.Broadcast()
	return nil
}

// onCredit takes a grant.
func (s *Stream) onCredit(n int) error {
	if s.credit+n > maxCredit {
		return violation(cell.Credit)
	}
	s.credit += n
	if s.pending() {
		s.m.schedule(s)
	}
	return nil
}

// onReset takes the other end's RESET. A code that is not known is as good as
// none: the stream is over either way.
func (s *Stream) onReset(code byte) {
	s.resetting = false
	s.m.drop(s)
	if code == resetBusy {
		s.abort(ErrBusy)
		return
	}
	s.abort(ErrReset)
}

// resetBusy is the code of a RESET that refuses a stream unread. Every other
// RESET has 0.
const resetBusy byte = 1

// fifo is a queue of bytes in one buffer, which grows to the most it ever
// held at a time and no further.
type fifo struct {
	buf []byte
	off int
}

func (q *fifo) len() int      { return len(q.buf) - q.off }
func (q *fifo) bytes() []byte { return q.buf[q.off:] }

func (q *fifo) push(p []byte) {
	if q.off > 0 && len(q.buf)+len(p) > cap(q.buf) {
		q.buf = q.buf[:copy(q.buf, q.buf[q.off:])]
		q.off = 0
	}
	q.buf = append(q.buf, p...)
}

func (q *fifo) drop(n int) {
	q.off += n
	if q.off == len(q.buf) {
		q.buf, q.off = q.buf[:0], 0
	}
}
