package gateway

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/culvert-net/culvert/api/backend/openai"
	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/node"
	"github.com/culvert-net/culvert/mesh"
	"github.com/culvert-net/culvert/mesh/directory"
	"github.com/culvert-net/culvert/mesh/world"
)

// InitOptions is what `gateway init` is told. What is left out is found out.
type InitOptions struct {
	Data     string
	Name     string
	Roles    []string // empty: provider if there is a model server, else relay
	Backend  string   // base URL, or "mock"; "" looks for a server on this machine
	Listen   []string // empty: a free port on all addresses, 4811 if it is free
	Announce []string

	World    string // world file to join; or
	NewWorld string // phrase of a world to make, with this node as its seed
	Local    bool   // the new world may use private addresses
}

// InitResult is what Init made.
type InitResult struct {
	Config *Config
	World  *world.World
	Key    [32]byte
	Found  *openai.Found // the model server that was found by looking; nil: none, or not looked
}

// Init makes a data directory: identity, onion keys, world file and
// config.toml. It refuses one that is set up already.
func Init(ctx context.Context, o InitOptions) (*InitResult, error) {
	if (o.World == "") == (o.NewWorld == "") {
		return nil, app.Usage(errors.New("name the world: --world FILE to join one, or --new-world PHRASE to make one"))
	}
	data, err := app.OpenData(o.Data, program)
	if err != nil {
		return nil, err
	}
	defer data.Close()
	if _, err := os.Stat(data.Path(app.ConfigFile)); !errors.Is(err, fs.ErrNotExist) {
		return nil, app.Usage(fmt.Errorf("%s is set up already; edit %s, or choose another directory with --data", o.Data, data.Path(app.ConfigFile)))
	}
	r := &InitResult{}
	if r.Config, r.Found, err = o.configure(ctx); err != nil {
		return nil, err
	}
	key, err := EnsureKey(o.Data)
	if err != nil {
		return nil, err
	}
	r.Key = [32]byte(key.Public().(ed25519.PublicKey))
	if r.World, err = o.world(r.Config, r.Key); err != nil {
		return nil, err
	}
	return r, write(data, r.Config, r.World)
}

// configure finds out what was not said.
func (o *InitOptions) configure(ctx context.Context) (*Config, *openai.Found, error) {
	cfg := Defaults()
	cfg.Node.Name, cfg.Node.Announce = o.Name, append([]string{}, o.Announce...)
	var found *openai.Found
	switch {
	case o.Backend == BackendMock:
		cfg.Provider.Backend = BackendMock
	case o.Backend != "":
		cfg.Provider.URL = o.Backend
	case len(o.Roles) == 0 || slices.Contains(o.Roles, RoleProvider):
		look, cancel := context.WithTimeout(ctx, findLimit)
		defer cancel()
		if all := openai.Find(look); len(all) > 0 {
			found = &all[0]
			cfg.Provider.URL = found.BaseURL
		}
	}
	cfg.Node.Roles = o.Roles
	if len(o.Roles) == 0 {
		cfg.Node.Roles = []string{RoleRelay}
		if o.Backend != "" || found != nil {
			cfg.Node.Roles = []string{RoleProvider}
		}
	}
	if cfg.Is(RoleProvider) && o.Backend == "" && found == nil {
		return nil, nil, app.Usage(errors.New("no model server was found on this machine (Ollama, llama.cpp, vLLM, LM Studio on their usual ports); start it, or name it with --backend URL"))
	}
	cfg.Node.Listen = o.Listen
	if len(o.Listen) == 0 {
		port, err := freePort(defaultPort)
		if err != nil {
			return nil, nil, err
		}
		cfg.Node.Listen = []string{fmt.Sprintf("/ip4/0.0.0.0/tcp/%d", port)}
	}
	if err := cfg.Validate(); err != nil {
		if app.Code(err) == app.ExitFailed {
			err = app.Usage(err)
		}
		return nil, nil, err
	}
	return cfg, found, nil
}

// world is the one to join, or a new one whose seed is this node.
func (o *InitOptions) world(cfg *Config, key [32]byte) (*world.World, error) {
	if o.World != "" {
		return node.LoadWorld(o.World)
	}
	addrs := cfg.Node.Announce
	if len(addrs) == 0 {
		var err error
		if addrs, err = reachable(cfg.Node.Listen, o.Local); err != nil {
			return nil, err
		}
	}
	w := world.World{Phrase: o.NewWorld, Rules: world.DefaultRules(), Local: o.Local}
	for _, addr := range addrs {
		w.Seeds = append(w.Seeds, addr+"/p2p/"+mesh.PeerID(key))
	}
	made, err := world.New(w)
	if err != nil {
		return nil, app.Usage(err)
	}
	return made, nil
}

// write puts everything but the identity into the data directory.
func write(data *app.Data, cfg *Config, w *world.World) error {
	if err := world.WriteFile(data.Path(app.WorldFile), w); err != nil {
		return err
	}
	keys, err := directory.OpenKeyring(data.Path(onionFile), w)
	if err != nil {
		return app.Usage(err)
	}
	if err := keys.Rotate(time.Now()); err != nil {
		return err
	}
	return app.ReplaceConfig(data.Dir, cfg, settings(cfg)...)
}

// settings are the keys that init decides; the rest follows the defaults.
func settings(cfg *Config) []string {
	keys := []string{"node.name", "node.roles", "node.listen"}
	if len(cfg.Node.Announce) > 0 {
		keys = append(keys, "node.announce")
	}
	if cfg.Is(RoleProvider) {
		keys = append(keys, "provider.backend", "provider.url")
	}
	if cfg.Status != Defaults().Status {
		keys = append(keys, "status.listen")
	}
	if cfg.Debug.Listen != "" {
		keys = append(keys, "debug.listen")
	}
	return keys
}

// Prepare writes the files of a node whose configuration and world are
// decided, over those of an earlier run; the identity is kept. A sandbox makes
// its nodes so.
func Prepare(dir string, cfg *Config, w *world.World) error {
	data, err := app.OpenData(dir, program)
	if err != nil {
		return err
	}
	defer data.Close()
	if old, err := world.Load(data.Path(app.WorldFile)); err != nil || old.ID != w.ID {
		// Onion keys and directory are of one world.
		for _, name := range []string{onionFile, cacheFile} {
			if err := os.Remove(filepath.Join(dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("preparing %s: %w", dir, err)
			}
		}
	}
	return write(data, cfg, w)
}
