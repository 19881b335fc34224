// Package dirtest makes worlds with directory signers, nodes and signed bundles
// for the tests of the packages under mesh/directory.
//
// New makes a world; Nodes and Bundle fill it. Everything is deterministic: the
// n-th node and the n-th signer are the same in every test. It is for tests
// alone. Its functions may be called concurrently.
//
// Implements: docs/spec/directory.md, as tests need it.
package dirtest

import (
	"crypto/ecdh"
	"crypto/ed25519"
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"lukechampine.com/blake3"

	"github.com/culvert-net/culvert/mesh/directory"
	"github.com/culvert-net/culvert/mesh/directory/bundle"
	"github.com/culvert-net/culvert/mesh/quorum"
	"github.com/culvert-net/culvert/mesh/world"
)

// World is a sandbox with a charter, whose signers' keys are known.
type World struct {
	*world.World
	Signers []ed25519.PrivateKey
	Quorum  quorum.Quorum
}

// New makes a world with epochs of a length, of which t of n signers sign roots.
func New(tb testing.TB, epoch time.Duration, t, n int) *World {
	tb.Helper()
	w := &World{}
	for i := range n {
		w.Signers = append(w.Signers, key("directory signer", i))
	}
	rules := world.DefaultRules()
	rules.EpochLenMS = uint64(epoch.Milliseconds())
	charter := &world.Charter{
		Version: 1, Founders: [][32]byte{Public(key("founder", 0))}, FounderThreshold: 1, Mode: world.ModeClosed,
		DirectoryThreshold: uint32(t), CircuitSuite: 1, EventHorizonS: uint64(world.DefaultHorizon / time.Second),
		QuotaPerAuthor: 1024, TicketBits: 1,
	}
	for _, k := range w.Signers {
		charter.DirectorySigners = append(charter.DirectorySigners, Public(k))
	}
	var err error
	if w.World, err = world.New(world.World{Phrase: "directory test", Rules: rules, Charter: charter, Sandbox: true}); err != nil {
		tb.Fatal(err)
	}
	w.Quorum = quorum.Of(w.World)
	return w
}

func key(kind string, n int) ed25519.PrivateKey {
	seed := blake3.Sum256(binary.BigEndian.AppendUint64([]byte(kind), uint64(n)))
	return ed25519.NewKeyFromSeed(seed[:])
}

// Key is the transport key of the n-th node.
func Key(n int) ed25519.PrivateKey { return key("transport key", n) }

// Public is a key's public part.
func Public(k ed25519.PrivateKey) [32]byte { return [32]byte(k.Public().(ed25519.PublicKey)) }

// Node are the descriptors of the n-th node in an epoch: a relay, or a provider
// of models.
func (w *World) Node(tb testing.TB, n int, epoch, seq uint64, models ...string) []world.Descriptor {
	tb.Helper()
	return w.Priced(tb, n, epoch, seq, nil, models...)
}

// Priced are the descriptors of the n-th node, which names price sheets.
func (w *World) Priced(tb testing.TB, n int, epoch, seq uint64, sheets [][]byte, models ...string) []world.Descriptor {
	tb.Helper()
	seed := blake3.Sum256(binary.BigEndian.AppendUint64([]byte("onion key"), uint64(n)))
	private, err := ecdh.X25519().NewPrivateKey(seed[:])
	if err != nil {
		tb.Fatal(err)
	}
	node := directory.Node{
		Name:  fmt.Sprintf("node-%d", n),
		Addrs: []string{fmt.Sprintf("/ip4/127.0.%d.%d/tcp/4811", n/250, n%250+1)},
		Onion: []directory.OnionKey{{Public: [32]byte(private.PublicKey().Bytes()), NotAfter: w.EpochStart(epoch + 4)}},
	}
	for _, b := range sheets {
		node.Prices = append(node.Prices, directory.SheetHash(b))
		node.Pay = []directory.Pay{{ChainID: 31337, Contract: [20]byte{0xc}, Provider: [20]byte{byte(n) + 1}}}
	}
	for _, id := range models {
		node.Models = append(node.Models, directory.Model{ID: id, Runtime: "vllm", Context: 8192})
	}
	ds, err := directory.Build(Key(n), w.ID, epoch, seq, node)
	if err != nil {
		tb.Fatal(err)
	}
	return ds
}

// Relays are the descriptors of the first n nodes in an epoch, as relays.
func (w *World) Relays(tb testing.TB, n int, epoch uint64) (ds []world.Descriptor) {
	tb.Helper()
	for i := range n {
		ds = append(ds, w.Node(tb, i, epoch, 1)...)
	}
	return ds
}

// Bundle makes the bundle of an epoch out of descriptors, signed by some of the
// signers, whatever else they signed.
func (w *World) Bundle(tb testing.TB, epoch uint64, previous world.Hash, ds []world.Descriptor, by ...int) *bundle.Bundle {
	tb.Helper()
	return w.PricedBundle(tb, epoch, previous, ds, nil, by...)
}

// PricedBundle is Bundle with price sheets, whoever names them.
func (w *World) PricedBundle(tb testing.TB, epoch uint64, previous world.Hash, ds []world.Descriptor, sheets [][]byte, by ...int) *bundle.Bundle {
	tb.Helper()
	var all [][]byte
	for _, b := range sheets {
		all = append(all, bundle.Sheet(b))
	}
	for i := range ds {
		all = append(all, bundle.Descriptor(ds[i].Canonical()))
	}
	leaves, err := bundle.NewLeaves(all)
	if err != nil {
		tb.Fatal(err)
	}
	root := bundle.Root{
		World: w.ID, Epoch: epoch, Count: uint32(leaves.Len()), Leaves: leaves.Merkle(), Previous: previous,
		Time: uint64(w.EpochStart(epoch).UnixMilli()),
	}
	b, err := bundle.New(w.Sign(tb, root, by...), leaves)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// Sign signs a root by some of the signers, whatever else they signed.
func (w *World) Sign(tb testing.TB, root bundle.Root, by ...int) bundle.SignedRoot {
	tb.Helper()
	s := root.Statement()
	signed := quorum.Signed{Statement: s}
	for _, n := range by {
		sig := quorum.Signature{Signer: Public(w.Signers[n])}
		copy(sig.Bytes[:], ed25519.Sign(w.Signers[n], world.DomainRoot.Message(s.World, s.ID(), s.Canonical())))
		signed.Add(sig)
	}
	return bundle.SignedRoot{Root: root, Signatures: signed.Signatures}
}

// All are the numbers of all signers.
func (w *World) All() (all []int) {
	for n := range w.Signers {
		all = append(all, n)
	}
	return all
}
