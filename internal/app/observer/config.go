package observer

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/node"
	"github.com/culvert-net/culvert/internal/config"
	"github.com/culvert-net/culvert/mesh/rules"
	"github.com/culvert-net/culvert/mesh/world"
)

// program is this program's name in paths, variables and logs.
const program = "observer"

// Roles of an observer.
const (
	RoleMemory = "memory"
	RoleProber = "prober" // to come
)

// Config is config.toml.
type Config struct {
	Node      NodeConfig       `toml:"node" doc:"This machine's place in its world."`
	Directory DirectoryConfig  `toml:"directory" doc:"What this machine does as a directory signer, if it is one."`
	Rules     RulesConfig      `toml:"rules" doc:"When other rules, which members endorse, count as wanted (observer world endorse). Nothing happens by itself then: you are told."`
	Status    app.StatusConfig `toml:"status" doc:"What the observer is doing: /livez, /readyz and /status."`
	Log       app.LogConfig    `toml:"log" doc:"Logs go to stderr and never hold a key, a handle or a peer's address."`
	Debug     app.DebugConfig  `toml:"debug" doc:"For developers."`
}

// NodeConfig is [node].
type NodeConfig struct {
	Name     string   `toml:"name" doc:"What others see in lists, a-z, 0-9 and hyphens; not unique, may be empty."`
	Roles    []string `toml:"roles" doc:"memory: keep the event log and serve it to other members. prober comes in a later version."`
	Listen   []string `toml:"listen" doc:"Where other nodes connect to, as multiaddrs. Keep it: your descriptor names it."`
	Announce []string `toml:"announce" doc:"Addresses to publish instead, where a router forwards a public one to listen."`
}

// DirectoryConfig is [directory].
type DirectoryConfig struct {
	FirstNodes int `toml:"first_nodes" doc:"How many nodes, this one included, a new world's first root waits for. Who comes later stands in the next one."`
}

// maxFirstNodes bounds first_nodes: worlds of more begin with less.
const maxFirstNodes = 10_000

// RulesConfig is [rules].
type RulesConfig struct {
	Threshold float64 `toml:"threshold" doc:"Share of the world's operators that want them: more than 0.5, up to 1."`
	Epochs    int     `toml:"epochs" doc:"For how many epochs in a row."`
	Lasts     int     `toml:"lasts" doc:"For how many epochs a member's word counts if it is not said again."`
}

// policy is c for those who count.
func (c *RulesConfig) policy() rules.Policy {
	return rules.Policy{Threshold: c.Threshold, Epochs: uint64(max(0, c.Epochs)), Lasts: uint64(max(0, c.Lasts))}
}

// Validate implements the check of config.Load. The policy's own words begin with
// the key.
func (c *RulesConfig) Validate() error {
	fine := rules.DefaultPolicy()
	for _, x := range []struct {
		key    string
		policy rules.Policy
	}{
		{"threshold", rules.Policy{Threshold: c.Threshold, Epochs: fine.Epochs, Lasts: fine.Lasts}},
		{"epochs", rules.Policy{Threshold: fine.Threshold, Epochs: c.policy().Epochs, Lasts: fine.Lasts}},
		{"lasts", rules.Policy{Threshold: fine.Threshold, Epochs: fine.Epochs, Lasts: c.policy().Lasts}},
	} {
		if err := x.policy.Check(); err != nil {
			return config.At(x.key, errors.New(strings.TrimPrefix(err.Error(), x.key+" ")))
		}
	}
	return nil
}

// Default addresses.
const (
	defaultPort  = 4811
	statusPort   = 8814
	statusListen = "127.0.0.1:8814"
)

// Defaults is the configuration of an observer that was told nothing.
func Defaults() *Config {
	wanted := rules.DefaultPolicy()
	return &Config{
		Node:      NodeConfig{Roles: []string{RoleMemory}, Listen: node.ListenOn(defaultPort), Announce: []string{}},
		Directory: DirectoryConfig{FirstNodes: 1},
		Rules:     RulesConfig{Threshold: wanted.Threshold, Epochs: int(wanted.Epochs), Lasts: int(wanted.Lasts)},
		Status:    app.StatusConfig{Listen: statusListen},
		Log:       app.DefaultLog(),
	}
}

// Validate implements the check of config.Load.
func (c *Config) Validate() error {
	if err := checkRoles(c.Node.Roles); err != nil {
		return config.At("node.roles", err)
	}
	if err := node.CheckName(c.Node.Name); err != nil {
		return config.At("node.name", err)
	}
	if n := c.Directory.FirstNodes; n < 1 || n > maxFirstNodes {
		return config.At("directory.first_nodes", fmt.Errorf("%d: 1 to %d", n, maxFirstNodes))
	}
	return node.CheckPlace(c.Node.Listen, c.Node.Announce)
}

func checkRoles(roles []string) error {
	if len(roles) == 0 {
		return errors.New("the list is empty; use memory")
	}
	for i, r := range roles {
		switch {
		case r == RoleProber:
			return errors.New("prober comes in a later version; use memory")
		case r != RoleMemory:
			return fmt.Errorf("%q is not known; use memory", r)
		case slices.Contains(roles[:i], r):
			return fmt.Errorf("%q is listed twice", r)
		}
	}
	return nil
}

// fits says what of the configuration a world does not allow.
func (c *Config) fits(w *world.World) error { return node.CheckAnnounce(c.Node.Announce, w) }

// fitsData is fits for the world of a data directory. One that is not set up
// yet has none to fit.
func (c *Config) fitsData(dir string) error {
	w, err := node.LoadWorld(filepath.Join(dir, app.WorldFile))
	if errors.Is(err, node.ErrNoWorld) {
		return nil
	}
	if err != nil {
		return err
	}
	return c.fits(w)
}
