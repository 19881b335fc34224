package directory

import (
	"crypto/ed25519"
	"time"

	"github.com/culvert-net/culvert/mesh/world"
	"lukechampine.com/blake3"
)

// Node is what a node says of itself, put together from its descriptors.
type Node struct {
	Key   [ed25519.PublicKeySize]byte // transport key
	Name  string                      // self-declared, not unique, may be empty
	Addrs []string                    // multiaddrs without /p2p, sorted
	Onion []OnionKey                  // newest first, one or two

	Models []Model // sorted by ID; none for a pure relay

	// Prices name the price sheets by which the node is to be paid, and Pay says
	// where, both sorted; see SheetHash. What a sheet says is not looked at here.
	Prices []world.Hash
	Pay    []Pay

	// End says of a node without models that circuits may end at it, as at a
	// member's which others reach over them, and that none goes on from it.
	End bool

	// ChainRPC says that the node passes questions about the world's chain on to one
	// of its own, over circuits. Its models' Caps do not say it again.
	ChainRPC bool

	Epoch uint64 // of the descriptors
	Seq   uint64
}

// IsRelay reports whether n only relays: it serves no model itself, and circuits
// go on from it.
func (n *Node) IsRelay() bool { return len(n.Models) == 0 && !n.End }

// Priced reports whether n asks to be paid: it names a price sheet.
func (n *Node) Priced() bool { return len(n.Prices) > 0 }

const (
	capEnd      = "end"     // of a node that says End
	capChainRPC = "evm-rpc" // of a node that says ChainRPC, in each of its descriptors
)

// OnionKey is a key that circuits are built with.
type OnionKey struct {
	Public   [32]byte // X25519
	NotAfter time.Time
}

// ID is how a handshake names the key.
func (k OnionKey) ID() [8]byte { return onionKeyID(k.Public) }

func onionKeyID(public [32]byte) [8]byte {
	sum := blake3.Sum256(append([]byte("culvert-onionkey"), public[:]...))
	return [8]byte(sum[:])
}

// Model is one model a node serves.
type Model struct {
	ID      string   // as a request names it; printable ASCII without spaces
	Runtime string   // see world.KnownRuntime
	Context uint32   // in tokens; 0 if not known
	Caps    []string // e.g. tools, vision, json-schema; sorted

	Weights  world.Hash      // zero if not claimed
	Tools    world.Hash      // digest of tool schemas, zero if not claimed
	Safety   string          // safety mode, may be empty
	Adapters []world.Adapter // loaded on top
}

// manifest is the part of m that is hashed into its FAH.
func (m *Model) manifest() *world.CapabilityManifest {
	return &world.CapabilityManifest{
		BaseModelID: m.ID, WeightsDigest: m.Weights, RuntimeID: m.Runtime, ContextLimit: m.Context,
		ToolSchemasDigest: m.Tools, SafetyMode: m.Safety, Adapters: m.Adapters,
	}
}

// FAH is the fingerprint of what the provider claims to run.
func (m *Model) FAH() world.Hash { return world.FAH(*m.manifest()) }

// ModelInfo is a model of the world, whoever serves it.
type ModelInfo struct {
	ID        string
	Providers int
	Context   uint32 // the largest anybody offers
}
