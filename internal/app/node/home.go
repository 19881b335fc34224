package node

import (
	"context"
	"crypto/ed25519"
	"io"
	"log/slog"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/mesh"
	"github.com/culvert-net/culvert/mesh/directory"
	"github.com/culvert-net/culvert/mesh/world"
)

// OnionFile has the onion keys of a node that others reach.
const OnionFile = "onion.keys"

// HomeConfig is what a node that others reach starts from.
type HomeConfig struct {
	Program string
	Dir     string    // data directory, set up before
	Err     io.Writer // the log
	Name    string    // what the node calls itself; may be empty
	Log     app.LogConfig
	Status  app.StatusConfig
	Debug   app.DebugConfig
	Fits    func(*world.World) error // is the configuration one for the world?
}

// Home is an open data directory of a node that others reach, with what every such
// node reads there, and its local addresses.
type Home struct {
	Log   *slog.Logger
	Data  *app.Data
	World *world.World
	Key   ed25519.PrivateKey
	Onion *directory.Keyring
	Pages *app.Pages
}

// OpenHome opens the data directory, and fails before anything has begun if
// something in it is missing or damaged, or an address is taken.
func OpenHome(ctx context.Context, c HomeConfig) (_ *Home, err error) {
	h := &Home{}
	if h.Log, err = app.NewLog(c.Err, c.Program, c.Log); err != nil {
		return nil, err
	}
	if c.Name != "" {
		h.Log = h.Log.With("node", c.Name)
	}
	if h.Data, err = app.WaitData(ctx, c.Dir, c.Program); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			h.Data.Close()
		}
	}()
	if h.World, err = LoadWorld(h.Data.Path(app.WorldFile)); err != nil {
		return nil, err
	}
	if err := app.Configured(c.Fits(h.World)); err != nil {
		return nil, err
	}
	if h.Key, err = LoadKey(h.Data.Path(KeyFile)); err != nil {
		return nil, err
	}
	if h.Onion, err = directory.OpenKeyring(h.Data.Path(OnionFile), h.World); err != nil {
		return nil, app.Usage(err)
	}
	if h.Pages, err = app.BindPages(h.Data, c.Status, c.Debug); err != nil {
		return nil, err
	}
	return h, nil
}

// Close gives back the addresses and the data directory.
func (h *Home) Close() {
	h.Pages.Close()
	h.Data.Close()
}

// Listen makes the node's host, and warns if none of its addresses, nor one that is
// announced in their place, can be reached by others.
func (h *Home) Listen(listen, announce []string) (*mesh.Host, error) {
	host, err := Listen(h.Key, listen, h.World.Local, h.Log)
	if err == nil && len(announce) == 0 && len(host.Addrs()) == 0 {
		WarnUnreachable(listen, h.World.Local, h.Log)
	}
	return host, err
}
