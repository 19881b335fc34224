package gossip

import (
	"crypto/ed25519"
	"slices"
	"testing"

	"github.com/culvert-net/culvert/mesh/world"
)

// What a proof is over is what its vectors say, and a proof of one side, session
// or world is none of another.
func TestProof(t *testing.T) {
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	member := [32]byte(key.Public().(ed25519.PublicKey))
	a := agreement{world: world.Hash{1}, transcript: [32]byte{2}}
	want := slices.Concat([]byte("sync-sig"), a.world[:], a.transcript[:], []byte("opener"))
	if !slices.Equal(a.signed(fromOpener), want) {
		t.Errorf("signed = %x, want %x", a.signed(fromOpener), want)
	}
	proof := a.sign(key, fromOpener)
	for _, tt := range []struct {
		name string
		a    agreement
		from string
		want bool
	}{
		{"the same", a, fromOpener, true},
		{"the other side", a, fromAnswerer, false},
		{"another session", agreement{world: a.world, transcript: [32]byte{3}}, fromOpener, false},
		{"another world", agreement{world: world.Hash{9}, transcript: a.transcript}, fromOpener, false},
	} {
		if got := tt.a.verify(member, proof, tt.from); got != tt.want {
			t.Errorf("%s: verify = %v, want %v", tt.name, got, tt.want)
		}
	}
}
