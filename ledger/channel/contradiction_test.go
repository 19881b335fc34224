package channel

import (
	"errors"
	"testing"
	"time"

	"github.com/culvert-net/culvert/ledger"
)

// otherWord is a second result of the provider's, about the round of the first.
func (w *world) otherWord(first ledger.Signed[ledger.Result], change func(*ledger.Result)) ledger.Signed[ledger.Result] {
	m := first.Message
	change(&m)
	return ledger.Sign(m, w.domain, w.provider)
}

// Two final results of one round are on the disk, once, and a dispute; whatever is
// not a contradiction by the contract's rules is none here.
func TestContradiction(t *testing.T) {
	w := newWorld(t)
	m := w.open(100)
	e := w.deliver(m, w.admit(m, 100), 50, 100)
	dearer := func(r *ledger.Result) { r.Cost = ledger.Wei(999) }
	second := w.otherWord(e.Result, dearer)

	stranger := ledger.Sign(second.Message, w.domain, w.session)
	elsewhere := ledger.Sign(second.Message, ledger.Domain{ChainID: 5, Contract: w.domain.Contract}, w.provider)
	for name, r := range map[string]ledger.Signed[ledger.Result]{
		"the same":          e.Result,
		"a stranger's":      stranger,
		"another chain's":   elsewhere,
		"one not final":     w.otherWord(second, func(r *ledger.Result) { r.Final = false }),
		"another epoch's":   w.otherWord(second, func(r *ledger.Result) { r.Epoch++ }),
		"another channel's": w.otherWord(second, func(r *ledger.Result) { r.Channel[0]++ }),
		"another round's":   w.otherWord(second, func(r *ledger.Result) { r.RoundID[0]++ }),
	} {
		if _, err := Contradict(w.domain, e.Result, r); !errors.Is(err, ErrNoContradiction) {
			t.Errorf("%s: Contradict = %v", name, err)
		}
		if d, err := w.payer.Heard(w.ctx, w.now, &e.Result, r); d != nil || err != nil {
			t.Errorf("%s: Heard = %+v, %v", name, d, err)
		}
	}
	// Before the round has ended, there is nothing in the books to compare with.
	if d, err := w.payer.Heard(w.ctx, w.now, nil, second); d != nil || err != nil {
		t.Errorf("before the end: Heard = %+v, %v", d, err)
	}
	w.settle(m, e)
	w.later(time.Second)
	d, err := w.payer.Heard(w.ctx, w.now, nil, second)
	if err != nil || d == nil || d.Reason != TwoResults || d.Provider != w.provider.Address() || d.Round != m.ID() || d.Claimed != ledger.Wei(999) || d.Paid != costOf(50) {
		t.Fatalf("Heard = %+v, %v", d, err)
	}
	if d, err := w.payer.Heard(w.ctx, w.now, nil, w.otherWord(second, func(r *ledger.Result) { r.Output++ })); d != nil || err != nil {
		t.Errorf("a third result: Heard = %+v, %v", d, err)
	}

	w.startPayer() // what is kept outlives the process
	c, found, err := w.payer.Contradiction(w.ctx, m.ID())
	if err != nil || !found || c.First != e.Result || c.Second != second || c.Provider != w.provider.Address() || c.Model != model {
		t.Errorf("Contradiction = %+v, %t, %v", c, found, err)
	}
	if signer, err := Contradict(w.domain, c.First, c.Second); err != nil || signer != w.provider.Address() {
		t.Errorf("Contradict = %s, %v", signer, err)
	}
	if all, err := w.payer.Contradictions(w.ctx); err != nil || len(all) != 1 || all[0] != c {
		t.Errorf("Contradictions = %+v, %v", all, err)
	}
	if all, err := w.payer.Disputes(w.ctx, 10); err != nil || len(all) != 1 || all[0].Reason != TwoResults {
		t.Errorf("Disputes = %+v, %v", all, err)
	}
	if list, err := w.payer.Rounds(w.ctx, 1); err != nil || len(list) != 1 || !list[0].Contradicted || list[0].Cost != costOf(50) {
		t.Errorf("Rounds = %+v, %v", list, err)
	}
	if o, err := w.payer.Show(w.ctx, m.ID()); err != nil || o.Words == nil || o.Words.Second != second {
		t.Errorf("Show = %+v, %v", o, err)
	}
	if _, found, err := w.payer.Contradiction(w.ctx, ledger.RoundID{1}); found || err != nil {
		t.Errorf("of no round: %t, %v", found, err)
	}
}

// Both words are kept though the process dies before the round has ended.
func TestContradictionMidRound(t *testing.T) {
	w := newWorld(t)
	m := w.open(100)
	e := w.deliver(m, w.admit(m, 100), 50, 100)
	second := w.otherWord(e.Result, func(r *ledger.Result) { r.Output++ })
	if d, err := w.payer.Heard(w.ctx, w.now, &e.Result, second); err != nil || d == nil {
		t.Fatalf("Heard = %+v, %v", d, err)
	}
	w.startPayer()
	if c, found, err := w.payer.Contradiction(w.ctx, m.ID()); err != nil || !found || c.Second != second {
		t.Errorf("Contradiction = %+v, %t, %v", c, found, err)
	}
	if list, err := w.payer.Rounds(w.ctx, 1); err != nil || list[0].State != RoundAborted || !list[0].Contradicted {
		t.Errorf("Rounds = %+v, %v", list, err)
	}
}
