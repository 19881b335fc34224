package bridge

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/doctor"
	"github.com/culvert-net/culvert/internal/app/keystore"
	"github.com/culvert-net/culvert/internal/app/market"
	"github.com/culvert-net/culvert/internal/app/onchain"
	"github.com/culvert-net/culvert/internal/app/wallet"
	"github.com/culvert-net/culvert/internal/config"
	"github.com/culvert-net/culvert/internal/serve"
)

func doctorCommand(data func() (string, error)) *cobra.Command {
	cfg := Defaults()
	var o Options
	ask, asJSON := "", false
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Look for what is wrong, and say what to do",
		Long: `doctor looks at everything a bridge needs, from its files to a request, and says
what it found and what to do about it. It works whether or not the bridge runs,
and changes nothing. Give it the flags that you give to serve.

It asks the seeds of your world for the time and, if the bridge does not run, for
the directory, as any newcomer does. It opens no circuit. Only --ask sends a
request: a few words, to a provider of the model you name.

The exit code is 0 if there is no problem, else 1.`,
		Example: `  bridge doctor
  bridge doctor --ask llama3.2
  bridge doctor --json | jq '.findings[] | select(.level != "ok")'`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			if o.Data, err = data(); err != nil {
				return err
			}
			if o.World == "" {
				o.World = filepath.Join(o.Data, app.WorldFile)
			}
			lines := app.NewLines(cmd, o.Data)
			p := &patient{o: o, ask: ask, Patient: doctor.Patient{
				Program: program, Dir: o.Data, Lines: lines, SetUp: lines.Line("init", "--world", "FILE"),
			}}
			if p.o.Config, p.Misconfigured, err = doctor.Load(Defaults, cfg, program, o.Data, cmd.Flags()); err != nil {
				return err
			}
			to := doctor.Output{Out: cmd.OutOrStdout(), Err: cmd.ErrOrStderr(), JSON: asJSON}
			return doctor.Run(cmd.Context(), program, to, p.checks())
		},
	}
	config.Bind(cmd.Flags(), cfg)
	cmd.Flags().StringVar(&o.World, "world", "", "world file (default: world.toml in the data directory)")
	cmd.Flags().StringVar(&ask, "ask", "", "send a tiny chat to this model through the running bridge")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// patient is a bridge that is looked at. Checks run one after the other, and
// each leaves here what later ones need.
type patient struct {
	doctor.Patient
	o      Options // of serve
	ask    string  // model to ask; "" asks none
	status Status
}

// checks are in the order in which one thing rests on another.
func (p *patient) checks() []doctor.Check {
	return []doctor.Check{
		{Name: "bridge", Run: p.daemon},
		{Name: "configuration", Run: p.configuration},
		{Name: "data directory", Run: p.data},
		{Name: "port", Run: p.ports},
		{Name: "upstream", Limit: upstreamLook, Run: p.upstream},
		{Name: "world", Run: p.worldFile},
		{Name: "seeds", Limit: doctor.SeedsLimit, Run: p.askSeeds},
		{Name: "clock", Run: doctor.Now(p.Clock)},
		{Name: "directory", Run: p.directory},
		{Name: "circuits", Run: p.circuits},
		{Name: "money", Limit: moneyLook, Run: p.money},
		{Name: "membership", Run: p.membership},
		{Name: "API", Run: p.api},
		{Name: "request", Limit: requestLimit, Run: p.request},
	}
}

// membership is no problem of requests: a bridge works without.
func (p *patient) membership(context.Context) []doctor.Finding {
	if !p.Running || p.status.Member == nil {
		return nil
	}
	switch s := p.status.Member; {
	case !s.Member:
		return doctor.One(doctor.Warn("Requests work without. Ask a member for an invite, then: "+p.Lines.Line("join", "FILE"), "%s", s.Problem))
	case s.Problem != "" && !s.ClockWrong: // the clock has a line of its own
		return doctor.One(doctor.Warn("Requests work without; what other members say is not heard.", "%s", s.Problem))
	default:
		return doctor.One(doctor.Fine("one of %s, generation %d", app.Count(s.Members, "member"), s.Generation))
	}
}

// money looks at what a bridge that pays needs.
func (p *patient) money(ctx context.Context) []doctor.Finding {
	if p.Misconfigured != nil || p.local() {
		return nil
	}
	settings, err := onchain.Join(p.o.Config.Chain, p.World)
	if err != nil {
		return doctor.One(doctor.Bad("Correct [chain] in config.toml: "+p.Lines.Line("config", "path")+" says where it is.", "%v", err))
	}
	if settings == nil {
		return nil
	}
	if p.Running {
		found, err := market.ExamineRunning(ctx, p.Dir)
		if err != nil {
			return doctor.One(doctor.Bad("Restart the bridge, so that it uses its configuration of now.", "the running bridge does not say what it has: %v", err))
		}
		return found
	}
	w := wallet.Config{Data: p.Dir, Sessions: true, From: &wallet.Passphrases{Env: os.Getenv}, New: p.Lines.Line("wallet", "new")}
	return market.ExamineStopped(ctx, program, settings, w, nil)
}

// local reports whether this is a bridge without a world.
func (p *patient) local() bool {
	if p.Running {
		return p.status.Mode == ModeLocal
	}
	_, err := os.Stat(p.o.World)
	return p.o.Config.Local.Upstream != "" && errors.Is(err, fs.ErrNotExist)
}

func (p *patient) daemon(ctx context.Context) []doctor.Finding {
	return p.Daemon(ctx, &p.status, func() (string, time.Time) { return p.status.Version, p.status.Started })
}

func (p *patient) configuration(context.Context) []doctor.Finding {
	found := p.Configuration()
	if p.Misconfigured != nil {
		return found
	}
	// What else is wrong with the choice is wrong with the world file.
	if _, err := p.o.choose(); app.Code(err) == app.ExitRefused {
		return doctor.One(doctor.Bad("Leave local mode, or use another directory for it: "+p.Lines.Line("serve", "--data", "DIR"), "%v", err))
	}
	if f, exposed := p.exposed(); exposed {
		return doctor.One(f)
	}
	return found
}

// exposed is about an API that other machines reach. Who may call is in the
// keys, which only serve opens; that there are none at all shows from outside.
func (p *patient) exposed() (f doctor.Finding, exposed bool) {
	for _, addr := range p.o.Config.API.Listen {
		if !errors.Is(serve.CheckAddr("", addr), serve.ErrPublic) {
			continue
		}
		if _, err := os.Stat(filepath.Join(p.o.Data, keystore.File)); errors.Is(err, fs.ErrNotExist) {
			return doctor.Bad("Make a key: "+p.Lines.Line("keys", "add", "NAME")+"; or listen on 127.0.0.1.",
				"api.listen: other machines reach %s, and there are no keys", addr), true
		}
		return doctor.Warn("Put TLS in front of it.", "api.listen: other machines reach %s; keys and prompts travel there unencrypted", addr), true
	}
	return f, false
}

func (p *patient) data(context.Context) []doctor.Finding {
	return p.Data(app.ConfigFile, keystore.File)
}
