package paying

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/culvert-net/culvert/ledger"
	"github.com/culvert-net/culvert/ledger/channel"
)

const (
	clients = 64

	// rounds is how often each of them asks: until what is lent covers all that run
	// at once, so that nobody pays ahead any more, and what was paid ahead before is
	// used up. Then the last voucher says what was spent, and not a wei more.
	rounds = 8
)

// tokens are those of an answer: it costs half of what is set aside.
const tokens = 100

// lends is a market in which who has paid may owe half as much again.
func lends(m *market) {
	m.window, m.allows, m.context = 1_000_000, 1_000_000, tokens
	m.model.tokens = tokens
}

// fields are of the i-th question: every other answer is streamed.
func fields(i int) string {
	if i%2 == 0 {
		return `,"stream":true`
	}
	return ""
}

// 64 clients, each with a channel of its own, ask at once, again and again.
func TestClientsInParallel(t *testing.T) {
	m := newMarket(t, lends, func(m *market) { m.people = true })
	ids := m.clients()
	for range rounds {
		m.wave(func(i int) string { return fmt.Sprint("key_", i) })
	}
	m.audit(ids, true)
}

// 64 rounds at once are paid from one channel, one wave after the other: they end in
// any order, and so do their vouchers come.
func TestRoundsInParallel(t *testing.T) {
	m := newMarket(t, lends)
	id := m.buy("", 10_000_000)
	for range rounds {
		m.wave(func(int) string { return "" })
	}
	m.audit(map[ledger.ChannelID]int{id: clients * rounds}, true)
}

// 64 API keys, each with a purse of its own, were bought for by one wallet: what the
// provider lends it is told to each and can be had once. Every question is answered
// all the same, and who is refused what he counted on pays ahead.
func TestKeysInParallel(t *testing.T) {
	m := newMarket(t, lends)
	ids := m.clients()
	for range rounds {
		m.wave(func(i int) string { return fmt.Sprint("key_", i) })
	}
	m.audit(ids, false)
}

// clients buys for as many accounts, which will have so many rounds each.
func (m *market) clients() map[ledger.ChannelID]int {
	m.Helper()
	ids := make(map[ledger.ChannelID]int)
	for i := range clients {
		ids[m.buy(fmt.Sprint("key_", i), 1_000_000)] = rounds
	}
	return ids
}

// wave has as many questions asked at once, of accounts, and waits until all is
// settled.
func (m *market) wave(account func(int) string) {
	m.Helper()
	var wg sync.WaitGroup
	for i := range clients {
		wg.Go(func() {
			req := request(m, fields(i))
			req.Account = account(i)
			if text, _, err := m.ask(req); err != nil || strings.Count(text, "word ") != tokens {
				m.Errorf("round %d: %q, %v", i, text, err)
			}
		})
	}
	wg.Wait()
	m.settled()
}

// Half of 64 rounds at once are given up in the middle of their answers. What was
// made by then is paid, once, and the books of both sides have the same rounds.
func TestCutInParallel(t *testing.T) {
	m := newMarket(t, lends)
	id := m.buy("", 10_000_000)
	hold := make(chan struct{}) // behind the first token of each
	m.model.set(func(f *fakeModel) { f.hold = hold })
	var all, cut sync.WaitGroup
	cut.Add(clients / 2)
	for i := range clients {
		all.Go(func() {
			if err := m.begin(i%2 == 0); err != nil {
				t.Errorf("round %d: %v", i, err)
			}
			if i%2 == 0 {
				cut.Done()
			}
		})
	}
	cut.Wait()
	close(hold)
	all.Wait()
	m.settled()
	m.audit(map[ledger.ChannelID]int{id: clients}, false)
	if c := m.till.Counts(); c.Partial != clients/2 {
		t.Errorf("%+v, want half of %d cut", c, clients)
	}
}

// begin reads the beginning of an answer, and then leaves or reads the rest.
func (m *market) begin(leaves bool) error {
	ctx, cancel := context.WithCancel(m.Context())
	defer cancel() // before the body is closed: nobody reads on
	resp, err := m.client.Do(ctx, request(m, `,"stream":true`))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.ReadFull(resp.Body, make([]byte, 10)); err != nil || leaves {
		return err
	}
	if text, err := io.ReadAll(resp.Body); err != nil || strings.Count(string(text), "word ") != tokens {
		return fmt.Errorf("%q, %w", text, err)
	}
	return nil
}

// audit compares the books of both sides, when nothing runs any more, for channels
// with so many rounds each: the sums are those of the signed results, each round is
// there once, and the last voucher is over all of them and, if it is exact, over what
// was spent and not a wei more. Rounds that were refused are nowhere but in our
// history.
func (m *market) audit(channels map[ledger.ChannelID]int, exact bool) {
	m.Helper()
	spent := make(map[ledger.ChannelID]ledger.Amount)
	openings := make(map[ledger.ChannelID][]channel.Opening)
	refused, total := uint64(0), uint64(0)
	list, err := m.channels.Rounds(m.Context(), 10_000)
	m.must(err)
	seen := make(map[ledger.RoundID]bool)
	for _, info := range list {
		id := info.Channel
		if seen[info.Round] {
			m.Errorf("round %s is there twice", info.Round)
		}
		seen[info.Round] = true
		theirs, found, err := m.payee.Result(m.Context(), id, info.Epoch, info.Round)
		m.must(err)
		if info.State == channel.RoundAborted && !found && info.Cost.IsZero() {
			refused++
			continue
		}
		if !info.Confirmed || info.Reason != channel.Agreed || info.Cost != info.Claimed || info.Cost.IsZero() {
			m.Errorf("round %s: %+v", info.Round, info)
		}
		o, err := m.channels.Show(m.Context(), info.Round)
		m.must(err)
		if !found || o.Result == nil || theirs != *o.Result || theirs.Message.Cost != info.Cost {
			m.Errorf("round %s: the provider has %+v (found: %t), and we have %+v", info.Round, theirs, found, o.Result)
			continue
		}
		if signer, err := theirs.Signer(domain); err != nil || signer != m.provider.Address() {
			m.Errorf("round %s: a result signed by %v, %v", info.Round, signer, err)
		}
		sum, err := spent[id].Add(theirs.Message.Cost)
		m.must(err)
		spent[id], openings[id], total = sum, append(openings[id], o), total+1
	}
	if len(openings) != len(channels) || exact && refused > 0 {
		m.Errorf("%d channels have rounds, want %d; %d rounds were refused", len(openings), len(channels), refused)
	}
	balances, err := m.channels.Balances(m.Context())
	m.must(err)
	claims, err := m.payee.Claims(m.Context(), time.Now())
	m.must(err)
	for _, b := range balances {
		id, want := b.Channel, spent[b.Channel]
		if n := channels[id]; len(openings[id]) != n {
			m.Errorf("channel %s has %d rounds, want %d", id, len(openings[id]), n)
			continue
		}
		if b.Spent != want || !b.Reserved.IsZero() || !b.Unsettled.IsZero() || !b.Disputed.IsZero() || b.Running != 0 || b.MustSync {
			m.Errorf("channel %s: our books are %+v, want %v spent", id, b, want)
		}
		s := m.books(id)
		if s.Finished != want || !s.Reserved.IsZero() || s.Voucher == nil || s.Voucher.Message.Cumulative != b.Promised || b.Promised.Less(want) {
			m.Errorf("channel %s: their books are %+v, ours %+v, want %v", id, s, b, want)
			continue
		}
		if exact && b.Promised != want {
			m.Errorf("channel %s: vouchers are worth %v, and %v was spent", id, b.Promised, want)
		}
		i := slices.IndexFunc(claims, func(c channel.Claim) bool { return c.Channel == id })
		if i < 0 || claims[i].Unclaimed != want {
			m.Errorf("channel %s: of %v that was spent the provider claims %+v", id, want, claims)
		} else if refused == 0 {
			m.auditLog(claims[i].Voucher, b.Key, openings[id])
		}
	}
	if c := m.payer.Counts(); c.Paid != total || c.Refused != refused || c.Aborted+c.Disputed+c.Failed+c.Unpaid+c.Resyncs != 0 {
		m.Errorf("the payer has done %+v in %d rounds", c, total)
	}
	if c := m.till.Counts(); c.Admitted != total || c.Finished+c.Partial != total || c.Refused != refused || c.Failed != 0 {
		m.Errorf("the till has done %+v in %d rounds", c, total)
	}
}

// auditLog compares the logs of both sides: every round has its own place under the
// voucher that the provider would claim.
func (m *market) auditLog(earned ledger.Signed[ledger.Voucher], key ledger.Address, openings []channel.Opening) {
	m.Helper()
	accounts, err := m.payee.Accounts(m.Context())
	m.must(err)
	i := slices.IndexFunc(accounts, func(a channel.Account) bool { return a.Channel == earned.Message.Channel })
	if root := accounts[i].Root; earned.Message.Transcript != root {
		m.Errorf("channel %s: the provider would claim %+v, its log's root is %v", earned.Message.Channel, earned, root)
	}
	places, seqs := make(map[uint64]bool), make(map[uint64]bool)
	for _, o := range openings {
		if o.Voucher != earned {
			m.Errorf("round %s: our last voucher is %+v, theirs %+v", o.Info.Round, o.Voucher, earned)
			return
		}
		if err := o.Verify(domain, key); err != nil {
			m.Errorf("round %s: %v", o.Info.Round, err)
		}
		places[o.Index], seqs[o.Info.Seq] = true, true
		if n := uint64(len(openings)); o.Size != n || o.Info.Seq == 0 || o.Info.Seq > n {
			m.Errorf("round %s is number %d, and the log has %d of %d rounds", o.Info.Round, o.Info.Seq, o.Size, n)
		}
	}
	if len(places) != len(openings) || len(seqs) != len(openings) {
		m.Errorf("channel %s: %d rounds have %d places and %d numbers", earned.Message.Channel, len(openings), len(places), len(seqs))
	}
}
