package bridge

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"

	"github.com/culvert-net/culvert/circuit"
	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/member"
	"github.com/culvert-net/culvert/internal/app/node"
	"github.com/culvert-net/culvert/mesh/gossip"
	"github.com/culvert-net/culvert/mesh/roster"
	"github.com/culvert-net/culvert/mesh/world"
)

// memberKey is the file of the key under which a bridge is a member. It is
// never the key of a link: members know a bridge by it, and nobody is to learn
// where that bridge is.
const memberKey = "member.key"

// openMember opens what makes this bridge a member; nil if it never asked to be
// one.
func openMember(b *bridge, w *world.World, set node.Directory) (*member.Member, error) {
	key, err := node.LoadKey(b.data.Path(memberKey))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	m, err := member.Open(member.Config{Dir: b.data.Dir, World: w, Key: key, Providers: member.NewProviders(set), Log: b.log})
	if err != nil {
		return nil, fmt.Errorf("opening what this bridge knows as a member: %w", err)
	}
	return m, nil
}

// PrepareMember makes the bridge of dir somebody who may become a member of w, as
// sandboxes need them. The member it returns is open, and with it the data
// directory.
func PrepareMember(dir string, w *world.World) (_ *member.Member, _ *app.Data, err error) {
	data, err := app.OpenData(dir, program)
	if err != nil {
		return nil, nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("preparing %s: %w", dir, err), data.Close())
		}
	}()
	key, err := node.EnsureKeyFile(data.Path(memberKey))
	if err != nil {
		return nil, nil, err
	}
	m, err := member.Open(member.Config{Dir: dir, World: w, Key: key, Providers: roster.NoProviders{}, Log: slog.New(slog.DiscardHandler)})
	return m, data, err
}

// sessions opens sync with memory nodes over circuits that carry nothing else:
// their group is no request's.
type sessions struct {
	circuits *circuit.Client
	set      node.Directory
	group    circuit.Group
}

var _ gossip.Dialer = sessions{}

// newSessions draws a group.
func newSessions(circuits *circuit.Client, set node.Directory) sessions {
	s := sessions{circuits: circuits, set: set}
	_, _ = rand.Read(s.group[:]) // never fails: it ends the program first
	return s
}

// Open implements gossip.Dialer.
func (s sessions) Open(ctx context.Context, to [32]byte) (io.ReadWriteCloser, error) {
	if n, ok := s.set.Snapshot().Node(to); !ok || !n.End {
		return nil, member.ErrNoPlace
	}
	stream, err := s.circuits.DialKind(ctx, to, s.group, circuit.StreamSync)
	if err != nil {
		return nil, fmt.Errorf("open sync over a circuit: %w", err)
	}
	return node.Ending{Stream: stream}, nil
}
