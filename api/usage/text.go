package usage

import "github.com/culvert-net/culvert/api/openai"

// Delivered is how much of what a model wrote is in an answer: bytes of text,
// without what JSON and its escapes add.
type Delivered struct {
	Content   int64 // of all choices
	Reasoning int64 // what it thought, where that is shown
	Tools     int64 // names and arguments of tool calls
	Calls     int64 // of tools, by their names: tokens around them are no bytes here
	Images    int64 // pictures, not bytes
}

// Bytes is all of it that is text.
func (d Delivered) Bytes() int64 { return d.Content + d.Reasoning + d.Tools }

// part is what of an answer a value belongs to.
type part uint8

const (
	elsewhere part = iota
	document       // the answer, or a chunk of it
	choices        // its list of choices
	choice
	message // or the delta of one
	content
	reasoning
	toolCalls // their structure
	toolText
	toolName
	images // their list
	image
)

// within is the part of a member of a container, by its name; elements of a list
// have none.
func (p part) within(name string) part {
	switch p {
	case document:
		if name == "choices" {
			return choices
		}
	case choices:
		return choice
	case choice:
		switch name {
		case "delta", "message":
			return message
		case "text": // of a completion
			return content
		}
	case message:
		switch name {
		case "content", "refusal":
			return content
		case "reasoning", "reasoning_content", "thinking":
			return reasoning
		case "tool_calls", "function_call":
			return toolCalls
		case "images":
			return images
		}
	case content, reasoning: // a list of parts
		if name == "" || name == "text" || name == "refusal" {
			return p
		}
	case toolCalls:
		switch name {
		case "", "function", "custom":
			return toolCalls
		case "name":
			return toolName
		case "arguments", "input":
			return toolText
		}
	case toolText: // arguments that are no string
		return toolText
	case images:
		return image
	}
	return elsewhere
}

const (
	// maxNested is how deep an answer is followed. Text stands seven deep.
	maxNested = 16

	// maxName is the longest name of a member that means anything here.
	maxName = len("reasoning_content")
)

// textScanner counts what is delivered in JSON that comes in pieces. Like
// scanner it checks nothing. The zero value is not ready: see begin.
type textScanner struct {
	got Delivered

	depth int
	in    [maxNested]part // of the containers around; index 0 is around all
	list  [maxNested]bool // the container is one

	str    bool // within a string
	name   bool // the string is, or the next one would be, a member's name
	of     part // of the value that comes or, within a string, that it is
	escape int  // bytes of an escape that are still to come
	code   uint // of a \u escape so far

	tools int64 // got.Tools before the string

	text [maxName]byte // of the name at hand
	size int           // of it; more than maxName: too long to matter
}

// begin is before each document.
func (s *textScanner) begin() {
	s.depth, s.str, s.name, s.of, s.escape = 0, false, false, document, 0
}

func (s *textScanner) feed(p []byte) {
	for i := 0; i < len(p); i++ {
		if s.str && s.escape == 0 {
			end := openai.TextEnd(p, i)
			s.plain(p[i:end])
			if i = end; i == len(p) {
				return
			}
		}
		switch c := p[i]; {
		case s.escape > 0:
			s.escaped(c)
		case s.str:
			s.inString(c)
		default:
			s.outside(c)
		}
	}
}

// plain takes bytes of a string that stand for themselves.
func (s *textScanner) plain(p []byte) {
	if !s.name {
		s.count(len(p))
		return
	}
	if s.size <= maxName {
		copy(s.text[min(s.size, maxName):], p)
	}
	s.size = min(s.size+len(p), maxName+1)
}

// inString takes a byte of a string that is none of its text.
func (s *textScanner) inString(c byte) {
	switch c {
	case '\\':
		s.escape = 1
		s.size = maxName + 1 // no server escapes a letter of a name that matters
	case '"':
		s.str = false
		if !s.name && s.of == toolName && s.got.Tools > s.tools {
			s.got.Calls++
		}
		if s.name {
			s.of = elsewhere
			if s.size <= maxName {
				s.of = s.in[s.level()].within(string(s.text[:s.size]))
			}
		}
	}
}

// escaped takes a byte of an escape, which may be of any text's.
func (s *textScanner) escaped(c byte) {
	if s.escape--; s.escape == 0 && s.code == 0 {
		if c == 'u' {
			s.escape, s.code = 4, 1 // the 1 marks that digits follow
			return
		}
		s.count(1)
		return
	}
	digit := uint(c & 0xf)
	if c > '9' {
		digit += 9
	}
	if s.code = s.code<<4 | digit; s.escape > 0 {
		return
	}
	switch code := s.code & 0xffff; {
	case code < 0x80:
		s.count(1)
	case code < 0x800, code >= 0xd800 && code < 0xe000: // half of a pair, which has four
		s.count(2)
	default:
		s.count(3)
	}
	s.code = 0
}

// count counts n bytes of the string at hand.
func (s *textScanner) count(n int) {
	if s.name {
		return
	}
	switch s.of {
	case content:
		s.got.Content += int64(n)
	case reasoning:
		s.got.Reasoning += int64(n)
	case toolText, toolName:
		s.got.Tools += int64(n)
	}
}

// level is where the container at hand is noted; deeper ones share the last
// place, in which nothing is counted.
func (s *textScanner) level() int { return min(s.depth, maxNested-1) }

func (s *textScanner) outside(c byte) {
	switch c {
	case '"':
		s.tools = s.got.Tools
		if s.str, s.size, s.code = true, 0, 0; !s.name && s.of == image {
			s.got.Images++
		}
	case ':':
		s.name = false
	case ',':
		s.next()
	case '{', '[':
		if s.of == image {
			s.got.Images++
		}
		s.depth++
		s.in[s.level()], s.list[s.level()] = s.of, c == '['
		if s.depth >= maxNested-1 {
			s.in[s.level()] = elsewhere
		}
		s.next()
	case '}', ']':
		s.depth = max(0, s.depth-1)
		s.name, s.of = false, elsewhere
	}
}

// next is before a member or an element of the container at hand.
func (s *textScanner) next() {
	if s.depth == 0 {
		return
	}
	if s.name = !s.list[s.level()]; s.name {
		return
	}
	s.of = s.in[s.level()].within("")
}
