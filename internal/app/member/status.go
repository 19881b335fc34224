package member

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/mesh/eventlog"
)

// Status is what a member that runs says of itself to its owner.
type Status struct {
	Member     bool        `json:"member"`
	Problem    string      `json:"problem,omitempty"` // why it is none that reads, or what is wrong
	Alarm      string      `json:"alarm,omitempty"`
	Generation uint64      `json:"generation"`
	Members    int         `json:"members"`
	Waiting    int         `json:"waiting"`         // changes that wait for approvals
	Rules      *ShownRules `json:"rules,omitempty"` // that enough members want for long enough; nil: none
	Clock      string      `json:"clock"`           // how it stands to other members'
	ClockWrong bool        `json:"clock_wrong"`
	Log        LogStatus   `json:"log"`
	Seals      SealStatus  `json:"seals"`
	Sync       SyncStatus  `json:"sync"`
	Push       *PushStatus `json:"push,omitempty"` // nil: none
}

// LogStatus is how much is remembered.
type LogStatus struct {
	Events  uint64            `json:"events"`
	Epochs  int               `json:"epochs"` // with events
	Oldest  uint64            `json:"oldest_epoch,omitempty"`
	Newest  uint64            `json:"newest_epoch,omitempty"`
	Bytes   int64             `json:"bytes"`             // of the file
	Refused map[string]uint64 `json:"refused,omitempty"` // events, by reason, since the start
	Problem string            `json:"problem,omitempty"`
}

// SyncStatus is how repair goes.
type SyncStatus struct {
	Rounds   uint64            `json:"rounds"`
	Equal    bool              `json:"equal"` // the last one found nothing to do with anybody
	Next     time.Time         `json:"next,omitzero"`
	Sessions uint64            `json:"sessions"`
	Inbound  int               `json:"inbound"`
	Outbound int               `json:"outbound"`
	Added    uint64            `json:"events_fetched"`
	Sent     uint64            `json:"events_sent"`
	BytesIn  int64             `json:"bytes_in"`
	BytesOut int64             `json:"bytes_out"`
	Failed   map[string]uint64 `json:"failed,omitempty"` // sessions, by reason
	Partners []SyncPartner     `json:"partners"`         // of the last round
}

// PushStatus is how push goes.
type PushStatus struct {
	Peers    int    `json:"peers"`
	Topics   int    `json:"topics"`
	Sent     uint64 `json:"events_sent"`
	Dropped  uint64 `json:"events_dropped"`
	Received uint64 `json:"batches_received"`
	Added    uint64 `json:"events_added"`
	Known    uint64 `json:"events_known"`
	Bad      uint64 `json:"batches_bad"`
}

// Status is a copy of the moment.
func (s *Service) Status() *Status {
	generation, _ := s.Roster().Head()
	skew := s.clock.Skew()
	out := &Status{
		Member: true, Alarm: s.Alarm(), Generation: generation, Members: len(s.Roster().Members()),
		Waiting: len(s.waiting.all(time.Now())), Clock: skew.String(), ClockWrong: skew.Wrong,
		Log: s.logStatus(), Seals: s.sealStatus(), Sync: s.syncStatus(),
	}
	out.Rules = s.endorsed.wanted()
	if err := s.Ready(); err != nil {
		out.Member, out.Problem = s.IsMember() == nil, err.Error()
	}
	if s.pusher != nil {
		p := s.pusher.Status()
		out.Push = &PushStatus{
			Peers: s.push.Stats().Peers, Topics: p.Topics, Sent: p.Sent, Dropped: p.Dropped,
			Received: p.Received, Added: p.Added, Known: p.Known, Bad: p.Bad,
		}
	}
	return out
}

func (m *Member) logStatus() LogStatus {
	var s LogStatus
	epochs, err := m.events.Epochs()
	if err != nil {
		s.Problem = err.Error()
	}
	for _, e := range epochs {
		if e.Pruned || e.Count == 0 {
			continue
		}
		if s.Epochs == 0 {
			s.Oldest = e.Epoch
		}
		s.Epochs++
		s.Events += e.Count
		s.Newest = e.Epoch
	}
	if info, err := os.Stat(filepath.Join(m.cfg.Dir, LogFile)); err == nil {
		s.Bytes = info.Size()
	}
	for _, r := range eventlog.Reasons() {
		if n := m.events.Refused(r); n > 0 {
			if s.Refused == nil {
				s.Refused = make(map[string]uint64)
			}
			s.Refused[r.Label()] = n
		}
	}
	return s
}

func (s *Service) syncStatus() SyncStatus {
	g := s.syncer.Status()
	out := SyncStatus{
		Rounds: g.Rounds, Equal: g.Last.Equal(), Next: g.Next, Sessions: g.Totals.Sessions, Inbound: g.Inbound, Outbound: g.Outbound,
		Added: g.Totals.Added, Sent: g.Totals.Sent, BytesIn: g.Totals.Size.Wire.Received, BytesOut: g.Totals.Size.Wire.Sent,
		Partners: synced(g.Last).Partners,
	}
	for r, n := range g.Errors {
		if out.Failed == nil {
			out.Failed = make(map[string]uint64)
		}
		out.Failed[r.Label()] = n
	}
	return out
}

// Rows prints s for a person; nil prints nothing.
func (s *Status) Rows(row func(name, format string, args ...any)) {
	if s == nil {
		return
	}
	if s.Member {
		row("Member", "yes, of %s, generation %d", app.Count(s.Members, "member"), s.Generation)
	} else {
		row("Member", "NO: %s", s.Problem)
	}
	if s.Member && s.Problem != "" && !s.ClockWrong { // the clock has a row of its own
		row("MEMBER", "%s", s.Problem)
	}
	if s.Alarm != "" {
		row("ALARM", "%s", s.Alarm)
	}
	if s.Waiting > 0 {
		row("Waiting", "%s for approvals; see: observer world show", app.Count(s.Waiting, "change"))
	}
	if r := s.Rules; r != nil {
		row("Rules", "members want others: %.8s, by %.0f %% of the operators; see: observer world show", r.Hash, 100*r.Share)
	}
	if s.ClockWrong {
		row("CLOCK", "%s", s.Clock)
	}
	refused := uint64(0)
	for _, n := range s.Log.Refused {
		refused += n
	}
	row("Log", "%d events in %s, %s; %d refused", s.Log.Events, app.Count(s.Log.Epochs, "epoch"), size(s.Log.Bytes), refused)
	switch x := s.Seals; {
	case x.Sealed == 0 && x.Pending == 0:
		row("Seals", "none yet")
	case x.Pending == 0:
		row("Seals", "%s, the newest %d", app.Count(x.Sealed, "epoch"), x.Newest)
	default:
		row("Seals", "%s, the newest %d; %d wait for events", app.Count(x.Sealed, "epoch"), x.Newest, x.Pending)
	}
	state := "the last round found differences, or nobody"
	if s.Sync.Equal {
		state = "the last round found nothing to do"
	}
	row("Sync", "%s, %s, %d events fetched, %d sent; %s", app.Count(int(s.Sync.Rounds), "round"), size(s.Sync.BytesIn+s.Sync.BytesOut), s.Sync.Added, s.Sync.Sent, state)
	if p := s.Push; p != nil {
		row("Push", "%s, %d events sent, %d new ones received", app.Count(p.Peers, "peer"), p.Sent, p.Added)
	}
}

// size is a number of bytes for a person.
func size(n int64) string {
	switch {
	case n < 10<<10:
		return fmt.Sprintf("%d B", n)
	case n < 10<<20:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d MiB", n>>20)
}

// Ready is nil if this node is a member that reads, by a clock that others share.
func (s *Service) Ready() error {
	if err := s.IsMember(); err != nil {
		return err
	}
	if skew := s.clock.Skew(); skew.Wrong {
		return fmt.Errorf("the clock is wrong: %v", skew)
	}
	if s.syncer.Shunned() {
		return errors.New("other members take no session of this node: was it evicted? Ask a member, or see theirs: observer world show")
	}
	return nil
}
