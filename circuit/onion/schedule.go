package onion

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"slices"
)

// Sizes of what one direction's chain is made of.
const (
	keySize   = 32
	nonceSize = 12
	chainSize = 32
)

// chain is one direction of one hop: the AEAD key, the nonce base and the
// key from which the next chain is stepped.
type chain struct {
	_     [0]func() // not comparable
	key   [keySize]byte
	base  [nonceSize]byte
	chain [chainSize]byte
}

// Keys is what a handshake leaves at both ends: a chain per direction. It can
// be neither compared nor printed.
type Keys struct {
	_                 [0]func()
	forward, backward chain
}

// Erase overwrites the keys. The Layers made from them hold their own copies.
func (k *Keys) Erase() { *k = Keys{} }

// String keeps keys out of every log.
func (k *Keys) String() string { return "onion.Keys" }

// GoString keeps keys out of every log.
func (k *Keys) GoString() string { return "onion.Keys" }

// MarshalJSON keeps keys out of every document.
func (k *Keys) MarshalJSON() ([]byte, error) {
	return nil, errors.New("onion: keys are not encoded")
}

// transcript is everything both ends know when they derive keys.
type transcript struct {
	world        [32]byte
	place, suite byte
	xy, xb       []byte   // DH(x,Y), DH(x,B)
	target       [32]byte // ID
	onion        []byte   // B
	x, y         []byte   // X, Y
	create       []byte   // CREATE bytes
}

// schedule derives the two chains and AUTH:
//
//	secret = DH(x,Y) ‖ DH(x,B) ‖ ID ‖ B ‖ X ‖ Y ‖ SHA-256(CREATE) ‖ SHA-256(Y) ‖ protocol
//	okm    = HKDF-SHA256(secret, no salt, "culvert-circ-1" ‖ world ‖ suite ‖ place)
//	       = forward{key, base, chain} ‖ backward{key, base, chain} ‖ auth key
//	AUTH   = HMAC-SHA256(auth key, "culvert-circ-1-auth" ‖ ID ‖ B ‖ X ‖ Y ‖ SHA-256(CREATE) ‖ SHA-256(Y))
//
// Y is all of a suite 1 CREATED before AUTH. docs/spec/circuit.md §2.
func schedule(t transcript) (*Keys, []byte) {
	hCreate, hCreated := sha256.Sum256(t.create), sha256.Sum256(t.y)
	public := slices.Concat(t.target[:], t.onion, t.x, t.y, hCreate[:], hCreated[:])
	secret := slices.Concat(t.xy, t.xb, public, []byte(protocol))
	info := infoLabel + string(t.world[:]) + string([]byte{t.suite, t.place})

	const perChain = keySize + nonceSize + chainSize
	okm, err := hkdf.Key(sha256.New, secret, nil, info, 2*perChain+sha256.Size)
	if err != nil {
		panic("onion: HKDF gives at least 8,160 bytes: " + err.Error())
	}
	k := new(Keys)
	rest := okm
	for _, c := range []*chain{&k.forward, &k.backward} {
		rest = rest[copy(c.key[:], rest):]
		rest = rest[copy(c.base[:], rest):]
		rest = rest[copy(c.chain[:], rest):]
	}
	mac := hmac.New(sha256.New, rest)
	mac.Write([]byte(authLabel))
	mac.Write(public)
	auth := mac.Sum(nil)
	for _, b := range [][]byte{secret, okm, t.xy, t.xb} {
		clear(b)
	}
	return k, auth
}
