package eventlog

import (
	"encoding/binary"
	"errors"
	"maps"
	"slices"

	"go.etcd.io/bbolt"

	"github.com/culvert-net/culvert/mesh/event"
	"github.com/culvert-net/culvert/mesh/recon"
)

// writer inserts events in one transaction. What many events of an epoch share
// (head, fingerprint, counts) is read once and written once.
type writer struct {
	log    *Log
	tx     *bbolt.Tx
	floor  uint64
	place  uint64 // of the last event
	epochs map[uint64]*epochWriter
	own    map[uint64]uint64 // epoch → own events added
}

// epochWriter is an epoch that is being written to.
type epochWriter struct {
	head   head
	lanes  *recon.Fingerprint
	counts map[authorKey]uint32 // of whom something was added

	// Nil until the epoch has an event.
	ids, records, subjects, authors, outside, missing *bbolt.Bucket
}

// empty is the value where the key says all. A nil one would look like no entry
// until the transaction has ended.
var empty = []byte{}

// authorKey is what quotas count by, and a key of the bucket of authors.
type authorKey [32 + 4]byte

func newAuthorKey(author [32]byte, kind event.Type) (k authorKey) {
	copy(k[:], author[:])
	binary.BigEndian.PutUint32(k[32:], uint32(kind))
	return k
}

func newWriter(l *Log, tx *bbolt.Tx) *writer {
	return &writer{
		log: l, tx: tx,
		floor:  number(tx.Bucket(bucketMeta).Get(keyFloor)),
		place:  tx.Bucket(bucketEvents).Sequence(),
		epochs: make(map[uint64]*epochWriter),
		own:    make(map[uint64]uint64),
	}
}

// request inserts what one caller brought.
func (w *writer) request(r *request) error {
	for i := range r.entries {
		e := &r.entries[i]
		reason, known, err := w.insert(e, r)
		switch {
		case err != nil:
			return err
		case known:
			r.result.Known++
		case reason != 0:
			r.result.Refused = append(r.result.Refused, Refusal{i, reason})
		default:
			r.result.Added++
			if r.via == ViaOwn {
				w.own[e.epoch]++
			}
		}
	}
	return nil
}

func (w *writer) insert(e *entry, r *request) (reason Reason, known bool, err error) {
	if reason := w.log.window(e.epoch, ViaSync, r.now); reason != 0 {
		return reason, false, nil
	}
	if e.epoch < w.floor {
		return ReasonPruned, false, nil
	}
	ew, err := w.epoch(e.epoch)
	if err != nil {
		return 0, false, err
	}
	if ew.ids != nil && ew.ids.Get(e.id[:]) != nil {
		return 0, true, nil
	}
	author := newAuthorKey(e.author, e.kind)
	count, ok := ew.counts[author]
	if !ok && ew.authors != nil {
		count = count32(ew.authors.Get(author[:]))
	}
	if reason := w.log.share(e, count, ew.head.unstamped, ew.named(e)); reason != 0 {
		return reason, false, nil
	}
	if tooLate(e, r.via, ew.head, ew.named(e)) {
		return ReasonSealed, false, nil
	}
	if ew.ids == nil {
		b, err := makeEpoch(w.tx.Bucket(bucketEvents), e.epoch)
		if err != nil {
			return 0, false, err
		}
		ew.use(b)
	}
	ew.counts[author] = count + 1
	if unstamped(e.kind, e.stamp) {
		ew.head.unstamped++
	}
	ew.head.count++
	ew.head.newest = max(ew.head.newest, millis(r.now))
	ew.lanes.Add((*recon.ID)(&e.id))
	return 0, false, w.put(ew, e, r)
}

// put writes an event's record and indexes.
func (w *writer) put(ew *epochWriter, e *entry, r *request) error {
	w.place++
	place := be64(w.place)
	rec := record{via: r.via, kind: uint8(e.kind), received: millis(r.now), stamp: e.stamp, event: e.canonical}
	err := errors.Join(ew.ids.Put(e.id[:], place), ew.records.Put(place, rec.encode()))
	if e.hasSubject {
		err = errors.Join(err, ew.subjects.Put(append(e.subject[:], place...), empty))
	}
	if err != nil || ew.head.flags&flagSealed == 0 {
		return err
	}
	if ew.named(e) {
		return ew.missing.Delete(e.id[:])
	}
	return ew.outside.Put(e.id[:], empty)
}

// epoch returns the state of an epoch.
func (w *writer) epoch(epoch uint64) (*epochWriter, error) {
	if ew := w.epochs[epoch]; ew != nil {
		return ew, nil
	}
	ew := &epochWriter{counts: make(map[authorKey]uint32)}
	var err error
	if ew.head, err = headOf(w.tx, epoch); err != nil {
		return nil, err
	}
	if ew.lanes, err = lanesOf(w.tx, epoch); err != nil {
		return nil, err
	}
	if b := w.tx.Bucket(bucketEvents).Bucket(be64(epoch)); b != nil {
		ew.use(b)
	}
	w.epochs[epoch] = ew
	return ew, nil
}

// named reports whether the epoch's seal names an event that is yet to come.
func (ew *epochWriter) named(e *entry) bool {
	return ew.missing != nil && ew.missing.Get(e.id[:]) != nil
}

// tooLate reports whether an event is made here of an epoch whose seal does not
// name it: its author ought to know that it counts nowhere. What others made is
// taken all the same, or logs would differ by who had the seal when.
func tooLate(e *entry, via Via, h head, named bool) bool {
	return via == ViaOwn && h.flags&flagSealed != 0 && !named && e.kind != event.TypeDescriptor
}

func (ew *epochWriter) use(b *bbolt.Bucket) {
	ew.ids, ew.records, ew.subjects = b.Bucket(bucketIDs), b.Bucket(bucketRecords), b.Bucket(bucketSubjects)
	ew.authors, ew.outside, ew.missing = b.Bucket(bucketAuthors), b.Bucket(bucketOutside), b.Bucket(bucketMissing)
	ew.records.FillPercent = 1 // places only grow: a page that is full stays as it is
}

// makeEpoch makes the buckets of an epoch that gets its first event.
func makeEpoch(all *bbolt.Bucket, epoch uint64) (*bbolt.Bucket, error) {
	b, err := all.CreateBucket(be64(epoch))
	if err != nil {
		return nil, err
	}
	for _, name := range [][]byte{bucketIDs, bucketRecords, bucketSubjects, bucketAuthors, bucketOutside, bucketMissing} {
		if _, err := b.CreateBucket(name); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// finish writes what the epochs share.
func (w *writer) finish() error {
	heads, lanes := w.tx.Bucket(bucketHeads), w.tx.Bucket(bucketLanes)
	for epoch, ew := range w.epochs {
		if len(ew.counts) == 0 { // nothing was added to it
			continue
		}
		ew.head.sum = ew.lanes.Sum()
		state, err := ew.lanes.MarshalBinary()
		if err != nil {
			return err
		}
		if err := errors.Join(heads.Put(be64(epoch), ew.head.encode()), lanes.Put(be64(epoch), state)); err != nil {
			return err
		}
		keys := slices.SortedFunc(maps.Keys(ew.counts), func(a, b authorKey) int { return slices.Compare(a[:], b[:]) })
		for _, k := range keys {
			if err := ew.authors.Put(k[:], binary.BigEndian.AppendUint32(nil, ew.counts[k])); err != nil {
				return err
			}
		}
	}
	if err := w.countOwn(); err != nil {
		return err
	}
	return w.tx.Bucket(bucketEvents).SetSequence(w.place)
}

// countOwn moves this node's counters in the version vector.
func (w *writer) countOwn() error {
	if w.log.cfg.Replica == nil {
		return nil
	}
	vector := w.tx.Bucket(bucketVector)
	for epoch, n := range w.own {
		replica := w.log.cfg.Replica(epoch)
		key := append(be64(epoch), replica[:]...)
		if err := vector.Put(key, be64(number(vector.Get(key))+n)); err != nil {
			return err
		}
	}
	return nil
}

// count32 reads a count of the bucket of authors; what is not there is 0.
func count32(b []byte) uint32 {
	if len(b) != 4 {
		return 0
	}
	return binary.BigEndian.Uint32(b)
}

// share is the quota's part of admission: whether an author who has count
// events of this type in this epoch may have another, where the epoch has so
// many bare ones, descriptors without a stamp. What the seal names was found good
// without one.
func (l *Log) share(e *entry, count, bare uint32, sealed bool) Reason {
	switch {
	case count >= l.quota(e.kind):
		return ReasonQuota
	case !sealed && unstamped(e.kind, e.stamp) && bare >= maxUnstamped:
		return ReasonUnstamped
	}
	return 0
}

// quota is how many events of a type an author may have in one epoch.
func (l *Log) quota(kind event.Type) uint32 {
	if kind == event.TypeDescriptor {
		return quotaDescriptors
	}
	return l.terms.Quota
}

// unstamped reports whether an event is of those that cost its author nothing.
func unstamped(kind event.Type, stamp []byte) bool {
	return kind == event.TypeDescriptor && len(stamp) == 0
}
