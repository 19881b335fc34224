package openai

import (
	"bytes"
	"crypto/rand"
	"slices"
	"strconv"
	"strings"
)

// ToolCalls repairs the tool calls of one answer, in place, where servers leave
// out what clients put them together by:
//
//   - a call without an id gets one;
//   - in a stream, another call under an index that was used (Ollama gives all
//     of them 0) gets the next one, and so do calls without an index.
//
// What is sound is not changed. The zero value is ready; it is used by one
// goroutine.
type ToolCalls struct {
	choices map[string]*callIndex // by the raw index of the choice
}

// callIndex is what became of the calls of one choice.
type callIndex struct {
	next int           // one above the highest index given
	last int           // the index of the call that came last
	as   map[int]given // by the server's index: the call it means now
}

type given struct {
	index int
	id    string
}

// span is a value in a document.
type span struct{ start, end int }

// toolCall is one entry of tool_calls.
type toolCall struct {
	start             int // behind the brace
	empty             bool
	id, index         span // end 0: missing
	idText, indexText string
	name              bool // it has a function's name: the call begins here
}

// Repair is doc, an answer or a chunk of one, with repaired tool calls. Without
// repairs it is doc itself.
func (t *ToolCalls) Repair(doc []byte) []byte {
	if !bytes.Contains(doc, []byte(`"tool_calls"`)) || !Valid(doc) {
		return doc
	}
	var p patch
	s := scanner{b: doc}
	s.space()
	members(doc, s.i, func(name string, choices span) {
		if name != "choices" {
			return
		}
		elements(doc, choices.start, func(choice span) {
			index, part, stream := "0", span{}, false
			members(doc, choice.start, func(name string, v span) {
				switch name {
				case "index":
					index = string(doc[v.start:v.end])
				case "message", "delta":
					part, stream = v, name == "delta"
				}
			})
			if part.end == 0 {
				return
			}
			members(doc, part.start, func(name string, calls span) {
				if name == "tool_calls" {
					elements(doc, calls.start, func(v span) { t.repair(&p, readCall(doc, v), index, stream) })
				}
			})
		})
	})
	return p.apply(doc)
}

func readCall(doc []byte, v span) toolCall {
	c := toolCall{start: v.start + 1, empty: true, indexText: "-"}
	members(doc, v.start, func(name string, v span) {
		c.empty = false
		switch name {
		case "id":
			c.id = v
			if doc[v.start] == '"' {
				c.idText = decodeString(doc[v.start:v.end])
			}
		case "index":
			c.index, c.indexText = v, string(doc[v.start:v.end])
		case "function":
			members(doc, v.start, func(name string, v span) {
				c.name = c.name || name == "name" && v.end-v.start > len(`""`) && doc[v.start] == '"'
			})
		}
	})
	return c
}

// repair decides about one call.
func (t *ToolCalls) repair(p *patch, c toolCall, choice string, stream bool) {
	if c.empty {
		return
	}
	if !stream {
		if c.idText == "" {
			p.set(c, c.id, "id", quoted(newCallID()))
		}
		return
	}
	if t.choices == nil {
		t.choices = make(map[string]*callIndex)
	}
	x := t.choices[choice]
	if x == nil {
		if len(t.choices) == maxTracked {
			return
		}
		x = &callIndex{as: make(map[int]given)}
		t.choices[choice] = x
	}
	asked, err := strconv.Atoi(c.indexText)
	known := err == nil && asked >= 0
	before, used := x.as[asked]
	switch {
	case !c.name: // a call goes on
		to := x.last
		if known && used {
			to = before.index
		}
		if (used || !known) && (!known || to != asked) {
			p.set(c, c.index, "index", strconv.AppendInt(nil, int64(to), 10))
		}
		return
	case known && used && (c.idText == "" || c.idText == before.id):
		// Said again: the same call, by all that can be seen.
		if before.index != asked {
			p.set(c, c.index, "index", strconv.AppendInt(nil, int64(before.index), 10))
		}
		return
	case len(x.as) == maxTracked:
		return
	}
	g := given{index: asked, id: c.idText}
	if !known || used {
		g.index = x.next
		p.set(c, c.index, "index", strconv.AppendInt(nil, int64(g.index), 10))
	}
	if g.id == "" {
		g.id = newCallID()
		p.set(c, c.id, "id", quoted(g.id))
	}
	if known {
		x.as[asked] = g
	}
	x.last, x.next = g.index, max(x.next, g.index+1)
}

func newCallID() string { return "call_" + strings.ToLower(rand.Text()) }

// patch collects replacements of values in a document.
type patch struct {
	edits []replacement
}

type replacement struct {
	span
	text []byte
}

// set replaces the value of a call's member, or puts the member first.
func (p *patch) set(c toolCall, v span, name string, text []byte) {
	if v.end == 0 {
		v = span{c.start, c.start}
		text = slices.Concat(quoted(name), []byte(":"), text, []byte(","))
	}
	p.edits = append(p.edits, replacement{v, text})
}

func (p *patch) apply(doc []byte) []byte {
	if len(p.edits) == 0 {
		return doc
	}
	slices.SortStableFunc(p.edits, func(a, b replacement) int { return a.start - b.start })
	var out []byte
	at := 0
	for _, e := range p.edits {
		out = append(append(out, doc[at:e.start]...), e.text...)
		at = e.end
	}
	return append(out, doc[at:]...)
}

// members calls f for each member of the object at b[at], and not at all if
// there is something else.
func members(b []byte, at int, f func(name string, value span)) {
	s := scanner{b: b, i: at}
	if b[at] != '{' {
		return
	}
	for s.enter('}') {
		name := shortString(s.value())
		s.colon()
		start := s.i
		s.value()
		f(name, span{start, s.i})
	}
}

// elements calls f for each element of the array at b[at].
func elements(b []byte, at int, f func(value span)) {
	s := scanner{b: b, i: at}
	if b[at] != '[' {
		return
	}
	for s.enter(']') {
		start := s.i
		s.value()
		f(span{start, s.i})
	}
}
