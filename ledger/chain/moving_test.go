package chain

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"math/rand/v2"
	"net/http"
	"os"
	"reflect"
	"slices"
	"strconv"
	"testing"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/culvert-net/culvert/contracts/market"
	"github.com/culvert-net/culvert/ledger"
)

// moving is a chain in memory that changes between two questions: blocks are made
// and taken back, and after a restart the newest may be missing.
type moving struct {
	t       testing.TB
	chance  *rand.Rand
	decoder *decoder
	abi     *abi.ABI
	code    []byte
	at      ledger.Address

	blocks []*movingBlock // by number
	made   uint64         // blocks that ever were, for their hashes
	moves  bool           // whether it changes between questions
	said   []string       // what happened, for who looks for an error
}

type movingBlock struct {
	hash ledger.Hash
	logs []*types.Log
	view View // after it
}

func newMoving(t testing.TB, chance *rand.Rand) *moving {
	t.Helper()
	d, err := newDecoder()
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := market.MarketMetaData.ParseABI()
	if err != nil {
		t.Fatal(err)
	}
	m := &moving{t: t, chance: chance, decoder: d, abi: parsed, code: []byte{1, 2, 3}, at: ledger.Address{7}}
	m.mine(0) // the genesis
	m.mine(0) // with the contract
	return m
}

func (m *moving) config() Config {
	return Config{
		URL: "http://chain.invalid", Network: DevNetwork(), Contract: m.at, Deployed: 1,
		CodeHash: ledger.Hash(crypto.Keccak256(m.code)), Transport: m,
	}
}

// head is the newest block's number.
func (m *moving) head() uint64 { return uint64(len(m.blocks) - 1) }

// mine makes a block of so many events that follow from the state before.
func (m *moving) mine(events int) {
	m.made++
	b := &movingBlock{}
	binary.BigEndian.PutUint64(b.hash[:], m.made)
	c := View{}.change()
	if len(m.blocks) > 0 {
		c = m.blocks[m.head()].view.change()
	}
	for len(b.logs) < events {
		l := m.event(c)
		l.BlockNumber, l.BlockHash, l.Index = uint64(len(m.blocks)), common.Hash(b.hash), uint(len(b.logs))
		b.logs = append(b.logs, l)
		if err := m.decoder.apply(c, l); err != nil {
			m.t.Fatal(err)
		}
	}
	var err error
	if b.view, err = c.view(); err != nil {
		m.t.Fatal(err)
	}
	m.blocks = append(m.blocks, b)
}

// event is one that can follow: a provider's next number, money that is credited, or
// all of it withdrawn.
func (m *moving) event(c *change) *types.Log {
	who := ledger.Address{1, byte(m.chance.IntN(3))}
	p, known := c.provider(who)
	have, ok := c.balances[who]
	if !ok {
		have = c.from.Balance(who)
	}
	var name string
	var fields []any
	switch n := m.chance.IntN(4); {
	case n == 0 && !have.IsZero():
		name, fields = "Withdrawn", []any{common.Address(who), common.Address{}, have.Big()}
	case n < 2:
		name, fields = "Credited", []any{common.Address(who), big.NewInt(int64(1 + m.chance.IntN(1000)))}
	case n == 2 && known && !p.Exited:
		name, fields = "Exited", []any{common.Address(who), new(big.Int).SetUint64(p.Sequence + 1)}
	default:
		name = "Registered"
		if known && !p.Exited {
			name = "Updated"
		}
		fields = []any{
			common.Address(who), new(big.Int).SetUint64(p.Sequence + 1), common.Address(who), big.NewInt(int64(m.chance.IntN(1000))),
			m.descriptor(),
			[32]byte{},
		}
	}
	e := m.abi.Events[name]
	data, err := e.Inputs.Pack(fields...)
	if err != nil {
		m.t.Fatalf("%s: %v", name, err)
	}
	return &types.Log{Address: common.Address(m.at), Topics: []common.Hash{e.ID}, Data: data}
}

func (m *moving) descriptor() []byte {
	return binary.BigEndian.AppendUint64(nil, m.chance.Uint64())
}

// back takes blocks back, but for the one with the contract.
func (m *moving) back(n int) { m.blocks = m.blocks[:max(2, len(m.blocks)-n)] }

// move changes the chain, or does not.
func (m *moving) move() {
	switch n := 1 + m.chance.IntN(4); m.chance.IntN(8) {
	case 0: // blocks are added
		for range n {
			m.mine(m.chance.IntN(3))
		}
		m.note("+%d", n)
	case 1: // taken back, and others made: fewer, as many or more
		m.back(n)
		more := m.chance.IntN(n + 2)
		for range more {
			m.mine(m.chance.IntN(3))
		}
		m.note("-%d+%d", n, more)
	case 2: // it was killed, and lost its newest block
		m.back(1)
		m.note("-1")
	default:
	}
}

func (m *moving) note(format string, args ...any) {
	m.said = append(m.said, fmt.Sprintf(format, args...))
}

// RoundTrip answers one question.
func (m *moving) RoundTrip(r *http.Request) (*http.Response, error) {
	if m.moves {
		m.move()
	}
	var q struct {
		ID     json.RawMessage
		Method string
		Params []json.RawMessage
	}
	if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
		return nil, err
	}
	answer := map[string]any{"jsonrpc": "2.0", "id": q.ID}
	if result, err := m.answer(q.Method, q.Params); err != nil {
		answer["error"] = replyError{Code: -32000, Message: err.Error()}
	} else {
		answer["result"] = result
	}
	m.note("%s%s", q.Method[4:], bytes.Join(rawBytes(q.Params), nil))
	text, err := json.Marshal(answer)
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(bytes.NewReader(text)), Request: r,
	}, err
}

func rawBytes(in []json.RawMessage) (out [][]byte) {
	for _, b := range in {
		out = append(out, b)
	}
	return out
}

func (m *moving) answer(method string, params []json.RawMessage) (any, error) {
	switch method {
	case "eth_chainId":
		return hexutil.Uint64(devChainID), nil
	case "eth_getCode":
		return hexutil.Bytes(m.code), nil
	case "eth_getBlockByNumber":
		n := m.head()
		if string(params[0]) != `"latest"` {
			var asked hexutil.Uint64
			if err := json.Unmarshal(params[0], &asked); err != nil {
				return nil, err
			}
			n = uint64(asked)
		}
		if n > m.head() {
			return nil, nil
		}
		before := m.blocks[n-min(n, 1)]
		return map[string]any{
			"number": hexutil.Uint64(n), "hash": common.Hash(m.blocks[n].hash), "parentHash": common.Hash(before.hash),
			"timestamp": hexutil.Uint64(n),
		}, nil
	case "eth_getLogs":
		var q struct{ FromBlock, ToBlock hexutil.Uint64 }
		if err := json.Unmarshal(params[0], &q); err != nil {
			return nil, err
		}
		if uint64(q.ToBlock) > m.head() {
			return nil, errors.New("block range extends beyond current head block")
		}
		out := []*types.Log{}
		for _, b := range m.blocks[q.FromBlock : q.ToBlock+1] {
			out = append(out, b.logs...)
		}
		return out, nil
	}
	return nil, fmt.Errorf("%s is not asked for reading", method)
}

// sameView compares two states, field by field.
func sameView(a, b View) bool {
	balances := func(v View) (out []string) {
		v.balances.all(func(who ledger.Address, sum ledger.Amount) { out = append(out, who.String()+" "+sum.String()) })
		slices.Sort(out)
		return out
	}
	return reflect.DeepEqual(a.Providers(), b.Providers()) && slices.Equal(balances(a), balances(b))
}

// Whatever happens to the chain between two questions of a reader: once it stands
// still, the next reading is right. One that had read two pages of different forks
// kept what was in neither; one whose newest block came back, after it had read
// others, took them for that block's; and one of a chain that had become shorter was
// wrong six times, ever more slowly.
func TestReadsWhatStandsStill(t *testing.T) {
	const begun = 150
	runs, first := begun, rand.Uint64N(1<<32)
	if s := os.Getenv("CULVERT_MOVES"); s != "" { // how often, or a seed alone: -3
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		if runs = int(n); n < 0 {
			runs, first = 1, uint64(-n)
		}
	}
	for i := range runs {
		seed := first + uint64(i)
		chance := rand.New(rand.NewPCG(seed, 0))
		m := newMoving(t, chance)
		cfg := m.config()
		cfg.Network.Window = []uint64{2, 8, 64}[chance.IntN(3)]
		cfg.Network.MaxRange = []uint64{1, 3, 10_000}[chance.IntN(3)]
		cfg.Network.Confirmations = []uint64{0, 0, 2}[chance.IntN(3)]
		if chance.IntN(20) == 0 { // it writes to the disk
			cfg.Store = newStore(t)
		}
		tries := 1
		if cfg.Network.Confirmations > 0 { // such a chain may have servers that lag
			tries += maxBehind
		}
		for range chance.IntN(12) {
			m.mine(chance.IntN(3))
		}
		r := mustReader(t, cfg)
		for range 1 + chance.IntN(4) {
			m.moves = true
			for range chance.IntN(5) {
				_ = r.Sync(t.Context()) // of what does not stand still: anything
				if cfg.Store != nil && chance.IntN(2) == 0 {
					r = mustReader(t, cfg)
				}
			}
			m.moves = false
			var err error
			n := 0
			for ; n == 0 || err != nil && n < tries; n++ {
				m.note("sync")
				err = r.Sync(t.Context())
			}
			if err != nil {
				t.Fatalf("seed %d: after %d readings of a chain that stands still: %v\n%v", seed, n, err, m.said)
			}
			s, head := r.State(), m.head()
			deep := head - min(head, cfg.Network.Confirmations)
			if deep == 0 {
				deep = 1
			}
			if s.Head.Number != head || s.Head.Hash != m.blocks[head].hash || !sameView(s.Pending, m.blocks[head].view) {
				t.Fatalf("seed %d: the state at the newest block, %d, is not the contract's\n%v", seed, head, m.said)
			}
			if cfg.Network.Confirmations > 0 && r.last().Number > deep {
				continue // what was confirmed stays so
			}
			if !sameView(s.View, m.blocks[deep].view) {
				t.Fatalf("seed %d: the state at block %d is not the contract's\n%v", seed, deep, m.said)
			}
		}
	}
}

func mustReader(t testing.TB, cfg Config) *Reader {
	t.Helper()
	r, err := NewReader(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
