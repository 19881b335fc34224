package gateway

import (
	"context"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/culvert-net/culvert/api/backend"
	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/doctor"
	"github.com/culvert-net/culvert/internal/app/market"
	"github.com/culvert-net/culvert/internal/app/node"
	"github.com/culvert-net/culvert/internal/app/onchain"
	"github.com/culvert-net/culvert/internal/app/wallet"
	"github.com/culvert-net/culvert/internal/config"
)

func doctorCommand(data func() (string, error)) *cobra.Command {
	cfg := Defaults()
	asJSON := false
	p := &patient{Place: doctor.Place{Patient: doctor.Patient{Program: program}}}
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
			if p.Dir, err = data(); err != nil {
				return err
			}
			p.Lines = app.NewLines(cmd, p.Dir)
			p.SetUp = p.Lines.Line("init", "--world", "FILE")
			if p.cfg, p.Misconfigured, err = doctor.Load(Defaults, cfg, program, p.Dir, cmd.Flags(), (*Config).fitsData); err != nil {
				return err
			}
			p.Name, p.Listen, p.Announce = p.cfg.Node.Name, p.cfg.Node.Listen, p.cfg.Node.Announce
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
	doctor.Place
	cfg    *Config
	silent bool   // ask the model server for nothing
	model  string // to ask it for; "" means the first
	status Status

	source *source // nil: no provider, or it cannot be asked
	models []backend.Model
	able   bool // it does something besides chat
	chats  bool
}

// checks are in the order in which one thing rests on another.
func (p *patient) checks() []doctor.Check {
	return []doctor.Check{
		{Name: "gateway", Run: p.daemon},
		{Name: "configuration", Run: doctor.Now(p.Configuration)},
		{Name: "data directory", Run: p.data},
		{Name: "identity", Run: doctor.Now(p.Identity)},
		{Name: "world", Run: doctor.Now(p.WorldFile)},
		{Name: "onion keys", Run: doctor.Now(p.OnionKeys)},
		{Name: "port", Run: p.ports},
		{Name: "seeds", Limit: doctor.SeedsLimit, Run: p.AskSeeds},
		{Name: "clock", Run: doctor.Now(p.Clock)},
		{Name: "directory", Run: p.directory},
		{Name: "address", Limit: doctor.DialLimit, Run: p.Addresses},
		{Name: "descriptor", Run: doctor.Now(p.Descriptor)},
		{Name: "model server", Limit: askLimit, Run: p.modelServer},
		{Name: "embeddings", Limit: askLimit, Run: p.embeddings},
		{Name: "completions", Limit: askLimit, Run: p.completions},
		{Name: "chat", Limit: askLimit, Run: p.chat},
		{Name: "streamed chat", Limit: askLimit, Run: p.stream},
		{Name: "money", Limit: moneyLook, Run: p.money},
		{Name: "ready", Run: p.ready},
	}
}

// money looks at what a provider that is paid needs.
func (p *patient) money(ctx context.Context) []doctor.Finding {
	if p.Misconfigured != nil || p.World == nil || !p.cfg.Is(RoleProvider) {
		return nil
	}
	settings, err := onchain.Join(p.cfg.Chain.Config, p.World)
	if err != nil {
		return doctor.One(doctor.Bad("Correct [chain] in config.toml: "+p.Lines.Line("config", "path")+" says where it is.", "%v", err))
	}
	if settings == nil {
		return nil
	}
	if p.Running {
		found, err := market.ExamineRunning(ctx, p.Dir)
		if err != nil {
			return doctor.One(doctor.Bad("Restart the gateway, so that it uses its configuration of now.", "the running gateway does not say what it has: %v", err))
		}
		return found
	}
	w := wallet.Config{Data: p.Dir, From: &wallet.Passphrases{Env: os.Getenv}, New: p.Lines.Line("wallet", "new")}
	return market.ExamineStopped(ctx, program, settings, w, func() (market.Offer, error) { return p.cfg.offer(p.Dir) })
}

func (p *patient) close() {
	if p.source != nil {
		_ = p.source.closer.Close() // only idle connections are left
	}
}

func (p *patient) daemon(ctx context.Context) []doctor.Finding {
	found := p.Daemon(ctx, &p.status, func() (string, time.Time) { return p.status.Version, p.status.Started })
	p.Addrs, p.Published, p.Problem = p.status.Addrs, p.status.Published, p.status.Problem
	return found
}

func (p *patient) data(context.Context) []doctor.Finding {
	return p.Data(app.ConfigFile, node.KeyFile, node.OnionFile)
}

func (p *patient) ports(ctx context.Context) []doctor.Finding {
	return p.Ports(ctx, p.cfg.Status.Listen, p.cfg.Debug.Listen)
}

func (p *patient) directory(context.Context) []doctor.Finding {
	return p.Directory(p.status.Directory, p.status.Seeds)
}

func (p *patient) ready(context.Context) []doctor.Finding {
	if !p.Running {
		return nil
	}
	if len(p.status.Waiting) > 0 {
		return doctor.Waiting(p.status.Waiting, p.Started, time.Now(), "See what was found above. What the gateway does: "+p.Lines.Line("status"))
	}
	return doctor.One(doctor.Fine("yes, as %s", strings.Join(p.status.Roles, " and ")))
}
