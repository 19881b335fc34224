package eventform

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"unicode"
	"unicode/utf8"
)

// Export is an event on its way out or in.
type Export struct {
	Canonical []byte
	Stamp     []byte // a descriptor's ticket; nil: none
}

// value is x by the table.
func (x *Export) value(s *shape) (value, error) {
	v, err := tree(&s.fields[0].shape, x.Canonical)
	if err != nil {
		return nil, err
	}
	var stamp value
	if len(x.Stamp) > 0 {
		stamp = x.Stamp
	}
	return []value{v, stamp}, nil
}

// exportOf is its reverse.
func exportOf(s *shape, v value) Export {
	fields := v.([]value)
	x := Export{Canonical: s.fields[0].append(nil, fields[0])}
	if fields[1] != nil {
		x.Stamp = fields[1].([]byte)
	}
	return x
}

// ToJSON is an event as one JSON object: bytes in hexadecimal, fields by the names
// of the design, what is not there left out.
func ToJSON(x Export) ([]byte, error) {
	s := exported()
	v, err := x.value(&s)
	if err != nil {
		return nil, err
	}
	return s.appendJSON(nil, v), nil
}

func (s *shape) appendJSON(b []byte, v value) []byte {
	switch s.kind {
	case fixed, vector:
		return fmt.Appendf(b, "%q", hex.EncodeToString(v.([]byte)))
	case list:
		b = append(b, '[')
		for i, x := range v.([]value) {
			if i > 0 {
				b = append(b, ',')
			}
			b = s.item.appendJSON(b, x)
		}
		return append(b, ']')
	case record:
		b = append(b, '{')
		first := true
		for i, x := range v.([]value) {
			if x == nil {
				continue
			}
			if !first {
				b = append(b, ',')
			}
			first = false
			f := &s.fields[i]
			inner := &f.shape
			if f.kind == option {
				inner = f.item
			}
			b = inner.appendJSON(fmt.Appendf(b, "%q:", f.name), x)
		}
		return append(b, '}')
	case choice:
		p := v.(picked)
		return append(s.fields[p.index].appendJSON(fmt.Appendf(b, "{%q:", s.fields[p.index].name), p.value), '}')
	}
	leaf, err := json.Marshal(v) // a string, or a number that canonical bytes had
	if err != nil {
		panic("eventform: a leaf that is no JSON: " + err.Error())
	}
	return appendShown(b, leaf)
}

// appendShown writes a leaf so that a terminal only shows it: its text is a
// stranger's, and encoding/json leaves the controls of 8 bits and those that turn
// the direction of a line as they are.
func appendShown(b, leaf []byte) []byte {
	for _, c := range string(leaf) {
		if c >= 0x7f && c <= 0x9f || unicode.Is(unicode.Bidi_Control, c) {
			b = fmt.Appendf(b, `\u%04x`, c)
		} else {
			b = utf8.AppendRune(b, c)
		}
	}
	return b
}

// FromJSON reads what ToJSON writes. Unknown fields, and missing ones, are errors.
func FromJSON(text []byte) (Export, error) {
	s := exported()
	v, err := s.fromJSON(text, "event")
	if err != nil {
		return Export{}, err
	}
	return exportOf(&s, v), nil
}

func wrong(where, problem string) error { return fmt.Errorf("%w: %s %s", errForm, where, problem) }

func (s *shape) fromJSON(raw []byte, where string) (value, error) {
	switch s.kind {
	case fixed, vector:
		var h string
		if json.Unmarshal(raw, &h) != nil {
			return nil, wrong(where, "is not a string in hexadecimal")
		}
		b, err := hex.DecodeString(h)
		if err != nil || s.kind == fixed && len(b) != s.size {
			return nil, wrong(where, "has other bytes than it may")
		}
		return b, nil
	case text:
		var t string
		if json.Unmarshal(raw, &t) != nil {
			return nil, wrong(where, "is not a string")
		}
		return t, nil
	case word:
		var t string
		if json.Unmarshal(raw, &t) != nil || s.wordAt(t) < 0 {
			return nil, wrong(where, "is none of the words it may be")
		}
		return t, nil
	case number32, number64:
		var n uint64
		if json.Unmarshal(raw, &n) != nil || s.kind == number32 && n > math.MaxUint32 {
			return nil, wrong(where, "is not a number that fits")
		}
		return n, nil
	case float:
		var f float64
		if json.Unmarshal(raw, &f) != nil {
			return nil, wrong(where, "is not a number")
		}
		return f, nil
	case list:
		var items []json.RawMessage
		if json.Unmarshal(raw, &items) != nil {
			return nil, wrong(where, "is not a list")
		}
		out := []value{}
		for i, it := range items {
			v, err := s.item.fromJSON(it, fmt.Sprintf("%s[%d]", where, i))
			if err != nil {
				return nil, err
			}
			out = append(out, v)
		}
		return out, nil
	}
	return s.fromObject(raw, where)
}

// fromObject reads a record or a choice.
func (s *shape) fromObject(object []byte, where string) (value, error) {
	var all map[string]json.RawMessage
	if json.Unmarshal(object, &all) != nil || all == nil {
		return nil, wrong(where, "is not an object")
	}
	out := make([]value, len(s.fields))
	seen := 0
	for i := range s.fields {
		f := &s.fields[i]
		raw, there := all[f.name]
		there = there && !bytes.Equal(raw, []byte("null"))
		if !there && (s.kind == choice || f.kind == option) {
			continue
		}
		if !there {
			return nil, wrong(where, "lacks "+f.name)
		}
		seen++
		inner := &f.shape
		if f.kind == option {
			inner = f.item
		}
		v, err := inner.fromJSON(raw, where+"."+f.name)
		if err != nil {
			return nil, err
		}
		if s.kind == choice {
			if len(all) != 1 {
				return nil, wrong(where, "has more than one of what it may be")
			}
			return picked{i, v}, nil
		}
		out[i] = v
	}
	if s.kind == choice {
		return nil, wrong(where, "is none of what it may be")
	}
	if seen < len(all) {
		for name, raw := range all {
			if !bytes.Equal(raw, []byte("null")) && s.fieldAt(name) < 0 {
				return nil, wrong(where, "has an unknown field "+name)
			}
		}
	}
	return out, nil
}

func (s *shape) fieldAt(name string) int {
	for i := range s.fields {
		if s.fields[i].name == name {
			return i
		}
	}
	return -1
}
