package gateway

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/culvert-net/culvert/api/backend/openai"
	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/node"
	"github.com/culvert-net/culvert/internal/config"
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
	Status   string // address of the status page; empty: port 8813 of loopback, or another if it is taken

	World string // world file to join
}

// InitResult is what Init made.
type InitResult struct {
	Config   *Config
	World    *world.World
	Key      [32]byte
	Addrs    []string      // where others find this node
	Found    *openai.Found // the model server that was found by looking; nil: none, or not looked
	Warnings []string      // what will not work as it is
}

// Init makes a data directory: identity, onion keys, world file and
// config.toml. It refuses one that is set up already, and a node that nobody
// could reach.
func Init(ctx context.Context, o InitOptions) (*InitResult, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	w, err := node.LoadWorld(o.World)
	if err == nil {
		err = node.CheckSeeds(w)
	}
	if err != nil {
		return nil, err
	}
	r := &InitResult{World: w}
	data, err := app.OpenData(o.Data, program)
	if err != nil {
		return nil, err
	}
	defer data.Close()
	if _, err := os.Stat(data.Path(app.ConfigFile)); !errors.Is(err, fs.ErrNotExist) {
		return nil, app.Usage(fmt.Errorf("%s is set up already; edit %s, or choose another directory with --data", o.Data, data.Path(app.ConfigFile)))
	}
	if r.Config, r.Found, err = o.configure(ctx); err != nil {
		return nil, err
	}
	if r.Addrs, err = node.Addresses(r.Config.Node.Listen, r.Config.Node.Announce, w.Local, false, "observer world create PHRASE --local"); err != nil {
		return nil, err
	}
	key, err := node.EnsureKey(o.Data)
	if err != nil {
		return nil, err
	}
	r.Key = [32]byte(key.Public().(ed25519.PublicKey))
	if err := app.Configured(config.Blame(r.Config.fits(w), o.origins())); err != nil {
		return nil, err
	}
	if o.Backend != "" && o.Backend != BackendMock {
		r.Warnings = probe(ctx, &r.Config.Provider)
	}
	return r, write(data, r.Config, w)
}

// check refuses flags that do not go together.
func (o *InitOptions) check() error {
	switch {
	case o.World == "":
		return app.Usage(errors.New("name the world to join: --world FILE; a new world is made with observer world create PHRASE, which makes such a file"))
	case o.Backend != "" && len(o.Roles) > 0 && !slices.Contains(o.Roles, RoleProvider):
		return app.Usage(fmt.Errorf("--backend is for a provider, and --roles %s is none; add provider to --roles, or leave --backend out", strings.Join(o.Roles, ",")))
	}
	return nil
}

// origins says which flag a value of the configuration is from.
func (o *InitOptions) origins() config.Origins {
	origins := config.Origins{}
	for key, flag := range map[string]struct {
		name  string
		given bool
	}{
		"node.name": {"--name", o.Name != ""}, "node.roles": {"--roles", len(o.Roles) > 0},
		"node.listen": {"--listen", len(o.Listen) > 0}, "node.announce": {"--announce", len(o.Announce) > 0}, "status.listen": {"--status-listen", o.Status != ""},
		"provider.backend": {"--backend", o.Backend == BackendMock}, "provider.url": {"--backend", o.Backend != ""},
	} {
		if flag.given {
			origins[key] = flag.name
		}
	}
	return origins
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
		port, err := node.FreePort(defaultPort)
		if err != nil {
			return nil, nil, err
		}
		cfg.Node.Listen = node.ListenOn(port)
	}
	var err error
	if cfg.Status.Listen, err = node.StatusAddress(o.Status, statusPort); err != nil {
		return nil, nil, err
	}
	if err := config.Check(cfg, o.origins()); err != nil {
		return nil, nil, app.Configured(err)
	}
	return cfg, found, nil
}

// probe asks a model server that was named for its models, and says what is
// wrong. It may well be started later, so that is no reason to stop.
func probe(ctx context.Context, cfg *ProviderConfig) []string {
	src, err := newSource(cfg)
	if err != nil {
		return []string{err.Error()}
	}
	defer src.closer.Close()
	ctx, cancel := context.WithTimeout(ctx, findLimit)
	defer cancel()
	list, err := src.Models(ctx)
	switch {
	case err != nil:
		return []string{fmt.Sprintf("%s does not list its models: %s. An API key, if it wants one, is set as key in [provider] of config.toml, or in CULVERT_GATEWAY_PROVIDER_KEY.", cfg.URL, node.WhyNoModels(err))}
	case len(list) == 0:
		return []string{cfg.URL + " lists no models; the node offers nothing until it does."}
	}
	return nil
}

// write puts everything but the identity into the data directory.
func write(data *app.Data, cfg *Config, w *world.World) error {
	if err := world.WriteFile(data.Path(app.WorldFile), w); err != nil {
		return err
	}
	keys, err := directory.OpenKeyring(data.Path(node.OnionFile), w)
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
	if cfg.Chain.URL != "" {
		keys = append(keys, "chain.preset", "chain.url", "chain.deploy_block")
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
		if err := node.RemoveMatching(dir, worldFiles()); err != nil {
			return fmt.Errorf("preparing %s: %w", dir, err)
		}
	}
	return write(data, cfg, w)
}
