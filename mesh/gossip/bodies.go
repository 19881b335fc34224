package gossip

import (
	"bytes"
	"errors"
	"slices"
	"time"

	"github.com/culvert-net/culvert/mesh/world/postcard"
)

// number is a message that is one number.
func number(n int) []byte { return postcard.AppendUint(nil, uint64(n)) }

// sendEvents sends events, and takes them off the list, until all are sent or the
// turn is full. What was pruned meanwhile is left out.
func (s *session) sendEvents(list *[]held) error {
	size := 0
	batch, length := [][]byte(nil), 0
	ship := func() error {
		if len(batch) == 0 {
			return nil
		}
		s.result.Sent += len(batch)
		err := s.ch.send(kindEvents, appendList(make([]byte, 0, length+maxSmall), batch))
		batch, length = batch[:0], 0
		return err
	}
	for len(*list) > 0 && size < maxTurn {
		e := (*list)[0]
		b, err := s.Log.Get(e.epoch, e.id)
		if err != nil {
			return &Error{Reason: ReasonLocal, err: err}
		}
		*list = (*list)[1:]
		if b == nil {
			continue
		}
		// What a list takes beside its items is a few bytes for each.
		if length+len(b)+8*(len(batch)+2) > maxEvents {
			if err := ship(); err != nil {
				return err
			}
		}
		batch, length, size = append(batch, b), length+len(b), size+len(b)
	}
	return ship()
}

// takeEvents takes a message of events. expected is told the id of each and
// reports whether it was to come.
func (s *session) takeEvents(b []byte, expected func(*ID) bool) error {
	events, err := decodeList(kindEvents, b)
	if err != nil {
		return err
	}
	if len(events) == 0 {
		return fail(ReasonMalformed, "a message of no events")
	}
	// A log may keep what it is given, and would keep all that came with it.
	for i := range events {
		events[i] = bytes.Clone(events[i])
	}
	added, verdicts, err := s.Log.Admit(s.ctx, events, ViaSync)
	if err != nil || len(verdicts) != len(events) {
		return &Error{Reason: ReasonLocal, err: err}
	}
	s.result.Received += len(events)
	s.result.Added += added
	s.claim.progress(added)
	now, welcome := time.Now(), true
	for i := range verdicts {
		v := &verdicts[i]
		switch v.Outcome {
		case Refused:
			s.result.Refused++
			welcome = s.Known.add(s.peer.member, v, len(events[i]), now)
		case Bad:
			return fail(ReasonBody, "it is not a good event")
		}
		if !expected(&v.ID) {
			return fail(ReasonBody, "it was not asked for")
		}
	}
	if !welcome {
		return fail(ReasonRefused, "%d events of this session", s.result.Refused)
	}
	return nil
}

// differing lists the carriers whose digest is not the peer's.
func (s *session) differing(theirs [][4]byte) []int {
	var out []int
	for i, ours := range s.carried() {
		if i < len(theirs) && theirs[i] != ours {
			out = append(out, i)
		}
	}
	return out
}

// carried are the digests of our lists, under the key of the session.
func (s *session) carried() [][4]byte {
	out := make([][4]byte, len(s.Carriers))
	for i, c := range s.Carriers {
		h, d := keyed(s.short, labelList), c.Digest()
		write(h, uint64(i))
		h.Write(d[:])
		copy(out[i][:], h.Sum(nil))
	}
	return out
}

// sendLists sends the lists of some carriers, each up to its bound: the rest
// waits until a peer has merged what came before, or never comes, which is the
// carrier's affair.
func (s *session) sendLists(which []int) error {
	m := listsMsg{}
	for _, i := range which {
		items, size := s.Carriers[i].Items(), 0
		for n, item := range items {
			if size += len(item) + 8; size > maxList {
				items = items[:n]
				break
			}
		}
		m[i] = items
	}
	return s.ch.send(kindLists, m.bytes())
}

// takeLists takes the peer's lists; they are of the carriers named, if any are.
func (s *session) takeLists(which []int) error {
	_, b, err := s.ch.recv(kindLists)
	if err != nil {
		return err
	}
	m, err := readLists(b)
	if err != nil {
		return err
	}
	return s.merge(m, which)
}

// merge takes in lists: of the carriers named, or of any if none are.
func (s *session) merge(m listsMsg, which []int) error {
	for i := range maxCarriers {
		items, ok := m[i]
		switch {
		case !ok:
			continue
		case i >= len(s.Carriers), which != nil && !slices.Contains(which, i):
			return fail(ReasonMalformed, "list %d was not to come", i)
		}
		for n := range items {
			items[n] = bytes.Clone(items[n])
		}
		switch err := s.Carriers[i].Merge(items); {
		case errors.Is(err, ErrEntry):
			return &Error{Reason: ReasonMalformed, err: err}
		case err != nil:
			return &Error{Reason: ReasonLocal, err: err}
		}
	}
	return nil
}
