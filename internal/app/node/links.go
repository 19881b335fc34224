package node

import (
	"context"
	"fmt"

	"github.com/culvert-net/culvert/circuit"
	"github.com/culvert-net/culvert/mesh"
	"github.com/culvert-net/culvert/mesh/directory"
)

// Links reaches neighbours through a mesh host, at the addresses of their
// descriptors and at no others, so that nobody can make this node knock
// elsewhere.
type Links struct {
	host  *mesh.Host
	set   Directory
	queue chan circuit.Link // opened by neighbours, not yet accepted

	// Missing, if set, is told when Open lacks a descriptor, and is to fetch
	// them all. A bridge leaves it nil: it must not fetch because of what it
	// wants. Set before the first Open.
	Missing func()
}

var _ circuit.Links = (*Links)(nil)

// NewLinks opens links of host. It accepts none until Serve is called.
func NewLinks(host *mesh.Host, set Directory) *Links {
	return &Links{host: host, set: set, queue: make(chan circuit.Link, linkQueue)}
}

// Serve lets neighbours open circuits at this node.
func (l *Links) Serve() {
	l.host.Handle(mesh.ProtoCircuit, circuitPeerStreams, circuitStreams, func(s *mesh.Stream) {
		select {
		case l.queue <- s:
		default:
			// The neighbour sees a reset, like from a node that is gone.
			_ = s.Reset()
		}
	})
}

// Open implements circuit.Links.
func (l *Links) Open(ctx context.Context, to [32]byte) (circuit.Link, error) {
	n, ok := l.find(ctx, to)
	if !ok {
		return nil, circuit.ErrUnknownNode
	}
	s, err := l.host.Open(ctx, mesh.ProtoCircuit, to, n.Addrs)
	if err != nil {
		return nil, fmt.Errorf("open link to %s: %w", DisplayName(n), err)
	}
	return s, nil
}

// find returns a node's descriptor, and has a relay that lacks it look once
// more: a node may have joined since the last fetch.
func (l *Links) find(ctx context.Context, key [32]byte) (directory.Node, bool) {
	n, ok := l.set.Snapshot().Node(key)
	if ok || l.Missing == nil {
		return n, ok
	}
	ctx, cancel := context.WithTimeout(ctx, missingWait)
	defer cancel()
	updated := l.set.Updated()
	l.Missing()
	for {
		if n, ok := l.set.Snapshot().Node(key); ok {
			return n, true
		}
		select {
		case <-updated:
			updated = l.set.Updated()
		case <-ctx.Done():
			return directory.Node{}, false
		}
	}
}

// Accept implements circuit.Links.
func (l *Links) Accept(ctx context.Context) (circuit.Link, error) {
	select {
	case s := <-l.queue:
		return s, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// DisplayName is what a person is shown of a node: what it calls itself, else
// its short id.
func DisplayName(n directory.Node) string {
	if n.Name != "" {
		return n.Name
	}
	return ShortID(n.Key)
}

// ShortID is what people tell nodes apart by: the beginning of the key. Every
// program shows it in this form, so that what a bridge says of a node can be
// found in what the node says of itself.
func ShortID(key [32]byte) string { return fmt.Sprintf("%x", key[:4]) }
