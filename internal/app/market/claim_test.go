package market_test

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/books"
	"github.com/culvert-net/culvert/internal/app/market"
	"github.com/culvert-net/culvert/internal/app/onchain"
	"github.com/culvert-net/culvert/internal/app/paying/purse"
	"github.com/culvert-net/culvert/internal/app/wallet"
	v3 "github.com/culvert-net/culvert/internal/app/wallet/v3"
	"github.com/culvert-net/culvert/internal/config"
	"github.com/culvert-net/culvert/ledger"
	"github.com/culvert-net/culvert/ledger/channel"
)

// with opens the books of a data directory, as a program does.
func (w *town) with(program, dir string, f func(b *books.Books)) {
	w.Helper()
	data, err := app.OpenData(dir, program)
	if err != nil {
		w.Fatal(err)
	}
	defer data.Close()
	r := w.chain.Ready()
	b, err := books.Open(w.Context(), books.Config{
		Data: data, Log: slog.New(slog.DiscardHandler),
		Settings: &onchain.Settings{
			Preset: "dev", Domain: ledger.Domain{ChainID: r.ChainID, Contract: w.market.Address}, CodeHash: w.market.CodeHash, URL: r.RPC, DeployBlock: w.market.Block, Via: onchain.ViaOwn,
		},
		Wallet: wallet.Config{Data: dir, Sessions: program == "bridge", Cost: v3.Light(), From: wallet.Given(config.NewSecret(passphrase)), New: program + " wallet new"},
	})
	if err != nil {
		w.Fatal(err)
	}
	if b.Locked != nil {
		w.Fatal(b.Locked)
	}
	if err := b.Reader.Sync(w.Context()); err != nil {
		w.Fatal(err)
	}
	f(b)
	if err := b.Close(); err != nil {
		w.Fatal(err)
	}
}

// earn has one request answered that costs what is missing to an amount, and gives the
// provider the voucher that confirms it.
func (w *town) earn(amount ledger.Amount) {
	w.Helper()
	const model, tokens = "m", 1
	var key *ledger.Key
	var d ledger.Domain
	w.with("bridge", w.buyer, func(b *books.Books) {
		var err error
		if key, err = purse.NewBook(purse.Config{Store: b.Store, Wallet: b.Wallet, Domain: b.Chain.Domain()}).Open(w.Context(), w.provider, ""); err != nil {
			w.Fatal(err)
		}
		d = b.Chain.Domain()
	})
	must := func(err error) {
		w.Helper()
		if err != nil {
			w.Fatal(err)
		}
	}
	w.with("gateway", w.seller, func(b *books.Books) {
		now := time.Now()
		id := ledger.ChannelOf(w.provider, key.Address(), w.payer)
		held, _ := b.Reader.Channel(id)
		cost, err := amount.Sub(w.earned)
		must(err)
		sheet := ledger.Sheet{
			Sequence: 1, UnitPrice: held.Locked, ValidFrom: uint64(now.Unix()) - 60, ValidUntil: uint64(now.Unix()) + 3600,
			Models: []ledger.ModelPrice{{Model: model, Minimum: cost}},
		}
		payee, err := channel.NewPayee(channel.PayeeConfig{
			Store: b.Store, Chain: b.Reader, Domain: d, Key: b.Wallet.Key(), Owner: "test", DisputeTime: 24 * time.Hour,
			Sheet: func(ledger.Hash) (*ledger.Sheet, bool) { return &sheet, true },
		})
		must(err)
		w.rounds++
		promised := ledger.Sign(ledger.Voucher{Channel: id, Cumulative: amount}, d, key)
		r, err := payee.Admit(w.Context(), now, channel.Header{Voucher: &promised, Request: ledger.Sign(ledger.Request{
			Channel: id, RoundID: ledger.RoundID{byte(w.rounds)}, Seq: w.rounds, MaxCost: cost, TTL: 60,
		}, d, key)}, channel.Terms{Model: model, Output: tokens, OutputCap: tokens})
		must(err)
		_, err = r.Round.Finish(w.Context(), now, ledger.Usage{Output: tokens}, ledger.Hash{}, ledger.StatusDone)
		must(err)
		_, err = payee.Voucher(w.Context(), now, promised)
		must(err)
		w.earned = amount
	})
}

// What a client has promised is claimed, once, and withdrawn; what is worth less than
// its gas is left. What is left of the deposit comes back to the client.
func TestClaimAndWithdraw(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.must("gateway", "price", "set", "--input", "1 gwei", "--output", "2 gwei")
	payout := w.chain.Ready().Accounts[5].Address
	w.must("gateway", "register", "--payout", payout.String(), "--yes")
	w.must("bridge", "buy", w.provider.String(), "1 eth", "--yes")
	w.earn(ledger.Wei(1000))
	if text := w.refused(app.ExitRefused, "gateway", "claim", "--yes"); !strings.Contains(text, "1000 wei from 1 channel are due") {
		t.Errorf("a claim that costs more than it brings: %s", text)
	}
	w.earn(eth(t, "0.4 eth"))
	if e := ask[market.Earnings](w, "gateway", "earnings"); e.Unclaimed != eth(t, "0.4 eth") || len(e.Channels) != 1 || e.Channels[0].Promised != eth(t, "0.4 eth") {
		t.Errorf("before the claim: %+v", e)
	}
	done := ask[market.Done](w, "gateway", "claim", "--yes")
	if done.Amount != eth(t, "0.4 eth") || done.Transaction.IsZero() || done.Fee.IsZero() {
		t.Errorf("claimed %+v", done)
	}
	if text := w.refused(app.ExitUsage, "gateway", "claim", "--yes"); !strings.Contains(text, "nothing to claim") {
		t.Errorf("a second claim: %s", text)
	}
	if e := ask[market.Earnings](w, "gateway", "earnings"); e.Held != eth(t, "0.4 eth") || !e.Unclaimed.IsZero() || e.Claimed != eth(t, "0.4 eth") {
		t.Errorf("after the claim: %+v", e)
	}
	if done := ask[market.Done](w, "gateway", "withdraw", "--yes"); done.Amount != eth(t, "0.4 eth") || !strings.Contains(done.Text, "0.4 eth") {
		t.Errorf("withdrew %+v", done)
	}
	if b := ask[market.Balance](w, "bridge", "balance"); len(b.Channels) != 1 || b.Channels[0].Remaining != eth(t, "0.6 eth") {
		t.Errorf("the client has %+v", b)
	}
	w.must("bridge", "close", w.provider.String(), "--yes")
	if err := w.chain.Advance(25 * time.Hour); err != nil {
		t.Fatal(err)
	}
	w.must("bridge", "refund", "--yes")
	if done := ask[market.Done](w, "bridge", "withdraw", "--yes"); done.Amount != eth(t, "0.6 eth") {
		t.Errorf("came back: %+v", done)
	}
}
