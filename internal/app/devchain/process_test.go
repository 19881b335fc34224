package devchain

import (
	"bytes"
	"fmt"
	"io"
	"math/big"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/params"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/devchain/ready"
)

// asProgram makes this test binary the program: a chain can be killed only in a
// process of its own.
const asProgram = "DEVCHAIN_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		os.Exit(app.Main(Command()))
	}
	os.Exit(m.Run())
}

// process is the program, running.
type process struct {
	*exec.Cmd
	stdin    io.Closer
	out, err bytes.Buffer // read once it has ended
}

func child(t *testing.T, args ...string) *process {
	t.Helper()
	p := &process{Cmd: exec.Command(os.Args[0], args...)}
	p.Env = append(os.Environ(), asProgram+"=1")
	p.Stdout, p.Stderr = &p.out, &p.err
	var err error
	if p.stdin, err = p.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	return p
}

// launch starts serve on a directory, and returns what it says once it answers.
func launch(t *testing.T, dir string, args ...string) (*process, *ready.File) {
	t.Helper()
	file := filepath.Join(dir, "ready.json")
	_ = os.Remove(file)
	p := child(t, append([]string{"serve", "--data", filepath.Join(dir, "d"), "--port", "0", "--ready-file", file, "--exit-with-stdin"}, args...)...)
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	t.Cleanup(func() {
		_ = p.Process.Kill()
		<-ended
	})
	go func() { // received by the cleanup
		_ = p.Wait()
		close(ended)
	}()
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if f, err := ready.Read(file); err == nil {
			return p, f
		}
		select {
		case <-ended:
			t.Fatalf("it ended before it was ready:\n%s", p.err.String())
		default:
		}
		if time.Now().After(end) {
			t.Fatal("not ready in time")
		}
	}
}

// kill ends it as a power cut of this one process.
func (p *process) kill() { _ = p.Process.Kill() }

// Killed at any moment, the chain opens again: all is there that was answered, but
// for the newest block, and it goes on.
func TestKill(t *testing.T) {
	rounds := 12
	if testing.Short() {
		rounds = 3
	}
	dir := t.TempDir()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	chance := rand.New(rand.NewPCG(seed, 0))
	var kept []common.Hash // of blocks from marketBlock+1, as they were seen
	for round := range rounds {
		p, file := launch(t, dir)
		u := dial(t, *file)
		head := u.head().Number.Uint64()
		if lost := int(marketBlock+len(kept)) - int(head); lost > 1 {
			t.Fatalf("round %d: blocks up to %d were seen, and %d is the newest", round, marketBlock+len(kept), head)
		}
		kept = kept[:min(len(kept), int(head-marketBlock))]
		for i, want := range kept {
			if got, err := u.HeaderByNumber(t.Context(), new(big.Int).SetUint64(uint64(marketBlock+1+i))); err != nil || got.Hash() != want {
				t.Fatalf("round %d: block %d is not what it was: %v", round, marketBlock+1+i, err)
			}
		}
		nonce, err := u.NonceAt(t.Context(), common.Address(Accounts()[0].Address), nil)
		if err != nil || nonce != u.received() {
			t.Fatalf("round %d: %d payments sent, %d received, %v", round, nonce, u.received(), err)
		}
		for n := marketBlock + 1 + len(kept); uint64(n) <= head; n++ {
			h, err := u.HeaderByNumber(t.Context(), new(big.Int).SetUint64(uint64(n)))
			if err != nil {
				t.Fatal(err)
			}
			kept = append(kept, h.Hash())
		}
		// One payment is always made; then until it is killed.
		kept = append(kept, u.pay(0, nonce).BlockHash)
		var killing sync.WaitGroup
		after := time.Duration(chance.IntN(40_000)) * time.Microsecond
		killing.Go(func() { time.Sleep(after); p.kill() })
		for nonce++; ; nonce++ {
			tx := payment(t, 0, nonce, 2*params.GWei)
			if u.SendTransaction(t.Context(), tx) != nil {
				break
			}
			seen := false
			for !seen {
				r, err := u.TransactionReceipt(t.Context(), tx.Hash())
				if err != nil && !strings.Contains(err.Error(), "not found") && !strings.Contains(err.Error(), "indexing") {
					break
				}
				if seen = err == nil; seen {
					kept = append(kept, r.BlockHash)
				}
			}
			if !seen {
				break
			}
		}
		killing.Wait()
		t.Logf("round %d: killed after %v, %d blocks", round, after, marketBlock+len(kept))
	}
}

// Killed while it opens, it opens the next time.
func TestKillWhileStarting(t *testing.T) {
	rounds := 8
	if testing.Short() {
		rounds = 2
	}
	dir := t.TempDir()
	chance := rand.New(rand.NewPCG(1, 1))
	for range rounds {
		p := child(t, "serve", "--data", filepath.Join(dir, "d"), "--port", "0")
		if err := p.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(chance.IntN(600)) * time.Millisecond)
		p.kill()
		_ = p.Wait()
	}
	_, file := launch(t, dir)
	u := dial(t, *file)
	if r := u.pay(0, 0); r.BlockNumber.Uint64() != marketBlock+1 {
		t.Errorf("the first payment is in block %v", r.BlockNumber)
	}
}

// What a person types, and what is printed.
func TestCommands(t *testing.T) {
	dir, err := os.MkdirTemp("", "devchain") // short: a socket's path is bounded
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	p, file := launch(t, dir, "--log-format", "json", "--log-level", "debug")
	run := func(code int, args ...string) string {
		t.Helper()
		c := child(t, append(args, "--data", filepath.Join(dir, "d"))...)
		_ = c.Run()
		if got := c.ProcessState.ExitCode(); got != code {
			t.Errorf("%q: exit %d, want %d\n%s%s", args, got, code, c.out.String(), c.err.String())
		}
		return c.out.String() + c.err.String()
	}
	for _, tt := range []struct {
		code int
		want string
		args []string
	}{
		{0, "Block 13, ", []string{"mine", "12"}},
		{0, "Block 14, ", []string{"advance", "25h"}},
		{0, "ahead of this machine", []string{"status"}},
		{0, `"head": 14`, []string{"status", "--json"}},
		{0, "Block 12, ", []string{"rewind", "2", "--drop"}},
		{0, file.Market.Address.String(), []string{"status"}},
		{0, "devchain ", []string{"version"}},
		{0, "period", []string{"config", "check"}},
		{1, "the market stays", []string{"rewind", "12"}},
		{2, "is not a duration", []string{"advance", "soon"}},
		{2, "is not a number of blocks", []string{"mine", "0"}},
		{2, "whole seconds", []string{"serve", "--period", "1ms"}},
		{2, "there is no directory", []string{"serve", "--ready-file", filepath.Join(dir, "none", "x")}},
		{1, "is in use", []string{"serve", "--port", "0"}},
	} {
		if said := run(tt.code, tt.args...); !strings.Contains(said, tt.want) {
			t.Errorf("%q says %q; want %q", tt.args, said, tt.want)
		}
	}
	// The parent is gone.
	if err := p.stdin.Close(); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if _, err := os.Stat(filepath.Join(dir, "d", "admin.sock")); err != nil {
			break
		}
		if time.Now().After(end) {
			t.Fatal("it goes on without its parent")
		}
	}
	if said := run(3, "mine", "1"); !strings.Contains(said, "no devchain is running") {
		t.Errorf("mine without a chain says %q", said)
	}
}

// Whoever reads the output is told what the keys are.
func TestIntroduce(t *testing.T) {
	var out bytes.Buffer
	f := ready.File{RPC: "http://127.0.0.1:8545", ChainID: ChainID, Market: ready.Market{Block: marketBlock}, Accounts: Accounts()}
	if err := introduce(&out, &f); err != nil {
		t.Fatal(err)
	}
	text := out.String()
	warned, shown := strings.Index(text, "THE KEYS BELOW ARE PUBLISHED"), strings.Index(text, published()[0])
	if warned < 0 || shown < warned || !strings.Contains(text, fmt.Sprint(coins)) {
		t.Errorf("it says %q; want the warning before the keys", text)
	}
}
