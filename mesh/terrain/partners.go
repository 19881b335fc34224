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
	if i := m.index(key); i >= 0 {
		return m.places[i], true
	}
	return Place{}, false
}

func (m *Map) index(key [32]byte) int {
	return slices.IndexFunc(m.places, func(p Place) bool { return p.Key == key })
}

// Partners is whom the member with key self repairs with: the near members that
// are nearest to it, then random ones drawn from all others, never itself and
// nobody twice. It is everybody when there are no more, and nobody when self
// does not stand on the map.
func (m *Map) Partners(self [32]byte, near, random int, rnd *rand.Rand) []Place {
	i := m.index(self)
	if i < 0 {
		return nil
	}
	return m.PartnersAt(i, near, random, rnd)
}

// PartnersAt is Partners of the member at an index of Places. It looks at no more
// of the map than it returns, so that a simulation can ask for every member.
func (m *Map) PartnersAt(self, near, random int, rnd *rand.Rand) []Place {
	me, n := m.places[self], len(m.places)
	near = min(near, n-1)
	random = min(random, n-1-near)
	var out []Place
	// The nearest are found by going round the ring both ways.
	back, ahead := self, self
	for range near {
		b, a := m.places[(back+n-1)%n], m.places[(ahead+1)%n]
		if me.Distance(b.Address).Compare(me.Distance(a.Address)) < 0 {
			back, out = (back+n-1)%n, append(out, b)
		} else {
			ahead, out = (ahead+1)%n, append(out, a)
		}
		out[len(out)-1].Near = true
	}
	// The others are an arc: chance takes places in it, as in a shuffle of which
	// only the beginning is made, and only what it moved is remembered.
	rest := n - 1 - near
	moved := make(map[int]int, random)
	at := func(i int) int {
		if j, ok := moved[i]; ok {
			return j
		}
		return i
	}
	for i := range random {
		j := i + rnd.IntN(rest-i)
		chosen := at(j)
		moved[j] = at(i)
		out = append(out, m.places[(ahead+1+chosen)%n])
	}
	return out
}
