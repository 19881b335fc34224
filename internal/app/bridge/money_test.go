package bridge

import (
	"errors"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/culvert-net/culvert/api/openai"
	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/market"
	"github.com/culvert-net/culvert/internal/app/onchain"
	"github.com/culvert-net/culvert/internal/app/paying"
	"github.com/culvert-net/culvert/internal/app/wallet"
	v3 "github.com/culvert-net/culvert/internal/app/wallet/v3"
	"github.com/culvert-net/culvert/internal/config"
	"github.com/culvert-net/culvert/ledger"
	"github.com/culvert-net/culvert/mesh/directory"
	"github.com/culvert-net/culvert/mesh/directory/dirtest"
)

func TestPayConfig(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*PayConfig)
		want   string // in the error; "": it is fine
	}{
		"nothing":             {func(*PayConfig) {}, ""},
		"an amount":           {func(c *PayConfig) { c.Window = "0.01 eth" }, ""},
		"gas":                 {func(c *PayConfig) { c.Window = "20 gas" }, "1000000 tokens"},
		"a bare number":       {func(c *PayConfig) { c.Window = "20" }, "1000000 tokens"},
		"no output":           {func(c *PayConfig) { c.MaxOutput = 0 }, "max_output"},
		"top-ups":             {func(c *PayConfig) { c.TopUp, c.TopUpDay = "0.01 eth", "0.03 eth" }, ""},
		"top-ups for ever":    {func(c *PayConfig) { c.TopUp = "0.01 eth" }, "auto_topup_daily"},
		"a limit of none":     {func(c *PayConfig) { c.TopUpDay = "0.01 eth" }, "auto_topup"},
		"prices":              {func(c *PayConfig) { c.MaxPrice = []string{"2 gwei", "a=b = 1 gwei"} }, ""},
		"two prices for all":  {func(c *PayConfig) { c.MaxPrice = []string{"2 gwei", "3 gwei"} }, "max_price"},
		"two for one model":   {func(c *PayConfig) { c.MaxPrice = []string{"m = 2 gwei", "m=3 gwei"} }, "two for the same"},
		"a price of nothing":  {func(c *PayConfig) { c.MaxPrice = []string{"= 2 gwei"} }, "names no model"},
		"a price without":     {func(c *PayConfig) { c.MaxPrice = []string{"m = cheap"} }, "MODEL = 2 gwei"},
		"a limit that is low": {func(c *PayConfig) { c.TopUp, c.TopUpDay = "0.01 eth", "0.001 eth" }, "less than one top-up"},
	} {
		p := payDefaults()
		c.change(&p)
		if err := p.Validate(); (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// Without a chain, or with a wallet that does not open, nobody is paid, and people
// hear why and what to do.
func TestNoMoney(t *testing.T) {
	var none *money
	if none.pays(directory.Node{}, "m") || none.tunnelPayer() != nil || none.status(t.Context()) != nil || none.close() != nil || !strings.Contains(none.whyNot("m").Error(), "[chain]") || none.unread() != nil {
		t.Errorf("without a chain: %v", none.whyNot("m"))
	}
	data, err := app.OpenData(t.TempDir(), program)
	if err != nil {
		t.Fatal(err)
	}
	defer data.Close()
	w := dirtest.New(t, time.Hour, 1, 1)
	chain := &onchain.Settings{
		Preset: "dev", Domain: ledger.Domain{ChainID: 31337, Contract: ledger.Address{1}}, CodeHash: ledger.Hash{1},
		Via: onchain.ViaOwn, URL: "http://127.0.0.1:1",
	}
	m, err := openMoney(t.Context(), &bridge{cfg: Defaults(), log: slog.New(slog.DiscardHandler), data: data}, w.World, chain, directory.NewView(w.World), nil)
	if err != nil {
		t.Fatal(err)
	}
	s := m.status(t.Context())
	if m.tunnelPayer() != nil || m.pays(directory.Node{}, "m") || !strings.Contains(s.Locked, "bridge wallet new") || !strings.Contains(m.whyNot("m").Error(), "bridge wallet new") || m.unread() != nil {
		t.Errorf("without a wallet: %+v, %v", s, m.whyNot("m"))
	}
	// With one, what there is to pay with is known once the chain was read.
	m.payer = new(paying.Payer)
	for _, want := range []string{"not been read yet", "does not answer"} {
		e, ok := errors.AsType[*openai.Error](m.whyNot("m"))
		if !ok || e.Status != http.StatusServiceUnavailable || e.Code != "chain_unread" || e.RetryAfter <= 0 || !strings.Contains(e.Message, want) {
			t.Errorf("before the chain was read: %v, want 503 with %q", e, want)
		}
		if err := m.unread(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("not ready for: %v, want %q", err, want)
		}
		_ = m.books.Reader.Sync(t.Context()) // nobody is there
	}
	m.payer = nil
	var out strings.Builder
	s.rows(func(name, format string, args ...any) { out.WriteString(name + "\n") })
	if !strings.Contains(out.String(), "Paying") {
		t.Errorf("status shows\n%s", out.String())
	}
	if err := m.close(); err != nil {
		t.Error(err)
	}
	if line := buyLine(ledger.Address{1}, "key_1"); line != "bridge buy "+(ledger.Address{1}).String()+" --tokens 1000000 --for key_1" {
		t.Error(line)
	}
}

// A channel whose session key was brought from another machine is there to pay from, on
// one that has no wallet too.
func TestBroughtSession(t *testing.T) {
	domain := ledger.Domain{ChainID: 31337, Contract: ledger.Address{1}}
	from := &wallet.Passphrases{Env: func(name string) string {
		return map[string]string{wallet.PassphraseVariable: "correct horse battery"}[name]
	}}
	there := wallet.Config{Data: t.TempDir(), Sessions: true, Cost: v3.Light(), From: from, New: "bridge wallet new"}
	if _, err := wallet.Create(t.Context(), there); err != nil {
		t.Fatal(err)
	}
	opened, err := wallet.Open(t.Context(), there)
	if err != nil {
		t.Fatal(err)
	}
	file, phrase := filepath.Join(t.TempDir(), "s.json"), config.NewSecret("of the file alone")
	sold, err := wallet.ExportSession(opened, wallet.SessionPath{Domain: domain, Provider: ledger.Address{2}}, file, phrase, v3.Light())
	if err != nil {
		t.Fatal(err)
	}
	data, err := app.OpenData(t.TempDir(), program)
	if err != nil {
		t.Fatal(err)
	}
	defer data.Close()
	here := there
	here.Data = data.Path("")
	if _, err := wallet.ImportSession(t.Context(), here, file, phrase); err != nil {
		t.Fatal(err)
	}
	w := dirtest.New(t, time.Hour, 1, 1)
	chain := &onchain.Settings{Preset: "dev", Domain: domain, CodeHash: ledger.Hash{1}, Via: onchain.ViaOwn, URL: "http://127.0.0.1:1"}
	b := &bridge{cfg: Defaults(), log: slog.New(slog.DiscardHandler), data: data, passphrases: from}
	for range 2 { // the second start finds what the first has written
		m, err := openMoney(t.Context(), b, w.World, chain, directory.NewView(w.World), nil)
		if err != nil {
			t.Fatal(err)
		}
		all, err := m.channels.Balances(t.Context())
		if err != nil || len(all) != 1 || all[0].Channel != sold.Channel {
			t.Errorf("channels are %+v, %v, want %v", all, err, sold.Channel)
		}
		if err := m.close(); err != nil {
			t.Fatal(err)
		}
	}
}

// A model's own highest price counts before that of all, and nothing that is priced by
// tokens, nor a fee for each request, is a way around it.
func TestMaxPrice(t *testing.T) {
	c := payDefaults()
	if none, err := c.maxPrices(); err != nil || none.check(ledger.ModelPrice{Model: "m", Output: ledger.MaxAmount}) != nil {
		t.Errorf("without a limit: %v", err)
	}
	c.MaxPrice = []string{"10 wei", "dear = 100 wei", "a=b = 5 wei", "fee = 1000000 wei"}
	most, err := c.maxPrices()
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		asked ledger.ModelPrice
		fits  bool
	}{
		{ledger.ModelPrice{Model: "m", Input: ledger.Wei(10), Output: ledger.Wei(10), Image: ledger.Wei(1000)}, true},
		{ledger.ModelPrice{Model: "m", Output: ledger.Wei(11)}, false},
		{ledger.ModelPrice{Model: "m", Input: ledger.Wei(11)}, false},
		{ledger.ModelPrice{Model: "m", Cached: ledger.Wei(11)}, false},
		{ledger.ModelPrice{Model: "m", Reasoning: ledger.Wei(11)}, false},
		{ledger.ModelPrice{Model: "m", Minimum: ledger.Wei(1)}, false}, // what 100,000 tokens cost at most
		{ledger.ModelPrice{Model: "fee", Minimum: ledger.Wei(1000)}, true},
		{ledger.ModelPrice{Model: "fee", Minimum: ledger.Wei(1001)}, false},
		{ledger.ModelPrice{Model: "fee", Minimum: ledger.MaxAmount}, false},
		{ledger.ModelPrice{Model: "dear", Output: ledger.Wei(100)}, true},
		{ledger.ModelPrice{Model: "dear", Output: ledger.Wei(101)}, false},
		{ledger.ModelPrice{Model: "a=b", Output: ledger.Wei(6)}, false},
		{ledger.ModelPrice{Model: "a=b", Output: ledger.Wei(5)}, true},
	} {
		if err := most.check(x.asked); (err == nil) != x.fits {
			t.Errorf("%+v: %v", x.asked, err)
		}
	}
}

// Who is bought from as the cheapest is so by known prices, the least that a request
// costs among them.
func TestCheapest(t *testing.T) {
	listing := func(n byte, m market.ListedModel) market.Listing {
		m.Model = "m"
		return market.Listing{Provider: ledger.Address{n}, Price: ledger.Wei(uint64(n)), Models: []market.ListedModel{{Model: "other", Priced: true}, m}}
	}
	asks := func(in, out, least uint64) market.ListedModel {
		return market.ListedModel{Priced: true, Input: ledger.Wei(in), Output: ledger.Wei(out), Minimum: ledger.Wei(least)}
	}
	for _, c := range []struct {
		name string
		all  []market.Listing
		want byte // of the address; 0: none
	}{
		{"nobody", nil, 0},
		{"by output, then by input", []market.Listing{listing(9, asks(5, 5, 0)), listing(8, asks(9, 4, 0)), listing(7, asks(8, 4, 0)), listing(6, asks(1, 6, 0))}, 7},
		{"nothing but a fee for each request", []market.Listing{listing(9, asks(2000, 4000, 0)), listing(8, asks(0, 0, 5))}, 9},
		{"a small fee for each request", []market.Listing{listing(9, asks(2000, 4000, 0)), listing(8, asks(0, 0, 3))}, 8},
		{"a fee beyond all money", []market.Listing{listing(9, asks(2000, 4000, 0)), listing(8, market.ListedModel{Priced: true, Minimum: ledger.MaxAmount})}, 9},
		{"no prices", []market.Listing{listing(1, market.ListedModel{}), listing(9, asks(2000, 4000, 0)), listing(2, market.ListedModel{})}, 9},
		{"no prices of anybody", []market.Listing{listing(2, market.ListedModel{}), listing(1, market.ListedModel{})}, 1},
	} {
		if got, found := cheapestOf(c.all, "m"); found != (c.want != 0) || got.Provider != (ledger.Address{}) != found || found && got.Provider[0] != c.want {
			t.Errorf("%s: %v, %t; want %d", c.name, got.Provider, found, c.want)
		}
	}
}
