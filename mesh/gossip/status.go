package gossip

import (
	"encoding/hex"
	"maps"
	"time"
)

// Status is what a Syncer did so far.
type Status struct {
	Rounds   uint64
	Last     Round     // the zero value before the first
	Next     time.Time // when the next round is due
	Inbound  int       // sessions of others that run now
	Outbound int       // sessions of ours that run now
	Peers    []PeerStatus
	Totals   Totals

	Modes  map[Mode]uint64   // sessions that were finished, by mode
	Errors map[Reason]uint64 // sessions that were not, by reason
}

// Totals sums up sessions.
type Totals struct {
	Sessions uint64
	Added    uint64 // events
	Sent     uint64
	Refused  uint64
	Size     Size
}

func (t *Totals) take(r *Result) {
	t.Sessions++
	t.Added += uint64(r.Added)
	t.Sent += uint64(r.Sent)
	t.Refused += uint64(r.Refused)
	t.Size.take(&r.Size)
}

func (s *Size) take(other *Size) {
	s.Plain.take(other.Plain)
	s.Wire.take(other.Wire)
}

func (b *Bytes) take(other Bytes) {
	b.Sent += other.Sent
	b.Received += other.Received
}

// Round is one round of repair.
type Round struct {
	Started  time.Time
	Took     time.Duration
	Partners []Partner
}

// Partner is how it went with one of a round's partners.
type Partner struct {
	Key      [32]byte
	Near     bool // a neighbour of this epoch; else drawn by chance
	Sessions int
	Mode     Mode // of the first session
	Theirs   int  // events that it had and we lacked, at first
	Ours     int  // events that we had and it lacked, at first
	Added    int
	Sent     int
	Size     Size
	Trips    int    // round trips of all sessions
	Learn    Bytes  // what it took to learn the ids, before padding, in all sessions
	LearnBy  int    // round trips of that, in the session that took most
	Error    Reason // of the last session
	Told     bool   // the partner gave the reason
}

// Take takes in one more session.
func (p *Partner) Take(r *Result, err error) {
	if p.Sessions == 0 {
		p.Mode, p.Theirs, p.Ours = r.Mode, r.Theirs, r.Ours
	}
	p.Sessions++
	p.Added += r.Added
	p.Sent += r.Sent
	p.Trips += r.RoundTrips
	p.Size.take(&r.Size)
	p.Learn.take(r.Learn)
	p.LearnBy = max(p.LearnBy, r.LearnTrips)
	p.Error = ReasonOf(err)
	p.Told = toldBy(err)
}

// Equal reports whether every partner could be reached and had our log already.
func (r *Round) Equal() bool {
	for _, p := range r.Partners {
		if p.Error != ReasonNone || p.Mode != ModeEqual {
			return false
		}
	}
	return len(r.Partners) > 0
}

// Status is a copy of the moment.
func (s *Syncer) Status() Status {
	peers := s.peers.list(time.Now())
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.status
	out.Modes, out.Errors = maps.Clone(s.status.Modes), maps.Clone(s.status.Errors)
	out.Inbound, out.Outbound, out.Peers = len(s.inbound), len(s.outbound), peers
	return out
}

// count counts a session.
func (s *Syncer) count(mode Mode, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		if s.status.Errors == nil {
			s.status.Errors = make(map[Reason]uint64)
		}
		s.status.Errors[ReasonOf(err)]++
		return
	}
	if s.status.Modes == nil {
		s.status.Modes = make(map[Mode]uint64)
	}
	s.status.Modes[mode]++
}

// short is a key in a log line: enough to tell members apart.
func short(key [32]byte) string { return hex.EncodeToString(key[:4]) }
