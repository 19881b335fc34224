package observer

import (
	"errors"
	"fmt"
	"log/slog"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/member"
	"github.com/culvert-net/culvert/internal/app/node"
	"github.com/culvert-net/culvert/mesh/directory"
	"github.com/culvert-net/culvert/mesh/world"
)

// Prepare makes dir the data directory of an observer of a world, as sandboxes
// need them: an observer that is not running and whose configuration is made
// anew. Its key is there (node.EnsureKey). What it kept of another world is
// removed. The member it returns is open, so that it can found the world.
func Prepare(dir string, cfg *Config, w *world.World) (_ *member.Member, _ *app.Data, err error) {
	data, err := app.OpenData(dir, program)
	if err != nil {
		return nil, nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("preparing %s: %w", dir, err), data.Close())
		}
	}()
	if old, err := world.Load(data.Path(app.WorldFile)); err != nil || old.ID != w.ID {
		if err := node.RemoveMatching(dir, append(worldFiles(), app.WorldFile)); err != nil {
			return nil, nil, err
		}
	}
	key, err := node.LoadKey(data.Path(node.KeyFile))
	if err != nil {
		return nil, nil, err
	}
	s := &setup{data: data, cfg: cfg, key: key}
	if err := s.enter(w); err != nil {
		return nil, nil, err
	}
	set := []string{"node.name", "node.roles", "node.listen", "directory.first_nodes", "status.listen"}
	if cfg.Debug.Listen != "" {
		set = append(set, "debug.listen")
	}
	if err := app.ReplaceConfig(dir, cfg, set...); err != nil {
		return nil, nil, err
	}
	m, err := openMember(data, w, key, cfg, member.NewProviders(directory.NewSet(w)), slog.New(slog.DiscardHandler))
	return m, data, err
}
