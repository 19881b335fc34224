package node

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/culvert-net/culvert/internal/app"
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
	if err != nil {
		return nil, app.Usage(err)
	}
	return w, nil
}
