package market_test

import (
	"math/big"
	"testing"

	"github.com/ethereum/go-ethereum/common"

	"github.com/culvert-net/culvert/contracts/market"
	"github.com/culvert-net/culvert/ledger"
)

// sold is a machine on which p sells at 10, and f bought for 100.
func sold(t *testing.T) *scene {
	c := newScene(t)
	m := newModel(c.x)
	for _, s := range []step{c.register(c.p, 10), c.register(c.q, 10), c.buy(c.f, 100, 10)} {
		c.run(m, s)
	}
	return c
}

func (c *scene) balance(a ledger.Address) uint64 {
	return look(c.x, c.m.PackBalanceOf(common.Address(a)), c.m.UnpackBalanceOf).Uint64()
}

// The contract's domain and channel ids are those of package ledger, on either
// chain that knows it.
func TestDomainAndChannelID(t *testing.T) {
	c := sold(t)
	if got := look(c.x, c.m.PackDomainSeparator(), c.m.UnpackDomainSeparator); ledger.Hash(got) != c.x.domain().Separator() {
		t.Errorf("the domain is %x", got)
	}
	got := look(c.x, c.m.PackStatus(address(c.p), address(c.s), address(c.f)), c.m.UnpackStatus)
	if ledger.ChannelID(got.ChannelId) != c.mine || got.Remaining.Uint64() != 100 || got.RemainingTokens.Uint64() != 10_000_000 {
		t.Errorf("%+v", got)
	}
	// A fork of the chain under another id has another domain: what was signed before it does not count there.
	rules := *c.x.rules
	rules.ChainID = big.NewInt(7)
	c.x.rules = &rules
	if got := look(c.x, c.m.PackDomainSeparator(), c.m.UnpackDomainSeparator); ledger.Hash(got) != c.x.domain().Separator() {
		t.Errorf("after a fork the domain is %x", got)
	}
}

// Somebody who buys for my key, in the block before me or ever, opens a channel
// of his own.
func TestSomebodyBuysForMyKey(t *testing.T) {
	c := newScene(t)
	m := newModel(c.x)
	for _, s := range []step{
		c.register(c.p, 10), c.buy(c.g, 7, 10), c.buy(c.f, 100, 10), c.requestClose(c.g, c.mine), c.claim(c.any, c.voucher(c.mine, 0, 50)),
		c.requestClose(c.g, c.hers), c.wait(24 * 3600), c.refund(c.g, c.hers), c.withdraw(c.g),
	} {
		c.run(m, s)
	}
	if got := m.channels[c.mine]; got.deposited != 100 || got.claimed != 50 || m.balances[c.f.Address()] != 0 {
		t.Errorf("%+v", got)
	}
}

// What is wrong with one entry changes nothing about another, and is said.
func TestBatch(t *testing.T) {
	c := sold(t)
	zero := c.voucher(c.mine, 0, 20)
	zero.Signature = ledger.Signature{}
	other := ledger.Sign(ledger.Voucher{Channel: c.mine, Cumulative: ledger.Wei(20)}, c.x.domain(), c.f)
	vouchers := []ledger.Signed[ledger.Voucher]{
		c.voucher(c.none, 0, 5), c.voucher(c.mine, 1, 20), zero, other, c.voucher(c.mine, 0, 30), c.voucher(c.mine, 0, 30), c.voucher(c.mine, 0, 29),
		c.voucher(c.mine, 0, 500), c.voucher(c.mine, 0, 501),
	}
	c.run(newModelOf(c), c.claim(c.any, vouchers...))
	if got := c.balance(c.p.Address()); got != 100 {
		t.Errorf("the provider has %d", got)
	}
	var said []string
	for _, log := range c.x.state.Logs() {
		if e, err := c.m.UnpackClaimSkippedEvent(log); err == nil {
			said = append(said, []string{"unknown", "epoch", "stale", "signature"}[e.Reason])
		}
		if e, err := c.m.UnpackClaimClampedEvent(log); err == nil {
			said = append(said, "clamped "+e.Cumulative.String()+" to "+e.Deposited.String())
		}
		if e, err := c.m.UnpackClaimedEvent(log); err == nil {
			said = append(said, "claimed "+e.Cumulative.String())
		}
	}
	want := []string{"unknown", "epoch", "signature", "signature", "claimed 30", "stale", "stale", "clamped 500 to 100", "claimed 100", "stale"}
	if len(said) != len(want) {
		t.Fatalf("%q, want %q", said, want)
	}
	for i := range want {
		if said[i] != want[i] {
			t.Errorf("%q, want %q", said, want)
		}
	}
}

// newModelOf is the model of a scene that is sold.
func newModelOf(c *scene) *model {
	m := newModel(c.x)
	m.register(c.p.Address(), 10)
	m.register(c.q.Address(), 10)
	m.buy(c.f.Address(), c.p.Address(), c.s.Address(), 100, 10)
	return m
}

// A claim is good until the refund is executed, however late that is.
func TestClaimAfterCloseAt(t *testing.T) {
	c := sold(t)
	m := newModelOf(c)
	for _, s := range []step{
		c.requestClose(c.f, c.mine), c.wait(100 * 24 * 3600), c.claim(c.any, c.voucher(c.mine, 0, 40)), c.refund(c.any, c.mine),
		c.claim(c.any, c.voucher(c.mine, 0, 90)), c.buy(c.f, 100, 10), c.claim(c.any, c.voucher(c.mine, 0, 90)),
	} {
		c.run(m, s)
	}
	if m.balances[c.p.Address()] != 40 || m.balances[c.f.Address()] != 60 {
		t.Errorf("%v", m.balances)
	}
}

// A price that was raised under a purchase stops it, and does not reach money
// that is there.
func TestPriceRaisedUnderAPurchase(t *testing.T) {
	c := sold(t)
	c.x.must(c.p.Address(), c.x.at, nil, c.m.PackUpdate(address(c.p), big.NewInt(11), nil, [32]byte{}))
	buy := func(max int64) []byte { return c.m.PackBuy(address(c.p), address(c.s), big.NewInt(5), big.NewInt(max)) }
	c.x.refuses(c.f.Address(), c.x.at, big.NewInt(5), buy(10), "PriceAbove")
	c.x.refuses(c.f.Address(), c.x.at, big.NewInt(5), c.m.PackTopUp(c.mine, big.NewInt(5)), "PriceAbove")
	if got := look(c.x, c.m.PackChannel(c.mine), c.m.UnpackChannel); got.Locked.Uint64() != 10 {
		t.Errorf("locked at %s", got.Locked)
	}
	c.x.must(c.f.Address(), c.x.at, big.NewInt(5), buy(11))
	if got := look(c.x, c.m.PackChannel(c.mine), c.m.UnpackChannel); got.Locked.Uint64() != 11 || got.Deposited.Uint64() != 105 {
		t.Errorf("%+v", got)
	}
}

func TestPurchasesThatAreNone(t *testing.T) {
	c := sold(t)
	buy := func(key common.Address, amount *big.Int) []byte {
		return c.m.PackBuy(address(c.p), key, amount, big.NewInt(10))
	}
	c.x.refuses(c.f.Address(), c.x.at, nil, buy(address(c.s), new(big.Int)), "ZeroAmount")
	c.x.refuses(c.f.Address(), c.x.at, big.NewInt(4), buy(address(c.s), big.NewInt(5)), "WrongValue")
	c.x.refuses(c.f.Address(), c.x.at, big.NewInt(5), buy(common.Address{}, big.NewInt(5)), "ZeroAddress")
	// What was sent beyond the amount comes back.
	c.x.must(c.f.Address(), c.x.at, big.NewInt(9), buy(address(c.s), big.NewInt(5)))
	if got := c.balance(c.f.Address()); got != 4 {
		t.Errorf("the change is %d", got)
	}
	// Money that nobody asked for is refused.
	if _, err := c.x.call(c.f.Address(), c.x.at, big.NewInt(1), nil); err == nil {
		t.Error("the contract takes money without a call")
	}
}

// Sums never wrap: the deposit beyond 96 bits is refused, and so is money in an
// epoch after which there is none.
func TestOverflow(t *testing.T) {
	c := sold(t)
	most := ledger.MaxAmount.Big()
	c.x.state.AddBalance(address(c.f), u256(most), 0)
	panics := "reverted: 4e487b710000000000000000000000000000000000000000000000000000000000000011"
	c.x.refuses(c.f.Address(), c.x.at, most, c.m.PackBuy(address(c.p), address(c.s), most, big.NewInt(10)), panics)
	c.x.refuses(c.f.Address(), c.x.at, most, c.m.PackTopUp(c.mine, most), panics)

	// The last epoch is 16 million closes away, so it is written into the first slot of the channel, where it is the top 24 bits.
	slot := channelSlot(c.mine)
	first := c.x.state.GetState(common.Address(c.x.at), slot)
	last := first
	last[0], last[1], last[2] = 0xff, 0xff, 0xff
	c.x.state.SetState(common.Address(c.x.at), slot, last)
	if got := look(c.x, c.m.PackChannel(c.mine), c.m.UnpackChannel); got.Epoch.Uint64() != ledger.MaxEpoch || got.Deposited.Uint64() != 100 {
		t.Fatalf("%+v", got)
	}
	c.x.refuses(c.f.Address(), c.x.at, big.NewInt(5), c.m.PackBuy(address(c.p), address(c.s), big.NewInt(5), big.NewInt(10)), "LastEpoch")
	c.x.refuses(c.f.Address(), c.x.at, big.NewInt(5), c.m.PackTopUp(c.mine, big.NewInt(5)), "LastEpoch")
	release := c.release(ledger.MaxEpoch, 60)
	s := release.Signature
	c.x.refuses(c.f.Address(), c.x.at, nil, c.m.PackCooperativeClose(
		c.mine, big.NewInt(ledger.MaxEpoch), big.NewInt(60), far, [32]byte(s[:32]), [32]byte(s[32:]),
	), panics)
	// One before it all is well, and leads there with nothing inside.
	last[2] = 0xfe
	c.x.state.SetState(common.Address(c.x.at), slot, last)
	c.x.must(c.f.Address(), c.x.at, nil, c.m.PackRequestClose(c.mine))
	c.x.now += 24 * 3600
	c.x.must(c.any.Address(), c.x.at, nil, c.m.PackRefund(c.mine))
	if got := look(c.x, c.m.PackChannel(c.mine), c.m.UnpackChannel); got.Epoch.Uint64() != ledger.MaxEpoch || got.Deposited.Sign() != 0 {
		t.Errorf("%+v", got)
	}
}

// A payout that refuses money, or comes back for more, hurts nobody but itself.
func TestPayout(t *testing.T) {
	c := sold(t)
	h := helperOf(t, "Puppet")
	puppet := h.on(c.x)
	act := func(data []byte) []byte { return h.pack("act", common.Address(c.x.at), new(big.Int), data) }
	any := c.any.Address()
	// The puppet sells too, and a channel with it is claimed.
	c.x.must(any, puppet, nil, act(c.m.PackRegister(common.Address(puppet), big.NewInt(10), nil, [32]byte{})))
	c.x.must(c.f.Address(), c.x.at, big.NewInt(80), c.m.PackBuy(common.Address(puppet), address(c.s), big.NewInt(80), big.NewInt(10)))
	id := ledger.ChannelOf(puppet, c.s.Address(), c.f.Address())
	c.x.must(any, puppet, nil, h.pack("refuse", true))
	c.x.must(any, c.x.at, nil, c.claim(c.any, c.voucher(id, 0, 30), c.voucher(c.mine, 0, 20)).data)
	if c.balance(puppet) != 30 || c.balance(c.p.Address()) != 20 {
		t.Fatalf("balances %d and %d", c.balance(puppet), c.balance(c.p.Address()))
	}
	c.x.must(c.p.Address(), c.x.at, nil, c.m.PackWithdraw(common.Address{}))
	if _, err := c.x.call(any, puppet, nil, act(c.m.PackWithdraw(common.Address{}))); err == nil {
		t.Error("the money went to an account that refuses it")
	}
	if c.balance(puppet) != 30 {
		t.Errorf("after a withdrawal that failed the balance is %d", c.balance(puppet))
	}
	// It withdraws again from within.
	c.x.must(any, puppet, nil, h.pack("refuse", false))
	c.x.must(any, puppet, nil, h.pack("arm", common.Address(c.x.at), new(big.Int), c.m.PackWithdraw(common.Address{})))
	c.x.must(any, puppet, nil, act(c.m.PackWithdraw(common.Address{})))
	if got := c.x.state.GetBalance(common.Address(puppet)).Uint64(); got != 30 || h.uint(c.x, puppet, "succeeded").Sign() != 0 {
		t.Errorf("the puppet got %d of 30, or its second withdrawal succeeded", got)
	}
	if got := c.x.state.GetBalance(common.Address(c.x.at)).Uint64(); got != 100-20+80-30 {
		t.Errorf("the contract has %d", got)
	}
	// Or claims and buys from within: that is nothing but another call.
	c.x.must(any, c.x.at, nil, c.claim(c.any, c.voucher(id, 0, 40)).data)
	c.x.must(any, puppet, nil, h.pack("arm", common.Address(c.x.at), new(big.Int), c.claim(c.any, c.voucher(id, 0, 50)).data))
	c.x.must(any, puppet, nil, act(c.m.PackWithdraw(common.Address{})))
	if h.uint(c.x, puppet, "succeeded").Sign() == 0 || c.balance(puppet) != 10 {
		t.Errorf("claimed from within: %d", c.balance(puppet))
	}
}

// Money that is forced in belongs to nobody and changes nothing.
func TestForcedMoney(t *testing.T) {
	c := sold(t)
	code := append(helperOf(t, "Forcer").code(), common.LeftPadBytes(c.x.at[:], 32)...)
	from := c.any.Address()
	if _, _, _, err := c.x.evm(from).Create(common.Address(from), code, gasBudget(), u256(big.NewInt(77))); err != nil {
		t.Fatal(err)
	}
	if got := c.x.state.GetBalance(common.Address(c.x.at)).Uint64(); got != 177 {
		t.Fatalf("the contract has %d", got)
	}
	c.x.must(c.f.Address(), c.x.at, nil, c.m.PackRequestClose(c.mine))
	c.x.now += 24 * 3600
	c.x.must(c.any.Address(), c.x.at, nil, c.m.PackRefund(c.mine))
	c.x.must(c.f.Address(), c.x.at, nil, c.m.PackWithdraw(common.Address{}))
	if got := c.x.state.GetBalance(common.Address(c.x.at)).Uint64(); got != 77 {
		t.Errorf("%d is left", got)
	}
}

// Tokens: good ones and those that return nothing work; those that keep a fee,
// say no, or are none are refused; one that calls back finds nothing half done.
func TestTokens(t *testing.T) {
	on := func(name string) (*scene, *helper, ledger.Address) {
		h := helperOf(t, name)
		var token ledger.Address
		c := newScene(t)
		c.x = newMachine(t, func(x *machine) ledger.Address { token = h.token(x); return token })
		c.x.must(c.p.Address(), c.x.at, nil, c.m.PackRegister(address(c.p), big.NewInt(10), nil, [32]byte{}))
		c.x.must(c.f.Address(), token, nil, h.pack("approve", common.Address(c.x.at), eth(1)))
		return c, h, token
	}
	buy := func(c *scene, amount int64) []byte {
		return c.m.PackBuy(address(c.p), address(c.s), big.NewInt(amount), big.NewInt(10))
	}
	for _, name := range []string{"GoodToken", "SilentToken"} {
		t.Run(name, func(t *testing.T) {
			c, h, token := on(name)
			c.x.must(c.f.Address(), c.x.at, nil, buy(c, 1000))
			c.x.refuses(c.f.Address(), c.x.at, big.NewInt(1), buy(c, 1), "WrongValue")
			c.x.must(c.any.Address(), c.x.at, nil, c.claim(c.any, c.voucher(c.mine, 0, 300)).data)
			c.x.must(c.p.Address(), c.x.at, nil, c.m.PackWithdraw(address(c.g)))
			more := new(big.Int).Sub(h.uint(c.x, token, "balanceOf", address(c.g)), eth(1_000_000))
			if held := h.uint(c.x, token, "balanceOf", common.Address(c.x.at)); more.Int64() != 300 || held.Int64() != 700 {
				t.Errorf("%s withdrawn, %s held", more, held)
			}
		})
	}
	t.Run("FeeToken", func(t *testing.T) {
		c, _, _ := on("FeeToken")
		c.x.refuses(c.f.Address(), c.x.at, nil, buy(c, 1000), "ShortTransfer")
	})
	t.Run("RefusingToken", func(t *testing.T) {
		c, _, _ := on("RefusingToken")
		c.x.refuses(c.f.Address(), c.x.at, nil, buy(c, 1000), "SafeERC20FailedOperation")
	})
	t.Run("HookToken", func(t *testing.T) {
		c, h, token := on("HookToken")
		p := helperOf(t, "Puppet")
		puppet, any := p.on(c.x), c.any.Address()
		act := func(to ledger.Address, data []byte) []byte {
			return p.pack("act", common.Address(to), new(big.Int), data)
		}
		c.x.must(any, token, nil, h.pack("mint", common.Address(puppet), big.NewInt(10_000)))
		c.x.must(any, puppet, nil, act(token, h.pack("approve", common.Address(c.x.at), eth(1))))
		// While it pays for one purchase it makes another: both would count the same money.
		c.x.must(any, puppet, nil, p.pack("arm", common.Address(c.x.at), new(big.Int), buy(c, 500)))
		_, err := c.x.call(any, puppet, nil, act(c.x.at, buy(c, 500)))
		if err == nil || err.Error() != "ShortTransfer" {
			t.Errorf("a purchase within a purchase: %v", err)
		}
		// Without one inside it is a purchase like others.
		c.x.must(any, puppet, nil, p.pack("received"))
		c.x.must(any, puppet, nil, act(c.x.at, buy(c, 500)))
	})
	t.Run("none", func(t *testing.T) {
		x, at := newMachine(t, nil), keyOf(t, stranger).Address()
		code := append(common.FromHex(market.MarketMetaData.Bin), common.LeftPadBytes(at[:], 32)...)
		if _, _, _, err := x.evm(at).Create(common.Address(at), code, gasBudget(), u256(new(big.Int))); err == nil {
			t.Error("a market for a token that is none")
		}
	})
}

// A provider that gives two final words about one round loses its bond; nothing
// else makes it lose it.
func TestSlash(t *testing.T) {
	c := sold(t)
	until := c.x.now + 1000
	c.x.must(c.p.Address(), c.x.at, big.NewInt(1005), c.m.PackBond(until))
	result := func(k *ledger.Key, change func(*ledger.Result)) market.MarketResult {
		r := ledger.Result{Channel: c.mine, Epoch: 3, RoundID: ledger.RoundID{5}, Final: true, Input: 7, Output: 9, Cost: ledger.Wei(3), Status: ledger.StatusDone}
		if change != nil {
			change(&r)
		}
		return market.ResultOf(ledger.Sign(r, c.x.domain(), k))
	}
	one := result(c.p, nil)
	for name, tt := range map[string]struct {
		a, b market.MarketResult
		want string
	}{
		"the same twice":       {one, one, "NoContradiction"},
		"one not final":        {one, result(c.p, func(r *ledger.Result) { r.Final = false }), "NoContradiction"},
		"another epoch":        {one, result(c.p, func(r *ledger.Result) { r.Epoch = 4 }), "NoContradiction"},
		"another round":        {one, result(c.p, func(r *ledger.Result) { r.RoundID[15] = 1 }), "NoContradiction"},
		"another channel":      {one, result(c.p, func(r *ledger.Result) { r.Channel = c.hers }), "NoContradiction"},
		"another's word":       {one, result(c.q, func(r *ledger.Result) { r.Output = 10 }), "BadSignature"},
		"two of another":       {result(c.q, nil), result(c.q, func(r *ledger.Result) { r.Output = 10 }), "BadSignature"},
		"a channel nobody has": {result(c.p, func(r *ledger.Result) { r.Channel = c.none }), result(c.p, func(r *ledger.Result) { r.Channel, r.Output = c.none, 1 }), "UnknownChannel"},
	} {
		c.x.refuses(c.any.Address(), c.x.at, nil, c.m.PackSlash(tt.a, tt.b), tt.want)
		if t.Failed() {
			t.Fatal(name)
		}
	}
	for _, change := range []func(*ledger.Result){
		func(r *ledger.Result) { r.RequestHash[0] = 1 }, func(r *ledger.Result) { r.ResponseHash[0] = 1 }, func(r *ledger.Result) { r.Input++ },
		func(r *ledger.Result) { r.Cached++ }, func(r *ledger.Result) { r.Output++ }, func(r *ledger.Result) { r.Cost = ledger.Wei(4) },
		func(r *ledger.Result) { r.Status = ledger.StatusPartial },
	} {
		before := c.x.state.Snapshot()
		mine, burnt := c.x.state.GetBalance(address(c.any)).Clone(), c.x.state.GetBalance(common.Address{}).Clone()
		c.x.must(c.any.Address(), c.x.at, nil, c.m.PackSlash(one, result(c.p, change)))
		mine.Sub(c.x.state.GetBalance(address(c.any)), mine)
		burnt.Sub(c.x.state.GetBalance(common.Address{}), burnt)
		if mine.Uint64() != 100 || burnt.Uint64() != 905 {
			t.Errorf("the reporter got %s, %s was burnt", mine, burnt)
		}
		c.x.refuses(c.any.Address(), c.x.at, nil, c.m.PackSlash(one, result(c.p, change)), "NoBond")
		c.x.refuses(c.p.Address(), c.x.at, nil, c.m.PackUnbond(), "NoBond")
		c.x.state.RevertToSnapshot(before)
	}
	c.x.now = until
	c.x.refuses(c.any.Address(), c.x.at, nil, c.m.PackSlash(one, result(c.p, func(r *ledger.Result) { r.Output++ })), "TooLate")
}

// A bond can be had back when its time is over and not before, and its time never
// comes nearer.
func TestBond(t *testing.T) {
	c := sold(t)
	p, now := c.p.Address(), c.x.now
	c.x.refuses(c.f.Address(), c.x.at, big.NewInt(5), c.m.PackBond(now+10), "NotRegistered")
	c.x.refuses(p, c.x.at, big.NewInt(5), c.m.PackBond(now), "BadBondTime")
	c.x.refuses(p, c.x.at, big.NewInt(5), c.m.PackBond(now+731*24*3600), "BadBondTime")
	c.x.refuses(p, c.x.at, nil, c.m.PackBond(now+10), "ZeroAmount")
	c.x.must(p, c.x.at, big.NewInt(5), c.m.PackBond(now+100))
	c.x.refuses(p, c.x.at, big.NewInt(5), c.m.PackBond(now+99), "BadBondTime")
	c.x.must(p, c.x.at, big.NewInt(6), c.m.PackBond(now+200))
	c.x.must(p, c.x.at, nil, c.m.PackExit())
	if got := look(c.x, c.m.PackProvider(address(c.p)), c.m.UnpackProvider); got.Bond.Uint64() != 11 || got.BondUntil != now+200 || got.Active {
		t.Errorf("%+v", got)
	}
	c.x.now = now + 199
	c.x.refuses(p, c.x.at, nil, c.m.PackUnbond(), "TooEarly")
	c.x.now = now + 200
	had := c.x.state.GetBalance(address(c.p)).Clone()
	c.x.must(p, c.x.at, nil, c.m.PackUnbond())
	if got := had.Sub(c.x.state.GetBalance(address(c.p)), had); got.Uint64() != 11 {
		t.Errorf("%s came back", got)
	}
	c.x.refuses(p, c.x.at, nil, c.m.PackUnbond(), "NoBond")
}

// The list has who sells, each once, whatever was changed; a page beyond its end
// is empty.
func TestProviders(t *testing.T) {
	c := newScene(t)
	m := newModel(c.x)
	for _, s := range []step{
		c.register(c.p, 10), c.register(c.q, 10), c.register(c.f, 10), c.register(c.g, 10), c.update(c.p, 20), c.update(c.q, 10), c.exit(c.f),
		c.exit(c.g), c.register(c.g, 30), c.update(c.p, 10),
	} {
		c.run(m, s)
	}
	for _, size := range []int64{1, 2, 3, 100} {
		seen := make(map[ledger.Address]uint64)
		for start := int64(0); ; start += size {
			page := look(c.x, c.m.PackProviders(big.NewInt(start), big.NewInt(size)), c.m.UnpackProviders)
			for _, v := range page.Page {
				if _, twice := seen[ledger.Address(v.Provider)]; twice {
					t.Errorf("%s twice", v.Provider)
				}
				seen[ledger.Address(v.Provider)] = v.Price.Uint64()
			}
			if start >= page.Total.Int64() {
				if len(page.Page) != 0 {
					t.Error("entries beyond the end")
				}
				break
			}
		}
		if len(seen) != 3 || seen[c.p.Address()] != 10 || seen[c.q.Address()] != 10 || seen[c.g.Address()] != 30 {
			t.Errorf("pages of %d: %v", size, seen)
		}
	}
	huge := ledger.MaxAmount.Big()
	if page := look(c.x, c.m.PackProviders(huge, huge), c.m.UnpackProviders); len(page.Page) != 0 {
		t.Errorf("%v", page)
	}
	p := c.p.Address()
	c.x.refuses(p, c.x.at, nil, c.m.PackUpdate(common.Address{}, big.NewInt(1), nil, [32]byte{}), "ZeroAddress")
	c.x.refuses(p, c.x.at, nil, c.m.PackUpdate(address(c.p), new(big.Int), nil, [32]byte{}), "ZeroPrice")
	c.x.refuses(p, c.x.at, nil, c.m.PackUpdate(address(c.p), big.NewInt(1), make([]byte, 4097), [32]byte{}), "DescriptorTooLong")
}

// What a claim or a purchase costs does not depend on how many rounds went
// before, nor on how many providers there are.
func TestFlatGas(t *testing.T) {
	c := sold(t)
	used := func(from ledger.Address, value int64, data []byte) uint64 {
		_, left, err := c.x.evm(from).Call(common.Address(from), common.Address(c.x.at), data, gasBudget(), u256(big.NewInt(value)))
		if err != nil {
			t.Fatal(err)
		}
		return gasLimit - left.ExecutionGas
	}
	claim := func(wei uint64) uint64 {
		v := c.voucher(c.mine, 0, wei)
		v.Message.Transcript = ledger.Hash{31: byte(wei)}
		v.Signature = v.Message.Sign(c.x.domain(), c.s)
		return used(c.any.Address(), 0, c.claim(c.any, v).data)
	}
	buy := func() uint64 {
		return used(c.f.Address(), 1, c.m.PackBuy(address(c.p), address(c.s), big.NewInt(1), big.NewInt(10)))
	}
	claim(1)
	buy()
	firstClaim, firstBuy := claim(2), buy()
	for n := range byte(90) {
		k, err := ledger.KeyOfBytes([32]byte{30: 2, 31: n})
		if err != nil {
			t.Fatal(err)
		}
		used(k.Address(), 0, c.m.PackRegister(address(k), big.NewInt(10), nil, [32]byte{}))
		claim(uint64(n) + 3)
	}
	if got := claim(100); got != firstClaim {
		t.Errorf("the second claim takes %d gas, the last %d", firstClaim, got)
	}
	if got := buy(); got != firstBuy {
		t.Errorf("a purchase takes %d gas with two providers, %d with many", firstBuy, got)
	}
}
