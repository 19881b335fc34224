package gateway

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/market"
	"github.com/culvert-net/culvert/internal/app/wallet"
	"github.com/culvert-net/culvert/ledger"
	"github.com/culvert-net/culvert/ledger/chain"
)

// marketCommand is what is done to the market itself.
func marketCommand(data func() (string, error)) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "market",
		Short: "Make a market: the contract that a world's money is on",
		Long: `A world has one market: a contract on a chain, which nobody owns, and which its
charter names. Whoever founds a world with money deploys it first.`,
		Example: `  gateway market deploy --chain calibration --url http://127.0.0.1:1234/rpc/v1`,
	}
	cmd.AddCommand(deployCommand(data))
	return cmd
}

func deployCommand(data func() (string, error)) *cobra.Command {
	var flags market.Flags
	preset, url, asset, resume := "", "", "", ""
	chainID := uint64(0)
	cmd := &cobra.Command{
		Use:   "deploy --url URL",
		Short: "Bring the market's contract to a chain",
		Long: `deploy brings the contract to a chain, by the wallet of this data directory, which
gets no rights by it: the contract has no owner, cannot be changed and cannot be
stopped. It prints what a world's charter says of its market: chain id, address, the
hash of the code that runs, and the block to read the log from.

Money in it is the chain's own, or with --asset a token's. The data directory needs a
wallet (gateway wallet new) and no world.

What it will cost is shown, and asked. If it is interrupted, --resume goes on with the
transaction that it has named; a second deployment would cost its fee and do no harm.`,
		Example: `  gateway market deploy --chain calibration --url http://127.0.0.1:1234/rpc/v1
  gateway market deploy --chain-id 137 --url http://127.0.0.1:8545 --json`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := deployment(preset, url, asset, chainID)
			if err != nil {
				return app.Usage(err)
			}
			c, err := flags.Wallet(cmd, walletProgram(data))
			if err != nil {
				return err
			}
			w, err := wallet.Open(cmd.Context(), c)
			if err != nil {
				return err
			}
			d, err := chain.NewDeployer(cfg, w.Key())
			if err != nil {
				return app.Refused(err)
			}
			out, err := deploy(cmd, d, cfg, &flags, app.NewLines(cmd, c.Data), resume)
			if err != nil {
				return err
			}
			if flags.JSON {
				return app.PrintJSON(cmd.OutOrStdout(), out)
			}
			t, row := app.Rows(cmd.OutOrStdout())
			row("Chain id", "%d", out.ChainID)
			row("Contract", "%s", out.Contract)
			row("Code hash", "%s", out.CodeHash)
			row("Deploy block", "%d", out.Block)
			row("Transaction", "%s, for a fee of %s", out.Transaction, cfg.Network.Money(out.Fee))
			return t.Flush()
		},
	}
	f := cmd.Flags()
	f.StringVar(&url, "url", "", "JSON-RPC address of a node of the chain")
	f.StringVar(&preset, "chain", "", "the chain: filecoin, calibration or dev")
	f.Uint64Var(&chainID, "chain-id", 0, "the chain's number, in place of --chain")
	f.StringVar(&asset, "asset", "", "address of the token that is paid in (default: the chain's own currency)")
	f.StringVar(&resume, "resume", "", "wait for this transaction of an earlier deploy")
	flags.Bind(cmd, true, true)
	return cmd
}

// deployment is where a contract goes.
func deployment(preset, url, asset string, chainID uint64) (cfg chain.Config, err error) {
	cfg.URL = url
	switch {
	case url == "":
		return cfg, errors.New("--url URL is missing: a node of the chain that is asked")
	case preset != "" && chainID != 0, preset == "" && chainID == 0:
		return cfg, errors.New("the chain is named by --chain, or by --chain-id")
	case preset != "":
		cfg.Network, err = chain.NetworkNamed(preset)
	default:
		cfg.Network = chain.NetworkOf(chainID)
	}
	if err == nil && asset != "" {
		cfg.Asset, err = chain.ParseAddress(asset)
	}
	return cfg, err
}

// deploy asks, sends and waits.
func deploy(cmd *cobra.Command, d *chain.Deployer, cfg chain.Config, flags *market.Flags, lines app.Lines, resume string) (out chain.Deployed, err error) {
	ctx := cmd.Context()
	consent := &app.Consent{In: cmd.InOrStdin(), Err: cmd.ErrOrStderr(), Yes: flags.Yes}
	n, paid := cfg.Network, cfg.Network.Currency
	if !cfg.Asset.IsZero() {
		paid = "the token " + cfg.Asset.String()
	}
	a := app.Action{What: "Deploy the market's contract", Facts: [][2]string{{"Chain", fmt.Sprintf("%d (%s)", n.ChainID, n.Name)}, {"Paid in", paid}}}
	var tx ledger.Hash
	if resume != "" {
		if tx, err = ledger.ParseHash(resume); err != nil {
			return out, app.Usage(fmt.Errorf("--resume: %w", err))
		}
	} else {
		cost, err := d.Cost(ctx)
		if err != nil {
			return out, err
		}
		a.Cost = fmt.Sprintf("%s, at most %s", n.Money(cost.Fee), n.Money(cost.MaxFee))
		if err := consent.Ask(ctx, a); err != nil {
			return out, err
		}
		if tx, err = d.Send(ctx, cost); err != nil {
			return out, fmt.Errorf("%w. If transaction %s is on the chain all the same, --resume goes on with it", err, tx)
		}
	}
	again := []string{"market", "deploy", "--resume", tx.String()}
	cmd.Flags().Visit(func(f *pflag.Flag) {
		switch f.Name {
		case "url", "chain", "chain-id":
			again = append(again, "--"+f.Name, f.Value.String())
		}
	})
	a.Again = lines.Line(again...)
	err = consent.Wait(ctx, a, func(ctx context.Context, show func(string, ...any)) error {
		out, err = d.Wait(ctx, tx, func(p chain.Progress) { show("transaction %s, %d of %d", p.Hash, p.Depth, p.Wanted) })
		return err
	})
	return out, err
}
