package gossip

import (
	"context"
	"encoding/binary"
	"errors"
	"time"

	"github.com/culvert-net/culvert/mesh/event"
	"github.com/culvert-net/culvert/mesh/eventlog"
	"github.com/culvert-net/culvert/mesh/recon"
	"github.com/culvert-net/culvert/mesh/world"
	"github.com/culvert-net/culvert/mesh/world/postcard"
)

// Store is an event log as sync and push need it.
//
// An event travels as its canonical bytes and the ticket that stands beside it,
// each with its length; no ticket is an empty one.
type Store struct {
	Events    *eventlog.Log
	Admission *eventlog.Admission
}

var (
	_ Log   = (*Store)(nil)
	_ Judge = (*Store)(nil)
)

// Pack is an event as it travels.
func Pack(e *event.Event, stamp []byte) []byte {
	b := postcard.AppendBytes(nil, e.Canonical())
	return postcard.AppendBytes(b, stamp)
}

// unpack reads what Pack wrote, without looking into the event. The id is what
// the event says, which admission compares.
func unpack(b []byte) (c eventlog.Candidate, id ID, epoch uint64, ok bool) {
	d := postcard.NewDecoder(b)
	c.Bytes = d.Bytes()
	stamp := d.Bytes()
	if d.Finish() != nil {
		return c, id, 0, false
	}
	if len(stamp) > 0 {
		t, err := world.ParseTicket(stamp)
		if err != nil {
			return c, id, 0, false
		}
		c.Stamp = &t
	}
	// An event begins with its id, its world and its epoch.
	const worldEnd = 2 * len(ID{})
	if len(c.Bytes) <= worldEnd {
		return c, id, 0, false
	}
	epoch, n := binary.Uvarint(c.Bytes[worldEnd:])
	return c, ID(c.Bytes[:len(id)]), epoch, n > 0
}

// Epochs implements Log.
func (s *Store) Epochs() ([]Epoch, error) {
	list, err := s.Events.Epochs()
	if err != nil {
		return nil, err
	}
	out := make([]Epoch, 0, len(list))
	for _, e := range list {
		out = append(out, Epoch{Epoch: e.Epoch, Count: e.Count, Sum: e.Fingerprint, Pruned: e.Pruned})
	}
	return out, nil
}

// Snapshot implements Log.
func (s *Store) Snapshot(epoch uint64) ([]ID, *recon.Fingerprint, error) {
	return s.Events.Snapshot(epoch)
}

// Get implements Log.
func (s *Store) Get(epoch uint64, id ID) ([]byte, error) {
	e, meta, err := s.Events.Get(epoch, id)
	switch {
	case errors.Is(err, eventlog.ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, err
	}
	return Pack(e, meta.Stamp), nil
}

// Admit implements Log.
func (s *Store) Admit(ctx context.Context, events [][]byte, via Via) (added int, verdicts []Verdict, err error) {
	how := eventlog.ViaSync
	if via == ViaPush {
		how = eventlog.ViaPush
	}
	verdicts = make([]Verdict, len(events))
	var sent []eventlog.Candidate
	var places []int // of what is sent
	for i, b := range events {
		c, id, epoch, ok := unpack(b)
		verdicts[i] = Verdict{ID: id, Epoch: epoch}
		if !ok {
			verdicts[i].Outcome = Bad
			continue
		}
		sent, places = append(sent, c), append(places, i)
	}
	r, err := s.Admission.Ingest(ctx, sent, how, time.Now())
	if err != nil {
		return 0, nil, err
	}
	for _, x := range r.Refused {
		v := &verdicts[places[x.Index]]
		v.Outcome, v.Sent = outcomeOf(x.Reason), x.Reason == eventlog.ReasonUnstamped
	}
	return r.Added, verdicts, nil
}

// Judge implements Judge.
func (s *Store) Judge(b []byte) (outcome Outcome, fresh bool) {
	c, _, _, ok := unpack(b)
	if !ok {
		return Bad, false
	}
	e, err := event.Decode(c.Bytes)
	if err != nil {
		return Bad, false
	}
	var reason eventlog.Reason
	switch err := s.Admission.Check(context.Background(), e, c.Stamp, eventlog.ViaPush, time.Now()); {
	case err == nil:
		return Kept, true
	case errors.Is(err, eventlog.ErrKnown):
		return Kept, false
	case errors.As(err, &reason):
		return outcomeOf(reason), false
	default: // the log failed, which is not the event's fault
		return Refused, false
	}
}

// outcomeOf tells what a sender had to see from what depends on the receiver: its
// clock, its roster, what else it has.
func outcomeOf(r eventlog.Reason) Outcome {
	switch r {
	case eventlog.ReasonSize, eventlog.ReasonWorld, eventlog.ReasonMalformed, eventlog.ReasonSignature, eventlog.ReasonStamp:
		return Bad
	default:
		return Refused
	}
}
