package onchain

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/config"
	"github.com/culvert-net/culvert/ledger"
	"github.com/culvert-net/culvert/ledger/network"
)

// Ways to the chain.
const (
	ViaOwn      = "own"      // a node of one's own, on this machine or in one's network
	ViaCircuit  = "circuit"  // a provider that passes questions on, over a circuit
	ViaClearnet = "clearnet" // somebody else's server, who sees who asks
)

// Config is [chain].
type Config struct {
	Preset         string `toml:"preset" flag:"chain" doc:"The chain: \"filecoin\", \"calibration\" (Filecoin's test network), \"dev\" (a chain on this\nmachine), or empty for that of the world, or any other by its chain_id."`
	URL            string `toml:"url" flag:"chain-url" show:"host" doc:"JSON-RPC address of a node of that chain. Empty: nothing is paid, only free providers are\nused (with preset \"dev\": http://127.0.0.1:8545). An address with a key in it belongs here\nor into the environment, not onto the command line."`
	Via            string `toml:"via" flag:"chain-via" doc:"How the chain is read: \"own\", a node on this machine or in your network; \"circuit\", over\na circuit to a provider that passes questions on (bridge only, without url); or\n\"clearnet\", somebody else's server, who sees from which address you pay, and when."`
	AcceptClearnet bool   `toml:"accept_clearnet" flag:"chain-accept-clearnet" doc:"Yes, the owner of that server may see it."`
	ChainID        int    `toml:"chain_id" flag:"chain-id" doc:"The chain's number; 0: that of the preset, or of the world."`
	Contract       string `toml:"contract" flag:"chain-contract" doc:"Address of the market's contract; empty: the one of the world."`
	CodeHash       string `toml:"code_hash" flag:"chain-code-hash" doc:"Keccak-256 of the contract's runtime code; empty: the one of the world."`
	DeployBlock    int    `toml:"deploy_block" flag:"chain-deploy-block" doc:"Block that the contract was made in: its log is read from there."`
	Confirmations  int    `toml:"confirmations" flag:"chain-confirmations" doc:"Blocks that must follow one before it is believed; -1: as the preset has it, else 12."`
}

// Defaults is the section of a program that was told nothing.
func Defaults() Config { return Config{Via: ViaOwn, Confirmations: -1} }

// presetNamed is the network of a name; none for "".
func presetNamed(name string) (network.Network, error) {
	if name == "" {
		return network.Network{}, nil
	}
	n, err := network.Named(name)
	if err != nil {
		err = fmt.Errorf("%w; or leave it empty and set chain_id", err)
	}
	return n, err
}

// devURL is where a chain on this machine listens if nobody says otherwise.
const devURL = "http://127.0.0.1:8545"

// Validate implements the check of config.Load.
func (c *Config) Validate() error {
	p, err := presetNamed(c.Preset)
	if err != nil {
		return config.At("preset", err)
	}
	if err := c.checkURL(); err != nil {
		return err
	}
	if c.Contract != "" {
		if a, err := ledger.ParseAddress(c.Contract); err != nil {
			return config.At("contract", err)
		} else if a.IsZero() {
			return config.At("contract", errors.New("the zero address is no contract"))
		}
	}
	if c.CodeHash != "" {
		if h, err := ledger.ParseHash(c.CodeHash); err != nil {
			return config.At("code_hash", err)
		} else if h.IsZero() {
			return config.At("code_hash", errors.New("a hash of zeros is none"))
		}
	}
	switch {
	case c.ChainID < 0:
		return config.At("chain_id", fmt.Errorf("%d is no chain's number", c.ChainID))
	case c.ChainID != 0 && p.ChainID != 0 && uint64(c.ChainID) != p.ChainID:
		return config.At("chain_id", fmt.Errorf("it is %d, and preset %q is chain %d; remove one of the two", c.ChainID, c.Preset, p.ChainID))
	case c.DeployBlock < 0:
		return config.At("deploy_block", fmt.Errorf("%d is no block's number", c.DeployBlock))
	case c.Confirmations < -1 || c.Confirmations > maxConfirmations:
		return config.At("confirmations", fmt.Errorf("%d is not between 0 and %d (or -1, as the preset has it)", c.Confirmations, maxConfirmations))
	}
	return nil
}

// checkURL refuses a server that the user did not accept to be seen by.
func (c *Config) checkURL() error {
	switch c.Via {
	case ViaOwn, ViaClearnet:
	case ViaCircuit:
		if c.URL != "" {
			return config.At("url", errors.New("chain.via is \"circuit\": a provider of the world is asked, and no address; remove url, or set via"))
		}
	default:
		return config.At("via", fmt.Errorf("%q is not known; use own, circuit or clearnet", c.Via))
	}
	if c.URL == "" {
		return nil
	}
	u, err := url.Parse(c.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return config.At("url", errors.New("it is no address such as http://127.0.0.1:8545 or https://host/path")) // err repeats it, and it may hold a key
	}
	if private(u.Hostname()) {
		return nil
	}
	switch {
	case u.Scheme != "https":
		return config.At("url", app.Refused(fmt.Errorf("%s is beyond this network, and without https everybody on the way reads and changes what it says; use https", u.Host)))
	case c.Via != ViaClearnet:
		return config.At("url", app.Refused(fmt.Errorf("%s is neither on this machine nor in a private network: its owner sees from which address you pay, and when. Use a node of your own, or via = \"circuit\"; or else set via = \"clearnet\" and accept_clearnet = true", u.Host)))
	case !c.AcceptClearnet:
		return config.At("url", app.Refused(fmt.Errorf("the owner of %s sees from which address you pay, and when. If that is fine, set accept_clearnet = true", u.Host)))
	}
	return nil
}

// private reports whether a host is on this machine or in a private network, as far
// as its name says. A name that strangers' name servers could answer for is not.
func private(host string) bool {
	if a, err := netip.ParseAddr(host); err == nil {
		a = a.Unmap()
		return a.IsLoopback() || a.IsPrivate() || a.IsLinkLocalUnicast() || sharedNetwork().Contains(a)
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if host == "" || strings.Trim(host, "0123456789") == "" {
		return false // a number is an address too, in an old form
	}
	if !strings.Contains(host, ".") {
		return true // of this machine or its network, such as localhost, or a container's
	}
	for _, suffix := range []string{".localhost", ".local", ".internal", ".home.arpa", ".lan"} {
		if strings.HasSuffix(host, suffix) {
			return true
		}
	}
	return false
}

// sharedNetwork is 100.64.0.0/10, which private networks over others' use.
func sharedNetwork() netip.Prefix {
	return netip.PrefixFrom(netip.AddrFrom4([4]byte{100, 64}), 10)
}

const (
	// defaultConfirmations are for a chain that nothing is known of.
	defaultConfirmations = 12

	// maxConfirmations is beyond the finality of any chain with a preset: 900 blocks
	// on Filecoin.
	maxConfirmations = 10_000
)
