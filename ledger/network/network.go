// Package network names the chains that are known by a name, and what is fixed about
// each: one table for who configures a program and for who writes a world's charter.
//
// Named and Of look one up. It knows nothing of how a chain is asked or what is on it
// (ledger/chain), so that programs without money can use it too. Its functions may be
// called concurrently.
//
// Implements: docs/spec/chain.md §7.
package network

import (
	"fmt"
	"strings"
)

// Network is a chain that has a name.
type Network struct {
	Name    string
	ChainID uint64

	// Confirmations is how many blocks follow one that is believed.
	Confirmations uint64

	// Dev says that this is a chain of one machine: its keys are published.
	Dev bool
}

// The names.
const (
	Filecoin    = "filecoin"
	Calibration = "calibration" // Filecoin's test network
	Dev         = "dev"         // a chain on this machine
)

// DevChainID is that of Dev, and of most development chains.
const DevChainID = 31337

// All are those that have a name.
func All() []Network {
	return []Network{
		// Lotus calls a block safe when 30 follow it (FRC-0089).
		{Name: Filecoin, ChainID: 314, Confirmations: 30},
		{Name: Calibration, ChainID: 314159, Confirmations: 30},
		// It has one miner, and mines when there is something.
		{Name: Dev, ChainID: DevChainID, Dev: true},
	}
}

// Names are those of All, for people.
func Names() string {
	var names []string
	for _, n := range All() {
		names = append(names, n.Name)
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}

// Named is the network of a name.
func Named(name string) (Network, error) {
	for _, n := range All() {
		if n.Name == name {
			return n, nil
		}
	}
	return Network{}, fmt.Errorf("network %q: there are presets for %s", name, Names())
}

// Of is the network of a chain's number; false: it has no name here. A chain of one
// machine is known by its name alone: many have its number, and each is another.
func Of(chainID uint64) (Network, bool) {
	for _, n := range All() {
		if n.ChainID == chainID && !n.Dev {
			return n, true
		}
	}
	return Network{}, false
}
