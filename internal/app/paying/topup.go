package paying

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/culvert-net/culvert/internal/kv"
	"github.com/culvert-net/culvert/ledger"
)

// TopUp is what may be bought without asking anybody.
type TopUp struct {
	// Amount is added to a channel that has less than half of it left; zero: nothing
	// is bought.
	Amount ledger.Amount

	// Daily is the most within 24 hours, for all channels together.
	Daily ledger.Amount

	// Do adds an amount to a channel, and returns when the chain says so, or why it
	// does not.
	Do func(ctx context.Context, id ledger.ChannelID, amount ledger.Amount) error

	// Store remembers what was bought.
	Store interface {
		Do(ctx context.Context, f func(kv.Tx) error) error
	}
}

// bucketTopUps holds what was bought, or begun to be: time, channel → amount.
const bucketTopUps = "paying-topups"

// errDaily says that the day's limit is used up.
var errDaily = errors.New("the limit of 24 hours is used up")

// low asks for a look at a channel that may have little left. Where too many wait for
// one, the next payment asks again.
func (p *Payer) low(id ledger.ChannelID) {
	if p.cfg.TopUp.Amount.IsZero() {
		return
	}
	select {
	case p.lows <- id:
	default:
	}
}

// topUps buys for channels that have little left, one at a time, until ctx ends.
func (p *Payer) topUps(ctx context.Context) {
	failed := make(map[ledger.ChannelID]time.Time) // when
	for {
		select {
		case <-ctx.Done():
			return
		case id := <-p.lows:
			if time.Since(failed[id]) < topUpPause {
				continue
			}
			if err := p.topUp(ctx, id); err != nil && ctx.Err() == nil {
				failed[id] = time.Now()
				p.cfg.Log.WarnContext(ctx, "a channel that has little left could not be topped up", "channel", id, "err", err)
			}
		}
	}
}

// topUp buys for a channel, if it has little left and the day's limit allows it.
func (p *Payer) topUp(ctx context.Context, id ledger.ChannelID) error {
	all, err := p.cfg.Payer.Balances(ctx)
	if err != nil {
		return err
	}
	for _, b := range all {
		if b.Channel != id || !b.Known || b.Closing || b.CloseAt != 0 || !b.Free.Less(p.cfg.TopUp.Amount.Half()) {
			continue
		}
		if _, left := p.leftFor(b.Provider, time.Now()); left {
			continue
		}
		// It counts from now on, whatever becomes of it: what was sent may arrive late.
		if err := p.cfg.TopUp.Store.Do(ctx, func(tx kv.Tx) error { return p.allot(tx, time.Now(), id) }); err != nil {
			return err
		}
		if err := p.cfg.TopUp.Do(ctx, id, p.cfg.TopUp.Amount); err != nil {
			return err
		}
		p.count(func(c *Counts) { c.ToppedUp++ })
		p.cfg.Log.InfoContext(ctx, "a channel was topped up", "channel", id, "amount", p.cfg.TopUp.Amount.Format())
	}
	return nil
}

// allot takes one amount off the limit of 24 hours.
func (p *Payer) allot(tx kv.Tx, now time.Time, id ledger.ChannelID) error {
	since := uint64(max(0, now.Add(-24*time.Hour).UnixMilli()))
	spent := p.cfg.TopUp.Amount
	var old [][]byte
	err := tx.Scan(bucketTopUps, nil, func(key, value []byte) error {
		if len(key) != 8+32 || len(value) != 12 {
			return fmt.Errorf("%w: bucket %s", kv.ErrDamaged, bucketTopUps)
		}
		if binary.BigEndian.Uint64(key) <= since {
			old = append(old, append([]byte(nil), key...))
			return nil
		}
		sum, err := spent.Add(ledger.AmountOfBytes([12]byte(value)))
		spent = sum
		return err
	})
	if err != nil {
		return err
	}
	if p.cfg.TopUp.Daily.Less(spent) {
		return errDaily
	}
	for _, key := range old {
		if err := tx.Delete(bucketTopUps, key); err != nil {
			return err
		}
	}
	amount := p.cfg.TopUp.Amount.Bytes()
	return tx.Put(bucketTopUps, append(binary.BigEndian.AppendUint64(nil, uint64(now.UnixMilli())), id[:]...), amount[:])
}
