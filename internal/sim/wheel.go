package sim

// kind is what happens in an event.
type kind uint8

const (
	publish kind = iota // node publishes msg
	arrive              // msg reaches node
	beat                // node offers what it heard lately
	round               // node asks its partners for a sync
	synced              // node and other have become the same
	leave               // node goes offline for other milliseconds
	rejoin              // and comes back
	enter               // node enters epoch other
	cleave              // the network falls into two parts
	heal                // and is whole again
)

// event is what is to happen to a node.
type event struct {
	node, other uint32
	msg         uint16
	kind        kind
}

// span is how many milliseconds ahead an event may be put, and a power of two.
const span = 1 << 17

// wheel is a queue of events, one slot a millisecond. Those of one slot come in
// the order they were put, so chance has no part in it.
type wheel struct {
	now   int
	count int
	slots [span][]event
	spare [][]event // emptied slots, whose room is used again
}

// put queues e for a time that is after now and less than span away.
func (w *wheel) put(at int, e event) {
	if at <= w.now || at-w.now >= span {
		panic("sim: an event outside the wheel")
	}
	s := &w.slots[at%span]
	if *s == nil && len(w.spare) > 0 {
		*s = w.spare[len(w.spare)-1]
		w.spare = w.spare[:len(w.spare)-1]
	}
	*s = append(*s, e)
	w.count++
}

// next moves on to the next slot with events and returns them. They are good
// until done.
func (w *wheel) next() []event {
	if w.count == 0 {
		return nil
	}
	for {
		w.now++
		if s := w.slots[w.now%span]; len(s) > 0 {
			w.count -= len(s)
			w.slots[w.now%span] = nil
			return s
		}
	}
}

// done gives back what next returned.
func (w *wheel) done(s []event) { w.spare = append(w.spare, s[:0]) }
