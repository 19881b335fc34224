package market

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/ledger"
	"github.com/culvert-net/culvert/ledger/chain"
	"github.com/culvert-net/culvert/ledger/channel"
	"github.com/culvert-net/culvert/ledger/claim"
)

// disputeTime is the contract's.
const disputeTime = 24 * time.Hour

// claimAll is the rule by which everything is claimed that is worth its gas.
func claimAll() claim.Rule { return claim.Rule{Money: ledger.Wei(1)} }

// payee is the provider's side of channels, for looking at it.
func (m *Market) payee(h *hand) (*channel.Payee, error) {
	return channel.NewPayee(channel.PayeeConfig{
		Store: m.books.Store, Chain: m.books.Reader, Domain: m.books.Chain.Domain(), Key: h.wallet.Key(), Owner: owner,
		Sheet: func(ledger.Hash) (*ledger.Sheet, bool) { return nil, false }, DisputeTime: disputeTime,
	})
}

// vouchers are what a payee can claim.
type vouchers struct {
	payee *channel.Payee
	chain channel.Chain
}

// Due implements claim.Vouchers.
func (v vouchers) Due(ctx context.Context, now time.Time) ([]claim.Due, error) {
	all, err := v.payee.Claims(ctx, now)
	if err != nil {
		return nil, err
	}
	out := make([]claim.Due, len(all))
	for i, c := range all {
		ch, _ := v.chain.Channel(c.Channel)
		out[i] = claim.Due{Voucher: c.Voucher, Claimed: c.Claimed, Unclaimed: c.Unclaimed, Locked: ch.Locked, CloseAt: c.CloseAt}
	}
	return out, nil
}

// due is what can be claimed, and what of it is worth it now.
func (m *Market) due(ctx context.Context, h *hand) (v vouchers, all, worth []claim.Due, err error) {
	payee, err := m.payee(h)
	if err != nil {
		return v, nil, nil, err
	}
	v = vouchers{payee, m.books.Reader}
	now := time.Now()
	if all, err = v.Due(ctx, now); err != nil || len(all) == 0 {
		return v, nil, nil, err
	}
	gas, err := chain.Claims{Writer: h.writer, Reader: m.books.Reader}.Gas(ctx)
	if err != nil {
		return v, nil, nil, refused(err)
	}
	return v, all, claim.Plan(uint64(now.Unix()), claimAll(), gas, all), nil
}

func sumDue(dues []claim.Due) (sum ledger.Amount) {
	for _, d := range dues {
		more, err := sum.Add(d.Unclaimed)
		if err != nil {
			return ledger.MaxAmount
		}
		sum = more
	}
	return sum
}

// quoteClaim says what a claim of everything brings.
func (m *Market) quoteClaim(ctx context.Context, h *hand, o Order) (Quote, error) {
	if open, err := m.claiming(ctx, h); err != nil || len(open) > 0 {
		return Quote{Order: o, Sent: true, What: "A claim was sent before: nothing more is paid for it", Facts: [][2]string{}, Cost: "nothing more"}, err
	}
	_, all, worth, err := m.due(ctx, h)
	switch {
	case err != nil:
		return Quote{}, err
	case len(all) == 0:
		return Quote{}, app.Usage(errors.New("there is nothing to claim: all that vouchers say was claimed before. What the contract holds for you is shown by: gateway earnings"))
	case len(worth) == 0:
		return Quote{}, app.Refused(fmt.Errorf("%s from %s are due, and claiming them would cost more gas than that; wait until it is more", m.money(sumDue(all)), app.Count(len(all), "channel")))
	}
	signed := make([]ledger.Signed[ledger.Voucher], len(worth))
	for i, d := range worth {
		signed[i] = d.Voucher
	}
	p := &plan{what: "Claim what clients owe", call: m.books.Chain.Calls().Claim(signed, ledger.Hash{})}
	p.terms.Amount = sumDue(worth)
	p.fact("Amount", "%s from %s", m.money(p.terms.Amount), app.Count(len(worth), "channel"))
	if rest := len(all) - len(worth); rest > 0 {
		p.fact("Left", "%s, which a later claim takes, or whose gas costs more", app.Count(rest, "channel"))
	}
	p.fact("It goes to", "the balance that the contract holds for this provider, to be withdrawn")
	cost, err := h.writer.Cost(ctx, p.call)
	if err != nil {
		return Quote{}, refused(err)
	}
	return m.quote(h, o, p, cost)
}

// claimWord begins the name of each transaction of ledger/claim.
const claimWord = "claim "

// claiming are claims that are on their way, of whomever.
func (m *Market) claiming(ctx context.Context, h *hand) (open []chain.ID, err error) {
	if err := h.writer.Follow(ctx); err != nil {
		return nil, refused(err)
	}
	all, err := h.writer.Unfinished(ctx)
	for _, id := range all {
		if p, ok := h.writer.Progress(id); ok && strings.HasPrefix(p.What, claimWord) {
			open = append(open, id)
		}
	}
	return open, err
}

// sending notes what a Claimer sends.
type sending struct {
	chain.Claims
	mu   sync.Mutex
	sent []chain.ID // guarded by mu
}

// Send implements claim.Chain.
func (s *sending) Send(ctx context.Context, label string, v []ledger.Signed[ledger.Voucher]) (uint64, error) {
	id, err := s.Claims.Send(ctx, label, v)
	if err == nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.sent = append(s.sent, chain.ID(id))
	}
	return id, err
}

// claim claims what is worth it, by the same journal as the claims that a gateway
// makes by itself: no voucher is claimed twice. What is on its way is waited for.
func (m *Market) claim(ctx context.Context, h *hand, tell func(Progress)) (Done, error) {
	if err := m.books.Reader.Sync(ctx); err != nil {
		return Done{}, refused(err)
	}
	before := m.books.Reader.State().Pending.Balance(h.writer.Address())
	v, _, _, err := m.due(ctx, h)
	if err != nil {
		return Done{}, err
	}
	out := &sending{Claims: chain.Claims{Writer: h.writer, Reader: m.books.Reader}}
	c, err := claim.New(claim.Config{Rule: claimAll(), Store: m.books.Store, Vouchers: v, Chain: out, Log: m.cfg.Log})
	if err != nil {
		return Done{}, err
	}
	if err := c.Step(ctx, time.Now()); err != nil {
		return Done{}, refused(err)
	}
	open, err := m.claiming(ctx, h)
	if err != nil {
		return Done{}, err
	}
	d := Done{Do: Claim}
	for _, id := range append(out.sent, open...) {
		r, err := h.writer.Wait(ctx, id, func(p chain.Progress) { tell(m.progress(p)) })
		if err != nil {
			return d, err
		}
		if r.Hash == d.Transaction {
			continue // it was sent just now, and is open
		}
		d.Transaction, d.Block = r.Hash, r.Block
		if d.Fee, err = d.Fee.Add(r.Fee); err != nil {
			return d, err
		}
	}
	if d.Transaction.IsZero() {
		d.Text = "Nothing had to be sent: what was due was claimed meanwhile, or is worth less than its gas."
		return d, nil
	}
	if err := m.caughtUp(ctx, d.Block); err != nil {
		return d, err
	}
	if err := c.Step(ctx, time.Now()); err != nil { // what is done is noted
		return d, refused(err)
	}
	after := m.books.Reader.State().Pending.Balance(h.writer.Address())
	if d.Amount, err = after.Sub(before); err != nil {
		d.Amount = ledger.Amount{} // withdrawn meanwhile
	}
	d.Text = fmt.Sprintf("The contract holds %s for this provider; bring it to the payout address with: gateway withdraw", m.money(after))
	return d, nil
}
