package market_test

import (
	"flag"
	"fmt"
	"math/big"
	"testing"

	"github.com/ethereum/go-ethereum/common"

	"github.com/culvert-net/culvert/contracts/market"
	"github.com/culvert-net/culvert/ledger"
)

var full = flag.Bool("full", false, "interleavings of six calls, which take minutes")

// step is one call, and what the model makes of it.
type step struct {
	name  string
	from  ledger.Address
	value uint64
	data  []byte // nothing: time passes, as the model says
	model func(*model) string
}

// scene makes steps on one machine.
type scene struct {
	x    *machine
	m    *market.Market
	p, q *ledger.Key // providers
	f, g *ledger.Key // funders
	s    *ledger.Key // the session of both
	any  *ledger.Key
	mine ledger.ChannelID // of f with p
	hers ledger.ChannelID // of g with p, for the same key
	none ledger.ChannelID // of f with q, which nobody bought
}

func newScene(t testing.TB) *scene {
	c := &scene{
		x: newMachine(t, nil), m: market.NewMarket(), p: keyOf(t, provider), q: keyOf(t, otherProvider), f: keyOf(t, funder),
		g: keyOf(t, otherFunder), s: keyOf(t, session), any: keyOf(t, stranger),
	}
	c.mine = ledger.ChannelOf(c.p.Address(), c.s.Address(), c.f.Address())
	c.hers = ledger.ChannelOf(c.p.Address(), c.s.Address(), c.g.Address())
	c.none = ledger.ChannelOf(c.q.Address(), c.s.Address(), c.f.Address())
	return c
}

// run does a step with contract and model, and reports where they differ.
func (c *scene) run(m *model, s step) bool {
	c.x.t.Helper()
	before := m.clone()
	want := s.model(m)
	if s.data == nil {
		c.x.now = m.now
		return true
	}
	_, err := c.x.call(s.from, c.x.at, new(big.Int).SetUint64(s.value), s.data)
	got := ""
	if err != nil {
		got = err.Error()
	}
	if got != want {
		c.x.t.Errorf("%s: %q, the model says %q, after:\n%s", s.name, got, want, before.key())
		return false
	}
	if got != "" {
		*m = *before // what reverts changes nothing
		return true
	}
	differences := m.check(c.x)
	for _, d := range differences {
		c.x.t.Errorf("%s: %s, after:\n%s", s.name, d, before.key())
	}
	return len(differences) == 0
}

func (c *scene) wait(seconds uint64) step {
	return step{fmt.Sprintf("%d s pass", seconds), ledger.Address{}, 0, nil, func(m *model) string { m.now += seconds; return "" }}
}

func (c *scene) register(k *ledger.Key, price uint64) step {
	a := k.Address()
	data := c.m.PackRegister(address(k), new(big.Int).SetUint64(price), []byte("d"), [32]byte{})
	return step{fmt.Sprintf("%s registers at %d", a, price), a, 0, data, func(m *model) string { return m.register(a, price) }}
}

func (c *scene) update(k *ledger.Key, price uint64) step {
	a := k.Address()
	data := c.m.PackUpdate(address(k), new(big.Int).SetUint64(price), []byte("e"), [32]byte{})
	return step{fmt.Sprintf("%s updates to %d", a, price), a, 0, data, func(m *model) string { return m.update(a, price) }}
}

func (c *scene) exit(k *ledger.Key) step {
	a := k.Address()
	return step{fmt.Sprintf("%s exits", a), a, 0, c.m.PackExit(), func(m *model) string { return m.exit(a) }}
}

func (c *scene) buy(k *ledger.Key, amount, maxPrice uint64) step {
	a := k.Address()
	data := c.m.PackBuy(address(c.p), address(c.s), new(big.Int).SetUint64(amount), new(big.Int).SetUint64(maxPrice))
	return step{
		fmt.Sprintf("%s buys for %d at %d", a, amount, maxPrice), a, amount, data,
		func(m *model) string { return m.buy(a, c.p.Address(), c.s.Address(), amount, maxPrice) },
	}
}

func (c *scene) topUp(k *ledger.Key, id ledger.ChannelID, amount uint64) step {
	data := c.m.PackTopUp(id, new(big.Int).SetUint64(amount))
	return step{fmt.Sprintf("top up by %d", amount), k.Address(), amount, data, func(m *model) string { return m.topUp(id, amount) }}
}

func (c *scene) requestClose(k *ledger.Key, id ledger.ChannelID) step {
	a := k.Address()
	return step{fmt.Sprintf("%s asks to close", a), a, 0, c.m.PackRequestClose(id), func(m *model) string { return m.requestClose(a, id) }}
}

func (c *scene) requestCloseFor(k *ledger.Key, msg ledger.Close, s ledger.Signature) step {
	data := c.m.PackRequestCloseFor(msg.Channel, big.NewInt(int64(msg.Epoch)), msg.Deadline, [32]byte(s[:32]), [32]byte(s[32:]))
	return step{
		fmt.Sprintf("a Close of epoch %d until %d", msg.Epoch, msg.Deadline), k.Address(), 0, data,
		func(m *model) string { return m.requestCloseFor(msg, s) },
	}
}

func (c *scene) cancelClose(k *ledger.Key, id ledger.ChannelID) step {
	a := k.Address()
	return step{fmt.Sprintf("%s cancels the close", a), a, 0, c.m.PackCancelClose(id), func(m *model) string { return m.cancelClose(a, id) }}
}

func (c *scene) refund(k *ledger.Key, id ledger.ChannelID) step {
	return step{"refund", k.Address(), 0, c.m.PackRefund(id), func(m *model) string { return m.refund(id) }}
}

func (c *scene) cooperativeClose(k *ledger.Key, msg ledger.Release, s ledger.Signature) step {
	a := k.Address()
	data := c.m.PackCooperativeClose(
		msg.Channel, big.NewInt(int64(msg.Epoch)), msg.FinalCumulative.Big(), msg.Deadline, [32]byte(s[:32]), [32]byte(s[32:]),
	)
	return step{
		fmt.Sprintf("%s closes epoch %d at %s", a, msg.Epoch, msg.FinalCumulative), a, 0, data,
		func(m *model) string { return m.cooperativeClose(a, msg, s) },
	}
}

func (c *scene) claim(k *ledger.Key, vouchers ...ledger.Signed[ledger.Voucher]) step {
	var entries []market.MarketEntry
	name := "claim"
	for _, v := range vouchers {
		entries = append(entries, market.EntryOf(v))
		name += fmt.Sprintf(" %s of epoch %d,", v.Message.Cumulative, v.Message.Epoch)
	}
	return step{name, k.Address(), 0, c.m.PackClaim(entries, [32]byte{}), func(m *model) string { return m.claim(vouchers) }}
}

func (c *scene) withdraw(k *ledger.Key) step {
	a := k.Address()
	return step{fmt.Sprintf("%s withdraws", a), a, 0, c.m.PackWithdraw(common.Address{}), func(m *model) string { return m.withdraw(a) }}
}

func (c *scene) voucher(id ledger.ChannelID, epoch uint32, wei uint64) ledger.Signed[ledger.Voucher] {
	return ledger.Sign(ledger.Voucher{Channel: id, Epoch: epoch, Cumulative: ledger.Wei(wei)}, c.x.domain(), c.s)
}

const far = 1 << 40 // a deadline

func (c *scene) release(epoch uint32, wei uint64) ledger.Signed[ledger.Release] {
	return ledger.Sign(ledger.Release{Channel: c.mine, Epoch: epoch, FinalCumulative: ledger.Wei(wei), Deadline: far}, c.x.domain(), c.p)
}

func (c *scene) closing(epoch uint32, deadline uint64) ledger.Signed[ledger.Close] {
	return ledger.Sign(ledger.Close{Channel: c.mine, Epoch: epoch, Deadline: deadline}, c.x.domain(), c.f)
}

// Whatever is done in whatever order, the contract does what the model does and
// has exactly the money that it owes: all orders of four calls of these, of six
// with -full. Orders that lead to the same state are continued once.
func TestInterleavings(t *testing.T) {
	c := newScene(t)
	release0, release1, close0, close1 := c.release(0, 60), c.release(1, 60), c.closing(0, far), c.closing(1, far)
	bad := c.voucher(c.mine, 0, 90)
	bad.Signature[5] ^= 1
	steps := []step{
		c.buy(c.f, 100, 10), c.buy(c.g, 100, 20), c.topUp(c.any, c.mine, 50), c.update(c.p, 20), c.update(c.p, 5),
		c.exit(c.p), c.register(c.p, 10), c.requestClose(c.f, c.mine), c.requestCloseFor(c.any, close0.Message, close0.Signature),
		c.requestCloseFor(c.any, close1.Message, close1.Signature), c.cancelClose(c.f, c.mine), c.wait(12 * 3600), c.wait(24 * 3600),
		c.refund(c.any, c.mine), c.claim(c.any, c.voucher(c.mine, 0, 30)), c.claim(c.any, c.voucher(c.mine, 1, 1000)),
		c.claim(c.any, bad, c.voucher(c.mine, 0, 70), c.voucher(c.hers, 0, 40), c.voucher(c.mine, 0, 70), c.voucher(c.none, 0, 5)),
		c.cooperativeClose(c.f, release0.Message, release0.Signature), c.cooperativeClose(c.f, release1.Message, release1.Signature),
		c.withdraw(c.p), c.withdraw(c.f),
	}
	depth := 4
	if *full {
		depth = 6
	}
	m := newModel(c.x)
	c.run(m, c.register(c.p, 10))
	seen := make(map[string]int) // how many more calls were tried from there
	calls := 0
	var explore func(*model, int)
	explore = func(m *model, left int) {
		if k := m.key(); seen[k] >= left {
			return
		} else {
			seen[k] = left
		}
		for _, s := range steps {
			if t.Failed() {
				return
			}
			calls++
			next, before, now := m.clone(), c.x.state.Snapshot(), c.x.now
			c.run(next, s)
			explore(next, left-1)
			c.x.state.RevertToSnapshot(before)
			c.x.now = now
		}
	}
	explore(m, depth)
	t.Logf("%d calls deep: %d calls, %d states", depth, calls, len(seen))
	if len(seen) < 100 {
		t.Errorf("%d states: most calls do nothing", len(seen))
	}
}

// Every function, by everyone, in every state of a channel, with every signature
// that was ever given: the contract does what the model does. The model takes
// who signed from package ledger, so the digests are compared as well.
func TestEveryCallInEveryState(t *testing.T) {
	c := newScene(t)
	base := []step{c.register(c.p, 10), c.register(c.q, 10)}
	claimed := c.claim(c.any, c.voucher(c.mine, 0, 30))
	released := c.release(0, 60)
	closed := c.cooperativeClose(c.f, released.Message, released.Signature)
	states := map[string][]step{
		"never bought":           {},
		"bought":                 {c.buy(c.f, 100, 10)},
		"bought by another":      {c.buy(c.g, 100, 10)},
		"claimed":                {c.buy(c.f, 100, 10), claimed},
		"all claimed":            {c.buy(c.f, 100, 10), c.claim(c.any, c.voucher(c.mine, 0, 100))},
		"closing":                {c.buy(c.f, 100, 10), claimed, c.requestClose(c.f, c.mine)},
		"closing, at the end":    {c.buy(c.f, 100, 10), claimed, c.requestClose(c.f, c.mine), c.wait(24 * 3600)},
		"a second before that":   {c.buy(c.f, 100, 10), claimed, c.requestClose(c.f, c.mine), c.wait(24*3600 - 1)},
		"closing, long after":    {c.buy(c.f, 100, 10), c.requestClose(c.f, c.mine), c.wait(1000 * 3600)},
		"refunded":               {c.buy(c.f, 100, 10), claimed, c.requestClose(c.f, c.mine), c.wait(24 * 3600), c.refund(c.any, c.mine)},
		"refunded, bought again": {c.buy(c.f, 100, 10), c.requestClose(c.f, c.mine), c.wait(24 * 3600), c.refund(c.any, c.mine), c.buy(c.f, 80, 10)},
		"closed":                 {c.buy(c.f, 100, 10), claimed, closed},
		"closed, bought again":   {c.buy(c.f, 100, 10), claimed, closed, c.buy(c.f, 80, 10), c.claim(c.any, c.voucher(c.mine, 1, 20))},
		"cancelled":              {c.buy(c.f, 100, 10), c.requestClose(c.f, c.mine), c.cancelClose(c.f, c.mine)},
		"price raised":           {c.buy(c.f, 100, 10), c.update(c.p, 20)},
		"price lowered":          {c.buy(c.f, 100, 10), c.update(c.p, 5)},
		"provider left":          {c.buy(c.f, 100, 10), claimed, c.exit(c.p)},
	}
	pool := c.everySignature()
	calls := 0
	for name, before := range states {
		t.Run(name, func(t *testing.T) {
			outer := c.x.state.Snapshot()
			m := newModel(c.x)
			for _, s := range append(base, before...) {
				if !c.run(m, s) {
					t.Fatal("the state cannot be reached")
				}
			}
			inner, now := c.x.state.Snapshot(), c.x.now
			for _, s := range c.everyCall(pool) {
				calls++
				if !c.run(m.clone(), s) {
					t.Errorf("in state %q", name)
				}
				c.x.state.RevertToSnapshot(inner)
				inner = c.x.state.Snapshot()
				c.x.now = now
			}
			c.x.state.RevertToSnapshot(outer)
			c.x.now = start
		})
	}
	t.Logf("%d calls with %d signatures in %d states", calls, len(pool), len(states))
}

// everySignature is what the parties ever signed, in this domain and in others,
// what others signed, and what is none.
func (c *scene) everySignature() (pool []ledger.Signature) {
	here := c.x.domain()
	otherChain, otherContract := here, here
	otherChain.ChainID++
	otherContract.Contract[0] ^= 1
	for _, epoch := range []uint32{0, 1} {
		v := ledger.Voucher{Channel: c.mine, Epoch: epoch, Cumulative: ledger.Wei(60)}
		r := ledger.Release{Channel: c.mine, Epoch: epoch, FinalCumulative: ledger.Wei(60), Deadline: far}
		k := ledger.Close{Channel: c.mine, Epoch: epoch, Deadline: far}
		pool = append(
			pool, v.Sign(here, c.s), v.Sign(otherChain, c.s), v.Sign(otherContract, c.s), v.Sign(here, c.f), v.Sign(here, c.p), v.Sign(here, c.any),
			r.Sign(here, c.p), r.Sign(otherChain, c.p), r.Sign(otherContract, c.p), r.Sign(here, c.q), r.Sign(here, c.f), r.Sign(here, c.s),
			k.Sign(here, c.f), k.Sign(otherChain, c.f), k.Sign(otherContract, c.f), k.Sign(here, c.g), k.Sign(here, c.s), k.Sign(here, c.p),
		)
		v.Channel, r.Channel, k.Channel = c.hers, c.hers, c.hers
		pool = append(pool, v.Sign(here, c.s), r.Sign(here, c.p), k.Sign(here, c.g), k.Sign(here, c.f))
		v.Channel, r.Channel, k.Channel = c.none, c.none, c.none // with another provider
		pool = append(pool, v.Sign(here, c.s), r.Sign(here, c.q), k.Sign(here, c.f))
	}
	q := ledger.Request{Channel: c.mine, RoundID: ledger.RoundID{1}, Seq: 1, MaxCost: ledger.Wei(60)}
	z := ledger.Result{Channel: c.mine, RoundID: ledger.RoundID{1}, Final: true, Cost: ledger.Wei(60), Status: ledger.StatusDone}
	return append(pool, q.Sign(here, c.s), z.Sign(here, c.p), highS(pool[0]), highS(pool[6]), highS(pool[12]), ledger.Signature{})
}

// highS is the twin of a signature that the curve allows and we do not: n - s.
// The compact form has no room for its parity where s is that high.
func highS(s ledger.Signature) ledger.Signature {
	order, _ := new(big.Int).SetString("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141", 16)
	low := new(big.Int).SetBytes(s[32:])
	low.SetBit(low, 255, 0)
	new(big.Int).Sub(order, low).FillBytes(s[32:])
	return s
}

func (c *scene) everyCall(pool []ledger.Signature) (all []step) {
	for _, k := range everybody(c.x.t) {
		all = append(all, c.register(k, 10), c.update(k, 10), c.update(k, 15), c.exit(k), c.buy(k, 100, 10), c.buy(k, 1, 20), c.buy(k, 1, 9), c.withdraw(k))
		for _, id := range []ledger.ChannelID{c.mine, c.hers, c.none} {
			all = append(all, c.topUp(k, id, 50), c.requestClose(k, id), c.cancelClose(k, id), c.refund(k, id))
		}
		release0, release1 := c.release(0, 60), c.release(1, 60)
		all = append(
			all, c.cooperativeClose(k, release0.Message, release0.Signature), c.cooperativeClose(k, release1.Message, release1.Signature),
			c.claim(k, c.voucher(c.mine, 0, 60)), c.claim(k, c.voucher(c.mine, 1, 60)),
		)
	}
	for _, epoch := range []uint32{0, 1} {
		for _, wei := range []uint64{29, 31, 60, 100, 101} {
			release := c.release(epoch, wei)
			all = append(all, c.cooperativeClose(c.f, release.Message, release.Signature), c.claim(c.any, c.voucher(c.mine, epoch, wei)))
		}
		late := c.closing(epoch, start-1)
		expired := c.expired(epoch)
		all = append(all, c.requestCloseFor(c.any, late.Message, late.Signature), c.cooperativeClose(c.f, expired.Message, expired.Signature))
		for _, s := range pool {
			v := ledger.Voucher{Channel: c.mine, Epoch: epoch, Cumulative: ledger.Wei(60)}
			r := ledger.Release{Channel: c.mine, Epoch: epoch, FinalCumulative: ledger.Wei(60), Deadline: far}
			k := ledger.Close{Channel: c.mine, Epoch: epoch, Deadline: far}
			all = append(
				all, c.claim(c.any, ledger.Signed[ledger.Voucher]{Message: v, Signature: s}), c.cooperativeClose(c.f, r, s), c.cooperativeClose(c.any, r, s),
				c.requestCloseFor(c.any, k, s), c.requestCloseFor(c.p, k, s),
			)
		}
	}
	return all
}

func (c *scene) expired(epoch uint32) ledger.Signed[ledger.Release] {
	return ledger.Sign(ledger.Release{Channel: c.mine, Epoch: epoch, FinalCumulative: ledger.Wei(60), Deadline: start - 1}, c.x.domain(), c.p)
}
