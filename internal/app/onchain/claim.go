package onchain

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/culvert-net/culvert/internal/config"
	"github.com/culvert-net/culvert/ledger"
)

// ProviderConfig is [chain] of a gateway.
type ProviderConfig struct {
	Config
	Serve   bool   `toml:"serve" flag:"chain-serve" doc:"Pass questions of bridges about this chain on to the node at url, over circuits, and say so in\nthe directory while it answers: so they need no node of their own, and show nobody where they\nare. Only for a node of your own."`
	ClaimAt string `toml:"claim_at" flag:"chain-claim-at" doc:"What a channel owes when it is claimed: \"20 gas\", twenty times what claiming costs;\n\"0.05 eth\"; or \"3000000 tokens\", at the channel's price."`
}

// ProviderDefaults is the section of a gateway that was told nothing.
func ProviderDefaults() ProviderConfig {
	return ProviderConfig{Config: Defaults(), ClaimAt: "20 gas"}
}

// Validate implements the check of config.Load.
func (c *ProviderConfig) Validate() error {
	if err := c.Config.Validate(); err != nil {
		return err
	}
	if c.Via == ViaCircuit {
		return config.At("via", fmt.Errorf("a gateway builds no circuits; use %s or %s", ViaOwn, ViaClearnet))
	}
	if c.Serve && (c.Via != ViaOwn || c.URL == "" && c.Preset != "dev") {
		return config.At("serve", fmt.Errorf("questions of others are passed on to a node of your own; set url to it, and via = %q", ViaOwn))
	}
	_, err := ParseClaimAt(c.ClaimAt)
	return config.At("claim_at", err)
}

// ClaimAt is how much has to be owed before it is claimed. One of the three is not
// zero.
type ClaimAt struct {
	Gas    uint64        // times what claiming costs
	Money  ledger.Amount // an amount
	Tokens uint64        // standard output tokens at the channel's price
}

// maxGasTimes is a bound of no meaning but that products stay small.
const maxGasTimes = 1_000_000

// ParseClaimAt reads "20 gas", "3000000 tokens" or an amount with its unit.
func ParseClaimAt(text string) (c ClaimAt, err error) {
	number, unit, _ := strings.Cut(strings.TrimSpace(text), " ")
	switch unit = strings.TrimSpace(unit); unit {
	case "":
		return c, fmt.Errorf("%q has no unit; write it as 20 gas, 0.05 eth or 3000000 tokens", text)
	case "gas":
		if c.Gas, err = strconv.ParseUint(number, 10, 64); err != nil || c.Gas == 0 || c.Gas > maxGasTimes {
			return ClaimAt{}, fmt.Errorf("%q: before gas stands a whole number from 1 to %d", text, maxGasTimes)
		}
	case "tokens":
		if c.Tokens, err = strconv.ParseUint(number, 10, 64); err != nil || c.Tokens == 0 {
			return ClaimAt{}, fmt.Errorf("%q: before tokens stands a whole number from 1 on", text)
		}
	default:
		if c.Money, err = ledger.ParseAmount(text); err != nil {
			return ClaimAt{}, fmt.Errorf("%w (or write 20 gas, or 3000000 tokens)", err)
		}
		if c.Money.IsZero() {
			return ClaimAt{}, fmt.Errorf("%q: an amount of nothing would claim after every round", text)
		}
	}
	return c, nil
}
