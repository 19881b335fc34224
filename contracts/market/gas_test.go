package market_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"os"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/culvert-net/culvert/contracts/market"
	"github.com/culvert-net/culvert/ledger"
)

// gasBars are what a transaction may cost at most, in the chain's own currency,
// by rules up to Osaka, where the balances that are credited are not zero before.
func gasBars() map[string]uint64 {
	return map[string]uint64{
		"buy": 75_000, "claim one channel": 45_000, "claim 200 channels, each": 16_000,
		"register with 512 bytes": 115_000, "withdraw": 35_000, "refund": 45_000,
	}
}

// What everything costs is what testdata/gas.json says, within 2 %, and within
// the bars. Costs by rules of the future are written down, without bars.
func TestGas(t *testing.T) {
	const golden = "testdata/gas.json"
	got := map[string]map[string]uint64{
		"native, rules up to Osaka":   measure(t, false, false, 200),
		"native, rules of the future": measure(t, true, false, 20),
		"ERC-20, rules up to Osaka":   measure(t, false, true, 20),
	}
	for name, bar := range gasBars() {
		if used, ok := got["native, rules up to Osaka"][name]; !ok || used > bar {
			t.Errorf("%s: %d gas, at most %d", name, used, bar)
		}
	}
	text, err := json.MarshalIndent(got, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	text = append(text, '\n')
	if *update {
		if err := os.WriteFile(golden, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	old, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(old, text) {
		return
	}
	var want map[string]map[string]uint64
	if err := json.Unmarshal(old, &want); err != nil {
		t.Fatal(err)
	}
	for where, all := range got {
		if len(all) != len(want[where]) {
			t.Errorf("%s: %d figures, %d in %s; run: go test ./contracts/market -run TestGas -update", where, len(all), len(want[where]), golden)
		}
		for name, used := range all {
			old := want[where][name]
			if used*100 > old*102 || used*100 < old*98 {
				t.Errorf("%s, %s: %d gas, %s has %d; run: go test ./contracts/market -run TestGas -update", where, name, used, golden, old)
			}
		}
	}
}

// measure is what each transaction costs on a new chain.
func measure(t *testing.T, future, token bool, batch int) map[string]uint64 {
	var asset func(*chain) ledger.Address
	good := helperOf(t, "GoodToken")
	if token {
		asset = func(c *chain) ledger.Address {
			return ledger.Address(c.send(keyOf(t, stranger), nil, nil, good.code()).ContractAddress)
		}
	}
	c := newChain(t, future, asset)
	m := market.NewMarket()
	gas := make(map[string]uint64)
	p, other, f, s, any := keyOf(t, provider), keyOf(t, otherProvider), keyOf(t, funder), keyOf(t, session), keyOf(t, stranger)
	price, ether := big.NewInt(1e12), eth(1)
	value := ether
	if token {
		value = nil
		at := view(c, m.PackAsset(), m.UnpackAsset)
		for _, k := range []*ledger.Key{f, any} {
			c.send(k, &at, nil, good.pack("mint", address(k), eth(1_000_000)))
			c.send(k, &at, nil, good.pack("approve", common.Address(c.at), eth(1_000_000)))
		}
	}
	descriptor := bytes.Repeat([]byte("descriptor of 32 bytes, and more"), 16)
	buy := func(key *ledger.Key) (ledger.ChannelID, uint64) {
		r := c.must(f, value, m.PackBuy(address(p), address(key), ether, price))
		return ledger.ChannelOf(p.Address(), key.Address(), f.Address()), r.GasUsed
	}
	voucher := func(id ledger.ChannelID, key *ledger.Key, epoch uint32, wei uint64) market.MarketEntry {
		return market.EntryOf(ledger.Sign(ledger.Voucher{
			Channel: id, Epoch: epoch, Cumulative: ledger.Wei(wei), Transcript: ledger.Hash(bytes.Repeat([]byte{0xff}, 32)),
		}, c.domain(), key))
	}
	claim := func(entries ...market.MarketEntry) uint64 {
		return c.must(any, nil, m.PackClaim(entries, [32]byte{})).GasUsed
	}

	c.must(other, nil, m.PackRegister(address(other), price, descriptor, [32]byte{}))
	gas["register with 512 bytes"] = c.must(p, nil, m.PackRegister(address(p), price, descriptor, [32]byte{})).GasUsed
	gas["update"] = c.must(p, nil, m.PackUpdate(address(p), price, descriptor, [32]byte{})).GasUsed

	id, used := buy(s)
	gas["buy"] = used
	_, gas["buy again"] = buy(s)
	gas["top up"] = c.must(any, value, m.PackTopUp(id, ether)).GasUsed

	gas["claim one channel, first of the provider"] = claim(voucher(id, s, 0, 1e15))
	gas["claim one channel"] = claim(voucher(id, s, 0, 2e15))

	var all []market.MarketEntry
	for n := range batch {
		key, err := ledger.KeyOfBytes([32]byte{30: 1, 31: byte(n)})
		if err != nil {
			t.Fatal(err)
		}
		id, _ := buy(key)
		claim(voucher(id, key, 0, 1e15)) // as in a channel that was claimed before
		all = append(all, voucher(id, key, 0, 2e15))
	}
	gas[fmt.Sprintf("claim %d channels, each", batch)] = claim(all...) / uint64(batch)

	gas["withdraw"] = c.must(p, nil, m.PackWithdraw(common.Address{})).GasUsed
	gas["request close"] = c.must(f, nil, m.PackRequestClose(id)).GasUsed
	gas["cancel close"] = c.must(f, nil, m.PackCancelClose(id)).GasUsed
	refund := func(id ledger.ChannelID) uint64 {
		c.must(f, nil, m.PackRequestClose(id))
		c.later(24 * time.Hour)
		return c.must(any, nil, m.PackRefund(id)).GasUsed
	}
	gas["refund, first of the funder"] = refund(id)
	second, _ := buy(keyOf(t, otherSession))
	gas["refund"] = refund(second)

	buy(s)
	claim(voucher(id, s, 1, 1e15))
	release := ledger.Sign(ledger.Release{Channel: id, Epoch: 1, FinalCumulative: ledger.Wei(2e15), Deadline: 1 << 40}, c.domain(), p)
	gas["cooperative close"] = c.must(f, nil, m.PackCooperativeClose(
		id, big.NewInt(1), release.Message.FinalCumulative.Big(), release.Message.Deadline,
		[32]byte(release.Signature[:32]), [32]byte(release.Signature[32:]),
	)).GasUsed
	return gas
}
