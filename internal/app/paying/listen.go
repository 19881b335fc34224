package paying

import (
	"context"
	"errors"
	"time"

	"github.com/culvert-net/culvert/api/tunnel"
	"github.com/culvert-net/culvert/ledger"
	"github.com/culvert-net/culvert/ledger/channel"
)

// listen keeps a pay stream of the round until ctx ends: one that breaks is opened
// again, and its first frame asks for the result. When the circuit has ended,
// nothing comes any more.
func (m *payment) listen(ctx context.Context) {
	wait := retryWait
	for ctx.Err() == nil {
		l, err := m.p.dial(ctx, m.conn, m.round.Hello())
		switch {
		case err == nil:
			wait = retryWait
			m.change(func() { m.line = l })
			m.hear(ctx, l)
			m.change(func() { m.line = nil })
		case errors.Is(err, tunnel.ErrGone):
			m.change(func() { m.lost = true })
			return
		}
		over := m.over
		if m.ending() {
			wait, over = retryWait, nil // somebody waits
		}
		select {
		case <-ctx.Done():
		case <-over: // at once
		case <-time.After(wait):
		}
		wait = min(2*wait, retryMost)
	}
}

func (m *payment) ending() bool {
	select {
	case <-m.over:
		return true
	default:
		return false
	}
}

// hear takes what the provider says until the stream ends.
func (m *payment) hear(ctx context.Context, l *line) {
	defer l.drop()
	for {
		f, err := channel.ReadFrame(l.conn)
		if err != nil {
			return
		}
		switch f := f.(type) {
		case *channel.Ask:
			m.pays(ctx, l, *f)
		case *channel.Accepted:
			if err := m.round.Accepted(ctx, *f); err != nil && ctx.Err() == nil {
				m.p.failed(ctx, "a provider's receipt could not be kept", err)
			}
			select {
			case m.p.heard <- struct{}{}:
			default: // it is known
			}
			m.change(func() { m.acks++ })
		case *channel.ResultFrame:
			m.says(ctx, f.Result)
		case *channel.ErrorFrame:
			m.change(func() { m.refusal = &channel.Refusal{Code: f.Code, Wanted: f.Wanted, Text: f.Text} })
		default: // nothing that a provider sends unasked
			return
		}
	}
}

// pays answers a provider that wants more while it answers.
func (m *payment) pays(ctx context.Context, l *line, ask channel.Ask) {
	if ask.Round != m.round.ID() {
		return
	}
	v, err := m.round.Ask(ctx, ask)
	if err != nil {
		if ctx.Err() == nil {
			m.p.failed(ctx, "a voucher could not be kept, so that it is not sent", err)
		}
		return
	}
	_ = l.write(&channel.VoucherFrame{Voucher: v}) // the next read tells that the stream is gone
}

// says takes a result. Only the first of the round counts; one that contradicts it, or
// what the provider said of an earlier round, is kept beside it.
func (m *payment) says(ctx context.Context, r ledger.Signed[ledger.Result]) {
	m.mu.Lock()
	first := m.result
	m.mu.Unlock()
	mine := r.Message.RoundID == m.round.ID()
	switch {
	case mine && first == nil:
		m.change(func() { m.result = &r })
		return
	case mine && first.Message == r.Message:
		return // the stream was opened again
	case !mine:
		first = nil
	}
	d, err := m.p.cfg.Payer.Heard(context.WithoutCancel(ctx), time.Now(), first, r)
	switch {
	case err != nil:
		m.p.failed(ctx, "what a provider contradicts itself in could not be kept", err)
	case d != nil:
		m.p.leave(ctx, *d)
	}
	if mine && !m.round.Says(*first) {
		m.change(func() { m.result = &r }) // the first was none
	}
}
