package market_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/market"
	"github.com/culvert-net/culvert/internal/app/observer"
)

// In a world whose charter names the contract, nobody needs to name it again; who names
// another is refused.
func TestWorldNamesTheMarket(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	dir := t.TempDir()
	cmd := observer.Command()
	cmd.SetArgs([]string{
		"world", "create", "paid", "--sandbox", "--hops", "1", "--listen", "/ip4/127.0.0.1/tcp/48111", "--chain", "dev",
		"--chain-contract", w.market.Address.String(), "--chain-code-hash", w.market.CodeHash.String(), "--data", dir,
	})
	var out strings.Builder
	cmd.SetOut(&out)
	cmd.SetErr(&out)
	if err := cmd.ExecuteContext(t.Context()); err != nil {
		t.Fatalf("%v\n%s", err, &out)
	}
	text, err := os.ReadFile(filepath.Join(dir, app.WorldFile))
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{w.seller, w.buyer} {
		w.write(filepath.Join(dir, app.WorldFile), string(text))
		w.write(filepath.Join(dir, app.ConfigFile), fmt.Sprintf("[chain]\npreset = \"dev\"\nurl = %q\n", w.chain.Ready().RPC))
	}
	w.must("gateway", "price", "set", "--input", "1 gwei", "--output", "2 gwei")
	w.must("gateway", "register", "--yes")
	if list := ask[[]market.Listing](w, "bridge", "providers"); len(list) != 1 || list[0].Provider != w.provider {
		t.Errorf("providers: %+v", list)
	}
	w.configureFor(w.buyer, w.chain.Ready().RPC, "dev", w.payer, w.market.CodeHash, 0)
	if text := w.refused(app.ExitRefused, "bridge", "providers"); !strings.Contains(text, "the charter of world") {
		t.Errorf("another contract: %s", text)
	}
}
