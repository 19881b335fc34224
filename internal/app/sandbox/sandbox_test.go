package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/devchain/ready"
	"github.com/culvert-net/culvert/internal/app/gateway"
	"github.com/culvert-net/culvert/internal/app/selling"
	"github.com/culvert-net/culvert/internal/app/wallet"
	"github.com/culvert-net/culvert/ledger"
	"github.com/culvert-net/culvert/mesh/world"
)

func TestCheck(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*Options)
		code   int
		want   string
	}{
		{"defaults", func(*Options) {}, 0, ""},
		{"one hop", func(o *Options) { o.Hops, o.Relays = 1, 1 }, 0, ""},
		{"demo model", func(o *Options) { o.Backend = "mock" }, 0, ""},
		{"backend with a version", func(o *Options) { o.Backend = "http://127.0.0.1:1/v1" }, 0, ""},
		{"no relay", func(o *Options) { o.Hops, o.Relays = 1, 0 }, 2, "--relays 0"},
		{"too few relays", func(o *Options) { o.Relays = 1 }, 2, "--relays 1"},
		{"no provider", func(o *Options) { o.Providers = 0 }, 2, "--providers 0"},
		{"too many nodes", func(o *Options) { o.Relays = 300 }, 2, "at most"},
		{"six hops", func(o *Options) { o.Hops, o.Relays = 6, 9 }, 2, "--hops 6"},
		{"short epoch", func(o *Options) { o.Epoch = time.Second }, 2, "--epoch 1s"},
		{"backend", func(o *Options) { o.Backend = "127.0.0.1:11434" }, 2, "--backend"},
		{"listen", func(o *Options) { o.Listen = "8811" }, 2, "--listen 8811"},
		{"listen for all", func(o *Options) { o.Listen = "0.0.0.0:8811" }, 4, "--listen 0.0.0.0:8811"},
	} {
		o := Defaults()
		tt.change(&o)
		err := o.check()
		if app.Code(err) != tt.code || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v (code %d); want %q (code %d)", tt.name, err, app.Code(err), tt.want, tt.code)
		}
	}
}

// makePlan lays a plan and writes it.
func makePlan(ctx context.Context, o *Options, dir string, src source, chain *ready.File) (*plan, error) {
	p, err := layPlan(o, dir)
	if err != nil {
		return nil, err
	}
	return p, p.write(ctx, o, src, chain)
}

// A plan with a chain has wallets, prices, and a world that names the market; a
// second run keeps what owners have set.
func TestPlanHasMoney(t *testing.T) {
	dir := t.TempDir()
	o := Defaults()
	o.Listen = "127.0.0.1:0"
	chain := &ready.File{
		RPC: "http://127.0.0.1:1", ChainID: 31337, Market: ready.Market{Address: ledger.Address{1}, CodeHash: ledger.Hash{2}, Block: 1},
		Accounts: []ready.Account{{Key: "0x01"}, {Key: "0x02"}},
	}
	for i := range chain.Accounts {
		key, err := ledger.KeyOfBytes([32]byte{31: byte(i + 1)})
		if err != nil {
			t.Fatal(err)
		}
		secret := key.Secret()
		chain.Accounts[i] = ready.Account{Address: key.Address(), Key: fmt.Sprintf("0x%x", secret)}
	}
	p, err := makePlan(t.Context(), &o, dir, source{kind: gateway.BackendMock}, chain)
	if err != nil {
		t.Fatal(err)
	}
	w, err := world.Load(filepath.Join(dir, app.WorldFile))
	if err != nil {
		t.Fatal(err)
	}
	if c := w.Charter.Chain; c == nil || c.ID != 31337 || c.Contract != [20]byte{1} || c.RuntimeCodeHash != (world.Hash{2}) {
		t.Errorf("the charter's chain is %+v", c)
	}
	provider := p.providers[0]
	for i, s := range []*spec{p.bridge, provider} {
		info, err := wallet.Look(wallet.Config{Data: s.dir, From: &wallet.Passphrases{Env: func(string) string { return "" }}})
		if err != nil || info.Address != chain.Accounts[i].Address {
			t.Errorf("%s: %+v, %v", s.name, info, err)
		}
		if !slices.Contains(s.flags, "--passphrase-file") {
			t.Errorf("%s is started with %q", s.name, s.flags)
		}
	}
	prices := filepath.Join(provider.dir, selling.ListFile)
	if l, err := selling.ReadList(prices); err != nil || *l.Default.Output != priceOutput {
		t.Errorf("prices %+v, %v", l, err)
	}
	own := ledger.Wei(7)
	if err := (selling.List{Default: &selling.Price{Input: &own, Output: &own}}).Write(prices); err != nil {
		t.Fatal(err)
	}
	if _, err := makePlan(t.Context(), &o, dir, source{kind: gateway.BackendMock}, chain); err != nil {
		t.Fatal(err)
	}
	if l, err := selling.ReadList(prices); err != nil || *l.Default.Output != own {
		t.Errorf("prices that were set are %+v, %v", l, err)
	}
	chain.Accounts = chain.Accounts[:1]
	if _, err := makePlan(t.Context(), &o, dir, source{kind: gateway.BackendMock}, chain); err == nil || !strings.Contains(err.Error(), "--providers") {
		t.Errorf("more providers than accounts: %v", err)
	}
}

// The chain runs before the others have their ports.
func TestChainStartsFirst(t *testing.T) {
	o := Defaults()
	o.Listen, o.Debug = "127.0.0.1:0", true
	p, err := layPlan(&o, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer p.held.release()
	for _, addr := range []string{"127.0.0.1:" + p.chain.flags[1], p.chain.debug} {
		l, err := net.Listen("tcp", addr)
		if err != nil {
			t.Errorf("the chain cannot listen at %s while the other nodes' ports are held: %v", addr, err)
			continue
		}
		l.Close()
	}
}

// A plan made twice in one directory is the same world with the same nodes.
func TestPlanIsKept(t *testing.T) {
	dir := t.TempDir()
	o := Defaults()
	o.Listen, o.Providers = "127.0.0.1:0", 2
	src := source{kind: gateway.BackendMock}
	first, err := makePlan(t.Context(), &o, dir, src, nil)
	if err != nil {
		t.Fatal(err)
	}
	w, err := world.Load(filepath.Join(dir, app.WorldFile))
	if err != nil {
		t.Fatal(err)
	}
	if !w.Sandbox || !w.Local || len(w.Seeds) != 6 || w.Rules.DefaultCircuitLen != 3 || w.EpochLen() != time.Minute {
		t.Errorf("world = %+v; want a sandbox whose seeds are memory nodes and relays", w)
	}
	again, err := makePlan(t.Context(), &o, dir, src, nil)
	if err != nil {
		t.Fatal(err)
	}
	nodes := func(p *plan) []*spec { return append(append([]*spec{}, p.relays...), p.providers...) }
	// The chain's port is in its ready file, once it has answered.
	if _, err := ready.Read(first.chain.chainFile()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the chain is ready before it runs: %v", err)
	}
	port := first.chain.flags[1]
	if err := ready.Write(first.chain.chainFile(), &ready.File{
		RPC: "http://127.0.0.1:" + port, ChainID: 1, Market: ready.Market{Address: ledger.Address{1}, CodeHash: ledger.Hash{1}},
	}); err != nil {
		t.Fatal(err)
	}
	third, err := makePlan(t.Context(), &o, dir, src, nil)
	if err != nil || third.chain.flags[1] != port {
		t.Errorf("the chain was at port %s, and is started with %q, %v", port, third.chain.flags, err)
	}
	if _, err := ready.Read(third.chain.chainFile()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an old file says that the chain answers: %v", err)
	}
	for i, s := range nodes(first) {
		if got := nodes(again)[i]; got.key != s.key || got.addr != s.addr || got.name != s.name {
			t.Errorf("node %d was %s at %s, is %s at %s", i, s.name, s.addr, got.name, got.addr)
		}
		if want := fmt.Sprintf("/ip4/127.%d.0.1/", i+1); runtime.GOOS == "linux" && !strings.HasPrefix(s.addr, want) {
			t.Errorf("%s is at %s, want its own %s", s.name, s.addr, want)
		}
	}
	if w2, err := world.Load(filepath.Join(dir, app.WorldFile)); err != nil || w2.ID != w.ID {
		t.Errorf("world became %v, %v; want %v", w2, err, w.ID)
	}
	// Other rules are another world; what belongs to the old one must not stop it.
	o.Hops = 2
	if _, err := makePlan(t.Context(), &o, dir, src, nil); err != nil {
		t.Errorf("plan with other rules = %v, want nil", err)
	}
	if err := os.WriteFile(filepath.Join(dir, app.WorldFile), []byte("broken"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := makePlan(t.Context(), &o, dir, src, nil); app.Code(err) != app.ExitUsage || !strings.Contains(err.Error(), app.WorldFile) {
		t.Errorf("plan with a broken world file = %v, want exit code 2 and the file", err)
	}
}

func TestPorts(t *testing.T) {
	var p ports
	defer p.release()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	want := taken.Addr().(*net.TCPAddr).Port
	a, err := p.take("127.0.0.1", want)
	if err != nil || a == want {
		t.Errorf("take of a taken port = %d, %v; want another", a, err)
	}
	b, err := p.take("127.0.0.1", 0)
	if err != nil || b == a {
		t.Errorf("take = %d, %v; want another than %d, which is held", b, err, a)
	}
	p.yield()
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", b))
	if err != nil {
		t.Errorf("a node cannot listen at the port that is held for it: %v", err)
	} else {
		l.Close()
	}
	p.release()
	if c, err := p.take("127.0.0.1", a); err != nil || c != a {
		t.Errorf("take of a released port = %d, %v; want %d", c, err, a)
	}
}

func TestTail(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.log")
	if got := tail(path); got != "" {
		t.Errorf("tail of no file = %q", got)
	}
	var text strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&text, "line %d\n", i)
	}
	if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	got := strings.Split(strings.TrimSuffix(tail(path), "\n"), "\n")
	if len(got) != tailLines || got[len(got)-1] != "    line 4999" {
		t.Errorf("tail = %q, want the last %d lines", got, tailLines)
	}
}

// The names in the file are what scripts wait for.
func TestReadyFile(t *testing.T) {
	r := &Ready{
		BaseURL: "http://127.0.0.1:1/v1", PIDs: map[string]int{"bridge": 1},
		Logs: map[string]string{"bridge": "/l"}, Dirs: map[string]string{"bridge": "/d"},
	}
	r.Chain = &ready.File{RPC: "http://127.0.0.1:2", PID: 3, ChainID: 4}
	path := filepath.Join(t.TempDir(), "ready.json")
	if err := r.write(path); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var flat bytes.Buffer
	if err := json.Compact(&flat, text); err != nil {
		t.Fatal(err)
	}
	const want = `{"base_url":"http://127.0.0.1:1/v1","pids":{"bridge":1},"logs":{"bridge":"/l"},"dirs":{"bridge":"/d"},"chain":{"rpc_url":"http://127.0.0.1:2","pid":3,"chain_id":4,` +
		`"market":{"address":"0x0000000000000000000000000000000000000000","code_hash":"0x0000000000000000000000000000000000000000000000000000000000000000","block":0},"accounts":null}}`
	if flat.String() != want {
		t.Errorf("ready file = %s, want %s", flat.String(), want)
	}
}

func TestProcessesAreListed(t *testing.T) {
	r := &Ready{PIDs: map[string]int{"relay-1": 12, "provider-1": 345, "bridge": 6}}
	var out bytes.Buffer
	if err := r.processes(&out, []string{"relay-1", "provider-1", "bridge"}); err != nil {
		t.Fatal(err)
	}
	const want = "relay-1     pid 12\nprovider-1  pid 345\nbridge      pid 6\n"
	if out.String() != want {
		t.Errorf("processes = %q, want %q", out.String(), want)
	}
}

// What is shown to be pasted survives a shell, whatever the model is called.
func TestInstructionsCanBePasted(t *testing.T) {
	const model = `it's "odd"`
	r := &Ready{BaseURL: "http://127.0.0.1:1/v1", StatusURL: "http://127.0.0.1:2", Dirs: map[string]string{"bridge": "/a dir/b's"}}
	var out bytes.Buffer
	if err := r.instructions(&out, []string{model}, "bridge", "/logs"); err != nil {
		t.Fatal(err)
	}
	text := out.String()
	at := strings.Index(text, "  curl")
	command := strings.Replace(text[at:at+strings.Index(text[at:], "\n\n")], "curl", "printf '%s\\n'", 1)
	said, err := exec.Command("sh", "-c", command).Output()
	if err != nil {
		t.Skipf("SKIP TestInstructionsCanBePasted: no shell: %v", err)
	}
	lines := strings.Split(strings.TrimSpace(string(said)), "\n")
	var body struct{ Model string }
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &body); err != nil || body.Model != model {
		t.Errorf("the curl line sends %q (%v), want the model %q", lines[len(lines)-1], err, model)
	}
	if said, err := exec.Command("sh", "-c", "printf %s "+app.Shell(r.Dirs["bridge"])).Output(); err != nil || string(said) != r.Dirs["bridge"] {
		t.Errorf("Shell(%q) is %q to a shell, %v", r.Dirs["bridge"], said, err)
	}
}

func TestProgressIsPlainLinesElsewhere(t *testing.T) {
	var out bytes.Buffer
	p := newProgress(&out)
	p.begin("starting relays")
	p.say("relay-1 died")
	p.done("relays up: %s", "relay-2")
	p.close()
	if got := out.String(); !strings.HasPrefix(got, "relay-1 died\nrelays up: relay-2 (") || strings.ContainsAny(got, "\r\x1b") {
		t.Errorf("progress = %q, want two plain lines", got)
	}
}

// What is missing is named, with the flag that does without it.
func TestProgramsAreThere(t *testing.T) {
	bin := t.TempDir()
	for _, name := range []string{programBridge, programGateway, programObserver} {
		if err := os.WriteFile((processes{bin}).path(name), nil, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		chain, inProcess bool
		bin, want        string
	}{
		{false, false, bin, ""},
		{true, false, bin, "--chain=false"},
		{true, true, bin, "--chain=false"},
		{false, true, t.TempDir(), ""},
		{false, false, t.TempDir(), "--in-process"},
	} {
		o := Defaults()
		o.Chain, o.InProcess, o.Bin = tt.chain, tt.inProcess, tt.bin
		err := (&sandbox{o: &o}).launchers()
		if (err == nil) != (tt.want == "") || err != nil && (app.Code(err) != app.ExitUsage || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("chain %v, in-process %v: %v; want %q", tt.chain, tt.inProcess, err, tt.want)
		}
	}
}
