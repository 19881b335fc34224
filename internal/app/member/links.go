package member

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/culvert-net/culvert/internal/app/node"
	"github.com/culvert-net/culvert/mesh"
	"github.com/culvert-net/culvert/mesh/gossip"
)

// Links opens sessions to members that stand in the directory, at the addresses
// that stand there.
type Links struct {
	Host *mesh.Host
	Set  node.Directory
}

var _ gossip.Dialer = Links{}

// ErrNoPlace is about a member that others cannot reach, such as a bridge: it
// opens sessions itself.
var ErrNoPlace = errors.New("the member does not stand in the directory")

// Open implements gossip.Dialer.
func (l Links) Open(ctx context.Context, member [32]byte) (io.ReadWriteCloser, error) {
	s, err := l.open(ctx, mesh.ProtoSync, member)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// open opens a stream of a protocol of members.
func (l Links) open(ctx context.Context, proto string, member [32]byte) (*mesh.Stream, error) {
	n, ok := l.Set.Snapshot().Node(member)
	if !ok || !n.End {
		return nil, ErrNoPlace
	}
	s, err := l.Host.Open(ctx, proto, n.Key, n.Addrs)
	if err != nil {
		return nil, fmt.Errorf("open %s with %s: %w", proto, short(member), err)
	}
	return s, nil
}
