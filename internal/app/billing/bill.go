package billing

import (
	"context"
	"hash"
	"time"

	"github.com/culvert-net/culvert/api/openai"
	"github.com/culvert-net/culvert/api/tunnel"
	"github.com/culvert-net/culvert/api/usage"
	"github.com/culvert-net/culvert/internal/app/terms"
	"github.com/culvert-net/culvert/ledger"
	"github.com/culvert-net/culvert/ledger/channel"
)

// bill is one round that is answered. Owned by the tunnel's visit.
type bill struct {
	till   *Till
	key    round
	round  *channel.Round
	hash   hash.Hash // of the answer's body so far
	unpaid bool      // it was ended for want of money
}

// Limit implements tunnel.Bill.
func (b *bill) Limit() (int64, bool) {
	bound := b.round.OutputBound()
	return int64(bound), bound > 0
}

// Pass implements tunnel.Bill.
func (b *bill) Pass(ctx context.Context, p []byte, so usage.Snapshot) *openai.Error {
	used := terms.Usage(so)
	for {
		paid := b.till.news()
		step, ask, err := b.round.Progress(ctx, time.Now(), used)
		if err != nil {
			return b.till.failed(ctx, err)
		}
		if ask != nil {
			b.till.send(b.key, ask)
		}
		switch step {
		case channel.Go:
			_, _ = b.hash.Write(p) // never fails
			return nil
		case channel.End:
			b.unpaid = true
			return openai.Quota("what was paid for is used up; the answer ends here")
		}
		select {
		case <-ctx.Done():
			return openai.Quota("nobody pays any more")
		case <-paid:
		case <-time.After(pauseTick):
		}
	}
}

// End implements tunnel.Bill. The result is on the disk before it leaves, and says
// what was sent whether somebody has read it or not.
func (b *bill) End(e tunnel.BillEnd) {
	t := b.till
	_, _ = b.hash.Write(e.Frame)
	used, status := terms.Usage(e.Usage), ledger.StatusPartial
	switch {
	case e.Complete:
		status = ledger.StatusDone
	case used == ledger.Usage{}, !e.Gone && !answered(e):
		status = ledger.StatusAborted
	}
	ctx, cancel := context.WithTimeout(context.Background(), finishLimit) // the visit's own may be over
	defer cancel()
	result, err := b.round.Finish(ctx, time.Now(), used, channel.SumOf(b.hash), status)
	t.ended(b.key, func(c *Counts) {
		switch {
		case err != nil:
			c.Failed++
		case b.unpaid:
			c.Unpaid++
		case status == ledger.StatusDone:
			c.Finished++
		case status == ledger.StatusPartial:
			c.Partial++
		default:
			c.Aborted++
		}
	})
	if err != nil {
		t.cfg.Log.Error("the result of a round could not be kept, so that it is not signed", "round", b.key.id, "err", err)
		return
	}
	t.send(b.key, &channel.ResultFrame{Result: result})
}

// answered reports whether something of an answer was sent. What failed on this side
// before it costs nothing, though the prompt was read.
func answered(e tunnel.BillEnd) bool {
	return e.Usage.Output > 0 || e.Usage.Text.Bytes() > 0 || e.Usage.Reasoning > 0 || e.Usage.Images > 0
}

// ended takes a round from those that run.
func (t *Till) ended(key round, f func(*Counts)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.running[key]--; t.running[key] <= 0 {
		delete(t.running, key)
	}
	f(&t.counts)
}

// news is closed when the next voucher comes.
func (t *Till) news() <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.paid
}
