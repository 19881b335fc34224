// Package often keeps what is costly to make of a key for the keys that are met
// often: a bounded number of them, whoever sends how many others.
//
// New makes Keys. Get returns what is kept of a key; Met says when a key was met
// often enough to make it, and Put keeps it.
//
// It decides nothing by what it keeps, and makes nothing: what the keys and their
// values are is the caller's affair.
//
// Keys may be used concurrently.
//
// docs/design/log.md and docs/design/money.md say what for.
package often

import "sync"

// Limits bound what is kept. All are above zero.
type Limits struct {
	// Worth is how often a key is met until its value is made.
	Worth int

	// Kept is of how many keys there are values.
	Kept int

	// Idle is for how many questions about others a value is kept at least: with more
	// keys that come often than there is room for, the rest does without, and none is
	// made and dropped in turns.
	Idle uint64

	// Counted is of how many keys it is counted how often they are met.
	Counted int
}

// Keys are those that are met.
type Keys[K comparable, V any] struct {
	limits Limits // immutable

	mu      sync.Mutex
	now     uint64          // questions so far; guarded by mu
	kept    map[K]*entry[V] // guarded by mu
	counted map[K]int       // of those without a value; guarded by mu
}

type entry[V any] struct {
	value V
	last  uint64 // when it was asked for
}

// New returns Keys of which none was met yet.
func New[K comparable, V any](l Limits) *Keys[K, V] {
	return &Keys[K, V]{limits: l, kept: make(map[K]*entry[V]), counted: make(map[K]int)}
}

// Get returns what is kept of a key; false: nothing.
func (k *Keys[K, V]) Get(key K) (value V, ok bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.now++
	e := k.kept[key]
	if e == nil {
		return value, false
	}
	e.last = k.now
	return e.value, true
}

// Met counts that a key without a value was met. True: it is worth making one now,
// for which there would be room.
func (k *Keys[K, V]) Met(key K) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.kept[key] != nil { // by now
		return false
	}
	if len(k.counted) >= k.limits.Counted {
		clear(k.counted)
	}
	k.counted[key]++
	return k.counted[key]%k.limits.Worth == 0 && k.room()
}

// Put keeps the value of a key, if there is room.
func (k *Keys[K, V]) Put(key K, value V) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.room() {
		k.kept[key] = &entry[V]{value, k.now}
		delete(k.counted, key)
	}
}

// Len is of how many keys there are values, and how many are counted.
func (k *Keys[K, V]) Len() (kept, counted int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.kept), len(k.counted)
}

// room makes room for another key, if the one that was not asked for for longest was
// not for long. The caller holds mu.
func (k *Keys[K, V]) room() bool {
	if len(k.kept) < k.limits.Kept {
		return true
	}
	var oldest K
	last := k.now
	for key, e := range k.kept {
		if e.last < last {
			oldest, last = key, e.last
		}
	}
	if k.now-last < k.limits.Idle {
		return false
	}
	delete(k.kept, oldest)
	return true
}
