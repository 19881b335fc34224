package market_test

import (
	"context"
	"crypto/ecdsa"
	"maps"
	"math/big"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/accounts/abi/bind/v2"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/eth/ethconfig"
	"github.com/ethereum/go-ethereum/ethclient/simulated"
	"github.com/ethereum/go-ethereum/node"
	"github.com/ethereum/go-ethereum/params"

	"github.com/culvert-net/culvert/contracts/market"
	"github.com/culvert-net/culvert/ledger"
)

// chain is a whole simulated chain with a market on it: what a transaction
// costs there is what it costs.
type chain struct {
	t       testing.TB
	backend *simulated.Backend
	id      *big.Int
	at      ledger.Address
	nonces  map[common.Address]uint64
}

// newChain makes one with a market for the asset that deploy brings, or for the
// chain's own currency. Unless future is set its rules end with Osaka: those of
// chains that exist. The simulated chain switches on more by itself.
func newChain(t testing.TB, future bool, asset func(*chain) ledger.Address) *chain {
	t.Helper()
	config := *params.AllDevChainProtocolChanges
	if !future {
		config.AmsterdamTime, config.BogotaTime = nil, nil
	}
	alloc := types.GenesisAlloc{}
	for _, k := range everybody(t) {
		alloc[common.Address(k.Address())] = types.Account{Balance: eth(1_000_000)}
	}
	c := &chain{t: t, id: config.ChainID, nonces: make(map[common.Address]uint64)}
	c.backend = simulated.NewBackend(nil, func(_ *node.Config, eth *ethconfig.Config) {
		genesis := *eth.Genesis
		genesis.Config = &config
		genesis.Alloc = maps.Clone(genesis.Alloc)
		maps.Copy(genesis.Alloc, alloc)
		genesis.GasLimit = 60_000_000
		eth.Genesis = &genesis
		eth.Miner.GasCeil = genesis.GasLimit
	})
	t.Cleanup(func() {
		if err := c.backend.Close(); err != nil {
			t.Error(err)
		}
	})
	var paidIn ledger.Address
	if asset != nil {
		paidIn = asset(c)
	}
	owner := keyOf(t, stranger)
	opts := bind.NewKeyedTransactor(owner.ECDSA(), c.id)
	opts.Nonce = new(big.Int).SetUint64(c.nonces[address(owner)])
	at, err := market.Deploy(t.Context(), c.backend.Client().(market.Backend), opts, paidIn, func() { c.backend.Commit() })
	if err != nil {
		t.Fatal(err)
	}
	c.nonces[common.Address(owner.Address())]++
	c.at = at
	return c
}

// domain is where signatures count on this chain.
func (c *chain) domain() ledger.Domain {
	return ledger.Domain{ChainID: c.id.Uint64(), Contract: c.at}
}

// send has one transaction mined in a block of its own. A nil to deploys.
func (c *chain) send(from *ledger.Key, to *common.Address, value *big.Int, data []byte) *types.Receipt {
	c.t.Helper()
	tx := c.sign(from.ECDSA(), &types.DynamicFeeTx{
		Nonce: c.nonces[common.Address(from.Address())], To: to, Value: value, Data: data,
		Gas: 15_000_000, GasTipCap: big.NewInt(1_000_000_000), GasFeeCap: big.NewInt(50_000_000_000),
	})
	c.nonces[common.Address(from.Address())]++
	if err := c.backend.Client().SendTransaction(c.t.Context(), tx); err != nil {
		c.t.Fatal(err)
	}
	c.backend.Commit()
	r, err := c.backend.Client().TransactionReceipt(c.t.Context(), tx.Hash())
	if err != nil {
		c.t.Fatal(err)
	}
	return r
}

func (c *chain) sign(key *ecdsa.PrivateKey, inner *types.DynamicFeeTx) *types.Transaction {
	c.t.Helper()
	inner.ChainID = c.id
	tx, err := types.SignNewTx(key, types.LatestSignerForChainID(c.id), inner)
	if err != nil {
		c.t.Fatal(err)
	}
	return tx
}

// must sends a call to the market that has to succeed.
func (c *chain) must(from *ledger.Key, value *big.Int, data []byte) *types.Receipt {
	c.t.Helper()
	to := common.Address(c.at)
	r := c.send(from, &to, value, data)
	if r.Status != types.ReceiptStatusSuccessful {
		c.t.Fatalf("the transaction failed with %d gas used", r.GasUsed)
	}
	return r
}

// view reads from the market.
func view[T any](c *chain, data []byte, unpack func([]byte) (T, error)) T {
	c.t.Helper()
	bound := market.NewMarket().Instance(c.backend.Client().(bind.ContractBackend), common.Address(c.at))
	v, err := bind.Call(bound, &bind.CallOpts{Context: context.WithoutCancel(c.t.Context())}, data, unpack)
	if err != nil {
		c.t.Fatal(err)
	}
	return v
}

// eth is so many times 10^18.
func eth(n int64) *big.Int {
	return new(big.Int).Mul(big.NewInt(n), big.NewInt(1_000_000_000_000_000_000))
}

// later moves the clock, once the node knows that nothing waits: it may take its time
// to see that what is in the last block does not.
func (c *chain) later(d time.Duration) {
	c.t.Helper()
	err := c.backend.AdjustTime(d)
	for try := 0; err != nil && try < 1000; try++ {
		time.Sleep(10 * time.Millisecond)
		err = c.backend.AdjustTime(d)
	}
	if err != nil {
		c.t.Fatal(err)
	}
}
