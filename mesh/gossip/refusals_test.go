package gossip

import (
	"encoding/binary"
	"testing"
	"testing/synctest"
	"time"
)

// A peer whose log is full of events that ours does not take, others in each round,
// costs us a bounded number of bytes an hour, is left alone then, and by that name;
// what it has that is wanted is had from others.
func TestRefusedEventsHaveABudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all, syncs, net := syncers(t, 3)
		honest, rogue := all[0], all[1]
		honest.log.refuse = func(_ uint64, b []byte) bool { return binary.LittleEndian.Uint64(b[8:]) == 66 }
		fill(all[2], 1, 200, 10, 3)
		rogue.log.floor = 0
		fetched := func() int64 { return syncs[0].Status().Totals.Size.Wire.Received }
		const perRound = 20_000
		number, named := uint64(0), false
		rounds, hour := 0, time.Now().Add(time.Hour)
		for time.Now().Before(hour) {
			var batch [][]byte
			for range perRound {
				number++
				batch = append(batch, body(10+number%3, 66, number, 300))
			}
			rogue.log.mu.Lock()
			rogue.log.epochs = make(map[uint64]*memEpoch)
			rogue.log.mu.Unlock()
			rogue.log.add(batch...)
			syncs[0].Round(t.Context())
			rounds++
			for _, p := range syncs[0].Status().Peers {
				named = named || p.Key == rogue.key && p.Reason == ReasonRefused && !p.Banned && time.Until(p.Until) > time.Minute
			}
			time.Sleep(10 * time.Minute)
		}
		status := syncs[0].Status()
		// The budget of the hour, what comes back of it meanwhile, in each session the
		// list of what there is, and one message of events over.
		got, most := fetched(), int64(2*peerRefused+rounds*(8*perRound+maxEvents))
		t.Logf("%d kB of %d MB in %d rounds, %d events refused", got>>10, number*300>>20, rounds, status.Totals.Refused)
		if got > most || status.Totals.Refused*300 > 2*peerRefused+uint64(rounds*maxEvents) {
			t.Errorf("%d bytes came and %d events were refused", got, status.Totals.Refused)
		}
		if status.Errors[ReasonRefused] == 0 || !same(honest, all[2]) {
			t.Errorf("status %+v", status)
		}
		if !named {
			t.Error("it is nowhere said who was left alone, and why")
		}
		// Nor is it answered, until its budget has come back.
		ask := func() error {
			x, y := pipe(nil)
			net.wg.Go(func() { _, _ = Initiate(t.Context(), rogue.Config, honest.key, x) })
			return syncs[0].Serve(t.Context(), y)
		}
		for range 3 {
			_ = ask()
		}
		if err := ask(); ReasonOf(err) != ReasonRefused || toldBy(err) {
			t.Errorf("one that has used up its budget asks: %v", err)
		}
		rogue.log.mu.Lock()
		rogue.log.epochs = make(map[uint64]*memEpoch)
		rogue.log.mu.Unlock()
		time.Sleep(2 * refusedPer)
		if err := ask(); err != nil {
			t.Errorf("hours later: %v", err)
		}
		net.wg.Wait()
	})
}

// What was refused is not fetched again from whoever has it, nor sent by them.
func TestRefusedIsKnownOfAll(t *testing.T) {
	all := nodes(t, 3)
	a := all[0]
	a.log.refuse = func(_ uint64, b []byte) bool { return binary.LittleEndian.Uint64(b[8:]) == 66 }
	fill(all[1], 66, 1000, 10, 3)
	fill(all[2], 66, 1000, 10, 3)
	first, _ := a.mustSync(t, all[1])
	if first.Refused != 1000 {
		t.Fatalf("%d events refused", first.Refused)
	}
	for range 2 {
		for _, x := range all[1:] {
			if r, _ := a.mustSync(t, x); r.Received != 0 {
				t.Errorf("%d events came again", r.Received)
			}
			if r, _ := x.mustSync(t, a); r.Sent != 0 {
				t.Errorf("%d events were sent again", r.Sent)
			}
		}
	}
}

// Who brings much makes room by its own, not by what others brought.
func TestRefusalsAreBounded(t *testing.T) {
	r := new(Refusals)
	id := func(peer, n int) (x ID) {
		binary.LittleEndian.PutUint32(x[:], uint32(peer))
		binary.LittleEndian.PutUint32(x[4:], uint32(n))
		return x
	}
	const few = 1000
	quiet := [32]byte{1}
	for n := range few {
		r.add(quiet, &Verdict{Epoch: 64, ID: id(1, n)}, 1, testNow)
	}
	for peer := 2; peer < 12; peer++ {
		for n := range 100_000 {
			r.add([32]byte{byte(peer)}, &Verdict{Epoch: 64, ID: id(peer, n)}, 1, testNow)
		}
	}
	list := r.in(quiet, []uint64{1}, 0)
	if len(list) != r.total || r.total > maxRefused || r.total < maxRefused/2 {
		t.Errorf("%d events are remembered, %d listed", r.total, len(list))
	}
	for n, got := range list[:few] {
		if got != id(1, few-1-n) {
			t.Fatalf("of the quiet peer, %x is in place %d", got[:8], n)
		}
	}
	for _, x := range r.peers {
		if len(x.order) > maxRefusedPeer || len(x.order) != len(x.events) {
			t.Errorf("%d of one peer", len(x.order))
		}
	}
	spent := func(key [32]byte, at time.Time) bool { return at.Before(r.spent(key, at)) }
	if !spent([32]byte{2}, testNow) || spent(quiet, testNow) || spent([32]byte{2}, testNow.Add(100*refusedPer)) {
		t.Error("budgets are not each peer's own, or do not come back")
	}
	if len(r.in(quiet, []uint64{2}, 0)) != 0 {
		t.Error("events of other pages are listed")
	}
	var none *Refusals
	if testNow.Before(none.spent(quiet, testNow)) || !none.add(quiet, &Verdict{}, 1, testNow) || none.in(quiet, nil, 0) != nil {
		t.Error("nil remembers")
	}
}
