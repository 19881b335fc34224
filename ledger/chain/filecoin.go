package chain

import (
	"bytes"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/crypto/blake2b"

	"github.com/culvert-net/culvert/ledger"
)

// Filecoin writes the same account in two ways: 0x… as Ethereum does, and f410f…
// (t410f… on test networks), which is a delegated address in the name space of
// the Ethereum address manager: base32 of the address and a checksum of four
// bytes. An actor that has no Ethereum address is f0 and its number, and is
// 0xff, eleven zeros and the number for contracts.
//
// docs/spec/chain.md §6.

const (
	delegated       = 4  // the protocol of delegated addresses
	addressManager  = 10 // the actor in whose name space Ethereum's are
	filecoinSum     = 4  // bytes of the checksum
	delegatedPrefix = "410f"
	maskedID        = 0xff // first byte of an actor's number as an Ethereum address
)

var (
	// ErrFilecoinSum says that the checksum of a Filecoin address is wrong.
	ErrFilecoinSum = errors.New("the last letters of this address do not fit the others: it was mistyped or cut; copy it again")

	// ErrFilecoinKind is of a Filecoin address that contracts cannot name.
	ErrFilecoinKind = errors.New("it has no 0x form; use the f410f… (or t410f…) address of an Ethereum-style account")
)

// ToFilecoin is the f4 form of an address, or the t4 form on a test network.
func ToFilecoin(a ledger.Address, test bool) string {
	network := "f"
	if test {
		network = "t"
	}
	if id, ok := actorID(a); ok {
		return network + "0" + strconv.FormatUint(id, 10)
	}
	sum := filecoinChecksum(a)
	return network + delegatedPrefix + filecoinBase32().EncodeToString(append(a[:], sum...))
}

// FromFilecoin is the address that a text in f4, t4, f0 or t0 form names.
func FromFilecoin(s string) (ledger.Address, error) {
	if len(s) > maxAddressText {
		return ledger.Address{}, fmt.Errorf("an address has at most %d characters, not %d", maxAddressText, len(s))
	}
	if len(s) < 2 || s[0] != 'f' && s[0] != 't' {
		return ledger.Address{}, fmt.Errorf("%q is no Filecoin address; those begin with f or t", s)
	}
	if number, ok := strings.CutPrefix(s[1:], "0"); ok {
		return maskedAddress(s, number)
	}
	text, ok := strings.CutPrefix(s[1:], delegatedPrefix)
	if !ok {
		return ledger.Address{}, fmt.Errorf("%s: %w", s, ErrFilecoinKind)
	}
	b, err := filecoinBase32().DecodeString(text)
	// Encoded again it must be the same: the last letter has bits to spare.
	if err != nil || len(b) != len(ledger.Address{})+filecoinSum || filecoinBase32().EncodeToString(b) != text {
		return ledger.Address{}, fmt.Errorf("%s: after %s%s come 39 letters a to z and digits 2 to 7", s, s[:1], delegatedPrefix)
	}
	a := ledger.Address(b[:len(ledger.Address{})])
	if !bytes.Equal(b[len(a):], filecoinChecksum(a)) {
		return ledger.Address{}, fmt.Errorf("%s: %w", s, ErrFilecoinSum)
	}
	if _, ok := actorID(a); ok {
		return ledger.Address{}, fmt.Errorf("%s stands for an actor's number, which is written f0…", s)
	}
	return a, nil
}

// ParseAddress reads an address in Ethereum's or in Filecoin's form.
func ParseAddress(s string) (ledger.Address, error) {
	if strings.HasPrefix(s, "f") || strings.HasPrefix(s, "t") {
		return FromFilecoin(s)
	}
	return ledger.ParseAddress(s)
}

// filecoinBase32 is RFC 4648's in small letters, without padding.
func filecoinBase32() *base32.Encoding {
	return base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)
}

func filecoinChecksum(a ledger.Address) []byte {
	h, err := blake2b.New(filecoinSum, nil)
	if err != nil {
		panic("unreachable: BLAKE2b has sums of four bytes: " + err.Error())
	}
	h.Write([]byte{delegated, addressManager})
	h.Write(a[:])
	return h.Sum(nil)
}

// actorID is the number in an address that stands for one.
func actorID(a ledger.Address) (uint64, bool) {
	if a[0] != maskedID || !bytes.Equal(a[1:12], make([]byte, 11)) {
		return 0, false
	}
	return binary.BigEndian.Uint64(a[12:]), true
}

func maskedAddress(s, number string) (a ledger.Address, err error) {
	id, err := strconv.ParseUint(number, 10, 64)
	if err != nil || strconv.FormatUint(id, 10) != number {
		return a, fmt.Errorf("%s: after %s comes an actor's number", s, s[:2])
	}
	a[0] = maskedID
	binary.BigEndian.PutUint64(a[12:], id)
	return a, nil
}
