package signers

import (
	"encoding/binary"
	"sync"
	"testing"

	"github.com/culvert-net/culvert/ledger"
)

// keyOf is the key whose number is n.
func keyOf(t testing.TB, n byte) *ledger.Key {
	t.Helper()
	k, err := ledger.KeyOfBytes([32]byte{31: n})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// Whoever signs, and however often, the answer is that of Recover.
func TestChecker(t *testing.T) {
	c := New()
	const keys = 4
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for n := range byte(3 * worth * keys) {
				key, digest := keyOf(t, 1+n%keys), ledger.Hash{n}
				s := key.Sign(digest)
				if !c.Signed(key.Address(), digest, s) {
					t.Errorf("signature %d is refused", n)
				}
				if c.Signed(keyOf(t, 1+(n+1)%keys).Address(), digest, s) {
					t.Errorf("signature %d is another's, too", n)
				}
				if s[40] ^= 1; c.Signed(key.Address(), digest, s) {
					t.Errorf("signature %d is taken though it was changed", n)
				}
			}
		})
	}
	wg.Wait()
	if len(c.known) != keys || len(c.counted) != 0 {
		t.Errorf("multiples of %d keys of %d, and %d are counted", len(c.known), keys, len(c.counted))
	}
}

// What is not signed by who is named is no reason to keep anything.
func TestForgeriesAreNotCounted(t *testing.T) {
	c := New()
	digest := ledger.Hash{1}
	s := keyOf(t, 1).Sign(digest)
	for range 3 * worth {
		for _, by := range []ledger.Address{{}, keyOf(t, 2).Address()} {
			if c.Signed(by, digest, s) {
				t.Fatalf("%s did not sign", by)
			}
		}
	}
	if len(c.known) != 0 || len(c.counted) != 0 {
		t.Errorf("%d known and %d counted", len(c.known), len(c.counted))
	}
}

// signs has a key sign so often, and checks each.
func signs(t *testing.T, c *Checker, key *ledger.Key, count int) {
	t.Helper()
	digest := ledger.Hash{2}
	s := key.Sign(digest)
	for range count {
		if !c.Signed(key.Address(), digest, s) {
			t.Fatal("a good signature is refused")
		}
	}
}

func TestCheckerIsBounded(t *testing.T) {
	c := New()
	for n := range uint64(maxSigners) {
		var a ledger.Address
		binary.LittleEndian.PutUint64(a[:], n+1)
		c.known[a] = new(often)
	}
	key := keyOf(t, 1)
	signs(t, c, key, 2*worth)
	if len(c.known) != maxSigners || c.known[key.Address()] != nil {
		t.Error("a key that was used of late made room")
	}
	c.now += idle
	signs(t, c, key, worth)
	if len(c.known) != maxSigners || c.known[key.Address()] == nil {
		t.Error("no key that was not used for long made room")
	}
	for n := range uint64(2 * maxCounted) {
		var other ledger.Address
		binary.LittleEndian.PutUint64(other[8:], n+1)
		c.due(other)
	}
	if len(c.counted) > maxCounted {
		t.Errorf("%d keys are counted", len(c.counted))
	}
}
