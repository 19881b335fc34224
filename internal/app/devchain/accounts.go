package devchain

import (
	"crypto/ecdsa"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/params"

	"github.com/culvert-net/culvert/internal/app/devchain/ready"
	"github.com/culvert-net/culvert/ledger"
)

// published are the keys that development chains have shared for years, made from
// the words "test test test test test test test test test test test junk": wallets
// and tools know them, and so does everybody who steals. Other programs refuse them
// on any other chain.
func published() []string {
	return []string{
		"0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
		"0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
		"0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a",
		"0x7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6",
		"0x47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a",
		"0x8b3a350cf5c34c9194ca85829a2df0ec3153be0318b5e2d3348e872092edffba",
		"0x92db14e403b83dfe3df233f83dfa3a0d7096f21ca9b0d6d6b8d88b2b4ec1564e",
		"0x4bbbf85ce3377467afe5d46f804f221813b2bb87f24d81f60f1fcdbf7cbf4356",
		"0xdbda1821b80551c9d65939329250298aa3472ba22feea921c0cf5d620ea67b97",
		"0x2a871d0798f97d79848a013d4936a73bf4cc922c825d33c1cf7073dff6d409c6",
	}
}

// deployerSeed is what the key of the account that deploys the market is the hash
// of. It is an account of its own, so that its first transaction is the market's and
// the market's address is the same on every devchain.
const deployerSeed = "culvert devchain deployer"

// coins is what every account has in the beginning: so many that nobody has to think
// of money here.
const coins = 10_000

// balance is coins in the smallest unit.
func balance() *big.Int { return new(big.Int).Mul(big.NewInt(coins), big.NewInt(params.Ether)) }

// deployer is the key that deploys the market.
func deployer() *ecdsa.PrivateKey {
	key, err := crypto.ToECDSA(crypto.Keccak256([]byte(deployerSeed)))
	if err != nil {
		panic("devchain: the deployer's key is a constant: " + err.Error())
	}
	return key
}

// Accounts are those that have money from the beginning.
func Accounts() []ready.Account {
	var out []ready.Account
	for _, text := range published() {
		key, err := crypto.HexToECDSA(text[2:])
		if err != nil {
			panic(fmt.Sprintf("devchain: published keys are constants: %v", err))
		}
		out = append(out, ready.Account{Address: ledger.Address(crypto.PubkeyToAddress(key.PublicKey)), Key: text})
	}
	return out
}

// funded are all accounts with money, the deployer's among them.
func funded() []common.Address {
	out := []common.Address{crypto.PubkeyToAddress(deployer().PublicKey)}
	for _, a := range Accounts() {
		out = append(out, common.Address(a.Address))
	}
	return out
}
