package market_test

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/ledger"
)

// What is not the agreed chain or contract, or cannot be paid, is refused before
// anything is sent, with what to do next.
func TestRefusedBeforeAnythingIsSent(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.must("gateway", "price", "set", "--input", "1 gwei", "--output", "2 gwei")
	w.must("gateway", "register", "--yes")
	before, _ := w.chain.Head()
	good := w.chain.Ready()
	buy := []string{"buy", w.provider.String(), "1 gwei", "--yes"}

	w.configure(w.buyer, good.RPC, "filecoin", good.Market.CodeHash)
	if text := w.refused(app.ExitRefused, "bridge", buy...); !strings.Contains(text, "published for development") {
		t.Errorf("a published key on Filecoin: %s", text)
	}
	w.configure(w.buyer, good.RPC, "dev", ledger.Hash{1})
	if text := w.refused(app.ExitRefused, "bridge", buy...); !strings.Contains(text, "not the agreed one") {
		t.Errorf("another contract's code: %s", text)
	}
	w.configure(w.buyer, "http://127.0.0.1:1", "dev", good.Market.CodeHash)
	if text := w.refused(app.ExitNotReady, "bridge", buy...); !strings.Contains(text, "is it running") {
		t.Errorf("no server: %s", text)
	}
	w.configure(w.buyer, "", "", good.Market.CodeHash)
	if text := w.refused(app.ExitUsage, "bridge", buy...); !strings.Contains(text, "[chain]") {
		t.Errorf("no chain: %s", text)
	}
	w.configure(w.buyer, good.RPC, "dev", good.Market.CodeHash)
	for args, want := range map[string]string{
		"buy " + w.payer.String() + " 1_gwei --yes":                      "is no provider of this market; bridge providers",
		"buy nobody 1_gwei --yes":                                        "start it with bridge serve",
		"close nobody --yes":                                             "the channel that bridge balance shows",
		"buy --model nothing 1_gwei --yes":                               "models are known while the bridge runs",
		"buy " + w.provider.String() + " 5 --yes":                        "has no unit",
		"buy " + w.provider.String() + " 1_gwei --tokens 5 --yes":        "either",
		"buy " + w.provider.String() + " 1_gwei --for nobody --yes":      "bridge keys list",
		"topup " + w.provider.String() + " 1_gwei --yes":                 "bridge balance",
		"close 0x" + strings.Repeat("00", 31) + "01 --yes":               "no channel",
		"rounds show 0x" + strings.Repeat("ab", 16):                      "bridge rounds",
		"withdraw --to 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD --yes": "--to",
		"rounds verify " + filepath.Join(w.buyer, "nothing_there"):       "no such file",
	} {
		words := strings.Fields(args)
		for i := range words {
			words[i] = strings.ReplaceAll(words[i], "_gwei", " gwei")
		}
		if text := w.refused(app.ExitUsage, "bridge", words...); !strings.Contains(text, want) {
			t.Errorf("%s: %s; want %q", args, text, want)
		}
	}
	if text := w.refused(app.ExitFailed, "bridge", "buy", w.provider.String(), "20000 eth", "--yes"); !strings.Contains(text, "has 10000 eth of 20000 eth") || !strings.Contains(text, "too little") {
		t.Errorf("more than there is: %s", text)
	}
	if after, _ := w.chain.Head(); after != before {
		t.Errorf("%d blocks were made", after-before)
	}
}

// proxied is the address of a server between programs and the chain, which answers a
// question by an error where stop says so.
func (w *town) proxied(stop func(body string) bool) string {
	w.Helper()
	to, err := url.Parse(w.chain.Ready().RPC)
	if err != nil {
		w.Fatal(err)
	}
	pass := httputil.NewSingleHostReverseProxy(to)
	s := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		body := w.body(r)
		if stop(body) {
			http.Error(out, "gone", http.StatusBadGateway)
			return
		}
		pass.ServeHTTP(out, r)
	}))
	w.Cleanup(s.Close)
	return s.URL
}
