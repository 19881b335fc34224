package gossip

import (
	"encoding/binary"
	"maps"
	"slices"

	"github.com/culvert-net/culvert/mesh/recon"
)

// answer is the answerer's side, from the first byte to the last.
func (s *session) answer() error {
	if err := s.answerGreeting(); err != nil {
		return err
	}
	k, b, err := s.answerLists()
	if err != nil {
		return err
	}
	if k == kindEqual {
		s.result.Mode = ModeEqual
		s.learned()
		if err := s.ch.flush(); err != nil { // lists, if there are
			return err
		}
		_, _, err := s.ch.recv(kindBye)
		return err
	}
	m, err := readDiffer(b)
	if err != nil {
		return err
	}
	return s.answerDiffer(m)
}

// answerLists is the message that says how the logs compare. Lists may come
// before it; ours of the same carriers, which by then hold what came, go before
// the answer.
func (s *session) answerLists() (kind, []byte, error) {
	k, b, err := s.ch.recv(kindLists, kindEqual, kindDiffer)
	if err != nil || k != kindLists {
		return k, b, err
	}
	err = s.outside(func() error {
		m, err := readLists(b)
		if err != nil {
			return err
		}
		if err := s.merge(m, nil); err != nil {
			return err
		}
		return s.sendLists(slices.Sorted(maps.Keys(m)))
	})
	if err != nil {
		return 0, nil, err
	}
	return s.ch.recv(kindEqual, kindDiffer)
}

// answerGreeting goes as far as our summary and the proof of who the peer is.
// With the same roster on both sides the summary leaves with our hello: it is
// sealed for members only, so it does not matter that the peer has shown nothing
// yet.
func (s *session) answerGreeting() error {
	ephemeral, err := s.greet()
	if err != nil {
		return err
	}
	if err := s.takeHello(); err != nil {
		return err
	}
	if err := s.sendHello(); err != nil {
		return err
	}
	if err := s.link(ephemeral); err != nil {
		return err
	}
	if err := s.sendAuth(); err != nil {
		return err
	}
	at, same := s.mine.head(), s.aligned()
	if !same {
		if err := s.ch.flush(); err != nil {
			return err
		}
		if err := s.takePeer(); err != nil {
			return err
		}
		if at, err = s.joinAnswerer(); err != nil {
			return err
		}
	}
	in, err := s.groupKeys(at)
	if err != nil {
		return err
	}
	epochs, err := s.Log.Epochs()
	if err != nil {
		return &Error{Reason: ReasonLocal, err: err}
	}
	sum := summarize(s.short, epochs)
	sum.carried = s.carried()
	s.ch.phase = &s.result.Learn
	if err := s.ch.send(kindSummary, sum.bytes()); err != nil {
		return err
	}
	if err := s.ch.flush(); err != nil {
		return err
	}
	if same {
		if err := s.outside(s.takePeer); err != nil {
			return err
		}
	}
	return s.ch.rekeyIn(in)
}

// takePeer takes the proof of who the peer is, and asks whether it is welcome.
func (s *session) takePeer() error {
	if err := s.takeAuth(); err != nil {
		return err
	}
	if s.admit == nil {
		return nil
	}
	if r := s.admit(s.peer.member); r != ReasonNone {
		return &Error{Reason: r}
	}
	return nil
}

// asked is the answerer's view of what is compared.
type asked struct {
	*session
	differ *differ
	own    *collection
	shorts []uint64
	coder  *recon.Encoder // nil when short ids were sent as they are
	ids    map[ID]int     // own by whole id, once the peer asks so

	pushed int    // events the peer sent
	reply  []held // what it asked for and was not sent yet
}

// answerDiffer answers what the opener asks of the pages that differ, until it
// has no more questions.
func (s *session) answerDiffer(m *differ) error {
	own, err := s.collect(m.from, m.shift, m.pages)
	if err != nil {
		return err
	}
	if len(m.pages) > 0 && m.shift != fine && (own.large || m.count > maxIDs) {
		if m, own, err = s.answerLarge(m); err != nil {
			return err
		}
	}
	a := &asked{session: s, differ: m, own: own}
	if err := a.first(); err != nil {
		return err
	}
	return a.serve()
}

// answerLarge answers a question about a page that one side has too much in: with
// details of the last one, upon which the opener asks by epochs.
func (s *session) answerLarge(m *differ) (*differ, *collection, error) {
	epochs, err := s.Log.Epochs()
	if err != nil {
		return nil, nil, &Error{Reason: ReasonLocal, err: err}
	}
	var b []byte
	for _, d := range details(s.short, epochs, m.pages[len(m.pages)-1], m.shift) {
		b = binary.LittleEndian.AppendUint16(b, d)
	}
	if err := s.ch.send(kindDetails, b); err != nil {
		return nil, nil, err
	}
	if err := s.ch.flush(); err != nil {
		return nil, nil, err
	}
	if _, b, err = s.ch.recv(kindDiffer); err != nil {
		return nil, nil, err
	}
	if m, err = readDiffer(b); err != nil {
		return nil, nil, err
	}
	if m.shift != fine {
		return nil, nil, fail(ReasonMalformed, "pages again, not epochs")
	}
	own, err := s.collect(m.from, m.shift, m.pages)
	return m, own, err
}

// serve answers until the opener says bye.
func (a *asked) serve() error {
	want := []kind{kindMore, kindEvents, kindWant, kindTurn, kindRanges, kindBye}
	for turns := 0; turns < 2*maxTurns; {
		k, b, err := a.ch.recv(want...)
		if err != nil {
			return err
		}
		switch k {
		case kindMore:
			err = a.more(b)
		case kindEvents, kindWant, kindWantIDs:
			err = a.take(k, b)
		case kindTurn:
			turns++
			err = a.turn()
		case kindRanges:
			a.result.Mode = ModeRanges
			err = a.ranges(b)
			// Ranges come once, and short ids are of no use after them.
			want = []kind{kindEvents, kindWantIDs, kindTurn, kindBye}
		case kindBye:
			return nil
		}
		if err != nil {
			return err
		}
	}
	return fail(ReasonLimit, "%d turns", 2*maxTurns)
}

// first tells what we have in the pages: a list of short ids where that is not
// longer than the first cells, or than what cells have to tell anyway because one
// side has so many more; else the first cells.
func (a *asked) first() error {
	if len(a.own.pages) == 0 {
		return fail(ReasonMalformed, "no page to compare")
	}
	shorts, err := a.index(a.own)
	if err != nil {
		return err
	}
	a.shorts = shorts
	all := a.own.sum()
	c := &cells{covered: uint64(len(a.own.pages)), count: uint64(len(shorts)), sum: all.Sum()}
	mine, theirs := c.count, a.differ.count
	behind := max(mine, theirs) - min(mine, theirs)
	c.later = theirs > mine && !a.claim.take(int(min(behind, maxIDs)), a.claim.others())
	if c.list = 8*mine <= max(listBytes, behind*cellBytes); c.list {
		c.body = a.list()
	} else {
		a.result.Mode = ModeCells
		if a.coder, err = recon.NewEncoder(&a.short, shorts, recon.Limits{}); err != nil {
			return &Error{Reason: ReasonLocal, err: err}
		}
		c.body = a.coder.First(theirs)
	}
	known := a.Known.in(a.peer.member, a.own.pages, a.differ.shift)
	if err := a.work(int64(len(known)) * workID); err != nil {
		return err
	}
	var refused []uint64
	for _, id := range known[:min(len(known), maxUnwanted)] {
		refused = append(refused, recon.ShortID(&a.short, &id))
	}
	slices.Sort(refused)
	c.refused = appendShorts(nil, slices.Compact(refused))
	if err := a.ch.send(kindCells, c.bytes()); err != nil {
		return err
	}
	return a.ch.flush()
}

// list is what we have, as it is.
func (a *asked) list() []byte {
	a.result.Mode, a.coder = ModeList, nil
	slices.Sort(a.shorts)
	return appendShorts(make([]byte, 0, 8*len(a.shorts)), a.shorts)
}

// more sends more cells, or the list that is shorter than those would be.
func (a *asked) more(b []byte) error {
	n, err := readNumber(kindMore, b)
	switch {
	case err != nil:
		return err
	case a.coder == nil || n > recon.MaxCells:
		return fail(ReasonMalformed, "%d more cells", n)
	case n == 0:
		if err := a.ch.send(kindCells, a.list()); err != nil {
			return err
		}
		return a.ch.flush()
	}
	if err := a.work(int64(n) * cellBytes * workCell); err != nil {
		return err
	}
	body, err := a.coder.Next(int(n))
	if err != nil {
		return blame(err)
	}
	if err := a.ch.send(kindCells, body); err != nil {
		return err
	}
	return a.ch.flush()
}

// take takes part of the opener's turn.
func (a *asked) take(k kind, b []byte) error {
	a.learned()
	switch k {
	case kindEvents:
		if a.pushed += len(b); a.pushed > maxTurn+maxEvents {
			return fail(ReasonLimit, "%d bytes of events in a turn", a.pushed)
		}
		return a.takeEvents(b, func(*ID) bool { return true })
	case kindWant:
		return a.wantShorts(b)
	default:
		return a.wantIDs(b)
	}
}

// wantShorts notes what is asked for by short ids. We named every one of them, so
// one that we don't have is made up.
func (a *asked) wantShorts(b []byte) error {
	shorts, err := readShorts(kindWant, b)
	if err != nil {
		return err
	}
	for _, short := range shorts {
		at, ok := a.own.short[short]
		if !ok {
			return fail(ReasonMalformed, "an event is asked for that was not named")
		}
		a.reply = append(a.reply, a.own.events[at])
	}
	return a.wanted()
}

// wantIDs does the same with whole ids, after ranges.
func (a *asked) wantIDs(b []byte) error {
	for ; len(b) >= len(ID{}); b = b[len(ID{}):] {
		at, ok := a.ids[ID(b[:len(ID{})])]
		if !ok {
			return fail(ReasonMalformed, "an event is asked for that was not named")
		}
		a.reply = append(a.reply, a.own.events[at])
	}
	if len(b) > 0 {
		return fail(ReasonMalformed, "part of an id")
	}
	return a.wanted()
}

func (a *asked) wanted() error {
	if len(a.reply) > maxWant {
		return fail(ReasonLimit, "%d events asked for in a turn", len(a.reply))
	}
	return nil
}

// turn is ours: what was asked for, as far as it fits, and how many of those that
// is, those counted that are gone by now.
func (a *asked) turn() error {
	asked := len(a.reply)
	if err := a.sendEvents(&a.reply); err != nil {
		return err
	}
	done := asked - len(a.reply)
	a.reply, a.pushed = nil, 0
	if err := a.ch.send(kindTurn, number(done)); err != nil {
		return err
	}
	return a.ch.flush()
}

// ranges compares whole ids, with what we have now.
func (a *asked) ranges(message []byte) error {
	own, err := a.collect(a.differ.from, a.differ.shift, a.own.pages)
	if err != nil {
		return err
	}
	a.own, a.ids = own, own.byID()
	all := own.sum()
	sum := all.Sum()
	if err := a.ch.send(kindState, sum[:]); err != nil {
		return err
	}
	r := recon.NewRanges(&a.short, newStorage(own), recon.Limits{})
	for {
		if err := a.work(int64(len(message)) * workByte); err != nil {
			return err
		}
		reply, err := r.Respond(message)
		if err != nil {
			return blame(err)
		}
		if err := a.work(int64(len(reply)) * workByte); err != nil {
			return err
		}
		if err := a.ch.send(kindRanges, reply); err != nil {
			return err
		}
		if err := a.ch.flush(); err != nil {
			return err
		}
		var k kind
		if k, message, err = a.ch.recv(kindRanges, kindRangesEnd); err != nil || k == kindRangesEnd {
			return err
		}
	}
}
