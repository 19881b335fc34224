package postcard

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"unicode/utf8"
)

// What can be wrong with bytes that claim to be canonical.
var (
	ErrTruncated = errors.New("ends too early")
	ErrTrailing  = errors.New("bytes follow the value")
	ErrVarint    = errors.New("integer is not in its shortest form or too large for its type")
	ErrLength    = errors.New("length is beyond the input")
	ErrBool      = errors.New("neither 0 nor 1")
	ErrVariant   = errors.New("no such variant")
	ErrFloat     = errors.New("float is not finite or is minus zero")
	ErrUTF8      = errors.New("string is not UTF-8")
	ErrOrder     = errors.New("repeated field is not sorted or holds a duplicate")
	ErrSize      = errors.New("byte vector does not have the size this field has")
)

// Error says which rule was broken and where.
type Error struct {
	Offset int   // of the first byte of what could not be read
	Err    error // one of the sentinels above
}

func (e *Error) Error() string { return fmt.Sprintf("canonical bytes, at %d: %v", e.Offset, e.Err) }

// Unwrap makes errors.Is find the sentinel.
func (e *Error) Unwrap() error { return e.Err }

// Decoder reads values from a byte slice. It never allocates more than the
// input holds: every length is compared with what is left first.
type Decoder struct {
	in  []byte
	off int
	err error // the first error; later calls do nothing
}

// NewDecoder reads from b, which the caller leaves unchanged meanwhile.
func NewDecoder(b []byte) *Decoder { return &Decoder{in: b} }

// Err is the first error so far.
func (d *Decoder) Err() error { return d.err }

// Finish is the first error, which bytes left over are too.
func (d *Decoder) Finish() error {
	if d.err == nil && d.off != len(d.in) {
		d.Fail(ErrTrailing)
	}
	return d.err
}

// Fail records err at the current place, unless something failed before.
// Callers use it for what only they can check, such as the order of a sequence.
func (d *Decoder) Fail(err error) {
	if d.err == nil {
		d.err = &Error{Offset: d.off, Err: err}
	}
}

// Offset is where the next value begins.
func (d *Decoder) Offset() int { return d.off }

// left is how many bytes may still be read.
func (d *Decoder) left() int { return len(d.in) - d.off }

// take returns the next n bytes without copying, or nil after an error.
func (d *Decoder) take(n int) []byte {
	if d.err != nil {
		return nil
	}
	if n > d.left() {
		d.Fail(ErrTruncated)
		return nil
	}
	b := d.in[d.off : d.off+n]
	d.off += n
	return b
}

// U8 reads one raw byte.
func (d *Decoder) U8() uint8 {
	b := d.take(1)
	if b == nil {
		return 0
	}
	return b[0]
}

// uint reads a varint of at most bits bits, in its shortest form.
func (d *Decoder) uint(bits int) uint64 {
	if d.err != nil {
		return 0
	}
	v, n := binary.Uvarint(d.in[d.off:])
	switch {
	case n == 0:
		d.Fail(ErrTruncated)
		return 0
	case n < 0, bits < 64 && v>>bits != 0, n > 1 && d.in[d.off+n-1] == 0:
		d.Fail(ErrVarint)
		return 0
	}
	d.off += n
	return v
}

// U16 reads a u16.
func (d *Decoder) U16() uint16 { return uint16(d.uint(16)) }

// U32 reads a u32.
func (d *Decoder) U32() uint32 { return uint32(d.uint(32)) }

// U64 reads a u64.
func (d *Decoder) U64() uint64 { return d.uint(64) }

// I64 reads a signed integer.
func (d *Decoder) I64() int64 {
	u := d.uint(64)
	return int64(u>>1) ^ -int64(u&1)
}

// Bool reads a bool, or the mark of an option.
func (d *Decoder) Bool() bool {
	b := d.take(1)
	if b == nil {
		return false
	}
	if b[0] > 1 {
		d.off--
		d.Fail(ErrBool)
	}
	return b[0] == 1
}

// F64 reads an f64.
func (d *Decoder) F64() float64 {
	b := d.take(8)
	if b == nil {
		return 0
	}
	v := math.Float64frombits(binary.LittleEndian.Uint64(b))
	if math.IsNaN(v) || math.IsInf(v, 0) || v == 0 && math.Signbit(v) {
		d.off -= 8
		d.Fail(ErrFloat)
		return 0
	}
	return v
}

// length reads a length that the input can hold.
func (d *Decoder) length() int {
	at := d.off
	n := d.uint(64)
	if d.err == nil && n > uint64(d.left()) {
		d.off = at
		d.Fail(ErrLength)
		return 0
	}
	return int(n)
}

// Text reads a string.
func (d *Decoder) Text() string {
	b := d.take(d.length())
	if !utf8.Valid(b) {
		d.off -= len(b)
		d.Fail(ErrUTF8)
		return ""
	}
	return string(b)
}

// Bytes reads a byte vector. The result points into the input.
func (d *Decoder) Bytes() []byte { return d.take(d.length()) }

// BytesTo reads a byte vector that must have exactly the size of dst.
func (d *Decoder) BytesTo(dst []byte) {
	at := d.off
	b := d.take(d.length())
	if d.err == nil && len(b) != len(dst) {
		d.off = at
		d.Fail(ErrSize)
		return
	}
	copy(dst, b)
}

// Array reads an array of the size of dst, which has no length before it.
func (d *Decoder) Array(dst []byte) { copy(dst, d.take(len(dst))) }

// Count reads the number of items of a sequence whose items have at least
// itemSize bytes each, so that a caller may allocate room for that many.
func (d *Decoder) Count(itemSize int) int {
	at := d.off
	n := d.uint(64)
	if d.err == nil && n > uint64(d.left()/max(itemSize, 1)) {
		d.off = at
		d.Fail(ErrLength)
		return 0
	}
	return int(n)
}

// Variant reads the index of an enum that has n variants.
func (d *Decoder) Variant(n uint32) uint32 {
	at := d.off
	v := d.U32()
	if d.err == nil && v >= n {
		d.off = at
		d.Fail(ErrVariant)
		return 0
	}
	return v
}
