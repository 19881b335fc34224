package world

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"slices"

	"golang.org/x/crypto/scrypt"
)

// The one set of parameters a ticket is made with: 16 MiB and some 40 ms a try,
// which a graphics card does not do much better than a laptop.
const (
	TicketN = 1 << 14
	TicketR = 8
	TicketP = 1
)

// Ticket shows that somebody computed for a while, for one key, in one epoch.
type Ticket struct {
	Nonce  [32]byte
	Anchor []byte // what the ticket must be younger than; may be empty
	Output [32]byte
}

// What is wrong with a ticket.
var (
	ErrTicketWork  = errors.New("the ticket shows less work than the world asks for")
	ErrTicketWrong = errors.New("the ticket was not computed for this world, epoch and key")
)

// MakeTicket tries nonces until the output begins with so many zero bits: 2^n
// tries, on average. The error is the context's, or says what is out of bounds.
func MakeTicket(ctx context.Context, world Hash, epoch uint64, key [32]byte, anchor []byte, zeroBits uint32) (Ticket, error) {
	if err := checkTicket(anchor, zeroBits); err != nil {
		return Ticket{}, err
	}
	t := Ticket{Anchor: slices.Clone(anchor)}
	_, _ = rand.Read(t.Nonce[:]) // never fails: it ends the program first
	for {
		if err := ctx.Err(); err != nil {
			return Ticket{}, fmt.Errorf("computing a ticket: %w", err)
		}
		t.Output = t.Compute(world, epoch, key)
		if leadingZeros(t.Output) >= zeroBits {
			return t, nil
		}
		count := binary.LittleEndian.Uint64(t.Nonce[:])
		binary.LittleEndian.PutUint64(t.Nonce[:], count+1)
	}
}

// Check computes the ticket again, once what costs nothing is in order: the
// size of the anchor and the zero bits of the output.
func (t Ticket) Check(world Hash, epoch uint64, key [32]byte, zeroBits uint32) error {
	if err := checkTicket(t.Anchor, zeroBits); err != nil {
		return err
	}
	if leadingZeros(t.Output) < zeroBits {
		return ErrTicketWork
	}
	if want := t.Compute(world, epoch, key); subtle.ConstantTimeCompare(want[:], t.Output[:]) != 1 {
		return ErrTicketWrong
	}
	return nil
}

func checkTicket(anchor []byte, zeroBits uint32) error {
	switch {
	case len(anchor) > MaxAnchor:
		return fmt.Errorf("a ticket's anchor has at most %d bytes, not %d", MaxAnchor, len(anchor))
	case zeroBits > MaxTicketBits:
		return fmt.Errorf("a ticket has at most %d zero bits, not %d", MaxTicketBits, zeroBits)
	}
	return nil
}

// Compute is the output that the nonce and the anchor have. It takes 16 MiB and
// some 40 ms.
func (t Ticket) Compute(world Hash, epoch uint64, key [32]byte) [32]byte {
	in := concat([][]byte{[]byte("ticket"), world[:], epochBytes(epoch), key[:], t.Nonce[:], t.Anchor})
	out, err := scrypt.Key(in, world[:], TicketN, TicketR, TicketP, len(t.Output))
	if err != nil {
		panic("world: scrypt refuses fixed parameters: " + err.Error())
	}
	return [32]byte(out)
}

// leadingZeros counts the zero bits a hash begins with.
func leadingZeros(h [32]byte) uint32 {
	n := 0
	for _, b := range h {
		n += bits.LeadingZeros8(b)
		if b != 0 {
			break
		}
	}
	return uint32(n)
}

// Bytes are nonce, anchor and output, as a message carries them.
func (t Ticket) Bytes() []byte { return concat([][]byte{t.Nonce[:], t.Anchor, t.Output[:]}) }

// ParseTicket reads what Bytes writes. It does not check the work.
func ParseTicket(b []byte) (Ticket, error) {
	var t Ticket
	anchor := len(b) - len(t.Nonce) - len(t.Output)
	if anchor < 0 || anchor > MaxAnchor {
		return Ticket{}, fmt.Errorf("a ticket has %d to %d bytes, not %d",
			len(t.Nonce)+len(t.Output), len(t.Nonce)+MaxAnchor+len(t.Output), len(b))
	}
	copy(t.Nonce[:], b)
	t.Anchor = bytes.Clone(b[len(t.Nonce) : len(t.Nonce)+anchor])
	copy(t.Output[:], b[len(t.Nonce)+anchor:])
	return t, nil
}
