package observer

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/doctor"
	"github.com/culvert-net/culvert/internal/app/member"
	"github.com/culvert-net/culvert/internal/app/node"
	"github.com/culvert-net/culvert/internal/serve"
	"github.com/culvert-net/culvert/mesh/directory"
	"github.com/culvert-net/culvert/mesh/roster"
	"github.com/culvert-net/culvert/mesh/world"
)

// ask asks the running observer, or, if none runs, the files of the data
// directory, which are then this command's for the moment.
func ask[In, Out any](cmd *cobra.Command, dir string, op member.Op[In, Out], in In) (out Out, err error) {
	ctx := cmd.Context()
	if op.Limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, op.Limit)
		defer cancel()
	}
	for try := 0; ; try++ {
		err = serve.Tell(ctx, filepath.Join(dir, serve.AdminSocket), op.Route, in, &out)
		if !errors.Is(err, serve.ErrNoDaemon) {
			break
		}
		if op.Alive {
			err = member.ErrNotRunning
			break
		}
		err = withFiles(dir, func(o *member.Ops) error {
			out, err = op.Do(o, ctx, in)
			return err
		})
		// A daemon that starts, or stops, has the files and no socket for a moment.
		if !errors.Is(err, app.ErrInUse) || try == inUseTries {
			break
		}
		select {
		case <-time.After(inUsePause):
		case <-ctx.Done():
		}
	}
	if errors.Is(err, member.ErrNotRunning) {
		err = app.NotRunning(program, app.NewLines(cmd, dir), dir, "")
	}
	return out, advised(app.Asked(err), app.NewLines(cmd, dir))
}

// withFiles opens a data directory that no observer runs on.
func withFiles(dir string, f func(o *member.Ops) error) (err error) {
	w, err := node.LoadWorld(worldPath(dir))
	if err != nil {
		return err
	}
	data, err := app.OpenData(dir, program)
	if err != nil {
		return err
	}
	defer data.Close()
	cfg := Defaults()
	if _, err := app.Load(cfg, program, dir, nil, cfg.fitsData); err != nil {
		return err
	}
	key, err := node.LoadKey(data.Path(node.KeyFile))
	if err != nil {
		return err
	}
	m, err := openMember(data, w, key, cfg, cachedProviders(data, w), slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	addrs, err := (&setup{cfg: cfg, key: key, data: data}).addresses(w.Local, false)
	return errors.Join(f(&member.Ops{Member: m, Addrs: func() []string {
		var out []string
		for _, addr := range addrs { // none, if this machine cannot be reached now
			out = append(out, node.SeedAddr(addr, m.Self()))
		}
		return out
	}}), ignoreUnreachable(err))
}

// ignoreUnreachable is nil for a node without an address: what needs one says so.
func ignoreUnreachable(err error) error {
	if app.Code(err) == app.ExitUsage {
		return nil
	}
	return err
}

// openMember opens what makes this node a member.
func openMember(data *app.Data, w *world.World, key ed25519.PrivateKey, cfg *Config, p roster.Providers, log *slog.Logger) (*member.Member, error) {
	m, err := member.Open(member.Config{Dir: data.Dir, World: w, Key: key, Providers: p, Log: log, Rules: cfg.Rules.policy()})
	if err != nil {
		return nil, fmt.Errorf("opening what this member knows: %w", err)
	}
	return m, nil
}

// cachedProviders is who stood as a provider when the observer last ran.
func cachedProviders(data *app.Data, w *world.World) roster.Providers {
	set := directory.NewSet(w)
	set.Add(doctor.ReadCache(data.Dir, w).Descriptors, time.Now())
	return member.NewProviders(set)
}
