package paying

import (
	"context"
	"time"

	"github.com/culvert-net/culvert/ledger"
	"github.com/culvert-net/culvert/ledger/channel"
)

// leave is for a provider whose figure was not believed: it was paid by ours, and is
// not asked again.
func (p *Payer) leave(ctx context.Context, d channel.Dispute) {
	p.mu.Lock()
	p.left[d.Provider] = d
	p.counts.Disputed++
	p.mu.Unlock()
	if d.Reason == channel.TwoResults {
		p.cfg.Log.WarnContext(ctx, "a provider signed two different results of one round; both are kept, and it is left: bridge slash takes its bond",
			"provider", d.Provider, "round", d.Round)
		return
	}
	p.cfg.Log.WarnContext(ctx, "a provider wants more than can be; it is paid by our figure, and left",
		"provider", d.Provider, "round", d.Round, "reason", d.Reason, "wants", d.Claimed.Format(), "paid", d.Paid.Format())
}

// leftFor is the dispute for which a provider is left now.
func (p *Payer) leftFor(provider ledger.Address, now time.Time) (channel.Dispute, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	d, left := p.left[provider]
	return d, left && now.Sub(d.At) < leaveTime
}

// CanPay reports whether a provider has something left of ours and was not left: one
// that cannot be paid is not worth asking. What one request may cost is looked at
// when it is opened. What is unsettled counts as left: the provider's books may say
// that it cost nothing, and only a request asks for them.
func (p *Payer) CanPay(provider ledger.Address) bool {
	now := time.Now()
	if _, left := p.leftFor(provider, now); left {
		return false
	}
	free, _ := p.free(provider, now)
	return !free.IsZero()
}

// Buys reports whether something was bought from a provider, be it used up: it has a
// say in what becomes of it.
func (p *Payer) Buys(provider ledger.Address) bool {
	_, bought := p.free(provider, time.Now())
	return bought
}

// free is the largest balance with a provider that is free, or may turn out to be,
// and whether there is any channel.
func (p *Payer) free(provider ledger.Address, now time.Time) (ledger.Amount, bool) {
	p.mu.Lock()
	age := now.Sub(p.looked)
	free, found := p.balances[provider]
	p.mu.Unlock()
	if age < balanceAge && !free.IsZero() || age < emptyAge {
		return free, found
	}
	balances, err := p.cfg.Payer.Balances(context.Background()) // from memory, or a few pages of a file
	if err != nil {
		p.failed(context.Background(), "balances could not be read", err)
		return ledger.Amount{}, found
	}
	byProvider := make(map[ledger.Address]ledger.Amount)
	for _, b := range balances {
		left := b.Free
		if left.IsZero() && !b.Closing && b.CloseAt == 0 {
			left = b.Unsettled
		}
		byProvider[b.Provider] = maxAmount(byProvider[b.Provider], left)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.balances, p.looked = byProvider, now
	free, found = byProvider[provider]
	return free, found
}

func maxAmount(a, b ledger.Amount) ledger.Amount {
	if a.Less(b) {
		return b
	}
	return a
}
