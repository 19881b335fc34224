package eventlog

import (
	"time"

	"go.etcd.io/bbolt"

	"github.com/culvert-net/culvert/mesh/event"
	"github.com/culvert-net/culvert/mesh/world"
)

// Explanation is what the log can tell of an id: why it is there, or why not.
type Explanation struct {
	ID world.Hash

	// Of an event that is in the log.
	Stored bool
	Event  *event.Event
	Meta   Meta
	Used   uint32 // how many events of its type its author has in its epoch
	Quota  uint32 // and may have
	Seal   SealState

	// Of one that was refused lately, stored or not: what is refused as pushed
	// may come by sync.
	Refused   bool
	Reason    Reason
	RefusedAt time.Time
	RefusedBy Via // how it had come
}

// Explain tells what became of an event: it looks in every epoch, and among the
// last refusals. Of an id that nobody ever sent, and of one in a pruned epoch, it
// says neither.
func (l *Log) Explain(id world.Hash) (Explanation, error) {
	x := Explanation{ID: id}
	err := l.view(func(tx *bbolt.Tx) error {
		c := tx.Bucket(bucketEvents).Cursor()
		for k, _ := c.Last(); k != nil; k, _ = c.Prev() {
			epoch := number(k)
			place := placeOf(tx, epoch, id)
			if place == nil {
				continue
			}
			r, err := decodeRecord(inEpoch(tx, epoch, bucketRecords).Get(place))
			if err != nil {
				return damaged("the record of event " + id.String())
			}
			rec := r.clone()
			if x.Event, err = rec.read(); err != nil {
				return err
			}
			x.Stored, x.Meta, x.Seal = true, rec.meta(number(place)), sealState(tx, epoch, id)
			author := newAuthorKey(x.Event.Author(), x.Event.Type())
			x.Used = count32(inEpoch(tx, epoch, bucketAuthors).Get(author[:]))
			x.Quota = l.quota(x.Event.Type())
			return nil
		}
		return nil
	})
	l.mu.Lock()
	defer l.mu.Unlock()
	if r, ok := l.refusals.find(id); ok {
		x.Refused, x.Reason, x.RefusedAt, x.RefusedBy = true, r.reason, r.at, r.via
	}
	return x, err
}
