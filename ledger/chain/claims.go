package chain

import (
	"context"
	"errors"

	"github.com/culvert-net/culvert/ledger"
	"github.com/culvert-net/culvert/ledger/claim"
)

// Claims is what ledger/claim needs of a chain: claims are transactions of the
// provider's writer, which follows them in its Run, and are done when the reader
// believes their block.
type Claims struct {
	Writer *Writer
	Reader *Reader
}

var _ claim.Chain = Claims{}

// Gas implements claim.Chain.
func (c Claims) Gas(ctx context.Context) (claim.Gas, error) {
	if err := c.Writer.ready(ctx); err != nil {
		return claim.Gas{}, err
	}
	head, err := c.Writer.server.latest(ctx)
	if err != nil {
		return claim.Gas{}, err
	}
	f, err := c.Writer.server.fees(ctx, head)
	if err != nil {
		return claim.Gas{}, err
	}
	price, err := head.baseFee.Add(f.tip)
	if err != nil {
		return claim.Gas{}, ErrFee
	}
	return claim.Gas{Price: price, Foreign: !c.Writer.cfg.Asset.IsZero()}, nil
}

// Send implements claim.Chain.
func (c Claims) Send(ctx context.Context, label string, vouchers []ledger.Signed[ledger.Voucher]) (uint64, error) {
	call := c.Writer.cfg.Calls().Claim(vouchers, ledger.Hash{})
	call.What = label
	id, err := c.Writer.Send(ctx, call)
	return uint64(id), err
}

// Find implements claim.Chain.
func (c Claims) Find(ctx context.Context, label string) (id uint64, found bool, err error) {
	n, found, err := c.Writer.Find(ctx, label)
	return uint64(n), found, err
}

// Outcome implements claim.Chain. A transaction that was finished so long ago
// that it is forgotten is done: what is due is what the chain says.
func (c Claims) Outcome(ctx context.Context, id uint64) (claim.Outcome, error) {
	n, err := c.Writer.intent(ctx, ID(id))
	switch {
	case errors.Is(err, ErrUnknown):
		return claim.Done, nil
	case err != nil:
		return claim.Open, err
	}
	seen := n.block <= c.Reader.State().Confirmed.Number
	switch {
	case n.outcome == Lost:
		return claim.Lost, nil
	case n.outcome == Done && seen:
		return claim.Done, nil
	case n.outcome == Reverted && seen:
		return claim.Refused, nil
	}
	return claim.Open, nil
}
