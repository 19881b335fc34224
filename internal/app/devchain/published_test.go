package devchain

import (
	"errors"
	"testing"

	"github.com/ethereum/go-ethereum/crypto"

	"github.com/culvert-net/culvert/ledger"
	"github.com/culvert-net/culvert/ledger/chain"
	"github.com/culvert-net/culvert/ledger/store"
)

// Whose key anybody can make is refused on every other chain: all that have money
// here, and who deployed the market.
func TestAccountsAreRefusedElsewhere(t *testing.T) {
	keys := []*ledger.Key{}
	for _, text := range published() {
		secret, err := crypto.HexToECDSA(text[2:])
		if err != nil {
			t.Fatal(err)
		}
		k, err := ledger.KeyOfBytes([32]byte(crypto.FromECDSA(secret)))
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, k)
	}
	k, err := ledger.KeyOfBytes([32]byte(crypto.FromECDSA(deployer())))
	if err != nil {
		t.Fatal(err)
	}
	keys = append(keys, k)
	if len(keys) != len(funded()) {
		t.Fatalf("%d keys for %d accounts with money", len(keys), len(funded()))
	}
	other := chain.DevNetwork()
	other.ChainID = 31338
	for i, k := range keys {
		for _, n := range []chain.Network{chain.FilecoinNetwork(), chain.CalibrationNetwork(), chain.OtherNetwork(1), other} {
			cfg := chain.Config{URL: "http://127.0.0.1:1", Network: n, Contract: ledger.Address{1}, CodeHash: ledger.Hash{1}, Store: &store.Store{}}
			if _, err := chain.NewWriter(cfg, k); !errors.Is(err, chain.ErrPublishedKey) {
				t.Errorf("account %d (%s) on chain %d: %v, want %v", i, k.Address(), n.ChainID, err, chain.ErrPublishedKey)
			}
		}
	}
}
