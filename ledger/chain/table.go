package chain

import "maps"

// table is a map that never changes: set makes another one, which shares what it
// can with the old one. Each mark of the reader has the state of its own block
// that way, and a fork is a step back to one of them.
//
// Changes lie in layers over a base; layers are copied into one as they grow, so
// that a look-up goes through few, and a change costs little on average.
type table[K comparable, V any] struct {
	base  *table[K, V] // nil: there is none
	own   map[K]V
	depth int
	size  int // of different keys
}

// maxLayers is how many maps a look-up may go through.
const maxLayers = 12

func (t *table[K, V]) get(key K) (v V, ok bool) {
	for ; t != nil; t = t.base {
		if v, ok = t.own[key]; ok {
			return v, true
		}
	}
	return v, false
}

func (t *table[K, V]) len() int {
	if t == nil {
		return 0
	}
	return t.size
}

// with is t with changes, which must not be changed afterwards.
func (t *table[K, V]) with(changes map[K]V) *table[K, V] {
	if len(changes) == 0 {
		return t
	}
	out := &table[K, V]{base: t, own: changes, depth: 1, size: t.len()}
	for key := range changes {
		if _, ok := t.get(key); !ok {
			out.size++
		}
	}
	// Layers that are not much larger than what lies over them become one with it,
	// so their number stays logarithmic.
	for out.base != nil && (len(out.base.own) <= 2*len(out.own) || out.base.depth >= maxLayers) {
		joined := maps.Clone(out.base.own)
		maps.Copy(joined, out.own)
		out.own, out.base = joined, out.base.base
	}
	if out.base != nil {
		out.depth = out.base.depth + 1
	}
	return out
}

// all calls f for each pair, in no order.
func (t *table[K, V]) all(f func(K, V)) {
	for layer := t; layer != nil; layer = layer.base {
		for key, v := range layer.own {
			if !t.over(layer, key) {
				f(key, v)
			}
		}
	}
}

// over reports whether a layer above the given one has the key.
func (t *table[K, V]) over(layer *table[K, V], key K) bool {
	for ; t != layer; t = t.base {
		if _, ok := t.own[key]; ok {
			return true
		}
	}
	return false
}
