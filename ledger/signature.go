package ledger

import (
	"bytes"
	"crypto/ecdsa"
	"errors"
	"fmt"

	"github.com/ethereum/go-ethereum/crypto"

	"github.com/culvert-net/culvert/ledger/curve"
)

// Signature is one of secp256k1 in the compact form of EIP-2098: r, then s with
// the parity of the recovered point in its top bit, which is free since s is
// low. There is one form of each, so signed bytes can be compared.
//
// docs/spec/ledger.md §4.
type Signature [64]byte

// ErrSignature says that a signature is nobody's. It never says why: a peer
// that forges learns nothing.
var ErrSignature = errors.New("the signature is not valid")

// halfN is half of the group's order, rounded down: the largest low s.
var halfN = [32]byte{
	0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0x5d, 0x57, 0x6e, 0x73, 0x57, 0xa4, 0x50, 0x1d, 0xdf, 0xe9, 0x2f, 0x46, 0x68, 0x1b, 0x20, 0xa0,
}

// Recover is the address whose key signed the digest. It is never the zero
// address. A wrong digest gives another address or ErrSignature, so the result
// has to be compared.
func (s Signature) Recover(digest Hash) (Address, error) {
	_, a, err := s.RecoverKey(digest)
	return a, err
}

// RecoverKey is Recover with the key itself.
func (s Signature) RecoverKey(digest Hash) (PublicKey, Address, error) {
	r, low, odd, ok := s.parts()
	if !ok {
		return PublicKey{}, Address{}, ErrSignature
	}
	pub, ok := curve.Recover((*[32]byte)(&digest), &r, &low, odd)
	if !ok {
		return PublicKey{}, Address{}, ErrSignature
	}
	a := addressOf(pub[:])
	if a.IsZero() {
		return PublicKey{}, Address{}, ErrSignature
	}
	return pub, a, nil
}

// parts are the numbers r and s, and the parity; false: s is high.
func (s Signature) parts() (r, low [32]byte, odd, ok bool) {
	r, low = [32]byte(s[:32]), [32]byte(s[32:])
	odd = low[0]>>7 == 1
	low[0] &= 0x7f
	return r, low, odd, bytes.Compare(low[:], halfN[:]) <= 0
}

// PublicKey is the x and y of one.
type PublicKey [64]byte

// Signer is a public key with some of its multiples, 16 kB, by which its signatures
// are checked in less than half the time. It is immutable.
type Signer struct {
	key     *curve.Key
	address Address
}

// Signer makes one of the key, in the time of three checks; false: it is no key, or
// one whose address is zero.
func (p PublicKey) Signer() (*Signer, bool) {
	key, ok := curve.NewKey((*[64]byte)(&p))
	a := addressOf(p[:])
	if !ok || a.IsZero() {
		return nil, false
	}
	return &Signer{key, a}, true
}

// Address is whose signatures it checks.
func (s *Signer) Address() Address { return s.address }

// Signed reports whether Recover gives the signer's address.
func (s *Signer) Signed(digest Hash, sig Signature) bool {
	r, low, odd, ok := sig.parts()
	return ok && s.key.Signed((*[32]byte)(&digest), &r, &low, odd)
}

// addressOf is the address of a public key, x and y.
func addressOf(pub []byte) Address { return Address(crypto.Keccak256(pub)[12:]) }

// Key is a private key of secp256k1: a session's, a provider's or a funder's. It
// cannot be compared with ==, printed, logged or encoded.
type Key struct {
	_       [0]func() // not comparable
	private *ecdsa.PrivateKey
	address Address
}

// NewKey makes a key of chance.
func NewKey() *Key {
	private, err := crypto.GenerateKey()
	if err != nil {
		panic("ledger: chance never fails: " + err.Error())
	}
	return wrapKey(private)
}

// KeyOfBytes takes 32 bytes as a key; those of zero or beyond the group's order
// are none.
func KeyOfBytes(b [32]byte) (*Key, error) {
	private, err := crypto.ToECDSA(b[:])
	if err != nil {
		return nil, errors.New("these 32 bytes are no key of secp256k1; make a new one")
	}
	return wrapKey(private), nil
}

func wrapKey(private *ecdsa.PrivateKey) *Key {
	return &Key{private: private, address: addressOf(crypto.FromECDSAPub(&private.PublicKey)[1:])}
}

// Address is whose signatures the key makes.
func (k *Key) Address() Address { return k.address }

// Secret are the key's bytes, for whoever stores it under a password.
func (k *Key) Secret() [32]byte { return [32]byte(crypto.FromECDSA(k.private)) }

// ECDSA is the key for whoever signs transactions. It must not be changed.
func (k *Key) ECDSA() *ecdsa.PrivateKey { return k.private }

// Sign signs a digest. The same digest gives the same signature (RFC 6979).
func (k *Key) Sign(digest Hash) (s Signature) {
	full, err := crypto.Sign(digest[:], k.private)
	if err != nil {
		panic("ledger: a key signs 32 bytes: " + err.Error())
	}
	copy(s[:], full)
	s[32] |= full[64] << 7
	return s
}

// String shows the address, never the key.
func (k *Key) String() string { return "key of " + k.address.String() }

// Format shows the address whatever the verb: %#v would print the fields.
func (k *Key) Format(f fmt.State, _ rune) { _, _ = fmt.Fprint(f, k.String()) }

// MarshalText refuses: a key in a file of text is a mistake.
func (k *Key) MarshalText() ([]byte, error) {
	return nil, errors.New("a private key is not written as text; use an encrypted keystore")
}
