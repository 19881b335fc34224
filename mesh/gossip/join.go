package gossip

import (
	"errors"

	"github.com/culvert-net/culvert/mesh/world"
)

// head is a place on the roster's chain.
type head struct {
	generation uint64
	entry      world.Hash
}

func (s *session) head() head {
	g, e := s.Group.Head()
	return head{g, e}
}

func (h *hello) head() head { return head{h.generation, h.entry} }

// aligned reports whether both sides began with one head and have its master.
func (s *session) aligned() bool {
	return s.mine.head() == s.peer.head() && s.mine.speaks == head{} && s.peer.speaks == head{}
}

// common is the place whose master both sides have, as far as their hellos say: at,
// which is the head of both by now, or the older of those that they can speak under.
// Who is a member is the head's to say all the same.
func (s *session) common(at head) head {
	for _, h := range []*hello{s.mine, s.peer} {
		if h.speaks != (head{}) && h.speaks.generation < at.generation {
			at = h.speaks
		}
	}
	return at
}

// joinOpener makes the rosters one, as the opener: it tells its head and what the
// peer seems to lack, takes what it lacks itself, and does so again until the
// peer says the head that it was told. The result is the head both have.
func (s *session) joinOpener() (head, error) {
	theirs := s.peer.head()
	var before [2]head
	for range maxRosterTurns {
		ours := s.head()
		if now := [2]head{ours, theirs}; now == before {
			return head{}, &Error{Reason: ReasonRoster}
		} else {
			before = now
		}
		if err := s.sendRoster(ours, theirs); err != nil {
			return head{}, err
		}
		if err := s.ch.flush(); err != nil {
			return head{}, err
		}
		var err error
		if theirs, err = s.takeRoster(); err != nil {
			return head{}, err
		}
		if theirs == ours {
			return ours, nil
		}
	}
	return head{}, &Error{Reason: ReasonRoster}
}

// joinAnswerer is its counterpart.
func (s *session) joinAnswerer() (head, error) {
	for range maxRosterTurns {
		theirs, err := s.takeRoster()
		if err != nil {
			return head{}, err
		}
		ours := s.head()
		if err := s.sendRoster(ours, theirs); err != nil {
			return head{}, err
		}
		if ours == theirs {
			return ours, nil
		}
		if err := s.ch.flush(); err != nil {
			return head{}, err
		}
	}
	return head{}, &Error{Reason: ReasonRoster}
}

// sendRoster tells our head, and what a peer with another one lacks, if it is a
// member by our roster: who was evicted, or never admitted, learns nothing.
func (s *session) sendRoster(ours, theirs head) error {
	m := &rosterMsg{generation: ours.generation, entry: ours.entry}
	if ours != theirs && s.Group.Member(s.peer.member) {
		entries, err := s.Group.Missing(theirs.generation, theirs.entry, maxRoster)
		if err != nil {
			return &Error{Reason: ReasonLocal, err: err}
		}
		m.entries = entries
	}
	return s.ch.send(kindRoster, m.bytes())
}

// takeRoster takes the peer's head and entries.
func (s *session) takeRoster() (head, error) {
	_, b, err := s.ch.recv(kindRoster)
	if err != nil {
		return head{}, err
	}
	m, err := readRoster(b)
	if err != nil {
		return head{}, err
	}
	if len(m.entries) > 0 {
		switch err := s.Group.Learn(m.entries); {
		case errors.Is(err, ErrEntry):
			return head{}, &Error{Reason: ReasonMalformed, err: err}
		case err != nil:
			return head{}, &Error{Reason: ReasonLocal, err: err}
		}
		s.result.Entries += len(m.entries)
	}
	return head{m.generation, m.entry}, nil
}
