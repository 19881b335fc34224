package bridge

import (
	"context"
	"path/filepath"
	"time"

	"github.com/culvert-net/culvert/internal/app/doctor"
	"github.com/culvert-net/culvert/internal/app/node"
)

// What the doctor finds of the world, who is in it, and the ways through it.

func (p *patient) worldFile(context.Context) []doctor.Finding {
	if p.local() {
		return one(doctor.Fine("none: LOCAL MODE, nothing is hidden from the upstream"))
	}
	w, found := doctor.World(p.World, p.join())
	if w == nil {
		return found
	}
	p.world = w
	if err := node.CheckSeeds(w); err != nil {
		found = append(found, doctor.Bad("Ask whoever runs the world for a newer world file, then replace "+p.World+" by it.", "%v", err))
	}
	return found
}

func (p *patient) askSeeds(ctx context.Context) []doctor.Finding {
	if p.world == nil {
		return nil
	}
	path := filepath.Join(p.Data, cacheFile)
	p.cached = doctor.ReadCache(path, p.world)
	// A bridge that runs has asked for the directory already.
	seeds, err := doctor.AskSeeds(ctx, p.world, !p.running, [32]byte{})
	if err != nil {
		return one(doctor.Bad("Try again.", "%v", err))
	}
	p.seeds = seeds
	lists := append(doctor.Answers(seeds), p.cached.Descriptors)
	p.known = doctor.Merge(p.world, time.Now(), lists...)
	return doctor.Seeds(p.world, seeds, doctor.Names(p.known))
}

func (p *patient) clock(context.Context) []doctor.Finding {
	if p.world == nil {
		return nil
	}
	return one(doctor.Clock(p.world, time.Now(), p.seeds, p.cached.Descriptors))
}

func (p *patient) directory(context.Context) []doctor.Finding {
	if p.world == nil {
		return nil
	}
	var out []doctor.Finding
	if p.running && p.status.Directory != nil {
		out = doctor.DirectoryStatus(p.world, p.status.Directory, p.status.Started, time.Now())
	} else {
		providers, models := doctor.Offered(p.known)
		relays := len(p.known.Relays())
		out = one(doctor.Fine("%s", doctor.Holds(relays, providers, models)))
		if bad := doctor.Enough(p.world, relays, providers); len(bad) > 0 {
			out = bad
		}
	}
	out = append(out, p.cached.Findings(time.Now())...)
	return append(out, doctor.Small(p.world, p.known)...)
}

func (p *patient) circuits(context.Context) []doctor.Finding {
	if !p.running || p.status.Mode == ModeLocal {
		return nil // a doctor opens none
	}
	if len(p.status.Waiting) > 0 {
		return doctor.Waiting(p.status.Waiting, p.status.Started, time.Now(),
			"See what was found above of seeds, clock and directory. If they are well, the node that is named here is down: "+
				"the bridge tries others, and a provider has to be started again by whoever runs it. What the bridge tries: "+p.lines.Line("status"))
	}
	open := 0
	for _, c := range p.status.Circuits {
		if c.State == stateOpen {
			open++
		}
	}
	return one(doctor.Fine("ready; %d open, %d without a provider yet", open, len(p.status.Circuits)-open))
}
