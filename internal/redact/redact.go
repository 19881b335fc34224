// Package redact lets logs and errors speak of a text without saying it: a
// prompt or completion becomes its length and a short keyed hash.
//
// String and Bytes make a Text, which may be handed to slog, fmt or JSON. The
// hash is keyed by a secret that this process made and forgets, so two lines
// about the same text can be matched and nobody can find the text by trying.
//
// It is not for passwords and keys, whose length is already too much
// (config.Secret), and it knows nothing of what it hides. A Text may be used
// concurrently.
//
// Implements: docs/conventions.md "Logs".
package redact

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
	"log/slog"
	"sync"
)

// hashBytes is how much of the hash is shown: enough to match two lines of a
// log, too little to be a name for a text.
const hashBytes = 4

// Text stands for a text that must not be shown. Its zero value stands for an
// empty one.
type Text struct {
	// A function, because fmt prints the unexported fields of a struct around
	// a Text without asking its methods, and of functions only the address.
	write func(io.Writer) (int, error)
}

// String hides s.
func String(s string) Text {
	return Text{func(w io.Writer) (int, error) { return io.WriteString(w, s) }}
}

// Bytes hides b, which must not change until the Text has been printed.
func Bytes(b []byte) Text {
	return Text{func(w io.Writer) (int, error) { return w.Write(b) }}
}

// String returns the length and hash.
func (t Text) String() string {
	n, mac := 0, newHash()
	if t.write != nil {
		n, _ = t.write(mac) // a hash returns no error
	}
	return fmt.Sprintf("redacted(%d bytes, %x)", n, mac.Sum(nil)[:hashBytes])
}

// Format implements fmt.Formatter: no verb shows more than String.
func (t Text) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, t.String()) }

// LogValue implements slog.LogValuer.
func (t Text) LogValue() slog.Value { return slog.StringValue(t.String()) }

// MarshalText implements encoding.TextMarshaler, and so JSON.
func (t Text) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// processKey is the one secret of this process. It is a constant in all but
// the time it is made.
var processKey = sync.OnceValue(func() [32]byte {
	var key [32]byte
	_, _ = rand.Read(key[:]) // never fails: the program would have ended
	return key
})

func newHash() hash.Hash {
	key := processKey()
	return hmac.New(sha256.New, key[:])
}
