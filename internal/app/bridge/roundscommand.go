package bridge

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/market"
	"github.com/culvert-net/culvert/ledger"
	"github.com/culvert-net/culvert/ledger/channel"
)

func roundsCommand(data func() (string, error)) *cobra.Command {
	var flags market.Flags
	limit := 20
	cmd := &cobra.Command{
		Use:   "rounds",
		Short: "Show the requests that were paid, and prove one",
		Long: `rounds lists the last requests that were paid: when, to whom, for which model, how
many tokens, and at what cost, by this bridge's figures. Prompts and answers are
not kept, only their hashes. Where a provider has signed two different results of one
round, both are kept: bridge slash takes its bond for it.`,
		Example: `  bridge rounds
  bridge rounds show 0x00112233445566778899aabbccddeeff --json > round.json
  bridge rounds verify round.json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return counter(data).With(cmd, &flags, true, func(d *market.Desk, _ app.Lines) error {
				list, err := d.Rounds(cmd.Context(), limit)
				if err != nil {
					return err
				}
				rows := make([]roundRow, len(list))
				for i, r := range list {
					rows[i] = newRoundRow(r)
				}
				if flags.JSON {
					return app.PrintJSON(cmd.OutOrStdout(), rows)
				}
				return printRounds(cmd.OutOrStdout(), d, rows)
			})
		},
	}
	cmd.Flags().IntVar(&limit, "limit", limit, "how many to list at most")
	flags.Bind(cmd, false, false)
	cmd.AddCommand(roundsShowCommand(data), roundsVerifyCommand())
	return cmd
}

// roundRow is one round of the history.
type roundRow struct {
	Round     ledger.RoundID   `json:"round"`
	Opened    time.Time        `json:"opened"`
	Ended     time.Time        `json:"ended,omitzero"`
	Provider  ledger.Address   `json:"provider"`
	Model     string           `json:"model"`
	State     string           `json:"state"` // sent, done, aborted
	Status    string           `json:"status,omitempty"`
	Input     uint64           `json:"input"`
	Cached    uint64           `json:"cached"`
	Output    uint64           `json:"output"`
	Cost      ledger.Amount    `json:"cost"`
	Claimed   ledger.Amount    `json:"claimed_cost"` // by the provider's figure
	MaxCost   ledger.Amount    `json:"max_cost"`
	Dispute   string           `json:"dispute,omitempty"`
	Slashable bool             `json:"contradicted,omitempty"` // the provider signed two different results
	Confirmed bool             `json:"confirmed"`
	Channel   ledger.ChannelID `json:"channel"`
	Epoch     uint32           `json:"epoch"`
	Seq       uint64           `json:"seq"`
}

func newRoundRow(r channel.RoundInfo) roundRow {
	out := roundRow{
		Round: r.Round, Opened: r.Opened.UTC(), Ended: r.Ended, Provider: r.Provider, Model: r.Model, State: r.State.String(), Input: r.Input,
		Cached: r.Cached, Output: r.Output, Cost: r.Cost, Claimed: r.Claimed, MaxCost: r.MaxCost, Confirmed: r.Confirmed,
		Channel: r.Channel, Epoch: r.Epoch, Seq: r.Seq, Slashable: r.Contradicted,
	}
	if r.State != channel.RoundSent {
		out.Status = r.Status.String()
	}
	if r.Reason != channel.Agreed {
		out.Dispute = r.Reason.String()
	}
	return out
}

func printRounds(out io.Writer, d *market.Desk, rows []roundRow) error {
	if len(rows) == 0 {
		_, err := fmt.Fprintln(out, "No request was paid yet.")
		return err
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "OPENED\tROUND\tPROVIDER\tMODEL\tSTATE\tIN\tOUT\tCOST\tNOTE")
	for _, r := range rows {
		state := r.State
		if r.Status != "" && r.Status != r.State {
			state = r.Status
		}
		note := ""
		switch {
		case r.Slashable:
			note = "TWO RESULTS, signed: bridge slash " + r.Round.String()
		case r.Dispute != "":
			note = "DISPUTE: " + r.Dispute
		case r.Confirmed:
			note = "paid"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%d\t%d\t%s\t%s\n", r.Opened.Format(time.DateTime), r.Round, r.Provider, r.Model, state,
			r.Input+r.Cached, r.Output, d.Money(r.Cost), note)
	}
	return w.Flush()
}

func roundsShowCommand(data func() (string, error)) *cobra.Command {
	var flags market.Flags
	cmd := &cobra.Command{
		Use:   "show ROUND",
		Short: "Open one round, with its proof, and verify it",
		Long: `show opens one round without the others: the voucher that the session key has
signed, the proof that this round is among those it pays for, and the provider's
signed result. With --json, somebody else can verify it: with bridge rounds verify,
or by the document docs/spec/channel.md. The file tells whoever has it which channel
paid; its salt lets who knows the prompt see that it was this one.`,
		Example: `  bridge rounds show 0x00112233445566778899aabbccddeeff
  bridge rounds show 0x00112233445566778899aabbccddeeff --json > round.json`,
		Args: app.OneArgument("ROUND"),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := ledger.ParseRoundID(args[0])
			if err != nil {
				return app.Usage(err)
			}
			return counter(data).With(cmd, &flags, false, func(d *market.Desk, _ app.Lines) error {
				o, err := d.Open(cmd.Context(), id)
				if err != nil {
					return err
				}
				checked, err := o.Check()
				if err != nil {
					return err
				}
				if flags.JSON {
					return app.PrintJSON(cmd.OutOrStdout(), o)
				}
				return printOpened(cmd.OutOrStdout(), &o, checked, d.Money)
			})
		},
	}
	flags.Bind(cmd, false, true)
	return cmd
}

func roundsVerifyCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "verify FILE",
		Short: "Verify a round that somebody has shown",
		Long: `verify reads what bridge rounds show --json writes, "-" for standard input, and
says what it proves. It asks nobody: that the channel and its session key are those of
the provider is in the contract.`,
		Example: `  bridge rounds verify round.json`,
		Args:    app.OneArgument("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o, err := readOpened(cmd, args[0])
			if err != nil {
				return err
			}
			checked, err := o.Check()
			if err != nil {
				return app.Refused(fmt.Errorf("%s proves nothing: %w", args[0], err))
			}
			return printOpened(cmd.OutOrStdout(), &o, checked, ledger.Amount.Format)
		},
	}
}

// readOpened reads a round that was shown, from a file or standard input.
func readOpened(cmd *cobra.Command, path string) (o market.Opened, err error) {
	in := cmd.InOrStdin()
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return o, app.Usage(err)
		}
		defer f.Close()
		in = f
	}
	if err := json.NewDecoder(io.LimitReader(in, maxOpened)).Decode(&o); err != nil {
		return o, app.Usage(fmt.Errorf("%s: %w; it should be what bridge rounds show --json writes", path, err))
	}
	return o, nil
}

// maxOpened bounds a round in a file: a proof has at most 48 hashes.
const maxOpened = 64 << 10

func printOpened(out io.Writer, o *market.Opened, c market.Checked, money func(ledger.Amount) string) error {
	w, row := app.Rows(out)
	row("Round", "%s, number %d of its channel", o.Leaf.Round, o.Leaf.Seq)
	row("Model", "%s", o.Model)
	row("Provider", "%s", o.Provider)
	row("Channel", "%s, epoch %d", o.Channel, o.Epoch)
	row("Tokens", "%d in, %d cached, %d out", o.Leaf.Input, o.Leaf.Cached, o.Leaf.Output)
	row("Cost", "%s (%s)", money(o.Leaf.Cost), o.Leaf.Status)
	row("Request", "%s", o.Leaf.Request)
	row("Response", "%s", o.Leaf.Response)
	row("Proved", "session key %s promises %s in all, for %s with this one as number %d", o.Key, money(c.Cumulative), app.Count(int(o.Size), "round"), o.Index+1)
	switch {
	case c.Second != nil:
		row("Provider's word", "TWO, signed: %d in, %d cached, %d out, %s; and %d in, %d cached, %d out, %s", c.Signed.Input, c.Signed.Cached,
			c.Signed.Output, money(c.Signed.Cost), c.Second.Input, c.Second.Cached, c.Second.Output, money(c.Second.Cost))
		row("To do", "bridge slash takes the provider's bond, by the round or a file of this")
	case c.Signed == nil:
		row("Provider's word", "none is held")
	case c.Agreed:
		row("Provider's word", "the same, signed")
	default:
		row("Provider's word", "ANOTHER, signed: %d in, %d cached, %d out, %s", c.Signed.Input, c.Signed.Cached, c.Signed.Output, money(c.Signed.Cost))
	}
	return w.Flush()
}
