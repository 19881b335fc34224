//go:build e2e

package e2e

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/culvert-net/culvert/internal/app/doctor"
	"github.com/culvert-net/culvert/internal/app/node"
	"github.com/culvert-net/culvert/internal/app/observer"
	"github.com/culvert-net/culvert/mesh"
	"github.com/culvert-net/culvert/mesh/directory/dirtest"
	"github.com/culvert-net/culvert/mesh/directory/follow"
	"github.com/culvert-net/culvert/mesh/directory/mirror"
	"github.com/culvert-net/culvert/mesh/gossip"
	"github.com/culvert-net/culvert/mesh/quorum"
	meshworld "github.com/culvert-net/culvert/mesh/world"
)

// A machine's clock cannot be moved under a program that is linked statically, so
// the world is moved instead: its signers, nodes and mirrors live an hour or a year
// away.

const year = 365 * 24 * time.Hour

// wrongClock is how the clock of a bridge is off.
type wrongClock struct {
	name   string
	length time.Duration // of epochs, about
	by     time.Duration // the world is ahead by
	liars  int           // mirrors that live there

	// What status complains of, at the first start and later; nil: nothing, as the
	// epoch is the same all the same.
	first, later error

	says string // of the clock; "" nothing
}

const (
	anHour = 5 * time.Minute // epochs of which an hour is many
	aDay   = 24 * time.Hour  // epochs that an hour is within
)

var wrongClocks = []wrongClock{
	{"an hour behind", anHour, time.Hour, 3, follow.ErrFuture, follow.ErrFuture, "this machine's clock is about 60 minutes behind what 3 mirrors say"},
	{"an hour ahead", anHour, -time.Hour, 3, follow.ErrStale, mirror.ErrLower, "this machine's clock is about 60 minutes ahead of what 3 mirrors say"},
	{"a year behind", anHour, year, 3, follow.ErrFuture, follow.ErrFuture, "this machine's clock is about 365 days behind what 3 mirrors say"},
	{"a year ahead", anHour, -year, 3, follow.ErrStale, mirror.ErrLower, "this machine's clock is about 365 days ahead of what 3 mirrors say"},
	{"an hour behind, within an epoch", aDay, time.Hour, 3, nil, nil, "this machine's clock is about 60 minutes behind what 3 mirrors say"},
	{"right, while one mirror lies", aDay, year, 1, nil, nil, ""},
}

// move has so many mirrors live at another time. Where that is another epoch, they
// have the directory of it, properly signed; nobody is in it whom this test wants to
// see dialled.
func (s *stage) move(t *testing.T, c wrongClock) {
	t.Helper()
	there := s.real(t, s.epoch)
	if epoch := s.Epoch(time.Now().Add(c.by)); c.first != nil {
		there = s.forged(t, epoch, 0, 1, 2)
	}
	s.serve(s.tells(t, there))
	for i := range c.liars {
		s.lies(func(rw io.ReadWriter) io.ReadWriter { return dirtest.Shift(rw, c.by) }, i)
	}
}

// A bridge whose clock is off says so by name, and by how much, in its status, its
// log and its doctor's report. It builds nothing out of the directory of another
// time, and works if the epoch is the same all the same.
func TestEclipseClock(t *testing.T) {
	type moved struct {
		*onStage
		wrongClock
		after bool
	}
	var all []moved
	for _, c := range wrongClocks {
		for _, after := range []bool{false, true} {
			s := newStage(t, lengthAround(time.Now(), c.length))
			if after {
				s.serve(s.tells(t, s.real(t, s.epoch-1)))
			} else {
				s.move(t, c)
			}
			all = append(all, moved{bridgeOn(t, s), c, after})
		}
	}
	for _, x := range all {
		if x.after {
			x.settled(t, x.epoch-1)
			x.move(t, x.wrongClock)
		}
	}
	for _, x := range all {
		name, why := x.name+", at the first start", x.first
		if x.after {
			name, why = x.name+", later", x.later
		}
		t.Run(name, func(t *testing.T) {
			x.tell(t)
			switch {
			case why == nil:
				x.settled(t, x.epoch)
			case x.after:
				x.complains(t, why)
				x.settled(t, x.epoch-1)
			default:
				x.complains(t, why)
				x.refuses(t, why)
				if _, text := x.readyz(t); !strings.Contains(text, x.says) {
					t.Errorf("readyz = %q, want %q", text, x.says)
				}
			}
			x.namesItsClock(t, x.says)
			x.bridge.stop(t)
			if n := x.dialled(); n != 0 {
				t.Errorf("nodes of another time were dialled %d times", n)
			}
		})
	}
}

// namesItsClock checks that the bridge tells people what is with its clock: nothing,
// if says is empty.
func (b *onStage) namesItsClock(t *testing.T, says string) {
	t.Helper()
	if s := b.as(t).status(); s.Directory.Clock != says {
		t.Errorf("clock: %q, want %q", s.Directory.Clock, says)
	}
	out, _ := call(t, "bridge", "status", "--data", b.dir)
	r, code := examined(t, "bridge", "--data", b.dir)
	clock := finding(r, "clock")
	if says == "" {
		if strings.Contains(out, "clock") || strings.Contains(b.bridge.out.String(), "clock") || clock.Level != doctor.OK {
			t.Errorf("bridge status = %s, doctor: %+v; want nothing of the clock", out, clock)
		}
		return
	}
	if !strings.Contains(out, says) {
		t.Errorf("bridge status = %s; want %q", out, says)
	}
	const way = "this machine's clock is about "
	if clock.Level != doctor.Problem || code != 1 || !strings.Contains(clock.Found, way) || clock.Do != doctor.SetClock {
		t.Errorf("doctor = %d, %+v; want the clock named", code, clock)
	}
	b.logs(t, fmt.Sprintf("by=%q", says))
}

// An observer of which all other seeds live an hour, or a year, away says so by name
// to everybody who asks.
func TestObserverClock(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		by   time.Duration // the seeds are ahead by
		says string        // what follows "this machine's clock is"
	}{
		{time.Hour, "1h0m0s behind those of the world's seeds"},
		{-year, "8760h0m0s ahead of those of the world's seeds"},
	} {
		t.Run(c.says, func(t *testing.T) {
			t.Parallel()
			w := &watchers{t: t, root: t.TempDir(), daemons: make(map[string]*daemon)}
			succeed(t, "observer", "world", "create", "clocks", "--local", "--data", w.dir("a"), "--listen", w.listen())
			file := filepath.Join(w.dir("a"), "world.toml")
			there, err := meshworld.Load(file)
			if err != nil {
				t.Fatal(err)
			}
			for range 3 {
				there.Seeds = append(there.Seeds, seedElsewhere(t, there, c.by))
			}
			if err := meshworld.WriteFile(file, there); err != nil {
				t.Fatal(err)
			}
			a := daemonise(t, nil, "observer", "serve", "--data", w.dir("a"), "--status-listen", "127.0.0.1:0", "--log-format", "text")
			eventuallyEvery(t, lookEvery, longest, "the observer names its clock", func() error {
				out, _ := call(t, "observer", "status", "--data", w.dir("a"))
				if !strings.Contains(out, "this machine's clock is "+c.says+": set it right") {
					return errors.New(out)
				}
				return nil
			})
			var s observer.Status
			w.ask("a", &s, "status")
			if s.Ready || s.Clock == nil {
				t.Errorf("status = ready %v, clock %v; want it not ready, and how far the clock is ahead", s.Ready, s.Clock)
			}
			if !strings.Contains(a.out.String(), "this machine's clock differs from the world's") {
				t.Errorf("log = %s; want the clock named", a.out)
			}
			r, code := examined(t, "observer", "--data", w.dir("a"))
			if f := finding(r, "clock"); code != 1 || f.Level != doctor.Problem || f.Do != doctor.SetClock {
				t.Errorf("doctor = %d, %+v; want the clock named", code, f)
			}
		})
	}
}

// seedElsewhere is a seed of a world that lives at another time, and its address.
func seedElsewhere(t *testing.T, w *meshworld.World, by time.Duration) string {
	t.Helper()
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	host, err := mesh.New(mesh.Config{Key: key, Local: true, Listen: []string{"/ip4/127.0.0.1/tcp/0"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = host.Close() })
	store, err := mirror.Open(mirror.Config{World: w, Quorum: quorum.Of(w)})
	if err != nil {
		t.Fatal(err)
	}
	at, err := meshworld.ParseAddr(host.Addrs()[0])
	if err != nil {
		t.Fatal(err)
	}
	host.Handle(mesh.ProtoMirror, seats, seats, func(s *mesh.Stream) {
		_ = mirror.Serve(t.Context(), dirtest.Shift(s, by), store, nil) // told to who asks
		_ = s.Close()
	})
	return node.SeedAddr(at.Transport, host.Key())
}

// A member whose clock is an hour off, which is another epoch, is told from one that
// is a stranger, or lies: both sides of a session name the clock, and nobody is
// banned for it. What members say goes on among the others.
func TestMemberClock(t *testing.T) {
	t.Parallel()
	w := newWatchers(t, "--epoch", "15m")
	w.join("a", "b")
	w.members(2, "a", "b")
	w.daemons["b"].stop(t)
	key, err := node.LoadKey(filepath.Join(w.dir("b"), "transport.key"))
	if err != nil {
		t.Fatal(err)
	}
	here, err := meshworld.Load(filepath.Join(w.dir("b"), "world.toml"))
	if err != nil {
		t.Fatal(err)
	}
	host, err := mesh.New(mesh.Config{Key: key, Local: true})
	if err != nil {
		t.Fatal(err)
	}
	defer host.Close()
	for i, by := range []time.Duration{time.Hour, -time.Hour, year, -year} {
		// Sessions ask the world which epoch it is.
		there := *here
		now := time.Now()
		there.Rules.EpochLenMS = uint64(now.UnixMilli()) / here.Epoch(now.Add(by))
		stream, err := host.OpenAddr(t.Context(), mesh.ProtoSync, here.Seeds[0])
		if err != nil {
			t.Fatal(err)
		}
		_, err = gossip.Initiate(t.Context(), &gossip.Config{World: &there, Key: key, Group: lone{}}, host.Key(), stream)
		if e, ok := errors.AsType[*gossip.Error](err); !ok || e.Reason != gossip.ReasonClock {
			t.Errorf("%v away: %v, want the clock named", by, err)
		}
		eventually(t, patience, "a names the clock", func() error {
			var s observer.Status
			w.ask("a", &s, "status")
			if got := s.Member.Sync.Failed[gossip.ReasonClock.Label()]; got != uint64(i+1) {
				return fmt.Errorf("sessions failed: %v", s.Member.Sync.Failed)
			}
			return nil
		})
	}
	w.serve("b")
	w.reaches(w.endorse("a", 1), "a", "b")
}

// lone is a member's group as far as a session comes that ends at the clock.
type lone struct{ gossip.Group }

func (lone) Head() (uint64, meshworld.Hash)   { return 0, meshworld.Hash{} }
func (lone) Speaks() (uint64, meshworld.Hash) { return 0, meshworld.Hash{} }
func (lone) Member([32]byte) bool             { return true }
