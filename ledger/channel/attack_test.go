package channel

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/culvert-net/culvert/internal/kv"
	"github.com/culvert-net/culvert/ledger"
)

// Whoever asks for a release again and again cannot keep the provider from claiming
// until the refund: once the channel is being closed, it is claimed at once.
func TestReleasesDoNotPutClaimsOff(t *testing.T) {
	w := newWorld(t)
	w.round(100)
	ask, err := w.payer.Leave(w.ctx, w.id)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.payee.Release(w.ctx, w.now, *ask); err != nil {
		t.Fatal(err)
	}
	if claims, _ := w.payee.Claims(w.ctx, w.now); len(claims) != 0 {
		t.Fatalf("before anybody closes, %+v is claimed", claims)
	}
	for range 24 { // it is never used, and nobody closes
		w.later(31 * time.Minute)
		if _, err := w.payee.Release(w.ctx, w.now, *ask); err != nil {
			t.Fatal(err)
		}
	}
	if got := w.claimed(); got != costOf(100) {
		t.Fatalf("after releases of half a day %s are claimed, of %s", got, costOf(100))
	}
	w.chain.set(func(c *ledger.Channel) { c.CloseAt = unix(w.now.Add(dispute24h)) }, w.id)
	for range 24 {
		w.later(59 * time.Minute)
		if _, err := w.payee.Release(w.ctx, w.now, *ask); err != nil {
			t.Fatal(err)
		}
		claims, err := w.payee.Claims(w.ctx, w.now)
		if err != nil || len(claims) != 1 || claims[0].Unclaimed.Less(costOf(100)) {
			t.Fatalf("while it is being closed, %+v is claimed, %v", claims, err)
		}
	}
}

// rob is a provider that keeps its results to itself: of each round it says, when
// its books are asked for, that it cost all that was reserved. It returns what it
// got, and what it was good for.
func (w *world) rob(output uint64, allowance ledger.Amount, deliver func(*Payment) bool) (got, worth ledger.Amount) {
	w.Helper()
	var finished ledger.Amount
	for range 1000 {
		m, err := w.payer.Open(w.ctx, w.now, w.order(output))
		if errors.Is(err, ErrResync) {
			ask, err := w.payer.ResyncAsk(w.ctx, w.id)
			if err != nil {
				w.Fatal(err)
			}
			v, err := w.payer.Adopt(w.ctx, w.id, State{Finished: finished, Next: ask.Next, Allowance: allowance})
			if errors.Is(err, ErrMismatch) {
				break
			}
			if err != nil {
				w.Fatal(err)
			}
			if v != nil {
				got = v.Message.Cumulative
			}
			continue
		}
		if err != nil {
			break
		}
		finished = sumCapped(finished, m.MaxCost())
		if deliver(m) {
			worth = sumCapped(worth, costOf(1))
		}
		if err := m.Abort(w.ctx, w.now); err != nil {
			w.Fatal(err)
		}
	}
	return maxAmount(got, w.account().promised), worth
}

// A provider that never gives a result can take one window by its word, and no
// second one, whatever allowance it says that it gives.
func TestWithheldResultsCostOneWindow(t *testing.T) {
	for name, allowance := range map[string]ledger.Amount{"none": {}, "some": ledger.Wei(50_000), "all there is": ledger.MaxAmount} {
		w := newWorld(t)
		got, worth := w.rob(1000, allowance, func(m *Payment) bool {
			m.Delivered(Delivery{Text: 4, Chunks: 1})
			return true
		})
		// One by its word, and one that is paid ahead.
		if most := sumCapped(worth, w.window, w.window); most.Less(got) {
			t.Errorf("with an allowance of %s it got %s, and was good for %s", name, got, worth)
		}
	}
}

// Answers whose results are lost because the payer is killed are no word that uses up
// the window, however many there are.
func TestKillsLeaveTheWindow(t *testing.T) {
	w := newWorld(t)
	lost := ledger.Amount{}
	for !sumCapped(w.window, w.window).Less(lost) {
		m := w.open(50)
		r := w.admit(m, 50)
		if _, err := r.Finish(w.ctx, w.now, ledger.Usage{Input: 20, Output: 50}, ledger.Hash{}, ledger.StatusDone); err != nil {
			t.Fatal(err)
		}
		before := w.account().spent
		w.startPayer()
		if err := w.resync(); err != nil {
			t.Fatalf("after answers of %s were lost: resync = %v", lost, err)
		}
		lost = sumCapped(lost, over(w.account().spent, before))
	}
	w.round(50)
	if a, b := w.account(), w.book(); a.spent != b.finished || !a.believed.IsZero() {
		t.Errorf("the payer has %s, %s of it by the provider's word; the provider has %s", a.spent, a.believed, b.finished)
	}
}

// However much ran when the payer was killed, a provider that keeps its results to
// itself gets one window more by that, whatever allowance it said that it gives.
func TestKillsGiveOneWindow(t *testing.T) {
	w := newWorld(t)
	if err := w.open(10).Accepted(w.ctx, Accepted{Allowance: ledger.MaxAmount}); err != nil {
		t.Fatal(err)
	}
	windows := func(n uint64) ledger.Amount { return ledger.Wei(100_000 * n) }
	for w.account().reserved.Less(windows(3)) {
		w.open(1000)
	}
	w.startPayer()
	next := w.account().track.next
	adopt := func(finished ledger.Amount) error {
		_, err := w.payer.Adopt(w.ctx, w.id, State{Finished: finished, Reserved: ledger.MaxAmount, Next: next})
		return err
	}
	if err := adopt(windows(3)); !errors.Is(err, ErrMismatch) {
		t.Errorf("three windows by the provider's word: %v", err)
	}
	if err := adopt(windows(2)); err != nil {
		t.Fatalf("one by its word, one of what ran: %v", err)
	}
	if err := adopt(sumCapped(windows(2), ledger.Wei(1))); !errors.Is(err, ErrMismatch) {
		t.Errorf("and a wei: %v", err)
	}
	if a := w.account(); a.believed != w.window || !a.orphaned.IsZero() || a.unsettled.IsZero() {
		t.Errorf("%s are by its word, %s of what ran, %s open", a.believed, a.orphaned, a.unsettled)
	}
}

// What a channel gives by a provider's word alone is no part of a release either.
func TestReleaseTakesOneWindow(t *testing.T) {
	w := newWorld(t)
	m := w.open(10)
	if err := m.Accepted(w.ctx, Accepted{Allowance: ledger.MaxAmount}); err != nil {
		t.Fatal(err)
	}
	if err := m.Abort(w.ctx, w.now); err != nil {
		t.Fatal(err)
	}
	for range 40 {
		if err := w.open(1000).Abort(w.ctx, w.now); err != nil {
			t.Fatal(err)
		}
	}
	owed := w.account().unsettled
	if !w.window.Less(owed) {
		t.Fatalf("only %s are unsettled", owed)
	}
	rel := ledger.Sign(ledger.Release{Channel: w.id, Epoch: 1, FinalCumulative: owed, Deadline: unix(w.now) + 60}, w.domain, w.provider)
	if err := w.payer.Released(w.ctx, rel); !errors.Is(err, ErrMismatch) {
		t.Errorf("Released of %s, of which all is the provider's word = %v", owed, err)
	}
	rel = ledger.Sign(ledger.Release{Channel: w.id, Epoch: 1, FinalCumulative: w.window, Deadline: unix(w.now) + 60}, w.domain, w.provider)
	if err := w.payer.Released(w.ctx, rel); err != nil {
		t.Errorf("Released of a window = %v", err)
	}
}

// By refusing, or by a receipt of more than was promised, a provider can have its
// books asked for, and nothing more: they are not believed as on a restored copy.
func TestRefusalsAreNoRestore(t *testing.T) {
	for name, provoke := range map[string]func(*world, *Payment) error{
		"refusal": func(w *world, m *Payment) error {
			return m.Refused(w.ctx, w.now, refuse(CodeUncovered, ""))
		},
		"receipt": func(w *world, m *Payment) error {
			return errors.Join(m.Accepted(w.ctx, Accepted{Cumulative: ledger.Wei(deposit)}), m.Refused(w.ctx, w.now, refuse(CodeBusy, "")))
		},
	} {
		w := newWorld(t)
		if err := provoke(w, w.open(50)); err != nil {
			t.Fatal(err)
		}
		if !w.account().mustSync {
			t.Fatalf("after a %s the books are not asked for", name)
		}
		if _, err := w.payer.Adopt(w.ctx, w.id, State{Finished: w.window, Next: 5}); !errors.Is(err, ErrMismatch) {
			t.Errorf("after a %s, books with costs that nobody had are %v", name, err)
		}
	}
}

// What was bought at a price is not used at a higher one that a provider puts on its
// next sheet, though the unit price is the same; a purchase agrees to it. A lower one
// is taken, and the first again.
func TestSheetsDoNotRaiseWhatWasBought(t *testing.T) {
	w := newWorld(t)
	w.round(10)
	first := *w.sheet
	at := func(seq, output, unit uint64) error {
		next := first
		next.Sequence, next.UnitPrice = seq, ledger.Wei(unit)
		next.Models = []ledger.ModelPrice{first.Models[0]}
		next.Models[0].Output = ledger.Wei(output)
		w.sheet = &next
		m, err := w.payer.Open(w.ctx, w.now, w.order(10))
		if err == nil {
			err = m.Refused(w.ctx, w.now, refuse(CodeBusy, ""))
		}
		return err
	}
	for i, c := range []struct {
		output, unit uint64
		want         error
	}{
		{outputPrice + 1, unitPrice, ErrPrice},
		{outputPrice * 1000, unitPrice, ErrPrice},
		{outputPrice / 2, unitPrice, nil},
		{outputPrice, unitPrice, nil},
		{outputPrice * 2, unitPrice * 2, nil}, // made for a higher unit price: scaled back
		{outputPrice * 3, unitPrice * 2, ErrPrice},
	} {
		if err := at(uint64(i+2), c.output, c.unit); !errors.Is(err, c.want) {
			t.Errorf("output at %d for a unit of %d: Open = %v, want %v", c.output, c.unit, err, c.want)
		}
	}
	w.hold(w.session, w.funder) // as before a purchase
	if err := at(20, outputPrice*3, unitPrice); err != nil {
		t.Errorf("after a purchase: Open = %v", err)
	}
}

// claimed is what the provider would claim now, of the world's channel.
func (w *world) claimed() ledger.Amount {
	w.Helper()
	list, err := w.payee.Claims(w.ctx, w.now)
	if err != nil || len(list) > 1 {
		w.Fatalf("Claims = %+v, %v", list, err)
	}
	if len(list) == 0 {
		return ledger.Amount{}
	}
	return list[0].Unclaimed
}

// A payer that never confirms what it has, or always less than there is, cannot keep
// the provider from claiming it: an hour later, or two where it goes on confirming a
// part, whatever it does with the channel meanwhile.
func TestPayersDoNotPutClaimsOff(t *testing.T) {
	voucher := func(w *world, amount ledger.Amount) {
		v := ledger.Voucher{Channel: w.id, Epoch: 1, Cumulative: amount, Transcript: ledger.RootOf(nil)}
		if _, err := w.payee.Voucher(w.ctx, w.now, ledger.Sign(v, w.domain, w.session)); err != nil {
			w.Fatal(err)
		}
	}
	for name, meanwhile := range map[string]func(w *world, earned ledger.Amount){
		"by the same voucher again":    func(w *world, _ ledger.Amount) { voucher(w, w.book().promised()) },
		"by one of nothing":            func(w *world, _ ledger.Amount) { voucher(w, ledger.Amount{}) },
		"by ever more, and too little": func(w *world, earned ledger.Amount) { voucher(w, over(earned, ledger.Wei(1))) },
		"by more than there was":       func(w *world, _ ledger.Amount) { voucher(w, sumCapped(w.book().promised(), ledger.Wei(1))) },
		"by a question": func(w *world, _ ledger.Amount) {
			ask := &ResyncAsk{Channel: w.id, Epoch: 1, Next: w.account().track.next}
			ask.Signature = w.session.Sign(askDigest(w.domain, ask.kind(), w.id, 1, ask.Next))
			if _, err := w.payee.Resync(w.ctx, w.now, *ask); err != nil {
				w.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.cap = ledger.Amount{} // all is paid ahead
			w.startPayee()
			var earned ledger.Amount
			for range 3 {
				m := w.open(40)
				earned = sumCapped(earned, w.deliver(m, w.admit(m, 40), 20, 100).Result.Message.Cost)
				for range 13 { // it never rests for an hour
					w.later(10 * time.Minute)
					meanwhile(w, earned)
				}
				if got := w.claimed(); got.Less(earned) {
					t.Fatalf("130 minutes after an answer %s are claimed, of %s that were earned and %s promised", got, earned, w.book().promised())
				}
			}
		})
	}
}

// A payer that has many answers under way is always a little late, and nothing is
// claimed that it has paid ahead.
func TestPromisesOfBusyPayersAreTheirs(t *testing.T) {
	w := newWorld(t)
	w.cap = ledger.Amount{}
	w.startPayee()
	var m *Payment
	var e Ending
	for range 20 {
		next := w.open(40)
		r := w.admit(next, 40)
		ended := w.deliver(next, r, 20, 100)
		if m != nil {
			w.settle(m, e) // while the next one is not confirmed
		}
		m, e = next, ended
		w.later(20 * time.Minute)
		if b := w.book(); b.finished.Less(w.claimed()) {
			t.Fatalf("claimed are %s, earned %s", w.claimed(), b.finished)
		}
	}
}

// A voucher that was ahead of its answer is earned when the answer is there.
func TestEarnedByTheAnswer(t *testing.T) {
	w := newWorld(t)
	for range 20 { // of which half is allowed
		w.round(100)
	}
	m := w.open(1000)
	r := w.admit(m, 1000)
	v := ledger.Voucher{Channel: w.id, Epoch: 1, Cumulative: sumCapped(w.book().finished, ledger.Wei(500)), Transcript: ledger.RootOf(nil)}
	if _, err := w.payee.Voucher(w.ctx, w.now, ledger.Sign(v, w.domain, w.session)); err != nil {
		t.Fatal(err)
	}
	w.deliver(m, r, 1000, 100)
	if b := w.book(); b.finished.Less(b.promised()) {
		t.Fatalf("promised are %s, earned %s", b.promised(), b.finished)
	}
	if got, want := w.claimed(), w.book().promised(); got != want {
		t.Errorf("claimed are %s of %s, all of which was earned", got, want)
	}
}

// By counting far too few tokens for as long as that takes, one provider cannot have
// the only other one left: who of the two is wrong is not known. A count that no text
// has is found by one other all the same.
func TestOneOtherIsNoJudge(t *testing.T) {
	for _, c := range []struct {
		name    string
		others  []uint32 // tokens of each other for 400 bytes
		percent uint64   // that is counted here, of four bytes a token
		found   bool
	}{
		{"one that counts too few", []uint32{36}, 100, false},
		{"one that counts a little less", []uint32{80}, 100, false},
		{"one, and twice as many here", []uint32{100}, 200, true},
		{"one that counts too few, and one like here", []uint32{36, 100}, 100, false},
		{"two, and a fifth more here", []uint32{100, 101}, 120, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.window, w.cap = ledger.Wei(500_000), ledger.Amount{}
			w.startPayer()
			err := w.payerStore.Do(w.ctx, func(tx kv.Tx) error {
				for i, tokens := range c.others {
					r := ratio{}
					for range RatioRounds {
						r.rounds = append(r.rounds, sample{tokens, 400})
					}
					if err := put(tx, payerRatios, ratioKey(model, keyOf(byte(10+i)).Address()), &r); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			found := false
			for range RatioRounds + 5 {
				m := w.open(400)
				found = w.settle(m, w.deliver(m, w.admit(m, 400), 200, c.percent)).Dispute != nil || found
			}
			if found != c.found {
				t.Errorf("found: %t, want %t", found, c.found)
			}
		})
	}
}

// A model that writes nothing but dashes until it is stopped, as small ones do, makes
// few tokens of many bytes. Such an answer among twenty has nobody left, however long
// it is.
func TestLongLinesAreNoCheat(t *testing.T) {
	w := newWorld(t)
	w.window, w.cap = ledger.Wei(500_000), ledger.Amount{}
	w.startPayer()
	for i := range RatioRounds + 5 {
		m := w.open(400)
		r := w.admit(m, 400)
		tokens, body := uint64(50), answer(50)
		if i%7 == 0 {
			tokens, body = 400, bytes.Repeat([]byte("-"), 400*64)
		}
		m.Delivered(Delivery{Text: uint64(len(body)), Chunks: tokens})
		result, err := r.Finish(w.ctx, w.now, ledger.Usage{Input: 20, Output: tokens}, hashOf(m.Salt(), body), ledger.StatusDone)
		if err != nil {
			t.Fatal(err)
		}
		if c := w.settle(m, Ending{Result: result, Complete: true, Response: hashOf(m.Salt(), body)}); c.Dispute != nil {
			t.Fatalf("round %d: %+v", i, c.Dispute)
		}
	}
}

// Rounds of a process that lives, which a provider draws out until their time is over,
// are its word as all others are: nobody was killed.
func TestLapsedRoundsAreNoKill(t *testing.T) {
	w := newWorld(t)
	m := w.open(50)
	for range MaxTTL/time.Minute + lapse/time.Minute + 1 {
		w.later(time.Minute)
		if err := w.payer.Sweep(w.ctx, w.now); err != nil {
			t.Fatal(err)
		}
	}
	if a := w.account(); a.running != 0 || a.unsettled != m.MaxCost() || !a.orphaned.IsZero() {
		t.Errorf("%d run, %s are unsettled, %s of it by a kill", a.running, a.unsettled, a.orphaned)
	}
}

// What others who share the store left behind, who are gone, is.
func TestLapsedRoundsOfOthers(t *testing.T) {
	w := newWorld(t)
	other, err := NewPayer(func() PayerConfig { c := w.payer.PayerConfig; c.Owner = "other"; return c }())
	if err != nil {
		t.Fatal(err)
	}
	m, err := other.Open(w.ctx, w.now, w.order(50))
	if err != nil {
		t.Fatal(err)
	}
	w.later(MaxTTL + lapse)
	w.later(time.Minute)
	if err := w.payer.Sweep(w.ctx, w.now); err != nil {
		t.Fatal(err)
	}
	if a := w.account(); a.running != 0 || a.unsettled != m.MaxCost() || a.orphaned != m.MaxCost() {
		t.Errorf("%d run, %s are unsettled, %s of it by a kill", a.running, a.unsettled, a.orphaned)
	}
}
