package evmrpc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/culvert-net/culvert/ledger"
	"github.com/culvert-net/culvert/ledger/chain"
	"github.com/culvert-net/culvert/mesh/frame"
)

// reply says one thing to every question.
func reply(b []byte) func(context.Context, net.Conn) {
	return func(_ context.Context, s net.Conn) {
		if _, err := frame.Read(s, chain.MaxQuestion); err == nil {
			_ = frame.Write(s, b)
		}
	}
}

// hostile are ways of a provider to answer wrongly.
func hostile(t *testing.T, cfg chain.Config) map[string]func(context.Context, net.Conn) {
	t.Helper()
	bent := func(b bend) func(context.Context, net.Conn) {
		c := cfg
		c.Transport = b
		_, says := desk(t, c)
		return says
	}
	edit := func(t *testing.T, method string, f func(map[string]any)) bend {
		return func(m string, result json.RawMessage) json.RawMessage {
			var v map[string]any
			if m != method || json.Unmarshal(result, &v) != nil || v == nil {
				return result
			}
			f(v)
			out, err := json.Marshal(v)
			if err != nil {
				t.Error(err)
			}
			return out
		}
	}
	logs := func(f func([]map[string]any) []map[string]any) bend {
		return func(m string, result json.RawMessage) json.RawMessage {
			var v []map[string]any
			if m != "eth_getLogs" || json.Unmarshal(result, &v) != nil || len(v) == 0 {
				return result
			}
			out, err := json.Marshal(f(v))
			if err != nil {
				t.Error(err)
			}
			return out
		}
	}
	fixed := func(method, value string) bend {
		return func(m string, result json.RawMessage) json.RawMessage {
			if m == method {
				return json.RawMessage(value)
			}
			return result
		}
	}
	return map[string]func(context.Context, net.Conn){
		"another chain":    bent(fixed("eth_chainId", `"0x1"`)),
		"another contract": bent(fixed("eth_getCode", `"0x6001"`)),
		"other blocks": bent(edit(t, "eth_getBlockByNumber", func(b map[string]any) {
			b["hash"] = ledger.Hash{9}.String()
		})),
		"no events":      bent(fixed("eth_getLogs", `[]`)),
		"an event less":  bent(logs(func(l []map[string]any) []map[string]any { return l[:len(l)-1] })),
		"an event twice": bent(logs(func(l []map[string]any) []map[string]any { return append(l, l[0]) })),
		"events of others": bent(logs(func(l []map[string]any) []map[string]any {
			l[0]["address"] = ledger.Address{7}.String()
			return l
		})),
		"an event made up": bent(logs(func(l []map[string]any) []map[string]any {
			data := l[len(l)-1]["data"].(string)
			l[len(l)-1]["data"] = data[:70] + "f" + data[71:]
			return l
		})),
		"a huge answer": reply(append([]byte{answered}, []byte(`{"result":"`+strings.Repeat("x", maxAnswer)+`"}`)...)),
		"a huge length": func(_ context.Context, s net.Conn) {
			_, _ = frame.Read(s, chain.MaxQuestion)
			_, _ = s.Write([]byte{255, 255, 255, 255, 0})
		},
		"always too big": reply([]byte{large}),
		"garbage":        reply([]byte("\x00{")),
		"no verdict":     reply([]byte{verdicts}),
		"refuses":        reply([]byte{refused}),
		"busy":           reply([]byte{busy}),
		"node is silent": reply([]byte{silent}),
		"hangs up":       func(_ context.Context, s net.Conn) { _, _ = frame.Read(s, chain.MaxQuestion) },
		"cuts off": func(_ context.Context, s net.Conn) {
			_, _ = frame.Read(s, chain.MaxQuestion)
			_, _ = s.Write([]byte{0, 0, 1, 0, 0, '{'})
		},
	}
}

// One provider of three answers wrongly, in every way: what it says never counts, and
// the two others are found. With one honest provider nothing counts, and there is an error
// that says why.
func TestHostileProviders(t *testing.T) {
	cfg := market(t)
	seller := wallet(t, 1)
	sells(t, cfg, seller)
	run(t, cfg, wallet(t, 2), cfg.Calls().Buy(seller.Address(), ledger.NewKey().Address(), ledger.Wei(500), ledger.Wei(1000)))
	right := func(r *chain.Reader) bool {
		p, ok := r.State().Provider(seller.Address())
		return ok && p.Price == ledger.Wei(1000) && len(r.State().Channels(func(ledger.Channel) bool { return true })) == 1
	}
	for name, lies := range hostile(t, cfg) {
		t.Run(name, func(t *testing.T) {
			c := newCrowd(t)
			for i := range 2 {
				_, says := desk(t, cfg)
				c.add(fmt.Sprint("honest-", i), true, ledger.Address{}, says)
			}
			liar := c.add("liar", true, ledger.Address{}, lies)
			// It is the first that is asked, and then the one that is compared with.
			for place := range 2 {
				road := c.road(cfg, nil)
				road.mu.Lock()
				seat := []*lane{road.asked, road.compared}[place]
				road.seats[seat] = liar
				road.mu.Unlock()
				seat.measured = liar
				r, err := chain.NewReader(over(cfg, road))
				if err != nil {
					t.Fatal(err)
				}
				passes := 0
				for ; passes < 40; passes++ {
					err = r.Sync(t.Context())
					if err == nil {
						break
					}
					if len(r.State().Providers()) > 0 && !right(r) || !r.Fresh().IsZero() {
						t.Fatalf("after %v this counts: %+v", err, r.State().Providers())
					}
				}
				if err != nil || !right(r) {
					t.Fatalf("place %d: after %d passes: %v, %+v", place, passes, err, r.State().Providers())
				}
			}
			if c.count(liar) == 0 {
				t.Error("the liar was never asked")
			}

			// With one honest one, nobody's word is enough.
			alone := newCrowd(t)
			_, says := desk(t, cfg)
			alone.add("honest", true, ledger.Address{}, says)
			alone.add("liar", true, ledger.Address{}, lies)
			r, err := chain.NewReader(over(cfg, alone.road(cfg, nil)))
			if err != nil {
				t.Fatal(err)
			}
			for range 4 {
				if err := r.Sync(t.Context()); err == nil {
					t.Fatal("nothing is wrong, with a liar of two")
				}
			}
			if !r.Fresh().IsZero() || len(r.State().Providers()) > 0 {
				t.Errorf("this counts: %+v", r.State().Providers())
			}
		})
	}
}

// A provider that takes the question and says nothing is left after a time, in which
// another one can still be asked.
func TestSlowProvider(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t)
		slow := c.add("slow", true, ledger.Address{}, func(_ context.Context, s net.Conn) {
			_, _ = io.Copy(io.Discard, s) // until it is closed
		})
		road := c.road(nobody(), nil)
		began := time.Now()
		_, err := road.put(t.Context(), slow, road.asked.group, []byte(`{"method":"eth_chainId"}`))
		if err == nil || time.Since(began) != askLimit {
			t.Errorf("%v after %v, want an error after %v", err, time.Since(began), askLimit)
		}
		if passedOver(err) != silentFor {
			t.Errorf("passed over for %v", passedOver(err))
		}
		synctest.Wait()
	})
}

// Whoever is paid by this bridge is never asked what became of the money; nor is
// anybody who does not offer it. Who begins to be paid is left at the next question.
func TestNeverWhoIsPaid(t *testing.T) {
	cfg := market(t)
	c := newCrowd(t)
	_, says := desk(t, cfg)
	payee, other := ledger.Address{1}, ledger.Address{2}
	paid := c.add("paid", true, payee, says)
	plain := c.add("plain", false, ledger.Address{}, says)
	one := c.add("one", true, other, says)
	two := c.add("two", true, ledger.Address{}, says)
	who := payee
	road := c.road(cfg, func(a ledger.Address) bool { return a == who })
	r, err := chain.NewReader(over(cfg, road))
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	if c.count(paid) > 0 || c.count(plain) > 0 || c.count(one) == 0 || c.count(two) == 0 {
		t.Errorf("asked: the paid one %d times, the plain one %d, the others %d and %d", c.count(paid), c.count(plain), c.count(one), c.count(two))
	}
	if s := road.Status(); s.Listed != 3 || s.Asked == s.Compared || s.Asked == "" || s.Compared == "" {
		t.Errorf("%+v", s)
	}
	before := c.count(one)
	who = other
	if s := road.Status(); s.Asked == "one" || s.Compared == "one" {
		t.Errorf("the one who is paid now is still said to be asked: %+v", s)
	}
	sells(t, cfg, wallet(t, 3)) // a new block
	if err := r.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	if c.count(one) != before || c.count(paid) == 0 {
		t.Errorf("the one who is paid now was asked %d times more, the one who was %d times", c.count(one)-before, c.count(paid))
	}
	// The two ways are apart.
	for group, seen := range c.group {
		if group != road.asked.group && group != road.compared.group {
			t.Errorf("a circuit of another group saw %v", seen)
		}
	}
	if road.asked.group == road.compared.group {
		t.Error("both ways share circuits")
	}
}

func TestTooFew(t *testing.T) {
	cfg := market(t)
	for n := range 2 {
		c := newCrowd(t)
		_, says := desk(t, cfg)
		for i := range n {
			c.add(fmt.Sprint("n", i), true, ledger.Address{}, says)
		}
		r, err := chain.NewReader(over(cfg, c.road(cfg, nil)))
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Sync(t.Context()); !errors.Is(err, ErrNobody) || !errors.Is(err, chain.ErrUnreachable) {
			t.Errorf("with %d: %v", n, err)
		}
		if !r.Fresh().IsZero() {
			t.Errorf("with %d something counts", n)
		}
	}
}

// A page that is too large for an answer is asked for in parts.
func TestLargePages(t *testing.T) {
	cfg := market(t)
	seller := wallet(t, 1)
	sells(t, cfg, seller)
	for range 3 {
		run(t, cfg, seller, cfg.Calls().Update(seller.Address(), ledger.Wei(900), []byte("e"), ledger.Hash{}))
	}
	c := newCrowd(t)
	narrow := func(ctx context.Context, s net.Conn) {
		b, err := frame.Read(s, chain.MaxQuestion)
		if err != nil {
			return
		}
		d, _ := desk(t, cfg)
		verdict, o := d.pass(ctx, b)
		var events []json.RawMessage
		if strings.Contains(string(b), "eth_getLogs") && json.Unmarshal(o.Result, &events) == nil && len(events) > 1 {
			verdict = large
		}
		out, err := encode(verdict, o)
		if err == nil {
			_ = frame.Write(s, out)
		}
	}
	c.add("a", true, ledger.Address{}, narrow)
	c.add("b", true, ledger.Address{}, narrow)
	r, err := chain.NewReader(over(cfg, c.road(cfg, nil)))
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	if p, ok := r.State().Provider(seller.Address()); !ok || p.Price != ledger.Wei(900) || p.Sequence != 4 {
		t.Errorf("%+v", p)
	}
}
