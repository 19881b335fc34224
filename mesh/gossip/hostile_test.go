package gossip

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/culvert-net/culvert/mesh/recon"
)

// versus runs a session of an honest node against a script that a member plays
// from the summary on: as answerer if the honest one opens, else as opener.
func versus(honest, rogue *node, opens bool, script func(s *session, sum *summary) error) (Result, error) {
	x, y := pipe(nil)
	var wg sync.WaitGroup
	wg.Go(func() {
		s := &session{Config: rogue.Config, opener: !opens, us: fromAnswerer, them: fromOpener}
		if s.opener {
			s.us, s.them = s.them, s.us
		}
		_, _ = s.run(context.Background(), y, func() error {
			if !s.opener {
				if err := s.answerGreeting(); err != nil {
					return err
				}
				return script(s, nil)
			}
			sum, err := s.openGreeting(honest.key)
			if err != nil {
				return err
			}
			return script(s, sum)
		})
	})
	var r Result
	var err error
	if opens {
		r, err = Initiate(context.Background(), honest.Config, rogue.key, x)
	} else {
		r, err = Respond(context.Background(), honest.Config, x, nil)
	}
	wg.Wait()
	return r, err
}

// say sends a message at once.
func say(s *session, k kind, b []byte) error {
	if err := s.ch.send(k, b); err != nil {
		return err
	}
	return s.ch.flush()
}

// ask takes the opener's question.
func ask(s *session) (*differ, error) {
	_, b, err := s.ch.recv(kindDiffer)
	if err != nil {
		return nil, err
	}
	return readDiffer(b)
}

// What a lying answerer does, and what becomes of it. None of it changes what the
// honest log holds, nor keeps the session from ending, and where it is proven the
// liar is banned.
func TestHostileAnswerer(t *testing.T) {
	cellsOf := func(s *session, m *differ, own *collection, shorts []uint64) *cells {
		coder, err := recon.NewEncoder(&s.short, shorts, recon.Limits{})
		if err != nil {
			panic(err)
		}
		all := own.sum()
		return &cells{covered: uint64(len(m.pages)), count: uint64(len(shorts)), sum: all.Sum(), body: coder.First(m.count)}
	}
	// listOf is for those who lie later: it never has to be asked for more.
	listOf := func(m *differ, own *collection, shorts []uint64) *cells {
		all := own.sum()
		return &cells{covered: uint64(len(m.pages)), count: uint64(len(shorts)), sum: all.Sum(), list: true, body: appendShorts(nil, sorted(shorts))}
	}
	prepare := func(s *session) (*differ, *collection, []uint64, error) {
		m, err := ask(s)
		if err != nil {
			return nil, nil, nil, err
		}
		own, err := s.collect(m.from, m.shift, m.pages)
		if err != nil {
			return nil, nil, nil, err
		}
		shorts, _ := own.index(s.short)
		return m, own, shorts, nil
	}
	for _, tt := range []struct {
		name   string
		want   Reason
		script func(s *session) error
	}{
		{"a kind that is out of place", ReasonMalformed, func(s *session) error {
			if _, err := ask(s); err != nil {
				return err
			}
			return say(s, kindEvents, appendList(nil, nil))
		}},
		{"a message that is too long", ReasonLimit, func(s *session) error {
			if _, err := ask(s); err != nil {
				return err
			}
			return say(s, kindCells, make([]byte, kindCells.limit()+1))
		}},
		{"nothing covered", ReasonMalformed, func(s *session) error {
			m, own, shorts, err := prepare(s)
			if err != nil {
				return err
			}
			c := cellsOf(s, m, own, shorts)
			c.covered = 0
			return say(s, kindCells, c.bytes())
		}},
		{"more ids than any set has", ReasonMalformed, func(s *session) error {
			m, own, shorts, err := prepare(s)
			if err != nil {
				return err
			}
			c := cellsOf(s, m, own, shorts)
			c.count = 1 << 60
			return say(s, kindCells, c.bytes())
		}},
		{"a list that is not in order", ReasonMalformed, func(s *session) error {
			m, err := ask(s)
			if err != nil {
				return err
			}
			c := &cells{covered: uint64(len(m.pages)), count: 2, list: true, body: appendShorts(nil, []uint64{5, 4})}
			return say(s, kindCells, c.bytes())
		}},
		{"a list shorter than its count", ReasonMalformed, func(s *session) error {
			m, err := ask(s)
			if err != nil {
				return err
			}
			c := &cells{covered: uint64(len(m.pages)), count: 3, list: true, body: appendShorts(nil, []uint64{4, 5})}
			return say(s, kindCells, c.bytes())
		}},
		{"poisoned cells", ReasonCells, func(s *session) error {
			m, own, shorts, err := prepare(s)
			if err != nil {
				return err
			}
			// The first cells are of a set with one more id, the others of one with
			// another instead: what is recovered from the first is not in the rest.
			c := cellsOf(s, m, own, shorts)
			coder := poisoned(s, shorts, m.count, &c.body)
			c.count++
			if err := say(s, kindCells, c.bytes()); err != nil {
				return err
			}
			for {
				k, b, err := s.ch.recv(kindMore)
				if err != nil {
					return err
				}
				n, err := readNumber(k, b)
				if err != nil {
					return err
				}
				more, err := coder.Next(int(n))
				if err != nil {
					return err
				}
				if err := say(s, kindCells, more); err != nil {
					return err
				}
			}
		}},
		{"a list of what is not there, withheld", ReasonWithheld, func(s *session) error {
			m, err := ask(s)
			if err != nil {
				return err
			}
			c := &cells{covered: uint64(len(m.pages)), count: 3, list: true, body: appendShorts(nil, []uint64{4, 5, 6})}
			if err := say(s, kindCells, c.bytes()); err != nil {
				return err
			}
			for {
				k, _, err := s.ch.recv(kindEvents, kindWant, kindTurn)
				if err != nil {
					return err
				}
				if k == kindTurn {
					return say(s, kindTurn, number(3))
				}
			}
		}},
		{"no progress", ReasonMalformed, func(s *session) error {
			m, err := ask(s)
			if err != nil {
				return err
			}
			c := &cells{covered: uint64(len(m.pages)), count: 3, list: true, body: appendShorts(nil, []uint64{4, 5, 6})}
			if err := say(s, kindCells, c.bytes()); err != nil {
				return err
			}
			for {
				k, _, err := s.ch.recv(kindEvents, kindWant, kindTurn)
				if err != nil {
					return err
				}
				if k == kindTurn {
					return say(s, kindTurn, number(0))
				}
			}
		}},
		{"bodies that nobody asked for", ReasonBody, func(s *session) error {
			m, own, shorts, err := prepare(s)
			if err != nil {
				return err
			}
			if err := say(s, kindCells, listOf(m, own, shorts).bytes()); err != nil {
				return err
			}
			return flood(s, body(1000, 77, 1, 300))
		}},
		{"a body that is no event", ReasonBody, func(s *session) error {
			m, own, shorts, err := prepare(s)
			if err != nil {
				return err
			}
			if err := say(s, kindCells, listOf(m, own, shorts).bytes()); err != nil {
				return err
			}
			return flood(s, make([]byte, 300))
		}},
		{"a flood of bodies", ReasonLimit, func(s *session) error {
			// Each is one that was asked for; there are just more than fit a turn.
			m, err := ask(s)
			if err != nil {
				return err
			}
			var ids []uint64
			var bodies [][]byte
			for n := range uint64(400) {
				b := body(1000, 88, n, 16<<10)
				id := idOf(b)
				ids = append(ids, recon.ShortID(&s.short, &id))
				bodies = append(bodies, b)
			}
			c := &cells{covered: uint64(len(m.pages)), count: uint64(len(ids)), list: true, body: appendShorts(nil, sorted(ids))}
			if err := say(s, kindCells, c.bytes()); err != nil {
				return err
			}
			if err := turnOf(s); err != nil {
				return err
			}
			for len(bodies) > 0 {
				n := min(len(bodies), 14)
				if err := say(s, kindEvents, appendList(nil, bodies[:n])); err != nil {
					return err
				}
				bodies = bodies[n:]
			}
			return say(s, kindTurn, number(400))
		}},
		{"a forged fingerprint", ReasonFingerprint, func(s *session) error {
			m, own, shorts, err := prepare(s)
			if err != nil {
				return err
			}
			c := listOf(m, own, shorts)
			c.sum[0] ^= 1
			if err := say(s, kindCells, c.bytes()); err != nil {
				return err
			}
			a := &asked{session: s, differ: m, own: own}
			return forge(a)
		}},
		{"ranges that are rubbish", ReasonMalformed, func(s *session) error {
			m, own, shorts, err := prepare(s)
			if err != nil {
				return err
			}
			c := listOf(m, own, shorts)
			c.sum[0] ^= 1
			if err := say(s, kindCells, c.bytes()); err != nil {
				return err
			}
			for {
				k, b, err := s.ch.recv(kindMore, kindEvents, kindWant, kindTurn, kindRanges)
				if err != nil {
					return err
				}
				switch k {
				case kindTurn:
					err = say(s, kindTurn, number(0))
				case kindRanges:
					if err = say(s, kindState, make([]byte, 32)); err == nil {
						err = say(s, kindRanges, append([]byte{0xff, 0xff}, b...))
					}
				}
				if err != nil {
					return err
				}
			}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ab := nodes(t, 2)
			honest, rogue := ab[0], ab[1]
			fill(honest, 1, 3000, 1000, 5)
			fill(rogue, 1, 3000, 1000, 5)
			honest.log.add(honestAlone()...)
			before := len(honest.log.state(0))
			r, err := versus(honest, rogue, true, func(s *session, _ *summary) error { return tt.script(s) })
			if got := ReasonOf(err); got != tt.want {
				t.Fatalf("session ends with %v (%v), want %v", got, err, tt.want)
			}
			if toldBy(err) {
				t.Error("the liar is said to have ended it")
			}
			if got := len(honest.log.state(0)); got > before+r.Added {
				t.Errorf("%d events, %d before and %d added", got, before, r.Added)
			}
			var p peers
			banned := p.done(&r, err, testNow)
			if want := reasonTable[tt.want].cost == ban; banned != want {
				t.Errorf("banned = %v, want %v", banned, want)
			}
			// What it was has no effect on sessions with others.
			other := nodes(t, 3)[2]
			other.group = newGroup(other.key, honest.key, rogue.key, other.key)
			other.Group = other.group
			honest.group = newGroup(honest.key, honest.key, rogue.key, other.key)
			honest.Group = honest.group
			fill(other, 3, 50, 1000, 5)
			honest.mustSync(t, other)
			if !same(honest, other) {
				t.Error("a session with an honest member leaves a difference")
			}
		})
	}
}

// poisoned makes first cells of a set with one more id, of which the others are
// those of a set with another one, and the coder of what follows them. With a
// key in a hundred or so an id is in none of the cells that are looked at, or
// these do not suffice: it takes an id by which the honest side finds the lie.
func poisoned(s *session, shorts []uint64, peer uint64, first *[]byte) *recon.Encoder {
	encoder := func(shorts []uint64, more ...uint64) *recon.Encoder {
		e, err := recon.NewEncoder(&s.short, append(shorts[:len(shorts):len(shorts)], more...), recon.Limits{})
		if err != nil {
			panic(err)
		}
		return e
	}
	var honest []uint64 // what it has alone
	for _, b := range honestAlone() {
		id := idOf(b)
		honest = append(honest, recon.ShortID(&s.short, &id))
	}
	x := encoder(shorts, 7777).First(peer)
	for other := uint64(8888); ; other++ {
		coder := encoder(shorts, other)
		y := coder.First(peer)
		*first = append(x[:cut(x, 2):cut(x, 2)], y[cut(y, 2):]...)
		d := recon.NewDecoder(encoder(shorts, honest...))
		err := d.First(*first)
		for err == nil && !d.Done() {
			var n int
			if n, err = d.Want(); err == nil {
				more, _ := coder.Next(n)
				err = d.Next(more)
			}
		}
		if errors.Is(err, recon.ErrRepeat) || errors.Is(err, recon.ErrMismatch) {
			coder = encoder(shorts, other)
			coder.First(peer)
			return coder
		}
	}
}

// honestAlone are the events of TestHostileAnswerer that the liar lacks.
func honestAlone() [][]byte { return filling(2, 3, 1000, 5) }

// cut is where the n-th cell ends in a first message.
func cut(b []byte, n int) int {
	at := 0
	number := func() {
		_, used := binary.Uvarint(b[at:])
		at += used
	}
	for range 3 { // size, cells, counts
		number()
	}
	for range n {
		at += 12
		number()
	}
	return at
}

// turnOf waits for the end of the opener's turn.
func turnOf(s *session) error {
	for {
		k, _, err := s.ch.recv(kindMore, kindEvents, kindWant, kindTurn, kindRanges)
		if err != nil || k == kindTurn {
			return err
		}
	}
}

// flood sends an event in our turn.
func flood(s *session, b []byte) error {
	if err := turnOf(s); err != nil {
		return err
	}
	if err := s.ch.send(kindEvents, appendList(nil, [][]byte{b})); err != nil {
		return err
	}
	return say(s, kindTurn, number(0))
}

// forge plays the rest honestly, with a false fingerprint in its state too.
func forge(a *asked) error {
	a.index(a.own)
	for {
		k, b, err := a.ch.recv(kindMore, kindEvents, kindWant, kindTurn, kindRanges, kindWantIDs)
		if err != nil {
			return err
		}
		switch k {
		case kindTurn:
			err = a.turn()
		case kindWant, kindWantIDs:
			err = a.take(k, b)
		case kindRanges:
			if err = a.ch.send(kindState, make([]byte, 32)); err != nil {
				return err
			}
			r := recon.NewRanges(&a.short, newStorage(a.own), recon.Limits{})
			for k == kindRanges {
				reply, err := r.Respond(b)
				if err != nil {
					return err
				}
				if err := say(a.session, kindRanges, reply); err != nil {
					return err
				}
				if k, b, err = a.ch.recv(kindRanges, kindRangesEnd); err != nil {
					return err
				}
			}
		}
		if err != nil {
			return err
		}
	}
}

// The same for a lying opener.
func TestHostileOpener(t *testing.T) {
	question := func(s *session, sum *summary) error {
		m := &differ{from: sum.from, shift: sum.shift, pages: []uint64{1000 / pageEpochs}, count: 3000}
		if err := say(s, kindDiffer, m.bytes()); err != nil {
			return err
		}
		_, _, err := s.ch.recv(kindCells)
		return err
	}
	for _, tt := range []struct {
		name   string
		want   Reason
		script func(s *session, sum *summary) error
	}{
		{"no page", ReasonMalformed, func(s *session, sum *summary) error {
			return say(s, kindDiffer, (&differ{shift: sum.shift}).bytes())
		}},
		{"too many pages", ReasonMalformed, func(s *session, _ *summary) error {
			m := &differ{}
			for i := range uint64(maxDiffer + 1) {
				m.pages = append(m.pages, i)
			}
			return say(s, kindDiffer, m.bytes())
		}},
		{"more cells than there can be", ReasonMalformed, func(s *session, sum *summary) error {
			if err := question(s, sum); err != nil {
				return err
			}
			return say(s, kindMore, number(recon.MaxCells+1))
		}},
		{"cells without end", ReasonWork, func(s *session, sum *summary) error {
			if err := question(s, sum); err != nil {
				return err
			}
			for {
				if err := say(s, kindMore, number(300_000)); err != nil {
					return err
				}
				if _, _, err := s.ch.recv(kindCells); err != nil {
					return err
				}
			}
		}},
		{"asks for what was not named", ReasonMalformed, func(s *session, sum *summary) error {
			if err := question(s, sum); err != nil {
				return err
			}
			return say(s, kindWant, appendShorts(nil, []uint64{1, 2}))
		}},
		{"asks by whole ids too early", ReasonMalformed, func(s *session, sum *summary) error {
			if err := question(s, sum); err != nil {
				return err
			}
			return say(s, kindWantIDs, make([]byte, 32))
		}},
		{"a body that is no event", ReasonBody, func(s *session, sum *summary) error {
			if err := question(s, sum); err != nil {
				return err
			}
			return say(s, kindEvents, appendList(nil, [][]byte{{1, 2, 3}}))
		}},
		{"a flood of good bodies", ReasonLimit, func(s *session, sum *summary) error {
			if err := question(s, sum); err != nil {
				return err
			}
			var batch [][]byte
			for n := range uint64(14) {
				batch = append(batch, body(1000, 5, n, 16<<10))
			}
			for {
				if err := say(s, kindEvents, appendList(nil, batch)); err != nil {
					return err
				}
			}
		}},
		{"turns without end", ReasonLimit, func(s *session, sum *summary) error {
			if err := question(s, sum); err != nil {
				return err
			}
			for {
				if err := say(s, kindTurn, number(0)); err != nil {
					return err
				}
				if _, _, err := s.ch.recv(kindTurn); err != nil {
					return err
				}
			}
		}},
		{"a list that was not to come", ReasonMalformed, func(s *session, _ *summary) error {
			return say(s, kindLists, listsMsg{3: {{1}}}.bytes())
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ab := nodes(t, 2)
			honest, rogue := ab[0], ab[1]
			fill(honest, 1, 3000, 1000, 5)
			r, err := versus(honest, rogue, false, tt.script)
			if got := ReasonOf(err); got != tt.want || toldBy(err) {
				t.Fatalf("session ends with %v (%v), want %v", got, err, tt.want)
			}
			if !r.Proved || r.Peer != rogue.key {
				t.Error("the honest side does not know who it was")
			}
		})
	}
}

// A peer that falls silent, at any point, is given up; the session is over when
// the time is.
func TestSilentPeer(t *testing.T) {
	for _, after := range []int{0, 1, 2, 3, 4, 5} {
		t.Run(fmt.Sprint(after), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ab := nodes(t, 2)
				fill(ab[0], 1, 500, 10, 5)
				fill(ab[1], 1, 500, 10, 5)
				fill(ab[1], 2, 20, 10, 5)
				writes := 0
				_, _, err, answerErr := ab[0].sync(ab[1], func(fromA bool, b []byte) ([]byte, bool) {
					if writes++; writes > after {
						return nil, false // it goes nowhere, and nobody is told
					}
					return b, false
				})
				// Whoever gives up first closes the stream.
				if err == nil || answerErr == nil || ReasonOf(err) != ReasonTimeout && ReasonOf(answerErr) != ReasonTimeout {
					t.Errorf("after %d writes: opener %v, answerer %v", after, err, answerErr)
				}
			})
		})
	}
}

// A peer that is never quite silent is given up too.
func TestDrippingPeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ab := nodes(t, 2)
		honest, rogue := ab[0], ab[1]
		fill(rogue, 1, 100, 10, 1)
		began := time.Now()
		r, err := versus(honest, rogue, true, func(s *session, _ *summary) error {
			m, err := ask(s)
			if err != nil {
				return err
			}
			own, err := s.collect(m.from, m.shift, m.pages)
			if err != nil {
				return err
			}
			shorts, _ := own.index(s.short)
			all := own.sum()
			c := &cells{covered: 1, count: 100, sum: all.Sum(), list: true, body: appendShorts(nil, sorted(shorts))}
			if err := say(s, kindCells, c.bytes()); err != nil {
				return err
			}
			if err := turnOf(s); err != nil {
				return err
			}
			for _, e := range own.events {
				time.Sleep(idleTimeout - time.Second)
				b, err := s.Log.Get(e.epoch, e.id)
				if err != nil {
					return err
				}
				if err := say(s, kindEvents, appendList(nil, [][]byte{b})); err != nil {
					return err
				}
			}
			return say(s, kindTurn, number(100))
		})
		// The rogue's own session ends at the same moment, so either may be first.
		if took := time.Since(began); err == nil || took > sessionTimeout+idleTimeout {
			t.Errorf("after %v: %v", took, err)
		}
		// What came until then is kept, so that even such a peer brings it all in the end.
		if len(honest.log.state(0)) != r.Added || r.Added != 9 {
			t.Errorf("%d events were kept, %d added", len(honest.log.state(0)), r.Added)
		}
	})
}

// Strangers get nothing: not a byte.
func TestStrangerGetsNoAnswer(t *testing.T) {
	all := nodes(t, 3)
	for _, x := range all[:2] {
		x.group = newGroup(x.key, all[0].key, all[1].key)
		x.Group = x.group
	}
	stranger := all[2]
	stranger.group = newGroup(stranger.key, all[0].key, all[1].key)
	stranger.Group = stranger.group
	answered := false
	_, _, err, answerErr := stranger.sync(all[0], func(fromA bool, b []byte) ([]byte, bool) {
		answered = answered || !fromA
		return b, false
	})
	if ReasonOf(answerErr) != ReasonStranger || ReasonOf(err) != ReasonClosed || answered {
		t.Errorf("a stranger: opener %v, answerer %v, answered %v", err, answerErr, answered)
	}
	// One who has another member's name and all secrets but its key proves nothing.
	thief := *all[1]
	cfg := *thief.Config
	cfg.Key = stranger.Key
	thief.Config = &cfg
	x, y := pipe(nil)
	var wg sync.WaitGroup
	wg.Go(func() {
		s := &session{Config: thief.Config, opener: true, us: fromOpener, them: fromAnswerer}
		_, _ = s.run(context.Background(), x, func() error {
			ephemeral, err := s.greet()
			if err != nil {
				return err
			}
			s.mine.member = all[1].key
			if err := s.sendHello(); err != nil {
				return err
			}
			if err := s.ch.flush(); err != nil {
				return err
			}
			if err := s.takeHello(); err != nil {
				return err
			}
			if err := s.link(ephemeral); err != nil {
				return err
			}
			if err := s.takeAuth(); err != nil {
				return err
			}
			return say(s, kindAuth, s.agreed.sign(stranger.Key, fromOpener))
		})
	})
	r, err := Respond(context.Background(), all[0].Config, y, nil)
	wg.Wait()
	if ReasonOf(err) != ReasonSeal || r.Proved {
		t.Errorf("a thief of a name: %v, %+v", err, r)
	}
}

// A hello of another world is dropped by its first bytes.
func TestForeignWorldIsDropped(t *testing.T) {
	ab := nodes(t, 2)
	foreign := *ab[0].World
	foreign.ID[0] ^= 1
	ab[0].World = &foreign
	_, answerer, err, answerErr := ab[0].sync(ab[1], nil)
	if ReasonOf(answerErr) != ReasonWorld || answerer.Size.Wire.Sent != 0 || err == nil {
		t.Errorf("opener %v, answerer %v, %+v", err, answerErr, answerer)
	}
}

// The stream is cut at every place, or a byte is changed there: the session ends
// on both sides, what was taken is good, and the next one finishes.
func TestCutAndFlippedAnywhere(t *testing.T) {
	for _, flip := range []bool{false, true} {
		for at := 1; ; at += 97 {
			ab := nodes(t, 2)
			a, b := ab[0], ab[1]
			fill(a, 1, 40, 10, 3)
			fill(b, 1, 40, 10, 3)
			fill(a, 2, 3, 10, 3)
			fill(b, 3, 4, 10, 3)
			var mu sync.Mutex
			sent, hit := 0, false
			opener, answerer, err, answerErr := a.sync(b, func(_ bool, w []byte) ([]byte, bool) {
				mu.Lock()
				defer mu.Unlock()
				from := sent
				sent += len(w)
				if hit || at >= sent {
					return w, false
				}
				hit = true
				if !flip {
					return w[:max(0, at-from)], true
				}
				w = append([]byte(nil), w...)
				w[max(0, at-from)] ^= 0x10
				return w, flip
			})
			if !hit {
				if at < 3000 {
					t.Fatalf("the session was over after %d bytes", at)
				}
				break
			}
			if err == nil && answerErr == nil && flip && at < sent-bucket {
				t.Fatalf("flip %v at %d of %d: nobody saw it", flip, at, sent)
			}
			var p peers
			if p.done(&opener, err, testNow) || p.done(&answerer, answerErr, testNow) {
				t.Fatalf("flip %v at %d: a member is banned for what the network did: %v, %v", flip, at, err, answerErr)
			}
			a.mustSync(t, b)
			if !same(a, b) {
				t.Fatalf("flip %v at %d: the next session leaves a difference", flip, at)
			}
		}
	}
}
