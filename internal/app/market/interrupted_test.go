package market_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/market"
)

// Whoever is interrupted, wherever the order is, gives the same command again: it is
// done once, and when it was done before, that is said.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.must("gateway", "price", "set", "--input", "1 gwei", "--output", "2 gwei")
	w.must("gateway", "register", "--yes")
	paid := 0
	var mu sync.Mutex
	method, after := "", false
	var interrupt context.CancelFunc
	// From the method on, or from its answer on, the server is gone, and somebody
	// presses Ctrl-C.
	gone := false
	through := w.proxied(func(body string) bool {
		mu.Lock()
		defer mu.Unlock()
		if gone {
			interrupt()
			return true
		}
		if method != "" && strings.Contains(body, `"`+method+`"`) {
			gone = true
			if !after {
				interrupt()
			}
			return !after
		}
		return false
	})
	w.configure(w.buyer, through, "dev", w.chain.Ready().Market.CodeHash)
	buy := []string{"buy", w.provider.String(), "1 gwei", "--yes"}
	for _, at := range []struct {
		method string
		after  bool
		sent   bool // the next command finds the order, and sends none
	}{
		{"eth_estimateGas", false, false},
		{"eth_sendRawTransaction", false, true},
		{"eth_sendRawTransaction", true, true},
		{"eth_getTransactionReceipt", false, true},
		{"eth_getTransactionReceipt", true, true},
	} {
		mu.Lock()
		method, after, gone = at.method, at.after, false
		mu.Unlock()
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		mu.Lock()
		interrupt = cancel
		mu.Unlock()
		_, told, err := w.run(ctx, "bridge", buy...)
		cancel()
		if err == nil {
			t.Fatalf("%+v: the command has succeeded", at)
		}
		if at.sent && !strings.Contains(err.Error(), "bridge buy") && !strings.Contains(err.Error(), "buy "+w.provider.String()) {
			t.Errorf("%+v: it does not say how to go on: %v\n%s", at, err, told)
		}
		mu.Lock()
		method, gone = "", false
		mu.Unlock()
		done := ask[market.Done](w, "bridge", buy...)
		if at.sent == done.Since.IsZero() {
			t.Errorf("%+v: then it was sent before: %v", at, !done.Since.IsZero())
		}
		paid++
		if got := w.deposited(); got != sum(t, paid) {
			t.Errorf("%+v: %s wei were paid in, want %s", at, got, sum(t, paid))
		}
	}
	// A new order like it is a new one.
	if done := ask[market.Done](w, "bridge", buy...); !done.Since.IsZero() {
		t.Errorf("a new order is an old one: %+v", done)
	}
	if got := w.deposited(); got != sum(t, paid+1) {
		t.Errorf("in the end %s wei were paid in, want %s", got, sum(t, paid+1))
	}
	if text := w.refused(app.ExitUsage, "gateway", "register", "--yes"); !strings.Contains(text, "gateway update") {
		t.Error(text)
	}
}

func sum(t *testing.T, gwei int) string {
	t.Helper()
	total := eth(t, "0 wei")
	for range gwei {
		more, err := total.Add(eth(t, "1 gwei"))
		if err != nil {
			t.Fatal(err)
		}
		total = more
	}
	return total.String()
}

// deposited is what the buyer's channels hold, in wei.
func (w *town) deposited() string {
	w.Helper()
	total := eth(w, "0 wei")
	for _, c := range ask[market.Balance](w, "bridge", "balance").Channels {
		more, err := total.Add(c.Deposited)
		if err != nil {
			w.Fatal(err)
		}
		total = more
	}
	return total.String()
}
