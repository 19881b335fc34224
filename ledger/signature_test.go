package ledger_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/crypto"

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

func TestSignAndRecover(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	parities := make(map[byte]int)
	for range 200 {
		var digest ledger.Hash
		for i := range digest {
			digest[i] = byte(r.Uint32())
		}
		k := ledger.NewKey()
		s := k.Sign(digest)
		parities[s[32]>>7]++
		if got, err := s.Recover(digest); err != nil || got != k.Address() {
			t.Fatalf("recovered %s, %v; want %s", got, err, k.Address())
		}
		if s != k.Sign(digest) {
			t.Fatal("two signatures of one digest differ")
		}
		digest[0] ^= 1
		if got, err := s.Recover(digest); err == nil && got == k.Address() {
			t.Fatal("the signature holds for another digest")
		}
	}
	if parities[0] == 0 || parities[1] == 0 {
		t.Errorf("parities: %v", parities)
	}
}

// What somebody could make of a good signature, or without any key.
func TestSignatureRefuses(t *testing.T) {
	digest := ledger.Hash{1, 2, 3}
	good := keyOf(t, 7).Sign(digest)
	order := crypto.S256().Params().N

	// The twin that libraries without the rule of low s accept: n - s, with the
	// other parity. In the compact form its top bit has no room where s is high.
	s := new(big.Int).SetBytes(good[32:])
	s.SetBit(s, 255, 0)
	high := good
	new(big.Int).Sub(order, s).FillBytes(high[32:])

	justAbove := good
	half := new(big.Int).Rsh(order, 1)
	half.Add(half, big.NewInt(1)).FillBytes(justAbove[32:])

	zeroR, zeroS, largeR := good, good, good
	clear(zeroR[:32])
	clear(zeroS[32:])
	order.FillBytes(largeR[:32])

	if a, err := high.Recover(digest); err == nil && a == keyOf(t, 7).Address() {
		t.Error("the twin with high s holds")
	}
	for name, bad := range map[string]ledger.Signature{
		"zero": {}, "s just above half": justAbove, "r of zero": zeroR, "s of zero": zeroS, "r of the order": largeR,
		"all ones": ledger.Signature(bytes.Repeat([]byte{0xff}, 64)),
	} {
		if a, err := bad.Recover(digest); !errors.Is(err, ledger.ErrSignature) || !a.IsZero() {
			t.Errorf("%s: %s, %v", name, a, err)
		}
	}
	for i := range 8 * len(good) {
		bad := good
		bad[i/8] ^= 1 << (i % 8)
		if a, err := bad.Recover(digest); err == nil && a == keyOf(t, 7).Address() {
			t.Errorf("bit %d does not matter", i)
		}
	}
}

// The signature that EIP-2098 shows.
func TestPublishedCompactSignatures(t *testing.T) {
	var secret [32]byte
	if _, err := hex.Decode(secret[:], []byte("1234567890123456789012345678901234567890123456789012345678901234")); err != nil {
		t.Fatal(err)
	}
	k, err := ledger.KeyOfBytes(secret)
	if err != nil {
		t.Fatal(err)
	}
	for message, want := range map[string]string{
		"Hello World": "68a020a209d3d56c46f38cc50a33f704f4a9a10a59377f8dd762ac66910e9b90" +
			"7e865ad05c4035ab5792787d4a0297a43617ae897930a6fe4d822b8faea52064",
		"It's a small(er) world": "9328da16089fcba9bececa81663203989f2df5fe1faa6291a45381c81bd17f76" +
			"939c6d6b623b42da56557e5e734a43dc83345ddfadec52cbe24d0cc64f550793",
	} {
		digest := ledger.Hash(crypto.Keccak256(fmt.Appendf(nil, "\x19Ethereum Signed Message:\n%d%s", len(message), message)))
		if s := k.Sign(digest); hex.EncodeToString(s[:]) != want {
			t.Errorf("%s: %x, want %s", message, s, want)
		}
	}
}

func TestKeyIsNeverShown(t *testing.T) {
	k := ledger.NewKey()
	secret := k.Secret()
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d", "%q"} {
		fmt.Fprintf(&out, verb+"\n", k)
		fmt.Fprintf(&out, verb+"\n", struct{ K *ledger.Key }{k})
	}
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "key", k)
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "key", k)
	if _, err := json.Marshal(k); err == nil {
		t.Error("a key is written as JSON")
	}
	for _, form := range []string{hex.EncodeToString(secret[:]), new(big.Int).SetBytes(secret[:]).String(), string(secret[:])} {
		if strings.Contains(strings.ToLower(out.String()), form) {
			t.Error("the key is shown")
		}
	}
	if !strings.Contains(out.String(), k.Address().String()) {
		t.Errorf("the address is not shown: %s", out.String())
	}
	if back, err := ledger.KeyOfBytes(secret); err != nil || back.Address() != k.Address() {
		t.Errorf("%v, %v", back, err)
	}
	for _, bad := range [][32]byte{{}, [32]byte(crypto.S256().Params().N.Bytes())} {
		if _, err := ledger.KeyOfBytes(bad); err == nil {
			t.Errorf("%x is a key", bad)
		}
	}
}

// A signer says what Recover does, of good signatures and of what somebody could make
// of them.
func TestSigner(t *testing.T) {
	key, digest := keyOf(t, 7), ledger.Hash{1, 2, 3}
	good := key.Sign(digest)
	pub, _, err := good.RecoverKey(digest)
	if err != nil {
		t.Fatal(err)
	}
	signer, ok := pub.Signer()
	if !ok || signer.Address() != key.Address() {
		t.Fatalf("signer of %s, want %s", signer.Address(), key.Address())
	}
	same := func(what string, digest ledger.Hash, s ledger.Signature) bool {
		t.Helper()
		a, err := s.Recover(digest)
		want := err == nil && a == key.Address()
		if got := signer.Signed(digest, s); got != want {
			t.Errorf("%s: %t, and Recover says %s, %v", what, got, a, err)
		}
		return want
	}
	if !same("good", digest, good) {
		t.Error("a good signature is refused")
	}
	for i := range 8 * len(good) {
		bad := good
		bad[i/8] ^= 1 << (i % 8)
		if same(fmt.Sprint("bit ", i), digest, bad) {
			t.Errorf("bit %d of the signature does not matter", i)
		}
	}
	for i := range 8 * len(digest) {
		other := digest
		other[i/8] ^= 1 << (i % 8)
		if same(fmt.Sprint("bit ", i), other, good) {
			t.Errorf("bit %d of the digest does not matter", i)
		}
	}
	// The twin with high s, and the first that is.
	order := crypto.S256().Params().N
	low := new(big.Int).SetBytes(good[32:])
	low.SetBit(low, 255, 0)
	for _, n := range []*big.Int{new(big.Int).Sub(order, low), new(big.Int).Add(new(big.Int).Rsh(order, 1), big.NewInt(1)), new(big.Int)} {
		high := good
		n.FillBytes(high[32:])
		same("s of "+n.String(), digest, high)
		high[32] ^= 0x80
		same("s of "+n.String()+" and the other parity", digest, high)
	}
	if _, ok := (ledger.PublicKey{}).Signer(); ok {
		t.Error("no point is a key")
	}
}

func FuzzRecover(f *testing.F) {
	digest := ledger.Hash{9}
	good := keyOf(f, 1).Sign(digest)
	f.Add(digest[:], good[:])
	f.Add(make([]byte, 32), make([]byte, 64))
	f.Fuzz(func(t *testing.T, d, b []byte) {
		if len(d) != 32 || len(b) != 64 {
			return
		}
		a, err := ledger.Signature(b).Recover(ledger.Hash(d))
		if (err == nil) == a.IsZero() {
			t.Fatalf("%s, %v", a, err)
		}
	})
}

func BenchmarkSign(b *testing.B) {
	k, d := keyOf(b, 1), ledger.Domain{ChainID: 1}
	v := ledger.Voucher{Epoch: 1, Cumulative: ledger.Wei(7)}
	b.ReportAllocs()
	for b.Loop() {
		v.Sign(d, k)
	}
}

func BenchmarkRecover(b *testing.B) {
	k, d := keyOf(b, 1), ledger.Domain{ChainID: 1}
	v := ledger.Voucher{Epoch: 1, Cumulative: ledger.Wei(7)}
	s := v.Sign(d, k)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := v.Recover(d, s); err != nil {
			b.Fatal(err)
		}
	}
}
