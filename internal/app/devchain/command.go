package devchain

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/config"
)

// Command is the devchain's command line.
func Command() *cobra.Command {
	cmd := &cobra.Command{
		Use:   program,
		Short: "A chain on this machine, to try and test paying",
		Long: `devchain is an Ethereum-like chain on this machine, with the contract of the market
on it and accounts that have money. Every transaction is in a block at once. Time
passes as you tell it to, and the newest blocks can be taken back.

The money is worth nothing, and everybody knows the accounts' keys: never send
anything to them on another chain.`,
		Example: `  devchain serve

  # The dispute time is over.
  devchain advance 25h

  # Twelve confirmations.
  devchain mine 12

  # What was paid last was not paid after all.
  devchain rewind 1 --drop`,
		Version: app.Version(),
	}
	dir := ""
	cmd.PersistentFlags().StringVar(&dir, "data", "",
		"data directory (default: $CULVERT_DATA, else ~/.local/state/culvert/devchain)")
	data := func() (string, error) { return app.DataDir(dir, program) }
	cmd.AddCommand(serveCommand(data), statusCommand(data), advanceCommand(data), mineCommand(data), rewindCommand(data),
		app.ConfigCommand(program, Defaults(), data), app.VersionCommand())
	return cmd
}

func serveCommand(data func() (string, error)) *cobra.Command {
	o := ServeOptions{Config: Defaults()}
	untilStdin := false
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the chain until stopped",
		Long: `serve opens the chain of the data directory, or begins one there, and answers
JSON-RPC to programs of this machine until it is stopped (Ctrl-C). A chain that was
stopped goes on where it was; one that was killed may have lost its newest block.

It prints what is on the chain: the contract of the market, and accounts that have
money. Their keys are published. Delete the data directory to begin anew.`,
		Example: `  devchain serve
  devchain serve --period 2s

  # In a test: any free port, and a file to wait for.
  devchain serve --port 0 --data ./chain --ready-file ready.json`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			if o.Data, err = data(); err != nil {
				return err
			}
			if _, err := app.Load(o.Config, program, o.Data, cmd.Flags()); err != nil {
				return err
			}
			if err := checkReadyFile(o.ReadyFile); err != nil {
				return err
			}
			ctx := cmd.Context()
			if untilStdin {
				ctx = app.WithParent(ctx, cmd.InOrStdin())
			}
			o.Out, o.Err = cmd.OutOrStdout(), cmd.ErrOrStderr()
			return Serve(ctx, o)
		},
	}
	config.Bind(cmd.Flags(), o.Config)
	cmd.Flags().StringVar(&o.ReadyFile, "ready-file", "", "write address, contract and accounts there, as JSON, once the chain answers")
	cmd.Flags().BoolVar(&untilStdin, "exit-with-stdin", false, "stop when standard input ends, as a child of another program")
	return cmd
}

// checkReadyFile finds what would show only after the start, and removes an old
// file, which would say that the chain answers.
func checkReadyFile(path string) error {
	if path == "" {
		return nil
	}
	dir := filepath.Dir(path)
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return app.Usage(fmt.Errorf("--ready-file %s: there is no directory %s; make it first", path, dir))
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("--ready-file: %w", err)
	}
	return nil
}
