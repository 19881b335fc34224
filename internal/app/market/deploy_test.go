package market_test

import (
	"strings"
	"testing"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/market"
	"github.com/culvert-net/culvert/ledger/chain"
)

// A market that was deployed by a command can be used by what that has printed; an
// interrupted command goes on with its transaction.
func TestDeploy(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	rpc := w.chain.Ready().RPC
	for args, want := range map[string]string{
		"--url " + rpc:                                "--chain",
		"--chain dev":                                 "--url URL is missing",
		"--chain dev --chain-id 5 --url " + rpc:       "--chain",
		"--chain other --url " + rpc:                  "there are presets",
		"--chain dev --asset x --url " + rpc:          "40 hexadecimal digits",
		"--chain dev --resume 0x1 --yes --url " + rpc: "--resume",
	} {
		if text := w.refused(app.ExitUsage, "gateway", append([]string{"market", "deploy"}, strings.Fields(args)...)...); !strings.Contains(text, want) {
			t.Errorf("%s: %s", args, text)
		}
	}
	if text := w.refused(app.ExitRefused, "gateway", "market", "deploy", "--chain", "filecoin", "--url", rpc, "--yes"); !strings.Contains(text, "published") {
		t.Errorf("a published key: %s", text)
	}
	w.refused(app.ExitRefused, "gateway", "market", "deploy", "--chain", "dev", "--url", rpc)

	made := ask[chain.Deployed](w, "gateway", "market", "deploy", "--chain", "dev", "--url", rpc, "--yes")
	head, _ := w.chain.Head()
	if made.ChainID != 31337 || made.Contract == w.chain.Ready().Market.Address || made.CodeHash.IsZero() || made.Block != head || made.Fee.IsZero() {
		t.Fatalf("made %+v at block %d", made, head)
	}
	again := ask[chain.Deployed](w, "gateway", "market", "deploy", "--chain", "dev", "--url", rpc, "--resume", made.Transaction.String())
	if again != made {
		t.Errorf("resumed: %+v, was %+v", again, made)
	}
	for _, dir := range []string{w.seller, w.buyer} {
		w.configureFor(dir, rpc, "dev", made.Contract, made.CodeHash, made.Block)
	}
	w.must("gateway", "price", "set", "--input", "1 gwei", "--output", "2 gwei")
	w.must("gateway", "register", "--yes")
	if list := ask[[]market.Listing](w, "bridge", "providers"); len(list) != 1 {
		t.Errorf("in the new market: %+v", list)
	}
}
