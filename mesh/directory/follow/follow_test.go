package follow

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/multiformats/go-multiaddr"

	"github.com/culvert-net/culvert/mesh/directory"
	"github.com/culvert-net/culvert/mesh/directory/bundle"
	"github.com/culvert-net/culvert/mesh/directory/dirtest"
	"github.com/culvert-net/culvert/mesh/directory/mirror"
	"github.com/culvert-net/culvert/mesh/quorum"
	"github.com/culvert-net/culvert/mesh/world"
)

// network is a world with mirrors that can be broken.
type network struct {
	*dirtest.World
	mu      sync.Mutex
	mirrors map[[32]byte]*node
	wg      sync.WaitGroup // of serving goroutines
}

// node is one mirror.
type node struct {
	store  *mirror.Store
	down   bool
	change func(io.ReadWriter) io.ReadWriter // what it does to its own answers

	asked    [][]byte    // what it was told, whole
	openedAt []time.Time // one per stream
}

var errDown = errors.New("connection refused")

func key(n int) [32]byte { return dirtest.Public(dirtest.Key(n)) }

// build makes a network of mirrors, each with a store of its own. The first so
// many are seeds.
func build(t *testing.T, mirrors, seeds int) *network {
	t.Helper()
	n := &network{World: dirtest.New(t, 5*time.Minute, 2, 3), mirrors: make(map[[32]byte]*node)}
	for i := range seeds {
		n.Seeds = append(n.Seeds, addr(t, i))
	}
	for i := range mirrors {
		n.mirrors[key(i)] = &node{store: newStore(t, n.World, "")}
	}
	t.Cleanup(n.wg.Wait)
	return n
}

// addr is a loopback address that ends in the peer id of the n-th key.
func addr(t testing.TB, n int) string {
	t.Helper()
	public := key(n)
	id := append([]byte{0x00, 0x24, 0x08, 0x01, 0x12, 0x20}, public[:]...)
	b := append(multiaddr.CodeToVarint(multiaddr.P_P2P), byte(len(id)))
	m, err := multiaddr.NewMultiaddrBytes(append(b, id...))
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("/ip4/127.0.0.1/tcp/%d%s", 5000+n, m)
}

// alter changes mirrors while others may ask them.
func (n *network) alter(f func(m *node), which ...int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, i := range which {
		f(n.mirrors[key(i)])
	}
}

// allDown has nobody answer any more.
func (n *network) allDown() {
	for i := range len(n.mirrors) {
		n.alter(func(m *node) { m.down = true }, i)
	}
}

// counted is how often a mirror was asked.
func (n *network) counted(i int) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.mirrors[key(i)].openedAt)
}

// publish gives a bundle to mirrors; none are all.
func (n *network) publish(t *testing.T, b *bundle.Bundle, who ...int) {
	t.Helper()
	for i := range len(n.mirrors) {
		if len(who) == 0 || slices.Contains(who, i) {
			if err := n.mirrors[key(i)].store.Put(b); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// now is the bundle of this epoch, of so many relays.
func (n *network) now(t *testing.T, relays int) *bundle.Bundle {
	t.Helper()
	epoch := n.Epoch(time.Now())
	return n.Bundle(t, epoch, world.Hash{}, n.Relays(t, relays, epoch), 0, 1)
}

// opener opens streams on the network; way says whose they are.
type opener struct {
	*network
	direct bool

	opened *[]Mirror // guarded by network.mu
}

func (o opener) Open(_ context.Context, m Mirror) (io.ReadWriteCloser, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.direct != (m.Addr != "") {
		return nil, errors.New("asked on the wrong way")
	}
	if o.opened != nil {
		*o.opened = append(*o.opened, m)
	}
	s := o.mirrors[m.Key]
	if s == nil || s.down {
		return nil, errDown
	}
	i := len(s.asked)
	s.asked = append(s.asked, nil)
	s.openedAt = append(s.openedAt, time.Now())
	near, far := net.Pipe()
	change, store := s.change, s.store
	o.wg.Go(func() {
		defer far.Close()
		var end io.ReadWriter = far
		if change != nil {
			end = change(far)
		}
		rec := &recorder{ReadWriter: end}
		_ = mirror.Serve(context.Background(), rec, store, nil) // told to the asker
		o.mu.Lock()
		defer o.mu.Unlock()
		s.asked[i] = rec.read.Bytes()
	})
	return near, nil
}

// recorder keeps what was read.
type recorder struct {
	io.ReadWriter
	read bytes.Buffer
}

func (r *recorder) Read(p []byte) (int, error) {
	n, err := r.ReadWriter.Read(p)
	r.read.Write(p[:n])
	return n, err
}

// follower is one that runs.
type follower struct {
	*Follower
	view  *directory.View
	store *mirror.Store
	log   *bytes.Buffer
	stop  func()
}

// start runs a follower until the test ends.
func (n *network) start(t *testing.T, dir string, change func(*Config)) *follower {
	t.Helper()
	f := &follower{view: directory.NewView(n.World.World), store: newStore(t, n.World, dir), log: new(bytes.Buffer)}
	cfg := Config{
		World: n.World.World, Store: f.store, View: f.view, Direct: opener{network: n, direct: true},
		Log: slog.New(slog.NewTextHandler(f.log, nil)),
	}
	if change != nil {
		change(&cfg)
	}
	var err error
	if f.Follower, err = New(cfg); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- f.Run(ctx) }()
	f.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(f.stop)
	return f
}

// Three mirrors agree; what they have is shown, epoch after epoch, and on disk.
func TestFollow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := build(t, 3, 3)
		dir := t.TempDir()
		n.publish(t, n.now(t, 3))
		f := n.start(t, dir, nil)
		if err := f.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		for relays := 3; relays < 6; relays++ {
			if snap := f.view.Snapshot(); len(snap.Relays()) != relays || snap.Epoch() != n.Epoch(time.Now()) {
				t.Fatalf("%d relays of epoch %d", len(snap.Relays()), snap.Epoch())
			}
			s := f.Status()
			if s.Relays != relays || s.Problem != "" || s.Clock != "" || s.Asked != 3 || s.Answered != 3 {
				t.Errorf("status %+v", s)
			}
			time.Sleep(time.Until(n.EpochStart(n.Epoch(time.Now()) + 1)))
			n.publish(t, n.now(t, relays+1))
			time.Sleep(n.EpochLen() / 2)
			synctest.Wait()
		}
		f.stop()

		// Everybody is away: what is on disk is shown at once, and for two epochs
		// more.
		n.allDown()
		f = n.start(t, dir, nil)
		synctest.Wait()
		if f.view.Snapshot().Len() != 6 || f.Status().Problem != "not reachable" {
			t.Errorf("%d nodes from disk, %q", f.view.Snapshot().Len(), f.Status().Problem)
		}
		time.Sleep(time.Until(n.EpochStart(n.Epoch(time.Now()) + 3)))
		if f.view.Snapshot().Len() != 6 {
			t.Error("a root of two epochs ago is not good enough")
		}
		time.Sleep(clockTick + time.Second)
		synctest.Wait()
		if f.view.Snapshot().Len() != 0 {
			t.Error("a root of three epochs ago is still in use")
		}
		if !strings.Contains(f.log.String(), "no newer directory") {
			t.Errorf("operators are not told: %s", f.log)
		}
	})
}

// When a follower asks depends on the time alone: once per epoch, after its
// beginning; more often only while something is due that is not there.
func TestSchedule(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := build(t, 3, 3)
		n.publish(t, n.now(t, 3))
		f := n.start(t, "", nil)
		if err := f.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		rounds := func() int { return int(f.Status().RoundsOK + f.Status().RoundsFailed) }
		before := rounds()
		for range 5 {
			start := n.EpochStart(n.Epoch(time.Now()) + 1)
			time.Sleep(time.Until(start))
			n.publish(t, n.now(t, 3))
			time.Sleep(n.EpochLen() / 17)
			synctest.Wait()
			if rounds() != before {
				t.Fatal("mirrors are asked before signers can have met")
			}
			time.Sleep(n.EpochLen() / 3)
			synctest.Wait()
			if before++; rounds() != before {
				t.Fatalf("%d rounds in an epoch", rounds()-before+1)
			}
		}
		// Signers are late: a few rounds, and the old one stays in use.
		time.Sleep(time.Until(n.EpochStart(n.Epoch(time.Now()) + 1)))
		time.Sleep(n.EpochLen() - time.Second)
		synctest.Wait()
		if more := rounds() - before; more < 4 || more > 12 {
			t.Errorf("%d rounds in an epoch without a root", more)
		}
		if f.view.Snapshot().Len() != 3 {
			t.Error("the last root is not in use")
		}
	})
}

// A signer has a new root before others have, and they have it seconds later: it asks
// again, and does not say for the rest of the epoch that mirrors disagree.
func TestAheadOfMirrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := build(t, 3, 3)
		n.publish(t, n.now(t, 3))
		f := n.start(t, "", nil)
		if err := f.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Until(n.EpochStart(n.Epoch(time.Now()) + 1)))
		b := n.now(t, 4)
		if err := errors.Join(f.store.Believe(b.Root), f.store.Put(b)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(n.EpochLen() / 3)
		synctest.Wait()
		if s := f.Status(); s.Problem != mirror.ErrLower.Error() || s.Relays != 4 {
			t.Fatalf("with mirrors behind: %+v", s)
		}
		n.publish(t, b)
		time.Sleep(n.EpochLen() / 4)
		synctest.Wait()
		if s := f.Status(); s.Problem != "" {
			t.Errorf("mirrors have it too, and the status is %q still", s.Problem)
		}
	})
}

// lying is a store that one signer's name is enough for, so that it serves what
// no honest one would.
func lying(t *testing.T, n *network, signer int) *mirror.Store {
	t.Helper()
	s, err := mirror.Open(mirror.Config{World: n.World.World, Quorum: quorum.Quorum{Signers: [][32]byte{dirtest.Public(n.Signers[signer])}, Threshold: 1}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Nothing that mirrors or fewer than t signers do makes a follower show what is
// not so. In each case it had the bundle of an epoch, or starts with nothing.
func TestEclipse(t *testing.T) {
	cases := []struct {
		name string
		// lie changes the network at the beginning of an epoch, in which nothing
		// honest was published yet.
		lie     func(t *testing.T, n *network)
		problem string // "" for none
		forked  bool
		late    int // relays shown to one that followed before
		first   int // relays shown to one that starts now

		atFirst   string // the problem then, if it is another; "-" for none
		firstOnly bool   // who followed before would see a contradiction
	}{
		{"honest", func(t *testing.T, n *network) { n.publish(t, n.now(t, 4)) }, "", false, 4, 4, "", false},
		{"nobody publishes", func(*testing.T, *network) {}, "", false, 3, 3, "", false},
		{"t-1 signers collude, and all mirrors", func(t *testing.T, n *network) {
			b := n.now(t, 1)
			for i := range 3 {
				store := lying(t, n, 2)
				n.alter(func(m *node) { m.store = store }, i)
				if err := store.Put(n.Bundle(t, b.Root.Epoch, world.Hash{}, n.Relays(t, 1, b.Root.Epoch), 2)); err != nil {
					t.Fatal(err)
				}
			}
		}, quorum.ErrTooFew.Error(), false, 3, 0, "", false},
		{"one mirror lies: too few signatures", func(t *testing.T, n *network) {
			n.publish(t, n.now(t, 4), 1, 2)
			store := lying(t, n, 2)
			n.alter(func(m *node) { m.store = store }, 0)
			if err := store.Put(n.Bundle(t, n.Epoch(time.Now()), world.Hash{}, nil, 2)); err != nil {
				t.Fatal(err)
			}
		}, "", false, 4, 4, "", false},
		{"one mirror lies: garbage", func(t *testing.T, n *network) {
			n.publish(t, n.now(t, 4))
			n.alter(func(m *node) {
				m.change = func(rw io.ReadWriter) io.ReadWriter { return dirtest.Garble(rw, 5) }
			}, 0)
		}, "", false, 4, 4, "", false},
		{"one mirror lies: it hides the newest", func(t *testing.T, n *network) { n.publish(t, n.now(t, 4), 1, 2) }, "", false, 4, 4, "", false},
		{"two mirrors shrink the bundle", func(t *testing.T, n *network) {
			n.publish(t, n.now(t, 4))
			for i := range 2 {
				n.alter(func(m *node) { m.change = dirtest.Shrink }, i)
			}
		}, "", false, 4, 4, "", false},
		{"all mirrors shrink the bundle", func(t *testing.T, n *network) {
			n.publish(t, n.now(t, 4))
			for i := range 3 {
				n.alter(func(m *node) { m.change = dirtest.Shrink }, i)
			}
		}, bundle.ErrShrunken.Error(), false, 3, 0, "", false},
		{"a bundle for every user", func(t *testing.T, n *network) {
			epoch := n.Epoch(time.Now())
			n.publish(t, n.now(t, 4), 1, 2)
			n.publish(t, n.Bundle(t, epoch, world.Hash{}, n.Relays(t, 1, epoch), 1, 2), 0)
		}, mirror.ErrForked.Error(), true, 0, 0, "", false},
		{"all mirrors roll back", func(t *testing.T, n *network) {
			epoch := n.Epoch(time.Now()) - 2
			old := n.Bundle(t, epoch, world.Hash{}, n.Relays(t, 1, epoch), 0, 1)
			for i := range 3 {
				n.alter(func(m *node) { m.store = newStore(t, n.World, "") }, i)
			}
			n.publish(t, old)
		}, mirror.ErrLower.Error(), false, 3, 1, "-", false},
		{"all mirrors are frozen", func(t *testing.T, n *network) {
			epoch := n.Epoch(time.Now()) - 3
			old := n.Bundle(t, epoch, world.Hash{}, n.Relays(t, 1, epoch), 0, 1)
			for i := range 3 {
				n.alter(func(m *node) { m.store = newStore(t, n.World, "") }, i)
			}
			n.publish(t, old)
		}, mirror.ErrLower.Error(), false, 3, 0, ErrStale.Error(), false},
		{"one mirror left", func(t *testing.T, n *network) {
			n.publish(t, n.now(t, 4))
			n.alter(func(m *node) { m.down = true }, 0, 1)
		}, "not reachable", false, 3, 0, "", false},
		{"they never agree", func(t *testing.T, n *network) {
			epoch := n.Epoch(time.Now())
			for i := range 3 {
				n.alter(func(m *node) { m.store = newStore(t, n.World, "") }, i)
				e := epoch - uint64(i)
				n.publish(t, n.Bundle(t, e, world.Hash{1}, n.Relays(t, 2, e), 0, 1), i)
			}
		}, ErrDisagree.Error(), false, 3, 0, "", true},
	}
	for _, c := range cases {
		for _, before := range []bool{true, false} {
			if before && c.firstOnly {
				continue
			}
			name := c.name + ", at first start"
			if before {
				name = c.name + ", later"
			}
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					n := build(t, 3, 3)
					dir := t.TempDir()
					if before || c.first == 3 {
						n.publish(t, n.now(t, 3))
					}
					var f *follower
					if before {
						f = n.start(t, dir, nil)
						if err := f.Wait(t.Context()); err != nil {
							t.Fatal(err)
						}
					}
					time.Sleep(time.Until(n.EpochStart(n.Epoch(time.Now()) + 1)))
					c.lie(t, n)
					if !before {
						f = n.start(t, dir, nil)
					}
					time.Sleep(n.EpochLen() - time.Second)
					synctest.Wait()
					want := c.first
					problem := c.problem
					if before {
						want = c.late
					} else if c.atFirst != "" {
						problem = strings.Trim(c.atFirst, "-")
					}
					s := f.Status()
					if s.Relays != want || s.Problem != problem || (s.Forked != "") != c.forked {
						t.Errorf("%d relays, %q, forked %q; want %d, %q", s.Relays, s.Problem, s.Forked, want, problem)
					}
					if !c.forked {
						return
					}
					// Proof is kept: a restart believes nothing either, and asks nobody.
					f.stop()
					asked := n.counted(1)
					f = n.start(t, dir, nil)
					time.Sleep(3 * n.EpochLen())
					if s := f.Status(); s.Relays != 0 || s.Forked == "" || n.counted(1) != asked {
						t.Errorf("after a restart: %+v", s)
					}
				})
			})
		}
	}
}

// silent takes a question and answers nothing, for as long as it may.
func silent(rw io.ReadWriter) io.ReadWriter { return mute{rw} }

type mute struct{ io.ReadWriter }

func (m mute) Read([]byte) (int, error) {
	_, err := io.Copy(io.Discard, m.ReadWriter)
	return 0, errors.Join(io.EOF, err)
}

// A mirror that keeps whoever asks waiting holds up nobody: a person who started
// a bridge used to wait for its last second, 20 for roots and 60 for a bundle,
// whatever the other mirrors said.
func TestStallingMirrors(t *testing.T) {
	for _, c := range []struct {
		name  string
		stall func(n *network, enough chan struct{})
		limit time.Duration
	}{
		{"one is silent", func(n *network, _ chan struct{}) { n.alter(func(m *node) { m.change = silent }, 0) }, lateness},
		{"two withhold the bundle", func(n *network, enough chan struct{}) {
			n.alter(func(m *node) {
				m.change = func(rw io.ReadWriter) io.ReadWriter { return dirtest.Withhold(rw, enough) }
			}, 0, 1)
		}, 2 * bundlePatience},
		{"one is silent, and one withholds the bundle", func(n *network, enough chan struct{}) {
			n.alter(func(m *node) { m.change = silent }, 0)
			n.alter(func(m *node) {
				m.change = func(rw io.ReadWriter) io.ReadWriter { return dirtest.Withhold(rw, enough) }
			}, 1)
		}, lateness + bundlePatience},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := build(t, 3, 3)
				n.publish(t, n.now(t, 4))
				enough := make(chan struct{})
				t.Cleanup(func() { close(enough) })
				c.stall(n, enough)
				began := time.Now()
				f := n.start(t, "", nil)
				if err := f.Wait(t.Context()); err != nil {
					t.Fatal(err)
				}
				if took := time.Since(began); took > c.limit {
					t.Errorf("a directory after %v, want it within %v", took, c.limit)
				}
			})
		})
	}
}

// Who is slow is waited for as long as what the others say is not enough.
func TestSlowMirrorIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := build(t, 3, 3)
		n.publish(t, n.now(t, 4), 1, 2)
		store := lying(t, n, 2)
		n.alter(func(m *node) { m.store = store }, 0)
		if err := store.Put(n.Bundle(t, n.Epoch(time.Now()), world.Hash{}, nil, 2)); err != nil {
			t.Fatal(err)
		}
		n.alter(func(m *node) {
			m.change = func(rw io.ReadWriter) io.ReadWriter { time.Sleep(rootsTimeout - time.Second); return rw }
		}, 1)
		f := n.start(t, "", nil)
		if err := f.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		if s := f.Status(); s.RoundsFailed != 0 || s.Relays != 4 {
			t.Errorf("%d rounds failed, %d relays; want the slow one's word in the first round", s.RoundsFailed, s.Relays)
		}
	})
}

// The clock is off, by an hour and by a year, ahead and behind, at the first
// start and later: nothing wrong is shown, and a person is told why.
func TestClockIsOff(t *testing.T) {
	for _, by := range []time.Duration{time.Hour, -time.Hour, 365 * 24 * time.Hour, -365 * 24 * time.Hour} {
		for _, later := range []bool{false, true} {
			t.Run(fmt.Sprintf("mirrors %v ahead, later %v", by, later), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					// A year passes first, so that there is one to be behind by. Mirrors
					// live at another time than this machine.
					time.Sleep(2 * 365 * 24 * time.Hour)
					n := build(t, 3, 3)
					dir := t.TempDir()
					if later {
						n.publish(t, n.now(t, 3))
						f := n.start(t, dir, nil)
						if err := f.Wait(t.Context()); err != nil {
							t.Fatal(err)
						}
						f.stop()
						for i := range 3 {
							n.alter(func(m *node) { m.store = newStore(t, n.World, "") }, i)
						}
					}
					epoch := n.Epoch(time.Now().Add(by))
					n.publish(t, n.Bundle(t, epoch, world.Hash{}, n.Relays(t, 4, epoch), 0, 1))
					for _, m := range n.mirrors {
						m.change = func(rw io.ReadWriter) io.ReadWriter { return dirtest.Shift(rw, by) }
					}
					f := n.start(t, dir, nil)
					time.Sleep(time.Second)
					synctest.Wait()
					s := f.Status()
					want, relays := ErrFuture.Error(), 0
					switch {
					case by < 0 && later:
						want, relays = mirror.ErrLower.Error(), 3
					case by < 0:
						want = ErrStale.Error()
					case later:
						relays = 3
					}
					way := map[bool]string{true: "behind", false: "ahead of"}[by > 0]
					if s.Problem != want || s.Relays != relays || !strings.Contains(s.Clock, way+" what 3 mirrors say") {
						t.Errorf("%q, %d relays, clock %q; want %q, %d, %s", s.Problem, s.Relays, s.Clock, want, relays, way)
					}
					if !strings.Contains(f.log.String(), "clock is off") {
						t.Error("operators are not told")
					}
				})
			})
		}
	}
}

// Two bridges that want different models send the same bytes at the same times.
func TestTranscriptsAreIdentical(t *testing.T) {
	transcript := func(t *testing.T, model string) (all [][]byte) {
		synctest.Test(t, func(t *testing.T) {
			n := build(t, 3, 3)
			epoch := n.Epoch(time.Now())
			ds := append(n.Relays(t, 3, epoch), append(n.Node(t, 10, epoch, 1, "small"), n.Node(t, 11, epoch, 1, "large")...)...)
			n.publish(t, n.Bundle(t, epoch, world.Hash{}, ds, 0, 1))
			dir := t.TempDir()
			f := n.start(t, dir, func(c *Config) {
				c.Enough = func(s *directory.Snapshot) bool { return len(s.Providers(model)) > 0 }
			})
			if model != "nowhere" {
				if err := f.Wait(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			for range 2 {
				time.Sleep(time.Until(n.EpochStart(n.Epoch(time.Now()) + 1)))
				n.publish(t, n.now(t, 3))
				time.Sleep(n.EpochLen() / 2)
			}
			f.stop()
			f = n.start(t, dir, nil) // and once more, after a restart
			time.Sleep(n.EpochLen() / 4)
			f.stop()
			synctest.Wait()
			for i := range 3 {
				all = append(all, n.mirrors[key(i)].asked...)
			}
		})
		// Which of the mirrors is asked for a bundle is drawn by lot.
		slices.SortFunc(all, bytes.Compare)
		return all
	}
	small := transcript(t, "small")
	for _, model := range []string{"large", "nowhere"} {
		if other := transcript(t, model); !slices.EqualFunc(small, other, bytes.Equal) {
			t.Errorf("who wants %s sends something else: %d and %d requests", model, len(small), len(other))
		}
	}
	if len(small) < 12 {
		t.Errorf("only %d requests were compared", len(small))
	}
}

// A bridge asks seeds directly as long as it has no directory, and mirrors of
// the directory over circuits from then on.
func TestCircuitsOnceThereIsADirectory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := build(t, 6, 2)
		n.publish(t, n.now(t, 6))
		var direct, circuits []Mirror
		f := n.start(t, "", func(c *Config) {
			c.Direct = opener{network: n, direct: true, opened: &direct}
			c.Circuits = opener{network: n, opened: &circuits}
		})
		if err := f.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		opened := func(list *[]Mirror) int {
			n.mu.Lock()
			defer n.mu.Unlock()
			return len(*list)
		}
		if opened(&direct) != 3 || opened(&circuits) != 0 { // two for roots, one for the bundle
			t.Errorf("first %d direct, %d over circuits", len(direct), len(circuits))
		}
		seen := make(map[Mirror]bool)
		for range 12 {
			time.Sleep(time.Until(n.EpochStart(n.Epoch(time.Now()) + 1)))
			n.publish(t, n.now(t, 6))
			time.Sleep(n.EpochLen() / 2)
			synctest.Wait()
			n.mu.Lock()
			three := slices.Clone(circuits[len(circuits)-4 : len(circuits)-1])
			n.mu.Unlock()
			if three[0] == three[1] || three[1] == three[2] || three[0] == three[2] {
				t.Error("a mirror is asked twice")
			}
			for _, m := range three {
				seen[m] = true
			}
		}
		if opened(&direct) != 3 || len(seen) != 6 {
			t.Errorf("%d direct, %d mirrors asked", len(direct), len(seen))
		}
		// Nobody is reached any more: what is there is used up, then seeds are asked.
		n.allDown()
		time.Sleep(4 * n.EpochLen())
		synctest.Wait()
		if opened(&direct) == 3 || f.view.Snapshot().Len() != 0 {
			t.Error("without a directory, seeds are not asked")
		}
	})
}

// A relay that is asked for an unknown node asks anew, but does not let others
// set its pace.
func TestRefresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := build(t, 3, 3)
		n.publish(t, n.now(t, 3))
		f := n.start(t, "", nil)
		if err := f.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		before := f.Status().RoundsOK
		for range 50 {
			f.Refresh()
			time.Sleep(100 * time.Millisecond)
			synctest.Wait()
		}
		if got := f.Status().RoundsOK - before; got != 1 {
			t.Errorf("%d rounds in five seconds", got)
		}
		time.Sleep(refreshEvery)
		f.Refresh()
		time.Sleep(time.Second)
		synctest.Wait()
		if got := f.Status().RoundsOK - before; got != 2 {
			t.Errorf("%d rounds after a while", got)
		}
	})
}

func TestNewRefuses(t *testing.T) {
	n := build(t, 1, 1)
	if _, err := New(Config{World: n.World.World}); err == nil {
		t.Error("a follower without anything")
	}
	f, err := New(Config{
		World: n.World.World, Store: newStore(t, n.World, ""), View: directory.NewView(n.World.World),
		Direct: opener{network: n}, Self: key(0),
	})
	if err != nil || len(f.seeds) != 0 {
		t.Errorf("a seed asks itself: %v, %v", f.seeds, err)
	}
}
