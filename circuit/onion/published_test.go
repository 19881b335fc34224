package onion

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/sha3"
	"encoding/binary"
	"encoding/hex"
	"os"
	"regexp"
	"slices"
	"testing"

	"golang.org/x/crypto/chacha20poly1305"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func private(t testing.TB, b []byte) *ecdh.PrivateKey {
	t.Helper()
	k, err := ecdh.X25519().NewPrivateKey(b)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// RFC 7748 §6.1: the Diffie-Hellman example.
func TestRFC7748(t *testing.T) {
	a := private(t, unhex(t, "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a"))
	b := private(t, unhex(t, "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb"))
	if got, want := a.PublicKey().Bytes(), unhex(t, "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"); !bytes.Equal(got, want) {
		t.Errorf("Alice's public key = %x, want %x", got, want)
	}
	want := unhex(t, "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742")
	for _, side := range []struct{ mine, other *ecdh.PrivateKey }{{a, b}, {b, a}} {
		if got, err := side.mine.ECDH(side.other.PublicKey()); err != nil || !bytes.Equal(got, want) {
			t.Errorf("shared secret = %x, %v, want %x", got, err, want)
		}
	}
}

// RFC 5869 appendix A.1 to A.3, SHA-256.
func TestRFC5869(t *testing.T) {
	span := func(from, to int) []byte {
		var b []byte
		for i := from; i <= to; i++ {
			b = append(b, byte(i))
		}
		return b
	}
	for i, c := range []struct {
		ikm, salt, info []byte
		okm             string
	}{
		{
			bytes.Repeat([]byte{0x0b}, 22), span(0, 12), span(0xf0, 0xf9),
			"3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
		},
		{
			span(0x00, 0x4f), span(0x60, 0xaf), span(0xb0, 0xff),
			"b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87",
		},
		{
			bytes.Repeat([]byte{0x0b}, 22), nil, nil,
			"8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
		},
	} {
		want := unhex(t, c.okm)
		got, err := hkdf.Key(sha256.New, c.ikm, c.salt, string(c.info), len(want))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("case %d: okm = %x, %v, want %x", i+1, got, err, want)
		}
	}
}

// RFC 8439 §2.8.2, through a Layer whose base is the vector's nonce (counter
// zero leaves it as it is). The associated data of a Layer is ours, so the
// vector's is put in its place.
func TestRFC8439(t *testing.T) {
	key := unhex(t, "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f")
	nonce := unhex(t, "070000004041424344454647")
	ad := unhex(t, "50515253c0c1c2c3c4c5c6c7")
	plain := []byte("Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.")
	want := unhex(t, "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecbd0600691")
	aead, err := chacha20poly1305.New(key)
	if err != nil {
		t.Fatal(err)
	}
	if got := aead.Seal(nil, nonce, plain, ad); !bytes.Equal(got, want) {
		t.Errorf("sealed = %x, want %x", got, want)
	}
	// The same key and nonce through a Layer give the same bytes but the tag.
	l := newLayer(&chain{key: [32]byte(key), base: [12]byte(nonce)}, [32]byte{}, directionForward)
	buf := append(bytes.Clone(plain), make([]byte, Overhead)...)
	l.Seal(buf, len(plain))
	if !bytes.Equal(buf[:len(plain)], want[:len(plain)]) {
		t.Errorf("a layer at counter 0 does not use its base as the nonce")
	}
}

// ntor version 3 as published (Tor proposal 332), written plainly for this
// test: the check that our handshake's shape, which follows it, is understood
// as its authors meant it. Production uses its own key derivation.
func TestNtor3KnownAnswers(t *testing.T) {
	kat := readKAT(t)
	const protoID = "ntor3-curve25519-sha3_256-1"
	encap := func(s []byte) []byte {
		return append(binary.BigEndian.AppendUint64(nil, uint64(len(s))), s...)
	}
	tweak := func(t string) []byte { return encap([]byte(protoID + t)) }
	hash := func(s []byte, t string) []byte {
		h := sha3.Sum256(append(tweak(t), s...))
		return h[:]
	}
	mac := func(k, msg []byte, t string) []byte {
		h := sha3.Sum256(slices.Concat(tweak(t), encap(k), msg))
		return h[:]
	}
	kdf := func(s []byte, t string, n int) []byte {
		return sha3.SumSHAKE256(append(tweak(t), s...), n)
	}
	enc := func(k, msg []byte) []byte {
		block, err := aes.NewCipher(k)
		if err != nil {
			t.Fatal(err)
		}
		out := make([]byte, len(msg))
		cipher.NewCTR(block, make([]byte, aes.BlockSize)).XORKeyStream(out, msg)
		return out
	}
	check := func(name string, got []byte) {
		if !bytes.Equal(got, kat[name]) {
			t.Errorf("%s = %x, want %x", name, got, kat[name])
		}
	}
	dh := func(priv, pub []byte) []byte {
		p, err := ecdh.X25519().NewPublicKey(pub)
		if err != nil {
			t.Fatal(err)
		}
		s, err := private(t, priv).ECDH(p)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	id, x, y := kat["ID"], kat["x"], kat["y"]
	bigB := private(t, kat["b"]).PublicKey().Bytes()
	bigX, bigY := private(t, x).PublicKey().Bytes(), private(t, y).PublicKey().Bytes()
	check("B", bigB)
	check("X", bigX)
	check("Y", bigY)

	phase1 := slices.Concat(dh(x, bigB), id, bigX, bigB, []byte(protoID), encap(kat["VER"]))
	keys := kdf(phase1, ":kdf_phase1", 64)
	check("ENC_K1", keys[:32])
	check("MAC_K1", keys[32:])
	clientMsg := enc(keys[:32], kat["CM"])
	msgMAC := mac(keys[32:], slices.Concat(id, bigB, bigX, clientMsg), ":msg_mac")
	check("msg_mac", msgMAC)
	check("client_handshake", slices.Concat(id, bigB, bigX, clientMsg, msgMAC))

	secret := slices.Concat(dh(y, bigX), dh(kat["b"], bigX), id, bigB, bigX, bigY, []byte(protoID), encap(kat["VER"]))
	seed := hash(secret, ":key_seed")
	check("key_seed", seed)
	verify := hash(secret, ":verify")
	check("verify", verify)
	raw := kdf(seed, ":kdf_final", 32+len(kat["KEYSTREAM"]))
	check("ENC_KEY (server)", raw[:32])
	check("KEYSTREAM", raw[32:])
	serverMsg := enc(raw[:32], kat["SM"])
	auth := hash(slices.Concat(verify, id, bigB, bigY, bigX, msgMAC, encap(serverMsg), []byte(protoID), []byte("Server")), ":auth_final")
	check("AUTH", auth)
	check("server_handshake", slices.Concat(bigY, auth, serverMsg))
}

func readKAT(t *testing.T) map[string][]byte {
	t.Helper()
	text, err := os.ReadFile("testdata/ntor3-kat.txt")
	if err != nil {
		t.Fatal(err)
	}
	kat := make(map[string][]byte)
	for _, m := range regexp.MustCompile(`(?m)^(.+?) = "([0-9a-f]*)"$`).FindAllStringSubmatch(string(text), -1) {
		kat[m[1]] = unhex(t, m[2])
	}
	if len(kat) != 20 {
		t.Fatalf("read %d values, want 20", len(kat))
	}
	return kat
}

func TestCopyOfKnownAnswers(t *testing.T) {
	published, err := os.ReadFile("../../../shared/vectors/ntor3-kat.txt")
	if err != nil {
		t.Skip("SKIP ntor3-kat copy: the folder of published vectors is not beside the project")
	}
	copied, err := os.ReadFile("testdata/ntor3-kat.txt")
	if err != nil || !bytes.Equal(copied, published) {
		t.Errorf("testdata/ntor3-kat.txt differs from the published file (%v)", err)
	}
}
