package node

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"time"

	"github.com/culvert-net/culvert/circuit"
	"github.com/culvert-net/culvert/mesh"
	"github.com/culvert-net/culvert/mesh/directory"
	"github.com/culvert-net/culvert/mesh/directory/follow"
	"github.com/culvert-net/culvert/mesh/directory/mirror"
	"github.com/culvert-net/culvert/mesh/directory/notary"
	"github.com/culvert-net/culvert/mesh/directory/publish"
	"github.com/culvert-net/culvert/mesh/frame"
	"github.com/culvert-net/culvert/mesh/quorum"
	"github.com/culvert-net/culvert/mesh/world"
)

// Mirrors opens streams to the world's seeds, for the signed directory.
type Mirrors struct{ Host *mesh.Host }

var _ follow.Opener = Mirrors{}

// Open implements follow.Opener.
func (m Mirrors) Open(ctx context.Context, to follow.Mirror) (io.ReadWriteCloser, error) {
	return Desks(m).Open(ctx, to.Addr)
}

// Desks opens streams to the world's seeds, for publications.
type Desks struct{ Host *mesh.Host }

var _ publish.Opener = Desks{}

// Open implements publish.Opener.
func (d Desks) Open(ctx context.Context, seed string) (io.ReadWriteCloser, error) {
	s, err := d.Host.OpenAddr(ctx, mesh.ProtoMirror, seed)
	if err != nil {
		return nil, fmt.Errorf("open signed directory of a seed: %w", err)
	}
	return s, nil
}

// MirrorsOver opens streams to nodes of the directory, each over a circuit of
// its own: what one mirror learns of a circuit says nothing of another.
type MirrorsOver struct{ Circuits *circuit.Client }

var _ follow.Opener = MirrorsOver{}

// Open implements follow.Opener.
func (m MirrorsOver) Open(ctx context.Context, to follow.Mirror) (io.ReadWriteCloser, error) {
	var group circuit.Group
	rand.Read(group[:]) // never fails: crypto/rand crashes the program instead
	s, err := m.Circuits.DialKind(ctx, to.Key, group, circuit.StreamDirectory)
	if err != nil {
		return nil, fmt.Errorf("open circuit to a mirror: %w", err)
	}
	return s, nil
}

// ServeMirror answers questions to store from host until ctx ends. Publications
// go to desk; nil takes none.
func ServeMirror(ctx context.Context, host *mesh.Host, store *mirror.Store, desk mirror.Desk, log *slog.Logger) {
	host.Handle(mesh.ProtoMirror, directoryPeerStreams, directoryStreams, func(s *mesh.Stream) {
		if answerMirror(ctx, s, store, desk, log) {
			_ = s.Close() // all was said; what does not arrive is asked for again
		}
	})
}

// ServeMirrorOver is ServeMirror for questions that come over circuits, so many
// at a time. It returns when l is closed or ctx ends.
func ServeMirrorOver(ctx context.Context, l *circuit.Listener, most int, store *mirror.Store, log *slog.Logger) error {
	return ServeStreams(ctx, l, most, func(s *circuit.Stream) {
		if answerMirror(ctx, s, store, nil, log) {
			_ = Ending{s}.Close() // all was said
		}
	})
}

// answerMirror answers the one question of a stream, and resets it if it could
// not.
func answerMirror(ctx context.Context, s question, store *mirror.Store, desk mirror.Desk, log *slog.Logger) (answered bool) {
	// The stream's next read shows whether it still lives.
	_ = s.SetDeadline(time.Now().Add(mirrorLimit))
	err := mirror.Serve(ctx, s, store, desk)
	if err != nil {
		log.Debug("directory request not answered", "err", err)
	}
	if err != nil && !errors.Is(err, directory.ErrRefused) {
		_ = s.Reset()
		return false
	}
	return true
}

// Signers reaches the other directory signers: where they stand in the
// directory, or in the world file.
type Signers struct {
	Host  *mesh.Host
	World *world.World
	Nodes Directory
}

var _ notary.Peers = Signers{}

// Ask implements notary.Peers. A link is the signer's or there is none, so its
// answer is.
func (s Signers) Ask(ctx context.Context, signer [32]byte, request []byte) ([]byte, error) {
	stream, err := s.open(ctx, signer)
	if err != nil {
		return nil, fmt.Errorf("open a stream to directory signer %s: %w", world.Hash(signer).Short(), err)
	}
	stop := context.AfterFunc(ctx, func() { _ = stream.Reset() })
	defer stop()
	defer stream.Close()
	if err := frame.Write(stream, request); err != nil {
		return nil, fmt.Errorf("asking a directory signer: %w", err)
	}
	answer, err := frame.Read(stream, notary.MaxMessage)
	if err != nil {
		return nil, fmt.Errorf("asking a directory signer: %w", err)
	}
	return answer, nil
}

func (s Signers) open(ctx context.Context, signer [32]byte) (*mesh.Stream, error) {
	if n, ok := s.Nodes.Snapshot().Node(signer); ok {
		return s.Host.Open(ctx, mesh.ProtoSign, n.Key, n.Addrs)
	}
	for _, seed := range slices.Concat(s.World.Seeds, s.World.Mirrors) {
		if a, err := world.ParseAddr(seed); err == nil && a.Key == signer {
			return s.Host.OpenAddr(ctx, mesh.ProtoSign, seed)
		}
	}
	return nil, circuit.ErrUnknownNode
}

// ServeSigners answers the other directory signers at host until it is closed.
// Nobody else is listened to.
func ServeSigners(host *mesh.Host, n *notary.Notary, q quorum.Quorum, log *slog.Logger) {
	host.Handle(mesh.ProtoSign, signerPeerStreams, signerStreams, func(s *mesh.Stream) {
		if !q.Has(s.Peer()) {
			_ = s.Reset()
			return
		}
		_ = s.SetDeadline(time.Now().Add(mirrorLimit))
		request, err := frame.Read(s, notary.MaxMessage)
		if err == nil {
			err = frame.Write(s, n.Answer(request, time.Now()))
		}
		if err != nil {
			log.Debug("directory signer not answered", "err", err)
			_ = s.Reset()
			return
		}
		_ = s.Close() // all was said
	})
}
