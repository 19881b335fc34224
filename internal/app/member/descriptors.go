package member

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/culvert-net/culvert/mesh/event"
	"github.com/culvert-net/culvert/mesh/eventlog"
	"github.com/culvert-net/culvert/mesh/gossip"
	"github.com/culvert-net/culvert/mesh/world"
)

// What nodes of the world say of themselves is among members an event like any
// other: so all signers know the same, and members find one another before the
// directory has its next root.

// Descriptor is what a node said of itself, as the log has it.
type Descriptor struct {
	world.Descriptor
	Stamped bool // its key paid for the epoch
}

// Publish puts what a node said of itself into the log, with the stamp that it
// came with, nil for none, and pushes it if it is new.
func (s *Service) Publish(ctx context.Context, d world.Descriptor, stamp []byte) error {
	e, err := event.PublishDescriptor(d)
	if err != nil {
		return err
	}
	c := eventlog.Candidate{Bytes: e.Canonical()}
	if len(stamp) > 0 {
		t, err := world.ParseTicket(stamp)
		if err != nil {
			return fmt.Errorf("the stamp of a descriptor: %w", err)
		}
		c.Stamp = &t
	}
	r, err := s.admission.Ingest(ctx, []eventlog.Candidate{c}, eventlog.ViaOwn, time.Now())
	switch {
	case err != nil:
		return err
	case len(r.Refused) > 0:
		return r.Refused[0].Reason
	case r.Added > 0 && s.pusher != nil && s.IsMember() == nil:
		s.pusher.Push(gossip.Pack(e, stamp))
	}
	return nil
}

// errPart ends a part of what is followed.
var errPart = errors.New("a part")

// FollowDescriptors calls f with the descriptors in the log that are of now's
// epoch and the ones beside it, in parts, and then with those that come, until ctx
// ends.
func (s *Service) FollowDescriptors(ctx context.Context, f func([]Descriptor)) error {
	after := uint64(0)
	for {
		updated := s.events.Updated()
		at := s.cfg.World.Epoch(time.Now())
		filter := eventlog.Filter{Type: event.TypeDescriptor, After: after, Epochs: []uint64{at, at + 1}}
		if at > 0 {
			filter.Epochs = append(filter.Epochs, at-1)
		}
		var part []Descriptor
		err := s.events.Scan(filter, func(e *event.Event, meta eventlog.Meta) error {
			body, ok := e.Body.(*event.DescriptorPublish)
			if ok {
				part = append(part, Descriptor{Descriptor: body.Descriptor, Stamped: len(meta.Stamp) > 0})
			}
			if after = max(after, meta.Place); len(part) == descriptorPart {
				return errPart
			}
			return nil
		})
		if len(part) > 0 {
			f(part)
		}
		if errors.Is(err, errPart) {
			continue
		}
		if err != nil && ctx.Err() == nil {
			s.cfg.Log.Warn("descriptors in the log could not be read; it is tried again", "err", err)
		}
		select {
		case <-updated:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
