package gateway

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/node"
	"github.com/culvert-net/culvert/internal/app/wallet"
	"github.com/culvert-net/culvert/internal/config"
)

// Command is the gateway's command line.
func Command() *cobra.Command {
	cmd := &cobra.Command{
		Use:   program,
		Short: "Let others use this machine: as relay, as provider, or both",
		Long: `gateway puts this machine into a world. A relay passes other people's circuits
on and cannot know what they carry. A provider answers requests with a model
server of yours (Ollama, llama.cpp, vLLM, LM Studio or a hosted API): it reads
what it is asked, and does not know who asks.

Set it up once, then leave it running:

  gateway init --world world.toml
  gateway serve

init finds your model server by itself and makes the node's keys. The world file is
from whoever runs the world; a new one is made with: observer world create PHRASE`,
		Example: `  # Provide what Ollama serves on this machine, in a world you were invited to.
  gateway init --world ~/Downloads/world.toml && gateway serve

  # Relay only.
  gateway init --world world.toml --roles relay && gateway serve

  # What is it doing? And if it does not work, why?
  gateway status
  gateway doctor`,
		Version: app.Version(),
	}
	dir := ""
	cmd.PersistentFlags().StringVar(&dir, "data", "",
		"data directory (default: $CULVERT_DATA, else ~/.local/state/culvert/gateway)")
	data := func() (string, error) { return app.DataDir(dir, program) }
	cmd.AddCommand(initCommand(data), serveCommand(data), statusCommand(data), priceCommand(data), doctorCommand(data), moveCommand(data), walletCommand(data), configCommand(data), app.VersionCommand())
	cmd.AddCommand(moneyCommands(data)...)
	return cmd
}

func moveCommand(data func() (string, error)) *cobra.Command {
	return node.Mover{
		Program: program, Files: worldFiles(), Fits: fitsIn,
		Next: func(lines app.Lines) string { return lines.Line("serve") },
	}.Command(data)
}

func walletCommand(data func() (string, error)) *cobra.Command {
	p := walletProgram(data)
	p.Funds = counter(data).Funds
	return p.Command()
}

// walletProgram is what the commands for the wallet and for money know of a gateway.
func walletProgram(data func() (string, error)) wallet.Program {
	return wallet.Program{Name: program, Data: data, Sandbox: node.InSandbox}
}

func configCommand(data func() (string, error)) *cobra.Command {
	cfg := Defaults()
	return app.ConfigCommand(program, cfg, data, cfg.fitsData)
}

func serveCommand(data func() (string, error)) *cobra.Command {
	cfg := Defaults()
	untilStdin := false
	var passphrases *wallet.Passphrases
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Be a node of the world until stopped",
		Long: `serve runs the node that gateway init has set up, until it is stopped (Ctrl-C).
Answers that are under way are finished first.

What it does is in config.toml (gateway config path). An API key for the model
server goes there or into CULVERT_GATEWAY_PROVIDER_KEY, never onto the command
line, where other users could read it.`,
		Example: `  gateway serve
  gateway serve --log-level debug
  CULVERT_GATEWAY_PROVIDER_URL=http://127.0.0.1:8080 gateway serve`,
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
			passphrases.In, passphrases.Err = cmd.InOrStdin(), cmd.ErrOrStderr()
			err = Serve(ctx, Options{Data: dir, Config: cfg, Err: cmd.ErrOrStderr(), Passphrases: passphrases})
			if errors.Is(err, node.ErrNoWorld) {
				lines := app.NewLines(cmd, dir)
				return fmt.Errorf("%w. Set this directory up, to join a world: %s; a new world is made with: observer world create PHRASE",
					err, lines.Line("init", "--world", "FILE"))
			}
			return err
		},
	}
	config.Bind(cmd.Flags(), cfg)
	passphrases = wallet.BindPassphrases(cmd.Flags())
	cmd.Flags().BoolVar(&untilStdin, "exit-with-stdin", false, "stop when standard input ends, as a child of another program")
	return cmd
}

func initCommand(data func() (string, error)) *cobra.Command {
	var o InitOptions
	newWorld, local := "", false
	cmd := &cobra.Command{
		Use:   "init --world FILE",
		Short: "Set this machine up as a node of a world",
		Long: `init makes the node's keys, copies the world file, and writes a
config.toml in which every setting is explained. It asks nothing: a model server
on this machine (Ollama 11434, vLLM 8000, llama.cpp 8080, LM Studio 1234) is found
by itself, and makes the node a provider; without one it is a relay. Other nodes
connect to port 4811, TCP and UDP, or to a free one if that is taken.

Others must be able to connect to this node. A machine without a public address
needs --announce, with the public address that a router forwards to it; a world
all of whose nodes are in one private network is made with observer world create
--local.`,
		Example: `  gateway init --world ~/Downloads/world.toml
  gateway init --world world.toml --roles relay,provider --backend http://10.0.0.7:8000
  gateway init --world world.toml --announce /ip4/YOUR.PUBLIC.IP/tcp/4811`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			if o.Data, err = data(); err != nil {
				return err
			}
			if newWorld != "" || local {
				return app.Usage(errors.New("a gateway joins a world; a new one is made with: observer world create PHRASE (with --local for private addresses). " +
					"Then set this machine up with: gateway init --world FILE, with the world.toml that it makes"))
			}
			r, err := Init(cmd.Context(), o)
			if err != nil {
				return err
			}
			for _, w := range r.Warnings {
				fmt.Fprintf(cmd.ErrOrStderr(), "Warning: %s\n", w)
			}
			return r.print(cmd.OutOrStdout(), o, app.NewLines(cmd, o.Data).Line("serve"))
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.World, "world", "", "world file to join")
	f.StringVar(&newWorld, "new-world", "", "")
	f.BoolVar(&local, "local", false, "")
	for _, gone := range []string{"new-world", "local"} {
		f.Lookup(gone).Hidden = true // refused with what to do instead
	}
	f.StringSliceVar(&o.Roles, "roles", nil, "relay, provider, or both (default: provider if a model server was found, else relay)")
	f.StringVar(&o.Backend, "backend", "", "base URL of the model server (default: looked for on this machine)")
	f.StringVar(&o.Name, "name", "", "what others see in lists: a-z, 0-9, hyphens")
	f.StringSliceVar(&o.Listen, "listen", nil, "where other nodes connect, as multiaddr (default: port 4811 of all addresses, TCP and QUIC)")
	f.StringVar(&o.Status, "status-listen", "", "loopback address of the status page (default: "+statusListen+", or another port if that one is taken)")
	f.StringSliceVar(&o.Announce, "announce", nil, "public address to publish, as multiaddr, if it is not one of this machine's own")
	return cmd
}

// print says what was made, and what is next.
func (r *InitResult) print(out io.Writer, o InitOptions, next string) error {
	var b strings.Builder
	fmt.Fprintf(&b, "This node is %s, a %s of world %q (%s).\n", node.ShortID(r.Key), strings.Join(r.Config.Node.Roles, " and "), r.World.Phrase, r.World.ID.Short())
	if r.Found != nil {
		fmt.Fprintf(&b, "Model server found: %s at %s, %s.\n", r.Found.Kind, r.Found.BaseURL, app.Count(len(r.Found.Models), "model"))
	}
	fmt.Fprintf(&b, "Other nodes connect to %s.\nSettings: %s\n", strings.Join(r.Addrs, ", "), filepath.Join(o.Data, app.ConfigFile))
	fmt.Fprintf(&b, "Next: %s\n", next)
	_, err := io.WriteString(out, b.String())
	return err
}
