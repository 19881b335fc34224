package claim

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/culvert-net/culvert/internal/kv"
	"github.com/culvert-net/culvert/ledger"
)

// Store is what must survive, as ledger/store has it.
type Store interface {
	// Do runs f, perhaps more than once; what it wrote is durable when nil is
	// returned. After an error it is not there, or (kv.ErrUncertain) may be.
	Do(ctx context.Context, f func(kv.Tx) error) error
}

// Vouchers knows what is due: the provider's side of channels.
type Vouchers interface {
	// Due lists the channels of which something can be claimed, as the chain is
	// believed to be now. Since is not looked at.
	Due(ctx context.Context, now time.Time) ([]Due, error)
}

// Chain sends claims, with the provider's wallet.
type Chain interface {
	// Gas is what gas costs now.
	Gas(ctx context.Context) (Gas, error)

	// Send makes a claim of these vouchers durable under a new id, and sends it.
	// When it returns an id the transaction will happen, also after a crash, once,
	// with a nonce that no other has; fees are raised as it takes. After an
	// error it may have been made all the same: Find tells.
	Send(ctx context.Context, label string, vouchers []ledger.Signed[ledger.Voucher]) (id uint64, err error)

	// Find is the id of what was sent with a label.
	Find(ctx context.Context, label string) (id uint64, found bool, err error)

	// Outcome is what became of it. Done is not said before Vouchers takes the
	// block into account: else it would be claimed twice.
	Outcome(ctx context.Context, id uint64) (Outcome, error)
}

// Outcome is what became of a transaction.
type Outcome uint8

const (
	Open    Outcome = iota // on its way
	Done                   // on the chain for good
	Refused                // on the chain, without effect: gas was paid for nothing
	Lost                   // it will never be there
)

// Config says what is claimed where. All but Log must be there.
type Config struct {
	Rule     Rule
	Store    Store
	Vouchers Vouchers
	Chain    Chain
	Log      *slog.Logger // nil: nobody is told
}

// Claimer claims. It belongs to one goroutine.
type Claimer struct {
	c  Config
	me [16]byte // of this process, among those that share the store

	// most is how many channels the next claim has: fewer after one that could not be
	// sent, since many may cost more than a transaction may, or than the wallet has.
	most int
}

// New makes a Claimer, which does nothing yet.
func New(c Config) (*Claimer, error) {
	set := 0
	for _, is := range []bool{c.Rule.Multiple != 0, !c.Rule.Money.IsZero(), c.Rule.Tokens != 0} {
		if is {
			set++
		}
	}
	if set > 1 {
		return nil, errors.New("the high-water mark of claims is given in gas, in money or in tokens: keep one of them")
	}
	if c.Rule.Age < 0 {
		return nil, errors.New("the age at which something is claimed is not negative; 0 is the default, 6h")
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	o := &Claimer{c: c, most: MaxBatch}
	_, _ = rand.Read(o.me[:]) // never fails
	return o, nil
}

// Run claims what is worth it until the context ends.
func (c *Claimer) Run(ctx context.Context) error {
	for {
		if err := c.Step(ctx, time.Now()); err != nil && ctx.Err() == nil {
			c.c.Log.Warn("nothing can be claimed now; it stays due", "err", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}

// Step looks once: at what is on its way, then at what is due. It can be cut off
// anywhere, and the next one goes on.
func (c *Claimer) Step(ctx context.Context, now time.Time) error {
	// What cannot be followed now stays noted as on its way, so the rest can go on.
	return errors.Join(c.follow(ctx, unix(now)), c.claim(ctx, now))
}

func (c *Claimer) claim(ctx context.Context, now time.Time) error {
	dues, err := c.c.Vouchers.Due(ctx, now)
	if err != nil {
		return fmt.Errorf("what is due: %w", err)
	}
	if len(dues) == 0 {
		return nil
	}
	gas, err := c.c.Chain.Gas(ctx)
	if err != nil {
		return fmt.Errorf("what gas costs: %w", err)
	}
	b, chosen, err := c.plan(ctx, unix(now), gas, dues)
	if err != nil || b == nil {
		return err
	}
	vouchers := make([]ledger.Signed[ledger.Voucher], len(chosen))
	for i, d := range chosen {
		vouchers[i] = d.Voucher
	}
	id, err := c.c.Chain.Send(ctx, b.label(), vouchers)
	if err != nil {
		c.most = max(1, len(b.items)/2)
		return fmt.Errorf("%s: %w", b.label(), err) // the next Step finds out what became of it
	}
	c.most = min(2*c.most, MaxBatch)
	c.c.Log.Info("claimed", "claim", b.number, "channels", len(b.items))
	return c.sent(ctx, b, id)
}

// follow looks at each batch that is on its way.
func (c *Claimer) follow(ctx context.Context, now uint64) error {
	var all []*batch
	err := c.c.Store.Do(ctx, func(tx kv.Tx) (err error) {
		all, err = batches(tx)
		return err
	})
	for _, b := range all {
		if err := c.one(ctx, now, b); err != nil {
			return fmt.Errorf("%s: %w", b.label(), err)
		}
	}
	return err
}

func (c *Claimer) one(ctx context.Context, now uint64, b *batch) error {
	if !b.sent {
		if b.holder != c.me && now < b.until {
			return nil // somebody is sending it right now
		}
		// Whoever planned it was cut off, or Send failed.
		id, found, err := c.c.Chain.Find(ctx, b.label())
		if err != nil {
			return err
		}
		if found {
			return c.sent(ctx, b, id)
		}
		return c.c.Store.Do(ctx, func(tx kv.Tx) error { return finish(tx, now, b, Lost) })
	}
	outcome, err := c.c.Chain.Outcome(ctx, b.id)
	if err != nil || outcome == Open {
		return err
	}
	if outcome != Done {
		c.c.Log.Warn("a claim had no effect; what it was for is due again", "claim", b.number, "refused", outcome == Refused)
	}
	return c.c.Store.Do(ctx, func(tx kv.Tx) error { return finish(tx, now, b, outcome) })
}

// finish forgets a batch. What had no effect is due again, for as long as it
// was.
func finish(tx kv.Tx, now uint64, b *batch, outcome Outcome) error {
	value, err := tx.Get(bucket, b.key())
	if errors.Is(err, kv.ErrNotFound) {
		return nil // another was faster
	}
	if err != nil {
		return err
	}
	if current, err := decodeBatch(b.key(), value); err != nil || current.sent != b.sent {
		return err // it was sent after all
	}
	if err := tx.Delete(bucket, b.key()); err != nil {
		return err
	}
	if outcome == Done {
		return tx.Delete(bucket, []byte{keyWait})
	}
	for _, i := range b.items {
		if err := putNumber(tx, i.channel.since(), i.since); err != nil {
			return err
		}
	}
	if outcome == Lost {
		return nil // it cost nothing
	}
	last, _, err := waiting(tx)
	if err != nil {
		return err
	}
	wait := min(max(2*last, uint64(firstWait/time.Second)), uint64(lastWait/time.Second))
	value = binary.BigEndian.AppendUint64(nil, wait)
	return tx.Put(bucket, []byte{keyWait}, binary.BigEndian.AppendUint64(value, now+wait))
}

// waiting is how long the last wait was, and until when it is.
func waiting(tx kv.Tx) (last, until uint64, err error) {
	b, err := tx.Get(bucket, []byte{keyWait})
	switch {
	case errors.Is(err, kv.ErrNotFound):
		return 0, 0, nil
	case err == nil && len(b) != 16:
		err = fmt.Errorf("how long claims wait: %d bytes: %w", len(b), kv.ErrDamaged)
	}
	if err != nil {
		return 0, 0, err
	}
	return binary.BigEndian.Uint64(b), binary.BigEndian.Uint64(b[8:]), nil
}

// plan decides what to claim and notes it, in one transaction: of two who
// share the store, the second sees what the first has planned. nil: nothing.
func (c *Claimer) plan(ctx context.Context, now uint64, gas Gas, dues []Due) (b *batch, chosen []Due, err error) {
	err = c.c.Store.Do(ctx, func(tx kv.Tx) error {
		b = nil
		all, err := batches(tx)
		if err != nil {
			return err
		}
		left := without(dues, all)
		if err := age(tx, now, left); err != nil {
			return err
		}
		_, until, err := waiting(tx)
		if err != nil || now < until || len(all) >= maxBatches {
			return err
		}
		chosen = Plan(now, c.c.Rule, gas, left)
		if len(chosen) > c.most { // they have to be worth it alone
			chosen = Plan(now, c.c.Rule, gas, chosen[:c.most])
		}
		if len(chosen) == 0 {
			return nil
		}
		next, err := number(tx, []byte{keyNext})
		if err != nil {
			return err
		}
		b = &batch{number: next + 1, holder: c.me, until: now + uint64(leaseTime/time.Second)}
		for _, d := range chosen {
			v := d.Voucher.Message
			b.items = append(b.items, item{keyOf(v), v.Cumulative, d.Since})
			if err := tx.Delete(bucket, keyOf(v).since()); err != nil {
				return err
			}
		}
		return errors.Join(putNumber(tx, []byte{keyNext}, b.number), tx.Put(bucket, b.key(), b.encode()))
	})
	if err != nil {
		return nil, nil, err
	}
	return b, chosen, nil
}

// without is what is due when all that is on its way has arrived.
func without(dues []Due, all []*batch) (left []Due) {
	going := make(map[channelKey]ledger.Amount)
	for _, b := range all {
		for _, i := range b.items {
			if going[i.channel].Less(i.cumulative) {
				going[i.channel] = i.cumulative
			}
		}
	}
	for _, d := range dues {
		arrived := going[keyOf(d.Voucher.Message)]
		more, err := arrived.Sub(d.Claimed)
		if err == nil {
			if d.Unclaimed, err = d.Unclaimed.Sub(more); err != nil {
				continue // all of it
			}
		}
		if !d.Unclaimed.IsZero() {
			left = append(left, d)
		}
	}
	return left
}

// age notes since when channels are due, forgets those that are not any more,
// and tells the others.
func age(tx kv.Tx, now uint64, dues []Due) error {
	known := make(map[string]uint64)
	err := tx.Scan(bucket, []byte{keySince}, func(key, value []byte) error {
		if len(value) != 8 {
			return fmt.Errorf("since when a channel is due: %d bytes: %w", len(value), kv.ErrDamaged)
		}
		known[string(key)] = binary.BigEndian.Uint64(value)
		return nil
	})
	if err != nil {
		return err
	}
	changes := 0
	for i := range dues {
		key := keyOf(dues[i].Voucher.Message).since()
		since, ok := known[string(key)]
		delete(known, string(key))
		if !ok {
			since = now
			if changes++; changes <= maxChanges { // others next time
				if err := putNumber(tx, key, now); err != nil {
					return err
				}
			}
		}
		dues[i].Since = since
	}
	for key := range known {
		if changes++; changes > maxChanges {
			break
		}
		if err := tx.Delete(bucket, []byte(key)); err != nil {
			return err
		}
	}
	return nil
}

// sent notes the id of a batch, unless another has finished it.
func (c *Claimer) sent(ctx context.Context, b *batch, id uint64) error {
	return c.c.Store.Do(ctx, func(tx kv.Tx) error {
		value, err := tx.Get(bucket, b.key())
		if errors.Is(err, kv.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		current, err := decodeBatch(b.key(), value)
		if err != nil || current.sent {
			return err
		}
		current.sent, current.id = true, id
		return tx.Put(bucket, b.key(), current.encode())
	})
}

func unix(t time.Time) uint64 { return uint64(max(t.Unix(), 0)) }
