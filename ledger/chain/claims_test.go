package chain

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/culvert-net/culvert/ledger"
	"github.com/culvert-net/culvert/ledger/claim"
)

// dueOf lists what one voucher is due for, as a provider's books would.
type dueOf struct {
	r *Reader
	v ledger.Signed[ledger.Voucher]
}

func (d dueOf) Due(context.Context, time.Time) ([]claim.Due, error) {
	ch, ok := d.r.Channel(d.v.Message.Channel)
	left, err := d.v.Message.Cumulative.Sub(ch.Claimed)
	if !ok || err != nil || left.IsZero() {
		return nil, nil
	}
	return []claim.Due{{Voucher: d.v, Claimed: ch.Claimed, Unclaimed: left, Locked: ch.Locked, CloseAt: ch.CloseAt}}, nil
}

// A voucher is claimed by one transaction, also when the process was killed after
// it was sent and before that was noted, and is forgotten when the reader has
// seen it.
func TestClaimer(t *testing.T) {
	w := writing(t)
	w.mines()
	ctx := within(t)
	calls := w.cfg.Calls()
	provider, funder, session := w.writer(w.keys[0]), w.writer(w.keys[1]), ledger.NewKey()
	do := func(by *Writer, c Call) {
		t.Helper()
		id, err := by.Send(ctx, c)
		if err == nil {
			_, err = by.Wait(ctx, id, nil)
		}
		if err != nil {
			t.Fatalf("%s: %v", c.What, err)
		}
	}
	eth := ledger.Wei(1e18)
	do(provider, calls.Register(provider.Address(), ledger.Wei(1000), []byte("d"), ledger.Hash{}))
	do(funder, calls.Buy(provider.Address(), session.Address(), eth, ledger.Wei(1000)))
	channel := ledger.ChannelOf(provider.Address(), session.Address(), funder.Address())
	voucher := ledger.Sign(ledger.Voucher{Channel: channel, Cumulative: eth.Half()}, w.cfg.Domain(), session)

	r := w.reader()
	s := w.cfg.Store.(*store)
	start := func() *claim.Claimer {
		c, err := claim.New(claim.Config{Store: s, Vouchers: dueOf{r, voucher}, Chain: Claims{provider, r}})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	step := func(c *claim.Claimer, now time.Time) error {
		t.Helper()
		if err := r.Sync(ctx); err != nil {
			t.Fatal(err)
		}
		return c.Step(ctx, now)
	}
	now := time.Now()
	// The process is killed once its transaction is on its way.
	if err := r.Sync(ctx); err != nil {
		t.Fatal(err)
	}
	s.mu.Lock()
	last := s.n + 4 // what is on its way, the plan, the writer's note, its own
	s.fail = func(n int) (bool, bool) { return n == last, false }
	s.mu.Unlock()
	if err := start().Step(ctx, now); !errors.Is(err, errBroken) {
		t.Fatalf("Step = %v", err)
	}
	s.mu.Lock()
	s.fail = nil
	s.mu.Unlock()
	for range 2 { // a restart, and time enough for what another had planned
		now = now.Add(time.Hour)
		if err := step(start(), now); err != nil {
			t.Fatal(err)
		}
	}
	id, found, err := Claims{provider, r}.Find(ctx, "claim 1")
	if err != nil || !found {
		t.Fatalf("claim 1: %t, %v", found, err)
	}
	if _, err := provider.Wait(ctx, ID(id), nil); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the reader sees the claim", func() bool {
		if err := step(start(), now); err != nil {
			t.Fatal(err)
		}
		ch, _ := r.Channel(channel)
		return ch.Claimed == eth.Half()
	})
	if err := step(start(), now); err != nil {
		t.Fatal(err)
	}
	if _, found, err := (Claims{provider, r}).Find(ctx, "claim 2"); found || err != nil {
		t.Errorf("a second claim: %t, %v", found, err)
	}
	if outcome, err := (Claims{provider, r}).Outcome(ctx, id); outcome != claim.Done || err != nil {
		t.Errorf("outcome %d, %v", outcome, err)
	}
	if _, found, err := (Claims{provider, r}).Find(ctx, "claim"); found || err != nil {
		t.Errorf("a part of a name: %t, %v", found, err)
	}
}
