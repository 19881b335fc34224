package signers

import (
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
			for n := range byte(3 * limits().Worth * keys) {
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
	if known, counted := c.known.Len(); known != keys || counted != 0 {
		t.Errorf("multiples of %d keys of %d, and %d are counted", known, keys, counted)
	}
}

// What is not signed by who is named is no reason to keep anything.
func TestForgeriesAreNotCounted(t *testing.T) {
	c := New()
	digest := ledger.Hash{1}
	s := keyOf(t, 1).Sign(digest)
	for range 3 * limits().Worth {
		for _, by := range []ledger.Address{{}, keyOf(t, 2).Address()} {
			if c.Signed(by, digest, s) {
				t.Fatalf("%s did not sign", by)
			}
		}
	}
	if known, counted := c.known.Len(); known != 0 || counted != 0 {
		t.Errorf("%d known and %d counted", known, counted)
	}
}
