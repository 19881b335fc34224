package openai

import "slices"

// Edit changes one top-level member.
type Edit struct {
	Field int    // index into View.Fields; each at most once
	Value []byte // the new value, valid JSON; nil drops the member and its comma
}

// Edit applies edits to body, which v was read from, and touches no other
// byte. Without edits it returns body itself; else a new slice, whose own View
// has to be read again.
func (v View) Edit(body []byte, edits []Edit) []byte {
	if len(edits) == 0 {
		return body
	}
	edits = slices.Clone(edits)
	slices.SortFunc(edits, func(a, b Edit) int { return a.Field - b.Field })

	dropped := make([]bool, len(v.Fields))
	size := len(body)
	for _, e := range edits {
		dropped[e.Field] = e.Value == nil
		size += len(e.Value)
	}
	// One comma goes with each dropped member: the one before it as long as
	// some member before it stays, else the one after it.
	firstKept := slices.Index(dropped, false)

	out := make([]byte, 0, size)
	at := 0 // body[:at] is dealt with
	for _, e := range edits {
		f := v.Fields[e.Field]
		switch {
		case e.Value != nil:
			out = append(out, body[at:f.Value]...)
			out = append(out, e.Value...)
			at = f.End
		case firstKept >= 0 && e.Field > firstKept:
			out = append(out, body[at:v.Fields[e.Field-1].End]...)
			at = f.End
		default:
			out = append(out, body[at:f.Start]...)
			at = f.End
			if e.Field+1 < len(v.Fields) {
				at = v.Fields[e.Field+1].Start
			}
		}
	}
	return append(out, body[at:]...)
}
