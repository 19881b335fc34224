package ledger

import (
	"errors"
	"fmt"

	"github.com/holiman/uint256"
)

// Usage is what a round used. The five are apart: cached tokens are not counted
// in Input again, nor reasoning that was not delivered in Output.
type Usage struct {
	Input     uint64 // tokens read that were not in a cache
	Cached    uint64 // tokens read that were
	Output    uint64 // tokens delivered
	Reasoning uint64 // tokens thought and not delivered
	Images    uint64
}

// ModelPrice is what one model costs, in wei per million of each.
type ModelPrice struct {
	Model     string
	Input     Amount
	Cached    Amount
	Output    Amount
	Reasoning Amount // of tokens that are not delivered; zero: they cost nothing
	Image     Amount // zero: they cost nothing
	Minimum   Amount // of a round that used anything, in wei
}

// million is what prices are per.
const million = 1_000_000

var (
	// ErrNoUnitPrice says that a sheet was made for a unit price of zero, by
	// which nothing can be scaled.
	ErrNoUnitPrice = errors.New("the sheet's unit price is zero")

	// ErrCostTooLarge says that a round would cost more than there is.
	ErrCostTooLarge = fmt.Errorf("the cost of the round: %w", ErrOverflow)
)

// Cost is what a round costs on a channel locked at a price, by a sheet made for
// the unit price u: the sum of usage times price, or the minimum if that is
// more, times min(locked, u) / u. So a later rise does not reach money that is
// deposited, and a later fall does. It is rounded once, up. Usage of nothing
// costs nothing.
//
// docs/spec/ledger.md §6.
func (p ModelPrice) Cost(usage Usage, locked, u Amount) (Amount, error) {
	if u.IsZero() {
		return Amount{}, ErrNoUnitPrice
	}
	if usage == (Usage{}) {
		return Amount{}, nil
	}
	// Each product is below 2^160 and their sum below 2^163: only the scaling
	// can leave 256 bits.
	var sum, term uint256.Int
	for _, t := range []struct {
		n     uint64
		price Amount
	}{
		{usage.Input, p.Input},
		{usage.Cached, p.Cached},
		{usage.Output, p.Output},
		{usage.Reasoning, p.Reasoning},
		{usage.Images, p.Image},
	} {
		term.Mul(uint256.NewInt(t.n), wide(t.price))
		sum.Add(&sum, &term)
	}
	if term.Mul(wide(p.Minimum), uint256.NewInt(million)); sum.Lt(&term) {
		sum.Set(&term)
	}
	if _, over := sum.MulOverflow(&sum, wide(MinAmount(locked, u))); over {
		return Amount{}, ErrCostTooLarge
	}
	var divisor, rest uint256.Int
	divisor.Mul(wide(u), uint256.NewInt(million))
	sum.DivMod(&sum, &divisor, &rest)
	if !rest.IsZero() {
		sum.AddUint64(&sum, 1) // a quotient by at least a million has room
	}
	cost, ok := narrow(&sum)
	if !ok {
		return Amount{}, ErrCostTooLarge
	}
	return cost, nil
}

// Tokens is how many standard output tokens an amount pays for at a price per
// million, for people; beyond what a uint64 holds it is the largest of those.
// At a price of zero there is no such figure.
func Tokens(amount, price Amount) (n uint64, ok bool) {
	if price.IsZero() {
		return 0, false
	}
	var q uint256.Int
	q.Mul(wide(amount), uint256.NewInt(million))
	q.Div(&q, wide(price))
	if !q.IsUint64() {
		return ^uint64(0), true
	}
	return q.Uint64(), true
}

func wide(a Amount) *uint256.Int { return &uint256.Int{a.lo, uint64(a.hi)} }

// narrow reports whether n fits.
func narrow(n *uint256.Int) (Amount, bool) {
	return Amount{uint32(n[1]), n[0]}, n.BitLen() <= 96
}
