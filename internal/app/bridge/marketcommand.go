package bridge

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/market"
	"github.com/culvert-net/culvert/ledger"
)

// moneyCommands are those that show money or move it.
func moneyCommands(data func() (string, error)) []*cobra.Command {
	return []*cobra.Command{
		providersCommand(data), buyCommand(data), balanceCommand(data), topUpCommand(data), closeCommand(data),
		refundCommand(data), withdrawCommand(data), roundsCommand(data), slashCommand(data),
	}
}

// again is what commands for money say of being interrupted.
const again = `What it will cost is shown, and asked. Ctrl-C and even a crash lose nothing: give the
same command again, and it goes on with what was sent.`

func providersCommand(data func() (string, error)) *cobra.Command {
	var flags market.Flags
	cmd := &cobra.Command{
		Use:   "providers",
		Short: "List the providers that are paid, and what they ask",
		Long: `providers lists who sells in the market, as the chain says, with the reference price
per million standard output tokens that a purchase locks. Prices by model are those
of the provider's price sheet, where the running bridge has it from the directory.
Names are what nodes call themselves; two may have the same.`,
		Example: `  bridge providers
  bridge providers --json | jq -r '.[] | select(.models[].model == "llama3") | .provider'`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return counter(data).With(cmd, &flags, true, func(d *market.Desk, _ app.Lines) error {
				list, err := d.Providers(cmd.Context())
				if err != nil {
					return err
				}
				if flags.JSON {
					return app.PrintJSON(cmd.OutOrStdout(), list)
				}
				return printProviders(cmd.OutOrStdout(), d, list)
			})
		},
	}
	flags.Bind(cmd, false, false)
	return cmd
}

func printProviders(out io.Writer, d *market.Desk, list []market.Listing) error {
	if len(list) == 0 {
		_, err := fmt.Fprintln(out, "Nobody sells in this market yet. Providers that are free need no purchase.")
		return err
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "PROVIDER\tPRICE\tNODE\tMODEL\tINPUT\tOUTPUT")
	for _, l := range list {
		node := strings.Join(l.Names, ", ")
		if node == "" {
			node = strings.Join(l.At, ", ")
		}
		if node == "" && len(l.Nodes) > 0 {
			node = l.Nodes[0]
		}
		if len(l.Models) == 0 {
			fmt.Fprintf(w, "%s\t%s\t%s\t\t\t\n", l.Provider, d.Money(l.Price), node)
		}
		for i, m := range l.Models {
			in, out := "", ""
			if m.Priced {
				in, out = d.Money(m.Input), d.Money(m.Output)
			}
			if !m.Minimum.IsZero() {
				out += ", and " + d.Money(m.Minimum) + " a request at least"
			}
			if i == 0 {
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", l.Provider, d.Money(l.Price), node, m.Model, in, out)
			} else {
				fmt.Fprintf(w, "\t\t\t%s\t%s\t%s\n", m.Model, in, out)
			}
		}
	}
	fmt.Fprintln(w, "Prices are per million tokens. Buy from one with: bridge buy PROVIDER AMOUNT")
	if !d.Runs() {
		fmt.Fprintln(w, "Names, models and their prices are in the directory, which the bridge reads while it runs: bridge serve")
	}
	return w.Flush()
}

func buyCommand(data func() (string, error)) *cobra.Command {
	var flags market.Flags
	model, account, maxPrice := "", "", ""
	tokens := uint64(0)
	cmd := &cobra.Command{
		Use:   "buy PROVIDER AMOUNT",
		Short: "Pay into a channel with a provider, from which requests are paid",
		Long: `buy puts money into a channel with a provider: the contract holds it, and the
provider gets of it what requests cost. What is left comes back when the channel is
closed. The provider's price of now is locked: a later rise does not touch it.

PROVIDER is an address, or the name of a node (bridge providers). With --model the
cheapest provider of a model is taken. AMOUNT has a unit: "0.5 eth", "20 gwei"; or
--tokens says how far it should go. Requests of all API keys are paid from it, or,
with --for, those of one key alone, which the provider cannot tell to be of the same
bridge.

` + again,
		Example: `  bridge buy 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed "0.01 eth"
  bridge buy --model llama3.3:70b --tokens 2000000
  bridge buy provider-1 "0.01 eth" --max-price "2 gwei" --for laptop`,
		Args: cobra.MaximumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			who, amount, err := buyArguments(args, model, tokens)
			if err != nil {
				return app.Usage(err)
			}
			o := market.Order{Do: market.Buy, Tokens: tokens}
			if o.Account, err = accountOf(cmd, data, account); err != nil {
				return err
			}
			return counter(data).With(cmd, &flags, false, func(d *market.Desk, lines app.Lines) (err error) {
				if amount != "" {
					if o.Amount, err = d.Amount(amount); err != nil {
						return err
					}
				}
				if maxPrice != "" {
					if o.MaxPrice, err = d.Amount(maxPrice); err != nil {
						return fmt.Errorf("--max-price: %w", err)
					}
				}
				if model != "" {
					o.Provider, err = cheapest(cmd.Context(), d, model)
				} else {
					o.Provider, err = providerOf(cmd.Context(), d, who)
				}
				if err != nil {
					return err
				}
				words := []string{"buy", o.Provider.String()}
				if amount != "" {
					words = append(words, amount)
				} else {
					words = append(words, "--tokens", strconv.FormatUint(tokens, 10))
				}
				if account != "" {
					words = append(words, "--for", account)
				}
				return d.Deal(cmd, &flags, lines, o, words...)
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&model, "model", "", "buy from the cheapest provider of this model")
	f.StringVar(&account, "for", "", "pay for requests of this API key alone (its name or id)")
	f.StringVar(&maxPrice, "max-price", "", "buy only if a million standard output tokens cost this at most (default: what they cost now)")
	f.Uint64Var(&tokens, "tokens", 0, "buy for so many standard output tokens, in place of AMOUNT")
	flags.Bind(cmd, true, true)
	return cmd
}

// buyArguments tells provider and amount from each other.
func buyArguments(args []string, model string, tokens uint64) (who, amount string, err error) {
	if model == "" {
		if len(args) == 0 {
			return "", "", errors.New("PROVIDER is missing, or --model MODEL in its place; bridge providers shows who sells")
		}
		who, args = args[0], args[1:]
	}
	switch {
	case len(args) == 0 && tokens == 0:
		return "", "", errors.New("AMOUNT is missing, for example \"0.01 eth\"; or --tokens N in its place")
	case len(args) == 1 && tokens > 0:
		return "", "", errors.New("either AMOUNT or --tokens")
	case len(args) > 1:
		return "", "", fmt.Errorf("%q is one argument too many; quote an amount, as \"0.01 eth\"", args[1])
	case len(args) == 1:
		amount = args[0]
	}
	return who, amount, nil
}

func balanceCommand(data func() (string, error)) *cobra.Command {
	var flags market.Flags
	cmd := &cobra.Command{
		Use:   "balance",
		Short: "Show what is in the wallet, and in the channels with providers",
		Long: `balance shows what the wallet has, what the contract holds for it, and each channel:
what was paid in, what requests have cost by this bridge's own figures, and what is
free for new ones. It needs no passphrase.`,
		Example: `  bridge balance
  bridge balance --json | jq '[.channels[] | {provider, free}]'`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return counter(data).With(cmd, &flags, true, func(d *market.Desk, lines app.Lines) error {
				b, err := d.Balance(cmd.Context())
				if err != nil {
					return err
				}
				if flags.JSON {
					return app.PrintJSON(cmd.OutOrStdout(), b)
				}
				return printBalance(cmd.OutOrStdout(), d, b, lines)
			})
		},
	}
	flags.Bind(cmd, false, false)
	return cmd
}

func printBalance(out io.Writer, d *market.Desk, b market.Balance, lines app.Lines) error {
	w, row := app.Rows(out)
	if b.Wallet.IsZero() {
		row("Wallet", "none of this machine's own: session keys were brought")
	} else {
		row("Wallet", "%s", b.Wallet)
		if b.OwnProblem == "" {
			row("In it", "%s", holdings(d, b.Own, b.Tokens))
		} else {
			row("In it", "NOT READ: %s", b.OwnProblem)
		}
		row("Withdrawable", "%s", d.Money(b.Held))
	}
	if !b.As.IsZero() {
		row("As of", "%s UTC", b.As.Format(time.DateTime))
	}
	if b.Pending {
		row("Note", "some of it is in blocks that are not yet deep enough to count")
	}
	if b.Problem != "" {
		row("PROBLEM", "the chain cannot be read, so this may be old: %s", b.Problem)
	}
	if len(b.Channels) == 0 {
		row("Channels", "none; buy from a provider with: %s", lines.Line("buy", "PROVIDER", "AMOUNT"))
		return w.Flush()
	}
	fmt.Fprintf(w, "\nCHANNEL\tPROVIDER\tFOR\tSTATE\tPAID IN\tSPENT\tRESERVED\tFREE\tTOKENS\n")
	for _, c := range b.Channels {
		who, state := c.Account, c.State
		if who == "" {
			who = "all"
		}
		if state == "closing" {
			state = "closing, until " + time.Unix(int64(c.CloseAt), 0).UTC().Format(time.DateTime) + " UTC"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", c.Channel, c.Provider, who, state,
			d.Money(c.Deposited), d.Money(c.Spent), d.Money(c.Reserved), d.Money(c.Free), c.Tokens)
	}
	return w.Flush()
}

// holdings are what a wallet has itself: of the market's token, too, if it is paid in
// one.
func holdings(d *market.Desk, own ledger.Amount, tokens *ledger.Amount) string {
	if tokens == nil {
		return d.Coin(own)
	}
	return d.Money(*tokens) + ", and for fees " + d.Coin(own)
}

func topUpCommand(data func() (string, error)) *cobra.Command {
	var flags market.Flags
	account, tokens := "", uint64(0)
	cmd := &cobra.Command{
		Use:   "topup PROVIDER|CHANNEL AMOUNT",
		Short: "Pay more into a channel, at the price that is locked in it",
		Long: `topup adds money to a channel that there is. It is refused while the provider's
price is above the one that is locked: then bridge buy locks the new one, for the
whole channel.

` + again,
		Example: `  bridge topup provider-1 "0.01 eth"
  bridge topup 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed --tokens 1000000`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			who, amount, err := buyArguments(args, "", tokens)
			if err != nil {
				return app.Usage(err)
			}
			id, err := accountOf(cmd, data, account)
			if err != nil {
				return err
			}
			return counter(data).With(cmd, &flags, false, func(d *market.Desk, lines app.Lines) (err error) {
				o := market.Order{Do: market.TopUp, Tokens: tokens}
				if amount != "" {
					if o.Amount, err = d.Amount(amount); err != nil {
						return err
					}
				}
				if o.Channel, err = channelOf(cmd.Context(), d, who, id, func(c market.ClientChannel) bool { return c.State != "closed" }); err != nil {
					return err
				}
				words := []string{"topup", o.Channel.String()}
				if amount != "" {
					words = append(words, amount)
				} else {
					words = append(words, "--tokens", strconv.FormatUint(tokens, 10))
				}
				return d.Deal(cmd, &flags, lines, o, words...)
			})
		},
	}
	cmd.Flags().StringVar(&account, "for", "", "the channel of this API key alone (its name or id)")
	cmd.Flags().Uint64Var(&tokens, "tokens", 0, "for so many standard output tokens, in place of AMOUNT")
	flags.Bind(cmd, true, true)
	return cmd
}

func closeCommand(data func() (string, error)) *cobra.Command {
	var flags market.Flags
	account, cancel := "", false
	cmd := &cobra.Command{
		Use:   "close PROVIDER|CHANNEL",
		Short: "Close a channel, to get back what is left in it",
		Long: `close ends a channel. A running bridge asks the provider for its consent first, for
a few seconds, and then the money is free at once. Without it, it takes 24 hours, in
which the provider can claim what it is owed; then bridge refund takes back the rest.
With --cancel a channel that is being closed is used again.

` + again,
		Example: `  bridge close provider-1
  bridge close 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed --cancel`,
		Args: app.OneArgument("PROVIDER or CHANNEL"),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := accountOf(cmd, data, account)
			if err != nil {
				return err
			}
			return counter(data).With(cmd, &flags, false, func(d *market.Desk, lines app.Lines) (err error) {
				o := market.Order{Do: market.Close}
				words := []string{"close"}
				if cancel {
					o.Do, words = market.Reopen, append(words, "--cancel")
				}
				o.Channel, err = channelOf(cmd.Context(), d, args[0], id, func(c market.ClientChannel) bool { return c.State != "closed" })
				if err != nil {
					return err
				}
				return d.Deal(cmd, &flags, lines, o, append(words, o.Channel.String())...)
			})
		},
	}
	cmd.Flags().StringVar(&account, "for", "", "the channel of this API key alone (its name or id)")
	cmd.Flags().BoolVar(&cancel, "cancel", false, "go on with a channel that is being closed")
	flags.Bind(cmd, true, true)
	return cmd
}

func refundCommand(data func() (string, error)) *cobra.Command {
	var flags market.Flags
	cmd := &cobra.Command{
		Use:   "refund [CHANNEL]",
		Short: "Take back what is left in channels that were closed",
		Long: `refund takes back what is left in each channel whose dispute time is over, or in one:
the contract then holds it for the wallet, and bridge withdraw brings it there.

` + again,
		Example: `  bridge refund && bridge withdraw`,
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return counter(data).With(cmd, &flags, false, func(d *market.Desk, lines app.Lines) error {
				ids, err := refundable(cmd, d, args)
				if err != nil {
					return err
				}
				for _, id := range ids {
					o := market.Order{Do: market.Refund, Channel: id}
					if err := d.Deal(cmd, &flags, lines, o, "refund", id.String()); err != nil {
						return err
					}
				}
				return nil
			})
		},
	}
	flags.Bind(cmd, true, true)
	return cmd
}

// refundable are the channels that a refund is for.
func refundable(cmd *cobra.Command, d *market.Desk, args []string) ([]ledger.ChannelID, error) {
	if len(args) == 1 {
		id, err := channelOf(cmd.Context(), d, args[0], "", func(c market.ClientChannel) bool { return c.CloseAt != 0 })
		return []ledger.ChannelID{id}, err
	}
	b, err := d.Balance(cmd.Context())
	if err != nil {
		return nil, err
	}
	var ids []ledger.ChannelID
	next := uint64(0)
	for _, c := range b.Channels {
		switch {
		case c.State == "refundable":
			ids = append(ids, c.Channel)
		case c.CloseAt != 0 && (next == 0 || c.CloseAt < next):
			next = c.CloseAt
		}
	}
	switch {
	case len(ids) > 0:
		return ids, nil
	case next != 0:
		return nil, app.NotReady(fmt.Errorf("no channel can be refunded yet; the next one from %s UTC on", time.Unix(int64(next), 0).UTC().Format(time.DateTime)))
	}
	return nil, app.Usage(errors.New("no channel is being closed, so there is nothing to take back; close one with: bridge close PROVIDER"))
}

func withdrawCommand(data func() (string, error)) *cobra.Command {
	var flags market.Flags
	to := ""
	cmd := &cobra.Command{
		Use:   "withdraw",
		Short: "Bring what the contract holds for the wallet into it",
		Long: `withdraw sends what the contract holds for the wallet, after a refund or a close,
to the wallet itself, or to another address with --to.

` + again,
		Example: `  bridge withdraw
  bridge withdraw --to 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return counter(data).With(cmd, &flags, false, func(d *market.Desk, lines app.Lines) error {
				return market.WithdrawTo(cmd, d, &flags, lines, to)
			})
		},
	}
	cmd.Flags().StringVar(&to, "to", "", "address that gets it (default: the wallet)")
	flags.Bind(cmd, true, true)
	return cmd
}
