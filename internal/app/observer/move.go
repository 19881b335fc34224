package observer

import (
	"slices"

	"github.com/spf13/cobra"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/member"
	"github.com/culvert-net/culvert/internal/app/node"
	"github.com/culvert-net/culvert/mesh/directory/mirror"
	"github.com/culvert-net/culvert/mesh/world"
)

// worldFiles are patterns of what an observer keeps of its world, besides its
// file.
func worldFiles() []string {
	return slices.Concat(mirror.Files(), member.Files(), []string{node.OnionFile, ownFile, signedFile})
}

func moveCommand(data func() (string, error)) *cobra.Command {
	return node.Mover{
		Program: program, Files: worldFiles(), Fits: fitsIn,
		Next: func(lines app.Lines) string {
			return lines.Line("join", "FILE") + ", with an invite of a member of the new world (or, as a founder of one that nobody has founded: " +
				lines.Line("world", "create", "--from", "WORLDFILE") + "); then " + lines.Line("serve")
		},
	}.Command(data)
}

// fitsIn is fits for the configuration in a data directory.
func fitsIn(dir string, w *world.World) error {
	cfg := Defaults()
	if _, err := app.Load(cfg, program, dir, nil); err != nil {
		return err
	}
	if err := app.Configured(cfg.fits(w)); err != nil {
		return err
	}
	return node.CheckEntry(dir, w)
}
