package channel

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/culvert-net/culvert/internal/kv"
	"github.com/culvert-net/culvert/ledger"
	"github.com/culvert-net/culvert/ledger/signers"
)

// PayerConfig says from what and how rounds are paid.
type PayerConfig struct {
	Store  Store
	Chain  Chain
	Domain ledger.Domain

	// Key is the session key of an address.
	Key func(ledger.Address) (*ledger.Key, error)

	// Owner names this process among those that share the store; no two that
	// run have the same name. What it left running is aborted when it starts.
	Owner string

	// Window is the most that a channel's vouchers may be ahead of what was
	// received: what a provider can take with it.
	Window ledger.Amount

	// WindowTokens is the window of a channel as so many standard output tokens at
	// its locked price, where that is more than Window.
	WindowTokens uint64
}

// Payer is the client's side of all its channels.
type Payer struct {
	PayerConfig
	signers  *signers.Checker // providers
	receipts *receipts
}

var (
	// ErrNoChannel says that no channel that is held can pay for a round.
	ErrNoChannel = errors.New("no open channel with this provider covers the round; buy one, or top one up")

	// ErrFunds says that the deposit does not cover a round beside those that
	// run.
	ErrFunds = errors.New("the channel's deposit does not cover this round; top it up, or lower max_tokens")

	// ErrWindow says that a round would need more ahead than the payer risks.
	ErrWindow = errors.New("the round would need more paid ahead than the window; wait for others to end, lower max_tokens, or raise the window")

	// ErrResync says that the provider's books have to be asked first.
	ErrResync = errors.New("the channel has to be compared with its provider before the next round")

	// ErrClosing says that a channel opens no more rounds.
	ErrClosing = errors.New("the channel is closing or closed; use another")

	// ErrMismatch says that the provider's books cannot be ours. Leave it.
	ErrMismatch = errors.New("the provider's books of this channel do not fit ours; close it and leave the provider")

	// ErrRunning says that rounds have to end first.
	ErrRunning = errors.New("rounds of this channel are running; wait until they have ended")

	// ErrNoRound says that a round is not in the books.
	ErrNoRound = errors.New("no such round")
)

// A ShortError says by how much a round is not covered.
type ShortError struct {
	Err  error         // ErrFunds or ErrWindow
	Cost ledger.Amount // at most, of the round
	Left ledger.Amount // of the deposit or the window, for it
}

func (e *ShortError) Error() string { return e.Err.Error() }

func (e *ShortError) Unwrap() error { return e.Err }

// NewPayer checks the configuration. Start comes before anything else.
func NewPayer(c PayerConfig) (*Payer, error) {
	if c.Store == nil || c.Chain == nil || c.Key == nil {
		return nil, errors.New("payer: store, chain and keys are needed")
	}
	if err := checkOwner(c.Owner); err != nil {
		return nil, fmt.Errorf("payer: %w", err)
	}
	return &Payer{PayerConfig: c, signers: signers.New(), receipts: &receipts{of: make(map[place]*Accepted)}}, nil
}

// Start ends what this process left running when it ended the last time: those
// rounds are ABORTED. On a restored copy all counters jump, so that none is used
// twice, and each channel is compared with its provider before its next round.
func (p *Payer) Start(ctx context.Context, now time.Time) error {
	if p.Store.Restored() {
		if err := p.jump(ctx); err != nil {
			return fmt.Errorf("payer: restored store: %w", err)
		}
	}
	err := pages(ctx, p.Store, payerRunning, ownerKey(p.Owner, nil), func(tx kv.Tx, key, _ []byte) error {
		return p.abandon(tx, now, key, len(p.Owner)+1)
	})
	if err != nil {
		return fmt.Errorf("payer: rounds of the last run: %w", err)
	}
	return nil
}

func (p *Payer) jump(ctx context.Context) error {
	err := p.Store.Do(ctx, func(tx kv.Tx) error { return tx.Put(payerMeta, metaRestored, nil) })
	if err != nil {
		return err
	}
	return pages(ctx, p.Store, payerBooks, nil, func(tx kv.Tx, key, _ []byte) error {
		at, _, err := placeOf(key)
		if err != nil {
			return err
		}
		a, _, err := loadAccount(tx, at)
		if err != nil {
			return err
		}
		a.mustSync, a.forgot = true, true
		a.adopted = false
		a.track.next = min(a.track.next+Jump, maxSeq)
		return a.save(tx, at)
	})
}

// Sweep is for now and then: it aborts rounds whose time is over, those of this process
// before others that share the store take it for gone.
func (p *Payer) Sweep(ctx context.Context, now time.Time) error {
	if err := p.Flush(ctx); err != nil {
		return err
	}
	err := pages(ctx, p.Store, payerRunning, nil, func(tx kv.Tx, key, value []byte) error {
		var due deadline
		if err := decode(value, &due); err != nil {
			return fmt.Errorf("%w: %w", kv.ErrDamaged, err)
		}
		i := bytes.IndexByte(key, 0)
		if i < 0 {
			return fmt.Errorf("%w: a running round without an owner", kv.ErrDamaged)
		}
		late := now.Sub(timeOf(due.at))
		switch own := string(key[:i]) == p.Owner; {
		case own && late > lapse/2: // nobody was killed: a provider has drawn it out
			at, seq, err := runningOf(key, i+1)
			if err != nil {
				return err
			}
			return p.abort(tx, now, at, seq, ledger.MaxAmount)
		case !own && late > lapse:
			return p.abandon(tx, now, key, i+1)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("payer: rounds that lapsed: %w", err)
	}
	return nil
}

// abandon aborts a round whose process is gone. It may have cost all that was
// reserved: nobody knows what arrived.
func (p *Payer) abandon(tx kv.Tx, now time.Time, key []byte, from int) error {
	at, seq, err := runningOf(key, from)
	if err != nil {
		return err
	}
	b, err := p.running(tx, at, seq)
	if err != nil || b.state != RoundSent {
		return err
	}
	a, _, err := loadAccount(tx, at)
	if err != nil {
		return err
	}
	a.orphaned = ledger.MinAmount(sumCapped(a.orphaned, b.maxCost), p.WindowOf(b.locked))
	if err := a.save(tx, at); err != nil {
		return err
	}
	return p.abort(tx, now, at, seq, ledger.MaxAmount)
}

// runningOf is which round a key of payerRunning is for, behind its owner.
func runningOf(key []byte, from int) (at place, seq uint64, err error) {
	at, rest, err := placeOf(key[from:])
	if err == nil && len(rest) != 8 {
		err = fmt.Errorf("%w: a running round of %d bytes", kv.ErrDamaged, len(key))
	}
	if err != nil {
		return at, 0, err
	}
	return at, binary.BigEndian.Uint64(rest), nil
}

// WindowOf is the window of a channel that is locked at a price.
func (p *Payer) WindowOf(locked ledger.Amount) ledger.Amount {
	tokens, err := ledger.ModelPrice{Output: locked}.Cost(ledger.Usage{Output: p.WindowTokens}, locked, locked)
	if errors.Is(err, ledger.ErrCostTooLarge) {
		tokens = ledger.MaxAmount
	}
	return maxAmount(p.Window, tokens) // at no price tokens are worth nothing
}

// Hold adds a channel that was bought, or is about to be. It may be called again,
// and is for each purchase: what the provider asks for from then on is agreed to.
func (p *Payer) Hold(ctx context.Context, provider, key, funder ledger.Address) (ledger.ChannelID, error) {
	id := ledger.ChannelOf(provider, key, funder)
	if _, err := p.Key(key); err != nil {
		return id, fmt.Errorf("channel %s: %w", id, err)
	}
	err := p.Store.Do(ctx, func(tx kv.Tx) error {
		if err := forgetPrices(tx, id); err != nil {
			return err
		}
		return put(tx, payerChannels, heldKey(provider, key, id), &held{provider, key, funder})
	})
	return id, err
}

// Keep holds a channel whose session key was brought from elsewhere, unless it is
// held already: that it is looked at again agrees to no price. What was signed there
// is not known here, so the provider's books are compared before the first round.
func (p *Payer) Keep(ctx context.Context, provider, key, funder ledger.Address) error {
	id := ledger.ChannelOf(provider, key, funder)
	if _, err := p.Key(key); err != nil {
		return fmt.Errorf("channel %s: %w", id, err)
	}
	at := heldKey(provider, key, id)
	return p.Store.Do(ctx, func(tx kv.Tx) error {
		if _, err := tx.Get(payerChannels, at); !errors.Is(err, kv.ErrNotFound) {
			return err // nil: it is held
		}
		if err := tx.Put(payerMeta, broughtKey(id), nil); err != nil {
			return err
		}
		return put(tx, payerChannels, at, &held{provider, key, funder})
	})
}

// Choose is the channel with a provider, paid by a session key, that has the
// most left for a round of at most maxCost.
func (p *Payer) Choose(ctx context.Context, provider, key ledger.Address, maxCost ledger.Amount) (best ledger.ChannelID, err error) {
	found := false
	err = p.Store.View(ctx, func(tx kv.Tx) error {
		var most ledger.Amount
		return tx.Scan(payerChannels, append(provider[:], key[:]...), func(k, _ []byte) error {
			id := ledger.ChannelID(k[len(k)-32:])
			c, ok := p.Chain.Channel(id)
			if !ok || c.CloseAt != 0 {
				return nil
			}
			a, _, err := loadAccount(tx, place{id, c.Epoch})
			if err != nil || a.closing {
				return err
			}
			used, err := sum(a.spent, a.unsettled, a.reserved)
			if err != nil {
				return err
			}
			left := over(c.Deposited, used)
			if left.Less(maxCost) || found && !most.Less(left) {
				return nil
			}
			best, most, found = id, left, true
			return nil
		})
	})
	if err == nil && !found {
		err = ErrNoChannel
	}
	return best, err
}

// session is the key that signs for a channel.
func (p *Payer) session(c ledger.Channel) (*ledger.Key, error) {
	key, err := p.Key(c.Key)
	if err != nil {
		return nil, fmt.Errorf("channel %s: %w", c.ID, err)
	}
	if key.Address() != c.Key {
		return nil, fmt.Errorf("channel %s: the key is another's", c.ID)
	}
	return key, nil
}
