package market_test

import (
	"encoding/hex"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/books"
	"github.com/culvert-net/culvert/internal/app/market"
	"github.com/culvert-net/culvert/internal/app/paying/purse"
	"github.com/culvert-net/culvert/ledger"
	"github.com/culvert-net/culvert/ledger/channel"
)

// contradicted lets the client pay for a round of which the provider signs two
// results.
func (w *town) contradicted(id ledger.ChannelID) (round ledger.RoundID) {
	w.Helper()
	secret, err := hex.DecodeString(w.chain.Ready().Accounts[0].Key[2:])
	if err != nil {
		w.Fatal(err)
	}
	key, err := ledger.KeyOfBytes([32]byte(secret))
	if err != nil {
		w.Fatal(err)
	}
	w.with("bridge", w.buyer, func(b *books.Books) {
		domain := b.Chain.Domain()
		purses := purse.NewBook(purse.Config{Store: b.Store, Wallet: b.Wallet, Domain: domain})
		payer, err := channel.NewPayer(channel.PayerConfig{
			Store: b.Store, Chain: b.Reader, Domain: domain, Key: purses.Key, Owner: "test", WindowTokens: 1_000_000,
		})
		if err == nil {
			err = payer.Start(w.Context(), time.Now())
		}
		if err != nil {
			w.Fatal(err)
		}
		now := time.Now()
		sheet := &ledger.Sheet{
			Sequence: 1, UnitPrice: eth(w, "2 gwei"), ValidFrom: uint64(now.Unix()) - 60, ValidUntil: uint64(now.Unix()) + 3600,
			Models: []ledger.ModelPrice{{Model: "llama3", Input: eth(w, "1 gwei"), Output: eth(w, "2 gwei")}},
		}
		m, err := payer.Open(w.Context(), now, channel.Order{
			Channel: id, Target: "/v1/chat/completions", Body: []byte("{}"), Sheet: sheet, Model: "llama3", Input: 10, Output: 10, TTL: time.Minute,
		})
		if err != nil {
			w.Fatal(err)
		}
		round = m.ID()
		h, err := channel.ParseHeader(m.Header())
		if err != nil {
			w.Fatal(err)
		}
		request := h.Request.Message
		first := ledger.Result{
			Channel: id, Epoch: request.Epoch, RoundID: round, Final: true, RequestHash: request.RequestHash, Input: 5, Status: ledger.StatusDone,
		}
		second := first
		second.Output = 1
		if _, err := m.Confirm(w.Context(), now, channel.Ending{Result: ledger.Sign(first, domain, key), Complete: true}); err != nil {
			w.Fatal(err)
		}
		if d, err := payer.Heard(w.Context(), now, nil, ledger.Sign(second, domain, key)); err != nil || d == nil {
			w.Fatalf("%+v, %v", d, err)
		}
	})
	return round
}

// A provider that signed two results of a round loses its bond to whoever has both,
// by a command; a tenth comes into the wallet.
func TestSlash(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.must("gateway", "price", "set", "llama3", "--input", "1 gwei", "--output", "2 gwei")
	w.must("gateway", "register", "--yes")
	id := ask[market.Done](w, "bridge", "buy", w.provider.String(), "1 eth", "--yes").Channel
	if list := ask[[]market.Contradiction](w, "bridge", "slash"); len(list) != 0 {
		t.Errorf("before anything happened: %+v", list)
	}
	round := w.contradicted(id)
	if text := w.refused(app.ExitUsage, "bridge", "slash", round.String(), "--yes"); !strings.Contains(text, "no bond") {
		t.Errorf("without a bond: %s", text)
	}
	w.must("gateway", "bond", "2 eth", "--for", "10d", "--yes")
	list := ask[[]market.Contradiction](w, "bridge", "slash")
	if len(list) != 1 || list[0].Round != round || list[0].Provider != w.provider || list[0].Bond != eth(t, "2 eth") || list[0].Reward != eth(t, "0.2 eth") {
		t.Fatalf("%+v", list)
	}
	if out := w.must("bridge", "rounds"); !strings.Contains(out, "bridge slash "+round.String()) {
		t.Errorf("bridge rounds: %s", out)
	}
	if text := w.refused(app.ExitUsage, "bridge", "slash", ledger.RoundID{1}.String(), "--yes"); !strings.Contains(text, "bridge rounds") {
		t.Errorf("another round: %s", text)
	}
	if text := w.refused(app.ExitRefused, "bridge", "slash", round.String()); !strings.Contains(text, "--yes") {
		t.Errorf("without consent: %s", text)
	}
	// The two are good in a file, too, for whoever gets it; and nothing else is.
	file := filepath.Join(t.TempDir(), "round.json")
	text := w.must("bridge", "rounds", "show", round.String(), "--json")
	w.write(file, text)
	if out := w.must("bridge", "rounds", "verify", file); !strings.Contains(out, "TWO, signed") {
		t.Errorf("verify: %s", out)
	}
	var o market.Opened
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(o *market.Opened){
		"the same twice":       func(o *market.Opened) { o.Second = o.Result },
		"the voucher":          func(o *market.Opened) { o.Second = o.Voucher },
		"one":                  func(o *market.Opened) { o.Second = "" },
		"a broken signature":   func(o *market.Opened) { o.Second = o.Second[:len(o.Second)-2] + "00" },
		"no result at the top": func(o *market.Opened) { o.Result = "" },
	} {
		bad := o
		change(&bad)
		b, err := json.Marshal(bad)
		if err != nil {
			t.Fatal(err)
		}
		w.write(file+".bad", string(b))
		w.refused(app.ExitUsage, "bridge", "slash", file+".bad", "--yes")
		if name != "one" {
			w.refused(app.ExitRefused, "bridge", "rounds", "verify", file+".bad")
		}
	}
	w.refused(app.ExitUsage, "bridge", "slash", "0x12", "--yes")
	w.refused(app.ExitUsage, "bridge", "slash", filepath.Join(t.TempDir(), "none.json"), "--yes")

	before := ask[market.Balance](w, "bridge", "balance").Own
	done := ask[market.Done](w, "bridge", "slash", file, "--yes")
	after := ask[market.Balance](w, "bridge", "balance").Own
	want, err := before.Add(eth(t, "0.2 eth"))
	if err == nil {
		want, err = want.Sub(done.Fee)
	}
	if err != nil || done.Amount != eth(t, "0.2 eth") || after != want {
		t.Errorf("slashed %+v: %s in the wallet, want %s, %v", done, after, want, err)
	}
	if e := ask[market.Earnings](w, "gateway", "earnings"); !e.Bond.IsZero() {
		t.Errorf("the provider still has %+v", e)
	}
	if text := w.refused(app.ExitUsage, "bridge", "slash", round.String(), "--yes"); !strings.Contains(text, "none any more") {
		t.Errorf("a second time: %s", text)
	}

	// A bond whose time is over is not at stake.
	w.must("gateway", "bond", "1 eth", "--for", "1d", "--yes")
	if err := w.chain.Advance(25 * time.Hour); err != nil {
		t.Fatal(err)
	}
	if text := w.refused(app.ExitUsage, "bridge", "slash", round.String(), "--yes"); !strings.Contains(text, "ended at") {
		t.Errorf("after the bond's time: %s", text)
	}
}
