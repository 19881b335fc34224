package observer

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/node"
	"github.com/culvert-net/culvert/internal/config"
)

// Command is the observer's command line.
func Command() *cobra.Command {
	cmd := &cobra.Command{
		Use:   program,
		Short: "Watch and remember: a member of a world that keeps its event log",
		Long: `observer makes this machine a member of a world. Members tell one another what they
saw of providers: they keep the same event log, and no provider reads it. An
observer remembers the log and serves it to other members; it needs to be reachable
and some disk.

With an invite, of which you were given a file and a phrase:

  observer join invite.toml
  observer serve

Or begin a world of your own, and invite others:

  observer world create "blue river"
  observer serve
  observer world invite`,
		Example: `  # What does it do? And if it does not work, why?
  observer status
  observer doctor`,
		Version: app.Version(),
	}
	dir := ""
	cmd.PersistentFlags().StringVar(&dir, "data", "",
		"data directory (default: $CULVERT_DATA, else ~/.local/state/culvert/observer)")
	data := func() (string, error) { return app.DataDir(dir, program) }
	cfg := Defaults()
	cmd.AddCommand(initCommand(data), joinCommand(data), serveCommand(data), statusCommand(data), doctorCommand(data),
		worldCommand(data), moveCommand(data), logCommand(data), syncCommand(data), terrainCommand(data), VectorsCommand(),
		app.ConfigCommand(program, cfg, data, cfg.fitsData), app.VersionCommand())
	return cmd
}

func serveCommand(data func() (string, error)) *cobra.Command {
	cfg := Defaults()
	untilStdin := false
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Be a member of the world until stopped",
		Long: `serve runs the observer that join or world create has set up, until it is stopped
(Ctrl-C). What it does is in config.toml (observer config path).`,
		Example: `  observer serve
  observer serve --log-level debug`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir, err := data()
			if err != nil {
				return err
			}
			if _, err := app.Load(cfg, program, dir, cmd.Flags(), cfg.fitsData); err != nil {
				return err
			}
			ctx := cmd.Context()
			if untilStdin {
				ctx = app.WithParent(ctx, cmd.InOrStdin())
			}
			return advised(Serve(ctx, Options{Data: dir, Config: cfg, Err: cmd.ErrOrStderr()}), app.NewLines(cmd, dir))
		},
	}
	config.Bind(cmd.Flags(), cfg)
	cmd.Flags().BoolVar(&untilStdin, "exit-with-stdin", false, "stop when standard input ends, as a child of another program")
	return cmd
}

// advised adds to an error what to type next.
func advised(err error, lines app.Lines) error {
	if errors.Is(err, node.ErrNoWorld) {
		return fmt.Errorf("%w. Join a world you were invited to: %s; or make one: %s",
			err, lines.Line("join", "FILE"), lines.Line("world", "create", "PHRASE"))
	}
	return err
}

// placeFlags adds the flags of commands that set a data directory up.
func placeFlags(cmd *cobra.Command, o *PlaceOptions) {
	f := cmd.Flags()
	f.StringVar(&o.Name, "name", "", "what others see in lists: a-z, 0-9, hyphens")
	f.StringSliceVar(&o.Listen, "listen", nil, "where other nodes connect, as multiaddr (default: port 4811 of all addresses, TCP and QUIC)")
	f.StringSliceVar(&o.Announce, "announce", nil, "public address to publish, as multiaddr, if it is not one of this machine's own")
	f.StringVar(&o.Status, "status-listen", "", "loopback address of the status page (default: "+statusListen+", or another port if that one is taken)")
}

func initCommand(data func() (string, error)) *cobra.Command {
	var o PlaceOptions
	file := ""
	cmd := &cobra.Command{
		Use:   "init [--world FILE]",
		Short: "Make this machine's keys, before it founds or joins a world",
		Long: `init makes the keys and a config.toml in which every setting is explained, and prints
the key by which others name this machine: who founds a world together with others
needs theirs (observer world create --founders).

To join a world by an invite, or to make one alone, it is not needed: observer join
and observer world create do the same on the way.`,
		Example: `  observer init
  observer init --world world.toml`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			if o.Data, err = data(); err != nil {
				return err
			}
			r, err := Init(o, file)
			if err != nil {
				return err
			}
			lines := app.NewLines(cmd, o.Data)
			next := lines.Line("join", "FILE") + ", or " + lines.Line("world", "create", "PHRASE")
			if r.World != nil {
				next = lines.Line("serve")
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "This machine is %x.\nSettings: %s\nNext: %s\n", r.Key, filepath.Join(o.Data, app.ConfigFile), next)
			return err
		},
	}
	placeFlags(cmd, &o)
	cmd.Flags().StringVar(&file, "world", "", "world file to enter")
	return cmd
}
