package circuit_test

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/culvert-net/culvert/circuit"
)

// shuffled gives paths whose proposals are in random order, those that failed
// last, as a directory's are.
func (l *lab) shuffled(seed uint64) {
	rnd := rand.New(rand.NewPCG(seed, 0))
	l.paths.stem = func(n int, not [32]byte) ([]circuit.Hop, error) {
		var hops []circuit.Hop
		for _, failed := range []bool{false, true} {
			for _, i := range rnd.Perm(len(l.relays)) {
				if r := l.relays[i]; l.paths.failed[r.key] == failed && r.key != not && len(hops) < n {
					hops = append(hops, r.hop())
				}
			}
		}
		return hops, nil
	}
}

// freezable lets the links of the named nodes be frozen, each node by closing
// its channel.
func (n *network) freezable(names ...string) map[string]*freezer {
	all := make(map[string]*freezer)
	for _, name := range names {
		all[name] = &freezer{frozen: make(chan struct{})}
	}
	n.wrap = func(from, to [32]byte, c net.Conn) net.Conn {
		n.mu.Lock()
		defer n.mu.Unlock()
		for _, key := range [][32]byte{from, to} {
			if fz := all[n.nodes[key].name]; fz != nil {
				c = &freezeConn{c, fz}
			}
		}
		return c
	}
	return all
}

// A relay that was stopped answers no handshake. A build over it is not waited
// for: a second one over other relays is there first, and no more than that.
func TestSlowBuildIsHedged(t *testing.T) {
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			n := newNetwork()
			stopped := n.freezable("relay-1")["relay-1"]
			close(stopped.frozen)
			l := stillLab(t, n, 3, 4)
			l.shuffled(seed)
			l.each(t, echo)
			l.run(t)
			for i := range 20 {
				start := time.Now()
				s, err := l.client.Dial(t.Context(), l.provider.key, circuit.Group{byte(i)})
				if err != nil {
					t.Fatalf("seed %d: dial %d: %v", seed, i, err)
				}
				if d := time.Since(start); d > 5*time.Second {
					t.Errorf("seed %d: dial %d took %v; one relay of six is silent", seed, i, d)
				}
				_ = s.CloseWrite()
				if _, err := io.ReadAll(s); err != nil {
					t.Errorf("seed %d: request %d: %v", seed, i, err)
				}
				s.Close()
			}
		})
	}
}

// When all of the network becomes slow, all builds take longer than the ones
// before them. The estimate grows by that; the number of builds does not.
func TestSlowNetworkIsNoStampede(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		var delay atomic.Int64
		delay.Store(int64(2 * time.Millisecond))
		rnd := rand.New(rand.NewPCG(1, 2))
		var mu sync.Mutex
		n.dial = func() (net.Conn, net.Conn) { // no two links are alike
			mu.Lock()
			defer mu.Unlock()
			return slowPipe(time.Duration(float64(delay.Load())*(0.8+0.4*rnd.Float64())), 512<<10)
		}
		l := stillLab(t, n, 3, 8)
		l.shuffled(1)
		l.each(t, echo)
		l.run(t)
		var dials atomic.Int64
		ask := func(parallel int) {
			var wg sync.WaitGroup
			for range parallel {
				wg.Go(func() {
					group := circuit.Group{byte(dials.Load() >> 8), byte(dials.Add(1)), 1}
					s, err := l.client.Dial(t.Context(), l.provider.key, group)
					if err != nil {
						t.Errorf("Dial: %v", err)
						return
					}
					_ = s.CloseWrite()
					_, _ = io.ReadAll(s)
					s.Close()
				})
			}
			wg.Wait()
		}
		extra := func() int { return int(l.provider.relay.Stats().Created) - int(dials.Load()) }
		for range 60 {
			ask(1)
		}
		if n := extra(); n != 0 {
			t.Errorf("%d of 60 builds were done twice on a quick network", n)
		}
		delay.Store(int64(400 * time.Millisecond)) // a build takes seconds now
		before := extra()
		ask(100)
		time.Sleep(time.Minute)
		if n := extra() - before; n > 8 {
			t.Errorf("%d of 100 builds were done twice when all of the network became slow", n)
		}
		before = extra()
		for range 10 {
			ask(20)
		}
		time.Sleep(time.Minute)
		if n := extra() - before; n > 40 {
			t.Errorf("%d of 200 builds were done twice on a network that is slow", n)
		}
	})
}

// Requests that come together build one circuit, as many as it carries; the
// first one's leaving does not end the others' wait.
func TestParallelDialsBuildOneCircuit(t *testing.T) {
	for _, tt := range []struct {
		dials, groups, circuits int
	}{
		{1, 1, 1}, {8, 1, 1}, {9, 1, 2}, {24, 1, 3}, {24, 4, 4},
	} {
		synctest.Test(t, func(t *testing.T) {
			n := newNetwork()
			n.dial = func() (net.Conn, net.Conn) { return slowPipe(10*time.Millisecond, 512<<10) }
			l := newLab(t, n, 3, 4)
			l.each(t, func(s *circuit.Stream) { <-s.Done(); s.Close() })
			first, leave := context.WithCancel(t.Context())
			defer leave()
			leaver := make(chan error, 1)
			go func() {
				_, err := l.client.Dial(first, l.provider.key, circuit.Group{})
				leaver <- err
			}()
			synctest.Wait()
			var wg sync.WaitGroup
			streams := make([]*circuit.Stream, tt.dials)
			for i := range tt.dials {
				wg.Go(func() {
					s, err := l.client.Dial(t.Context(), l.provider.key, circuit.Group{byte(i % tt.groups)})
					if err != nil {
						t.Errorf("%+v: %v", tt, err)
						return
					}
					streams[i] = s
				})
				if i == 0 {
					synctest.Wait()
					leave()
					if err := <-leaver; !errors.Is(err, context.Canceled) {
						t.Errorf("who left got %v", err)
					}
				}
			}
			wg.Wait()
			if got := int(l.provider.relay.Stats().Created); got != tt.circuits {
				t.Errorf("%d dials of %d groups built %d circuits, want %d", tt.dials, tt.groups, got, tt.circuits)
			}
			for _, s := range streams {
				if s != nil {
					s.Close()
				}
			}
		})
	}
}

// A build that nobody waits for any more ends; nothing of it stays.
func TestFlightEndsWithItsLastWaiter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		stopped := n.freezable("relay-1")["relay-1"]
		l := stillLab(t, n, 3, 0)
		l.paths.stem = only(func(int) []circuit.Hop { return []circuit.Hop{l.relays[0].hop(), l.relays[1].hop()} })
		close(stopped.frozen)
		l.run(t)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := l.client.Dial(ctx, l.provider.key, circuit.Group{}); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("Dial = %v", err)
		}
		synctest.Wait()
		if a, f := l.client.Making(); a+f != 0 {
			t.Errorf("%d attempts and %d flights are left", a, f)
		}
	})
}

// A relay that stops while circuits over it stand ready costs a request some
// two seconds and not the twelve until the circuit is dead, if nothing was
// heard of it; the second attempt does not meet the same relay.
func TestSilentRelayCostsARequestLittle(t *testing.T) {
	for seed := range uint64(10) {
		synctest.Test(t, func(t *testing.T) {
			n := newNetwork()
			stopped := n.freezable("relay-1", "relay-2", "relay-3")
			l := stillLab(t, n, 3, 3)
			l.paths.likely = true
			l.shuffled(seed)
			l.each(t, echo)
			l.run(t)
			time.Sleep(time.Minute) // circuits stand ready, and PINGs have shown how long they take
			for _, c := range l.client.Circuits() {
				if fz := stopped[c.Hops[1]]; c.State == "open" && fz != nil {
					close(fz.frozen)
					break
				}
			}
			start := time.Now()
			attempts := 0
			for {
				attempts++
				s, err := l.client.Dial(t.Context(), l.provider.key, circuit.Group{byte(seed)})
				if err != nil {
					t.Fatalf("seed %d: %v", seed, err)
				}
				_, _ = s.Write([]byte("prompt"))
				_ = s.CloseWrite()
				_, err = io.ReadAll(s)
				s.Close()
				if err == nil {
					break
				}
				if !errors.Is(err, circuit.ErrSilent) || attempts == 2 {
					t.Fatalf("seed %d: attempt %d: %v", seed, attempts, err)
				}
			}
			if d := time.Since(start); d > 4*time.Second {
				t.Errorf("seed %d: answered after %v", seed, d)
			}
		})
	}
}

// A link that is gone for a second loses no request, and none is sent twice.
func TestShortSilenceIsNoReasonToAskTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		var stall atomic.Int64
		n.dial = func() (net.Conn, net.Conn) {
			a, b := slowPipe(5*time.Millisecond, 512<<10)
			return &stallConn{a, &stall}, &stallConn{b, &stall}
		}
		l := newLab(t, n, 3, 2)
		l.each(t, echo)
		l.dial(t).Close()
		time.Sleep(5 * time.Minute)
		stall.Store(time.Now().Add(1800 * time.Millisecond).UnixNano())
		s := l.dial(t)
		_, _ = s.Write([]byte("prompt"))
		_ = s.CloseWrite()
		if got, err := io.ReadAll(s); err != nil || string(got) != "prompt" {
			t.Errorf("%q, %v", got, err)
		}
		s.Close()
	})
}

// stallConn delivers nothing until a moment.
type stallConn struct {
	net.Conn
	until *atomic.Int64
}

func (c *stallConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	time.Sleep(time.Until(time.Unix(0, c.until.Load())))
	return n, err
}
