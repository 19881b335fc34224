//go:build e2e && linux

package e2e

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/market"
	"github.com/culvert-net/culvert/ledger"
)

// A bridge without a node, which is told no address of one, buys from one provider,
// pays it and sees its balance, over circuits to two others that pass its questions
// on and are compared. Its process never has a connection to the chain's port, where
// that of a provider has.
func TestMarketOverCircuits(t *testing.T) {
	t.Parallel()
	s := openStall(t, "--bin", passingOn(t), "--providers", "3")
	node, err := url.Parse(s.Chain.RPC)
	if err != nil {
		t.Fatal(err)
	}
	world, err := os.ReadFile(filepath.Join(s.Dirs["bridge"], app.WorldFile))
	if err != nil {
		t.Fatal(err)
	}
	const others = 4 // accounts, of the sandbox's bridge and providers
	b := &booth{T: t, dir: filepath.Join(t.TempDir(), "b"), provider: s.Chain.Accounts[1].Address.String()}
	t.Cleanup(func() { b.kill(b.served) })
	b.made(b.dir, map[string]string{
		app.WorldFile: string(world), "key": s.Chain.Accounts[others].Key,
		app.ConfigFile: fmt.Sprintf("[api]\nlisten = [\"127.0.0.1:0\"]\nkeyless_money_per_day = \"0\"\n[chain]\npreset = \"dev\"\nvia = \"circuit\"\ndeploy_block = %d\n[status]\nlisten = \"\"\n", s.Chain.Market.Block),
	})
	b.do("bridge", b.dir, "wallet", "import", filepath.Join(b.dir, "key"))
	b.serve()

	var met atomic.Int64
	over, looked := make(chan struct{}), make(chan error, 1)
	go func() {
		for {
			n, err := connections(b.served.Process.Pid, node.Port())
			met.Add(int64(n))
			select {
			case <-over:
				looked <- err
				return
			case <-time.After(5 * time.Millisecond):
			}
			if err != nil {
				looked <- err
				return
			}
		}
	}()

	// The sandbox's own bridge is not used.
	s.Dirs = map[string]string{"bridge": b.dir, "provider-1": s.Dirs["provider-1"]}
	s.env = nil
	eventually(t, patience, "all who sell are seen", func() error {
		var list []market.Listing
		out, err := s.command("bridge", "providers", "--json").Output()
		if err == nil {
			err = json.Unmarshal(out, &list)
		}
		if err != nil || len(list) != 3 {
			return fmt.Errorf("%w: %s; its status has %+v", err, out, s.told().Money)
		}
		return nil
	})
	before := s.onChain(s.Chain.Accounts[others].Address.String())
	if said := b.do("bridge", b.dir, "buy", b.provider, "0.1 eth", "--yes"); !strings.Contains(said, "Done: transaction") {
		t.Fatalf("buying says %s", said)
	}
	if after := s.onChain(s.Chain.Accounts[others].Address.String()); before.Less(s.sum(after, ledger.Wei(1e17))) {
		t.Errorf("the wallet had %v, and has %v", before, after)
	}
	status := s.told()
	s.BaseURL = status.BaseURLs[0]
	eventually(t, patience, "the provider knows of it", func() error {
		for _, c := range told[market.Earnings](s, "provider-1", "earnings").Channels {
			if c.Deposited == ledger.Wei(1e17) {
				return nil
			}
		}
		return errors.New("it does not")
	})
	eventually(t, patience, "the bridge pays from what it bought", func() error {
		p, err := s.buy("", routes()[2], s.mark+"0000")
		if err == nil {
			s.receipts[p.receipt], s.spent = p.cost, p.cost
		}
		return err
	})
	for _, r := range routes() {
		s.pay("", r)
	}
	eventually(t, patience, "it is paid, and seen", func() error {
		if c := s.channel(""); c.Spent != s.spent || !c.Reserved.IsZero() || c.Deposited != ledger.Wei(1e17) {
			return fmt.Errorf("%+v; the answers say %v", c, s.spent)
		}
		return nil
	})
	s.rounds()
	// Whom the bridge pays now it does not ask any more: of three that is one.
	b.do("bridge", b.dir, "topup", b.provider, "0.01 eth", "--yes")
	eventually(t, patience, "the two others are asked", func() error {
		road := s.told().Money.Road
		if road == nil || road.Listed != 3 || !slices.Contains([]string{"provider-2 provider-3", "provider-3 provider-2"}, road.Asked+" "+road.Compared) {
			return fmt.Errorf("%+v", road)
		}
		return nil
	})
	if c := s.channel(""); c.Deposited != ledger.Wei(11e16) {
		t.Errorf("after the top-up the channel has %+v", c)
	}

	close(over)
	if err := <-looked; err != nil {
		t.Fatal(err)
	}
	if n := met.Load(); n > 0 {
		t.Errorf("the bridge was seen %d times with a connection to the chain", n)
	}
	if n, err := connections(s.PIDs["provider-2"], node.Port()); err != nil || n == 0 {
		t.Errorf("a provider has %d connections to the chain, %v: so this would not show the bridge's", n, err)
	}
}

// passingOn are the programs, of which the gateway passes on questions about the chain
// if it is a provider.
func passingOn(t *testing.T) (bin string) {
	t.Helper()
	bin = t.TempDir()
	for _, name := range []string{"bridge", "observer", "devchain", "gateway"} {
		target, err := filepath.Abs(program(name))
		if err == nil && name == "gateway" {
			script := fmt.Sprintf("#!/bin/sh\ncase \"$*\" in serve*/provider-*) set -- \"$@\" --chain-serve ;; esac\nexec '%s' \"$@\"\n", target)
			err = os.WriteFile(filepath.Join(bin, name), []byte(script), 0o700)
		} else if err == nil {
			err = os.Symlink(target, filepath.Join(bin, name))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return bin
}

// connections is how many a process has to a port of 127.0.0.1.
func connections(pid int, port string) (n int, err error) {
	to, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return 0, err
	}
	far := fmt.Sprintf("0100007F:%04X", to)
	dir := fmt.Sprintf("/proc/%d/fd", pid)
	fds, err := os.ReadDir(dir)
	if err != nil {
		return 0, err
	}
	own := make(map[string]bool)
	for _, fd := range fds {
		if name, err := os.Readlink(filepath.Join(dir, fd.Name())); err == nil {
			if inode, ok := strings.CutPrefix(name, "socket:["); ok {
				own[strings.TrimSuffix(inode, "]")] = true
			}
		}
	}
	f, err := os.Open("/proc/net/tcp")
	if err != nil {
		return 0, err
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if c := strings.Fields(lines.Text()); len(c) > 9 && c[2] == far && own[c[9]] {
			n++
		}
	}
	return n, nil
}
