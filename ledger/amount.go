package ledger

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/big"
	"math/bits"
	"strings"
)

// Amount is money in wei, the smallest unit of a deployment's asset: an
// unsigned integer of 96 bits, as the contract keeps it. Amounts compare with
// == and are keys of maps; the zero value is nothing.
//
// docs/spec/ledger.md §1.
type Amount struct {
	hi uint32
	lo uint64
}

// MaxAmount is the largest amount there is.
var MaxAmount = Amount{hi: math.MaxUint32, lo: math.MaxUint64}

var (
	// ErrOverflow says that a result does not fit into 96 bits. The contract
	// reverts in the same place.
	ErrOverflow = errors.New("the amount is above 2^96-1 wei")

	// ErrUnderflow says that a result would be below zero.
	ErrUnderflow = errors.New("the amount would be below zero")
)

// Wei is an amount of so many wei.
func Wei(n uint64) Amount { return Amount{lo: n} }

// AmountOfBig converts what libraries for the chain speak.
func AmountOfBig(n *big.Int) (Amount, error) {
	switch {
	case n.Sign() < 0:
		return Amount{}, ErrUnderflow
	case n.BitLen() > 96:
		return Amount{}, ErrOverflow
	}
	var b [12]byte
	n.FillBytes(b[:])
	return AmountOfBytes(b), nil
}

// AmountOfBytes reads 12 bytes, big-endian.
func AmountOfBytes(b [12]byte) Amount {
	return Amount{hi: binary.BigEndian.Uint32(b[:4]), lo: binary.BigEndian.Uint64(b[4:])}
}

// Bytes are 12 bytes, big-endian.
func (a Amount) Bytes() (b [12]byte) {
	binary.BigEndian.PutUint32(b[:4], a.hi)
	binary.BigEndian.PutUint64(b[4:], a.lo)
	return b
}

// Big is a new integer of the same value.
func (a Amount) Big() *big.Int {
	b := a.Bytes()
	return new(big.Int).SetBytes(b[:])
}

// IsZero reports whether a is nothing.
func (a Amount) IsZero() bool { return a == Amount{} }

// Cmp is -1, 0 or +1 as a is less than, equal to or more than b.
func (a Amount) Cmp(b Amount) int {
	switch {
	case a == b:
		return 0
	case a.hi < b.hi || a.hi == b.hi && a.lo < b.lo:
		return -1
	default:
		return 1
	}
}

// Less reports whether a is less than b.
func (a Amount) Less(b Amount) bool { return a.Cmp(b) < 0 }

// Add is a + b, or ErrOverflow.
func (a Amount) Add(b Amount) (Amount, error) {
	lo, carry := bits.Add64(a.lo, b.lo, 0)
	hi := uint64(a.hi) + uint64(b.hi) + carry
	if hi > math.MaxUint32 {
		return Amount{}, ErrOverflow
	}
	return Amount{uint32(hi), lo}, nil
}

// Sub is a - b, or ErrUnderflow.
func (a Amount) Sub(b Amount) (Amount, error) {
	if a.Less(b) {
		return Amount{}, ErrUnderflow
	}
	lo, borrow := bits.Sub64(a.lo, b.lo, 0)
	return Amount{uint32(uint64(a.hi) - uint64(b.hi) - borrow), lo}, nil
}

// Half is a / 2, rounded down.
func (a Amount) Half() Amount {
	return Amount{a.hi >> 1, a.lo>>1 | uint64(a.hi&1)<<63}
}

// MinAmount is the lesser of two amounts.
func MinAmount(a, b Amount) Amount {
	if b.Less(a) {
		return b
	}
	return a
}

// String is the number of wei, in decimal: the form of files and of JSON, which
// [ParseAmount] reads.
func (a Amount) String() string {
	// 10^18 is below 2^64, and 2^96 is below 10^36: two digits to that base.
	const base = 1_000_000_000_000_000_000
	q1, r := bits.Div64(0, uint64(a.hi), base) // hi < base, so q1 is 0
	q0, rest := bits.Div64(r, a.lo, base)
	if q1 == 0 && q0 == 0 {
		return fmt.Sprint(rest)
	}
	return fmt.Sprintf("%d%018d", q0, rest)
}

// MarshalText is String.
func (a Amount) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads what ParseAmount reads.
func (a *Amount) UnmarshalText(text []byte) error {
	parsed, err := ParseAmount(string(text))
	if err != nil {
		return err
	}
	*a = parsed
	return nil
}

// unit is a name of a power of ten of wei.
type unit struct {
	name   string
	digits int
}

// units are those that are read and written, the largest first.
func units() []unit { return []unit{{"eth", 18}, {"gwei", 9}, {"wei", 0}} }

// Format is a for people, exactly: in the largest unit of which there is at
// least a thousandth, as "1.5 eth", "20 gwei" or "7 wei". ParseAmount reads it.
func (a Amount) Format() string {
	digits := a.String()
	for _, u := range units() {
		if u.digits > 0 && len(digits) <= u.digits-3 {
			continue // less than a thousandth of it
		}
		padded := strings.Repeat("0", max(0, u.digits+1-len(digits))) + digits
		whole, part := padded[:len(padded)-u.digits], padded[len(padded)-u.digits:]
		if part = strings.TrimRight(part, "0"); part != "" {
			part = "." + part
		}
		return whole + part + " " + u.name
	}
	panic("unreachable: every amount is a number of wei")
}

// maxAmountText is as long as an amount in text may be: the longest that is
// not padded has 30 digits, a point and a unit.
const maxAmountText = 64

// ParseAmount reads "1.5 eth", "20 gwei", "123 wei", or a plain number of wei.
// A fraction of a wei is an error, never rounded.
func ParseAmount(s string) (Amount, error) {
	if len(s) > maxAmountText {
		return Amount{}, fmt.Errorf("an amount has at most %d characters, not %d", maxAmountText, len(s))
	}
	number, name, named := strings.Cut(strings.TrimSpace(s), " ")
	name = strings.ToLower(strings.TrimSpace(name))
	if !named {
		name = "wei"
	}
	for _, u := range units() {
		if u.name == name {
			return parseDecimal(s, number, u.digits)
		}
	}
	return Amount{}, fmt.Errorf("%q: the unit of an amount is wei, gwei or eth, as in \"1.5 eth\"", s)
}

// parseDecimal reads number times ten to the power of digits; s is for errors.
func parseDecimal(s, number string, digits int) (Amount, error) {
	whole, part, point := strings.Cut(number, ".")
	if whole == "" || point && part == "" || strings.Trim(whole+part, "0123456789") != "" {
		return Amount{}, fmt.Errorf("%q is no amount; write \"1.5 eth\", \"20 gwei\" or a number of wei", s)
	}
	if part = strings.TrimRight(part, "0"); len(part) > digits {
		return Amount{}, fmt.Errorf("%q has a fraction of a wei, and a wei is not divided", s)
	}
	n, ok := new(big.Int).SetString(whole+part+strings.Repeat("0", digits-len(part)), 10)
	if !ok {
		panic("unreachable: these are digits")
	}
	a, err := AmountOfBig(n)
	if err != nil {
		return Amount{}, fmt.Errorf("%q: %w", s, err)
	}
	return a, nil
}
