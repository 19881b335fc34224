package authorkey

import (
	"crypto/ed25519"
	"sync"

	"filippo.io/edwards25519"
)

// Checker checks signatures.
type Checker struct {
	base *table // immutable after New: multiples of the base point

	mu      sync.Mutex
	now     uint64               // guarded by mu: signatures checked so far
	tables  map[[32]byte]*author // guarded by mu
	counted map[[32]byte]int     // guarded by mu: signatures of keys without a table
}

// author is a key that signs much.
type author struct {
	table *table // of the key's negative; immutable
	last  uint64 // guarded by the Checker's mu: when it was used
}

// New returns a Checker that knows no key yet.
func New() *Checker {
	return &Checker{
		base:    newTable(edwards25519.NewGeneratorPoint()),
		tables:  make(map[[32]byte]*author),
		counted: make(map[[32]byte]int),
	}
}

// Verify reports whether ed25519.Verify would accept a signature.
func (c *Checker) Verify(key *[32]byte, message, signature []byte) bool {
	t := c.of(key)
	if t == nil {
		return ed25519.Verify(key[:], message, signature)
	}
	return verify(c.base, t, key, message, signature)
}

// of returns the multiples of a key, or nil when there are none.
func (c *Checker) of(key *[32]byte) *table {
	c.mu.Lock()
	c.now++
	if a := c.tables[*key]; a != nil {
		a.last = c.now
		c.mu.Unlock()
		return a.table
	}
	if len(c.counted) >= maxCounted {
		clear(c.counted)
	}
	c.counted[*key]++
	due := c.counted[*key]%worth == 0 && c.room()
	c.mu.Unlock()
	if !due {
		return nil
	}

	p, err := new(edwards25519.Point).SetBytes(key[:])
	if err != nil { // no signature of such a key is good
		return nil
	}
	t := newTable(p.Negate(p))
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.room() {
		c.tables[*key] = &author{table: t, last: c.now}
		delete(c.counted, *key)
	}
	return t
}

// room makes room for another key, if the one that was not used for longest was
// not for long. The caller holds mu.
func (c *Checker) room() bool {
	if len(c.tables) < maxTables {
		return true
	}
	var oldest [32]byte
	last := c.now
	for key, a := range c.tables {
		if a.last < last {
			oldest, last = key, a.last
		}
	}
	if c.now-last < idle {
		return false
	}
	delete(c.tables, oldest)
	return true
}
