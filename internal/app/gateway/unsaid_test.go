package gateway

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/books"
	"github.com/culvert-net/culvert/internal/app/devchain"
	"github.com/culvert-net/culvert/internal/app/node"
	"github.com/culvert-net/culvert/internal/app/onchain"
	"github.com/culvert-net/culvert/internal/app/selling"
	"github.com/culvert-net/culvert/internal/app/wallet"
	v3 "github.com/culvert-net/culvert/internal/app/wallet/v3"
	"github.com/culvert-net/culvert/internal/config"
	"github.com/culvert-net/culvert/ledger"
	"github.com/culvert-net/culvert/mesh/directory/dirtest"
	"github.com/culvert-net/culvert/mesh/world"
)

// A gateway that is in the market and has no prices does not start, whether it can
// open its wallet or not; one that never was does, and so does one that says that it is
// free.
func TestUnsaid(t *testing.T) {
	chain, err := devchain.Start(t.Context(), devchain.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = chain.Close() })
	there := chain.Ready()
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	w := dirtest.New(t, time.Hour, 1, 1).World
	text, err := world.Format(w)
	if err != nil {
		t.Fatal(err)
	}
	write(app.WorldFile, string(text))
	write("passphrase", "a passphrase\n")
	write("key", there.Accounts[0].Key)
	write(app.ConfigFile, fmt.Sprintf("[chain]\npreset = \"dev\"\nurl = %q\ncontract = %q\ncode_hash = %q\n", there.RPC, there.Market.Address, there.Market.CodeHash))
	if _, err := node.EnsureKey(dir); err != nil {
		t.Fatal(err)
	}
	run := func(args ...string) {
		t.Helper()
		cmd := Command()
		if args = append(args, "--data", dir); args[0] != "price" {
			args = append(args, "--passphrase-file", filepath.Join(dir, "passphrase"))
		}
		cmd.SetArgs(args)
		cmd.SetIn(strings.NewReader(""))
		cmd.SetOut(io.Discard)
		var told bytes.Buffer
		cmd.SetErr(&told)
		if err := cmd.ExecuteContext(t.Context()); err != nil {
			t.Fatalf("%v: %v\n%s", args, err, &told)
		}
	}
	settings := &onchain.Settings{
		Preset: "dev", Domain: ledger.Domain{ChainID: there.ChainID, Contract: there.Market.Address}, CodeHash: there.Market.CodeHash,
		URL: there.RPC, DeployBlock: there.Market.Block, Via: onchain.ViaOwn,
	}
	o := Options{Data: dir}
	// start is what Serve does until it serves, as far as money goes.
	start := func(s *onchain.Settings, open bool) error {
		t.Helper()
		data, err := app.OpenData(dir, program)
		if err != nil {
			t.Fatal(err)
		}
		defer data.Close()
		from := wallet.Given(config.NewSecret("a passphrase"))
		if !open {
			from = &wallet.Passphrases{Env: func(string) string { return "" }}
		}
		g := &gateway{cfg: Defaults(), log: slog.New(slog.DiscardHandler), world: w, chain: s}
		m := &money{g: g, wallet: wallet.Config{Data: dir, Cost: v3.Light(), From: from, New: "gateway wallet new"}}
		g.money = m
		if m.books, err = books.Open(t.Context(), books.Config{Data: data, Settings: s, Wallet: m.wallet, Log: g.log}); err != nil {
			t.Fatal(err)
		}
		defer m.books.Close()
		if open && m.books.Wallet != nil {
			g.seller = new(selling.Seller)
		}
		m.look(t.Context(), 10*time.Second)
		return g.unsaid(o)
	}
	away := *settings
	away.URL = "http://127.0.0.1:1"

	if err := start(settings, true); err != nil {
		t.Errorf("without a wallet: %v", err)
	}
	run("wallet", "import", filepath.Join(dir, "key"))
	if err := start(settings, true); err != nil {
		t.Errorf("one that never registered: %v", err)
	}
	if err := start(&away, true); err != nil {
		t.Errorf("a chain that is silent, where the seller offers nothing: %v", err)
	}
	if err := start(&away, false); app.Code(err) != app.ExitNotReady || !strings.Contains(err.Error(), "gateway price free") {
		t.Errorf("a chain that is silent, and a wallet that is not open: %v", err)
	}
	run("price", "set", "--input", "1 gwei", "--output", "2 gwei")
	run("register", "--yes")
	if err := start(settings, true); err != nil {
		t.Errorf("with prices: %v", err)
	}
	for what, change := range map[string]func(){
		"no file":       func() { _ = os.Remove(filepath.Join(dir, selling.ListFile)) },
		"an empty file": func() { write(selling.ListFile, "# nothing\n") },
	} {
		change()
		for _, open := range []bool{true, false} {
			err := start(settings, open)
			if app.Code(err) != app.ExitUsage || !strings.Contains(err.Error(), "gateway price set") || !strings.Contains(err.Error(), "gateway price free") || !strings.Contains(err.Error(), "2 gwei") {
				t.Errorf("%s, wallet open: %v: %v", what, open, err)
			}
		}
	}
	run("price", "free")
	if err := start(settings, true); err != nil {
		t.Errorf("free by its word: %v", err)
	}
	write(selling.ListFile, "")
	run("exit", "--yes")
	if err := start(settings, false); err != nil {
		t.Errorf("one that sells no more: %v", err)
	}
}
