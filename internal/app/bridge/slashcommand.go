package bridge

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/market"
	"github.com/culvert-net/culvert/ledger"
)

func slashCommand(data func() (string, error)) *cobra.Command {
	var flags market.Flags
	cmd := &cobra.Command{
		Use:   "slash [ROUND|FILE]",
		Short: "Take the bond of a provider that signed two different results of one round",
		Long: `slash brings two results to the contract that a provider has signed of one round, and
that differ. Its bond is gone then: a tenth comes into your wallet, the rest is burnt.
An honest gateway signs one result of a round only, whatever happens to it.

The bridge keeps both results when it meets them, and pays that provider no more.
Without an argument, slash lists those that it holds. FILE, "-" for standard input, is
what somebody else's bridge rounds show ROUND --json has written.

` + again,
		Example: `  bridge slash
  bridge slash 0x00112233445566778899aabbccddeeff
  bridge slash round.json`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return counter(data).With(cmd, &flags, true, func(d *market.Desk, _ app.Lines) error {
					list, err := d.Contradictions(cmd.Context())
					if err != nil {
						return err
					}
					if flags.JSON {
						return app.PrintJSON(cmd.OutOrStdout(), list)
					}
					return printContradictions(cmd.OutOrStdout(), d, list)
				})
			}
			o := market.Order{Do: market.Slash}
			var err error
			if o.Round, err = ledger.ParseRoundID(args[0]); err != nil && strings.HasPrefix(args[0], "0x") {
				return app.Usage(err)
			} else if err != nil {
				opened, err := readOpened(cmd, args[0])
				if err != nil {
					return err
				}
				if o, err = opened.SlashOrder(); err != nil {
					return app.Usage(fmt.Errorf("%s: %w", args[0], err))
				}
			}
			return counter(data).With(cmd, &flags, false, func(d *market.Desk, lines app.Lines) error {
				return d.Deal(cmd, &flags, lines, o, "slash", args[0])
			})
		},
	}
	flags.Bind(cmd, true, true)
	return cmd
}

func printContradictions(out io.Writer, d *market.Desk, list []market.Contradiction) error {
	if len(list) == 0 {
		_, err := fmt.Fprintln(out, "No provider has signed two different results of a round of yours.")
		return err
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "AT\tROUND\tPROVIDER\tMODEL\tBOND\tYOU GET")
	for _, c := range list {
		bond, reward := "none", ""
		if !c.Bond.IsZero() {
			bond, reward = d.Coin(c.Bond), d.Coin(c.Reward)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", c.At.Format(time.DateTime), c.Round, c.Provider, c.Model, bond, reward)
	}
	fmt.Fprintln(w, "Take a bond with: bridge slash ROUND")
	return w.Flush()
}
