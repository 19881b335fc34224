package market

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/culvert-net/culvert/internal/app/wallet"
)

// Funds reads what a wallet has: from the running program, or from the chain. What
// cannot be read is said, and no error: the address alone is worth showing.
func (c Counter) Funds(cmd *cobra.Command, w wallet.Config) *wallet.Funds {
	ctx, cancel := context.WithTimeout(cmd.Context(), fundsLimit)
	defer cancel()
	f := new(wallet.Funds)
	if err := c.funds(ctx, w, f); err != nil {
		f.Problems = append(f.Problems, err.Error())
	}
	return f
}

func (c Counter) funds(ctx context.Context, w wallet.Config, f *wallet.Funds) (err error) {
	d, err := OpenDesk(ctx, DeskConfig{Dir: w.Data, Wallet: w, Open: func(ctx context.Context, w wallet.Config) (*Market, func() error, error) {
		return c.Open(ctx, w.Data, w)
	}}, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	s := d.State()
	f.Chain, f.ChainID, f.Contract, f.Filecoin, f.Money = s.Network, s.ChainID, s.Contract, s.Filecoin, d.Money
	f.Coin = d.Coin
	b, err := d.Balance(ctx)
	if err != nil {
		return err
	}
	if b.OwnProblem == "" {
		f.Own, f.Tokens = &b.Own, b.Tokens
	} else {
		f.Problems = append(f.Problems, "what is in it: "+b.OwnProblem)
	}
	switch {
	case b.Problem == "":
		f.Held = &b.Held
	case b.As.IsZero():
		f.Problems = append(f.Problems, "what the contract holds for it: "+b.Problem)
	default:
		f.Held = &b.Held
		f.Problems = append(f.Problems, fmt.Sprintf("what the contract holds for it since %s UTC: %s", b.As.Format(time.DateTime), b.Problem))
	}
	return nil
}
