package curve_test

import (
	"encoding/hex"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/ethereum/go-ethereum/crypto"

	"github.com/culvert-net/culvert/ledger/curve"
)

// keyOf is the key whose private number is n.
func keyOf(t testing.TB, n *big.Int) (pub [64]byte, key *curve.Key) {
	t.Helper()
	x, y := crypto.S256().ScalarBaseMult(n.Bytes())
	x.FillBytes(pub[:32])
	y.FillBytes(pub[32:])
	key, ok := curve.NewKey(&pub)
	if !ok {
		t.Fatalf("the key of %s is none", n)
	}
	return pub, key
}

// agrees checks that a key says of a signature what go-ethereum does.
func agrees(t *testing.T, pub *[64]byte, key *curve.Key, digest, r, s [32]byte, odd bool) bool {
	t.Helper()
	full := append(append(append([]byte{}, r[:]...), s[:]...), 0)
	if odd {
		full[64] = 1
	}
	who, err := crypto.Ecrecover(digest[:], full)
	want := err == nil && [64]byte(who[1:]) == *pub
	if got := key.Signed(&digest, &r, &s, odd); got != want {
		t.Fatalf("key %x, digest %x, r %x, s %x, odd %t: %t; go-ethereum recovers %x, %v", *pub, digest, r, s, odd, got, who, err)
	}
	return want
}

// Numbers at the edges as each of the three: of the key that is recovered, and of
// others.
func TestKeyAtEdges(t *testing.T) {
	all := numbers(t)
	pub, key := keyOf(t, big.NewInt(1))
	signed := 0
	for _, digest := range all {
		for _, r := range all {
			for _, s := range all {
				if rand.IntN(40) > 0 {
					continue
				}
				odd := rand.IntN(2) == 0
				agrees(t, &pub, key, digest, r, s, odd)
				got, ok := curve.Recover(&digest, &r, &s, odd)
				if !ok {
					continue
				}
				other, ok := curve.NewKey(&got)
				if !ok {
					t.Fatalf("%x is recovered and is no key", got)
				}
				if agrees(t, &got, other, digest, r, s, odd) {
					signed++
				}
				agrees(t, &got, other, digest, r, s, !odd)
			}
		}
	}
	if signed == 0 {
		t.Error("no key has signed anything")
	}
}

// Keys and nonces that are small multiples of the generator, and of lambda and the
// order less so many, where the sums that are added meet each other.
func TestKeyMeetsItself(t *testing.T) {
	order := crypto.S256().Params().N
	lambda, _ := new(big.Int).SetString("5363ad4cc05c30e0a5261c028812645a122e22ea20816678df02967c1b23bd72", 16)
	var some []*big.Int
	for _, n := range []int64{1, 2, 3, 255, 1 << 17, 1<<17 + 1} {
		b := big.NewInt(n)
		some = append(some, b, new(big.Int).Sub(order, b), new(big.Int).Mod(new(big.Int).Mul(lambda, b), order))
	}
	for _, private := range some {
		pub, key := keyOf(t, private)
		for _, nonce := range some {
			x, y := crypto.S256().ScalarBaseMult(nonce.Bytes())
			var r [32]byte
			x.FillBytes(r[:])
			for _, z := range append([]*big.Int{new(big.Int)}, some...) {
				s := new(big.Int).Mul(x, private)
				s.Add(s, z).Mul(s, new(big.Int).ModInverse(nonce, order)).Mod(s, order)
				var digest, sBytes [32]byte
				z.FillBytes(digest[:])
				s.FillBytes(sBytes[:])
				if signed := agrees(t, &pub, key, digest, r, sBytes, y.Bit(0) == 1); signed != (s.Sign() != 0) {
					t.Fatalf("private %s, nonce %s, digest %s: %t", private, nonce, z, signed)
				}
			}
		}
	}
}

func TestKeyAtRandom(t *testing.T) {
	count := 1000
	if testing.Short() {
		count = 100
	}
	for range count {
		private, err := crypto.GenerateKey()
		if err != nil {
			t.Fatal(err)
		}
		pub := [64]byte(crypto.FromECDSAPub(&private.PublicKey)[1:])
		key, ok := curve.NewKey(&pub)
		if !ok {
			t.Fatalf("%x is no key", pub)
		}
		digest := [32]byte(crypto.Keccak256(pub[:]))
		full, err := crypto.Sign(digest[:], private)
		if err != nil {
			t.Fatal(err)
		}
		r, s, odd := [32]byte(full[:32]), [32]byte(full[32:]), full[64] == 1
		if !agrees(t, &pub, key, digest, r, s, odd) {
			t.Fatalf("key %x does not know its signature of %x", pub, digest)
		}
		bit := rand.IntN(256)
		for _, b := range []*[32]byte{&digest, &r, &s} {
			b[bit/8] ^= 1 << (bit % 8)
			if agrees(t, &pub, key, digest, r, s, odd) {
				t.Errorf("bit %d does not count", bit)
			}
			b[bit/8] ^= 1 << (bit % 8)
		}
		// The twin with the other s has the other parity.
		twin := new(big.Int).Sub(crypto.S256().Params().N, new(big.Int).SetBytes(s[:]))
		twin.FillBytes(s[:])
		agrees(t, &pub, key, digest, r, s, odd)
		if !agrees(t, &pub, key, digest, r, s, !odd) {
			t.Error("the twin is another's")
		}
	}
}

func TestNoKey(t *testing.T) {
	good, _ := keyOf(t, big.NewInt(7))
	zero, off, large := [64]byte{}, good, good
	off[63] ^= 1
	copy(large[:32], crypto.S256().Params().P.Bytes())
	for name, bad := range map[string][64]byte{"zero": zero, "beside the curve": off, "x of the field's size": large} {
		if k, ok := curve.NewKey(&bad); ok || k != nil {
			t.Errorf("%s is a key", name)
		}
	}
}

func FuzzKey(f *testing.F) {
	for _, n := range numbers(f) {
		f.Add(n[:], n[:], n[:], n[:], true)
	}
	good, _ := hex.DecodeString("79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798")
	f.Add(good, good, good, good, false)
	f.Fuzz(func(t *testing.T, private, digest, r, s []byte, odd bool) {
		if len(private) != 32 || len(digest) != 32 || len(r) != 32 || len(s) != 32 {
			return
		}
		d, a, b := [32]byte(digest), [32]byte(r), [32]byte(s)
		if got, ok := curve.Recover(&d, &a, &b, odd); ok {
			key, ok := curve.NewKey(&got)
			if !ok || !agrees(t, &got, key, d, a, b, odd) {
				t.Fatalf("%x is recovered, and did not sign", got)
			}
		}
		n := new(big.Int).Mod(new(big.Int).SetBytes(private), crypto.S256().Params().N)
		if n.Sign() > 0 {
			pub, key := keyOf(t, n)
			agrees(t, &pub, key, d, a, b, odd)
		}
	})
}
