package world

import (
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"io"

	"golang.org/x/crypto/chacha20poly1305"

	"github.com/culvert-net/culvert/mesh/world/postcard"
)

// Secret is a 32-byte key from which others and identifiers are derived: a
// group's master, a control-plane key, a member's or an observer's own secret. It cannot be compared with ==, printed, logged or
// encoded, because whoever learns it can compute every TargetRef of the epoch.
type Secret struct {
	_   [0]func() // not comparable
	key [32]byte
}

// NewSecret takes over key.
func NewSecret(key [32]byte) *Secret { return &Secret{key: key} }

// RandomSecret makes a new one.
func RandomSecret() *Secret {
	s := new(Secret)
	_, _ = rand.Read(s.key[:]) // never fails: it ends the program first
	return s
}

// Derive makes another secret for one purpose by HKDF-SHA256 without salt. The
// info is the label and each part with its length before it, so that no two
// lists of parts are the same bytes.
func (s *Secret) Derive(label string, parts ...[]byte) *Secret {
	info := postcard.AppendString(nil, label)
	for _, p := range parts {
		info = postcard.AppendBytes(info, p)
	}
	out, err := hkdf.Key(sha256.New, s.key[:], nil, string(info), len(s.key))
	if err != nil {
		panic("world: HKDF gives 32 bytes: " + err.Error())
	}
	return NewSecret([32]byte(out))
}

// Keyed is the BLAKE3 hash of label and parts under the secret. Parts are
// joined as they are: all but the last have a fixed length.
func (s *Secret) Keyed(label string, parts ...[]byte) Hash {
	return keyedSum(&s.key, append([][]byte{[]byte(label)}, parts...)...)
}

// AEAD is ChaCha20-Poly1305 under the secret. Derive one secret for each
// purpose and direction, so that a counter may be the nonce.
func (s *Secret) AEAD() cipher.AEAD {
	aead, err := chacha20poly1305.New(s.key[:])
	if err != nil {
		panic("world: the key has the right size: " + err.Error())
	}
	return aead
}

// Reveal is the key itself, for what keeps it in a file or seals it to a member.
func (s *Secret) Reveal() [32]byte { return s.key }

// Format hides the key from every verb of package fmt, and so from slog.
func (*Secret) Format(w fmt.State, _ rune) { _, _ = io.WriteString(w, "world.Secret(hidden)") }

// MarshalText hides the key from encoding/json and slog's JSON handler.
func (*Secret) MarshalText() ([]byte, error) { return []byte("world.Secret(hidden)"), nil }

// Erase overwrites the key. Derivations from an erased secret are worthless.
func (s *Secret) Erase() { clear(s.key[:]) }
