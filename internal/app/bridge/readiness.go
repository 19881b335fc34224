package bridge

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/culvert-net/culvert/internal/app/node"
)

// readiness tells the log when a bridge becomes ready, or ceases to be, and
// why: once each, however often the reason changes meanwhile.
type readiness struct {
	ready func() error
	log   *slog.Logger
}

// watch looks until ctx ends.
func (r readiness) watch(ctx context.Context) error {
	tick := time.NewTicker(readyEvery)
	defer tick.Stop()
	for known, was := false, false; ; {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
		err := r.ready()
		is := err == nil
		switch {
		case known && is == was:
		case is:
			r.log.Info("bridge is ready")
		default:
			r.log.Info("bridge is not ready", "reason", strings.Join(node.Reasons(err), "; "))
		}
		known, was = true, is
	}
}
