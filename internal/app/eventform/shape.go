package eventform

import (
	"errors"
	"fmt"

	"github.com/culvert-net/culvert/mesh/world/postcard"
)

// kind is what a shape is.
type kind int

const (
	fixed  kind = iota // so many bytes
	vector             // bytes behind their length
	text
	number32
	number64
	float
	word   // an enum without fields, by its name
	option // none or one item
	list   // items
	record // fields
	choice // one of several, by its name
)

// shape is how a value is laid out. Immutable.
type shape struct {
	kind   kind
	size   int      // of fixed
	words  []string // of word
	fields []field  // of record and choice
	item   *shape   // of option and list
}

type field struct {
	name string
	shape
}

// value is what a shape holds: []byte (fixed, vector), string (text, word),
// uint64, float64, nil or a value (option), []value (list, record), picked.
type value any

// picked is the value of a choice.
type picked struct {
	index int
	value value
}

// errForm is wrapped by all errors about what is read.
var errForm = errors.New("not the form of an event")

// read takes a value out of canonical bytes.
func (s *shape) read(d *postcard.Decoder) value {
	switch s.kind {
	case fixed:
		b := make([]byte, s.size)
		d.Array(b)
		return b
	case vector:
		return d.Bytes()
	case text:
		return d.Text()
	case number32:
		return uint64(d.U32())
	case number64:
		return d.U64()
	case float:
		return d.F64()
	case word:
		return s.words[d.Variant(uint32(len(s.words)))]
	case option:
		if !d.Bool() {
			return nil
		}
		return s.item.read(d)
	case list:
		out := []value{}
		for range d.Count(1) {
			if d.Err() != nil {
				break
			}
			out = append(out, s.item.read(d))
		}
		return out
	case record:
		out := make([]value, len(s.fields))
		for i := range s.fields {
			out[i] = s.fields[i].read(d)
		}
		return out
	}
	i := int(d.Variant(uint32(len(s.fields))))
	return picked{i, s.fields[i].read(d)}
}

// append writes a value that was read by this shape, from whatever form.
func (s *shape) append(b []byte, v value) []byte {
	switch s.kind {
	case fixed:
		return postcard.AppendArray(b, v.([]byte))
	case vector:
		return postcard.AppendBytes(b, v.([]byte))
	case text:
		return postcard.AppendString(b, v.(string))
	case number32, number64:
		return postcard.AppendUint(b, v.(uint64))
	case float:
		return postcard.AppendFloat(b, v.(float64))
	case word:
		return postcard.AppendUint(b, uint64(s.wordAt(v.(string))))
	case option:
		b = postcard.AppendBool(b, v != nil)
		if v == nil {
			return b
		}
		return s.item.append(b, v)
	case list:
		b = postcard.AppendUint(b, uint64(len(v.([]value))))
		for _, x := range v.([]value) {
			b = s.item.append(b, x)
		}
		return b
	case record:
		for i, x := range v.([]value) {
			b = s.fields[i].append(b, x)
		}
		return b
	}
	p := v.(picked)
	return s.fields[p.index].append(postcard.AppendUint(b, uint64(p.index)), p.value)
}

// wordAt is the number of a word, -1 for one that is none.
func (s *shape) wordAt(name string) int {
	for i, w := range s.words {
		if w == name {
			return i
		}
	}
	return -1
}

// tree reads canonical bytes.
func tree(s *shape, canonical []byte) (value, error) {
	d := postcard.NewDecoder(canonical)
	v := s.read(d)
	if err := d.Finish(); err != nil {
		return nil, fmt.Errorf("reading an event: %w", err)
	}
	return v, nil
}
