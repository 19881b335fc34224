package gossip

import (
	"bufio"
	"crypto/cipher"
	"encoding/binary"
	"io"

	"github.com/culvert-net/culvert/mesh/world"
)

// channel carries messages as sealed frames. It belongs to one goroutine.
//
// A frame is one byte, which says how many buckets of 256 bytes it has less one,
// and the sealed text that fills them. The text is a length of two bytes, that
// many bytes of the stream of messages, and zeros. A message is its length as a
// varint, its kind, and its bytes; it begins where the last one ended, so a flight
// of small ones is one frame.
type channel struct {
	r       io.Reader
	w       *bufio.Writer
	in, out direction

	pending []byte // messages that wait to be sealed
	arrived []byte // of the stream of messages, not read yet
	frame   []byte // scratch

	alive   func() // called when a frame came or went
	waiting bool   // something was sent since something was read
	size    Size
	phase   *Bytes // what messages are counted into, besides size

	roundTrips int
}

// direction is one direction's key and counter.
type direction struct {
	aead    cipher.AEAD
	counter uint64
}

// Size is what a session sent and received.
type Size struct {
	Plain Bytes // messages, before they were padded and sealed
	Wire  Bytes // what the stream carried
}

// Bytes counts both directions.
type Bytes struct{ Sent, Received int64 }

// Total is both directions together.
func (b Bytes) Total() int64 { return b.Sent + b.Received }

const (
	tagSize   = 16
	frameHead = 1
	textHead  = 2

	// maxText is how much of the stream of messages fits into a frame.
	maxText = maxFrame - frameHead - tagSize - textHead
)

func newChannel(rw io.ReadWriter, alive func()) *channel {
	return &channel{alive: alive, r: bufio.NewReaderSize(rw, 16<<10), w: bufio.NewWriterSize(rw, maxFrame), frame: make([]byte, maxFrame)}
}

// rekeyIn takes what comes next with a new key. The peer changes at the same
// message, so nothing that arrived is unread.
func (c *channel) rekeyIn(key *world.Secret) error {
	if len(c.arrived) > 0 {
		return fail(ReasonMalformed, "a frame goes on after the change of keys")
	}
	c.in = direction{aead: key.AEAD()}
	return nil
}

// rekeyOut sends what comes next with a new key, and what waits with the old.
func (c *channel) rekeyOut(key *world.Secret) error {
	if err := c.drain(1); err != nil {
		return err
	}
	c.out = direction{aead: key.AEAD()}
	return nil
}

// nonce is the next one. A key seals at most 2^64 frames in one direction, and
// no session sends that many.
func (d *direction) nonce() []byte {
	n := binary.LittleEndian.AppendUint64(make([]byte, 4, 12), d.counter)
	d.counter++
	return n
}

// send puts a message behind those that wait, and sends full frames.
func (c *channel) send(k kind, body []byte) error {
	at := len(c.pending)
	c.pending = binary.AppendUvarint(c.pending, uint64(len(body)))
	c.pending = append(c.pending, byte(k))
	c.pending = append(c.pending, body...)
	c.count(func(b *Bytes) *int64 { return &b.Sent }, len(c.pending)-at)
	return c.drain(maxText)
}

// drain sends frames while at least n bytes wait.
func (c *channel) drain(n int) error {
	rest := c.pending
	for len(rest) > 0 && len(rest) >= n {
		if err := c.seal(rest[:min(len(rest), maxText)]); err != nil {
			return err
		}
		rest = rest[min(len(rest), maxText):]
	}
	c.pending = append(c.pending[:0], rest...)
	return nil
}

// count adds n to one direction of the session's and the phase's bytes.
func (c *channel) count(field func(*Bytes) *int64, n int) {
	*field(&c.size.Plain) += int64(n)
	if c.phase != nil {
		*field(c.phase) += int64(n)
	}
}

// flush sends what waits.
func (c *channel) flush() error {
	if err := c.drain(1); err != nil {
		return err
	}
	c.waiting = true
	if err := c.w.Flush(); err != nil {
		return closed(err)
	}
	return nil
}

// seal sends one frame with b in it.
func (c *channel) seal(b []byte) error {
	buckets := (frameHead + textHead + len(b) + tagSize + bucket - 1) / bucket
	f := c.frame[:buckets*bucket]
	clear(f)
	f[0] = byte(buckets - 1)
	text := f[frameHead : len(f)-tagSize]
	binary.BigEndian.PutUint16(text, uint16(len(b)))
	copy(text[textHead:], b)
	c.out.aead.Seal(text[:0], c.out.nonce(), text, f[:frameHead])
	c.size.Wire.Sent += int64(len(f))
	if _, err := c.w.Write(f); err != nil {
		return closed(err)
	}
	c.alive()
	return nil
}

// recv is the next message: of one of the wanted kinds, and no longer than they
// may be. What the peer says of why it ends the session comes as an error.
func (c *channel) recv(want ...kind) (kind, []byte, error) {
	if c.waiting {
		c.waiting = false
		c.roundTrips++
	}
	for {
		n, used := binary.Uvarint(c.arrived)
		if used < 0 || used > 1 && c.arrived[used-1] == 0 {
			return 0, nil, fail(ReasonMalformed, "the length of a message")
		}
		if used > 0 && len(c.arrived) > used {
			k := kind(c.arrived[used])
			limit, ok := k.allowed(want)
			switch {
			case !ok:
				return 0, nil, fail(ReasonMalformed, "message %d, not one of %v", k, want)
			case n > uint64(limit):
				return 0, nil, fail(ReasonLimit, "message %d of %d bytes", k, n)
			}
			if end := used + 1 + int(n); len(c.arrived) >= end {
				body := c.arrived[used+1 : end : end]
				c.arrived = c.arrived[end:]
				c.count(func(b *Bytes) *int64 { return &b.Received }, end)
				if k == kindError {
					return 0, nil, told(body)
				}
				return k, body, nil
			}
		}
		if err := c.open(); err != nil {
			return 0, nil, err
		}
	}
}

// told is the error of a peer that ended the session.
func told(body []byte) error {
	if len(body) != 1 || body[0] == 0 || Reason(body[0]) >= ReasonUnreachable {
		return fail(ReasonMalformed, "a reason for the end")
	}
	return &Error{Reason: Reason(body[0]), Told: true}
}

// open reads one frame.
func (c *channel) open() error {
	if _, err := io.ReadFull(c.r, c.frame[:1]); err != nil {
		return closed(err)
	}
	f := c.frame[:(int(c.frame[0])+1)*bucket]
	if _, err := io.ReadFull(c.r, f[frameHead:]); err != nil {
		return closed(err)
	}
	c.alive()
	c.size.Wire.Received += int64(len(f))
	text, err := c.in.aead.Open(f[frameHead:frameHead], c.in.nonce(), f[frameHead:], f[:frameHead])
	if err != nil {
		return &Error{Reason: ReasonSeal}
	}
	n := int(binary.BigEndian.Uint16(text))
	// An honest frame is no larger than what is in it, and carries something.
	if n == 0 || n > len(text)-textHead || len(text)-textHead-n >= bucket {
		return fail(ReasonMalformed, "a frame of %d bytes with %d in it", len(f), n)
	}
	// The window moves through its array and only ever grows at its end, so what
	// was handed out stays as it was.
	c.arrived = append(c.arrived, text[textHead:textHead+n]...)
	return nil
}

// closed is what an error of the stream means.
func closed(err error) error { return &Error{Reason: ReasonClosed, err: err} }
