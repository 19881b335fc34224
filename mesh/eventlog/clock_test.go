package eventlog

import (
	"strings"
	"testing"
	"time"
)

// Members make an event every few minutes, which takes a second to arrive; our
// clock is off by some amount.
func TestClock(t *testing.T) {
	w := testWorld(t, terms{quota: 1})
	for _, tt := range []struct {
		name          string
		off           time.Duration // ours minus theirs
		members, liar int
		behind, wrong bool
		epochs        uint64
	}{
		{name: "right", members: 10},
		{name: "some seconds", off: 5 * time.Second, members: 10},
		{name: "some minutes within an epoch", off: -7 * time.Minute, members: 10, wrong: true, behind: true},
		{name: "behind", off: -3 * time.Hour, members: 10, wrong: true, behind: true, epochs: 3},
		{name: "ahead", off: 26 * time.Hour, members: 10, wrong: true, epochs: 26},
		{name: "too few", off: -3 * time.Hour, members: 2},
		{name: "right, with liars", members: 10, liar: 4},
		{name: "behind, with liars", off: -3 * time.Hour, members: 10, liar: 4, wrong: true, behind: true, epochs: 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := NewClock(w)
			start := midOf(w, someEpoch)
			for minute := range 180 {
				real := start.Add(time.Duration(minute) * time.Minute)
				epoch := w.Epoch(real)
				m := minute % tt.members
				if m < tt.liar {
					epoch += uint64(5 + 20*(minute%2))
				}
				c.Observe(public(m), epoch, real.Add(tt.off+time.Second))
			}
			s := c.Skew()
			if s.Wrong != tt.wrong || s.Behind != tt.behind || s.Peers != tt.members || s.Epochs != tt.epochs {
				t.Errorf("Skew = %+v (%v); want wrong %v, behind %v, %d epochs", s, s, tt.wrong, tt.behind, tt.epochs)
			}
			if s.Wrong != strings.Contains(s.String(), "this clock is") {
				t.Errorf("String = %q", s)
			}
		})
	}
}

// A clock that is set right is right again: what was seen with the wrong one
// does not count.
func TestClockSetRight(t *testing.T) {
	w := testWorld(t, terms{quota: 1})
	c := NewClock(w)
	real := midOf(w, someEpoch)
	for i := range 5 {
		c.Observe(public(i), someEpoch, real.Add(-50*time.Hour))
	}
	if s := c.Skew(); !s.Wrong || !s.Behind || s.Epochs != 50 {
		t.Fatalf("Skew = %+v", s)
	}
	for i := range 5 {
		c.Observe(public(i), someEpoch, real)
	}
	if s := c.Skew(); s.Wrong {
		t.Errorf("Skew = %+v after the clock was set right", s)
	}
}

func TestClockIsBounded(t *testing.T) {
	w := testWorld(t, terms{quota: 1})
	c := NewClock(w)
	for i := range maxSkewPeers + 10 {
		c.Observe([32]byte{0: byte(i), 1: byte(i >> 8)}, someEpoch, midOf(w, someEpoch))
	}
	if s := c.Skew(); s.Peers != maxSkewPeers {
		t.Errorf("%d peers, want %d", s.Peers, maxSkewPeers)
	}
	if c.Wants([32]byte{31: 1}, someEpoch) || c.Wants([32]byte{}, someEpoch) || !c.Wants([32]byte{}, someEpoch+1) {
		t.Error("Wants is wrong")
	}
}
