package channel

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/culvert-net/culvert/ledger"
)

// play is a payer and a provider between which every message may be lost, late or
// doubled, whose disks fail, and whose processes end at any moment.
type play struct {
	*world
	rand     *rand.Rand
	rounds   []*played
	vouchers []ledger.Signed[ledger.Voucher] // that were sent, to be sent again
	results  map[ledger.RoundID]ledger.Signed[ledger.Result]
	trace    []string
}

// played is one round of it.
type played struct {
	m         *Payment
	r         *Round
	tokens    uint64 // delivered so far
	payerGone bool   // the payer has ended it
	payeeGone bool
}

func (p *play) log(format string, args ...any) {
	p.trace = append(p.trace, fmt.Sprintf(format, args...))
}

func (p *play) fail(format string, args ...any) {
	p.Helper()
	for _, line := range p.trace[max(0, len(p.trace)-30):] {
		p.Log(line)
	}
	p.Fatalf(format, args...)
}

// lost is whether a message does not arrive.
func (p *play) lost() bool { return p.rand.IntN(5) == 0 }

// broke ends and starts a process whose disk failed; other errors are the
// test's.
func (p *play) broke(side string, err error) bool {
	if err == nil {
		return false
	}
	if !errors.Is(err, errDisk) {
		return false
	}
	p.kill(side)
	return true
}

func (p *play) kill(side string) {
	p.log("kill the %s", side)
	// Starting is many writes, each of which may fail, too: it is done again.
	if side == "payer" {
		for p.payer.Start(p.ctx, p.now) != nil {
		}
		for _, r := range p.rounds {
			r.payerGone = true
		}
		return
	}
	for p.payee.Start(p.ctx, p.now, nil) != nil {
	}
	for _, r := range p.rounds {
		r.payeeGone = true
	}
}

func (p *play) step() {
	if len(p.rounds) == 0 || p.rand.IntN(4) == 0 {
		p.open()
		return
	}
	r := p.rounds[p.rand.IntN(len(p.rounds))]
	switch p.rand.IntN(12) {
	case 0, 1, 2, 3:
		p.progress(r)
	case 4, 5:
		p.finish(r)
	case 6:
		p.abort(r)
	case 7:
		if len(p.vouchers) > 0 { // an old one, once more
			p.bring(p.rounds[0].m, p.vouchers[p.rand.IntN(len(p.vouchers))])
		}
	case 8:
		p.later(time.Duration(p.rand.IntN(40)) * time.Second)
	case 9:
		if p.rand.IntN(4) == 0 {
			p.kill("payer")
		}
	case 10:
		if p.rand.IntN(4) == 0 {
			p.kill("payee")
		}
	case 11:
		p.again(r)
	}
	p.sweep()
}

func (p *play) open() {
	tokens := 1 + p.rand.Uint64N(300)
	m, err := p.payer.Open(p.ctx, p.now, p.order(tokens))
	switch {
	case p.broke("payer", err):
		return
	case errors.Is(err, ErrResync):
		p.tryResync()
		return
	case errors.Is(err, ErrWindow), errors.Is(err, ErrFunds):
		return
	case err != nil:
		p.fail("Open = %v", err)
	}
	p.log("open %d for %s", m.round.seq, m.MaxCost())
	r := &played{m: m, payeeGone: true}
	p.rounds = append(p.rounds, r)
	if p.lost() {
		return
	}
	a, err := p.admitBy(p.payee, m.Header(), tokens)
	refused, told := errors.AsType[*Refusal](err)
	switch {
	case p.broke("payee", err):
	case told:
		p.log("refused: %v", refused)
		if !p.lost() {
			r.payerGone = true
			p.broke("payer", m.Refused(p.ctx, p.now, refused))
		}
	case err != nil:
		p.fail("Admit = %v", err)
	default:
		r.r, r.payeeGone = a.Round, false
	}
}

func (p *play) tryResync() {
	ask, err := p.payer.ResyncAsk(p.ctx, p.id)
	if errors.Is(err, ErrRunning) {
		return
	}
	if err != nil {
		p.fail("ResyncAsk = %v", err)
	}
	state, err := p.payee.Resync(p.ctx, p.now, *ask)
	if p.broke("payee", err) {
		return
	}
	if err != nil {
		p.fail("Resync = %v", err)
	}
	if p.lost() {
		return
	}
	v, err := p.payer.Adopt(p.ctx, p.id, state)
	switch {
	case p.broke("payer", err) || errors.Is(err, ErrRunning):
	case err != nil:
		p.fail("Adopt of %+v = %v", state, err)
	case v != nil:
		p.bring(nil, *v)
	}
	p.log("resync")
}

// bring takes a voucher to the provider, and its answer back.
func (p *play) bring(m *Payment, v ledger.Signed[ledger.Voucher]) {
	p.vouchers = append(p.vouchers, v)
	if p.lost() {
		return
	}
	a, err := p.payee.Voucher(p.ctx, p.now, v)
	if p.broke("payee", err) {
		return
	}
	if err != nil {
		p.fail("Voucher = %v", err)
	}
	if a.Cumulative.Less(v.Message.Cumulative) {
		p.fail("a voucher of %s is accepted as %s", v.Message.Cumulative, a.Cumulative)
	}
	if m == nil || p.lost() {
		return
	}
	if err := m.Accepted(p.ctx, a); !p.broke("payer", err) && err != nil {
		p.fail("Accepted = %v", err)
	}
}

func (p *play) usage(r *played) ledger.Usage { return ledger.Usage{Input: 20, Output: r.tokens} }

// progress sends a piece of an answer.
func (p *play) progress(r *played) {
	if r.payeeGone {
		return
	}
	more := p.rand.Uint64N(40)
	if r.tokens+more > r.r.OutputBound() {
		return
	}
	step, ask, err := r.r.Progress(p.ctx, p.now, ledger.Usage{Input: 20, Output: r.tokens + more})
	if err != nil {
		p.fail("Progress = %v", err)
	}
	if ask != nil && !r.payerGone && !p.lost() {
		v, err := r.m.Ask(p.ctx, *ask)
		if p.broke("payer", err) {
			return
		}
		if err != nil {
			p.fail("Ask = %v", err)
		}
		p.bring(r.m, v)
	}
	switch step {
	case Go:
		r.tokens += more
		if !r.payerGone {
			r.m.Delivered(Delivery{Text: 4 * more})
		}
	case End:
		p.finish(r)
	}
}

// finish ends a round at the provider, and tells the payer, perhaps.
func (p *play) finish(r *played) {
	if r.payeeGone {
		return
	}
	body := answer(r.tokens)
	result, err := r.r.Finish(p.ctx, p.now, p.usage(r), hashOf(r.m.Salt(), body), ledger.StatusDone)
	if p.broke("payee", err) {
		return
	}
	if err != nil {
		p.fail("Finish = %v", err)
	}
	r.payeeGone = true
	if was, ok := p.results[r.m.ID()]; ok && was != result {
		p.fail("two results of one round: %+v, %+v", was, result)
	}
	p.results[r.m.ID()] = result
	p.log("finish %d at %s", r.m.round.seq, result.Message.Cost)
	if p.lost() {
		return
	}
	p.confirm(r, result)
}

func (p *play) confirm(r *played, result ledger.Signed[ledger.Result]) {
	for range 1 + p.rand.IntN(2) {
		c, err := r.m.Confirm(p.ctx, p.now, Ending{Result: result, Complete: true, Response: result.Message.ResponseHash})
		if p.broke("payer", err) {
			return
		}
		if err != nil || c.Dispute != nil {
			p.fail("Confirm = %+v, %v", c, err)
		}
		r.payerGone = true
		p.bring(r.m, c.Voucher)
	}
}

// abort ends a round at the payer; the provider learns it, or not.
func (p *play) abort(r *played) {
	if !r.payerGone {
		err := r.m.Abort(p.ctx, p.now)
		if p.broke("payer", err) {
			return
		}
		if err != nil {
			p.fail("Abort = %v", err)
		}
		p.log("abort %d", r.m.round.seq)
		r.payerGone = true
	}
	if !p.lost() {
		p.finish(r)
	}
}

// again sends a round's request once more: it is answered from what is kept, or
// refused; if the first one was lost, it is admitted.
func (p *play) again(r *played) {
	a, err := p.admitBy(p.payee, r.m.Header(), 300)
	if p.broke("payee", err) {
		return
	}
	if _, told := errors.AsType[*Refusal](err); err != nil && !told {
		p.fail("Admit = %v", err)
	}
	switch {
	case a.Round != nil:
		if !r.payeeGone {
			p.fail("a running round is admitted a second time")
		}
		r.r, r.payeeGone = a.Round, false
	case a.Stored != nil:
		if was, ok := p.results[r.m.ID()]; ok && was != *a.Stored {
			p.fail("two results of one round: %+v, %+v", was, *a.Stored)
		}
		p.results[r.m.ID()] = *a.Stored
		if !r.payerGone && a.Stored.Message.Status == ledger.StatusAborted {
			p.confirm(r, *a.Stored)
		}
	}
}

// sweep forgets rounds that are over on both sides, and checks what always holds.
func (p *play) sweep() {
	left := p.rounds[:0]
	for _, r := range p.rounds {
		if !r.payeeGone || !r.payerGone {
			left = append(left, r)
		}
	}
	p.rounds = left
	a, b := p.account(), p.book()
	if p.cap.Less(over(sumCapped(b.finished, b.reserved), b.promised())) {
		p.fail("%s finished, %s reserved and %s promised: more than %s is owed", b.finished, b.reserved, b.promised(), p.cap)
	}
	if a.promised.Less(b.promised()) {
		p.fail("the provider holds %s, and %s was promised", b.promised(), a.promised)
	}
	if b.finished.Less(a.spent) {
		p.fail("the payer has spent %s, and only %s was finished", a.spent, b.finished)
	}
	// Who closes leaves all that was earned and promised; until then nothing else is
	// claimed, unless the payer is late.
	claimed := func(closing bool) (a ledger.Amount) {
		if v := b.due(p.now, closing); v != nil {
			a = v.Message.Cumulative
		}
		return a
	}
	if earned := ledger.MinAmount(b.finished, b.promised()); claimed(true).Less(earned) {
		p.fail("%s would be claimed of a channel that is closed, of %s", claimed(true), earned)
	}
	late := b.waitsFrom != 0 && p.now.Sub(timeOf(b.waitsFrom)) > ConfirmTime
	if got := claimed(false); !late && b.finished.Less(got) || late && got != b.promised() {
		p.fail("%s would be claimed, of %s that were earned; the payer is late: %t", got, b.finished, late)
	}
	// One window ahead of what was finished or has arrived.
	arrived := sumCapped(b.finished, b.reserved, a.reserved, a.unsettled, p.window)
	if arrived.Less(a.promised) || ledger.Wei(deposit).Less(a.promised) {
		p.fail("%s was promised, for %s", a.promised, arrived)
	}
	var reserved ledger.Amount
	running := uint32(0)
	for _, r := range p.rounds {
		if !r.payerGone {
			reserved, running = sumCapped(reserved, r.m.MaxCost()), running+1
		}
	}
	if a.reserved != reserved || a.running != running {
		p.fail("%s is reserved for %d rounds, want %s for %d", a.reserved, a.running, reserved, running)
	}
}

// Whatever is lost, late, doubled or killed: no round has two results or is
// charged twice, nobody is owed more than the limits, and at the end both have
// the same books and the next round works.
func TestModel(t *testing.T) {
	games := 60
	if testing.Short() {
		games = 10
	}
	for range games {
		seed := rand.Uint64()
		p := &play{world: newWorld(t), rand: rand.New(rand.NewPCG(seed, 1)), results: map[ledger.RoundID]ledger.Signed[ledger.Result]{}}
		p.log("seed %d", seed)
		p.window, p.cap, p.young = ledger.Wei(20_000), ledger.Wei(6_000), ledger.Wei(5_000)
		p.startPayer()
		p.startPayee()
		fails := func(int) (bool, bool) { return p.rand.IntN(40) == 0, p.rand.IntN(2) == 0 }
		p.payerStore.fail, p.payeeStore.fail = fails, fails
		for range 250 {
			p.step()
		}
		p.payerStore.fail, p.payeeStore.fail = nil, nil
		p.kill("payer")
		p.kill("payee")
		p.rounds = nil
		if err := p.resync(); err != nil {
			p.fail("seed %d: resync = %v", seed, err)
		}
		a, b := p.account(), p.book()
		if a.spent != b.finished || b.promised().Less(b.finished) {
			p.fail("seed %d: the payer has %s, the provider %s and a voucher of %s", seed, a.spent, b.finished, b.promised())
		}
		p.settled(fmt.Sprintf("seed %d", seed))
		var total ledger.Amount
		for id, r := range p.results {
			kept, found, err := p.payee.Result(p.ctx, p.id, 1, id)
			if err != nil || !found || kept != r {
				p.fail("seed %d: the result of %s is gone or another", seed, id)
			}
			total = sumCapped(total, r.Message.Cost)
		}
		if b.finished.Less(total) {
			p.fail("seed %d: results of %s were signed, and %s is on the books", seed, total, b.finished)
		}
		p.round(10)
	}
}
