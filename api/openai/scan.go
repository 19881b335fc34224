package openai

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"
)

// scanner walks over the bytes of a document that Valid has accepted, so
// that none of its steps can run past the end. It does not recurse: how deep
// a value is nested costs nothing.
type scanner struct {
	b []byte
	i int
}

func (s *scanner) space() {
	for s.i < len(s.b) {
		switch s.b[s.i] {
		case ' ', '\t', '\r', '\n':
			s.i++
		default:
			return
		}
	}
}

// enter steps into a container, or on from one of its elements, and reports
// whether there is an element; if not it has stepped over the closing
// bracket. Call it in a loop, with the scanner at the opening bracket first
// and behind each element after.
func (s *scanner) enter(closing byte) bool {
	s.space()
	if s.b[s.i] == closing {
		s.i++
		return false
	}
	s.i++ // the opening bracket, or a comma
	s.space()
	if s.b[s.i] == closing { // only after the opening bracket
		s.i++
		return false
	}
	return true
}

// colon steps over the colon between a name and its value.
func (s *scanner) colon() {
	s.space()
	s.i++
	s.space()
}

// value steps over the value at hand and returns its bytes.
func (s *scanner) value() []byte {
	start, depth := s.i, 0
	for {
		switch s.b[s.i] {
		case '"':
			s.str()
		case '{', '[':
			depth++
			s.i++
		case '}', ']':
			depth--
			s.i++
		case ',', ':', ' ', '\t', '\r', '\n':
			s.i++ // inside a container; the loop ends before one outside
			continue
		default:
			s.scalar()
		}
		if depth == 0 {
			return s.b[start:s.i]
		}
	}
}

func (s *scanner) str() {
	for s.i = TextEnd(s.b, s.i+1); s.b[s.i] != '"'; s.i = TextEnd(s.b, s.i+2) {
	} // at a backslash: the byte behind it ends nothing
	s.i++
}

// scalar steps over a number, true, false or null.
func (s *scanner) scalar() {
	for s.i < len(s.b) {
		switch s.b[s.i] {
		case ',', '}', ']', ' ', '\t', '\r', '\n':
			return
		}
		s.i++
	}
}

// decodeString decodes a valid JSON string; invalid UTF-8 becomes U+FFFD.
func decodeString(raw []byte) string {
	if plain := raw[1 : len(raw)-1]; bytes.IndexByte(plain, '\\') < 0 && utf8.Valid(plain) {
		// As nearly all are. A body of nothing but names took five times as long
		// with a decoder for each.
		return string(plain)
	}
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		panic("openai: a validated string does not decode: " + err.Error())
	}
	return s
}

// shortString decodes a member's name, or returns "" if it is longer than any
// name that matters.
func shortString(raw []byte) string {
	if len(raw) > 6*maxFieldName+2 {
		return ""
	}
	if s := decodeString(raw); len(s) <= maxFieldName {
		return s
	}
	return ""
}
