package chain

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/culvert-net/culvert/contracts/market"
	"github.com/culvert-net/culvert/internal/kv"
	"github.com/culvert-net/culvert/ledger"
)

// writing is a world in which transactions are followed every 20 ms.
func writing(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.cfg.Store = newStore(t)
	w.cfg.Network.BlockTime = 20 * time.Millisecond
	return w
}

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// deposited is what the contract has of a channel at the newest block.
func (w *world) deposited(id ledger.ChannelID) string {
	w.t.Helper()
	m := market.NewMarket()
	ch, err := m.UnpackChannel(w.call(w.head().Number, m.PackChannel(id)))
	if err != nil {
		w.t.Fatal(err)
	}
	return ch.Deposited.String()
}

// The whole life of a channel goes through the writer, and the reader sees it.
func TestWriterDoesEverything(t *testing.T) {
	w := writing(t)
	w.mines()
	ctx := within(t)
	calls := w.cfg.Calls()
	providerKey, funderKey := w.keys[0], w.keys[1]
	provider, funder := w.writer(providerKey), w.writer(funderKey)
	session := ledger.NewKey()
	id := ledger.ChannelOf(provider.Address(), session.Address(), funder.Address())
	do := func(by *Writer, c Call) Receipt {
		t.Helper()
		cost, err := by.Cost(ctx, c)
		if err != nil {
			t.Fatalf("%s: %v", c.What, err)
		}
		tx, err := by.Send(ctx, c)
		if err != nil {
			t.Fatalf("%s: %v", c.What, err)
		}
		var steps []Progress
		r, err := by.Wait(ctx, tx, func(p Progress) { steps = append(steps, p) })
		if err != nil {
			t.Fatalf("%s: %v (after %+v)", c.What, err, steps)
		}
		if r.Fee.IsZero() || cost.MaxFee.Less(r.Fee) || cost.Value != c.Value || r.Gas > cost.Gas || r.What != c.What {
			t.Errorf("%s: cost %+v, receipt %+v", c.What, cost, r)
		}
		return r
	}
	amount := ledger.Wei
	claim := func(cumulative uint64) Call {
		return calls.Claim([]ledger.Signed[ledger.Voucher]{ledger.Sign(ledger.Voucher{Channel: id, Cumulative: amount(cumulative)}, w.cfg.Domain(), session)}, ledger.Hash{})
	}
	do(provider, calls.Register(provider.Address(), amount(1000), []byte("d"), ledger.Hash{}))
	do(provider, calls.Update(provider.Address(), amount(900), []byte("e"), ledger.Hash{}))
	do(funder, calls.Buy(provider.Address(), session.Address(), amount(5000), amount(900)))
	do(provider, claim(100))
	do(funder, calls.TopUp(id, amount(50)))
	do(funder, calls.RequestClose(id))
	do(funder, calls.CancelClose(id))
	do(provider, calls.RequestCloseFor(ledger.Sign(ledger.Close{Channel: id, Deadline: 1 << 40}, w.cfg.Domain(), funderKey)))
	do(funder, calls.CooperativeClose(ledger.Sign(ledger.Release{Channel: id, FinalCumulative: amount(200), Deadline: 1 << 40}, w.cfg.Domain(), providerKey)))
	do(funder, calls.Withdraw(ledger.Address{}))
	do(provider, calls.Bond(amount(77), w.head().Time+100_000))
	result := ledger.Result{Channel: id, Final: true, Status: ledger.StatusDone}
	contrary := result
	contrary.Cost = amount(1)
	do(funder, calls.Slash(ledger.Sign(result, w.cfg.Domain(), providerKey), ledger.Sign(contrary, w.cfg.Domain(), providerKey)))
	last := do(provider, calls.Exit())

	r := w.reader()
	if err := r.Sync(ctx); err != nil {
		t.Fatal(err)
	}
	s := r.State()
	if s.Confirmed.Number < last.Block {
		t.Errorf("confirmed %d, and the last transaction is in %d", s.Confirmed.Number, last.Block)
	}
	if p, ok := s.Provider(provider.Address()); !ok || !p.Exited || s.Balance(provider.Address()) != amount(200) {
		t.Errorf("provider %+v, balance %s", p, s.Balance(provider.Address()))
	}
	if ch, ok := s.Channel(id); !ok || ch.Epoch != 1 {
		t.Errorf("channel %+v", ch)
	}
	if open, err := provider.Unfinished(ctx); err != nil || len(open) != 0 {
		t.Errorf("unfinished %v, %v", open, err)
	}
}

// What the contract refuses is said before anything is sent, in plain words.
func TestRefusedBeforeItIsSent(t *testing.T) {
	w := writing(t)
	writer := w.writer(w.keys[1])
	ctx := within(t)
	calls := w.cfg.Calls()
	for _, tt := range []struct {
		call Call
		name string
	}{
		{calls.Buy(w.keys[0].Address(), w.keys[2].Address(), ledger.Wei(5), ledger.Wei(5)), "NotRegistered"},
		{calls.TopUp(ledger.ChannelID{1}, ledger.Wei(5)), "UnknownChannel"},
		{calls.Withdraw(ledger.Address{}), "NothingToWithdraw"},
		{calls.Register(ledger.Address{}, ledger.Wei(5), nil, ledger.Hash{}), "ZeroAddress"},
		{calls.Unbond(), "NoBond"},
		{calls.Exit(), "NotRegistered"},
	} {
		_, err := writer.Send(ctx, tt.call)
		var reason *RevertError
		if !errors.As(err, &reason) || reason.Name != tt.name {
			t.Errorf("%s: %v, want %s", tt.call.What, err, tt.name)
		}
	}
	if n := w.count("eth_sendRawTransaction"); n != 0 {
		t.Errorf("%d transactions were sent", n)
	}
}

// On Filecoin an account that never had anything does not exist, and nothing is
// estimated for it: that is told as what it is.
func TestAccountThatDoesNotExist(t *testing.T) {
	w := writing(t)
	w.bendBy(func(r *reply) {
		if r.Method == "eth_estimateGas" {
			r.Result, r.Error = nil, &replyError{Code: 1, Message: "failed to estimate gas: resolution lookup failed: resolve address t410f…: actor not found"}
		}
	})
	writer := w.writer(w.keys[1])
	_, err := writer.Send(within(t), w.cfg.Calls().Exit())
	if !errors.Is(err, ErrFunds) || !strings.Contains(err.Error(), w.keys[1].Address().String()) {
		t.Errorf("%v, want %v", err, ErrFunds)
	}
}

// What is refused in its block is told with the reason.
func TestRefusedInItsBlock(t *testing.T) {
	w := writing(t)
	w.sells()
	ctx := within(t)
	a, b := w.writer(w.keys[0]), w.cfg.Calls()
	first, err := a.Send(ctx, b.Exit())
	if err != nil {
		t.Fatal(err)
	}
	second, err := a.Send(ctx, b.Exit()) // fine as long as the first is in no block
	if err != nil {
		t.Fatal(err)
	}
	w.mines()
	if _, err := a.Wait(ctx, first, nil); err != nil {
		t.Error(err)
	}
	_, err = a.Wait(ctx, second, nil)
	var reason *RevertError
	if !errors.As(err, &reason) || reason.Name != "NotRegistered" {
		t.Errorf("%v", err)
	}
	if _, err := a.Wait(ctx, 99, nil); !errors.Is(err, ErrUnknown) {
		t.Errorf("a transaction that never was: %v", err)
	}
}

// Before the first transaction, chain and contract are those agreed on; the
// limits on fees and the wallet's balance are kept.
func TestNothingIsSentWhenInDoubt(t *testing.T) {
	result := func(method, answer string) func(*reply) {
		return func(r *reply) {
			if r.Method == method {
				r.Result, r.Error = json.RawMessage(answer), nil
			}
		}
	}
	for _, tt := range []struct {
		name string
		bend func(*reply)
		most ledger.Amount
		want error
	}{
		{"another chain", result("eth_chainId", `"0x1"`), ledger.Amount{}, ErrChainID},
		{"another contract", result("eth_getCode", `"0x60"`), ledger.Amount{}, ErrCode},
		{"too dear for the network", result("eth_maxPriorityFeePerGas", `"0xffffffffffffff"`), ledger.Amount{}, ErrFee},
		{"too dear for its owner", nil, ledger.Wei(1000), ErrFee},
		{"a tip without end", result("eth_maxPriorityFeePerGas", `"0x1000000000000000000000000000"`), ledger.Amount{}, ErrTooLarge},
		{"gas without end", result("eth_estimateGas", `"0xffffffffffffff"`), ledger.Amount{}, ErrTooLarge},
		{"a poor wallet", result("eth_getBalance", `"0x5"`), ledger.Amount{}, ErrFunds},
		{"a nonce without end", result("eth_getTransactionCount", `"0xffffffffffffff"`), ledger.Amount{}, ErrTooLarge},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := writing(t)
			w.bendBy(tt.bend)
			c := w.cfg.Calls().Register(w.keys[0].Address(), ledger.Wei(5), nil, ledger.Hash{})
			c.MaxFee = tt.most
			a := w.writer(w.keys[0])
			if _, err := a.Send(within(t), c); !errors.Is(err, tt.want) {
				t.Errorf("%v, want %v", err, tt.want)
			}
			if n := w.count("eth_sendRawTransaction"); n != 0 {
				t.Errorf("%d transactions were sent", n)
			}
			if open, err := a.Unfinished(t.Context()); err != nil || len(open) != 0 {
				t.Errorf("unfinished %v, %v", open, err)
			}
		})
	}
	t.Run("a published key", func(t *testing.T) {
		k, err := ledger.KeyOfBytes([32]byte{31: 1})
		if err != nil {
			t.Fatal(err)
		}
		w := writing(t)
		if _, err := NewWriter(w.cfg, k); err != nil {
			t.Errorf("on the dev chain: %v", err)
		}
		w.cfg.Network = CalibrationNetwork()
		if _, err := NewWriter(w.cfg, k); !errors.Is(err, ErrPublishedKey) {
			t.Errorf("%v, want %v", err, ErrPublishedKey)
		}
		w.cfg.Store = nil
		if _, err := NewWriter(w.cfg, w.keys[0]); !errors.Is(err, ErrNoStore) {
			t.Errorf("%v, want %v", err, ErrNoStore)
		}
	})
}

// A purchase is stopped at every write of the store and at each question to the
// server, the program is started again, and does what it is told to: go on with
// what is unfinished, else begin again. The money is spent once.
func TestCrashPoints(t *testing.T) {
	type point struct {
		name   string
		write  int
		before bool
		stop   string
	}
	var points []point
	for n := 1; n <= 3; n++ {
		points = append(points, point{fmt.Sprintf("write %d failed", n), n, true, ""}, point{fmt.Sprintf("write %d failed and is stored", n), n, false, ""})
	}
	for _, m := range []string{"eth_estimateGas", "eth_getTransactionCount", "eth_sendRawTransaction", "eth_getTransactionReceipt", "eth_getTransactionByHash"} {
		points = append(points, point{"no answer to " + m, 0, false, m})
	}
	for _, p := range points {
		t.Run(p.name, func(t *testing.T) {
			w := writing(t)
			s := w.cfg.Store.(*store)
			w.sells()
			session := ledger.NewKey()
			id := ledger.ChannelOf(w.keys[0].Address(), session.Address(), w.keys[1].Address())
			c := w.cfg.Calls().Buy(w.keys[0].Address(), session.Address(), ledger.Wei(5000), ledger.Wei(1000))
			s.fail = func(n int) (bool, bool) { return n == p.write && p.before, n == p.write && !p.before }
			w.stopAt(p.stop)

			// The first life: it ends at the first error.
			first := w.writer(w.keys[1])
			tx, err := first.Send(within(t), c)
			for i := 0; err == nil && i < 6; i++ {
				w.sim.Commit()
				if err = first.Follow(t.Context()); err == nil {
					continue
				}
			}
			_ = tx

			// The second.
			s.fail = nil
			w.stopAt("")
			w.mines()
			second := w.writer(w.keys[1])
			ctx := within(t)
			open, err := second.Unfinished(ctx)
			if err != nil {
				t.Fatal(err)
			}
			switch {
			case len(open) == 1:
				if _, err := second.Wait(ctx, open[0], nil); err != nil {
					t.Fatal(err)
				}
			case w.deposited(id) == "0":
				tx, err := second.Send(ctx, c)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := second.Wait(ctx, tx, nil); err != nil {
					t.Fatal(err)
				}
			}
			if got := w.deposited(id); got != "5000" {
				t.Errorf("%s were paid in, want 5000", got)
			}
			if open, err := second.Unfinished(ctx); err != nil || len(open) != 0 {
				t.Errorf("unfinished %v, %v", open, err)
			}
		})
	}
}

// A store that fails, and has stored, must not make anybody buy twice.
func TestSendKnowsWhatWasStored(t *testing.T) {
	for _, stored := range []bool{false, true} {
		w := writing(t)
		w.sells()
		s := w.cfg.Store.(*store)
		s.fail = func(int) (bool, bool) { return !stored, stored }
		a := w.writer(w.keys[1])
		_, err := a.Send(within(t), w.cfg.Calls().Buy(w.keys[0].Address(), w.keys[2].Address(), ledger.Wei(5), ledger.Wei(1000)))
		if stored && err != nil || !stored && !errors.Is(err, errBroken) {
			t.Errorf("stored %v: %v", stored, err)
		}
		if n := w.count("eth_sendRawTransaction"); (n > 0) != stored {
			t.Errorf("stored %v: %d transactions were sent", stored, n)
		}
	}
}

// age makes a transaction look as if it had waited.
func age(t *testing.T, w *Writer, id ID) {
	t.Helper()
	n, err := w.intent(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.end(t.Context(), n, func(n *intent) { n.sent -= 3600 }); err != nil {
		t.Fatal(err)
	}
}

// A transaction that waits is replaced by one with fees an eighth higher, which is
// on the disk before it is sent; whichever gets into a block counts.
func TestReplacement(t *testing.T) {
	for _, sent := range []bool{true, false} {
		t.Run(fmt.Sprintf("the new one is sent: %v", sent), func(t *testing.T) {
			w := writing(t)
			w.sells()
			ctx := within(t)
			a := w.writer(w.keys[0])
			id, err := a.Send(ctx, w.cfg.Calls().Exit())
			if err != nil {
				t.Fatal(err)
			}
			if err := a.Follow(ctx); err != nil {
				t.Fatal(err)
			}
			if p, _ := a.Progress(id); p.Tries != 1 {
				t.Fatalf("replaced without waiting: %+v", p)
			}
			age(t, a, id)
			if !sent {
				w.stopAt("eth_sendRawTransaction")
			}
			if err := a.Follow(ctx); err != nil {
				t.Fatal(err)
			}
			n, err := a.intent(ctx, id)
			if err != nil {
				t.Fatal(err)
			}
			if len(n.tries) != 2 {
				t.Fatalf("%d versions, want 2", len(n.tries))
			}
			for _, f := range [][2]ledger.Amount{{n.tries[0].tip, n.tries[1].tip}, {n.tries[0].most, n.tries[1].most}} {
				least, err := times(1125, f[0])
				if err != nil {
					t.Fatal(err)
				}
				if got, _ := times(1000, f[1]); got.Less(least) {
					t.Errorf("fees went from %s to %s", f[0], f[1])
				}
			}
			w.sim.Commit()
			w.stopAt("")
			w.mines()
			r, err := a.Wait(ctx, id, nil)
			if err != nil {
				t.Fatal(err)
			}
			tx, err := a.sign(n, n.tries[map[bool]int{true: 1, false: 0}[sent]])
			if err != nil {
				t.Fatal(err)
			}
			if r.Hash != ledger.Hash(tx.Hash()) {
				t.Errorf("%s is in a block, want %s", r.Hash, tx.Hash())
			}
		})
	}
	t.Run("not above the limit", func(t *testing.T) {
		w := writing(t)
		w.sells()
		ctx := within(t)
		a := w.writer(w.keys[0])
		cost, err := a.Cost(ctx, w.cfg.Calls().Exit())
		if err != nil {
			t.Fatal(err)
		}
		c := w.cfg.Calls().Exit()
		c.MaxFee = cost.MaxFee
		id, err := a.Send(ctx, c)
		if err != nil {
			t.Fatal(err)
		}
		age(t, a, id)
		if err := a.Follow(ctx); err != nil {
			t.Fatal(err)
		}
		if p, _ := a.Progress(id); p.Tries != 1 || !errors.Is(p.Err, ErrFee) {
			t.Errorf("%+v", p)
		}
	})
}

// Another program with the same wallet takes the nonce.
func TestLost(t *testing.T) {
	w := writing(t)
	w.sells()
	ctx := within(t)
	a := w.writer(w.keys[1])
	w.stopAt("eth_sendRawTransaction")
	id, err := a.Send(ctx, w.cfg.Calls().Buy(w.keys[0].Address(), w.keys[2].Address(), ledger.Wei(5), ledger.Wei(1000)))
	if err != nil {
		t.Fatal(err)
	}
	w.do(w.keys[1], ledger.Wei(7), w.buyData(w.keys[3], 7))
	w.stopAt("")
	w.mines()
	if _, err := a.Wait(ctx, id, nil); !errors.Is(err, ErrLost) {
		t.Errorf("%v, want %v", err, ErrLost)
	}
	// The next one has a nonce that is free.
	id, err = a.Send(ctx, w.cfg.Calls().Buy(w.keys[0].Address(), w.keys[2].Address(), ledger.Wei(5), ledger.Wei(1000)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Wait(ctx, id, nil); err != nil {
		t.Error(err)
	}
}

// Nonces that were given out and never used stop all that follow.
func TestNonceGap(t *testing.T) {
	w := writing(t)
	w.mines()
	ctx := within(t)
	a := w.writer(w.keys[2])
	err := w.cfg.Store.Do(ctx, func(tx kv.Tx) error {
		return tx.Put(bucket, a.walletKey(kindNext), binary.BigEndian.AppendUint64(nil, 2))
	})
	if err != nil {
		t.Fatal(err)
	}
	id, err := a.Send(ctx, w.cfg.Calls().Register(a.Address(), ledger.Wei(5), nil, ledger.Hash{}))
	if err != nil || id != 2 {
		t.Fatal(id, err)
	}
	if _, err := a.Wait(ctx, id, nil); err != nil {
		t.Error(err)
	}
}

// A node forgets the first of three transactions, or the last: it is sent again, and
// all three happen, once.
func TestForgottenByItsNode(t *testing.T) {
	for _, forgets := range []string{"the first", "the last"} {
		t.Run(forgets, func(t *testing.T) {
			w := writing(t)
			w.sells()
			ctx := within(t)
			a, session := w.writer(w.keys[1]), ledger.NewKey()
			var all []ID
			for i := range 3 {
				w.mu.Lock()
				if forgets == "the first" && i == 0 || forgets == "the last" && i == 2 {
					w.lose = 1
				}
				w.mu.Unlock()
				id, err := a.Send(ctx, w.cfg.Calls().Buy(w.keys[0].Address(), session.Address(), ledger.Wei(5), ledger.Wei(1000)))
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, id)
			}
			w.mines()
			for _, id := range all {
				if _, err := a.Wait(ctx, id, nil); err != nil {
					t.Error(err)
				}
			}
			if got := w.deposited(ledger.ChannelOf(w.keys[0].Address(), session.Address(), w.keys[1].Address())); got != "15" {
				t.Errorf("%s were paid in, want 15", got)
			}
		})
	}
}

// Whoever else uses the wallet has skipped a nonce: its transaction waits for ours,
// which gets the free one, and both happen; the next of ours has one that is free.
func TestSkippedBySomebodyElse(t *testing.T) {
	w := writing(t)
	w.sells()
	ctx := within(t)
	nonce, err := w.sim.Client().PendingNonceAt(ctx, common.Address(w.keys[1].Address()))
	if err != nil {
		t.Fatal(err)
	}
	theirs := w.sendAs(w.keys[1], nonce+1, ledger.Wei(7), w.buyData(w.keys[3], 7))
	w.mines()
	a, session := w.writer(w.keys[1]), ledger.NewKey()
	for range 2 {
		id, err := a.Send(ctx, w.cfg.Calls().Buy(w.keys[0].Address(), session.Address(), ledger.Wei(5), ledger.Wei(1000)))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := a.Wait(ctx, id, nil); err != nil {
			t.Error(err)
		}
	}
	if got := w.deposited(ledger.ChannelOf(w.keys[0].Address(), session.Address(), w.keys[1].Address())); got != "10" {
		t.Errorf("%s were paid in, want 10", got)
	}
	if r, err := w.sim.Client().TransactionReceipt(ctx, theirs); err != nil || r.Status != types.ReceiptStatusSuccessful {
		t.Errorf("the other one's transaction: %+v, %v", r, err)
	}
}

// Two programs that share a store share a wallet.
func TestTwoWritersOneWallet(t *testing.T) {
	w := writing(t)
	w.sells()
	w.mines()
	ctx := within(t)
	writers := []*Writer{w.writer(w.keys[1]), w.writer(w.keys[1])}
	session := ledger.NewKey()
	var group sync.WaitGroup
	for i := range maxInFlight {
		group.Go(func() {
			a := writers[i%2]
			id, err := a.Send(ctx, w.cfg.Calls().Buy(w.keys[0].Address(), session.Address(), ledger.Wei(5), ledger.Wei(1000)))
			if err != nil {
				t.Error(err)
				return
			}
			if _, err := a.Wait(ctx, id, nil); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if got := w.deposited(ledger.ChannelOf(w.keys[0].Address(), session.Address(), w.keys[1].Address())); got != "20" {
		t.Errorf("%s were paid in, want 20", got)
	}
}

func TestInFlightIsBounded(t *testing.T) {
	w := writing(t)
	w.sells()
	ctx := within(t)
	a := w.writer(w.keys[1])
	c := w.cfg.Calls().Buy(w.keys[0].Address(), w.keys[2].Address(), ledger.Wei(5), ledger.Wei(1000))
	for range maxInFlight {
		if _, err := a.Send(ctx, c); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := a.Send(ctx, c); !errors.Is(err, ErrInFlight) {
		t.Errorf("%v, want %v", err, ErrInFlight)
	}
}

// A fork takes the block away that a transaction was in; it gets into another.
func TestTransactionOutlivesAFork(t *testing.T) {
	w := writing(t)
	w.sells()
	w.blocks(3)
	ctx := within(t)
	a := w.writer(w.keys[1])
	before := w.head()
	session := ledger.NewKey()
	id, err := a.Send(ctx, w.cfg.Calls().Buy(w.keys[0].Address(), session.Address(), ledger.Wei(5), ledger.Wei(1000)))
	if err != nil {
		t.Fatal(err)
	}
	w.sim.Commit()
	if err := a.Follow(ctx); err != nil {
		t.Fatal(err)
	}
	if p, _ := a.Progress(id); p.Block == 0 || p.Outcome != Open || p.Depth != 1 {
		t.Fatalf("%+v", p)
	}
	if err := w.sim.Fork(common.Hash(before.Hash)); err != nil {
		t.Fatal(err)
	}
	w.sim.Rollback()
	w.blocks(2)
	if err := a.Follow(ctx); err != nil {
		t.Fatal(err)
	}
	if p, _ := a.Progress(id); p.Block != 0 {
		t.Fatalf("after the fork: %+v", p)
	}
	w.mines()
	r, err := a.Wait(ctx, id, nil)
	if err != nil {
		t.Fatal(err)
	}
	if r.Block <= before.Number {
		t.Errorf("%+v", r)
	}
	if got := w.deposited(ledger.ChannelOf(w.keys[0].Address(), session.Address(), w.keys[1].Address())); got != "5" {
		t.Errorf("%s were paid in, want 5", got)
	}
}

// Every reason that the contract has is told in words that say more than its name.
func TestRevertsArePlain(t *testing.T) {
	parsed, err := market.MarketMetaData.ParseABI()
	if err != nil {
		t.Fatal(err)
	}
	ours := 0
	for name, e := range parsed.Errors {
		if name == "StringTooLong" || name == "InvalidShortString" || name == "NoToken" {
			continue // of the constructor
		}
		ours++
		data := append(e.ID[:4:4], make([]byte, 32*len(e.Inputs))...)
		got := explainRevert(&RefusedError{Method: "eth_estimateGas", Code: 3, Text: "execution reverted", Data: data})
		var reason *RevertError
		if !errors.As(got, &reason) || reason.Name != name || strings.Contains(reason.Text, "market.") {
			t.Errorf("%s: %v", name, got)
		}
		lotus := &RefusedError{Code: 1, Text: fmt.Sprintf("message execution failed (exit=[33], revert reason=[0x%x], vm error=[…])", data)}
		if got := explainRevert(lotus); !errors.As(got, &reason) || reason.Name != name {
			t.Errorf("%s, as Lotus writes it: %v", name, got)
		}
	}
	if ours < 20 {
		t.Errorf("%d reasons", ours)
	}
	other := &RefusedError{Code: -32000, Text: "insufficient funds for gas"}
	if got := explainRevert(other); got != error(other) {
		t.Errorf("%v", got)
	}
}

// Whoever asks for the same again, at the same time or when it is done, gets the
// transaction that there is.
func TestSendOnce(t *testing.T) {
	w := writing(t)
	w.mines()
	ctx := within(t)
	by := w.writer(w.keys[0])
	c := w.cfg.Calls().Register(by.Address(), ledger.Wei(1000), []byte("d"), ledger.Hash{})
	c.What = "register 1"
	const askers = 8
	ids := make(chan ID, askers)
	for range askers {
		go func() {
			id, err := by.SendOnce(ctx, c)
			if err != nil {
				t.Errorf("SendOnce = %v", err)
			}
			ids <- id
		}()
	}
	first := <-ids
	for range askers - 1 {
		if id := <-ids; id != first {
			t.Errorf("two transactions: %d and %d", first, id)
		}
	}
	if _, err := by.Wait(ctx, first, nil); err != nil {
		t.Fatal(err)
	}
	// By now the contract would refuse it.
	if id, err := by.SendOnce(ctx, c); id != first || err != nil {
		t.Errorf("when it is done: %d, %v; want %d", id, err, first)
	}
	c.What = "register 2"
	if _, err := by.SendOnce(ctx, c); err == nil {
		t.Error("another name is the same transaction")
	}
}
