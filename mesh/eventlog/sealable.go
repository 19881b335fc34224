package eventlog

import (
	"time"

	"go.etcd.io/bbolt"

	"github.com/culvert-net/culvert/mesh/event"
	"github.com/culvert-net/culvert/mesh/world"
)

// Sealable returns the ids of an epoch's events that a seal may name, in the
// order of their bytes: all but descriptors. With a time, only of those that were
// here before it.
func (l *Log) Sealable(epoch uint64, before time.Time) (ids []world.Hash, err error) {
	err = l.each(epoch, bucketIDs, func(id world.Hash, r *record) bool {
		if before.IsZero() || r.time().Before(before) {
			ids = append(ids, id)
		}
		return true
	})
	return ids, err
}

// Outside returns ids of events that are here and that their epoch's seal does
// not name though it might have, at most limit of them.
func (l *Log) Outside(epoch uint64, limit int) (ids []world.Hash, err error) {
	err = l.each(epoch, bucketOutside, func(id world.Hash, _ *record) bool {
		ids = append(ids, id)
		return len(ids) < limit
	})
	return ids, err
}

// each calls f with the events of an epoch, but descriptors, whose ids are keys of
// a bucket, until f returns false. f must not call the log nor keep the record.
func (l *Log) each(epoch uint64, of []byte, f func(id world.Hash, r *record) bool) error {
	return l.view(func(tx *bbolt.Tx) error {
		ids, records, keys := inEpoch(tx, epoch, bucketIDs), inEpoch(tx, epoch, bucketRecords), inEpoch(tx, epoch, of)
		if keys == nil {
			return nil
		}
		c := keys.Cursor()
		for k, _ := c.First(); k != nil; k, _ = c.Next() {
			if len(k) != len(world.Hash{}) {
				return damaged("the ids of an epoch")
			}
			r, err := decodeRecord(records.Get(ids.Get(k)))
			if err != nil {
				return damaged("the record of event " + world.Hash(k).String())
			}
			if event.Type(r.kind) != event.TypeDescriptor && !f(world.Hash(k), &r) {
				return nil
			}
		}
		return nil
	})
}
