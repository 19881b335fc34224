package directory

import (
	"maps"
	"sync"
	"time"

	"github.com/culvert-net/culvert/mesh/world"
)

// Set is a node's copy of the directory: what is known of this epoch and the
// one before, everything in it verified.
//
// For one key and epoch it keeps the descriptors of the highest seq. Two
// descriptors of one seq that contradict each other, about a model or about
// the node, are kept instead of all others as proof, and the key is out for the
// epoch. Both are passed on, so that everybody comes to the same result.
type Set struct {
	world    *world.World // immutable
	capacity room         // of one epoch; immutable

	mu      sync.Mutex
	epochs  map[uint64]*epochPart // guarded by mu
	sheets  heldSheets            // that live descriptors name; guarded by mu
	now     uint64                // epoch that Add or Advance was last told of; guarded by mu
	snap    *Snapshot             // of the present content, nil until asked for; guarded by mu
	updated chan struct{}         // closed at the next change, then replaced; guarded by mu
	refused map[Reason]uint64     // descriptors, since the start; guarded by mu
}

// epochPart is the content of one epoch.
type epochPart struct {
	slots map[[32]byte]*slot
	size  int // bytes of all descriptors
}

// slot is what is known of one key in one epoch.
type slot struct {
	seq   uint64
	seqs  int               // how many seqs were taken so far
	since time.Time         // when it last changed
	live  map[string]*entry // by model; empty once there is proof
	proof []*entry          // not nil once the key is out: two entries, or none if there was no room
	size  int               // bytes of live or proof
	node  *Node             // what live says; nil if there is proof
}

// Result says what Add did.
type Result struct {
	Added   int       // new, and kept
	New     []int     // which those are, in the slice that was given
	Known   int       // were here already
	Refused []Refusal // the others
}

// Refusal says why one descriptor of several was not taken.
type Refusal struct {
	Index  int // in the slice that was given
	Reason Reason
}

func (r *Result) refuse(i int, err error) {
	r.Refused = append(r.Refused, Refusal{Index: i, Reason: ReasonOf(err)})
}

// NewSet makes an empty set for a world.
func NewSet(w *world.World) *Set {
	return &Set{
		world: w, capacity: room{keys: maxKeys, bytes: maxEpochBytes},
		epochs: make(map[uint64]*epochPart), sheets: newHeldSheets(), updated: make(chan struct{}),
		refused: make(map[Reason]uint64),
	}
}

// Add verifies ds and merges them, and drops what has become too old by now. A
// bad descriptor costs only itself.
func (s *Set) Add(ds []world.Descriptor, now time.Time) Result {
	var res Result
	entries := make([]*entry, len(ds))
	for i, seen := range s.glance(ds) { // outside the lock: this is where the time goes
		var err error
		switch seen {
		case seenSame:
			res.Known++
			continue
		case seenOut:
			err = ReasonEquivocal
		case seenNot:
			entries[i], err = verify(&ds[i], s.world, now)
		}
		if err != nil {
			res.refuse(i, err)
		}
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	changed := s.advance(now)
	m := merger{set: s, now: now}
	changed = m.contradictions(entries) || changed
	for i, e := range entries {
		if e == nil {
			continue
		}
		did, err := m.merge(e)
		changed = changed || did
		switch {
		case err != nil:
			res.refuse(i, err)
		case did:
			res.Added++
			res.New = append(res.New, i)
		default: // by another call meanwhile, or twice in this one
			res.Known++
		}
	}
	if changed {
		s.touch()
	}
	for _, r := range res.Refused {
		s.refused[r.Reason]++
	}
	return res
}

// Refused counts the descriptors that were not taken since the start, by why.
func (s *Set) Refused() map[Reason]uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.refused)
}

// Advance drops what has become too old by now.
func (s *Set) Advance(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.advance(now) {
		s.touch()
	}
}

// Updated is closed at the next change of the set. Take it before the Snapshot
// that the change is awaited from.
func (s *Set) Updated() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.updated
}

// Snapshot is the set as it is now. It costs little, and nothing if the set did
// not change since the last call.
func (s *Set) Snapshot() *Snapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.snap == nil {
		s.snap = newSnapshot(s.world.ID, s.now, s.epochs, s.sheets.all())
	}
	return s.snap
}

// All are the descriptors of the set, proofs included, in an order that depends
// on nothing else.
func (s *Set) All() []world.Descriptor { return s.Snapshot().Descriptors() }

// What glance sees of a descriptor.
type seen uint8

const (
	seenNot  seen = iota
	seenSame      // the very same is in the set
	seenOut       // its key is out for the epoch
)

// glance finds the descriptors that need no verification. Nothing is kept of
// those, so that it trusts ids and keys as they are claimed does no harm.
func (s *Set) glance(ds []world.Descriptor) []seen {
	out := make([]seen, len(ds))
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range ds {
		d := &ds[i]
		if d.World != s.world.ID {
			continue
		}
		switch sl := s.epochs[d.Epoch].slot(d.Key); {
		case sl == nil:
		case sl.proof != nil:
			out[i] = seenOut
		case sl.holds(d.ID):
			out[i] = seenSame
		}
	}
	return out
}

// Holds reports whether a key has said something in an epoch that was taken.
func (s *Set) Holds(key [32]byte, epoch uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.epochs[epoch].slot(key) != nil
}

// Said is what the set holds of key in an epoch: its highest seq, how many seqs
// were taken, and the descriptors, none if the key is out.
func (s *Set) Said(key [32]byte, epoch uint64) (seq uint64, seqs int, ds []world.Descriptor) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sl := s.epochs[epoch].slot(key)
	if sl == nil {
		return 0, 0, nil
	}
	for _, e := range sl.live {
		ds = append(ds, e.d)
	}
	return sl.seq, sl.seqs, ds
}

// advance drops epochs outside the window. The caller holds mu.
func (s *Set) advance(now time.Time) (changed bool) {
	changed = s.now != s.world.Epoch(now)
	s.now = s.world.Epoch(now)
	for e := range s.epochs {
		if !inWindow(s.world, e, now) {
			for key, sl := range s.epochs[e].slots {
				s.sheets.rename(namer{key, e}, sl.node, nil)
			}
			delete(s.epochs, e)
			changed = true
		}
	}
	return changed
}

// touch makes a change visible. The caller holds mu.
func (s *Set) touch() {
	s.snap = nil
	close(s.updated)
	s.updated = make(chan struct{})
}

// slot is nil for a key or an epoch that is not there.
func (p *epochPart) slot(key [32]byte) *slot {
	if p == nil {
		return nil
	}
	return p.slots[key]
}

// holds reports whether the descriptor of that id is live.
func (sl *slot) holds(id world.Hash) bool {
	for _, e := range sl.live {
		if e.d.ID == id {
			return true
		}
	}
	return false
}
