package eventlog

import (
	"errors"
	"time"

	"go.etcd.io/bbolt"
)

// Prune drops the epochs behind the horizon, each in a transaction of its own,
// and returns how many it dropped. Their counts and fingerprints stay, and what
// was in them, or in any epoch before them, is not taken again, whatever the
// clock says later. Call it with a clock that is believed: by one that is ahead
// of the others' the whole log is old.
func (l *Log) Prune(now time.Time) (int, error) {
	for dropped := 0; ; dropped++ {
		more, err := l.pruneOne(now)
		if err != nil || !more {
			return dropped, err
		}
	}
}

// pruneOne drops the oldest epoch, if it is behind the horizon.
func (l *Log) pruneOne(now time.Time) (more bool, err error) {
	err = l.update(func(tx *bbolt.Tx) error {
		k, _ := tx.Bucket(bucketEvents).Cursor().First()
		epoch := number(k)
		if more = k != nil && epoch < l.Horizon(now); !more {
			return dropOldVectors(tx, l.cfg.World.Epoch(now))
		}
		h, err := headOf(tx, epoch)
		if err != nil {
			return err
		}
		h.flags |= flagPruned
		meta := tx.Bucket(bucketMeta)
		return errors.Join(
			tx.Bucket(bucketEvents).DeleteBucket(be64(epoch)),
			tx.Bucket(bucketLanes).Delete(be64(epoch)),
			tx.Bucket(bucketHeads).Put(be64(epoch), h.encode()),
			meta.Put(keyFloor, be64(max(number(meta.Get(keyFloor)), epoch+1))))
	})
	return more, err
}

// Floor returns the oldest epoch that was not dropped, nor is before one that
// was.
func (l *Log) Floor() (floor uint64, err error) {
	err = l.view(func(tx *bbolt.Tx) error {
		floor = number(tx.Bucket(bucketMeta).Get(keyFloor))
		return nil
	})
	return floor, err
}
