package channel

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/culvert-net/culvert/internal/kv"
	"github.com/culvert-net/culvert/ledger"
)

// track is the order of a channel's rounds in an epoch: which sequence numbers
// were used, and the log of those below the lowest that is not finished.
type track struct {
	base  uint64 // the lowest that is not in the log
	next  uint64 // above every one that was seen
	floor uint64 // lower ones are not admitted any more
	log   ledger.Transcript
}

func newTrack() track { return track{base: 1, next: 1} }

func (t *track) visit(f fields) {
	f.u64(&t.base)
	f.u64(&t.next)
	f.u64(&t.floor)
	b := t.log.Bytes()
	f.blob(&b, maxTranscript)
	if r, ok := f.(*reader); ok && r.err == nil {
		log, err := ledger.DecodeTranscript(b)
		if err != nil {
			r.b, r.err = nil, err
			return
		}
		if t.log = *log; t.base == 0 || t.next < t.base || t.next > maxSeq+1 || t.floor > maxSeq {
			r.fail("its sequence numbers cannot be")
		}
	}
}

// seqs are the buckets of one side's tracks. In the first a sequence number
// from base on has nothing while its round runs, and the leaf's hash when that
// is finished. In the second, if there is one, each leaf of the log has its
// place.
type seqs struct {
	tx     kv.Tx
	open   string
	leaves string
	at     place
}

var (
	errSeqUsed   = errors.New("the sequence number was used")
	errSeqWindow = fmt.Errorf("the sequence number is more than %d above a round that is not finished", Window)
)

// admit takes a sequence number, once. Numbers more than Window below it that
// nobody used end as gaps: whoever wanted to use them is late. A round that
// still runs there is not passed.
func (t *track) admit(s seqs, seq uint64) error {
	if seq == 0 || seq > maxSeq || seq < t.base || seq < t.floor {
		return errSeqUsed
	}
	if used, err := has(s.tx, s.open, s.at.seq(seq)); err != nil || used {
		if err == nil {
			err = errSeqUsed
		}
		return err
	}
	if seq >= t.base+Window {
		if err := t.endGaps(s, seq-Window+1); err != nil {
			return err
		}
	}
	t.next = max(t.next, seq+1)
	return s.tx.Put(s.open, s.at.seq(seq), nil)
}

// raise ends every number below floor that nobody used. Their leaves wait for
// the rounds that run among them.
func (t *track) raise(s seqs, floor uint64) error {
	t.floor = max(t.floor, floor)
	t.next = max(t.next, floor)
	if err := t.endGaps(s, t.floor); err != nil && !errors.Is(err, errSeqWindow) {
		return err
	}
	return nil
}

// finish puts the leaf of a round that was admitted into the log as soon as
// nothing below it is missing.
func (t *track) finish(s seqs, leaf ledger.Leaf) error {
	h := leaf.Hash()
	if err := s.tx.Put(s.open, s.at.seq(leaf.Seq), h[:]); err != nil {
		return err
	}
	return t.advance(s)
}

// advance moves finished rounds from the window into the log.
func (t *track) advance(s seqs) error {
	for {
		b, err := s.tx.Get(s.open, s.at.seq(t.base))
		if errors.Is(err, kv.ErrNotFound) || err == nil && len(b) == 0 {
			return nil
		}
		if err != nil {
			return err
		}
		if err := t.take(s, t.base, b); err != nil {
			return err
		}
	}
}

// take appends the leaf of seq, and forgets the number.
func (t *track) take(s seqs, seq uint64, hash []byte) error {
	if len(hash) != 32 {
		return fmt.Errorf("%w: a leaf of %d bytes", kv.ErrDamaged, len(hash))
	}
	if err := s.tx.Delete(s.open, s.at.seq(seq)); err != nil {
		return err
	}
	return t.append(s, seq, ledger.Hash(hash))
}

func (t *track) append(s seqs, seq uint64, h ledger.Hash) error {
	if t.log.Size() >= ledger.MaxRounds {
		return errors.New("the channel's log is full; close it and buy another")
	}
	if s.leaves != "" {
		value := binary.BigEndian.AppendUint64(nil, seq)
		if err := s.tx.Put(s.leaves, s.at.seq(t.log.Size()), append(value, h[:]...)); err != nil {
			return err
		}
	}
	t.log.AppendHash(h)
	t.base = seq + 1
	return nil
}

// endGaps ends every number below to that nobody used.
func (t *track) endGaps(s seqs, to uint64) error {
	type entry struct {
		seq  uint64
		hash []byte
	}
	var entries []entry
	err := s.tx.Scan(s.open, s.at.key(), func(key, value []byte) error {
		seq := binary.BigEndian.Uint64(key[placeBytes:])
		if seq >= to {
			return errStop
		}
		if len(value) == 0 {
			return errSeqWindow
		}
		entries = append(entries, entry{seq, value})
		return nil
	})
	if err != nil && !errors.Is(err, errStop) {
		return err
	}
	for _, e := range append(entries, entry{seq: to}) {
		if err := t.gap(s, e.seq); err != nil {
			return err
		}
		if e.hash == nil {
			break
		}
		if err := t.take(s, e.seq, e.hash); err != nil {
			return err
		}
	}
	return t.advance(s)
}

// gap ends the numbers from base to below to. More than Window of them, which
// only a restored payer leaves out, are one leaf, of the last.
func (t *track) gap(s seqs, to uint64) error {
	from := t.base
	if to > from && to-from > Window {
		from = to - 1
	}
	for seq := from; seq < to; seq++ {
		if err := t.append(s, seq, blank(seq).Hash()); err != nil {
			return err
		}
	}
	return nil
}

// blank is the leaf of a number that no round used, or whose round is unknown to
// one side.
func blank(seq uint64) ledger.Leaf {
	return ledger.Leaf{Seq: seq, Status: ledger.StatusAborted}
}
