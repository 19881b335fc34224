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

// promise lets the client promise an amount, and gives the provider the voucher.
func (w *town) promise(amount ledger.Amount) {
	w.Helper()
	var v ledger.Signed[ledger.Voucher]
	w.with("bridge", w.buyer, func(b *books.Books) {
		key, err := purse.NewBook(purse.Config{Store: b.Store, Wallet: b.Wallet, Domain: b.Chain.Domain()}).Open(w.Context(), w.provider, "")
		if err != nil {
			w.Fatal(err)
		}
		id := ledger.ChannelOf(w.provider, key.Address(), w.payer)
		v = ledger.Sign(ledger.Voucher{Channel: id, Cumulative: amount}, b.Chain.Domain(), key)
	})
	w.with("gateway", w.seller, func(b *books.Books) {
		payee, err := channel.NewPayee(channel.PayeeConfig{
			Store: b.Store, Chain: b.Reader, Domain: b.Chain.Domain(), Key: b.Wallet.Key(), Owner: "test", DisputeTime: 24 * time.Hour,
			Sheet: func(ledger.Hash) (*ledger.Sheet, bool) { return nil, false },
		})
		if err == nil {
			_, err = payee.Voucher(w.Context(), time.Now(), v)
		}
		if err != nil {
			w.Fatal(err)
		}
	})
}

// What a client has promised is claimed, once, and withdrawn; what is worth less than
// its gas is left. What is left of the deposit comes back to the client.
func TestClaimAndWithdraw(t *testing.T) {
	w := newTown(t)
	w.must("gateway", "price", "set", "--input", "1 gwei", "--output", "2 gwei")
	payout := w.chain.Ready().Accounts[5].Address
	w.must("gateway", "register", "--payout", payout.String(), "--yes")
	w.must("bridge", "buy", w.provider.String(), "1 eth", "--yes")
	w.promise(ledger.Wei(1000))
	if text := w.refused(app.ExitRefused, "gateway", "claim", "--yes"); !strings.Contains(text, "1000 wei from 1 channel are due") {
		t.Errorf("a claim that costs more than it brings: %s", text)
	}
	w.promise(eth(t, "0.4 eth"))
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
