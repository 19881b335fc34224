package chain

import (
	"context"
	"errors"
	"math/big"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"

	"github.com/culvert-net/culvert/contracts/market"
	"github.com/culvert-net/culvert/ledger"
)

func callMsg(to common.Address, data []byte) ethereum.CallMsg {
	return ethereum.CallMsg{To: &to, Data: data}
}

var price = big.NewInt(1000)

// sells registers the first key as a provider.
func (w *world) sells() *ledger.Key {
	w.t.Helper()
	k := w.keys[0]
	w.do(k, ledger.Amount{}, market.NewMarket().PackRegister(common.Address(k.Address()), price, []byte("a descriptor"), [32]byte{1}))
	return k
}

func (w *world) buyData(session *ledger.Key, amount uint64) []byte {
	return market.NewMarket().PackBuy(common.Address(w.keys[0].Address()), common.Address(session.Address()), new(big.Int).SetUint64(amount), price)
}

// Everything that the contract does is done once, and after each block the state
// is compared with what the contract itself says.
func TestReaderAgreesWithTheContract(t *testing.T) {
	w := newWorld(t)
	w.cfg.Network.Confirmations = 0
	w.cfg.Store = newStore(t)
	m := market.NewMarket()
	provider, funder, other := w.keys[0], w.keys[1], w.keys[2]
	session := ledger.NewKey()
	domain := w.cfg.Domain()
	id := ledger.ChannelOf(provider.Address(), session.Address(), funder.Address())
	r := w.reader()
	check := func() {
		t.Helper()
		if err := r.Sync(t.Context()); err != nil {
			t.Fatal(err)
		}
		s := r.State()
		if s.Head.Hash != w.head().Hash || s.Confirmed.Number != s.Head.Number {
			t.Fatalf("read up to %+v, confirmed %+v, of %+v", s.Head, s.Confirmed, w.head())
		}
		w.agrees(s.View, s.Head.Number)
		w.agrees(s.Pending, s.Head.Number)
		// A reader that begins at the checkpoint comes to the same.
		again := w.reader()
		if err := again.Sync(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.agrees(again.State().View, s.Head.Number)
	}
	do := func(k *ledger.Key, value uint64, data []byte) {
		t.Helper()
		w.do(k, ledger.Wei(value), data)
		check()
	}
	claim := func(cumulative uint64, epoch uint32) []byte {
		v := ledger.Sign(ledger.Voucher{Channel: id, Epoch: epoch, Cumulative: ledger.Wei(cumulative)}, domain, session)
		return m.PackClaim([]market.MarketEntry{market.EntryOf(v)}, [32]byte{7})
	}
	check()
	w.sells()
	check()
	do(provider, 0, m.PackUpdate(common.Address(other.Address()), big.NewInt(900), []byte("another"), [32]byte{}))
	do(funder, 5500, w.buyData(session, 5000)) // and 500 back
	do(other, 100, m.PackTopUp(id, big.NewInt(100)))
	do(provider, 0, claim(300, 0))
	do(provider, 0, claim(200, 0))    // skipped
	do(provider, 0, claim(99_999, 0)) // clamped
	do(funder, 1000, w.buyData(session, 1000))
	do(funder, 0, m.PackRequestClose(id))
	do(funder, 0, m.PackCancelClose(id))
	closing := ledger.Sign(ledger.Close{Channel: id, Deadline: 1 << 40}, domain, funder)
	do(other, 0, m.PackRequestCloseFor(id, new(big.Int), closing.Message.Deadline, [32]byte(closing.Signature[:32]), [32]byte(closing.Signature[32:])))
	w.later(25 * time.Hour)
	do(other, 0, m.PackRefund(id))
	do(funder, 2000, w.buyData(session, 2000))
	do(provider, 0, claim(1500, 1))
	release := ledger.Sign(ledger.Release{Channel: id, Epoch: 1, FinalCumulative: ledger.Wei(1600), Deadline: 1 << 40}, domain, provider)
	do(funder, 0, m.PackCooperativeClose(id, big.NewInt(1), big.NewInt(1600), 1<<40, [32]byte(release.Signature[:32]), [32]byte(release.Signature[32:])))
	do(funder, 0, m.PackWithdraw(common.Address{}))
	do(provider, 0, m.PackWithdraw(common.Address(other.Address())))
	until := w.head().Time + 1000
	do(provider, 5000, m.PackBond(until))
	w.later(time.Hour)
	do(provider, 0, m.PackUnbond())
	do(provider, 5000, m.PackBond(w.head().Time+10_000))
	result := ledger.Result{Channel: id, Epoch: 1, RoundID: ledger.RoundID{9}, Final: true, Status: ledger.StatusDone}
	contrary := result
	contrary.Cost = ledger.Wei(1)
	do(other, 0, m.PackSlash(market.ResultOf(ledger.Sign(result, domain, provider)), market.ResultOf(ledger.Sign(contrary, domain, provider))))
	do(provider, 0, m.PackExit())
	w.sells()
	check()

	ch, ok := r.Channel(id)
	if !ok || ch.Epoch != 2 || ch.Funder != funder.Address() {
		t.Errorf("channel %+v, %v", ch, ok)
	}
	p, ok := r.State().Provider(provider.Address())
	if !ok || string(p.Descriptor) != "a descriptor" || p.Content != (ledger.Hash{1}) || p.Sequence != 4 {
		t.Errorf("provider %+v, %v", p, ok)
	}
}

func TestConfirmationDepth(t *testing.T) {
	w := newWorld(t)
	w.sells()
	w.blocks(2)
	r := w.reader()
	session := ledger.NewKey()
	id := ledger.ChannelOf(w.keys[0].Address(), session.Address(), w.keys[1].Address())
	w.do(w.keys[1], ledger.Wei(5000), w.buyData(session, 5000))
	for depth := range 4 {
		if err := r.Sync(t.Context()); err != nil {
			t.Fatal(err)
		}
		s := r.State()
		_, confirmed := s.Channel(id)
		_, pending := s.Pending.Channel(id)
		if confirmed != (depth >= 2) || !pending {
			t.Errorf("under %d blocks: confirmed %v, pending %v", depth, confirmed, pending)
		}
		w.agrees(s.View, s.Confirmed.Number)
		w.agrees(s.Pending, s.Head.Number)
		w.blocks(1)
	}
}

// A deposit that a fork takes away is gone, whatever the depth of the fork.
func TestForks(t *testing.T) {
	for _, tt := range []struct {
		name  string
		under int // blocks over the deposit when the chain forks
	}{
		{"not confirmed", 0},
		{"confirmed", 4},
		{"before all marks", 14},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			w.cfg.Store = newStore(t)
			w.sells()
			w.blocks(12)
			r := w.reader()
			if err := r.Sync(t.Context()); err != nil {
				t.Fatal(err)
			}
			before := w.head()
			session := ledger.NewKey()
			id := ledger.ChannelOf(w.keys[0].Address(), session.Address(), w.keys[1].Address())
			w.do(w.keys[1], ledger.Wei(5000), w.buyData(session, 5000))
			for range tt.under {
				w.blocks(1)
				if err := r.Sync(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if err := r.Sync(t.Context()); err != nil {
				t.Fatal(err)
			}
			if _, ok := r.State().Pending.Channel(id); !ok {
				t.Fatal("the deposit was not read")
			}
			if err := w.sim.Fork(common.Hash(before.Hash)); err != nil {
				t.Fatal(err)
			}
			// The dropped transaction waits in the pool; its key does something else.
			other := ledger.NewKey()
			w.sim.Rollback()
			w.blocks(tt.under + 3)
			if w.head().Number <= before.Number+uint64(tt.under)+1 {
				t.Fatal("the fork is not longer")
			}
			var err error
			for range 3 {
				if err = r.Sync(t.Context()); err == nil {
					break
				}
			}
			if err != nil {
				t.Fatal(err)
			}
			s := r.State()
			if _, ok := s.Pending.Channel(id); ok {
				t.Error("the deposit is there after the fork")
			}
			if s.Head.Hash != w.head().Hash {
				t.Errorf("read up to %+v of %+v", s.Head, w.head())
			}
			// Life goes on.
			w.do(w.keys[2], ledger.Wei(7000), w.buyData(other, 7000))
			w.blocks(2)
			if err := r.Sync(t.Context()); err != nil {
				t.Fatal(err)
			}
			s = r.State()
			if _, ok := s.Channel(ledger.ChannelOf(w.keys[0].Address(), other.Address(), w.keys[2].Address())); !ok {
				t.Error("what came after the fork is not there")
			}
			w.agrees(s.View, s.Confirmed.Number)
			// So does a reader that begins at the checkpoint.
			again := w.reader()
			if err := again.Sync(t.Context()); err != nil {
				t.Fatal(err)
			}
			w.agrees(again.State().View, s.Confirmed.Number)
		})
	}
}

// A reader that was away while its checkpoint was forked away begins again.
func TestForkOfTheCheckpoint(t *testing.T) {
	w := newWorld(t)
	w.cfg.Store = newStore(t)
	w.cfg.Network.Window = 1
	w.sells()
	w.blocks(3)
	before := w.head()
	session := ledger.NewKey()
	w.do(w.keys[1], ledger.Wei(5000), w.buyData(session, 5000))
	w.blocks(6)
	r := w.reader()
	for range 4 {
		w.blocks(1)
		if err := r.Sync(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if len(r.stored) == 0 {
		t.Fatal("there is no checkpoint")
	}
	if err := w.sim.Fork(common.Hash(before.Hash)); err != nil {
		t.Fatal(err)
	}
	w.sim.Rollback()
	w.blocks(15)
	for range 2 { // the second begins at the checkpoint that the first left
		again := w.reader()
		if err := again.Sync(t.Context()); err != nil {
			t.Fatal(err)
		}
		s := again.State()
		if n := len(s.Pending.Channels(func(ledger.Channel) bool { return true })); n != 0 {
			t.Errorf("%d channels after the fork", n)
		}
		w.agrees(s.View, s.Confirmed.Number)
	}
}

func TestSubscribeAndRun(t *testing.T) {
	w := newWorld(t)
	r := w.reader()
	ch, end := r.Subscribe()
	defer end()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	eventually(t, "a fresh state", func() bool { return !r.Fresh().IsZero() })
	select {
	case <-ch:
	case <-time.After(10 * time.Second):
		t.Fatal("the subscriber was told nothing")
	}
	if s := r.Status(); s.Err != nil || s.Confirmed != s.Target {
		t.Errorf("status %+v", s)
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// Who waits for another's pass waits no longer than he wants to.
func TestSyncWaits(t *testing.T) {
	w := newWorld(t)
	r := w.reader()
	hang, asked := make(chan struct{}), make(chan struct{}, 1)
	w.bendBy(func(r *reply) {
		select {
		case asked <- struct{}{}:
		default:
		}
		r.Hang = hang
	})
	passed := make(chan error, 1)
	go func() { passed <- r.Sync(t.Context()) }()
	<-asked
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.Sync(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("behind another's pass: %v", err)
	}
	close(hang)
	if err := <-passed; err != nil {
		t.Errorf("the pass: %v", err)
	}
	if err := r.Sync(t.Context()); err != nil {
		t.Errorf("after it: %v", err)
	}
}

// Who asks for a reading and does not wait for it changes nothing of what is known of
// the chain, how it is read, and how often it was at odds: gateways read it for
// whoever asks them, for a short time.
func TestSyncOfTheImpatient(t *testing.T) {
	w := newWorld(t)
	r := w.reader()
	if err := r.Sync(within(t)); err != nil {
		t.Fatal(err)
	}
	r.doubts = 1
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for range 50 { // whether it begins is chance
		if err := r.Sync(gone); !errors.Is(err, context.Canceled) {
			t.Fatalf("Sync = %v", err)
		}
	}
	if err := r.Status().Err; err != nil || r.doubts != 1 {
		t.Errorf("status %v, %d doubts", err, r.doubts)
	}
}
