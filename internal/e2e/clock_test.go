//go:build e2e

package e2e

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/culvert-net/culvert/internal/app/doctor"
	"github.com/culvert-net/culvert/mesh/directory/dirtest"
	"github.com/culvert-net/culvert/mesh/directory/follow"
	"github.com/culvert-net/culvert/mesh/directory/mirror"
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
