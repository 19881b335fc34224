package devchain

import (
	"bytes"
	"errors"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/params"

	"github.com/culvert-net/culvert/contracts/market"
	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/devchain/ready"
	"github.com/culvert-net/culvert/ledger"
)

// marketBlock is the first block, which has one transaction: the market's.
const marketBlock = 1

// creation is what the transaction has that deploys the market, for the chain's own
// currency.
func creation() []byte {
	return append(common.FromHex(market.MarketMetaData.Bin), market.NewMarket().PackConstructor(common.Address{})...)
}

// deploy makes sure that the first block has the market of this program, whose
// clients know no other.
func (c *Chain) deploy(dir string) (ready.Market, error) {
	if c.eth.BlockChain().CurrentBlock().Number.Sign() == 0 {
		if err := c.deployNow(); err != nil {
			return ready.Market{}, fmt.Errorf("deploying the market: %w", err)
		}
	}
	first := c.eth.BlockChain().GetBlockByNumber(marketBlock)
	if first == nil || len(first.Transactions()) != 1 || !bytes.Equal(first.Transactions()[0].Data(), creation()) {
		return ready.Market{}, app.Usage(fmt.Errorf("the chain in %s has the market of another version of this program; choose another directory with --data, or delete this one", dir))
	}
	at := crypto.CreateAddress(crypto.PubkeyToAddress(deployer().PublicKey), 0)
	state, err := c.eth.BlockChain().State()
	if err != nil {
		return ready.Market{}, fmt.Errorf("reading the market: %w", err)
	}
	if len(state.GetCode(at)) == 0 {
		return ready.Market{}, errors.New("deploying the market: its constructor has failed")
	}
	return ready.Market{Address: ledger.Address(at), CodeHash: ledger.Hash(state.GetCodeHash(at)), Block: marketBlock}, nil
}

// deployNow makes the first block.
func (c *Chain) deployNow() error {
	chain := big.NewInt(ChainID)
	tx, err := types.SignNewTx(deployer(), types.LatestSignerForChainID(chain), &types.DynamicFeeTx{
		ChainID: chain, Gas: params.MaxTxGas, GasTipCap: big.NewInt(1), GasFeeCap: big.NewInt(2 * params.InitialBaseFee), Data: creation(),
	})
	if err != nil {
		return err
	}
	if err := errors.Join(c.eth.TxPool().Add([]*types.Transaction{tx}, true)...); err != nil {
		return err
	}
	return c.mineWaiting()
}
