package bridge

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/culvert-net/culvert/api/tunnel"
	"github.com/culvert-net/culvert/circuit"
	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/books"
	"github.com/culvert-net/culvert/internal/app/evmrpc"
	"github.com/culvert-net/culvert/internal/app/market"
	"github.com/culvert-net/culvert/internal/app/node"
	"github.com/culvert-net/culvert/internal/app/onchain"
	"github.com/culvert-net/culvert/internal/app/paying"
	"github.com/culvert-net/culvert/internal/app/paying/purse"
	"github.com/culvert-net/culvert/internal/app/pricing"
	"github.com/culvert-net/culvert/internal/app/terms"
	"github.com/culvert-net/culvert/internal/app/wallet"
	v3 "github.com/culvert-net/culvert/internal/app/wallet/v3"
	"github.com/culvert-net/culvert/internal/config"
	"github.com/culvert-net/culvert/ledger"
	"github.com/culvert-net/culvert/ledger/channel"
	"github.com/culvert-net/culvert/mesh/directory"
	"github.com/culvert-net/culvert/mesh/world"
)

// PayConfig is [pay].
type PayConfig struct {
	Window    string   `toml:"window" doc:"The most that you risk with one provider: what it may hold that is not worked for yet.\nSo many standard tokens at its price, \"1000000 tokens\", or an amount, \"0.01 eth\"."`
	TopUp     string   `toml:"auto_topup" doc:"An amount, such as \"0.01 eth\", that is added to a channel when less than half of it is left;\nempty: nothing is bought without you."`
	TopUpDay  string   `toml:"auto_topup_daily" doc:"The most that is so added within 24 hours, to all channels together."`
	MaxPrice  []string `toml:"max_price" flag:"pay-max-price" doc:"The most that you pay for a million tokens, such as \"2 gwei\"; for one model alone, as\n\"llama3.3:70b = 1 gwei\". Providers that ask for more are not chosen. None: whatever you bought for."`
	MaxOutput int      `toml:"max_output" doc:"Tokens of an answer that money is set aside for where the request does not say (max_tokens)."`
}

// payDefaults are of a bridge that was told nothing. A million tokens at a provider's
// own price are some sixty answers of the longest kind at a time, and about the least
// that people buy: whatever the currency, nobody loses more by it than he tried the
// provider out with.
func payDefaults() PayConfig {
	return PayConfig{Window: "1000000 tokens", MaxOutput: terms.DefaultOutput}
}

// Validate implements the check of config.Load.
func (c *PayConfig) Validate() error {
	if _, _, err := c.window(); err != nil {
		return config.At("window", err)
	}
	if _, _, err := c.topUps(); err != nil {
		return err
	}
	if _, err := c.maxPrices(); err != nil {
		return err
	}
	if c.MaxOutput < 1 {
		return config.At("max_output", fmt.Errorf("%d is too little; an answer has at least one token", c.MaxOutput))
	}
	return nil
}

// topUps are auto_topup and its limit; zeros: nothing is bought.
func (c *PayConfig) topUps() (amount, daily ledger.Amount, err error) {
	if c.TopUp == "" && c.TopUpDay == "" {
		return amount, daily, nil
	}
	if amount, err = ledger.ParseAmount(c.TopUp); err != nil {
		return amount, daily, config.At("auto_topup", err)
	}
	if daily, err = ledger.ParseAmount(c.TopUpDay); err != nil {
		return amount, daily, config.At("auto_topup_daily", fmt.Errorf("%w; without a limit nothing is bought by itself", err))
	}
	if amount.IsZero() || daily.Less(amount) {
		return amount, daily, config.At("auto_topup_daily", fmt.Errorf("%q is less than one top-up of %q, so that none would ever be made", c.TopUpDay, c.TopUp))
	}
	return amount, daily, nil
}

// window is an amount, or a number of tokens.
func (c *PayConfig) window() (amount ledger.Amount, tokens uint64, err error) {
	at, err := onchain.ParseClaimAt(c.Window)
	if err != nil || at.Gas > 0 {
		return amount, 0, fmt.Errorf("%q: write it as 1000000 tokens, or 0.01 eth", c.Window)
	}
	return at.Money, at.Tokens, nil
}

// money is what a bridge has that can pay.
type money struct {
	known  *directory.View
	prices *pricing.Book
	most   maxPrices

	// nil where the wallet is not open.
	purses   *purse.Book
	channels *channel.Payer
	payer    *paying.Payer

	books    *books.Books
	market   *market.Market
	circuits *circuit.Client
}

// openMoney opens what a bridge needs to pay, if it has a chain. Without a wallet that
// opens, it uses what is free.
func openMoney(ctx context.Context, b *bridge, w *world.World, chain *onchain.Settings, known *directory.View, circuits *circuit.Client) (_ *money, err error) {
	if chain == nil {
		return nil, nil
	}
	m, cost := &money{known: known, circuits: circuits}, v3.Standard()
	if w.Sandbox {
		cost = v3.Light()
	}
	from := b.passphrases
	if from == nil {
		from = &wallet.Passphrases{Env: func(string) string { return "" }} // nobody is asked
	}
	own := wallet.Config{Data: b.data.Path(""), Sessions: true, Cost: cost, From: from, New: program + " wallet new"}
	m.books, err = books.Open(ctx, books.Config{
		Data: b.data, Settings: chain, Log: b.log, Wallet: own,
		Road: &evmrpc.RoadConfig{Opener: evmrpc.Over{Circuits: circuits}, Known: known, Paid: m.buysFrom, Log: b.log},
	})
	if err != nil {
		return nil, err
	}
	m.market = market.New(market.Config{Books: m.books, Wallet: own, Pays: true, Serves: program, List: m.list, Release: m.release, Log: b.log})
	defer func() {
		if err != nil {
			err = errors.Join(err, m.books.Close())
		}
	}()
	if m.most, err = b.cfg.Pay.maxPrices(); err != nil {
		return nil, err
	}
	m.prices = pricing.NewBook(pricing.Config{Domain: chain.Domain, Asset: m.books.Chain.Asset, Chain: providers{m}})
	if m.books.Wallet == nil {
		b.log.Warn("the wallet is not open: only providers that are free are used", "err", m.books.Locked)
		return m, nil
	}
	return m, m.open(ctx, b, chain.Domain)
}

// buysFrom reports whether a provider has money of this bridge.
func (m *money) buysFrom(provider ledger.Address) bool {
	return m.payer != nil && m.payer.Buys(provider)
}

// open makes the payer.
func (m *money) open(ctx context.Context, b *bridge, domain ledger.Domain) error {
	window, tokens, err := b.cfg.Pay.window()
	if err != nil {
		return err
	}
	amount, daily, err := b.cfg.Pay.topUps()
	if err != nil {
		return err
	}
	m.purses = purse.NewBook(purse.Config{Store: m.books.Store, Wallet: m.books.Wallet, Domain: domain})
	m.channels, err = channel.NewPayer(channel.PayerConfig{
		Store: m.books.Store, Chain: m.books.Reader, Domain: domain, Key: m.purses.Key, Owner: program, Window: window, WindowTokens: tokens,
	})
	if err != nil {
		return err
	}
	for _, s := range m.purses.Brought() {
		if err := m.channels.Keep(ctx, s.Provider, s.Key.Address(), s.Funder); err != nil {
			return err
		}
	}
	if err := m.begin(ctx, b); err != nil {
		return err
	}
	m.payer, err = paying.New(ctx, paying.Config{
		Payer: m.channels, Purses: m.purses, Offer: m.offer, Beside: node.Beside, MaxOutput: uint64(b.cfg.Pay.MaxOutput), Buy: buyLine,
		Money: m.books.Chain.Money, Log: b.log,
		TopUp: paying.TopUp{Amount: amount, Daily: daily, Do: m.topUp, Store: m.books.Store},
	})
	return err
}

// begin deals with what the last run left, and with a copy that was put back.
func (m *money) begin(ctx context.Context, b *bridge) error {
	restored := m.books.Store.Restored()
	if restored {
		b.log.Warn("the ledger is an older copy of itself: each channel is compared with its provider's books before it is used")
		if err := m.purses.Restored(ctx); err != nil {
			return err
		}
	}
	if err := m.channels.Start(ctx, time.Now()); err != nil {
		return err
	}
	if restored {
		return m.books.Store.Settle(ctx)
	}
	return nil
}

// topUp adds to a channel, as the command would.
func (m *money) topUp(ctx context.Context, id ledger.ChannelID, amount ledger.Amount) error {
	o := market.Order{Do: market.TopUp, Channel: id, Amount: amount}
	q, err := m.market.Quote(ctx, o, config.Secret{})
	if err != nil {
		return err
	}
	if _, err := m.market.Do(ctx, q, config.Secret{}, func(market.Progress) {}); err != nil {
		return err
	}
	return m.market.Seen(ctx, o)
}

// release asks a provider for its consent to close a channel, over a circuit that no
// request has.
func (m *money) release(ctx context.Context, ask channel.ReleaseAsk, tell func(string)) (r ledger.Signed[ledger.Release], err error) {
	c, ok := m.books.Reader.Channel(ask.Channel)
	if !ok {
		return r, errors.New("the contract does not have the channel yet")
	}
	snap, now := m.known.Snapshot(), time.Now()
	for _, model := range snap.Models() {
		for _, n := range snap.Providers(model.ID) {
			if o, err := m.prices.Offer(snap, n, now); err == nil && o.Provider == c.Provider {
				return paying.Release(ctx, func(ctx context.Context) (tunnel.Conn, error) { return m.line(ctx, n.Key) }, ask, tell)
			}
		}
	}
	return r, errors.New("none of its nodes is in the directory")
}

// line is a pay stream to a node, on a circuit of its own.
func (m *money) line(ctx context.Context, key [32]byte) (tunnel.Conn, error) {
	var group circuit.Group
	_, _ = rand.Read(group[:]) // never fails
	s, err := m.circuits.DialKind(ctx, key, group, circuit.StreamPay)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// buyTokens is for how much a person is told to buy: as much as is risked with one
// provider at most (payDefaults). What it costs is shown before it is paid.
const buyTokens = 1_000_000

// buyLine is what a person types to buy from a provider.
func buyLine(provider ledger.Address, account string) string {
	line := fmt.Sprintf("%s buy %s --tokens %d", program, provider, buyTokens)
	if account != "" {
		line += " --for " + account
	}
	return line
}

// providers is what the contract says of them, of the block that is believed.
type providers struct{ *money }

// Provider implements pricing.Chain.
func (m providers) Provider(a ledger.Address) (ledger.Provider, bool) {
	return m.books.Reader.State().Provider(a)
}

// offer implements paying.Config.Offer.
func (m *money) offer(to tunnel.Target, now time.Time) (*paying.Offer, error) {
	snap := m.known.Snapshot()
	n, ok := snap.Node(to.Key)
	if !ok || !n.Priced() {
		return nil, nil // one that has just left refuses by itself
	}
	o, err := m.prices.Offer(snap, n, now)
	if err != nil {
		return nil, err
	}
	if asked, err := o.Model(to.Model); err == nil {
		if err := m.most.check(asked); err != nil {
			return nil, err
		}
	}
	out := &paying.Offer{Provider: o.Provider, Sheet: &o.Sheet}
	for _, model := range n.Models {
		if model.ID == to.Model {
			out.Context = int(model.Context)
		}
	}
	return out, nil
}

// pays reports whether a node that asks to be paid for a model can be.
func (m *money) pays(n directory.Node, model string) bool {
	if m == nil || m.payer == nil {
		return false
	}
	o, err := m.prices.Offer(m.known.Snapshot(), n, time.Now())
	if err != nil {
		return false
	}
	asked, err := o.Model(model)
	return err == nil && m.most.check(asked) == nil && m.payer.CanPay(o.Provider)
}

// whyNot says what helps where nobody is left who is free or can be paid.
func (m *money) whyNot(model string) error {
	switch {
	case m == nil:
		return errors.New("this bridge pays nobody, since it has no chain ([chain] in config.toml)")
	case m.payer == nil:
		return errors.New("this bridge pays nobody, since its wallet is not open: " + m.books.Locked.Error())
	}
	if err := m.unread(); err != nil {
		return paying.Unread(err)
	}
	if why := m.tooDear(model); why != "" {
		return errors.New(why)
	}
	if len(m.payer.Left()) > 0 {
		return fmt.Errorf("who counted what could not be is not paid any more (%s status lists them), and nothing is left with any other; buy with: %s buy PROVIDER AMOUNT", program, program)
	}
	return fmt.Errorf("nothing is left with any of them; buy with: %s buy --model MODEL --tokens %d", program, buyTokens)
}

// unread says that the chain was not read since the program started, and why if that
// is known. Until it is, nobody knows what there is to pay with.
func (m *money) unread() error {
	if m == nil || m.payer == nil || !m.books.Reader.Fresh().IsZero() {
		return nil
	}
	if err := m.books.Reader.Status().Err; err != nil {
		return fmt.Errorf("the chain has not been read yet: %w", err)
	}
	return errors.New("the chain has not been read yet")
}

// tunnelPayer is nobody where nothing is paid.
func (m *money) tunnelPayer() tunnel.Payer {
	if m == nil || m.payer == nil {
		return nil
	}
	return m.payer
}

// parts run beside the tunnel, and end after it.
func (m *money) parts() []app.Part {
	if m == nil {
		return nil
	}
	parts := append(m.books.Parts(), app.Part{Name: "orders", Run: m.market.Run})
	if m.payer != nil {
		parts = append(parts, app.Part{Name: "payments", Run: m.payer.Run})
	}
	return parts
}

// list adds what the directory knows of a provider: its nodes that are there now, and
// the prices of their models.
func (m *money) list(l *market.Listing) {
	snap, now := m.known.Snapshot(), time.Now()
	priced := make(map[string]market.ListedModel)
	for _, text := range l.Nodes {
		key, err := hex.DecodeString(text)
		if err != nil || len(key) != 32 {
			continue
		}
		n, ok := snap.Node([32]byte(key))
		if !ok || !m.prices.Says(n, l.Provider) {
			continue // else a stranger's entry could be listed under its name
		}
		if n.Name != "" {
			l.Names = append(l.Names, n.Name)
		}
		o, err := m.prices.Offer(snap, n, now)
		for _, model := range n.Models {
			listed := market.ListedModel{Model: model.ID}
			if err == nil && o.Provider == l.Provider {
				if p, err := o.Model(model.ID); err == nil {
					listed.Priced, listed.Input, listed.Output, listed.Minimum = true, p.Input, p.Output, p.Minimum
				}
			}
			if before, there := priced[model.ID]; !there || listed.Priced && (!before.Priced || listed.Output.Less(before.Output)) {
				priced[model.ID] = listed
			}
		}
	}
	if len(priced) == 0 {
		return // none is there: what it registered is all that is known
	}
	l.Models = nil
	for _, id := range slices.Sorted(maps.Keys(priced)) {
		l.Models = append(l.Models, priced[id])
	}
}

// admin adds the commands for money to what the admin socket serves.
func (m *money) admin(rest http.Handler) http.Handler {
	if m == nil {
		return market.Admin(nil, app.Usage(errNoChain), rest)
	}
	return market.Admin(m.market, nil, rest)
}

// close closes the books.
func (m *money) close() error {
	if m == nil {
		return nil
	}
	return m.books.Close()
}
