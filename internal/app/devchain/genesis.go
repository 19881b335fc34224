package devchain

import (
	"math/big"

	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/params"
)

// ChainID is that of every devchain: the one that tools expect of a chain for
// development. Published keys are accepted on it, and on no other.
const ChainID = 31337

// genesis is the chain's beginning, the same on every machine. It has all rules up
// to Osaka from the first block; those that go-ethereum's development chain has
// besides are of the future, and gas under them is not what it is anywhere today.
func genesis() *core.Genesis {
	rules := *params.AllDevChainProtocolChanges
	rules.ChainID = big.NewInt(ChainID)
	rules.BogotaTime, rules.AmsterdamTime = nil, nil
	alloc := core.SystemContractAllocs()
	for _, a := range funded() {
		alloc[a] = types.Account{Balance: balance()}
	}
	return &core.Genesis{Config: &rules, GasLimit: gasLimit, BaseFee: big.NewInt(params.InitialBaseFee), Difficulty: new(big.Int), Alloc: alloc}
}
