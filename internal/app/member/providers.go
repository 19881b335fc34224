package member

import (
	"strings"
	"sync"

	"github.com/culvert-net/culvert/internal/app/node"
	"github.com/culvert-net/culvert/mesh/directory"
	"github.com/culvert-net/culvert/mesh/roster"
)

// Providers tells by the directory who stands as a provider: with a model, in a
// descriptor that lives. A member's key that does is a member no more, as far as
// this node is concerned, and so is one of the same operator.
type Providers struct {
	set node.Directory

	mu        sync.Mutex
	of        *directory.Snapshot // guarded by mu, as what follows; what it was made of
	keys      map[roster.Key]bool
	operators map[string]bool
}

var _ roster.Providers = (*Providers)(nil)

// NewProviders looks into set.
func NewProviders(set node.Directory) *Providers { return &Providers{set: set} }

// operatorLine begins the contact line that says who runs a node.
const operatorLine = "operator:"

// look reads the directory, if it has changed: who is a member is asked for every
// message.
func (p *Providers) look() {
	snap := p.set.Snapshot()
	if snap == p.of {
		return
	}
	p.of, p.keys, p.operators = snap, make(map[roster.Key]bool), make(map[string]bool)
	for _, d := range snap.Descriptors() {
		if m := d.Capability.Manifest; m == nil || m.BaseModelID == "" {
			continue
		}
		p.keys[d.Key] = true
		for _, line := range d.ContactPoints {
			if tag, ok := strings.CutPrefix(line, operatorLine); ok {
				p.operators[tag] = true
			}
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

// IsOperator implements roster.Providers.
func (p *Providers) IsOperator(tag string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.look()
	return p.operators[tag]
}
