package chain

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/accounts/abi/bind/v2"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/eth/ethconfig"
	"github.com/ethereum/go-ethereum/ethclient/simulated"
	"github.com/ethereum/go-ethereum/node"
	"github.com/ethereum/go-ethereum/rpc"

	"github.com/culvert-net/culvert/contracts/market"
	"github.com/culvert-net/culvert/internal/kv"
	"github.com/culvert-net/culvert/internal/kv/bolt"
	"github.com/culvert-net/culvert/ledger"
)

// world is go-ethereum's chain in memory with the contract, behind an HTTP
// server whose answers a test may bend.
type world struct {
	t    *testing.T
	sim  *simulated.Backend
	node *rpc.Client
	cfg  Config
	keys []*ledger.Key // with money

	mu    sync.Mutex
	bend  func(*reply)   // nil: nothing is
	stop  string         // a method that does not get to the node
	lose  int            // so many transactions are taken, and forgotten at once
	asked map[string]int // calls by method
}

// reply is one answer on its way to the client.
type reply struct {
	Method string
	Params []json.RawMessage
	Result json.RawMessage
	Error  *replyError
	Status int    // not 0: the HTTP status, without a body
	Raw    []byte // not nil: the whole body
	Hang   <-chan struct{}
}

type replyError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
	Data    any    `json:"data,omitempty"`
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, asked: make(map[string]int)}
	alloc := types.GenesisAlloc{}
	for range 4 {
		k := ledger.NewKey()
		w.keys = append(w.keys, k)
		alloc[common.Address(k.Address())] = types.Account{Balance: new(big.Int).Exp(big.NewInt(10), big.NewInt(24), nil)}
	}
	dir, err := os.MkdirTemp("", "c") // a socket's path is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	socket := filepath.Join(dir, "x.ipc")
	w.sim = simulated.NewBackend(alloc, func(n *node.Config, e *ethconfig.Config) {
		n.IPCPath = socket
		config := *e.Genesis.Config
		config.ChainID = big.NewInt(devChainID)
		config.AmsterdamTime, config.BogotaTime = nil, nil // no chain has these rules
		e.Genesis.Config = &config
	})
	t.Cleanup(func() { _ = w.sim.Close() })
	if w.node, err = rpc.DialIPC(t.Context(), socket); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.node.Close)
	server := httptest.NewServer(w)
	t.Cleanup(server.Close)

	opts := bind.NewKeyedTransactor(w.keys[0].ECDSA(), big.NewInt(devChainID))
	opts.Context = t.Context()
	at, err := market.Deploy(t.Context(), w.sim.Client(), opts, ledger.Address{}, func() { w.sim.Commit() })
	if err != nil {
		t.Fatal(err)
	}
	code, err := w.sim.Client().CodeAt(t.Context(), common.Address(at), nil)
	if err != nil {
		t.Fatal(err)
	}
	w.cfg = Config{
		URL: server.URL, Network: DevNetwork(), Contract: at, Deployed: 1,
		CodeHash: ledger.Hash(crypto.Keccak256(code)),
	}
	w.cfg.Network.Confirmations, w.cfg.Network.Window = 2, 8
	return w
}

func (w *world) bendBy(f func(*reply)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.bend = f
}

func (w *world) stopAt(method string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stop = method
}

func (w *world) count(method string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.asked[method]
}

// mines makes a block now and then, until the test ends.
func (w *world) mines() {
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			case <-time.After(10 * time.Millisecond):
				w.sim.Commit()
			}
		}
	}()
	w.t.Cleanup(func() { close(stop); <-done })
}

func (w *world) writer(k *ledger.Key) *Writer {
	w.t.Helper()
	out, err := NewWriter(w.cfg, k)
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

func (w *world) ServeHTTP(out http.ResponseWriter, in *http.Request) {
	body, err := io.ReadAll(in.Body)
	var msg struct {
		ID     json.RawMessage
		Method string
		Params []json.RawMessage
	}
	if err != nil || json.Unmarshal(body, &msg) != nil {
		out.WriteHeader(http.StatusBadRequest)
		return
	}
	r := &reply{Method: msg.Method, Params: msg.Params}
	// Whatever is asked may be passed on, and the node is asked in that form.
	q, err := w.cfg.Passable(Question{msg.Method, msg.Params})
	if err != nil {
		w.t.Errorf("%s %s: %v", msg.Method, msg.Params, err)
	}
	args := make([]any, len(q.Params))
	for i := range q.Params {
		args[i] = q.Params[i]
	}
	w.mu.Lock()
	stopped := w.stop == msg.Method
	lost := w.lose > 0 && msg.Method == "eth_sendRawTransaction"
	if lost {
		w.lose--
	}
	w.mu.Unlock()
	if stopped {
		out.WriteHeader(http.StatusBadGateway)
		return
	}
	if lost {
		r.Result = hashOf(msg.Params[0])
	} else if err := w.node.CallContext(in.Context(), &r.Result, msg.Method, args...); err != nil {
		r.Error = &replyError{Code: -32000, Message: err.Error()}
		if coded, ok := errors.AsType[rpc.Error](err); ok {
			r.Error.Code = coded.ErrorCode()
		}
		if data, ok := errors.AsType[rpc.DataError](err); ok {
			r.Error.Data = data.ErrorData()
		}
	}
	w.mu.Lock()
	w.asked[r.Method]++
	bend := w.bend
	w.mu.Unlock()
	if bend != nil {
		bend(r)
	}
	if r.Hang != nil {
		select {
		case <-r.Hang:
		case <-in.Context().Done():
		}
	}
	if r.Status != 0 {
		out.WriteHeader(r.Status)
		return
	}
	if r.Raw != nil {
		_, _ = out.Write(r.Raw)
		return
	}
	answer := map[string]any{"jsonrpc": "2.0", "id": msg.ID}
	if r.Error != nil {
		answer["error"] = r.Error
	} else {
		answer["result"] = r.Result
	}
	_ = json.NewEncoder(out).Encode(answer)
}

// hashOf is what a node answers to a transaction.
func hashOf(raw json.RawMessage) json.RawMessage {
	var text hexutil.Bytes
	if err := json.Unmarshal(raw, &text); err != nil {
		return nil
	}
	return json.RawMessage(`"` + crypto.Keccak256Hash(text).Hex() + `"`)
}

// send signs and sends a call of a key without waiting for a block.
func (w *world) send(k *ledger.Key, value ledger.Amount, data []byte) common.Hash {
	w.t.Helper()
	nonce, err := w.sim.Client().PendingNonceAt(w.t.Context(), common.Address(k.Address()))
	if err != nil {
		w.t.Fatal(err)
	}
	return w.sendAs(k, nonce, value, data)
}

// sendAs is send under a nonce.
func (w *world) sendAs(k *ledger.Key, nonce uint64, value ledger.Amount, data []byte) common.Hash {
	w.t.Helper()
	ctx := w.t.Context()
	to := common.Address(w.cfg.Contract)
	tx, err := types.SignNewTx(k.ECDSA(), types.LatestSignerForChainID(big.NewInt(devChainID)), &types.DynamicFeeTx{
		ChainID: big.NewInt(devChainID), Nonce: nonce, GasTipCap: big.NewInt(1e9), GasFeeCap: big.NewInt(100e9),
		Gas: 600_000, To: &to, Value: value.Big(), Data: data,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	if err := w.sim.Client().SendTransaction(ctx, tx); err != nil {
		w.t.Fatal(err)
	}
	return tx.Hash()
}

// do sends a call and makes a block of it; it must succeed.
func (w *world) do(k *ledger.Key, value ledger.Amount, data []byte) {
	w.t.Helper()
	hash := w.send(k, value, data)
	w.sim.Commit()
	r, err := w.sim.Client().TransactionReceipt(w.t.Context(), hash)
	if err != nil || r.Status != types.ReceiptStatusSuccessful {
		w.t.Fatalf("call %x: receipt %+v, %v", data[:4], r, err)
	}
}

func (w *world) blocks(n int) {
	for range n {
		w.sim.Commit()
	}
}

func (w *world) head() Block {
	w.t.Helper()
	h, err := w.sim.Client().HeaderByNumber(w.t.Context(), nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return Block{Number: h.Number.Uint64(), Hash: ledger.Hash(h.Hash()), Time: h.Time}
}

func (w *world) reader() *Reader {
	w.t.Helper()
	r, err := NewReader(w.cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// call asks the contract itself, at a block.
func (w *world) call(at uint64, data []byte) []byte {
	w.t.Helper()
	to := common.Address(w.cfg.Contract)
	out, err := w.sim.Client().CallContract(w.t.Context(), callMsg(to, data), new(big.Int).SetUint64(at))
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

// agrees compares a view with what the contract says at a block, about everyone
// in it.
func (w *world) agrees(v View, at uint64) {
	w.t.Helper()
	m := market.NewMarket()
	amount := func(b *big.Int) ledger.Amount {
		a, err := ledger.AmountOfBig(b)
		if err != nil {
			w.t.Fatal(err)
		}
		return a
	}
	for _, ch := range v.Channels(func(ledger.Channel) bool { return true }) {
		got, err := m.UnpackChannel(w.call(at, m.PackChannel(ch.ID)))
		if err != nil {
			w.t.Fatal(err)
		}
		want := ledger.Channel{
			ID: ch.ID, Key: ch.Key, Provider: ledger.Address(got.Provider), Funder: ledger.Address(got.Funder),
			Epoch: uint32(got.Epoch.Uint64()), Deposited: amount(got.Deposited), Claimed: amount(got.Claimed),
			Locked: amount(got.Locked), CloseAt: got.CloseAt.Uint64(),
		}
		if ch != want {
			w.t.Errorf("block %d: channel %+v, and the contract has %+v", at, ch, want)
		}
	}
	for _, p := range v.Providers() {
		got, err := m.UnpackProvider(w.call(at, m.PackProvider(common.Address(p.Address))))
		if err != nil {
			w.t.Fatal(err)
		}
		if p.Payout != ledger.Address(got.Payout) || p.Price != amount(got.Price) || p.Sequence != got.Sequence.Uint64() ||
			p.Exited == got.Active || p.Bond != amount(got.Bond) || p.BondUntil != got.BondUntil ||
			ledger.Hash(crypto.Keccak256(p.Descriptor)) != ledger.Hash(got.Descriptor) {
			w.t.Errorf("block %d: provider %+v, and the contract has %+v", at, p, got)
		}
	}
	for _, k := range w.keys {
		got, err := m.UnpackBalanceOf(w.call(at, m.PackBalanceOf(common.Address(k.Address()))))
		if err != nil {
			w.t.Fatal(err)
		}
		if b := v.Balance(k.Address()); b != amount(got) {
			w.t.Errorf("block %d: balance %s, and the contract has %s", at, b, got)
		}
	}
}

// store is a real one that a test may break.
type store struct {
	kv.Store
	mu   sync.Mutex
	fail func(n int) (before, after bool) // of the n-th Do
	n    int
}

var errBroken = errors.New("the disk is gone")

func newStore(t *testing.T) *store {
	t.Helper()
	s, err := bolt.Open(filepath.Join(t.TempDir(), "ledger.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return &store{Store: s}
}

func (s *store) Do(ctx context.Context, f func(kv.Tx) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.n++
	before, after := false, false
	if s.fail != nil {
		before, after = s.fail(s.n)
	}
	if before {
		return errBroken
	}
	if err := s.Update(ctx, f); err != nil {
		return err
	}
	if after {
		return errBroken
	}
	return nil
}

// eventually waits for what other goroutines do.
func eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if f() {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("not within 10 s: %s", what)
		}
	}
}

// later moves the clock, once the node knows that nothing waits: it may take its time
// to see that what is in the last block does not.
func (w *world) later(d time.Duration) {
	w.t.Helper()
	err := w.sim.AdjustTime(d)
	for try := 0; err != nil && try < 1000; try++ {
		time.Sleep(10 * time.Millisecond)
		err = w.sim.AdjustTime(d)
	}
	if err != nil {
		w.t.Fatal(err)
	}
}
