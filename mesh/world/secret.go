package world

import (
	"fmt"
	"io"
)

// Secret is a 32-byte key from which identifiers are derived: a group's master
// or a control-plane key. It cannot be compared with ==, printed, logged or
// encoded, because whoever learns it can compute every TargetRef of the epoch.
type Secret struct {
	_   [0]func() // not comparable
	key [32]byte
}

// NewSecret takes over key.
func NewSecret(key [32]byte) *Secret { return &Secret{key: key} }

// Format hides the key from every verb of package fmt, and so from slog.
func (*Secret) Format(w fmt.State, _ rune) { _, _ = io.WriteString(w, "world.Secret(hidden)") }

// MarshalText hides the key from encoding/json and slog's JSON handler.
func (*Secret) MarshalText() ([]byte, error) { return []byte("world.Secret(hidden)"), nil }

// Erase overwrites the key. Derivations from an erased secret are worthless.
func (s *Secret) Erase() { clear(s.key[:]) }
