package eventlog

import (
	"fmt"
	"time"

	"github.com/culvert-net/culvert/internal/kv"
)

// window is the epoch's part of admission: what is pushed is of now, the epoch
// before or the next; what is fetched may be as old as the world remembers.
func (l *Log) window(epoch uint64, via Via, now time.Time) Reason {
	at := l.cfg.World.Epoch(now)
	switch {
	case epoch > at+1:
		return ReasonEarly
	case epoch < l.Horizon(now):
		return ReasonHorizon
	case via == ViaPush && epoch+1 < at:
		return ReasonLate
	}
	return 0
}

// Horizon is the oldest epoch that is still taken: the one that the world's
// horizon, reckoned back from now, falls into.
func (l *Log) Horizon(now time.Time) uint64 {
	return l.cfg.World.Epoch(now.Add(-l.terms.Horizon))
}

// damaged is an error about something stored that nobody could have stored.
func damaged(what string) error { return fmt.Errorf("%w: %s", kv.ErrDamaged, what) }
