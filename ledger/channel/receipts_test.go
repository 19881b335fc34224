package channel

import (
	"context"
	"testing"

	"github.com/culvert-net/culvert/internal/kv"
	"github.com/culvert-net/culvert/ledger"
)

// carries reports whether a round's header has a voucher, and ends the round.
func (w *world) carries(m *Payment) bool {
	w.Helper()
	h, err := ParseHeader(m.Header())
	if err != nil {
		w.Fatal(err)
	}
	w.settle(m, w.deliver(m, w.admit(m, 10), 10, 100))
	return h.Voucher != nil
}

// What the provider holds and allows costs no commit: the next round counts on it, and
// brings it to the disk.
func TestReceiptGoesWithTheNextRound(t *testing.T) {
	w := newWorld(t)
	m := w.open(2000)
	c, err := m.Confirm(w.ctx, w.now, w.deliver(m, w.admit(m, 2000), 2000, 100))
	if err != nil {
		t.Fatal(err)
	}
	writes := w.payerStore.writes
	accepted := w.pay(m, c.Voucher)
	if n := w.payerStore.writes - writes; n != 0 || accepted.Allowance.IsZero() {
		t.Fatalf("%+v costs %d commits", accepted, n)
	}
	if rounds, err := w.payer.Rounds(w.ctx, 1); err != nil || !rounds[0].Confirmed {
		t.Errorf("%+v, %v: it is confirmed", rounds, err)
	}
	if a := w.account(); !a.acked.IsZero() || !a.allowance.IsZero() {
		t.Fatalf("acked %s, allowed %s before the next round", a.acked, a.allowance)
	}
	m = w.open(10)
	if a := w.account(); a.acked != accepted.Cumulative || a.allowance != accepted.Allowance {
		t.Errorf("acked %s, allowed %s; the provider said %+v", a.acked, a.allowance, accepted)
	}
	if w.payer.receipts.last(w.place()) != nil {
		t.Error("the receipt would be counted on again")
	}
	if w.carries(m) {
		t.Error("a voucher is sent that the provider has")
	}
}

// Who forgets a receipt sends the voucher again, and is charged once.
func TestReceiptIsForgotten(t *testing.T) {
	w := newWorld(t)
	w.round(2000)
	w.startPayer()
	if a := w.account(); !a.acked.IsZero() {
		t.Fatalf("%s is acked on the disk", a.acked)
	}
	if !w.carries(w.open(10)) {
		t.Error("nothing tells the provider of the voucher again")
	}
	if a, b := w.account(), w.book(); a.spent != b.finished || a.spent != sumCapped(costOf(2000), costOf(10)) {
		t.Errorf("the payer has %s, the provider %s", a.spent, b.finished)
	}
	if w.carries(w.open(10)) {
		t.Error("a voucher is sent that the provider has")
	}
}

// A store that fails costs nothing of what is known.
func TestReceiptOutlivesAFailure(t *testing.T) {
	w := newWorld(t)
	w.round(2000)
	for name, stored := range map[string]bool{"lost": false, "stored": true} {
		w.payerStore.fail = func(int) (bool, bool) { return true, stored }
		if _, err := w.payer.Open(w.ctx, w.now, w.order(10)); err == nil {
			t.Fatal("a round is opened though the disk fails")
		}
		if err := w.payer.Flush(w.ctx); err == nil {
			t.Fatal("what is not on the disk is taken for written")
		}
		w.payerStore.fail = nil
		if w.payer.receipts.last(w.place()) == nil {
			t.Errorf("%s: the receipt is forgotten", name)
		}
	}
	if w.carries(w.open(10)) {
		t.Error("a voucher is sent that the provider has")
	}
}

func TestReceiptsAreFlushed(t *testing.T) {
	for name, flush := range map[string]func(w *world) error{
		"at the end":        func(w *world) error { return w.payer.Flush(w.ctx) },
		"now and then, too": func(w *world) error { return w.payer.Sweep(w.ctx, w.now) },
	} {
		w := newWorld(t)
		c := w.round(2000)
		writes := w.payerStore.writes
		for range 3 {
			if err := flush(w); err != nil {
				t.Fatal(err)
			}
		}
		if n := w.payerStore.writes - writes; n != 1 {
			t.Errorf("%s: %d commits", name, n)
		}
		if a := w.account(); a.acked.Less(c.Cost) || a.allowance.IsZero() {
			t.Errorf("%s: acked %s, allowed %s", name, a.acked, a.allowance)
		}
		w.startPayer()
		if w.carries(w.open(10)) {
			t.Errorf("%s: a voucher is sent that the provider has", name)
		}
	}
}

// What a provider takes back is not counted on, though it was said before and is not
// on the disk.
func TestReceiptIsTakenBack(t *testing.T) {
	for _, c := range []struct {
		code Code
		kept bool
	}{{CodeUncovered, false}, {CodeUnpaid, false}, {CodeBusy, true}} {
		w := newWorld(t)
		m := w.open(10)
		if err := m.Accepted(w.ctx, Accepted{Allowance: ledger.Wei(5000)}); err != nil {
			t.Fatal(err)
		}
		if err := m.Refused(w.ctx, w.now, refuse(c.code, "")); err != nil {
			t.Fatal(err)
		}
		if err := w.payer.Flush(w.ctx); err != nil {
			t.Fatal(err)
		}
		if got := !w.account().allowance.IsZero(); got != c.kept {
			t.Errorf("after refusal %d the allowance is kept: %t", c.code, got)
		}
	}
	w := newWorld(t)
	w.round(2000)
	ask, err := w.payer.ResyncAsk(w.ctx, w.id)
	if err != nil {
		t.Fatal(err)
	}
	state, err := w.payee.Resync(w.ctx, w.now, *ask)
	if err != nil {
		t.Fatal(err)
	}
	state.Allowance = ledger.Wei(3)
	if _, err := w.payer.Adopt(w.ctx, w.id, state); err != nil {
		t.Fatal(err)
	}
	if err := w.payer.Flush(w.ctx); err != nil {
		t.Fatal(err)
	}
	if a := w.account(); a.allowance != state.Allowance {
		t.Errorf("%s is allowed, and was before its books were asked", a.allowance)
	}
}

// A receipt of more than was promised is one for a voucher that this store forgot.
func TestReceiptOfMoreThanWasPromised(t *testing.T) {
	w := newWorld(t)
	m := w.open(10)
	if err := m.Accepted(w.ctx, Accepted{Cumulative: ledger.Wei(deposit)}); err != nil {
		t.Fatal(err)
	}
	if a := w.account(); !a.mustSync {
		t.Error("the provider's books are not asked")
	}
}

// between runs something before the next Do, once.
type between struct {
	Store
	do func()
}

func (b *between) Do(ctx context.Context, f func(kv.Tx) error) error {
	if do := b.do; do != nil {
		b.do = nil
		do()
	}
	return b.Store.Do(ctx, f)
}

// What is being brought to the books is not counted on if the provider takes it back
// meanwhile: a voucher that it lost would not be sent to it again.
func TestReceiptIsTakenBackMeanwhile(t *testing.T) {
	w := newWorld(t)
	w.round(2000)
	s := &between{Store: w.payer.Store}
	w.payer.Store = s
	s.do = func() {
		next := w.account().track.next
		if _, err := w.payer.Adopt(w.ctx, w.id, State{Finished: w.account().spent, Next: next, Allowance: ledger.Wei(3)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.payer.Flush(w.ctx); err != nil {
		t.Fatal(err)
	}
	if a := w.account(); !a.acked.IsZero() || a.allowance != ledger.Wei(3) {
		t.Errorf("acked %s, allowed %s; the provider's books have no voucher, and allow 3", a.acked, a.allowance)
	}
}
