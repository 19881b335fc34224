package market_test

import (
	"strings"
	"testing"
	"time"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/market"
	"github.com/culvert-net/culvert/ledger"
)

func eth(t testing.TB, text string) ledger.Amount {
	t.Helper()
	a, err := ledger.ParseAmount(text)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// Provider and client do everything by commands, while no program runs.
func TestCommands(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	if text := w.refused(app.ExitUsage, "gateway", "register", "--yes"); !strings.Contains(text, "gateway price set") {
		t.Errorf("without a price: %s", text)
	}
	w.must("gateway", "price", "set", "llama3", "--input", "1 gwei", "--output", "2 gwei")
	if text := w.refused(app.ExitRefused, "gateway", "register"); !strings.Contains(text, "--yes") {
		t.Errorf("without consent: %s", text)
	}
	if out := w.must("gateway", "register", "--yes"); !strings.Contains(out, "Done: transaction 0x") {
		t.Errorf("register: %s", out)
	}
	if text := w.refused(app.ExitUsage, "gateway", "register", "--yes"); !strings.Contains(text, "gateway update") {
		t.Errorf("register twice: %s", text)
	}
	list := ask[[]market.Listing](w, "bridge", "providers")
	if len(list) != 1 || list[0].Provider != w.provider || list[0].Price != eth(t, "2 gwei") || len(list[0].Models) != 1 || list[0].Models[0].Model != "llama3" || len(list[0].Nodes) != 1 {
		t.Fatalf("providers are %+v", list)
	}
	if text := w.refused(app.ExitUsage, "gateway", "update", "--yes"); !strings.Contains(text, "nothing has changed") {
		t.Errorf("update of nothing: %s", text)
	}

	if text := w.refused(app.ExitRefused, "bridge", "buy", w.provider.String(), "1 eth", "--max-price", "1 gwei", "--yes"); !strings.Contains(text, "2 gwei") {
		t.Errorf("above the highest price: %s", text)
	}
	done := ask[market.Done](w, "bridge", "buy", "--model", "llama3", "--tokens", "500000", "--yes")
	if done.Amount != eth(t, "1 gwei") || done.Transaction.IsZero() || !done.Since.IsZero() {
		t.Fatalf("bought %+v", done)
	}
	again := ask[market.Done](w, "bridge", "buy", w.provider.String(), "2 gwei", "--yes")
	if again.Channel != done.Channel {
		t.Errorf("bought for channel %s, then for %s", done.Channel, again.Channel)
	}
	ask[market.Done](w, "bridge", "topup", w.provider.String(), "1 gwei", "--yes")
	b := ask[market.Balance](w, "bridge", "balance")
	if len(b.Channels) != 1 || b.Channels[0].Free != eth(t, "4 gwei") || b.Channels[0].State != "open" || b.Wallet != w.payer || b.Problem != "" {
		t.Fatalf("balance is %+v", b)
	}

	w.must("gateway", "update", "--price", "3 gwei", "--yes")
	if text := w.refused(app.ExitUsage, "bridge", "topup", w.provider.String(), "1 gwei", "--yes"); !strings.Contains(text, "risen") {
		t.Errorf("a top-up below the price: %s", text)
	}
	if text := w.refused(app.ExitUsage, "gateway", "claim", "--yes"); !strings.Contains(text, "nothing to claim") {
		t.Errorf("claim: %s", text)
	}
	if text := w.refused(app.ExitUsage, "bridge", "refund", "--yes"); !strings.Contains(text, "bridge close") {
		t.Errorf("refund of an open channel: %s", text)
	}
	w.must("bridge", "close", w.provider.String(), "--yes")
	w.must("bridge", "close", "--cancel", w.provider.String(), "--yes")
	w.must("bridge", "close", done.Channel.String(), "--yes")
	if text := w.refused(app.ExitNotReady, "bridge", "refund", "--yes"); !strings.Contains(text, "from 20") {
		t.Errorf("refund before its time: %s", text)
	}
	if err := w.chain.Advance(24*time.Hour + time.Minute); err != nil {
		t.Fatal(err)
	}
	if b := ask[market.Balance](w, "bridge", "balance"); b.Channels[0].State != "refundable" {
		t.Errorf("after a day: %+v", b.Channels[0])
	}
	w.must("bridge", "refund", "--yes")
	if b := ask[market.Balance](w, "bridge", "balance"); b.Held != eth(t, "4 gwei") || b.Channels[0].State != "closed" {
		t.Errorf("after the refund: %+v", b)
	}
	w.must("bridge", "withdraw", "--yes")
	if b := ask[market.Balance](w, "bridge", "balance"); !b.Held.IsZero() {
		t.Errorf("after the withdrawal: %+v", b)
	}
	w.refused(app.ExitUsage, "bridge", "withdraw", "--yes")

	w.must("gateway", "bond", "1 eth", "--for", "10d", "--yes")
	if e := ask[market.Earnings](w, "gateway", "earnings"); e.Bond != eth(t, "1 eth") || !e.Registered || e.Price != eth(t, "3 gwei") {
		t.Errorf("earnings are %+v", e)
	}
	w.must("gateway", "exit", "--yes")
	if list := ask[[]market.Listing](w, "bridge", "providers"); len(list) != 0 {
		t.Errorf("after the exit: %+v", list)
	}
	if text := w.refused(app.ExitUsage, "gateway", "exit", "--yes"); !strings.Contains(text, "nothing to leave") {
		t.Errorf("exit of who is gone: %s", text)
	}
	if text := w.refused(app.ExitUsage, "bridge", "buy", w.provider.String(), "1 gwei", "--yes"); !strings.Contains(text, "sells no more") {
		t.Errorf("buy from who is gone: %s", text)
	}
}
