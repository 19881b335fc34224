package gossip

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"slices"
	"sync"
	"testing"

	"lukechampine.com/blake3"
)

// Rosters that differ are made one before the group's keys are used, whichever
// side is behind.
func TestRosterCatchUp(t *testing.T) {
	for _, tt := range []struct {
		name         string
		ours, theirs int // generations ahead
		trips        int
	}{
		{"the opener is ahead", 3, 0, 3},
		{"the answerer is ahead", 0, 3, 4},
		{"far ahead", 400, 0, 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ab := nodes(t, 2)
			a, b := ab[0], ab[1]
			for range tt.ours {
				a.group.rotate(a.key, b.key)
			}
			for range tt.theirs {
				b.group.rotate(a.key, b.key)
			}
			fill(b, 1, 20, 10, 2)
			opener, answerer := a.mustSync(t, b)
			if g, h := a.group.Head(); !same(a, b) || g != uint64(max(tt.ours, tt.theirs)+1) {
				t.Errorf("generation %d, %v", g, h)
			}
			if opener.Entries != tt.theirs || answerer.Entries != tt.ours {
				t.Errorf("%d and %d entries taken", opener.Entries, answerer.Entries)
			}
			if opener.RoundTrips-opener.LearnTrips-1 > tt.trips {
				t.Errorf("%d round trips", opener.RoundTrips)
			}
		})
	}
}

// A member that was admitted while the other was away is believed once the entry
// that admitted it is there, and is not answered without it. Who was evicted
// learns nothing.
func TestNewcomerAndEvicted(t *testing.T) {
	all := nodes(t, 3)
	a, b, c := all[0], all[1], all[2]
	for _, x := range all {
		x.group = newGroup(x.key, a.key, b.key)
		x.Group = x.group
	}
	// c is admitted; b has not heard of it.
	for _, x := range []*node{a, c} {
		x.group.rotate(a.key, b.key, c.key)
	}
	fill(c, 1, 5, 10, 1)
	c.mustSync(t, b)
	if !b.group.Member(c.key) || !same(b, c) {
		t.Error("the newcomer was not heard")
	}
	// c is evicted; it has not heard of it, nor does it from a.
	for _, x := range []*node{a, b} {
		x.group.rotate(a.key, b.key)
	}
	fill(a, 2, 5, 10, 1)
	_, _, err, answerErr := c.sync(a, nil)
	if ReasonOf(answerErr) != ReasonStranger || err == nil {
		t.Errorf("an evicted member: opener %v, answerer %v", err, answerErr)
	}
	if g, _ := c.group.Head(); g != 2 || len(c.log.state(0)) != 5 {
		t.Error("an evicted member learnt something")
	}
	// Nor when it is dialled by somebody who has not heard either, who then does.
	d, _, err, _ := a.sync(c, nil)
	if ReasonOf(err) != ReasonStranger || d.Added > 0 || len(c.log.state(0)) != 5 {
		t.Errorf("an evicted member that was dialled: %v", err)
	}
}

// Rosters that have no common way end the session, with a reason and no ban.
func TestForkedRosters(t *testing.T) {
	ab := nodes(t, 2)
	a, b := ab[0], ab[1]
	a.group.rotate(a.key, b.key, [32]byte{1})
	b.group.rotate(a.key, b.key, [32]byte{2})
	_, _, err, answerErr := a.sync(b, nil)
	if ReasonOf(err) != ReasonRoster && ReasonOf(answerErr) != ReasonRoster {
		t.Errorf("forked rosters: opener %v, answerer %v", err, answerErr)
	}
}

// Who was sealed noise by the head's proposer speaks under the entry before, with
// whoever else is a member by the head. Who is none by it gets nothing, though it has
// that older master.
func TestWithoutTheHeadsMaster(t *testing.T) {
	for name, noise := range map[string][2]int{"the opener": {1, 0}, "the answerer": {0, 1}, "both": {1, 1}, "one for longer": {1, 2}} {
		t.Run(name, func(t *testing.T) {
			all := nodes(t, 3)
			a, b, c := all[0], all[1], all[2]
			for range 2 {
				for _, x := range all[:2] {
					x.group.rotate(a.key, b.key)
				}
			}
			a.group.noise, b.group.noise = noise[0], noise[1]
			fill(a, 1, 20, 10, 1)
			fill(b, 2, 20, 10, 1)
			a.mustSync(t, b)
			if !same(a, b) {
				t.Error("they did not sync")
			}
			if _, _, err, answerErr := c.sync(a, nil); err == nil || ReasonOf(answerErr) != ReasonStranger {
				t.Errorf("an evicted member: opener %v, answerer %v", err, answerErr)
			}
		})
	}
}

// Nobody who has shown nothing yet is sent anything under an older master: an evicted
// member may have it.
func TestOlderMasterWaitsForProof(t *testing.T) {
	ab := nodes(t, 2)
	a, b := ab[0], ab[1]
	for _, x := range ab {
		x.group.rotate(a.key, b.key)
		x.group.noise = 1
	}
	x, y := pipe(nil)
	done := make(chan struct{})
	go func() {
		defer close(done)
		s := &session{Config: a.Config, opener: true, us: fromOpener, them: fromAnswerer}
		_, _ = s.run(context.Background(), x, func() error {
			ephemeral, err := s.greet()
			for _, step := range []func() error{
				s.sendHello, func() error { return s.ch.flush() }, s.takeHello,
				func() error { return s.link(ephemeral) }, s.takeAuth,
				func() error { return say(s, kindAuth, make([]byte, ed25519.SignatureSize)) },
			} {
				if err == nil {
					err = step()
				}
			}
			if err != nil {
				t.Error(err)
			}
			_, _, err = s.ch.recv(kindSummary)
			return err
		})
	}()
	r, err := Respond(context.Background(), b.Config, y, nil)
	<-done
	if ReasonOf(err) != ReasonSeal || r.Learn.Sent != 0 {
		t.Errorf("%v after %d bytes of a summary, want none without a proof", err, r.Learn.Sent)
	}
}

func TestClocksApart(t *testing.T) {
	ab := nodes(t, 2)
	late := *ab[1].World
	late.Rules.EpochLenMS *= 2 // same id, other epochs, as a wrong clock has
	ab[1].World = &late
	_, _, err, answerErr := ab[0].sync(ab[1], nil)
	if ReasonOf(err) != ReasonClock && ReasonOf(answerErr) != ReasonClock {
		t.Errorf("opener %v, answerer %v", err, answerErr)
	}
}

// memList is a carrier of a set of strings.
type memList struct {
	mu    sync.Mutex
	items [][]byte
}

func (l *memList) Digest() [32]byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return blake3.Sum256(bytes.Join(l.items, []byte{0}))
}

func (l *memList) Items() [][]byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.items)
}

func (l *memList) Merge(items [][]byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, i := range items {
		if bytes.Equal(i, []byte("bad")) {
			return ErrEntry
		}
	}
	l.items = slices.CompactFunc(slices.SortedFunc(slices.Values(append(l.items, items...)), bytes.Compare), bytes.Equal)
	return nil
}

func list(items ...string) *memList {
	l := new(memList)
	for _, i := range items {
		l.items = append(l.items, []byte(i))
	}
	return l
}

// Lists travel with equal logs and with others, and only those that differ.
func TestLists(t *testing.T) {
	for _, events := range []int{0, 30} {
		ab := nodes(t, 2)
		a, b := ab[0], ab[1]
		fill(b, 1, events, 10, 2)
		a.Carriers = []Carrier{list("same"), list("x", "y"), list()}
		b.Carriers = []Carrier{list("same"), list("y", "z")}
		first, _ := a.mustSync(t, b)
		for _, x := range []*node{a, b} {
			if got := x.Carriers[1].(*memList).items; len(got) != 3 {
				t.Errorf("with %d events: list is %q", events, got)
			}
		}
		if !same(a, b) {
			t.Error("the logs differ")
		}
		if again, _ := a.mustSync(t, b); again.Mode != ModeEqual || again.RoundTrips != 1 || first.RoundTrips < 2 {
			t.Errorf("lists are sent again: %+v", again)
		}
	}
	ab := nodes(t, 2)
	ab[0].Carriers, ab[1].Carriers = []Carrier{list("bad")}, []Carrier{list("good")}
	r, answerer, err, answerErr := ab[0].sync(ab[1], nil)
	if ReasonOf(answerErr) != ReasonMalformed || !toldBy(err) {
		t.Errorf("a bad item: opener %v, answerer %v", err, answerErr)
	}
	var p, q peers
	if p.done(&r, err, testNow) || !q.done(&answerer, answerErr, testNow) {
		t.Error("a bad item bans the wrong one")
	}
}

// What our log refuses is not fetched again by every session, until Forget.
func TestRefusedOnce(t *testing.T) {
	ab := nodes(t, 2)
	a, b := ab[0], ab[1]
	fill(a, 1, 600, 10, 2)
	fill(b, 1, 600, 10, 2)
	fill(b, 2, 7, 10, 2)
	a.log.refuse = func(_ uint64, e []byte) bool { return e[8] == 2 }
	first, _ := a.mustSync(t, b)
	second, _ := a.mustSync(t, b)
	if first.Refused != 7 || second.Received != 0 || second.Theirs != 7 || second.Left {
		t.Errorf("first %+v, second %+v", first, second)
	}
	// Nor is it sent when a is the one that answers.
	if _, third := b.mustSync(t, a); third.Received != 0 || third.Refused != 0 {
		t.Errorf("the other way: %+v", third)
	}
	a.log.refuse = nil
	a.Known.Forget()
	if third, _ := a.mustSync(t, b); third.Added != 7 || !same(a, b) {
		t.Errorf("third %+v", third)
	}
}

// What is refused for how one peer sent it is asked of the next: a member could else
// hide what others said by sending it without its stamp.
func TestRefusedFromOnePeer(t *testing.T) {
	all := nodes(t, 3)
	a, liar, honest := all[0], all[1], all[2]
	e := body(10, 2, 1, 100)
	liar.log.add(e)
	honest.log.add(e)
	a.log.refuse = func(uint64, []byte) bool { return true }
	a.log.sent = true
	for range 2 {
		a.mustSync(t, liar)
	}
	if first, _ := a.mustSync(t, liar); first.Received != 0 {
		t.Errorf("from the same peer it was fetched again: %+v", first)
	}
	a.log.refuse = nil
	if second, _ := a.mustSync(t, honest); second.Added != 1 {
		t.Errorf("from another peer: %+v, want it added", second)
	}
}

// A store that fails ends the session and blames nobody.
func TestOwnStoreFails(t *testing.T) {
	ab := nodes(t, 2)
	fill(ab[0], 1, 10, 10, 2)
	fill(ab[1], 2, 10, 10, 2)
	ab[0].Log = brokenLog{ab[0].log}
	r, _, err, answerErr := ab[0].sync(ab[1], nil)
	if ReasonOf(err) != ReasonLocal || !toldBy(answerErr) {
		t.Errorf("opener %v, answerer %v", err, answerErr)
	}
	var p peers
	p.done(&r, err, testNow)
	if len(p.list(testNow)) > 0 {
		t.Error("the peer is blamed for our own store")
	}
}

type brokenLog struct{ *memLog }

func (brokenLog) Snapshot(uint64) ([]ID, *fingerprint, error) { return nil, nil, errors.New("disk") }
