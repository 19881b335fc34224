package terrain

import (
	"bytes"
	"cmp"
	"math/rand/v2"
	"slices"

	"github.com/culvert-net/culvert/mesh/world"
)

const (
	// Near is how many of a member's partners are its nearest: most repair then
	// stays between few pairs, which have little to tell each other.
	Near = 4

	// Random is how many are drawn from everybody else: they carry news across
	// the map, and keep a neighbourhood of colluders from hiding it.
	Random = 4
)

// Map is where the members of one epoch stand. It is immutable after Draw.
type Map struct {
	places []Place
}

// Place is one member on the map.
type Place struct {
	Key  [32]byte // the member's transport key
	Near bool     // among partners: for its place, not by chance
	Address
}

// Draw puts every member on the map of an epoch.
func Draw(cpk *world.Secret, id world.Hash, epoch uint64, members [][32]byte) *Map {
	m := &Map{places: make([]Place, 0, len(members))}
	for _, key := range members {
		m.places = append(m.places, Place{Key: key, Address: Of(cpk, id, epoch, key)})
	}
	slices.SortFunc(m.places, func(a, b Place) int {
		return cmp.Or(cmp.Compare(a.Region, b.Region), cmp.Compare(a.Chunk, b.Chunk), bytes.Compare(a.Key[:], b.Key[:]))
	})
	m.places = slices.CompactFunc(m.places, func(a, b Place) bool { return a.Key == b.Key })
	return m
}

// Places is the whole map in the order of the ring.
func (m *Map) Places() []Place { return slices.Clone(m.places) }

// Find is where a member stands.
func (m *Map) Find(key [32]byte) (Place, bool) {
	for _, p := range m.places {
		if p.Key == key {
			return p, true
		}
	}
	return Place{}, false
}

// Partners is whom the member with key self repairs with: the near members that
// are nearest to it, then random ones drawn from all others, never itself and
// nobody twice. It is everybody when there are no more, and nobody when self
// does not stand on the map.
func (m *Map) Partners(self [32]byte, near, random int, rnd *rand.Rand) []Place {
	me, ok := m.Find(self)
	if !ok {
		return nil
	}
	others := slices.DeleteFunc(m.Places(), func(p Place) bool { return p.Key == self })
	slices.SortStableFunc(others, func(a, b Place) int {
		return me.Distance(a.Address).Compare(me.Distance(b.Address))
	})
	near = min(near, len(others))
	for i := range others[:near] {
		others[i].Near = true
	}
	// Chance takes from the rest by swapping to the front, as in a shuffle that
	// stops when it has enough.
	rest := others[near:]
	random = min(random, len(rest))
	for i := range random {
		j := i + rnd.IntN(len(rest)-i)
		rest[i], rest[j] = rest[j], rest[i]
	}
	return others[:near+random]
}
