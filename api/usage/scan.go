package usage

import (
	"bytes"

	"github.com/culvert-net/culvert/api/openai"
)

// scanner finds the member "usage" of a JSON object that comes in pieces. It
// checks nothing: what is no JSON has no usage, or a strange one.
type scanner struct {
	depth   int
	str     bool // within a string
	escape  bool // after a backslash in it
	key     bool // the string is, or the next one would be, a name of the object
	matched int  // bytes of the name that were those of member; -1: they are not
	value   bool // what follows is the member's value
	kept    []byte
	keeping bool
}

const member = "usage"

var quotedMember = []byte(`"` + member + `"`)

// mayTell reports whether there may be a usage object in the whole data of an
// event: nearly none has one, and to look for it like this costs a tenth.
func mayTell(data []byte) bool {
	for {
		at := bytes.Index(data, quotedMember)
		if at < 0 {
			return false
		}
		data = bytes.TrimLeft(data[at+len(quotedMember):], ": \t\r")
		if len(data) > 0 && data[0] == '{' {
			return true
		}
	}
}

func (s *scanner) begin() { *s = scanner{kept: s.kept[:0]} }

// feed looks at the next bytes and calls found with each object that is the
// value of the member.
func (s *scanner) feed(p []byte, found func([]byte)) {
	for i := 0; i < len(p); i++ {
		if s.str && !s.keeping && !s.escape && (!s.key || s.depth != 1 || s.matched < 0) {
			if i = openai.TextEnd(p, i); i == len(p) {
				return
			}
		}
		c := p[i]
		if s.keeping {
			if len(s.kept) == maxUsage {
				s.keeping = false
			} else {
				s.kept = append(s.kept, c)
			}
		}
		switch {
		case s.escape:
			s.escape = false
			s.matched = -1 // no server escapes a letter of it
		case s.str:
			s.inString(c)
		default:
			s.outside(c, found)
		}
	}
}

func (s *scanner) inString(c byte) {
	switch {
	case c == '\\':
		s.escape = true
	case c == '"':
		s.str = false
	case !s.key || s.depth != 1 || s.matched < 0:
	case s.matched < len(member) && c == member[s.matched]:
		s.matched++
	default:
		s.matched = -1
	}
}

func (s *scanner) outside(c byte, found func([]byte)) {
	switch c {
	case '"':
		s.str = true
		if s.depth == 1 && s.key {
			s.matched = 0
		}
	case ':':
		if s.depth == 1 && s.key {
			s.value, s.key = s.matched == len(member), false
		}
	case ',':
		if s.depth == 1 {
			s.key, s.value, s.matched = true, false, -1
		}
	case '{', '[':
		if s.depth == 0 {
			s.key = c == '{'
		}
		if s.depth == 1 && s.value && c == '{' {
			s.keeping, s.kept = true, append(s.kept[:0], c)
		}
		s.depth++
		s.matched = -1
	case '}', ']':
		s.depth--
		if s.depth == 1 && s.keeping {
			s.keeping = false
			found(s.kept)
		}
	}
}
