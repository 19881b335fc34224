package channel

import (
	"context"
	"fmt"
	"time"

	"github.com/culvert-net/culvert/internal/kv"
	"github.com/culvert-net/culvert/ledger"
)

// Answer is what a provider replies to one frame of a pay stream that began
// with hello; nil: nothing. A Hello is answered with the round's result if there
// is one already, so that a payer that was cut off gets it.
func (p *Payee) Answer(ctx context.Context, now time.Time, hello Hello, f Frame) Frame {
	reply, err := p.answer(ctx, now, hello, f)
	if err != nil {
		return frameOf(err)
	}
	return reply
}

func (p *Payee) answer(ctx context.Context, now time.Time, hello Hello, f Frame) (Frame, error) {
	switch f := f.(type) {
	case *Hello:
		r, found, err := p.Result(ctx, f.Channel, f.Epoch, f.Round)
		if err != nil || !found {
			return nil, err
		}
		return &ResultFrame{r}, nil
	case *VoucherFrame:
		if f.Voucher.Message.Channel != hello.Channel {
			return nil, refuse(CodeInvalid, "the voucher is for another channel than the stream")
		}
		a, err := p.Voucher(ctx, now, f.Voucher)
		if err != nil {
			return nil, err
		}
		return &a, nil
	case *ResyncAsk:
		s, err := p.Resync(ctx, now, *f)
		if err != nil {
			return nil, err
		}
		return &s, nil
	case *ReleaseAsk:
		r, err := p.Release(ctx, now, *f)
		if err != nil {
			return nil, err
		}
		return &ReleaseFrame{r}, nil
	default:
		return nil, refuse(CodeInvalid, "a payer sends no such frame")
	}
}

// Result is the signed result of a round, if it is finished.
func (p *Payee) Result(ctx context.Context, id ledger.ChannelID, epoch uint32, round ledger.RoundID) (r ledger.Signed[ledger.Result], found bool, err error) {
	at := place{id, epoch}
	var s served
	err = p.Store.View(ctx, func(tx kv.Tx) error {
		s = served{}
		found, err = get(tx, payeeRounds, at.with(round[:]...), &s)
		return err
	})
	if err != nil || !found || s.state != finished {
		return r, false, err
	}
	return p.sign(s.result(at, round)), true, nil
}

// sessionKey is whose signatures count on a channel, as the contract has it or, since
// the chain may have lost the purchase again, the books. It is the same, always: a
// channel's id is made of it.
func (p *Payee) sessionKey(ctx context.Context, at place) (key ledger.Address, err error) {
	c, refused := p.channel(at)
	if refused == nil {
		return c.Key, nil
	}
	known := false
	err = p.Store.View(ctx, func(tx kv.Tx) error {
		var b *book
		if b, known, err = loadBook(tx, at); err != nil {
			return err
		}
		key = b.key
		return nil
	})
	if err == nil && !known {
		err = refused
	}
	return key, err
}

// Voucher takes a voucher: it is on the disk when Voucher returns. One of a
// smaller amount than one that is there is a success that changes nothing.
func (p *Payee) Voucher(ctx context.Context, now time.Time, v ledger.Signed[ledger.Voucher]) (a Accepted, err error) {
	at := place{v.Message.Channel, v.Message.Epoch}
	key, err := p.sessionKey(ctx, at)
	if err != nil {
		return a, err
	}
	if err := p.checkVoucher(key, at, v); err != nil {
		return a, err
	}
	err = p.Store.Do(ctx, func(tx kv.Tx) error {
		c, _ := p.Chain.Channel(at.id)
		b, err := p.meet(tx, c, at, &v)
		if err != nil {
			return err
		}
		if b.key != key { // it is new, and the chain has just lost it
			return refuse(CodeChannel, "the contract has no such channel any more")
		}
		b.take(v)
		if err := b.save(tx, now, at, p.deposited(at)); err != nil {
			return err
		}
		allowed, err := p.allowance(tx, now, b)
		a = Accepted{b.promised(), allowed}
		return err
	})
	return a, err
}

// Resync tells a payer what the books say of its channel. What it sent and has
// not come by then is not admitted any more: the payer counts on what it is
// told.
func (p *Payee) Resync(ctx context.Context, now time.Time, ask ResyncAsk) (s State, err error) {
	at := place{ask.Channel, ask.Epoch}
	if err := p.checkAsk(ctx, at, ask.kind(), ask.Next, ask.Signature); err != nil {
		return s, err
	}
	if ask.Next > maxSeq {
		return s, refuse(CodeSeq, errSeqUsed.Error())
	}
	err = p.Store.Do(ctx, func(tx kv.Tx) error {
		b, known, err := loadBook(tx, at)
		if err != nil {
			return err
		}
		if !known {
			c, err := p.channel(at)
			if err != nil {
				return err
			}
			b.own(c)
		}
		if err := b.track.raise(b.seqs(tx, at), ask.Next); err != nil {
			return err
		}
		if err := put(tx, payeeBooks, at.key(), b); err != nil {
			return err
		}
		allowed, err := p.allowance(tx, now, b)
		s = State{
			Voucher: b.best, Finished: b.finished, Reserved: b.reserved, Next: b.track.next,
			Allowance: allowed, Closed: b.closed != open,
		}
		return err
	})
	return s, err
}

func (p *Payee) checkAsk(ctx context.Context, at place, kind uint8, next uint64, s ledger.Signature) error {
	key, err := p.sessionKey(ctx, at)
	if err != nil {
		return err
	}
	if !p.signers.Signed(key, askDigest(p.Domain, kind, at.id, at.epoch, next), s) {
		return refuse(CodeInvalid, "the question is not signed by the channel's session key")
	}
	return nil
}

// Release consents to close the channel at what its rounds cost. The channel is
// closed for its epoch, on the disk, before the signature is made, and stays so
// whether the release is used or not; asked again, it is the same amount with a
// new deadline. While a round runs it is refused.
func (p *Payee) Release(ctx context.Context, now time.Time, ask ReleaseAsk) (r ledger.Signed[ledger.Release], err error) {
	at := place{ask.Channel, ask.Epoch}
	if err := p.checkAsk(ctx, at, ask.kind(), 0, ask.Signature); err != nil {
		return r, err
	}
	var final ledger.Amount
	until := unix(now.Add(ReleaseTime))
	err = p.Store.Do(ctx, func(tx kv.Tx) error {
		c, err := p.channel(at)
		if err != nil {
			return err
		}
		b, known, err := loadBook(tx, at)
		if err != nil {
			return err
		}
		if !known {
			b.own(c)
		}
		if b.running > 0 {
			return refuse(CodeBusy, "rounds are running; ask again when they have ended")
		}
		if b.closed != released {
			b.final = maxAmount(b.finished, c.Claimed)
			if b.closed == forgotten { // what was forgotten was promised, at least
				b.final = maxAmount(b.final, b.promised())
			}
			if c.Deposited.Less(b.final) {
				b.final = c.Deposited
			}
			b.closed, b.consented = released, unix(now)
		}
		// A claim may have come in between: below it the contract consents to nothing.
		b.final, b.until = maxAmount(b.final, c.Claimed), until
		final = b.final
		return b.save(tx, now, at, p.deposited(at))
	})
	if err != nil {
		return r, err
	}
	return ledger.Sign(ledger.Release{Channel: at.id, Epoch: at.epoch, FinalCumulative: final, Deadline: until}, p.Domain, p.Key), nil
}

// Claim is what a channel still owes the provider on the chain.
type Claim struct {
	Channel   ledger.ChannelID
	Epoch     uint32
	Voucher   ledger.Signed[ledger.Voucher] // of what was earned, if the payer has confirmed that
	Claimed   ledger.Amount
	Unclaimed ledger.Amount // of the voucher, within the deposit
	CloseAt   uint64        // Unix seconds from which the payer can take the rest back; zero: nobody asked
}

// Claims lists the channels of which something can be claimed now. One with a
// release waits for its deadline, but not for that of a second release, nor while the
// channel is being closed without consent: whoever asks for release after release
// would put the claim off until the refund.
func (p *Payee) Claims(ctx context.Context, now time.Time) ([]Claim, error) {
	var list []Claim
	err := p.eachBook(ctx, func(at place, b *book) error {
		c, ok := p.Chain.Channel(at.id)
		v := b.due(now, c.CloseAt != 0)
		if !ok || c.Epoch != at.epoch || v == nil {
			return nil
		}
		left := over(ledger.MinAmount(v.Message.Cumulative, c.Deposited), c.Claimed)
		if !left.IsZero() {
			list = append(list, Claim{at.id, at.epoch, *v, c.Claimed, left, c.CloseAt})
		}
		return nil
	})
	return list, err
}

// Account is a channel as its provider sees it.
type Account struct {
	Channel  ledger.ChannelID
	Epoch    uint32
	Funder   ledger.Address
	Promised ledger.Amount // by the best voucher
	Finished ledger.Amount // what finished rounds cost
	Reserved ledger.Amount // what running ones may
	Owed     ledger.Amount // of what is finished, by no voucher
	Since    time.Time     // when that began; zero: nothing is owed
	Unpaid   bool          // for so long that the funder lost its allowance
	Closed   bool          // for the epoch
	Root     ledger.Hash   // of the log of rounds
}

// Accounts lists all channels of all epochs that are kept.
func (p *Payee) Accounts(ctx context.Context) ([]Account, error) {
	var list []Account
	err := p.eachBook(ctx, func(at place, b *book) error {
		a := Account{
			Channel: at.id, Epoch: at.epoch, Funder: b.funder, Promised: b.promised(), Finished: b.finished, Reserved: b.reserved,
			Owed: over(b.finished, b.promised()), Unpaid: b.defaulted, Closed: b.closed != open, Root: b.track.log.Root(),
		}
		if b.owedSince != 0 {
			a.Since = timeOf(b.owedSince)
		}
		list = append(list, a)
		return nil
	})
	return list, err
}

func (p *Payee) eachBook(ctx context.Context, f func(place, *book) error) error {
	return p.Store.View(ctx, func(tx kv.Tx) error {
		return tx.Scan(payeeBooks, nil, func(key, value []byte) error {
			at, _, err := placeOf(key)
			if err != nil {
				return err
			}
			var b book
			if err := decode(value, &b); err != nil {
				return fmt.Errorf("%w: %w", kv.ErrDamaged, err)
			}
			return f(at, &b)
		})
	})
}
