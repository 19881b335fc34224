package channel

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/culvert-net/culvert/internal/kv"
	"github.com/culvert-net/culvert/ledger"
)

// Balance is one channel as its payer sees it.
type Balance struct {
	Channel   ledger.ChannelID
	Provider  ledger.Address
	Key       ledger.Address
	Funder    ledger.Address
	Epoch     uint32
	Known     bool // the contract has it
	Deposited ledger.Amount
	Claimed   ledger.Amount
	CloseAt   uint64        // Unix seconds from which it can be refunded; zero: nobody asked
	Spent     ledger.Amount // what rounds cost, by our figures
	Reserved  ledger.Amount // what running rounds may cost
	Unsettled ledger.Amount // what aborted rounds may have cost
	ByWord    ledger.Amount // of Spent: what aborted rounds cost by the provider's word alone
	Promised  ledger.Amount // by vouchers: what the provider can take
	Disputed  ledger.Amount // what it wanted and we did not pay
	Free      ledger.Amount // for new rounds
	Running   uint32
	Closing   bool
	MustSync  bool
}

// Balances lists the channels that are held.
func (p *Payer) Balances(ctx context.Context) ([]Balance, error) {
	var list []Balance
	err := p.Store.View(ctx, func(tx kv.Tx) error {
		list = nil
		return tx.Scan(payerChannels, nil, func(key, value []byte) error {
			var h held
			if err := decode(value, &h); err != nil {
				return fmt.Errorf("%w: %w", kv.ErrDamaged, err)
			}
			b := Balance{Channel: ledger.ChannelOf(h.provider, h.key, h.funder), Provider: h.provider, Key: h.key, Funder: h.funder}
			c, ok := p.Chain.Channel(b.Channel)
			b.Known, b.Epoch, b.Deposited, b.Claimed, b.CloseAt = ok, c.Epoch, c.Deposited, c.Claimed, c.CloseAt
			a, _, err := loadAccount(tx, place{b.Channel, c.Epoch})
			if err != nil {
				return err
			}
			b.Spent, b.Reserved, b.Unsettled, b.Promised, b.Disputed = a.spent, a.reserved, a.unsettled, a.promised, a.disputed
			b.ByWord = a.believed
			b.Running, b.Closing, b.MustSync = a.running, a.closing, a.mustSync
			if !a.closing && c.CloseAt == 0 {
				b.Free = over(c.Deposited, sumCapped(a.spent, a.reserved, a.unsettled))
			}
			list = append(list, b)
			return nil
		})
	})
	return list, err
}

// RoundInfo is one round in the history.
type RoundInfo struct {
	Round     ledger.RoundID
	Channel   ledger.ChannelID
	Epoch     uint32
	Seq       uint64
	Provider  ledger.Address
	Model     string
	State     RoundState
	Status    ledger.Status // when it has ended
	Opened    time.Time
	Ended     time.Time // zero: it runs
	MaxCost   ledger.Amount
	Cost      ledger.Amount // by our figure
	Claimed   ledger.Amount // by the provider's
	Input     uint64
	Cached    uint64
	Output    uint64
	Reason    Reason
	Confirmed bool // the provider holds a voucher that pays for it

	// Contradicted says that the provider signed two different results of it; both
	// are kept.
	Contradicted bool
}

// Rounds lists the last rounds of all channels, the newest first.
func (p *Payer) Rounds(ctx context.Context, limit int) ([]RoundInfo, error) {
	limit = min(limit, maxHistory)
	var list []RoundInfo
	err := p.Store.View(ctx, func(tx kv.Tx) error {
		list = nil
		return tx.Scan(payerHistory, nil, func(_, where []byte) error {
			if len(list) >= limit {
				return errStop
			}
			info, _, err := p.info(tx, where)
			list = append(list, info)
			return err
		})
	})
	if errors.Is(err, errStop) {
		err = nil
	}
	return list, err
}

// info reads the round at a place.
func (p *Payer) info(tx kv.Tx, where []byte) (i RoundInfo, b *bought, err error) {
	at, rest, err := placeOf(where)
	if err != nil || len(rest) != 8 {
		return i, nil, errors.Join(err, kv.ErrDamaged)
	}
	if b, err = p.running(tx, at, binary.BigEndian.Uint64(rest)); err != nil {
		return i, nil, err
	}
	a, _, err := loadAccount(tx, at)
	if err != nil {
		return i, nil, err
	}
	a.heard(p.receipts.last(at))
	i = RoundInfo{
		Round: b.id, Channel: at.id, Epoch: at.epoch, Seq: b.seq, Provider: b.provider, Model: b.price.Model, State: b.state,
		Status: b.leaf.Status, Opened: timeOf(b.opened), MaxCost: b.maxCost, Cost: b.leaf.Cost, Input: b.leaf.Input,
		Cached: b.leaf.Cached, Output: b.leaf.Output, Reason: b.reason,
	}
	if b.state != RoundSent {
		i.Ended = timeOf(b.ended)
		i.Confirmed = b.state == RoundDone && !a.acked.Less(b.due)
	}
	if b.result != nil {
		i.Claimed = b.result.Message.Cost
	}
	i.Contradicted, err = has(tx, payerWords, b.id[:])
	return i, b, err
}

// Disputes lists the last disputes, the newest first.
func (p *Payer) Disputes(ctx context.Context, limit int) ([]Dispute, error) {
	limit = min(limit, maxHistory)
	var list []Dispute
	err := p.Store.View(ctx, func(tx kv.Tx) error {
		list = nil
		return tx.Scan(payerDisputes, nil, func(key, value []byte) error {
			if len(list) >= limit {
				return errStop
			}
			var d dispute
			if err := decode(value, &d); err != nil || len(key) != 8+16 {
				return errors.Join(err, kv.ErrDamaged)
			}
			list = append(list, Dispute{
				timeOf(newestTime(key)), ledger.RoundID(key[8:]), d.provider, d.model, d.reason, d.claimed, d.paid,
			})
			return nil
		})
	})
	if errors.Is(err, errStop) {
		err = nil
	}
	return list, err
}

// Opening proves one round to somebody else, without the others: the leaf is
// under the root of a voucher that the session key signed. Who has the request
// and the response computes their hashes with the salt.
type Opening struct {
	Info    RoundInfo
	Leaf    ledger.Leaf
	Index   uint64
	Size    uint64 // of the log under the voucher
	Proof   []ledger.Hash
	Voucher ledger.Signed[ledger.Voucher]
	Result  *ledger.Signed[ledger.Result] // the provider's word; nil: there is none
	Words   *Contradiction                // its two words, if it said two
	Salt    [32]byte
}

// Verify reports whether the opening proves what it says, for a session key.
func (o Opening) Verify(d ledger.Domain, key ledger.Address) error {
	if signer, err := o.Voucher.Signer(d); err != nil || signer != key {
		return ledger.ErrSignature
	}
	return ledger.VerifyInclusion(o.Voucher.Message.Transcript, o.Size, o.Index, o.Leaf.Hash(), o.Proof)
}

// ErrNotCovered says that a round is not in a voucher's log yet: an earlier one
// is running.
var ErrNotCovered = errors.New("the round is not under a voucher yet; rounds before it have to end first")

// Show opens one round.
func (p *Payer) Show(ctx context.Context, id ledger.RoundID) (o Opening, err error) {
	var at place
	var a *account
	var signer ledger.Address
	var leaves []ledger.Hash
	err = p.Store.View(ctx, func(tx kv.Tx) error {
		where, err := tx.Get(payerIDs, id[:])
		if errors.Is(err, kv.ErrNotFound) {
			return ErrNoRound
		}
		if err != nil {
			return err
		}
		info, b, err := p.info(tx, where)
		if err != nil {
			return err
		}
		at, signer = place{info.Channel, info.Epoch}, b.key
		leaves = nil
		if a, _, err = loadAccount(tx, at); err != nil {
			return err
		}
		o = Opening{Info: info, Leaf: b.leaf, Size: a.covered, Result: b.result, Salt: b.salt}
		found := false
		err = tx.Scan(payerLeaves, at.key(), func(_, value []byte) error {
			if uint64(len(leaves)) == a.covered {
				return errStop
			}
			if len(value) != 8+32 {
				return fmt.Errorf("%w: a leaf of %d bytes", kv.ErrDamaged, len(value))
			}
			if binary.BigEndian.Uint64(value) == b.seq {
				o.Index, found = uint64(len(leaves)), true
			}
			leaves = append(leaves, ledger.Hash(value[8:]))
			return nil
		})
		if err != nil && !errors.Is(err, errStop) {
			return err
		}
		if b.state == RoundSent || !found {
			return ErrNotCovered
		}
		var w words
		contradicted, err := get(tx, payerWords, id[:], &w)
		if contradicted {
			c := w.contradiction()
			o.Words = &c
		}
		if err != nil {
			return err
		}
		return nil
	})
	if err != nil {
		return Opening{}, fmt.Errorf("round %s: %w", id, err)
	}
	key, err := p.Key(signer)
	if err != nil {
		return Opening{}, fmt.Errorf("round %s: %w", id, err)
	}
	o.Proof = ledger.ProveInclusion(leaves, int(o.Index))
	o.Voucher = ledger.Sign(at.settled(a), p.Domain, key)
	return o, nil
}
