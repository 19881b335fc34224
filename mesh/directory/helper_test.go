package directory

import (
	"crypto/ecdh"
	"crypto/ed25519"
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"github.com/culvert-net/culvert/mesh/world"
	"github.com/multiformats/go-multiaddr"
	"lukechampine.com/blake3"
)

// testWorld is a sandbox with epochs of five minutes and the given seeds.
func testWorld(t testing.TB, seeds ...string) *world.World {
	t.Helper()
	return makeWorld(t, world.World{Phrase: "test", Seeds: seeds, Sandbox: true}, 5*time.Minute)
}

func makeWorld(t testing.TB, w world.World, epochLen time.Duration) *world.World {
	t.Helper()
	w.Rules = world.DefaultRules()
	w.Rules.EpochLenMS = uint64(epochLen.Milliseconds())
	out, err := world.New(w)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// testKey is the n-th transport key.
func testKey(n int) ed25519.PrivateKey {
	seed := blake3.Sum256(binary.BigEndian.AppendUint64([]byte("transport key"), uint64(n)))
	return ed25519.NewKeyFromSeed(seed[:])
}

func publicOf(key ed25519.PrivateKey) [32]byte { return [32]byte(key.Public().(ed25519.PublicKey)) }

// testOnion is an onion key that is good for the epoch of now and the next.
func testOnion(t testing.TB, w *world.World, n int, now time.Time) OnionKey {
	t.Helper()
	seed := blake3.Sum256(binary.BigEndian.AppendUint64([]byte("onion key"), uint64(n)))
	private, err := ecdh.X25519().NewPrivateKey(seed[:])
	if err != nil {
		t.Fatal(err)
	}
	return OnionKey{Public: [32]byte(private.PublicKey().Bytes()), NotAfter: w.EpochStart(w.Epoch(now) + 2)}
}

// testNode is the n-th node: a relay, or a provider of models.
func testNode(t testing.TB, w *world.World, n int, now time.Time, models ...string) Node {
	t.Helper()
	node := Node{
		Name:  fmt.Sprintf("node-%d", n),
		Addrs: []string{fmt.Sprintf("/ip4/127.0.%d.%d/tcp/4811", n/250, n%250+1)},
		Onion: []OnionKey{testOnion(t, w, n, now)},
	}
	for _, id := range models {
		node.Models = append(node.Models, Model{ID: id, Runtime: "vllm", Context: 8192, Caps: []string{"tools"}})
	}
	return node
}

// build is Build under the n-th key in now's epoch.
func build(t testing.TB, w *world.World, n int, now time.Time, seq uint64, node Node) []world.Descriptor {
	t.Helper()
	ds, err := Build(testKey(n), w.ID, w.Epoch(now), seq, node)
	if err != nil {
		t.Fatal(err)
	}
	return ds
}

// resign changes d's unsigned part and signs it anew under the n-th key.
func resign(d world.Descriptor, n int, change func(*world.DescriptorUnsigned)) world.Descriptor {
	u := d.DescriptorUnsigned
	u.ContactPoints = append([]string(nil), u.ContactPoints...)
	if m := u.Capability.Manifest; m != nil {
		copied := *m
		u.Capability.Manifest = &copied
	}
	change(&u)
	return world.SignDescriptor(testKey(n), u)
}

// peerAddr is a loopback address that ends in the peer id of the n-th key.
func peerAddr(t testing.TB, n int) string {
	t.Helper()
	public := publicOf(testKey(n))
	id := append([]byte{0x00, 0x24, 0x08, 0x01, 0x12, 0x20}, public[:]...)
	b := append(multiaddr.CodeToVarint(multiaddr.P_P2P), byte(len(id)))
	m, err := multiaddr.NewMultiaddrBytes(append(b, id...))
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("/ip4/127.0.0.1/tcp/%d%s", 5000+n, m)
}
