//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/node"
)

// stile stands between programs and their chain, and stops them at one question.
type stile struct {
	*httptest.Server
	mu      sync.Mutex
	method  string        // that is stopped; "": none
	after   bool          // once it has an answer, which is not passed on
	reached chan struct{} // closed when it was stopped
	open    chan struct{} // closed when all go on
}

func newStile(t *testing.T, to string) *stile {
	t.Helper()
	target, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	pass := httputil.NewSingleHostReverseProxy(target)
	s := &stile{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(text))
		s.mu.Lock()
		stopped := s.method != "" && strings.Contains(string(text), `"`+s.method+`"`)
		after, reached, open := s.after, s.reached, s.open
		if stopped {
			s.method = ""
		}
		s.mu.Unlock()
		if !stopped {
			pass.ServeHTTP(w, r)
			return
		}
		if after {
			pass.ServeHTTP(httptest.NewRecorder(), r)
		}
		close(reached)
		<-open
		http.Error(w, "gone", http.StatusBadGateway)
	}))
	t.Cleanup(s.Close)
	return s
}

// stop arms it.
func (s *stile) stop(method string, after bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.method, s.after, s.reached, s.open = method, after, make(chan struct{}), make(chan struct{})
}

// booth is a bridge that pays, and what it takes to sell to it.
type booth struct {
	*testing.T
	dir, seller string
	provider    string
	served      *exec.Cmd // the bridge, if it runs
	log         *output
}

// do runs a command to its end.
func (s *booth) do(program, dir string, args ...string) string {
	s.Helper()
	out, err := s.command(program, dir, args...).CombinedOutput()
	if err != nil {
		s.Fatalf("%s %s: %v\n%s", program, strings.Join(args, " "), err, out)
	}
	return string(out)
}

func (s *booth) command(name, dir string, args ...string) *exec.Cmd {
	cmd := exec.Command(program(name), append(args, "--data", dir)...)
	cmd.Env = append(os.Environ(), "CULVERT_PASSPHRASE=correct horse battery")
	return cmd
}

// made is a data directory with files in it.
func (s *booth) made(dir string, files map[string]string) {
	s.Helper()
	if err := os.Mkdir(dir, 0o700); err != nil {
		s.Fatal(err)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			s.Fatal(err)
		}
	}
}

// serve starts the bridge. It is killed at the end.
func (s *booth) serve() {
	s.Helper()
	s.log = &output{}
	s.served = s.command("bridge", s.dir, "serve")
	s.served.Stdout, s.served.Stderr = s.log, s.log
	if err := s.served.Start(); err != nil {
		s.Fatal(err)
	}
	eventually(s.T, patience, "the bridge answers", func() error {
		out, err := s.command("bridge", s.dir, "balance", "--json").CombinedOutput()
		if err == nil && !strings.Contains(s.log.String(), "bridge is serving") {
			err = fmt.Errorf("not yet serving\n%s", s.log)
		}
		if err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	})
}

func (s *booth) kill(cmd *exec.Cmd) {
	if cmd != nil && cmd.Process != nil {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
}

// deposited is what the bridge's channels hold, in wei.
func (s *booth) deposited() string {
	s.Helper()
	var b struct {
		Channels []struct {
			Deposited string `json:"deposited"`
		} `json:"channels"`
	}
	text := s.do("bridge", s.dir, "balance", "--json")
	if err := json.Unmarshal([]byte(text), &b); err != nil || len(b.Channels) > 1 {
		s.Fatalf("%v: %s", err, text)
	}
	if len(b.Channels) == 0 {
		return "0"
	}
	return b.Channels[0].Deposited
}

// A purchase is made once, whoever is killed between agreeing and its block: the
// command, or the program that it told; and whether the program runs the next time.
func TestMarketKilled(t *testing.T) {
	t.Parallel()
	w := start(t, "--backend", "mock", "--chain")
	s := &booth{T: t, dir: filepath.Join(t.TempDir(), "b"), seller: filepath.Join(t.TempDir(), "g")}
	t.Cleanup(func() { s.kill(s.served) })
	through := newStile(t, w.Chain.RPC)
	world, err := os.ReadFile(filepath.Join(w.Dirs["bridge"], app.WorldFile))
	if err != nil {
		t.Fatal(err)
	}
	config := fmt.Sprintf("[chain]\npreset = \"dev\"\nurl = %q\ncontract = %q\ncode_hash = %q\ndeploy_block = %d\n[status]\nlisten = \"\"\n",
		through.URL, w.Chain.Market.Address, w.Chain.Market.CodeHash, w.Chain.Market.Block)
	for i, dir := range []string{s.seller, s.dir} {
		own := config
		if dir == s.dir {
			own += "[api]\nlisten = [\"127.0.0.1:0\"]\n"
		}
		s.made(dir, map[string]string{app.WorldFile: string(world), app.ConfigFile: own, "key": w.Chain.Accounts[i].Key})
	}
	if _, err := node.EnsureKey(s.seller); err != nil {
		t.Fatal(err)
	}
	s.provider = w.Chain.Accounts[0].Address.String()
	s.do("gateway", s.seller, "wallet", "import", filepath.Join(s.seller, "key"))
	s.do("bridge", s.dir, "wallet", "import", filepath.Join(s.dir, "key"))
	s.do("gateway", s.seller, "price", "set", "--input", "1 gwei", "--output", "2 gwei")
	s.do("gateway", s.seller, "register", "--yes")

	buy := []string{"buy", s.provider, "1 wei", "--yes"}
	paid := 0
	for _, c := range []struct {
		name    string
		method  string
		after   bool
		served  bool // a bridge runs
		killed  string
		serving bool // a bridge runs the next time
	}{
		{"command before it sends", "eth_sendRawTransaction", false, false, "command", false},
		{"command after it sent", "eth_sendRawTransaction", true, false, "command", false},
		{"command while it waits", "eth_getTransactionReceipt", false, false, "command", true},
		{"command that told the bridge", "eth_sendRawTransaction", true, true, "command", true},
		{"bridge before it sends", "eth_sendRawTransaction", false, true, "bridge", false},
		{"bridge after it sent", "eth_sendRawTransaction", true, true, "bridge", true},
		{"bridge while it waits", "eth_getTransactionReceipt", true, true, "bridge", false},
	} {
		s.kill(s.served)
		if s.served = nil; c.served {
			s.serve()
		}
		through.stop(c.method, c.after)
		cmd, out := s.command("bridge", s.dir, buy...), &output{}
		cmd.Stdout, cmd.Stderr = out, out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		reaches(t, c.name+": it comes to "+c.method, through.reached)
		if c.killed == "command" {
			s.kill(cmd)
		} else {
			s.kill(s.served)
			s.served = nil
			if err := cmd.Wait(); err == nil || !strings.Contains(out.String(), "To go on: ") {
				t.Errorf("%s: the command ends with %v, and does not say how to go on: %s", c.name, err, out)
			}
		}
		close(through.open)
		if c.serving && s.served == nil {
			s.serve()
		}
		said := s.do("bridge", s.dir, buy...)
		paid++
		if !strings.Contains(said, "was sent by an earlier command") {
			t.Errorf("%s: the next command does not find it: %s", c.name, said)
		}
		if got := s.deposited(); got != fmt.Sprint(paid) {
			t.Fatalf("%s: %s wei are paid in, want %d", c.name, got, paid)
		}
	}
}

func reaches(t *testing.T, what string, done <-chan struct{}) {
	t.Helper()
	eventually(t, patience, what, func() error {
		select {
		case <-done:
			return nil
		default:
			return errors.New("not yet")
		}
	})
}
