package observer

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/doctor"
	"github.com/culvert-net/culvert/internal/app/member"
	"github.com/culvert-net/culvert/internal/app/node"
	"github.com/culvert-net/culvert/internal/config"
	"github.com/culvert-net/culvert/mesh/gossip"
)

func doctorCommand(data func() (string, error)) *cobra.Command {
	cfg := Defaults()
	asJSON := false
	p := &patient{Place: doctor.Place{Patient: doctor.Patient{Program: program}}}
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Look for what is wrong, and say what to do",
		Long: `doctor looks at everything an observer needs, from its keys to its place in the
world, and says what it found and what to do about it. It works whether or not the
observer runs, and changes nothing. Give it the flags that you give to serve.

It asks the seeds of the world for the time and the directory, as any newcomer does.

The exit code is 0 if there is no problem, else 1.`,
		Example: `  observer doctor
  observer doctor --json | jq '.findings[] | select(.level != "ok")'`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			if p.Dir, err = data(); err != nil {
				return err
			}
			p.Lines = app.NewLines(cmd, p.Dir)
			p.SetUp = p.Lines.Line("join", "FILE")
			if p.cfg, p.Misconfigured, err = doctor.Load(Defaults, cfg, program, p.Dir, cmd.Flags(), (*Config).fitsData); err != nil {
				return err
			}
			p.Name, p.Listen, p.Announce = p.cfg.Node.Name, p.cfg.Node.Listen, p.cfg.Node.Announce
			to := doctor.Output{Out: cmd.OutOrStdout(), Err: cmd.ErrOrStderr(), JSON: asJSON}
			return doctor.Run(cmd.Context(), program, to, p.checks())
		},
	}
	config.Bind(cmd.Flags(), cfg)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// patient is an observer that is looked at. Checks run one after the other, and
// each leaves here what later ones need.
type patient struct {
	doctor.Place
	cfg    *Config
	status Status
}

// checks are in the order in which one thing rests on another.
func (p *patient) checks() []doctor.Check {
	return []doctor.Check{
		{Name: "observer", Run: p.daemon},
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
		{Name: "membership", Run: p.membership},
		{Name: "event log", Run: p.eventLog},
		{Name: "sync", Run: p.sync},
		{Name: "ready", Run: p.ready},
	}
}

func (p *patient) daemon(ctx context.Context) []doctor.Finding {
	found := p.Daemon(ctx, &p.status, func() (string, time.Time) { return p.status.Version, p.status.Started })
	p.Addrs, p.Published, p.Problem = p.status.Addrs, p.status.Published, p.status.Problem
	return found
}

func (p *patient) data(context.Context) []doctor.Finding {
	return p.Data(app.ConfigFile, node.KeyFile, node.OnionFile, member.GroupFile, member.LogFile, member.StoreFile)
}

func (p *patient) ports(ctx context.Context) []doctor.Finding {
	return p.Ports(ctx, p.cfg.Status.Listen, p.cfg.Debug.Listen)
}

func (p *patient) directory(context.Context) []doctor.Finding {
	return p.Directory(p.status.Directory, p.status.Seeds)
}

// member is what the running observer said, or nil.
func (p *patient) member() *member.Status {
	if !p.Running {
		return nil
	}
	return p.status.Member
}

func (p *patient) membership(context.Context) []doctor.Finding {
	if p.World == nil {
		return nil
	}
	s := p.member()
	if s == nil {
		return doctor.One(doctor.Skip("it is known to the running observer, or to: %s", p.Lines.Line("world", "show")))
	}
	if !s.Member {
		return doctor.One(doctor.Bad("Ask a member for an invite, then: "+p.Lines.Line("join", "FILE"), "%s", s.Problem))
	}
	out := doctor.One(doctor.Fine("one of %s, generation %d", app.Count(s.Members, "member"), s.Generation))
	if s.Alarm != "" {
		out = append(out, doctor.Bad("Founders choose a branch: "+p.Lines.Line("world", "choose", "ENTRY"), "%s", s.Alarm))
	}
	if s.Waiting > 0 {
		out = append(out, doctor.Fine("%s for approvals: %s", app.Count(s.Waiting, "change waits"), p.Lines.Line("world", "show")))
	}
	if s.ClockWrong {
		out = append(out, doctor.Bad(doctor.SetClock, "%s", s.Clock))
	}
	return out
}

func (p *patient) eventLog(context.Context) []doctor.Finding {
	s := p.member()
	if s == nil {
		return nil
	}
	if s.Log.Problem != "" {
		return doctor.One(doctor.Bad("Look closer: "+p.Lines.Line("log", "check", "--full")+". A damaged log is fetched anew: stop the observer, move log.db away, start it.", "%s", s.Log.Problem))
	}
	return doctor.One(doctor.Fine("%d events in %s", s.Log.Events, app.Count(s.Log.Epochs, "epoch")))
}

func (p *patient) sync(context.Context) []doctor.Finding {
	s := p.member()
	switch {
	case s == nil || !s.Member:
		return nil
	case s.Members < 2:
		return doctor.One(doctor.Fine("nobody to sync with: this is the only member; invite others: %s", p.Lines.Line("world", "invite")))
	case s.Sync.Rounds == 0:
		return doctor.One(doctor.Warn("Wait half a minute and look again.", "no round was made yet"))
	}
	good, why, clock := 0, "", false
	for _, x := range s.Sync.Partners {
		if x.Error == "" {
			good++
			continue
		}
		why = x.Error
		clock = clock || x.Error == gossip.ReasonClock.Label()
	}
	switch {
	case good == 0 && clock:
		// Who says so has answered, so it takes this node for a member.
		return doctor.One(doctor.Warn(doctor.SetClock+" If it is right, theirs is not: ask the others.",
			"no member could be synced with in the last round: this machine's clock and theirs are more than an epoch apart (%s)", gossip.ReasonClock.Label()))
	case good == 0 && why != "":
		return doctor.One(doctor.Warn("Are other members' observers running? If this node was evicted, it is refused as a stranger: ask a member.",
			"no member could be synced with in the last round (%s)", why))
	}
	return doctor.One(doctor.Fine("with %s in the last round", app.Count(good, "member")))
}

func (p *patient) ready(context.Context) []doctor.Finding {
	if !p.Running {
		return nil
	}
	if len(p.status.Waiting) > 0 {
		return doctor.Waiting(p.status.Waiting, p.Started, time.Now(), "See what was found above. What the observer does: "+p.Lines.Line("status"))
	}
	return doctor.One(doctor.Fine("yes, as %s", strings.Join(p.status.Roles, " and ")))
}
