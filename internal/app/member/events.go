package member

import (
	"context"
	"errors"
	"time"

	"github.com/culvert-net/culvert/mesh/event"
	"github.com/culvert-net/culvert/mesh/eventlog"
	"github.com/culvert-net/culvert/mesh/gossip"
	"github.com/culvert-net/culvert/mesh/recon"
	"github.com/culvert-net/culvert/mesh/world"
	"github.com/culvert-net/culvert/mesh/world/postcard"
)

// events is the event log as sync and push need it.
type events struct{ m *Member }

var (
	_ gossip.Log   = events{}
	_ gossip.Judge = events{}
)

// Epochs implements gossip.Log.
func (l events) Epochs() ([]gossip.Epoch, error) {
	all, err := l.m.events.Epochs()
	if err != nil {
		return nil, err
	}
	out := make([]gossip.Epoch, len(all))
	for i, e := range all {
		out[i] = gossip.Epoch{Epoch: e.Epoch, Count: e.Count, Sum: e.Fingerprint, Pruned: e.Pruned}
	}
	return out, nil
}

// Snapshot implements gossip.Log. Ids are read in parts, and events may come in
// between: the fingerprint is that of the ids that were read.
func (l events) Snapshot(epoch uint64) ([]gossip.ID, *recon.Fingerprint, error) {
	var ids []gossip.ID
	sum := new(recon.Fingerprint)
	err := l.m.events.IDs(epoch, func(id world.Hash) bool {
		ids = append(ids, gossip.ID(id))
		sum.Add((*recon.ID)(&id))
		return true
	})
	return ids, sum, err
}

// Get implements gossip.Log.
func (l events) Get(epoch uint64, id gossip.ID) ([]byte, error) {
	e, meta, err := l.m.events.Get(epoch, world.Hash(id))
	if errors.Is(err, eventlog.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return packed(e.Canonical(), meta.Stamp), nil
}

// packed is an event as it travels: its canonical bytes and, of a descriptor, the
// ticket it came with.
func packed(canonical, stamp []byte) []byte {
	return postcard.AppendBytes(postcard.AppendBytes(nil, canonical), stamp)
}

// candidate reads what packed writes. What cannot be read is an event without
// bytes, which the log refuses.
func candidate(b []byte) (c eventlog.Candidate) {
	d := postcard.NewDecoder(b)
	canonical, stamp := d.Bytes(), d.Bytes()
	if d.Finish() != nil {
		return c
	}
	c.Bytes = canonical
	if len(stamp) > 0 {
		t, err := world.ParseTicket(stamp)
		if err != nil {
			return eventlog.Candidate{}
		}
		c.Stamp = &t
	}
	return c
}

// Admit implements gossip.Log.
func (l events) Admit(ctx context.Context, all [][]byte, via gossip.Via) (added int, verdicts []gossip.Verdict, err error) {
	sent := make([]eventlog.Candidate, len(all))
	verdicts = make([]gossip.Verdict, len(all))
	for i, b := range all {
		sent[i] = candidate(b)
		verdicts[i] = verdictOf(sent[i].Bytes)
	}
	r, err := l.m.admission.Ingest(ctx, sent, viaOf(via), time.Now())
	if err != nil {
		return 0, nil, err
	}
	for _, x := range r.Refused {
		verdicts[x.Index].Outcome = outcomeOf(x.Reason)
	}
	return r.Added, verdicts, nil
}

// Judge implements gossip.Judge.
func (l events) Judge(b []byte) (outcome gossip.Outcome, fresh bool) {
	c := candidate(b)
	e, err := event.Decode(c.Bytes)
	if err != nil {
		return gossip.Bad, false
	}
	// The caller waits, and nobody would end the check before it is done.
	err = l.m.admission.Check(context.Background(), e, c.Stamp, eventlog.ViaPush, time.Now())
	switch reason, refused := errors.AsType[eventlog.Reason](err); {
	case refused:
		return outcomeOf(reason), false
	case errors.Is(err, eventlog.ErrKnown):
		return gossip.Kept, false
	case err != nil:
		return gossip.Refused, false // the disk failed, which nobody else is to blame for
	}
	return gossip.Kept, true
}

// verdictOf is of an event that is kept. An event begins with its id, its world
// and its epoch; of what is too short there is nothing to say.
func verdictOf(canonical []byte) gossip.Verdict {
	d := postcard.NewDecoder(canonical)
	var id, at world.Hash
	d.Array(id[:])
	d.Array(at[:])
	v := gossip.Verdict{ID: gossip.ID(id), Epoch: d.U64()}
	if d.Err() != nil {
		return gossip.Verdict{Outcome: gossip.Bad}
	}
	return v
}

// outcomeOf says whether the sender of a refused event is to blame: it had to see
// what is wrong with the event itself, and could not know what this log holds.
func outcomeOf(r eventlog.Reason) gossip.Outcome {
	switch r {
	case eventlog.ReasonSize, eventlog.ReasonWorld, eventlog.ReasonMalformed, eventlog.ReasonSignature:
		return gossip.Bad
	}
	return gossip.Refused
}

func viaOf(v gossip.Via) eventlog.Via {
	if v == gossip.ViaPush {
		return eventlog.ViaPush
	}
	return eventlog.ViaSync
}
