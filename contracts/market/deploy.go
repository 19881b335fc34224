package market

import (
	"context"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/accounts/abi/bind/v2"
	"github.com/ethereum/go-ethereum/common"

	"github.com/culvert-net/culvert/ledger"
)

// Backend is a chain that takes a contract and says when it is there.
type Backend interface {
	bind.ContractBackend
	bind.DeployBackend
}

// Deploy sends a new contract for one asset (zero: the chain's own currency)
// and waits until it is in a block. Somebody has to make that block: mine is
// called after the transaction was sent, and may be nil.
//
// The address is that of the sender and its nonce, so that the first
// transaction of one account gives the same address on every chain.
func Deploy(ctx context.Context, backend Backend, opts *bind.TransactOpts, asset ledger.Address, mine func()) (ledger.Address, error) {
	code := common.FromHex(MarketMetaData.Bin)
	_, tx, err := bind.DeployContract(opts, code, backend, NewMarket().PackConstructor(common.Address(asset)))
	if err != nil {
		return ledger.Address{}, fmt.Errorf("deploy the market: %w", err)
	}
	if mine != nil {
		mine()
	}
	at, err := bind.WaitDeployed(ctx, backend, tx.Hash())
	if err != nil {
		return ledger.Address{}, fmt.Errorf("deploy the market: transaction %s: %w", tx.Hash(), err)
	}
	return ledger.Address(at), nil
}

// EntryOf is a signed voucher as claim takes it.
func EntryOf(v ledger.Signed[ledger.Voucher]) MarketEntry {
	m := v.Message
	return MarketEntry{
		ChannelId: m.Channel, Epoch: epochOf(m.Epoch), Cumulative: m.Cumulative.Big(), Transcript: m.Transcript,
		R: [32]byte(v.Signature[:32]), Vs: [32]byte(v.Signature[32:]),
	}
}

// ResultOf is a signed result as slash takes it.
func ResultOf(r ledger.Signed[ledger.Result]) MarketResult {
	m := r.Message
	return MarketResult{
		ChannelId: m.Channel, Epoch: epochOf(m.Epoch), RoundId: m.RoundID, FinalResult: m.Final,
		RequestHash: m.RequestHash, ResponseHash: m.ResponseHash, Input: m.Input, Cached: m.Cached, Output: m.Output,
		Cost: m.Cost.Big(), Status: uint8(m.Status),
		R: [32]byte(r.Signature[:32]), Vs: [32]byte(r.Signature[32:]),
	}
}

func epochOf(n uint32) *big.Int { return new(big.Int).SetUint64(uint64(n)) }
