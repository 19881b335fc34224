package channel

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/culvert-net/culvert/internal/kv"
	"github.com/culvert-net/culvert/ledger"
	"github.com/culvert-net/culvert/ledger/signers"
)

// PayeeConfig says for whom and how rounds are admitted.
type PayeeConfig struct {
	Store  Store
	Chain  Chain
	Domain ledger.Domain
	Key    *ledger.Key // the provider's: signs results and releases

	// Owner names this process among those that share the store; no two that
	// run have the same name. What it left running is aborted when it starts.
	Owner string

	// Sheet is the price sheet of a digest: one of this provider's, in force or
	// not.
	Sheet func(digest ledger.Hash) (*ledger.Sheet, bool)

	// AllowanceCap is the most that one funder may owe. Zero: everybody pays
	// ahead.
	AllowanceCap ledger.Amount

	// YoungCap is the most that all funders may owe together who first paid less
	// than a day ago.
	YoungCap ledger.Amount

	// DisputeTime is the contract's, between the wish to close a channel and the
	// refund.
	DisputeTime time.Duration
}

// Payee is the provider's side of all its channels.
type Payee struct {
	PayeeConfig
	self    ledger.Address
	signers *signers.Checker // session keys
}

// NewPayee checks the configuration. Start comes before anything else.
func NewPayee(c PayeeConfig) (*Payee, error) {
	switch {
	case c.Store == nil || c.Chain == nil || c.Key == nil || c.Sheet == nil:
		return nil, errors.New("payee: store, chain, key and sheets are needed")
	case c.DisputeTime <= 0:
		return nil, errors.New("payee: the contract's dispute time is needed")
	}
	if err := checkOwner(c.Owner); err != nil {
		return nil, fmt.Errorf("payee: %w", err)
	}
	return &Payee{PayeeConfig: c, self: c.Key.Address(), signers: signers.New()}, nil
}

// Start ends what this process left running when it ended the last time: those
// rounds are ABORTED and cost nothing. If the store is a restored copy, every
// channel it knows, and every one of existing, is closed for its epoch: results
// may have been signed that it forgot, and a second one for the same round would
// be proof against the provider. existing are all channels of this provider that
// the contract has, read after the copy was put back; what is bought later
// cannot have been forgotten.
func (p *Payee) Start(ctx context.Context, now time.Time, existing []ledger.Channel) error {
	if p.Store.Restored() {
		if err := p.closeRestored(ctx, existing); err != nil {
			return fmt.Errorf("payee: restored store: %w", err)
		}
	}
	err := pages(ctx, p.Store, payeeRunning, ownerKey(p.Owner, nil), func(tx kv.Tx, key, _ []byte) error {
		return p.abandon(tx, now, key, len(p.Owner)+1)
	})
	if err != nil {
		return fmt.Errorf("payee: rounds of the last run: %w", err)
	}
	return nil
}

// Sweep is for now and then, a minute apart: it ends rounds whose process is
// gone, notes who did not pay, and removes what is left of old epochs.
func (p *Payee) Sweep(ctx context.Context, now time.Time) error {
	err := pages(ctx, p.Store, payeeRunning, nil, func(tx kv.Tx, key, value []byte) error {
		var due deadline
		if err := decode(value, &due); err != nil {
			return fmt.Errorf("%w: %w", kv.ErrDamaged, err)
		}
		if !now.After(timeOf(due.at).Add(lapse)) {
			return nil
		}
		for i, c := range key {
			if c == 0 {
				return p.abandon(tx, now, key, i+1)
			}
		}
		return fmt.Errorf("%w: a running round without an owner", kv.ErrDamaged)
	})
	if err != nil {
		return fmt.Errorf("payee: rounds that lapsed: %w", err)
	}
	err = pages(ctx, p.Store, payeeBooks, nil, func(tx kv.Tx, key, _ []byte) error {
		at, _, err := placeOf(key)
		if err != nil {
			return err
		}
		return p.sweepBook(tx, now, at)
	})
	if err != nil {
		return fmt.Errorf("payee: books: %w", err)
	}
	return p.prune(ctx, now)
}

// sweepBook takes the trust from who owes for too long.
func (p *Payee) sweepBook(tx kv.Tx, now time.Time, at place) error {
	b, known, err := loadBook(tx, at)
	if err != nil || !known || b.defaulted || b.owedSince == 0 || now.Before(timeOf(b.owedSince).Add(GiveUpTime)) {
		return err
	}
	b.defaulted = true
	var f funder
	if _, err := get(tx, payeeFunders, b.funder[:], &f); err != nil {
		return err
	}
	f.paid = ledger.Amount{}
	if err := put(tx, payeeFunders, b.funder[:], &f); err != nil {
		return err
	}
	return put(tx, payeeBooks, at.key(), b)
}

// prune removes the rounds of epochs that are over: in them nothing is admitted
// again, so nothing can be signed twice. Within an epoch all are kept, so that
// no id of a round is used twice.
func (p *Payee) prune(ctx context.Context, now time.Time) error {
	var over []place
	err := p.Store.View(ctx, func(tx kv.Tx) error {
		over = nil
		return tx.Scan(payeeBooks, nil, func(key, value []byte) error {
			at, _, err := placeOf(key)
			if err != nil {
				return err
			}
			var b book
			if err := decode(value, &b); err != nil {
				return fmt.Errorf("%w: %w", kv.ErrDamaged, err)
			}
			c, ok := p.Chain.Channel(at.id)
			if ok && c.Epoch > at.epoch && b.running == 0 && now.After(timeOf(b.touched).Add(KeepTime)) {
				over = append(over, at)
			}
			return nil
		})
	})
	if err != nil {
		return fmt.Errorf("payee: old epochs: %w", err)
	}
	for _, at := range over {
		for _, bucket := range []string{payeeRounds, payeeSeqs, payeeBooks} { // the books last: they are what finds the rest
			err := pages(ctx, p.Store, bucket, at.key(), func(tx kv.Tx, key, _ []byte) error {
				return tx.Delete(bucket, key)
			})
			if err != nil {
				return fmt.Errorf("payee: old epochs: %w", err)
			}
		}
	}
	return nil
}

// closeRestored closes what the store knows and what the contract has.
func (p *Payee) closeRestored(ctx context.Context, existing []ledger.Channel) error {
	err := p.Store.Do(ctx, func(tx kv.Tx) error { return tx.Put(payeeMeta, metaRestored, nil) })
	if err != nil {
		return err
	}
	err = pages(ctx, p.Store, payeeBooks, nil, func(tx kv.Tx, key, _ []byte) error {
		at, _, err := placeOf(key)
		if err != nil {
			return err
		}
		b, known, err := loadBook(tx, at)
		if err != nil || !known || b.closed != open {
			return err
		}
		b.closed = forgotten
		return put(tx, payeeBooks, at.key(), b)
	})
	if err != nil {
		return err
	}
	for len(existing) > 0 {
		n := min(page, len(existing))
		err := p.Store.Do(ctx, func(tx kv.Tx) error {
			for _, c := range existing[:n] {
				if c.Provider != p.self {
					continue
				}
				at := place{c.ID, c.Epoch}
				b, known, err := loadBook(tx, at)
				if err != nil {
					return err
				}
				if known {
					continue // closed above
				}
				b.own(c)
				b.closed = forgotten
				if err := put(tx, payeeBooks, at.key(), b); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		existing = existing[n:]
	}
	return nil
}
