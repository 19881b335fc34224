package market_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/culvert-net/culvert/internal/app/books"
	"github.com/culvert-net/culvert/internal/app/doctor"
	"github.com/culvert-net/culvert/internal/app/market"
	"github.com/culvert-net/culvert/internal/app/onchain"
	"github.com/culvert-net/culvert/internal/app/wallet"
	v3 "github.com/culvert-net/culvert/internal/app/wallet/v3"
	"github.com/culvert-net/culvert/internal/config"
	"github.com/culvert-net/culvert/ledger"
)

// expect looks for a finding by its check, its level and a word of it or of what to
// do.
func (w *town) expect(found []doctor.Finding, check string, level doctor.Level, word string) {
	w.Helper()
	is := func(f doctor.Finding) bool {
		return f.Check == check && f.Level == level && strings.Contains(f.Found+" "+f.Do, word)
	}
	if !slices.ContainsFunc(found, is) {
		text, _ := json.MarshalIndent(found, "", " ")
		w.Errorf("no %s of %s with %q in %s", level, check, word, text)
	}
	for _, f := range found {
		if (f.Level == doctor.Warning || f.Level == doctor.Problem) && f.Do == "" {
			w.Errorf("nothing to do about %+v", f)
		}
	}
}

func (w *town) settings() *onchain.Settings {
	r := w.chain.Ready()
	return &onchain.Settings{
		Preset: "dev", Domain: ledger.Domain{ChainID: r.ChainID, Contract: r.Market.Address}, CodeHash: r.Market.CodeHash, URL: r.RPC,
		DeployBlock: r.Market.Block, Via: onchain.ViaOwn,
	}
}

// A doctor finds of a gateway that does not run what keeps it from being paid, and
// names the command that helps.
func TestExamineStopped(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	price := eth(t, "2 gwei")
	own := wallet.Config{Data: w.seller, From: &wallet.Passphrases{Env: func(string) string { return "" }}}
	look := func(s *onchain.Settings) []doctor.Finding {
		return market.ExamineStopped(t.Context(), "gateway", s, own, func() (market.Offer, error) { return market.Offer{Price: price}, nil })
	}
	w.must("gateway", "price", "set", "--input", "1 gwei", "--output", "2 gwei")
	found := look(w.settings())
	w.expect(found, "wallet", doctor.OK, w.provider.String())
	w.expect(found, "chain", doctor.OK, "dev (31337) answers")
	w.expect(found, "gas", doctor.OK, "a claim may cost")
	w.expect(found, "registered", doctor.Problem, "gateway register")
	w.must("gateway", "register", "--yes")
	w.expect(look(w.settings()), "price", doctor.OK, "2 gwei")
	price = eth(t, "3 gwei")
	w.expect(look(w.settings()), "price", doctor.Warning, "gateway update")
	price = ledger.Amount{}
	w.expect(look(w.settings()), "price", doctor.Problem, "gateway price set")

	wrong := w.settings()
	wrong.URL = "http://127.0.0.1:1"
	w.expect(look(wrong), "chain", doctor.Problem, "Start that node")
	wrong = w.settings()
	wrong.CodeHash[0]++
	w.expect(look(wrong), "chain", doctor.Problem, "Correct contract and code_hash")
	wrong = w.settings()
	wrong.Preset, wrong.Domain.ChainID = "", 5
	w.expect(look(wrong), "chain", doctor.Problem, "Correct url, or preset")
	wrong = w.settings()
	wrong.Via, wrong.URL = onchain.ViaCircuit, ""
	w.expect(look(wrong), "chain", doctor.Skipped, "by a bridge that runs")

	price = eth(t, "2 gwei")
	own.Data = t.TempDir()
	w.expect(look(w.settings()), "wallet", doctor.Warning, "gateway wallet new")
	if _, err := wallet.Create(t.Context(), wallet.Config{Data: own.Data, Cost: v3.Light(), From: wallet.Given(config.NewSecret(passphrase))}); err != nil {
		t.Fatal(err)
	}
	w.expect(look(w.settings()), "gas", doctor.Problem, "the wallet is empty")
}

// A running program's doctor sees its wallet, channels and claims.
func TestExamine(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.must("gateway", "price", "set", "--input", "1 gwei", "--output", "2 gwei")
	w.must("gateway", "register", "--yes")
	client := func(locked error) (found []doctor.Finding) {
		w.with("bridge", w.buyer, func(b *books.Books) {
			b.Locked = locked
			c := wallet.Config{Data: w.buyer, Sessions: true, From: &wallet.Passphrases{Env: func(string) string { return "" }}}
			found = market.New(market.Config{Books: b, Wallet: c, Pays: true, Serves: "bridge"}).Examine(t.Context())
		})
		return found
	}
	w.expect(client(nil), "channels", doctor.OK, "bridge buy PROVIDER AMOUNT")
	w.must("bridge", "buy", w.provider.String(), "1 eth", "--yes")
	w.expect(client(market.ErrLocked), "wallet", doctor.Warning, "--passphrase-file FILE")
	w.expect(client(nil), "wallet", doctor.OK, w.payer.String())
	w.expect(client(nil), "channels", doctor.OK, "1 eth left with provider "+w.provider.String())

	w.earn(eth(t, "0.4 eth"))
	seller := func() (found []doctor.Finding) {
		w.with("gateway", w.seller, func(b *books.Books) {
			c := wallet.Config{Data: w.seller, From: &wallet.Passphrases{Env: func(string) string { return "" }}}
			found = market.New(market.Config{
				Books: b, Wallet: c, Serves: "gateway", Offer: func() (market.Offer, error) { return market.Offer{Price: eth(t, "2 gwei")}, nil },
			}).Examine(t.Context())
		})
		return found
	}
	w.expect(seller(), "claims", doctor.OK, "0.4 eth are earned")
	w.must("bridge", "close", w.provider.String(), "--yes")
	w.expect(seller(), "claims", doctor.Warning, "gateway claim")
	w.must("gateway", "claim", "--yes")
	w.expect(seller(), "claims", doctor.OK, "nothing is earned")
	w.expect(seller(), "withdrawable", doctor.OK, "gateway withdraw")

	w.expect(client(nil), "channels", doctor.OK, "is closing")
	if err := w.chain.Advance(25 * time.Hour); err != nil {
		t.Fatal(err)
	}
	w.expect(client(nil), "channels", doctor.Warning, "bridge refund")
}

// A program that has not looked to its end, since the chain's server takes questions
// and answers none, says nothing against the program itself.
func TestExamineRunningInTime(t *testing.T) {
	ctx, cancel := context.WithDeadline(t.Context(), time.Unix(1, 0))
	defer cancel()
	found, err := market.ExamineRunning(ctx, t.TempDir())
	if err != nil || len(found) != 1 || found[0].Check != "chain" || found[0].Level != doctor.Problem || !strings.Contains(found[0].Do, "[chain]") {
		t.Errorf("ExamineRunning = %+v, %v, want what to do about the chain's server", found, err)
	}
}
