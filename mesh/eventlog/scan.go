package eventlog

import (
	"bytes"
	"container/heap"
	"math"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"github.com/culvert-net/culvert/mesh/event"
	"github.com/culvert-net/culvert/mesh/world"
)

// Filter says which events a scan is about. The zero value is all of them.
type Filter struct {
	Epochs  []uint64    // nil: all
	Type    event.Type  // 0: all
	Author  *[32]byte   // nil: all
	Subject *world.Hash // nil: all. A TargetRef names its subject in one epoch only
	Since   time.Time   // received then or later, by the clock as it was; zero: all
	After   uint64      // of a greater place: for whoever goes on where it was. 0: all
	Newest  bool        // the latest arrival first, else the first
	Limit   int         // so many at most; 0: all
}

// Scan calls f for each event that fits, in the order of arrival, until f
// returns an error, which it returns. What is added after Scan began is not
// among them. f is called outside of any transaction: it may take its time, and
// use the log.
func (l *Log) Scan(filter Filter, f func(*event.Event, Meta) error) error {
	s := scan{log: l, filter: filter}
	if err := l.view(s.begin); err != nil {
		return err
	}
	left := filter.Limit
	for !s.done {
		if err := l.view(s.chunk); err != nil {
			return err
		}
		for i := range s.found {
			e, err := s.found[i].read()
			if err != nil {
				return err
			}
			if filter.Author != nil && e.Author() != *filter.Author {
				continue
			}
			if err := f(e, s.found[i].meta(s.places[i])); err != nil {
				return err
			}
			if left--; left == 0 {
				return nil
			}
		}
	}
	return nil
}

// scan is where a scan stands between two transactions.
type scan struct {
	log    *Log
	filter Filter
	end    uint64 // the last place when it began
	at     uint64 // the place it has come to
	done   bool

	// What the last chunk found.
	found  []record
	places []uint64
}

func (s *scan) begin(tx *bbolt.Tx) error {
	s.end = tx.Bucket(bucketEvents).Sequence()
	s.at = s.filter.After
	if s.filter.Newest {
		s.at = s.end + 1
	}
	return nil
}

// chunk reads the next records that may fit.
func (s *scan) chunk(tx *bbolt.Tx) error {
	s.found, s.places = s.found[:0], s.places[:0]
	all := byPlace{newest: s.filter.Newest}
	if err := s.epochs(tx, &all); err != nil {
		return err
	}
	heap.Init(&all)
	size := 0
	for seen := 0; ; seen++ {
		if len(all.cursors) == 0 {
			s.done = true
			return nil
		}
		if len(s.found) == chunkEvents || size >= chunkBytes || seen == chunkSeen {
			return nil
		}
		c := all.cursors[0]
		s.at = c.place
		if s.at > s.end || s.filter.Newest && s.at <= s.filter.After {
			s.done = true
			return nil
		}
		rec, err := decodeRecord(c.record())
		if err != nil {
			return damaged("the record of an event")
		}
		if s.mayFit(&rec) {
			s.found, s.places = append(s.found, rec.clone()), append(s.places, c.place)
			size += len(rec.event)
		}
		if c.step() {
			heap.Fix(&all, 0)
		} else {
			heap.Pop(&all)
		}
	}
}

// mayFit reports whether a record may be one that is wanted, by what costs
// nothing: an event has its author's key somewhere in its bytes.
func (s *scan) mayFit(r *record) bool {
	f := &s.filter
	return (f.Type == 0 || uint32(f.Type) == uint32(r.kind)) && r.received >= s.since() &&
		(f.Author == nil || bytes.Contains(r.event, f.Author[:]))
}

func (s *scan) since() uint64 {
	if s.filter.Since.IsZero() {
		return 0
	}
	return millis(s.filter.Since)
}

// epochs puts a cursor on each epoch that may have something.
func (s *scan) epochs(tx *bbolt.Tx, all *byPlace) error {
	each := func(epoch uint64, h head) error {
		b := tx.Bucket(bucketEvents).Bucket(be64(epoch))
		if b == nil || h.newest < s.since() || !s.hasAuthor(b) {
			return nil
		}
		c := &cursor{c: b.Bucket(bucketRecords).Cursor(), newest: s.filter.Newest}
		if s.filter.Subject != nil {
			c.c, c.prefix, c.records = b.Bucket(bucketSubjects).Cursor(), s.filter.Subject[:], b.Bucket(bucketRecords)
		}
		if c.seek(s.at) {
			all.cursors = append(all.cursors, c)
		}
		return nil
	}
	if s.filter.Epochs == nil {
		return eachHead(tx, 0, math.MaxUint64, each)
	}
	for _, epoch := range slices.Compact(slices.Sorted(slices.Values(s.filter.Epochs))) {
		if err := eachHead(tx, epoch, epoch, each); err != nil {
			return err
		}
	}
	return nil
}

// hasAuthor reports whether an epoch has an event of the author that is wanted.
func (s *scan) hasAuthor(epoch *bbolt.Bucket) bool {
	if s.filter.Author == nil {
		return true
	}
	k, _ := epoch.Bucket(bucketAuthors).Cursor().Seek(s.filter.Author[:])
	return bytes.HasPrefix(k, s.filter.Author[:])
}

// cursor stands on an event of one epoch: on its record, or on an entry of an
// index that begins with prefix and ends with a place.
type cursor struct {
	c       *bbolt.Cursor
	prefix  []byte
	records *bbolt.Bucket // nil: the cursor stands on the record itself
	newest  bool

	place uint64
	value []byte
}

// seek goes to the first event beyond a place, in the cursor's direction.
func (c *cursor) seek(at uint64) bool {
	if !c.newest {
		if at == math.MaxUint64 {
			return false
		}
		return c.stand(c.c.Seek(c.key(at + 1)))
	}
	if k, _ := c.c.Seek(c.key(at)); k == nil {
		return c.stand(c.c.Last())
	}
	return c.stand(c.c.Prev())
}

func (c *cursor) key(place uint64) []byte {
	return append(bytes.Clone(c.prefix), be64(place)...)
}

// step goes on, and reports whether there was something.
func (c *cursor) step() bool {
	if c.newest {
		return c.stand(c.c.Prev())
	}
	return c.stand(c.c.Next())
}

func (c *cursor) stand(k, v []byte) bool {
	if len(k) != len(c.prefix)+8 || !bytes.HasPrefix(k, c.prefix) {
		return false
	}
	c.place, c.value = number(k[len(c.prefix):]), v
	return true
}

func (c *cursor) record() []byte {
	if c.records == nil {
		return c.value
	}
	return c.records.Get(be64(c.place))
}

// byPlace is a heap of cursors by place, the next one on top.
type byPlace struct {
	cursors []*cursor
	newest  bool
}

func (h *byPlace) Len() int { return len(h.cursors) }
func (h *byPlace) Less(i, j int) bool {
	return (h.cursors[i].place < h.cursors[j].place) != h.newest
}
func (h *byPlace) Swap(i, j int) { h.cursors[i], h.cursors[j] = h.cursors[j], h.cursors[i] }
func (h *byPlace) Push(x any)    { h.cursors = append(h.cursors, x.(*cursor)) }
func (h *byPlace) Pop() any {
	last := h.cursors[len(h.cursors)-1]
	h.cursors = h.cursors[:len(h.cursors)-1]
	return last
}
