package postcard

import (
	"encoding/binary"
	"math"
)

// AppendUint appends a u16, u32 or u64: a little-endian base-128 varint, always
// the shortest one.
func AppendUint(b []byte, v uint64) []byte {
	return binary.AppendUvarint(b, v)
}

// AppendInt appends a signed integer: zig-zag, then varint.
func AppendInt(b []byte, v int64) []byte {
	return binary.AppendUvarint(b, uint64(v)<<1^uint64(v>>63))
}

// AppendBool appends one byte, 0 or 1. It is also the mark of an option: false
// for none, true when the value follows.
func AppendBool(b []byte, v bool) []byte {
	if v {
		return append(b, 1)
	}
	return append(b, 0)
}

// AppendFloat appends an f64, eight bytes little-endian. Minus zero is written
// as zero, so that equal values have equal bytes. It panics on NaN and the
// infinities: whoever lets one reach a hash has skipped a check of its own.
func AppendFloat(b []byte, v float64) []byte {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		panic("postcard: canonical bytes hold finite floats only")
	}
	if v == 0 {
		v = 0 // minus zero compares equal to zero, and becomes it here
	}
	return binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
}

// AppendString appends a string: its length in bytes, then the bytes.
func AppendString(b []byte, s string) []byte {
	return append(AppendUint(b, uint64(len(s))), s...)
}

// AppendBytes appends a byte vector: its length, then the bytes.
func AppendBytes(b, v []byte) []byte {
	return append(AppendUint(b, uint64(len(v))), v...)
}

// AppendArray appends an array of fixed size, which has no length before it.
func AppendArray(b, v []byte) []byte {
	return append(b, v...)
}
