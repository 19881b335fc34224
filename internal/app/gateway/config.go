package gateway

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/culvert-net/culvert/api"
	"github.com/culvert-net/culvert/api/tunnel"
	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/node"
	"github.com/culvert-net/culvert/internal/app/onchain"
	"github.com/culvert-net/culvert/internal/app/selling"
	"github.com/culvert-net/culvert/internal/config"
	"github.com/culvert-net/culvert/mesh/world"
)

// program is this program's name in paths, variables and logs.
const program = "gateway"

// Roles of a gateway.
const (
	RoleRelay    = "relay"
	RoleProvider = "provider"
)

// Backends of a provider.
const (
	BackendOpenAI = "openai" // any server that speaks OpenAI's API
	BackendMock   = "mock"   // the demo model; in sandboxes only
)

// Config is config.toml.
type Config struct {
	Node     NodeConfig             `toml:"node" doc:"This machine's place in its world."`
	Provider ProviderConfig         `toml:"provider" doc:"The model server behind a provider. What a provider receives, it can read."`
	Chain    onchain.ProviderConfig `toml:"chain" doc:"The chain that this provider is paid on. Without it, it is free."`
	Price    PriceConfig            `toml:"price" doc:"What a provider asks for, in a world with a contract."`
	Ledger   LedgerConfig           `toml:"ledger" doc:"What is kept of payments, and what is lent to those who pay."`
	Status   app.StatusConfig       `toml:"status" doc:"What the gateway is doing: /livez, /readyz and /status."`
	Log      app.LogConfig          `toml:"log" doc:"Logs go to stderr and never hold a prompt, an answer, a key or a peer's address."`
	Debug    app.DebugConfig        `toml:"debug" doc:"For developers."`
}

// NodeConfig is [node].
type NodeConfig struct {
	Name     string   `toml:"name" doc:"What others see in lists, a-z, 0-9 and hyphens; not unique, may be empty."`
	Roles    []string `toml:"roles" doc:"relay: pass other people's circuits on. provider: answer requests. Or both."`
	Listen   []string `toml:"listen" doc:"Where other nodes connect to, as multiaddrs. Keep it: your descriptor names it."`
	Announce []string `toml:"announce" doc:"Addresses to publish instead, where a router forwards a public one to listen."`
}

// ProviderConfig is [provider].
type ProviderConfig struct {
	Backend   string        `toml:"backend" doc:"openai: a server that speaks OpenAI's API (Ollama, llama.cpp, vLLM, hosted ones).\nmock: the demo model, in sandboxes only."`
	URL       string        `toml:"url" doc:"Base URL of that server, with or without /v1."`
	Key       config.Secret `toml:"key" doc:"API key for that server, if it wants one. Only here or in CULVERT_GATEWAY_PROVIDER_KEY."`
	Requests  int           `toml:"requests" doc:"Requests the server works on at once; more are told to come back."`
	BodiesMiB int           `toml:"bodies_mib" doc:"Memory for all requests and whole answers together, in MiB."`
}

// Default addresses.
const (
	defaultPort  = 4811
	statusPort   = 8813
	statusListen = "127.0.0.1:8813"
)

// Defaults is the configuration of a gateway that was told nothing.
func Defaults() *Config {
	return &Config{
		Node: NodeConfig{
			Roles: []string{RoleRelay}, Listen: node.ListenOn(defaultPort),
			Announce: []string{},
		},
		Provider: ProviderConfig{
			Backend: BackendOpenAI, Requests: tunnel.MaxRequests, BodiesMiB: api.DefaultBudget >> 20,
		},
		Chain:  onchain.ProviderDefaults(),
		Price:  PriceConfig{File: selling.ListFile},
		Ledger: LedgerConfig{Allowance: "0.001 eth", NewAllowance: "0.002 eth"},
		Status: app.StatusConfig{Listen: statusListen},
		Log:    app.DefaultLog(),
	}
}

// Is reports whether the gateway has a role.
func (c *Config) Is(role string) bool { return slices.Contains(c.Node.Roles, role) }

// Validate implements the check of config.Load.
func (c *Config) Validate() error {
	if err := checkRoles(c.Node.Roles); err != nil {
		return config.At("node.roles", err)
	}
	if err := node.CheckName(c.Node.Name); err != nil {
		return config.At("node.name", err)
	}
	if err := node.CheckPlace(c.Node.Listen, c.Node.Announce); err != nil {
		return err
	}
	if c.Price.File == "" {
		return config.At("price.file", errors.New("the name is empty; a file that is not there makes everything free"))
	}
	if _, _, err := c.Ledger.allowances(); err != nil {
		return err
	}
	return c.Provider.check(c.Is(RoleProvider))
}

// fits says what of the configuration a world does not allow.
func (c *Config) fits(w *world.World) error {
	if err := node.CheckAnnounce(c.Node.Announce, w); err != nil {
		return err
	}
	if c.Is(RoleProvider) && c.Provider.Backend == BackendMock && !w.Sandbox {
		return config.At("provider.backend", app.Refused(errors.New("the demo model gives canned answers and is for sandboxes only; this world is none. Set backend = \"openai\" and url to a model server")))
	}
	_, err := onchain.Join(c.Chain.Config, w)
	return err
}

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

// fitsIn is fits for the configuration in a data directory.
func fitsIn(dir string, w *world.World) error {
	cfg := Defaults()
	if _, err := app.Load(cfg, program, dir, nil); err != nil {
		return err
	}
	if err := app.Configured(cfg.fits(w)); err != nil {
		return err
	}
	return node.CheckEntry(dir, w)
}

func (p *ProviderConfig) check(needed bool) error {
	switch {
	case p.Backend != BackendOpenAI && p.Backend != BackendMock:
		return config.At("provider.backend", fmt.Errorf("%q is not known; use openai or mock", p.Backend))
	case needed && p.Backend == BackendOpenAI && p.URL == "":
		return config.At("provider.url", errors.New("a provider (node.roles) needs the base URL of its model server, for example http://127.0.0.1:11434"))
	case p.Requests < 1:
		return config.At("provider.requests", fmt.Errorf("%d; at least one is needed", p.Requests))
	case p.BodiesMiB < 64:
		return config.At("provider.bodies_mib", fmt.Errorf("%d is too little; the largest request and answer alone take 64", p.BodiesMiB))
	case p.URL != "":
		return config.At("provider.url", node.CheckURL(p.URL))
	}
	return nil
}

func checkRoles(roles []string) error {
	if len(roles) == 0 {
		return errors.New("the list is empty; use relay, provider or both")
	}
	for i, r := range roles {
		switch {
		case r != RoleRelay && r != RoleProvider:
			return fmt.Errorf("%q is not known; use relay, provider or both", r)
		case slices.Contains(roles[:i], r):
			return fmt.Errorf("%q is listed twice", r)
		}
	}
	return nil
}
