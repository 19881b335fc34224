package paying

import (
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/culvert-net/culvert/ledger"
)

// A price sheet ends in the middle of an answer: the answer goes on to its end and
// costs what the sheet said, for both sides. Nothing is asked by it afterwards, until there
// is another.
func TestSheetExpiringMidRound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMarket(t, func(m *market) { m.sheet.ValidUntil = uint64(time.Now().Unix()) + 60 })
		defer func() { m.bridge.stop(); m.gateway.stop() }()
		id := m.buy("", 1_000_000)
		hold := make(chan struct{})
		m.model.set(func(f *fakeModel) { f.hold = hold })
		resp, err := m.client.Do(t.Context(), request(t, `,"stream":true`))
		m.must(err)
		if _, err := io.ReadFull(resp.Body, make([]byte, 10)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		close(hold)
		text, err := io.ReadAll(resp.Body)
		m.must(resp.Body.Close())
		if err != nil || strings.Count(string(text), "word ") != 20 {
			t.Errorf("%q, %v", text, err)
		}
		m.settled()
		if b, s := m.balance(id), m.books(id); b.Spent != ledger.Wei(208) || s.Finished != b.Spent || !b.Disputed.IsZero() {
			t.Errorf("our books are %+v, theirs %+v", b, s)
		}
		m.model.set(func(f *fakeModel) { f.hold = nil })
		if text, _, err := m.ask(request(t, "")); err == nil {
			t.Errorf("by a sheet that has ended the answer is %q", text)
		}
		m.settled()
		if c := m.till.Counts(); c.Admitted != 1 || c.Finished != 1 {
			t.Errorf("%+v", c)
		}
		m.sheet.Sequence, m.sheet.ValidUntil = 2, m.sheet.ValidUntil+3600
		if text, _, err := m.ask(request(t, "")); err != nil || strings.Count(text, "word ") != 20 {
			t.Errorf("by the next sheet: %q, %v", text, err)
		}
		m.settled()
	})
}
