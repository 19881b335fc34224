package paying

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/culvert-net/culvert/ledger"
)

// A channel that has little left gets more by itself, as often as the limit of a day
// allows, in this run or the next; a failure counts too.
func TestTopUp(t *testing.T) {
	var mu sync.Mutex
	var bought []ledger.Amount
	var fails error
	m := newMarket(t, func(m *market) {
		m.topUp = TopUp{Amount: ledger.Wei(2000), Daily: ledger.Wei(5000), Do: func(_ context.Context, id ledger.ChannelID, amount ledger.Amount) error {
			mu.Lock()
			defer mu.Unlock()
			bought = append(bought, amount)
			if fails == nil {
				m.contract.set(id, func(c *ledger.Channel) { c.Deposited, _ = c.Deposited.Add(amount) })
			}
			return fails
		}}
	})
	id := m.buy("", 2500)
	times := func() int {
		mu.Lock()
		defer mu.Unlock()
		return len(bought)
	}
	ask := func() error {
		_, _, err := m.ask(request(t, `,"max_tokens":20`)) // at most 1,300
		m.settled()
		return err
	}
	for n := 0; times() < 1; n++ {
		if err := ask(); err != nil || n > 20 {
			t.Fatalf("request %d: %v", n, err)
		}
	}
	m.eventually("the channel has more", func() bool { return m.payer.Counts().ToppedUp == 1 })
	if b := m.balance(id); b.Deposited != ledger.Wei(4500) {
		t.Errorf("%+v", b)
	}
	mu.Lock()
	fails = errors.New("no fees")
	mu.Unlock()
	for times() < 2 {
		m.must(ask())
	}
	m.bridge.stop()
	m.startBridge() // it forgets the failure, and not the limit
	for {
		if err := ask(); err != nil {
			break
		}
	}
	if n := times(); n != 2 {
		t.Errorf("%d top-ups of 2,000, of 5,000 a day", n)
	}
}
