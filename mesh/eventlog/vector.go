package eventlog

import (
	"bytes"
	"fmt"

	"go.etcd.io/bbolt"

	"github.com/culvert-net/culvert/mesh/world"
)

// Vector returns the version vector of an epoch: how many events of their own
// replicas have told of. It is a view for those who know version vectors; ids of
// replicas change every epoch, and what syncs is the set.
func (l *Log) Vector(epoch uint64) (map[world.Hash]uint64, error) {
	vector := make(map[world.Hash]uint64)
	err := l.view(func(tx *bbolt.Tx) error {
		return eachReplica(tx, epoch, func(id world.Hash, counter uint64) { vector[id] = counter })
	})
	return vector, err
}

func eachReplica(tx *bbolt.Tx, epoch uint64, f func(world.Hash, uint64)) error {
	prefix := be64(epoch)
	c := tx.Bucket(bucketVector).Cursor()
	for k, v := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, v = c.Next() {
		if len(k) != 8+len(world.Hash{}) || len(v) != 8 {
			return damaged("the version vector")
		}
		f(world.Hash(k[8:]), number(v))
	}
	return nil
}

// MergeVector takes over what another replica tells: the larger counter of each
// replica, so that the order of tellings does not matter. This node's own
// counter is moved by its own events alone. Epochs that are not among the last
// few before now's, and the next, are refused, as are more replicas than a world
// has.
func (l *Log) MergeVector(epoch, now uint64, told map[world.Hash]uint64) error {
	if epoch > now+1 || epoch+VectorEpochs <= now {
		return fmt.Errorf("version vector of epoch %d: only the last %d are kept", epoch, VectorEpochs)
	}
	var own *world.Hash
	if l.cfg.Replica != nil {
		id := l.cfg.Replica(epoch)
		own = &id
	}
	return l.update(func(tx *bbolt.Tx) error {
		have := make(map[world.Hash]uint64)
		if err := eachReplica(tx, epoch, func(id world.Hash, counter uint64) { have[id] = counter }); err != nil {
			return err
		}
		vector, changed := tx.Bucket(bucketVector), false
		for id, counter := range told {
			old, known := have[id]
			if own != nil && id == *own || known && counter <= old {
				continue
			}
			if !known && len(have) >= maxReplicas {
				return fmt.Errorf("version vector of epoch %d: more than %d replicas", epoch, maxReplicas)
			}
			have[id], changed = counter, true
			if err := vector.Put(append(be64(epoch), id[:]...), be64(counter)); err != nil {
				return err
			}
		}
		if !changed {
			return errUnchanged
		}
		return nil
	})
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
