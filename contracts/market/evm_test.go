package market_test

import (
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/state"
	"github.com/ethereum/go-ethereum/core/tracing"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/core/vm"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/params"
	"github.com/holiman/uint256"

	"github.com/culvert-net/culvert/contracts/market"
	"github.com/culvert-net/culvert/ledger"
)

// machine runs calls one after the other without blocks, fees or a database, and
// can go back to an earlier state: thousands of calls a second. The rules are
// those up to Osaka.
type machine struct {
	t     testing.TB
	state *state.StateDB
	rules *params.ChainConfig
	now   uint64
	at    ledger.Address // the market
}

// start is the time when a machine's life begins.
const start = 1_800_000_000

// newMachine makes one with a market for the asset that deploy brings, or for
// the chain's own currency.
func newMachine(t testing.TB, asset func(*machine) ledger.Address) *machine {
	t.Helper()
	db, err := state.New(types.EmptyRootHash, state.NewDatabaseForTesting())
	if err != nil {
		t.Fatal(err)
	}
	rules := *params.AllDevChainProtocolChanges
	rules.AmsterdamTime, rules.BogotaTime = nil, nil
	x := &machine{t: t, state: db, rules: &rules, now: start}
	for _, k := range everybody(t) {
		db.AddBalance(common.Address(k.Address()), uint256.MustFromBig(eth(1_000_000_000_000)), tracing.BalanceChangeUnspecified)
	}
	db.Prepare(rules.Rules(new(big.Int), true, x.now), common.Address{}, common.Address{}, nil, nil, nil)
	var paidIn ledger.Address
	if asset != nil {
		paidIn = asset(x)
	}
	x.at = x.deploy(common.FromHex(market.MarketMetaData.Bin), market.NewMarket().PackConstructor(common.Address(paidIn)))
	return x
}

func (x *machine) domain() ledger.Domain {
	return ledger.Domain{ChainID: x.rules.ChainID.Uint64(), Contract: x.at}
}

func (x *machine) evm(from ledger.Address) *vm.EVM {
	e := vm.NewEVM(vm.BlockContext{
		CanTransfer: core.CanTransfer, Transfer: core.Transfer, GetHash: func(uint64) common.Hash { return common.Hash{} },
		BlockNumber: big.NewInt(1), Time: x.now, Difficulty: new(big.Int), GasLimit: 1 << 40, BaseFee: new(big.Int),
		BlobBaseFee: big.NewInt(1), Random: new(common.Hash), CostPerStateByte: params.CostPerStateByte,
	}, x.state, x.rules, vm.Config{})
	e.SetTxContext(vm.TxContext{Origin: common.Address(from), GasPrice: new(uint256.Int)})
	return e
}

// gasLimit of a call; more than any takes.
const gasLimit = 1 << 34

func (x *machine) deploy(code, args []byte) ledger.Address {
	x.t.Helper()
	from := keyOf(x.t, stranger).Address()
	_, at, _, err := x.evm(from).Create(common.Address(from), append(code, args...), vm.NewGasBudget(gasLimit, 0), new(uint256.Int))
	if err != nil {
		x.t.Fatal(err)
	}
	return ledger.Address(at)
}

// reverted is what a call that failed returns: what the contract says.
type reverted struct{ data []byte }

func (r *reverted) Error() string {
	e, err := market.NewMarket().UnpackError(r.data)
	if err != nil {
		return "reverted: " + common.Bytes2Hex(r.data)
	}
	return strings.TrimPrefix(fmt.Sprintf("%T", e), "*market.Market")
}

// call runs one call of any contract. An error is a *reverted: its effects are
// undone.
func (x *machine) call(from, to ledger.Address, value *big.Int, data []byte) ([]byte, error) {
	x.t.Helper()
	if value == nil {
		value = new(big.Int)
	}
	out, _, err := x.evm(from).Call(common.Address(from), common.Address(to), data, vm.NewGasBudget(gasLimit, 0), uint256.MustFromBig(value))
	switch {
	case err == nil:
		return out, nil
	case errors.Is(err, vm.ErrExecutionReverted):
		return nil, &reverted{out}
	}
	x.t.Fatal(err)
	return nil, nil
}

// must is a call that has to succeed.
func (x *machine) must(from, to ledger.Address, value *big.Int, data []byte) []byte {
	x.t.Helper()
	out, err := x.call(from, to, value, data)
	if err != nil {
		x.t.Fatal(err)
	}
	return out
}

// refuses is a call that has to fail for the reason given: the name of the
// error.
func (x *machine) refuses(from, to ledger.Address, value *big.Int, data []byte, want string) {
	x.t.Helper()
	before := x.state.Snapshot()
	_, err := x.call(from, to, value, data)
	x.state.RevertToSnapshot(before)
	if err == nil || err.Error() != want {
		x.t.Errorf("%v, want %s", err, want)
	}
}

// look reads from the market of a machine.
func look[T any](x *machine, data []byte, unpack func([]byte) (T, error)) T {
	x.t.Helper()
	v, err := unpack(x.must(keyOf(x.t, stranger).Address(), x.at, nil, data))
	if err != nil {
		x.t.Fatal(err)
	}
	return v
}

func u256(n *big.Int) *uint256.Int { return uint256.MustFromBig(n) }

func gasBudget() vm.GasBudget { return vm.NewGasBudget(gasLimit, 0) }

// channelSlot is where the contract keeps the first word of a channel: the third
// of its mappings, after the two strings of EIP712.
func channelSlot(id ledger.ChannelID) common.Hash {
	return crypto.Keccak256Hash(id[:], common.LeftPadBytes([]byte{4}, 32))
}
