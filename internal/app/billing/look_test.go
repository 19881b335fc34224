package billing

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/culvert-net/culvert/api/tunnel"
	"github.com/culvert-net/culvert/ledger"
)

// What was bought or added a moment ago is seen before a request is refused: people
// were told that nothing was bought, seconds after they had bought it.
func TestLookBeforeRefusing(t *testing.T) {
	for _, tt := range []struct {
		name   string
		before func(*contract) // as far as it was read at first
		after  func(*contract) // what the look finds
		fails  bool
		want   string // code; "": admitted
	}{
		{"bought", func(c *contract) { c.unread.Store(true) }, func(c *contract) { c.unread.Store(false) }, false, ""},
		{"topped up", func(c *contract) { c.deposit(ledger.Wei(1)) }, func(c *contract) { c.deposit(eth(1000)) }, false, ""},
		{"bought again", func(c *contract) { c.epoch.Store(-1) }, func(c *contract) { c.epoch.Store(0) }, false, ""},
		{"read again", func(c *contract) { c.silent.Store(true); c.long.Store(true) }, func(c *contract) { c.silent.Store(false) }, false, ""},
		{"not bought", func(c *contract) { c.unread.Store(true) }, func(*contract) {}, false, tunnel.CodePaymentRefused},
		{"too little", func(c *contract) { c.deposit(ledger.Wei(1)) }, func(*contract) {}, false, tunnel.CodeQuota},
		{"not read", func(c *contract) { c.unread.Store(true) }, func(c *contract) { c.unread.Store(false) }, true, tunnel.CodePaymentRefused},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMarket(t, eth(1000), eth(100))
				_, a := m.order(50)
				tt.before(m.contract)
				looks := 0
				m.till.looker.read = func(context.Context) error {
					looks++
					tt.after(m.contract)
					if tt.fails {
						return errors.New("nobody is there")
					}
					return nil
				}
				bill, e := m.till.Admit(t.Context(), a)
				switch {
				case looks != 1:
					t.Errorf("the chain was read %d times", looks)
				case tt.want == "" && e != nil:
					t.Errorf("refused: %d %s %s", e.Status, e.Code, e.Message)
				case tt.want != "" && (e == nil || e.Code != tt.want):
					t.Errorf("%v, want %s", e, tt.want)
				}
				if bill != nil {
					bill.End(tunnel.BillEnd{Complete: true, Status: http.StatusOK})
				}
				if n := m.till.Counts(); n.Admitted+n.Refused != 1 {
					t.Errorf("one request is counted as %+v", n)
				}
			})
		})
	}
}

// What no look could help is refused without one.
func TestNoLook(t *testing.T) {
	for name, change := range map[string]func(*market){
		"closing":       func(m *market) { m.contract.CloseAt = 1 },
		"an old epoch":  func(m *market) { m.contract.epoch.Store(1) },
		"another model": func(m *market) { m.sheet.Models = nil },
	} {
		m := newMarket(t, eth(1000), eth(100))
		m.till.looker.read = func(context.Context) error {
			t.Errorf("%s: the chain was read", name)
			return nil
		}
		_, a := m.order(50)
		change(m)
		if _, e := m.till.Admit(t.Context(), a); e == nil {
			t.Errorf("%s: admitted", name)
		}
	}
}

// However many ask, and whether they stay or not, the chain is read once every
// lookEvery; nobody waits longer than lookEvery and lookLimit, and few wait.
func TestLooksAreFew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var reads atomic.Int64
		hang := make(chan struct{})
		l := &looker{waiting: make(map[who]int), read: func(ctx context.Context) error {
			if reads.Add(1) == 3 { // a server that does not answer
				select {
				case <-hang:
				case <-ctx.Done():
					return ctx.Err()
				}
			}
			time.Sleep(100 * time.Millisecond)
			return nil
		}}
		var asking sync.WaitGroup
		var refused, served atomic.Int64
		began := time.Now()
		ask := func(ctx context.Context, w who) {
			at := time.Now()
			before := reads.Load()
			if !l.wait(ctx, w) {
				refused.Add(1)
			} else if served.Add(1); reads.Load() == before {
				t.Error("nobody read the chain")
			}
			if took := time.Since(at); took > lookEvery+lookLimit {
				t.Errorf("one waited for %v", took)
			}
		}
		const many, seconds = 1000, 60
		for range seconds {
			for i := range many {
				ctx, leave := context.WithCancel(t.Context())
				asking.Go(func() { ask(ctx, strangers) })
				if i%2 == 0 {
					leave()
				}
				defer leave()
			}
			asking.Go(func() { ask(t.Context(), customers) })
			synctest.Wait()
			l.mu.Lock()
			if n := l.waiting[strangers]; n > maxLooking {
				t.Errorf("%d strangers wait", n)
			}
			if l.waiting[strangers] > 0 && l.waiting[customers] == 0 {
				t.Error("a customer did not find room")
			}
			l.mu.Unlock()
			time.Sleep(time.Second)
		}
		asking.Wait()
		most := int64(time.Since(began)/lookEvery) + 1
		if n := reads.Load(); n > most || n < most/2 {
			t.Errorf("the chain was read %d times in %v", n, time.Since(began))
		}
		if served.Load() == 0 || refused.Load() == 0 {
			t.Errorf("%d served, %d refused", served.Load(), refused.Load())
		}
	})
}

// After a look that failed, nobody waits for the next until a while has passed.
func TestLookFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reads := 0
		l := &looker{waiting: make(map[who]int), read: func(context.Context) error { reads++; return errors.New("nobody is there") }}
		for range 10 {
			at := time.Now()
			if l.wait(t.Context(), customers) {
				t.Error("it says that it has read")
			}
			if took := time.Since(at); took > 0 {
				t.Errorf("it took %v", took)
			}
		}
		if reads != 1 {
			t.Errorf("%d looks", reads)
		}
		time.Sleep(lookPause)
		_ = l.wait(t.Context(), customers)
		if reads != 2 {
			t.Errorf("%d looks, a while later", reads)
		}
	})
}
