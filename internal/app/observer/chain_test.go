package observer

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/culvert-net/culvert/mesh/world"
)

// A charter names a chain by what fits together; what could not be a contract's is
// refused, since nobody can change it later.
func TestCharterChain(t *testing.T) {
	const contract, code = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0x00000000000000000000000000000000000000000000000000000000000000a1"
	for name, c := range map[string]struct {
		o       ChainOptions
		sandbox bool
		id      uint64
		want    string // in the error
	}{
		"none":               {ChainOptions{}, false, 0, ""},
		"filecoin":           {ChainOptions{Network: "filecoin", Contract: contract, CodeHash: code}, false, 314, ""},
		"calibration":        {ChainOptions{Network: "calibration", Contract: strings.ToLower(contract), CodeHash: code}, false, 314159, ""},
		"another":            {ChainOptions{ID: 137, Contract: contract, CodeHash: code}, false, 137, ""},
		"a sandbox":          {ChainOptions{Network: "dev", Contract: contract, CodeHash: code}, true, 31337, ""},
		"money that is none": {ChainOptions{Network: "dev", Contract: contract, CodeHash: code}, false, 0, "--sandbox"},
		"the same by number": {ChainOptions{ID: 31337, Contract: contract, CodeHash: code}, false, 0, "--sandbox"},
		"two chains":         {ChainOptions{Network: "filecoin", ID: 314, Contract: contract, CodeHash: code}, false, 0, "not by both"},
		"a name of no chain": {ChainOptions{Network: "solana", Contract: contract, CodeHash: code}, false, 0, "filecoin, calibration and dev"},
		"no chain":           {ChainOptions{Contract: contract, CodeHash: code}, false, 0, "--chain is missing"},
		"too large":          {ChainOptions{ID: 1 << 63, Contract: contract, CodeHash: code}, false, 0, "no chain's number"},
		"no contract":        {ChainOptions{Network: "filecoin", CodeHash: code}, false, 0, "both needed"},
		"no hash":            {ChainOptions{Network: "filecoin", Contract: contract}, false, 0, "both needed"},
		"a short address":    {ChainOptions{Network: "filecoin", Contract: contract[:41], CodeHash: code}, false, 0, "40 hexadecimal"},
		"zero":               {ChainOptions{Network: "filecoin", Contract: "0x" + strings.Repeat("0", 40), CodeHash: code}, false, 0, "zero is none"},
		"mistyped":           {ChainOptions{Network: "filecoin", Contract: strings.Replace(contract, "5aA", "5aa", 1), CodeHash: code}, false, 0, "mistyped"},
		"a hash of nothing":  {ChainOptions{Network: "filecoin", Contract: contract, CodeHash: "0x" + hex.EncodeToString(keccak(nil))}, false, 0, "no code"},
		"a hash without 0x":  {ChainOptions{Network: "filecoin", Contract: contract, CodeHash: code[2:]}, false, 0, "64 hexadecimal"},
	} {
		got, err := c.o.charter(c.sandbox)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
			continue
		}
		if c.id == 0 {
			if got != nil {
				t.Errorf("%s: %+v", name, got)
			}
			continue
		}
		if got == nil || got.ID != c.id || hex.EncodeToString(got.Contract[:]) != strings.ToLower(contract[2:]) || got.RuntimeCodeHash != (world.Hash{31: 0xa1}) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
