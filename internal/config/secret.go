package config

import (
	"crypto/subtle"
	"fmt"
	"io"
	"log/slog"
)

// masked is what is seen of a secret that is set.
const masked = "********"

// Secret is a password or key. It prints, logs and marshals as asterisks, or
// as nothing if it is empty; only Reveal gives it away.
type Secret struct {
	// A pointer, because fmt prints the unexported fields of a struct around a
	// Secret without asking its methods, but stops at a pointer. nil is empty.
	text *string
}

// NewSecret wraps text.
func NewSecret(text string) Secret {
	if text == "" {
		return Secret{}
	}
	return Secret{&text}
}

// Reveal returns the secret, for the one place that sends or compares it.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// Set reports whether the secret is not empty.
func (s Secret) Set() bool { return s.text != nil }

// Equal compares in a time that depends on the lengths only.
func (s Secret) Equal(text string) bool {
	return subtle.ConstantTimeCompare([]byte(s.Reveal()), []byte(text)) == 1
}

// String implements fmt.Stringer.
func (s Secret) String() string {
	if s.text == nil {
		return ""
	}
	return masked
}

// Format implements fmt.Formatter: no verb shows more than String.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// LogValue implements slog.LogValuer.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText implements encoding.TextMarshaler, and so JSON and TOML.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
