package paying

import (
	"context"
	"hash"
	"sync"
	"time"

	"github.com/culvert-net/culvert/api/backend"
	"github.com/culvert-net/culvert/api/tunnel"
	"github.com/culvert-net/culvert/api/usage"
	"github.com/culvert-net/culvert/internal/app/terms"
	"github.com/culvert-net/culvert/ledger"
	"github.com/culvert-net/culvert/ledger/channel"
)

// payment is one round that is being paid.
type payment struct {
	p     *Payer
	conn  tunnel.Conn // of the request; pay streams are opened beside it
	offer *Offer
	round *channel.Payment

	// Owned by whoever reads the answer, then by settle.
	hash hash.Hash
	seen usage.Delivered // what the round was told of

	over chan struct{}     // closed by End
	end  tunnel.PaymentEnd // set before over is closed

	mu      sync.Mutex
	changed chan struct{}                 // closed and made anew when what follows changes; guarded by mu
	line    *line                         // nil: there is none now; guarded by mu
	result  *ledger.Signed[ledger.Result] // nil: none came; guarded by mu
	refusal *channel.Refusal              // nil: none came; guarded by mu
	acks    int                           // how often the provider said that it has a voucher; guarded by mu
	lost    bool                          // its circuit has ended: the provider says nothing any more; guarded by mu
	waits   bool                          // End does; guarded by mu
	settled bool                          // guarded by mu
	receipt backend.Receipt               // once it is settled; guarded by mu
	known   bool                          // what it cost is in receipt; guarded by mu
}

// begin starts what goes on beside the request. False: the program ends.
func (p *Payer) begin(m *payment) bool {
	m.over, m.changed = make(chan struct{}), make(chan struct{})
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stopped {
		return false
	}
	ctx, cancel := context.WithCancel(context.Background()) // a payment outlives its request
	p.live[m] = cancel
	p.settling.Go(func() {
		defer p.forget(m)
		m.run(ctx)
	})
	return true
}

// forget is for a payment that is over.
func (p *Payer) forget(m *payment) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.live[m]()
	delete(p.live, m)
	p.looked = time.Time{} // balances have changed
	close(p.ended)
	p.ended = make(chan struct{})
}

// Header implements tunnel.Payment.
func (m *payment) Header() string { return m.round.Header() }

// Saw implements tunnel.Payment.
func (m *payment) Saw(b []byte, so usage.Snapshot) {
	_, _ = m.hash.Write(b) // never fails
	now := so.Text
	so.Text = usage.Delivered{
		Content: now.Content - m.seen.Content, Reasoning: now.Reasoning - m.seen.Reasoning, Tools: now.Tools - m.seen.Tools,
		Calls: now.Calls - m.seen.Calls,
	}
	m.seen = now
	m.round.Delivered(terms.Delivery(so))
}

// End implements tunnel.Payment.
func (m *payment) End(ctx context.Context, e tunnel.PaymentEnd) (backend.Receipt, bool) {
	if e.Code == tunnel.CodeQuota {
		m.p.notCovered(m.round.Hello().Channel) // before the request is tried again
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.end = e
	close(m.over)
	if e.Outcome != tunnel.OutcomeOK {
		return backend.Receipt{}, false
	}
	m.waits = true
	m.wait(ctx, func() bool { return m.settled })
	m.waits = false
	return m.receipt, m.known
}

// Again implements tunnel.Payment. Where all was paid ahead, the books differ, and
// they are compared before the next round.
func (m *payment) Again() bool { return !m.round.Ahead() }

// wait returns when what is said holds, or when ctx ends: true, it holds. The caller
// holds mu, which is given up meanwhile.
func (m *payment) wait(ctx context.Context, holds func() bool) bool {
	for !holds() {
		changed := m.changed
		m.mu.Unlock()
		select {
		case <-changed:
			m.mu.Lock()
		case <-ctx.Done():
			m.mu.Lock()
			return holds()
		}
	}
	return true
}

// change changes what mu guards.
func (m *payment) change(f func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f()
	close(m.changed)
	m.changed = make(chan struct{})
}

// await waits for something for so long.
func (m *payment) await(ctx context.Context, long time.Duration, holds func() bool) bool {
	ctx, cancel := context.WithTimeout(ctx, long)
	defer cancel()
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.wait(ctx, holds)
}

// run is the payment's life: the pay stream while the request runs, and what is to be
// settled behind it.
func (m *payment) run(ctx context.Context) {
	listening, stop := context.WithCancel(ctx)
	var done sync.WaitGroup
	done.Go(func() { m.listen(listening) })
	defer done.Wait()
	defer stop()
	select {
	case <-m.over:
	case <-ctx.Done(): // the round is ended at the next start
		return
	}
	m.settle(ctx)
}

// tell says what the round has cost, if that is known: to End, or to whom End left
// it.
func (m *payment) tell(receipt backend.Receipt, known bool) {
	var late bool
	m.change(func() { m.settled, m.receipt, m.known, late = true, receipt, known, !m.waits })
	if late && known && receipt.Cost != "0" && m.end.Later != nil {
		m.end.Later(receipt)
	}
}
