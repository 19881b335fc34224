package eventlog

import (
	"bytes"

	"go.etcd.io/bbolt"

	"github.com/culvert-net/culvert/mesh/world"
)

// Vector returns the version vector of an epoch as far as this node knows it: how
// many events it has brought in itself, under its id as a replica. It is a view for
// those who know version vectors; the ids change every epoch, and what syncs is the
// set.
func (l *Log) Vector(epoch uint64) (map[world.Hash]uint64, error) {
	counters := make(map[world.Hash]uint64)
	err := l.view(func(tx *bbolt.Tx) error {
		prefix := be64(epoch)
		c := tx.Bucket(bucketVector).Cursor()
		for k, v := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, v = c.Next() {
			if len(k) != 8+len(world.Hash{}) || len(v) != 8 {
				return damaged("the version vector")
			}
			counters[world.Hash(k[8:])] = number(v)
		}
		return nil
	})
	return counters, err
}

// dropOldVectors forgets the epochs the vector does not cover any more.
func dropOldVectors(tx *bbolt.Tx, now uint64) error {
	vector := tx.Bucket(bucketVector)
	var old [][]byte
	c := vector.Cursor()
	for k, _ := c.First(); k != nil; k, _ = c.Next() {
		if len(k) < 8 || number(k[:8])+VectorEpochs > now {
			break
		}
		old = append(old, bytes.Clone(k))
	}
	if len(old) == 0 {
		return errUnchanged
	}
	for _, k := range old {
		if err := vector.Delete(k); err != nil {
			return err
		}
	}
	return nil
}
