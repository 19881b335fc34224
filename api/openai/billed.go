package openai

import (
	"bytes"
	"math"
	"strconv"
	"strings"
)

// Billing is what whoever is paid for an answer asks of the model's server.
type Billing struct {
	// Most bounds the tokens of the whole answer, all its choices together; 0:
	// nothing does.
	Most int64

	// Usage has a stream tell what it used at its end.
	Usage bool
}

// BilledFields is the whole table of fields that Billed edits; docs/spec/fields.md
// is the same for people, and a test compares the two.
var BilledFields = []string{"max_tokens", "max_completion_tokens", "n_predict", "stream_options"}

// bounds are the fields by which servers take a bound of an answer: OpenAI's two,
// and llama-server's own, which it believes before them.
var bounds = BilledFields[:3]

// Billed is body, which v was read from, with what b asks for set in place: a
// field that bounds the answer is lowered if it says more, or no number, and
// stays as it is if it says less; without any, max_tokens is added. A body that
// has all of it already is returned as it is.
func Billed(body []byte, v View, b Billing) []byte {
	var edits []Edit
	var add []byte
	if b.Most > 0 {
		most := max(1, b.Most/int64(v.Choices(body)))
		bound := strconv.AppendInt(nil, most, 10)
		found := false
		for i, f := range v.Fields {
			if !isBound(f.Name) {
				continue
			}
			found = true
			if n, err := strconv.ParseInt(string(f.Raw(body)), 10, 64); err != nil || n < 0 || n > most {
				edits = append(edits, Edit{Field: i, Value: bound})
			}
		}
		if !found {
			add = append(append(add, `,"max_tokens":`...), bound...)
		}
	}
	if b.Usage && v.Stream && !v.IncludeUsage {
		found := false
		for i, f := range v.Fields {
			if strings.EqualFold(f.Name, "stream_options") { // at most once
				found = true
				edits = append(edits, Edit{Field: i, Value: withUsage(f.Raw(body))})
			}
		}
		if !found {
			add = append(add, `,"stream_options":{"include_usage":true}`...)
		}
	}
	out := v.Edit(body, edits)
	if len(add) == 0 {
		return out
	}
	end := bytes.LastIndexByte(out, '}') // the body is one object, with a model in it
	return append(append(append(make([]byte, 0, len(out)+len(add)), out[:end]...), add...), out[end:]...)
}

// Most is how many tokens body, which v was read from, allows the whole answer at
// most, all its choices together; 0: it does not say. A number that no answer
// reaches is as good as none.
func (v View) Most(body []byte) int64 {
	most := int64(0)
	for _, f := range v.Fields {
		if !isBound(f.Name) {
			continue
		}
		n, err := strconv.ParseInt(string(f.Raw(body)), 10, 64)
		if err == nil && n > 0 && n <= maxBound && (most == 0 || n < most) {
			most = n
		}
	}
	return most * int64(v.Choices(body))
}

func isBound(name string) bool {
	for _, b := range bounds {
		if strings.EqualFold(name, b) {
			return true
		}
	}
	return false
}

// Choices is how many answers a server writes for body, at least 1 and at most as
// many as can be counted with. It writes best_of and sends n of them, for each of
// several prompts.
func (v View) Choices(body []byte) int {
	most := 1
	for _, name := range []string{"n", "best_of"} {
		if f, ok := v.Lookup(name); ok {
			// Servers take 2.0 and 2e0 for 2. What is too large for a float is infinite.
			n, _ := strconv.ParseFloat(string(f.Raw(body)), 64)
			most = max(most, int(math.Ceil(min(n, maxBound))))
		}
	}
	return min(most*max(1, v.prompts), maxBound)
}

// withUsage is the value of stream_options, an object or null, with
// include_usage true and all else as it was.
func withUsage(raw []byte) []byte {
	const set = `"include_usage":true`
	s := scanner{b: raw}
	if raw[0] != '{' {
		return []byte("{" + set + "}")
	}
	members := 0
	for s.enter('}') {
		name := shortString(s.value())
		s.colon()
		start := s.i
		s.value()
		if strings.EqualFold(name, "include_usage") { // at most once
			return append(append(append(make([]byte, 0, len(raw)), raw[:start]...), "true"...), raw[s.i:]...)
		}
		members++
	}
	out := append(make([]byte, 0, len(raw)+len(set)+2), "{"+set...)
	if members > 0 {
		out = append(out, ',')
	}
	return append(out, raw[1:]...)
}
