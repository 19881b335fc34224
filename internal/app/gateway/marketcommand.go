package gateway

import (
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/market"
	"github.com/culvert-net/culvert/ledger"
	"github.com/culvert-net/culvert/ledger/chain"
)

// moneyCommands are those that show money or move it.
func moneyCommands(data func() (string, error)) []*cobra.Command {
	return []*cobra.Command{
		offerCommand(data, market.Register), offerCommand(data, market.Update),
		orderCommand(data, market.Exit, "Stop selling", `exit takes this provider off the market: nobody can buy from it any more. What was
bought before stays good, is answered, and can be claimed. Register again to return.`),
		orderCommand(data, market.Claim, "Claim what clients owe", `claim brings one voucher of each channel to the chain, many in one transaction: the
contract then holds the money for this provider, and gateway withdraw brings it to
the payout address. It is the voucher of what was earned; what a client has paid ahead
is claimed only if it goes without confirming its answers. A running gateway claims by
itself when it is worth it ([chain] claim_at, or after six hours), so this is for the
impatient. What is worth less than the gas is left.`),
		earningsCommand(data), withdrawCommand(data), bondCommand(data),
		orderCommand(data, market.Unbond, "Take the bond back", `unbond takes back the bond, when its time is over.`),
		marketCommand(data),
	}
}

// again is what commands for money say of being interrupted.
const again = `What it will cost is shown, and asked. Ctrl-C and even a crash lose nothing: give the
same command again, and it goes on with what was sent.`

// offerCommand is register or update.
func offerCommand(data func() (string, error), do market.Action) *cobra.Command {
	var flags market.Flags
	price, payout, content := "", "", ""
	cmd := &cobra.Command{
		Use:   string(do),
		Short: "Offer what this gateway serves in the market, at a price",
		Long: `register puts this provider into the market: its price, the address that gets what it
earns, and a text that everybody can read for ever: which node it is, where, and its
models. Clients buy from it then; without it nobody can pay.

Set prices by model first (gateway price set). The reference price that clients lock
when they buy is the default one of output, or --price. It scales all others: if it
falls, everybody pays less; if it rises, only who buys later pays more.

` + again,
		Example: `  gateway price set --input "0.2 gwei" --output "0.8 gwei"
  gateway register
  gateway register --payout 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return counter(data).With(cmd, &flags, false, func(d *market.Desk, lines app.Lines) (err error) {
				o, words := market.Order{Do: do}, []string{string(do)}
				if price != "" {
					if o.Price, err = d.Amount(price); err != nil {
						return fmt.Errorf("--price: %w", err)
					}
					words = append(words, "--price", price)
				}
				if payout != "" {
					if o.Payout, err = chain.ParseAddress(payout); err != nil {
						return app.Usage(fmt.Errorf("--payout: %w", err))
					}
					words = append(words, "--payout", payout)
				}
				if content != "" {
					if o.Content, err = ledger.ParseHash(content); err != nil {
						return app.Usage(fmt.Errorf("--content: %w", err))
					}
					words = append(words, "--content", content)
				}
				return d.Deal(cmd, &flags, lines, o, words...)
			})
		},
	}
	if do == market.Update {
		cmd.Short = "Change what this provider offers"
		cmd.Long = `update changes this provider's entry in the market: its price, its payout address,
and the text that names its node and its models. What is not given follows the price
list, or stays as it was. Money that was paid in before keeps its price, unless the
new one is lower.

` + again
		cmd.Example = `  gateway update
  gateway update --price "0.5 gwei"`
	}
	f := cmd.Flags()
	f.StringVar(&price, "price", "", "reference price, per million standard output tokens (default: by the price list)")
	f.StringVar(&payout, "payout", "", "address that withdrawals go to (default: the wallet)")
	f.StringVar(&content, "content", "", "32 bytes that name a document, as 0x and hexadecimal digits; shown with the entry")
	flags.Bind(cmd, true, true)
	return cmd
}

// orderCommand is a command that takes nothing.
func orderCommand(data func() (string, error), do market.Action, short, long string) *cobra.Command {
	var flags market.Flags
	cmd := &cobra.Command{
		Use: string(do), Short: short,
		Long:    long + "\n\n" + again,
		Example: "  gateway " + string(do),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return counter(data).With(cmd, &flags, false, func(d *market.Desk, lines app.Lines) error {
				return d.Deal(cmd, &flags, lines, market.Order{Do: do}, string(do))
			})
		},
	}
	flags.Bind(cmd, true, true)
	return cmd
}

func withdrawCommand(data func() (string, error)) *cobra.Command {
	var flags market.Flags
	to := ""
	cmd := &cobra.Command{
		Use:   "withdraw",
		Short: "Bring what was claimed to the payout address",
		Long: `withdraw sends what the contract holds for this provider to its payout address, or to
another one with --to.

` + again,
		Example: `  gateway claim && gateway withdraw`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return counter(data).With(cmd, &flags, false, func(d *market.Desk, lines app.Lines) error {
				return market.WithdrawTo(cmd, d, &flags, lines, to)
			})
		},
	}
	cmd.Flags().StringVar(&to, "to", "", "address that gets it (default: the payout address)")
	flags.Bind(cmd, true, true)
	return cmd
}

func bondCommand(data func() (string, error)) *cobra.Command {
	var flags market.Flags
	until := "90d"
	cmd := &cobra.Command{
		Use:   "bond AMOUNT",
		Short: "Put up money that is lost if this provider lies",
		Long: `bond puts money at stake until a time: it is lost, most of it burnt, if somebody shows
two different results that this provider has signed for one round. It is optional,
buys no vote and earns nothing; bridges may prefer who has one.

` + again,
		Example: `  gateway bond "1 eth" --for 90d`,
		Args:    app.OneArgument("AMOUNT"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return counter(data).With(cmd, &flags, false, func(d *market.Desk, lines app.Lines) (err error) {
				o := market.Order{Do: market.Bond}
				if o.Amount, err = d.Coins(args[0]); err != nil {
					return err
				}
				if o.Days, err = daysOf(until); err != nil {
					return app.Usage(fmt.Errorf("--for %w", err))
				}
				return d.Deal(cmd, &flags, lines, o, "bond", args[0], "--for", until)
			})
		},
	}
	cmd.Flags().StringVar(&until, "for", until, "how long, in days")
	flags.Bind(cmd, true, true)
	return cmd
}

func earningsCommand(data func() (string, error)) *cobra.Command {
	var flags market.Flags
	cmd := &cobra.Command{
		Use:   "earnings",
		Short: "Show what was earned, and what of it is where",
		Long: `earnings shows what clients owe by finished requests, what they have promised by
vouchers, what was claimed, and what the contract holds to be withdrawn.`,
		Example: `  gateway earnings
  gateway earnings --json | jq .unclaimed`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return counter(data).With(cmd, &flags, false, func(d *market.Desk, lines app.Lines) error {
				e, err := d.Earnings(cmd.Context())
				if err != nil {
					return err
				}
				if flags.JSON {
					return app.PrintJSON(cmd.OutOrStdout(), e)
				}
				return printEarnings(cmd.OutOrStdout(), d, e, lines)
			})
		},
	}
	flags.Bind(cmd, false, true)
	return cmd
}

func printEarnings(out io.Writer, d *market.Desk, e market.Earnings, lines app.Lines) error {
	w, row := app.Rows(out)
	row("Provider", "%s", e.Provider)
	if e.Registered {
		row("Price", "%s per million standard output tokens", d.Money(e.Price))
		row("Payout", "%s", e.Payout)
	} else {
		row("Registered", "no, so nobody can buy; begin with: %s", lines.Line("register"))
	}
	if !e.Bond.IsZero() {
		row("Bond", "%s, until %s", d.Coin(e.Bond), time.Unix(int64(e.BondUntil), 0).UTC().Format(time.DateOnly))
	}
	row("Owed", "%s, by answers whose payment has not come", d.Money(e.Owed))
	row("Unclaimed", "%s, earned and promised by vouchers", d.Money(e.Unclaimed))
	row("Claimed", "%s, from the channels below", d.Money(e.Claimed))
	row("Withdrawable", "%s", d.Money(e.Held))
	row("In the wallet", "%s, for fees", d.Coin(e.Own))
	if e.Tokens != nil {
		row("And", "%s", d.Money(*e.Tokens))
	}
	if e.Problem != "" {
		row("PROBLEM", "the chain cannot be read, so this may be old: %s", e.Problem)
	}
	if len(e.Channels) > 0 {
		fmt.Fprintf(w, "\nCHANNEL\tPAID IN\tEARNED\tPROMISED\tCLAIMED\tSTATE\n")
	}
	for _, c := range e.Channels {
		state := "open"
		switch {
		case c.CloseAt != 0:
			state = "closing, until " + time.Unix(int64(c.CloseAt), 0).UTC().Format(time.DateTime) + " UTC"
		case c.Closed:
			state = "closed"
		case c.Unpaid:
			state = "DID NOT PAY"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", c.Channel, d.Money(c.Deposited), d.Money(c.Earned), d.Money(c.Promised), d.Money(c.Claimed), state)
	}
	return w.Flush()
}
