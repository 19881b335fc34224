package bridge

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/node"
	"github.com/culvert-net/culvert/internal/app/onchain"
	"github.com/culvert-net/culvert/internal/app/wallet"
	"github.com/culvert-net/culvert/internal/config"
	"github.com/culvert-net/culvert/ledger"
	"github.com/culvert-net/culvert/mesh/world"
)

// Command is the bridge's command line.
func Command() *cobra.Command {
	cmd := &cobra.Command{
		Use:   program,
		Short: "A private way to other people's GPUs, for any OpenAI client",
		Long: `bridge gives this machine an address that any OpenAI client can talk to. Each
request travels through an onion circuit: no single node on the way knows both
who asks and what is asked.

Set it up once with the world file you were given, then leave it running:

  bridge init --world world.toml
  bridge serve

and point your apps at http://127.0.0.1:8811/v1, with any API key. To say which
apps may do what, give them keys: bridge keys --help.

To see what it is doing, and over whom your requests go:

  bridge status

and if it does not work, what is wrong and what to do:

  bridge doctor`,
		Example: `  # The first time: join a world, then serve.
  bridge init --world ~/Downloads/world.toml && bridge serve

  # Ask something.
  curl http://127.0.0.1:8811/v1/models

  # No world, just your own server (nothing is hidden from it):
  bridge serve --data ~/.culvert-local --upstream http://127.0.0.1:11434`,
		Version: app.Version(),
	}
	dir := ""
	cmd.PersistentFlags().StringVar(&dir, "data", "",
		"data directory (default: $CULVERT_DATA, else ~/.local/state/culvert/bridge)")
	data := func() (string, error) { return app.DataDir(dir, program) }
	cmd.AddCommand(initCommand(data), joinCommand(data), serveCommand(data), statusCommand(data), doctorCommand(data), moveCommand(data), keysCommand(data), walletCommand(data), configCommand(data), app.VersionCommand())
	cmd.AddCommand(moneyCommands(data)...)
	return cmd
}

func configCommand(data func() (string, error)) *cobra.Command {
	cfg := Defaults()
	return app.ConfigCommand(program, cfg, data, func(dir string) error {
		o := Options{Data: dir, Config: cfg}
		return o.fits()
	})
}

func walletCommand(data func() (string, error)) *cobra.Command {
	p := walletProgram(data)
	p.Funds = counter(data).Funds
	return p.Command()
}

// walletProgram is what the commands for the wallet and for money know of a bridge.
func walletProgram(data func() (string, error)) wallet.Program {
	return wallet.Program{
		Name: program, Data: data, Sessions: true, Sandbox: node.InSandbox,
		Domain: func(dir string) (ledger.Domain, error) {
			cfg := Defaults()
			if _, err := app.Load(cfg, program, dir, nil); err != nil {
				return ledger.Domain{}, err
			}
			o := Options{Data: dir}
			w, err := node.LoadWorld(o.world())
			if err != nil && !errors.Is(err, node.ErrNoWorld) {
				return ledger.Domain{}, err
			}
			domain, err := onchain.Domain(cfg.Chain, w)
			return domain, app.Configured(err)
		},
	}
}

func moveCommand(data func() (string, error)) *cobra.Command {
	return node.Mover{
		Program: program, Files: worldFiles(),
		Fits: fitsIn,
		Next: func(lines app.Lines) string { return lines.Line("serve") },
	}.Command(data)
}

// fitsIn says what of the configuration in a data directory goes not with a world.
func fitsIn(dir string, w *world.World) error {
	if err := node.CheckSeeds(w); err != nil {
		return err
	}
	cfg := Defaults()
	if _, err := app.Load(cfg, program, dir, nil); err != nil {
		return err
	}
	_, err := onchain.Join(cfg.Chain, w)
	return app.Configured(err)
}

// advised adds to an error of serve what to type next.
func advised(err error, lines app.Lines) error {
	switch {
	case errors.Is(err, node.ErrNoWorld):
		return fmt.Errorf("%w. Join a world with: %s; or serve your own server, without circuits, with: %s",
			err, lines.Line("init", "--world", "FILE"), lines.Line("serve", "--upstream", "URL"))
	case errors.Is(err, errNoKeys):
		return fmt.Errorf("%w; make one first, with: %s", err, lines.Line("keys", "add", "NAME"))
	}
	return err
}

func serveCommand(data func() (string, error)) *cobra.Command {
	cfg := Defaults()
	o := Options{}
	untilStdin := false
	var passphrases *wallet.Passphrases
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Answer OpenAI clients on this machine until stopped",
		Long: `serve answers OpenAI clients on this machine until it is stopped (Ctrl-C).

In a world (bridge init --world FILE) every request goes through a circuit. With
--upstream it is in local mode instead: no world, no circuit, your own server.

It is ready when it has the directory of its world, a provider in it, and a
circuit: GET /readyz on the status port says so, or what is missing.`,
		Example: `  bridge serve
  bridge serve --listen 127.0.0.1:9000 --status-listen 127.0.0.1:9001
  bridge serve --world ./world.toml --data ./try
  bridge serve --data ./local --upstream http://127.0.0.1:8080`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			if o.Data, err = data(); err != nil {
				return err
			}
			o.Config, o.Err = cfg, cmd.ErrOrStderr()
			if _, err := app.Load(cfg, program, o.Data, cmd.Flags(), func(string) error { return o.fits() }); err != nil {
				return err
			}
			passphrases.In, passphrases.Err = cmd.InOrStdin(), cmd.ErrOrStderr()
			o.Passphrases = passphrases
			ctx := cmd.Context()
			if untilStdin {
				ctx = app.WithParent(ctx, cmd.InOrStdin())
			}
			return advised(Serve(ctx, o), app.NewLines(cmd, o.Data))
		},
	}
	config.Bind(cmd.Flags(), cfg)
	passphrases = wallet.BindPassphrases(cmd.Flags())
	cmd.Flags().StringVar(&o.World, "world", "", "world file (default: world.toml in the data directory)")
	cmd.Flags().BoolVar(&untilStdin, "exit-with-stdin", false, "stop when standard input ends, as a child of another program")
	return cmd
}
