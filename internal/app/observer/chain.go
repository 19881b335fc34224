package observer

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strings"

	"golang.org/x/crypto/sha3"

	"github.com/culvert-net/culvert/ledger/network"
	"github.com/culvert-net/culvert/mesh/world"
)

// ChainOptions say which contract a world's money is on.
type ChainOptions struct {
	Network  string // by name
	ID       uint64 // or by number
	Contract string
	CodeHash string
}

// charter is the chain as a charter has it; nil: the world has no money. Nobody asks
// the chain: what cannot be is refused, and the rest is its founder's word.
func (o ChainOptions) charter(sandbox bool) (*world.Chain, error) {
	if o == (ChainOptions{}) {
		return nil, nil
	}
	c := &world.Chain{ID: o.ID}
	dev := false
	switch {
	case o.Network != "" && o.ID != 0:
		return nil, errors.New("the chain is named by --chain, or by --chain-id, and not by both")
	case o.Network != "":
		n, err := network.Named(o.Network)
		if err != nil {
			return nil, fmt.Errorf("--chain: %w; or give its number with --chain-id", err)
		}
		c.ID, dev = n.ChainID, n.Dev
	case o.ID == 0:
		return nil, errors.New("--chain is missing: a contract alone is on no chain")
	case o.ID > math.MaxInt64:
		return nil, fmt.Errorf("--chain-id: %d is no chain's number", o.ID)
	}
	if dev = dev || c.ID == network.DevChainID; dev && !sandbox {
		return nil, fmt.Errorf("chain %d is one of one machine, whose money everybody can make; take it with --sandbox only", network.DevChainID)
	}
	if o.Contract == "" || o.CodeHash == "" {
		return nil, errors.New("--chain-contract and --chain-code-hash are both needed: without the hash, any program at that address would get the money; gateway market deploy prints both")
	}
	if err := unhex(c.Contract[:], o.Contract); err != nil {
		return nil, fmt.Errorf("--chain-contract: %w", err)
	}
	if !spelled(o.Contract) {
		return nil, fmt.Errorf("--chain-contract: the capitals of %s do not fit its digits: it was mistyped or cut; copy it again", o.Contract)
	}
	if err := unhex(c.RuntimeCodeHash[:], o.CodeHash); err != nil {
		return nil, fmt.Errorf("--chain-code-hash: %w", err)
	}
	if c.RuntimeCodeHash == world.Hash(keccak(nil)) {
		return nil, errors.New("--chain-code-hash: that is the hash of no code, which an address without a contract has")
	}
	return c, nil
}

// unhex reads 0x and so many bytes, of which not all are zero.
func unhex(out []byte, text string) error {
	digits, ok := strings.CutPrefix(text, "0x")
	b, err := hex.DecodeString(digits)
	switch {
	case !ok || err != nil || len(b) != len(out):
		return fmt.Errorf("%q is not 0x and %d hexadecimal digits", text, 2*len(out))
	case strings.Trim(digits, "0") == "":
		return errors.New("zero is none")
	}
	copy(out, b)
	return nil
}

// spelled reports whether an address has the capitals that its digits call for
// (EIP-55), or none, or no small letters.
func spelled(address string) bool {
	digits := address[2:]
	small := strings.ToLower(digits)
	if digits == small || digits == strings.ToUpper(digits) {
		return true
	}
	sum := hex.EncodeToString(keccak([]byte(small)))
	for i, c := range digits {
		if letter := c > '9'; letter && (c < 'a') != (sum[i] >= '8') {
			return false
		}
	}
	return true
}

func keccak(b []byte) []byte {
	h := sha3.NewLegacyKeccak256()
	_, _ = h.Write(b) // never fails
	return h.Sum(nil)
}
