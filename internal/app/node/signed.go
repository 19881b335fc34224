package node

import (
	"context"
	"crypto/ed25519"
	"errors"
	"io"
	"log/slog"
	"time"

	"github.com/culvert-net/culvert/circuit"
	"github.com/culvert-net/culvert/mesh"
	"github.com/culvert-net/culvert/mesh/directory"
	"github.com/culvert-net/culvert/mesh/directory/follow"
	"github.com/culvert-net/culvert/mesh/directory/mirror"
	"github.com/culvert-net/culvert/mesh/directory/publish"
	"github.com/culvert-net/culvert/mesh/quorum"
	"github.com/culvert-net/culvert/mesh/world"
)

// Client keeps a node's directory current, and publishes what the node says.
type Client interface {
	// Run works until ctx ends.
	Run(ctx context.Context) error
	// Refresh asks anew, for a node that lacks another one's descriptor.
	Refresh()
	// Changed says that the node has something else to say.
	Changed()
	// Status says how it is doing.
	Status() directory.Status
}

var (
	_ Client = (*directory.Client)(nil)
	_ Client = (*Signed)(nil)
)

// IsSigned reports whether a world has directory signers, so that its directory
// is what they sign. In a world without, whoever the seeds know is in it.
func IsSigned(w *world.World) bool { return quorum.Of(w).Check() == nil }

// Proto is the protocol by which a world's directory is asked.
func Proto(w *world.World) string {
	if IsSigned(w) {
		return mesh.ProtoMirror
	}
	return mesh.ProtoDirectory
}

// AskTime asks the node at the other end of a stream of Proto what time it is. It
// proves nothing: it is for telling a person that his clock is wrong.
func AskTime(rw io.ReadWriter, w *world.World) (time.Time, error) {
	if !IsSigned(w) {
		return directory.AskTime(rw, w.ID)
	}
	r, err := mirror.AskRoots(rw, w.ID)
	if err != nil {
		return time.Time{}, err
	}
	return r.Time, nil
}

// SignedConfig is what a node needs for its part in a signed directory.
type SignedConfig struct {
	World *world.World
	View  *directory.View
	Dir   string     // where bundles are kept
	Host  *mesh.Host // asks seeds, and publishes to them

	// Circuits are those over which a bridge asks mirrors; nil asks seeds always.
	Circuits *circuit.Client

	// Key, Keys, Say, Said and File are set by nodes that stand in the directory: see
	// publish.Config.
	Key  ed25519.PrivateKey
	Keys *directory.Keyring
	Say  func() (directory.Node, bool)
	Said func([]world.Descriptor)
	File string

	Log *slog.Logger
}

// Signed is a node's part in a signed directory: it follows, and publishes if it
// stands there itself.
type Signed struct {
	Store     *mirror.Store
	view      *directory.View
	follower  *follow.Follower
	publisher *publish.Publisher // nil for a node that publishes nothing
}

// OpenSigned reads what is on disk. It starts nothing.
func OpenSigned(c SignedConfig) (*Signed, error) {
	s := &Signed{view: c.View}
	var err error
	if s.Store, err = mirror.Open(mirror.Config{World: c.World, Quorum: quorum.Of(c.World), Dir: c.Dir, Log: c.Log}); err != nil {
		return nil, err
	}
	follows := follow.Config{World: c.World, Store: s.Store, View: c.View, Direct: Mirrors{Host: c.Host}, Log: c.Log}
	if c.Circuits != nil {
		follows.Circuits = MirrorsOver{Circuits: c.Circuits}
	}
	if c.Say != nil {
		follows.Self = c.Host.Key()
		s.publisher, err = publish.New(publish.Config{
			World: c.World, Key: c.Key, Keys: c.Keys, Seeds: Desks{Host: c.Host}, File: c.File, Self: c.Say, Said: c.Said, Log: c.Log,
		})
		if err != nil {
			return nil, err
		}
	}
	s.follower, err = follow.New(follows)
	return s, err
}

// Run implements Client.
func (s *Signed) Run(ctx context.Context) error {
	if s.publisher == nil {
		return s.follower.Run(ctx)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	published := make(chan error, 1)
	go func() {
		err := s.publisher.Run(ctx)
		cancel() // one that cannot describe itself is no node
		published <- err
	}()
	err := s.follower.Run(ctx)
	return errors.Join(err, <-published)
}

// Refresh implements Client.
func (s *Signed) Refresh() { s.follower.Refresh() }

// Changed implements Client.
func (s *Signed) Changed() {
	if s.publisher != nil {
		s.publisher.Changed()
	}
}

// Status implements Client, in the words of an unsigned directory: what was
// fetched is what mirrors agreed on.
func (s *Signed) Status() directory.Status {
	f := s.follower.Status()
	out := directory.Status{
		Epoch: f.Epoch, Nodes: f.Nodes, Relays: f.Relays, Providers: f.Providers, Models: f.Models,
		Fetched: f.Agreed, FetchError: f.Problem, FetchesOK: f.RoundsOK, FetchesFailed: f.RoundsFailed,
	}
	switch {
	case f.Forked != "":
		out.FetchError = f.Forked
	case f.Clock != "" && f.Problem != "":
		out.FetchError += ": " + f.Clock
	}
	if s.publisher != nil {
		p := s.publisher.Status()
		out.Seeds, out.PublishedTo, out.Published, out.PublishError = p.Seeds, p.Told, p.Published, p.Problem
	}
	return out
}

// Described reports whether this node has signed what it says of itself.
func (s *Signed) Described() bool { return s.publisher != nil && s.publisher.Status().Described }
