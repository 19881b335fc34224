package billing

import (
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/culvert-net/culvert/api/openai"
	"github.com/culvert-net/culvert/api/tunnel"
	"github.com/culvert-net/culvert/api/usage"
	"github.com/culvert-net/culvert/ledger"
	"github.com/culvert-net/culvert/ledger/channel"
)

var answer = []byte(`{"choices":[{"message":{"content":"hello there"}}]}`)

func counted(output int64) usage.Snapshot {
	return usage.Snapshot{Input: 10, Output: output, Told: true, Text: usage.Delivered{Content: 4 * output}}
}

// What a round costs arrives: the result over the pay stream, the voucher on it.
func TestRoundIsPaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMarket(t, eth(1000), eth(100))
		open, stop := m.serve()
		p, a := m.order(50)
		line := open()
		hello := p.Hello()
		m.write(line, &hello)
		bill, e := m.till.Admit(t.Context(), a)
		if e != nil {
			t.Fatal(e)
		}
		if most, ok := bill.Limit(); !ok || most != 50 {
			t.Errorf("the answer is bounded to %d, %v; the payer asked for 50", most, ok)
		}
		if e := bill.Pass(t.Context(), answer, counted(20)); e != nil {
			t.Fatal(e)
		}
		go bill.End(tunnel.BillEnd{Usage: counted(20), Complete: true, Status: http.StatusOK})
		result := read[*channel.ResultFrame](m, line).Result
		hash := channel.NewResponseHash(p.Salt())
		_, _ = hash.Write(answer)
		p.Delivered(channel.Delivery{Text: 80, Chunks: 1})
		c, err := p.Confirm(t.Context(), time.Now(), channel.Ending{Result: result, Complete: true, Response: channel.SumOf(hash)})
		m.must(err)
		want := ledger.Wei(10*5e11 + 20*1e12)
		if c.Dispute != nil || c.Cost != want || result.Message.Status != ledger.StatusDone {
			t.Errorf("%+v; want a cost of %s, and no dispute", c, want)
		}
		m.write(line, &channel.VoucherFrame{Voucher: c.Voucher})
		if got := read[*channel.Accepted](m, line); got.Cumulative.Less(want) {
			t.Errorf("a voucher of %s is accepted, it is worth %s", got.Cumulative, want)
		}
		// A second stream of the round gets the result again: the first may have broken.
		again := open()
		m.write(again, &hello)
		if got := read[*channel.ResultFrame](m, again).Result; got.Message != result.Message {
			t.Errorf("another result: %+v", got.Message)
		}
		stop()
		if n := m.till.Counts(); n.Admitted != 1 || n.Finished != 1 || n.Lines != 0 {
			t.Errorf("%+v", n)
		}
	})
}

func TestUnpaidRequests(t *testing.T) {
	m := newMarket(t, eth(1000), eth(100))
	_, a := m.order(50)
	for name, c := range map[string]struct {
		change func(*tunnel.Admission)
		status int
		code   string
	}{
		"no payment":     {func(a *tunnel.Admission) { a.Header = "" }, http.StatusPaymentRequired, tunnel.CodePaymentRequired},
		"no header":      {func(a *tunnel.Admission) { a.Header = "AAAA" }, http.StatusPaymentRequired, tunnel.CodePaymentRefused},
		"other body":     {func(a *tunnel.Admission) { a.Request.Body = append(a.Request.Body, ' ') }, http.StatusPaymentRequired, tunnel.CodePaymentRefused},
		"other path":     {func(a *tunnel.Admission) { a.Request.Path = "/v1/completions" }, http.StatusPaymentRequired, tunnel.CodePaymentRefused},
		"another's word": {func(a *tunnel.Admission) { m.till.cfg.Payee.Chain = chainOf{new(contract)} }, http.StatusPaymentRequired, tunnel.CodePaymentRefused},
	} {
		admission, request := a, *a.Request
		admission.Request = &request
		chain := m.till.cfg.Payee.Chain
		c.change(&admission)
		bill, e := m.till.Admit(t.Context(), admission)
		m.till.cfg.Payee.Chain = chain
		if bill != nil || e == nil || e.Status != c.status || e.Code != c.code {
			t.Errorf("%s: %v, %v; want %d %s", name, bill, e, c.status, c.code)
		}
	}
	if _, e := m.till.Admit(t.Context(), a); e != nil {
		t.Errorf("a good payment after bad ones: %v", e)
	}
	if _, e := m.till.Admit(t.Context(), a); e == nil || e.Code != tunnel.CodePaymentRefused {
		t.Errorf("the same round twice at a time: %v", e)
	}
	m.till.cfg.Asks = func() bool { return false }
	if bill, e := m.till.Admit(t.Context(), tunnel.Admission{}); bill != nil || e != nil {
		t.Errorf("what is free is not: %v, %v", bill, e)
	}
}

// Why a round was refused reaches its pay stream, whether that came before or after.
func TestRefusalIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMarket(t, eth(1000), eth(100))
		open, stop := m.serve()
		for _, before := range []bool{true, false} {
			p, a := m.order(50)
			hello := p.Hello()
			line := open()
			a.Request.Path = "/v1/completions" // the hash is another then
			refuse := func() {
				if _, e := m.till.Admit(t.Context(), a); e == nil {
					t.Error("it is admitted")
				}
			}
			if !before {
				refuse()
			}
			m.write(line, &hello)
			synctest.Wait()
			if before {
				go refuse()
			}
			if got := read[*channel.ErrorFrame](m, line); got.Code != channel.CodeInvalid {
				t.Errorf("before %v: %+v", before, got)
			}
			m.must(p.Refused(t.Context(), time.Now(), &channel.Refusal{Code: channel.CodeInvalid}))
		}
		// One that nobody asks about is forgotten.
		p, a := m.order(50)
		a.Request.Path = "/v1/completions"
		_, _ = m.till.Admit(t.Context(), a)
		time.Sleep(refusalLife + time.Second)
		line := open()
		hello := p.Hello()
		m.write(line, &hello)
		synctest.Wait()
		time.Sleep(lineIdle)
		if f, err := channel.ReadFrame(line); !errors.Is(err, io.EOF) {
			t.Errorf("%+v, %v; want nothing, and the stream's end for silence", f, err)
		}
		stop()
	})
}

// An answer that goes on beyond what is paid waits for money, and goes on when it
// comes; without, it ends within two seconds, with a signed result over its part.
func TestAnswerWaitsForMoney(t *testing.T) {
	for _, pays := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			m := newMarket(t, eth(1000), eth(100))
			open, stop := m.serve()
			m.earn(open)
			p, a := m.order(50)
			line := open()
			hello := p.Hello()
			m.write(line, &hello)
			bill, e := m.till.Admit(t.Context(), a)
			if e != nil {
				t.Fatal(e)
			}
			if e := bill.Pass(t.Context(), answer, counted(1)); e != nil {
				t.Fatal(e)
			}
			m.contract.silent.Store(true) // nothing is lent any more
			time.Sleep(time.Second)
			much := usage.Snapshot{Input: 1090, Output: 50, Told: true}
			began := time.Now()
			passed := make(chan *openai.Error)
			go func() { passed <- bill.Pass(t.Context(), answer, much) }()
			ask := read[*channel.Ask](m, line)
			p.Delivered(channel.Delivery{Text: 400})
			if pays {
				v, err := p.Ask(t.Context(), *ask)
				m.must(err)
				m.write(line, &channel.VoucherFrame{Voucher: v})
				read[*channel.Accepted](m, line)
			}
			e = <-passed
			if pays && (e != nil || time.Since(began) > time.Second) {
				t.Errorf("a paid answer ends after %v with %v", time.Since(began), e)
			}
			if !pays && (e == nil || e.Code != openai.CodeQuota || time.Since(began) < channel.PauseTime || time.Since(began) > channel.PauseTime+time.Second) {
				t.Errorf("an unpaid answer goes on, or ends after %v with %v", time.Since(began), e)
			}
			go bill.End(tunnel.BillEnd{Status: http.StatusTooManyRequests, Usage: much, Frame: []byte("frame")})
			if r := read[*channel.ResultFrame](m, line).Result.Message; r.Status != ledger.StatusPartial || r.Cost.IsZero() {
				t.Errorf("%+v", r)
			}
			stop()
			if n := m.till.Counts(); pays && n.Partial != 1 || !pays && n.Unpaid != 1 {
				t.Errorf("%+v", n)
			}
		})
	}
}

// Pay streams that say nothing, or nonsense, are ended; more than there is room for
// are not taken.
func TestLinesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMarket(t, eth(1000), eth(100))
		open, stop := m.serve()
		ended := func(what string, c net.Conn) {
			t.Helper()
			if f, err := channel.ReadFrame(c); err == nil {
				t.Errorf("%s: %+v came", what, f)
			}
		}
		began := time.Now()
		ended("silence", open())
		if took := time.Since(began); took != helloLimit {
			t.Errorf("silence is taken for %v", took)
		}
		c := open()
		m.write(c, &channel.Ask{})
		ended("another frame first", c)
		c = open()
		_, _ = c.Write([]byte{99, 0, 0})
		ended("no frame", c)
		p, _ := m.order(50)
		hello := p.Hello()
		c = open()
		m.write(c, &hello)
		m.write(c, &channel.Ask{Round: hello.Round})
		if got := read[*channel.ErrorFrame](m, c); got.Code != channel.CodeInvalid {
			t.Errorf("a frame that no payer sends: %+v", got)
		}
		// This one's round runs, so it stays when others come, of which the first goes.
		m.till.mu.Lock()
		m.till.running[round{hello.Channel, hello.Epoch, hello.Round}]++
		m.till.mu.Unlock()
		first := open()
		for range maxLines - 1 {
			open()
		}
		ended("the first of too many", first)
		m.write(c, &channel.Ask{Round: hello.Round})
		if got := read[*channel.ErrorFrame](m, c); got.Code != channel.CodeInvalid {
			t.Errorf("the stream of a round that runs: %+v", got)
		}
		synctest.Wait()
		if n := m.till.Counts().Lines; n != maxLines {
			t.Errorf("%d streams are kept, want %d", n, maxLines)
		}
		m.till.mu.Lock()
		for l := range m.till.open { // as if each had a round
			l.key = round{epoch: uint32(l.number)}
			m.till.lines[l.key] = l
			m.till.running[l.key]++
		}
		m.till.mu.Unlock()
		ended("one too many", open())
		m.till.mu.Lock()
		clear(m.till.lines)
		m.till.mu.Unlock()
		stop()
		ended("the end", c)
		if n := m.till.Counts(); n.Lines != 0 || len(m.till.lines) != 0 {
			t.Errorf("%+v, %d lines", n, len(m.till.lines))
		}
		for n := range uint32(3 * maxRefusals) {
			m.till.send(round{epoch: n}, &channel.ErrorFrame{})
		}
		if len(m.till.refusals) != maxRefusals {
			t.Errorf("%d refusals wait", len(m.till.refusals))
		}
	})
}

func TestErrorsCostNothing(t *testing.T) {
	for name, c := range map[string]struct {
		end    tunnel.BillEnd
		status ledger.Status
	}{
		"a backend that refuses":    {tunnel.BillEnd{Status: http.StatusBadRequest}, ledger.StatusAborted},
		"a backend that is down":    {tunnel.BillEnd{Status: http.StatusBadGateway}, ledger.StatusAborted},
		"gone before the answer":    {tunnel.BillEnd{Status: usage.StatusGone, Gone: true}, ledger.StatusAborted},
		"failed after the prompt":   {tunnel.BillEnd{Status: http.StatusBadGateway, Usage: counted(0)}, ledger.StatusAborted},
		"gone after the prompt":     {tunnel.BillEnd{Status: usage.StatusGone, Gone: true, Usage: counted(0)}, ledger.StatusPartial},
		"gone within the answer":    {tunnel.BillEnd{Status: usage.StatusGone, Gone: true, Usage: counted(3)}, ledger.StatusPartial},
		"cut by its own backend":    {tunnel.BillEnd{Status: http.StatusBadGateway, Usage: counted(3)}, ledger.StatusPartial},
		"an answer to its very end": {tunnel.BillEnd{Status: http.StatusOK, Complete: true, Usage: counted(3)}, ledger.StatusDone},
	} {
		m := newMarket(t, eth(1000), eth(100))
		p, a := m.order(50)
		bill, e := m.till.Admit(t.Context(), a)
		if e != nil {
			t.Fatal(e)
		}
		bill.End(c.end)
		hello := p.Hello()
		r, ok, err := m.till.cfg.Payee.Result(t.Context(), hello.Channel, hello.Epoch, hello.Round)
		if err != nil || !ok || r.Message.Status != c.status || r.Message.Cost.IsZero() != (c.status == ledger.StatusAborted) {
			t.Errorf("%s: %+v, %v, %v; want status %d", name, r.Message, ok, err, c.status)
		}
	}
}
