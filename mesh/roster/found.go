package roster

import (
	"crypto/ed25519"
	"fmt"
	"slices"
	"time"

	"github.com/culvert-net/culvert/mesh/world"
)

// NoProviders is Providers for a world in which nobody serves a model yet.
type NoProviders struct{}

var _ Providers = NoProviders{}

// IsProvider is false.
func (NoProviders) IsProvider(Key) bool { return false }

// Founding is what a world begins with.
type Founding struct {
	World    world.World          // phrase, rules, and a charter or a founder
	Keys     []ed25519.PrivateKey // of founders
	Members  []Member             // the first members
	Proposer ed25519.PrivateKey   // one of them, who makes the first master

	// Approvals are of Members[0], by founders whose keys are on other machines
	// (Sheet). With Keys there are at least as many as decide.
	Approvals []Approval
}

// Found makes a world, its first entry and the boxes of it.
func Found(f Founding, now time.Time) (*world.World, Entry, Boxes, error) {
	w, err := world.New(f.World)
	if err != nil {
		return nil, Entry{}, Boxes{}, fmt.Errorf("founding a world: %w", err)
	}
	r := New(w)
	changes := make([]Change, len(f.Members))
	for i, m := range f.Members {
		c := Change{Kind: Add, Member: m}
		if i == 0 {
			c.Approvals = slices.Clone(f.Approvals)
		}
		for _, key := range f.Keys {
			a, err := r.Approve(key, Petition{publicKey(f.Proposer), c}, NoProviders{}, now)
			if err != nil {
				return nil, Entry{}, Boxes{}, fmt.Errorf("founding a world: %w", err)
			}
			c.Approvals = merge(c.Approvals, []Approval{a})
		}
		changes[i] = c
	}
	e, boxes, err := r.Propose(f.Proposer, changes, NoProviders{}, now)
	if err != nil {
		return nil, Entry{}, Boxes{}, fmt.Errorf("founding a world: %w", err)
	}
	return w, e, boxes, nil
}
