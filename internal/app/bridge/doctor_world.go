package bridge

import (
	"context"
	"time"

	"github.com/culvert-net/culvert/internal/app/doctor"
	"github.com/culvert-net/culvert/internal/app/node"
)

// What the doctor finds of the world, who is in it, and the ways through it.

func (p *patient) worldFile(context.Context) []doctor.Finding {
	if p.local() {
		return doctor.One(doctor.Fine("none: LOCAL MODE, nothing is hidden from the upstream"))
	}
	w, found := doctor.World(p.o.World, p.SetUp)
	if w == nil {
		return found
	}
	p.World = w
	if err := node.CheckSeeds(w); err != nil {
		found = append(found, doctor.Bad("Ask whoever runs the world for a newer world file, then replace "+p.o.World+" by it.", "%v", err))
	}
	return found
}

func (p *patient) askSeeds(ctx context.Context) []doctor.Finding {
	// A bridge that runs has asked for the directory already.
	return p.AskSeeds(ctx, !p.Running, [32]byte{})
}

func (p *patient) directory(context.Context) []doctor.Finding {
	if p.World == nil {
		return nil
	}
	var out []doctor.Finding
	if p.Running && p.status.Directory != nil {
		out = doctor.DirectoryStatus(p.World, p.status.Directory, p.status.Started, time.Now())
	} else {
		providers, models := doctor.Offered(p.Known)
		relays := len(p.Known.Relays())
		out = doctor.One(doctor.Fine("%s", doctor.Holds(relays, providers, models)))
		if bad := doctor.Enough(p.World, relays, providers); len(bad) > 0 {
			out = bad
		}
	}
	out = append(out, p.Cached.Findings(time.Now())...)
	return append(out, doctor.Small(p.World, p.Known)...)
}

func (p *patient) circuits(context.Context) []doctor.Finding {
	if !p.Running || p.status.Mode == ModeLocal {
		return nil // a doctor opens none
	}
	if len(p.status.Waiting) > 0 {
		return doctor.Waiting(p.status.Waiting, p.status.Started, time.Now(),
			"See what was found above of seeds, clock and directory. If they are well, the node that is named here is down: "+
				"the bridge tries others, and a provider has to be started again by whoever runs it. What the bridge tries: "+p.Lines.Line("status"))
	}
	open := 0
	for _, c := range p.status.Circuits {
		if c.State == stateOpen {
			open++
		}
	}
	return doctor.One(doctor.Fine("ready; %d open, %d without a provider yet", open, len(p.status.Circuits)-open))
}
