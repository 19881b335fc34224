package devchain

import (
	"fmt"
	"time"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/config"
)

// program is this program's name in paths, variables and logs.
const program = "devchain"

// defaultPort is where tools look for a chain of this machine.
const defaultPort = 8545

// Config is config.toml.
type Config struct {
	Chain ChainConfig     `toml:"chain" doc:"The chain, which is for trying and testing: everybody knows the keys of its accounts."`
	Log   app.LogConfig   `toml:"log" doc:"Logs go to stderr."`
	Debug app.DebugConfig `toml:"debug" doc:"For developers."`
}

// ChainConfig is [chain].
type ChainConfig struct {
	Port   int           `toml:"port" flag:"port" doc:"Port of 127.0.0.1 that answers JSON-RPC; 0 is a free one."`
	Period time.Duration `toml:"period" flag:"period" doc:"Make a block regularly too, not only of transactions; 0 makes none. Whoever waits for confirmations needs them."`
}

// Defaults is the configuration of a chain that was told nothing.
func Defaults() *Config {
	return &Config{Chain: ChainConfig{Port: defaultPort}, Log: app.DefaultLog()}
}

// Validate implements the check of config.Load.
func (c *ChainConfig) Validate() error {
	if c.Port < 0 || c.Port > 65535 {
		return config.At("port", fmt.Errorf("%d: a port is a number from 0 to 65535", c.Port))
	}
	if c.Period != 0 && c.Period < shortestPeriod {
		return config.At("period", fmt.Errorf("%v: blocks have whole seconds; use %v or more, or 0", c.Period, shortestPeriod))
	}
	return nil
}
