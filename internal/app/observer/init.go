package observer

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/node"
	"github.com/culvert-net/culvert/internal/config"
	"github.com/culvert-net/culvert/mesh/directory"
	"github.com/culvert-net/culvert/mesh/world"
)

// PlaceOptions is what an observer is told of its place when it is set up. What
// is left out is found out.
type PlaceOptions struct {
	Data     string
	Name     string
	Listen   []string // empty: a free port on all addresses, 4811 if it is free
	Announce []string
	Status   string // address of the status page; empty: the usual one

	FirstNodes int // that the directory's first root waits for; 0: the usual

	Rules *RulesConfig // when other rules are wanted enough; nil: the usual
}

// setup is a data directory that is being made.
type setup struct {
	data *app.Data
	cfg  *Config
	key  ed25519.PrivateKey
}

// public is the node's key: how members and the directory name it.
func (s *setup) public() [32]byte { return [32]byte(s.key.Public().(ed25519.PublicKey)) }

// begin opens or makes the data directory, and in it the keys and config.toml.
// What is there already is kept: a directory may be made in two steps, keys
// first, so that a founder can be named before there is a world.
func (o *PlaceOptions) begin() (_ *setup, err error) {
	s := &setup{cfg: Defaults()}
	if s.data, err = app.OpenData(o.Data, program); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.data.Close())
		}
	}()
	if err := s.configure(o); err != nil {
		return nil, err
	}
	if s.key, err = node.EnsureKey(s.data.Dir); err != nil {
		return nil, err
	}
	return s, nil
}

// configure reads config.toml, or makes it of what it was told.
func (s *setup) configure(o *PlaceOptions) error {
	_, err := os.Stat(s.data.Path(app.ConfigFile))
	if err == nil {
		if _, err = app.Load(s.cfg, program, s.data.Dir, nil); err != nil {
			return err
		}
		// A command that failed after this is repeated with what it was told.
		var other []string
		for _, x := range []struct {
			key    string
			differ bool
		}{
			{"node.name", o.Name != "" && o.Name != s.cfg.Node.Name},
			{"node.listen", len(o.Listen) > 0 && !slices.Equal(o.Listen, s.cfg.Node.Listen)},
			{"node.announce", len(o.Announce) > 0 && !slices.Equal(o.Announce, s.cfg.Node.Announce)},
			{"status.listen", o.Status != "" && o.Status != s.cfg.Status.Listen},
			{"directory.first_nodes", o.FirstNodes != 0 && o.FirstNodes != s.cfg.Directory.FirstNodes},
		} {
			if x.differ {
				other = append(other, x.key)
			}
		}
		if len(other) > 0 {
			return app.Usage(fmt.Errorf("%s is set up already, with another %s; edit %s, or choose another directory with --data",
				s.data.Dir, strings.Join(other, " and "), s.data.Path(app.ConfigFile)))
		}
		return nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("data directory: %w", err)
	}
	s.cfg.Node.Name, s.cfg.Node.Listen = o.Name, o.Listen
	s.cfg.Node.Announce = append([]string{}, o.Announce...)
	origins := config.Origins{}
	for key, flag := range map[string]struct {
		name  string
		given bool
	}{
		"node.name": {"--name", o.Name != ""}, "node.listen": {"--listen", len(o.Listen) > 0},
		"node.announce": {"--announce", len(o.Announce) > 0}, "status.listen": {"--status-listen", o.Status != ""},
		"directory.first_nodes": {"--first-nodes", o.FirstNodes != 0},
	} {
		if flag.given {
			origins[key] = flag.name
		}
	}
	set := []string{"node.name", "node.roles", "node.listen"}
	if len(o.Listen) == 0 {
		port, err := node.FreePort(defaultPort)
		if err != nil {
			return err
		}
		s.cfg.Node.Listen = node.ListenOn(port)
	}
	if len(o.Announce) > 0 {
		set = append(set, "node.announce")
	}
	if s.cfg.Status.Listen, err = node.StatusAddress(o.Status, statusPort); err != nil {
		return err
	}
	if s.cfg.Status != Defaults().Status { // another observer runs on this machine
		set = append(set, "status.listen")
	}
	if o.Rules != nil {
		s.cfg.Rules, set = *o.Rules, append(set, "rules.threshold", "rules.epochs", "rules.lasts")
	}
	if o.FirstNodes != 0 {
		s.cfg.Directory.FirstNodes, set = o.FirstNodes, append(set, "directory.first_nodes")
	}
	if err := config.Check(s.cfg, origins); err != nil {
		return app.Configured(err)
	}
	return app.ReplaceConfig(s.data.Dir, s.cfg, set...)
}

// addresses are where others find the node.
func (s *setup) addresses(local, founds bool) ([]string, error) {
	return node.Addresses(s.cfg.Node.Listen, s.cfg.Node.Announce, local, founds, "observer world create PHRASE --local")
}

// enter puts the world file into the directory. One of another world is not
// replaced.
func (s *setup) enter(w *world.World) error {
	old, err := world.Load(s.data.Path(app.WorldFile))
	switch {
	case err == nil && old.ID != w.ID:
		return app.Usage(fmt.Errorf("%s belongs to world %q (%s) already; choose another directory with --data", s.data.Dir, old.Phrase, old.ID.Short()))
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return app.Usage(fmt.Errorf("%w; delete the file to enter again", err))
	}
	if err := app.Configured(s.cfg.fits(w)); err != nil {
		return err
	}
	if err := world.WriteFile(s.data.Path(app.WorldFile), w); err != nil {
		return err
	}
	keys, err := directory.OpenKeyring(s.data.Path(node.OnionFile), w)
	if err != nil {
		return app.Usage(err)
	}
	return keys.Rotate(time.Now())
}

// InitResult is what Init made.
type InitResult struct {
	Key   [32]byte
	World *world.World // nil: none yet
	Addrs []string     // where others find this node; none without a world
}

// Init makes keys and config.toml, and enters a world if file names one. It asks
// nobody to be admitted: Join does.
func Init(o PlaceOptions, file string) (*InitResult, error) {
	var w *world.World
	if file != "" {
		var err error
		if w, err = node.LoadWorld(file); err != nil {
			return nil, err
		}
	}
	s, err := o.begin()
	if err != nil {
		return nil, err
	}
	defer s.data.Close()
	r := &InitResult{Key: s.public(), World: w}
	if w == nil {
		return r, nil
	}
	if r.Addrs, err = s.addresses(w.Local, false); err != nil {
		return nil, err
	}
	if !node.IsSeed(w, r.Key) {
		if err := node.CheckSeeds(w); err != nil {
			return nil, err
		}
	}
	return r, s.enter(w)
}

// seeds are the addresses at which newcomers find the node.
func (s *setup) seeds(addrs []string) []string {
	var out []string
	for _, addr := range node.SeedAddrs(len(s.cfg.Node.Announce) > 0, addrs) {
		out = append(out, node.SeedAddr(addr, s.public()))
	}
	return slices.Compact(out)
}

// worldPath is where a data directory has its world file.
func worldPath(dir string) string { return filepath.Join(dir, app.WorldFile) }
