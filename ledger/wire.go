package ledger

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// ErrForm says that bytes are not the one encoding of a message.
var ErrForm = errors.New("the bytes are not in canonical form")

// Signed is a message with its signature, as it travels and is stored. That it
// was decoded says nothing about who signed it: ask Signer.
//
// docs/spec/ledger.md §5.
type Signed[M Voucher | Release | Close | Request | Result] struct {
	Message   M
	Signature Signature
}

// Sign signs m for the domain.
func Sign[M Voucher | Release | Close | Request | Result](m M, d Domain, k *Key) Signed[M] {
	return Signed[M]{m, k.Sign(digest(d, any(&m).(message)))}
}

// Signer is who signed the message in the domain, to be compared with who
// should have.
func (s Signed[M]) Signer(d Domain) (Address, error) {
	return s.Signature.Recover(digest(d, any(&s.Message).(message)))
}

// Bytes are the one encoding: a byte for the type, the fields in their order
// and width, the signature.
func (s Signed[M]) Bytes() []byte {
	m := any(&s.Message).(message)
	w := writer{[]byte{m.form().kind}}
	m.visit(&w)
	return append(w.b, s.Signature[:]...)
}

// DecodeSigned reads what Bytes wrote, and nothing else: each type has one
// length.
func DecodeSigned[M Voucher | Release | Close | Request | Result](b []byte) (Signed[M], error) {
	var s Signed[M]
	m := any(&s.Message).(message)
	r := reader{b: b}
	if kind := r.take(1); len(kind) == 1 && kind[0] != m.form().kind {
		r.fail("it is of another type")
	}
	m.visit(&r)
	copy(s.Signature[:], r.take(len(s.Signature)))
	if err := r.end(); err != nil {
		return Signed[M]{}, fmt.Errorf("signed %s of %d bytes: %w", m.form().name, len(b), err)
	}
	return s, nil
}

// writer packs fields, big-endian, without padding.
type writer struct{ b []byte }

func (w *writer) channel(c *ChannelID) { w.b = append(w.b, c[:]...) }
func (w *writer) hash(h *Hash)         { w.b = append(w.b, h[:]...) }
func (w *writer) round(r *RoundID)     { w.b = append(w.b, r[:]...) }
func (w *writer) u64(n *uint64)        { w.b = binary.BigEndian.AppendUint64(w.b, *n) }
func (w *writer) u32(n *uint32)        { w.b = binary.BigEndian.AppendUint32(w.b, *n) }
func (w *writer) status(s *Status)     { w.b = append(w.b, byte(*s)) }

func (w *writer) epoch(n *uint32) {
	checkEpoch(*n)
	w.b = append(w.b, byte(*n>>16), byte(*n>>8), byte(*n))
}

func (w *writer) amount(a *Amount) {
	b := a.Bytes()
	w.b = append(w.b, b[:]...)
}

func (w *writer) bool(v *bool) {
	if *v {
		w.b = append(w.b, 1)
	} else {
		w.b = append(w.b, 0)
	}
}

// reader unpacks what writer packed. After its first error it gives zeros.
type reader struct {
	b   []byte // what is left
	err error
}

func (r *reader) fail(why string) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: %s", ErrForm, why)
	}
	r.b = nil
}

// take is the next n bytes, or none.
func (r *reader) take(n int) []byte {
	if len(r.b) < n {
		r.fail("it is cut short")
		return nil
	}
	head := r.b[:n]
	r.b = r.b[n:]
	return head
}

// end is the error of the whole: bytes that are left are one.
func (r *reader) end() error {
	if r.err == nil && len(r.b) > 0 {
		r.fail("there are bytes after its end")
	}
	return r.err
}

func (r *reader) number(n int) (v uint64) {
	for _, b := range r.take(n) {
		v = v<<8 | uint64(b)
	}
	return v
}

func (r *reader) channel(c *ChannelID) { copy(c[:], r.take(len(c))) }
func (r *reader) hash(h *Hash)         { copy(h[:], r.take(len(h))) }
func (r *reader) round(id *RoundID)    { copy(id[:], r.take(len(id))) }
func (r *reader) u64(n *uint64)        { *n = r.number(8) }
func (r *reader) u32(n *uint32)        { *n = uint32(r.number(4)) }
func (r *reader) epoch(n *uint32)      { *n = uint32(r.number(3)) }

func (r *reader) amount(a *Amount) {
	var b [12]byte
	copy(b[:], r.take(len(b)))
	*a = AmountOfBytes(b)
}

func (r *reader) bool(v *bool) {
	n := r.number(1)
	if n > 1 {
		r.fail("a bool is 0 or 1")
	}
	*v = n == 1
}

func (r *reader) status(s *Status) {
	*s = Status(r.number(1))
	if r.err == nil && !s.known() {
		r.fail("the status is unknown")
	}
}

// checkEpoch ends the program on an epoch that the contract has no bits for: it
// gives none, and none is decoded.
func checkEpoch(n uint32) {
	if n > MaxEpoch {
		panic(fmt.Sprintf("unreachable: epoch %d is above 24 bits", n))
	}
}
