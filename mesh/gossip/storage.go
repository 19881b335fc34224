package gossip

import (
	"bytes"
	"slices"

	"github.com/culvert-net/culvert/mesh/recon"
)

// storage is a collection in the order of ids, as ranges need it.
type storage struct {
	ids    []ID
	places []int // in the collection, of each
}

var _ recon.Storage = (*storage)(nil)

func newStorage(c *collection) *storage {
	s := &storage{ids: make([]ID, len(c.events)), places: make([]int, len(c.events))}
	for i := range s.places {
		s.places[i] = i
	}
	slices.SortFunc(s.places, func(a, b int) int { return bytes.Compare(c.events[a].id[:], c.events[b].id[:]) })
	for i, at := range s.places {
		s.ids[i] = c.events[at].id
	}
	return s
}

// Len implements recon.Storage.
func (s *storage) Len() int { return len(s.ids) }

// At implements recon.Storage.
func (s *storage) At(i int) ID { return s.ids[i] }

// Find implements recon.Storage.
func (s *storage) Find(id *ID) int {
	i, _ := s.search(*id)
	return i
}

func (s *storage) search(id ID) (int, bool) {
	return slices.BinarySearchFunc(s.ids, id, func(a, b ID) int { return bytes.Compare(a[:], b[:]) })
}

// place is where an id stands in the collection.
func (s *storage) place(id ID) (int, bool) {
	i, ok := s.search(id)
	if !ok {
		return 0, false
	}
	return s.places[i], true
}
