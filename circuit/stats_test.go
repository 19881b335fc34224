package circuit_test

import (
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/culvert-net/culvert/circuit"
)

// rises is what of a client's figures only rises.
func rises(s circuit.ClientStats) circuit.ClientStats {
	s.Building, s.Stems, s.Open, s.Ending, s.Streams, s.Doubted = 0, 0, 0, 0, 0, 0
	s.StemTimes, s.ExtendTimes = circuit.Times{}, circuit.Times{}
	return s
}

// What a circuit does is counted at each of its nodes, and its end by how it
// ended.
func TestStats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := stillLab(t, newNetwork(), 3, 0)
		stop := l.run(t)
		l.each(t, echo)
		s := l.dial(t)
		if _, err := s.Write(make([]byte, 100<<10)); err != nil {
			t.Fatal(err)
		}
		_ = s.CloseWrite()
		synctest.Wait()
		now := l.client.Stats()
		if now.Open != 1 || now.Stems != 2 || now.Building+now.Ending+now.Doubted != 0 || now.Streams != 1 {
			t.Errorf("with one stream: %+v", now)
		}
		// Two stems were kept ready, and one of them extended.
		if want := (circuit.ClientStats{Built: now.Built}); rises(now) != want || now.Built < 3 {
			t.Errorf("with one stream: %+v", now)
		}
		if _, err := io.ReadAll(s); err != nil {
			t.Fatal(err)
		}
		s.Close()
		synctest.Wait()
		const cells = 100 << 10 / 512
		for i, r := range l.relays {
			s := r.relay.Stats()
			if s.Circuits != 3 || s.Created != 3 || s.Forward < cells || s.Backward < cells {
				t.Errorf("relay %d counts %+v", i+1, s)
			}
		}
		if s := l.relays[0].relay.Stats(); s.Extended != 3 {
			t.Errorf("the entry passed %d circuits on, want 3", s.Extended)
		}
		if s := l.provider.relay.Stats(); s.Created != 1 || s.Forward+s.Backward != 0 || s.ResetStreams != 0 {
			t.Errorf("the provider counts %+v", s)
		}
		if s := l.provider.relay.Listener(circuit.StreamHTTP).Stats(); s != (circuit.ListenerStats{Delivered: 1}) {
			t.Errorf("its listener counts %+v", s)
		}

		time.Sleep(11 * time.Minute) // they are retired, and replaced
		stop()
		synctest.Wait()
		now = l.client.Stats()
		if now.Retired == 0 || now.Stopped == 0 || now.Destroyed+now.Silenced+now.Violated+now.Failed != 0 || now.Open+now.Stems != 0 {
			t.Errorf("after its stop: %+v", now)
		}
		for i, r := range l.relays {
			s := r.relay.Stats()
			// Which of them a relay hears first, DESTROY or the end of the link
			// behind it, is up to chance.
			if s.Circuits != 0 || s.EndedDestroyed+s.EndedLost != s.Created || s.EndedViolated != 0 {
				t.Errorf("after the client's stop, relay %d counts %+v", i+1, s)
			}
		}
	})
}

// Circuits that are lost, and builds that fail, are counted by why.
func TestStatsOfLosses(t *testing.T) {
	for _, tt := range []struct {
		name string
		harm func(t *testing.T, l *lab, silent chan struct{})
		want func(s circuit.ClientStats) bool
	}{
		{"a relay dies", func(t *testing.T, l *lab, _ chan struct{}) {
			l.relays[1].kill()
			time.Sleep(time.Second)
		}, func(s circuit.ClientStats) bool { return s.Destroyed == 3 && s.Silenced == 0 && s.Failed > 0 }},
		{"all fall silent", func(t *testing.T, l *lab, silent chan struct{}) {
			close(silent)
			time.Sleep(3 * time.Minute)
		}, func(s circuit.ClientStats) bool { return s.Silenced == 3 && s.Destroyed == 0 && s.Failed > 0 }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newNetwork()
				silent := make(chan struct{})
				n.wrap = func(_, _ [32]byte, c net.Conn) net.Conn { return &freezeConn{c, &freezer{frozen: silent}} }
				l := newLab(t, n, 3, 2)
				l.paths.likely = false
				l.each(t, echo)
				s := l.dial(t)
				synctest.Wait()
				tt.harm(t, l, silent)
				if got := l.client.Stats(); !tt.want(got) {
					t.Errorf("then %+v", got)
				}
				s.Close()
			})
		})
	}
}

// A build that waits for a relay in vain is counted as late, and so is the
// second one beside it.
func TestStatsOfLateBuilds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		l := stillLab(t, n, 3, 0)
		l.paths.relays = []*node{n.add(t, "silent-1"), n.add(t, "silent-2")} // take links, and say nothing
		l.run(t)
		time.Sleep(13 * time.Second)
		s := l.client.Stats()
		if s.TimedOut == 0 || s.Built+s.Failed != 0 || s.Hedged != 0 || s.StemTimes.Patience <= 0 || s.StemTimes.P80 < 10*time.Second {
			t.Errorf("after one build: %+v", s)
		}
		l.paths.mu.Lock()
		l.paths.failed = map[[32]byte]bool{}
		l.paths.relays = append(l.paths.relays, l.relays...) // the second build is over these
		l.paths.stem = func(int, [32]byte) ([]circuit.Hop, error) {
			first := 2 * (l.paths.stems % 2)
			return []circuit.Hop{l.paths.relays[first].hop(), l.paths.relays[first+1].hop()}, nil
		}
		l.paths.mu.Unlock()
		time.Sleep(time.Minute)
		if s := l.client.Stats(); s.Hedged == 0 || s.Built == 0 || s.GivenUp == 0 {
			t.Errorf("with others to go to: %+v", s)
		}
	})
}
