package chain

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/culvert-net/culvert/contracts/market"
	"github.com/culvert-net/culvert/internal/kv"
	"github.com/culvert-net/culvert/ledger"
)

// FuzzEvent applies any event to a state with a provider and a channel: it
// changes it or is an error with a name, and no money comes from nowhere.
func FuzzEvent(f *testing.F) {
	parsed, err := market.MarketMetaData.ParseABI()
	if err != nil {
		f.Fatal(err)
	}
	d, err := newDecoder()
	if err != nil {
		f.Fatal(err)
	}
	provider, key, funder := ledger.Address{1}, ledger.Address{2}, ledger.Address{3}
	id := ledger.ChannelOf(provider, key, funder)
	word := func(b []byte) []byte { return common.LeftPadBytes(b, 32) }
	for _, e := range parsed.Events {
		f.Add(e.ID[:], bytes.Repeat([]byte{0}, 256))
		f.Add(e.ID[:], append(append(append([]byte{}, id[:]...), word(nil)...), word([]byte{50})...))
		f.Add(e.ID[:], append(append(append([]byte{}, id[:]...), word(nil)...), bytes.Repeat([]byte{0xff}, 128)...))
		f.Add(e.ID[:], append(append(word(provider[:]), word([]byte{8})...), word([]byte{9})...))
	}
	f.Add([]byte{}, []byte{})
	before := View{}.change()
	before.providers[provider] = ledger.Provider{Address: provider, Payout: provider, Price: ledger.Wei(10), Sequence: 7}
	before.channels[id] = ledger.Channel{ID: id, Provider: provider, Key: key, Funder: funder, Deposited: ledger.Wei(100), Claimed: ledger.Wei(20), Locked: ledger.Wei(10)}
	before.balances[provider] = ledger.Wei(9)
	view, err := before.view()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, name, data []byte) {
		log := &types.Log{Data: data, BlockNumber: 5}
		if len(name) > 0 {
			log.Topics = []common.Hash{common.BytesToHash(name)}
		}
		c := view.change()
		if err := d.apply(c, log); err != nil {
			if !errors.Is(err, ErrInconsistent) {
				t.Errorf("%v", err)
			}
			return
		}
		after, err := c.view()
		if err != nil {
			t.Fatal(err)
		}
		for _, ch := range after.Channels(func(ledger.Channel) bool { return true }) {
			if ch.Deposited.Less(ch.Claimed) || ch.Epoch > ledger.MaxEpoch {
				t.Errorf("channel %+v", ch)
			}
			if got, err := decodeChannel(ch.ID, encodeChannel(ch)); err != nil || got != ch {
				t.Errorf("channel %+v is stored as %+v, %v", ch, got, err)
			}
		}
		if p, ok := view.Channel(id); !ok || p.Deposited != ledger.Wei(100) {
			t.Error("an event changed the state before it")
		}
	})
}

// FuzzLogs reads any answer to eth_getLogs.
func FuzzLogs(f *testing.F) {
	f.Add([]byte(`[{"address":"0x0100000000000000000000000000000000000000","topics":["0x` + string(bytes.Repeat([]byte("00"), 32)) + `"],"data":"0x00","blockNumber":"0x5","blockHash":"0x` + string(bytes.Repeat([]byte("11"), 32)) + `","logIndex":"0x0","removed":false}]`))
	f.Add([]byte(`[{}]`))
	f.Add([]byte(`null`))
	s := &server{cfg: Config{Contract: ledger.Address{1}}}
	f.Fuzz(func(t *testing.T, answer []byte) {
		var raw []rawLog
		if json.Unmarshal(answer, &raw) != nil {
			return
		}
		for i := range raw {
			l, err := s.log(&raw[i], 3, 9)
			if err != nil {
				continue
			}
			if l.BlockNumber < 3 || l.BlockNumber > 9 || ledger.Address(l.Address) != s.cfg.Contract || len(l.Data) > maxLogData {
				t.Errorf("%+v is taken", l)
			}
		}
	})
}

// FuzzRecords reads any stored record: none but what is written.
func FuzzRecords(f *testing.F) {
	f.Add(byte('h'), encodeHead(3, Block{Number: 7, Hash: ledger.Hash{9}, Time: 5}))
	f.Add(byte('p'), encodeProvider(ledger.Provider{Payout: ledger.Address{4}, Price: ledger.Wei(5), Sequence: 6, Descriptor: []byte("d"), Exited: true}))
	f.Add(byte('c'), encodeChannel(ledger.Channel{ID: ledger.ChannelOf(ledger.Address{}, ledger.Address{}, ledger.Address{}), Deposited: ledger.Wei(9)}))
	f.Add(byte('b'), encodeBalance(ledger.MaxAmount))
	f.Add(byte('t'), encodeIntent(&intent{call: Call{What: "buy", Data: []byte{1}, Value: ledger.Wei(8)}, gas: 9, tries: []fees{{ledger.Wei(1), ledger.Wei(2)}}}))
	f.Fuzz(func(t *testing.T, kind byte, b []byte) {
		id := ledger.ChannelOf(ledger.Address{}, ledger.Address{}, ledger.Address{})
		var again []byte
		var err error
		switch kind {
		case 'h':
			var run uint32
			var at Block
			if run, at, err = decodeHead(b); err == nil {
				again = encodeHead(run, at)
			}
		case 'p':
			var p ledger.Provider
			if p, err = decodeProvider(ledger.Address{}, b); err == nil {
				again = encodeProvider(p)
			}
		case 'c':
			var c ledger.Channel
			if c, err = decodeChannel(id, b); err == nil {
				again = encodeChannel(c)
			}
		case 'b':
			var a ledger.Amount
			if a, err = decodeBalance(b); err == nil {
				again = encodeBalance(a)
			}
		case 't':
			var n *intent
			if n, err = decodeIntent(1, b); err == nil {
				again = encodeIntent(n)
			}
		default:
			return
		}
		if err != nil && !errors.Is(err, kv.ErrDamaged) {
			t.Errorf("%v", err)
		}
		if err == nil && !bytes.Equal(again, b) {
			t.Errorf("kind %q: %x is written as %x", kind, b, again)
		}
	})
}

// FuzzRevert reads any reason of a contract.
func FuzzRevert(f *testing.F) {
	parsed, err := market.MarketMetaData.ParseABI()
	if err != nil {
		f.Fatal(err)
	}
	for _, e := range parsed.Errors {
		f.Add(e.ID[:4:4], "")
		f.Add(append(e.ID[:4:4], bytes.Repeat([]byte{0xff}, 64)...), "")
	}
	f.Add(hexutil.MustDecode("0x08c379a0"), "revert reason=[0x08c379a0]")
	f.Fuzz(func(t *testing.T, data []byte, text string) {
		if got := decodeRevert(data); got.Text == "" {
			t.Errorf("%x says nothing", data)
		}
		if got := explainRevert(&RefusedError{Text: text, Data: data}); got == nil {
			t.Error("a refusal is none")
		}
	})
}

// A table with layers is a map, whatever was done to it.
func TestTableAgainstMap(t *testing.T) {
	var tab *table[int, int]
	want := map[int]int{}
	type old struct {
		tab  *table[int, int]
		want map[int]int
	}
	var kept []old
	for i := range 400 {
		changes := map[int]int{}
		for j := range 1 + i*7%5*i%40 {
			changes[(i*31+j*17)%300] = i*1000 + j
		}
		tab = tab.with(changes)
		next := map[int]int{}
		for k, v := range want {
			next[k] = v
		}
		for k, v := range changes {
			next[k] = v
		}
		want = next
		if i%50 == 0 {
			kept = append(kept, old{tab, want})
		}
		if tab.depth > maxLayers+1 {
			t.Fatalf("%d layers after %d changes", tab.depth, i)
		}
	}
	for _, o := range append(kept, old{tab, want}) {
		got := map[int]int{}
		o.tab.all(func(k, v int) {
			if _, twice := got[k]; twice {
				t.Errorf("%d comes twice", k)
			}
			got[k] = v
		})
		if !reflect.DeepEqual(got, o.want) || o.tab.len() != len(o.want) {
			t.Errorf("%d entries (len %d), want %d", len(got), o.tab.len(), len(o.want))
		}
		for k := range 300 {
			v, ok := o.tab.get(k)
			if w, have := o.want[k]; ok != have || v != w {
				t.Errorf("get(%d) = %d, %v, want %d, %v", k, v, ok, w, have)
			}
		}
	}
}
