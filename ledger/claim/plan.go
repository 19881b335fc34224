package claim

import (
	"bytes"
	"cmp"
	"math/big"
	"slices"
	"time"

	"github.com/culvert-net/culvert/ledger"
)

// Due is what a channel owes on the chain.
type Due struct {
	Voucher   ledger.Signed[ledger.Voucher] // the best one
	Claimed   ledger.Amount                 // as the chain has it
	Unclaimed ledger.Amount                 // of the voucher, within the deposit, above that
	Locked    ledger.Amount                 // the channel's price, wei per million tokens
	CloseAt   uint64                        // Unix seconds from which the rest can be taken back; zero: nobody asked
	Since     uint64                        // Unix seconds since when there is something
}

// Rule is when to claim.
type Rule struct {
	// The high-water mark, in one of three units. At most one is set; none is
	// Multiple = DefaultMultiple.
	Multiple uint64        // of what the gas costs
	Money    ledger.Amount // wei
	Tokens   uint64        // standard output tokens, at the channels' prices

	// Age is how long something is due at most, if it is worth its gas. Zero:
	// DefaultAge.
	Age time.Duration
}

// Gas is what gas costs.
type Gas struct {
	Price ledger.Amount // wei for one
	// Foreign says that channels hold another asset: what gas costs says nothing
	// about what is worth it then, and only Money, Tokens, Age and closes count.
	Foreign bool
}

// Plan is what to claim now, in one transaction; empty if nothing. Channels that
// are being closed are first, in the order in which they end, then what has been
// due for long, then what is most.
//
// What costs more gas than it brings is never claimed, whatever its age: that
// would be throwing money away.
func Plan(now uint64, rule Rule, gas Gas, dues []Due) []Due {
	entry, base := new(big.Int), new(big.Int)
	if !gas.Foreign {
		entry.Mul(gas.Price.Big(), big.NewInt(entryGas))
		base.Mul(gas.Price.Big(), big.NewInt(baseGas))
	}
	age := uint64(cmp.Or(rule.Age, DefaultAge) / time.Second)
	multiple := rule.Multiple
	if multiple == 0 && rule.Money.IsZero() && rule.Tokens == 0 && !gas.Foreign {
		multiple = DefaultMultiple
	}
	closing := func(d Due) bool { return d.CloseAt != 0 }
	old := func(d Due) bool { return d.Since+age <= now }

	var pressing, others []Due
	for _, d := range dues {
		worth := d.Unclaimed.Big()
		switch {
		case worth.Cmp(entry) <= 0:
		case closing(d) || old(d):
			pressing = append(pressing, d)
		case multiple != 0 && worth.Cmp(times(entry, multiple)) < 0: // goes along when there is more of it
		default:
			others = append(others, d)
		}
	}
	slices.SortFunc(pressing, func(a, b Due) int {
		if closing(a) != closing(b) {
			return cmp.Compare(b.CloseAt, a.CloseAt) // zero is last
		}
		return cmp.Or(cmp.Compare(a.CloseAt, b.CloseAt), cmp.Compare(a.Since, b.Since), byID(a, b))
	})
	slices.SortFunc(others, func(a, b Due) int { return cmp.Or(b.Unclaimed.Cmp(a.Unclaimed), byID(a, b)) })
	batch := append(pressing, others...)
	batch = batch[:min(len(batch), MaxBatch)]

	sum, tokens := new(big.Int), new(big.Int)
	for _, d := range batch {
		sum.Add(sum, d.Unclaimed.Big())
		if !d.Locked.IsZero() {
			t := times(d.Unclaimed.Big(), 1_000_000)
			tokens.Add(tokens, t.Div(t, d.Locked.Big()))
		}
	}
	cost := times(entry, uint64(len(batch)))
	cost.Add(cost, base)
	switch {
	case len(batch) == 0 || sum.Cmp(cost) <= 0:
		return nil
	case len(pressing) > 0,
		multiple != 0 && sum.Cmp(times(cost, multiple)) >= 0,
		!rule.Money.IsZero() && sum.Cmp(rule.Money.Big()) >= 0,
		rule.Tokens != 0 && tokens.Cmp(new(big.Int).SetUint64(rule.Tokens)) >= 0:
		return batch
	}
	return nil
}

func times(n *big.Int, by uint64) *big.Int { return new(big.Int).Mul(n, new(big.Int).SetUint64(by)) }

func byID(a, b Due) int {
	return bytes.Compare(a.Voucher.Message.Channel[:], b.Voucher.Message.Channel[:])
}
