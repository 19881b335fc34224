package paying

import (
	"bytes"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/culvert-net/culvert/api/openai"
	"github.com/culvert-net/culvert/api/tunnel"
	"github.com/culvert-net/culvert/ledger"
	"github.com/culvert-net/culvert/ledger/channel"
)

// Whatever a provider refuses for, the request costs nothing, the person who asked
// hears why, and the next request does what helps.
func TestRefusals(t *testing.T) {
	quota := &openai.Error{Status: http.StatusTooManyRequests, Type: openai.CodeQuota, Code: tunnel.CodeQuota, Message: "no money"}
	refused := &openai.Error{Status: http.StatusPaymentRequired, Type: openai.CodeQuota, Code: tunnel.CodePaymentRefused, Message: "no good"}
	broken := openai.Upstream(http.StatusBadGateway, "broken", "broken")
	for _, c := range []struct {
		code   channel.Code // 0: no frame comes
		answer *openai.Error
		sync   bool // the next request compares books
		closed bool // the channel is used no more
	}{
		{channel.CodeInvalid, refused, false, false},
		{channel.CodeChannel, refused, false, false},
		{channel.CodeEpoch, refused, false, false},
		{channel.CodeClosed, refused, false, true},
		{channel.CodeSheet, refused, false, false},
		{channel.CodeMaxCost, quota, false, false},
		{channel.CodeUncovered, quota, true, false},
		{channel.CodeUnpaid, quota, true, false},
		{channel.CodeSeq, refused, true, false},
		{channel.CodeRunning, refused, false, false},
		{channel.CodeReused, refused, false, false},
		{channel.CodeChainSilent, refused, false, false},
		{channel.CodeInternal, refused, false, false},
		{0, quota, true, false},
		{0, refused, false, false},
		{0, broken, false, false},
	} {
		name := c.code.String() + " " + c.answer.Code
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMarket(t)
			id := m.buy("", 1_000_000)
			m.no.Store(c.answer)
			m.circuit.set(func(k *wires) {
				k.wrap = func(s tunnel.Conn) tunnel.Conn {
					if c.code != 0 {
						m.must(channel.WriteFrame(s, &channel.ErrorFrame{Code: c.code, Text: "no"}))
					}
					return s
				}
			})
			_, _, err := m.ask(request(t, ""))
			if e, ok := errors.AsType[*openai.Error](err); !ok || c.answer != broken && (e.Status != http.StatusTooManyRequests || e.Code != openai.CodeQuota) {
				t.Errorf("%v", err)
			}
			m.settled()
			b := m.balance(id)
			if !b.Spent.IsZero() || !b.Unsettled.IsZero() || !b.Reserved.IsZero() || b.MustSync != c.sync || b.Closing != c.closed {
				t.Errorf("%+v", b)
			}
			m.no.Store(nil)
			m.circuit.set(func(k *wires) { k.wrap = nil })
			_, _, err = m.ask(request(t, ""))
			m.settled()
			switch b := m.balance(id); {
			case c.closed:
				if e, ok := errors.AsType[*openai.Error](err); !ok || !strings.Contains(e.Message, "bridge buy") {
					t.Errorf("the next request: %v", err)
				}
			case err != nil || b.Spent != ledger.Wei(208) || m.books(id).Finished != b.Spent:
				t.Errorf("the next request: %v, %+v", err, b)
			}
			if n := m.payer.Counts().Resyncs; (n == 1) != c.sync {
				t.Errorf("%d comparisons", n)
			}
		})
	}
}

// A model server's error is an answer of the provider's that costs nothing, and whose
// round both sides end with a result.
func TestBackendErrors(t *testing.T) {
	m := newMarket(t)
	id := m.buy("", 1_000_000)
	m.model.set(func(f *fakeModel) { f.status = http.StatusInternalServerError })
	_, _, _ = m.ask(request(t, ""))
	m.settled()
	if c := m.payer.Counts(); c.Paid != 1 {
		t.Errorf("%+v", c)
	}
	if b, s := m.balance(id), m.books(id); !b.Spent.IsZero() || !b.Unsettled.IsZero() || !s.Finished.IsZero() || b.Running != 0 {
		t.Errorf("our books %+v, theirs %+v", b, s)
	}
}

// wordier sends, behind each result, another one of the same round.
type wordier struct {
	tunnel.Conn
	m *market
}

func (c wordier) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	if f, e := channel.ReadFrame(bytes.NewReader(b)); e == nil && err == nil {
		if f, ok := f.(*channel.ResultFrame); ok {
			other := f.Result.Message
			other.Output++
			_, err = c.Conn.Write(channel.AppendFrame(nil, &channel.ResultFrame{Result: ledger.Sign(other, domain, c.m.provider)}))
		}
	}
	return n, err
}

// A provider that signs two results of a round is paid by the first, is left, by this
// process and the next, and both are kept.
func TestTwoResults(t *testing.T) {
	m := newMarket(t)
	id := m.buy("", 1_000_000)
	m.circuit.set(func(k *wires) { k.wrap = func(s tunnel.Conn) tunnel.Conn { return wordier{s, m} } })
	_, _, err := m.ask(request(t, ""))
	m.must(err)
	m.settled()
	if b := m.balance(id); b.Spent != ledger.Wei(208) {
		t.Errorf("%+v", b)
	}
	for range 2 {
		all, err := m.channels.Contradictions(t.Context())
		if err != nil || len(all) != 1 || all[0].First.Message.Output+1 != all[0].Second.Message.Output {
			t.Fatalf("%+v, %v", all, err)
		}
		if left := m.payer.Left(); len(left) != 1 || left[0].Provider != m.provider.Address() || left[0].Round != all[0].First.Message.RoundID {
			t.Errorf("left %+v", left)
		}
		if m.payer.CanPay(m.provider.Address()) {
			t.Error("it can still be paid")
		}
		m.bridge.stop()
		m.startBridge()
	}
}

// Who has just bought is answered, and not told for a while that nothing is left.
func TestJustBought(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMarket(t)
		if m.payer.CanPay(m.provider.Address()) {
			t.Error("a provider can be paid from whom nothing was bought")
		}
		m.buy("", 1_000_000)
		time.Sleep(emptyAge)
		if !m.payer.CanPay(m.provider.Address()) {
			t.Errorf("nothing can be paid %v after a purchase", emptyAge)
		}
	})
}
