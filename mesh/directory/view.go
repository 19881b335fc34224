package directory

import (
	"sync"
	"time"

	"github.com/culvert-net/culvert/mesh/world"
)

// View is the directory as the newest bundle shows it that somebody believes:
// what routes, links and paths are chosen from. It changes as a whole or not at
// all.
type View struct {
	world *world.World // immutable

	mu      sync.Mutex
	content *Content      // nil for none; guarded by mu
	snap    *Snapshot     // of content; guarded by mu
	updated chan struct{} // closed at the next change, then replaced; guarded by mu
}

// NewView shows nobody.
func NewView(w *world.World) *View {
	return &View{world: w, snap: newSnapshot(w.ID, 0, nil, nil), updated: make(chan struct{})}
}

// Snapshot is what the view shows now.
func (v *View) Snapshot() *Snapshot {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.snap
}

// Updated is closed at the next change of the view. Take it before the Snapshot
// that the change is awaited from.
func (v *View) Updated() <-chan struct{} {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.updated
}

// Content is what the view shows, as it was read; nil for nothing.
func (v *View) Content() *Content {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.content
}

// Show replaces what the view shows; nil shows nobody.
func (v *View) Show(c *Content) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if c == v.content {
		return
	}
	v.content = c
	if c == nil {
		v.snap = newSnapshot(v.world.ID, 0, nil, nil)
	} else {
		v.snap = c.snapshot()
	}
	close(v.updated)
	v.updated = make(chan struct{})
}

// Usable reports whether a root of epoch may be used now: one of this epoch or
// of the two before, or, within the allowed clock skew, of the next.
func Usable(w *world.World, epoch uint64, now time.Time) bool {
	return !Stale(w, epoch, now) && !Future(w, epoch, now)
}

// Stale reports whether a root of epoch is too old to be used now.
func Stale(w *world.World, epoch uint64, now time.Time) bool { return epoch+lag < w.Epoch(now) }

// Future reports whether a root of epoch is of an epoch that has not begun, our
// clock being as wrong as is allowed.
func Future(w *world.World, epoch uint64, now time.Time) bool {
	return epoch > w.Epoch(now.Add(Skew(w)))
}

// Skew is by how much clocks in a world may differ.
func Skew(w *world.World) time.Duration { return min(maxSkew, w.EpochLen()/4) }
