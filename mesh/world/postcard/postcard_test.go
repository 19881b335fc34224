package postcard_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"math"
	"testing"

	"github.com/culvert-net/culvert/mesh/world/postcard"
)

func TestUint(t *testing.T) {
	for _, c := range []struct {
		v   uint64
		hex string
	}{
		{0, "00"},
		{1, "01"},
		{127, "7f"},
		{128, "8001"},
		{300000, "e0a712"},
		{math.MaxUint16, "ffff03"},
		{math.MaxUint32, "ffffffff0f"},
		{math.MaxUint64, "ffffffffffffffffff01"},
	} {
		got := postcard.AppendUint(nil, c.v)
		if hex.EncodeToString(got) != c.hex {
			t.Errorf("AppendUint(%d) = %x, want %s", c.v, got, c.hex)
		}
		d := postcard.NewDecoder(got)
		if v := d.U64(); v != c.v || d.Finish() != nil {
			t.Errorf("U64(%s) = %d, %v, want %d", c.hex, v, d.Err(), c.v)
		}
	}
}

func TestInt(t *testing.T) {
	for _, c := range []struct {
		v   int64
		hex string
	}{
		{0, "00"},
		{-1, "01"},
		{1, "02"},
		{-64, "7f"},
		{64, "8001"},
		{math.MaxInt64, "feffffffffffffffff01"},
		{math.MinInt64, "ffffffffffffffffff01"},
	} {
		got := postcard.AppendInt(nil, c.v)
		if hex.EncodeToString(got) != c.hex {
			t.Errorf("AppendInt(%d) = %x, want %s", c.v, got, c.hex)
		}
		d := postcard.NewDecoder(got)
		if v := d.I64(); v != c.v || d.Finish() != nil {
			t.Errorf("I64(%s) = %d, %v, want %d", c.hex, v, d.Err(), c.v)
		}
	}
}

func TestRest(t *testing.T) {
	var b []byte
	b = postcard.AppendBool(b, true)
	b = postcard.AppendBool(b, false)
	b = postcard.AppendFloat(b, 0.5)
	b = postcard.AppendFloat(b, math.Copysign(0, -1))
	b = postcard.AppendString(b, "héllo")
	b = postcard.AppendBytes(b, []byte{1, 2})
	b = postcard.AppendArray(b, []byte{3, 4})
	const want = "0100" + "000000000000e03f" + "0000000000000000" + "0668c3a96c6c6f" + "020102" + "0304"
	if hex.EncodeToString(b) != want {
		t.Fatalf("encoded %x, want %s", b, want)
	}
	d := postcard.NewDecoder(b)
	if !d.Bool() || d.Bool() || d.F64() != 0.5 || d.F64() != 0 || d.Text() != "héllo" {
		t.Error("bool, float or string did not come back")
	}
	var two [2]byte
	if got := d.Bytes(); !bytes.Equal(got, []byte{1, 2}) {
		t.Errorf("Bytes() = %x", got)
	}
	if d.Array(two[:]); two != [2]byte{3, 4} {
		t.Errorf("Array() = %x", two)
	}
	if err := d.Finish(); err != nil {
		t.Error(err)
	}
}

func TestFloatPanics(t *testing.T) {
	for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("AppendFloat(%v) did not panic", v)
				}
			}()
			postcard.AppendFloat(nil, v)
		}()
	}
}

func TestRefused(t *testing.T) {
	var two [2]byte
	for _, c := range []struct {
		name, hex string
		read      func(*postcard.Decoder)
		want      error
	}{
		{"empty u8", "", func(d *postcard.Decoder) { d.U8() }, postcard.ErrTruncated},
		{"empty varint", "", func(d *postcard.Decoder) { d.U64() }, postcard.ErrTruncated},
		{"cut varint", "80", func(d *postcard.Decoder) { d.U64() }, postcard.ErrTruncated},
		{"varint with a zero at the end", "8000", func(d *postcard.Decoder) { d.U64() }, postcard.ErrVarint},
		{"long form of one", "818000", func(d *postcard.Decoder) { d.U64() }, postcard.ErrVarint},
		{"u16 too large", "808004", func(d *postcard.Decoder) { d.U16() }, postcard.ErrVarint},
		{"u32 too large", "8080808010", func(d *postcard.Decoder) { d.U32() }, postcard.ErrVarint},
		{"u64 too large", "ffffffffffffffffff02", func(d *postcard.Decoder) { d.U64() }, postcard.ErrVarint},
		{"u64 of eleven bytes", "ffffffffffffffffffff01", func(d *postcard.Decoder) { d.U64() }, postcard.ErrVarint},
		{"bool of two", "02", func(d *postcard.Decoder) { d.Bool() }, postcard.ErrBool},
		{"cut float", "00000000000000", func(d *postcard.Decoder) { d.F64() }, postcard.ErrTruncated},
		{"minus zero", "0000000000000080", func(d *postcard.Decoder) { d.F64() }, postcard.ErrFloat},
		{"NaN", "000000000000f87f", func(d *postcard.Decoder) { d.F64() }, postcard.ErrFloat},
		{"infinity", "000000000000f07f", func(d *postcard.Decoder) { d.F64() }, postcard.ErrFloat},
		{"string beyond the input", "0561", func(d *postcard.Decoder) { _ = d.Text() }, postcard.ErrLength},
		{"string of 2^63", "80808080808080808001", func(d *postcard.Decoder) { _ = d.Text() }, postcard.ErrLength},
		{"string of half a rune", "01c3", func(d *postcard.Decoder) { _ = d.Text() }, postcard.ErrUTF8},
		{"bytes beyond the input", "02ff", func(d *postcard.Decoder) { d.Bytes() }, postcard.ErrLength},
		{"bytes of another size", "03010203", func(d *postcard.Decoder) { d.BytesTo(two[:]) }, postcard.ErrSize},
		{"cut array", "01", func(d *postcard.Decoder) { d.Array(two[:]) }, postcard.ErrTruncated},
		{"more items than fit", "03000000000000", func(d *postcard.Decoder) { d.Count(4) }, postcard.ErrLength},
		{"variant out of range", "02", func(d *postcard.Decoder) { d.Variant(2) }, postcard.ErrVariant},
		{"trailing", "0000", func(d *postcard.Decoder) { d.U8() }, postcard.ErrTrailing},
		{"caller's check", "00", func(d *postcard.Decoder) { d.U8(); d.Fail(postcard.ErrOrder) }, postcard.ErrOrder},
	} {
		t.Run(c.name, func(t *testing.T) {
			in, err := hex.DecodeString(c.hex)
			if err != nil {
				t.Fatal(err)
			}
			d := postcard.NewDecoder(in)
			c.read(d)
			if err := d.Finish(); !errors.Is(err, c.want) {
				t.Errorf("decoding %s: %v, want %v", c.hex, err, c.want)
			}
		})
	}
}

// TestFirstErrorStays shows that a caller may decode a whole struct and look
// once: nothing read after an error is anything but zero.
func TestFirstErrorStays(t *testing.T) {
	d := postcard.NewDecoder([]byte{2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1})
	d.Bool()
	var arr [4]byte
	d.Array(arr[:])
	if d.U64() != 0 || d.Text() != "" || d.Bytes() != nil || d.Count(1) != 0 || d.F64() != 0 || arr != [4]byte{} {
		t.Error("a value was read after an error")
	}
	var at *postcard.Error
	if err := d.Finish(); !errors.As(err, &at) || at.Offset != 0 || !errors.Is(err, postcard.ErrBool) {
		t.Errorf("Finish() = %v, want the first error at 0", err)
	}
}

// FuzzScalars checks, per scalar type, that what decodes encodes to the same
// bytes: no value has two accepted encodings.
func FuzzScalars(f *testing.F) {
	f.Add([]byte{0})
	f.Add([]byte{0x80, 0x01})
	f.Add([]byte{0x80, 0x00})
	f.Add([]byte{3, 'a', 'b', 'c'})
	f.Add([]byte{0, 0, 0, 0, 0, 0, 0xe0, 0x3f})
	f.Fuzz(func(t *testing.T, in []byte) {
		for name, again := range map[string]func(*postcard.Decoder) []byte{
			"u16":    func(d *postcard.Decoder) []byte { return postcard.AppendUint(nil, uint64(d.U16())) },
			"u32":    func(d *postcard.Decoder) []byte { return postcard.AppendUint(nil, uint64(d.U32())) },
			"u64":    func(d *postcard.Decoder) []byte { return postcard.AppendUint(nil, d.U64()) },
			"i64":    func(d *postcard.Decoder) []byte { return postcard.AppendInt(nil, d.I64()) },
			"bool":   func(d *postcard.Decoder) []byte { return postcard.AppendBool(nil, d.Bool()) },
			"f64":    func(d *postcard.Decoder) []byte { return postcard.AppendFloat(nil, d.F64()) },
			"string": func(d *postcard.Decoder) []byte { return postcard.AppendString(nil, d.Text()) },
			"bytes":  func(d *postcard.Decoder) []byte { return postcard.AppendBytes(nil, d.Bytes()) },
		} {
			d := postcard.NewDecoder(in)
			out := again(d)
			if d.Finish() == nil && !bytes.Equal(out, in) {
				t.Errorf("%s: %x decodes and encodes to %x", name, in, out)
			}
		}
	})
}
