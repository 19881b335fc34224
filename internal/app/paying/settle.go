package paying

import (
	"context"
	"encoding/hex"
	"errors"
	"time"

	"github.com/culvert-net/culvert/api/backend"
	"github.com/culvert-net/culvert/api/tunnel"
	"github.com/culvert-net/culvert/ledger"
	"github.com/culvert-net/culvert/ledger/channel"
)

// settle ends the round in the books, whatever became of the request.
func (m *payment) settle(ctx context.Context) {
	e := m.end
	switch {
	case !e.Sent && e.Outcome != tunnel.OutcomeOK:
		m.refused(ctx, &channel.Refusal{Code: channel.CodeBusy, Text: "nothing was sent"})
	case e.Outcome == tunnel.OutcomeRefused:
		// An error instead of an answer costs nothing. It has a result if the round had
		// been admitted, and else a reason, which travels beside it.
		m.await(ctx, refusalLimit, func() bool { return m.result != nil || m.refusal != nil || m.lost })
		if !m.confirm(ctx) {
			m.refused(ctx, m.reason())
		}
	default:
		m.await(ctx, resultLimit, func() bool { return m.result != nil || m.lost })
		if !m.confirm(ctx) {
			m.abort(ctx)
		}
	}
}

// reason is why the provider did not admit the round, as far as it said.
func (m *payment) reason() *channel.Refusal {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.refusal != nil:
		return m.refusal
	case m.end.Code == tunnel.CodeQuota:
		return &channel.Refusal{Code: channel.CodeUncovered, Text: "the payment does not cover the request"}
	}
	return &channel.Refusal{Code: channel.CodeBusy, Text: "an error without a reason about money"}
}

// refused ends a round that costs nothing.
func (m *payment) refused(ctx context.Context, r *channel.Refusal) {
	m.p.count(func(c *Counts) { c.Refused++ })
	if err := m.round.Refused(context.WithoutCancel(ctx), time.Now(), r); err != nil {
		m.p.failed(ctx, "a round could not be ended", err)
	}
	if m.end.Code != "" {
		m.p.cfg.Log.WarnContext(ctx, "a provider refuses what pays for a request",
			"round", m.round.ID(), "provider", m.offer.Provider, "code", r.Code)
	}
	m.tell(backend.Receipt{}, false)
}

// abort ends a round without a result: nobody knows what it has cost. The provider's
// books tell, if they can be asked now; else they are when it matters.
func (m *payment) abort(ctx context.Context) {
	m.p.count(func(c *Counts) { c.Aborted++ })
	if err := m.round.Abort(context.WithoutCancel(ctx), time.Now()); err != nil {
		m.p.failed(ctx, "a round could not be ended", err)
	}
	m.tell(backend.Receipt{}, false)
}

// confirm ends the round with the provider's result, and pays for it. False: there is
// none that counts.
func (m *payment) confirm(ctx context.Context) bool {
	m.mu.Lock()
	result, e := m.result, m.end
	m.mu.Unlock()
	if result == nil {
		return false
	}
	c, err := m.round.Confirm(context.WithoutCancel(ctx), time.Now(), channel.Ending{
		Result: *result, Complete: e.Outcome == tunnel.OutcomeOK, Response: channel.SumOf(m.hash),
		Reasoning: count(e.Usage.Reasoning), Images: count(e.Usage.Images),
	})
	if errors.Is(err, channel.ErrResult) {
		m.p.cfg.Log.WarnContext(ctx, "what a provider signed is no result of its round", "round", m.round.ID(), "provider", m.offer.Provider)
		return false
	}
	if err != nil {
		m.p.failed(ctx, "a result could not be kept, so that it is not paid", err)
		m.tell(backend.Receipt{}, false)
		return true
	}
	m.p.count(func(c *Counts) { c.Paid++ })
	if c.Dispute != nil {
		m.p.leave(ctx, *c.Dispute)
	}
	id := m.round.ID()
	m.tell(backend.Receipt{ID: hex.EncodeToString(id[:]), Cost: c.Cost.String()}, true)
	m.pay(ctx, c.Voucher)
	return true
}

func count(n int64) uint64 { return uint64(max(0, n)) }

// pay sends the voucher that confirms a round, until the provider says that it has
// it, or for a while. If it does not, the next round's confirms this one, too.
func (m *payment) pay(ctx context.Context, v ledger.Signed[ledger.Voucher]) {
	ctx, cancel := context.WithTimeout(ctx, acceptLimit)
	defer cancel()
	var told *line
	m.mu.Lock()
	defer m.mu.Unlock()
	acks := m.acks
	for {
		ended := func() bool { return m.lost || told != nil && m.acks > acks }
		if !m.wait(ctx, func() bool { return ended() || m.line != nil && m.line != told }) || ended() {
			break
		}
		told = m.line
		m.mu.Unlock()
		_ = told.write(&channel.VoucherFrame{Voucher: v}) // a line that is gone is followed by another
		m.mu.Lock()
	}
	if m.line != nil {
		m.line.close()
	}
}
