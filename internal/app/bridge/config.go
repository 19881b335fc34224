package bridge

import (
	"errors"
	"fmt"
	"time"

	"github.com/culvert-net/culvert/api"
	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/node"
	"github.com/culvert-net/culvert/internal/app/onchain"
	"github.com/culvert-net/culvert/internal/config"
	"github.com/culvert-net/culvert/internal/serve"
)

// program is this program's name in paths, variables and logs.
const program = "bridge"

// Config is config.toml.
type Config struct {
	API    APIConfig        `toml:"api" doc:"The address your apps talk to."`
	Status app.StatusConfig `toml:"status" doc:"What the bridge is doing: /livez, /readyz and /status."`
	Local  LocalConfig      `toml:"local" doc:"Local mode: no world and no circuits. Requests go straight to a server of your own,\nwhich sees that they are yours. Not for a data directory that has a world.toml."`
	Chain  onchain.Config   `toml:"chain" doc:"The chain that providers are paid on. Without it, only those that are free are used."`
	Pay    PayConfig        `toml:"pay" doc:"How providers are paid that ask for it. What is bought: bridge buy."`
	Log    app.LogConfig    `toml:"log" doc:"Logs go to stderr and never hold a prompt, an answer or a key."`
	Debug  app.DebugConfig  `toml:"debug" doc:"For developers."`
}

// APIConfig is [api].
type APIConfig struct {
	Listen    []string      `toml:"listen" flag:"listen" doc:"Addresses of the API; repeat the flag for more than one. One that other machines reach\nneeds an API key (bridge keys add), and TLS in front of it."`
	Hosts     []string      `toml:"hosts" doc:"Host names, besides localhost, under which clients may address the API."`
	Heartbeat time.Duration `toml:"heartbeat" doc:"Silence after which a running stream gets a comment line, at least 10s."`
	Isolation string        `toml:"isolation" flag:"isolation" doc:"What a provider may link, by seeing it on one circuit: \"conversation\", one conversation\n(system prompt and first question); or \"key\", all requests of one API key, which is faster\nwhere every request is a conversation of its own."`
	Requests  int           `toml:"requests" doc:"How many requests may be in progress at once; the next one is told to try again."`
	BodiesMiB int           `toml:"bodies_mib" doc:"Memory for all request bodies together, in MiB. A single one may have 32."`
	Keyless   string        `toml:"keyless_money_per_day" doc:"What programs without an API key may spend in a day of UTC, all together, as \"0.01 eth\", or in wei; \"0\"\nis no limit. What is free is not bounded. With keys, each has limits of its own (bridge keys add)."`
}

// LocalConfig is [local].
type LocalConfig struct {
	Upstream string        `toml:"upstream" flag:"upstream" doc:"Serve this OpenAI-compatible server in local mode: no world, no circuit."`
	Key      config.Secret `toml:"key" doc:"API key for that server. Only here or in CULVERT_BRIDGE_LOCAL_KEY."`
}

// Default addresses.
const (
	listen4      = "127.0.0.1:8811"
	listen6      = "[::1]:8811"
	statusListen = "127.0.0.1:8812"
)

// keylessPerDay is what programs without a key may spend in a day unless it is
// configured: a hundredth of a chain's coin, so that one that runs wild overnight
// costs no more.
const keylessPerDay = "10000000000000000"

// Defaults is the configuration of a bridge that was told nothing.
func Defaults() *Config {
	return &Config{
		API: APIConfig{
			Listen: []string{listen4, listen6}, Hosts: []string{},
			Heartbeat: api.DefaultHeartbeat, Isolation: string(api.ByConversation), Requests: api.DefaultRequests, BodiesMiB: api.DefaultBudget >> 20,
			Keyless: keylessPerDay,
		},
		Status: app.StatusConfig{Listen: statusListen},
		Chain:  onchain.Defaults(),
		Pay:    payDefaults(),
		Log:    app.DefaultLog(),
	}
}

// Validate implements the check of config.Load.
func (c *LocalConfig) Validate() error {
	if c.Upstream == "" {
		return nil
	}
	return config.At("upstream", node.CheckURL(c.Upstream))
}

// Validate implements the check of config.Load.
func (c *Config) Validate() error {
	if len(c.API.Listen) == 0 {
		return config.At("api.listen", errors.New("the list is empty; an address is needed, for example 127.0.0.1:8811"))
	}
	for _, addr := range c.API.Listen {
		// One that others reach is refused later, unless there are keys.
		if err := serve.CheckAddr("", addr); err != nil && !errors.Is(err, serve.ErrPublic) {
			return config.At("api.listen", err)
		}
	}
	if c.API.Heartbeat < api.MinHeartbeat {
		return config.At("api.heartbeat", fmt.Errorf("%v is too short; common clients give up unless it is at least %v", c.API.Heartbeat, api.MinHeartbeat))
	}
	switch api.Isolation(c.API.Isolation) {
	case api.ByConversation, api.ByKey:
	default:
		return config.At("api.isolation", fmt.Errorf("%q is neither %q nor %q", c.API.Isolation, api.ByConversation, api.ByKey))
	}
	if c.API.Requests < 1 {
		return config.At("api.requests", fmt.Errorf("%d is too little; one request has to be taken", c.API.Requests))
	}
	if least := 32; c.API.BodiesMiB < least {
		return config.At("api.bodies_mib", fmt.Errorf("%d is too little; the largest request alone takes %d", c.API.BodiesMiB, least))
	}
	if _, err := parseMoneyLimit(c.API.Keyless); err != nil {
		return config.At("api.keyless_money_per_day", fmt.Errorf("%q: %w", c.API.Keyless, err))
	}
	return nil
}
