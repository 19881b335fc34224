package node

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"

	"github.com/BurntSushi/toml"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/mesh"
	"github.com/culvert-net/culvert/mesh/world"
)

// ErrNoWorld says that there is no world file.
var ErrNoWorld = errors.New("there is no world file")

// LoadWorld reads a world file. Whatever is wrong with it is a mistake of
// configuration; the error names the file and the line or field.
func LoadWorld(path string) (*world.World, error) {
	w, err := world.Load(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, app.Usage(fmt.Errorf("%w at %s", ErrNoWorld, path))
	}
	if _, ok := errors.AsType[toml.ParseError](err); ok {
		err = fmt.Errorf("%w; it is no world file, or a part of one: get it again from whoever runs the world", err)
	}
	if err != nil {
		return nil, app.Usage(err)
	}
	return w, nil
}

// InSandbox reports whether a data directory's world is a sandbox.
func InSandbox(dir string) bool {
	w, err := world.Load(filepath.Join(dir, app.WorldFile))
	return err == nil && w.Sandbox
}

// CheckSeeds refuses a world that a newcomer cannot enter, because its file
// names nobody who signs its directory, nobody to ask for it, or nobody who may
// be dialled.
func CheckSeeds(w *world.World) error {
	if len(w.Seeds)+len(w.Mirrors) == 0 {
		return app.Usage(fmt.Errorf("the world file of %q lists no seeds, so there is nobody to ask who is in it; get a file with seeds from whoever runs the world", w.Phrase))
	}
	var why error
	for _, seed := range slices.Concat(w.Seeds, w.Mirrors) {
		_, addr, err := mesh.ParseAddr(seed)
		if err == nil {
			err = CheckAddr(addr, w)
		}
		if err == nil {
			return CheckSigners(w)
		}
		why = err
	}
	return app.Usage(fmt.Errorf("no seed in the world file of %q can be reached (%w); "+
		"get a file with others from whoever runs the world, who says where a router forwards a seed's address with --announce, or makes a world of private addresses with --local", w.Phrase, why))
}

// CheckAddr says why the nodes of a world would not connect to an address.
func CheckAddr(addr string, w *world.World) error {
	at, err := mesh.ParseEndpoint(addr)
	if err != nil {
		return err
	}
	if err := mesh.MayDial(at.AddrPort, w.Local); err != nil {
		return fmt.Errorf("address %q: %w", addr, err)
	}
	return nil
}
