package paying

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/culvert-net/culvert/api/backend"
	"github.com/culvert-net/culvert/api/openai"
	"github.com/culvert-net/culvert/api/tunnel"
	"github.com/culvert-net/culvert/ledger"
	"github.com/culvert-net/culvert/ledger/channel"
)

// Many requests at once share a channel: each is paid once, and both sides' books
// say the same when they are over. Those for whom there is no room in the window wait
// for others to end.
func TestManyAtOnce(t *testing.T) {
	for _, window := range []uint64{1_000_000, 4_000} {
		t.Run(strconv.FormatUint(window, 10), func(t *testing.T) { manyAtOnce(t, window) })
	}
}

func manyAtOnce(t *testing.T, window uint64) {
	m := newMarket(t, func(m *market) { m.window = window })
	id := m.buy("", 1_000_000)
	const n = 64
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			fields := ""
			if i%2 == 0 {
				fields = `,"stream":true`
			}
			if text, resp, err := m.ask(request(t, fields)); err != nil || strings.Count(text, "word ") != 20 {
				t.Errorf("%q, %v", text, err)
			} else if r, known := resp.Settled(); known && r.Cost != "208" {
				t.Errorf("receipt %+v", r)
			}
		})
	}
	wg.Wait()
	m.settled()
	want := ledger.Wei(n * 208)
	if b := m.balance(id); b.Spent != want || !b.Unsettled.IsZero() || !b.Reserved.IsZero() {
		t.Errorf("our books: %+v, want %v spent", b, want)
	}
	if s := m.books(id); s.Finished != want || s.Voucher == nil || s.Voucher.Message.Cumulative.Less(want) {
		t.Errorf("theirs: %+v, want %v, all paid for", s, want)
	}
	if c := m.payer.Counts(); c.Paid != n || c.Aborted+c.Disputed+c.Failed != 0 {
		t.Errorf("%+v", c)
	}
}

// A request for which there is no room waits until another has ended, or until nobody
// waits for it any more; one for which there would be none is refused at once.
func TestRoomIsWaitedFor(t *testing.T) {
	m := newMarket(t, func(m *market) { m.window = 4_000 })
	m.buy("", 1_000_000)
	hold := make(chan struct{})
	m.model.set(func(f *fakeModel) { f.hold = hold })
	waits := func(n uint64) {
		t.Helper()
		m.eventually("a request waits", func() bool { return m.payer.Counts().Waited == n })
	}
	got := make(chan error, 10)
	begun := func(ctx context.Context) {
		go func() {
			resp, err := m.client.Do(ctx, request(t, `,"stream":true`))
			if err == nil {
				_, err = io.ReadAll(resp.Body)
				err = errors.Join(err, resp.Body.Close())
			}
			got <- err
		}()
	}
	running := 0
	for ; m.payer.Counts().Waited == 0; running++ {
		if running > 4 {
			t.Fatal("there is room for more than the window")
		}
		begun(t.Context())
		m.eventually("it is opened, or waits", func() bool {
			c := m.payer.Counts()
			return c.Opened == uint64(running+1) || c.Waited == 1
		})
	}
	if running < 2 {
		t.Fatal("there is no room for one")
	}
	impatient, leave := context.WithCancel(t.Context())
	begun(impatient)
	waits(2)
	leave()
	if err := <-got; !errors.Is(err, context.Canceled) {
		t.Errorf("who does not wait is told %v", err)
	}
	if _, _, err := m.ask(request(t, `,"max_tokens":90,"n":8`)); err == nil || m.payer.Counts().Waited != 2 {
		t.Errorf("what would not fit into all of the window: %v, %+v", err, m.payer.Counts())
	}
	close(hold)
	for range running {
		if err := <-got; err != nil {
			t.Errorf("when others had ended: %v", err)
		}
	}
}

// Whoever looks at the books sees soon that a round was paid, though no other follows.
func TestReceiptsReachTheBooks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMarket(t)
		defer func() { m.bridge.stop(); m.gateway.stop() }()
		m.buy("", 1_000_000)
		if _, _, err := m.ask(request(t, "")); err != nil {
			t.Fatal(err)
		}
		m.settled()
		time.Sleep(2 * flushTime)
		other, err := channel.NewPayer(channel.PayerConfig{Store: m.bridge.store, Chain: m.contract, Domain: domain, Key: m.purses.Key, Owner: "other"})
		m.must(err)
		list, err := other.Rounds(t.Context(), 10)
		if err != nil || len(list) != 1 || !list[0].Confirmed {
			t.Errorf("%+v, %v: want one round that was paid", list, err)
		}
	})
}

// Who goes away in the middle pays for what was made until then, and is told what it
// was later.
func TestCancelMidStream(t *testing.T) {
	m := newMarket(t)
	id := m.buy("", 1_000_000)
	m.model.set(func(f *fakeModel) { f.hold = make(chan struct{}) })
	ctx, cancel := context.WithCancel(t.Context())
	req, later := request(t, `,"stream":true`), make(purseOf, 1)
	req.Purse = later
	resp, err := m.client.Do(ctx, req)
	m.must(err)
	if _, err := io.ReadFull(resp.Body, make([]byte, 10)); err != nil {
		t.Fatal(err)
	}
	cancel()
	_ = resp.Body.Close()
	select {
	case r := <-later:
		if r.Cost == "0" || r.Cost == "208" {
			t.Errorf("receipt %+v, want a part", r)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("nobody said what was spent")
	}
	m.settled()
	b, s := m.balance(id), m.books(id)
	if b.Spent != s.Finished || b.Spent.IsZero() || !b.Unsettled.IsZero() {
		t.Errorf("our books: %+v, theirs: %+v", b, s)
	}
}

// purseOf is a purse with room.
type purseOf chan backend.Receipt

func (purseOf) Afford() error             { return nil }
func (p purseOf) Spent(r backend.Receipt) { p <- r }

// A provider that lends asks for more while it answers, and gets it.
func TestAskMidStream(t *testing.T) {
	m := newMarket(t, func(m *market) { m.context, m.allows, m.window = 1000, 6000, 20_000 })
	id := m.buy("", 1_000_000)
	m.model.set(func(f *fakeModel) { f.tokens = 600 })
	for range 2 { // 12,016 paid, of which half is lent
		_, _, err := m.ask(request(t, ""))
		m.must(err)
		m.settled()
	}
	// The answer goes on when its pay stream is there, and gives the gateway time to ask.
	hold := make(chan struct{})
	m.model.set(func(f *fakeModel) { f.tokens, f.hold, f.pace = 900, hold, time.Millisecond })
	asked := new(atomic.Int32)
	m.circuit.set(func(c *wires) {
		c.wrap = func(server tunnel.Conn) tunnel.Conn {
			return &tapped{Conn: server, write: func(b []byte) error {
				if f, err := channel.ReadFrame(strings.NewReader(string(b))); err == nil {
					if _, ok := f.(*channel.Ask); ok {
						asked.Add(1)
					}
				}
				return nil
			}}
		}
	})
	go func() {
		defer close(hold)
		for end := time.Now().Add(10 * time.Second); m.till.Counts().Lines == 0 && time.Now().Before(end); time.Sleep(time.Millisecond) {
		}
	}()
	text, resp, err := m.ask(request(t, `,"stream":true`))
	if err != nil || strings.Count(text, "word ") != 900 {
		t.Fatalf("%d tokens, %v", strings.Count(text, "word "), err)
	}
	if r, known := resp.Settled(); !known || r.Cost != "9008" {
		t.Errorf("receipt %+v, %t", r, known)
	}
	if asked.Load() == 0 {
		t.Error("nobody was asked: the test shows nothing")
	}
	m.settled()
	if b, s := m.balance(id), m.books(id); b.Spent != s.Finished || b.Spent != ledger.Wei(2*6008+9008) {
		t.Errorf("our books: %+v, theirs: %+v", b, s)
	}
}

// tapped is a pay stream at the gateway that something happens to.
type tapped struct {
	tunnel.Conn
	read  func() error         // before a read; nil: nothing
	write func(b []byte) error // before a frame is written
}

func (t *tapped) Read(b []byte) (int, error) {
	if t.read != nil {
		if err := t.read(); err != nil {
			_ = t.Conn.Reset()
			return 0, err
		}
	}
	return t.Conn.Read(b)
}

func (t *tapped) Write(b []byte) (int, error) {
	if t.write != nil {
		if err := t.write(b); err != nil {
			_ = t.Conn.Reset()
			return 0, err
		}
	}
	return t.Conn.Write(b)
}

// The pay stream breaks at each of its frames in turn: it is opened again, and the
// round is paid all the same. Where none can be opened any more, the round has no
// result, and the next ones go on.
func TestDisconnectAtEveryFrame(t *testing.T) {
	t.Parallel()
	for _, gone := range []bool{false, true} {
		for step := range 6 {
			m := newMarket(t)
			id := m.buy("", 1_000_000)
			var n atomic.Int32
			over := false // the first request is; guarded by the circuit
			cut := func() error {
				if int(n.Add(1)) != step+1 {
					return nil
				}
				if gone {
					m.circuit.set(func(c *wires) {
						if !over { // a stream of it that ends late breaks nothing else
							c.fail = errCut
						}
					})
				}
				return errCut
			}
			m.circuit.set(func(c *wires) {
				c.wrap = func(s tunnel.Conn) tunnel.Conn {
					return &tapped{Conn: s, read: cut, write: func([]byte) error { return cut() }}
				}
			})
			text, resp, err := m.ask(request(t, `,"stream":true`))
			if err != nil || strings.Count(text, "word ") != 20 {
				t.Fatalf("step %d: %q, %v", step, text, err)
			}
			_, known := resp.Settled()
			m.circuit.set(func(c *wires) { c.wrap = nil })
			if gone {
				m.hurry()
			}
			m.settled()
			m.circuit.set(func(c *wires) { over, c.fail = true, nil })
			b := m.balance(id)
			if !b.Reserved.IsZero() || b.Running != 0 || (!gone || known) && (b.Spent != ledger.Wei(208) || !b.Unsettled.IsZero()) {
				t.Errorf("step %d, gone %t: %+v", step, gone, b)
			}
			if _, _, err := m.ask(request(t, "")); err != nil {
				t.Errorf("step %d, gone %t: the next request: %v", step, gone, err)
			}
			m.settled()
			m.must(m.payer.compare(t.Context(), id, nil))
			if b, s := m.balance(id), m.books(id); b.Spent != ledger.Wei(416) || s.Finished != b.Spent || !b.Unsettled.IsZero() {
				t.Errorf("step %d, gone %t: at the end %+v, %+v", step, gone, b, s)
			}
		}
	}
}

// A bridge that is killed in the middle of an answer finds the round again, and asks
// the provider what it came to when that gets in the way.
func TestKilledMidStream(t *testing.T) {
	m := newMarket(t, func(m *market) { m.window = 2500 }) // one round of 1000 tokens at a time
	id := m.buy("", 1_000_000)
	m.model.set(func(f *fakeModel) { f.hold = make(chan struct{}) })
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	resp, err := m.client.Do(ctx, request(t, `,"stream":true`))
	m.must(err)
	if _, err := io.ReadFull(resp.Body, make([]byte, 10)); err != nil {
		t.Fatal(err)
	}
	old, dir := m.payerDir, t.TempDir()
	for _, name := range []string{"ledger.db", "generation"} {
		b, err := os.ReadFile(filepath.Join(old, name))
		m.must(err)
		m.must(os.WriteFile(filepath.Join(dir, name), b, 0o600))
	}
	// Whatever the first bridge does now, it has died for all that the second knows;
	// and at the provider nobody pays for the round any more.
	m.circuit.set(func(c *wires) { c.fail = errCut })
	dead := m.bridge
	m.hurry()
	cancel()
	_ = resp.Body.Close()
	m.settled()
	dead.stop()
	m.circuit.set(func(c *wires) { c.fail = nil })
	m.eventually("the provider has ended the round", func() bool { return m.till.Counts().Partial+m.till.Counts().Aborted == 1 })

	m.payerDir = dir
	m.startBridge()
	if b := m.balance(id); b.Unsettled.IsZero() || b.Running != 0 {
		t.Fatalf("after the start: %+v", b)
	}
	m.model.set(func(f *fakeModel) { f.hold = nil })
	if text, _, err := m.ask(request(t, "")); err != nil || strings.Count(text, "word ") != 20 {
		t.Fatalf("the next request: %q, %v", text, err)
	}
	m.settled()
	if c := m.payer.Counts(); c.Resyncs != 1 {
		t.Errorf("%d comparisons, want one: the window had no room before", c.Resyncs)
	}
	if b, s := m.balance(id), m.books(id); b.Spent != s.Finished || !b.Unsettled.IsZero() {
		t.Errorf("our books %+v, theirs %+v", b, s)
	}
}

// A provider that counts too much gets what we count, and is not asked again, by this
// process or the next.
func TestLeaveWhoLies(t *testing.T) {
	m := newMarket(t)
	id := m.buy("", 1_000_000)
	if !m.payer.CanPay(m.provider.Address()) {
		t.Fatal("a provider with a balance cannot be paid")
	}
	m.model.set(func(f *fakeModel) { f.lie = 100 }) // more tokens than there are bytes
	_, resp, err := m.ask(request(t, `,"max_tokens":20`))
	m.must(err)
	m.settled()
	r, known := resp.Settled()
	if b := m.balance(id); !known || b.Spent.String() != r.Cost || b.Disputed.IsZero() {
		t.Errorf("receipt %+v, %t, books %+v", r, known, b)
	}
	for range 2 {
		if left := m.payer.Left(); len(left) != 1 || left[0].Provider != m.provider.Address() || m.payer.CanPay(m.provider.Address()) {
			t.Errorf("left %+v", left)
		}
		_, _, err := m.ask(request(t, ""))
		if e, ok := err.(*openai.Error); !ok || e.Code != openai.CodeQuota || !strings.Contains(e.Message, "bridge status") {
			t.Errorf("%v", err)
		}
		m.bridge.stop()
		m.startBridge()
	}
}

// What an account has of its own pays for it alone, and nobody else's pays once it is
// used up.
func TestAccounts(t *testing.T) {
	m := newMarket(t)
	all, own := m.buy("", 1_000_000), m.buy("key_1", 3000)
	for account, id := range map[string]ledger.ChannelID{"key_1": own, "key_2": all, "": all} {
		req := request(t, "")
		req.Account = account
		before := m.balance(id).Spent
		if _, _, err := m.ask(req); err != nil {
			t.Fatal(err)
		}
		m.settled()
		if after := m.balance(id).Spent; !before.Less(after) {
			t.Errorf("the request of %q was not paid from %s", account, id)
		}
	}
	req := request(t, `,"max_tokens":99,"n":3`)
	req.Account = "key_1"
	_, _, err := m.ask(req)
	if e, ok := err.(*openai.Error); !ok || e.Code != openai.CodeQuota || !strings.Contains(e.Message, "bridge buy key_1") {
		t.Errorf("%v, want that more is bought for the key", err)
	}
	if bs, err := m.payer.Balances(t.Context()); err != nil || len(bs) != 2 {
		t.Errorf("%v, %v", bs, err)
	} else {
		for _, b := range bs {
			if (b.For == "key_1") != (b.Channel == own) || b.Tokens == 0 || !strings.Contains(b.Text(ledger.Amount.Format), "left of") {
				t.Errorf("%v", b)
			}
		}
	}
}

// An answer that the request does not bound is bounded by what there is; one that it
// bounds is not cut short behind anybody's back.
func TestOutputFitsTheMoney(t *testing.T) {
	m := newMarket(t, func(m *market) { m.context, m.window = 16_000, 1_000_000 })
	id := m.buy("", 50_000) // of 161,000 that such an answer may cost
	m.model.set(func(f *fakeModel) { f.tokens = 3000 })
	if text, _, err := m.ask(request(t, "")); err != nil || strings.Count(text, "word ") != 3000 {
		t.Fatalf("%d tokens, %v", strings.Count(text, "word "), err)
	}
	m.settled()
	if b := m.balance(id); b.Spent != ledger.Wei(30_008) {
		t.Errorf("%+v", b)
	}
	_, _, err := m.ask(request(t, `,"max_tokens":3000`))
	if e, ok := errors.AsType[*openai.Error](err); !ok || !strings.Contains(e.Message, "max_tokens") || !strings.Contains(e.Message, "bridge buy") ||
		!strings.Contains(e.Message, "and 19992 is left") {
		t.Errorf("%+v, want that there is not enough", e)
	}
	if text, _, err := m.ask(request(t, "")); err != nil || strings.Count(text, "word ") == 0 || strings.Count(text, "word ") >= 3000 {
		t.Errorf("%d tokens, %v, want as many as there is money for", strings.Count(text, "word "), err)
	}
	m.settled()
	_, _, err = m.ask(request(t, ""))
	if e, ok := errors.AsType[*openai.Error](err); !ok || e.Code != openai.CodeQuota {
		t.Errorf("with next to nothing left: %v", err)
	}
}

// Thought that is not shown is paid for where the sheet has a price for it, and is no
// reason for a dispute.
func TestHiddenReasoning(t *testing.T) {
	m := newMarket(t, func(m *market) { m.sheet.Models[0].Reasoning = unit })
	id := m.buy("", 1_000_000)
	m.model.set(func(f *fakeModel) { f.thinks = 30 })
	_, resp, err := m.ask(request(t, ""))
	m.must(err)
	if r, known := resp.Settled(); !known || r.Cost != "508" {
		t.Errorf("receipt %+v, %t", r, known)
	}
	m.settled()
	if b, c := m.balance(id), m.payer.Counts(); c.Disputed != 0 || b.Spent != ledger.Wei(508) {
		t.Errorf("%+v, %+v", b, c)
	}
}

// A provider does not wait for a request for as long as the request waits for others to
// end: it is sent all the same, once, and costs what it costs.
func TestRoomIsWaitedForLongerThanAStreamLasts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMarket(t, func(m *market) { m.window = 3_000 })
		defer func() { m.bridge.stop(); m.gateway.stop() }()
		id := m.buy("", 1_000_000)
		hold := make(chan struct{})
		m.model.set(func(f *fakeModel) { f.hold = hold })
		got := make(chan error, 2)
		for range cap(got) {
			go func() {
				_, _, err := m.ask(request(t, `,"stream":true`))
				got <- err
			}()
			synctest.Wait()
		}
		if c := m.payer.Counts(); c.Opened != 1 || c.Waited != 1 {
			t.Fatalf("%+v: one request runs, and one waits", c)
		}
		time.Sleep(roomLimit - 5*time.Second)
		close(hold)
		for range cap(got) {
			if err := <-got; err != nil {
				t.Error(err)
			}
		}
		m.settled()
		c := m.payer.Counts()
		if b := m.balance(id); c.Opened != 2 || c.Paid != 2 || c.Waited != 1 || !b.Unsettled.IsZero() || !b.Reserved.IsZero() {
			t.Errorf("%+v, %+v: two requests were to be answered and paid", c, b)
		}
	})
}

// So it is where the books have to be compared first, for which the others have to end.
func TestRequestsEndBeforeBooksAreCompared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMarket(t, func(m *market) { m.window = 1_000_000 })
		defer func() { m.bridge.stop(); m.gateway.stop() }()
		id := m.buy("", 1_000_000)
		hold := make(chan struct{})
		m.model.set(func(f *fakeModel) { f.hold = hold })
		got := make(chan error, 2)
		begin := func() {
			go func() {
				_, _, err := m.ask(request(t, `,"stream":true`))
				got <- err
			}()
			synctest.Wait()
		}
		begin()
		for one := range m.payer.live { // nothing runs that would change it
			m.must(one.round.Accepted(t.Context(), channel.Accepted{Cumulative: ledger.Wei(1_000_000)}))
		}
		begin()
		if b := m.balance(id); !b.MustSync || b.Running != 1 {
			t.Fatalf("%+v: one is running, and the books are to be compared", b)
		}
		time.Sleep(tunnel.HeadLimit + time.Second)
		close(hold)
		for range cap(got) {
			if err := <-got; err != nil {
				t.Error(err)
			}
		}
		m.settled()
		if c, b := m.payer.Counts(), m.balance(id); c.Opened != 2 || c.Paid != 2 || c.Resyncs != 1 || b.MustSync || !b.Unsettled.IsZero() {
			t.Errorf("%+v, %+v: two requests were to be answered and paid", c, b)
		}
	})
}

// Who waited in vain is told that requests in progress are in the way, and nobody else is.
func TestNoRoomIsSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMarket(t, func(m *market) { m.window = 3_000 })
		defer func() { m.bridge.stop(); m.gateway.stop() }()
		m.buy("", 1_000_000)
		hold := make(chan struct{})
		m.model.set(func(f *fakeModel) { f.hold = hold })
		got := make(chan error, 1)
		go func() {
			_, _, err := m.ask(request(t, `,"stream":true`))
			got <- err
		}()
		synctest.Wait()
		const inTheWay = "until requests in progress have ended"
		began := time.Now()
		_, _, err := m.ask(request(t, `,"stream":true`))
		if e, ok := errors.AsType[*openai.Error](err); !ok || !strings.Contains(e.Message, inTheWay) || time.Since(began) != roomLimit {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
		_, _, err = m.ask(request(t, `,"max_tokens":90,"n":8`))
		if e, ok := errors.AsType[*openai.Error](err); !ok || !strings.Contains(e.Message, "pay.window") || strings.Contains(e.Message, inTheWay) {
			t.Errorf("what would not fit into all of the window: %v", err)
		}
		close(hold)
		if err := <-got; err != nil {
			t.Error(err)
		}
		m.settled()
	})
}
