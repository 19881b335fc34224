package member

import (
	"sync"

	"github.com/culvert-net/culvert/internal/app/node"
	"github.com/culvert-net/culvert/mesh/directory"
	"github.com/culvert-net/culvert/mesh/roster"
)

// Providers tells by the directory who stands as a provider: with a model, in a
// descriptor that lives. A member's key that does is a member no more, as far as
// this node is concerned. A line that says who runs the provider changes nothing:
// it is the provider's word alone, and would cut off whomever it names.
type Providers struct {
	set node.Directory

	mu   sync.Mutex
	of   *directory.Snapshot // guarded by mu, as keys; what they were made of
	keys map[roster.Key]bool
}

var _ roster.Providers = (*Providers)(nil)

// NewProviders looks into set.
func NewProviders(set node.Directory) *Providers { return &Providers{set: set} }

// look reads the directory, if it has changed: who is a member is asked for every
// message.
func (p *Providers) look() {
	snap := p.set.Snapshot()
	if snap == p.of {
		return
	}
	p.of, p.keys = snap, make(map[roster.Key]bool)
	for _, d := range snap.Descriptors() {
		if m := d.Capability.Manifest; m != nil && m.BaseModelID != "" {
			p.keys[d.Key] = true
		}
	}
}

// IsProvider implements roster.Providers.
func (p *Providers) IsProvider(key roster.Key) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.look()
	return p.keys[key]
}
