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
	s := scan{filter: filter, next: byPlace{newest: filter.Newest}}
	if err := l.view(s.begin); err != nil {
		return err
	}
	left := filter.Limit
	for len(s.next.stops) > 0 {
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
	filter Filter
	end    uint64  // the last place when it began
	next   byPlace // where each epoch goes on that is not done

	// What the last chunk found.
	found  []record
	places []uint64
}

// begin finds where each epoch begins that may have something.
func (s *scan) begin(tx *bbolt.Tx) error {
	s.end = tx.Bucket(bucketEvents).Sequence()
	each := func(epoch uint64, h head) error {
		if h.newest < s.since() || !s.hasAuthor(tx, epoch) {
			return nil
		}
		c := s.cursor(tx, epoch)
		if c == nil {
			return nil
		}
		ok := false
		if s.filter.Newest {
			ok = c.last()
		} else {
			ok = c.seek(s.filter.After)
		}
		if ok && s.inside(c.place) {
			s.next.stops = append(s.next.stops, stop{epoch, c.place})
		}
		return nil
	}
	defer heap.Init(&s.next)
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

// inside reports whether a place is of those that the scan is about.
func (s *scan) inside(place uint64) bool { return place > s.filter.After && place <= s.end }

// hasAuthor reports whether an epoch has an event of the author that is wanted.
func (s *scan) hasAuthor(tx *bbolt.Tx, epoch uint64) bool {
	authors := inEpoch(tx, epoch, bucketAuthors)
	if s.filter.Author == nil || authors == nil {
		return true
	}
	k, _ := authors.Cursor().Seek(s.filter.Author[:])
	return bytes.HasPrefix(k, s.filter.Author[:])
}

// chunk reads the next records that may fit. Only epochs that it comes to are
// looked at: of three hundred mostly one or two.
func (s *scan) chunk(tx *bbolt.Tx) error {
	s.found, s.places = s.found[:0], s.places[:0]
	open := make(map[uint64]*cursor)
	size := 0
	for seen := 0; len(s.next.stops) > 0 && len(s.found) < chunkEvents && size < chunkBytes && seen < chunkSeen; seen++ {
		top := &s.next.stops[0]
		c := open[top.epoch]
		if c == nil {
			c = s.cursor(tx, top.epoch)
			if c == nil || !c.seek(top.place-1) || c.place != top.place { // dropped meanwhile
				heap.Pop(&s.next)
				continue
			}
			open[top.epoch] = c
		}
		rec, err := decodeRecord(c.record())
		if err != nil {
			return damaged("the record of an event")
		}
		if s.mayFit(&rec) {
			s.found, s.places = append(s.found, rec.clone()), append(s.places, c.place)
			size += len(rec.event)
		}
		if c.step() && s.inside(c.place) {
			top.place = c.place
			heap.Fix(&s.next, 0)
		} else {
			heap.Pop(&s.next)
		}
	}
	return nil
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

// cursor returns a cursor over an epoch, nil if there is nothing of it.
func (s *scan) cursor(tx *bbolt.Tx, epoch uint64) *cursor {
	b := tx.Bucket(bucketEvents).Bucket(be64(epoch))
	switch {
	case b == nil:
		return nil
	case s.filter.Subject != nil:
		return &cursor{
			c: b.Bucket(bucketSubjects).Cursor(), prefix: s.filter.Subject[:],
			records: b.Bucket(bucketRecords), newest: s.filter.Newest,
		}
	}
	return &cursor{c: b.Bucket(bucketRecords).Cursor(), newest: s.filter.Newest}
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

// seek goes to the first event after a place.
func (c *cursor) seek(after uint64) bool {
	return after < math.MaxUint64 && c.stand(c.c.Seek(c.key(after+1)))
}

// last goes to the last event there is.
func (c *cursor) last() bool {
	if k, _ := c.c.Seek(c.key(math.MaxUint64)); k == nil {
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

// stop is where an epoch goes on.
type stop struct{ epoch, place uint64 }

// byPlace is a heap of stops, the next one on top.
type byPlace struct {
	stops  []stop
	newest bool
}

func (h *byPlace) Len() int           { return len(h.stops) }
func (h *byPlace) Less(i, j int) bool { return (h.stops[i].place < h.stops[j].place) != h.newest }
func (h *byPlace) Swap(i, j int)      { h.stops[i], h.stops[j] = h.stops[j], h.stops[i] }
func (h *byPlace) Push(x any)         { h.stops = append(h.stops, x.(stop)) }
func (h *byPlace) Pop() any {
	last := h.stops[len(h.stops)-1]
	h.stops = h.stops[:len(h.stops)-1]
	return last
}
