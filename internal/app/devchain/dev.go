package devchain

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/rpc"
	"github.com/spf13/cobra"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/serve"
)

// Commands to the running chain, by the dev_… methods that tests call too.

func advanceCommand(data func() (string, error)) *cobra.Command {
	return &cobra.Command{
		Use:   "advance DURATION",
		Short: "Let time pass on the chain",
		Long: `advance moves the chain's clock, with an empty block. It stays ahead of the machine's
clock: later blocks come a second after one another until the machine's has caught up.`,
		Example: `  devchain advance 25h`,
		Args:    app.OneArgument("DURATION"),
		RunE: func(cmd *cobra.Command, args []string) error {
			d, err := time.ParseDuration(args[0])
			if err != nil {
				return app.Usage(fmt.Errorf("%q is not a duration such as 30s or 25h", args[0]))
			}
			return tell(cmd, data, "dev_advance", int64(d/time.Second))
		},
	}
}

func mineCommand(data func() (string, error)) *cobra.Command {
	return &cobra.Command{
		Use:     "mine BLOCKS",
		Short:   "Make blocks, so that what was paid is confirmed",
		Example: `  devchain mine 12`,
		Args:    app.OneArgument("BLOCKS"),
		RunE: func(cmd *cobra.Command, args []string) error {
			n, err := blocks(args[0])
			if err != nil {
				return err
			}
			return tell(cmd, data, "dev_mine", n)
		},
	}
}

func rewindCommand(data func() (string, error)) *cobra.Command {
	drop := false
	cmd := &cobra.Command{
		Use:   "rewind BLOCKS",
		Short: "Take the newest blocks back, as a reorganization does",
		Long: `rewind takes the newest blocks back: other blocks will have their numbers. Their
transactions are mined again at once, unless --drop is given: then they have never
been.`,
		Example: `  devchain rewind 2
  devchain rewind 1 --drop`,
		Args: app.OneArgument("BLOCKS"),
		RunE: func(cmd *cobra.Command, args []string) error {
			n, err := blocks(args[0])
			if err != nil {
				return err
			}
			return tell(cmd, data, "dev_rewind", n, drop)
		},
	}
	cmd.Flags().BoolVar(&drop, "drop", false, "forget the transactions of these blocks too")
	return cmd
}

func blocks(text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return 0, app.Usage(fmt.Errorf("%q is not a number of blocks", text))
	}
	return n, nil
}

// tell calls a method of the chain that runs on the data directory, and says what
// its newest block is then.
func tell(cmd *cobra.Command, data func() (string, error), method string, args ...any) error {
	dir, err := data()
	if err != nil {
		return err
	}
	s, err := ask(cmd.Context(), dir)
	if errors.Is(err, serve.ErrNoDaemon) {
		return app.NotRunning(program, app.NewLines(cmd, dir), dir, "")
	}
	if err != nil {
		return app.NotReady(err)
	}
	client, err := rpc.DialContext(cmd.Context(), s.RPC)
	if err != nil {
		return app.NotReady(fmt.Errorf("asking the chain: %w", err))
	}
	defer client.Close()
	var head common.Hash
	if err := client.CallContext(cmd.Context(), &head, method, args...); err != nil {
		return err
	}
	if s, err = ask(cmd.Context(), dir); err != nil {
		return app.NotReady(err)
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "Block %d, %s UTC.\n", s.Head, s.Time.Format(time.DateTime))
	return err
}

func ask(ctx context.Context, dir string) (*Status, error) {
	var s Status
	return &s, serve.Ask(ctx, filepath.Join(dir, serve.AdminSocket), "/status", &s)
}
