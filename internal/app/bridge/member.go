package bridge

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"sync"

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

// membership is a bridge's place among its world's members, if it has one. All
// that a member does goes over circuits of a group of its own, so no request
// shares one with it, or waits for it.
type membership struct {
	data  *app.Data
	world *world.World
	set   node.Directory
	over  overCircuits
	log   *slog.Logger

	begun   chan struct{} // closed once there is a service
	joining sync.Mutex    // held by the one join at a time

	mu      sync.Mutex
	files   *member.Member  // guarded by mu; nil: this bridge never asked to be a member
	service *member.Service // guarded by mu; of files, nil while there is none
}

// openMembership goes on with what an earlier join has begun.
func openMembership(data *app.Data, w *world.World, set node.Directory, circuits *circuit.Client, log *slog.Logger) (*membership, error) {
	s := &membership{data: data, world: w, set: set, log: log, begun: make(chan struct{})}
	s.over = overCircuits{circuits: circuits, set: set}
	_, _ = rand.Read(s.over.group[:]) // never fails: it ends the program first
	_, err := node.LoadKey(data.Path(memberKey))
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err == nil {
		err = s.open()
	}
	if err != nil {
		return nil, err
	}
	return s, s.begin()
}

// open opens what a member knows, and makes what is not there.
func (s *membership) open() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.files != nil {
		return nil
	}
	key, err := node.EnsureKeyFile(s.data.Path(memberKey))
	if err != nil {
		return err
	}
	s.files, err = member.Open(member.Config{
		Dir: s.data.Dir, World: s.world, Key: key, Providers: member.NewProviders(s.set), Log: s.log, Join: "bridge join FILE",
	})
	if err != nil {
		s.files = nil
		return fmt.Errorf("opening what this bridge knows as a member: %w", err)
	}
	return nil
}

// begin makes run run.
func (s *membership) begin() (err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.service != nil {
		return nil
	}
	if s.service, err = s.files.Start(s.over, s.set); err == nil {
		close(s.begun)
	}
	return err
}

// run is a member from the moment there is one, until ctx ends.
func (s *membership) run(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-s.begun:
	}
	return app.RunParts(ctx, s.running().Parts()...)
}

// running is nil while this bridge is nothing like a member.
func (s *membership) running() *member.Service {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.service
}

// close releases the files.
func (s *membership) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.files == nil {
		return nil
	}
	return s.files.Close()
}

// routeJoin is where the admin socket takes joins.
const routeJoin = "/member/join"

// joinRequest is what a running bridge is told.
type joinRequest struct {
	Invite string `json:"invite"` // the file's text
	Phrase string `json:"phrase"`
}

// admin answers joins, and passes everything else on.
func (s *membership) admin(rest http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", rest)
	mux.HandleFunc("POST "+routeJoin, command(func(ctx context.Context, in joinRequest) (any, error) {
		inv, err := roster.ParseInvite([]byte(in.Invite))
		if err != nil {
			return nil, app.Usage(err)
		}
		return struct{}{}, s.join(ctx, inv, in.Phrase, func(text string) { s.log.Info("joining the members", "state", text) })
	}))
	return mux
}

// join makes this bridge a member, and returns once it is.
func (s *membership) join(ctx context.Context, inv roster.Invite, phrase string, progress func(string)) error {
	if inv.World.ID != s.world.ID {
		return app.Usage(fmt.Errorf("the invite is to world %q (%s), and this bridge lives in %q (%s)",
			inv.World.Phrase, inv.World.ID.Short(), s.world.Phrase, s.world.ID.Short()))
	}
	s.joining.Lock()
	defer s.joining.Unlock()
	if err := s.open(); err != nil {
		return err
	}
	key, err := node.LoadKey(s.data.Path(memberKey))
	if err != nil {
		return err
	}
	err = member.Join(ctx, member.JoinConfig{
		Invite: inv, Phrase: phrase, Key: key, Dial: joinsOver{s.over}, Role: roster.RoleBridge,
		Member: s.files, Progress: progress,
	})
	if err != nil {
		return err
	}
	return s.begin()
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

// overCircuits opens streams to memory nodes over circuits that carry nothing
// else: their group is no request's.
type overCircuits struct {
	circuits *circuit.Client
	set      node.Directory
	group    circuit.Group
}

var _ gossip.Dialer = overCircuits{}

// Open implements gossip.Dialer.
func (o overCircuits) Open(ctx context.Context, to [32]byte) (io.ReadWriteCloser, error) {
	return o.dial(ctx, to, circuit.StreamSync)
}

func (o overCircuits) dial(ctx context.Context, to [32]byte, kind circuit.StreamKind) (node.Ending, error) {
	if n, ok := o.set.Snapshot().Node(to); !ok || !n.End {
		return node.Ending{}, member.ErrNoPlace
	}
	stream, err := o.circuits.DialKind(ctx, to, o.group, kind)
	if err != nil {
		return node.Ending{}, fmt.Errorf("open a stream over a circuit: %w", err)
	}
	return node.Ending{Stream: stream}, nil
}

// joinsOver opens streams for requests to join.
type joinsOver struct{ overCircuits }

var _ member.JoinDialer = joinsOver{}

// Open implements member.JoinDialer. Where the inviter is, the directory says.
func (o joinsOver) Open(ctx context.Context, inviter [32]byte, _ string) (member.JoinStream, error) {
	return o.dial(ctx, inviter, circuit.StreamJoin)
}
