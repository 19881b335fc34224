package doctor

import (
	"context"
	"time"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/mesh/directory"
	"github.com/culvert-net/culvert/mesh/world"
)

// Patient is a program that is looked at, in what all programs are alike. Its
// checks run one after the other, and each leaves here what later ones need.
type Patient struct {
	Program       string
	Dir           string // data directory
	Lines         app.Lines
	SetUp         string // the command that makes the directory
	Misconfigured error  // then the configuration has the defaults

	Running bool // the daemon answered
	Hangs   bool // it runs and did not
	Version string
	Started time.Time

	World  *world.World // nil: none, or not readable
	Seeds  []Seed
	Cached Cached
	Known  *directory.Snapshot // what seeds and disk say; nil without world
}

// One is a single finding as a check returns it.
func One(f Finding) []Finding { return []Finding{f} }

// Now is a check that takes no time.
func Now(look func() []Finding) func(context.Context) []Finding {
	return func(context.Context) []Finding { return look() }
}

// Daemon asks the daemon for its status, into v; said reads from it what every
// status has.
func (p *Patient) Daemon(ctx context.Context, v any, said func() (version string, started time.Time)) []Finding {
	running, err := AskDaemon(ctx, p.Dir, v)
	p.Running, p.Hangs = running, err != nil
	p.Version, p.Started = said()
	return One(Daemon(p.Program, running, err, p.Version, p.Started, time.Now(), p.Lines.Line("serve")))
}

// Configuration says whether it can be read.
func (p *Patient) Configuration() []Finding {
	check := p.Lines.Line("config", "check")
	if p.Misconfigured != nil {
		return One(Bad("Correct it, then look again: "+check, "%v", p.Misconfigured))
	}
	return One(Fine("valid; to see it: %s", check))
}

// Data looks at the data directory, in which nobody else may read secret files.
func (p *Patient) Data(secret ...string) []Finding {
	return Data(p.Dir, p.Program, p.Running || p.Hangs, p.SetUp, secret...)
}

// AskSeeds asks the world's seeds, but self, and reads what is on disk. fetch says
// whether for the directory too.
func (p *Patient) AskSeeds(ctx context.Context, fetch bool, self [32]byte) []Finding {
	if p.World == nil {
		return nil
	}
	p.Cached = ReadCache(p.Dir, p.World)
	seeds, err := AskSeeds(ctx, p.World, fetch, self)
	if err != nil {
		return One(Bad("Try again.", "%v", err))
	}
	p.Seeds = seeds
	p.Known = Merge(p.World, time.Now(), append(Answers(seeds), p.Cached.Descriptors)...)
	return Seeds(p.World, seeds, Names(p.Known))
}

// Clock compares this machine's with the seeds'.
func (p *Patient) Clock() []Finding {
	if p.World == nil {
		return nil
	}
	return One(Clock(p.World, time.Now(), p.Seeds, p.Cached.Descriptors))
}
