package gateway

import (
	"context"
	"crypto/ed25519"
	"errors"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/culvert-net/culvert/api/backend"
	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/doctor"
	"github.com/culvert-net/culvert/internal/config"
	"github.com/culvert-net/culvert/internal/files"
	"github.com/culvert-net/culvert/mesh/directory"
	"github.com/culvert-net/culvert/mesh/world"
)

func doctorCommand(data func() (string, error)) *cobra.Command {
	cfg := Defaults()
	asJSON := false
	p := &patient{}
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Look for what is wrong, and say what to do",
		Long: `doctor looks at everything a gateway needs, from its keys to what its model server
can do, and says what it found and what to do about it. It works whether or not the
gateway runs, and changes nothing. Give it the flags that you give to serve.

It asks the seeds of the world for the time and the directory, as any newcomer does.
Of a provider it asks the model server for at most four answers of one token each,
which runs requests on your own server; --no-ask leaves them out.

The exit code is 0 if there is no problem, else 1.`,
		Example: `  gateway doctor
  gateway doctor --no-ask
  gateway doctor --json | jq '.findings[] | select(.level != "ok")'`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			if p.dir, err = data(); err != nil {
				return err
			}
			p.lines = app.NewLines(cmd, p.dir)
			if p.cfg, p.misconfigured, err = doctor.Load(Defaults, cfg, program, p.dir, cmd.Flags(), (*Config).fitsData); err != nil {
				return err
			}
			defer p.close()
			to := doctor.Output{Out: cmd.OutOrStdout(), Err: cmd.ErrOrStderr(), JSON: asJSON}
			return doctor.Run(cmd.Context(), program, to, p.checks())
		},
	}
	config.Bind(cmd.Flags(), cfg)
	cmd.Flags().BoolVar(&p.silent, "no-ask", false, "send no request to the model server")
	cmd.Flags().StringVar(&p.model, "model", "", "model to ask the model server for (default: the first it lists)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// patient is a gateway that is looked at. Checks run one after the other, and
// each leaves here what later ones need.
type patient struct {
	dir           string
	cfg           *Config
	misconfigured error // then cfg has the defaults
	lines         app.Lines
	silent        bool   // ask the model server for nothing
	model         string // to ask it for; "" means the first

	running bool // the gateway answered
	hangs   bool // it runs and did not
	status  Status

	key    [32]byte     // zero: not readable
	world  *world.World // nil: none, or not readable
	seeds  []doctor.Seed
	cached doctor.Cached
	known  *directory.Snapshot // what seeds and disk say; nil without world

	source *source // nil: no provider, or it cannot be asked
	models []backend.Model
	able   bool // it does something besides chat
	chats  bool
}

// checks are in the order in which one thing rests on another.
func (p *patient) checks() []doctor.Check {
	return []doctor.Check{
		{Name: "gateway", Run: p.daemon},
		{Name: "configuration", Run: p.configuration},
		{Name: "data directory", Run: p.data},
		{Name: "identity", Run: p.identity},
		{Name: "world", Run: p.worldFile},
		{Name: "onion keys", Run: p.onion},
		{Name: "port", Run: p.ports},
		{Name: "seeds", Limit: doctor.SeedsLimit, Run: p.askSeeds},
		{Name: "clock", Run: p.clock},
		{Name: "directory", Run: p.directory},
		{Name: "address", Limit: dialLimit, Run: p.addresses},
		{Name: "descriptor", Run: p.descriptor},
		{Name: "model server", Limit: askLimit, Run: p.modelServer},
		{Name: "embeddings", Limit: askLimit, Run: p.embeddings},
		{Name: "completions", Limit: askLimit, Run: p.completions},
		{Name: "chat", Limit: askLimit, Run: p.chat},
		{Name: "streamed chat", Limit: askLimit, Run: p.stream},
		{Name: "ready", Run: p.ready},
	}
}

func (p *patient) close() {
	if p.source != nil {
		_ = p.source.closer.Close() // only idle connections are left
	}
}

func one(f doctor.Finding) []doctor.Finding { return []doctor.Finding{f} }

// setUp is the command that makes this directory.
func (p *patient) setUp() string { return p.lines.Line("init", "--world", "FILE") }

func (p *patient) daemon(ctx context.Context) []doctor.Finding {
	running, err := doctor.AskDaemon(ctx, p.dir, &p.status)
	p.running, p.hangs = running, err != nil
	return one(doctor.Daemon(program, running, err, p.status.Version, p.status.Started, time.Now(), p.lines.Line("serve")))
}

func (p *patient) configuration(context.Context) []doctor.Finding {
	check := p.lines.Line("config", "check")
	if p.misconfigured != nil {
		return one(doctor.Bad("Correct it, then look again: "+check, "%v", p.misconfigured))
	}
	return one(doctor.Fine("valid; to see it: %s", check))
}

func (p *patient) data(context.Context) []doctor.Finding {
	return doctor.Data(p.dir, program, p.running || p.hangs, p.setUp(), app.ConfigFile, keyFile, onionFile)
}

func (p *patient) identity(context.Context) []doctor.Finding {
	key, err := loadKey(filepath.Join(p.dir, keyFile))
	if errors.Is(err, fs.ErrNotExist) {
		return one(doctor.Bad("Set the directory up: "+p.setUp(), "this node has no key yet"))
	}
	if errors.Is(err, files.ErrNotPrivate) {
		return nil // said of the data directory
	}
	if err != nil {
		return one(doctor.Bad("Restore it from a backup; a new key makes it a new node.", "%v", err))
	}
	p.key = [32]byte(key.Public().(ed25519.PublicKey))
	clear(key) // only its public half is wanted
	return one(doctor.Fine("%s", p.name()))
}

func (p *patient) onion(context.Context) []doctor.Finding {
	if p.world == nil {
		return nil
	}
	path := filepath.Join(p.dir, onionFile)
	keys, err := directory.OpenKeyring(path, p.world)
	if errors.Is(err, files.ErrNotPrivate) {
		return nil // said of the data directory
	}
	if err != nil {
		return one(doctor.Bad(app.Shell("rm", path)+", if you have no backup of it", "%v", err))
	}
	return one(onionFinding(p.world, keys.Expiries(), p.running, time.Now()))
}

// onionFinding judges the ends of onion keys, newest first.
func onionFinding(w *world.World, keys []directory.Expiry, running bool, now time.Time) doctor.Finding {
	const made = "one is made at the start"
	switch {
	case len(keys) == 0 && running:
		return doctor.Bad("Restart the gateway.", "none on disk, though the gateway runs")
	case len(keys) == 0:
		return doctor.Fine("none yet; %s", made)
	case keys[0].Epoch > w.Epoch(now)+1:
		return doctor.Warn("Set the clock right, then restart the gateway: the key is removed by itself.",
			"the newest is from an epoch that has not begun: this machine's clock was ahead")
	case running && keys[0].Epoch+1 < w.Epoch(now):
		return doctor.Bad("Restart the gateway; if it stays so, is the disk full?", "the newest ended at %s and was not replaced", moment(keys[0].NotAfter))
	case now.After(keys[0].NotAfter):
		return doctor.Fine("the last ended at %s; %s", moment(keys[0].NotAfter), made)
	}
	return doctor.Fine("the newest is good until %s", moment(keys[0].NotAfter))
}

// moment is a time for a person.
func moment(t time.Time) string { return t.Local().Format("2006-01-02 15:04:05") }
