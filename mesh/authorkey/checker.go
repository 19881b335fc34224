package authorkey

import (
	"crypto/ed25519"

	"filippo.io/edwards25519"

	"github.com/culvert-net/culvert/internal/often"
)

// Checker checks signatures.
type Checker struct {
	base  *table                        // multiples of the base point; immutable
	known *often.Keys[[32]byte, *table] // of a key's negative
}

// New returns a Checker that knows no key yet.
func New() *Checker {
	return &Checker{
		base:  newTable(edwards25519.NewGeneratorPoint()),
		known: often.New[[32]byte, *table](limits()),
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
	if t, ok := c.known.Get(*key); ok {
		return t
	}
	if !c.known.Met(*key) {
		return nil
	}
	p, err := new(edwards25519.Point).SetBytes(key[:])
	if err != nil { // no signature of such a key is good
		return nil
	}
	t := newTable(p.Negate(p))
	c.known.Put(*key, t)
	return t
}
