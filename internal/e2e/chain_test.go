//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/culvert-net/culvert/internal/app/doctor"
)

// rpc asks a chain and returns the result as JSON.
func rpc(t *testing.T, url, method, params string) string {
	t.Helper()
	resp, err := http.Post(url, "application/json", strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"`+method+`","params":`+params+`}`))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	var answer struct{ Result, Error json.RawMessage }
	if err := json.Unmarshal(text, &answer); err != nil || len(answer.Error) > 0 {
		t.Fatalf("%s: %s, %v", method, text, err)
	}
	return string(bytes.Trim(answer.Result, `"`))
}

// A sandbox has a chain, with the market and money on it; killed, it is missed and
// nothing else is; kept, it goes on the next time, at the same port.
func TestSandboxChain(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "d")
	w := start(t, "--backend", "mock", "--chain", "--dir", dir)
	if w.Chain == nil || w.Chain.PID != w.PIDs["devchain"] || w.Chain.ChainID != 31337 || len(w.Chain.Accounts) == 0 {
		t.Fatalf("the ready file has the chain %+v, process %d", w.Chain, w.PIDs["devchain"])
	}
	if said := w.out.String(); !strings.Contains(said, w.Chain.RPC) || !strings.Contains(said, "keys are published") {
		t.Errorf("the sandbox says\n%s", said)
	}
	market := fmt.Sprintf(`[%q,"latest"]`, w.Chain.Market.Address.String())
	if code := rpc(t, w.Chain.RPC, "eth_getCode", market); len(code) < 1000 {
		t.Errorf("the market's code is %s", code)
	}
	if money := rpc(t, w.Chain.RPC, "eth_getBalance", fmt.Sprintf(`[%q,"latest"]`, w.Chain.Accounts[0].Address.String())); len(money) < 10 {
		t.Errorf("the first account has %s", money)
	}
	doctors := func(level doctor.Level, checks map[string][]string) {
		t.Helper()
		for node, names := range checks {
			r, _ := examined(t, map[string]string{"bridge": "bridge", "provider-1": "gateway"}[node], "--data", w.Dirs[node])
			for _, c := range names {
				if f := finding(r, c); f.Level != level {
					t.Errorf("%s: %s is %+v, want %s", node, c, f, level)
				}
			}
		}
	}
	doctors(doctor.OK, map[string][]string{
		"bridge": {"wallet", "chain", "channels"}, "provider-1": {"wallet", "chain", "gas", "price", "claims"},
	})
	rpc(t, w.Chain.RPC, "dev_mine", "[3]")
	newest := blockNumber(t, w.Chain.RPC)
	w.signal("devchain", syscall.SIGKILL)
	eventually(t, patience, "the sandbox says that the chain died", func() error {
		if !strings.Contains(w.out.String(), fmt.Sprintf("devchain (pid %d) died", w.PIDs["devchain"])) {
			return errors.New("it does not")
		}
		return nil
	})
	doctors(doctor.Problem, map[string][]string{"bridge": {"chain"}, "provider-1": {"chain"}})
	w.ask(strings.Replace(chatBody(false), `"m"`, `"culvert-demo"`, 1)).completed(t)
	w.interrupt()
	<-w.done
	again := start(t, "--backend", "mock", "--chain", "--dir", dir)
	if again.Chain.RPC != w.Chain.RPC || again.Chain.Market != w.Chain.Market {
		t.Errorf("the chain is %+v, was %+v", again.Chain, w.Chain)
	}
	if got := blockNumber(t, again.Chain.RPC); got+1 < newest || newest < 4 {
		t.Errorf("the newest block is %d, was %d; it may miss one", got, newest)
	}
}

func blockNumber(t *testing.T, url string) uint64 {
	t.Helper()
	text := rpc(t, url, "eth_blockNumber", "[]")
	n, err := strconv.ParseUint(text, 0, 64)
	if err != nil {
		t.Fatalf("eth_blockNumber: %q, %v", text, err)
	}
	return n
}
