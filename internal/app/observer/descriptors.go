package observer

import (
	"context"
	"time"

	"github.com/culvert-net/culvert/internal/app/member"
	"github.com/culvert-net/culvert/mesh/world"
)

// What nodes say of themselves goes into the event log, and what the log says of
// nodes goes into the directory's set: so all signers know the same, and members
// find one another before there is a root with both.

// published is a descriptor that was taken, with the stamp that it came with.
type published struct {
	descriptor world.Descriptor
	stamp      []byte
}

// publish hands a descriptor on to be told to other members. It does not block:
// what there is no room for, others learn by the next root.
func (ob *observer) publish(d world.Descriptor, stamp []byte) {
	select {
	case ob.taken <- published{d, stamp}:
	default:
		ob.log.Warn("a descriptor was not told to other members: too many at once; it stands in the next root")
	}
}

// tellMembers puts what was taken into the event log until ctx ends.
func (ob *observer) tellMembers(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case p := <-ob.taken:
			if err := ob.member.Publish(ctx, p.descriptor, p.stamp); err != nil && ctx.Err() == nil {
				ob.log.Debug("a descriptor was not told to other members", "err", err)
			}
		}
	}
}

// hearMembers puts what the event log says of nodes into the directory's set
// until ctx ends.
func (ob *observer) hearMembers(ctx context.Context) error {
	var later []member.Descriptor // whose keys have not paid yet
	return ob.member.FollowDescriptors(ctx, func(ds []member.Descriptor) {
		later = ob.hear(append(later, ds...), time.Now())
	})
}

// hear takes descriptors as a desk does: a key pays once per epoch with a stamp,
// and whoever lets one in without costs all members room. It returns those whose
// keys have not paid, as far as is known, and may yet.
func (ob *observer) hear(ds []member.Descriptor, now time.Time) (later []member.Descriptor) {
	free := ob.world.Terms().TicketBits == 0
	var take []world.Descriptor
	for _, d := range ds {
		if free || d.Stamped {
			take = append(take, d.Descriptor)
		}
	}
	ob.set.Add(take, now)
	take = take[:0]
	for _, d := range ds {
		switch {
		case free || d.Stamped:
		case ob.set.Holds(d.Key, d.Epoch):
			take = append(take, d.Descriptor)
		case d.Epoch+1 >= ob.world.Epoch(now):
			later = append(later, d)
		}
	}
	ob.set.Add(take, now)
	return later
}
