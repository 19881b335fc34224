package signers

import (
	"github.com/culvert-net/culvert/internal/often"
	"github.com/culvert-net/culvert/ledger"
)

// Checker checks signatures.
type Checker struct {
	known *often.Keys[ledger.Address, *ledger.Signer]
}

// New returns a Checker that knows nobody yet.
func New() *Checker { return &Checker{often.New[ledger.Address, *ledger.Signer](limits())} }

// Signed reports whether a digest was signed by the key of an address.
func (c *Checker) Signed(by ledger.Address, digest ledger.Hash, s ledger.Signature) bool {
	if signer, ok := c.known.Get(by); ok {
		return signer.Signed(digest, s)
	}
	key, who, err := s.RecoverKey(digest)
	if err != nil || who != by {
		return false
	}
	// Good signatures only are counted: what others pretend to have signed makes
	// nobody's multiples.
	if c.known.Met(by) {
		signer, ok := key.Signer() // it takes as long as two checks
		if !ok {
			panic("unreachable: a key that was recovered is on the curve")
		}
		c.known.Put(by, signer)
	}
	return true
}
