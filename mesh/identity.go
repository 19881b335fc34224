package mesh

import (
	"crypto/ed25519"
	"errors"
	"fmt"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
)

// ErrKeyType is returned for a peer id that does not hold an Ed25519 key. The
// network has no other transport keys.
var ErrKeyType = errors.New("peer id does not hold an ed25519 key")

// idPrefix comes before the key in a peer id: an identity multihash of 36
// bytes, in them libp2p's PublicKey message {type: Ed25519, data: 32 bytes}.
const idPrefix = "\x00\x24\x08\x01\x12\x20"

// PeerID is the text form of a transport key, as it stands behind /p2p/ in an
// address.
func PeerID(key [32]byte) string { return idOf(key).String() }

// ParsePeerID is the reverse of PeerID. It returns ErrKeyType for peer ids of
// other kinds.
func ParsePeerID(s string) ([32]byte, error) {
	id, err := peer.Decode(s)
	if err != nil {
		return [32]byte{}, fmt.Errorf("parsing peer id: %w", err)
	}
	return keyOf(id)
}

func idOf(key [32]byte) peer.ID { return peer.ID(idPrefix + string(key[:])) }

func keyOf(id peer.ID) (key [32]byte, err error) {
	if len(id) != len(idPrefix)+len(key) || id[:len(idPrefix)] != idPrefix {
		return key, ErrKeyType
	}
	copy(key[:], id[len(idPrefix):])
	return key, nil
}

// identity turns a node's private key into libp2p's; a nil one is made anew.
func identity(key ed25519.PrivateKey) (crypto.PrivKey, [32]byte, error) {
	if key == nil {
		var err error
		if _, key, err = ed25519.GenerateKey(nil); err != nil {
			return nil, [32]byte{}, fmt.Errorf("making a host key: %w", err)
		}
	}
	if len(key) != ed25519.PrivateKeySize {
		return nil, [32]byte{}, errors.New("host key has the wrong length")
	}
	priv, err := crypto.UnmarshalEd25519PrivateKey(key)
	if err != nil {
		return nil, [32]byte{}, fmt.Errorf("reading the host key: %w", err)
	}
	return priv, [32]byte(key.Public().(ed25519.PublicKey)), nil
}
