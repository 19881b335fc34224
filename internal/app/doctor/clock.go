package doctor

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/node"
	"github.com/culvert-net/culvert/mesh/world"
)

// Clock compares this machine's clock with what the world's nodes say: seeds by
// their clocks; failing that, the descriptors on disk by their epochs. These are
// old, and so can only show that this clock is behind.
func Clock(w *world.World, now time.Time, seeds []Seed, cached []world.Descriptor) Finding {
	var ahead []time.Duration
	for _, s := range seeds {
		if s.Err == nil {
			ahead = append(ahead, s.Ahead)
		}
	}
	if len(ahead) > 0 {
		return clockFinding(w, middle(ahead), fmt.Sprintf("%s asked", app.Count(len(ahead), "seed")))
	}
	return clockByEpochs(w, now, cached)
}

// clockFinding judges a difference. One wrong seed of three or more does not
// change the middle.
func clockFinding(w *world.World, ahead time.Duration, source string) Finding {
	off, way := ahead.Abs(), "ahead of"
	if ahead < 0 {
		way = "behind"
	}
	limit := node.ClockLimit(w)
	text := fmt.Sprintf("this machine's clock is about %s %s what the world's nodes say (%s)", roughly(off), way, source)
	switch {
	case off <= min(clockFine, limit):
		return Fine("agrees with the world's nodes (%s)", source)
	case off <= limit:
		return Warn(SetClock, "%s", text)
	}
	return Bad(SetClock, "%s; the world goes by epochs of %v, and nodes refuse what is of another one", text, w.EpochLen())
}

// SetClock is what to do about a clock.
const SetClock = "Set the clock, best by itself: sudo timedatectl set-ntp true (Linux), sudo sntp -sS time.apple.com (macOS). " +
	"Then restart what runs."

// clockByEpochs says what old descriptors show: each was made in its epoch, and
// that has begun.
func clockByEpochs(w *world.World, now time.Time, ds []world.Descriptor) Finding {
	latest := make(map[[32]byte]uint64) // by node
	for i := range ds {
		d := &ds[i]
		if d.World == w.ID && d.VerifyID() == nil && d.VerifySignature() == nil {
			latest[d.Key] = max(latest[d.Key], d.Epoch)
		}
	}
	var epochs []uint64
	for _, e := range latest {
		epochs = append(epochs, e)
	}
	if len(epochs) == 0 || middle(epochs) <= w.Epoch(now) {
		return Skip("no seed answered, so there is no clock to compare this machine's with")
	}
	begun := w.EpochStart(middle(epochs))
	return clockFinding(w, now.Sub(begun), fmt.Sprintf("at least, by %s on disk that begin later", app.Count(len(epochs), "descriptor")))
}

// middle is the median; the lower one of two.
func middle[T cmp.Ordered](all []T) T {
	slices.Sort(all)
	return all[(len(all)-1)/2]
}

// roughly is a duration as people say it.
func roughly(d time.Duration) string {
	switch {
	case d < 2*time.Minute:
		return app.Count(int(d.Round(time.Second)/time.Second), "second")
	case d < 2*time.Hour:
		return app.Count(int(d.Round(time.Minute)/time.Minute), "minute")
	case d < 48*time.Hour:
		return app.Count(int(d.Round(time.Hour)/time.Hour), "hour")
	}
	return app.Count(int(d.Round(24*time.Hour)/(24*time.Hour)), "day")
}
