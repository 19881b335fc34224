package channel

import (
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/culvert-net/culvert/internal/kv/bolt"
	"github.com/culvert-net/culvert/ledger"
	"github.com/culvert-net/culvert/ledger/store"
)

// script is a few rounds of every kind, until one step fails. It returns what
// was under way then.
func (w *world) script() (m *Payment, r *Round, err error) {
	for i := range 4 {
		if m, err = w.payer.Open(w.ctx, w.now, w.order(100)); err != nil {
			return nil, nil, err
		}
		a, err := w.admitBy(w.payee, m.Header(), 100)
		if err != nil {
			return m, nil, err
		}
		r = a.Round
		body := answer(50)
		m.Delivered(Delivery{Text: uint64(len(body)), Chunks: 50})
		if i == 1 {
			v, err := m.Ask(w.ctx, Ask{m.ID(), sumCapped(m.MaxCost(), ledger.Wei(2000))})
			if err != nil {
				return m, r, err
			}
			if _, err := w.payee.Voucher(w.ctx, w.now, v); err != nil {
				return m, r, err
			}
		}
		result, err := r.Finish(w.ctx, w.now, ledger.Usage{Input: 20, Output: 50}, hashOf(m.Salt(), body), ledger.StatusDone)
		if err != nil {
			return m, r, err
		}
		if i == 2 {
			if err := m.Abort(w.ctx, w.now); err != nil {
				return m, nil, err
			}
			continue
		}
		c, err := m.Confirm(w.ctx, w.now, Ending{Result: result, Complete: true, Response: hashOf(m.Salt(), body)})
		if err != nil {
			return m, nil, err
		}
		accepted, err := w.payee.Voucher(w.ctx, w.now, c.Voucher)
		if err != nil {
			return m, nil, err
		}
		if err := m.Accepted(w.ctx, accepted); err != nil {
			return m, nil, err
		}
	}
	return nil, nil, nil
}

// Each write of either side fails once, before it is durable and after, and the
// process ends there; the other side only sees that it is gone. Then no money is
// lost, made or paid twice, what one may lose by the other is within its limit,
// and the next round works.
func TestKilledAtEveryWrite(t *testing.T) {
	for _, side := range []string{"payer", "payee"} {
		for _, stored := range []bool{false, true} {
			for k := 1; ; k++ {
				w := newWorld(t)
				broken := w.payerStore
				if side == "payee" {
					broken = w.payeeStore
				}
				first := broken.writes
				broken.fail = func(n int) (bool, bool) { return n >= first+k, stored && n == first+k }
				m, r, err := w.script()
				broken.fail = nil
				if err == nil {
					if k < 10 {
						t.Fatalf("the script ends after %d writes of the %s", k, side)
					}
					break
				}
				at := fmt.Sprintf("%s, write %d, stored %v", side, k, stored)
				if !errors.Is(err, errDisk) {
					t.Fatalf("%s: %v", at, err)
				}
				if side == "payer" {
					w.startPayer()
					if r != nil {
						if _, err := r.Finish(w.ctx, w.now, ledger.Usage{Input: 20, Output: 50}, ledger.Hash{}, ledger.StatusPartial); err != nil {
							t.Fatalf("%s: Finish = %v", at, err)
						}
					}
				} else {
					w.startPayee()
					if m != nil {
						if err := m.Abort(w.ctx, w.now); err != nil {
							t.Fatalf("%s: Abort = %v", at, err)
						}
					}
				}
				w.settled(at)
				w.round(10)
				if err := w.resync(); err != nil {
					t.Fatalf("%s: resync = %v", at, err)
				}
				w.round(10)
				if a, b := w.account(), w.book(); a.spent != b.finished || b.promised().Less(b.finished) {
					t.Fatalf("%s: the payer has %s, the provider %s and a voucher of %s", at, a.spent, b.finished, b.promised())
				}
			}
		}
	}
}

// settled checks the books of both while nothing runs.
func (w *world) settled(at string) {
	w.Helper()
	a, b := w.account(), w.book()
	if !a.reserved.IsZero() || !b.reserved.IsZero() || a.running != 0 || b.running != 0 {
		w.Fatalf("%s: %s and %s are reserved", at, a.reserved, b.reserved)
	}
	if sumCapped(a.spent, a.unsettled).Less(b.finished) {
		w.Fatalf("%s: the provider has %s, the payer expects %s and %s", at, b.finished, a.spent, a.unsettled)
	}
	if owed := over(b.finished, b.promised()); w.cap.Less(owed) {
		w.Fatalf("%s: %s is owed", at, owed)
	}
	if sumCapped(a.spent, a.unsettled, w.window).Less(a.promised) || a.promised.Less(b.promised()) {
		w.Fatalf("%s: promised %s, held %s, spent %s", at, a.promised, b.promised(), a.spent)
	}
	if c, ok := w.chain.Channel(w.id); ok && c.Deposited.Less(a.promised) {
		w.Fatalf("%s: promised %s of %s", at, a.promised, c.Deposited)
	}
	var total ledger.Amount
	for _, s := range w.served() {
		total = sumCapped(total, s.cost)
	}
	if total != b.finished {
		w.Fatalf("%s: the results are %s, the books %s", at, total, b.finished)
	}
}

// served are all finished rounds at the provider, in every epoch.
func (w *world) served() (list []served) {
	w.Helper()
	for k, v := range w.payeeStore.copyOf() {
		if len(k) < len(payeeRounds) || k[:len(payeeRounds)] != payeeRounds {
			continue
		}
		var s served
		if err := decode(v, &s); err != nil {
			w.Fatal(err)
		}
		if s.state != finished {
			w.Fatalf("a round runs")
		}
		list = append(list, s)
	}
	return list
}

// What the process of yesterday's copy did not know is not done twice: its
// numbers jump, and the provider tells it what it owes, with its own signature.
func TestPayersCopyOfYesterday(t *testing.T) {
	w := newWorld(t)
	for range 3 {
		w.round(50)
	}
	under := w.open(50) // runs when the copy is made
	r := w.admit(under, 50)
	yesterday := w.payerStore.copyOf()
	w.settle(under, w.deliver(under, r, 50, 100))
	for range 5 {
		w.round(50)
	}
	spent := w.account().spent
	w.payerStore = &memory{data: yesterday, restored: true}
	w.startPayer()
	if _, err := w.payer.Open(w.ctx, w.now, w.order(50)); !errors.Is(err, ErrResync) {
		t.Fatalf("Open before a resync = %v", err)
	}
	if err := w.resync(); err != nil {
		t.Fatal(err)
	}
	w.payerStore.restored = false
	m := w.open(50)
	if m.round.seq < Jump {
		t.Fatalf("the next number is %d", m.round.seq)
	}
	w.settle(m, w.deliver(m, w.admit(m, 50), 50, 100))
	if want, _ := spent.Add(costOf(50)); w.account().spent != want || w.book().finished != want {
		t.Fatalf("spent %s, finished %s, want %s", w.account().spent, w.book().finished, want)
	}
	o, err := w.payer.Show(w.ctx, m.ID())
	if err != nil || o.Verify(w.domain, w.session.Address()) != nil {
		t.Errorf("Show = %v, %v", err, o.Verify(w.domain, w.session.Address()))
	}
	// A second time the provider's word is not enough.
	v := ledger.Sign(ledger.Voucher{Channel: w.id, Epoch: 1, Cumulative: ledger.Wei(deposit)}, w.domain, w.session)
	if _, err := w.payer.Adopt(w.ctx, w.id, State{Voucher: &v, Finished: ledger.Wei(deposit), Next: 5}); !errors.Is(err, ErrMismatch) {
		t.Errorf("a second Adopt = %v", err)
	}
	// A channel that the copy does not know begins far away, too.
	w.session = keyOf(30)
	w.id = w.buy(w.session, w.funder, deposit)
	w.hold(w.session, w.funder)
	if _, err := w.payer.Open(w.ctx, w.now, w.order(50)); !errors.Is(err, ErrResync) {
		t.Fatalf("Open of an unknown channel = %v", err)
	}
	if err := w.resync(); err != nil {
		t.Fatal(err)
	}
	if m = w.open(50); m.round.seq < Jump {
		t.Errorf("the next number of an unknown channel is %d", m.round.seq)
	}
	w.settle(m, w.deliver(m, w.admit(m, 50), 50, 100))
}

// A request that comes after the payer has compared books without it is not
// answered: nobody would know what it cost.
func TestLateRequest(t *testing.T) {
	for _, known := range []bool{false, true} {
		w := newWorld(t)
		if known {
			w.round(50)
		}
		late := w.open(50)
		slow := w.open(50)
		if known {
			r := w.admit(slow, 50)
			defer func() {
				if _, err := r.Finish(w.ctx, w.now, ledger.Usage{Input: 20, Output: 40}, ledger.Hash{}, ledger.StatusPartial); err != nil {
					t.Fatal(err)
				}
				if err := w.resync(); err != nil { // what it cost was kept in mind
					t.Error(err)
				}
				if a, b := w.account(), w.book(); a.spent != b.finished || !a.unsettled.IsZero() {
					t.Errorf("the payer has %s and %s, the provider %s", a.spent, a.unsettled, b.finished)
				}
			}()
		}
		if _, err := w.payer.ResyncAsk(w.ctx, w.id); !errors.Is(err, ErrRunning) {
			t.Fatalf("ResyncAsk while rounds run = %v", err)
		}
		if err := errors.Join(late.Abort(w.ctx, w.now), slow.Abort(w.ctx, w.now), w.resync()); err != nil {
			t.Fatal(err)
		}
		if _, err := w.admitBy(w.payee, late.Header(), 50); !refusedWith(err, CodeSeq) {
			t.Errorf("Admit of a late request = %v", err)
		}
		w.round(50)
	}
}

// Nobody but ourselves tells us what we owe.
func TestAdoptRefuses(t *testing.T) {
	w := newWorld(t)
	w.round(50)
	spent := w.account().spent
	other := ledger.Sign(ledger.Voucher{Channel: w.id, Epoch: 1, Cumulative: ledger.Wei(9000)}, w.domain, w.provider)
	epoch := ledger.Sign(ledger.Voucher{Channel: w.id, Epoch: 2, Cumulative: ledger.Wei(9000)}, w.domain, w.session)
	real := ledger.Sign(ledger.Voucher{Channel: w.id, Epoch: 1, Cumulative: ledger.Wei(9000)}, w.domain, w.session)
	for i, s := range []State{
		{Voucher: &other},
		{Voucher: &epoch},
		{Finished: sumCapped(spent, ledger.Wei(1))},
		{Next: 2 + maxAhead + 1},
		{Next: ^uint64(0)},
		{Voucher: &real, Finished: sumCapped(ledger.Wei(9001), w.window)},
	} {
		if _, err := w.payer.Adopt(w.ctx, w.id, s); !errors.Is(err, ErrMismatch) {
			t.Errorf("%d: Adopt = %v", i, err)
		}
	}
	m := w.open(50)
	if _, err := w.payer.Adopt(w.ctx, w.id, State{}); !errors.Is(err, ErrRunning) {
		t.Errorf("Adopt while a round runs = %v", err)
	}
	if err := m.Refused(w.ctx, w.now, refuse(CodeClosed, "")); err != nil {
		t.Fatal(err)
	}
	if a := w.account(); a.spent != spent || !a.closing {
		t.Errorf("after a refusal: %+v", a)
	}
	for _, f := range []Frame{&ResyncAsk{Channel: w.id, Epoch: 1}, &ReleaseAsk{Channel: w.id, Epoch: 1}, &ResyncAsk{Channel: w.id, Epoch: 9}, &Accepted{}} {
		reply, ok := w.payee.Answer(w.ctx, w.now, m.Hello(), f).(*ErrorFrame)
		if !ok || reply.Code == CodeInternal {
			t.Errorf("%T is answered by %+v", f, reply)
		}
	}
	// A signature over one question is none over the other.
	ask, err := w.payer.ResyncAsk(w.ctx, w.id)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.payee.Release(w.ctx, w.now, ReleaseAsk{ask.Channel, ask.Epoch, ask.Signature}); !refusedWith(err, CodeInvalid) {
		t.Errorf("Release for a Resync's signature = %v", err)
	}
}

// A provider with yesterday's copy signs nothing again on any channel that there
// was, and still claims; what is bought later works.
func TestPayeesCopyOfYesterday(t *testing.T) {
	w := newWorld(t)
	for range 3 {
		w.round(50)
	}
	under := w.open(50)
	running := w.admit(under, 50)
	yesterday := w.payeeStore.copyOf()
	w.settle(under, w.deliver(under, running, 50, 100))
	forgotten := w.open(50)
	e := w.deliver(forgotten, w.admit(forgotten, 50), 50, 100)
	c := w.settle(forgotten, e)
	// A channel of which the copy knows nothing at all.
	old, oldSession := w.id, w.session
	w.session = keyOf(30)
	w.id = w.buy(w.session, w.funder, deposit)
	w.hold(w.session, w.funder)
	today := w.open(50)
	w.settle(today, w.deliver(today, w.admit(today, 50), 50, 100))

	w.payeeStore = &memory{data: yesterday, restored: true}
	w.startPayee()
	w.payeeStore.restored = false
	for i, m := range []*Payment{forgotten, today} {
		a, err := w.admitBy(w.payee, m.Header(), 50)
		if !refusedWith(err, CodeClosed) {
			t.Errorf("%d: Admit of a forgotten round = %+v, %v", i, a, err)
		}
	}
	if _, found, err := w.payee.Result(w.ctx, old, 1, under.ID()); found || err != nil {
		t.Errorf("a result is signed for the round that ran: %v", err)
	}
	running.p = w.payee
	if _, err := running.Finish(w.ctx, w.now, ledger.Usage{Input: 1}, ledger.Hash{}, ledger.StatusPartial); !errors.Is(err, ErrForgotten) {
		t.Errorf("Finish on a closed channel = %v", err)
	}
	w.id, w.session = old, oldSession
	if b := w.book(); !b.reserved.IsZero() || b.running != 0 {
		t.Errorf("%s is reserved", b.reserved)
	}
	if a, err := w.payee.Voucher(w.ctx, w.now, c.Voucher); err != nil || !a.Allowance.IsZero() {
		t.Errorf("Voucher = %+v, %v", a, err)
	}
	claims, err := w.payee.Claims(w.ctx, w.now)
	if err != nil || len(claims) != 2 || claims[0].Voucher != c.Voucher && claims[1].Voucher != c.Voucher {
		t.Errorf("Claims = %+v, %v", claims, err) // what refused requests brought is kept
	}
	if err := w.resync(); err != nil {
		t.Errorf("resync = %v", err)
	}
	if _, err := w.payer.Open(w.ctx, w.now, w.order(50)); !errors.Is(err, ErrClosing) {
		t.Errorf("Open on a closed channel = %v", err)
	}
	ask, err := w.payer.Leave(w.ctx, w.id)
	if err != nil {
		t.Fatal(err)
	}
	rel, err := w.payee.Release(w.ctx, w.now, *ask)
	if err != nil || rel.Message.FinalCumulative.Less(c.Voucher.Message.Cumulative) {
		t.Errorf("Release = %+v, %v", rel.Message, err)
	}
	w.startPayee()
	w.session = keyOf(31)
	w.id = w.buy(w.session, w.funder, deposit)
	w.hold(w.session, w.funder)
	w.round(50)
	// One that the chain did not show when the copy was put back, of which the
	// voucher says that there was something.
	w.session = keyOf(32)
	w.id = w.buy(w.session, w.funder, deposit)
	w.hold(w.session, w.funder)
	m := w.open(50)
	h, _ := ParseHeader(m.Header())
	v := h.Voucher.Message
	v.Transcript = ledger.Hash{1}
	h.Voucher = ptr(ledger.Sign(v, w.domain, w.session))
	if _, err := w.admitBy(w.payee, h.String(), 50); !refusedWith(err, CodeClosed) {
		t.Errorf("Admit with a log that is forgotten = %v", err)
	}
}

// Two gateways of a provider on one store, and two bridges on one wallet, see
// the same books; one that starts does not end what the other runs.
func TestProcessesShareAStore(t *testing.T) {
	w := newWorld(t)
	start := func(owner string) *Payee {
		p, err := NewPayee(w.payeeConfig(owner))
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Start(w.ctx, w.now, nil); err != nil {
			t.Fatal(err)
		}
		return p
	}
	other := start("gateway-2")
	c := w.payer.PayerConfig
	c.Owner = "bridge-2"
	second, err := NewPayer(c)
	if err != nil {
		t.Fatal(err)
	}
	if err := second.Start(w.ctx, w.now); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range 32 {
		wg.Go(func() {
			payer, payee := w.payer, w.payee
			if i%2 == 1 {
				payer = second
			}
			if i%4 > 1 {
				payee = other
			}
			for range 4 {
				m, err := payer.Open(w.ctx, w.now, w.order(50))
				if err != nil {
					t.Errorf("Open = %v", err)
					return
				}
				a, err := w.admitBy(payee, m.Header(), 50)
				if err != nil {
					t.Errorf("Admit = %v", err)
					return
				}
				e := w.deliver(m, a.Round, 50, 100)
				c, err := m.Confirm(w.ctx, w.now, e)
				if err != nil {
					t.Errorf("Confirm = %v", err)
					return
				}
				if _, err := other.Voucher(w.ctx, w.now, c.Voucher); err != nil {
					t.Errorf("Voucher = %v", err)
				}
			}
		})
	}
	if wg.Wait(); t.Failed() {
		return
	}
	if a, b := w.account(), w.book(); a.spent != ledger.Wei(128*520) || b.finished != a.spent || a.track.log.Root() != b.track.log.Root() {
		t.Fatalf("spent %s, finished %s", a.spent, b.finished)
	}
	m := w.open(50)
	r := w.admit(m, 50)
	start("gateway-2")
	if w.book().running != 1 {
		t.Fatal("a gateway that started has ended the other's round")
	}
	w.settle(m, w.deliver(m, r, 50, 100))
	// A process that does not come back.
	m = w.open(50)
	w.admit(m, 50)
	w.later(10*time.Minute + lapse)
	if err := errors.Join(other.Sweep(w.ctx, w.now), second.Sweep(w.ctx, w.now)); err != nil || w.book().running != 1 || w.account().running != 1 {
		t.Fatalf("a round is ended early: %v", err)
	}
	w.later(time.Second)
	if err := errors.Join(other.Sweep(w.ctx, w.now), second.Sweep(w.ctx, w.now)); err != nil || w.book().running != 0 || w.account().running != 0 {
		t.Fatalf("a round of a process that is gone still runs: %v", err)
	}
	w.settled("after a sweep")
	if res, found, err := other.Result(w.ctx, w.id, 1, m.ID()); !found || err != nil || res.Message.Status != ledger.StatusAborted {
		t.Errorf("its result is %+v, %v", res.Message, err)
	}
	w.round(10)
}

// The same on the store that programs have, over a file.
func TestOnARealStore(t *testing.T) {
	w := newWorld(t)
	dir := t.TempDir()
	openAt := func(name string) *store.Store {
		file, err := bolt.Open(filepath.Join(dir, name+".db"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = file.Close() })
		s, err := store.Open(w.ctx, file, store.Config{Generation: filepath.Join(dir, name+".generation")})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		return s
	}
	pc := w.payeeConfig("gateway")
	pc.Store = openAt("payee")
	payee, err := NewPayee(pc)
	if err != nil {
		t.Fatal(err)
	}
	cc := w.payer.PayerConfig
	cc.Store = openAt("payer")
	payer, err := NewPayer(cc)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(payee.Start(w.ctx, w.now, w.chain.all()), payer.Start(w.ctx, w.now)); err != nil {
		t.Fatal(err)
	}
	w.payer, w.payee = payer, payee
	w.hold(w.session, w.funder)
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for range 4 {
				m, err := payer.Open(w.ctx, w.now, w.order(50))
				if err != nil {
					t.Errorf("Open = %v", err)
					return
				}
				a, err := w.admitBy(payee, m.Header(), 50)
				if err != nil {
					t.Errorf("Admit = %v", err)
					return
				}
				w.settle(m, w.deliver(m, a.Round, 50, 100))
			}
		})
	}
	wg.Wait()
	accounts, err := payee.Accounts(w.ctx)
	balances, err2 := payer.Balances(w.ctx)
	if err != nil || err2 != nil || len(accounts) != 1 || len(balances) != 1 {
		t.Fatalf("%+v, %v; %+v, %v", accounts, err, balances, err2)
	}
	if want := ledger.Wei(64 * 520); accounts[0].Finished != want || balances[0].Spent != want || !accounts[0].Owed.IsZero() {
		t.Errorf("finished %s, spent %s, want %s", accounts[0].Finished, balances[0].Spent, want)
	}
}
