package eventlog

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"go.etcd.io/bbolt"

	"github.com/culvert-net/culvert/mesh/world"
)

// ErrOtherSeal is returned for a second seal of an epoch that says something
// else. Two of them that are signed need a signer who signed both: keep them.
var ErrOtherSeal = errors.New("the epoch has another seal already")

// SetSeal stores an epoch's seal: the statement as it was signed, and the ids
// that it commits to, both verified by the caller. The same statement again
// changes nothing. From then on the epoch's events are in the seal or outside,
// those that are yet to come too.
func (l *Log) SetSeal(epoch uint64, statement []byte, ids []world.Hash) error {
	if len(statement) == 0 || len(statement) > maxStatement {
		return fmt.Errorf("seal of epoch %d: a statement of %d bytes; it has 1 to %d", epoch, len(statement), maxStatement)
	}
	if len(ids) > maxSealed {
		return fmt.Errorf("seal of epoch %d: %d ids, more than %d", epoch, len(ids), maxSealed)
	}
	ids = slices.Clone(ids)
	slices.SortFunc(ids, compareIDs)
	ids = slices.Compact(ids)
	return l.update(func(tx *bbolt.Tx) error {
		if epoch < number(tx.Bucket(bucketMeta).Get(keyFloor)) {
			return ReasonPruned
		}
		h, err := headOf(tx, epoch)
		if err != nil {
			return err
		}
		b := tx.Bucket(bucketEvents).Bucket(be64(epoch))
		if b == nil {
			if b, err = makeEpoch(tx.Bucket(bucketEvents), epoch); err != nil {
				return err
			}
		}
		if old := b.Get(keySeal); old != nil {
			if bytes.Equal(old, statement) {
				return errUnchanged
			}
			return ErrOtherSeal
		}
		if err := compareSeal(b, ids); err != nil {
			return err
		}
		h.flags |= flagSealed
		return errors.Join(
			b.Put(keySeal, bytes.Clone(statement)),
			tx.Bucket(bucketHeads).Put(be64(epoch), h.encode()))
	})
}

func compareIDs(a, b world.Hash) int { return bytes.Compare(a[:], b[:]) }

// compareSeal writes down in what an epoch differs from its seal. Both lists
// are in order; what they share, nearly everything, needs no entry.
func compareSeal(b *bbolt.Bucket, sealed []world.Hash) error {
	outside, missing := b.Bucket(bucketOutside), b.Bucket(bucketMissing)
	outside.FillPercent, missing.FillPercent = 1, 1
	c := b.Bucket(bucketIDs).Cursor()
	k, _ := c.First()
	for k != nil || len(sealed) > 0 {
		order := -1 // here alone
		if k == nil {
			order = 1
		} else if len(sealed) > 0 {
			order = bytes.Compare(k, sealed[0][:])
		}
		var err error
		switch {
		case order < 0:
			err = outside.Put(k, empty)
		case order > 0:
			err = missing.Put(sealed[0][:], empty)
		}
		if err != nil {
			return err
		}
		if order <= 0 {
			k, _ = c.Next()
		}
		if order >= 0 {
			sealed = sealed[1:]
		}
	}
	return nil
}

// Seal returns the statement of an epoch's seal, nil if there is none.
func (l *Log) Seal(epoch uint64) (statement []byte, err error) {
	err = l.view(func(tx *bbolt.Tx) error {
		if b := tx.Bucket(bucketEvents).Bucket(be64(epoch)); b != nil {
			statement = bytes.Clone(b.Get(keySeal))
		}
		return nil
	})
	return statement, err
}

// SealState is where an event stands to its epoch's seal. The zero value is an
// epoch without one.
type SealState uint8

const (
	SealNone    SealState = 0 // the epoch has no seal here
	SealIn      SealState = 1 // the seal names the event
	SealOutside SealState = 2 // it does not: a receipt then weighs nothing, ever
)

// String returns the word for people.
func (s SealState) String() string {
	switch s {
	case SealIn:
		return "in the seal"
	case SealOutside:
		return "outside the seal"
	}
	return "not sealed"
}

// InSeal returns where an event stands to its epoch's seal, whether the event is
// here or not.
func (l *Log) InSeal(epoch uint64, id world.Hash) (state SealState, err error) {
	err = l.view(func(tx *bbolt.Tx) error {
		state = sealState(tx, epoch, id)
		return nil
	})
	return state, err
}

func sealState(tx *bbolt.Tx, epoch uint64, id world.Hash) SealState {
	b := tx.Bucket(bucketEvents).Bucket(be64(epoch))
	switch {
	case b == nil || b.Get(keySeal) == nil:
		return SealNone
	case b.Bucket(bucketMissing).Get(id[:]) != nil:
		return SealIn
	case b.Bucket(bucketIDs).Get(id[:]) == nil, b.Bucket(bucketOutside).Get(id[:]) != nil:
		return SealOutside
	}
	return SealIn
}
