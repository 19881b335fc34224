package gossip

import (
	"context"
	"errors"
	"io"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// network connects the syncers of a test.
type network struct {
	mu      sync.Mutex
	syncers map[[32]byte]*Syncer
	apart   map[[32]byte]int // which side of a partition; 0 unless set
	lag     time.Duration    // of every write
	dials   map[[32]byte]int // to each
	wg      sync.WaitGroup
	ctx     context.Context
	instead map[[32]byte]func(io.ReadWriteCloser) // plays a member instead
	after   chan struct{}                         // others are dialled when it is closed; nil: at once
}

// dialer is one member's way into the network.
type dialer struct {
	*network
	self [32]byte
}

func (d dialer) Open(ctx context.Context, member [32]byte) (io.ReadWriteCloser, error) {
	if d.after != nil && d.instead[member] == nil {
		<-d.after
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.dials[member]++
	to := d.syncers[member]
	if to == nil || d.apart[member] != d.apart[d.self] {
		return nil, errors.New("unreachable")
	}
	x, y := pipe(func(_ bool, b []byte) ([]byte, bool) {
		time.Sleep(d.lag)
		return b, false
	})
	if f := d.instead[member]; f != nil {
		d.wg.Go(func() { f(y) })
	} else {
		d.wg.Go(func() { _ = to.Serve(d.ctx, y) })
	}
	return x, nil
}

// syncers makes n nodes and their syncers, which do nothing yet.
func syncers(t *testing.T, n int) ([]*node, []*Syncer, *network) {
	t.Helper()
	all := nodes(t, n)
	net := &network{syncers: map[[32]byte]*Syncer{}, apart: map[[32]byte]int{}, dials: map[[32]byte]int{}, instead: map[[32]byte]func(io.ReadWriteCloser){}, ctx: t.Context()}
	var out []*Syncer
	for _, x := range all {
		s, err := NewSyncer(SyncerConfig{Session: *x.Config, Dial: dialer{net, x.key}})
		if err != nil {
			t.Fatal(err)
		}
		net.syncers[x.key] = s
		out = append(out, s)
	}
	t.Cleanup(net.wg.Wait)
	return all, out, net
}

// Twenty members, cut in two for a while: after two rounds of everybody all hold
// everything, though nobody has more than eight partners.
func TestTwoRoundsAfterAHeal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all, syncs, net := syncers(t, 20)
		round := func() {
			for _, s := range syncs {
				s.Round(t.Context())
			}
		}
		for i, x := range all {
			net.apart[x.key] = i % 2
			fill(x, uint64(i), 20, 10, 3)
		}
		round()
		round()
		if !same(all[0], all[2]) || same(all[0], all[1]) {
			t.Fatal("the sides are not apart")
		}
		clear(net.apart)
		for _, s := range syncs {
			s.Kick()
		}
		round()
		round()
		for i, x := range all {
			if got := len(x.log.state(0)); got != 20*len(all) {
				t.Errorf("member %d has %d events of %d", i, got, 20*len(all))
			}
		}
		status := syncs[0].Status()
		if len(status.Last.Partners) != 8 || status.Rounds != 4 || status.Totals.Added == 0 || status.Modes[ModeList]+status.Modes[ModeCells] == 0 {
			t.Errorf("status %+v", status)
		}
		round()
		if last := syncs[0].Status().Last; !last.Equal() {
			t.Errorf("a round after that finds differences: %+v", last)
		}
		net.wg.Wait()
	})
}

// Rounds come by themselves: at once, every so often, after an epoch begins, and
// on a Kick, which also forgives those that were out of reach.
func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all, syncs, net := syncers(t, 3)
		ctx, cancel := context.WithCancel(t.Context())
		net.ctx = ctx
		net.apart[all[1].key] = 1
		done := make(chan error)
		go func() { done <- syncs[0].Run(ctx) }()
		synctest.Wait()
		s := syncs[0].Status()
		if s.Rounds != 1 || s.Errors[ReasonUnreachable] != 1 || s.Modes[ModeEqual] != 1 || len(s.Peers) != 1 || s.Peers[0].Key != all[1].key || s.Peers[0].Banned {
			t.Fatalf("after the start: %+v", s)
		}
		if in := time.Until(s.Next); in < 0 || in > 18*time.Second {
			t.Errorf("the next round is in %v", in)
		}
		fill(all[1], 1, 5, 10, 1)
		time.Sleep(time.Until(s.Next) + time.Millisecond)
		synctest.Wait()
		if s := syncs[0].Status(); s.Rounds != 2 {
			t.Errorf("%d rounds", s.Rounds)
		}
		net.mu.Lock()
		clear(net.apart)
		net.mu.Unlock()
		syncs[0].Kick()
		synctest.Wait()
		if s := syncs[0].Status(); s.Rounds != 3 || len(s.Peers) != 0 || !same(all[0], all[1]) {
			t.Errorf("after the heal: %+v", s)
		}
		// No epoch begins without a round in its first seconds.
		w := all[0].World
		for range 5 {
			begins := w.EpochStart(w.Epoch(time.Now()) + 1)
			time.Sleep(time.Until(begins) + maxSpread)
			synctest.Wait()
			if at := syncs[0].Status().Last.Started; at.Before(begins) {
				t.Errorf("the epoch began at %v, the last round at %v", begins, at)
			}
		}
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("Run = %v", err)
		}
		net.wg.Wait()
	})
}

// A round that finds a new roster is followed by another some seconds later, which
// brings what was said to those that had learned of it before.
func TestRoundAfterANewRoster(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all, syncs, net := syncers(t, 2)
		ctx, cancel := context.WithCancel(t.Context())
		net.ctx = ctx
		done := make(chan error)
		go func() { done <- syncs[0].Run(ctx) }()
		w := all[0].World
		time.Sleep(time.Until(w.EpochStart(w.Epoch(time.Now())+1)) + maxSpread + time.Second)
		synctest.Wait()
		before := syncs[0].Status().Rounds
		for _, x := range all {
			x.group.rotate(all[0].group.Members()...)
		}
		syncs[0].Kick()
		time.Sleep(settleMin / 2)
		fill(all[1], 1, 5, 10, 1)
		time.Sleep(settleMax)
		synctest.Wait()
		if s := syncs[0].Status(); s.Rounds != before+2 || !same(all[0], all[1]) {
			t.Errorf("%d rounds in %v, logs the same: %v", s.Rounds-before, settleMax, same(all[0], all[1]))
		}
		cancel()
		<-done
		net.wg.Wait()
	})
}

// A member that fails is left alone for longer and longer; one that lies is
// banned for an hour, neither asked nor answered, and others are not held up.
func TestBackoffAndBan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all, syncs, net := syncers(t, 4)
		gone, liar := all[1], all[2]
		net.apart[gone.key] = 1
		fill(liar, 1, 3, 10, 1)
		net.instead[liar.key] = func(c io.ReadWriteCloser) {
			s := &session{Config: liar.Config, us: fromAnswerer, them: fromOpener}
			_, _ = s.run(t.Context(), c, func() error {
				if err := s.answerGreeting(); err != nil {
					return err
				}
				return say(s, kindEvents, appendList(nil, nil))
			})
		}
		began := time.Now()
		for time.Since(began) < 50*time.Minute {
			syncs[0].Round(t.Context())
			time.Sleep(10 * time.Second)
		}
		net.mu.Lock()
		if n := net.dials[gone.key]; n < 8 || n > 20 {
			t.Errorf("one that is gone was dialled %d times in 50 minutes", n)
		}
		if n := net.dials[liar.key]; n != 1 {
			t.Errorf("a liar was dialled %d times", n)
		}
		if n := net.dials[all[3].key]; n != 300 {
			t.Errorf("an honest member was dialled %d times in 300 rounds", n)
		}
		net.mu.Unlock()
		status := syncs[0].Status()
		if len(status.Peers) != 2 || status.Errors[ReasonMalformed] != 1 {
			t.Errorf("status %+v", status)
		}
		answer := func() error {
			x, y := pipe(nil)
			net.wg.Go(func() { _, _ = Initiate(t.Context(), liar.Config, all[0].key, x) })
			return syncs[0].Serve(t.Context(), y)
		}
		if err := answer(); ReasonOf(err) != ReasonBanned {
			t.Errorf("the liar asks: %v", err)
		}
		time.Sleep(banTime)
		if err := answer(); err != nil {
			t.Errorf("an hour later: %v", err)
		}
		net.wg.Wait()
	})
}

// A peer has a budget of sessions; who stalls or drips holds a place for a while only,
// and no longer than until others want it.
func TestServeLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all, syncs, net := syncers(t, 2)
		ask := func() error {
			x, y := pipe(nil)
			net.wg.Go(func() { _, _ = Initiate(t.Context(), all[1].Config, all[0].key, x) })
			return syncs[0].Serve(t.Context(), y)
		}
		for i := range peerSessions {
			if err := ask(); err != nil {
				t.Fatalf("session %d: %v", i, err)
			}
		}
		if err := ask(); ReasonOf(err) != ReasonBudget {
			t.Errorf("one more: %v", err)
		}
		time.Sleep(time.Minute)
		if err := ask(); err != nil {
			t.Errorf("a minute later: %v", err)
		}
		// Streams on which nothing is said.
		var ends []io.Closer
		for range maxGreeting {
			x, y := pipe(nil)
			ends = append(ends, x)
			net.wg.Go(func() { _ = syncs[0].Serve(t.Context(), y) })
		}
		synctest.Wait()
		if err := ask(); err != nil {
			t.Errorf("strangers have all places, and a member was not answered: %v", err)
		}
		synctest.Wait()
		if got := syncs[0].Status(); got.Errors[ReasonBusy] != 1 {
			t.Errorf("%d streams gave up their place, want the oldest", got.Errors[ReasonBusy])
		}
		// One that drips has no more time than one that is silent.
		x, y := pipe(nil)
		ends = append(ends, x)
		net.wg.Go(func() { _ = syncs[0].Serve(t.Context(), y) })
		net.wg.Go(func() {
			s := &session{Config: all[1].Config, opener: true, us: fromOpener, them: fromAnswerer}
			_, _ = s.run(t.Context(), x, func() error {
				ephemeral, err := s.greet()
				for _, step := range []func() error{s.sendHello, func() error { return s.ch.flush() }, s.takeHello} {
					if err == nil {
						err = step()
					}
				}
				if err == nil {
					err = s.link(ephemeral)
				}
				for err == nil { // a message of which a byte comes now and then
					s.ch.pending = []byte{0x80}
					time.Sleep(idleTimeout / 2)
					err = s.ch.flush()
				}
				return err
			})
		})
		time.Sleep(greetingTimeout + time.Second)
		synctest.Wait()
		if got := syncs[0].Status(); got.Inbound != 0 || got.Errors[ReasonTimeout] != maxGreeting || syncs[0].strangers.Len() != 0 {
			t.Errorf("status %+v", got)
		}
		// A stranger's flood is not where members are, who come over links.
		for range 2 * maxGreeting {
			x, y := pipe(nil)
			ends = append(ends, x)
			net.wg.Go(func() { _ = syncs[0].ServeFrom(t.Context(), [32]byte{1}, y) })
		}
		x, y = pipe(nil)
		ends = append(ends, x)
		net.wg.Go(func() { _ = syncs[0].ServeFrom(t.Context(), all[1].key, y) })
		synctest.Wait()
		if n, m := syncs[0].strangers.Len(), syncs[0].neighbours.Len(); n != maxGreeting || m != 1 {
			t.Errorf("%d strangers and %d neighbours, want %d and one", n, m, maxGreeting)
		}
		for _, e := range ends {
			_ = e.Close()
		}
		net.wg.Wait()
	})
}

// What is known of peers is bounded, and bans outlive the rest.
func TestPeersAreBounded(t *testing.T) {
	var p peers
	liar := Result{Peer: [32]byte{1}, Proved: true}
	p.done(&liar, &Error{Reason: ReasonBody}, testNow)
	for i := range 2 * maxPeers {
		r := Result{Peer: [32]byte{2, byte(i), byte(i >> 8)}}
		p.done(&r, &Error{Reason: ReasonClosed}, testNow.Add(time.Duration(i)))
	}
	if len(p.all) > maxPeers || p.admit(liar.Peer, testNow.Add(time.Minute)) != ReasonBanned {
		t.Errorf("%d peers are remembered", len(p.all))
	}
}

// Every reason has a word of its own and what people read.
func TestReasons(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range Reasons() {
		if r.Label() == "" || r.String() == "" || seen[r.Label()] {
			t.Errorf("reason %d: %q, %q", r, r.Label(), r)
		}
		seen[r.Label()] = true
	}
	if len(seen) != reasons-1 || Reason(200).Label() != "unknown" {
		t.Errorf("%d reasons", len(seen))
	}
	if ReasonOf(context.DeadlineExceeded) != ReasonTimeout || ReasonOf(io.EOF) != ReasonClosed || ReasonOf(nil) != ReasonNone {
		t.Error("other errors have no reason")
	}
}
