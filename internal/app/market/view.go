package market

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/wallet"
	"github.com/culvert-net/culvert/internal/config"
	"github.com/culvert-net/culvert/ledger"
	"github.com/culvert-net/culvert/ledger/chain"
	"github.com/culvert-net/culvert/ledger/channel"
)

// State is what a Market is about.
type State struct {
	Locked   bool           `json:"locked"` // orders need the passphrase
	Why      string         `json:"why,omitempty"`
	Address  ledger.Address `json:"address,omitzero"` // of the wallet; zero: there is none
	Network  string         `json:"network"`
	ChainID  uint64         `json:"chain_id"`
	Contract ledger.Address `json:"contract"`
	Currency string         `json:"currency"`
	Filecoin string         `json:"filecoin_address,omitempty"` // Address, as Filecoin's programs write it
	Token    *chain.Token   `json:"token,omitempty"`            // that the market is paid in; nil: Currency
}

// State says whose wallet it is, and on which chain.
func (m *Market) State(context.Context) (State, error) {
	n := m.books.Chain.Network
	s := State{Locked: m.books.Wallet == nil, Network: n.Name, ChainID: n.ChainID, Contract: m.books.Chain.Contract, Currency: n.Currency}
	if !m.books.Chain.Asset.IsZero() {
		t := m.books.Chain.Token()
		s.Token = &t
	}
	a, err := m.self()
	if s.Locked && m.books.Locked != nil {
		s.Why = m.books.Locked.Error()
	}
	if errors.Is(err, wallet.ErrNone) {
		return s, nil
	}
	s.Address = a
	if n.Filecoin && !a.IsZero() {
		s.Filecoin = chain.ToFilecoin(a, n.Test)
	}
	return s, err
}

// self is the wallet's address, which needs no passphrase.
func (m *Market) self() (ledger.Address, error) {
	if w := m.books.Wallet; w != nil && w.Key() != nil {
		return w.Key().Address(), nil
	}
	info, err := wallet.Look(m.cfg.Wallet)
	if err != nil {
		return ledger.Address{}, err
	}
	return info.Address, nil
}

// Listing is one provider of the market.
type Listing struct {
	Provider ledger.Address `json:"provider"`
	Price    ledger.Amount  `json:"price"` // per million standard output tokens
	Bond     ledger.Amount  `json:"bond,omitzero"`
	Until    uint64         `json:"bond_until,omitempty"`
	Nodes    []string       `json:"nodes,omitempty"`     // transport keys, hexadecimal
	Names    []string       `json:"names,omitempty"`     // what they call themselves, where that is known
	At       []string       `json:"endpoints,omitempty"` // addresses of nodes
	Models   []ListedModel  `json:"models,omitempty"`
}

// ListedModel is a model of a provider.
type ListedModel struct {
	Model  string        `json:"model"`
	Priced bool          `json:"priced"` // its price sheet is known
	Input  ledger.Amount `json:"input,omitzero"`
	Output ledger.Amount `json:"output,omitzero"`

	// Minimum is what a request costs at least.
	Minimum ledger.Amount `json:"minimum,omitzero"`
}

// Providers are those that sell, by the contract.
func (m *Market) Providers(ctx context.Context) ([]Listing, error) {
	if err := m.books.Reader.Sync(ctx); err != nil {
		return nil, refused(err)
	}
	list := []Listing{}
	for _, p := range m.books.Reader.State().Pending.Providers() {
		if p.Exited {
			continue
		}
		l := listing(p)
		if m.cfg.List != nil {
			m.cfg.List(&l)
		}
		list = append(list, l)
	}
	return list, nil
}

// Balance is what is where, of a wallet.
type Balance struct {
	Wallet   ledger.Address  `json:"wallet"`
	Own      ledger.Amount   `json:"own"`               // in the wallet itself
	Pending  bool            `json:"pending"`           // some of what is shown is in blocks that may fork
	Held     ledger.Amount   `json:"withdrawable"`      // by the contract
	Channels []ClientChannel `json:"channels"`          // of a client
	As       time.Time       `json:"as_of,omitzero"`    // of the newest block
	Problem  string          `json:"problem,omitempty"` // why the chain could not be read: it may be otherwise

	OwnProblem string `json:"own_problem,omitempty"` // why Own, or Tokens, is not known

	Tokens *ledger.Amount `json:"own_tokens,omitempty"` // of the market's token, in the wallet itself; nil: it has none, or it is not known
}

// ClientChannel is a channel of a client.
type ClientChannel struct {
	Channel   ledger.ChannelID `json:"channel"`
	Provider  ledger.Address   `json:"provider"`
	Account   string           `json:"account,omitempty"` // the API key's whose purse it is; "": everybody's
	Epoch     uint32           `json:"epoch"`
	Deposited ledger.Amount    `json:"deposited"`
	Claimed   ledger.Amount    `json:"claimed"`
	Remaining ledger.Amount    `json:"remaining"` // in the contract
	Spent     ledger.Amount    `json:"spent"`     // on rounds, by our figures
	Reserved  ledger.Amount    `json:"reserved"`  // for rounds that run
	Promised  ledger.Amount    `json:"promised"`  // by vouchers
	Disputed  ledger.Amount    `json:"disputed"`
	Free      ledger.Amount    `json:"free"` // for new rounds
	Locked    ledger.Amount    `json:"locked_price"`
	Tokens    string           `json:"remaining_tokens"`
	CloseAt   uint64           `json:"close_at,omitempty"`
	State     string           `json:"state"` // open, closing, refundable, leaving, compare
}

// errNoKey is for a payer that only looks.
var errNoKey = errors.New("the wallet is not open")

// Balance says what is where.
func (m *Market) Balance(ctx context.Context) (Balance, error) {
	b := Balance{Channels: []ClientChannel{}}
	var err error
	if b.Wallet, err = m.self(); err != nil {
		return b, err
	}
	if err := m.books.Reader.Sync(ctx); err != nil {
		b.Problem = err.Error()
	}
	s := m.books.Reader.State()
	if !b.Wallet.IsZero() { // else there are session keys of another's only
		b.Held = s.Pending.Balance(b.Wallet)
		b.Pending = b.Held != s.Balance(b.Wallet)
	}
	if s.Head.Time > 0 {
		b.As = time.Unix(int64(s.Head.Time), 0).UTC()
	}
	if !b.Wallet.IsZero() {
		if b.Own, b.Tokens, err = m.funds(ctx, b.Wallet); err != nil {
			b.OwnProblem = err.Error()
		}
	}
	if !m.cfg.Pays {
		return b, nil
	}
	return b, m.channels(ctx, &b)
}

// funds is what an account has: of the chain's currency, and of the market's token, if
// it is paid in one.
func (m *Market) funds(ctx context.Context, a ledger.Address) (own ledger.Amount, tokens *ledger.Amount, err error) {
	if own, err = m.books.Reader.Funds(ctx, a); err != nil || m.books.Chain.Asset.IsZero() {
		return own, nil, err
	}
	has, _, err := m.books.Reader.Tokens(ctx, a)
	if err != nil {
		return own, nil, err
	}
	return own, &has, nil
}

// channels adds those of a client, whether the chain has them yet or not.
func (m *Market) channels(ctx context.Context, b *Balance) error {
	payer, err := m.payer(func(ledger.Address) (*ledger.Key, error) { return nil, errNoKey })
	if err != nil {
		return err
	}
	all, err := payer.Balances(ctx)
	if err != nil {
		return err
	}
	s, now := m.books.Reader.State(), m.now()
	accounts := m.accounts()
	for _, c := range all {
		ch, known := s.Pending.Channel(c.Channel)
		if !known {
			continue // it was about to be bought
		}
		confirmed, _ := s.Channel(c.Channel)
		b.Pending = b.Pending || confirmed != ch
		account, err := accounts(ctx, c.Key)
		if err != nil {
			return err
		}
		out := ClientChannel{
			Channel: c.Channel, Provider: c.Provider, Account: account, Epoch: ch.Epoch, Deposited: ch.Deposited, Claimed: ch.Claimed,
			Remaining: ch.Remaining(), Spent: c.Spent, Reserved: c.Reserved, Promised: c.Promised, Disputed: c.Disputed, Free: c.Free,
			Locked: ch.Locked, Tokens: tokens(c.Free, ch.Locked), CloseAt: ch.CloseAt, State: "open",
		}
		switch {
		case ch.CloseAt != 0 && ch.CloseAt <= now:
			out.State = "refundable"
		case ch.CloseAt != 0:
			out.State = "closing"
		case ch.Deposited.IsZero():
			out.State = "closed"
		case c.Closing:
			out.State = "leaving"
		case c.MustSync:
			out.State = "compare"
		}
		b.Channels = append(b.Channels, out)
	}
	return nil
}

// Earnings are what a provider has, and has yet to claim.
type Earnings struct {
	Provider   ledger.Address  `json:"provider"`
	Registered bool            `json:"registered"`
	Price      ledger.Amount   `json:"price,omitzero"`
	Payout     ledger.Address  `json:"payout,omitzero"`
	Bond       ledger.Amount   `json:"bond,omitzero"`
	BondUntil  uint64          `json:"bond_until,omitempty"`
	Own        ledger.Amount   `json:"own"`                  // in the wallet itself, for fees
	Tokens     *ledger.Amount  `json:"own_tokens,omitempty"` // of the market's token, in the wallet itself
	Held       ledger.Amount   `json:"withdrawable"`         // by the contract
	Unclaimed  ledger.Amount   `json:"unclaimed"`            // by vouchers that are held
	Claimed    ledger.Amount   `json:"claimed"`              // from channels, in their present epochs
	Owed       ledger.Amount   `json:"owed"`                 // by finished rounds without a voucher
	Channels   []SellerChannel `json:"channels"`
	Problem    string          `json:"problem,omitempty"`
}

// SellerChannel is a channel of a provider.
type SellerChannel struct {
	Channel   ledger.ChannelID `json:"channel"`
	Funder    ledger.Address   `json:"funder"`
	Epoch     uint32           `json:"epoch"`
	Deposited ledger.Amount    `json:"deposited"`
	Claimed   ledger.Amount    `json:"claimed"`
	Promised  ledger.Amount    `json:"promised"` // by the best voucher
	Earned    ledger.Amount    `json:"earned"`   // by finished rounds
	Reserved  ledger.Amount    `json:"reserved"` // by running ones
	CloseAt   uint64           `json:"close_at,omitempty"`
	Closed    bool             `json:"closed,omitempty"`
	Unpaid    bool             `json:"unpaid,omitempty"`
}

// Earnings says what a provider has earned. Without the wallet's key what is in the
// books cannot be told from another provider's.
func (m *Market) Earnings(ctx context.Context, passphrase config.Secret) (Earnings, error) {
	h, err := m.hand(ctx, passphrase)
	if err != nil {
		return Earnings{}, err
	}
	e := Earnings{Provider: h.writer.Address(), Channels: []SellerChannel{}}
	if err := m.books.Reader.Sync(ctx); err != nil {
		e.Problem = err.Error()
	}
	if e.Own, e.Tokens, err = m.funds(ctx, e.Provider); err != nil && e.Problem == "" {
		e.Problem = err.Error()
	}
	view := m.books.Reader.State().Pending
	if p, ok := view.Provider(e.Provider); ok {
		e.Registered, e.Price, e.Payout, e.Bond, e.BondUntil = !p.Exited, p.Price, p.Payout, p.Bond, p.BondUntil
	}
	e.Held = view.Balance(e.Provider)
	payee, err := m.payee(h)
	if err != nil {
		return e, err
	}
	claims, err := payee.Claims(ctx, time.Now())
	if err != nil {
		return e, err
	}
	for _, c := range claims {
		e.Unclaimed = plus(e.Unclaimed, c.Unclaimed)
	}
	accounts, err := payee.Accounts(ctx)
	if err != nil {
		return e, err
	}
	booked := make(map[ledger.ChannelID]channel.Account, len(accounts))
	for _, a := range accounts {
		if c, ok := view.Channel(a.Channel); ok && c.Epoch == a.Epoch {
			booked[a.Channel] = a
			e.Owed = plus(e.Owed, a.Owed)
		}
	}
	for _, c := range view.Channels(func(c ledger.Channel) bool { return c.Provider == e.Provider && !c.Deposited.IsZero() }) {
		a := booked[c.ID]
		e.Claimed = plus(e.Claimed, c.Claimed)
		e.Channels = append(e.Channels, SellerChannel{
			Channel: c.ID, Funder: c.Funder, Epoch: c.Epoch, Deposited: c.Deposited, Claimed: c.Claimed, Promised: a.Promised,
			Earned: a.Finished, Reserved: a.Reserved, CloseAt: c.CloseAt, Closed: a.Closed, Unpaid: a.Unpaid,
		})
	}
	return e, nil
}

// plus is a sum for people: one beyond all money there is stays there.
func plus(a, b ledger.Amount) ledger.Amount {
	sum, err := a.Add(b)
	if err != nil {
		return ledger.MaxAmount
	}
	return sum
}

// Rounds are the last rounds of a client, the newest first.
func (m *Market) Rounds(ctx context.Context, limit int) ([]channel.RoundInfo, error) {
	payer, err := m.payer(func(ledger.Address) (*ledger.Key, error) { return nil, errNoKey })
	if err != nil {
		return nil, err
	}
	return payer.Rounds(ctx, min(limit, maxRounds))
}

// Open opens a round of a client: with it, somebody else sees what was promised for
// it, and what the provider said of it.
func (m *Market) Open(ctx context.Context, id ledger.RoundID, passphrase config.Secret) (Opened, error) {
	h, err := m.hand(ctx, passphrase)
	if err != nil {
		return Opened{}, err
	}
	o, err := h.payer.Show(ctx, id)
	if errors.Is(err, channel.ErrNoRound) {
		return Opened{}, app.Usage(fmt.Errorf("%s: %w; see those that there are with: bridge rounds", id, err))
	}
	if err != nil {
		return Opened{}, err
	}
	c, ok := m.books.Reader.Channel(o.Info.Channel)
	if !ok { // no program runs here, and the chain was not read yet
		if err := m.books.Reader.Sync(ctx); err != nil {
			return Opened{}, refused(err)
		}
		c, ok = m.books.Reader.Channel(o.Info.Channel)
	}
	if !ok {
		return Opened{}, fmt.Errorf("channel %s is not known at present", o.Info.Channel)
	}
	return opened(o, m.books.Chain.Domain(), c.Key), nil
}
