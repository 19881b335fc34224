package bridge

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/node"
	"github.com/culvert-net/culvert/mesh/world"
)

func initCommand(data func() (string, error)) *cobra.Command {
	file := ""
	cmd := &cobra.Command{
		Use:   "init --world FILE",
		Short: "Join a world: check its file and keep it in the data directory",
		Long: `init checks a world file, copies it into the data directory and writes a
config.toml in which every setting is explained. It is all a client needs; there
is no account and no key to make.

You get the file from whoever runs the world. On a machine with a gateway that
made one, it is world.toml in the gateway's data directory.`,
		Example: `  bridge init --world ~/Downloads/world.toml
  bridge serve`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if file == "" {
				return app.Usage(errors.New("--world FILE is missing: the world file, which you get from whoever runs the world (to try without one: make run)"))
			}
			dir, err := data()
			if err != nil {
				return err
			}
			w, err := Init(dir, file, Defaults())
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "Joined world %q (%s): %s, %s.\nSettings: %s\nNext: %s\n",
				w.Phrase, w.ID.Short(), app.Count(int(w.Rules.DefaultCircuitLen), "hop"), app.Count(len(w.Seeds), "seed"), filepath.Join(dir, app.ConfigFile), app.NewLines(cmd, dir).Line("serve"))
			return err
		},
	}
	cmd.Flags().StringVar(&file, "world", "", "world file to join")
	return cmd
}

// Init makes dir the data directory of a bridge in the world that file
// describes. Keys of cfg named in set are written as settings, all others as
// comments; a config.toml that is there is kept.
func Init(dir, file string, cfg *Config, set ...string) (*world.World, error) {
	w, err := node.LoadWorld(file)
	if err != nil {
		return nil, err
	}
	if err := node.CheckSeeds(w); err != nil {
		return nil, err
	}
	d, err := app.OpenData(dir, program)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	old, err := world.Load(d.Path(app.WorldFile))
	switch {
	case err == nil && old.ID != w.ID:
		return nil, app.Usage(fmt.Errorf("%s belongs to world %q (%s) already; choose another directory with --data, or delete its world.toml",
			dir, old.Phrase, old.ID.Short()))
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil, app.Usage(fmt.Errorf("%w; delete the file to join again", err))
	}
	if err := world.WriteFile(d.Path(app.WorldFile), w); err != nil {
		return nil, err
	}
	if _, err := app.WriteConfig(dir, cfg, set...); err != nil {
		return nil, err
	}
	return w, nil
}
