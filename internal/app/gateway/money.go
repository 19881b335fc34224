package gateway

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/culvert-net/culvert/api/openai"
	"github.com/culvert-net/culvert/api/tunnel"
	"github.com/culvert-net/culvert/circuit"
	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/billing"
	"github.com/culvert-net/culvert/internal/app/books"
	"github.com/culvert-net/culvert/internal/app/market"
	"github.com/culvert-net/culvert/internal/app/node"
	"github.com/culvert-net/culvert/internal/app/onchain"
	"github.com/culvert-net/culvert/internal/app/wallet"
	v3 "github.com/culvert-net/culvert/internal/app/wallet/v3"
	"github.com/culvert-net/culvert/internal/config"
	"github.com/culvert-net/culvert/ledger"
	"github.com/culvert-net/culvert/ledger/chain"
	"github.com/culvert-net/culvert/ledger/channel"
	"github.com/culvert-net/culvert/ledger/claim"
)

// LedgerConfig is [ledger].
type LedgerConfig struct {
	books.StoreConfig
	Allowance    string `toml:"allowance" doc:"What one payer may owe for answers it has, in money, once it has paid twice as much: the most\nthat it can keep from you. 0: everybody pays ahead."`
	NewAllowance string `toml:"new_allowance" doc:"What all payers together may owe who first paid less than a day ago."`
}

// disputeTime is the contract's, between the wish to close a channel and the
// refund.
const disputeTime = 24 * time.Hour

// allowances are the two amounts.
func (c *LedgerConfig) allowances() (one, young ledger.Amount, err error) {
	if one, err = ledger.ParseAmount(c.Allowance); err != nil {
		return one, young, config.At("ledger.allowance", err)
	}
	if young, err = ledger.ParseAmount(c.NewAllowance); err != nil {
		return one, young, config.At("ledger.new_allowance", err)
	}
	return one, young, nil
}

// claimRule is chain.claim_at.
func claimRule(text string) (claim.Rule, error) {
	at, err := onchain.ParseClaimAt(text)
	if err != nil {
		return claim.Rule{}, config.At("chain.claim_at", err)
	}
	return claim.Rule{Multiple: at.Gas, Money: at.Money, Tokens: at.Tokens}, nil
}

// money is what a provider that is paid has besides.
type money struct {
	books  *books.Books
	wallet wallet.Config
	payee  *channel.Payee
	till   *billing.Till
	ready  atomic.Bool // the rounds of the last run are dealt with
	g      *gateway

	writer  *chain.Writer
	claimer *claim.Claimer
	market  *market.Market
}

var _ tunnel.Biller = (*money)(nil)

// openMoney opens what a provider needs to be paid, if it has a chain. Without a
// wallet that opens it goes on as one that is free.
func (g *gateway) openMoney(ctx context.Context, o Options, home *node.Home) error {
	if g.chain == nil || g.models == nil {
		return nil
	}
	m, cost := &money{g: g}, v3.Standard()
	if g.world.Sandbox {
		cost = v3.Light()
	}
	from := o.Passphrases
	if from == nil {
		from = &wallet.Passphrases{Env: func(string) string { return "" }}
	}
	var err error
	own := wallet.Config{Data: o.Data, Cost: cost, From: from, New: program + " wallet new"}
	m.books, err = books.Open(ctx, books.Config{Data: home.Data, Settings: g.chain, Store: g.cfg.Ledger.StoreConfig, Log: g.log, Wallet: own})
	if err != nil {
		return err
	}
	g.money, m.wallet = m, own
	m.market = market.New(market.Config{
		Books: m.books, Wallet: own, Serves: program, Log: g.log,
		Offer: func() (market.Offer, error) { return g.offer(o, home) },
	})
	if m.books.Wallet == nil || m.books.Wallet.Key() == nil {
		return nil // status and log say so
	}
	return m.open()
}

// open makes the till. The seller is there when the first request comes.
func (m *money) open() error {
	one, young, err := m.g.cfg.Ledger.allowances()
	if err != nil {
		return err
	}
	m.payee, err = channel.NewPayee(channel.PayeeConfig{
		Store: m.books.Store, Chain: m.books.Reader, Domain: m.g.chain.Domain, Key: m.books.Wallet.Key(),
		Owner: fmt.Sprintf("%x", m.g.host.Key()), Sheet: m.sheet, AllowanceCap: one, YoungCap: young, DisputeTime: disputeTime,
	})
	if err != nil {
		return err
	}
	if m.writer, err = chain.NewWriter(m.books.Chain, m.books.Wallet.Key()); err != nil {
		return app.Refused(err)
	}
	rule, err := claimRule(m.g.cfg.Chain.ClaimAt)
	if err != nil {
		return err
	}
	m.claimer, err = claim.New(claim.Config{
		Rule: rule, Store: m.books.Store, Vouchers: m, Chain: chain.Claims{Writer: m.writer, Reader: m.books.Reader}, Log: m.g.log,
	})
	if err != nil {
		return err
	}
	m.till = billing.Open(billing.Config{
		Payee: m.payee, Context: m.g.context, Asks: func() bool { return m.g.seller.Asks() }, Look: m.books.Reader.Sync, Log: m.g.log,
	})
	return nil
}

// look reads the chain once, within limit, so that the first words about this node
// have its price. Whatever keeps it from that, the chain is read on later.
func (m *money) look(ctx context.Context, limit time.Duration) {
	if m == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	if err := m.books.Reader.Sync(ctx); err != nil {
		m.g.log.Warn("the chain is not read yet", "err", err)
	}
}

// selling is who is paid; nil: nobody.
func (m *money) selling() *Selling {
	if m == nil || m.till == nil {
		return nil
	}
	key := m.books.Wallet.Key()
	return &Selling{Key: key, Asset: m.books.Chain.Asset, Unit: func() (ledger.Amount, bool) {
		p, ok := m.books.Reader.State().Provider(key.Address())
		return p.Price, ok && !p.Exited
	}}
}

// self is who this node would be in the market; false: it has no wallet.
func (m *money) self() (ledger.Address, bool) {
	info, err := wallet.Look(m.wallet)
	if err != nil {
		return ledger.Address{}, false
	}
	return info.Address, !info.Address.IsZero()
}

// sells reports whether this provider is in the market, or may be.
func (m *money) sells() bool {
	if m.books.Reader.Fresh().IsZero() {
		return true
	}
	p, ok := m.books.Reader.State().Pending.Provider(m.books.Wallet.Key().Address())
	return ok && !p.Exited
}

// sheet is a sheet of this provider that a round names.
func (m *money) sheet(digest ledger.Hash) (*ledger.Sheet, bool) {
	s, ok := m.g.seller.Accept(digest, time.Now())
	return &s, ok
}

// parts run beside the tunnel.
func (m *money) parts() []app.Part {
	if m == nil {
		return nil
	}
	parts := m.books.Parts()
	if m.till == nil {
		return parts
	}
	return append(parts,
		app.Part{Name: "ledger", Run: m.run},
		app.Part{Name: "transactions", Run: m.writer.Run},
		app.Part{Name: "claims", Run: m.claimer.Run},
		app.Part{Name: "payments", Run: func(ctx context.Context) error {
			return m.till.Serve(ctx, node.Acceptor{Listener: m.g.relay.Listener(circuit.StreamPay)})
		}})
}

// run deals with what the last run left, and then keeps the books tidy. Of a store
// that was put back it has to know first which channels there are.
func (m *money) run(ctx context.Context) error {
	for wait := time.Second; ; wait = min(2*wait, time.Minute) {
		err := m.begin(ctx)
		if err == nil {
			break
		}
		if ctx.Err() != nil {
			return nil
		}
		m.g.log.Error("the ledger is not ready: what is to be paid for is refused until it is", "err", err)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
	}
	m.ready.Store(true)
	return m.till.Run(ctx)
}

func (m *money) begin(ctx context.Context) error {
	restored := m.books.Store.Restored()
	var existing []ledger.Channel
	if restored {
		m.g.log.Warn("the ledger is an older copy of itself: channels it knew are closed for their epoch, and what they owe is claimed")
		if err := m.books.Reader.Sync(ctx); err != nil {
			return err
		}
		self := m.books.Wallet.Key().Address()
		existing = m.books.Reader.State().Channels(func(c ledger.Channel) bool { return c.Provider == self })
	}
	if err := m.payee.Start(ctx, time.Now(), existing); err != nil {
		return err
	}
	if restored {
		return m.books.Store.Settle(ctx)
	}
	return nil
}

// Due implements claim.Vouchers.
func (m *money) Due(ctx context.Context, now time.Time) ([]claim.Due, error) {
	claims, err := m.payee.Claims(ctx, now)
	if err != nil {
		return nil, err
	}
	out := make([]claim.Due, 0, len(claims))
	for _, c := range claims {
		held, _ := m.books.Reader.Channel(c.Channel)
		out = append(out, claim.Due{Voucher: c.Voucher, Claimed: c.Claimed, Unclaimed: c.Unclaimed, Locked: held.Locked, CloseAt: c.CloseAt})
	}
	return out, nil
}

// errNotReady is told while the ledger is not.
var errNotReady = errors.New("the ledger is not ready yet")

// Admit implements tunnel.Biller.
func (m *money) Admit(ctx context.Context, a tunnel.Admission) (tunnel.Bill, *openai.Error) {
	if !m.ready.Load() && (a.Header != "" || m.g.seller.Asks()) {
		e := openai.Unavailable("ledger_unavailable", "the provider is just starting; ask another", time.Second)
		e.Cause = errNotReady
		return nil, e
	}
	return m.till.Admit(ctx, a)
}

// context is how many tokens prompt and answer of a model have at most; 0: unknown.
func (g *gateway) context(model string) int {
	models, _ := g.models.offered()
	for _, m := range models {
		if m.ID == model {
			return int(m.Context)
		}
	}
	return 0
}

// MoneyStatus is what a provider knows of its money. Who paid is not shown.
type MoneyStatus struct {
	Wallet ledger.Address `json:"wallet,omitzero"`
	Locked string         `json:"locked,omitempty"` // why there is none
	Block  uint64         `json:"block"`            // up to which the chain was read
	Read   time.Time      `json:"read,omitzero"`    // when
	Chain  string         `json:"problem,omitempty"`
	Rounds billing.Counts `json:"rounds"`
}

func (m *money) status() *MoneyStatus {
	if m == nil {
		return nil
	}
	chain := m.books.Reader.Status()
	s := &MoneyStatus{Block: chain.Confirmed, Read: m.books.Reader.Fresh()}
	if chain.Err != nil {
		s.Chain = chain.Err.Error()
	}
	if m.till == nil {
		s.Locked = "the wallet is not open: " + m.books.Locked.Error()
		return s
	}
	s.Wallet, s.Rounds = m.books.Wallet.Key().Address(), m.till.Counts()
	return s
}

// rows prints the status for a person.
func (s *MoneyStatus) rows(row func(name, format string, args ...any)) {
	if s == nil {
		return
	}
	switch {
	case s.Locked != "":
		row("Wallet", "%s", s.Locked)
	default:
		row("Wallet", "%s", s.Wallet)
		r := s.Rounds
		row("Rounds", "%d admitted, %d answered, %d cut, %d without an answer; %d requests refused", r.Admitted, r.Finished, r.Partial+r.Unpaid, r.Aborted, r.Refused)
	}
	switch {
	case s.Chain != "":
		row("Chain read", "NOT NOW: %s", s.Chain)
	default:
		row("Chain read", "up to block %d", s.Block)
	}
}

// biller is nobody where nothing is paid.
func (m *money) biller() tunnel.Biller {
	if m == nil || m.till == nil {
		return nil
	}
	return m
}

// close closes the books.
func (m *money) close() error {
	if m == nil {
		return nil
	}
	return m.books.Close()
}
