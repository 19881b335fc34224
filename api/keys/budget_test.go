package keys

import (
	"context"
	"encoding/json"
	"log/slog"
	"math/big"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func amount(t testing.TB, text string) Amount {
	t.Helper()
	a, err := ParseAmount(text)
	if err != nil {
		t.Fatalf("ParseAmount(%q): %v", text, err)
	}
	return a
}

// Amounts are what math/big makes of the same digits.
func TestAmount(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	bound := new(big.Int).Lsh(big.NewInt(1), 128)
	value := func(a Amount) *big.Int {
		n := new(big.Int).Lsh(new(big.Int).SetUint64(a.hi), 64)
		return n.Add(n, new(big.Int).SetUint64(a.lo))
	}
	random := func() Amount {
		return Amount{hi: rnd.Uint64() >> rnd.IntN(65), lo: rnd.Uint64() >> rnd.IntN(65)}
	}
	for range 20_000 {
		a, b := random(), random()
		x, y := value(a), value(b)
		if a.String() != x.String() || a.Compare(b) != x.Cmp(y) {
			t.Fatalf("%v and %v: %s, %d", x, y, a, a.Compare(b))
		}
		sum := new(big.Int).Add(x, y)
		if sum.Cmp(bound) >= 0 {
			sum.Sub(bound, big.NewInt(1))
		}
		rest := new(big.Int).Sub(x, y)
		if rest.Sign() < 0 {
			rest.SetInt64(0)
		}
		if value(a.add(b)).Cmp(sum) != 0 || value(a.less(b)).Cmp(rest) != 0 {
			t.Fatalf("%v and %v: together %v, without %v", x, y, a.add(b), a.less(b))
		}
		var again Amount
		if err := again.UnmarshalText([]byte(a.String())); err != nil || again != a {
			t.Fatalf("%v is read again as %v, %v", a, again, err)
		}
		if got, err := ParseAmount(a.String()); (err == nil) != (x.BitLen() <= 96) || err == nil && got != a {
			t.Fatalf("ParseAmount(%v) = %v, %v", x, got, err)
		}
	}
	for _, bad := range []string{"", "-1", "+1", "01", "1.0", "1e3", " 1", "0x1", "١", MaxAmount.add(Amount{lo: 1}).String(), strings.Repeat("9", 200)} {
		if a, err := ParseAmount(bad); err == nil {
			t.Errorf("ParseAmount(%q) = %v, want an error", bad, a)
		}
	}
	if a := new(Amount); a.UnmarshalText([]byte("340282366920938463463374607431768211456")) == nil { // 2^128
		t.Errorf("2^128 is read as %v", a)
	}
}

// money makes a key that may spend so much.
func money(t *testing.T, r *Ring, m Money) *Budget {
	t.Helper()
	text, _ := add(t, r, "k", Rules{Money: m})
	return find(t, r, text).Budget()
}

// A budget is asked before and told after: a request may go beyond a limit by
// its own cost, the next one does not begin until the window ends.
func TestBudget(t *testing.T) {
	for _, tt := range []struct {
		name  string
		limit Money
		per   string
		until time.Duration // from the beginning of a bubble's clock: midnight of 2000-01-01
	}{
		{"minute", Money{Minute: Amount{lo: 100}, Month: Amount{lo: 1e6}}, "minute", time.Minute},
		{"day", Money{Day: Amount{lo: 100}}, "day", 24 * time.Hour},
		{"month", Money{Minute: Amount{lo: 100}, Day: Amount{lo: 100}, Month: Amount{lo: 100}}, "month", 31 * 24 * time.Hour},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := open(t, newMemory())
				b := money(t, r, tt.limit)
				for _, cost := range []string{"60", "0", "39", "50"} {
					if err := b.Afford(); err != nil {
						t.Fatalf("before %s: %v", cost, err)
					}
					b.Spent(cost)
				}
				err, ok := b.Afford().(*LimitError)
				if !ok || err.Per != tt.per || err.Kind != Spending || err.Reset != tt.until || err.Sum != (Amount{lo: 100}) ||
					err.Error() != `key "k" has spent its 100 wei per `+tt.per {
					t.Errorf("beyond the limit: %v (%+v)", err, err)
				}
				if n := r.Limited(); n[Spending] != 1 || n[Requests] != 0 {
					t.Errorf("refused %v", n)
				}
				if used := r.List()[0].Used["month"]; used != (Count{Money: Amount{lo: 149}}) {
					t.Errorf("used %+v, want 149 wei", used)
				}
				time.Sleep(tt.until)
				if err := b.Afford(); err != nil {
					t.Errorf("in the next %s: %v", tt.per, err)
				}
			})
		})
	}
}

// Without a limit everything may be spent, and is counted all the same; so is the
// most there can be, and what is no amount is not.
func TestBudgetWithoutLimit(t *testing.T) {
	var log strings.Builder
	r, err := Open(t.Context(), newMemory(), slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	b := money(t, r, Money{})
	for range 3 {
		b.Spent(MaxAmount.String())
	}
	b.Spent("a lot")
	b.Spent("-5")
	if err := b.Afford(); err != nil {
		t.Error(err)
	}
	if used, want := r.List()[0].Used["day"].Money, MaxAmount.add(MaxAmount).add(MaxAmount); used != want {
		t.Errorf("used %v, want %v", used, want)
	}
	if n := strings.Count(log.String(), "was not counted"); n != 2 || strings.Contains(log.String(), "a lot") {
		t.Errorf("the log says so %d times, want 2, without what it was: %s", n, log.String())
	}
	// It is listed and read again, beyond what a limit may be.
	text, err := json.Marshal(r.List())
	var again []Listed
	if err != nil || json.Unmarshal(text, &again) != nil || again[0].Used["day"] != r.List()[0].Used["day"] {
		t.Errorf("listed as %s, %v", text, err)
	}
}

// All who come without a key share one budget, apart from every key's.
func TestKeyless(t *testing.T) {
	m := newMemory()
	r := open(t, m)
	limit := Money{Day: Amount{lo: 10}}
	b, key := r.Keyless(limit), money(t, r, limit)
	r.Keyless(limit).Spent("10")
	err, ok := b.Afford().(*LimitError)
	if !ok || err.Error() != "programs without a key have spent their 10 wei per day" {
		t.Errorf("Afford = %v", err)
	}
	if err := key.Afford(); err != nil {
		t.Errorf("a key's: %v", err)
	}
	if err := r.save(t.Context()); err != nil {
		t.Fatal(err)
	}
	if again := open(t, m); again.Keyless(limit).Afford() == nil {
		t.Error("a restart forgot what was spent without a key")
	}
	if err := r.Keyless(Money{}).Afford(); err != nil {
		t.Errorf("without a limit: %v", err)
	}
}

// A process that is killed forgets what it spent since the last save, at most
// SaveEvery of it; one that is stopped forgets nothing; a revoked key's is kept.
func TestBudgetKilled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		r := open(t, m)
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- r.Run(ctx) }()
		text, k := add(t, r, "k", Rules{Money: Money{Month: Amount{lo: 100}}})
		b := find(t, r, text).Budget()
		spent := func() string { return open(t, m).List()[0].Used["month"].Money.String() }
		b.Spent("60")
		if got := spent(); got != "0" {
			t.Errorf("killed at once it has spent %s, want nothing", got)
		}
		time.Sleep(SaveEvery)
		synctest.Wait()
		if got := spent(); got != "60" {
			t.Errorf("killed after %v it has spent %s, want 60", SaveEvery, got)
		}
		if _, err := r.Revoke(t.Context(), k.ID); err != nil {
			t.Fatal(err)
		}
		b.Spent("40") // of a request that ran on
		stop()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if got := spent(); got != "100" {
			t.Errorf("stopped it has spent %s, want 100", got)
		}
	})
}

// Whatever is spent at once is counted once.
func TestBudgetConcurrency(t *testing.T) {
	r := open(t, newMemory())
	b := money(t, r, Money{Month: Amount{lo: 1_000_000}})
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			for range 500 {
				_ = b.Afford()
				b.Spent("3")
				_ = r.save(t.Context())
			}
		})
	}
	wg.Wait()
	if got := r.List()[0].Used["month"].Money.String(); got != "30000" {
		t.Errorf("spent %s, want 30000", got)
	}
}

// What was written before there was money is read, and written so until some is
// spent.
func TestUsageVersions(t *testing.T) {
	u := Usage{{Window: 1, Requests: 2, Tokens: 3}, {Window: 4}, {Window: 5, Tokens: 6}}
	old := u.Encode()
	if old[0] != usageOfTokens || len(old) != tokensSize {
		t.Errorf("usage without money is written as version %d in %d bytes", old[0], len(old))
	}
	u[1].Money = MaxAmount
	b := u.Encode()
	if again, err := DecodeUsage(b); err != nil || again != u || b[0] != usageOfMoney {
		t.Errorf("%+v is read again as %+v, %v", u, again, err)
	}
	for n := range b {
		if _, err := DecodeUsage(b[:n]); err == nil && n != len(old) {
			t.Errorf("%d bytes of %d are read", n, len(b))
		}
	}
}

// A key without a limit of money is stored as it always was; one with it is
// refused by a program that would not keep it.
func TestMoneyInARecord(t *testing.T) {
	rec := Record{Key: Key{ID: "key_abc", Name: "n", Created: time.Unix(1e9, 0).UTC()}}
	if text := string(rec.Encode()); strings.Contains(text, "money") {
		t.Errorf("a record without money is %s", text)
	}
	rec.Money = Money{Day: amount(t, "1000000000000000000")}
	text := rec.Encode()
	if !strings.Contains(string(text), `"money":{"per_day":"1000000000000000000"}`) {
		t.Errorf("a record with money is %s", text)
	}
	if again, err := DecodeRecord(text); err != nil || again.Money != rec.Money {
		t.Errorf("it is read again as %+v, %v", again, err)
	}
	rec.Money.Day = most
	if _, err := DecodeRecord(rec.Encode()); err == nil {
		t.Error("a limit above all money is read")
	}
}
