package gossip

import (
	"encoding/binary"
	"errors"
	"slices"

	"github.com/culvert-net/culvert/mesh/recon"
)

// open is the opener's side, from the first byte to the last.
func (s *session) open(member [32]byte) error {
	sum, err := s.openGreeting(member)
	if err != nil {
		return err
	}
	epochs, err := s.Log.Epochs()
	if err != nil {
		return &Error{Reason: ReasonLocal, err: err}
	}
	lists := s.differing(sum.carried)
	pages := sum.compare(digest(s.short, epochs, sum.from, sum.shift))
	if len(pages) > maxDiffer {
		pages, s.result.Left = pages[len(pages)-maxDiffer:], true
	}
	if len(lists) > 0 {
		if err := s.outside(func() error { return s.sendLists(lists) }); err != nil {
			return err
		}
	}
	if len(pages) == 0 {
		if err := s.openEqual(lists); err != nil {
			return err
		}
		return s.bye()
	}
	d, err := s.openDiffer(max(sum.from, oldest(epochs)), sum.shift, pages, lists)
	if err != nil {
		return err
	}
	switch exact, err := d.exchange(); {
	case err != nil:
		return err
	case !exact:
		if err := d.ranges(); err != nil {
			return err
		}
	}
	return s.bye()
}

// openGreeting goes as far as the peer's summary: one round trip, if the rosters
// are the same.
func (s *session) openGreeting(member [32]byte) (*summary, error) {
	ephemeral, err := s.greet()
	if err != nil {
		return nil, err
	}
	if err := s.sendHello(); err != nil {
		return nil, err
	}
	if err := s.ch.flush(); err != nil {
		return nil, err
	}
	if err := s.takeHello(); err != nil {
		return nil, err
	}
	if err := s.link(ephemeral); err != nil {
		return nil, err
	}
	if s.peer.member != member {
		return nil, fail(ReasonStranger, "another member answered")
	}
	if err := s.takeAuth(); err != nil {
		return nil, err
	}
	if err := s.sendAuth(); err != nil {
		return nil, err
	}
	at := s.mine.head()
	if !s.aligned() {
		if at, err = s.joinOpener(); err != nil {
			return nil, err
		}
	}
	in, err := s.groupKeys(at)
	if err != nil {
		return nil, err
	}
	if err := s.ch.rekeyIn(in); err != nil {
		return nil, err
	}
	s.ch.phase = &s.result.Learn
	_, b, err := s.ch.recv(kindSummary)
	if err != nil {
		return nil, err
	}
	s.result.LearnTrips = -s.ch.roundTrips
	return readSummary(b)
}

// learned ends the part of the session whose cost is counted apart.
func (s *session) learned() {
	s.ch.phase = nil
	if s.opener {
		s.result.LearnTrips += s.ch.roundTrips
	}
}

// openEqual tells the peer that nothing is to be done but for lists.
func (s *session) openEqual(lists []int) error {
	s.result.Mode = ModeEqual
	if err := s.ch.send(kindEqual, nil); err != nil {
		return err
	}
	s.learned()
	if len(lists) == 0 {
		return nil
	}
	if err := s.ch.flush(); err != nil {
		return err
	}
	return s.takeLists(lists)
}

// bye ends a session that did what it was for.
func (s *session) bye() error {
	if err := s.ch.send(kindBye, nil); err != nil {
		return err
	}
	return s.ch.flush()
}

// difference is the opener's view of what differs.
type difference struct {
	*session
	from  uint64
	shift uint8
	own   *collection

	give []held            // what the peer lacks and was not sent yet
	no   map[uint64]bool   // by short id, what the peer does not want
	lack map[uint64]bool   // by short id, what we asked for or will
	sum  recon.Fingerprint // of the peer's set, as far as we know it
	want [32]byte          // what it has to become
	gone int               // named by the peer and not delivered

	later  bool // nothing is to be sent now
	others int  // what other sessions had added when ours was looked at
}

// openDiffer learns which ids differ.
func (s *session) openDiffer(from uint64, shift uint8, pages []uint64, lists []int) (*difference, error) {
	others := s.claim.others()
	own, err := s.ask(from, shift, pages)
	if err != nil {
		return nil, err
	}
	if len(lists) > 0 {
		if err := s.outside(func() error { return s.takeLists(lists) }); err != nil {
			return nil, err
		}
	}
	k, b, err := s.ch.recv(kindCells, kindDetails)
	if err == nil && k == kindDetails {
		// The last page is too large to be compared as one.
		s.result.Left = true
		if pages, err = s.detail(b, from, shift, own.pages[len(own.pages)-1]); err != nil {
			return nil, err
		}
		shift = fine
		if own, err = s.ask(from, shift, pages); err != nil {
			return nil, err
		}
		_, b, err = s.ch.recv(kindCells)
	}
	if err != nil {
		return nil, err
	}
	if own.large {
		return nil, fail(ReasonMalformed, "cells of a page that is too large")
	}
	c, err := readCells(b)
	if err != nil {
		return nil, err
	}
	if c.covered == 0 || c.covered > uint64(len(own.pages)) || c.count > recon.MaxSet {
		return nil, fail(ReasonMalformed, "%d pages with %d events", c.covered, c.count)
	}
	own.last(int(c.covered))
	s.result.Left = s.result.Left || own.left
	d := &difference{session: s, from: from, shift: shift, own: own, lack: make(map[uint64]bool), sum: *own.sum(), want: c.sum, later: c.later, others: others}
	shorts, err := s.index(own)
	if err != nil {
		return nil, err
	}
	if c.list {
		err = d.fromList(c)
	} else {
		err = d.fromCells(c, shorts)
	}
	if err != nil {
		return nil, err
	}
	s.learned()
	s.result.Theirs, s.result.Ours = len(d.lack), len(d.give)
	if err := d.known(); err != nil {
		return nil, err
	}
	if err := d.unwanted(c.refused); err != nil {
		return nil, err
	}
	return d, nil
}

// ask asks what the peer has in pages.
func (s *session) ask(from uint64, shift uint8, pages []uint64) (*collection, error) {
	own, err := s.collect(from, shift, pages)
	if err != nil {
		return nil, err
	}
	m := &differ{from: from, shift: shift, pages: own.pages, count: own.size}
	if err := s.ch.send(kindDiffer, m.bytes()); err != nil {
		return nil, err
	}
	return own, s.ch.flush()
}

// detail lists the epochs of a page that differ by the peer's details.
func (s *session) detail(b []byte, from uint64, shift uint8, page uint64) ([]uint64, error) {
	if len(b) != 2*pageEpochs<<shift {
		return nil, fail(ReasonMalformed, "details of %d bytes", len(b))
	}
	epochs, err := s.Log.Epochs()
	if err != nil {
		return nil, &Error{Reason: ReasonLocal, err: err}
	}
	var out []uint64
	first := page * pageEpochs << shift
	for i, ours := range details(s.short, epochs, page, shift) {
		if epoch := first + uint64(i); epoch >= from && binary.LittleEndian.Uint16(b[2*i:]) != ours {
			out = append(out, epoch)
		}
	}
	if len(out) == 0 { // two bytes were equal by chance, or it has changed meanwhile
		out = append(out, max(from, first+pageEpochs<<shift-1))
	}
	return out[max(0, len(out)-maxDiffer):], nil
}

// outside does something whose bytes are not part of learning ids.
func (s *session) outside(f func() error) error {
	defer func(p *Bytes) { s.ch.phase = p }(s.ch.phase)
	s.ch.phase = nil
	return f()
}

// fromList learns the difference from a list of all the peer has.
func (d *difference) fromList(c *cells) error {
	d.result.Mode = ModeList
	theirs, err := readShorts(kindCells, c.body)
	if err != nil {
		return err
	}
	if uint64(len(theirs)) != c.count {
		return fail(ReasonMalformed, "a list of %d ids, not %d", len(theirs), c.count)
	}
	if err := d.work(int64(len(theirs)) * workID); err != nil {
		return err
	}
	both := make(map[int]bool, len(theirs))
	for _, short := range theirs {
		if at, ok := d.own.short[short]; ok {
			both[at] = true
		} else {
			d.lack[short] = true
		}
	}
	for at := range d.own.events {
		if !both[at] {
			d.lose(at)
		}
	}
	return nil
}

// lose notes that the peer lacks one of our events.
func (d *difference) lose(at int) {
	d.give = append(d.give, d.own.events[at])
	d.sum.Remove(&d.own.events[at].id)
}

// fromCells learns the difference from coded cells, asking for more until they
// can be decoded. Cells that end without a lie leave nothing learnt: ranges then
// do it.
func (d *difference) fromCells(c *cells, shorts []uint64) error {
	d.result.Mode = ModeCells
	own, err := recon.NewEncoder(&d.short, shorts, recon.Limits{})
	if err != nil {
		return &Error{Reason: ReasonLocal, err: err}
	}
	dec := recon.NewDecoder(own)
	take, body, size := dec.First, c.body, 0
	for {
		if err := d.work(int64(len(body)) * workCell); err != nil {
			return err
		}
		if err := take(body); errors.Is(err, recon.ErrLimit) {
			return nil
		} else if err != nil {
			return blame(err)
		}
		if dec.Done() {
			break
		}
		more, err := dec.Want()
		if err != nil { // what could have been needed has come: no lie
			return nil
		}
		// So much differs that a list of all it has is shorter.
		size += more * cellBytes
		list := uint64(size) > 8*c.count
		if list {
			more = 0
		}
		if err := d.ch.send(kindMore, number(more)); err != nil {
			return err
		}
		if err := d.ch.flush(); err != nil {
			return err
		}
		if _, body, err = d.ch.recv(kindCells); err != nil {
			return err
		}
		if list {
			return d.fromList(&cells{count: c.count, body: body})
		}
		take = dec.Next
	}
	for _, short := range dec.Remote() {
		d.lack[short] = true
	}
	for _, short := range dec.Local() {
		d.lose(d.own.short[short])
	}
	return nil
}

// known strikes what our log refused before from what we ask for. It counts as
// seen.
func (d *difference) known() error {
	known := d.Known.in(d.peer.member, d.own.pages, d.shift)
	for _, id := range known {
		if short := recon.ShortID(&d.short, &id); d.lack[short] {
			delete(d.lack, short)
			d.sum.Add(&id)
		}
	}
	return d.work(int64(len(known)) * workID)
}

// unwanted notes what the peer's log refused before, and strikes it from what we
// send.
func (d *difference) unwanted(list []byte) error {
	shorts, err := readShorts(kindCells, list)
	if err != nil {
		return err
	}
	if len(shorts) > maxUnwanted {
		return fail(ReasonLimit, "%d events that it does not want", len(shorts))
	}
	d.no = make(map[uint64]bool, len(shorts))
	for _, short := range shorts {
		d.no[short] = true
	}
	d.strike()
	return nil
}

// strike leaves in what we send only what the peer wants now, the newest first.
func (d *difference) strike() {
	if d.later {
		d.give = nil
	}
	if len(d.no) > 0 {
		d.give = slices.DeleteFunc(d.give, func(e held) bool { return d.no[recon.ShortID(&d.short, &e.id)] })
	}
	newestFirst(d.give)
}
