package keys

import (
	"errors"
	"fmt"
	"math/bits"
	"strconv"
)

// Amount is a sum of money in its smallest unit (wei). It has 128 bits: what
// one payment can be has 96, so sums of them do not wrap. Amounts are compared
// with Compare, and with ==.
type Amount struct{ hi, lo uint64 }

// MaxAmount is the largest limit: the most that there can be of any money.
var MaxAmount = Amount{hi: 1<<32 - 1, lo: 1<<64 - 1}

// most is what more than it becomes.
var most = Amount{hi: 1<<64 - 1, lo: 1<<64 - 1}

var errAmount = errors.New("an amount of money is a whole number of wei, in digits, below 2^96")

// ParseAmount reads a decimal number, in the one form it has, up to MaxAmount.
func ParseAmount(text string) (Amount, error) {
	a, err := parseAmount(text)
	if err != nil || a.Compare(MaxAmount) > 0 {
		return Amount{}, errAmount
	}
	return a, nil
}

// parseAmount is ParseAmount for what sums up to.
func parseAmount(text string) (a Amount, err error) {
	if text == "" || text[0] == '0' && text != "0" {
		return Amount{}, errAmount
	}
	for _, c := range []byte(text) {
		if c < '0' || c > '9' {
			return Amount{}, errAmount
		}
		over, hi := bits.Mul64(a.hi, 10)
		middle, lo := bits.Mul64(a.lo, 10)
		lo, carry := bits.Add64(lo, uint64(c-'0'), 0)
		hi, wrapped := bits.Add64(hi, middle, carry)
		if over != 0 || wrapped != 0 {
			return Amount{}, errAmount
		}
		a = Amount{hi, lo}
	}
	return a, nil
}

// String is a in decimal.
func (a Amount) String() string {
	const group = 10_000_000_000_000_000_000 // 19 digits, as many as a word holds
	if a.hi == 0 {
		return strconv.FormatUint(a.lo, 10)
	}
	high, rest := a.hi/group, a.hi%group
	low, digits := bits.Div64(rest, a.lo, group)
	return Amount{hi: high, lo: low}.String() + fmt.Sprintf("%019d", digits)
}

// Compare is below, at or above 0 as a is less than, the same as or more than b.
func (a Amount) Compare(b Amount) int {
	switch {
	case a == b:
		return 0
	case a.hi < b.hi || a.hi == b.hi && a.lo < b.lo:
		return -1
	}
	return 1
}

// IsZero reports whether a is nothing.
func (a Amount) IsZero() bool { return a == Amount{} }

// add is a and b together, or the most there is.
func (a Amount) add(b Amount) Amount {
	lo, carry := bits.Add64(a.lo, b.lo, 0)
	hi, over := bits.Add64(a.hi, b.hi, carry)
	if over != 0 {
		return most
	}
	return Amount{hi, lo}
}

// less is what is left of a without b, at least nothing.
func (a Amount) less(b Amount) Amount {
	if a.Compare(b) <= 0 {
		return Amount{}
	}
	lo, borrow := bits.Sub64(a.lo, b.lo, 0)
	hi, _ := bits.Sub64(a.hi, b.hi, borrow)
	return Amount{hi, lo}
}

// MarshalText implements encoding.TextMarshaler: JSON's numbers would lose digits.
func (a Amount) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler. It reads whatever String
// wrote: what was used may be more than a limit can.
func (a *Amount) UnmarshalText(text []byte) (err error) {
	*a, err = parseAmount(string(text))
	return err
}
