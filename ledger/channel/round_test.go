package channel

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/culvert-net/culvert/ledger"
)

// cost of a round of the tests: 20 tokens of input, and output.
func costOf(tokens uint64) ledger.Amount { return ledger.Wei(20 + 10*tokens) }

// The books of both ends agree after rounds in which nothing went wrong: what was
// reserved is free again, what was used is on both, and the log is the same.
func TestRound(t *testing.T) {
	w := newWorld(t)
	for i := range uint64(10) {
		c := w.round(i*10 + 1)
		if c.Cost != costOf(i*10+1) || c.Dispute != nil {
			t.Fatalf("round %d = %s, %v; want %s", i, c.Cost, c.Dispute, costOf(i*10+1))
		}
		if err := w.payer.Flush(w.ctx); err != nil {
			t.Fatal(err)
		}
		a, b := w.account(), w.book()
		if a.spent != b.finished || !a.reserved.IsZero() || !b.reserved.IsZero() || a.running != 0 || b.running != 0 {
			t.Fatalf("after round %d the payer has %s, the provider %s; reserved %s, %s", i, a.spent, b.finished, a.reserved, b.reserved)
		}
		if b.promised().Less(b.finished) || a.acked != b.promised() {
			t.Fatalf("after round %d the provider holds %s, of %s", i, b.promised(), b.finished)
		}
		if a.track.log.Root() != b.track.log.Root() || a.track.log.Size() != i+1 {
			t.Fatalf("after round %d the logs differ", i)
		}
		if v := b.earned.Message; v.Transcript != b.track.log.Root() || v.Cumulative != b.finished {
			t.Fatalf("after round %d the provider would claim %+v, not %s over its log", i, v, b.finished)
		}
	}
}

// 64 rounds at a time, whose requests, results and vouchers pass each other.
func TestParallelRoundsAndVouchersOutOfOrder(t *testing.T) {
	for seed := range uint64(4) {
		w := newWorld(t)
		r := rand.New(rand.NewPCG(seed, 64))
		const n = 64
		payments, rounds := make([]*Payment, n), make([]*Round, n)
		var mu sync.Mutex
		var wg sync.WaitGroup
		for i := range n {
			wg.Go(func() {
				m, err := w.payer.Open(w.ctx, w.now, w.order(100))
				if err != nil {
					t.Errorf("Open = %v", err)
					return
				}
				mu.Lock()
				defer mu.Unlock()
				payments[i] = m
			})
		}
		if wg.Wait(); t.Failed() {
			return
		}
		// Nothing is allowed yet, so a header that comes before that of an earlier
		// round brings what covers both.
		order := r.Perm(n)
		for _, i := range order {
			wg.Go(func() {
				a, err := w.admitBy(w.payee, payments[i].Header(), 100)
				if err != nil {
					t.Errorf("seed %d: Admit = %v", seed, err)
					return
				}
				rounds[i] = a.Round
			})
		}
		if wg.Wait(); t.Failed() {
			return
		}
		var vouchers []ledger.Signed[ledger.Voucher]
		total := ledger.Amount{}
		for _, i := range r.Perm(n) {
			tokens := r.Uint64N(101)
			e := w.deliver(payments[i], rounds[i], tokens, 100)
			c, err := payments[i].Confirm(w.ctx, w.now, e)
			if err != nil || c.Dispute != nil {
				t.Fatalf("seed %d: Confirm = %+v, %v", seed, c, err)
			}
			total, _ = total.Add(c.Cost)
			vouchers = append(vouchers, c.Voucher)
		}
		for _, i := range r.Perm(n) {
			before := w.book().promised()
			a := w.pay(payments[i], vouchers[i])
			if a.Cumulative.Less(before) || w.book().promised() != a.Cumulative {
				t.Fatalf("seed %d: a voucher lowered what is held from %s to %s", seed, before, a.Cumulative)
			}
		}
		a, b := w.account(), w.book()
		if a.spent != total || b.finished != total || b.promised().Less(total) || !b.reserved.IsZero() || !a.reserved.IsZero() {
			t.Fatalf("seed %d: spent %s, finished %s, promised %s; want %s", seed, a.spent, b.finished, b.promised(), total)
		}
		if a.track.log.Root() != b.track.log.Root() || b.track.log.Size() != n {
			t.Fatalf("seed %d: the logs differ", seed)
		}
	}
}

// The same round is charged once, whoever sends it again, and when.
func TestDuplicateRound(t *testing.T) {
	w := newWorld(t)
	m := w.open(50)
	r := w.admit(m, 50)
	if _, err := w.admitBy(w.payee, m.Header(), 50); !refusedWith(err, CodeRunning) {
		t.Fatalf("Admit of a running round = %v", err)
	}
	e := w.deliver(m, r, 50, 100)
	for range 3 {
		a, err := w.admitBy(w.payee, m.Header(), 50)
		if err != nil || a.Round != nil || a.Stored == nil || *a.Stored != e.Result {
			t.Fatalf("Admit of a finished round = %+v, %v", a, err)
		}
		again, err := r.Finish(w.ctx, w.now, ledger.Usage{Input: 99, Output: 99}, ledger.Hash{9}, ledger.StatusPartial)
		if err != nil || again != e.Result {
			t.Fatalf("Finish of a finished round = %+v, %v", again, err)
		}
		c := w.settle(m, e)
		if c.Cost != costOf(50) || w.account().spent != costOf(50) || w.book().finished != costOf(50) {
			t.Fatalf("the round costs %s, spent %s, finished %s", c.Cost, w.account().spent, w.book().finished)
		}
	}
	if f := w.payee.Answer(w.ctx, w.now, m.Hello(), ptr(m.Hello())); f.(*ResultFrame).Result != e.Result {
		t.Fatalf("a Hello of a finished round is answered by %+v", f)
	}
	// The id with another request, or another number, is another round.
	h, _ := ParseHeader(m.Header())
	for _, change := range []func(*ledger.Request){
		func(r *ledger.Request) { r.Seq++ },
		func(r *ledger.Request) { r.RequestHash[0]++ },
	} {
		req := h.Request.Message
		change(&req)
		_, err := w.payee.Admit(w.ctx, w.now, Header{Request: ledger.Sign(req, w.domain, w.session), Salt: h.Salt}, Terms{
			RequestHash: req.RequestHash, Model: model, Input: 100, Output: 50, OutputCap: 4096,
		})
		if !refusedWith(err, CodeReused) {
			t.Fatalf("Admit of a used id = %v", err)
		}
	}
}

func ptr[T any](v T) *T { return &v }

// A number is admitted once, whatever the round.
func TestSequenceNumbersAreUsedOnce(t *testing.T) {
	w := newWorld(t)
	w.round(10)
	m := w.open(10)
	h, _ := ParseHeader(m.Header())
	for _, seq := range []uint64{0, 1, maxSeq + 1} {
		req := h.Request.Message
		req.Seq = seq
		_, err := w.payee.Admit(w.ctx, w.now, Header{Request: ledger.Sign(req, w.domain, w.session), Salt: h.Salt, Voucher: h.Voucher}, Terms{
			RequestHash: req.RequestHash, Model: model, Input: 100, Output: 10, OutputCap: 4096,
		})
		if !refusedWith(err, CodeSeq) {
			t.Fatalf("Admit of number %d = %v", seq, err)
		}
	}
}

// Rounds of which the provider never heard end as leaves, so that its log has no
// holes; a round that runs holds the window.
func TestWindowAndGaps(t *testing.T) {
	w := newWorld(t)
	first := w.open(10)
	r := w.admit(first, 10)
	for range 5 { // of which the provider never hears
		if err := w.open(10).Refused(w.ctx, w.now, refuse(CodeBusy, "lost")); err != nil {
			t.Fatal(err)
		}
	}
	last := func() *Payment {
		var m *Payment
		for w.account().track.next <= Window {
			m = w.open(10)
			if err := m.Refused(w.ctx, w.now, refuse(CodeBusy, "lost")); err != nil {
				t.Fatal(err)
			}
		}
		return m
	}
	last()
	if _, err := w.payer.Open(w.ctx, w.now, w.order(10)); !errors.Is(err, errSeqWindow) {
		t.Fatalf("Open of number 1,025 while the first runs = %v", err)
	}
	w.settle(first, w.deliver(first, r, 10, 100))
	w.round(10)
	a, b := w.account(), w.book()
	if a.track.log.Size() != Window+1 || b.track.base != 2 {
		t.Fatalf("the payer's log has %d leaves, the provider's base is %d", a.track.log.Size(), b.track.base)
	}
	for range 1100 {
		w.round(1)
	}
	a, b = w.account(), w.book()
	if a.track.log.Root() != b.track.log.Root() || b.track.base != a.track.base || b.track.log.Size() != a.track.log.Size() {
		t.Fatalf("the logs differ: %d and %d leaves, up to %d and %d", a.track.log.Size(), b.track.log.Size(), a.track.base, b.track.base)
	}
}

// An answer may be cut after any frame: what was delivered is paid for, what was
// reserved is free, and the next round works.
func TestDisconnectAtEveryFrame(t *testing.T) {
	const tokens = 40
	for _, credit := range []bool{false, true} {
		for cut := range 7 {
			t.Run(fmt.Sprintf("credit %v, cut %d", credit, cut), func(t *testing.T) {
				w := newWorld(t)
				if credit {
					for range 5 {
						w.round(200)
					}
				}
				spent := w.account().spent
				m := w.open(tokens)
				var r *Round
				steps := []func(){
					func() { r = w.admit(m, tokens) },
					func() { m.Delivered(Delivery{Text: 40, Chunks: 10}) },
					func() {
						if s, _, err := r.Progress(w.ctx, w.now, ledger.Usage{Input: 20, Output: 10}); err != nil || s != Go {
							t.Fatalf("Progress = %v, %v", s, err)
						}
					},
					func() {
						v, err := m.Ask(w.ctx, Ask{m.ID(), ledger.Wei(5000)})
						if err != nil {
							t.Fatal(err)
						}
						w.pay(m, v)
					},
				}
				for i, step := range steps {
					if i == cut {
						break
					}
					step()
				}
				switch {
				case cut < 4: // both learn that the other is gone
					if r != nil {
						if _, err := r.Finish(w.ctx, w.now, ledger.Usage{Input: 20, Output: 10}, ledger.Hash{}, ledger.StatusPartial); err != nil {
							t.Fatal(err)
						}
					}
					if err := m.Abort(w.ctx, w.now); err != nil {
						t.Fatal(err)
					}
				case cut == 4: // after the last piece, before the result
					if _, err := r.Finish(w.ctx, w.now, ledger.Usage{Input: 20, Output: 10}, ledger.Hash{}, ledger.StatusPartial); err != nil {
						t.Fatal(err)
					}
					if err := m.Abort(w.ctx, w.now); err != nil {
						t.Fatal(err)
					}
				case cut == 5: // after the result, before the voucher
					e := w.deliver(m, r, 10, 100)
					if _, err := m.Confirm(w.ctx, w.now, e); err == nil {
						break
					}
					t.Fatal("Confirm fails")
				case cut == 6: // after the voucher, before it is accepted
					e := w.deliver(m, r, 10, 100)
					c, err := m.Confirm(w.ctx, w.now, e)
					if err != nil {
						t.Fatal(err)
					}
					if _, err := w.payee.Voucher(w.ctx, w.now, c.Voucher); err != nil {
						t.Fatal(err)
					}
				}
				a, b := w.account(), w.book()
				if !a.reserved.IsZero() || !b.reserved.IsZero() || a.running != 0 || b.running != 0 {
					t.Fatalf("reserved: %s, %s", a.reserved, b.reserved)
				}
				if known := sumCapped(a.spent, a.unsettled); known.Less(b.finished) {
					t.Fatalf("the provider has %s, the payer expects %s at most", b.finished, known)
				}
				w.round(tokens)
				if err := w.resync(); err != nil {
					t.Fatal(err)
				}
				if w.account().spent != w.book().finished || w.book().promised().Less(w.book().finished) {
					t.Fatalf("the payer has %s (before it had %s), the provider %s", w.account().spent, spent, w.book().finished)
				}
				w.round(tokens)
			})
		}
	}
}

// A price sheet that ends while a round runs is that round's to the end; the
// next one needs another.
func TestSheetExpiringMidRound(t *testing.T) {
	w := newWorld(t)
	w.sheet.ValidUntil = unix(w.now) + 60
	w.startPayee()
	m, early := w.open(50), w.open(50)
	r := w.admit(m, 50)
	w.later(time.Minute)
	if s, _, err := r.Progress(w.ctx, w.now, ledger.Usage{Input: 20, Output: 50}); s != Go || err != nil {
		t.Fatalf("Progress = %v, %v", s, err)
	}
	if c := w.settle(m, w.deliver(m, r, 50, 100)); c.Cost != costOf(50) || c.Dispute != nil {
		t.Fatalf("the round costs %s, %v", c.Cost, c.Dispute)
	}
	if _, err := w.admitBy(w.payee, early.Header(), 50); !refusedWith(err, CodeSheet) {
		t.Fatalf("Admit by an old sheet = %v", err)
	}
	if _, err := w.payer.Open(w.ctx, w.now, w.order(50)); !errors.Is(err, ledger.ErrSheetLate) {
		t.Fatalf("Open by an old sheet = %v", err)
	}
}

// The provider bounds the output by what maxCost covers, whether the body has a
// limit or not.
func TestOutputBound(t *testing.T) {
	for _, c := range []struct{ ordered, body, want uint64 }{
		{100, 100, 100}, {100, 0, 100}, {100, 4000, 100}, {100, 30, 30}, {1, 1, 1}, {1, 0, 1},
	} {
		w := newWorld(t)
		m := w.open(c.ordered)
		a, err := w.admitBy(w.payee, m.Header(), c.body)
		if err != nil || a.Round.OutputBound() != c.want {
			t.Errorf("ordered %d, body %d: %+v, %v; want %d", c.ordered, c.body, a.Round, err, c.want)
		}
	}
	w := newWorld(t)
	m := w.open(100)
	h, _ := ParseHeader(m.Header())
	_, err := w.payee.Admit(w.ctx, w.now, h, Terms{RequestHash: h.Request.Message.RequestHash, Model: model, Input: 2000, OutputCap: 10})
	if !refusedWith(err, CodeMaxCost) {
		t.Errorf("Admit of too much input = %v", err)
	}
}
