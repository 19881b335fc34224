package keys

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"strings"
)

// Prefix begins every key, so that people and scanners of leaked secrets
// recognise one.
const Prefix = "sk-culvert-"

const (
	secretSize = 32 // 256 bits: nobody tries them all
	checkSize  = 3  // one mistyped key of 16 million passes for a key nobody made
)

// alphabet is that of RFC 4648 in lower case: a key survives being read aloud,
// and no character of it ends a selection by double click. secretSize and
// checkSize fill its characters exactly, so a key has one spelling.
var alphabet = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// Domains of the hashes, so that one is never another.
const (
	domainCheck  = "culvert api key check 1"
	domainDigest = "culvert api key digest 1"
)

// Digest is what is kept of a key. SHA-256 without salt or stretching is
// enough: those slow down guessing what people choose, and a key is 256 bits
// of chance. It is the same for the same key, so a key is found in one step.
type Digest [sha256.Size]byte

var (
	// ErrNotOurs is returned for a text that is no key of any Culvert.
	ErrNotOurs = errors.New("not a key of this program")

	// ErrMistyped is returned for a key whose characters do not fit together.
	ErrMistyped = errors.New("mistyped or cut short")
)

// newKey makes a key. The text is shown once and kept nowhere.
func newKey() (text string, digest Digest) {
	var secret [secretSize]byte
	rand.Read(secret[:]) // never fails: crypto/rand crashes the program instead
	check := checksum(secret[:])
	return Prefix + alphabet.EncodeToString(append(secret[:], check[:]...)), digestOf(secret[:])
}

// Parse is the digest of a key, ErrNotOurs or ErrMistyped.
func Parse(text string) (Digest, error) {
	encoded, ours := strings.CutPrefix(text, Prefix)
	if !ours {
		return Digest{}, ErrNotOurs
	}
	var raw [secretSize + checkSize]byte
	if len(encoded) != alphabet.EncodedLen(len(raw)) {
		return Digest{}, ErrMistyped
	}
	if strings.ContainsAny(encoded, "\r\n") { // which the decoder would skip
		return Digest{}, ErrMistyped
	}
	if _, err := alphabet.Decode(raw[:], []byte(encoded)); err != nil {
		return Digest{}, ErrMistyped
	}
	secret := raw[:secretSize]
	if checksum(secret) != [checkSize]byte(raw[secretSize:]) { // not secret: it only finds mistakes
		return Digest{}, ErrMistyped
	}
	return digestOf(secret), nil
}

// hint is the end of a key: of its checksum, so it says nothing of the secret
// that could be of use.
func hint(text string) string { return text[len(text)-4:] }

func checksum(secret []byte) [checkSize]byte {
	sum := sha256.Sum256(append([]byte(domainCheck), secret...))
	return [checkSize]byte(sum[:])
}

func digestOf(secret []byte) Digest {
	return sha256.Sum256(append([]byte(domainDigest), secret...))
}

// newID makes the id of a key: a name for tables and circuits, no secret.
func newID() string {
	var raw [5]byte
	rand.Read(raw[:])
	return idPrefix + alphabet.EncodeToString(raw[:])
}
