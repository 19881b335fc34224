package node

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/culvert-net/culvert/circuit"
	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/mesh"
	"github.com/culvert-net/culvert/mesh/directory"
	"github.com/culvert-net/culvert/mesh/directory/follow"
	"github.com/culvert-net/culvert/mesh/directory/mirror"
	"github.com/culvert-net/culvert/mesh/directory/publish"
	"github.com/culvert-net/culvert/mesh/quorum"
	"github.com/culvert-net/culvert/mesh/world"
)

// CheckSigners refuses a world whose file names nobody who signs its directory:
// nobody could say who is in it.
func CheckSigners(w *world.World) error {
	if quorum.Of(w).Check() == nil {
		return nil
	}
	return app.Usage(fmt.Errorf("the world file of %q names nobody who signs its directory, so nobody can say who is in it; "+
		"get a file with a charter, or with a founder, from whoever runs the world. A new world is made with observer world create PHRASE", w.Phrase))
}

// AskTime asks the node at the other end of a stream of mesh.ProtoMirror what time
// it is. It proves nothing: it is for telling a person that his clock is wrong.
func AskTime(rw io.ReadWriter, w *world.World) (time.Time, error) {
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

	// Wrap, if set, stands between the node and its streams to mirrors; tests record
	// there.
	Wrap func(follow.Opener) follow.Opener

	// Key, Keys, Say, Sheet, Said, Stamped and File are set by nodes that stand in the directory: see
	// publish.Config.
	Key     ed25519.PrivateKey
	Keys    *directory.Keyring
	Say     func() (directory.Node, bool)
	Sheet   func(world.Hash) ([]byte, bool)
	Said    func([]world.Descriptor)
	Stamped func([]world.Descriptor, []byte)
	File    string

	Log *slog.Logger
}

// Signed is a node's part in a signed directory: it follows, and publishes if it
// stands there itself.
type Signed struct {
	Store     *mirror.Store
	signers   int // of the world
	follower  *follow.Follower
	publisher *publish.Publisher // nil for a node that publishes nothing
}

// OpenSigned reads what is on disk. It starts nothing.
func OpenSigned(c SignedConfig) (*Signed, error) {
	err := CheckSigners(c.World)
	if err != nil {
		return nil, err
	}
	s := &Signed{signers: len(quorum.Of(c.World).Signers)}
	if s.Store, err = mirror.Open(mirror.Config{World: c.World, Quorum: quorum.Of(c.World), Dir: c.Dir, Log: c.Log}); err != nil {
		return nil, err
	}
	follows := follow.Config{World: c.World, Store: s.Store, View: c.View, Direct: Mirrors{Host: c.Host}, Log: c.Log}
	if c.Circuits != nil {
		follows.Circuits = MirrorsOver{Circuits: c.Circuits}
	}
	if c.Wrap != nil {
		follows.Direct = c.Wrap(follows.Direct)
		if follows.Circuits != nil {
			follows.Circuits = c.Wrap(follows.Circuits)
		}
	}
	if c.Say != nil {
		follows.Self = c.Host.Key()
		s.publisher, err = publish.New(publish.Config{
			World: c.World, Key: c.Key, Keys: c.Keys, Seeds: Desks{Host: c.Host}, File: c.File, Self: c.Say, Sheet: c.Sheet, Said: c.Said, Stamped: c.Stamped, Log: c.Log,
		})
		if err != nil {
			return nil, err
		}
	}
	s.follower, err = follow.New(follows)
	return s, err
}

// Run works until ctx ends; it is called once.
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

// Refresh asks anew, for a node that lacks another one's descriptor.
func (s *Signed) Refresh() { s.follower.Refresh() }

// Changed says that the node has something else to say.
func (s *Signed) Changed() {
	if s.publisher != nil {
		s.publisher.Changed()
	}
}

// Status says how following is going.
func (s *Signed) Status() follow.Status { return s.follower.Status() }

// Published says how publishing is going; the zero value for a node that does not.
func (s *Signed) Published() publish.Status {
	if s.publisher == nil {
		return publish.Status{}
	}
	return s.publisher.Status()
}
