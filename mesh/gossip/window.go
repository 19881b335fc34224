package gossip

import "time"

// window remembers messages for the time in which they would be taken again. It
// is bounded: what is pushed out of it early is only looked at once more. The
// zero value is empty.
type window struct {
	old, young map[[32]byte]bool
	turned     time.Time // when young began
}

// add reports whether a message is new, and remembers it for replayWindow twice
// over: a message may be dated so much ahead.
func (w *window) add(id [32]byte, now time.Time) bool {
	if w.young == nil || len(w.young) >= maxSeen || now.Sub(w.turned) >= 2*replayWindow {
		w.old, w.young, w.turned = w.young, make(map[[32]byte]bool), now
	}
	if w.old[id] || w.young[id] {
		return false
	}
	w.young[id] = true
	return true
}
