package ledger

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/ethereum/go-ethereum/crypto"
)

// Hash is 32 bytes: a Keccak-256 digest that is signed, or a SHA-256 or BLAKE3
// hash inside of a message.
type Hash [32]byte

// ParseHash reads 0x and 64 hexadecimal digits.
func ParseHash(s string) (h Hash, err error) { return h, parseHex(h[:], s, "a hash") }

// String is 0x and the hash in hexadecimal.
func (h Hash) String() string { return "0x" + hex.EncodeToString(h[:]) }

// IsZero reports whether h was never set.
func (h Hash) IsZero() bool { return h == Hash{} }

// MarshalText is String.
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText is ParseHash.
func (h *Hash) UnmarshalText(text []byte) error { return parseHex(h[:], string(text), "a hash") }

// ChannelID names a channel: who is paid, whose vouchers, whose money.
type ChannelID [32]byte

// ChannelOf is the id of the channel of a provider, a session key and a funder,
// as the contract computes it: Keccak-256 of the three as 32-byte words. The
// funder is part of it so that nobody opens a channel under another's name.
//
// docs/spec/ledger.md §2.
func ChannelOf(provider, key, funder Address) ChannelID {
	var b [96]byte
	copy(b[12:], provider[:])
	copy(b[44:], key[:])
	copy(b[76:], funder[:])
	return ChannelID(crypto.Keccak256(b[:]))
}

// ParseChannelID reads 0x and 64 hexadecimal digits.
func ParseChannelID(s string) (c ChannelID, err error) { return c, parseHex(c[:], s, "a channel") }

// String is 0x and the id in hexadecimal.
func (c ChannelID) String() string { return "0x" + hex.EncodeToString(c[:]) }

// MarshalText is String.
func (c ChannelID) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText is ParseChannelID.
func (c *ChannelID) UnmarshalText(text []byte) error {
	return parseHex(c[:], string(text), "a channel")
}

// RoundID names one request for all that is signed about it. It is random, so
// that it says nothing.
type RoundID [16]byte

// ParseRoundID reads 0x and 32 hexadecimal digits.
func ParseRoundID(s string) (r RoundID, err error) { return r, parseHex(r[:], s, "a round") }

// String is 0x and the id in hexadecimal.
func (r RoundID) String() string { return "0x" + hex.EncodeToString(r[:]) }

// MarshalText is String.
func (r RoundID) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText is ParseRoundID.
func (r *RoundID) UnmarshalText(text []byte) error { return parseHex(r[:], string(text), "a round") }

// Address is an account or a contract of the chain. The zero address is
// nobody's.
type Address [20]byte

// errChecksum says that an address was mistyped: its capitals are a checksum.
var errChecksum = errors.New("the capitals of this address do not fit its digits: it was mistyped or cut; copy it again")

// ParseAddress reads 0x and 40 hexadecimal digits. If they are of both cases,
// their case must be the checksum of EIP-55.
func ParseAddress(s string) (Address, error) {
	var a Address
	if err := parseHex(a[:], s, "an address"); err != nil {
		return Address{}, err
	}
	digits := s[2:]
	if digits != strings.ToLower(digits) && digits != strings.ToUpper(digits) && s != a.String() {
		return Address{}, fmt.Errorf("%s: %w", s, errChecksum)
	}
	return a, nil
}

// String is 0x and 40 hexadecimal digits, with the checksum of EIP-55.
func (a Address) String() string {
	text := []byte("0x" + hex.EncodeToString(a[:]))
	sum := crypto.Keccak256(text[2:])
	for i := range text[2:] {
		nibble := sum[i/2] >> (4 * (1 - i%2)) & 0xf
		if c := &text[2+i]; *c >= 'a' && nibble >= 8 {
			*c -= 'a' - 'A'
		}
	}
	return string(text)
}

// IsZero reports whether a is nobody's.
func (a Address) IsZero() bool { return a == Address{} }

// MarshalText is String.
func (a Address) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText is ParseAddress.
func (a *Address) UnmarshalText(text []byte) error {
	parsed, err := ParseAddress(string(text))
	if err != nil {
		return err
	}
	*a = parsed
	return nil
}

// parseHex fills out from 0x and exactly as many digits as it takes.
func parseHex(out []byte, s, what string) error {
	digits, ok := strings.CutPrefix(s, "0x")
	if !ok || len(digits) != 2*len(out) {
		return fmt.Errorf("%s is 0x and %d hexadecimal digits", what, 2*len(out))
	}
	b, err := hex.DecodeString(digits)
	if err != nil {
		return fmt.Errorf("%s is 0x and %d hexadecimal digits: %w", what, 2*len(out), err)
	}
	copy(out, b)
	return nil
}
