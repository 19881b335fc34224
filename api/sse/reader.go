package sse

import (
	"bytes"
	"errors"
	"io"
	"slices"
)

// ErrTooLong is returned for an event larger than the Reader's limit.
var ErrTooLong = errors.New("sse: event is too long")

// Event is one event of a stream, or one block of comments.
type Event struct {
	// Raw is the event exactly as it came, up to and including the blank line
	// that ends it; only to a [DONE] with which the source ends that line is
	// added. It is valid until the next call of Next.
	Raw []byte

	// Data is what the event's data lines hold, joined by line feeds; nil if
	// there is none. With one data line it is a part of Raw.
	Data []byte
}

// IsComment reports whether the event carries no data: comments, stray blank
// lines, or fields that mean nothing without data. Clients dispatch nothing.
func (e Event) IsComment() bool { return e.Data == nil }

// IsDone reports whether the event is the [DONE] that ends a chat stream.
func (e Event) IsDone() bool { return string(bytes.TrimSpace(e.Data)) == "[DONE]" }

// Reader splits a stream into whole events. It is not safe for concurrent use.
type Reader struct {
	src io.Reader
	max int
	err error // what src ended with; given out once the buffer holds no event

	buf   []byte // buf[start:] is received and not yet returned
	start int
	line  int  // start of the line being scanned
	scan  int  // buf[line:scan] is known to hold no end of line
	cr    bool // buf[:line] ends with CR as the last byte seen: LF may belong to it
	ready int  // end of the next whole event, 0 if none is known
}

// NewReader returns a Reader of r's events, each of at most max bytes.
func NewReader(r io.Reader, max int) *Reader {
	return &Reader{src: r, max: max}
}

// Next returns the next whole event and blocks until it has arrived. It never
// waits for a byte beyond the event's end. At the end of the source the error
// is io.EOF between events and io.ErrUnexpectedEOF inside one; other errors of
// the source are returned as they are, after the events that came before.
func (r *Reader) Next() (Event, error) {
	for !r.Buffered() {
		if len(r.buf)-r.start > r.max {
			r.err = ErrTooLong
			return Event{}, r.err
		}
		if r.err != nil {
			return r.last()
		}
		r.fill()
	}
	raw := r.buf[r.start:r.ready:r.ready]
	r.start, r.ready = r.ready, 0
	if len(raw) > r.max {
		r.err = ErrTooLong
		return Event{}, r.err
	}
	return Event{Raw: raw, Data: data(raw)}, nil
}

// Buffered reports whether Next returns an event without reading.
func (r *Reader) Buffered() bool {
	if r.err == ErrTooLong {
		return false
	}
	for r.ready == 0 {
		i := endOfLine(r.buf[r.scan:])
		if i < 0 {
			r.scan = len(r.buf)
			return false
		}
		at := r.scan + i
		next := at + 1
		blank := at == r.line
		switch {
		case r.buf[at] == '\n' && blank && r.cr:
			blank = false // the second half of a CRLF that came in two reads
			r.cr = false
		case r.buf[at] == '\r' && next < len(r.buf):
			if r.buf[next] == '\n' {
				next++
			}
			r.cr = false
		default:
			// A CR at the very end of what arrived ends its line now: to wait
			// for the LF that may follow would hold an event back.
			r.cr = r.buf[at] == '\r'
		}
		r.line, r.scan = next, next
		if blank {
			r.ready = next
		}
	}
	return true
}

// last is Next when the source has ended and no whole event is left.
func (r *Reader) last() (Event, error) {
	rest := r.buf[r.start:]
	r.start = len(r.buf)
	if r.err != io.EOF || len(rest) == 0 {
		return Event{}, r.err
	}
	if string(rest) == "\n" && r.line == len(r.buf) {
		// The LF of the last event's CRLF. It is not lost.
		return Event{Raw: rest}, nil
	}
	// A server that ends after its [DONE] has said all, though the blank line
	// that clients wait for may be missing.
	if e := finished(rest); e.IsDone() {
		return e, nil
	}
	r.err = io.ErrUnexpectedEOF
	return Event{}, r.err
}

// finished is the event that rest, which lacks its end, would be with one.
func finished(rest []byte) Event {
	raw := append(slices.Clone(rest), "\n\n"...)
	return Event{Raw: raw, Data: data(raw)}
}

// fill reads once, after making room.
func (r *Reader) fill() {
	if r.start == len(r.buf) {
		to := r.buf[:0]
		if cap(to) > keepBuffer {
			to = nil
		}
		r.move(to)
	}
	if len(r.buf) == cap(r.buf) {
		if r.start >= cap(r.buf)/2 && r.start > 0 {
			r.move(r.buf[:0])
		} else {
			r.move(make([]byte, 0, max(firstBuffer, 2*cap(r.buf))))
		}
	}
	for range maxEmptyReads {
		n, err := r.src.Read(r.buf[len(r.buf):cap(r.buf)])
		r.buf = r.buf[:len(r.buf)+n]
		if err != nil {
			r.err = err
			return
		}
		if n > 0 {
			return
		}
	}
	r.err = io.ErrNoProgress
}

// move puts what is not returned yet at the front of to.
func (r *Reader) move(to []byte) {
	r.buf = append(to, r.buf[r.start:]...)
	r.line -= r.start
	r.scan -= r.start
	r.start = 0
}

// endOfLine is the index of the first CR or LF, or -1. It looks at one block
// after the other: to search all of b for the one would cost its whole length
// for every line that ends in the other.
func endOfLine(b []byte) int {
	const block = 512
	for at := 0; at < len(b); at += block {
		part := b[at:min(at+block, len(b))]
		lf := bytes.IndexByte(part, '\n')
		if lf >= 0 {
			part = part[:lf]
		}
		if cr := bytes.IndexByte(part, '\r'); cr >= 0 {
			return at + cr
		}
		if lf >= 0 {
			return at + lf
		}
	}
	return -1
}

// data joins the values of raw's data lines; nil if there is no such line.
func data(raw []byte) []byte {
	var joined []byte
	lines := 0
	for len(raw) > 0 {
		i := endOfLine(raw)
		line := raw[:i]
		raw = raw[i+1:]
		value, ok := bytes.CutPrefix(line, dataPrefix)
		if !ok {
			if string(line) != "data" { // a field without a colon is empty
				continue
			}
			value = line[:0]
		}
		value = bytes.TrimPrefix(value, space)
		switch lines {
		case 0:
			joined = value
		case 1:
			joined = append(append(append(make([]byte, 0, len(joined)+len(value)+1), joined...), '\n'), value...)
		default:
			joined = append(append(joined, '\n'), value...)
		}
		lines++
	}
	return joined
}

var (
	dataPrefix = []byte("data:")
	space      = []byte(" ")
)
