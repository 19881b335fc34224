package eventlog

import (
	"bytes"
	"time"

	"go.etcd.io/bbolt"

	"github.com/culvert-net/culvert/mesh/event"
	"github.com/culvert-net/culvert/mesh/recon"
	"github.com/culvert-net/culvert/mesh/world"
)

// Meta is what the log knows of an event beside the event.
type Meta struct {
	Place    uint64    // in the order of arrival, over all epochs; never used twice
	Received time.Time // by this node's clock, to the millisecond
	Via      Via
	Stamp    []byte // the ticket a descriptor came with, to be handed on with it; nil: none
}

// inEpoch returns a bucket of an epoch, and nil if the epoch has no events.
func inEpoch(tx *bbolt.Tx, epoch uint64, name []byte) *bbolt.Bucket {
	b := tx.Bucket(bucketEvents).Bucket(be64(epoch))
	if b == nil {
		return nil
	}
	return b.Bucket(name)
}

// placeOf returns where an event stands, and nil if it is not there.
func placeOf(tx *bbolt.Tx, epoch uint64, id world.Hash) []byte {
	ids := inEpoch(tx, epoch, bucketIDs)
	if ids == nil {
		return nil
	}
	return ids.Get(id[:])
}

// Has reports whether an event is in the log.
func (l *Log) Has(epoch uint64, id world.Hash) (has bool, err error) {
	err = l.view(func(tx *bbolt.Tx) error {
		has = placeOf(tx, epoch, id) != nil
		return nil
	})
	return has, err
}

// Get returns an event, or ErrNotFound.
func (l *Log) Get(epoch uint64, id world.Hash) (*event.Event, Meta, error) {
	var (
		rec   record
		place uint64
	)
	err := l.view(func(tx *bbolt.Tx) error {
		at := placeOf(tx, epoch, id)
		if at == nil {
			return ErrNotFound
		}
		r, err := decodeRecord(inEpoch(tx, epoch, bucketRecords).Get(at))
		if err != nil {
			return damaged("the record of event " + id.String())
		}
		rec, place = r.clone(), number(at)
		return nil
	})
	if err != nil {
		return nil, Meta{}, err
	}
	e, err := rec.read()
	if err == nil && e.ID != id {
		err = damaged("the record of event " + id.String())
	}
	return e, rec.meta(place), err
}

// read decodes a record's event, whose id is recomputed by that.
func (r *record) read() (*event.Event, error) {
	e, err := event.Decode(r.event)
	if err != nil || uint32(e.Type()) != uint32(r.kind) {
		return nil, damaged("the record of an event")
	}
	return e, nil
}

func (r *record) meta(place uint64) Meta {
	m := Meta{Place: place, Received: r.time(), Via: r.via}
	if len(r.stamp) > 0 {
		m.Stamp = r.stamp
	}
	return m
}

// IDs calls f with each id of an epoch, in the order of their bytes, until f
// returns false. f may call the log. Events that are added meanwhile may be
// missed; none that was there before is.
func (l *Log) IDs(epoch uint64, f func(world.Hash) bool) error {
	var from []byte
	for {
		ids, err := l.someIDs(epoch, from)
		if err != nil {
			return err
		}
		for _, id := range ids {
			if !f(id) {
				return nil
			}
		}
		if len(ids) < chunkIDs {
			return nil
		}
		from = bytes.Clone(ids[len(ids)-1][:])
	}
}

// Snapshot returns all ids of an epoch, in the order of their bytes, and the
// fingerprint of exactly these: one state of the log, in 32 bytes an event. A
// pruned epoch has none.
func (l *Log) Snapshot(epoch uint64) (ids []recon.ID, f *recon.Fingerprint, err error) {
	err = l.view(func(tx *bbolt.Tx) error {
		if f, err = lanesOf(tx, epoch); err != nil {
			return err
		}
		b := inEpoch(tx, epoch, bucketIDs)
		if b == nil {
			return nil
		}
		ids = make([]recon.ID, 0, f.Count())
		return b.ForEach(func(k, _ []byte) error {
			if len(k) != len(recon.ID{}) || uint64(len(ids)) == f.Count() {
				return damaged("the ids of an epoch")
			}
			ids = append(ids, recon.ID(k))
			return nil
		})
	})
	return ids, f, err
}

// someIDs returns ids that follow after, chunkIDs of them unless there are no
// more.
func (l *Log) someIDs(epoch uint64, after []byte) (ids []world.Hash, err error) {
	err = l.view(func(tx *bbolt.Tx) error {
		b := inEpoch(tx, epoch, bucketIDs)
		if b == nil {
			return nil
		}
		c := b.Cursor()
		k, _ := c.Seek(after)
		if after != nil && bytes.Equal(k, after) {
			k, _ = c.Next()
		}
		for ; k != nil && len(ids) < chunkIDs; k, _ = c.Next() {
			if len(k) != len(world.Hash{}) {
				return damaged("an id")
			}
			ids = append(ids, world.Hash(k))
		}
		return nil
	})
	return ids, err
}
