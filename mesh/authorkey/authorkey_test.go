package authorkey

import (
	"crypto/ed25519"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"filippo.io/edwards25519"
)

var base = newTable(edwards25519.NewGeneratorPoint())

// ours checks a signature by a key's multiples, however rarely it signs.
func ours(key [32]byte, message, signature []byte) bool {
	if made.key != key || made.table == nil {
		p, err := new(edwards25519.Point).SetBytes(key[:])
		if err != nil {
			return false
		}
		made.key, made.table = key, newTable(p.Negate(p))
	}
	return verify(base, made.table, &key, message, signature)
}

// made is the table of the last key, which most checks are of too.
var made struct {
	key   [32]byte
	table *table
}

// same demands the standard library's verdict and returns it.
func same(t *testing.T, what string, key [32]byte, message, signature []byte) bool {
	t.Helper()
	want := ed25519.Verify(key[:], message, signature)
	if got := ours(key, message, signature); got != want {
		t.Fatalf("%s: %v, crypto/ed25519 says %v: key %x, message %x, signature %x", what, got, want, key, message, signature)
	}
	return want
}

func signer(n byte) (ed25519.PrivateKey, [32]byte) {
	key := ed25519.NewKeyFromSeed(append(make([]byte, 31), n))
	return key, [32]byte(key.Public().(ed25519.PublicKey))
}

// The vectors of RFC 8032, section 7.1.
func TestRFC8032(t *testing.T) {
	for i, v := range [][3]string{
		{"d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "", "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"},
		{"3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72", "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"},
		{"fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82", "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"},
	} {
		key, message, signature := decode(t, v[0]), decode(t, v[1]), decode(t, v[2])
		if !same(t, fmt.Sprint(i), [32]byte(key), message, signature) {
			t.Errorf("vector %d is refused", i)
		}
	}
}

func decode(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Every bit of key, message and signature counts, and so does the length.
func TestFlippedAndCut(t *testing.T) {
	private, key := signer(1)
	message := []byte("a message")
	signature := ed25519.Sign(private, message)
	if !same(t, "as it was signed", key, message, signature) {
		t.Fatal("a good signature is refused")
	}
	flip := func(b []byte, bit int) []byte {
		b = append([]byte(nil), b...)
		b[bit/8] ^= 1 << (bit % 8)
		return b
	}
	for bit := range 8 * 32 {
		if same(t, "key", [32]byte(flip(key[:], bit)), message, signature) {
			t.Errorf("bit %d of the key does not count", bit)
		}
	}
	for bit := range 8 * len(message) {
		if same(t, "message", key, flip(message, bit), signature) {
			t.Errorf("bit %d of the message does not count", bit)
		}
	}
	for bit := range 8 * 64 {
		if same(t, "signature", key, message, flip(signature, bit)) {
			t.Errorf("bit %d of the signature does not count", bit)
		}
	}
	for n := range 64 {
		if same(t, "cut", key, message, signature[:n]) {
			t.Errorf("%d bytes of a signature are enough", n)
		}
	}
	if same(t, "long", key, message, append(signature, 0)) {
		t.Error("a signature may be longer")
	}
}

// order is the group's, 2^252 + 27742317777372353535851937790883648493.
const order = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010"

// S and S plus the group's order would be the same signature.
func TestScalarIsCanonical(t *testing.T) {
	private, key := signer(2)
	l := decode(t, order)
	for n := range byte(20) {
		message := []byte{n}
		signature := ed25519.Sign(private, message)
		carry := 0
		for i := range l {
			carry += int(signature[32+i]) + int(l[i])
			signature[32+i] = byte(carry)
			carry >>= 8
		}
		if same(t, "S + L", key, message, signature) {
			t.Error("a second form of a signature is taken")
		}
	}
}

// small are encodings of the points of small order: canonical ones, and those that a
// strict decoder would refuse.
var small = []string{
	"0100000000000000000000000000000000000000000000000000000000000000",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0000000000000000000000000000000000000000000000000000000000000080",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
	"0100000000000000000000000000000000000000000000000000000000000080",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
}

// Signatures in which a point of small order hides are where verifiers differ from
// each other: some take a message, some refuse it. What counts is that we do as the
// standard library does, message by message.
func TestSmallOrder(t *testing.T) {
	seen := map[bool]int{}
	for i, a := range small {
		for j, r := range small {
			for n := range byte(16) {
				// Keys and R of small order alone; S is zero.
				signature := append(decode(t, r), make([]byte, 32)...)
				seen[same(t, fmt.Sprint(i, j, n), [32]byte(decode(t, a)), []byte{n}, signature)]++
			}
		}
	}
	if seen[true] == 0 || seen[false] == 0 {
		t.Errorf("of keys of small order: %v", seen)
	}
	clear(seen)
	scalar := func(seed ...byte) *edwards25519.Scalar {
		sum := sha512.Sum512(seed)
		s, err := edwards25519.NewScalar().SetUniformBytes(sum[:])
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	point := func(s string) *edwards25519.Point {
		p, err := new(edwards25519.Point).SetBytes(decode(t, s))
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	private := scalar(1)
	for i, a := range small[:8] {
		for j, r := range small[:8] {
			// The key and R are good ones plus a point of small order.
			key := new(edwards25519.Point).ScalarBaseMult(private)
			key.Add(key, point(a))
			for n := range byte(24) {
				nonce := scalar(2, n)
				commitment := new(edwards25519.Point).ScalarBaseMult(nonce)
				commitment.Add(commitment, point(r))
				h := sha512.New()
				h.Write(commitment.Bytes())
				h.Write(key.Bytes())
				h.Write([]byte{n})
				k, err := edwards25519.NewScalar().SetUniformBytes(h.Sum(nil))
				if err != nil {
					t.Fatal(err)
				}
				s := edwards25519.NewScalar().MultiplyAdd(k, private, nonce)
				seen[same(t, fmt.Sprint(i, j, n), [32]byte(key.Bytes()), []byte{n}, append(commitment.Bytes(), s.Bytes()...))]++
			}
		}
	}
	if seen[true] == 0 || seen[false] == 0 {
		t.Errorf("of keys that hide a point of small order: %v", seen)
	}
}

// A scalar is what its digits say.
func TestDigits(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for n := range 1000 {
		var wide [64]byte
		for i := range wide {
			wide[i] = byte(rnd.Uint32() >> (n % 3))
		}
		k, err := edwards25519.NewScalar().SetUniformBytes(wide[:])
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 { // the largest there is
			k.Subtract(edwards25519.NewScalar(), one(t))
		}
		sum, sixteen := edwards25519.NewScalar(), small16(t)
		d := digits(k.Bytes())
		for i := windows - 1; i >= 0; i-- {
			if d[i] < -8 || d[i] > 8 {
				t.Fatalf("digit %d is %d", i, d[i])
			}
			sum.Multiply(sum, sixteen)
			for range max(d[i], -d[i]) {
				if d[i] > 0 {
					sum.Add(sum, one(t))
				} else {
					sum.Subtract(sum, one(t))
				}
			}
		}
		if sum.Equal(k) != 1 {
			t.Fatalf("%x has the digits %v", k.Bytes(), d)
		}
	}
}

func one(t *testing.T) *edwards25519.Scalar     { return scalarOf(t, 1) }
func small16(t *testing.T) *edwards25519.Scalar { return scalarOf(t, 16) }

func scalarOf(t *testing.T, n byte) *edwards25519.Scalar {
	t.Helper()
	s, err := edwards25519.NewScalar().SetCanonicalBytes(append([]byte{n}, make([]byte, 31)...))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Keys that sign much get multiples, a bounded number of them; all are judged alike
// before and after, from many goroutines.
func TestChecker(t *testing.T) {
	c := New()
	const keys = 4
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for n := range byte(3 * limits().Worth) {
				private, key := signer(n % keys)
				message := []byte{n}
				signature := ed25519.Sign(private, message)
				if !c.Verify(&key, message, signature) {
					t.Errorf("signature %d is refused", n)
				}
				if signature[40] ^= 1; c.Verify(&key, message, signature) {
					t.Errorf("signature %d is taken though it was changed", n)
				}
			}
		})
	}
	wg.Wait()
	if known, counted := c.known.Len(); known != keys || counted != 0 {
		t.Errorf("multiples of %d keys of %d, and %d are counted", known, keys, counted)
	}
	// What is no point has no good signature, and no multiples.
	bad := [32]byte(decode(t, "0200000000000000000000000000000000000000000000000000000000000000"))
	for range 3 * limits().Worth {
		if c.Verify(&bad, nil, make([]byte, 64)) {
			t.Fatal("a key that is no point signs")
		}
	}
	if known, _ := c.known.Len(); known != keys {
		t.Error("there are multiples of what is no point")
	}
}

// FuzzVerify compares with the standard library on whatever comes; seed makes a good
// signature of which a part is replaced.
func FuzzVerify(f *testing.F) {
	f.Add(byte(1), []byte("message"), []byte{}, 0)
	f.Add(byte(2), []byte{}, decode(f, order), 64)
	for i, s := range small {
		f.Add(byte(i), []byte{byte(i)}, decode(f, s), 32*(i%3))
	}
	f.Fuzz(func(t *testing.T, seed byte, message, part []byte, at int) {
		private, key := signer(seed)
		all := append(key[:], ed25519.Sign(private, message)...)
		if at >= 0 && at < len(all) {
			copy(all[at:], part)
		}
		same(t, "fuzzed", [32]byte(all[:32]), message, all[32:])
	})
}

func BenchmarkVerify(b *testing.B) {
	private, key := signer(1)
	message := make([]byte, 300)
	signature := ed25519.Sign(private, message)
	b.Run("often", func(b *testing.B) {
		c := New()
		for b.Loop() {
			c.Verify(&key, message, signature)
		}
	})
	b.Run("standard", func(b *testing.B) {
		for b.Loop() {
			ed25519.Verify(key[:], message, signature)
		}
	})
	b.Run("multiples", func(b *testing.B) {
		p, err := new(edwards25519.Point).SetBytes(key[:])
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			newTable(p)
		}
	})
}
