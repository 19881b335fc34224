package directory

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"slices"

	"github.com/culvert-net/culvert/mesh/world"
)

// Build makes and signs the descriptors of n: one per model, or one that says
// "relay" if there is none. A node with models cannot say End. n.Key, n.Epoch and n.Seq are not looked at: the key
// is priv's, epoch and seq are the arguments. It refuses what every Verify would
// refuse for a reason that does not depend on world or clock.
//
// Under one key, epoch and seq only one content may ever be signed; package
// publish sees to that.
func Build(priv ed25519.PrivateKey, id world.Hash, epoch, seq uint64, n Node) ([]world.Descriptor, error) {
	key := [ed25519.PublicKeySize]byte(priv.Public().(ed25519.PublicKey))
	addrs, err := ownAddrs(n.Addrs, key)
	if err != nil {
		return nil, err
	}
	if n.Name != "" && !validLabel(n.Name) {
		return nil, fmt.Errorf("name %q: use a to z, digits and hyphens, at most %d of them", n.Name, maxName)
	}
	if n.End && len(n.Models) > 0 {
		return nil, errors.New("a node that serves models is no mere end of circuits")
	}
	models := n.Models
	if len(models) == 0 {
		relay := Model{Runtime: runtimeRelay}
		if n.End {
			relay.Caps = []string{capEnd}
		}
		models = []Model{relay}
	}
	if len(models) > maxModels {
		return nil, fmt.Errorf("%d models, at most %d fit under one key", len(models), maxModels)
	}
	seen := make(map[string]bool, len(models))
	out := make([]world.Descriptor, 0, len(models))
	for _, m := range models {
		if seen[m.ID] {
			return nil, fmt.Errorf("model %q is listed twice", m.ID)
		}
		seen[m.ID] = true
		caps := m.Caps
		if n.ChainRPC {
			caps = append(slices.Clone(caps), capChainRPC)
		}
		c := contact{addrs: addrs, onion: n.Onion, name: n.Name, caps: caps, prices: n.Prices, pay: n.Pay, seq: seq}
		d := world.SignDescriptor(priv, world.DescriptorUnsigned{
			World: id, Epoch: epoch,
			ContactPoints: c.lines(),
			Capability:    world.Capability{Manifest: m.manifest()},
		})
		if _, err := inspect(&d); err != nil {
			return nil, fmt.Errorf("describing model %q: %w", m.ID, err)
		}
		out = append(out, d)
	}
	return out, nil
}

// ownAddrs takes a node's addresses, with or without its peer id.
func ownAddrs(addrs []string, key [32]byte) ([]string, error) {
	out := make([]string, 0, len(addrs))
	for _, s := range addrs {
		a, err := world.ParseAddr(s)
		if err == nil && a.HasKey && a.Key != key {
			err = errors.New("it names another key")
		}
		if err != nil {
			return nil, fmt.Errorf("address %q: %w", s, err)
		}
		out = append(out, a.Transport)
	}
	return out, nil
}
