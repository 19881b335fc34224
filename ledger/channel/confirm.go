package channel

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/culvert-net/culvert/internal/kv"
	"github.com/culvert-net/culvert/ledger"
)

// ErrResult says that a result is not the provider's word about this round.
var ErrResult = errors.New("this is no result of this round, signed by its provider")

// Dispute is a provider's figure that was not believed. Leave that provider.
type Dispute struct {
	At       time.Time
	Round    ledger.RoundID
	Provider ledger.Address
	Model    string
	Reason   Reason
	Claimed  ledger.Amount
	Paid     ledger.Amount
}

// Confirmation ends a round at the payer.
type Confirmation struct {
	Voucher ledger.Signed[ledger.Voucher] // for the pay stream
	Cost    ledger.Amount                 // by this side's figure
	Status  ledger.Status
	Dispute *Dispute // nil: the figures agree
}

// Ask answers a provider's wish for money while the answer flows: a voucher of
// what it wants, but of at most one window beyond what was received.
func (m *Payment) Ask(ctx context.Context, ask Ask) (ledger.Signed[ledger.Voucher], error) {
	var a *account
	err := m.p.Store.Do(ctx, func(tx kv.Tx) (err error) {
		if a, _, err = loadAccount(tx, m.at); err != nil {
			return err
		}
		value := m.round.capped(ledger.Usage{Output: m.meter.delivered().least()})
		limit := sumCapped(a.spent, value, m.p.WindowOf(m.round.locked))
		if c, ok := m.p.Chain.Channel(m.at.id); ok && c.Epoch == m.at.epoch {
			limit = ledger.MinAmount(limit, c.Deposited)
		}
		if wanted := ledger.MinAmount(ask.Cumulative, limit); a.promised.Less(wanted) {
			a.promise(wanted)
			return a.save(tx, m.at)
		}
		return nil
	})
	if err != nil {
		return ledger.Signed[ledger.Voucher]{}, fmt.Errorf("round %s: %w", m.ID(), err)
	}
	return m.p.voucher(m.at, a, m.key), nil
}

// Confirm ends the round with the provider's result. The confirmation is the
// voucher: on the disk before it is returned. Where the provider's figure cannot
// be, the round costs what this side thinks, and there is a dispute. For a round
// that has ended it changes nothing.
func (m *Payment) Confirm(ctx context.Context, now time.Time, e Ending) (c Confirmation, err error) {
	r := e.Result.Message
	if !m.Says(e.Result) {
		return c, fmt.Errorf("round %s: %w", m.ID(), ErrResult)
	}
	d := m.meter.delivered()
	var made <-chan ledger.Signed[ledger.Voucher]
	err = m.p.Store.Do(ctx, func(tx kv.Tx) (err error) {
		c = Confirmation{}
		a, _, err := loadAccount(tx, m.at)
		if err != nil {
			return err
		}
		sign := func() {
			v := m.at.settled(a)
			made = meanwhile(func() ledger.Signed[ledger.Voucher] { return ledger.Sign(v, m.p.Domain, m.key) })
		}
		b, err := m.p.running(tx, m.at, m.round.seq)
		if err != nil {
			return err
		}
		if b.state != RoundSent {
			c.Cost, c.Status = b.leaf.Cost, b.leaf.Status
			sign()
			return nil
		}
		usage, cost, reason := b.judge(e, d)
		if reason == Agreed && e.Complete && r.Status == ledger.StatusDone && d.ToolCalls == 0 && d.Text >= minRatioBytes {
			var limit uint64
			var err error
			limit, reason, err = overRounds(tx, b.price.Model, b.provider, usage.Output, d.Text)
			if err != nil {
				return err
			}
			if reason != Agreed {
				usage.Output = min(usage.Output, limit)
				cost = ledger.MinAmount(cost, b.capped(usage))
			}
		}
		b.reason, b.result = reason, &e.Result
		leaf := leafOf(r, b.seq)
		leaf.Input, leaf.Cached, leaf.Output, leaf.Cost = usage.Input, usage.Cached, usage.Output, cost
		b.state = RoundDone
		if r.Status == ledger.StatusAborted {
			b.state = RoundAborted
		}
		c.Cost, c.Status = cost, r.Status
		wanted := over(r.Cost, cost)
		switch {
		case reason != Agreed:
			a.disputed = sumCapped(a.disputed, wanted)
			c.Dispute = &Dispute{now, b.id, b.provider, b.price.Model, reason, r.Cost, cost}
			err = put(tx, payerDisputes, newestFirst(now, b.id), &dispute{reason, b.provider, b.price.Model, r.Cost, cost})
		default: // an answer that was cut: what was under way is the provider's word
			a.unsettled, err = a.unsettled.Add(over(ledger.MinAmount(r.Cost, b.maxCost), cost))
		}
		if err != nil {
			return err
		}
		if err := m.p.end(tx, now, m.at, a, b, leaf); err != nil {
			return err
		}
		sign()
		return nil
	})
	if err != nil {
		return Confirmation{}, fmt.Errorf("round %s: %w", m.ID(), err)
	}
	c.Voucher = <-made
	return c, nil
}

// Abort ends a round of which there is no result. It may have cost all that was
// reserved: what arrived does not tell what was made, or what will be, if the
// request comes late. That is kept in mind until the provider's books are asked.
func (m *Payment) Abort(ctx context.Context, now time.Time) error {
	err := m.p.Store.Do(ctx, func(tx kv.Tx) error { return m.p.abort(tx, now, m.at, m.round.seq, ledger.MaxAmount) })
	if err != nil {
		return fmt.Errorf("round %s: %w", m.ID(), err)
	}
	return nil
}

// Refused ends a round that the provider did not admit: it costs nothing. What
// the refusal says about the channel is kept.
func (m *Payment) Refused(ctx context.Context, now time.Time, r *Refusal) error {
	if r.Code == CodeUncovered || r.Code == CodeUnpaid {
		m.p.receipts.drop(m.at) // it allows nothing any more
	}
	err := m.p.Store.Do(ctx, func(tx kv.Tx) error {
		if err := m.p.abort(tx, now, m.at, m.round.seq, ledger.Amount{}); err != nil {
			return err
		}
		a, _, err := loadAccount(tx, m.at)
		if err != nil {
			return err
		}
		switch r.Code {
		case CodeUncovered, CodeUnpaid:
			// The allowance was less than was thought; or, where nothing was counted on,
			// its books have more.
			if m.ahead {
				a.mustSync = true
			}
			a.allowance = ledger.Amount{}
		case CodeSeq:
			a.mustSync = true
		case CodeClosed:
			a.closing = true
		}
		return a.save(tx, m.at)
	})
	if err != nil {
		return fmt.Errorf("round %s: %w", m.ID(), err)
	}
	return nil
}

// running is the record of a round.
func (p *Payer) running(tx kv.Tx, at place, seq uint64) (*bought, error) {
	var b bought
	known, err := get(tx, payerRounds, at.seq(seq), &b)
	if err == nil && !known {
		err = ErrNoRound
	}
	return &b, err
}

// abort ends a round without a result, of which most is what it may have cost.
func (p *Payer) abort(tx kv.Tx, now time.Time, at place, seq uint64, most ledger.Amount) error {
	a, _, err := loadAccount(tx, at)
	if err != nil {
		return err
	}
	b, err := p.running(tx, at, seq)
	if err != nil || b.state != RoundSent {
		return err
	}
	if a.unsettled, err = a.unsettled.Add(ledger.MinAmount(most, b.maxCost)); err != nil {
		return err
	}
	b.state = RoundAborted
	return p.end(tx, now, at, a, b, blank(seq))
}

// end takes a round off the running ones and puts its leaf into the log.
func (p *Payer) end(tx kv.Tx, now time.Time, at place, a *account, b *bought, leaf ledger.Leaf) (err error) {
	if a.reserved, err = a.reserved.Sub(b.maxCost); err != nil {
		return fmt.Errorf("%w: the books reserve less than a running round: %w", kv.ErrDamaged, err)
	}
	a.running--
	if a.spent, err = a.spent.Add(leaf.Cost); err != nil {
		return err
	}
	if err := a.track.finish(a.seqs(tx, at), leaf); err != nil {
		return err
	}
	a.promise(a.spent)
	b.leaf, b.due, b.ended = leaf, a.spent, unixMilli(now)
	where := at.seq(b.seq)
	if err := tx.Delete(payerRunning, ownerKey(b.owner, where)); err != nil {
		return err
	}
	if err := put(tx, payerRounds, where, b); err != nil {
		return err
	}
	return a.save(tx, at)
}
