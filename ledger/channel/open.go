package channel

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/culvert-net/culvert/internal/kv"
	"github.com/culvert-net/culvert/ledger"
)

// Order is one request that is to be paid.
type Order struct {
	Channel   ledger.ChannelID
	Target    string // of the request, as HashRequest takes it
	Body      []byte // as it travels in the circuit; it is hashed and not kept
	Sheet     *ledger.Sheet
	Model     string // as the sheet names it
	Input     uint64 // the most tokens that the prompt can be
	Output    uint64 // the most tokens of output: the body's, or the model's cap
	Reasoning uint64 // the most reasoning tokens that are billed and not delivered
	Images    uint64
	TTL       time.Duration // the longest that the round may last; whole seconds

	// Ahead pays for all of it ahead, whatever the provider has said it allows: that
	// was less by the time that it counted.
	Ahead bool
}

// Payment is one round that is being paid. It may be used by several goroutines.
type Payment struct {
	p      *Payer
	at     place
	key    *ledger.Key
	round  bought
	header string
	ahead  bool // nothing of what the provider allows was counted on
	meter  meter
}

// MaxCost is what a round of this order costs at most, on a channel locked at a
// price.
func (o Order) MaxCost(locked ledger.Amount) (ledger.Amount, error) {
	price, ok := o.Sheet.Price(o.Model)
	if !ok {
		return ledger.Amount{}, fmt.Errorf("the provider's price sheet does not name the model %q", o.Model)
	}
	use := ledger.Usage{Input: o.Input, Output: o.Output, Reasoning: o.Reasoning, Images: o.Images}
	return price.Cost(worst(price, use), locked, o.Sheet.UnitPrice)
}

// Open reserves what a round may cost, on the disk, and makes its header. With
// what the provider allows, and vouchers of at most one window ahead, it is
// covered there. Where it is not, it is a ShortError, which comes with ErrRunning if
// there would be room without other rounds that run.
func (p *Payer) Open(ctx context.Context, now time.Time, o Order) (*Payment, error) {
	c, ok := p.Chain.Channel(o.Channel)
	if !ok {
		return nil, fmt.Errorf("channel %s: the contract does not have it: a purchase counts after some blocks", o.Channel)
	}
	key, err := p.session(c)
	if err != nil {
		return nil, err
	}
	if err := o.Sheet.Check(unix(now)); err != nil {
		return nil, err
	}
	maxCost, err := o.MaxCost(c.Locked)
	if err != nil {
		return nil, err
	}
	if o.TTL < time.Second || o.TTL > MaxTTL || o.TTL%time.Second != 0 {
		return nil, fmt.Errorf("a round lasts 1 to %d whole seconds, not %v", MaxTTL/time.Second, o.TTL)
	}
	price, _ := o.Sheet.Price(o.Model)
	m := &Payment{p: p, at: place{c.ID, c.Epoch}, key: key, round: bought{
		state: RoundSent, provider: c.Provider, key: c.Key, opened: unixMilli(now), owner: p.Owner, sheet: o.Sheet.Digest(p.Domain), price: price,
		unit: o.Sheet.UnitPrice, locked: c.Locked, maxCost: maxCost, input: uint64(len(o.Body)), images: o.Images, reasoning: o.Reasoning,
	}}
	r := &m.round
	_, _ = rand.Read(r.id[:]) // never fails
	_, _ = rand.Read(r.salt[:])
	r.requestHash = HashRequest(r.salt, o.Target, o.Body)

	var made <-chan Header
	var receipt *Accepted
	err = p.Store.Do(ctx, func(tx kv.Tx) (err error) {
		a, _, err := loadAccount(tx, m.at)
		if err != nil {
			return err
		}
		receipt = p.receipts.last(m.at)
		a.heard(receipt)
		allowed := a.allowance
		if o.Ahead {
			allowed = ledger.Amount{}
		}
		m.ahead = allowed.IsZero()
		if err := p.reserve(tx, now, m.at, a, r, o.TTL, allowed); err != nil {
			return err
		}
		request, voucher, pays := m.request(o.TTL), m.at.voucher(a), a.acked.Less(a.promised)
		made = meanwhile(func() Header {
			h := Header{Salt: m.round.salt, Request: ledger.Sign(request, p.Domain, key)}
			if pays {
				v := ledger.Sign(voucher, p.Domain, key)
				h.Voucher = &v
			}
			return h
		})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("channel %s: %w", o.Channel, err)
	}
	p.receipts.forget(m.at, receipt)
	m.header = (<-made).String()
	return m, nil
}

// request is what the payer signs before it asks.
func (m *Payment) request(ttl time.Duration) ledger.Request {
	r := &m.round
	return ledger.Request{
		Channel: m.at.id, Epoch: m.at.epoch, RoundID: r.id, Seq: r.seq, RequestHash: r.requestHash,
		MaxCost: r.maxCost, Sheet: r.sheet, TTL: uint32(ttl / time.Second),
	}
}

// meanwhile computes f beside what the caller goes on with. In a function of Do it
// makes the signature while the disk is written, which leaves when Do has returned:
// f has to have a copy of what it reads.
func meanwhile[T any](f func() T) <-chan T {
	made := make(chan T, 1) // nobody may ask
	go func() { made <- f() }()
	return made
}

// reserve opens the round within the transaction, with so much that need not be
// paid ahead.
func (p *Payer) reserve(tx kv.Tx, now time.Time, at place, a *account, r *bought, ttl time.Duration, allowed ledger.Amount) error {
	c, ok := p.Chain.Channel(at.id)
	switch {
	case !ok || c.Epoch != at.epoch || c.CloseAt != 0 || a.closing:
		return ErrClosing
	case a.mustSync:
		return ErrResync
	}
	err := agree(tx, at, r)
	if err != nil {
		return err
	}
	if a.reserved, err = a.reserved.Add(r.maxCost); err != nil {
		return err
	}
	// What aborted rounds may have cost stands on the provider's books, perhaps.
	need, err := sum(a.spent, a.unsettled, a.reserved)
	if err != nil {
		return err
	}
	ahead := over(need, allowed)
	lacks := func(need ledger.Amount) error {
		if c.Deposited.Less(need) {
			return &ShortError{ErrFunds, r.maxCost, over(c.Deposited, over(need, r.maxCost))}
		}
		if most := sumCapped(a.spent, p.WindowOf(c.Locked)); most.Less(over(need, allowed)) {
			return &ShortError{ErrWindow, r.maxCost, over(sumCapped(most, allowed), over(need, r.maxCost))}
		}
		return nil
	}
	if err := lacks(need); err != nil {
		switch never := lacks(sumCapped(a.spent, r.maxCost)); {
		case never != nil:
			return never
		case a.running > 0:
			return fmt.Errorf("%w: %w", err, ErrRunning)
		default: // U is in the way
			return ErrResync
		}
	}
	r.seq = a.track.next
	if err := a.track.admit(a.seqs(tx, at), r.seq); err != nil {
		return err
	}
	a.running++
	if a.promised.Less(ahead) {
		a.promise(ahead)
	}
	where := at.seq(r.seq)
	if err := put(tx, payerRounds, where, r); err != nil {
		return err
	}
	if err := put(tx, payerRunning, ownerKey(p.Owner, where), &deadline{unixMilli(now.Add(ttl))}); err != nil {
		return err
	}
	if err := tx.Put(payerIDs, r.id[:], where); err != nil {
		return err
	}
	if err := tx.Put(payerHistory, newestFirst(now, r.id), where); err != nil {
		return err
	}
	return a.save(tx, at)
}

// Header is the value of the request's field HeaderName. Sent again, it is the
// same round, which is not charged twice.
func (m *Payment) Header() string { return m.header }

// Ahead reports whether all of the round is paid ahead: nothing of what the provider
// said it allows was counted on.
func (m *Payment) Ahead() bool { return m.ahead }

// ID is the round's.
func (m *Payment) ID() ledger.RoundID { return m.round.id }

// Salt keys the hash of the response: NewResponseHash.
func (m *Payment) Salt() [32]byte { return m.round.salt }

// MaxCost is what was reserved.
func (m *Payment) MaxCost() ledger.Amount { return m.round.maxCost }

// Hello begins the round's pay stream.
func (m *Payment) Hello() Hello { return Hello{m.at.id, m.at.epoch, m.round.id} }
