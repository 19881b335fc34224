package follow

import (
	"context"
	"errors"
	"time"

	"github.com/culvert-net/culvert/mesh/directory"
	"github.com/culvert-net/culvert/mesh/directory/bundle"
	"github.com/culvert-net/culvert/mesh/directory/mirror"
	"github.com/culvert-net/culvert/mesh/quorum"
)

// Status is what people are shown of a Follower.
type Status struct {
	Epoch uint64 // of the bundle that is shown; 0 for none

	Nodes     int // that it shows, this one included
	Relays    int
	Providers int
	Models    int

	Agreed  time.Time // when mirrors agreed last; zero for not yet
	Problem string    // why they did not the last time, from a closed list; "" if they did
	Clock   string    // by how much this machine's clock is off; "" if it is not, as far as mirrors tell
	Forked  string    // "" while all is well; else what was found, and nothing is shown any more

	Asked    int // mirrors, the last time
	Answered int // of them

	RoundsOK     uint64 // in which mirrors agreed, since the start
	RoundsFailed uint64 // in which they did not
}

// Age is how long ago mirrors agreed; false if they never did.
func (s *Status) Age(now time.Time) (time.Duration, bool) {
	return now.Sub(s.Agreed), !s.Agreed.IsZero()
}

// Status says how the follower is doing.
func (f *Follower) Status() Status {
	f.mu.Lock()
	s := f.status
	f.mu.Unlock()
	snap := f.cfg.View.Snapshot()
	s.Epoch = snap.Epoch()
	s.Nodes = snap.Len()
	s.Relays = len(snap.Relays())
	s.Providers = snap.Serving()
	s.Models = len(snap.Models())
	if err := f.cfg.Store.Forked(); err != nil {
		s.Forked = err.Error()
	}
	return s
}

// note keeps the outcome of a round that began at now for Status, and tells
// operators of a failure that lasts, of its end, and of a clock that is off.
func (f *Follower) note(err error, clock string, replies []reply, now time.Time) {
	text := explain(err)
	f.failed = err != nil
	f.mu.Lock()
	before := f.status.Clock
	f.status.Problem, f.status.Clock = text, clock
	f.status.Asked, f.status.Answered = len(replies), 0
	for _, r := range replies {
		if r.err == nil {
			f.status.Answered++
		}
	}
	first := f.status.Agreed.IsZero()
	if err == nil {
		f.status.Agreed = now
		f.status.RoundsOK++
	} else {
		f.status.RoundsFailed++
	}
	f.mu.Unlock()
	if clock != "" && before == "" {
		f.cfg.Log.Warn("clock is off", "by", clock)
	}
	if err == nil {
		if first || f.told != "" {
			f.cfg.Log.Info("directory current")
		}
		f.woe, f.told = time.Time{}, ""
		return
	}
	if f.woe.IsZero() {
		f.woe = now
	}
	if errors.Is(err, mirror.ErrForked) || time.Since(f.woe) >= settle { // a round may take long by itself
		if text != f.told {
			f.told = text
			f.cfg.Log.Warn("no newer directory", "err", text)
		}
	}
}

// explain puts an error into one of a closed list of texts: what a mirror does
// may be shown anywhere, what it says may not.
func explain(err error) string {
	if err == nil {
		return ""
	}
	var r directory.Reason
	if errors.As(err, &r) {
		return "refused: " + r.Error()
	}
	for _, known := range []error{
		mirror.ErrForked, mirror.ErrLower, bundle.ErrShrunken, bundle.ErrVersion,
		quorum.ErrWorld, quorum.ErrUnknownSigner, quorum.ErrSignature, quorum.ErrTooFew, quorum.ErrNoContradiction,
		ErrDisagree, ErrStale, ErrFuture, ErrEmpty,
	} {
		if errors.Is(err, known) {
			return known.Error()
		}
	}
	switch {
	case errors.Is(err, directory.ErrProtocol):
		return "not the directory protocol"
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	case errors.Is(err, errUnreachable):
		return "not reachable"
	case errors.Is(err, ErrNoAnswer):
		return ErrNoAnswer.Error()
	}
	return "broke off, or not written to disk"
}
