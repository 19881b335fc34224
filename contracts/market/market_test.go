package market_test

import (
	"math/big"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/culvert-net/culvert/contracts/market"
	"github.com/culvert-net/culvert/ledger"
)

func address(k *ledger.Key) common.Address { return common.Address(k.Address()) }

// Register, buy, claim, withdraw, close, refund: once through, on a whole chain.
func TestLife(t *testing.T) {
	c := newChain(t, false, nil)
	m := market.NewMarket()
	p, f, s := keyOf(t, provider), keyOf(t, funder), keyOf(t, session)
	id := ledger.ChannelOf(p.Address(), s.Address(), f.Address())

	if got := view(c, m.PackDomainSeparator(), m.UnpackDomainSeparator); ledger.Hash(got) != c.domain().Separator() {
		t.Fatalf("the contract's domain is %x", got)
	}
	c.must(p, nil, m.PackRegister(address(p), big.NewInt(1000), []byte("descriptor"), [32]byte{}))
	c.must(f, eth(1), m.PackBuy(address(p), address(s), eth(1), big.NewInt(1000)))
	voucher := ledger.Sign(ledger.Voucher{Channel: id, Cumulative: ledger.Wei(1e17)}, c.domain(), s)
	c.must(keyOf(t, stranger), nil, m.PackClaim([]market.MarketEntry{market.EntryOf(voucher)}, [32]byte{}))
	if got := view(c, m.PackBalanceOf(address(p)), m.UnpackBalanceOf); got.Cmp(big.NewInt(1e17)) != 0 {
		t.Fatalf("the provider has %s", got)
	}
	status := view(c, m.PackStatus(address(p), address(s), address(f)), m.UnpackStatus)
	if status.ChannelId != id || status.Remaining.Cmp(big.NewInt(9e17)) != 0 || status.Locked.Int64() != 1000 || status.RemainingTokens.Cmp(new(big.Int).Div(new(big.Int).Mul(status.Remaining, big.NewInt(1e6)), big.NewInt(1000))) != 0 {
		t.Errorf("%+v", status)
	}
	c.must(p, nil, m.PackWithdraw(common.Address{}))
	c.must(f, nil, m.PackRequestClose(id))
	c.later(24 * time.Hour)
	c.must(keyOf(t, stranger), nil, m.PackRefund(id))
	if got := view(c, m.PackBalanceOf(address(f)), m.UnpackBalanceOf); got.Cmp(big.NewInt(9e17)) != 0 {
		t.Errorf("the funder has %s", got)
	}
	if got := view(c, m.PackChannel(id), m.UnpackChannel); got.Epoch.Int64() != 1 || got.Deposited.Sign() != 0 || got.CloseAt.Sign() != 0 {
		t.Errorf("%+v", got)
	}
}
