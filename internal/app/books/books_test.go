package books

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"strings"
	"testing"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/evmrpc"
	"github.com/culvert-net/culvert/internal/app/onchain"
	"github.com/culvert-net/culvert/internal/app/wallet"
	v3 "github.com/culvert-net/culvert/internal/app/wallet/v3"
	"github.com/culvert-net/culvert/ledger"
	"github.com/culvert-net/culvert/ledger/store"
	"github.com/culvert-net/culvert/mesh/directory"
	"github.com/culvert-net/culvert/mesh/world"
)

func settings(t *testing.T, dir string, env map[string]string) Config {
	t.Helper()
	data, err := app.OpenData(dir, "gateway")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = data.Close() })
	return Config{
		Data: data,
		Settings: &onchain.Settings{
			Preset: "dev", Domain: ledger.Domain{ChainID: 31337, Contract: ledger.Address{1}}, CodeHash: ledger.Hash{1},
			Via: onchain.ViaOwn, URL: "http://127.0.0.1:1", Confirmations: 3,
		},
		Wallet: wallet.Config{
			Data: dir, Cost: v3.Light(), New: "gateway wallet new",
			From: &wallet.Passphrases{Env: func(name string) string { return env[name] }},
		},
		Log: slog.New(slog.DiscardHandler),
	}
}

// Books are opened with a wallet, and without one: what is free needs none.
func TestOpen(t *testing.T) {
	for name, c := range map[string]struct {
		env    map[string]string
		locked bool
	}{
		"no wallet":                {nil, true},
		"a key in the environment": {map[string]string{wallet.KeyVariable: "4f3edf983ac636a65a842ce7c78d9aa706d3b113bce9c46f30d7d21715b23b1d"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := settings(t, t.TempDir(), c.env)
			b, err := Open(t.Context(), cfg)
			if err != nil {
				t.Fatal(err)
			}
			if (b.Wallet == nil) != c.locked || (b.Locked != nil) != c.locked || c.locked && !errors.Is(b.Locked, wallet.ErrNone) {
				t.Errorf("wallet %v, locked %v", b.Wallet, b.Locked)
			}
			if n := b.Chain.Network; n.Name != "dev" || n.Confirmations != 3 || b.Chain.Domain() != cfg.Settings.Domain {
				t.Errorf("%+v", b.Chain)
			}
			if err := b.Close(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// Who ends the program at the question for the passphrase reads that it was ended, and
// not what of the ledger could not be opened then.
func TestOpenInterrupted(t *testing.T) {
	cfg := settings(t, t.TempDir(), nil)
	why := errors.New("interrupted")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	if b, err := Open(ctx, cfg); !errors.Is(err, why) || err.Error() != why.Error() {
		t.Errorf("Open = %v, %v, want %v alone", b, err, why)
	}
}

// An older copy of the store that is put back is found; one that another program
// has is refused.
func TestRestored(t *testing.T) {
	dir := t.TempDir()
	cfg := settings(t, dir, nil)
	path := cfg.Data.Path(File)
	write := func(b *Books) {
		t.Helper()
		if err := b.Store.Do(t.Context(), func(tx store.Tx) error { return tx.Put("test", []byte("k"), []byte("v")) }); err != nil {
			t.Fatal(err)
		}
	}
	reopen := func() *Books {
		t.Helper()
		b, err := Open(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	b := reopen()
	write(b)
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	old, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b = reopen()
	write(b)
	if b.Store.Restored() {
		t.Error("a store that was closed and opened is taken for a copy")
	}
	if _, err := Open(t.Context(), cfg); err == nil {
		t.Error("two have one file")
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, old, 0o600); err != nil {
		t.Fatal(err)
	}
	b = reopen()
	if !b.Store.Restored() {
		t.Error("a copy that was put back is taken for the store itself")
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestChainWithoutPreset(t *testing.T) {
	cfg := settings(t, t.TempDir(), nil)
	cfg.Settings.Preset, cfg.Settings.Domain.ChainID, cfg.Settings.Confirmations = "", 77, 5
	c, err := ChainOf(cfg.Settings)
	if err != nil || c.Network.ChainID != 77 || c.Network.Confirmations != 5 || c.Network.Dev {
		t.Errorf("%+v, %v", c.Network, err)
	}
	if err := c.Check(); err != nil {
		t.Error(err)
	}
	cfg.Settings.Preset = "nowhere"
	if _, err := ChainOf(cfg.Settings); err == nil {
		t.Error("a preset that there is not")
	}
}

// Over circuits there are two ways, of which one is compared with the other; who has
// no circuits is told what has.
func TestOverCircuits(t *testing.T) {
	cfg := settings(t, t.TempDir(), nil)
	cfg.Settings.Via, cfg.Settings.URL = onchain.ViaCircuit, ""
	if _, err := Open(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "bridge serve") {
		t.Errorf("without circuits: %v", err)
	}
	w, err := world.New(world.World{Phrase: "books", Rules: world.DefaultRules(), Local: true})
	if err != nil {
		t.Fatal(err)
	}
	cfg.Road = &evmrpc.RoadConfig{Known: directory.NewSet(w), Log: cfg.Log}
	b, err := Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if b.Road == nil || b.Chain.Witness == nil || b.Chain.Transport == b.Chain.Witness || b.Chain.Failed == nil {
		t.Errorf("%+v", b.Chain)
	}
	if err := b.Reader.Sync(t.Context()); !errors.Is(err, evmrpc.ErrNobody) {
		t.Errorf("in an empty world: %v", err)
	}
}
