package circuit_test

import (
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/culvert-net/culvert/circuit"
)

// arrivals notes what reaches a provider, as the provider itself could: on which
// link something came, and when.
type arrivals struct {
	mu    sync.Mutex
	links []*arrivalConn
	slow  time.Duration // the first link's first cell takes so much longer
}

type arrivalConn struct {
	net.Conn
	all  *arrivals
	slow time.Duration
	at   []time.Time // guarded by all.mu
}

// watchProvider has what reaches l's provider noted.
func watchProvider(l *lab) *arrivals {
	a := &arrivals{}
	l.net.wrap = func(_, to [32]byte, c net.Conn) net.Conn {
		if to != l.provider.key {
			return c
		}
		a.mu.Lock()
		defer a.mu.Unlock()
		w := &arrivalConn{Conn: c, all: a, slow: a.slow}
		a.slow = 0
		a.links = append(a.links, w)
		return w
	}
	return a
}

func (c *arrivalConn) Write(p []byte) (int, error) {
	c.all.mu.Lock()
	wait := c.slow
	c.slow = 0
	c.at = append(c.at, time.Now())
	c.all.mu.Unlock()
	time.Sleep(wait)
	return c.Conn.Write(p)
}

// since counts what came after t, on links but the given one; a new link brings
// a CREATE.
func (a *arrivals) since(t time.Time, but int) (n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for i, l := range a.links {
		for _, at := range l.at {
			if i != but && at.After(t) {
				n++
			}
		}
	}
	return n
}

func (a *arrivals) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.links)
}

// A provider that ends one circuit, or answers it late, sees nothing happen on
// others: it would know that they are the same person's.
func TestProviderCannotProbeForCircuitsOfOneClient(t *testing.T) {
	for name, probe := range map[string]func(a *arrivals){
		"ends one":   func(a *arrivals) { a.links[0].Close() },
		"delays one": func(a *arrivals) { a.mu.Lock(); a.links[0].slow = 5 * time.Second; a.mu.Unlock() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := stillLab(t, newNetwork(), 3, 0) // all circuits over the same two relays
				l.paths.likely = true
				a := watchProvider(l)
				l.each(t, func(s *circuit.Stream) { <-s.Done(); s.Close() })
				l.run(t)
				dial := func(group byte) *circuit.Stream {
					s, err := l.client.Dial(t.Context(), l.provider.key, circuit.Group{group})
					if err != nil {
						t.Fatal(err)
					}
					return s
				}
				time.Sleep(time.Second)
				first := dial(1) // on the link that was ready
				defer first.Close()
				time.Sleep(40 * time.Second) // another is ready
				dial(2).Close()
				time.Sleep(40 * time.Second) // and another: one idle of a group, one unused
				if a.count() < 3 {
					t.Fatalf("%d circuits", a.count())
				}
				for !a.quiet() {
					time.Sleep(100 * time.Millisecond)
				}
				probed := time.Now()
				time.Sleep(time.Millisecond) // what comes because of it comes later than it
				probe(a)
				time.Sleep(8 * time.Second)
				if n := a.since(probed, 0); n > 0 {
					t.Errorf("%d cells came on other circuits right after", n)
				}
			})
		})
	}
}

// quiet reports whether nothing is due soon by itself: every link but the first
// brought something in the last 20 seconds, and idle circuits are asked after 30.
func (a *arrivals) quiet() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, l := range a.links[1:] {
		if ago := time.Since(l.at[len(l.at)-1]); ago < time.Second || ago > 20*time.Second {
			return false
		}
	}
	return true
}

// What is made ready in place of a circuit that a group took is not made when it
// is taken: the provider would know that both are one person's, and the next
// group takes the new one.
func TestTakenCircuitIsReplacedSomeTimeLater(t *testing.T) {
	const rounds, window = 12, 2 * time.Second
	atOnce := 0
	for range rounds {
		synctest.Test(t, func(t *testing.T) {
			l := stillLab(t, newNetwork(), 3, 2)
			l.paths.likely = true
			a := watchProvider(l)
			l.each(t, echo)
			l.run(t)
			time.Sleep(time.Second)
			l.dial(t).Close()
			time.Sleep(window)
			if a.count() > 1 {
				atOnce++
			}
			time.Sleep(time.Minute)
			if a.count() < 2 {
				t.Error("it is never replaced")
			}
		})
	}
	if atOnce > rounds/2 {
		t.Errorf("%d of %d were replaced within %v", atOnce, rounds, window)
	}
}

// A provider that is slow to answer sees a second circuit of the same client
// come. Only one of the two is used: another group on the other one could be
// told to be the same person's.
func TestOutrunCircuitIsUsedByNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := stillLab(t, newNetwork(), 3, 4)
		l.shuffled(3)
		a := watchProvider(l)
		a.slow = 3 * time.Second
		l.each(t, echo)
		l.run(t)
		time.Sleep(time.Second)
		l.dial(t).Close()
		time.Sleep(10 * time.Second)
		if a.count() != 2 {
			t.Fatalf("%d builds, want one that was slow and one beside it", a.count())
		}
		open := 0
		for _, c := range l.client.Circuits() {
			if c.State == "open" {
				open++
			}
		}
		if open != 1 {
			t.Errorf("%d circuits are open, want the one in use", open)
		}
	})
}

// muteConn loses all but the first cell: its far end answers CREATE and falls
// silent.
type muteConn struct {
	net.Conn
	once sync.Once
}

func (c *muteConn) Write(p []byte) (n int, err error) {
	n = len(p)
	c.once.Do(func() { n, err = c.Conn.Write(p) })
	return n, err
}

// A provider that falls silent on circuits has nobody keep off the relays they
// run over: it could drive everybody to the relays that it likes.
func TestSilentProviderIsNotItsRelaysFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := stillLab(t, newNetwork(), 3, 4)
		l.shuffled(5)
		l.paths.likely = true
		l.net.wrap = func(_, to [32]byte, c net.Conn) net.Conn {
			if to == l.provider.key {
				return &muteConn{Conn: c}
			}
			return c
		}
		l.run(t)
		time.Sleep(3 * time.Minute) // circuits are made, asked, and found dead
		l.paths.mu.Lock()
		defer l.paths.mu.Unlock()
		if l.paths.met[l.provider.key] < 2 {
			t.Fatal("no second circuit to the provider was made")
		}
		for _, r := range l.relays {
			if n := l.paths.blamed[r.key]; n > 0 {
				t.Errorf("%s is blamed %d times", r.name, n)
			}
		}
	})
}

// Nor has one that is slow to take a circuit over some of them.
func TestSlowProviderIsNotItsRelaysFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := stillLab(t, newNetwork(), 3, 4)
		l.shuffled(3)
		a := watchProvider(l)
		a.slow = 9 * time.Second
		l.each(t, echo)
		l.run(t)
		time.Sleep(time.Second)
		l.dial(t).Close()
		time.Sleep(10 * time.Second)
		if a.count() != 2 {
			t.Fatalf("%d builds, want one that was slow and one beside it", a.count())
		}
		l.paths.mu.Lock()
		defer l.paths.mu.Unlock()
		for _, r := range append(l.relays, l.provider) {
			if n := l.paths.blamed[r.key]; n > 0 {
				t.Errorf("%s is blamed %d times", r.name, n)
			}
		}
	})
}
