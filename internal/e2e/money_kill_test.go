//go:build e2e && linux

package e2e

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/culvert-net/culvert/api/backend/backendtest"
	"github.com/culvert-net/culvert/internal/app/bridge"
	"github.com/culvert-net/culvert/internal/app/market"
	"github.com/culvert-net/culvert/internal/serve"
	"github.com/culvert-net/culvert/ledger"
	"github.com/culvert-net/culvert/ledger/channel"
)

const (
	// fewKills is how often processes are killed where nobody says, and killsEnv says.
	fewKills = 10
	killsEnv = "CULVERT_KILLS"

	// worksWithin is how long the first answer may take after a kill, programs that
	// start again and circuits that are built anew included.
	worksWithin = 30 * time.Second

	// worksSoon is what is not worth a line.
	worksSoon = 4 * time.Second

	// paidStream is how long a stream takes, and what follows it.
	paidStream = 450 * time.Millisecond
)

// What one may lose by the other: what the bridge is told to risk, and what a provider
// lends if nobody says. An answer costs less than killMost.
const killWindow = "0.01 eth"

var (
	killRisks = ledger.Wei(1e16)
	killLends = ledger.Wei(1e15)
	killMost  = ledger.Wei(2e15)
)

// mortals is a sandbox whose bridge, provider and chain are killed and started again
// as they were.
type mortals struct {
	*world
	prompt, answer *finder
	args           map[string][]string // by node, of its process
	daemons        map[string]*exec.Cmd

	chats    int // that were sent
	finished int // whose answer arrived whole
	bought   ledger.Amount
	kills    map[string]int // by who and when
	slowest  time.Duration
}

func newMortals(t *testing.T) *mortals {
	t.Helper()
	m := &mortals{
		prompt: newFinder("PROMPTq7Hw2kZr9canary"), answer: newFinder("ANSWERx3Vb8mTy4canary"),
		args: make(map[string][]string), daemons: make(map[string]*exec.Cmd), kills: make(map[string]int),
	}
	events := make([]string, 0, 32)
	for i := range 30 {
		events = append(events, strings.Replace(backendtest.Chunk(i), fmt.Sprintf("t%d ", i), m.answer.word+" ", 1))
	}
	u := upstream(t, backendtest.Stream(10*time.Millisecond, append(events, backendtest.Done)...))
	t.Setenv("CULVERT_GATEWAY_CHAIN_CLAIM_AT", "1 wei") // whatever is worth its gas
	t.Setenv("CULVERT_BRIDGE_PAY_WINDOW", killWindow)
	m.world = start(t, "--backend", u.URL, "--chain", "--dir", filepath.Join(t.TempDir(), "d"))
	for _, name := range []string{"bridge", "provider-1", "devchain"} {
		line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", m.PIDs[name]))
		if err != nil {
			t.Fatal(err)
		}
		m.args[name] = strings.Split(strings.TrimSuffix(string(line), "\x00"), "\x00")
	}
	m.bought = m.held()
	t.Cleanup(func() {
		for name := range m.daemons {
			_ = m.daemons[name].Process.Signal(os.Interrupt)
		}
		for name, cmd := range m.daemons {
			late := time.AfterFunc(patience, func() {
				t.Errorf("%s did not stop", name)
				_ = cmd.Process.Kill()
			})
			_ = cmd.Wait() // it was told to end
			late.Stop()
		}
	})
	return m
}

// held is what the contract has, as the chain says.
func (m *mortals) held() ledger.Amount {
	m.t.Helper()
	text := rpc(m.t, m.Chain.RPC, "eth_getBalance", fmt.Sprintf(`[%q,"latest"]`, m.Chain.Market.Address.String()))
	n, err := strconv.ParseUint(strings.TrimPrefix(text, "0x"), 16, 64)
	if err != nil {
		m.t.Fatal(err)
	}
	return ledger.Wei(n)
}

// killed kills nodes.
func (m *mortals) killed(names ...string) {
	m.t.Helper()
	for _, name := range names {
		m.kill(name)
	}
	for _, name := range names {
		if cmd := m.daemons[name]; cmd != nil {
			_ = cmd.Wait() // says that it was killed
			delete(m.daemons, name)
		}
		for alive(m.PIDs[name]) { // the sandbox waits for those that it started
			time.Sleep(time.Millisecond)
		}
	}
}

// revive starts nodes again as they were.
func (m *mortals) revive(names ...string) {
	m.t.Helper()
	for _, name := range names {
		log, err := os.OpenFile(m.Logs[name], os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			m.t.Fatal(err)
		}
		cmd := exec.Command(m.args[name][0], m.args[name][1:]...)
		cmd.Stdout, cmd.Stderr = log, log
		if _, err = cmd.StdinPipe(); err == nil { // it ends with this process
			err = cmd.Start()
		}
		_ = log.Close() // the process has its own
		if err != nil {
			m.t.Fatal(err)
		}
		m.daemons[name], m.PIDs[name] = cmd, cmd.Process.Pid
	}
}

// progress is how far a stream came.
type progress struct {
	events int
	done   bool
	status int
	err    error
}

// chat asks for a stream; each event is told to saw.
func (m *mortals) chat(ctx context.Context, saw func(progress)) (h progress) {
	m.chats++
	body := `{"model":"` + model + `","stream":true,"max_tokens":2000,"messages":[{"role":"user","content":"` + m.prompt.word + `"}]}`
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, m.BaseURL+"/chat/completions", strings.NewReader(body))
	if err != nil {
		return progress{err: err}
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req) // not a measured one: a bridge that is killed keeps to no description
	if err != nil {
		return progress{err: err}
	}
	defer resp.Body.Close()
	h.status = resp.StatusCode
	if h.status != http.StatusOK {
		text, _ := io.ReadAll(resp.Body)
		return progress{status: h.status, err: errors.New(string(text))}
	}
	for lines := bufio.NewReader(resp.Body); ; {
		line, err := lines.ReadString('\n')
		switch {
		case errors.Is(err, io.EOF) && h.done:
			m.finished++
			return h
		case err != nil:
			h.err = err
			return h
		case strings.HasPrefix(line, "data: [DONE]"):
			h.done = true
		case strings.Contains(line, m.answer.word):
			h.events++
		case strings.HasPrefix(line, `data: {"error"`):
			h.err = errors.New(line)
		}
		saw(h)
	}
}

// goesOn asks until there is a whole answer.
func (m *mortals) goesOn(what string) {
	m.t.Helper()
	begun := time.Now()
	why := make(map[string]int)
	for {
		ctx, cancel := context.WithTimeout(context.Background(), worksWithin)
		h := m.chat(ctx, func(progress) {})
		cancel()
		took := time.Since(begun)
		if h.done && h.err == nil && h.events == 30 {
			if m.slowest = max(m.slowest, took); took > worksSoon {
				m.t.Logf("%s: the next request works after %v: %v", what, took.Round(10*time.Millisecond), why)
			}
			return
		}
		if took > worksWithin {
			m.t.Fatalf("%s: no request works after %v: status %d, %d events, %v", what, took, h.status, h.events, h.err)
		}
		why[fmt.Sprintf("status %d, %d events, %v", h.status, h.events, h.err)]++
		time.Sleep(50 * time.Millisecond)
	}
}

// ledgers are what both sides say, one after the other.
type ledgers struct {
	client market.ClientChannel
	known  bridge.MoneyStatus
	theirs market.SellerChannel
	earned market.Earnings
	own    ledger.Amount // withdrawable by the client
}

func (m *mortals) ledgers() (l ledgers, err error) {
	ask := func(node, route string, v any) {
		if err == nil {
			err = serve.Tell(context.Background(), filepath.Join(m.Dirs[node], serve.AdminSocket), route, struct{}{}, v)
		}
	}
	var b market.Balance
	ask("provider-1", "/market/earnings", &l.earned)
	ask("bridge", "/market/balance", &b)
	switch {
	case err != nil:
		return l, err
	case b.Problem != "" || l.earned.Problem != "":
		return l, errors.New(b.Problem + l.earned.Problem)
	case len(b.Channels) != 1 || len(l.earned.Channels) != 1:
		return l, fmt.Errorf("there are %d channels, and %d", len(b.Channels), len(l.earned.Channels))
	}
	l.client, l.theirs, l.own = b.Channels[0], l.earned.Channels[0], b.Held
	l.known = *m.told().Money
	return l, nil
}

func plus(t *testing.T, all ...ledger.Amount) (sum ledger.Amount) {
	t.Helper()
	for _, a := range all {
		var err error
		if sum, err = sum.Add(a); err != nil {
			t.Fatal(err)
		}
	}
	return sum
}

// within checks that there is as much money as there was, and what each may lose by
// the other.
func (m *mortals) within(what string) {
	m.t.Helper()
	var l ledgers
	eventually(m.t, worksWithin, what+": both books can be read, and are of one block", func() (err error) {
		if l, err = m.ledgers(); err != nil {
			return err
		}
		if l.client.Claimed != l.theirs.Claimed {
			return fmt.Errorf("claimed: %s by the bridge, %s by the provider", l.client.Claimed, l.theirs.Claimed)
		}
		sum := plus(m.t, l.client.Remaining, l.earned.Held, l.own)
		if sum != m.held() {
			return fmt.Errorf("%s remain, and %s and %s are withdrawable; the contract has %s", l.client.Remaining, l.earned.Held, l.own, m.held())
		}
		return nil
	})
	if held := m.held(); held != m.bought {
		m.t.Errorf("%s: the contract has %s, and %s were bought", what, held, m.bought)
	}
	c := l.known.Channels[0]
	if c.Promised.Less(l.theirs.Promised) {
		m.t.Errorf("%s: the provider holds a voucher of %s, the bridge knows of %s", what, l.theirs.Promised, c.Promised)
	}
	if plus(m.t, l.theirs.Promised, killLends).Less(l.theirs.Earned) {
		m.t.Errorf("%s: the provider worked for %s and holds %s: more than it lends", what, l.theirs.Earned, l.theirs.Promised)
	}
	// What arrived of answers that the provider forgot was received all the same.
	if plus(m.t, l.theirs.Earned, killRisks, killMost).Less(c.Promised) {
		m.t.Errorf("%s: the bridge has promised %s for %s: more than it risks", what, c.Promised, l.theirs.Earned)
	}
	if plus(m.t, c.Spent, c.Unsettled, c.Reserved).Less(l.theirs.Earned) {
		m.t.Errorf("%s: the provider's books have %s, the bridge's %s and %s that may be", what, l.theirs.Earned, c.Spent, c.Unsettled)
	}
	if killMost.Less(c.ByWord) { // what was lost in kills is not: each uses up the window
		m.t.Errorf("%s: %s were spent by the provider's word alone", what, c.ByWord)
	}
	if l.theirs.Earned.Less(l.theirs.Claimed) {
		m.t.Errorf("%s: %s are claimed, and %s were earned", what, l.theirs.Claimed, l.theirs.Earned)
	}
	if len(l.known.Left) > 0 {
		m.t.Errorf("%s: a provider was left: %v", what, l.known.Left)
	}
}

// once checks that no round is charged twice.
func (m *mortals) once() {
	m.t.Helper()
	var rounds []channel.RoundInfo
	in := struct {
		Limit int `json:"limit"`
	}{10_000}
	if err := serve.Tell(context.Background(), filepath.Join(m.Dirs["bridge"], serve.AdminSocket), "/market/rounds", in, &rounds); err != nil {
		m.t.Fatal(err)
	}
	seen := make(map[ledger.RoundID]bool)
	charged := 0
	for _, r := range rounds {
		if seen[r.Round] {
			m.t.Errorf("round %s is there twice", r.Round)
		}
		seen[r.Round] = true
		if !r.Cost.IsZero() {
			charged++
		}
	}
	if charged > m.chats || charged < m.finished/2 {
		m.t.Errorf("%d rounds were charged, for %d chats, %d of which were answered", charged, m.chats, m.finished)
	}
	m.t.Logf("%d chats, %d answered, %d rounds, %d of them charged as they ended", m.chats, m.finished, len(rounds), charged)
}

// The bridge, the provider and the chain are killed at any moment of a paid stream,
// one or two at a time, and blocks are taken back: there is as much money as there
// was, neither side risks more than it said, nothing is charged twice, the next
// request works without anybody doing anything, and no file has a word of a prompt
// or an answer.
func TestMoneyKilled(t *testing.T) {
	runs := fewKills
	if s := os.Getenv(killsEnv); s != "" {
		var err error
		if runs, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	m := newMortals(t)
	m.goesOn("before the first kill")
	for run := range runs {
		victims := [][]string{
			{"bridge"},
			{"provider-1"},
			{"devchain"},
			{"bridge"},
			{"provider-1"},
			{"devchain"},
			{"bridge", "provider-1"},
			{"provider-1", "devchain"},
			{"bridge", "devchain"},
			{},
		}[run%10]
		at := time.Duration(rand.Int64N(int64(paidStream)))
		what := fmt.Sprintf("run %d, %v after %v", run, victims, at)

		ctx, cancel := context.WithTimeout(t.Context(), worksWithin)
		var phase string
		seen, over := make(chan progress, 100), make(chan progress, 1)
		go func() { over <- m.chat(ctx, func(h progress) { seen <- h }) }()
		time.Sleep(at)
		var last progress
		for more := true; more; {
			select {
			case last = <-seen:
			default:
				more = false
			}
		}
		switch {
		case last.done:
			phase = "behind the answer"
		case last.events > 0:
			phase = "within the answer"
		default:
			phase = "before the answer"
		}
		if len(victims) == 0 {
			m.kills["block taken back "+phase]++
			rpc(t, m.Chain.RPC, "dev_rewind", fmt.Sprintf("[1,%t]", run%20 > 9))
		} else {
			m.killed(victims...)
			m.revive(victims...)
			for _, v := range victims {
				m.kills[v+" "+phase]++
			}
		}
		<-over // it is over in any case
		cancel()
		m.goesOn(what)
		m.within(what)
		if t.Failed() {
			break
		}
		if run%50 == 49 {
			t.Logf("%d runs; the next request worked within %v", run+1, m.slowest)
		}
	}
	m.once()
	m.claimsAll()
	if t.Failed() {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(m.kills)) {
		t.Logf("%4d %s", m.kills[name], name)
	}
	t.Logf("%d runs; the next request worked within %v", runs, m.slowest)
	m.silent()
}

// claimsAll waits until the provider, started anew, has claimed what the bridge has
// confirmed.
func (m *mortals) claimsAll() {
	m.t.Helper()
	m.killed("provider-1")
	m.revive("provider-1")
	eventually(m.t, longest, "all that was spent is claimed", func() error {
		l, err := m.ledgers()
		if err != nil {
			return err
		}
		if spent := l.known.Channels[0].Spent; plus(m.t, l.theirs.Claimed, killLends).Less(spent) {
			return fmt.Errorf("%s of %s are claimed", l.theirs.Claimed, spent)
		}
		return nil
	})
	m.within("when all is claimed")
}

// silent looks for words of prompts and answers in all files.
func (m *mortals) silent() {
	m.t.Helper()
	files := 0
	err := filepath.WalkDir(filepath.Dir(m.Dirs["bridge"]), func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		files++
		text, err := os.ReadFile(path)
		for _, f := range []*finder{m.prompt, m.answer} {
			if word, dress := f.find(text); word != "" {
				m.t.Errorf("%s has %q as %s", path, word, dress)
			}
		}
		return err
	})
	if err != nil || files < 20 {
		m.t.Errorf("%d files were looked at, %v", files, err)
	}
}
