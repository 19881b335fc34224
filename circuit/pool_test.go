package circuit_test

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/culvert-net/culvert/circuit"
)

// counts is what the client asked of its paths so far.
func (p *paths) counts() (stems, asked int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stems, p.asked
}

// dieConn ends the link soon after CREATE and EXTEND went over it.
type dieConn struct {
	net.Conn
	n atomic.Int64
}

func (c *dieConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	if c.n.Add(1) == 2 {
		time.AfterFunc(2*time.Millisecond, func() { c.Conn.Close() })
	}
	return n, err
}

// What cannot be built is tried again after a pause that doubles, whatever
// wakes the pool meanwhile; it once was tried 13,000 times a second.
func TestFailingBuildsPause(t *testing.T) {
	for name, setup := range map[string]func(l *lab){
		"provider down": func(l *lab) { l.paths.likely = true; l.provider.kill() },
		"middle down":   func(l *lab) { l.relays[1].kill() },
		"entry down":    func(l *lab) { l.relays[0].kill() },
		"entry that kills what was built": func(l *lab) {
			l.net.onLinksOf("user", func(c net.Conn) net.Conn { return &dieConn{Conn: c} })
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := stillLab(t, newNetwork(), 3, 0)
				l.paths.forgive = true
				setup(l)
				l.run(t)
				time.Sleep(time.Second)
				if stems, asked := l.paths.counts(); stems+asked > 12 {
					t.Errorf("%d stems and %d providers tried in a second", stems, asked)
				}
			})
		})
	}
}

func TestOneDeadProviderDoesNotStarveTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := stillLab(t, newNetwork(), 3, 0)
		other := l.net.add(t, "provider-2")
		other.serve(t, func(c *circuit.RelayConfig) { c.Extend, c.Serve = false, []circuit.StreamKind{circuit.StreamHTTP} })
		l.paths.likely, l.paths.providers = true, append(l.paths.providers, other)
		l.provider.kill()
		l.run(t)
		time.Sleep(2 * time.Second)
		for _, c := range l.client.Circuits() {
			if c.State == "open" {
				return
			}
		}
		t.Error("no circuit to the second provider: the first is dead and first in the list")
	})
}

// only lets a test's own stems be built, and none ahead of a Dial.
func only(stem func(call int) []circuit.Hop) func(int, [32]byte) ([]circuit.Hop, error) {
	calls := 0
	return func(_ int, not [32]byte) ([]circuit.Hop, error) {
		if not == [32]byte{} {
			return nil, errors.New("no stems ahead of a Dial in this test")
		}
		calls++
		return stem(calls), nil
	}
}

func TestTwoBadMiddlesAreNotTheProvidersFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := stillLab(t, newNetwork(), 3, 1)
		l.relays[1].kill()
		l.paths.stem = only(func(call int) []circuit.Hop {
			if call <= 2 {
				return []circuit.Hop{l.relays[0].hop(), l.relays[1].hop()}
			}
			return []circuit.Hop{l.relays[0].hop(), l.relays[2].hop()}
		})
		l.run(t)
		s, err := l.client.Dial(context.Background(), l.provider.key, circuit.Group{})
		if err != nil {
			t.Fatal(err)
		}
		s.Close()
	})
}

// Two relays that cannot reach a provider are believed; one that says so
// twice is one.
func TestOneRelayIsNotAskedTwice(t *testing.T) {
	for range 20 {
		synctest.Test(t, func(t *testing.T) {
			l := stillLab(t, newNetwork(), 3, 1)
			bad := l.net.add(t, "bad")
			bad.serve(t, func(c *circuit.RelayConfig) { c.Extend = false })
			calls := 0
			l.paths.stem = func(int, [32]byte) ([]circuit.Hop, error) {
				if calls++; calls == 1 {
					return []circuit.Hop{l.relays[0].hop(), bad.hop()}, nil
				}
				return []circuit.Hop{l.relays[0].hop(), l.relays[1].hop()}, nil
			}
			l.run(t)
			time.Sleep(time.Second) // two stems are ready
			s, err := l.client.Dial(context.Background(), l.provider.key, circuit.Group{})
			if err != nil {
				t.Fatalf("one bad relay beside a good one: %v", err)
			}
			s.Close()
			l.paths.mu.Lock()
			defer l.paths.mu.Unlock()
			if l.paths.blamed[l.provider.key] > 0 {
				t.Error("the provider is blamed for a relay that does not extend")
			}
		})
	}
}

// Paths that would hide less than a circuit promises are not built, whoever
// proposes them.
func TestBadPathsAreNotBuilt(t *testing.T) {
	for name, stem := range map[string]func(l *lab) []circuit.Hop{
		"provider in the stem": func(l *lab) []circuit.Hop {
			return []circuit.Hop{l.provider.hop(), l.relays[0].hop(), l.relays[1].hop()}
		},
		"too short": func(l *lab) []circuit.Hop { return []circuit.Hop{l.relays[0].hop()} },
		"none":      func(*lab) []circuit.Hop { return nil },
		"relay twice": func(l *lab) []circuit.Hop {
			return []circuit.Hop{l.relays[0].hop(), l.relays[1].hop(), l.relays[0].hop()}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := stillLab(t, newNetwork(), 4, 0)
				l.paths.stem = only(func(int) []circuit.Hop { return stem(l) })
				l.run(t)
				if s, err := l.client.Dial(context.Background(), l.provider.key, circuit.Group{}); err == nil {
					t.Errorf("a circuit over %v", l.client.Circuits()[0].Hops)
					s.Close()
				}
			})
		})
	}
}

func TestDialSaysThatItsContextEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		slow := n.add(t, "slow") // takes links and answers nothing
		l := stillLab(t, n, 3, 0)
		l.paths.stem = only(func(int) []circuit.Hop { return []circuit.Hop{slow.hop(), l.relays[0].hop()} })
		l.run(t)
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if _, err := l.client.Dial(ctx, l.provider.key, circuit.Group{}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Dial = %v, want DeadlineExceeded", err)
		}
	})
}

// When a relay stops without a word, one request finds out; those after it do
// not, though circuits and stems over the same relay stand ready.
func TestSilentRelayIsFoundOnce(t *testing.T) {
	for seed := range uint64(10) {
		synctest.Test(t, func(t *testing.T) {
			n := newNetwork()
			fz := &freezer{frozen: make(chan struct{})}
			n.wrap = func(from, to [32]byte, c net.Conn) net.Conn {
				n.mu.Lock()
				defer n.mu.Unlock()
				if n.nodes[from].name == "relay-2" || n.nodes[to].name == "relay-2" {
					return &freezeConn{c, fz}
				}
				return c
			}
			l := stillLab(t, n, 3, 2)
			l.paths.likely = true
			rnd := rand.New(rand.NewPCG(seed, 0))
			l.paths.stem = func(n int, _ [32]byte) ([]circuit.Hop, error) {
				var hops []circuit.Hop
				for _, failed := range []bool{false, true} { // those that did not fail first
					for _, i := range rnd.Perm(len(l.relays)) {
						if r := l.relays[i]; l.paths.failed[r.key] == failed && len(hops) < n {
							hops = append(hops, r.hop())
						}
					}
				}
				return hops, nil
			}
			l.run(t)
			l.each(t, echo)
			silent := 0
			for i := range 6 {
				s, err := l.client.Dial(context.Background(), l.provider.key, circuit.Group{byte(i)})
				if err != nil {
					t.Fatalf("seed %d: %v", seed, err)
				}
				time.Sleep(time.Second)
				if i == 0 {
					close(fz.frozen) // other circuits stand ready by now
				}
				_ = s.CloseWrite()
				if _, err := io.Copy(io.Discard, s); err != nil {
					silent++
				}
				s.Close()
			}
			if silent > 1 {
				t.Errorf("seed %d: %d of 6 requests ran into the relay that stopped", seed, silent)
			}
		})
	}
}

// When a relay dies, the request that finds out is the only one: its second
// attempt, made at once, does not go over a ready circuit with the same relay.
func TestDeadRelayIsMetOnce(t *testing.T) {
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			n := newNetwork()
			dead := make(map[string]*freezer)
			for _, name := range []string{"relay-1", "relay-2", "relay-3"} {
				dead[name] = &freezer{frozen: make(chan struct{})}
			}
			n.wrap = func(from, to [32]byte, c net.Conn) net.Conn {
				n.mu.Lock()
				defer n.mu.Unlock()
				for _, key := range [][32]byte{from, to} {
					if fz := dead[n.nodes[key].name]; fz != nil {
						c = &freezeConn{c, fz}
					}
				}
				return c
			}
			l := stillLab(t, n, 3, 1)
			l.paths.likely = true
			rnd := rand.New(rand.NewPCG(seed, 0))
			l.paths.stem = func(n int, _ [32]byte) ([]circuit.Hop, error) {
				var hops []circuit.Hop
				for _, failed := range []bool{false, true} {
					for _, i := range rnd.Perm(len(l.relays)) {
						if r := l.relays[i]; l.paths.failed[r.key] == failed && len(hops) < n {
							hops = append(hops, r.hop())
						}
					}
				}
				return hops, nil
			}
			l.run(t)
			l.each(t, echo)
			first := l.dial(t)
			time.Sleep(time.Second) // other circuits stand ready by now
			over := -1
			for _, c := range l.client.Circuits() {
				if c.ID == first.Circuit() {
					over = slices.IndexFunc(l.relays, func(r *node) bool { return r.name == c.Hops[1] })
				}
			}
			// The relay is gone; its links are found out one after the other.
			r := l.relays[over]
			close(dead[r.name].frozen)
			r.mu.Lock()
			r.down = true
			links := r.links
			r.mu.Unlock()
			for _, k := range links {
				select {
				case <-first.Done():
				default:
					k.Close()
					synctest.Wait()
				}
			}
			_, _ = io.Copy(io.Discard, first)
			first.Close()
			again := l.dial(t)
			_ = again.CloseWrite()
			if _, err := io.Copy(io.Discard, again); err != nil {
				t.Errorf("seed %d: the second attempt: %v", seed, err)
			}
			again.Close()
		})
	}
}

// swallowConn passes one write on, the CREATE.
type swallowConn struct {
	net.Conn
	n int
}

func (c *swallowConn) Write(p []byte) (int, error) {
	if c.n++; c.n > 1 {
		return len(p), nil
	}
	return c.Conn.Write(p)
}

// An entry that swallows what comes after CREATE must not have every honest
// middle avoided in its place.
func TestEntryThatSwallowsIsBlamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		n.onLinksOf("user", func(c net.Conn) net.Conn { return &swallowConn{Conn: c} })
		l := stillLab(t, n, 3, 1)
		l.run(t)
		time.Sleep(20 * time.Second)
		l.paths.mu.Lock()
		defer l.paths.mu.Unlock()
		if l.paths.blamed[l.relays[1].key] > 0 && l.paths.blamed[l.relays[0].key] == 0 {
			t.Error("the middle is blamed and the entry is not")
		}
	})
}

// Why nothing can be built is known without a Dial, and forgotten when it can.
func TestProblem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := stillLab(t, newNetwork(), 3, 1)
		first := 2 // the relay that stems begin with
		l.relays[2].kill()
		l.paths.stem = func(int, [32]byte) ([]circuit.Hop, error) {
			return []circuit.Hop{l.relays[first].hop(), l.relays[1].hop()}, nil
		}
		l.run(t)
		time.Sleep(time.Second)
		err := l.client.Problem()
		if hop, ok := errors.AsType[*circuit.HopError](err); !ok || hop.Place != 1 || hop.Name != l.relays[2].name {
			t.Errorf("Problem = %v, want the entry that is dead", err)
		}
		l.paths.mu.Lock()
		first = 0
		l.paths.mu.Unlock()
		time.Sleep(time.Minute)
		if err := l.client.Problem(); err != nil {
			t.Errorf("Problem after a circuit was built = %v, want nil", err)
		}
	})
}

func TestReadyCountsStems(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, newNetwork(), 3, 0)
		if err := l.client.Ready(); err == nil {
			t.Error("ready before anything was built")
		}
		time.Sleep(time.Second)
		if err := l.client.Ready(); err != nil {
			t.Error(err)
		}
	})
}
