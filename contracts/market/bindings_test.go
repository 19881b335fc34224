package market_test

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/accounts/abi/abigen"
)

var update = flag.Bool("update", false, "write bindings.go and testdata anew")

// The bindings are those of the ABI and the bytecode beside them. That these are
// what the source compiles to is looked at by `make contracts`, which needs Node.js.
func TestBindings(t *testing.T) {
	read := func(name string) string {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	code, err := abigen.BindV2([]string{"Market"}, []string{read("Market.abi")}, []string{strings.TrimSpace(read("Market.bin"))}, "market", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile("bindings.go", []byte(code), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if read("bindings.go") != code {
		t.Error("bindings.go is not made from Market.abi and Market.bin; run: go generate ./contracts/...")
	}
}
