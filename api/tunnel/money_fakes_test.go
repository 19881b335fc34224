package tunnel

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/culvert-net/culvert/api/backend"
	"github.com/culvert-net/culvert/api/openai"
	"github.com/culvert-net/culvert/api/usage"
)

// fakePayer pays everybody, and keeps what it was told.
type fakePayer struct {
	t    testing.TB
	open func(ctx context.Context, to Target) error                                 // nil: it works
	free func(to Target) bool                                                       // nil: nobody is
	end  func(ctx context.Context, e PaymentEnd) (receipt backend.Receipt, ok bool) // nil: receipt at once if complete

	more     bool // could be paid than is
	mu       sync.Mutex
	payments []*fakePayment
}

// fakePayment is one attempt's.
type fakePayment struct {
	payer *fakePayer
	to    string
	body  string
	round string

	mu    sync.Mutex
	seen  bytes.Buffer
	so    usage.Snapshot
	ended []PaymentEnd
}

func (p *fakePayer) Open(ctx context.Context, to Target, ask Ask) (Payment, error) {
	if ask.Request.ID == "" || ask.Conn == nil || ask.Conn.Circuit() == "" {
		p.t.Errorf("asked to pay for a request without id or stream: %+v", ask)
	}
	if p.open != nil {
		if err := p.open(ctx, to); err != nil {
			return nil, err
		}
	}
	if p.free != nil && p.free(to) {
		return nil, nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	one := &fakePayment{payer: p, to: to.Name, body: string(ask.Body), round: fmt.Sprintf("round-%s-%d", to.Name, len(p.payments))}
	p.payments = append(p.payments, one)
	return one, nil
}

func (p *fakePayment) Again() bool { return p.payer.more }

func (p *fakePayment) Header() string { return p.round }

func (p *fakePayment) Saw(b []byte, so usage.Snapshot) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.ended) > 0 {
		p.payer.t.Error("Saw after End")
	}
	p.seen.Write(b)
	p.so = so
}

func (p *fakePayment) End(ctx context.Context, e PaymentEnd) (backend.Receipt, bool) {
	p.mu.Lock()
	p.ended = append(p.ended, e)
	p.mu.Unlock()
	if p.payer.end != nil {
		return p.payer.end(ctx, e)
	}
	return backend.Receipt{ID: p.round, Cost: "7"}, e.Outcome == OutcomeOK
}

// ends tells, for each payment in order, to whom it was and how it ended.
func (p *fakePayer) ends() (all []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, one := range p.payments {
		one.mu.Lock()
		text := one.to
		for _, e := range one.ended { // one, or the test shows more
			text += fmt.Sprintf(" %s %d %s", e.Outcome, e.Status, e.Code)
		}
		one.mu.Unlock()
		all = append(all, text)
	}
	return all
}

// only is the one payment there was.
func (p *fakePayer) only() *fakePayment {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.payments) != 1 {
		p.t.Fatalf("%d payments, want 1", len(p.payments))
	}
	return p.payments[0]
}

// fakeBiller bills everybody, and keeps what it was told.
type fakeBiller struct {
	admit func(ctx context.Context, a Admission) *openai.Error // nil: it may
	free  bool
	limit int64 // 0: none
	pass  func(ctx context.Context, b *fakeBill, p []byte) *openai.Error

	bills chan *fakeBill // each when it has ended
}

// fakeBill is one request's.
type fakeBill struct {
	biller *fakeBiller
	asked  Admission
	body   string
	passed bytes.Buffer
	so     usage.Snapshot
	end    BillEnd
	ends   int
}

func newBiller() *fakeBiller { return &fakeBiller{bills: make(chan *fakeBill, 1000)} }

func (b *fakeBiller) Admit(ctx context.Context, a Admission) (Bill, *openai.Error) {
	if b.admit != nil {
		if e := b.admit(ctx, a); e != nil {
			return nil, e
		}
	}
	if b.free {
		return nil, nil
	}
	return &fakeBill{biller: b, asked: a, body: string(a.Request.Body)}, nil
}

func (b *fakeBill) Limit() (int64, bool) { return b.biller.limit, b.biller.limit > 0 }

func (b *fakeBill) Pass(ctx context.Context, p []byte, so usage.Snapshot) *openai.Error {
	if b.biller.pass != nil {
		if e := b.biller.pass(ctx, b, p); e != nil {
			return e
		}
	}
	b.passed.Write(p)
	b.so = so
	return nil
}

func (b *fakeBill) End(e BillEnd) {
	b.ends++
	b.end = e
	b.passed.Write(e.Frame)
	b.biller.bills <- b
}

// purse affords until it does not, and adds up what was spent.
type purse struct {
	refuse error

	mu    sync.Mutex
	asked int
	spent []backend.Receipt
}

func (p *purse) Afford() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked++
	return p.refuse
}

func (p *purse) Spent(r backend.Receipt) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.spent = append(p.spent, r)
}

func payingClient(t testing.TB, r Router, d Dialer, p Payer) *Client {
	t.Helper()
	c, err := NewClient(ClientConfig{Router: r, Dialer: d, Payer: p})
	if err != nil {
		t.Fatal(err)
	}
	return c
}
