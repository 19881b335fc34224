package channel

import (
	"encoding/binary"
	"fmt"

	"github.com/culvert-net/culvert/ledger"
)

// fields is told the fields of a record or a frame in their order: one list
// both writes and reads, so that the two cannot part. Numbers are big-endian.
type fields interface {
	version(uint8)             // of the record's form
	fixed([]byte)              // as many bytes as there are
	blob(p *[]byte, limit int) // length u16, bytes
	text(p *string, limit int) // the same
	u8(*uint8)
	u16(*uint16)
	u24(*uint32)
	u32(*uint32)
	u64(*uint64)
	flag(*bool)
	amount(*ledger.Amount)
}

func encode(r record) []byte {
	w := writer{make([]byte, 0, 512)}
	r.visit(&w)
	return w.b
}

// decode reads what encode wrote, and nothing else.
func decode(b []byte, r record) error {
	d := reader{b: b}
	r.visit(&d)
	if d.err == nil && len(d.b) > 0 {
		d.fail("there are bytes after its end")
	}
	if d.err != nil {
		return fmt.Errorf("%T of %d bytes: %w", r, len(b), d.err)
	}
	return nil
}

type writer struct{ b []byte }

func (w *writer) version(v uint8) { w.b = append(w.b, v) }
func (w *writer) fixed(p []byte)  { w.b = append(w.b, p...) }
func (w *writer) u8(p *uint8)     { w.b = append(w.b, *p) }
func (w *writer) u16(p *uint16)   { w.b = binary.BigEndian.AppendUint16(w.b, *p) }
func (w *writer) u24(p *uint32)   { w.b = append(w.b, byte(*p>>16), byte(*p>>8), byte(*p)) }
func (w *writer) u32(p *uint32)   { w.b = binary.BigEndian.AppendUint32(w.b, *p) }
func (w *writer) u64(p *uint64)   { w.b = binary.BigEndian.AppendUint64(w.b, *p) }

func (w *writer) blob(p *[]byte, limit int) {
	if len(*p) > limit {
		panic(fmt.Sprintf("unreachable: %d bytes where %d are the most", len(*p), limit))
	}
	w.b = binary.BigEndian.AppendUint16(w.b, uint16(len(*p)))
	w.b = append(w.b, *p...)
}

func (w *writer) text(p *string, limit int) {
	b := []byte(*p)
	w.blob(&b, limit)
}

func (w *writer) flag(p *bool) {
	if *p {
		w.b = append(w.b, 1)
	} else {
		w.b = append(w.b, 0)
	}
}

func (w *writer) amount(p *ledger.Amount) {
	b := p.Bytes()
	w.b = append(w.b, b[:]...)
}

// reader gives zeros after its first error.
type reader struct {
	b   []byte // what is left
	err error
}

func (r *reader) fail(why string) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: %s", ledger.ErrForm, why)
	}
	r.b = nil
}

func (r *reader) take(n int) []byte {
	if len(r.b) < n {
		r.fail("it is cut short")
		return nil
	}
	head := r.b[:n]
	r.b = r.b[n:]
	return head
}

func (r *reader) number(n int) (v uint64) {
	for _, b := range r.take(n) {
		v = v<<8 | uint64(b)
	}
	return v
}

func (r *reader) version(v uint8) {
	if got := uint8(r.number(1)); r.err == nil && got != v {
		r.fail(fmt.Sprintf("it is of version %d, and this program reads %d", got, v))
	}
}

func (r *reader) fixed(p []byte) { copy(p, r.take(len(p))) }
func (r *reader) u8(p *uint8)    { *p = uint8(r.number(1)) }
func (r *reader) u16(p *uint16)  { *p = uint16(r.number(2)) }
func (r *reader) u24(p *uint32)  { *p = uint32(r.number(3)) }
func (r *reader) u32(p *uint32)  { *p = uint32(r.number(4)) }
func (r *reader) u64(p *uint64)  { *p = r.number(8) }

func (r *reader) blob(p *[]byte, limit int) {
	n := int(r.number(2))
	if n > limit {
		r.fail("a part is too long")
		return
	}
	if *p = nil; n > 0 {
		*p = append([]byte(nil), r.take(n)...)
	}
}

func (r *reader) text(p *string, limit int) {
	var b []byte
	r.blob(&b, limit)
	*p = string(b)
}

func (r *reader) flag(p *bool) {
	n := r.number(1)
	if n > 1 {
		r.fail("a flag is 0 or 1")
	}
	*p = n == 1
}

func (r *reader) amount(p *ledger.Amount) {
	var b [12]byte
	copy(b[:], r.take(len(b)))
	*p = ledger.AmountOfBytes(b)
}
