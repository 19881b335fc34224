package doctor

import (
	"errors"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/node"
	"github.com/culvert-net/culvert/mesh/world"
)

// World reads a world file. get is the command that joins a world.
func World(path, get string) (*world.World, []Finding) {
	w, err := node.LoadWorld(path)
	switch {
	case errors.Is(err, node.ErrNoWorld):
		return nil, []Finding{Bad("Ask for the file of the world that you want to join, then: "+get, "there is no world file at %s", path)}
	case err != nil:
		return nil, []Finding{Bad("Get the file again from whoever gave it to you, and put it there.", "%v", err)}
	}
	kind := ""
	switch {
	case w.Sandbox:
		kind = "; a sandbox, all on this machine: nothing is hidden in it"
	case w.Local:
		kind = "; of private addresses, so whoever runs the network sees all of it"
	}
	return w, []Finding{Fine("%q (%s), %s, %d hops, epochs of %v%s", w.Phrase, w.ID.Short(),
		app.Count(len(w.Seeds)+len(w.Mirrors), "seed"), w.Rules.DefaultCircuitLen, w.EpochLen(), kind)}
}
