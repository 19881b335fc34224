package usage

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

func (s *scanner) begin() { *s = scanner{kept: s.kept[:0]} }

// feed looks at the next bytes and calls found with each object that is the
// value of the member.
func (s *scanner) feed(p []byte, found func([]byte)) {
	for i := 0; i < len(p); i++ {
		if s.str && !s.keeping && !s.escape && (!s.key || s.depth != 1 || s.matched < 0) {
			for i < len(p) && p[i] != '"' && p[i] != '\\' { // most bytes are such
				i++
			}
			if i == len(p) {
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
