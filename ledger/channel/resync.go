package channel

import (
	"context"
	"fmt"

	"github.com/culvert-net/culvert/internal/kv"
	"github.com/culvert-net/culvert/ledger"
)

// ResyncAsk asks a channel's provider for its books, while no round of the
// channel runs.
func (p *Payer) ResyncAsk(ctx context.Context, id ledger.ChannelID) (*ResyncAsk, error) {
	at, key, err := p.current(id)
	if err != nil {
		return nil, err
	}
	ask := &ResyncAsk{Channel: at.id, Epoch: at.epoch}
	err = p.Store.View(ctx, func(tx kv.Tx) error {
		a, _, err := loadAccount(tx, at)
		if err == nil && a.running > 0 {
			err = ErrRunning
		}
		ask.Next = a.track.next
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("channel %s: %w", id, err)
	}
	ask.Signature = key.Sign(askDigest(p.Domain, ask.kind(), at.id, at.epoch, ask.Next))
	return ask, nil
}

// current is the channel's epoch, and the key that signs for it.
func (p *Payer) current(id ledger.ChannelID) (at place, key *ledger.Key, err error) {
	c, ok := p.Chain.Channel(id)
	if !ok {
		return at, nil, fmt.Errorf("channel %s: the contract does not have it", id)
	}
	key, err = p.session(c)
	return place{c.ID, c.Epoch}, key, err
}

// Adopt compares a provider's books with ours, while no round of the channel
// runs. What our own signature proves that we forgot is believed, once in an
// epoch (and once again after the store was restored), with a window for what
// was not signed yet; what aborted rounds may have cost is settled at what the
// provider says, up to what we knew they might, and up to one window in an epoch:
// a provider that keeps its results to itself gets no more by its word. Rounds that
// ran when a process of ours was killed are not among those: that no result arrived
// is not the provider's doing. Everything else is ErrMismatch. The voucher, if there
// is one, has to go to the provider.
func (p *Payer) Adopt(ctx context.Context, id ledger.ChannelID, s State) (*ledger.Signed[ledger.Voucher], error) {
	at, key, err := p.current(id)
	if err != nil {
		return nil, err
	}
	c, _ := p.Chain.Channel(id)
	var held ledger.Amount
	if s.Voucher != nil {
		v := s.Voucher.Message
		if signer, err := s.Voucher.Signer(p.Domain); err != nil || signer != key.Address() || v.Channel != at.id || v.Epoch != at.epoch {
			return nil, fmt.Errorf("channel %s: a voucher that is not ours: %w", id, ErrMismatch)
		}
		held = v.Cumulative
	}
	p.receipts.drop(at) // the books say more, and later
	var a *account
	err = p.Store.Do(ctx, func(tx kv.Tx) (err error) {
		if a, _, err = loadAccount(tx, at); err != nil {
			return err
		}
		if a.running > 0 {
			return ErrRunning
		}
		if err := a.adopt(s, held, p.WindowOf(c.Locked)); err != nil {
			return err
		}
		// Nothing runs, so numbers below the next that are not used never will be.
		if err := a.track.endGaps(a.seqs(tx, at), a.track.next); err != nil {
			return err
		}
		a.promise(a.promised)
		return a.save(tx, at)
	})
	if err != nil {
		return nil, fmt.Errorf("channel %s: %w", id, err)
	}
	if !held.Less(a.promised) {
		return nil, nil
	}
	v := p.voucher(at, a, key)
	return &v, nil
}

// adopt is the decision; held is the amount of the provider's voucher.
func (a *account) adopt(s State, held, window ledger.Amount) error {
	if s.Next > a.track.next+maxAhead || s.Next > maxSeq {
		return ErrMismatch
	}
	known := sumCapped(a.spent, a.unsettled)
	gained := over(s.Finished, a.spent)
	word := sumCapped(a.believed, over(gained, a.orphaned))
	switch {
	case a.promised.Less(held) || known.Less(s.Finished) && a.forgot:
		if a.adopted || sumCapped(maxAmount(a.promised, held), window).Less(s.Finished) {
			return ErrMismatch
		}
		a.adopted = true
	case known.Less(s.Finished) || window.Less(word):
		return ErrMismatch
	default:
		a.believed = word
	}
	// What the provider has not finished of our aborted rounds may still come.
	a.unsettled = ledger.MinAmount(over(known, s.Finished), s.Reserved)
	a.orphaned = ledger.MinAmount(over(a.orphaned, gained), a.unsettled)
	a.spent = maxAmount(a.spent, s.Finished)
	a.promised = maxAmount(a.promised, maxAmount(held, a.spent))
	a.acked = held
	a.allowance = s.Allowance
	a.track.next = max(a.track.next, s.Next)
	a.mustSync, a.forgot = false, false
	a.closing = a.closing || s.Closed
	return nil
}

// Leave closes a channel on our side and asks for its release: no round is
// opened in this epoch any more. Rounds that run go on.
func (p *Payer) Leave(ctx context.Context, id ledger.ChannelID) (*ReleaseAsk, error) {
	at, key, err := p.current(id)
	if err != nil {
		return nil, err
	}
	err = p.Store.Do(ctx, func(tx kv.Tx) error {
		a, _, err := loadAccount(tx, at)
		if err != nil {
			return err
		}
		a.closing = true
		return a.save(tx, at)
	})
	if err != nil {
		return nil, fmt.Errorf("channel %s: %w", id, err)
	}
	ask := &ReleaseAsk{Channel: at.id, Epoch: at.epoch}
	ask.Signature = key.Sign(askDigest(p.Domain, ask.kind(), at.id, at.epoch, 0))
	return ask, nil
}

// Released checks a release before it is brought to the chain: it is the
// provider's, and for no more than we think that we owe.
func (p *Payer) Released(ctx context.Context, r ledger.Signed[ledger.Release]) error {
	c, ok := p.Chain.Channel(r.Message.Channel)
	if signer, err := r.Signer(p.Domain); !ok || err != nil || signer != c.Provider || r.Message.Epoch != c.Epoch {
		return fmt.Errorf("channel %s: the release is not its provider's, or of another epoch", r.Message.Channel)
	}
	return p.Store.View(ctx, func(tx kv.Tx) error {
		a, _, err := loadAccount(tx, place{c.ID, c.Epoch})
		if err != nil {
			return err
		}
		if a.running > 0 {
			return ErrRunning
		}
		// Of what nobody has a result for no more is paid here than by a comparison.
		word := ledger.MinAmount(a.unsettled, sumCapped(a.orphaned, over(p.WindowOf(c.Locked), a.believed)))
		if owed := maxAmount(sumCapped(a.spent, word), c.Claimed); owed.Less(r.Message.FinalCumulative) {
			return fmt.Errorf("channel %s: the release takes %s, and we owe %s: %w; close it without consent instead",
				c.ID, r.Message.FinalCumulative.Format(), owed.Format(), ErrMismatch)
		}
		return nil
	})
}
