package protobuf

import (
	"fmt"
	"math"
	"slices"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
)

// table are the fields of a message in the order of their numbers. One table
// writes and reads.
type table []field

// field binds a number to a place in memory.
type field struct {
	number   protowire.Number
	typ      protowire.Type
	required bool // a message without it is none of ours
	repeated bool

	put  func(b []byte, n protowire.Number) []byte // nothing for a default
	take func(v value) error
}

// value is what stands behind a tag.
type value struct {
	number uint64 // of a varint or a fixed64
	bytes  []byte // of a length-delimited field; points into the input
}

func (t table) append(b []byte) []byte {
	for _, f := range t {
		b = f.put(b, f.number)
	}
	return b
}

// read fills the fields from b.
func (t table) read(b []byte) error {
	seen := make([]bool, len(t))
	for len(b) > 0 {
		number, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			return ErrWire
		}
		v, size := consume(typ, b[n:])
		if size < 0 {
			return ErrWire
		}
		b = b[n+size:]
		i := slices.IndexFunc(t, func(f field) bool { return f.number == number })
		switch {
		case i < 0:
			continue // a field of a newer message
		case t[i].typ != typ:
			return fmt.Errorf("%w: %d is of wire type %d", ErrField, number, typ)
		case seen[i] && !t[i].repeated:
			return fmt.Errorf("%w: %d stands there twice", ErrField, number)
		}
		seen[i] = true
		if err := t[i].take(v); err != nil {
			return fmt.Errorf("field %d: %w", number, err)
		}
	}
	for i, f := range t {
		if f.required && !seen[i] {
			return fmt.Errorf("%w: %d is missing", ErrField, f.number)
		}
	}
	return nil
}

// consume reads a value and says how long it was. There are no groups: they
// nest without a length, and proto3 has none.
func consume(typ protowire.Type, b []byte) (v value, size int) {
	switch typ {
	case protowire.VarintType:
		v.number, size = protowire.ConsumeVarint(b)
	case protowire.Fixed64Type:
		v.number, size = protowire.ConsumeFixed64(b)
	case protowire.Fixed32Type:
		_, size = protowire.ConsumeFixed32(b)
	case protowire.BytesType:
		v.bytes, size = protowire.ConsumeBytes(b)
	default:
		size = -1
	}
	return v, size
}

// varintField is a number that is left out when it is 0.
func varintField(n protowire.Number, get func() uint64, set func(uint64) error) field {
	return field{
		number: n, typ: protowire.VarintType,
		put: func(b []byte, n protowire.Number) []byte {
			if get() == 0 {
				return b
			}
			return protowire.AppendVarint(protowire.AppendTag(b, n, protowire.VarintType), get())
		},
		take: func(v value) error { return set(v.number) },
	}
}

// uint64Field is a uint64.
func uint64Field(n protowire.Number, at *uint64) field {
	return varintField(n, func() uint64 { return *at }, func(v uint64) error {
		*at = v
		return nil
	})
}

// uint32Field is a uint32 or an enum.
func uint32Field[T ~uint32](n protowire.Number, at *T) field {
	return varintField(n, func() uint64 { return uint64(*at) }, func(v uint64) error {
		if v > math.MaxUint32 {
			return fmt.Errorf("%w: %d is beyond 32 bits", ErrField, v)
		}
		*at = T(v)
		return nil
	})
}

// doubleField is a double. Canonical form has no NaN and no infinity, and one
// zero.
func doubleField(n protowire.Number, at *float64) field {
	return field{
		number: n, typ: protowire.Fixed64Type,
		put: func(b []byte, n protowire.Number) []byte {
			if *at == 0 {
				return b
			}
			return protowire.AppendFixed64(protowire.AppendTag(b, n, protowire.Fixed64Type), math.Float64bits(*at))
		},
		take: func(v value) error {
			f := math.Float64frombits(v.number)
			if math.IsNaN(f) || math.IsInf(f, 0) {
				return fmt.Errorf("%w: %v", ErrField, f)
			}
			*at = f
			return nil
		},
	}
}

// delimited is a field with a length. It is written when some says so.
func delimited(n protowire.Number, some func() bool, content func() []byte, take func([]byte) error) field {
	return field{
		number: n, typ: protowire.BytesType,
		put: func(b []byte, n protowire.Number) []byte {
			if !some() {
				return b
			}
			return protowire.AppendBytes(protowire.AppendTag(b, n, protowire.BytesType), content())
		},
		take: func(v value) error { return take(v.bytes) },
	}
}

// stringField is a string.
func stringField(n protowire.Number, at *string) field {
	return delimited(n, func() bool { return *at != "" }, func() []byte { return []byte(*at) }, func(b []byte) error {
		if !utf8.Valid(b) {
			return fmt.Errorf("%w: not UTF-8", ErrField)
		}
		*at = string(b)
		return nil
	})
}

// bytesField is a byte string; with proto3's optional it would be written when
// it is empty too, but none of ours may be.
func bytesField(n protowire.Number, at *[]byte) field {
	return delimited(n, func() bool { return len(*at) > 0 }, func() []byte { return *at }, func(b []byte) error {
		*at = slices.Clone(b)
		return nil
	})
}

// fixedField is a byte string of the size of at. It has to be there.
func fixedField(n protowire.Number, at []byte) field {
	f := delimited(n, func() bool { return true }, func() []byte { return at }, func(b []byte) error { return fix(at, b) })
	f.required = true
	return f
}

func fix(at, b []byte) error {
	if len(b) != len(at) {
		return fmt.Errorf("%w: %d bytes, not %d", ErrField, len(b), len(at))
	}
	copy(at, b)
	return nil
}

// messageField is a message that has to be there.
func messageField(n protowire.Number, t table) field {
	f := delimited(n, func() bool { return true }, func() []byte { return t.append(nil) }, t.read)
	f.required = true
	return f
}

// manyField is a repeated field: write and read are of one item, in the order
// of the list.
func manyField[T any](n protowire.Number, at *[]T, write func(*T) []byte, read func(*T, []byte) error) field {
	return field{
		number: n, typ: protowire.BytesType, repeated: true,
		put: func(b []byte, n protowire.Number) []byte {
			for i := range *at {
				b = protowire.AppendBytes(protowire.AppendTag(b, n, protowire.BytesType), write(&(*at)[i]))
			}
			return b
		},
		take: func(v value) error {
			var item T
			err := read(&item, v.bytes)
			*at = append(*at, item)
			return err
		},
	}
}

// messagesField is a repeated message.
func messagesField[T any](n protowire.Number, at *[]T, of func(*T) table) field {
	return manyField(n, at,
		func(item *T) []byte { return of(item).append(nil) },
		func(item *T, b []byte) error { return of(item).read(b) })
}

// stringsField is a repeated string.
func stringsField(n protowire.Number, at *[]string) field {
	return manyField(n, at,
		func(s *string) []byte { return []byte(*s) },
		func(s *string, b []byte) error { return stringField(n, s).take(value{bytes: b}) })
}
