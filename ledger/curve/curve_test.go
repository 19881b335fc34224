package curve_test

import (
	"bytes"
	"encoding/hex"
	"math/big"
	"math/rand/v2"
	"syscall"
	"testing"

	"github.com/ethereum/go-ethereum/crypto"

	"github.com/culvert-net/culvert/ledger/curve"
)

// same checks that Recover and go-ethereum say the same of a signature, and
// returns whether they recover a key.
func same(t *testing.T, digest, r, s [32]byte, odd bool) bool {
	t.Helper()
	got, ok := curve.Recover(&digest, &r, &s, odd)
	full := append(append(append([]byte{}, r[:]...), s[:]...), 0)
	if odd {
		full[64] = 1
	}
	want, err := crypto.Ecrecover(digest[:], full)
	if ok != (err == nil) || ok && !bytes.Equal(got[:], want[1:]) || !ok && got != [64]byte{} {
		t.Fatalf("digest %x, r %x, s %x, odd %t: %x, %t; want %x, %v", digest, r, s, odd, got, ok, want, err)
	}
	return ok
}

// numbers are those at which something changes, and their neighbours.
func numbers(t testing.TB) (all [][32]byte) {
	order := crypto.S256().Params().N
	field := crypto.S256().Params().P
	lambda, _ := new(big.Int).SetString("5363ad4cc05c30e0a5261c028812645a122e22ea20816678df02967c1b23bd72", 16)
	gx := crypto.S256().Params().Gx
	for _, n := range []*big.Int{
		big.NewInt(0), order, field, lambda, new(big.Int).Sub(order, lambda), gx, new(big.Int).Rsh(order, 1),
		new(big.Int).Lsh(big.NewInt(1), 128), new(big.Int).Lsh(big.NewInt(1), 127), new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 256), big.NewInt(3)),
	} {
		for d := int64(-2); d <= 2; d++ {
			m := new(big.Int).Add(n, big.NewInt(d))
			if m.Sign() < 0 || m.BitLen() > 256 {
				continue
			}
			var b [32]byte
			m.FillBytes(b[:])
			all = append(all, b)
		}
	}
	return all
}

// Numbers at the edges as each of the three: some of all combinations each time.
func TestEdges(t *testing.T) {
	all := numbers(t)
	keys := 0
	for _, digest := range all {
		for _, r := range all {
			for _, s := range all {
				if rand.IntN(20) > 0 {
					continue
				}
				if same(t, digest, r, s, rand.IntN(2) == 0) {
					keys++
				}
			}
		}
	}
	if keys == 0 {
		t.Error("no key was ever recovered")
	}
}

// A signature for which the key would be the point at infinity: z·G = s·R.
func TestInfinity(t *testing.T) {
	k := big.NewInt(12345)
	x, y := crypto.S256().ScalarBaseMult(k.Bytes())
	s := big.NewInt(67890)
	z := new(big.Int).Mul(s, k)
	z.Mod(z, crypto.S256().Params().N)
	var digest, rb, sb [32]byte
	z.FillBytes(digest[:])
	x.FillBytes(rb[:])
	s.FillBytes(sb[:])
	if same(t, digest, rb, sb, y.Bit(0) == 1) {
		t.Error("a key at infinity")
	}
	if !same(t, digest, rb, sb, y.Bit(0) == 0) {
		t.Error("no key for the other point")
	}
}

// Signatures of known multiples of the generator, where the multiples that are
// added meet each other.
func TestSmallMultiples(t *testing.T) {
	for k := int64(1); k < 80; k++ {
		x, y := crypto.S256().ScalarBaseMult(big.NewInt(k).Bytes())
		for z := range int64(20) {
			for _, s := range []int64{1, 2, 3, 5, 16, 31, 33} {
				var digest, rb, sb [32]byte
				// u1 = -z/r and u2 = s/r: with these the two are -z and s.
				r := new(big.Int).Mod(x, crypto.S256().Params().N)
				mul := func(n int64, out []byte) {
					v := new(big.Int).Mul(r, big.NewInt(n))
					v.Mod(v, crypto.S256().Params().N).FillBytes(out)
				}
				mul(z, digest[:])
				mul(s, sb[:])
				x.FillBytes(rb[:])
				same(t, digest, rb, sb, y.Bit(0) == 1)
			}
		}
	}
}

func TestRandom(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8), byte(seed >> 16), byte(seed >> 24)})
	count := 3000
	if testing.Short() {
		count = 200
	}
	valid := 0
	for i := range count {
		var digest, a, b [32]byte
		_, _ = r.Read(digest[:])
		_, _ = r.Read(a[:])
		_, _ = r.Read(b[:])
		if i%2 == 0 {
			key, err := crypto.GenerateKey()
			if err != nil {
				t.Fatal(err)
			}
			signed, err := crypto.Sign(digest[:], key)
			if err != nil {
				t.Fatal(err)
			}
			copy(a[:], signed)
			copy(b[:], signed[32:])
			got, ok := curve.Recover(&digest, &a, &b, signed[64] == 1)
			if !ok || !bytes.Equal(got[:], crypto.FromECDSAPub(&key.PublicKey)[1:]) {
				t.Fatalf("key %x is recovered as %x, %t", crypto.FromECDSAPub(&key.PublicKey), got, ok)
			}
		}
		if same(t, digest, a, b, i%3 == 0) {
			valid++
		}
	}
	if valid < count/2 || valid == count {
		t.Errorf("%d of %d are valid", valid, count)
	}
}

func FuzzRecover(f *testing.F) {
	for _, n := range numbers(f) {
		f.Add(n[:], n[:], n[:], true)
	}
	good, _ := hex.DecodeString("79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798")
	f.Add(good, good, good, false)
	f.Fuzz(func(t *testing.T, digest, r, s []byte, odd bool) {
		if len(digest) == 32 && len(r) == 32 && len(s) == 32 {
			same(t, [32]byte(digest), [32]byte(r), [32]byte(s), odd)
		}
	})
}

// BenchmarkRecover shows CPU time too: on a machine that others use, time
// passes that is theirs.
func BenchmarkRecover(b *testing.B) {
	key, err := crypto.GenerateKey()
	if err != nil {
		b.Fatal(err)
	}
	digest := [32]byte{1}
	full, err := crypto.Sign(digest[:], key)
	if err != nil {
		b.Fatal(err)
	}
	r, s, odd := [32]byte(full[:32]), [32]byte(full[32:]), full[64] == 1
	measure := func(name string, f func()) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			began, n := cpu(), 0
			for b.Loop() {
				f()
				n++
			}
			b.ReportMetric(float64(cpu()-began)/float64(n)/1000, "cpu-µs/op")
		})
	}
	pub, _ := curve.Recover(&digest, &r, &s, odd)
	known, _ := curve.NewKey(&pub)
	measure("here", func() { curve.Recover(&digest, &r, &s, odd) })
	measure("known key", func() { known.Signed(&digest, &r, &s, odd) })
	measure("a key is made", func() { curve.NewKey(&pub) })
	measure("go-ethereum", func() { _, _ = crypto.Ecrecover(digest[:], full) })
	measure("go-ethereum signs", func() { _, _ = crypto.Sign(digest[:], key) })
}

// cpu is the time that this process has computed, in nanoseconds.
func cpu() int64 {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return u.Utime.Nano() + u.Stime.Nano()
}
