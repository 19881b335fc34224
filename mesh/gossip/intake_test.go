package gossip

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"
)

// coldSet is what a cold member lacks.
const (
	coldSet  = 8_000
	coldSize = 300
)

// cold makes a member with an empty log and others that all have the same.
func cold(t *testing.T, n int) ([]*node, []*Syncer, *network) {
	all, syncs, net := syncers(t, n)
	net.lag = 5 * time.Millisecond
	for _, x := range all[1:] {
		fill(x, 1, coldSet, 10, 20)
	}
	return all, syncs, net
}

// A cold member fetches what it lacks once, though it asks all its partners, and
// though they find at the same time that it lacks all and would send it.
func TestColdMemberFetchesOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all, syncs, net := cold(t, 5)
		ctx, cancel := context.WithCancel(t.Context())
		net.ctx = ctx
		done := make(chan struct{})
		for _, s := range syncs {
			go func() { _ = s.Run(ctx); done <- struct{}{} }()
		}
		for began := time.Now(); !same(all[0], all[1]); time.Sleep(100 * time.Millisecond) {
			if time.Since(began) > time.Minute {
				t.Fatalf("%d of %d events after a minute", len(all[0].log.state(0)), coldSet)
			}
		}
		time.Sleep(time.Minute)
		s := syncs[0].Status()
		got := float64(s.Totals.Size.Wire.Received) / (coldSet * coldSize)
		t.Logf("%.2f times the set, %d sessions", got, s.Totals.Sessions)
		if got > 1.3 || s.Totals.Added != coldSet {
			t.Errorf("received %.2f times the set, added %d events", got, s.Totals.Added)
		}
		if len(s.Peers) != 0 || s.Modes[ModeEqual] == 0 {
			t.Errorf("status %+v", s)
		}
		cancel()
		for range syncs {
			<-done
		}
		net.wg.Wait()
	})
}

// Who withholds what it was asked for, lies, or brings it a drop at a time does not
// keep others from bringing it, and the liar is dropped.
func TestColdMemberAmongOthers(t *testing.T) {
	for _, tt := range []struct {
		name   string
		within time.Duration
		bytes  float64 // times the set
		reason Reason  // of the partner's session; when both give up at the same time, one of them closes the stream
		banned bool
		// turn answers what the cold member asks for.
		turn func(s *session, a *asked) error
	}{
		{"it is silent", 25 * time.Second, 1.3, ReasonTimeout, false, func(*session, *asked) error {
			time.Sleep(time.Minute)
			return errors.New("enough")
		}},
		{"it has none of them", 10 * time.Second, 1.3, ReasonWithheld, false, func(s *session, a *asked) error {
			return say(s, kindTurn, number(len(a.reply)))
		}},
		{"they are poisoned", 10 * time.Second, 1.3, ReasonBody, true, func(s *session, _ *asked) error {
			bad := body(12, 7, 7, 300)
			bad[9] ^= 1
			return say(s, kindEvents, appendList(nil, [][]byte{bad}))
		}},
		{"one every second", 40 * time.Second, 1.3, ReasonTimeout, false, func(s *session, a *asked) error {
			for _, e := range a.reply {
				b, err := s.Log.Get(e.epoch, e.id)
				if err != nil {
					return err
				}
				time.Sleep(time.Second)
				if err := say(s, kindEvents, appendList(nil, [][]byte{b})); err != nil {
					return err
				}
			}
			return nil
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				all, syncs, net := cold(t, 5)
				rogue := all[1]
				held := make(chan struct{}, 100) // it was asked for much
				net.instead[rogue.key] = func(c io.ReadWriteCloser) {
					s := &session{Config: rogue.Config, us: fromAnswerer, them: fromOpener}
					_, _ = s.run(t.Context(), c, func() error {
						if err := s.answerGreeting(); err != nil {
							return err
						}
						k, b, err := s.ch.recv(kindDiffer, kindEqual)
						if err != nil || k == kindEqual {
							return err
						}
						m, err := readDiffer(b)
						if err != nil {
							return err
						}
						own, err := s.collect(m.from, m.shift, m.pages)
						if err != nil {
							return err
						}
						a := &asked{session: s, differ: m, own: own}
						if err := a.first(); err != nil {
							return err
						}
						for {
							k, b, err := s.ch.recv(kindWant, kindTurn, kindBye)
							switch {
							case err != nil || k == kindBye:
								return err
							case k == kindWant:
								err = a.wantShorts(b)
							case len(a.reply) == 0:
								err = say(s, kindTurn, number(0))
							default:
								held <- struct{}{}
								err = tt.turn(s, a)
								a.reply = nil
							}
							if err != nil {
								return err
							}
						}
					})
				}
				// The others come when the rogue one has been asked.
				net.after = make(chan struct{})
				done := make(chan struct{})
				ctx, cancel := context.WithCancel(t.Context())
				go func() { _ = syncs[0].Run(ctx); close(done) }()
				<-held
				began := time.Now()
				close(net.after)
				for len(all[0].log.state(0)) < coldSet {
					time.Sleep(100 * time.Millisecond)
					if time.Since(began) > time.Minute {
						break
					}
				}
				took := time.Since(began)
				if got := len(all[0].log.state(0)); got != coldSet || took > tt.within {
					t.Errorf("%d of %d events after %v", got, coldSet, took)
				}
				time.Sleep(4 * time.Minute)
				s := syncs[0].Status()
				got := float64(s.Totals.Size.Wire.Received) / (coldSet * coldSize)
				t.Logf("%.2f times the set in %v", got, took)
				if got > tt.bytes || s.Errors[tt.reason] == 0 && (tt.reason != ReasonTimeout || s.Errors[ReasonClosed] == 0) {
					t.Errorf("received %.2f times the set: %+v", got, s)
				}
				banned := false
				for _, p := range s.Peers {
					banned = banned || p.Banned && p.Key == rogue.key
					if p.Key != rogue.key && p.Banned {
						t.Errorf("an honest partner is banned: %+v", p)
					}
				}
				if banned != tt.banned {
					t.Errorf("the rogue partner is banned: %v", banned)
				}
				cancel()
				<-done
				net.wg.Wait()
			})
		})
	}
}

// Turns of an intake: one at a time, ours before those of others, few at any time,
// and nobody holds it without bringing something.
func TestIntake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := new(Intake)
		ours, more, theirs := in.claim(true), in.claim(true), in.claim(false)
		if !theirs.take(1000, 0) || ours.take(1000, 0) || !ours.take(maxUnclaimed, 0) {
			t.Error("not the first one alone takes much")
		}
		theirs.drop()
		if theirs.take(1000, 0) || !ours.take(1000, 0) || more.take(1000, 0) {
			t.Error("our own session was not before another's")
		}
		// It brings 500 in each second, which is enough, then a drop at a time.
		for range 60 {
			ours.progress(500)
			time.Sleep(time.Second)
		}
		if more.take(1000, more.others()) {
			t.Error("who brings enough lost its turn")
		}
		for range 10 {
			ours.progress(1)
			time.Sleep(stallTimeout - time.Second)
		}
		if more.take(1000, 0) {
			t.Error("what has come since is asked for again")
		}
		if !more.take(1000, more.others()) || ours.take(1000, ours.others()) {
			t.Error("who brings a drop at a time keeps its turn")
		}
		woken := make(chan error, 2)
		began := time.Now()
		go func() { woken <- ours.wait(t.Context()) }()
		if err := <-woken; err != nil || time.Since(began) != stallTimeout {
			t.Errorf("who waits for one that stalls: %v after %v", err, time.Since(began))
		}
		if !ours.take(1000, ours.others()) {
			t.Error("nobody takes over from one that stalls")
		}
		began = time.Now()
		go func() { woken <- more.wait(t.Context()) }()
		synctest.Wait()
		ours.drop()
		if err := <-woken; err != nil || time.Since(began) != 0 {
			t.Errorf("who waits for one that leaves: %v after %v", err, time.Since(began))
		}
		more.drop()
		if in.queued != 0 || in.holder != nil {
			t.Errorf("%d claims are left", in.queued)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := ours.wait(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("wait = %v", err)
		}
		var none *Intake
		if c := none.claim(true); !c.take(1e6, c.others()) || c.wait(t.Context()) != nil {
			t.Error("without an intake there are turns")
		}
	})
}
