package openai

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"math/bits"
)

// Valid reports whether doc is one JSON value, exactly as json.Valid does, but
// not at its pace of a byte at a time: what fills large documents is text, and
// of a run of plain text within a string all but the beginning says nothing
// about the grammar and is left out before json.Valid looks.
func Valid(doc []byte) bool {
	if len(doc) >= longDocument {
		doc = shortened(doc)
	}
	return json.Valid(doc)
}

const (
	// longDocument is where leaving out is worth its copy.
	longDocument = 1 << 10

	// runKept is the beginning of a run that stays: more than the four digits
	// that belong to a \u before it.
	runKept = 8

	// shorter is how many times shorter a document has to become, else it is
	// looked at as it is: the copy is counted nowhere, and a sender may fill a
	// document with what cannot be left out.
	shorter = 4
)

// shortened is doc without the greater part of its long strings. It is valid
// JSON if and only if doc is: up to doc's first fault, which stays, a quote
// begins or ends a string in both, and plain bytes change nothing in one. It is
// doc itself if that has little to leave out.
func shortened(doc []byte) []byte {
	out := make([]byte, 0, len(doc)/shorter)
	for i := 0; i < len(doc); {
		quote := bytes.IndexByte(doc[i:], '"')
		if quote < 0 {
			quote = len(doc) - i - 1
		}
		if len(out)+quote+1 > cap(out) {
			return doc
		}
		out = append(out, doc[i:i+quote+1]...)
		i += quote + 1
		for ended := false; !ended && i < len(doc); {
			end := TextEnd(doc, i)
			if len(out)+runKept+2 > cap(out) {
				return doc
			}
			out = append(out, doc[i:min(end, i+runKept)]...)
			if end == len(doc) {
				return out
			}
			ended = doc[end] == '"'
			i = end + 1
			if doc[end] == '\\' && i < len(doc) {
				i++ // what is escaped, a quote perhaps, ends nothing
			}
			out = append(out, doc[end:i]...)
		}
	}
	return out
}

// TextEnd is the index of the first byte of b from i that is not plain text in a
// string: a quote, a backslash or a control byte; len(b) if there is none. It
// looks at eight at a time.
func TextEnd(b []byte, i int) int {
	const (
		each = 0x0101010101010101
		high = 0x8080808080808080
	)
	for ; i+8 <= len(b); i += 8 {
		x := binary.LittleEndian.Uint64(b[i:])
		quote, slash := x^(each*'"'), x^(each*'\\')
		// The lowest bit set is that of the first such byte; those above it may
		// be borrowed.
		found := ((quote-each)&^quote | (slash-each)&^slash | (x-each*' ')&^x) & high
		if found != 0 {
			return i + bits.TrailingZeros64(found)/8
		}
	}
	for ; i < len(b); i++ {
		if b[i] == '"' || b[i] == '\\' || b[i] < ' ' {
			return i
		}
	}
	return i
}
