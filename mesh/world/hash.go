package world

import (
	"encoding/hex"
	"fmt"
	"log/slog"

	"lukechampine.com/blake3"
)

// Hash is a BLAKE3-256 identifier: of a world, a rule bundle, a capability, a
// descriptor, an event.
type Hash [32]byte

// ParseHash reads 64 hexadecimal digits.
func ParseHash(s string) (Hash, error) {
	var h Hash
	if len(s) != hex.EncodedLen(len(h)) {
		return Hash{}, fmt.Errorf("an id has 64 hexadecimal digits, not %d characters", len(s))
	}
	if _, err := hex.Decode(h[:], []byte(s)); err != nil {
		return Hash{}, fmt.Errorf("an id has 64 hexadecimal digits: %w", err)
	}
	return h, nil
}

// String is the whole hash in hexadecimal.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// Short is the first four bytes, for people and logs.
func (h Hash) Short() string { return hex.EncodeToString(h[:4]) }

// LogValue keeps log lines readable.
func (h Hash) LogValue() slog.Value { return slog.StringValue(h.Short()) }

// IsZero reports whether h was never set. No input is known that hashes to it.
func (h Hash) IsZero() bool { return h == Hash{} }

// MarshalText writes the whole hash in hexadecimal.
func (h Hash) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, h[:]), nil }

// UnmarshalText reads 64 hexadecimal digits.
func (h *Hash) UnmarshalText(text []byte) error {
	parsed, err := ParseHash(string(text))
	if err != nil {
		return err
	}
	*h = parsed
	return nil
}

// Sum is the hash of canonical bytes that need no label, since they are those
// of one type: an event's body, a receipt without its id.
func Sum(canonical []byte) Hash { return Hash(blake3.Sum256(canonical)) }

// sum hashes the concatenation of parts. Every use starts with a label of its
// own, followed by parts of fixed length but for the last, so that no two uses
// can hash the same bytes.
func sum(parts ...[]byte) Hash {
	return Hash(blake3.Sum256(concat(parts)))
}

// keyedSum is sum with a key.
func keyedSum(key *[32]byte, parts ...[]byte) Hash {
	h := blake3.New(len(Hash{}), key[:])
	h.Write(concat(parts)) // a hash's Write returns no error
	return Hash(h.Sum(nil))
}

func concat(parts [][]byte) []byte {
	n := 0
	for _, p := range parts {
		n += len(p)
	}
	b := make([]byte, 0, n)
	for _, p := range parts {
		b = append(b, p...)
	}
	return b
}
