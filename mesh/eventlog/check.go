package eventlog

import (
	"errors"
	"fmt"

	"go.etcd.io/bbolt"

	"github.com/culvert-net/culvert/mesh/recon"
	"github.com/culvert-net/culvert/mesh/world"
)

// Report is what Check found.
type Report struct {
	Epochs   int      // with events or a seal
	Pruned   int      // dropped, of which the fingerprints are kept
	Events   uint64   // as the epochs' heads say
	Problems []string // what is not as it should be, for people; at most maxProblems
}

// maxProblems is how many problems a check names: a file that has more is not
// repaired by reading on.
const maxProblems = 20

func (r *Report) add(format string, args ...any) {
	if len(r.Problems) < maxProblems {
		r.Problems = append(r.Problems, fmt.Sprintf(format, args...))
	}
}

// Check holds the log's parts against each other: each epoch's head against its
// fingerprint. With full it counts everything anew: ids and records, indexes,
// counts of authors, fingerprints and seals, and recomputes the id of every
// event. Signatures were verified when events came, and ids cover them.
func (l *Log) Check(full bool) (Report, error) {
	var r Report
	epochs, err := l.Epochs()
	if err != nil {
		return r, err
	}
	for _, x := range epochs {
		if x.Pruned {
			r.Pruned++
			continue
		}
		r.Epochs++
		r.Events += x.Count
		err := l.view(func(tx *bbolt.Tx) error { return checkEpoch(tx, x.Epoch, full, &r) })
		if err != nil {
			r.add("epoch %d cannot be read: %v", x.Epoch, err)
		}
	}
	err = l.view(func(tx *bbolt.Tx) error {
		return tx.Bucket(bucketEvents).ForEachBucket(func(k []byte) error {
			if tx.Bucket(bucketHeads).Get(k) == nil {
				r.add("epoch %d has events and no head", number(k))
			}
			return nil
		})
	})
	return r, err
}

// checkEpoch checks one epoch that was not pruned.
func checkEpoch(tx *bbolt.Tx, epoch uint64, full bool, r *Report) error {
	h, err := headOf(tx, epoch)
	if err != nil {
		return err
	}
	lanes, err := lanesOf(tx, epoch)
	if err != nil {
		return err
	}
	if lanes.Count() != h.count || lanes.Sum() != h.sum {
		r.add("epoch %d: its fingerprint is not the one of its head", epoch)
	}
	if floor := number(tx.Bucket(bucketMeta).Get(keyFloor)); epoch < floor {
		r.add("epoch %d: it was to be dropped, as all before %d", epoch, floor)
	}
	b := tx.Bucket(bucketEvents).Bucket(be64(epoch))
	if b == nil {
		r.add("epoch %d: it has no events, its head says %d", epoch, h.count)
		return nil
	}
	if (b.Get(keySeal) != nil) != (h.flags&flagSealed != 0) {
		r.add("epoch %d: head and events do not agree whether it is sealed", epoch)
	}
	if !full {
		return nil
	}
	c := recount{epoch: epoch, report: r, bucket: b, lanes: new(recon.Fingerprint), authors: make(map[authorKey]uint32)}
	return c.run(&h, tx.Bucket(bucketEvents).Sequence())
}

// recount is an epoch that is counted anew.
type recount struct {
	epoch  uint64
	report *Report
	bucket *bbolt.Bucket

	lanes     *recon.Fingerprint
	authors   map[authorKey]uint32
	subjects  uint64
	unstamped uint32
	newest    uint64
}

func (c *recount) run(h *head, last uint64) error {
	err := c.bucket.Bucket(bucketRecords).ForEach(func(k, v []byte) error {
		if number(k) == 0 || number(k) > last {
			c.report.add("epoch %d: a record at place %d, the last one given is %d", c.epoch, number(k), last)
		}
		c.event(k, v)
		return nil
	})
	if c.lanes.Count() != h.count || c.lanes.Sum() != h.sum {
		c.report.add("epoch %d: %d events, the head says %d, or other ones", c.epoch, c.lanes.Count(), h.count)
	}
	if c.unstamped != h.unstamped || c.newest != h.newest {
		c.report.add("epoch %d: the head is not that of its events", c.epoch)
	}
	// What stands in the indexes beyond what the records asked for.
	for _, x := range []struct {
		index []byte
		want  uint64
	}{{bucketIDs, c.lanes.Count()}, {bucketSubjects, c.subjects}, {bucketAuthors, uint64(len(c.authors))}} {
		if got := count(c.bucket.Bucket(x.index)); got != x.want {
			c.report.add("epoch %d: %d entries in the index of %s, not %d", c.epoch, got, x.index, x.want)
		}
	}
	for k, n := range c.authors {
		if got := count32(c.bucket.Bucket(bucketAuthors).Get(k[:])); got != n {
			c.report.add("epoch %d: an author is said to have %d events, and has %d", c.epoch, got, n)
		}
	}
	return errors.Join(err, c.seal())
}

// event looks at one record and what the indexes say of it.
func (c *recount) event(place, value []byte) {
	rec, err := decodeRecord(value)
	if err != nil {
		c.report.add("epoch %d: place %d: %v", c.epoch, number(place), err)
		return
	}
	e, err := rec.read()
	if err != nil || e.Epoch() != c.epoch {
		c.report.add("epoch %d: place %d: not an event of this epoch", c.epoch, number(place))
		return
	}
	if at := c.bucket.Bucket(bucketIDs).Get(e.ID[:]); number(at) != number(place) {
		c.report.add("epoch %d: event %s is at place %d, not at %d as its index says", c.epoch, e.ID.Short(), number(place), number(at))
	}
	c.lanes.Add((*recon.ID)(&e.ID))
	c.authors[newAuthorKey(e.Author(), e.Type())]++
	c.newest = max(c.newest, rec.received)
	if unstamped(e.Type(), rec.stamp) {
		c.unstamped++
	}
	if subject, ok := e.Subject(); ok {
		c.subjects++
		if c.bucket.Bucket(bucketSubjects).Get(append(subject[:], place...)) == nil {
			c.report.add("epoch %d: event %s is not in the index of subjects", c.epoch, e.ID.Short())
		}
	}
}

// seal looks at what is said to be outside of the seal, or missing here.
func (c *recount) seal() error {
	outside, missing := c.bucket.Bucket(bucketOutside), c.bucket.Bucket(bucketMissing)
	ids := c.bucket.Bucket(bucketIDs)
	sealed := c.bucket.Get(keySeal) != nil
	return errors.Join(
		outside.ForEach(func(k, _ []byte) error {
			if !sealed || ids.Get(k) == nil {
				c.report.add("epoch %d: an event outside of its seal that is not here", c.epoch)
			}
			return nil
		}),
		missing.ForEach(func(k, _ []byte) error {
			if !sealed || len(k) != len(world.Hash{}) || ids.Get(k) != nil {
				c.report.add("epoch %d: an event said to be missing that is here", c.epoch)
			}
			return nil
		}))
}

// count returns how many keys a bucket has.
func count(b *bbolt.Bucket) (n uint64) {
	c := b.Cursor()
	for k, _ := c.First(); k != nil; k, _ = c.Next() {
		n++
	}
	return n
}
