package signers

import (
	"sync"

	"github.com/culvert-net/culvert/ledger"
)

// Checker checks signatures.
type Checker struct {
	mu      sync.Mutex
	now     uint64                    // signatures asked about so far; guarded by mu
	known   map[ledger.Address]*often // guarded by mu
	counted map[ledger.Address]int    // good signatures of others; guarded by mu
}

// often is who signs often.
type often struct {
	signer *ledger.Signer // immutable
	last   uint64         // when it was asked for; guarded by the Checker's mu
}

// New returns a Checker that knows nobody yet.
func New() *Checker {
	return &Checker{known: make(map[ledger.Address]*often), counted: make(map[ledger.Address]int)}
}

// Signed reports whether a digest was signed by the key of an address.
func (c *Checker) Signed(by ledger.Address, digest ledger.Hash, s ledger.Signature) bool {
	if signer := c.of(by); signer != nil {
		return signer.Signed(digest, s)
	}
	key, who, err := s.RecoverKey(digest)
	if err != nil || who != by {
		return false
	}
	c.count(by, key)
	return true
}

// of is what is kept of a key; nil: nothing.
func (c *Checker) of(a ledger.Address) *ledger.Signer {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now++
	o := c.known[a]
	if o == nil {
		return nil
	}
	o.last = c.now
	return o.signer
}

// count is for a good signature that was recovered: what others pretend to have
// signed makes nobody's multiples.
func (c *Checker) count(a ledger.Address, key ledger.PublicKey) {
	if !c.due(a) {
		return
	}
	signer, ok := key.Signer() // without the lock: it takes as long as two checks
	if !ok {
		panic("unreachable: a key that was recovered is on the curve")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.room() {
		c.known[a] = &often{signer, c.now}
		delete(c.counted, a)
	}
}

func (c *Checker) due(a ledger.Address) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known[a] != nil { // by now
		return false
	}
	if len(c.counted) >= maxCounted {
		clear(c.counted)
	}
	c.counted[a]++
	return c.counted[a]%worth == 0 && c.room()
}

// room makes room for another key, if the one that was not used for longest was
// not for long. The caller holds mu.
func (c *Checker) room() bool {
	if len(c.known) < maxSigners {
		return true
	}
	var oldest ledger.Address
	last := c.now
	for a, o := range c.known {
		if o.last < last {
			oldest, last = a, o.last
		}
	}
	if c.now-last < idle {
		return false
	}
	delete(c.known, oldest)
	return true
}
