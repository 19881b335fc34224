package market_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/wallet"
	"github.com/culvert-net/culvert/ledger"
	"github.com/culvert-net/culvert/ledger/chain"
)

type shown struct {
	Address ledger.Address `json:"address"`
	File    string         `json:"file"`
	Funds   wallet.Funds   `json:"funds"`
}

// wallet show says what both programs' wallets have, and what it could not read in
// place of failing.
func TestWalletShow(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.must("gateway", "price", "set", "--input", "1 gwei", "--output", "2 gwei")
	w.must("gateway", "register", "--yes")
	w.must("bridge", "buy", w.provider.String(), "1 eth", "--yes")
	w.earn(eth(t, "0.4 eth"))
	w.must("gateway", "claim", "--yes")

	s := ask[shown](w, "gateway", "wallet", "show")
	if s.Address != w.provider || s.File == "" || s.Funds.Chain != "dev" || s.Funds.Contract != w.chain.Ready().Market.Address ||
		s.Funds.Own == nil || s.Funds.Own.IsZero() || s.Funds.Held == nil || *s.Funds.Held != eth(t, "0.4 eth") || len(s.Funds.Problems) > 0 || s.Funds.Filecoin != "" {
		t.Errorf("the gateway's: %+v", s)
	}
	if out := w.must("gateway", "wallet", "show"); !strings.Contains(out, "0.4 eth, with: ") || !strings.Contains(out, "withdraw") {
		t.Errorf("the gateway's: %s", out)
	}
	if s := ask[shown](w, "bridge", "wallet", "show"); s.Address != w.payer || s.Funds.Own == nil || s.Funds.Own.Less(eth(t, "1 eth")) || s.Funds.Held == nil || !s.Funds.Held.IsZero() {
		t.Errorf("the bridge's: %+v", s)
	}

	// A chain that does not answer: the address is worth showing all the same, on
	// Filecoin's in both forms.
	for preset, prefix := range map[string]string{"calibration": "t410f", "filecoin": "f410f"} {
		w.configure(w.buyer, "http://127.0.0.1:1", preset, w.chain.Ready().Market.CodeHash)
		s = ask[shown](w, "bridge", "wallet", "show")
		if s.Address != w.payer || s.Funds.Own != nil || s.Funds.Held != nil || len(s.Funds.Problems) != 2 || !strings.HasPrefix(s.Funds.Filecoin, prefix) {
			t.Errorf("on %s, of which no node answers: %+v", preset, s)
		}
		if a, err := chain.ParseAddress(s.Funds.Filecoin); err != nil || a != w.payer {
			t.Errorf("%s is %s, %v", s.Funds.Filecoin, a, err)
		}
		if out := w.must("bridge", "wallet", "show"); strings.Count(out, "NOT READ") != 2 || !strings.Contains(out, prefix) {
			t.Errorf("on %s: %s", preset, out)
		}
		if out := w.must("bridge", "balance"); !strings.Contains(out, "NOT READ") || !strings.Contains(out, "PROBLEM") {
			t.Errorf("balance: %s", out)
		}
	}
	w.write(filepath.Join(w.buyer, app.ConfigFile), "")
	if s := ask[shown](w, "bridge", "wallet", "show"); s.Address != w.payer || len(s.Funds.Problems) != 1 || !strings.Contains(s.Funds.Problems[0], "[chain]") {
		t.Errorf("without a chain: %+v", s)
	}
}
