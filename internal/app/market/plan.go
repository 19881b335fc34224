package market

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"time"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/ledger"
	"github.com/culvert-net/culvert/ledger/chain"
)

// plan is what an order comes to, as of now.
type plan struct {
	what  string
	facts [][2]string
	terms Terms
	call  chain.Call // of the size and value that the order's will have
	dear  bool       // it may be another call, of consentRoom times the gas

	approve *chain.Call // that comes first; nil: none is needed
}

func (p *plan) fact(name, format string, args ...any) {
	p.facts = append(p.facts, [2]string{name, fmt.Sprintf(format, args...)})
}

// plan decides what an order leaves open, and finds what speaks against it.
func (m *Market) plan(ctx context.Context, h *hand, o Order) (*plan, error) {
	switch o.Do {
	case Buy:
		return m.planBuy(ctx, h, o)
	case TopUp:
		return m.planTopUp(ctx, h, o)
	case Close, Reopen, Refund:
		return m.planChannel(h, o)
	case Register, Update:
		return m.planOffer(h, o)
	case Slash:
		return m.planSlash(ctx, h, o)
	}
	view, calls, self := m.books.Reader.State().Pending, m.books.Chain.Calls(), h.writer.Address()
	p := &plan{facts: [][2]string{}}
	switch o.Do {
	case Exit:
		if mine, known := view.Provider(self); !known || mine.Exited {
			return nil, app.Usage(fmt.Errorf("%s is not in the market, so there is nothing to leave", m.address(self)))
		}
		p.what, p.call = "Stop selling", calls.Exit()
		p.fact("What was sold", "stays good, and can be claimed")
	case Bond:
		p.terms.Until = m.now() + o.Days*24*3600
		p.what, p.call = "Put up a bond", calls.Bond(o.Amount, p.terms.Until)
		p.fact("Amount", "%s", m.coin(o.Amount))
		p.fact("Until", "%s", clock(p.terms.Until))
		p.fact("At stake", "it is lost if you sign two different results of one round")
	case Unbond:
		p.what, p.call = "Take the bond back", calls.Unbond()
		if mine, ok := view.Provider(self); ok {
			p.fact("Amount", "%s", m.coin(mine.Bond))
		}
	case Withdraw:
		balance := view.Balance(self)
		if balance.IsZero() {
			return nil, app.Usage(errors.New("there is nothing to withdraw: the contract holds nothing for this wallet. " + m.nothing()))
		}
		p.what, p.call = "Withdraw what the contract holds for this wallet", calls.Withdraw(o.To)
		p.terms.Amount = balance
		p.fact("Amount", "%s", m.money(balance))
		to := o.To
		if mine, ok := view.Provider(self); to.IsZero() && ok && !mine.Payout.IsZero() {
			to = mine.Payout
		}
		if to.IsZero() {
			to = self
		}
		p.fact("To", "%s", m.address(to))
	}
	return p, nil
}

// nothing says how a balance comes about.
func (m *Market) nothing() string {
	if m.cfg.Pays {
		return "What is left in channels comes there by a refund"
	}
	return "What was earned comes there by a claim"
}

// seller is a provider that sells.
func (m *Market) seller(a ledger.Address) (ledger.Provider, error) {
	p, ok := m.books.Reader.State().Pending.Provider(a)
	switch {
	case !ok:
		return p, app.Usage(fmt.Errorf("%s is no provider of this market; bridge providers shows who is", m.address(a)))
	case p.Exited:
		return p, app.Usage(fmt.Errorf("provider %s sells no more; choose another", m.address(a)))
	}
	return p, nil
}

// amount is what an order pays in: an amount, or tokens at a price.
func (o Order) amount(price ledger.Amount) (ledger.Amount, error) {
	if o.Tokens == 0 {
		return o.Amount, nil
	}
	n := new(big.Int).Mul(price.Big(), new(big.Int).SetUint64(o.Tokens))
	n.Add(n, big.NewInt(million-1))
	a, err := ledger.AmountOfBig(n.Div(n, big.NewInt(million)))
	if err != nil {
		return a, app.Usage(fmt.Errorf("%d tokens: %w; take fewer", o.Tokens, err))
	}
	return a, nil
}

const million = 1_000_000

// tokens says how far an amount goes, for people.
func tokens(a, price ledger.Amount) string {
	n, ok := ledger.Tokens(a, price)
	if !ok {
		return "any number"
	}
	return fmt.Sprintf("%d standard output tokens", n)
}

func clock(at uint64) string { return time.Unix(int64(at), 0).UTC().Format(time.DateTime) + " UTC" }

func (m *Market) planBuy(ctx context.Context, h *hand, o Order) (*plan, error) {
	s, err := m.seller(o.Provider)
	if err != nil {
		return nil, err
	}
	if !o.MaxPrice.IsZero() && o.MaxPrice.Less(s.Price) {
		return nil, app.Refused(fmt.Errorf("the provider's price is %s per million standard output tokens, above your limit of %s; agree to it with --max-price, or choose another provider", m.money(s.Price), m.money(o.MaxPrice)))
	}
	p := &plan{what: "Buy from provider " + m.address(o.Provider), facts: [][2]string{}}
	if p.terms.Amount, err = o.amount(s.Price); err != nil {
		return nil, err
	}
	// What may rise meanwhile is what was agreed to.
	if p.terms.MaxPrice = o.MaxPrice; p.terms.MaxPrice.IsZero() {
		p.terms.MaxPrice = s.Price
	}
	p.fact("Amount", "%s, for about %s", m.money(p.terms.Amount), tokens(p.terms.Amount, s.Price))
	p.fact("Price", "%s per million standard output tokens, locked; at most %s if it rises before the purchase", m.money(s.Price), m.money(p.terms.MaxPrice))
	key, channel, err := m.session(ctx, h, o)
	if err != nil {
		return nil, err
	}
	if channel != nil {
		p.fact("Channel", "%s, which has %s left", channel.ID, m.money(channel.Remaining()))
		if channel.CloseAt != 0 {
			return nil, app.Usage(fmt.Errorf("channel %s is being closed: reopen it first, with bridge close --cancel, or wait until %s and take the refund", channel.ID, clock(channel.CloseAt)))
		}
	} else {
		p.fact("Channel", "a new one")
	}
	if o.Account != "" {
		p.fact("For", "API key %s alone", o.Account)
	}
	p.fact("Back", "what is not used comes back when the channel is closed")
	p.call = m.books.Chain.Calls().Buy(o.Provider, key, p.terms.Amount, p.terms.MaxPrice)
	return p, m.planToken(ctx, h, p)
}

// planToken plans how the contract comes by the token, where it is paid in one: it
// takes what it was allowed to.
func (m *Market) planToken(ctx context.Context, h *hand, p *plan) error {
	if m.books.Chain.Asset.IsZero() {
		return nil
	}
	has, allowed, err := m.books.Reader.Tokens(ctx, h.writer.Address())
	if err != nil {
		return refused(err)
	}
	if has.Less(p.terms.Amount) {
		return app.Usage(fmt.Errorf("%s has %s, and this takes %s; send it the rest, or take less", m.address(h.writer.Address()), m.money(has), m.money(p.terms.Amount)))
	}
	p.fact("Token", "%s, of which the wallet has %s", m.books.Chain.Asset, m.money(has))
	if allowed.Less(p.terms.Amount) {
		call := m.books.Chain.Calls().Approve(p.terms.Amount)
		p.approve = &call
	}
	return nil
}

// session is the session key that a purchase is for, and its channel; nil: there is
// none. A purse that is not there yet is not made: the key is then one of the same
// form.
func (m *Market) session(ctx context.Context, h *hand, o Order) (ledger.Address, *ledger.Channel, error) {
	keys, err := h.purses.Find(ctx, o.Provider, o.Account)
	if err != nil {
		return ledger.Address{}, nil, err
	}
	for _, key := range keys {
		account, err := h.purses.Account(ctx, key)
		if err != nil {
			return ledger.Address{}, nil, err
		}
		c, ok := m.books.Reader.State().Pending.Channel(ledger.ChannelOf(o.Provider, key, h.writer.Address()))
		if ok && account == o.Account {
			return key, &c, nil
		}
	}
	return ledger.NewKey().Address(), nil, nil
}

func (m *Market) planTopUp(ctx context.Context, h *hand, o Order) (*plan, error) {
	c, err := m.channel(o.Channel)
	if err != nil {
		return nil, err
	}
	s, err := m.seller(c.Provider)
	if err != nil {
		return nil, err
	}
	switch {
	case c.CloseAt != 0:
		return nil, app.Usage(fmt.Errorf("channel %s is being closed: reopen it first, with bridge close --cancel", c.ID))
	case c.Locked.Less(s.Price):
		return nil, app.Usage(fmt.Errorf("the provider's price has risen from %s, which is locked in the channel, to %s, and a top-up would be at the old one; bridge buy locks the new one for the whole channel", m.money(c.Locked), m.money(s.Price)))
	}
	p := &plan{what: "Top up a channel with provider " + m.address(c.Provider), facts: [][2]string{}}
	if p.terms.Amount, err = o.amount(c.Locked); err != nil {
		return nil, err
	}
	p.fact("Amount", "%s, for about %s", m.money(p.terms.Amount), tokens(p.terms.Amount, c.Locked))
	p.fact("Channel", "%s, which has %s left", c.ID, m.money(c.Remaining()))
	p.call = m.books.Chain.Calls().TopUp(c.ID, p.terms.Amount)
	return p, m.planToken(ctx, h, p)
}

func (m *Market) channel(id ledger.ChannelID) (ledger.Channel, error) {
	c, ok := m.books.Reader.State().Pending.Channel(id)
	if !ok {
		return c, app.Usage(fmt.Errorf("the contract has no channel %s", id))
	}
	return c, nil
}

// planChannel plans what is done to a channel of one's own.
func (m *Market) planChannel(h *hand, o Order) (*plan, error) {
	c, err := m.channel(o.Channel)
	if err != nil {
		return nil, err
	}
	if c.Funder != h.writer.Address() && o.Do != Refund {
		return nil, app.Refused(fmt.Errorf("channel %s was bought by %s: only that wallet can do this", c.ID, m.address(c.Funder)))
	}
	calls := m.books.Chain.Calls()
	p := &plan{facts: [][2]string{}}
	p.fact("Channel", "%s with provider %s", c.ID, m.address(c.Provider))
	p.fact("Left in it", "%s", m.money(c.Remaining()))
	switch o.Do {
	case Close:
		if c.CloseAt != 0 {
			return nil, app.Usage(fmt.Errorf("channel %s is being closed: it can be refunded from %s on, with bridge refund", c.ID, clock(c.CloseAt)))
		}
		p.what, p.call = "Close a channel", calls.RequestClose(c.ID)
		if m.cfg.Release != nil {
			p.dear = true
			p.fact("How", "at once if the provider consents; else in 24 hours, in which it can claim what it is owed")
		} else {
			p.fact("How", "in 24 hours, in which the provider can claim what it is owed")
		}
		p.fact("From then on", "no request is paid from it")
	case Reopen:
		if c.CloseAt == 0 {
			return nil, app.Usage(fmt.Errorf("channel %s is not being closed", c.ID))
		}
		p.what, p.call = "Go on with a channel that is being closed", calls.CancelClose(c.ID)
	case Refund:
		switch now := m.now(); {
		case c.CloseAt == 0:
			return nil, app.Usage(fmt.Errorf("channel %s is not closed: close it first, with bridge close", c.ID))
		case c.CloseAt > now:
			return nil, app.NotReady(fmt.Errorf("channel %s can be refunded from %s on: until then the provider can claim what it is owed", c.ID, clock(c.CloseAt)))
		}
		p.what, p.call = "Take back what is left in a channel", calls.Refund(c.ID)
		p.terms.Amount = c.Remaining()
		p.fact("It goes to", "the balance that the contract holds for %s, to be withdrawn", m.address(c.Funder))
	}
	return p, nil
}

// planOffer plans what a provider says of itself.
func (m *Market) planOffer(h *hand, o Order) (*plan, error) {
	self := h.writer.Address()
	old, known := m.books.Reader.State().Pending.Provider(self)
	selling := known && !old.Exited
	switch {
	case o.Do == Register && selling:
		return nil, app.Usage(fmt.Errorf("%s is registered; change what it offers with: gateway update", m.address(self)))
	case o.Do == Update && !selling:
		return nil, app.Usage(fmt.Errorf("%s is not registered; begin with: gateway register", m.address(self)))
	}
	offer, err := m.cfg.Offer()
	if err != nil {
		return nil, err
	}
	if o.Do == Register && m.cfg.Serves != "" && m.books.Wallet == nil {
		return nil, app.Usage(fmt.Errorf("the running %s has not opened the wallet, so that nobody could be billed; start it again with --passphrase-file FILE, and then register", m.cfg.Serves))
	}
	p := &plan{facts: [][2]string{}, terms: Terms{Price: o.Price, Payout: o.Payout, Descriptor: offer.Descriptor}}
	if p.terms.Price.IsZero() {
		p.terms.Price = offer.Price
	}
	if p.terms.Price.IsZero() {
		return nil, app.Usage(errors.New("no price is set, and what is free needs no market; set one with: gateway price set, or --price"))
	}
	if p.terms.Payout.IsZero() && selling {
		p.terms.Payout = old.Payout
	}
	if p.terms.Payout.IsZero() {
		p.terms.Payout = self
	}
	price := m.money(p.terms.Price) + " per million standard output tokens"
	calls := m.books.Chain.Calls()
	if o.Do == Register {
		p.what = "Register as provider " + m.address(self)
		p.call = calls.Register(p.terms.Payout, p.terms.Price, p.terms.Descriptor, o.Content)
	} else {
		p.what = "Change what provider " + m.address(self) + " offers"
		p.call = calls.Update(p.terms.Payout, p.terms.Price, p.terms.Descriptor, o.Content)
		if old.Price != p.terms.Price {
			price += fmt.Sprintf(" (before: %s)", m.money(old.Price))
		}
		if slices.Equal(old.Descriptor, p.terms.Descriptor) && old.Price == p.terms.Price && old.Payout == p.terms.Payout && old.Content == o.Content {
			return nil, app.Usage(errors.New("nothing has changed since it was registered, so there is nothing to pay for"))
		}
	}
	p.fact("Price", "%s", price)
	if offer.Price.IsZero() {
		p.fact("Note", "no model has a price, so that none is served for money: gateway price set")
	}
	p.fact("Payout", "%s", m.address(p.terms.Payout))
	p.fact("Public", "for everybody, for ever: %d bytes that name this node, its address and its models", len(p.terms.Descriptor))
	return p, nil
}

// prepare makes what an order depends on durable, and its call. Terms were agreed
// to, and nothing else is done than what they say.
func (m *Market) prepare(ctx context.Context, h *hand, r *record, tell func(Progress)) (chain.Call, error) {
	calls, o, t := m.books.Chain.Calls(), r.Order, r.Terms
	r.Channel = o.Channel
	switch o.Do {
	case Buy:
		// The key and that it is held are on the disk before the money leaves: after a
		// crash at any point, it can be spent.
		key, err := h.purses.Open(ctx, o.Provider, o.Account)
		if err != nil {
			return chain.Call{}, err
		}
		if r.Channel, err = h.payer.Hold(ctx, o.Provider, key.Address(), h.writer.Address()); err != nil {
			return chain.Call{}, err
		}
		return calls.Buy(o.Provider, key.Address(), t.Amount, t.MaxPrice), nil
	case TopUp:
		return calls.TopUp(o.Channel, t.Amount), nil
	case Close:
		return m.prepareClose(ctx, h, o.Channel, tell)
	case Reopen:
		return calls.CancelClose(o.Channel), nil
	case Refund:
		return calls.Refund(o.Channel), nil
	case Register:
		return calls.Register(t.Payout, t.Price, t.Descriptor, o.Content), nil
	case Update:
		return calls.Update(t.Payout, t.Price, t.Descriptor, o.Content), nil
	case Exit:
		return calls.Exit(), nil
	case Bond:
		return calls.Bond(o.Amount, t.Until), nil
	case Unbond:
		return calls.Unbond(), nil
	case Slash:
		a, b, err := m.words(ctx, h, o)
		return calls.Slash(a, b), err
	default: // check has refused all others
		return calls.Withdraw(o.To), nil
	}
}

// prepareClose asks the provider for its consent, where it can be reached.
func (m *Market) prepareClose(ctx context.Context, h *hand, id ledger.ChannelID, tell func(Progress)) (chain.Call, error) {
	request := m.books.Chain.Calls().RequestClose(id)
	if m.cfg.Release == nil {
		return request, nil
	}
	ask, err := h.payer.Leave(ctx, id)
	if err != nil {
		return request, err
	}
	release, err := m.cfg.Release(ctx, *ask, func(text string) { tell(Progress{Text: text}) })
	if err == nil {
		err = h.payer.Released(ctx, release)
	}
	if ctx.Err() != nil {
		return request, ctx.Err()
	}
	if err != nil {
		tell(Progress{Text: fmt.Sprintf("the provider does not consent (%v), so it takes 24 hours", err)})
		return request, nil
	}
	return m.books.Chain.Calls().CooperativeClose(release), nil
}

// told says what is so after an order, and what is next.
func (m *Market) told(h *hand, r *record) string {
	view := m.books.Reader.State().Pending
	c, _ := view.Channel(r.Channel)
	self := h.writer.Address()
	switch r.Order.Do {
	case Buy, TopUp:
		text := fmt.Sprintf("Channel %s has %s left: about %s.", c.ID, m.money(c.Remaining()), tokens(c.Remaining(), c.Locked))
		if m.cfg.Serves != "" && m.books.Wallet == nil {
			text += fmt.Sprintf(" The running %s has not opened the wallet, so it pays nobody yet: start it again with --passphrase-file FILE.", m.cfg.Serves)
		}
		return text
	case Close:
		if c.CloseAt != 0 {
			return fmt.Sprintf("The channel can be refunded from %s on, with: bridge refund", clock(c.CloseAt))
		}
		return fmt.Sprintf("The channel is closed. The contract holds %s for this wallet; bring it there with: bridge withdraw", m.money(view.Balance(self)))
	case Reopen:
		return "The channel is open again."
	case Refund:
		return fmt.Sprintf("The contract holds %s for %s; the owner brings it into the wallet with: bridge withdraw", m.money(view.Balance(c.Funder)), m.address(c.Funder))
	case Register:
		return "This provider is in the market. What it earns is shown by: gateway earnings"
	case Update:
		return "The offer is changed. What was bought before keeps its price."
	case Exit:
		return "This provider sells no more. What it has earned is claimed with: gateway claim"
	case Bond:
		return fmt.Sprintf("The bond is there until %s.", clock(r.Terms.Until))
	case Unbond:
		return "The bond is back in the wallet."
	case Slash:
		return fmt.Sprintf("The bond is taken: %s of it came into the wallet.", m.coin(r.Terms.Amount))
	default:
		return fmt.Sprintf("%s went out.", m.money(r.Terms.Amount))
	}
}
