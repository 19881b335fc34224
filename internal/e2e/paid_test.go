//go:build e2e

package e2e

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/culvert-net/culvert/api/backend/backendtest"
	"github.com/culvert-net/culvert/circuit"
	"github.com/culvert-net/culvert/internal/app/market"
	"github.com/culvert-net/culvert/internal/app/sandbox"
	"github.com/culvert-net/culvert/internal/app/wallet"
	"github.com/culvert-net/culvert/internal/config"
	"github.com/culvert-net/culvert/internal/serve"
)

// crowd is how many requests of one API key are under way at once.
const crowd = 64

// 64 requests of one key at once, streamed and whole, on every route, again and
// again: what the answers say they have cost, the bridge's rounds and balance and the
// provider's earnings and its claim are one sum to the wei. No relay has a word of it in its memory; killed with -9, no file has.
func TestPaidCrowd(t *testing.T) {
	t.Parallel()
	s := openStall(t)
	s.restart("provider-1", patient()...)
	s.guest = s.addKey("crowd")
	for range 2 {
		var mu sync.Mutex
		if err := atOnce(crowd, crowd, func(i int) error {
			p, err := s.buy(s.guest, routes()[i%len(routes())], fmt.Sprintf("%s%s", s.mark, rand.Text()[:8]))
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			if _, twice := s.receipts[p.receipt]; twice {
				return fmt.Errorf("receipt %s is there twice", p.receipt)
			}
			s.receipts[p.receipt] = p.cost
			s.spent = s.sum(s.spent, p.cost)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		s.settled()
	}
	if len(s.receipts) != 2*crowd {
		t.Errorf("%d receipts, want %d", len(s.receipts), 2*crowd)
	}
	s.rounds()
	e := s.earnings()
	if len(e.Channels) != 1 || e.Channels[0].Earned != s.spent || e.Unclaimed != s.spent || !e.Owed.IsZero() {
		t.Errorf("the provider's earnings are %+v; the answers say %v", e, s.spent)
	}
	if done := s.deal("provider-1", "claim"); done.Amount != s.spent {
		t.Errorf("%v is claimed, %v was earned", done.Amount, s.spent)
	}
	s.moneyKeys()
	if runtime.GOOS == "linux" {
		find := newFinder(s.mark)
		for name, pid := range s.PIDs {
			if !strings.HasPrefix(name, "relay-") {
				continue
			}
			memory(t, pid, func(region []byte) {
				if word, dress := find.find(region); word != "" {
					t.Errorf("%s's memory holds a prompt or an answer as %s", name, dress)
				}
				if what := s.secretIn(region); what != "" {
					t.Errorf("%s's memory holds %s", name, what)
				}
			})
		}
	}
	s.forgotten()
}

// What every relay read from its links and wrote to them, with its own layer taken
// off or put on, and what it logged at debug, holds nothing of paid rounds: no word of
// a prompt or an answer, no key of client, provider, wallet or channel, and no name of
// who pays: not the funder, not the session key, not the channel.
func TestRelaysSeeNoPayment(t *testing.T) {
	const prompts, clients = 120, 8
	mark, clientKey, apiKey := rand.Text()[:24], "sk-client-"+rand.Text(), "sk-hosted-"+rand.Text()
	u := backendtest.NewUpstream(t)
	u.Set(sayBack) // the sandbox looks without a key
	o := sandbox.Defaults()
	o.Backend, o.Listen, o.InProcess, o.LogLevel, o.Bin = u.URL, "127.0.0.1:0", true, "debug", programs
	o.Dir, o.ReadyFile = filepath.Join(t.TempDir(), "d"), filepath.Join(t.TempDir(), "ready.json")
	o.Out, o.Err = io.Discard, t.Output()
	from := &wallet.Passphrases{File: filepath.Join(o.Dir, "passphrase"), Flag: "--passphrase-file", Env: func(string) string { return "" }}
	tapes := make(map[string]*tape) // by relay; written before the relay starts
	o.Watch = func(name string, n *sandbox.InProcess) {
		switch {
		case strings.HasPrefix(name, "relay-"):
			tp := &tape{}
			tapes[name] = tp
			n.Gateway.WrapLinks = func(l circuit.Links) circuit.Links { return &tappedLinks{Links: l, tape: tp} }
		case n.Gateway != nil:
			n.Gateway.Passphrases = from
			u.Set(hosted(apiKey))
			n.Gateway.Config.Provider.Key = config.NewSecret(apiKey)
		case n.Bridge != nil:
			n.Bridge.Passphrases = from
		}
	}
	w := runSandbox(t, o)
	s := &stall{world: &world{t: t, upstream: u.URL, Ready: w.ready}, mark: mark, secrets: map[string]string{clientKey: "the client's API key", apiKey: "the provider's API key"}}
	if err := atOnce(clients, prompts, func(i int) error {
		_, err := s.buy(clientKey, routes()[i%len(routes())], fmt.Sprintf("%s%04d", mark, i))
		return err
	}); err != nil {
		t.Fatal(err)
	}
	var b market.Balance
	eventually(t, patience, "all is paid", func() error {
		b = market.Balance{}
		if err := serve.Tell(t.Context(), filepath.Join(w.ready.Dirs["bridge"], serve.AdminSocket), "/market/balance", struct{}{}, &b); err != nil {
			return err
		}
		if len(b.Channels) != 1 || b.Channels[0].Spent.IsZero() || !b.Channels[0].Reserved.IsZero() {
			return fmt.Errorf("%+v", b.Channels)
		}
		return nil
	})
	session := s.moneyKeys().Address()
	w.stop(t)
	for what, name := range map[string][]byte{"the channel": b.Channels[0].Channel[:], "the session key's address": session[:], "the funder": b.Wallet[:]} {
		s.secrets[string(name)], s.secrets[hex.EncodeToString(name)] = what, what
	}

	find, busy := newFinder(mark), 0
	for name, tp := range tapes {
		if tp.bytes() > 100<<10 {
			busy++
		}
		log, err := os.ReadFile(w.ready.Logs[name])
		if err != nil {
			t.Fatal(err)
		}
		records := map[string][]byte{"log": log}
		for i, l := range tp.links {
			records[fmt.Sprintf("link %d, read", i)], records[fmt.Sprintf("link %d, written", i)] = l.read, l.written
		}
		for where, record := range records {
			if word, dress := find.find(record); word != "" {
				t.Errorf("%s, %s: %q as %s", name, where, word, dress)
			}
			if what := s.secretIn(record); what != "" {
				t.Errorf("%s, %s: %s", name, where, what)
			}
		}
	}
	if busy < 2 {
		t.Errorf("%d relays carried more than 100 KiB; the payments did not go through them", busy)
	}
}
