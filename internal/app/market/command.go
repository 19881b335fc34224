package market

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/wallet"
	"github.com/culvert-net/culvert/ledger"
	"github.com/culvert-net/culvert/ledger/chain"
)

// Counter is what commands share: flags, and the way to the Desk.
type Counter struct {
	Program wallet.Program
	Open    func(ctx context.Context, dir string, w wallet.Config) (m *Market, done func() error, err error)
}

// Flags are those of one command.
type Flags struct {
	Yes  bool
	JSON bool
	from wallet.Passphrases
}

// Bind adds the flags to a command. One that only looks asks for no consent, and
// if it needs no key for no passphrase.
func (f *Flags) Bind(cmd *cobra.Command, consent, passphrase bool) {
	f.from = wallet.Passphrases{Flag: "--passphrase-file", Env: os.Getenv}
	cmd.Flags().BoolVar(&f.JSON, "json", false, "print JSON, amounts in wei")
	if consent {
		cmd.Flags().BoolVar(&f.Yes, "yes", false, "do it without asking")
	}
	if passphrase {
		cmd.Flags().StringVar(&f.from.File, "passphrase-file", "", "read the passphrase of the wallet from this file, its only line")
	}
}

// Wallet is what a program's wallet is opened with, by these flags.
func (f *Flags) Wallet(cmd *cobra.Command, p wallet.Program) (wallet.Config, error) {
	return p.Config(cmd, &f.from)
}

// With runs f at a Desk. Who is only looking is asked for no passphrase.
func (c Counter) With(cmd *cobra.Command, flags *Flags, looking bool, f func(d *Desk, lines app.Lines) error) error {
	w, err := flags.Wallet(cmd, c.Program)
	if err != nil {
		return err
	}
	d, err := OpenDesk(cmd.Context(), DeskConfig{
		Dir: w.Data, Wallet: w,
		Open: func(ctx context.Context, w wallet.Config) (*Market, func() error, error) {
			return c.Open(ctx, w.Data, w)
		},
		Slow: func(what string) func() { return app.Slow(cmd.ErrOrStderr(), what) },
	}, looking)
	if err != nil {
		return err
	}
	return errors.Join(f(d, app.NewLines(cmd, w.Data)), d.Close())
}

// Deal shows what an order costs, asks, does it, and prints what became of it. words
// are the command that does it again.
func (d *Desk) Deal(cmd *cobra.Command, flags *Flags, lines app.Lines, o Order, words ...string) error {
	ctx := cmd.Context()
	consent := &app.Consent{In: cmd.InOrStdin(), Err: cmd.ErrOrStderr(), Yes: flags.Yes}
	q, err := d.Quote(ctx, o)
	if err != nil {
		return err
	}
	a := app.Action{What: q.What, Facts: q.Facts, Cost: q.Cost, Again: lines.Line(words...)}
	if q.Sent {
		fmt.Fprintln(cmd.ErrOrStderr(), q.What+".")
	} else if err := consent.Ask(ctx, a); err != nil {
		return err
	}
	var done Done
	err = consent.Wait(ctx, a, func(ctx context.Context, show func(string, ...any)) error {
		done, err = d.Do(ctx, q, func(p Progress) {
			if p.Transaction.IsZero() {
				show("%s", p.Text)
				return
			}
			show("transaction %s: %s", p.Transaction, p.Text)
		})
		return err
	})
	if err != nil {
		return err
	}
	if flags.JSON {
		err = app.PrintJSON(cmd.OutOrStdout(), done)
	} else {
		err = d.print(cmd.OutOrStdout(), done)
	}
	if err != nil {
		return err
	}
	return d.Seen(ctx, o)
}

func (d *Desk) print(out io.Writer, done Done) error {
	var b strings.Builder
	if !done.Transaction.IsZero() {
		fmt.Fprintf(&b, "Done: transaction %s, in block %d, for a fee of %s.\n", done.Transaction, done.Block, d.Coin(done.Fee))
	}
	if !done.Since.IsZero() {
		b.WriteString("It was sent by an earlier command, and nothing new was sent. To do the same once more, give the command again.\n")
	}
	fmt.Fprintln(&b, done.Text)
	_, err := io.WriteString(out, b.String())
	return err
}

// Money is an amount of what the market is paid in, for people.
func (d *Desk) Money(a ledger.Amount) string {
	if d.state.Token != nil {
		return d.state.Token.Format(a)
	}
	return d.Coin(a)
}

// Coin is an amount in the chain's currency, for people.
func (d *Desk) Coin(a ledger.Amount) string {
	text := a.Format()
	if whole, ok := strings.CutSuffix(text, " "+ether); ok {
		return whole + " " + d.state.Currency
	}
	return text
}

// ether is the unit that ledger's texts have for 10^18 wei, whatever a chain calls
// it.
const ether = "eth"

// Amount reads an amount of what the market is paid in.
func (d *Desk) Amount(text string) (ledger.Amount, error) {
	if d.state.Token == nil {
		return d.Coins(text)
	}
	a, err := d.state.Token.Parse(text)
	if err == nil && a.IsZero() {
		err = fmt.Errorf("%q: an amount of nothing", text)
	}
	if err != nil {
		return a, app.Usage(err)
	}
	return a, nil
}

// Coins reads an amount in the chain's currency.
func (d *Desk) Coins(text string) (ledger.Amount, error) {
	number, unit, _ := strings.Cut(strings.TrimSpace(text), " ")
	unit = strings.TrimSpace(unit)
	if unit == "" {
		return ledger.Amount{}, app.Usage(fmt.Errorf("%q has no unit; write it as \"0.5 %s\", \"20 gwei\" or \"7 wei\"", text, d.state.Currency))
	}
	if strings.EqualFold(unit, d.state.Currency) {
		unit = ether
	}
	a, err := ledger.ParseAmount(number + " " + unit)
	if err != nil {
		return a, app.Usage(err)
	}
	if a.IsZero() {
		return a, app.Usage(fmt.Errorf("%q: an amount of nothing", text))
	}
	return a, nil
}

// WithdrawTo is the command withdraw of both programs.
func WithdrawTo(cmd *cobra.Command, d *Desk, flags *Flags, lines app.Lines, to string) error {
	o, words := Order{Do: Withdraw}, []string{"withdraw"}
	if to != "" {
		var err error
		if o.To, err = chain.ParseAddress(to); err != nil {
			return app.Usage(fmt.Errorf("--to: %w", err))
		}
		words = append(words, "--to", to)
	}
	return d.Deal(cmd, flags, lines, o, words...)
}
