package sandbox

import (
	"fmt"
	"os"
	"regexp"

	"github.com/spf13/cobra"

	"github.com/culvert-net/culvert/internal/app"
)

// Command is the sandbox's command line.
func Command() *cobra.Command {
	o := Defaults()
	cmd := &cobra.Command{
		Use:   program,
		Short: "A whole world on this machine, to try and to test",
		Long: `sandbox starts relays, a provider and a bridge on this machine, waits until a
request will succeed, and says what to paste into an OpenAI client. Ctrl-C stops
everything and removes what it made.

Answers come from a model server that it finds on this machine (Ollama 11434, vLLM
8000, llama.cpp 8080, LM Studio 1234), from the one you name with --backend, or
else from a demo model whose canned answers say that they are.

Every node is a process of its own, with its own address, keys, data directory
and log. Kill one and watch what your client notices.`,
		Example: `  # Try it.
  sandbox

  # With your own server, five relays, and everything kept for a look.
  sandbox --backend http://127.0.0.1:8080 --relays 5 --dir ./world

  # In a test: any free port, and a file to wait for.
  sandbox --listen 127.0.0.1:0 --ready-file ready.json

  # Which way do requests go?
  bridge status --data ./world/bridge`,
		Version: app.Version(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.Out, o.Err = cmd.OutOrStdout(), cmd.ErrOrStderr()
			outlastReaders()
			return hint(Run(cmd.Context(), o), os.Getenv("MAKELEVEL") != "")
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.Backend, "backend", "", "base URL of a model server, with or without /v1, or mock: the demo model (default: looked for on this machine)")
	f.StringVar(&o.Listen, "listen", o.Listen, "address of the API; with another than the default the status page's port is a free one")
	f.IntVar(&o.Relays, "relays", o.Relays, "number of relays")
	f.IntVar(&o.Providers, "providers", o.Providers, "number of providers, all with the same model server")
	f.IntVar(&o.Hops, "hops", o.Hops, "length of circuits; 1 and 2, which hide nobody, are possible only here")
	f.StringVar(&o.Isolation, "isolation", o.Isolation, "what a provider may link: \"conversation\" or \"key\" (see bridge serve --help)")
	f.DurationVar(&o.Epoch, "epoch", o.Epoch, "how long descriptors and onion keys last")
	f.StringVar(&o.Dir, "dir", "", "keep keys, data and logs in this directory, and use them again (default: a temporary one, removed at the end)")
	f.StringVar(&o.Bin, "bin", "", "directory of the programs bridge, gateway, observer and devchain (default: this program's own)")
	f.BoolVar(&o.InProcess, "in-process", false, "run all nodes in this process instead of one each; the chain stays one")
	f.BoolVar(&o.Chain, "chain", o.Chain, "run a chain too, with the market on it and accounts that have money, to try paying")
	f.StringVar(&o.Deposit, "deposit", o.Deposit, "what the bridge buys from each provider on that chain: some million words for each eth")
	f.StringVar(&o.ReadyFile, "ready-file", "", "write addresses, pids, logs and directories there, as JSON, once a request will succeed")
	f.StringVar(&o.LogLevel, "log-level", o.LogLevel, "how much nodes log: debug, info, warn or error")
	f.BoolVar(&o.Debug, "debug", false, "give every node a debug server (pprof) on a free port, named in the ready file")
	cmd.AddCommand(app.VersionCommand())
	return cmd
}

// flagName is a flag as errors name it.
var flagName = regexp.MustCompile(`(^| )--[a-z]`)

// hint says, beside an error that names a flag, how flags are given through make.
func hint(err error, make bool) error {
	if err == nil || !make || !flagName.MatchString(err.Error()) {
		return err
	}
	return fmt.Errorf("%w\nWith make: make run BACKEND=URL ARGS=\"--listen 127.0.0.1:9000\"", err)
}
