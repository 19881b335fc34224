package directory

import "time"

// trouble tells a failure that lasts, which operators must hear of, from one
// that passes: nodes of a world that start together are not all there at once.
// The zero value has seen none.
type trouble struct {
	since time.Time // of the failures in a row
	told  string    // what operators have heard
}

// warn notes how an attempt ended, "" for well, and reports whether operators
// are to be told now.
func (t *trouble) warn(text string, now time.Time) bool {
	if text == "" {
		*t = trouble{}
		return false
	}
	if t.since.IsZero() {
		t.since = now
	}
	if text == t.told || now.Sub(t.since) < settle {
		return false
	}
	t.told = text
	return true
}
