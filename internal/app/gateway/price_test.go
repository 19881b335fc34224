package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/culvert-net/culvert/internal/app/node"
	"github.com/culvert-net/culvert/internal/app/selling"
	"github.com/culvert-net/culvert/ledger"
	"github.com/culvert-net/culvert/mesh/directory"
	"github.com/culvert-net/culvert/mesh/directory/dirtest"
)

// price runs gateway price with arguments.
func price(t *testing.T, dir string, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	cmd := Command()
	cmd.SetArgs(append([]string{"price", "--data", dir}, args...))
	cmd.SetOut(&out)
	cmd.SetErr(io.Discard)
	err := cmd.Execute()
	return out.String(), err
}

// An owner sets prices one by one and sees what they are.
func TestPriceCommands(t *testing.T) {
	dir := t.TempDir()
	if out, err := price(t, dir, "show"); err != nil || !strings.Contains(out, "everything is free") {
		t.Errorf("show: %q, %v", out, err)
	}
	for _, args := range [][]string{
		{"set", "--input", "0.2 gwei", "--output", "0.8 gwei"},
		{"set", "llama3.3:70b", "--input", "1 gwei", "--cached", "0.1 gwei", "--output", "4 gwei", "--minimum", "7"},
		{"set", "llama3.3:70b", "--output", "5 gwei"},
		{"set", "other", "--input", "1", "--output", "2"},
		{"set", "other", "--remove"},
	} {
		if out, err := price(t, dir, args...); err != nil {
			t.Fatalf("%v: %q, %v", args, out, err)
		}
	}
	out, err := price(t, dir, "show")
	if err != nil || !strings.Contains(out, "llama3.3:70b  1 gwei    0.1 gwei  5 gwei    0 wei      0 wei  7 wei") || !strings.Contains(out, "*             0.2 gwei  0.2 gwei  0.8 gwei") {
		t.Errorf("show:\n%s%v", out, err)
	}
	out, err = price(t, dir, "show", "--json")
	var rows []priceRow
	if err != nil || json.Unmarshal([]byte(out), &rows) != nil || len(rows) != 2 || rows[1].Model != "*" || rows[0].Output != ledger.Wei(5_000_000_000) {
		t.Errorf("as JSON: %s, %v", out, err)
	}
	before, err := os.ReadFile(filepath.Join(dir, selling.ListFile))
	if err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"set"},
		{"set", "new", "--input", "1"},
		{"set", "other", "--remove"},
		{"set", "llama3.3:70b", "--remove", "--input", "1"},
		{"set", "--input", "a lot"},
		{"set", "--input", "0.5"},
		{"set", "a b", "--input", "1", "--output", "1"},
	} {
		if out, err := price(t, dir, args...); err == nil {
			t.Errorf("%v: %q", args, out)
		}
	}
	after, err := os.ReadFile(filepath.Join(dir, selling.ListFile))
	if err != nil || !bytes.Equal(before, after) {
		t.Errorf("what was refused changed the file: %s, %v", after, err)
	}
	if out, err := price(t, dir, "set", "--remove"); err != nil || strings.Contains(out, "*  ") {
		t.Errorf("without a default: %q, %v", out, err)
	}
	if out, err := price(t, dir, "free"); err != nil || !strings.Contains(out, "as you have said") {
		t.Errorf("free: %q, %v", out, err)
	}
	if l, err := selling.ReadList(filepath.Join(dir, selling.ListFile)); err != nil || !l.Free || l.Unsaid() || len(l.Models) > 0 {
		t.Errorf("free is kept as %+v, %v", l, err)
	}
	if out, err := price(t, dir, "set", "--input", "1", "--output", "2"); err != nil || strings.Contains(out, "free") {
		t.Errorf("a price after all: %q, %v", out, err)
	}
}

// What a gateway says of itself follows its prices, and it offers nothing to be
// paid for before there is a sheet.
func TestGatewaySaysWhatItAsks(t *testing.T) {
	dir := t.TempDir()
	s := &shelf{}
	s.put(nil, "m")
	changes := 0
	g := &gateway{cfg: Defaults(), log: slog.New(slog.DiscardHandler), world: dirtest.New(t, time.Hour, 1, 1).World}
	g.cfg.Node.Roles, g.cfg.Node.Announce = []string{RoleProvider}, []string{"/ip4/192.0.2.1/tcp/4811"}
	g.models = &models{backend: s, log: g.log, changed: func() {}, runtime: func(context.Context) string { return "vllm" }, able: chats}
	g.models.look(t.Context(), time.Second)
	unit := ledger.Amount{}
	key := ledger.NewKey()
	var err error
	g.seller, err = selling.Open(selling.Config{
		World: g.world, Key: key, Domain: ledger.Domain{ChainID: 5, Contract: ledger.Address{1}},
		Unit: func() (ledger.Amount, bool) { return unit, true }, Offered: g.offered,
		List: g.cfg.Price.path(dir), File: filepath.Join(dir, selling.SheetsFile), Changed: func() { changes++ }, Log: g.log,
	})
	if err != nil {
		t.Fatal(err)
	}
	offers := func() (directory.Node, bool) {
		g.firstSheet()
		n, ok := g.self()
		if !ok || len(n.Models) != 1 {
			t.Fatalf("says %+v, %v", n, ok)
		}
		return n, !slices.Contains(n.Models[0].Caps, node.CapUnavailable)
	}
	if n, offered := offers(); !offered || n.Priced() || len(n.Pay) != 0 || g.unsold() != nil {
		t.Errorf("without prices: %+v", n)
	}
	if _, err := price(t, dir, "set", "--input", "1 gwei", "--output", "2 gwei"); err != nil {
		t.Fatal(err)
	}
	if n, offered := offers(); offered || n.Priced() || g.unsold() == nil {
		t.Errorf("with prices and no sheet: %+v, %v", n, g.unsold())
	}
	unit = ledger.Wei(1000)
	n, offered := offers()
	if !offered || len(n.Prices) != 1 || len(n.Pay) != 1 || ledger.Address(n.Pay[0].Provider) != key.Address() || n.Pay[0].ChainID != 5 || changes != 1 || g.unsold() != nil {
		t.Errorf("with a sheet: %+v, %d changes", n, changes)
	}
	if raw, ok := g.sheet(n.Prices[0]); !ok || directory.SheetHash(raw) != n.Prices[0] {
		t.Error("the sheet that is named is not there")
	}
	if status := g.seller.Status(); status.Models != 1 || status.Sequence != 1 {
		t.Errorf("status: %+v", status)
	}
	if _, err := price(t, dir, "set", "--remove"); err != nil {
		t.Fatal(err)
	}
	if n, offered := offers(); !offered || n.Priced() {
		t.Errorf("free again: %+v", n)
	}
	g.seller = nil
	if _, ok := g.sheet(n.Prices[0]); ok || g.unsold() != nil {
		t.Error("one that sells nothing has a sheet")
	}
}
