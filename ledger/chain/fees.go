package chain

import (
	"context"
	"errors"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"

	"github.com/culvert-net/culvert/ledger"
)

var (
	// ErrFee: the fees are above what was agreed on.
	ErrFee = errors.New("the chain's fees are above the limit; wait until they fall, or allow more")

	// ErrFunds: the wallet has too little.
	ErrFunds = errors.New("the wallet has too little; send it the missing amount, and begin again")
)

// Cost is what a call will take from the wallet, as of now.
type Cost struct {
	Value  ledger.Amount // goes to the contract
	Fee    ledger.Amount // likely
	MaxFee ledger.Amount // at most, without replacements
	Gas    uint64        // the limit

	fees fees
}

// fees are per unit of gas.
type fees struct{ tip, most ledger.Amount }

// Cost says what a call will take, before it is sent. A call that the contract
// would refuse is an error that says why.
func (w *Writer) Cost(ctx context.Context, c Call) (Cost, error) {
	if err := w.ready(ctx); err != nil {
		return Cost{}, err
	}
	if len(c.Data) > maxCallData {
		return Cost{}, fmt.Errorf("%s with %d bytes of data: at most %d go into a transaction; do it in parts", c.What, len(c.Data), maxCallData)
	}
	head, err := w.server.latest(ctx)
	if err != nil {
		return Cost{}, err
	}
	// Servers refuse to estimate what cannot be paid, in words of their own.
	if err := w.covered(ctx, Cost{Value: c.Value}); err != nil {
		return Cost{}, err
	}
	gas, err := w.server.estimate(ctx, w.key.Address(), c)
	var refused *RefusedError
	if errors.As(err, &refused) && refused.says("actor not found") {
		// Filecoin knows no account that never had anything.
		return Cost{}, fmt.Errorf("%s: %s has nothing yet: %w", c.What, w.cfg.Network.Address(w.key.Address()), ErrFunds)
	}
	if err != nil {
		return Cost{}, fmt.Errorf("%s: %w", c.What, err)
	}
	f, err := w.server.fees(ctx, head)
	if err != nil {
		return Cost{}, err
	}
	out := Cost{Value: c.Value, Gas: gas + gas*w.cfg.Network.GasMargin/100, fees: f}
	now, err := head.baseFee.Add(f.tip)
	if err != nil {
		return Cost{}, ErrFee
	}
	if out.Fee, err = times(out.Gas, now); err != nil {
		return Cost{}, err
	}
	if out.MaxFee, err = times(out.Gas, f.most); err != nil {
		return Cost{}, err
	}
	if limit := w.limit(c); limit.Less(out.MaxFee) {
		return Cost{}, fmt.Errorf("%s may cost %s in fees, and %s are allowed: %w", c.What, w.cfg.Network.Money(out.MaxFee), w.cfg.Network.Money(limit), ErrFee)
	}
	return out, nil
}

// limit is the most that a call may cost in fees.
func (w *Writer) limit(c Call) ledger.Amount {
	if c.MaxFee.IsZero() {
		return w.cfg.Network.MaxFee
	}
	return ledger.MinAmount(c.MaxFee, w.cfg.Network.MaxFee)
}

// covered compares the wallet's balance with a cost.
func (w *Writer) covered(ctx context.Context, c Cost) error {
	have, err := w.server.balance(ctx, w.key.Address())
	if err != nil {
		return err
	}
	need, err := c.Value.Add(c.MaxFee)
	if err != nil {
		return err
	}
	if !have.Less(need) {
		return nil
	}
	n := w.cfg.Network
	return fmt.Errorf("%s has %s of %s: %w", n.Address(w.key.Address()), n.Money(have), n.Money(need), ErrFunds)
}

// balance is what an account has at the newest block, as far as an amount goes.
func (s *server) balance(ctx context.Context, a ledger.Address) (ledger.Amount, error) {
	var have hexutil.Big
	if err := s.call(ctx, &have, "eth_getBalance", common.Address(a), "latest"); err != nil {
		return ledger.Amount{}, err
	}
	if out, err := ledger.AmountOfBig(have.ToInt()); err == nil {
		return out, nil
	}
	return ledger.MaxAmount, nil
}

// estimate is the gas of a call, without a margin.
func (s *server) estimate(ctx context.Context, from ledger.Address, c Call) (uint64, error) {
	var gas hexutil.Uint64
	if err := s.call(ctx, &gas, "eth_estimateGas", message(from, c)); err != nil {
		return 0, explainRevert(err)
	}
	if gas == 0 || gas > maxGas {
		return 0, fmt.Errorf("an estimate of %d gas: %w", uint64(gas), ErrTooLarge)
	}
	return uint64(gas), nil
}

func message(from ledger.Address, c Call) map[string]any {
	return map[string]any{
		"from": common.Address(from), "to": common.Address(c.To),
		"value": (*hexutil.Big)(c.Value.Big()), "data": hexutil.Bytes(c.Data),
	}
}

// fees are those to be in one of the next blocks: twice the base fee, which
// takes at least six full blocks to double, and the tip.
func (s *server) fees(ctx context.Context, head Block) (fees, error) {
	var raw hexutil.Big
	if err := s.call(ctx, &raw, "eth_maxPriorityFeePerGas"); err != nil {
		return fees{}, err
	}
	tip, err := ledger.AmountOfBig(raw.ToInt())
	if err != nil {
		return fees{}, fmt.Errorf("a tip of %d bits: %w", raw.ToInt().BitLen(), ErrTooLarge)
	}
	twice, err := head.baseFee.Add(head.baseFee)
	if err != nil {
		return fees{}, ErrFee
	}
	most, err := twice.Add(tip)
	if err != nil {
		return fees{}, ErrFee
	}
	return fees{tip, most}, nil
}

// raised are fees that replace old ones: higher by the network's bump, and not
// below what is asked for now.
func (f fees) raised(now fees, bump uint64) (fees, error) {
	raise := func(old, now ledger.Amount) (ledger.Amount, error) {
		n := new(big.Int).Mul(old.Big(), new(big.Int).SetUint64(1000+bump))
		n.Add(n, big.NewInt(999)) // rounded up, and never the same again
		n.Div(n, big.NewInt(1000))
		if n.Cmp(old.Big()) == 0 {
			n.Add(n, big.NewInt(1))
		}
		up, err := ledger.AmountOfBig(n)
		if err != nil || up.Less(now) {
			return now, err
		}
		return up, nil
	}
	tip, err := raise(f.tip, now.tip)
	if err != nil {
		return fees{}, ErrFee
	}
	most, err := raise(f.most, now.most)
	if err != nil {
		return fees{}, ErrFee
	}
	return fees{tip, most}, nil
}

// times is a fee for so much gas.
func times(gas uint64, fee ledger.Amount) (ledger.Amount, error) {
	out, err := ledger.AmountOfBig(new(big.Int).Mul(new(big.Int).SetUint64(gas), fee.Big()))
	if err != nil {
		return out, ErrFee
	}
	return out, nil
}
