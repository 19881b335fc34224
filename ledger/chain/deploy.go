package chain

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/culvert-net/culvert/contracts/market"
	"github.com/culvert-net/culvert/ledger"
)

// Deployer brings a new contract to a chain. It keeps nothing: who was interrupted
// goes on with Wait, by the transaction's hash.
type Deployer struct {
	server *server
	key    *ledger.Key
	code   []byte
}

// Deployed is a contract that is there, as a world's charter names it.
type Deployed struct {
	ChainID     uint64         `json:"chain_id"`
	Contract    ledger.Address `json:"contract"`
	CodeHash    ledger.Hash    `json:"code_hash"` // Keccak-256 of the code that runs
	Block       uint64         `json:"deploy_block"`
	Transaction ledger.Hash    `json:"transaction"`
	Fee         ledger.Amount  `json:"fee"`
}

// NewDeployer makes one. Of cfg, URL, Network, Asset and Transport count.
func NewDeployer(cfg Config, key *ledger.Key) (*Deployer, error) {
	if err := checkKey(key.Address(), cfg.Network); err != nil {
		return nil, err
	}
	// There is no contract yet that could be checked.
	cfg.Contract, cfg.CodeHash = ledger.Address{1}, ledger.Hash{1}
	s, err := newServer(cfg)
	if err != nil {
		return nil, err
	}
	code := append(common.FromHex(market.MarketMetaData.Bin), market.NewMarket().PackConstructor(common.Address(cfg.Asset))...)
	return &Deployer{server: s, key: key, code: code}, nil
}

// Cost is what deploying will take.
func (d *Deployer) Cost(ctx context.Context) (Cost, error) {
	var id hexutil.Uint64
	if err := d.server.call(ctx, &id, "eth_chainId"); err != nil {
		return Cost{}, err
	}
	n := d.server.cfg.Network
	if uint64(id) != n.ChainID {
		return Cost{}, fmt.Errorf("chain id %d, not %d: %w", uint64(id), n.ChainID, ErrChainID)
	}
	head, err := d.server.latest(ctx)
	if err != nil {
		return Cost{}, err
	}
	var gas hexutil.Uint64
	err = d.server.call(ctx, &gas, "eth_estimateGas", map[string]any{"from": common.Address(d.key.Address()), "data": hexutil.Bytes(d.code)})
	if err != nil {
		return Cost{}, explainRevert(err)
	}
	if gas == 0 || gas > maxGas {
		return Cost{}, fmt.Errorf("an estimate of %d gas: %w", uint64(gas), ErrTooLarge)
	}
	f, err := d.server.fees(ctx, head)
	if err != nil {
		return Cost{}, err
	}
	out := Cost{Gas: uint64(gas) + uint64(gas)*n.GasMargin/100, fees: f}
	now, err := head.baseFee.Add(f.tip)
	if err != nil {
		return Cost{}, ErrFee
	}
	if out.Fee, err = times(out.Gas, now); err != nil {
		return Cost{}, err
	}
	if out.MaxFee, err = times(out.Gas, f.most); err != nil {
		return Cost{}, err
	}
	if n.MaxFee.Less(out.MaxFee) {
		return Cost{}, fmt.Errorf("deploying may cost %s in fees, and %s are allowed: %w", n.Money(out.MaxFee), n.Money(n.MaxFee), ErrFee)
	}
	have, err := d.server.balance(ctx, d.key.Address())
	if err == nil && have.Less(out.MaxFee) {
		err = fmt.Errorf("%s has %s of %s: %w", n.Address(d.key.Address()), n.Money(have), n.Money(out.MaxFee), ErrFunds)
	}
	return out, err
}

// Send sends the transaction, at a cost that was agreed to.
func (d *Deployer) Send(ctx context.Context, c Cost) (ledger.Hash, error) {
	var nonce hexutil.Uint64
	if err := d.server.call(ctx, &nonce, "eth_getTransactionCount", common.Address(d.key.Address()), "pending"); err != nil {
		return ledger.Hash{}, err
	}
	chain := new(big.Int).SetUint64(d.server.cfg.Network.ChainID)
	tx, err := types.SignNewTx(d.key.ECDSA(), types.LatestSignerForChainID(chain), &types.DynamicFeeTx{
		ChainID: chain, Nonce: uint64(nonce), GasTipCap: c.fees.tip.Big(), GasFeeCap: c.fees.most.Big(), Gas: c.Gas, Data: d.code,
	})
	if err != nil {
		return ledger.Hash{}, err
	}
	raw, err := tx.MarshalBinary()
	if err != nil {
		return ledger.Hash{}, err
	}
	var hash common.Hash
	if err := d.server.call(ctx, &hash, "eth_sendRawTransaction", hexutil.Bytes(raw)); err != nil {
		return ledger.Hash(tx.Hash()), err
	}
	return ledger.Hash(tx.Hash()), nil
}

// ErrNotDeployed: the transaction made no contract.
var ErrNotDeployed = errors.New("the transaction is in a block, and made no contract of the market; deploy again")

// Wait waits until the transaction is in a block that is believed, and says what is
// there. Each step is told to the function.
func (d *Deployer) Wait(ctx context.Context, tx ledger.Hash, tell func(Progress)) (Deployed, error) {
	n := d.server.cfg.Network
	for {
		out, depth, err := d.look(ctx, tx)
		if errors.Is(err, ErrNotDeployed) || err == nil && depth > n.Confirmations {
			return out, err
		}
		tell(Progress{What: "deploy", Hash: tx, Block: out.Block, Depth: depth, Wanted: n.Confirmations + 1, Err: err})
		select {
		case <-ctx.Done():
			return Deployed{}, ctx.Err()
		case <-time.After(n.pollTime()):
		}
	}
}

// look looks once; depth is zero while no block has the transaction.
func (d *Deployer) look(ctx context.Context, tx ledger.Hash) (out Deployed, depth uint64, err error) {
	out = Deployed{ChainID: d.server.cfg.Network.ChainID, Transaction: tx}
	r, err := d.server.receipt(ctx, common.Hash(tx))
	if err != nil || r == nil {
		return out, 0, err
	}
	head, err := d.server.latest(ctx)
	if err != nil {
		return out, 0, err
	}
	out.Block, out.Fee = r.block, r.paid
	var where struct {
		Contract *common.Address `json:"contractAddress"`
	}
	if err := d.server.call(ctx, &where, "eth_getTransactionReceipt", common.Hash(tx)); err != nil {
		return out, 0, err
	}
	if !r.ok || where.Contract == nil {
		return out, 0, ErrNotDeployed
	}
	var code hexutil.Bytes
	if err := d.server.call(ctx, &code, "eth_getCode", *where.Contract, "latest"); err != nil {
		return out, 0, err
	}
	if len(code) == 0 || len(code) > maxCode {
		return out, 0, ErrNotDeployed
	}
	out.Contract, out.CodeHash = ledger.Address(*where.Contract), ledger.Hash(crypto.Keccak256(code))
	return out, head.Number - min(head.Number, r.block) + 1, nil
}
