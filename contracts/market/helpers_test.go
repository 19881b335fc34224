package market_test

import (
	"encoding/json"
	"math/big"
	"os"
	"testing"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/common"

	"github.com/culvert-net/culvert/ledger"
)

// helper is a contract of ../test/Helpers.sol.
type helper struct {
	t   testing.TB
	ABI abi.ABI `json:"abi"`
	Bin string  `json:"bin"`
}

func helperOf(t testing.TB, name string) *helper {
	t.Helper()
	text, err := os.ReadFile("testdata/helpers.json")
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]*helper
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	h, ok := all[name]
	if !ok {
		t.Fatalf("no helper %s; run: go generate ./contracts/...", name)
	}
	h.t = t
	return h
}

func (h *helper) code() []byte { return common.FromHex(h.Bin) }

func (h *helper) pack(function string, args ...any) []byte {
	h.t.Helper()
	data, err := h.ABI.Pack(function, args...)
	if err != nil {
		h.t.Fatal(err)
	}
	return data
}

// on deploys the helper on a machine.
func (h *helper) on(x *machine) ledger.Address { return x.deploy(h.code(), nil) }

// token deploys a token on a machine, and gives everybody some.
func (h *helper) token(x *machine) ledger.Address {
	x.t.Helper()
	at := h.on(x)
	for _, k := range everybody(x.t) {
		x.must(k.Address(), at, nil, h.pack("mint", address(k), eth(1_000_000)))
	}
	return at
}

// uint reads one number from a helper on a machine.
func (h *helper) uint(x *machine, at ledger.Address, function string, args ...any) *big.Int {
	x.t.Helper()
	return new(big.Int).SetBytes(x.must(keyOf(x.t, stranger).Address(), at, nil, h.pack(function, args...)))
}
