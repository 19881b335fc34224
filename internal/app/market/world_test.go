package market_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/bridge"
	"github.com/culvert-net/culvert/internal/app/devchain"
	"github.com/culvert-net/culvert/internal/app/devchain/ready"
	"github.com/culvert-net/culvert/internal/app/gateway"
	"github.com/culvert-net/culvert/internal/app/node"
	"github.com/culvert-net/culvert/ledger"
	"github.com/culvert-net/culvert/mesh/directory/dirtest"
	"github.com/culvert-net/culvert/mesh/world"
)

// town is a chain with a market, a provider and a client, whose programs do not
// run: commands do everything in their data directories.
type town struct {
	*testing.T
	chain           *devchain.Chain
	seller, buyer   string // data directories
	provider, payer ledger.Address
	market          ready.Market // that the programs use

	rounds uint64        // that were answered
	earned ledger.Amount // with them
}

const passphrase = "correct horse battery"

func newTown(t *testing.T) *town {
	t.Helper()
	chain, err := devchain.Start(t.Context(), devchain.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := chain.Close(); err != nil {
			t.Error(err)
		}
	})
	w := &town{T: t, chain: chain, seller: t.TempDir(), buyer: t.TempDir()}
	text, err := world.Format(dirtest.New(t, time.Hour, 1, 1).World)
	if err != nil {
		t.Fatal(err)
	}
	w.write(filepath.Join(w.seller, "passphrase"), passphrase+"\n")
	w.write(filepath.Join(w.buyer, "passphrase"), passphrase+"\n")
	w.market = chain.Ready().Market
	for i, dir := range []string{w.seller, w.buyer} {
		w.write(filepath.Join(dir, app.WorldFile), string(text))
		w.configure(dir, chain.Ready().RPC, "dev", chain.Ready().Market.CodeHash)
		w.write(filepath.Join(dir, "key"), chain.Ready().Accounts[i].Key)
	}
	if _, err := node.EnsureKey(w.seller); err != nil {
		t.Fatal(err)
	}
	w.must("gateway", "wallet", "import", filepath.Join(w.seller, "key"))
	w.must("bridge", "wallet", "import", filepath.Join(w.buyer, "key"))
	w.provider, w.payer = chain.Ready().Accounts[0].Address, chain.Ready().Accounts[1].Address
	return w
}

func (w *town) write(path, text string) {
	w.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		w.Fatal(err)
	}
}

// configure writes what a program is told about the chain.
func (w *town) configure(dir, url, preset string, code ledger.Hash) {
	w.Helper()
	w.configureFor(dir, url, preset, w.chain.Ready().Market.Address, code, w.chain.Ready().Market.Block)
}

func (w *town) configureFor(dir, url, preset string, contract ledger.Address, code ledger.Hash, block uint64) {
	w.Helper()
	w.write(filepath.Join(dir, app.ConfigFile), fmt.Sprintf("[chain]\npreset = %q\nurl = %q\ncontract = %q\ncode_hash = %q\ndeploy_block = %d\n",
		preset, url, contract, code, block))
}

// run is a command of a program in its data directory. It returns what it printed.
func (w *town) run(ctx context.Context, program string, args ...string) (stdout, stderr string, err error) {
	w.Helper()
	cmd, dir := bridge.Command(), w.buyer
	if program == "gateway" {
		cmd, dir = gateway.Command(), w.seller
	}
	args = append(args, "--data", dir)
	if c, _, err := cmd.Find(args); err == nil && takes(c, "passphrase-file") {
		args = append(args, "--passphrase-file", filepath.Join(dir, "passphrase"))
	}
	var out, told bytes.Buffer
	cmd.SetArgs(args)
	cmd.SetIn(strings.NewReader(""))
	cmd.SetOut(&out)
	cmd.SetErr(&told)
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	err = cmd.ExecuteContext(ctx)
	return out.String(), told.String(), err
}

// body is what a question says, which can be read again.
func (w *town) body(r *http.Request) string {
	text, err := io.ReadAll(r.Body)
	if err != nil {
		w.Error(err)
	}
	r.Body = io.NopCloser(bytes.NewReader(text))
	return string(text)
}

func takes(c *cobra.Command, flag string) bool {
	return c.Flags().Lookup(flag) != nil || c.InheritedFlags().Lookup(flag) != nil
}

func (w *town) must(program string, args ...string) string {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.Context(), 30*time.Second)
	defer cancel()
	out, told, err := w.run(ctx, program, args...)
	if err != nil {
		w.Fatalf("%s %s: %v\n%s%s", program, strings.Join(args, " "), err, told, out)
	}
	return out
}

// refused is the text of the error of a command that has to fail with a code.
func (w *town) refused(code int, program string, args ...string) string {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.Context(), 30*time.Second)
	defer cancel()
	out, told, err := w.run(ctx, program, args...)
	if err == nil || app.Code(err) != code {
		w.Fatalf("%s %s: %v (code %d, want %d)\n%s%s", program, strings.Join(args, " "), err, app.Code(err), code, told, out)
	}
	return err.Error()
}

// ask decodes the JSON that a command prints.
func ask[V any](w *town, program string, args ...string) (v V) {
	w.Helper()
	out := w.must(program, append(args, "--json")...)
	if err := json.Unmarshal([]byte(out), &v); err != nil {
		w.Fatalf("%s %s: %v\n%s", program, strings.Join(args, " "), err, out)
	}
	return v
}
