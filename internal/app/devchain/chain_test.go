package devchain

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/ethereum/go-ethereum/params"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/devchain/ready"
)

// start runs a chain for a test.
func start(t *testing.T, o Options) *Chain {
	t.Helper()
	c, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Errorf("Close = %v", err)
		}
	})
	return c
}

// user talks to a chain as a wallet does.
type user struct {
	t testing.TB
	*ethclient.Client
}

func dial(t testing.TB, file ready.File) *user {
	t.Helper()
	client, err := ethclient.Dial(file.RPC)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return &user{t, client}
}

// payment is a signed transfer of one from account i.
func payment(t testing.TB, i int, nonce uint64, feeCap int64) *types.Transaction {
	t.Helper()
	key, err := crypto.HexToECDSA(published()[i][2:])
	if err != nil {
		t.Fatal(err)
	}
	to := common.Address(Accounts()[9].Address)
	tx, err := types.SignNewTx(key, types.LatestSignerForChainID(big.NewInt(ChainID)), &types.DynamicFeeTx{
		ChainID: big.NewInt(ChainID), Nonce: nonce, To: &to, Value: big.NewInt(1), Gas: params.TxGas,
		GasTipCap: big.NewInt(1), GasFeeCap: big.NewInt(feeCap),
	})
	if err != nil {
		t.Fatal(err)
	}
	return tx
}

// pay sends a payment and waits until it is in a block.
func (u *user) pay(i int, nonce uint64) *types.Receipt {
	u.t.Helper()
	tx := payment(u.t, i, nonce, 2*params.GWei)
	if err := u.SendTransaction(u.t.Context(), tx); err != nil {
		u.t.Fatal(err)
	}
	return u.receipt(tx.Hash())
}

func (u *user) receipt(tx common.Hash) *types.Receipt {
	u.t.Helper()
	var r *types.Receipt
	u.until("a receipt", func() bool {
		var err error
		r, err = u.TransactionReceipt(u.t.Context(), tx)
		return err == nil
	})
	return r
}

// until waits for an event.
func (u *user) until(what string, is func() bool) {
	u.t.Helper()
	for end := time.Now().Add(10 * time.Second); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			u.t.Fatalf("no %s", what)
		}
	}
}

// received is how much was paid.
func (u *user) received() uint64 {
	u.t.Helper()
	b, err := u.BalanceAt(u.t.Context(), common.Address(Accounts()[9].Address), nil)
	if err != nil {
		u.t.Fatal(err)
	}
	return new(big.Int).Sub(b, balance()).Uint64()
}

func (u *user) head() *types.Header {
	u.t.Helper()
	h, err := u.HeaderByNumber(u.t.Context(), nil)
	if err != nil {
		u.t.Fatal(err)
	}
	return h
}

// Tools that know development chains find here what they expect.
func TestAccounts(t *testing.T) {
	all := Accounts()
	if len(all) != 10 || all[0].Address.String() != "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266" ||
		all[9].Address.String() != "0xa0Ee7A142d267C1f36714E4a8F75612F20a79720" {
		t.Errorf("accounts are %+v", all)
	}
}

// The chain begins the same everywhere, under rules that other chains have today.
func TestGenesis(t *testing.T) {
	g := genesis()
	if c := g.Config; c.BogotaTime != nil || c.AmsterdamTime != nil || !c.IsOsaka(new(big.Int), 0) {
		t.Errorf("rules are %v; want all up to Osaka, and none of later ones", c)
	}
	const want = "0x24c178bebc5db7ffcbc564a87c79b776addc9c8e798821fdbffdc5858d1ac911"
	if got := g.ToBlock().Hash().Hex(); got != want {
		t.Errorf("the genesis block is %s; with another one than %s no chain that exists is opened", got, want)
	}
}

// What is on the chain from its beginning is where the ready file says.
func TestMarketIsThere(t *testing.T) {
	c := start(t, Options{})
	file := c.Ready()
	u := dial(t, file)
	if id, err := u.ChainID(t.Context()); err != nil || id.Uint64() != file.ChainID || id.Uint64() != ChainID {
		t.Errorf("chain id %v, %v; want %d", id, err, ChainID)
	}
	if got, want := file.Market.Address.String(), "0xC97F39d0918232Ca1D79B48B1D34C4fd9Ec81A7C"; got != want {
		t.Errorf("market at %s; want %s, where every devchain has it", got, want)
	}
	code, err := u.CodeAt(t.Context(), common.Address(file.Market.Address), nil)
	if err != nil || crypto.Keccak256Hash(code) != common.Hash(file.Market.CodeHash) {
		t.Errorf("code of %d bytes, %v; want that of the hash %v", len(code), err, file.Market.CodeHash)
	}
	before, err := u.CodeAt(t.Context(), common.Address(file.Market.Address), new(big.Int).SetUint64(file.Market.Block-1))
	if err != nil || len(before) > 0 {
		t.Errorf("code before the block it was deployed in: %d bytes, %v", len(before), err)
	}
	for _, a := range file.Accounts {
		if b, err := u.BalanceAt(t.Context(), common.Address(a.Address), nil); err != nil || b.Cmp(balance()) != 0 {
			t.Errorf("%v has %v, %v; want %v", a.Address, b, err, balance())
		}
	}
}

// A transaction is in a block at once, and no block is made of nothing.
func TestTransactionsAreMined(t *testing.T) {
	u := dial(t, start(t, Options{}).Ready())
	for n := range uint64(3) {
		if r := u.pay(0, n); r.BlockNumber.Uint64() != marketBlock+1+n || r.Status != types.ReceiptStatusSuccessful {
			t.Errorf("payment %d is in block %v, status %d", n, r.BlockNumber, r.Status)
		}
	}
	if got := u.received(); got != 3 {
		t.Errorf("%d were paid, want 3", got)
	}
}

// What pays less than the block's price waits, and is mined once the price has
// fallen; meanwhile nothing spins.
func TestLowFeeWaits(t *testing.T) {
	c := start(t, Options{})
	u := dial(t, c.Ready())
	price := u.head().BaseFee.Int64()
	low := payment(t, 1, 0, price/2)
	if err := u.SendTransaction(t.Context(), low); err != nil {
		t.Fatal(err)
	}
	last := u.pay(0, 0).BlockNumber.Uint64()
	if _, err := u.TransactionReceipt(t.Context(), low.Hash()); !errors.Is(err, ethereum.NotFound) {
		t.Fatalf("a payment below the block's price is there: %v", err)
	}
	if n := u.head().Number.Uint64(); n != last {
		t.Errorf("block %d after the payment in %d", n, last)
	}
	u.until("one that waits", func() bool { return c.status(time.Time{}).Waiting == 1 })
	if err := c.Mine(12); err != nil {
		t.Fatal(err)
	}
	u.receipt(low.Hash())
}

// Blocks come regularly if they are asked for.
func TestPeriod(t *testing.T) {
	c := start(t, Options{Period: shortestPeriod})
	u := dial(t, c.Ready())
	u.until("regular block", func() bool { return u.head().Number.Uint64() > marketBlock })
}

// The clock goes forward as it is told, and never back.
func TestAdvance(t *testing.T) {
	c := start(t, Options{})
	u := dial(t, c.Ready())
	before := max(u.head().Time, uint64(time.Now().Unix()))
	var hash common.Hash
	if err := u.Client.Client().CallContext(t.Context(), &hash, "dev_advance", 25*60*60); err != nil {
		t.Fatal(err)
	}
	ahead := u.head()
	if ahead.Hash() != hash || ahead.Time < before+25*60*60 {
		t.Errorf("the newest block %v is at %d; want %v, a day and an hour after %d", ahead.Hash(), ahead.Time, hash, before)
	}
	u.pay(0, 0)
	if last := u.head(); last.Time <= ahead.Time {
		t.Errorf("the next block is at %d, after one at %d", last.Time, ahead.Time)
	}
}

// Taken back, transactions are in another block, or in none.
func TestRewind(t *testing.T) {
	for _, drop := range []bool{false, true} {
		c := start(t, Options{})
		u := dial(t, c.Ready())
		u.pay(0, 0)
		second := u.pay(0, 1)
		if err := c.Rewind(1, drop); err != nil {
			t.Fatal(err)
		}
		if drop {
			if _, err := u.TransactionReceipt(t.Context(), second.TxHash); !errors.Is(err, ethereum.NotFound) || u.received() != 1 {
				t.Errorf("a dropped payment is there: %v, %d received", err, u.received())
			}
			// It can be made again.
			if r := u.pay(0, 1); r.BlockNumber.Cmp(second.BlockNumber) != 0 || r.BlockHash == second.BlockHash {
				t.Errorf("it is in block %v %v", r.BlockNumber, r.BlockHash)
			}
			continue
		}
		u.until("payment in another block", func() bool {
			r, err := u.TransactionReceipt(t.Context(), second.TxHash)
			return err == nil && r.BlockHash != second.BlockHash
		})
		if u.received() != 2 {
			t.Errorf("%d received, want 2", u.received())
		}
	}
}

// The node moves blocks that it calls final to files of their own, once a minute and
// when it opens. They can be taken back like others: whoever read the chain was told
// of two blocks with one number, until there was a next one.
func TestRewindOfFinalBlocks(t *testing.T) {
	const final = 32 // the first that is
	for _, tt := range []struct {
		name        string
		head, taken int
		drop        bool
	}{
		{"the newest", final, 1, false},
		{"the newest, dropped", final, 1, true},
		{"under others", final + 3, 6, false},
		{"almost all", final + 1, 32, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			c, err := Start(t.Context(), Options{Data: dir})
			if err != nil {
				t.Fatal(err)
			}
			if err := c.Mine(tt.head - marketBlock - 1); err != nil {
				t.Fatal(err)
			}
			paid := dial(t, c.Ready()).pay(0, 0)
			if err := c.Close(); err != nil {
				t.Fatal(err)
			}
			c = start(t, Options{Data: dir})
			u := dial(t, c.Ready())
			u.until("final block in its file", func() bool {
				n, err := c.eth.ChainDb().Ancients()
				return err == nil && n > final
			})
			var last common.Hash
			if err := u.Client.Client().CallContext(t.Context(), &last, "dev_rewind", tt.taken, tt.drop); err != nil {
				t.Fatal(err)
			}
			if !tt.drop {
				u.until("payment in another block", func() bool {
					r, err := u.TransactionReceipt(t.Context(), paid.TxHash)
					return err == nil && r.BlockHash != paid.BlockHash
				})
			}
			whole := func(u *user, until int) {
				t.Helper()
				above := u.head()
				if n := int(above.Number.Uint64()); n != until {
					t.Fatalf("block %d is the newest, want %d", n, until)
				}
				for n := until; n > 0; n-- {
					h, err := u.HeaderByNumber(t.Context(), big.NewInt(int64(n)))
					if err != nil || n == until && h.Hash() != above.Hash() || n < until && h.Hash() != above.ParentHash {
						t.Fatalf("block %d is not the one below the next: %v", n, err)
					}
					above = h
				}
			}
			now := tt.head - tt.taken
			if !tt.drop {
				now++ // with the payment
			}
			whole(u, now)
			if _, err := u.HeaderByNumber(t.Context(), big.NewInt(int64(now+1))); !errors.Is(err, ethereum.NotFound) {
				t.Errorf("there is a block after the newest: %v", err)
			}
			if err := c.Mine(tt.taken); err != nil {
				t.Fatal(err)
			}
			whole(u, now+tt.taken)
			if err := c.Close(); err != nil {
				t.Fatal(err)
			}
			whole(dial(t, start(t, Options{Data: dir}).Ready()), now+tt.taken)
		})
	}
}

func TestRefusals(t *testing.T) {
	c := start(t, Options{})
	for name, err := range map[string]error{
		"no block":         c.Mine(0),
		"many blocks":      c.Mine(maxMine + 1),
		"no time":          c.Advance(time.Second - 1),
		"much time":        c.Advance(maxAdvance + time.Second),
		"nothing back":     c.Rewind(0, false),
		"much back":        c.Rewind(maxRewind+1, false),
		"the market back":  c.Rewind(1, false),
		"time goes back":   c.Advance(-time.Hour),
		"blocks of before": c.Rewind(-1, true),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if head, _ := c.Head(); head != marketBlock {
		t.Errorf("newest block %d, want %d", head, marketBlock)
	}
}

// A chain that was stopped goes on where it was.
func TestRestart(t *testing.T) {
	dir := t.TempDir()
	c, err := Start(t.Context(), Options{Data: dir})
	if err != nil {
		t.Fatal(err)
	}
	first := c.Ready()
	u := dial(t, first)
	paid := u.pay(0, 0)
	if err := c.Advance(time.Hour); err != nil {
		t.Fatal(err)
	}
	was := u.head()
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	c = start(t, Options{Data: dir})
	if got := c.Ready(); got.Market != first.Market {
		t.Errorf("market %+v, was %+v", got.Market, first.Market)
	}
	u = dial(t, c.Ready())
	if is := u.head(); is.Hash() != was.Hash() || u.received() != 1 {
		t.Errorf("newest block %v with %d received; want %v with 1", is.Number, u.received(), was.Number)
	}
	if r := u.receipt(paid.TxHash); r.BlockHash != paid.BlockHash {
		t.Errorf("the payment is in %v, was in %v", r.BlockHash, paid.BlockHash)
	}
	if r := u.pay(0, 1); r.BlockNumber.Uint64() != was.Number.Uint64()+1 {
		t.Errorf("the next payment is in block %v after %v", r.BlockNumber, was.Number)
	}
}

// A chain of another program, or with another market, is not taken for this one's.
func TestOtherChain(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change uint64 // of the chain's id
		want   string
	}{{"another beginning", 1, "began otherwise"}, {"another market", 0, "market of another version"}} {
		dir := t.TempDir()
		g := genesis()
		g.Timestamp += tt.change
		stack, _, beacon, err := openNode(dir, g)
		if err != nil {
			t.Fatal(err)
		}
		beacon.Commit()
		if err := stack.Close(); err != nil {
			t.Fatal(err)
		}
		_, err = Start(t.Context(), Options{Data: dir})
		if app.Code(err) != app.ExitUsage || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), dir) {
			t.Errorf("%s: Start = %v; want %q", tt.name, err, tt.want)
		}
	}
}

// Pages in a browser get nothing, whatever they call this machine; nor does anybody
// get what is for who runs a node.
func TestWhoMayCall(t *testing.T) {
	u := start(t, Options{}).Ready().RPC
	call := func(method, kind string, header ...string) (status int, code int) {
		t.Helper()
		body := `{"jsonrpc":"2.0","id":1,"method":"` + method + `","params":[]}`
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, u, bytes.NewBufferString(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", kind)
		for i := 0; i < len(header); i += 2 {
			req.Header.Set(header[i], header[i+1])
			if header[i] == "Host" {
				req.Host = header[i+1]
			}
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		if resp.Header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s %v: a page may read the answer", method, header)
		}
		var answer struct{ Error struct{ Code int } }
		if resp.StatusCode == http.StatusOK {
			if err := json.Unmarshal(text, &answer); err != nil {
				t.Errorf("%s: %s, %v", method, text, err)
			}
		}
		return resp.StatusCode, answer.Error.Code
	}
	const object, missing = "application/json", -32601
	for _, tt := range []struct {
		method, kind string
		header       []string
		status, code int
	}{
		{"eth_blockNumber", object, nil, 200, 0},
		{"eth_blockNumber", object, []string{"Host", "localhost:8545"}, 200, 0},
		{"web3_clientVersion", object, nil, 200, 0},
		{"net_version", object, nil, 200, 0},
		{"txpool_status", object, nil, 200, 0},
		{"dev_ready", object, nil, 200, 0},
		{"eth_blockNumber", object, []string{"Host", "evil.example"}, 403, 0},
		{"eth_blockNumber", object, []string{"Origin", "https://evil.example"}, 403, 0},
		{"eth_blockNumber", object, []string{"Origin", "null"}, 403, 0},
		{"eth_blockNumber", object, []string{"Origin", "http://localhost:3000"}, 403, 0},
		{"eth_blockNumber", object, []string{"Sec-Fetch-Site", "cross-site"}, 403, 0},
		{"eth_blockNumber", "text/plain", nil, 415, 0},
		{"admin_nodeInfo", object, nil, 200, missing},
		{"debug_setHead", object, nil, 200, missing},
		{"miner_setGasPrice", object, nil, 200, missing},
		{"engine_getPayloadV4", object, nil, 200, missing},
		{"personal_listAccounts", object, nil, 200, missing},
	} {
		if status, code := call(tt.method, tt.kind, tt.header...); status != tt.status || code != tt.code {
			t.Errorf("%s %s %q: %d and error %d, want %d and %d", tt.method, tt.kind, tt.header, status, code, tt.status, tt.code)
		}
	}
}

// What can be told before the chain is opened.
func TestPortTaken(t *testing.T) {
	c := start(t, Options{})
	_, port, _ := strings.Cut(strings.TrimPrefix(c.Ready().RPC, "http://"), ":")
	n, ok := new(big.Int).SetString(port, 10)
	if !ok {
		t.Fatal(c.Ready().RPC)
	}
	if _, err := Start(context.Background(), Options{Port: int(n.Int64())}); err == nil || !strings.Contains(err.Error(), "--port") {
		t.Errorf("Start on a taken port = %v; want the flag that chooses another", err)
	}
}
