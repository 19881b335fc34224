package channel

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/culvert-net/culvert/internal/kv"
	"github.com/culvert-net/culvert/ledger"
)

// otherRounds makes the payer know how other providers count: 20 rounds of each,
// four bytes a token.
func (w *world) otherRounds() {
	w.Helper()
	err := w.payerStore.Do(w.ctx, func(tx kv.Tx) error {
		for n := byte(10); n < 13; n++ {
			r := ratio{}
			for range RatioRounds {
				r.rounds = append(r.rounds, sample{100, 400 + uint32(n)})
			}
			if err := put(tx, payerRatios, ratioKey(model, keyOf(n).Address()), &r); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		w.Fatal(err)
	}
}

// A provider that counts a hundredth too much is within the noise; a fifth, or
// twice, is found after 20 rounds, by what others count for as many bytes, and
// then costs this side's figure only.
func TestInflatedUsage(t *testing.T) {
	for _, c := range []struct {
		percent uint64
		found   bool
	}{{100, false}, {101, false}, {120, true}, {200, true}} {
		w := newWorld(t)
		w.window, w.cap = ledger.Wei(500_000), ledger.Amount{}
		w.startPayer()
		w.otherRounds()
		found := 0
		for i := range RatioRounds + 5 {
			m := w.open(400)
			r := w.admit(m, 400)
			e := w.deliver(m, r, 200, c.percent)
			got := w.settle(m, e)
			if got.Dispute == nil {
				continue
			}
			found++
			d := got.Dispute
			if i < RatioRounds-1 || d.Reason != TooDense || d.Provider != w.provider.Address() || d.Model != model {
				t.Fatalf("%d %%: round %d: %+v", c.percent, i, d)
			}
			// No more than the others' median and a tolerance.
			if limit := costOf(200 * 115 / 100); limit.Less(got.Cost) || got.Cost != d.Paid || d.Claimed != e.Result.Message.Cost {
				t.Fatalf("%d %%: the round costs %s, claimed %s; want at most %s", c.percent, got.Cost, d.Claimed, limit)
			}
		}
		if c.found != (found > 0) {
			t.Errorf("%d %%: found %d times", c.percent, found)
		}
		list, err := w.payer.Disputes(w.ctx, 100)
		if err != nil || len(list) != found {
			t.Errorf("%d %%: %d disputes are kept, %v", c.percent, len(list), err)
		}
		if found == 0 {
			continue
		}
		// What was not paid is not paid by a resync either.
		if err := w.resync(); !errors.Is(err, ErrMismatch) {
			t.Errorf("%d %%: Adopt = %v", c.percent, err)
		}
	}
}

// A provider that counts too few tokens for its texts does not count what it makes.
// One answer of long tokens says nothing, nor do twenty with an ordinary one among
// them.
func TestTooFewTokens(t *testing.T) {
	for _, c := range []struct {
		name  string
		each  uint64 // tokens counted of 200 in each answer but the first, in percent
		found bool
	}{{"as they are", 100, false}, {"long tokens", 40, false}, {"too few", 30, true}} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.window, w.cap = ledger.Wei(500_000), ledger.Amount{}
			w.startPayer()
			for i := range uint64(RatioRounds + 1) {
				m := w.open(400)
				r := w.admit(m, 400)
				e := w.deliver(m, r, 200, c.each)
				got := w.settle(m, e)
				switch last := i >= RatioRounds-1; {
				case got.Dispute != nil != (c.found && last):
					t.Fatalf("round %d: dispute %+v", i, got.Dispute)
				case got.Dispute != nil && (got.Dispute.Reason != TooLittle || got.Cost != e.Result.Message.Cost):
					t.Fatalf("round %d: %+v, for %s; it is paid what it asked for", i, got.Dispute, got.Cost)
				}
			}
		})
	}
}

// Without any other provider the bytes that arrived are the bound.
func TestFiguresThatCannotBe(t *testing.T) {
	text := Delivery{Text: 400, Chunks: 100}
	for _, c := range []struct {
		name   string
		got    Delivery
		cut    bool
		change func(*ledger.Result)
		reason Reason
		cost   ledger.Amount
	}{
		{"as it is", text, false, func(*ledger.Result) {}, Agreed, costOf(100)},
		{"a token for each byte", text, false, func(r *ledger.Result) { r.Output, r.Cost = 400, costOf(400) }, Agreed, costOf(400)},
		{"more tokens than bytes", text, false, func(r *ledger.Result) { r.Output, r.Cost = 402, costOf(402) }, TooMuch, costOf(401)},
		{"tool calls are apart", Delivery{Text: 4, Tools: 40, ToolCalls: 1}, false, func(r *ledger.Result) { r.Output, r.Cost = 70, costOf(70) }, Agreed, costOf(70)},
		{"a page of dashes", Delivery{Text: 4000}, false, func(*ledger.Result) {}, Agreed, costOf(100)},
		{"too much input", text, false, func(r *ledger.Result) { r.Input, r.Cost = 5000, ledger.Wei(6000) }, WrongInput, ledger.Wei(uint64(len(testBody)) + templateSlack + 1000)},
		{"too much cached input", text, false, func(r *ledger.Result) { r.Cached, r.Cost = 1<<63, ledger.Wei(6000) }, WrongInput, ledger.Wei(20 + (uint64(len(testBody))+templateSlack-20+1)/2 + 1000)},
		{"a cost beside the usage", text, false, func(r *ledger.Result) { r.Cost = costOf(101) }, WrongCost, costOf(100)},
		{"another answer", text, false, func(r *ledger.Result) { r.ResponseHash[0]++ }, OtherContent, costOf(100)},
		{"aborted, and charged", text, false, func(r *ledger.Result) { r.Status = ledger.StatusAborted }, WrongStatus, ledger.Amount{}},
		{"aborted", Delivery{}, false, func(r *ledger.Result) {
			*r = ledger.Result{Channel: r.Channel, Epoch: r.Epoch, RoundID: r.RoundID, RequestHash: r.RequestHash, Final: true, Status: ledger.StatusAborted}
		}, Agreed, ledger.Amount{}},
		{"cut, with some under way", Delivery{Text: 10}, true, func(r *ledger.Result) { r.Output, r.Cost, r.Status = 200, costOf(200), ledger.StatusPartial }, Agreed, costOf(200)},
		{"cut, with too much under way", Delivery{Text: 10}, true, func(r *ledger.Result) { r.Output, r.Cost, r.Status = 500, costOf(500), ledger.StatusPartial }, Agreed, costOf(11 + inFlight)},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			m := w.open(1000)
			m.Delivered(c.got)
			res := ledger.Result{
				Channel: m.at.id, Epoch: 1, RoundID: m.ID(), Final: true, RequestHash: m.round.requestHash, ResponseHash: ledger.Hash{1},
				Input: 20, Output: 100, Cost: costOf(100), Status: ledger.StatusDone,
			}
			c.change(&res)
			got, err := m.Confirm(w.ctx, w.now, Ending{Result: ledger.Sign(res, w.domain, w.provider), Complete: !c.cut, Response: ledger.Hash{1}})
			if err != nil || got.Cost != c.cost || (got.Dispute != nil) != (c.reason != Agreed) || got.Dispute != nil && got.Dispute.Reason != c.reason {
				t.Fatalf("Confirm = %+v, %v; want %s, %v", got, err, c.cost, c.reason)
			}
			a := w.account()
			if a.spent != c.cost || a.promised.Less(c.cost) || !a.reserved.IsZero() {
				t.Fatalf("spent %s, promised %s, reserved %s", a.spent, a.promised, a.reserved)
			}
		})
	}
}

// What is no result of this round, or not its provider's, ends nothing.
func TestResultsOfOthers(t *testing.T) {
	w := newWorld(t)
	m := w.open(100)
	for i, change := range []func(*ledger.Result){
		func(r *ledger.Result) { r.RoundID[0]++ }, func(r *ledger.Result) { r.Epoch++ }, func(r *ledger.Result) { r.Channel[0]++ },
		func(r *ledger.Result) { r.RequestHash[0]++ }, func(r *ledger.Result) { r.Final = false }, nil,
	} {
		res := ledger.Result{Channel: m.at.id, Epoch: 1, RoundID: m.ID(), Final: true, RequestHash: m.round.requestHash, Status: ledger.StatusDone}
		key := w.provider
		if change == nil {
			key = w.session
		} else {
			change(&res)
		}
		if _, err := m.Confirm(w.ctx, w.now, Ending{Result: ledger.Sign(res, w.domain, key)}); !errors.Is(err, ErrResult) {
			t.Errorf("%d: Confirm = %v", i, err)
		}
	}
	if a := w.account(); a.running != 1 || a.reserved != m.MaxCost() {
		t.Errorf("the round has ended: %+v", a)
	}
}

// An allowance is nothing at first, grows to half of what was paid, and is lost
// by who does not pay. The provider never lets more than it be owed.
func TestClientStopsPaying(t *testing.T) {
	w := newWorld(t)
	if a := w.allowed(); !a.IsZero() {
		t.Fatalf("a new channel is allowed %s", a)
	}
	for range 20 {
		w.round(100)
	}
	paid := w.book().finished
	if a := w.allowed(); a != paid.Half() {
		t.Fatalf("allowed %s, want half of %s", a, paid)
	}
	// From now on no voucher comes.
	var refused error
	for range 100 {
		m := w.open(100)
		h, _ := ParseHeader(m.Header())
		h.Voucher = nil
		a, err := w.admitBy(w.payee, h.String(), 100)
		if err != nil {
			refused = err
			break
		}
		w.deliver(m, a.Round, 100, 100)
		if err := m.Abort(w.ctx, w.now); err != nil {
			t.Fatal(err)
		}
		b := w.book()
		if owed := over(b.finished, b.promised()); paid.Half().Less(owed) {
			t.Fatalf("%s is owed, and %s allowed", owed, paid.Half())
		}
	}
	r, ok := errors.AsType[*Refusal](refused)
	if !ok || r.Code != CodeUncovered || !w.book().promised().Less(r.Wanted) {
		t.Fatalf("Admit = %v", refused)
	}
	if w.later(PayTime + time.Second); !w.allowed().IsZero() {
		t.Errorf("who owes for %v is allowed %s", PayTime, w.allowed())
	}
	m := w.open(1)
	h, _ := ParseHeader(m.Header())
	h.Voucher = nil
	if _, err := w.admitBy(w.payee, h.String(), 1); !refusedWith(err, CodeUnpaid) {
		t.Errorf("Admit = %v", err)
	}
	w.later(GiveUpTime)
	if err := w.payee.Sweep(w.ctx, w.now); err != nil {
		t.Fatal(err)
	}
	list, err := w.payee.Accounts(w.ctx)
	if err != nil || len(list) != 1 || !list[0].Unpaid || list[0].Owed.IsZero() || list[0].Since.IsZero() {
		t.Errorf("Accounts = %+v, %v", list, err)
	}
	// Who pays at last is new again.
	v := ledger.Sign(ledger.Voucher{Channel: w.id, Epoch: 1, Cumulative: w.book().finished}, w.domain, w.session)
	a, err := w.payee.Voucher(w.ctx, w.now, v)
	if err != nil || a.Cumulative != w.book().finished || paid.Half().Less(a.Allowance) {
		t.Errorf("Voucher = %+v, %v", a, err)
	}
	if b := w.book(); b.owedSince != 0 || b.defaulted {
		t.Errorf("it still owes: %+v", b)
	}
}

// What a provider allows is one funder's, over all his channels: each of them is told
// of it, and only the first can have it. Who was refused pays ahead then, and is not
// asked to compare books.
func TestAllowedTwice(t *testing.T) {
	w := newWorld(t)
	second := keyOf(5)
	id := w.buy(second, w.funder, 1_000_000)
	w.hold(second, w.funder)
	w.cap, w.young = ledger.Wei(5000), ledger.Wei(5000)
	w.startPayee()
	first := w.id
	for range 20 {
		for _, w.id = range []ledger.ChannelID{first, id} {
			w.round(100)
		}
	}
	order := func(on ledger.ChannelID, ahead bool) *Payment {
		o := w.order(400)
		o.Channel, o.Ahead = on, ahead
		m, err := w.payer.Open(w.ctx, w.now, o)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	w.admit(order(first, false), 400)
	m := order(id, false)
	_, err := w.admitBy(w.payee, m.Header(), 400)
	r, told := errors.AsType[*Refusal](err)
	if !told || r.Code != CodeUncovered {
		t.Fatalf("Admit of what was lent to the other channel = %v", err)
	}
	if err := m.Refused(w.ctx, w.now, r); err != nil {
		t.Fatal(err)
	}
	w.admit(order(id, true), 400)

	// Where nothing was counted on, the books must differ.
	m = order(id, true)
	if err := m.Refused(w.ctx, w.now, r); err != nil {
		t.Fatal(err)
	}
	if _, err := w.payer.Open(w.ctx, w.now, w.order(1)); !errors.Is(err, ErrResync) {
		t.Errorf("Open after a refusal of what was paid ahead = %v", err)
	}
}

func (w *world) allowed() ledger.Amount {
	w.Helper()
	var a ledger.Amount
	err := w.payeeStore.View(w.ctx, func(tx kv.Tx) (err error) {
		b, _, err := loadBook(tx, w.place())
		if err != nil {
			return err
		}
		a, err = w.payee.allowance(tx, w.now, b)
		return err
	})
	if err != nil {
		w.Fatal(err)
	}
	return a
}

// All funders who are new share a cap, and one funder has one allowance for all
// of his channels.
func TestAllowanceIsShared(t *testing.T) {
	w := newWorld(t)
	w.cap, w.young = ledger.Wei(3000), ledger.Wei(4000)
	w.startPayee()
	type channel struct {
		id      ledger.ChannelID
		session *ledger.Key
	}
	one := channel{w.id, w.session}
	second := channel{session: keyOf(20)} // of the same funder
	second.id = w.buy(second.session, w.funder, deposit)
	third := channel{session: keyOf(21)} // of another
	third.id = w.buy(third.session, keyOf(22), deposit)
	use := func(c channel) { w.id = c.id }
	for _, c := range []channel{one, second, third} {
		use(c)
		for range 10 {
			w.round(100)
		}
	}
	use(one)
	if a := w.allowed(); a != w.cap {
		t.Fatalf("allowed %s", a)
	}
	owe := func(maxCost uint64) error {
		m := w.open((maxCost - 100) / 10)
		h, _ := ParseHeader(m.Header())
		h.Voucher = nil
		a, err := w.admitBy(w.payee, h.String(), (maxCost-100)/10)
		if err != nil {
			return errors.Join(err, m.Refused(w.ctx, w.now, refuse(CodeBusy, "")))
		}
		_ = a
		return nil
	}
	var owed ledger.Amount
	for owe(500) == nil {
	}
	b := w.book()
	owed = over(sumCapped(b.finished, b.reserved), b.promised())
	if w.cap.Less(owed) {
		t.Fatalf("%s is owed", owed)
	}
	before := owed
	use(second)
	for owe(500) == nil {
	}
	b = w.book()
	owed = sumCapped(owed, over(sumCapped(b.finished, b.reserved), b.promised()))
	if w.cap.Less(owed) {
		t.Errorf("one funder may owe %s on two channels, %s on one", owed, before)
	}
	use(third)
	for owe(500) == nil {
	}
	b = w.book()
	owed = sumCapped(owed, over(sumCapped(b.finished, b.reserved), b.promised()))
	if w.young.Less(owed) || owed.Less(ledger.Wei(3500)) {
		t.Errorf("new funders may owe %s together, want about %s", owed, w.young)
	}
	// A day later nobody is new, and only the funder's own limit holds.
	w.later(YoungTime + 2*time.Hour)
	if a := w.allowed(); !a.IsZero() && !w.cap.Less(a) && owed.IsZero() {
		t.Errorf("allowed %s", a)
	}
	if err := owe(500); err != nil {
		t.Errorf("an old funder is refused: %v", err)
	}
}

// A deposit that the chain loses again covers nothing: what runs ends within two
// seconds, and nothing is admitted.
func TestDepositReorgedAway(t *testing.T) {
	w := newWorld(t)
	m := w.open(100)
	r := w.admit(m, 100)
	use := ledger.Usage{Input: 20, Output: 10}
	if s, _, err := r.Progress(w.ctx, w.now, use); s != Go || err != nil {
		t.Fatalf("Progress = %v, %v", s, err)
	}
	full, _ := w.chain.Channel(w.id)
	w.chain.mu.Lock()
	delete(w.chain.channels, w.id)
	w.chain.mu.Unlock()
	w.later(checkTime)
	if s, ask, err := r.Progress(w.ctx, w.now, use); s != Pause || ask == nil || err != nil {
		t.Fatalf("Progress = %v, %+v, %v", s, ask, err)
	}
	w.later(PauseTime - time.Millisecond)
	if s, _, err := r.Progress(w.ctx, w.now, use); s != Pause || err != nil {
		t.Fatalf("Progress = %v, %v", s, err)
	}
	w.later(time.Millisecond)
	if s, _, err := r.Progress(w.ctx, w.now, use); s != End || err != nil {
		t.Fatalf("Progress = %v, %v", s, err)
	}
	if _, err := w.admitBy(w.payee, m.Header(), 100); !refusedWith(err, CodeChannel) {
		t.Errorf("Admit = %v", err)
	}
	// It is signed and kept all the same: the purchase may come back.
	result, err := r.Finish(w.ctx, w.now, use, ledger.Hash{}, ledger.StatusPartial)
	if err != nil {
		t.Fatal(err)
	}
	m.Delivered(Delivery{Text: 40})
	c := w.settle(m, Ending{Result: result})
	if c.Cost != costOf(10) {
		t.Errorf("the round costs %s", c.Cost)
	}
	if claims, _ := w.payee.Claims(w.ctx, w.now); len(claims) != 0 {
		t.Errorf("Claims = %+v", claims)
	}
	if _, err := w.payer.Open(w.ctx, w.now, w.order(100)); err == nil {
		t.Error("Open works without a channel")
	}
	w.chain.set(func(c *ledger.Channel) { *c = full }, w.id)
	if claims, _ := w.payee.Claims(w.ctx, w.now); len(claims) != 1 || claims[0].Unclaimed != c.Cost || !c.Cost.Less(w.book().promised()) {
		t.Errorf("Claims = %+v; want what was earned, %s of %s", claims, c.Cost, w.book().promised())
	}
	w.round(10)
}

// A provider that has not seen the chain for a quarter of the dispute time
// allows nothing; after half of it, it admits nothing.
func TestChainSilent(t *testing.T) {
	w := newWorld(t)
	for range 20 {
		w.round(100)
	}
	if w.allowed().IsZero() {
		t.Fatal("nothing is allowed")
	}
	m := w.open(200)
	h, _ := ParseHeader(m.Header())
	h.Voucher = nil
	a, err := w.admitBy(w.payee, h.String(), 200)
	if err != nil {
		t.Fatal(err)
	}
	w.now = w.now.Add(dispute24h/4 + time.Second)
	a.Round.served.deadline = unixMilli(w.now.Add(time.Hour))
	if !w.allowed().IsZero() {
		t.Errorf("allowed %s", w.allowed())
	}
	// What runs on credit has to be paid now, and goes on when it is.
	use := ledger.Usage{Input: 20, Output: 190}
	w.book()
	s, ask, err := a.Round.Progress(w.ctx, w.now, use)
	if s != Pause || ask == nil || err != nil {
		t.Fatalf("Progress = %v, %+v, %v", s, ask, err)
	}
	v, err := m.Ask(w.ctx, *ask)
	if err != nil {
		t.Fatal(err)
	}
	w.pay(m, v)
	if s, _, err := a.Round.Progress(w.ctx, w.now, use); s != Go || err != nil {
		t.Fatalf("Progress = %v, %v", s, err)
	}
	w.settle(m, w.deliver(m, a.Round, 190, 100))
	w.round(10) // paid ahead
	w.now = w.now.Add(dispute24h / 4)
	if _, err := w.admitBy(w.payee, w.open(10).Header(), 10); !refusedWith(err, CodeChainSilent) {
		t.Errorf("Admit = %v", err)
	}
}

// While it streams, the provider asks at half of the allowance.
func TestAskAtHalfOfTheAllowance(t *testing.T) {
	w := newWorld(t)
	for range 20 {
		w.round(100)
	}
	b := w.book()
	free := over(sumCapped(b.promised(), w.allowed().Half()), b.finished)
	m := w.open(800)
	h, _ := ParseHeader(m.Header())
	h.Voucher = nil
	a, err := w.admitBy(w.payee, h.String(), 800)
	if err != nil {
		t.Fatal(err)
	}
	asked := false
	for out := uint64(0); out <= 800; out++ {
		use := ledger.Usage{Input: 20, Output: out}
		s, ask, err := a.Round.Progress(w.ctx, w.now, use)
		if s != Go || err != nil {
			t.Fatalf("Progress = %v, %v", s, err)
		}
		if ask == nil {
			if !asked && free.Less(a.Round.Cost(use)) {
				t.Fatalf("nothing is asked at %s, with %s free", a.Round.Cost(use), free)
			}
			continue
		}
		if !free.Less(a.Round.Cost(use)) {
			t.Fatalf("asked at %s, with %s free", a.Round.Cost(use), free)
		}
		asked = true
		m.Delivered(Delivery{Text: 4 * out})
		v, err := m.Ask(w.ctx, *ask)
		if err != nil {
			t.Fatal(err)
		}
		if got := w.pay(m, v); got.Cumulative.Less(ask.Cumulative) {
			t.Fatalf("asked for %s, paid %s", ask.Cumulative, got.Cumulative)
		}
		break
	}
	if !asked {
		t.Fatal("nothing was asked")
	}
}

// However much a provider asks for, it gets one window ahead of what came.
func TestAskIsBoundedByTheWindow(t *testing.T) {
	w := newWorld(t)
	w.window = ledger.Wei(5000)
	w.startPayer()
	m := w.open(100)
	v, err := m.Ask(w.ctx, Ask{m.ID(), ledger.MaxAmount})
	if err != nil || v.Message.Cumulative != w.window {
		t.Fatalf("Ask = %s, %v", v.Message.Cumulative, err)
	}
	m.Delivered(Delivery{Text: 1200}) // a hundred tokens at least, a thousand wei
	if v, err = m.Ask(w.ctx, Ask{m.ID(), ledger.MaxAmount}); err != nil || v.Message.Cumulative != ledger.Wei(6000) {
		t.Fatalf("Ask = %s, %v", v.Message.Cumulative, err)
	}
	if _, err := w.payer.Open(w.ctx, w.now, w.order(500)); !errors.Is(err, ErrWindow) {
		t.Errorf("Open of a round that costs more than the window = %v", err)
	}
	w.window = ledger.Wei(10 * deposit)
	w.startPayer()
	if _, err := w.payer.Open(w.ctx, w.now, w.order(deposit)); !errors.Is(err, ErrFunds) || errors.Is(err, ErrRunning) {
		t.Errorf("Open of a round that costs more than the deposit = %v", err)
	}
}

// A channel is closed on the disk before a release is signed, and stays so.
func TestRelease(t *testing.T) {
	w := newWorld(t)
	w.round(100)
	running := w.open(10)
	r := w.admit(running, 10)
	ask, err := w.payer.Leave(w.ctx, w.id)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.payee.Release(w.ctx, w.now, *ask); !refusedWith(err, CodeBusy) {
		t.Fatalf("Release while a round runs = %v", err)
	}
	w.settle(running, w.deliver(running, r, 10, 100))
	w.payeeStore.fail = func(int) (bool, bool) { return true, false }
	if _, err := w.payee.Release(w.ctx, w.now, *ask); !errors.Is(err, errDisk) {
		t.Fatalf("Release on a broken disk = %v", err)
	}
	w.payeeStore.fail = nil
	rel, err := w.payee.Release(w.ctx, w.now, *ask)
	if err != nil || rel.Message.FinalCumulative != w.account().spent {
		t.Fatalf("Release = %+v, %v; want %s", rel.Message, err, w.account().spent)
	}
	if err := w.payer.Released(w.ctx, rel); err != nil {
		t.Errorf("Released = %v", err)
	}
	more := rel.Message
	more.FinalCumulative, _ = more.FinalCumulative.Add(ledger.Wei(1))
	if err := w.payer.Released(w.ctx, ledger.Sign(more, w.domain, w.provider)); !errors.Is(err, ErrMismatch) {
		t.Errorf("Released of more than is owed = %v", err)
	}
	if _, err := w.payer.Open(w.ctx, w.now, w.order(10)); !errors.Is(err, ErrClosing) {
		t.Errorf("Open on a channel that is left = %v", err)
	}
	if claims, _ := w.payee.Claims(w.ctx, w.now); len(claims) != 0 {
		t.Errorf("Claims before the release's deadline = %+v", claims)
	}
	w.later(ReleaseTime + time.Second)
	if claims, _ := w.payee.Claims(w.ctx, w.now); len(claims) != 1 {
		t.Errorf("Claims after it = %+v", claims)
	}
	w.startPayee()
	h := Header{Request: ledger.Sign(ledger.Request{Channel: w.id, Epoch: 1, Seq: 9, TTL: 60, Sheet: w.sheet.Digest(w.domain)}, w.domain, w.session)}
	if _, err := w.admitBy(w.payee, h.String(), 10); !refusedWith(err, CodeInvalid) { // another request's hash
		t.Errorf("Admit = %v", err)
	}
	h.Request.Message.RequestHash = HashRequest(h.Salt, testTarget, testBody)
	h.Request = ledger.Sign(h.Request.Message, w.domain, w.session)
	if _, err := w.admitBy(w.payee, h.String(), 10); !refusedWith(err, CodeClosed) {
		t.Errorf("Admit after a release = %v", err)
	}
	again, err := w.payee.Release(w.ctx, w.now, *ask)
	if err != nil || again.Message.FinalCumulative != rel.Message.FinalCumulative {
		t.Errorf("Release again = %+v, %v", again.Message, err)
	}
}

// Another epoch of the channel is another book; what ends in the old one changes
// nothing in the new one.
func TestNextEpoch(t *testing.T) {
	w := newWorld(t)
	w.round(100)
	m := w.open(100)
	r := w.admit(m, 100)
	w.chain.set(func(c *ledger.Channel) { c.Epoch, c.Claimed, c.Deposited = 2, ledger.Amount{}, ledger.Wei(5000) }, w.id)
	if _, err := w.admitBy(w.payee, m.Header(), 100); !refusedWith(err, CodeEpoch) {
		t.Errorf("Admit in an old epoch = %v", err)
	}
	w.settle(m, w.deliver(m, r, 100, 100))
	if b := w.book(); !b.finished.IsZero() || b.best != nil {
		t.Errorf("the new epoch begins with %+v", b)
	}
	w.round(50)
	if b, a := w.book(), w.account(); b.finished != costOf(50) || a.spent != costOf(50) || a.track.next != 2 {
		t.Errorf("the new epoch has %s, %s", b.finished, a.spent)
	}
	w.later(KeepTime + time.Hour)
	if err := w.payee.Sweep(w.ctx, w.now); err != nil {
		t.Fatal(err)
	}
	if list, _ := w.payee.Accounts(w.ctx); len(list) != 1 || list[0].Epoch != 2 {
		t.Errorf("after a while there are %+v", list)
	}
}

// Balances, history and openings are what people and courts see.
func TestHistory(t *testing.T) {
	w := newWorld(t)
	var ids []ledger.RoundID
	for i := range uint64(9) {
		w.later(time.Second)
		m := w.open(100)
		r := w.admit(m, 100)
		ids = append(ids, m.ID())
		if i == 4 {
			if err := m.Abort(w.ctx, w.now); err != nil {
				t.Fatal(err)
			}
			continue
		}
		w.settle(m, w.deliver(m, r, 10*i, 100))
	}
	list, err := w.payer.Rounds(w.ctx, 5)
	if err != nil || len(list) != 5 {
		t.Fatalf("Rounds = %d, %v", len(list), err)
	}
	for i, info := range list {
		if info.Round != ids[8-i] {
			t.Fatalf("round %d of the history is %s", i, info.Round)
		}
		if info.State == RoundDone && (!info.Confirmed || info.Cost != costOf(10*uint64(8-i)) || info.Claimed != info.Cost) {
			t.Errorf("round %d = %+v", i, info)
		}
	}
	if list[4].State != RoundAborted || list[4].Status != ledger.StatusAborted || !list[4].Cost.IsZero() {
		t.Errorf("the aborted round = %+v", list[4])
	}
	for i, id := range ids {
		o, err := w.payer.Show(w.ctx, id)
		if err != nil {
			t.Fatalf("Show(%d) = %v", i, err)
		}
		if err := o.Verify(w.domain, w.session.Address()); err != nil {
			t.Errorf("round %d: Verify = %v", i, err)
		}
		if i != 4 && (HashRequest(o.Salt, testTarget, testBody) != o.Leaf.RequestHash || hashOf(o.Salt, answer(10*uint64(i))) != o.Leaf.ResponseHash) {
			t.Errorf("round %d: the hashes are not those of request and answer", i)
		}
		o.Leaf.Output++
		if err := o.Verify(w.domain, w.session.Address()); err == nil {
			t.Errorf("round %d: a changed leaf is proven", i)
		}
	}
	if _, err := w.payer.Show(w.ctx, ledger.RoundID{1}); !errors.Is(err, ErrNoRound) {
		t.Errorf("Show of no round = %v", err)
	}
	m := w.open(10)
	if _, err := w.payer.Show(w.ctx, m.ID()); !errors.Is(err, ErrNotCovered) {
		t.Errorf("Show of a running round = %v", err)
	}
	b, err := w.payer.Balances(w.ctx)
	if err != nil || len(b) != 1 || b[0].Spent != w.account().spent || b[0].Reserved != m.MaxCost() || b[0].Running != 1 {
		t.Fatalf("Balances = %+v, %v", b, err)
	}
	if got := sumCapped(b[0].Free, b[0].Spent, b[0].Reserved, b[0].Unsettled); got != ledger.Wei(deposit) {
		t.Errorf("the parts of the balance are %s", got)
	}
	if id, err := w.payer.Choose(w.ctx, w.provider.Address(), w.session.Address(), ledger.Wei(1000)); err != nil || id != w.id {
		t.Errorf("Choose = %v, %v", id, err)
	}
	if _, err := w.payer.Choose(w.ctx, w.provider.Address(), w.session.Address(), ledger.Wei(deposit)); !errors.Is(err, ErrNoChannel) {
		t.Errorf("Choose for more than there is = %v", err)
	}
}

// What is kept has no word of request or answer.
func TestNoContentIsKept(t *testing.T) {
	w := newWorld(t)
	m := w.open(100)
	r := w.admit(m, 100)
	w.settle(m, w.deliver(m, r, 50, 100))
	for _, s := range []*memory{w.payerStore, w.payeeStore} {
		for k, v := range s.copyOf() {
			for _, canary := range []string{"canary", "wordword", testTarget} {
				if strings.Contains(k, canary) || strings.Contains(string(v), canary) {
					t.Errorf("%q holds %q", k, canary)
				}
			}
		}
	}
}

// A window may be so many tokens at the channel's own price, where that is more.
func TestWindowOf(t *testing.T) {
	for _, c := range []struct {
		window, tokens uint64
		locked, want   ledger.Amount
	}{
		{500, 0, ledger.Wei(1_000_000), ledger.Wei(500)},
		{500, 300, ledger.Wei(1_000_000), ledger.Wei(500)},
		{500, 600, ledger.Wei(1_000_000), ledger.Wei(600)},
		{0, 600, ledger.Wei(5_000_000), ledger.Wei(3000)},
		{500, 600, ledger.Amount{}, ledger.Wei(500)},
		{0, 1 << 60, ledger.MaxAmount, ledger.MaxAmount},
	} {
		p := &Payer{PayerConfig: PayerConfig{Window: ledger.Wei(c.window), WindowTokens: c.tokens}}
		if got := p.WindowOf(c.locked); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

// Who pays ahead promises more than an answer costs. The provider claims what was
// earned, to the wei; all that was promised only for answers that nobody confirms,
// once their payer leaves, was silent for long, or the books are a copy of yesterday's.
func TestClaimsWhatWasEarned(t *testing.T) {
	var earned ledger.Amount
	prepare := func(t *testing.T, confirmed bool) *world {
		w := newWorld(t)
		w.cap = ledger.Amount{}
		w.startPayee()
		earned = w.round(10).Cost
		m := w.open(400)
		e := w.deliver(m, w.admit(m, 400), 20, 100)
		if confirmed {
			cost := w.settle(m, e).Cost
			sum, err := earned.Add(cost)
			if err != nil {
				t.Fatal(err)
			}
			earned = sum
		}
		if b := w.book(); !b.finished.Less(b.promised()) {
			t.Fatalf("promised are %s, earned %s: nothing was paid ahead", b.promised(), b.finished)
		}
		return w
	}
	claims := func(w *world) ledger.Amount {
		w.Helper()
		list, err := w.payee.Claims(w.ctx, w.now)
		if err != nil || len(list) != 1 || list[0].Unclaimed != list[0].Voucher.Message.Cumulative {
			w.Fatalf("Claims = %+v, %v", list, err)
		}
		return list[0].Unclaimed
	}
	closing := func(w *world) {
		w.chain.set(func(c *ledger.Channel) { c.CloseAt = unix(w.now.Add(24 * time.Hour)) }, w.id)
	}
	forget := func(w *world) {
		err := w.payeeStore.Do(w.ctx, func(tx kv.Tx) error {
			b, _, err := loadBook(tx, w.place())
			if err != nil {
				return err
			}
			b.closed = forgotten
			return put(tx, payeeBooks, w.place().key(), b)
		})
		if err != nil {
			w.Fatal(err)
		}
	}
	release := func(w *world) {
		ask, err := w.payer.Leave(w.ctx, w.id)
		if err != nil {
			w.Fatal(err)
		}
		if _, err := w.payee.Release(w.ctx, w.now, *ask); err != nil {
			w.Fatal(err)
		}
	}
	for _, c := range []struct {
		name      string
		confirmed bool
		then      func(*world)
		all       bool
	}{
		{"confirmed", true, func(*world) {}, false},
		{"confirmed, and long ago", true, func(w *world) { w.later(2 * ConfirmTime) }, false},
		{"confirmed, and closing", true, closing, false},
		{"one is not confirmed yet", false, func(*world) {}, false},
		{"one was not confirmed for long", false, func(w *world) { w.later(2 * ConfirmTime) }, true},
		{"one is not confirmed, and closing", false, closing, true},
		{"a copy of yesterday's", true, forget, true},
		{"a copy of yesterday's, and a release that is not used", true, func(w *world) { forget(w); release(w); w.later(2 * ReleaseTime) }, true},
		{"a copy of yesterday's, and a release, and closing", true, func(w *world) { forget(w); release(w); closing(w) }, true},
		{"confirmed, and a release that is not used", true, func(w *world) { release(w); w.later(2 * ReleaseTime) }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := prepare(t, c.confirmed)
			c.then(w)
			want := earned
			if c.all {
				want = w.book().promised()
			}
			if got := claims(w); got != want {
				t.Errorf("claimed are %s, want %s", got, want)
			}
		})
	}
}
