package market

import (
	"encoding/hex"
	"encoding/json"
	"testing"

	"github.com/culvert-net/culvert/ledger"
	"github.com/culvert-net/culvert/ledger/channel"
)

// An opened round is verified by what is in it alone, after a way through a file;
// whatever is changed in it is found.
func TestOpenedRounds(t *testing.T) {
	domain := ledger.Domain{ChainID: 31337, Contract: ledger.Address{1}}
	session, provider := ledger.NewKey(), ledger.NewKey()
	id := ledger.ChannelOf(provider.Address(), session.Address(), ledger.Address{2})
	var leaves []ledger.Hash
	var all []ledger.Leaf
	for n := range uint64(5) {
		l := ledger.Leaf{RoundID: ledger.RoundID{byte(n)}, Seq: n + 1, RequestHash: ledger.Hash{1, byte(n)}, ResponseHash: ledger.Hash{2}, Input: 10 * n, Output: n, Cost: ledger.Wei(n), Status: ledger.StatusDone}
		all, leaves = append(all, l), append(leaves, l.Hash())
	}
	const at = 3
	result := ledger.Sign(ledger.Result{
		Channel: id, Epoch: 7, RoundID: all[at].RoundID, Final: true, RequestHash: all[at].RequestHash, ResponseHash: all[at].ResponseHash,
		Input: all[at].Input, Output: all[at].Output, Cost: all[at].Cost, Status: all[at].Status,
	}, domain, provider)
	make := func() Opened {
		return opened(channel.Opening{
			Info: channel.RoundInfo{Provider: provider.Address(), Channel: id, Epoch: 7, Model: "m"}, Leaf: all[at], Index: at, Size: 5,
			Proof:   ledger.ProveInclusion(leaves, at),
			Voucher: ledger.Sign(ledger.Voucher{Channel: id, Epoch: 7, Cumulative: ledger.Wei(10), Transcript: ledger.RootOf(leaves)}, domain, session),
			Result:  &result,
		}, domain, session.Address())
	}
	text, err := json.Marshal(make())
	if err != nil {
		t.Fatal(err)
	}
	var o Opened
	if err := json.Unmarshal(text, &o); err != nil {
		t.Fatal(err)
	}
	if c, err := o.Check(); err != nil || !c.Agreed || c.Cumulative != ledger.Wei(10) {
		t.Fatalf("%+v, %v", c, err)
	}
	for name, change := range map[string]func(*Opened){
		"cost":          func(o *Opened) { o.Leaf.Cost = ledger.Wei(1) },
		"request":       func(o *Opened) { o.Leaf.Request[5] ^= 1 },
		"place":         func(o *Opened) { o.Index = 2 },
		"size":          func(o *Opened) { o.Size = 4 },
		"proof":         func(o *Opened) { o.Proof[0][0] ^= 1 },
		"key":           func(o *Opened) { o.Key = provider.Address() },
		"contract":      func(o *Opened) { o.Contract[3] = 1 },
		"chain":         func(o *Opened) { o.ChainID++ },
		"channel":       func(o *Opened) { o.Channel[0] ^= 1 },
		"epoch":         func(o *Opened) { o.Epoch++ },
		"voucher":       func(o *Opened) { o.Voucher = o.Voucher[2:] },
		"result signer": func(o *Opened) { o.Provider = ledger.Address{9} },
		"result":        func(o *Opened) { o.Result = "zz" },
		"result of another round": func(o *Opened) {
			m := result.Message
			m.RoundID = ledger.RoundID{9}
			o.Result = hex.EncodeToString(ledger.Sign(m, domain, provider).Bytes())
		},
	} {
		bad := make()
		change(&bad)
		if _, err := bad.Check(); err == nil {
			t.Errorf("another %s is not found", name)
		}
	}
	m := result.Message
	m.Cost = ledger.Wei(1000)
	other := make()
	other.Result = hex.EncodeToString(ledger.Sign(m, domain, provider).Bytes())
	if c, err := other.Check(); err != nil || c.Agreed || c.Signed.Cost != ledger.Wei(1000) {
		t.Errorf("a provider that says something else: %+v, %v", c, err)
	}
}
