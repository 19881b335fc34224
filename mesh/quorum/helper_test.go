package quorum_test

import (
	"crypto/ed25519"
	"testing"

	"lukechampine.com/blake3"

	"github.com/culvert-net/culvert/mesh/quorum"
	"github.com/culvert-net/culvert/mesh/world"
)

// testWorld is the world of these tests.
func testWorld() world.Hash { return hash("world") }

func hash(s string) world.Hash { return blake3.Sum256([]byte(s)) }

// signer is the n-th directory signer.
func signer(n byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(append(make([]byte, 31), n))
}

func public(n byte) [32]byte { return [32]byte(signer(n).Public().(ed25519.PublicKey)) }

// twoOfThree is the quorum of these tests.
func twoOfThree() quorum.Quorum {
	return quorum.Quorum{Signers: [][32]byte{public(1), public(2), public(3)}, Threshold: 2}
}

// sign makes a statement signed by some, each with an empty memory.
func sign(t testing.TB, slot quorum.Slot, content world.Hash, by ...byte) quorum.Signed {
	t.Helper()
	s := quorum.Signed{Statement: quorum.Statement{World: testWorld(), Slot: slot, Content: content}}
	for _, n := range by {
		m, err := quorum.OpenMemory(t.TempDir()+"/signed.db", testWorld())
		if err != nil {
			t.Fatal(err)
		}
		sig, err := m.Sign(signer(n), s.Statement, func() error { return nil })
		if err != nil {
			t.Fatal(err)
		}
		s.Add(sig)
	}
	return s
}
