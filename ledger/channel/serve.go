package channel

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/culvert-net/culvert/internal/kv"
	"github.com/culvert-net/culvert/ledger"
)

// ErrForgotten says that no result is signed on a channel of a restored store.
var ErrForgotten = errors.New("the store was restored: on this channel nothing is signed any more")

// ID is the round's.
func (r *Round) ID() ledger.RoundID { return r.request.RoundID }

// Channel is where the round is paid, and the channel's epoch.
func (r *Round) Channel() (ledger.ChannelID, uint32) { return r.at.id, r.at.epoch }

// OutputBound is the most output tokens that the round covers. The provider
// enforces it even where the body has no limit.
func (r *Round) OutputBound() uint64 { return r.served.bound }

// Cost is what usage costs in this round, at most what was reserved.
func (r *Round) Cost(u ledger.Usage) ledger.Amount {
	cost, err := r.served.price.Cost(u, r.served.locked, r.served.unit)
	if err != nil {
		return r.served.maxCost
	}
	return ledger.MinAmount(cost, r.served.maxCost)
}

// Step says what to do with the next piece of an answer.
type Step uint8

const (
	Go    Step = iota // send it
	Pause             // wait a little, and ask again with the same usage
	End               // end the answer; Finish as partial, insufficient_quota
)

// watch is what a running round remembers between two looks at the books.
type watch struct {
	mu     sync.Mutex
	looked time.Time     // when it last did; zero: never
	room   ledger.Amount // partial costs up to here need no look
	asked  ledger.Amount // the largest amount that was asked for
	paused time.Time     // since when it waits; zero: it does not
}

// Progress is called before a piece of the answer is sent, with what the round
// used by then. It looks at the books now and then, and says whether to go on;
// ask, if it is not nil, is for the pay stream.
func (r *Round) Progress(ctx context.Context, now time.Time, u ledger.Usage) (step Step, ask *Ask, err error) {
	w := &r.watch
	w.mu.Lock()
	defer w.mu.Unlock()
	if unixMilli(now) >= r.served.deadline {
		return End, nil, nil
	}
	partial := r.Cost(u)
	if w.paused.IsZero() && !w.looked.IsZero() && !w.room.Less(partial) && now.Sub(w.looked) < checkTime {
		return Go, nil, nil
	}
	var f funds
	err = r.p.Store.View(ctx, func(tx kv.Tx) error {
		f, err = r.p.funds(tx, now, r.at)
		return err
	})
	if err != nil {
		return End, nil, fmt.Errorf("round %s: %w", r.ID(), err)
	}
	w.note(now, f)
	used, err := f.finished.Add(partial)
	if err != nil {
		return End, nil, err
	}
	soft := f.soft()
	hard := ledger.MinAmount(f.deposited, sumCapped(f.promised, f.allowed))
	wanted := used
	if f.allowed.IsZero() { // no look is worth less than the whole round then
		wanted = sumCapped(f.finished, r.served.maxCost)
	}
	if soft.Less(used) && w.asked.Less(wanted) {
		w.asked = wanted
		ask = &Ask{r.ID(), wanted}
	}
	if !hard.Less(used) {
		w.paused = time.Time{}
		return Go, ask, nil
	}
	if w.paused.IsZero() {
		w.paused = now
	}
	if now.Sub(w.paused) >= PauseTime {
		return End, ask, nil
	}
	return Pause, ask, nil
}

// funds is what a channel has now.
type funds struct{ deposited, promised, allowed, finished ledger.Amount }

// soft is what a channel may come to before money is asked for.
func (f funds) soft() ledger.Amount {
	return ledger.MinAmount(f.deposited, sumCapped(f.promised, f.allowed.Half()))
}

// note is for a look at the books.
func (w *watch) note(now time.Time, f funds) { w.looked, w.room = now, over(f.soft(), f.finished) }

func (p *Payee) funds(tx kv.Tx, now time.Time, at place) (f funds, err error) {
	b, _, err := loadBook(tx, at)
	if err != nil {
		return f, err
	}
	f.finished, f.promised = b.finished, b.promised()
	if c, err := p.channel(at); err == nil {
		f.deposited = c.Deposited
	}
	f.allowed, err = p.allowance(tx, now, b)
	return f, err
}

// Finish ends the round with what it used: the money is no longer reserved, the
// cost is on the books, and the result is on the disk before its signature is
// returned, which is made meanwhile. An aborted round costs nothing. If the round was
// ended already, by whomever, the result is that one.
func (r *Round) Finish(ctx context.Context, now time.Time, u ledger.Usage, response ledger.Hash, status ledger.Status) (ledger.Signed[ledger.Result], error) {
	if status == ledger.StatusAborted {
		u = ledger.Usage{}
	}
	res := ledger.Result{
		Channel: r.at.id, Epoch: r.at.epoch, RoundID: r.ID(), Final: true, RequestHash: r.request.RequestHash, ResponseHash: response,
		Input: u.Input, Cached: u.Cached, Output: u.Output, Cost: r.Cost(u), Status: status,
	}
	var made <-chan ledger.Signed[ledger.Result]
	err := r.p.Store.Do(ctx, func(tx kv.Tx) error {
		final, err := r.p.finish(tx, now, r.at, r.ID(), res)
		if err == nil && final.RoundID == r.ID() {
			made = meanwhile(func() ledger.Signed[ledger.Result] { return r.p.sign(final) })
		} else {
			made = nil
		}
		return err
	})
	if err != nil {
		return ledger.Signed[ledger.Result]{}, fmt.Errorf("round %s: %w", r.ID(), err)
	}
	if made == nil {
		return ledger.Signed[ledger.Result]{}, fmt.Errorf("round %s: %w", r.ID(), ErrForgotten)
	}
	return <-made, nil
}

// sign signs a result that is on the disk, or is there before it leaves. The same one
// gives the same bytes.
func (p *Payee) sign(r ledger.Result) ledger.Signed[ledger.Result] {
	return ledger.Sign(r, p.Domain, p.Key)
}

// finish puts a result on the books, unless there is one. On a channel of a
// restored store the round is forgotten instead, and the zero value returned.
func (p *Payee) finish(tx kv.Tx, now time.Time, at place, id ledger.RoundID, result ledger.Result) (none ledger.Result, err error) {
	key := at.with(id[:]...)
	var s served
	known, err := get(tx, payeeRounds, key, &s)
	if err != nil {
		return none, err
	}
	if !known {
		return none, nil // forgotten below
	}
	if s.state == finished {
		return s.result(at, id), nil
	}
	b, _, err := loadBook(tx, at)
	if err != nil {
		return none, err
	}
	if b.reserved, err = b.reserved.Sub(s.maxCost); err != nil {
		return none, fmt.Errorf("%w: the books reserve less than a running round: %w", kv.ErrDamaged, err)
	}
	b.running--
	if err := tx.Delete(payeeRunning, ownerKey(s.owner, key)); err != nil {
		return none, err
	}
	if b.closed == forgotten {
		if err := tx.Delete(payeeRounds, key); err != nil {
			return none, err
		}
		return none, b.save(tx, now, at, p.deposited(at))
	}
	if b.finished, err = b.finished.Add(result.Cost); err != nil {
		return none, err
	}
	if b.best != nil && !b.finished.Less(b.promised()) { // it was ahead until now
		b.earned = b.better(b.earned, b.best)
	}
	if err := b.track.finish(b.seqs(tx, at), leafOf(result, s.seq)); err != nil {
		return none, err
	}
	s.finish(result, b.finished)
	if err := put(tx, payeeRounds, key, &s); err != nil {
		return none, err
	}
	return result, b.save(tx, now, at, p.deposited(at))
}

// leafOf is a result in the log.
func leafOf(r ledger.Result, seq uint64) ledger.Leaf {
	return ledger.Leaf{
		RoundID: r.RoundID, Seq: seq, RequestHash: r.RequestHash, ResponseHash: r.ResponseHash,
		Input: r.Input, Cached: r.Cached, Output: r.Output, Cost: r.Cost, Status: r.Status,
	}
}

// abandon aborts a round whose process is gone; key is that of payeeRunning,
// with the place from the given byte on.
func (p *Payee) abandon(tx kv.Tx, now time.Time, key []byte, from int) error {
	at, rest, err := placeOf(key[from:])
	if err != nil {
		return err
	}
	var id ledger.RoundID
	if copy(id[:], rest) != len(id) {
		return fmt.Errorf("%w: a running round of %d bytes", kv.ErrDamaged, len(key))
	}
	var s served
	known, err := get(tx, payeeRounds, at.with(id[:]...), &s)
	if err != nil {
		return err
	}
	if !known || s.state == finished {
		return tx.Delete(payeeRunning, key)
	}
	_, err = p.finish(tx, now, at, id, ledger.Result{
		Channel: at.id, Epoch: at.epoch, RoundID: id, Final: true, RequestHash: s.requestHash, Status: ledger.StatusAborted,
	})
	return err
}
