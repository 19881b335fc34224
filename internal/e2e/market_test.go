//go:build e2e

package e2e

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/big"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/culvert-net/culvert/api/backend/backendtest"
	"github.com/culvert-net/culvert/internal/app/market"
	v3 "github.com/culvert-net/culvert/internal/app/wallet/v3"
	"github.com/culvert-net/culvert/ledger"
)

// Prices of a sandbox, per million tokens.
var (
	inputPrice  = ledger.Wei(5e17)
	outputPrice = ledger.Wei(1e18)
)

// stall is a sandbox with a chain, of which the test counts every wei.
type stall struct {
	*world
	mark     string // in every prompt and answer
	guest    string // an API key without a purse
	asked    int
	spent    ledger.Amount // on the channel of all
	receipts map[string]ledger.Amount
	started  []*daemon         // by the test
	env      []string          // of nodes that are started again
	secrets  map[string]string // besides prompts and answers, what nobody may keep; to what it is

	later func(time.Duration) // has time pass on the chain
}

// openStall has a model server that says the last word of every question back.
func openStall(t *testing.T, args ...string) *stall {
	t.Helper()
	u := backendtest.NewUpstream(t)
	u.Set(sayBack)
	s := &stall{
		world: start(t, append(args, "--backend", u.URL, "--chain", "--dir", filepath.Join(t.TempDir(), "d"))...),
		mark:  rand.Text()[:24], receipts: make(map[string]ledger.Amount), secrets: make(map[string]string),
	}
	s.later = func(d time.Duration) { succeed(t, "devchain", "advance", d.String(), "--data", s.Dirs["devchain"]) }
	return s
}

// twoModels is the answer to GET /v1/models.
const twoModels = `{"object":"list","data":[{"id":"m","object":"model","created":1,"owned_by":"test"},{"id":"small","object":"model","created":1,"owned_by":"test"}]}`

// wordTokens is what a word counts: four letters are a token.
func wordTokens(word string) int { return (len(word) + 3) / 4 }

// sayBack is a model server with three routes, whose usage is what it should be.
func sayBack(w http.ResponseWriter, r *http.Request, c *backendtest.Call) {
	var q struct {
		Model    string
		Stream   bool
		Prompt   string
		Input    string
		Messages []struct{ Content string }
	}
	word := ""
	if json.Unmarshal(c.Body, &q) == nil {
		word = q.Prompt + q.Input
		if n := len(q.Messages); n > 0 {
			word = q.Messages[n-1].Content
		}
	}
	n := wordTokens(word)
	usage := fmt.Sprintf(`"usage":{"prompt_tokens":%d,"completion_tokens":%d,"total_tokens":%d}`, n, n, 2*n)
	switch {
	case r.URL.Path == "/v1/models":
		backendtest.Answer(twoModels)(w, r, c)
	case r.URL.Path == chatPath && q.Stream:
		chunk := func(rest string) string {
			return `data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"` + q.Model + `",` + rest + "}\n\n"
		}
		backendtest.Stream(0,
			chunk(`"choices":[{"index":0,"delta":{"role":"assistant","content":`+quote(word)+`},"finish_reason":null}]`),
			chunk(`"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]`),
			chunk(`"choices":[],`+usage), backendtest.Done)(w, r, c)
	case r.URL.Path == chatPath:
		backendtest.Answer(`{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"`+q.Model+`","choices":[{"index":0,"message":{"role":"assistant","content":`+
			quote(word)+`,"refusal":null},"logprobs":null,"finish_reason":"stop"}],`+usage+`}`)(w, r, c)
	case r.URL.Path == "/v1/completions":
		backendtest.Answer(`{"id":"cmpl-1","object":"text_completion","created":1,"model":"`+q.Model+`","choices":[{"index":0,"text":`+
			quote(word)+`,"logprobs":null,"finish_reason":"stop"}],`+usage+`}`)(w, r, c)
	case r.URL.Path == "/v1/embeddings":
		backendtest.Answer(fmt.Sprintf(`{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.5,0.25]}],"model":%q,"usage":{"prompt_tokens":%d,"total_tokens":%d}}`,
			q.Model, n, n))(w, r, c)
	default:
		backendtest.Status(http.StatusNotFound, "application/json", `{}`)(w, r, c)
	}
}

func quote(s string) string {
	b, _ := json.Marshal(s) // strings always marshal
	return string(b)
}

// command is one of a node's program.
func (s *stall) command(node string, args ...string) *exec.Cmd {
	name := "gateway"
	if node == "bridge" {
		name = "bridge"
	}
	return exec.Command(program(name), append(args, "--data", s.Dirs[node])...)
}

// passphrase is the file that opens the wallets.
func (s *stall) passphrase() string {
	return filepath.Join(filepath.Dir(s.Dirs["bridge"]), "passphrase")
}

// told runs a command of a node's and reads what it prints with --json.
func told[V any](s *stall, node string, args ...string) (v V) {
	s.t.Helper()
	cmd := s.command(node, append(args, "--json")...)
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err == nil {
		err = json.Unmarshal(out, &v)
	}
	if err != nil {
		s.t.Fatalf("%s %v: %v\n%s%s", node, args, err, out, &said)
	}
	return v
}

// deal runs a command that moves money.
func (s *stall) deal(node string, args ...string) market.Done {
	s.t.Helper()
	return told[market.Done](s, node, append(args, "--yes", "--passphrase-file", s.passphrase())...)
}

// refused runs a command that is refused with a code, and returns what it says.
func (s *stall) refused(code int, node string, args ...string) string {
	s.t.Helper()
	cmd := s.command(node, args...)
	out, _ := cmd.CombinedOutput() // its exit code is looked at
	if got := cmd.ProcessState.ExitCode(); got != code {
		s.t.Fatalf("%s %v: exit code %d, want %d: %s", node, args, got, code, out)
	}
	return string(out)
}

func (s *stall) balance() market.Balance { return told[market.Balance](s, "bridge", "balance") }

// channel is the open one of a purse; "" is everybody's.
func (s *stall) channel(account string) market.ClientChannel {
	s.t.Helper()
	for _, c := range s.balance().Channels {
		if c.Account == account {
			return c
		}
	}
	s.t.Fatalf("there is no channel of account %q", account)
	return market.ClientChannel{}
}

func (s *stall) earnings() market.Earnings {
	return told[market.Earnings](s, "provider-1", "earnings", "--passphrase-file", s.passphrase())
}

// route is something to ask.
type route struct {
	path, body string // body with %q for the word
	input      bool   // only that is paid
}

func routes() []route {
	return []route{
		{chatPath, `{"model":"m","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":%q}]}`, false},
		{chatPath, `{"model":"m","stream":true,"messages":[{"role":"user","content":%q}]}`, false},
		{chatPath, `{"model":"m","messages":[{"role":"user","content":%q}]}`, false},
		{chatPath, `{"model":"small","messages":[{"role":"user","content":%q}]}`, false},
		{"/v1/completions", `{"model":"m","prompt":%q}`, false},
		{"/v1/embeddings", `{"model":"small","input":%q}`, true},
	}
}

// pay asks, reads the answer to its end, and returns what it has cost by its header
// or trailer, which must be the price to the wei.
func (s *stall) pay(key string, r route) ledger.Amount {
	s.t.Helper()
	s.asked++
	p, err := s.buy(key, r, fmt.Sprintf("%s%04d", s.mark, s.asked))
	if err != nil {
		s.t.Fatal(err)
	}
	s.receipts[p.receipt] = p.cost
	if key == "" {
		s.spent = s.sum(s.spent, p.cost)
	}
	return p.cost
}

// payment is what a paid answer says of itself.
type payment struct {
	receipt string
	cost    ledger.Amount
}

// buy is pay for a word, and counts nothing: many may be at it at once.
func (s *stall) buy(key string, r route, word string) (p payment, err error) {
	req, err := http.NewRequest(http.MethodPost, strings.TrimSuffix(s.BaseURL, "/v1")+r.path, strings.NewReader(fmt.Sprintf(r.body, word)))
	if err != nil {
		return p, err
	}
	req.Header.Set("Content-Type", "application/json")
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	resp, err := s.client().Do(req)
	if err != nil {
		return p, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK || !r.input && !bytes.Contains(text, []byte(word)) {
		return p, fmt.Errorf("%s: status %d, %s, %v; want the word back", r.path, resp.StatusCode, text, err)
	}
	where := resp.Header
	if strings.Contains(r.body, `"stream":true`) {
		where = resp.Trailer
	}
	if err := p.cost.UnmarshalText([]byte(where.Get("X-Culvert-Cost"))); err != nil {
		return p, fmt.Errorf("%s: what it has cost: %w in %v", r.path, err, where)
	}
	n := uint64(wordTokens(word))
	want := new(big.Int).Mul(inputPrice.Big(), new(big.Int).SetUint64(n))
	if !r.input {
		want.Add(want, new(big.Int).Mul(outputPrice.Big(), new(big.Int).SetUint64(n)))
	}
	if want.Div(want, big.NewInt(1e6)); p.cost.Big().Cmp(want) != 0 {
		return p, fmt.Errorf("%s has cost %v wei, want %v", r.path, p.cost, want)
	}
	receipt := where.Get("X-Culvert-Receipt")
	if !regexp.MustCompile(`^[0-9a-f]{32}$`).MatchString(receipt) {
		return p, fmt.Errorf("%s: the receipt is %q", r.path, receipt)
	}
	p.receipt = "0x" + receipt
	if what := s.secretIn(fmt.Appendf(text, "%v %v", resp.Header, resp.Trailer)); what != "" {
		return p, fmt.Errorf("%s: the answer holds %s", r.path, what)
	}
	return p, nil
}

func (s *stall) sum(all ...ledger.Amount) (sum ledger.Amount) {
	s.t.Helper()
	for _, a := range all {
		var err error
		if sum, err = sum.Add(a); err != nil {
			s.t.Fatal(err)
		}
	}
	return sum
}

func (s *stall) less(a ledger.Amount, b ...ledger.Amount) ledger.Amount {
	s.t.Helper()
	d, err := a.Sub(s.sum(b...))
	if err != nil {
		s.t.Fatal(err)
	}
	return d
}

// settled waits until both sides say that the channel of all has paid what the test
// has counted.
func (s *stall) settled() {
	s.t.Helper()
	eventually(s.t, patience, "both sides have the same books", func() error {
		c := s.channel("")
		if c.Spent != s.spent || !c.Reserved.IsZero() || c.Free != s.less(c.Deposited, s.spent) {
			return fmt.Errorf("spent %v, reserved %v, free %v; the receipts say %v", c.Spent, c.Reserved, c.Free, s.spent)
		}
		for _, e := range s.earnings().Channels {
			if e.Channel != c.Channel {
				continue
			}
			if e.Earned != s.spent || !e.Reserved.IsZero() || e.Unpaid {
				return fmt.Errorf("the provider has %+v; the receipts say %v", e, s.spent)
			}
			return nil
		}
		return errors.New("the provider does not know the channel")
	})
}

// row is what the test reads of bridge rounds --json.
type row struct {
	Round     string        `json:"round"`
	Model     string        `json:"model"`
	Status    string        `json:"status"`
	Cost      ledger.Amount `json:"cost"`
	Confirmed bool          `json:"confirmed"`
	Dispute   string        `json:"dispute"`
}

// restart kills a node with -9 and starts it by hand, as its owner would.
func (s *stall) restart(node string, flags ...string) {
	s.t.Helper()
	s.killed(node)
	s.begin(node, flags...)
}

// killed kills a node with -9.
func (s *stall) killed(node string) {
	s.t.Helper()
	s.kill(node)
	eventually(s.t, patience, node+" is gone", func() error {
		if alive(s.PIDs[node]) {
			return errors.New("it lives")
		}
		return nil
	})
}

// begin starts a node that does not run.
func (s *stall) begin(node string, flags ...string) {
	s.t.Helper()
	cmd := s.command(node, append([]string{"serve", "--passphrase-file", s.passphrase(), "--log-level", "debug"}, flags...)...)
	cmd.Env = append(os.Environ(), s.env...)
	d := daemoniseCommand(s.t, cmd)
	s.PIDs[node] = cmd.Process.Pid
	s.started = append(s.started, d)
	name := filepath.Base(cmd.Path)
	eventually(s.t, patience, node+" is ready", func() error {
		if out, err := exec.Command(program(name), "status", "--data", s.Dirs[node]).CombinedOutput(); err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	})
}

// patient is a provider that claims when it is told to, and never by itself.
func patient() []string { return []string{"--chain-claim-at", "1000 eth"} }

// A walk over the market, by commands and requests of people: what leaves one purse
// to the wei is in the other, through restarts, a dispute and running out of money.
func TestMarketWalk(t *testing.T) {
	t.Parallel()
	openStall(t).walk()
}

func (s *stall) walk() {
	t := s.t

	s.restart("provider-1", patient()...)

	// Who sells.
	list := told[[]market.Listing](s, "bridge", "providers")
	if len(list) != 1 || list[0].Price != outputPrice || len(list[0].Models) != 2 || !list[0].Models[0].Priced || list[0].Models[0].Input != inputPrice {
		t.Fatalf("the providers are %+v", list)
	}
	provider := list[0].Provider.String()

	s.linkable()

	// Requests on every route, and what they cost.
	for _, r := range routes() {
		s.pay("", r)
	}
	s.settled()
	s.rounds()

	// What was promised is claimed and withdrawn: the wallet has it, less the fees.
	before := s.earnings()
	if before.Unclaimed.Less(s.spent) || !before.Claimed.IsZero() || !before.Owed.IsZero() {
		t.Errorf("before the claim: %+v; the receipts say %v", before, s.spent)
	}
	claimed := s.deal("provider-1", "claim")
	after := s.earnings()
	if claimed.Amount != before.Unclaimed || after.Claimed != claimed.Amount || after.Held != claimed.Amount || !after.Unclaimed.IsZero() {
		t.Errorf("the claim of %v was %+v, and leaves %+v", before.Unclaimed, claimed, after)
	}
	if after.Own != s.less(before.Own, claimed.Fee) {
		t.Errorf("a claim for a fee of %v leaves %v of %v", claimed.Fee, after.Own, before.Own)
	}
	withdrawn := s.deal("provider-1", "withdraw")
	if own := s.onChain(provider); own != s.less(s.sum(after.Own, claimed.Amount), withdrawn.Fee) {
		t.Errorf("the provider's account has %v after %+v of %v", own, withdrawn, after.Own)
	}
	s.refused(2, "provider-1", "withdraw", "--yes", "--passphrase-file", s.passphrase())

	// More into the same channel; nothing of what was spent changes.
	wallet := s.balance().Own
	topped := s.deal("bridge", "topup", "provider-1", "0.5 eth")
	if b := s.balance(); b.Own != s.less(wallet, topped.Fee, ledger.Wei(5e17)) {
		t.Errorf("a top-up of 0.5 eth for a fee of %v leaves %v of %v", topped.Fee, b.Own, wallet)
	}
	if c := s.channel(""); c.Deposited != ledger.Wei(15e17) {
		t.Errorf("after the top-up the channel has %+v", c)
	}

	// Killed and started again, both sides know what they knew, and go on.
	s.restart("provider-1", patient()...)
	s.restart("bridge", "--pay-max-price", "m = 0.5 gwei")
	s.tooDear()
	s.restart("bridge")
	s.settled()
	for _, r := range routes() {
		s.pay("", r)
	}
	s.settled()
	s.rounds()
	s.purses(provider)
	s.consent()
	s.dispute()
	s.leave(provider)
	s.forgotten()
}

// linkable: who pays is told what a provider can link, by the sandbox, by the status,
// in JSON and in words, and by the README.
func (s *stall) linkable() {
	s.t.Helper()
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		s.t.Fatal(err)
	}
	for where, text := range map[string]string{
		"the sandbox":          s.out.String(),
		"bridge status":        succeed(s.t, "bridge", "status", "--data", s.Dirs["bridge"]),
		"bridge status --json": s.told().Money.Notice,
		"README.md":            string(readme),
	} {
		if flat := strings.Join(strings.Fields(text), " "); !strings.Contains(flat, "a provider can link all rounds of one session key with each other and with the purchase") {
			s.t.Errorf("%s does not say what a provider can link", where)
		}
	}
}

// onChain is what an account has, as the chain itself says.
func (s *stall) onChain(account string) ledger.Amount {
	s.t.Helper()
	n, ok := new(big.Int).SetString(strings.TrimPrefix(rpc(s.t, s.Chain.RPC, "eth_getBalance", fmt.Sprintf("[%q,%q]", account, "latest")), "0x"), 16)
	if !ok {
		s.t.Fatal("the chain names no balance")
	}
	a, err := ledger.AmountOfBig(n)
	if err != nil {
		s.t.Fatal(err)
	}
	return a
}

// rounds compares the history with the receipts, and opens one round, which whoever
// has the file can verify.
func (s *stall) rounds() {
	s.t.Helper()
	rows := told[[]row](s, "bridge", "rounds", "--limit", "1000")
	if len(rows) != len(s.receipts) {
		s.t.Errorf("%d rounds, and %d receipts", len(rows), len(s.receipts))
	}
	for _, r := range rows {
		if cost, ok := s.receipts[r.Round]; !ok || cost != r.Cost || !r.Confirmed || r.Status != "done" || r.Dispute != "" {
			s.t.Errorf("round %+v; its receipt says %v", r, cost)
		}
	}
	out, err := s.command("bridge", "rounds", "show", rows[len(rows)/2].Round, "--json").Output()
	if err != nil {
		s.t.Fatal(err)
	}
	file := filepath.Join(s.t.TempDir(), "round.json")
	cost := rows[len(rows)/2].Cost
	for _, try := range []struct {
		text []byte
		code int
	}{
		{out, 0},
		{bytes.Replace(out, []byte(`"`+cost.String()+`"`), []byte(`"`+s.sum(cost, ledger.Wei(1)).String()+`"`), 1), 4},
	} {
		if err := os.WriteFile(file, try.text, 0o600); err != nil {
			s.t.Fatal(err)
		}
		if said, code := call(s.t, "bridge", "rounds", "verify", file); code != try.code {
			s.t.Errorf("a round is verified with code %d, want %d: %s", code, try.code, said)
		}
	}
}

// spend pays from everybody's purse, when there are keys.
func (s *stall) spend(r route) {
	s.t.Helper()
	s.spent = s.sum(s.spent, s.pay(s.guest, r))
	s.settled()
}

// addKey makes an API key.
func (s *stall) addKey(name string) string {
	s.t.Helper()
	out, err := s.command("bridge", "keys", "add", name).Output()
	if err != nil {
		s.t.Fatal(err)
	}
	key := strings.TrimSpace(string(out))
	s.secrets[key] = "the API key of " + name
	return key
}

// purses: an API key's own money pays for it alone, and where there is not enough,
// what the answer says to do helps.
func (s *stall) purses(provider string) {
	s.t.Helper()
	keys := map[string]string{"laptop": s.addKey("laptop"), "guest": s.addKey("guest")}
	r := routes()[2]
	// Nothing was bought for it, so that everybody's pays.
	s.guest = keys["guest"]
	s.spend(r)

	bought := s.deal("bridge", "buy", "provider-1", "0.01 eth", "--for", "laptop")
	s.earnings() // reads the chain, so that the provider knows
	all := s.channel("")
	own := s.balance().Channels
	if len(own) != 2 || bought.Channel == all.Channel {
		s.t.Fatalf("after a purchase for one key the channels are %+v", own)
	}
	account := own[0].Account + own[1].Account // one of them is everybody's
	cost := s.pay(keys["laptop"], r)
	eventually(s.t, patience, "the key's own purse has paid", func() error {
		if c := s.channel(account); c.Spent != cost || c.Channel != bought.Channel {
			return fmt.Errorf("it has %+v; the receipt says %v", c, cost)
		}
		return nil
	})
	s.settled() // everybody's has not

	// A question costs more than there is.
	dear := `{"model":"m","messages":[{"role":"user","content":"` + strings.Repeat(s.mark+" ", 4000) + `"}]}`
	got := s.askAs(keys["laptop"], dear)
	message, _, code := got.failure(s.t)
	command := regexp.MustCompile(`bridge (buy 0x[0-9a-fA-F]{40} .*)$`).FindStringSubmatch(message)
	if got.status != http.StatusTooManyRequests || code != "insufficient_quota" || command == nil || !strings.Contains(message, provider) {
		s.t.Fatalf("too little money: %d %q %q", got.status, code, message)
	}
	s.deal("bridge", strings.Fields(command[1])...)
	s.earnings()
	if got := s.askAs(keys["laptop"], dear); got.status != http.StatusOK {
		s.t.Errorf("after %q: %d %s", command[0], got.status, got.body)
	}
}

// tooDear: a provider that asks more for a model than its user pays is not chosen for
// it, whatever was bought there, and the error says so.
func (s *stall) tooDear() {
	s.t.Helper()
	s.settled() // the chain is read, too
	got := s.ask(fmt.Sprintf(routes()[2].body, "hello"))
	message, _, code := got.failure(s.t)
	if got.status != http.StatusTooManyRequests || code != "insufficient_quota" || !strings.Contains(message, "pay.max_price is 0.5 gwei") {
		s.t.Errorf("above the highest price: %d %q %q", got.status, code, message)
	}
	s.pay("", routes()[3])
}

// consent: a running provider gives back at once what was not used of a channel.
func (s *stall) consent() {
	s.t.Helper()
	before, earned := s.balance(), s.earnings()
	c := s.channel("")
	closed := s.deal("bridge", "close", c.Channel.String())
	after := s.balance()
	owed := s.spent
	if owed.Less(c.Claimed) {
		owed = c.Claimed // paid ahead, and claimed
	}
	if closed.Channel != c.Channel || after.Held != s.less(s.sum(before.Held, c.Deposited), owed) || s.channel("").State != "closed" {
		s.t.Errorf("closing by consent: %+v; %v of %v were due, and %v can be withdrawn", closed, owed, c.Deposited, after.Held)
	}
	if got := s.earnings().Held; got != s.sum(earned.Held, s.less(owed, c.Claimed)) {
		s.t.Errorf("the provider can withdraw %v after %v, and was due %v, of which it had claimed %v", got, earned.Held, owed, c.Claimed)
	}
	s.deal("bridge", "withdraw")
	// The next epoch begins with nothing.
	s.deal("bridge", "buy", "provider-1", "1 eth")
	s.earnings()
	s.spent = ledger.Amount{}
	s.spend(routes()[0])
}

// dispute: the provider is gone, and after 24 hours all that was not promised is back.
func (s *stall) dispute() {
	s.t.Helper()
	c := s.channel("")
	s.kill("provider-1")
	closing := s.deal("bridge", "close", c.Channel.String())
	if closing.Channel != c.Channel || !strings.Contains(closing.Text, "bridge refund") {
		s.t.Errorf("closing says %+v", closing)
	}
	if said := s.refused(3, "bridge", "refund", "--yes", "--passphrase-file", s.passphrase()); !strings.Contains(said, "no channel can be refunded yet") {
		s.t.Errorf("a refund at once: %s", said)
	}
	s.later(25 * time.Hour)
	c = s.channel("")
	if c.State != "refundable" {
		s.t.Errorf("after a day the channel is %+v", c)
	}
	s.deal("bridge", "refund")
	b := s.balance()
	if b.Held != c.Remaining {
		s.t.Errorf("a refund of %v leaves %v to be withdrawn", c.Remaining, b.Held)
	}
	out := s.deal("bridge", "withdraw")
	if own := s.onChain(b.Wallet.String()); own != s.less(s.sum(b.Own, c.Remaining), out.Fee) {
		s.t.Errorf("the wallet has %v after %+v, had %v", own, out, b.Own)
	}
}

// leave: who has left the market is not found, and can claim what it is owed.
func (s *stall) leave(provider string) {
	s.t.Helper()
	s.deal("provider-1", "exit") // it is not running
	if list := told[[]market.Listing](s, "bridge", "providers"); len(list) != 0 {
		s.t.Errorf("after it left the providers are %+v", list)
	}
	if said := s.refused(2, "bridge", "buy", provider, "1 eth", "--yes", "--passphrase-file", s.passphrase()); !strings.Contains(said, "sells no more") {
		s.t.Errorf("buying from who has left: %s", said)
	}
	before := s.earnings()
	claimed := s.deal("provider-1", "claim")
	if claimed.Amount != before.Unclaimed || claimed.Amount.IsZero() {
		s.t.Errorf("who has left claims %+v of %v", claimed, before.Unclaimed)
	}
}

// forgotten: no file that is left, and nothing that was logged, holds a word of a
// prompt or an answer, or a key that opens money or is asked for.
func (s *stall) forgotten() {
	s.t.Helper()
	s.moneyKeys()
	for _, node := range []string{"bridge", "provider-1"} {
		if alive(s.PIDs[node]) {
			s.signal(node, syscall.SIGKILL)
		}
	}
	s.interrupt()
	<-s.done
	find := newFinder(s.mark)
	n := 0
	look := func(name string, text []byte) {
		n++
		if word, dress := find.find(text); word != "" {
			s.t.Errorf("%s holds a prompt or an answer as %s", name, dress)
		}
		if what := s.secretIn(text); what != "" && !(name == s.passphrase() && what == "the passphrase") {
			s.t.Errorf("%s holds %s", name, what)
		}
	}
	dir := filepath.Dir(s.Dirs["bridge"])
	if err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		if rel, _ := filepath.Rel(dir, path); strings.HasPrefix(rel, "devchain") || rel == filepath.Join("logs", "devchain.log") {
			return nil // it prints its accounts, which everybody knows
		}
		text, err := os.ReadFile(path)
		look(path, text)
		return err
	}); err != nil {
		s.t.Fatal(err)
	}
	for _, d := range s.started {
		look(fmt.Sprintf("the log of %v", d.cmd.Args), []byte(d.out.String()))
	}
	if n < 30 {
		s.t.Errorf("only %d files were looked at", n)
	}
}

// moneyKeys adds the secrets of the wallets: their keys, the passphrase, and the
// session key that signs for everybody, which it returns.
func (s *stall) moneyKeys() *ledger.Key {
	s.t.Helper()
	for _, a := range s.Chain.Accounts[:2] { // the bridge's and the provider's
		s.secret(strings.TrimPrefix(a.Key, "0x"), "a wallet's key")
	}
	phrase, err := os.ReadFile(s.passphrase())
	if err != nil {
		s.t.Fatal(err)
	}
	s.secrets[strings.TrimSpace(string(phrase))] = "the passphrase"
	file := filepath.Join(s.t.TempDir(), "session.json")
	succeed(s.t, "bridge", "wallet", "session", "export", "--provider", s.Chain.Accounts[1].Address.String(), "--out", file,
		"--passphrase-file", s.passphrase(), "--file-passphrase-file", s.passphrase(), "--data", s.Dirs["bridge"])
	text, err := os.ReadFile(file)
	if err != nil {
		s.t.Fatal(err)
	}
	sealed, err := v3.Decode(text)
	if err != nil {
		s.t.Fatal(err)
	}
	session, err := sealed.Open(bytes.TrimSpace(phrase))
	if err != nil {
		s.t.Fatal(err)
	}
	s.secret(hex.EncodeToString(session[:]), "a session key")
	key, err := ledger.KeyOfBytes(session)
	if err != nil {
		s.t.Fatal(err)
	}
	return key
}

// secretIn is what secret a text holds; "": none.
func (s *stall) secretIn(text []byte) string {
	for secret, what := range s.secrets {
		if bytes.Contains(text, []byte(secret)) {
			return what
		}
	}
	return ""
}

// secret adds what is 32 bytes, as hexadecimal and as they are.
func (s *stall) secret(digits, what string) {
	s.t.Helper()
	raw, err := hex.DecodeString(digits)
	if err != nil {
		s.t.Fatal(err)
	}
	s.secrets[digits], s.secrets[string(raw)] = what+" in hexadecimal", what
}
