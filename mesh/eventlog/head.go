package eventlog

import (
	"encoding/binary"
	"fmt"
	"math"

	"go.etcd.io/bbolt"

	"github.com/culvert-net/culvert/mesh/recon"
)

// EpochInfo is what the log knows of an epoch without reading its events.
type EpochInfo struct {
	Epoch       uint64
	Count       uint64
	Fingerprint [32]byte // of all ids: recon.Fingerprint.Sum
	Pruned      bool     // the events are gone, count and fingerprint are those they had
	Sealed      bool     // there is a seal
}

// head is the stored form of EpochInfo, with what inserting needs.
type head struct {
	flags     uint8
	count     uint64
	newest    uint64 // the latest time received, Unix milliseconds
	unstamped uint32 // descriptors without a stamp
	sum       [32]byte
}

const (
	flagPruned = 1 << iota
	flagSealed
)

const headSize = 1 + 8 + 8 + 4 + 32

func (h *head) encode() []byte {
	b := append(make([]byte, 0, headSize), h.flags)
	b = binary.BigEndian.AppendUint64(b, h.count)
	b = binary.BigEndian.AppendUint64(b, h.newest)
	b = binary.BigEndian.AppendUint32(b, h.unstamped)
	return append(b, h.sum[:]...)
}

func decodeHead(b []byte) (h head, err error) {
	if len(b) != headSize || b[0]&^(flagPruned|flagSealed) != 0 {
		return h, damaged("the head of an epoch")
	}
	h.flags = b[0]
	h.count = binary.BigEndian.Uint64(b[1:])
	h.newest = binary.BigEndian.Uint64(b[9:])
	h.unstamped = binary.BigEndian.Uint32(b[17:])
	copy(h.sum[:], b[21:])
	return h, nil
}

func (h *head) info(epoch uint64) EpochInfo {
	return EpochInfo{
		Epoch: epoch, Count: h.count, Fingerprint: h.sum,
		Pruned: h.flags&flagPruned != 0, Sealed: h.flags&flagSealed != 0,
	}
}

// headOf returns an epoch's head; an epoch nobody knows has an empty one.
func headOf(tx *bbolt.Tx, epoch uint64) (head, error) {
	b := tx.Bucket(bucketHeads).Get(be64(epoch))
	if b == nil {
		var none recon.Fingerprint
		return head{sum: none.Sum()}, nil
	}
	return decodeHead(b)
}

// lanesOf returns an epoch's fingerprint.
func lanesOf(tx *bbolt.Tx, epoch uint64) (*recon.Fingerprint, error) {
	f := new(recon.Fingerprint)
	if b := tx.Bucket(bucketLanes).Get(be64(epoch)); b != nil {
		if err := f.UnmarshalBinary(b); err != nil {
			return nil, damaged(fmt.Sprintf("the fingerprint of epoch %d", epoch))
		}
	}
	return f, nil
}

// Epochs lists the epochs the log has or had, oldest first.
func (l *Log) Epochs() ([]EpochInfo, error) {
	var all []EpochInfo
	err := l.view(func(tx *bbolt.Tx) error {
		return eachHead(tx, 0, math.MaxUint64, func(epoch uint64, h head) error {
			all = append(all, h.info(epoch))
			return nil
		})
	})
	return all, err
}

// eachHead calls f for each epoch from one to another, both included.
func eachHead(tx *bbolt.Tx, from, to uint64, f func(uint64, head) error) error {
	c := tx.Bucket(bucketHeads).Cursor()
	for k, v := c.Seek(be64(from)); k != nil; k, v = c.Next() {
		epoch := number(k)
		if epoch > to {
			return nil
		}
		h, err := decodeHead(v)
		if err != nil {
			return err
		}
		if err := f(epoch, h); err != nil {
			return err
		}
	}
	return nil
}

// Epoch returns what is known of one epoch; of one that never had an event,
// count 0 and the fingerprint of nothing.
func (l *Log) Epoch(epoch uint64) (info EpochInfo, err error) {
	err = l.view(func(tx *bbolt.Tx) error {
		h, err := headOf(tx, epoch)
		info = h.info(epoch)
		return err
	})
	return info, err
}

// Fingerprint returns the fingerprint of an epoch's ids, to compare, and to
// take ids from. That of a pruned epoch is gone; its sum stands in its
// EpochInfo.
func (l *Log) Fingerprint(epoch uint64) (f *recon.Fingerprint, err error) {
	err = l.view(func(tx *bbolt.Tx) (err error) {
		f, err = lanesOf(tx, epoch)
		return err
	})
	return f, err
}
