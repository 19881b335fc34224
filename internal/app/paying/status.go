package paying

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/culvert-net/culvert/ledger"
	"github.com/culvert-net/culvert/ledger/channel"
)

// Balance is one channel, for the owner.
type Balance struct {
	Channel   ledger.ChannelID `json:"channel"`
	Provider  ledger.Address   `json:"provider"`
	For       string           `json:"for,omitempty"` // the API key that alone is paid for from it
	Known     bool             `json:"known"`         // the chain was read up to its purchase
	Deposited ledger.Amount    `json:"deposited"`
	Spent     ledger.Amount    `json:"spent"`
	Reserved  ledger.Amount    `json:"reserved"`  // for requests in progress
	Unsettled ledger.Amount    `json:"unsettled"` // what requests may have cost that got no result
	ByWord    ledger.Amount    `json:"by_word"`   // of spent: what requests without a result cost by the provider's word; one window at most
	Promised  ledger.Amount    `json:"promised"`  // what the provider can take
	Disputed  ledger.Amount    `json:"disputed"`  // what it wanted and did not get
	Free      ledger.Amount    `json:"free"`      // for new requests
	Tokens    uint64           `json:"tokens"`    // that pays for, of standard output
	Running   uint32           `json:"running"`
	Closing   bool             `json:"closing,omitempty"`
	CloseAt   uint64           `json:"close_at,omitempty"` // Unix seconds from which it can be refunded
}

// Text is a line for people, with amounts as money writes them.
func (b Balance) Text(money func(ledger.Amount) string) string {
	parts := []string{fmt.Sprintf("with %s: %s left of %s", b.Provider, money(b.Free), money(b.Deposited))}
	if b.Tokens > 0 {
		parts = append(parts, fmt.Sprintf("about %d tokens", b.Tokens))
	}
	if b.For != "" {
		parts = append(parts, "for key "+b.For)
	}
	if b.Running > 0 {
		parts = append(parts, fmt.Sprintf("%d requests in progress", b.Running))
	}
	if !b.Unsettled.IsZero() {
		parts = append(parts, money(b.Unsettled)+" unsettled")
	}
	if !b.Disputed.IsZero() {
		parts = append(parts, money(b.Disputed)+" disputed")
	}
	switch {
	case !b.Known:
		parts = append(parts, "not on the chain yet")
	case b.Closing || b.CloseAt > 0:
		parts = append(parts, "CLOSING")
	}
	return strings.Join(parts, ", ")
}

// Left is a provider whose figure was not believed.
type Left struct {
	Provider ledger.Address `json:"provider"`
	Round    ledger.RoundID `json:"round"`
	Model    string         `json:"model"`
	Reason   string         `json:"reason"`
	Wanted   ledger.Amount  `json:"wanted"`
	Paid     ledger.Amount  `json:"paid"`
	Until    time.Time      `json:"until"`
}

// Text is a line for people, with amounts as money writes them.
func (l Left) Text(money func(ledger.Amount) string) string {
	if l.Reason == channel.TwoResults.String() {
		return fmt.Sprintf("%s until %s: %s; take its bond with: bridge slash %s", l.Provider, l.Until.Format(time.DateOnly), l.Reason, l.Round)
	}
	return fmt.Sprintf("%s until %s: %s, of %s it wanted %s and got %s (round %s)",
		l.Provider, l.Until.Format(time.DateOnly), l.Reason, l.Model, money(l.Wanted), money(l.Paid), l.Round)
}

// Counts is what was done so far.
func (p *Payer) Counts() Counts {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.counts
}

// Left lists the providers that are left now, in the order of their addresses.
func (p *Payer) Left() []Left {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []Left
	now := time.Now()
	for _, d := range p.left {
		if until := d.At.Add(leaveTime); now.Before(until) {
			out = append(out, Left{d.Provider, d.Round, d.Model, d.Reason.String(), d.Claimed, d.Paid, until.UTC()})
		}
	}
	slices.SortFunc(out, func(a, b Left) int { return cmp.Compare(a.Provider.String(), b.Provider.String()) })
	return out
}

// Balances lists the channels.
func (p *Payer) Balances(ctx context.Context) ([]Balance, error) {
	all, err := p.cfg.Payer.Balances(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]Balance, 0, len(all))
	for _, b := range all {
		account, err := p.cfg.Purses.Account(ctx, b.Key)
		if err != nil {
			return nil, err
		}
		out = append(out, p.balance(b, account))
	}
	return out, nil
}

func (p *Payer) balance(b channel.Balance, account string) Balance {
	out := Balance{
		Channel: b.Channel, Provider: b.Provider, For: account, Known: b.Known, Deposited: b.Deposited, Spent: b.Spent, Reserved: b.Reserved,
		Unsettled: b.Unsettled, ByWord: b.ByWord, Promised: b.Promised, Disputed: b.Disputed, Free: b.Free, Running: b.Running, Closing: b.Closing, CloseAt: b.CloseAt,
	}
	if c, ok := p.cfg.Payer.Chain.Channel(b.Channel); ok {
		out.Tokens, _ = ledger.Tokens(b.Free, c.Locked)
	}
	return out
}
