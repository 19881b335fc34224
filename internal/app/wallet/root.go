package wallet

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"math/big"

	"github.com/culvert-net/culvert/ledger"
)

// Labels under which secrets are derived. None begins with another.
const (
	labelRoot    = "culvert wallet: session root 1"
	labelSession = "culvert wallet: session key 1"
)

// Root is the secret that all session keys of a bridge come from. It cannot be
// compared with ==, printed or encoded.
type Root struct {
	_      [0]func() // not comparable
	secret *[32]byte // a pointer, at which fmt stops
}

func newRoot() Root {
	var secret [32]byte
	_, _ = rand.Read(secret[:]) // never fails: the program would have ended
	return Root{secret: &secret}
}

// rootOf is the root that belongs to a wallet whose key came alone, from the
// environment: one secret is then all that a container has to be given.
func rootOf(key *ledger.Key) Root {
	secret := key.Secret()
	return Root{secret: (*[32]byte)(expand(secret[:], []byte(labelRoot), 32))}
}

// SessionPath is what a session key is for. Two paths give two keys that nobody
// can match without the root.
type SessionPath struct {
	Domain   ledger.Domain
	Provider ledger.Address
	Group    string // whose requests may be linked; at most 255 bytes
	Counter  uint64 // 0 for the first key, one more for each that replaces it
}

// Session is the key of a path: HKDF-SHA256 without salt, over label, chain id,
// contract, provider and counter, all of one length, and then the group. 384 bits
// come out, of which the remainder by the order less one, plus one, is the key: so
// it is never zero, and no number is likelier than another by more than 2^-128.
//
// docs/spec/wallet.md §3.
func (r Root) Session(p SessionPath) (*ledger.Key, error) {
	if len(p.Group) > maxGroup {
		return nil, fmt.Errorf("the name of an isolation group has at most %d bytes", maxGroup)
	}
	info := []byte(labelSession)
	info = binary.BigEndian.AppendUint64(info, p.Domain.ChainID)
	info = append(info, p.Domain.Contract[:]...)
	info = append(info, p.Provider[:]...)
	info = binary.BigEndian.AppendUint64(info, p.Counter)
	info = append(info, p.Group...)
	wide := new(big.Int).SetBytes(expand(r.secret[:], info, 48))
	one := big.NewInt(1)
	order := new(big.Int).SetBytes(groupOrder())
	wide.Mod(wide, order.Sub(order, one)).Add(wide, one)
	var secret [32]byte
	wide.FillBytes(secret[:])
	return ledger.KeyOfBytes(secret)
}

// groupOrder is that of secp256k1.
func groupOrder() []byte {
	return []byte{
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe,
		0xba, 0xae, 0xdc, 0xe6, 0xaf, 0x48, 0xa0, 0x3b, 0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36, 0x41, 0x41,
	}
}

func expand(secret, info []byte, n int) []byte {
	out, err := hkdf.Key(sha256.New, secret, nil, string(info), n)
	if err != nil {
		panic("wallet: HKDF gives so few bytes: " + err.Error())
	}
	return out
}

// Format shows nothing, whatever the verb.
func (r Root) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "session root") }

// MarshalText shows nothing: a root in a file of text is a mistake.
func (r Root) MarshalText() ([]byte, error) {
	return nil, fmt.Errorf("a %v is not written as text; use a keystore file", r)
}
