package market_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/sha3"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/devchain/ready"
	"github.com/culvert-net/culvert/internal/app/market"
	"github.com/culvert-net/culvert/ledger"
	"github.com/culvert-net/culvert/ledger/chain"
)

// rpc asks the chain itself.
func (w *town) rpc(out any, method string, params ...any) {
	w.Helper()
	body, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
	if err != nil {
		w.Fatal(err)
	}
	resp, err := http.Post(w.chain.Ready().RPC, "application/json", bytes.NewReader(body))
	if err != nil {
		w.Fatal(err)
	}
	defer resp.Body.Close()
	var answer struct {
		Result json.RawMessage
		Error  *struct{ Message string }
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || answer.Error != nil {
		w.Fatalf("%s: %+v, %v", method, answer.Error, err)
	}
	if err := json.Unmarshal(answer.Result, out); err != nil {
		w.Fatal(err)
	}
}

func keccak(parts ...[]byte) (out ledger.Hash) {
	h := sha3.NewLegacyKeccak256()
	for _, p := range parts {
		h.Write(p)
	}
	return ledger.Hash(h.Sum(nil))
}

// rlp is an item of Ethereum's encoding: a string of bytes.
func rlp(b []byte) []byte {
	if len(b) == 1 && b[0] < 0x80 {
		return b
	}
	return append(rlpHead(0x80, len(b)), b...)
}

func rlpHead(base byte, n int) []byte {
	if n < 56 {
		return []byte{base + byte(n)}
	}
	size := bytes.TrimLeft(binary.BigEndian.AppendUint64(nil, uint64(n)), "\x00")
	return append([]byte{base + 55 + byte(len(size))}, size...)
}

// transact sends a transaction of the chain's own accounts, to an address or, with
// none, to make a contract. It returns the address of that.
func (w *town) transact(account int, to, data []byte) (made ledger.Address) {
	w.Helper()
	a := w.chain.Ready().Accounts[account]
	secret, err := hex.DecodeString(a.Key[2:])
	if err != nil {
		w.Fatal(err)
	}
	key, err := ledger.KeyOfBytes([32]byte(secret))
	if err != nil {
		w.Fatal(err)
	}
	var nonce string
	w.rpc(&nonce, "eth_getTransactionCount", a.Address, "latest")
	number := func(n *big.Int) []byte { return rlp(n.Bytes()) }
	count, _ := new(big.Int).SetString(nonce[2:], 16)
	list := func(items ...[]byte) []byte {
		body := bytes.Join(items, nil)
		return append(rlpHead(0xc0, len(body)), body...)
	}
	id := new(big.Int).SetUint64(w.chain.Ready().ChainID)
	fields := [][]byte{number(count), number(big.NewInt(10e9)), number(big.NewInt(3_000_000)), rlp(to), rlp(nil), rlp(data)}
	s := key.Sign(keccak(list(append(append([][]byte{}, fields...), number(id), rlp(nil), rlp(nil))...)))
	parity := int64(s[32] >> 7)
	s[32] &= 0x7f
	v := new(big.Int).Add(new(big.Int).Lsh(id, 1), big.NewInt(35+parity))
	raw := list(append(fields, number(v), number(new(big.Int).SetBytes(s[:32])), number(new(big.Int).SetBytes(s[32:])))...)
	var hash string
	w.rpc(&hash, "eth_sendRawTransaction", "0x"+hex.EncodeToString(raw))
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		var receipt *struct {
			Status          string
			ContractAddress *ledger.Address
		}
		if w.rpc(&receipt, "eth_getTransactionReceipt", hash); receipt != nil {
			if receipt.Status != "0x1" {
				w.Fatalf("a transaction failed: %+v", receipt)
			}
			if receipt.ContractAddress != nil {
				made = *receipt.ContractAddress
			}
			return made
		}
		if time.Now().After(end) {
			w.Fatal("a transaction is in no block after ten seconds")
		}
	}
}

func selector(function string) []byte { h := keccak([]byte(function)); return h[:4] }

func word(b []byte) []byte { return append(make([]byte, 32-len(b)), b...) }

// token makes a token, of which the buyer has so much.
func (w *town) token(name string, amount ledger.Amount) ledger.Address {
	w.Helper()
	text, err := os.ReadFile("../../../contracts/market/testdata/helpers.json")
	if err != nil {
		w.Fatal(err)
	}
	var helpers map[string]struct{ Bin string }
	if err := json.Unmarshal(text, &helpers); err != nil {
		w.Fatal(err)
	}
	code, err := hex.DecodeString(strings.TrimPrefix(helpers[name].Bin, "0x"))
	if err != nil || len(code) == 0 {
		w.Fatalf("%s: %v", name, err)
	}
	at := w.transact(2, nil, code)
	w.transact(2, at[:], bytes.Join([][]byte{selector("mint(address,uint256)"), word(w.payer[:]), word(amount.Big().Bytes())}, nil))
	return at
}

// has is what an account has of a token, as the token says.
func (w *town) has(token, account ledger.Address) string {
	w.Helper()
	var out string
	data := "0x" + hex.EncodeToString(append(selector("balanceOf(address)"), word(account[:])...))
	w.rpc(&out, "eth_call", map[string]string{"to": token.String(), "data": data}, "latest")
	n, _ := new(big.Int).SetString(out[2:], 16)
	return n.String()
}

// deploy makes a market that is paid in a token, and has both programs use it.
func (w *town) deploy(token ledger.Address) {
	w.Helper()
	rpc := w.chain.Ready().RPC
	made := ask[chain.Deployed](w, "gateway", "market", "deploy", "--chain", "dev", "--url", rpc, "--asset", token.String(), "--yes")
	for _, dir := range []string{w.seller, w.buyer} {
		w.configureFor(dir, rpc, "dev", made.Contract, made.CodeHash, made.Block)
	}
	w.market = ready.Market{Address: made.Contract, CodeHash: made.CodeHash, Block: made.Block}
}

// A market whose money is a token: register, buy, top up, claim, withdraw, close, take
// back; amounts are the token's, fees the chain's.
func TestToken(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIP: long, and no two of its steps at once")
	}
	t.Parallel()
	w := newTown(t)
	token := w.token("GoodToken", eth(t, "10 eth"))
	w.deploy(token)
	w.must("gateway", "price", "set", "--input", "1 gwei", "--output", "2 gwei")
	if out := w.must("gateway", "register", "--yes"); !strings.Contains(out, "Done") {
		t.Errorf("register: %s", out)
	}
	if out := w.must("bridge", "providers"); !strings.Contains(out, "0.000000002 GOOD") {
		t.Errorf("providers: %s", out)
	}
	b := ask[market.Balance](w, "bridge", "balance")
	if b.Tokens == nil || *b.Tokens != eth(t, "10 eth") || b.Own.Less(eth(t, "1 eth")) {
		t.Fatalf("balance %+v", b)
	}
	for amount, want := range map[string]string{
		"1 eth": "1.5 GOOD", "1 DAI": "1.5 GOOD", "0.0000000000000000001 GOOD": "not divided", "0 GOOD": "nothing", "11 GOOD": "has 10 GOOD",
	} {
		if text := w.refused(app.ExitUsage, "bridge", "buy", w.provider.String(), amount, "--yes"); !strings.Contains(text, want) {
			t.Errorf("%s: %s", amount, text)
		}
	}
	_, told, err := w.run(t.Context(), "bridge", "buy", w.provider.String(), "4 GOOD")
	if app.Code(err) != app.ExitRefused || !strings.Contains(told, "a transaction of its own lets the contract take 4 GOOD") || !strings.Contains(told, "in both transactions") {
		t.Errorf("what is asked before a purchase: %v\n%s", err, told)
	}
	done := ask[market.Done](w, "bridge", "buy", w.provider.String(), "4 GOOD", "--yes")
	if done.Amount != eth(t, "4 eth") || !strings.Contains(done.Text, "4 GOOD left") {
		t.Errorf("bought %+v", done)
	}
	ask[market.Done](w, "bridge", "topup", w.provider.String(), "1 GOOD", "--yes")
	if b := ask[market.Balance](w, "bridge", "balance"); *b.Tokens != eth(t, "5 eth") || len(b.Channels) != 1 || b.Channels[0].Free != eth(t, "5 eth") {
		t.Errorf("after a purchase and a top-up: %+v", b)
	}
	if out := w.must("bridge", "balance"); !strings.Contains(out, "5 GOOD, and for fees ") || !strings.Contains(out, " eth") {
		t.Errorf("balance: %s", out)
	}
	if out := w.must("bridge", "wallet", "show"); !strings.Contains(out, "5 GOOD") || !strings.Contains(out, " eth") {
		t.Errorf("wallet show: %s", out)
	}

	w.earn(eth(t, "2 eth"))
	if done := ask[market.Done](w, "gateway", "claim", "--yes"); done.Amount != eth(t, "2 eth") || !strings.Contains(done.Text, "2 GOOD") {
		t.Errorf("claimed %+v", done)
	}
	if done := ask[market.Done](w, "gateway", "withdraw", "--yes"); !strings.Contains(done.Text, "2 GOOD went out") {
		t.Errorf("withdrew %+v", done)
	}
	if e := ask[market.Earnings](w, "gateway", "earnings"); e.Tokens == nil || *e.Tokens != eth(t, "2 eth") || w.has(token, w.provider) != eth(t, "2 eth").String() {
		t.Errorf("earnings %+v", e)
	}
	// A bond is in the chain's own currency, whatever the market is paid in.
	w.must("gateway", "bond", "1 eth", "--for", "10d", "--yes")
	if out := w.must("gateway", "earnings"); !strings.Contains(out, "1 eth, until") {
		t.Errorf("earnings: %s", out)
	}
	w.must("bridge", "close", w.provider.String(), "--yes")
	if err := w.chain.Advance(25 * time.Hour); err != nil {
		t.Fatal(err)
	}
	w.must("bridge", "refund", "--yes")
	if done := ask[market.Done](w, "bridge", "withdraw", "--yes"); done.Amount != eth(t, "3 eth") {
		t.Errorf("came back: %+v", done)
	}
	if got := w.has(token, w.payer); got != eth(t, "8 eth").String() {
		t.Errorf("in the end the buyer has %s", got)
	}
}

// Who is interrupted at, between or behind the two transactions of a purchase gives the
// command again: each is made once.
func TestTokenInterrupted(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIP: long, and no two of its steps at once")
	}
	t.Parallel()
	w := newTown(t)
	token := w.token("GoodToken", eth(t, "10 eth"))
	w.deploy(token)
	made := w.chain.Ready()
	w.must("gateway", "price", "set", "--input", "1 gwei", "--output", "2 gwei")
	w.must("gateway", "register", "--yes")
	var mu sync.Mutex
	method, skip, after, gone := "", 0, false, false
	var interrupt context.CancelFunc
	through := w.proxied(func(body string) bool {
		mu.Lock()
		defer mu.Unlock()
		if gone {
			interrupt()
			return true
		}
		if method == "" || !strings.Contains(body, `"`+method+`"`) {
			return false
		}
		if skip--; skip >= 0 {
			return false
		}
		gone = true
		if !after {
			interrupt()
		}
		return !after
	})
	config, err := os.ReadFile(w.buyer + "/" + app.ConfigFile)
	if err != nil {
		t.Fatal(err)
	}
	w.write(w.buyer+"/"+app.ConfigFile, strings.Replace(string(config), made.RPC, through, 1))
	nonces := func() string {
		var n string
		w.rpc(&n, "eth_getTransactionCount", w.payer, "latest")
		return n
	}
	for i, at := range []struct {
		skip  int // transactions that are sent before
		after bool
	}{{0, false}, {0, true}, {1, false}, {1, true}} {
		name := fmt.Sprintf("transaction %d, after %v", at.skip, at.after)
		before, _ := new(big.Int).SetString(nonces()[2:], 16)
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		mu.Lock()
		method, skip, after, gone, interrupt = "eth_sendRawTransaction", at.skip, at.after, false, cancel
		mu.Unlock()
		_, _, err := w.run(ctx, "bridge", "buy", w.provider.String(), "1 GOOD", "--yes")
		cancel()
		if err == nil {
			t.Fatalf("%s: the command has succeeded", name)
		}
		mu.Lock()
		method, gone = "", false
		mu.Unlock()
		done := ask[market.Done](w, "bridge", "buy", w.provider.String(), "1 GOOD", "--yes")
		if done.Since.IsZero() {
			t.Errorf("%s: it does not say that it had begun before: %+v", name, done)
		}
		now, _ := new(big.Int).SetString(nonces()[2:], 16)
		if n := now.Sub(now, before); n.Int64() != 2 {
			t.Errorf("%s: %s transactions, want an approval and a purchase", name, n)
		}
		want := new(big.Int).Mul(big.NewInt(int64(9-i)), big.NewInt(1e18))
		if got := w.has(token, w.payer); got != want.String() {
			t.Errorf("%s: the buyer has %s, want %s", name, got, want)
		}
	}
}
