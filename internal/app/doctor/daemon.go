package doctor

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/serve"
)

// AskDaemon asks the program that runs on a data directory for its status, into
// v. running is false if there is none; err is set if there is one that does
// not answer.
func AskDaemon(ctx context.Context, dir string, v any) (running bool, err error) {
	err = serve.Ask(ctx, filepath.Join(dir, serve.AdminSocket), "/status", v)
	if errors.Is(err, serve.ErrNoDaemon) {
		return false, nil
	}
	return err == nil, err
}

// Daemon says whether the program runs, and whether it is this version. start
// is the command that starts it.
func Daemon(program string, running bool, err error, version string, started, now time.Time, start string) Finding {
	switch {
	case errors.Is(err, serve.ErrForeign):
		return Bad("Ask the doctor as the user who runs the "+program+", or of another directory with --data DIR.", "whether one runs cannot be told: %v", err)
	case err != nil:
		return Bad("If it stays so, stop it and start it again: "+start, "a %s runs on this directory and does not answer: %v", program, err)
	case !running:
		return Warn("Start it: "+start, "no %s is running on this directory; what follows is looked at without it", program)
	case version != app.Version():
		return Warn("Restart it, so that the new version runs: "+start, "running for %s, version %s; this is %s", roughly(now.Sub(started).Abs()), version, app.Version())
	}
	return Fine("running for %s, version %s", roughly(now.Sub(started).Abs()), version)
}

// Waiting are the reasons for which a running program is not ready, in its own
// words. One that has just started is given time.
func Waiting(reasons []string, started, now time.Time, do string) []Finding {
	bad := Bad
	if age := now.Sub(started); age >= 0 && age < startGrace {
		bad, do = Warn, "It has just started. Wait half a minute and look again."
	}
	var out []Finding
	for _, r := range reasons {
		out = append(out, bad(do, "not ready: %s", r))
	}
	return out
}
