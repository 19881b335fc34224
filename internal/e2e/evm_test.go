//go:build e2e && evm && linux

package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	devready "github.com/culvert-net/culvert/internal/app/devchain/ready"
	"github.com/culvert-net/culvert/ledger"
	"github.com/culvert-net/culvert/ledger/chain"
)

// Variables by which the stand-in knows what to run.
const (
	anvilVariable    = "CULVERT_ANVIL"
	programsVariable = "CULVERT_STANDIN_PROGRAMS"
)

func init() { standIn = anvil }

// The market is walked on a chain whose node shares no code with the product.
func TestMarketEVM(t *testing.T) {
	if os.Getenv(anvilVariable) == "" {
		t.Skip("SKIP TestMarketEVM: " + anvilVariable + " names no node; make evm does")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	// The sandbox finds this program where it looks for devchain.
	bin := t.TempDir()
	for _, name := range []string{"bridge", "gateway", "observer"} {
		target, err := filepath.Abs(program(name))
		if err == nil {
			err = os.Symlink(target, filepath.Join(bin, name))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(self, filepath.Join(bin, "devchain")); err != nil {
		t.Fatal(err)
	}
	t.Setenv(programsVariable, bin)
	s := openStall(t, "--bin", bin)
	if version := rpc(t, s.Chain.RPC, "web3_clientVersion", "[]"); !strings.Contains(version, "anvil") {
		t.Fatalf("the node is %s", version)
	}
	s.later = func(d time.Duration) {
		rpc(t, s.Chain.RPC, "evm_increaseTime", fmt.Sprintf("[%d]", int(d.Seconds())))
		rpc(t, s.Chain.RPC, "evm_mine", "[]")
	}
	s.walk()
}

// anvil is a devchain to whoever starts one: a node with a market on it, which ends
// with standard input.
func anvil(args []string) int {
	runtime.LockOSThread() // the node ends with this thread
	if err := runAnvil(args); err != nil {
		fmt.Fprintln(os.Stderr, "devchain:", err)
		return 1
	}
	return 0
}

func runAnvil(args []string) error {
	flag := func(name string) string { return args[slices.Index(args, name)+1] }
	dir, err := os.MkdirTemp("", "anvil-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	config := filepath.Join(dir, "anvil.json")
	node := exec.Command(os.Getenv(anvilVariable), "--port", flag("--port"), "--chain-id", "31337", "--config-out", config, "--quiet",
		// Else a claim costs more than the few answers of a test bring.
		"--base-fee", "100000000", "--disable-min-priority-fee")
	node.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := node.Start(); err != nil {
		return err
	}
	defer func() {
		_ = node.Process.Kill()
		_ = node.Wait()
	}()
	f := &devready.File{RPC: "http://127.0.0.1:" + flag("--port"), PID: os.Getpid(), ChainID: 31337}
	if f.Accounts, err = anvilAccounts(f.RPC, config); err != nil {
		return err
	}
	// The last account is nobody's, and nothing of it is used afterwards.
	if f.Market, err = deployMarket(dir, f.RPC, f.Accounts[len(f.Accounts)-1].Key); err != nil {
		return err
	}
	if err := devready.Write(flag("--ready-file"), f); err != nil {
		return err
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop <- os.Interrupt
	}()
	<-stop
	return nil
}

// anvilAccounts waits until the node answers, and reads who has money there.
func anvilAccounts(url, config string) (all []devready.Account, err error) {
	var said struct {
		Accounts []ledger.Address `json:"available_accounts"`
		Keys     []string         `json:"private_keys"`
	}
	for end := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		var resp *http.Response
		resp, err = http.Post(url, "application/json", strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[]}`))
		if err == nil {
			_ = resp.Body.Close()
			break
		}
		if time.Now().After(end) {
			return nil, err
		}
	}
	text, err := os.ReadFile(config)
	if err == nil {
		err = json.Unmarshal(text, &said)
	}
	if err != nil || len(said.Accounts) == 0 || len(said.Accounts) != len(said.Keys) {
		return nil, fmt.Errorf("the node's accounts: %q, %w", text, err)
	}
	for i, a := range said.Accounts {
		all = append(all, devready.Account{Address: a, Key: said.Keys[i]})
	}
	return all, nil
}

// deployMarket brings the market to the node, by the commands that people use.
func deployMarket(dir, url, key string) (m devready.Market, err error) {
	passphrase := filepath.Join(dir, "passphrase")
	if err := os.WriteFile(passphrase, []byte("worth nothing\n"), 0o600); err != nil {
		return m, err
	}
	gateway := func(in string, args ...string) ([]byte, error) {
		cmd := exec.Command(filepath.Join(os.Getenv(programsVariable), "gateway"),
			append(args, "--data", filepath.Join(dir, "deployer"), "--passphrase-file", passphrase, "--json")...)
		var said bytes.Buffer
		cmd.Stdin, cmd.Stderr = strings.NewReader(in), &said
		out, err := cmd.Output()
		if err != nil {
			return nil, fmt.Errorf("gateway %v: %w: %s", args, err, &said)
		}
		return out, nil
	}
	if _, err := gateway(key+"\n", "wallet", "import", "-"); err != nil {
		return m, err
	}
	out, err := gateway("", "market", "deploy", "--chain", "dev", "--url", url, "--yes")
	if err != nil {
		return m, err
	}
	var made chain.Deployed
	if err := json.Unmarshal(out, &made); err != nil {
		return m, err
	}
	return devready.Market{Address: made.Contract, CodeHash: made.CodeHash, Block: made.Block}, nil
}
