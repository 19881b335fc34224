package directory

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"lukechampine.com/blake3"

	"github.com/culvert-net/culvert/mesh/world"
)

// Pay is where a node says that it is paid: as which provider of which contract.
// That it says so proves nothing; the contract knows who stands behind it.
type Pay struct {
	ChainID  uint64
	Contract [20]byte
	Provider [20]byte
}

// String is the value of the contact line after "pay:".
func (p Pay) String() string { return fmt.Sprintf("1:%d:0x%x:0x%x", p.ChainID, p.Contract, p.Provider) }

func comparePay(a, b Pay) int {
	return cmp.Or(cmp.Compare(a.ChainID, b.ChainID), bytes.Compare(a.Contract[:], b.Contract[:]), bytes.Compare(a.Provider[:], b.Provider[:]))
}

// SheetHash is what a contact line names a price sheet by.
func SheetHash(sheet []byte) world.Hash { return blake3.Sum256(sheet) }

// priceLine names a sheet.
func priceLine(h world.Hash) string { return "price:" + hex.EncodeToString(h[:]) }

// readPrice takes the hash of a sheet.
func (p *contactParser) readPrice(value string) error {
	var h world.Hash
	if !lowerHex(h[:], value) {
		return errLineForm
	}
	p.prices = append(p.prices, h) // lines are unique, so these are
	return nil
}

// readPay takes 1:<chain id>:<contract>:<provider>. Other versions are other
// kinds of line.
func (p *contactParser) readPay(value string) error {
	rest, ok := strings.CutPrefix(value, "1:")
	if !ok {
		return nil
	}
	parts := strings.Split(rest, ":")
	if len(parts) != 3 {
		return errLineForm
	}
	chain, err := strconv.ParseUint(parts[0], 10, 64)
	if err != nil || chain == 0 || strconv.FormatUint(chain, 10) != parts[0] {
		return errLineForm
	}
	pay := Pay{ChainID: chain}
	for i, out := range [][]byte{pay.Contract[:], pay.Provider[:]} {
		digits, ok := strings.CutPrefix(parts[1+i], "0x")
		if !ok || !lowerHex(out, digits) {
			return errLineForm
		}
	}
	if pay.Contract == [20]byte{} || pay.Provider == [20]byte{} {
		return errLineForm // the zero address is nobody's
	}
	p.pay = append(p.pay, pay)
	return nil
}

// lowerHex fills out from digits, of which there is one form only.
func lowerHex(out []byte, digits string) bool {
	b, err := hex.DecodeString(digits)
	return err == nil && len(b) == len(out) && copy(out, b) == len(out) && strings.ToLower(digits) == digits
}

// checkPayment bounds what a descriptor says of money, and sorts it.
func (c *contact) checkPayment() error {
	if len(c.prices) > maxPrices {
		return fmt.Errorf("%w: %d price sheets, at most %d are allowed", ReasonContact, len(c.prices), maxPrices)
	}
	if len(c.pay) > maxPay {
		return fmt.Errorf("%w: %d places to pay, at most %d are allowed", ReasonContact, len(c.pay), maxPay)
	}
	slices.SortFunc(c.prices, compareHash)
	slices.SortFunc(c.pay, comparePay)
	return nil
}

func compareHash(a, b world.Hash) int { return bytes.Compare(a[:], b[:]) }
