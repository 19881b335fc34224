// Code generated via abigen V2 - DO NOT EDIT.
// This file is a generated binding and any manual changes will be lost.

package market

import (
	"bytes"
	"errors"
	"math/big"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/accounts/abi/bind/v2"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
)

// Reference imports to suppress errors if they are not otherwise used.
var (
	_ = bytes.Equal
	_ = errors.New
	_ = big.NewInt
	_ = common.Big1
	_ = types.BloomLookup
	_ = abi.ConvertType
)

// MarketChannelView is an auto generated low-level Go binding around an user-defined struct.
type MarketChannelView struct {
	Provider  common.Address
	Funder    common.Address
	Epoch     *big.Int
	Deposited *big.Int
	Claimed   *big.Int
	Locked    *big.Int
	CloseAt   *big.Int
}

// MarketEntry is an auto generated low-level Go binding around an user-defined struct.
type MarketEntry struct {
	ChannelId  [32]byte
	Epoch      *big.Int
	Cumulative *big.Int
	Transcript [32]byte
	R          [32]byte
	Vs         [32]byte
}

// MarketProviderView is an auto generated low-level Go binding around an user-defined struct.
type MarketProviderView struct {
	Provider   common.Address
	Payout     common.Address
	Price      *big.Int
	Sequence   *big.Int
	Active     bool
	Descriptor [32]byte
	Bond       *big.Int
	BondUntil  uint64
}

// MarketResult is an auto generated low-level Go binding around an user-defined struct.
type MarketResult struct {
	ChannelId    [32]byte
	Epoch        *big.Int
	RoundId      [16]byte
	FinalResult  bool
	RequestHash  [32]byte
	ResponseHash [32]byte
	Input        uint64
	Cached       uint64
	Output       uint64
	Cost         *big.Int
	Status       uint8
	R            [32]byte
	Vs           [32]byte
}

// MarketStatus is an auto generated low-level Go binding around an user-defined struct.
type MarketStatus struct {
	ChannelId       [32]byte
	Epoch           *big.Int
	Deposited       *big.Int
	Claimed         *big.Int
	Remaining       *big.Int
	RemainingTokens *big.Int
	Locked          *big.Int
	CloseAt         *big.Int
}

// MarketMetaData contains all meta data concerning the Market contract.
var MarketMetaData = bind.MetaData{
	ABI: "[{\"inputs\":[{\"internalType\":\"contractIERC20\",\"name\":\"asset_\",\"type\":\"address\"}],\"stateMutability\":\"nonpayable\",\"type\":\"constructor\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"provider\",\"type\":\"address\"}],\"name\":\"AlreadyRegistered\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint256\",\"name\":\"earliest\",\"type\":\"uint256\"},{\"internalType\":\"uint256\",\"name\":\"latest\",\"type\":\"uint256\"}],\"name\":\"BadBondTime\",\"type\":\"error\"},{\"inputs\":[],\"name\":\"BadSignature\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint40\",\"name\":\"closeAt\",\"type\":\"uint40\"}],\"name\":\"Closing\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint256\",\"name\":\"length\",\"type\":\"uint256\"}],\"name\":\"DescriptorTooLong\",\"type\":\"error\"},{\"inputs\":[],\"name\":\"FailedCall\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint256\",\"name\":\"balance\",\"type\":\"uint256\"},{\"internalType\":\"uint256\",\"name\":\"needed\",\"type\":\"uint256\"}],\"name\":\"InsufficientBalance\",\"type\":\"error\"},{\"inputs\":[],\"name\":\"InvalidShortString\",\"type\":\"error\"},{\"inputs\":[],\"name\":\"LastEpoch\",\"type\":\"error\"},{\"inputs\":[],\"name\":\"NoBond\",\"type\":\"error\"},{\"inputs\":[],\"name\":\"NoContradiction\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"asset\",\"type\":\"address\"}],\"name\":\"NoToken\",\"type\":\"error\"},{\"inputs\":[],\"name\":\"NotClosing\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"sender\",\"type\":\"address\"}],\"name\":\"NotFunder\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"provider\",\"type\":\"address\"}],\"name\":\"NotRegistered\",\"type\":\"error\"},{\"inputs\":[],\"name\":\"NothingToWithdraw\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint96\",\"name\":\"price\",\"type\":\"uint96\"},{\"internalType\":\"uint96\",\"name\":\"limit\",\"type\":\"uint96\"}],\"name\":\"PriceAbove\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"token\",\"type\":\"address\"}],\"name\":\"SafeERC20FailedOperation\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint256\",\"name\":\"received\",\"type\":\"uint256\"},{\"internalType\":\"uint256\",\"name\":\"wanted\",\"type\":\"uint256\"}],\"name\":\"ShortTransfer\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"string\",\"name\":\"str\",\"type\":\"string\"}],\"name\":\"StringTooLong\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint256\",\"name\":\"opens\",\"type\":\"uint256\"}],\"name\":\"TooEarly\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint256\",\"name\":\"closed\",\"type\":\"uint256\"}],\"name\":\"TooLate\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"bytes32\",\"name\":\"channelId\",\"type\":\"bytes32\"}],\"name\":\"UnknownChannel\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint96\",\"name\":\"claimed\",\"type\":\"uint96\"},{\"internalType\":\"uint96\",\"name\":\"deposited\",\"type\":\"uint96\"}],\"name\":\"WrongAmount\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint24\",\"name\":\"epoch\",\"type\":\"uint24\"}],\"name\":\"WrongEpoch\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint256\",\"name\":\"sent\",\"type\":\"uint256\"},{\"internalType\":\"uint256\",\"name\":\"wanted\",\"type\":\"uint256\"}],\"name\":\"WrongValue\",\"type\":\"error\"},{\"inputs\":[],\"name\":\"ZeroAddress\",\"type\":\"error\"},{\"inputs\":[],\"name\":\"ZeroAmount\",\"type\":\"error\"},{\"inputs\":[],\"name\":\"ZeroPrice\",\"type\":\"error\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":false,\"internalType\":\"address\",\"name\":\"provider\",\"type\":\"address\"},{\"indexed\":false,\"internalType\":\"uint96\",\"name\":\"total\",\"type\":\"uint96\"},{\"indexed\":false,\"internalType\":\"uint64\",\"name\":\"until\",\"type\":\"uint64\"}],\"name\":\"Bonded\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":false,\"internalType\":\"bytes32\",\"name\":\"channelId\",\"type\":\"bytes32\"},{\"indexed\":false,\"internalType\":\"address\",\"name\":\"provider\",\"type\":\"address\"},{\"indexed\":false,\"internalType\":\"address\",\"name\":\"key\",\"type\":\"address\"},{\"indexed\":false,\"internalType\":\"address\",\"name\":\"funder\",\"type\":\"address\"},{\"indexed\":false,\"internalType\":\"uint24\",\"name\":\"epoch\",\"type\":\"uint24\"},{\"indexed\":false,\"internalType\":\"uint96\",\"name\":\"amount\",\"type\":\"uint96\"},{\"indexed\":false,\"internalType\":\"uint96\",\"name\":\"locked\",\"type\":\"uint96\"}],\"name\":\"Bought\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":false,\"internalType\":\"bytes32\",\"name\":\"channelId\",\"type\":\"bytes32\"},{\"indexed\":false,\"internalType\":\"uint24\",\"name\":\"epoch\",\"type\":\"uint24\"},{\"indexed\":false,\"internalType\":\"uint96\",\"name\":\"cumulative\",\"type\":\"uint96\"},{\"indexed\":false,\"internalType\":\"uint96\",\"name\":\"deposited\",\"type\":\"uint96\"}],\"name\":\"ClaimClamped\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":false,\"internalType\":\"address\",\"name\":\"sender\",\"type\":\"address\"},{\"indexed\":false,\"internalType\":\"bytes32\",\"name\":\"content\",\"type\":\"bytes32\"}],\"name\":\"ClaimContent\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":false,\"internalType\":\"bytes32\",\"name\":\"channelId\",\"type\":\"bytes32\"},{\"indexed\":false,\"internalType\":\"uint24\",\"name\":\"epoch\",\"type\":\"uint24\"},{\"indexed\":false,\"internalType\":\"uint96\",\"name\":\"cumulative\",\"type\":\"uint96\"},{\"indexed\":false,\"internalType\":\"enumMarket.Skip\",\"name\":\"reason\",\"type\":\"uint8\"}],\"name\":\"ClaimSkipped\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":false,\"internalType\":\"bytes32\",\"name\":\"channelId\",\"type\":\"bytes32\"},{\"indexed\":false,\"internalType\":\"uint24\",\"name\":\"epoch\",\"type\":\"uint24\"},{\"indexed\":false,\"internalType\":\"uint96\",\"name\":\"cumulative\",\"type\":\"uint96\"}],\"name\":\"Claimed\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":false,\"internalType\":\"bytes32\",\"name\":\"channelId\",\"type\":\"bytes32\"},{\"indexed\":false,\"internalType\":\"uint24\",\"name\":\"epoch\",\"type\":\"uint24\"}],\"name\":\"CloseCancelled\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":false,\"internalType\":\"bytes32\",\"name\":\"channelId\",\"type\":\"bytes32\"},{\"indexed\":false,\"internalType\":\"uint24\",\"name\":\"epoch\",\"type\":\"uint24\"},{\"indexed\":false,\"internalType\":\"uint40\",\"name\":\"closeAt\",\"type\":\"uint40\"}],\"name\":\"CloseRequested\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":false,\"internalType\":\"bytes32\",\"name\":\"channelId\",\"type\":\"bytes32\"},{\"indexed\":false,\"internalType\":\"uint24\",\"name\":\"epoch\",\"type\":\"uint24\"},{\"indexed\":false,\"internalType\":\"uint96\",\"name\":\"finalCumulative\",\"type\":\"uint96\"},{\"indexed\":false,\"internalType\":\"uint96\",\"name\":\"refunded\",\"type\":\"uint96\"}],\"name\":\"Closed\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":false,\"internalType\":\"address\",\"name\":\"owner\",\"type\":\"address\"},{\"indexed\":false,\"internalType\":\"uint256\",\"name\":\"amount\",\"type\":\"uint256\"}],\"name\":\"Credited\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[],\"name\":\"EIP712DomainChanged\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":false,\"internalType\":\"address\",\"name\":\"provider\",\"type\":\"address\"},{\"indexed\":false,\"internalType\":\"uint40\",\"name\":\"sequence\",\"type\":\"uint40\"}],\"name\":\"Exited\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":false,\"internalType\":\"bytes32\",\"name\":\"channelId\",\"type\":\"bytes32\"},{\"indexed\":false,\"internalType\":\"uint24\",\"name\":\"epoch\",\"type\":\"uint24\"},{\"indexed\":false,\"internalType\":\"uint96\",\"name\":\"amount\",\"type\":\"uint96\"}],\"name\":\"Refunded\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":false,\"internalType\":\"address\",\"name\":\"provider\",\"type\":\"address\"},{\"indexed\":false,\"internalType\":\"uint40\",\"name\":\"sequence\",\"type\":\"uint40\"},{\"indexed\":false,\"internalType\":\"address\",\"name\":\"payout\",\"type\":\"address\"},{\"indexed\":false,\"internalType\":\"uint96\",\"name\":\"price\",\"type\":\"uint96\"},{\"indexed\":false,\"internalType\":\"bytes\",\"name\":\"descriptor\",\"type\":\"bytes\"},{\"indexed\":false,\"internalType\":\"bytes32\",\"name\":\"content\",\"type\":\"bytes32\"}],\"name\":\"Registered\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":false,\"internalType\":\"address\",\"name\":\"provider\",\"type\":\"address\"},{\"indexed\":false,\"internalType\":\"bytes32\",\"name\":\"channelId\",\"type\":\"bytes32\"},{\"indexed\":false,\"internalType\":\"uint24\",\"name\":\"epoch\",\"type\":\"uint24\"},{\"indexed\":false,\"internalType\":\"bytes16\",\"name\":\"roundId\",\"type\":\"bytes16\"},{\"indexed\":false,\"internalType\":\"address\",\"name\":\"reporter\",\"type\":\"address\"},{\"indexed\":false,\"internalType\":\"uint96\",\"name\":\"burnt\",\"type\":\"uint96\"},{\"indexed\":false,\"internalType\":\"uint96\",\"name\":\"reward\",\"type\":\"uint96\"}],\"name\":\"Slashed\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":false,\"internalType\":\"bytes32\",\"name\":\"channelId\",\"type\":\"bytes32\"},{\"indexed\":false,\"internalType\":\"uint24\",\"name\":\"epoch\",\"type\":\"uint24\"},{\"indexed\":false,\"internalType\":\"uint96\",\"name\":\"amount\",\"type\":\"uint96\"}],\"name\":\"ToppedUp\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":false,\"internalType\":\"address\",\"name\":\"provider\",\"type\":\"address\"},{\"indexed\":false,\"internalType\":\"address\",\"name\":\"to\",\"type\":\"address\"},{\"indexed\":false,\"internalType\":\"uint96\",\"name\":\"amount\",\"type\":\"uint96\"}],\"name\":\"Unbonded\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":false,\"internalType\":\"address\",\"name\":\"provider\",\"type\":\"address\"},{\"indexed\":false,\"internalType\":\"uint40\",\"name\":\"sequence\",\"type\":\"uint40\"},{\"indexed\":false,\"internalType\":\"address\",\"name\":\"payout\",\"type\":\"address\"},{\"indexed\":false,\"internalType\":\"uint96\",\"name\":\"price\",\"type\":\"uint96\"},{\"indexed\":false,\"internalType\":\"bytes\",\"name\":\"descriptor\",\"type\":\"bytes\"},{\"indexed\":false,\"internalType\":\"bytes32\",\"name\":\"content\",\"type\":\"bytes32\"}],\"name\":\"Updated\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":false,\"internalType\":\"address\",\"name\":\"owner\",\"type\":\"address\"},{\"indexed\":false,\"internalType\":\"address\",\"name\":\"to\",\"type\":\"address\"},{\"indexed\":false,\"internalType\":\"uint256\",\"name\":\"amount\",\"type\":\"uint256\"}],\"name\":\"Withdrawn\",\"type\":\"event\"},{\"inputs\":[],\"name\":\"DISPUTE_TIME\",\"outputs\":[{\"internalType\":\"uint256\",\"name\":\"\",\"type\":\"uint256\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"MAX_BOND_TIME\",\"outputs\":[{\"internalType\":\"uint256\",\"name\":\"\",\"type\":\"uint256\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"MAX_DESCRIPTOR\",\"outputs\":[{\"internalType\":\"uint256\",\"name\":\"\",\"type\":\"uint256\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"asset\",\"outputs\":[{\"internalType\":\"contractIERC20\",\"name\":\"\",\"type\":\"address\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"owner\",\"type\":\"address\"}],\"name\":\"balanceOf\",\"outputs\":[{\"internalType\":\"uint256\",\"name\":\"\",\"type\":\"uint256\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"uint64\",\"name\":\"until\",\"type\":\"uint64\"}],\"name\":\"bond\",\"outputs\":[],\"stateMutability\":\"payable\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"provider_\",\"type\":\"address\"},{\"internalType\":\"address\",\"name\":\"key\",\"type\":\"address\"},{\"internalType\":\"uint96\",\"name\":\"amount\",\"type\":\"uint96\"},{\"internalType\":\"uint96\",\"name\":\"maxPrice\",\"type\":\"uint96\"}],\"name\":\"buy\",\"outputs\":[],\"stateMutability\":\"payable\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"bytes32\",\"name\":\"channelId\",\"type\":\"bytes32\"}],\"name\":\"cancelClose\",\"outputs\":[],\"stateMutability\":\"nonpayable\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"bytes32\",\"name\":\"channelId\",\"type\":\"bytes32\"}],\"name\":\"channel\",\"outputs\":[{\"components\":[{\"internalType\":\"address\",\"name\":\"provider\",\"type\":\"address\"},{\"internalType\":\"address\",\"name\":\"funder\",\"type\":\"address\"},{\"internalType\":\"uint24\",\"name\":\"epoch\",\"type\":\"uint24\"},{\"internalType\":\"uint96\",\"name\":\"deposited\",\"type\":\"uint96\"},{\"internalType\":\"uint96\",\"name\":\"claimed\",\"type\":\"uint96\"},{\"internalType\":\"uint96\",\"name\":\"locked\",\"type\":\"uint96\"},{\"internalType\":\"uint40\",\"name\":\"closeAt\",\"type\":\"uint40\"}],\"internalType\":\"structMarket.ChannelView\",\"name\":\"v\",\"type\":\"tuple\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"components\":[{\"internalType\":\"bytes32\",\"name\":\"channelId\",\"type\":\"bytes32\"},{\"internalType\":\"uint24\",\"name\":\"epoch\",\"type\":\"uint24\"},{\"internalType\":\"uint96\",\"name\":\"cumulative\",\"type\":\"uint96\"},{\"internalType\":\"bytes32\",\"name\":\"transcript\",\"type\":\"bytes32\"},{\"internalType\":\"bytes32\",\"name\":\"r\",\"type\":\"bytes32\"},{\"internalType\":\"bytes32\",\"name\":\"vs\",\"type\":\"bytes32\"}],\"internalType\":\"structMarket.Entry[]\",\"name\":\"entries\",\"type\":\"tuple[]\"},{\"internalType\":\"bytes32\",\"name\":\"content\",\"type\":\"bytes32\"}],\"name\":\"claim\",\"outputs\":[],\"stateMutability\":\"nonpayable\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"bytes32\",\"name\":\"channelId\",\"type\":\"bytes32\"},{\"internalType\":\"uint24\",\"name\":\"epoch\",\"type\":\"uint24\"},{\"internalType\":\"uint96\",\"name\":\"finalCumulative\",\"type\":\"uint96\"},{\"internalType\":\"uint64\",\"name\":\"deadline\",\"type\":\"uint64\"},{\"internalType\":\"bytes32\",\"name\":\"r\",\"type\":\"bytes32\"},{\"internalType\":\"bytes32\",\"name\":\"vs\",\"type\":\"bytes32\"}],\"name\":\"cooperativeClose\",\"outputs\":[],\"stateMutability\":\"nonpayable\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"domainSeparator\",\"outputs\":[{\"internalType\":\"bytes32\",\"name\":\"\",\"type\":\"bytes32\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"eip712Domain\",\"outputs\":[{\"internalType\":\"bytes1\",\"name\":\"fields\",\"type\":\"bytes1\"},{\"internalType\":\"string\",\"name\":\"name\",\"type\":\"string\"},{\"internalType\":\"string\",\"name\":\"version\",\"type\":\"string\"},{\"internalType\":\"uint256\",\"name\":\"chainId\",\"type\":\"uint256\"},{\"internalType\":\"address\",\"name\":\"verifyingContract\",\"type\":\"address\"},{\"internalType\":\"bytes32\",\"name\":\"salt\",\"type\":\"bytes32\"},{\"internalType\":\"uint256[]\",\"name\":\"extensions\",\"type\":\"uint256[]\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"exit\",\"outputs\":[],\"stateMutability\":\"nonpayable\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"a\",\"type\":\"address\"}],\"name\":\"provider\",\"outputs\":[{\"components\":[{\"internalType\":\"address\",\"name\":\"provider\",\"type\":\"address\"},{\"internalType\":\"address\",\"name\":\"payout\",\"type\":\"address\"},{\"internalType\":\"uint96\",\"name\":\"price\",\"type\":\"uint96\"},{\"internalType\":\"uint40\",\"name\":\"sequence\",\"type\":\"uint40\"},{\"internalType\":\"bool\",\"name\":\"active\",\"type\":\"bool\"},{\"internalType\":\"bytes32\",\"name\":\"descriptor\",\"type\":\"bytes32\"},{\"internalType\":\"uint96\",\"name\":\"bond\",\"type\":\"uint96\"},{\"internalType\":\"uint64\",\"name\":\"bondUntil\",\"type\":\"uint64\"}],\"internalType\":\"structMarket.ProviderView\",\"name\":\"v\",\"type\":\"tuple\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"uint256\",\"name\":\"start\",\"type\":\"uint256\"},{\"internalType\":\"uint256\",\"name\":\"count\",\"type\":\"uint256\"}],\"name\":\"providers\",\"outputs\":[{\"components\":[{\"internalType\":\"address\",\"name\":\"provider\",\"type\":\"address\"},{\"internalType\":\"address\",\"name\":\"payout\",\"type\":\"address\"},{\"internalType\":\"uint96\",\"name\":\"price\",\"type\":\"uint96\"},{\"internalType\":\"uint40\",\"name\":\"sequence\",\"type\":\"uint40\"},{\"internalType\":\"bool\",\"name\":\"active\",\"type\":\"bool\"},{\"internalType\":\"bytes32\",\"name\":\"descriptor\",\"type\":\"bytes32\"},{\"internalType\":\"uint96\",\"name\":\"bond\",\"type\":\"uint96\"},{\"internalType\":\"uint64\",\"name\":\"bondUntil\",\"type\":\"uint64\"}],\"internalType\":\"structMarket.ProviderView[]\",\"name\":\"page\",\"type\":\"tuple[]\"},{\"internalType\":\"uint256\",\"name\":\"total\",\"type\":\"uint256\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"bytes32\",\"name\":\"channelId\",\"type\":\"bytes32\"}],\"name\":\"refund\",\"outputs\":[],\"stateMutability\":\"nonpayable\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"payout\",\"type\":\"address\"},{\"internalType\":\"uint96\",\"name\":\"price\",\"type\":\"uint96\"},{\"internalType\":\"bytes\",\"name\":\"descriptor\",\"type\":\"bytes\"},{\"internalType\":\"bytes32\",\"name\":\"content\",\"type\":\"bytes32\"}],\"name\":\"register\",\"outputs\":[],\"stateMutability\":\"nonpayable\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"bytes32\",\"name\":\"channelId\",\"type\":\"bytes32\"}],\"name\":\"requestClose\",\"outputs\":[],\"stateMutability\":\"nonpayable\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"bytes32\",\"name\":\"channelId\",\"type\":\"bytes32\"},{\"internalType\":\"uint24\",\"name\":\"epoch\",\"type\":\"uint24\"},{\"internalType\":\"uint64\",\"name\":\"deadline\",\"type\":\"uint64\"},{\"internalType\":\"bytes32\",\"name\":\"r\",\"type\":\"bytes32\"},{\"internalType\":\"bytes32\",\"name\":\"vs\",\"type\":\"bytes32\"}],\"name\":\"requestCloseFor\",\"outputs\":[],\"stateMutability\":\"nonpayable\",\"type\":\"function\"},{\"inputs\":[{\"components\":[{\"internalType\":\"bytes32\",\"name\":\"channelId\",\"type\":\"bytes32\"},{\"internalType\":\"uint24\",\"name\":\"epoch\",\"type\":\"uint24\"},{\"internalType\":\"bytes16\",\"name\":\"roundId\",\"type\":\"bytes16\"},{\"internalType\":\"bool\",\"name\":\"finalResult\",\"type\":\"bool\"},{\"internalType\":\"bytes32\",\"name\":\"requestHash\",\"type\":\"bytes32\"},{\"internalType\":\"bytes32\",\"name\":\"responseHash\",\"type\":\"bytes32\"},{\"internalType\":\"uint64\",\"name\":\"input\",\"type\":\"uint64\"},{\"internalType\":\"uint64\",\"name\":\"cached\",\"type\":\"uint64\"},{\"internalType\":\"uint64\",\"name\":\"output\",\"type\":\"uint64\"},{\"internalType\":\"uint96\",\"name\":\"cost\",\"type\":\"uint96\"},{\"internalType\":\"uint8\",\"name\":\"status\",\"type\":\"uint8\"},{\"internalType\":\"bytes32\",\"name\":\"r\",\"type\":\"bytes32\"},{\"internalType\":\"bytes32\",\"name\":\"vs\",\"type\":\"bytes32\"}],\"internalType\":\"structMarket.Result\",\"name\":\"a\",\"type\":\"tuple\"},{\"components\":[{\"internalType\":\"bytes32\",\"name\":\"channelId\",\"type\":\"bytes32\"},{\"internalType\":\"uint24\",\"name\":\"epoch\",\"type\":\"uint24\"},{\"internalType\":\"bytes16\",\"name\":\"roundId\",\"type\":\"bytes16\"},{\"internalType\":\"bool\",\"name\":\"finalResult\",\"type\":\"bool\"},{\"internalType\":\"bytes32\",\"name\":\"requestHash\",\"type\":\"bytes32\"},{\"internalType\":\"bytes32\",\"name\":\"responseHash\",\"type\":\"bytes32\"},{\"internalType\":\"uint64\",\"name\":\"input\",\"type\":\"uint64\"},{\"internalType\":\"uint64\",\"name\":\"cached\",\"type\":\"uint64\"},{\"internalType\":\"uint64\",\"name\":\"output\",\"type\":\"uint64\"},{\"internalType\":\"uint96\",\"name\":\"cost\",\"type\":\"uint96\"},{\"internalType\":\"uint8\",\"name\":\"status\",\"type\":\"uint8\"},{\"internalType\":\"bytes32\",\"name\":\"r\",\"type\":\"bytes32\"},{\"internalType\":\"bytes32\",\"name\":\"vs\",\"type\":\"bytes32\"}],\"internalType\":\"structMarket.Result\",\"name\":\"b\",\"type\":\"tuple\"}],\"name\":\"slash\",\"outputs\":[],\"stateMutability\":\"nonpayable\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"provider_\",\"type\":\"address\"},{\"internalType\":\"address\",\"name\":\"key\",\"type\":\"address\"},{\"internalType\":\"address\",\"name\":\"funder\",\"type\":\"address\"}],\"name\":\"status\",\"outputs\":[{\"components\":[{\"internalType\":\"bytes32\",\"name\":\"channelId\",\"type\":\"bytes32\"},{\"internalType\":\"uint24\",\"name\":\"epoch\",\"type\":\"uint24\"},{\"internalType\":\"uint96\",\"name\":\"deposited\",\"type\":\"uint96\"},{\"internalType\":\"uint96\",\"name\":\"claimed\",\"type\":\"uint96\"},{\"internalType\":\"uint96\",\"name\":\"remaining\",\"type\":\"uint96\"},{\"internalType\":\"uint256\",\"name\":\"remainingTokens\",\"type\":\"uint256\"},{\"internalType\":\"uint96\",\"name\":\"locked\",\"type\":\"uint96\"},{\"internalType\":\"uint40\",\"name\":\"closeAt\",\"type\":\"uint40\"}],\"internalType\":\"structMarket.Status\",\"name\":\"\",\"type\":\"tuple\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"bytes32\",\"name\":\"channelId\",\"type\":\"bytes32\"},{\"internalType\":\"uint96\",\"name\":\"amount\",\"type\":\"uint96\"}],\"name\":\"topUp\",\"outputs\":[],\"stateMutability\":\"payable\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"unbond\",\"outputs\":[],\"stateMutability\":\"nonpayable\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"payout\",\"type\":\"address\"},{\"internalType\":\"uint96\",\"name\":\"price\",\"type\":\"uint96\"},{\"internalType\":\"bytes\",\"name\":\"descriptor\",\"type\":\"bytes\"},{\"internalType\":\"bytes32\",\"name\":\"content\",\"type\":\"bytes32\"}],\"name\":\"update\",\"outputs\":[],\"stateMutability\":\"nonpayable\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"to\",\"type\":\"address\"}],\"name\":\"withdraw\",\"outputs\":[],\"stateMutability\":\"nonpayable\",\"type\":\"function\"}]",
	ID:  "Market",
	Bin: "0x61018080604052346101a0576020816146a5803803809161002082856101a5565b8339810103126101a057516001600160a01b0381168082036101a05760405161004a6040826101a5565b6007815260208101906610dd5b1d995c9d60ca1b82526040519161006f6040846101a5565b600183526020830191603160f81b8352610088816101de565b61012052610095846103ad565b61014052519020918260e05251902080610100524660a0526040519060208201927f8b73c3c69bb8fe3d512ecc4cf759cc79239f7b179b0ffacaa9a75d522b39400f8452604083015260608201524660808201523060a082015260a081526100fe60c0826101a5565b5190206080523060c05280151580610197575b61018357506101605260405161414c9081610559823960805181613266015260a05181613323015260c05181613237015260e051816132b5015261010051816132db01526101205181611b4101526101405181611b6a0152610160518181816123df0152818161271a01526139dc0152f35b63d7e2857360e01b60005260045260246000fd5b50803b15610111565b600080fd5b601f909101601f19168101906001600160401b038211908210176101c857604052565b634e487b7160e01b600052604160045260246000fd5b90815160208110600014610276575090601f81511161021a57602081519101516020821061020a571790565b6000198260200360031b1b161790565b6040519063305a27a960e01b8252602060048301528181519182602483015260005b83811061025e5750508160006044809484010152601f80199101168101030190fd5b6020828201810151604487840101528593500161023c565b6001600160401b0381116101c857600054600181811c911680156103a3575b602082101461038d57601f811161034b575b50602092601f82116001146102e757928192936000926102dc575b50508160011b916000199060031b1c19161760005560ff90565b0151905038806102c2565b601f1982169360008052806000209160005b868110610333575083600195961061031a575b505050811b0160005560ff90565b015160001960f88460031b161c1916905538808061030c565b919260206001819286850151815501940192016102f9565b818111156102a757600080526020600020601f80840160051c809201920160051c039060005b82811061037f5750506102a7565b600082820155600101610371565b634e487b7160e01b600052602260045260246000fd5b90607f1690610295565b90815160208110600014610435575090601f8151116103d957602081519101516020821061020a571790565b6040519063305a27a960e01b8252602060048301528181519182602483015260005b83811061041d5750508160006044809484010152601f80199101168101030190fd5b602082820181015160448784010152859350016103fb565b6001600160401b0381116101c857600154600181811c9116801561054e575b602082101461038d57601f811161050b575b50602092601f82116001146104a6579281929360009261049b575b50508160011b916000199060031b1c19161760015560ff90565b015190503880610481565b601f198216936001600052806000209160005b8681106104f357508360019596106104da575b505050811b0160015560ff90565b015160001960f88460031b161c191690553880806104cc565b919260206001819286850151815501940192016104b9565b818111156104665760016000526020600020601f80840160051c809201920160051c039060005b828110610540575050610466565b600082820155600101610532565b90607f169061045456fe6080604052600436101561001257600080fd5b60003560e01c80632975d57d1461277a578063380e9c561461273e57806338d52e0f146126cf578063495ae3bd1461252557806351cff8d9146122f8578063531e2e8c1461222f5780635df6a6bc146120ee5780636b0432ef14611e865780636bf5fe6f14611e1b57806370a0823114611db65780637249fbb614611c4157806384b0196e14611b0a57806393b9b1ea146113c7578063969915ce146110e6578063a1ed2ae214610fe2578063b7d9c80e14610eff578063c1e95d1e14610e3c578063c990adbd14610dff578063d4176d8914610b81578063d7d2082c14610b46578063daf0dfc11461097f578063e3caaec014610609578063e9fad8ee146104d0578063f057b51b14610272578063f698da25146102315763fbaf094a1461013a57600080fd5b3461022c5760207ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261022c5761010061017c61017761281c565b612dbb565b61022a604051809267ffffffffffffffff60e0809273ffffffffffffffffffffffffffffffffffffffff815116855273ffffffffffffffffffffffffffffffffffffffff60208201511660208601526bffffffffffffffffffffffff604082015116604086015264ffffffffff606082015116606086015260808101511515608086015260a081015160a08601526bffffffffffffffffffffffff60c08201511660c0860152015116910152565bf35b600080fd5b3461022c5760007ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261022c57602061026a613220565b604051908152f35b3461022c5760607ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261022c576102a961281c565b6102b161283f565b6044359073ffffffffffffffffffffffffffffffffffffffff8216820361022c576102f8926102de612b96565b509091606092604051928352602083015260408201522090565b61030181612c19565b90606082016103326bffffffffffffffffffffffff8251166bffffffffffffffffffffffff60808601511690612b06565b60a08401516000906bffffffffffffffffffffffff1661040e57506bffffffffffffffffffffffff8464ffffffffff938286948161010099816000955b62ffffff82816040860151169251169160e08d60c08660a08160808b015116990151169c0151169c604051906103a482612a8c565b815260208101928352604081019485526060810196875285608082019916895260a081019a8b5260c081019b8c52019b8c526040519d8e52511660208d0152511660408b015251166060890152511660808701525160a0860152511660c0840152511660e0820152f35b6bffffffffffffffffffffffff8216620f4240810290808204620f424014901517156104a3576bffffffffffffffffffffffff60a08701511691821561047657509464ffffffffff936bffffffffffffffffffffffff869481848180976101009c049561036f565b807f4e487b7100000000000000000000000000000000000000000000000000000000602492526012600452fd5b6024827f4e487b710000000000000000000000000000000000000000000000000000000081526011600452fd5b3461022c5760007ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261022c57336000526002602052604060002080548060f81c156105db577f247cb03f7f802f6b8f5d626c4b2095b25cacc18b13981bf716e278fbbb1373be916105c661057664ffffffffff847effffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff60409616855560d01c16612da2565b82547fff0000000000ffffffffffffffffffffffffffffffffffffffffffffffffffff1660d082901b7effffffffff00000000000000000000000000000000000000000000000000001617909255565b64ffffffffff825191338352166020820152a1005b7fbfc6c337000000000000000000000000000000000000000000000000000000006000523360045260246000fd5b3461022c5760c07ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261022c57600435610643612990565b61064b612862565b916064359267ffffffffffffffff841680940361022c5761066b826137be565b9060018201549173ffffffffffffffffffffffffffffffffffffffff83163303610951578054908160e81c9662ffffff87169780890361092457508042116108f7576bffffffffffffffffffffffff808460601c169316976bffffffffffffffffffffffff85169584871080156108ee575b6108bc5760a01c65ffffffffffff16660100000000000081101561088d5773ffffffffffffffffffffffffffffffffffffffff918261077e9260070154169788946040519160208301937f92f0a3632f18e6ae95d79de57016bdac7bfd17bb8bb2154fc10d65039410dde885528c60408501526060840152608083015260a082015260a0815261076e60c082612ac5565b60a4359160843591519020613959565b1603610863577fc14c55223b6058b70feef944705fbe4c421cb144e83d7ca24409dff1deaa93b19661085e946bffffffffffffffffffffffff6107cf610823956107c98b89976138d4565b85612b06565b169060005260056020526107e96040600020918254612a34565b90556bffffffffffffffffffffffff6108028383612b06565b1633600052600560205261081c6040600020918254612a34565b9055612b06565b906040519485948592936bffffffffffffffffffffffff8092969562ffffff6060956080880199885216602087015216604085015216910152565b0390a1005b7f5cd5d2330000000000000000000000000000000000000000000000000000000060005260046000fd5b7f4e487b7100000000000000000000000000000000000000000000000000000000600052603260045260246000fd5b89857f5fcfe0a80000000000000000000000000000000000000000000000000000000060005260045260245260446000fd5b508987116106dd565b7f691e56820000000000000000000000000000000000000000000000000000000060005260045260246000fd5b7fa7e140460000000000000000000000000000000000000000000000000000000060005260045260246000fd5b7f7bcffa3a000000000000000000000000000000000000000000000000000000006000523360045260246000fd5b60407ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261022c576004356024356bffffffffffffffffffffffff8116810361022c576109cd816139c6565b6109d6826137be565b9165ffffffffffff600184015460a01c16660100000000000081101561088d57610a0290600701612be7565b73ffffffffffffffffffffffffffffffffffffffff81511660005260026020526040600020548060f81c15610b015760a01c65ffffffffffff16660100000000000081101561088d5760206bffffffffffffffffffffffff916007015460a01c9201511690818111610ad157505061085e610a9e837ff85db8e7cd1f051b69fd9792abc09b222f11af8aad1dcf69cf4c63ae8e1d00ef95613ca8565b926040519384938491604091949362ffffff6bffffffffffffffffffffffff926060860197865216602085015216910152565b7f5771159b0000000000000000000000000000000000000000000000000000000060005260045260245260446000fd5b73ffffffffffffffffffffffffffffffffffffffff8251167fbfc6c3370000000000000000000000000000000000000000000000000000000060005260045260246000fd5b3461022c5760007ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261022c5760206040516110008152f35b60807ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261022c57610bb361281c565b610bbb61283f565b610bc3612862565b606435916bffffffffffffffffffffffff831680930361022c57610be6826139c6565b73ffffffffffffffffffffffffffffffffffffffff81168015610dd55773ffffffffffffffffffffffffffffffffffffffff8516948560005260026020526040600020548060f81c15610da75760a01c65ffffffffffff1692660100000000000084101561088d57836007015460a01c95808711610d76577f9f00ca3484b3b36e1fc911b05a9abca4b1dced943ddba797cf98092880c558e460e089896bffffffffffffffffffffffff8a62ffffff8b8b610cb78c8c33919091606092604051928352602083015260408201522090565b96876000526004602052610d4c6040600020936001610cd68887613ca8565b950180547fffffffffffff000000000000ffffffffffffffffffffffffffffffffffffffff33167fffffffffffff00000000000000000000000000000000000000000000000000009091161760a09290921b79ffffffffffff000000000000000000000000000000000000000016919091179055565b604051978852602088015260408701523360608701521660808501521660a083015260c0820152a1005b867f5771159b0000000000000000000000000000000000000000000000000000000060005260045260245260446000fd5b867fbfc6c3370000000000000000000000000000000000000000000000000000000060005260045260246000fd5b7fd92e233d0000000000000000000000000000000000000000000000000000000060005260046000fd5b3461022c5760007ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261022c5760206040516303c267008152f35b3461022c57610e4a3661287d565b939291909333600052600260205260406000209485548060f81c156105db5760a01c65ffffffffffff1692660100000000000084101561088d57610ee0848383888a7fd5ed41188350760a2306ca7ac012692f0456863f418e3c01a0b3237c43b880699c61085e9a6007015460a01c6bffffffffffffffffffffffff841603610eee575b64ffffffffff815460d01c169061304c565b9460405196879633886129a2565b9450610ef982612f44565b94610ece565b3461022c5760207ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261022c5760e0610f3b600435612c19565b64ffffffffff60c06040519273ffffffffffffffffffffffffffffffffffffffff815116845273ffffffffffffffffffffffffffffffffffffffff602082015116602085015262ffffff60408201511660408501526bffffffffffffffffffffffff60608201511660608501526bffffffffffffffffffffffff60808201511660808501526bffffffffffffffffffffffff60a08201511660a085015201511660c0820152f35b3461022c5760a07ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261022c5760043561101c612990565b6044359167ffffffffffffffff831680930361022c5761103b816137be565b92835460e81c9062ffffff84169180830361092457508042116108f757906110b8916040519060208201927f75b175dd0e2969cb696df9b082521106d64ce772fcee4e0118b02c2b0b0e448b845285604084015260608301526080820152608081526110a860a082612ac5565b6084359160643591519020613959565b73ffffffffffffffffffffffffffffffffffffffff80600186015416911603610863576110e49261381e565b005b3461022c5760407ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261022c5760065465ffffffffffff16600435602435828210156113c0576111388284612b89565b8110156113b9576111499082612a34565b905b6111558183612b89565b917fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe061119961118385612b30565b946111916040519687612ac5565b808652612b30565b0160005b8181106113a25750506000915b8181106112aa575050815260405190604082019260408352815180945260206060840192016000945b8086106111e857505082935060208301520390f35b909260206101008261129e600194885167ffffffffffffffff60e0809273ffffffffffffffffffffffffffffffffffffffff815116855273ffffffffffffffffffffffffffffffffffffffff60208201511660208601526bffffffffffffffffffffffff604082015116604086015264ffffffffff606082015116606086015260808101511515608086015260a081015160a08601526bffffffffffffffffffffffff60c08201511660c0860152015116910152565b019401950194906111d3565b660100000000000081101561088d5773ffffffffffffffffffffffffffffffffffffffff81600701541680600052600260205260406000205460f81c80611380575b6112fa575b506001016111aa565b61130690939193612dbb565b92817fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff8114611351576001928361134a9201956113438289612bd3565b5286612bd3565b50906112f1565b7f4e487b7100000000000000000000000000000000000000000000000000000000600052601160045260246000fd5b508060005260026020528165ffffffffffff60406000205460a01c16146112ec565b6020906113ad612b96565b8282880101520161119d565b5081611149565b508061114b565b3461022c577ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc3601610340811261022c576101a01361022c576101a07ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe5c36011261022c57606435801580159081830361022c5781611af4575b611a2f57600435906101a43592838314801590611acb575b8015611a68575b611a2f5760006024359262ffffff841693848103611a605750604435927fffffffffffffffffffffffffffffffff00000000000000000000000000000000841693848103611a5c5750506040519260208401947fe90d8102b7a8516c71cfc4070abd2833dc978b54ebabb0f6ce168ebe84eb94cf86528660408601526060850152608084015260a083015260843560c083015260c0825261150160e083612ac5565b60c4359067ffffffffffffffff821691828103611a64575060e4359067ffffffffffffffff821691828103611a6457506101043567ffffffffffffffff811690818103611a60575061012435906bffffffffffffffffffffffff821691828103611a5c5750610144359260ff8416809403611a5957509260209261160f95926115e19795604051938685019560a435875260408601526060850152608084015260a083015260c082015260c081526115ba60e082612ac5565b6040519586946115d2858701998a925192839161292a565b8501915180938584019061292a565b0101037fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe08101835282612ac5565b5190209160006101c4359062ffffff821691828103611a6457506101e4357fffffffffffffffffffffffffffffffff00000000000000000000000000000000811690818103611a605750610204359081151591828103611a5c57506040519360208501957fe90d8102b7a8516c71cfc4070abd2833dc978b54ebabb0f6ce168ebe84eb94cf875260408601526060850152608084015260a08301526102243560c083015260c082526116c260e083612ac5565b610264359067ffffffffffffffff821691828103611a645750610284359067ffffffffffffffff821691828103611a6457506102a43567ffffffffffffffff811690818103611a6057506102c435906bffffffffffffffffffffffff821691828103611a5c57506102e4359260ff8416809403611a5957509260209261177e95926115e19795604051938685019561024435875260408601526060850152608084015260a083015260c082015260c081526115ba60e082612ac5565b519020808314611a2f5765ffffffffffff600161179a846137be565b015460a01c16660100000000000081101561088d5773ffffffffffffffffffffffffffffffffffffffff93846117e3926007015416948592839261018435906101643590613959565b1614918215926119fa575b50506108635781600052600360205260406000206040519061180f82612a41565b546bffffffffffffffffffffffff811680835267ffffffffffffffff602084019260601c168252156119d05767ffffffffffffffff905116804210156108f7575060e06bffffffffffffffffffffffff8080947fffffffffffffffffffffffffffffffff000000000000000000000000000000006118c97f9d84965bc93e2e9b6d7a4b5308e7b42e2acfbcd8968b23eb345fa08dfc78f2539689600052600360205260006040812055600a85825116049889915116612b06565b9162ffffff6118d6612b48565b6118de612b5a565b926040519b8c5260208c01521660408a015216606088015233608088015216938460a087015216938460c0820152a180471061199f57600080808093815af13d15611997573d9061192e82613012565b9161193c6040519384612ac5565b82523d6000602084013e5b1561195e57508061195457005b6110e4903361372c565b80511561196d57805190602001fd5b7fd6bda2750000000000000000000000000000000000000000000000000000000060005260046000fd5b606090611947565b477fcf4791810000000000000000000000000000000000000000000000000000000060005260045260245260446000fd5b7fdfc19f8e0000000000000000000000000000000000000000000000000000000060005260046000fd5b73ffffffffffffffffffffffffffffffffffffffff919250611a259061032435906103043590613959565b16141582846117ee565b7fae591c870000000000000000000000000000000000000000000000000000000060005260046000fd5b80fd5b8380fd5b8280fd5b5080fd5b50611a71612b5a565b6101e4357fffffffffffffffffffffffffffffffff0000000000000000000000000000000081169182820361022c577fffffffffffffffffffffffffffffffff00000000000000000000000000000000915016141561145f565b50611ad4612b48565b6101c43562ffffff81169182820361022c5762ffffff9150161415611458565b50610204358015908115810361022c5750611440565b3461022c5760007ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261022c57611be3611b657f0000000000000000000000000000000000000000000000000000000000000000613e49565b611b8e7f0000000000000000000000000000000000000000000000000000000000000000613fe4565b6020611bf160405192611ba18385612ac5565b6000845260003681376040519586957f0f00000000000000000000000000000000000000000000000000000000000000875260e08588015260e087019061294d565b90858203604087015261294d565b466060850152306080850152600060a085015283810360c085015281808451928381520193019160005b828110611c2a57505050500390f35b835185528695509381019392810192600101611c1b565b3461022c5760207ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261022c57600435611c7c816137be565b9081549064ffffffffff8260c01c168015611d8c57804210611d5f575061085e7f670f833e84264fb0373f1b0657b256aab1f0a94950fc85aae2c95dff6571faa89373ffffffffffffffffffffffffffffffffffffffff6001611cf78660e81c966bffffffffffffffffffffffff808260601c169116612b06565b92611d0287826138d4565b01541660005260056020526040600020611d2b6bffffffffffffffffffffffff83168254612a34565b90556040519384938491604091949362ffffff6bffffffffffffffffffffffff926060860197865216602085015216910152565b7f2a35a3240000000000000000000000000000000000000000000000000000000060005260045260246000fd5b7ff9b46b5f0000000000000000000000000000000000000000000000000000000060005260046000fd5b3461022c5760207ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261022c5773ffffffffffffffffffffffffffffffffffffffff611e0261281c565b1660005260056020526020604060002054604051908152f35b3461022c5760207ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261022c57600435611e56816137be565b73ffffffffffffffffffffffffffffffffffffffff6001820154163303610951576110e491815460e81c9161381e565b60207ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261022c5760043567ffffffffffffffff811680820361022c5733600052600260205260406000205460f81c156105db573360005260036020526040600020805467ffffffffffffffff8160601c1660004282116000146120ad57505b6303c267004201908142116113515780851080156120a4575b6120745750506bffffffffffffffffffffffff16611f3f3482612a34565b90811561204a576bffffffffffffffffffffffff8211611fe95782547fffffffffffffffffffffffff0000000000000000000000000000000000000000166bffffffffffffffffffffffff8316908117606087811b73ffffffffffffffff0000000000000000000000001691909117855560408051338152602081019390935282018690527fc952f848f38c5cd5706a7ce9b3a40dd611505ac0cb50e148f592dc55bcd2234391a1005b6bffffffffffffffffffffffff036bffffffffffffffffffffffff8111611351576bffffffffffffffffffffffff907f195a3ca100000000000000000000000000000000000000000000000000000000600052346004521660245260446000fd5b7f1f2a20050000000000000000000000000000000000000000000000000000000060005260046000fd5b7faa469ed60000000000000000000000000000000000000000000000000000000060005260045260245260446000fd5b50818511611f21565b905060014201908142116120c15750611f08565b807f4e487b7100000000000000000000000000000000000000000000000000000000602492526011600452fd5b3461022c5760007ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261022c5733600052600360205260406000206040519061213882612a41565b546bffffffffffffffffffffffff811680835267ffffffffffffffff602084019260601c168252156119d05767ffffffffffffffff90511690814210612201576110e490336000526003602052600060408120553360005260026020526bffffffffffffffffffffffff73ffffffffffffffffffffffffffffffffffffffff60406000205416917f5387604fc7962e79f1cbf9f87dbff9aa58e5f7d3b4bc54f5892feb605b66e84a606083835116604051903382528660208301526040820152a151169061372c565b507f2a35a3240000000000000000000000000000000000000000000000000000000060005260045260246000fd5b3461022c5760207ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261022c5760043561226a816137be565b73ffffffffffffffffffffffffffffffffffffffff60018201541633036109515764ffffffffff815460c01c1615611d8c577fb22506b7c08609f4a7f69d866228582e6380a042a66ba31f5f2d1e1132b7fbb291817fffffff0000000000ffffffffffffffffffffffffffffffffffffffffffffffff604093541681555460e81c82519182526020820152a1005b3461022c5760207ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261022c5761232f61281c565b33600052600560205260406000205480156124fb573360005260056020526000604081205573ffffffffffffffffffffffffffffffffffffffff8216156124ce575b73ffffffffffffffffffffffffffffffffffffffff8216156124c6575b6040805133815273ffffffffffffffffffffffffffffffffffffffff841660208201529081018290527fd1c19fbcd4551a5edfb66d43d2e337c04837afda3482b42bdf569a8fccdae5fb90606090a17f000000000000000000000000000000000000000000000000000000000000000073ffffffffffffffffffffffffffffffffffffffff8116612439575073ffffffffffffffffffffffffffffffffffffffff6110e4921661372c565b6040517fa9059cbb00000000000000000000000000000000000000000000000000000000602082015273ffffffffffffffffffffffffffffffffffffffff909316602484015260448301919091526110e491906124c182606481015b037fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe08101845283612ac5565b613dbe565b33915061238e565b905033600052600260205273ffffffffffffffffffffffffffffffffffffffff6040600020541690612371565b7fd0d04f600000000000000000000000000000000000000000000000000000000060005260046000fd5b3461022c5760407ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261022c5760043567ffffffffffffffff811161022c573660238201121561022c57806004013567ffffffffffffffff811161022c5736602460c083028401011161022c57602435916125a0613220565b92600080916000925b85841015612656576000906125c6602460c0870288010189613349565b92831561264a5773ffffffffffffffffffffffffffffffffffffffff86168073ffffffffffffffffffffffffffffffffffffffff841603612612575b50505001926001905b01926125a9565b83600195949293975061262b575b505090918980612602565b8252600560205261264160408320918254612a34565b90558980612620565b5050936001915061260b565b8281612698575b50508061266657005b60407f84c6ee81d1788f99da37d7621de051c824f66588a506e57a7722e7bd9f5c1bf9918151903382526020820152a1005b73ffffffffffffffffffffffffffffffffffffffff1660005260056020526126c66040600020918254612a34565b9055818061265d565b3461022c5760007ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261022c57602060405173ffffffffffffffffffffffffffffffffffffffff7f0000000000000000000000000000000000000000000000000000000000000000168152f35b3461022c5760007ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261022c576020604051620151808152f35b3461022c576127883661287d565b93929190933360005260026020526040600020948554928360f81c6127ee57610ee061085e948383888a7f56858c418e5174845e0eacf1d56ea784759325e0a3ca96d15714fd9cf4ea18659c64ffffffffff6127e384612f44565b9660d01c169061304c565b7f45ed80e9000000000000000000000000000000000000000000000000000000006000523360045260246000fd5b6004359073ffffffffffffffffffffffffffffffffffffffff8216820361022c57565b6024359073ffffffffffffffffffffffffffffffffffffffff8216820361022c57565b604435906bffffffffffffffffffffffff8216820361022c57565b9060807ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc83011261022c5760043573ffffffffffffffffffffffffffffffffffffffff8116810361022c57916024356bffffffffffffffffffffffff8116810361022c579160443567ffffffffffffffff811161022c578260238201121561022c5780600401359267ffffffffffffffff841161022c576024848301011161022c57602401919060643590565b60005b83811061293d5750506000910152565b818101518382015260200161292d565b907fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe0601f6020936129898151809281875287808801910161292a565b0116010190565b6024359062ffffff8216820361022c57565b97969560a0956bffffffffffffffffffffffff60e09673ffffffffffffffffffffffffffffffffffffffff7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe0978d602064ffffffffff601f9a858a9b168452169101521660408d01521660608b015260c060808b01528160c08b0152858a0137600084828a0101520116850101930152565b9190820180921161135157565b6040810190811067ffffffffffffffff821117612a5d57604052565b7f4e487b7100000000000000000000000000000000000000000000000000000000600052604160045260246000fd5b610100810190811067ffffffffffffffff821117612a5d57604052565b60e0810190811067ffffffffffffffff821117612a5d57604052565b90601f7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe0910116810190811067ffffffffffffffff821117612a5d57604052565b906bffffffffffffffffffffffff809116911603906bffffffffffffffffffffffff821161135157565b67ffffffffffffffff8111612a5d5760051b60200190565b60243562ffffff8116810361022c5790565b6044357fffffffffffffffffffffffffffffffff000000000000000000000000000000008116810361022c5790565b9190820391821161135157565b60405190612ba382612a8c565b600060e0838281528260208201528260408201528260608201528260808201528260a08201528260c08201520152565b805182101561088d5760209160051b010190565b90604051612bf481612a41565b915473ffffffffffffffffffffffffffffffffffffffff8116835260a01c6020830152565b60405190612c2682612aa9565b6000825260006020830152600060408301526000606083015260006080830152600060a0830152600060c0830152600052600460205260406000206040519060c0820182811067ffffffffffffffff821117612a5d576040528054916bffffffffffffffffffffffff83168152602081016bffffffffffffffffffffffff8460601c1681526001604083019364ffffffffff8660c01c168552606084019560e81c865201549473ffffffffffffffffffffffffffffffffffffffff86169065ffffffffffff608085019783895260a01c16918260a086015215612d985750660100000000000081101561088d57612d1f90600701612be7565b9164ffffffffff6bffffffffffffffffffffffff6020818062ffffff73ffffffffffffffffffffffffffffffffffffffff808a51169c51169a5116955116955116950151169451169460405196612d7588612aa9565b8752602087015260408601526060850152608084015260a083015260c082015290565b9550505050505090565b64ffffffffff1664ffffffffff81146113515760010190565b73ffffffffffffffffffffffffffffffffffffffff612dd8612b96565b91169081600052600260205260406000206040519060a0820182811067ffffffffffffffff821117612a5d5760405280549273ffffffffffffffffffffffffffffffffffffffff84168352602083019365ffffffffffff8160a01c16855264ffffffffff8160d01c169160016040860194848652606087019360f81c151584520154926080860193845215612d98575085600052600360205260406000209265ffffffffffff73ffffffffffffffffffffffffffffffffffffffff60405195612ea087612a41565b54966bffffffffffffffffffffffff8816875267ffffffffffffffff602088019860601c1688525116965116660100000000000081101561088d576bffffffffffffffffffffffff64ffffffffff67ffffffffffffffff926007015460a01c9351169351151594519551169551169560405197612f1c89612a8c565b8852602088015260408701526060860152608085015260a084015260c083015260e082015290565b9060065465ffffffffffff81169065ffffffffffff8214611351577fffffffffffffffffffffffffffffffffffffffffffffffffffff000000000000166001820165ffffffffffff1617600655604051909283612fa083612a41565b3383526bffffffffffffffffffffffff6020840192168252660100000000000081101561088d579151905160a01b7fffffffffffffffffffffffff00000000000000000000000000000000000000001673ffffffffffffffffffffffffffffffffffffffff9190911617600790910155565b67ffffffffffffffff8111612a5d57601f017fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe01660200190565b949295919573ffffffffffffffffffffffffffffffffffffffff871615610dd5576bffffffffffffffffffffffff16156131f65761100083116131c8579073ffffffffffffffffffffffffffffffffffffffff6130ab61312093612da2565b96167fffffffffffffffffffffffff000000000000000000000000000000000000000086541617855584907fffffffffffff000000000000ffffffffffffffffffffffffffffffffffffffff79ffffffffffff000000000000000000000000000000000000000083549260a01b169116179055565b825479ffffffffffffffffffffffffffffffffffffffffffffffffffff167effffffffff000000000000000000000000000000000000000000000000000060d086901b16177f010000000000000000000000000000000000000000000000000000000000000017835561319281613012565b61319f6040519182612ac5565b8181526020810191368185011161022c5760208160009260019686378301015251902091015590565b827f652625670000000000000000000000000000000000000000000000000000000060005260045260246000fd5b7f4dfba0230000000000000000000000000000000000000000000000000000000060005260046000fd5b73ffffffffffffffffffffffffffffffffffffffff7f000000000000000000000000000000000000000000000000000000000000000016301480613320575b15613288577f000000000000000000000000000000000000000000000000000000000000000090565b60405160208101907f8b73c3c69bb8fe3d512ecc4cf759cc79239f7b179b0ffacaa9a75d522b39400f82527f000000000000000000000000000000000000000000000000000000000000000060408201527f000000000000000000000000000000000000000000000000000000000000000060608201524660808201523060a082015260a0815261331a60c082612ac5565b51902090565b507f0000000000000000000000000000000000000000000000000000000000000000461461325f565b9091823560208401359362ffffff8516850361022c576040810135916bffffffffffffffffffffffff8316830361022c578060005260046020526040600020928354936bffffffffffffffffffffffff8516906bffffffffffffffffffffffff8660601c169560e81c9060018101549565ffffffffffff73ffffffffffffffffffffffffffffffffffffffff88169760a01c169085976bffffffffffffffffffffffff871695808711613724575b506bffffffffffffffffffffffff8916948d818c881191821592613714575b50506136525750660100000000000083101561088d576134cd6134e7926134bd73ffffffffffffffffffffffffffffffffffffffff8b9660070154169e60a06040517f1e22073394650063c7ba1df415e8850447fbe862feb56b6569efa7ba533faa10815260808560208301372090604291604051917f19010000000000000000000000000000000000000000000000000000000000008352600283015260228201522090565b608060a083013592013590613d81565b8c9091606092604051928352602083015260408201522090565b036135ff577fb5cfc6e731f99dae33a90e6c44a09ed7c582d0496a70dc84df915a6fb61e8e0d94926bffffffffffffffffffffffff98999a9492828893547fffffffffffffffff000000000000000000000000ffffffffffffffffffffffff77ffffffffffffffffffffffff0000000000000000000000008660601b169116179055036135a2575b6040805193845262ffffff9490941660208401526bffffffffffffffffffffffff169282019290925260609150a1031690565b6040805184815262ffffff861660208201526bffffffffffffffffffffffff93841691810191909152911660608201527f0170a1b21644a5efb28fd4140fa37a2e5452fb12d1a5794a9c0b77d6efaeb38190608090a1388461356f565b505092505091507fbbd33b9b21ecc92063339d0d5fdb2b02943db1c9c26c97d8b0e9180daab7ea41935062ffffff60809395604051938452166020830152604082015260036060820152a1600090600090565b9850969a5050505050935050600095939550156000146136f1575062ffffff6000925b604051948552166020840152604083015260048110156136c2578160809160607fbbd33b9b21ecc92063339d0d5fdb2b02943db1c9c26c97d8b0e9180daab7ea41940152a1600090600090565b7f4e487b7100000000000000000000000000000000000000000000000000000000600052602160045260246000fd5b62ffffff8316146137095762ffffff60015b92613675565b62ffffff6002613703565b62ffffff1614159050818f613416565b9850386133f7565b81471061378c57600080809373ffffffffffffffffffffffffffffffffffffffff8294165af13d15613784573d9061376382613012565b916137716040519384612ac5565b82523d6000602084013e5b1561195e5750565b60609061377c565b50477fcf4791810000000000000000000000000000000000000000000000000000000060005260045260245260446000fd5b9081600052600460205260406000209173ffffffffffffffffffffffffffffffffffffffff600184015416156137f15750565b7fb08fc1cb0000000000000000000000000000000000000000000000000000000060005260045260246000fd5b9064ffffffffff825460c01c166138cf5762015180420192834211611351577f915349409b49ce76bc8dfebed1555ce3c129bd447b18b9fd06a0e38393a5fb6f9362ffffff64ffffffffff9285606096547fffffff0000000000ffffffffffffffffffffffffffffffffffffffffffffffff7cffffffffff000000000000000000000000000000000000000000000000808760c01b16169116179055604051948552166020840152166040820152a1565b505050565b80547fffffff00000000000000000000000000000000000000000000000000000000001681559062ffffff908116600101908111611351577cffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7fffffff000000000000000000000000000000000000000000000000000000000083549260e81b169116179055565b906139a26139a7939261396a613220565b604291604051917f19010000000000000000000000000000000000000000000000000000000000008352600283015260228201522090565b613d81565b9073ffffffffffffffffffffffffffffffffffffffff82161561086357565b6bffffffffffffffffffffffff16801561204a577f000000000000000000000000000000000000000000000000000000000000000073ffffffffffffffffffffffffffffffffffffffff8116908115613bfe5734613bcb57604051907f70a08231000000000000000000000000000000000000000000000000000000008252306004830152602082602481865afa918215613b8a57600092613b96575b50602492613ad1602092604051907f23b872dd00000000000000000000000000000000000000000000000000000000858301526124c1826124958a30338c850173ffffffffffffffffffffffffffffffffffffffff6040929594938160608401971683521660208201520152565b604051938480927f70a082310000000000000000000000000000000000000000000000000000000082523060048301525afa8015613b8a57600090613b56575b613b1b9250612b89565b818103613b26575050565b7f857dd5520000000000000000000000000000000000000000000000000000000060005260045260245260446000fd5b506020823d602011613b82575b81613b7060209383612ac5565b8101031261022c57613b1b9151613b11565b3d9150613b63565b6040513d6000823e3d90fd5b9091506020813d602011613bc3575b81613bb260209383612ac5565b8101031261022c5751906024613a63565b3d9150613ba5565b7f195a3ca10000000000000000000000000000000000000000000000000000000060005234600452600060245260446000fd5b5050803410613c7757803411613c115750565b613c72613c3f7f9c9e0cdb1670e88302408e5b941dc636f63a3293204694bb68910fcf3d9305f39234612b89565b3360005260056020526040600020613c58828254612a34565b905560408051338152602081019290925290918291820190565b0390a1565b7f195a3ca1000000000000000000000000000000000000000000000000000000006000523460045260245260446000fd5b919091805464ffffffffff8160c01c1680613d5457508060e81c9362ffffff8514613d2a576bffffffffffffffffffffffff8091169116016bffffffffffffffffffffffff8111611351576bffffffffffffffffffffffff167fffffffffffffffffffffffffffffffffffffffff000000000000000000000000825416179055565b7fa1d8efea0000000000000000000000000000000000000000000000000000000060005260046000fd5b7fd54f47b10000000000000000000000000000000000000000000000000000000060005260045260246000fd5b90613db9929160ff7f7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff841693811c601b0116906140b6565b505090565b906000602091828151910182855af115613b8a576000513d613e40575073ffffffffffffffffffffffffffffffffffffffff81163b155b613dfc5750565b73ffffffffffffffffffffffffffffffffffffffff907f5274afe7000000000000000000000000000000000000000000000000000000006000521660045260246000fd5b60011415613df5565b60ff8114613ecb5760ff811690601f8211613ea1576040805192613e6d8285612ac5565b602084527fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe060208501920136833783525290565b7fb3512b0c0000000000000000000000000000000000000000000000000000000060005260046000fd5b5060405160008054908160011c91600181168015613fda575b602084108114613fad578385528492918115613f705750600114613f12575b613f0f92500382612ac5565b90565b50600080805290917f290decd9548b62a8d60345a988386fc84ba6bc95484008f6362f93160ef3e5635b818310613f54575050906020613f0f92820101613f03565b6020919350806001915483858801015201910190918392613f3c565b60209250613f0f9491507fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff001682840152151560051b820101613f03565b6024837f4e487b710000000000000000000000000000000000000000000000000000000081526022600452fd5b92607f1692613ee4565b60ff81146140085760ff811690601f8211613ea1576040805192613e6d8285612ac5565b506040516000600154908160011c916001811680156140ac575b602084108114613fad578385528492918115613f70575060011461404c57613f0f92500382612ac5565b506001600090815290917fb10e2d527612073b26eecdfd717e6a320cf44b4afac2b0732d9fcbe2b7fa0cf65b818310614090575050906020613f0f92820101613f03565b6020919350806001915483858801015201910190918392614078565b92607f1692614022565b91907f7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a08411614140579160209360809260ff60009560405194855216868401526040830152606082015282805260015afa15613b8a5760005173ffffffffffffffffffffffffffffffffffffffff8116156141345790600090600090565b50600090600190600090565b5050506000916003919056",
}

// Market is an auto generated Go binding around an Ethereum contract.
type Market struct {
	abi abi.ABI
}

// GetABI returns the ABI associated with this contract binding.
func (c *Market) GetABI() abi.ABI {
	return c.abi
}

// NewMarket creates a new instance of Market.
func NewMarket() *Market {
	parsed, err := MarketMetaData.ParseABI()
	if err != nil {
		panic(errors.New("invalid ABI: " + err.Error()))
	}
	return &Market{abi: *parsed}
}

// Instance creates a wrapper for a deployed contract instance at the given address.
// Use this to create the instance object passed to abigen v2 library functions Call, Transact, etc.
func (c *Market) Instance(backend bind.ContractBackend, addr common.Address) *bind.BoundContract {
	return bind.NewBoundContract(addr, c.abi, backend, backend, backend)
}

// PackConstructor is the Go binding used to pack the parameters required for
// contract deployment.
//
// Solidity: constructor(address asset_) returns()
func (market *Market) PackConstructor(asset_ common.Address) []byte {
	enc, err := market.abi.Pack("", asset_)
	if err != nil {
		panic(err)
	}
	return enc
}

// PackDISPUTETIME is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x380e9c56.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function DISPUTE_TIME() view returns(uint256)
func (market *Market) PackDISPUTETIME() []byte {
	enc, err := market.abi.Pack("DISPUTE_TIME")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackDISPUTETIME is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x380e9c56.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function DISPUTE_TIME() view returns(uint256)
func (market *Market) TryPackDISPUTETIME() ([]byte, error) {
	return market.abi.Pack("DISPUTE_TIME")
}

// UnpackDISPUTETIME is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x380e9c56.
//
// Solidity: function DISPUTE_TIME() view returns(uint256)
func (market *Market) UnpackDISPUTETIME(data []byte) (*big.Int, error) {
	out, err := market.abi.Unpack("DISPUTE_TIME", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// PackMAXBONDTIME is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xc990adbd.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function MAX_BOND_TIME() view returns(uint256)
func (market *Market) PackMAXBONDTIME() []byte {
	enc, err := market.abi.Pack("MAX_BOND_TIME")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackMAXBONDTIME is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xc990adbd.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function MAX_BOND_TIME() view returns(uint256)
func (market *Market) TryPackMAXBONDTIME() ([]byte, error) {
	return market.abi.Pack("MAX_BOND_TIME")
}

// UnpackMAXBONDTIME is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xc990adbd.
//
// Solidity: function MAX_BOND_TIME() view returns(uint256)
func (market *Market) UnpackMAXBONDTIME(data []byte) (*big.Int, error) {
	out, err := market.abi.Unpack("MAX_BOND_TIME", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// PackMAXDESCRIPTOR is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xd7d2082c.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function MAX_DESCRIPTOR() view returns(uint256)
func (market *Market) PackMAXDESCRIPTOR() []byte {
	enc, err := market.abi.Pack("MAX_DESCRIPTOR")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackMAXDESCRIPTOR is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xd7d2082c.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function MAX_DESCRIPTOR() view returns(uint256)
func (market *Market) TryPackMAXDESCRIPTOR() ([]byte, error) {
	return market.abi.Pack("MAX_DESCRIPTOR")
}

// UnpackMAXDESCRIPTOR is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xd7d2082c.
//
// Solidity: function MAX_DESCRIPTOR() view returns(uint256)
func (market *Market) UnpackMAXDESCRIPTOR(data []byte) (*big.Int, error) {
	out, err := market.abi.Unpack("MAX_DESCRIPTOR", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// PackAsset is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x38d52e0f.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function asset() view returns(address)
func (market *Market) PackAsset() []byte {
	enc, err := market.abi.Pack("asset")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackAsset is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x38d52e0f.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function asset() view returns(address)
func (market *Market) TryPackAsset() ([]byte, error) {
	return market.abi.Pack("asset")
}

// UnpackAsset is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x38d52e0f.
//
// Solidity: function asset() view returns(address)
func (market *Market) UnpackAsset(data []byte) (common.Address, error) {
	out, err := market.abi.Unpack("asset", data)
	if err != nil {
		return *new(common.Address), err
	}
	out0 := *abi.ConvertType(out[0], new(common.Address)).(*common.Address)
	return out0, nil
}

// PackBalanceOf is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x70a08231.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function balanceOf(address owner) view returns(uint256)
func (market *Market) PackBalanceOf(owner common.Address) []byte {
	enc, err := market.abi.Pack("balanceOf", owner)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackBalanceOf is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x70a08231.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function balanceOf(address owner) view returns(uint256)
func (market *Market) TryPackBalanceOf(owner common.Address) ([]byte, error) {
	return market.abi.Pack("balanceOf", owner)
}

// UnpackBalanceOf is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x70a08231.
//
// Solidity: function balanceOf(address owner) view returns(uint256)
func (market *Market) UnpackBalanceOf(data []byte) (*big.Int, error) {
	out, err := market.abi.Unpack("balanceOf", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// PackBond is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x6b0432ef.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function bond(uint64 until) payable returns()
func (market *Market) PackBond(until uint64) []byte {
	enc, err := market.abi.Pack("bond", until)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackBond is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x6b0432ef.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function bond(uint64 until) payable returns()
func (market *Market) TryPackBond(until uint64) ([]byte, error) {
	return market.abi.Pack("bond", until)
}

// PackBuy is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xd4176d89.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function buy(address provider_, address key, uint96 amount, uint96 maxPrice) payable returns()
func (market *Market) PackBuy(provider common.Address, key common.Address, amount *big.Int, maxPrice *big.Int) []byte {
	enc, err := market.abi.Pack("buy", provider, key, amount, maxPrice)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackBuy is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xd4176d89.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function buy(address provider_, address key, uint96 amount, uint96 maxPrice) payable returns()
func (market *Market) TryPackBuy(provider common.Address, key common.Address, amount *big.Int, maxPrice *big.Int) ([]byte, error) {
	return market.abi.Pack("buy", provider, key, amount, maxPrice)
}

// PackCancelClose is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x531e2e8c.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function cancelClose(bytes32 channelId) returns()
func (market *Market) PackCancelClose(channelId [32]byte) []byte {
	enc, err := market.abi.Pack("cancelClose", channelId)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackCancelClose is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x531e2e8c.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function cancelClose(bytes32 channelId) returns()
func (market *Market) TryPackCancelClose(channelId [32]byte) ([]byte, error) {
	return market.abi.Pack("cancelClose", channelId)
}

// PackChannel is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xb7d9c80e.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function channel(bytes32 channelId) view returns((address,address,uint24,uint96,uint96,uint96,uint40) v)
func (market *Market) PackChannel(channelId [32]byte) []byte {
	enc, err := market.abi.Pack("channel", channelId)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackChannel is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xb7d9c80e.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function channel(bytes32 channelId) view returns((address,address,uint24,uint96,uint96,uint96,uint40) v)
func (market *Market) TryPackChannel(channelId [32]byte) ([]byte, error) {
	return market.abi.Pack("channel", channelId)
}

// UnpackChannel is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xb7d9c80e.
//
// Solidity: function channel(bytes32 channelId) view returns((address,address,uint24,uint96,uint96,uint96,uint40) v)
func (market *Market) UnpackChannel(data []byte) (MarketChannelView, error) {
	out, err := market.abi.Unpack("channel", data)
	if err != nil {
		return *new(MarketChannelView), err
	}
	out0 := *abi.ConvertType(out[0], new(MarketChannelView)).(*MarketChannelView)
	return out0, nil
}

// PackClaim is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x495ae3bd.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function claim((bytes32,uint24,uint96,bytes32,bytes32,bytes32)[] entries, bytes32 content) returns()
func (market *Market) PackClaim(entries []MarketEntry, content [32]byte) []byte {
	enc, err := market.abi.Pack("claim", entries, content)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackClaim is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x495ae3bd.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function claim((bytes32,uint24,uint96,bytes32,bytes32,bytes32)[] entries, bytes32 content) returns()
func (market *Market) TryPackClaim(entries []MarketEntry, content [32]byte) ([]byte, error) {
	return market.abi.Pack("claim", entries, content)
}

// PackCooperativeClose is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xe3caaec0.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function cooperativeClose(bytes32 channelId, uint24 epoch, uint96 finalCumulative, uint64 deadline, bytes32 r, bytes32 vs) returns()
func (market *Market) PackCooperativeClose(channelId [32]byte, epoch *big.Int, finalCumulative *big.Int, deadline uint64, r [32]byte, vs [32]byte) []byte {
	enc, err := market.abi.Pack("cooperativeClose", channelId, epoch, finalCumulative, deadline, r, vs)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackCooperativeClose is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xe3caaec0.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function cooperativeClose(bytes32 channelId, uint24 epoch, uint96 finalCumulative, uint64 deadline, bytes32 r, bytes32 vs) returns()
func (market *Market) TryPackCooperativeClose(channelId [32]byte, epoch *big.Int, finalCumulative *big.Int, deadline uint64, r [32]byte, vs [32]byte) ([]byte, error) {
	return market.abi.Pack("cooperativeClose", channelId, epoch, finalCumulative, deadline, r, vs)
}

// PackDomainSeparator is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xf698da25.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function domainSeparator() view returns(bytes32)
func (market *Market) PackDomainSeparator() []byte {
	enc, err := market.abi.Pack("domainSeparator")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackDomainSeparator is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xf698da25.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function domainSeparator() view returns(bytes32)
func (market *Market) TryPackDomainSeparator() ([]byte, error) {
	return market.abi.Pack("domainSeparator")
}

// UnpackDomainSeparator is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xf698da25.
//
// Solidity: function domainSeparator() view returns(bytes32)
func (market *Market) UnpackDomainSeparator(data []byte) ([32]byte, error) {
	out, err := market.abi.Unpack("domainSeparator", data)
	if err != nil {
		return *new([32]byte), err
	}
	out0 := *abi.ConvertType(out[0], new([32]byte)).(*[32]byte)
	return out0, nil
}

// PackEip712Domain is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x84b0196e.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function eip712Domain() view returns(bytes1 fields, string name, string version, uint256 chainId, address verifyingContract, bytes32 salt, uint256[] extensions)
func (market *Market) PackEip712Domain() []byte {
	enc, err := market.abi.Pack("eip712Domain")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackEip712Domain is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x84b0196e.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function eip712Domain() view returns(bytes1 fields, string name, string version, uint256 chainId, address verifyingContract, bytes32 salt, uint256[] extensions)
func (market *Market) TryPackEip712Domain() ([]byte, error) {
	return market.abi.Pack("eip712Domain")
}

// Eip712DomainOutput serves as a container for the return parameters of contract
// method Eip712Domain.
type Eip712DomainOutput struct {
	Fields            [1]byte
	Name              string
	Version           string
	ChainId           *big.Int
	VerifyingContract common.Address
	Salt              [32]byte
	Extensions        []*big.Int
}

// UnpackEip712Domain is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x84b0196e.
//
// Solidity: function eip712Domain() view returns(bytes1 fields, string name, string version, uint256 chainId, address verifyingContract, bytes32 salt, uint256[] extensions)
func (market *Market) UnpackEip712Domain(data []byte) (Eip712DomainOutput, error) {
	out, err := market.abi.Unpack("eip712Domain", data)
	outstruct := new(Eip712DomainOutput)
	if err != nil {
		return *outstruct, err
	}
	outstruct.Fields = *abi.ConvertType(out[0], new([1]byte)).(*[1]byte)
	outstruct.Name = *abi.ConvertType(out[1], new(string)).(*string)
	outstruct.Version = *abi.ConvertType(out[2], new(string)).(*string)
	outstruct.ChainId = abi.ConvertType(out[3], new(big.Int)).(*big.Int)
	outstruct.VerifyingContract = *abi.ConvertType(out[4], new(common.Address)).(*common.Address)
	outstruct.Salt = *abi.ConvertType(out[5], new([32]byte)).(*[32]byte)
	outstruct.Extensions = *abi.ConvertType(out[6], new([]*big.Int)).(*[]*big.Int)
	return *outstruct, nil
}

// PackExit is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xe9fad8ee.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function exit() returns()
func (market *Market) PackExit() []byte {
	enc, err := market.abi.Pack("exit")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackExit is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xe9fad8ee.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function exit() returns()
func (market *Market) TryPackExit() ([]byte, error) {
	return market.abi.Pack("exit")
}

// PackProvider is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xfbaf094a.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function provider(address a) view returns((address,address,uint96,uint40,bool,bytes32,uint96,uint64) v)
func (market *Market) PackProvider(a common.Address) []byte {
	enc, err := market.abi.Pack("provider", a)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackProvider is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xfbaf094a.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function provider(address a) view returns((address,address,uint96,uint40,bool,bytes32,uint96,uint64) v)
func (market *Market) TryPackProvider(a common.Address) ([]byte, error) {
	return market.abi.Pack("provider", a)
}

// UnpackProvider is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xfbaf094a.
//
// Solidity: function provider(address a) view returns((address,address,uint96,uint40,bool,bytes32,uint96,uint64) v)
func (market *Market) UnpackProvider(data []byte) (MarketProviderView, error) {
	out, err := market.abi.Unpack("provider", data)
	if err != nil {
		return *new(MarketProviderView), err
	}
	out0 := *abi.ConvertType(out[0], new(MarketProviderView)).(*MarketProviderView)
	return out0, nil
}

// PackProviders is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x969915ce.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function providers(uint256 start, uint256 count) view returns((address,address,uint96,uint40,bool,bytes32,uint96,uint64)[] page, uint256 total)
func (market *Market) PackProviders(start *big.Int, count *big.Int) []byte {
	enc, err := market.abi.Pack("providers", start, count)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackProviders is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x969915ce.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function providers(uint256 start, uint256 count) view returns((address,address,uint96,uint40,bool,bytes32,uint96,uint64)[] page, uint256 total)
func (market *Market) TryPackProviders(start *big.Int, count *big.Int) ([]byte, error) {
	return market.abi.Pack("providers", start, count)
}

// ProvidersOutput serves as a container for the return parameters of contract
// method Providers.
type ProvidersOutput struct {
	Page  []MarketProviderView
	Total *big.Int
}

// UnpackProviders is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x969915ce.
//
// Solidity: function providers(uint256 start, uint256 count) view returns((address,address,uint96,uint40,bool,bytes32,uint96,uint64)[] page, uint256 total)
func (market *Market) UnpackProviders(data []byte) (ProvidersOutput, error) {
	out, err := market.abi.Unpack("providers", data)
	outstruct := new(ProvidersOutput)
	if err != nil {
		return *outstruct, err
	}
	outstruct.Page = *abi.ConvertType(out[0], new([]MarketProviderView)).(*[]MarketProviderView)
	outstruct.Total = abi.ConvertType(out[1], new(big.Int)).(*big.Int)
	return *outstruct, nil
}

// PackRefund is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x7249fbb6.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function refund(bytes32 channelId) returns()
func (market *Market) PackRefund(channelId [32]byte) []byte {
	enc, err := market.abi.Pack("refund", channelId)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackRefund is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x7249fbb6.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function refund(bytes32 channelId) returns()
func (market *Market) TryPackRefund(channelId [32]byte) ([]byte, error) {
	return market.abi.Pack("refund", channelId)
}

// PackRegister is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x2975d57d.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function register(address payout, uint96 price, bytes descriptor, bytes32 content) returns()
func (market *Market) PackRegister(payout common.Address, price *big.Int, descriptor []byte, content [32]byte) []byte {
	enc, err := market.abi.Pack("register", payout, price, descriptor, content)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackRegister is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x2975d57d.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function register(address payout, uint96 price, bytes descriptor, bytes32 content) returns()
func (market *Market) TryPackRegister(payout common.Address, price *big.Int, descriptor []byte, content [32]byte) ([]byte, error) {
	return market.abi.Pack("register", payout, price, descriptor, content)
}

// PackRequestClose is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x6bf5fe6f.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function requestClose(bytes32 channelId) returns()
func (market *Market) PackRequestClose(channelId [32]byte) []byte {
	enc, err := market.abi.Pack("requestClose", channelId)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackRequestClose is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x6bf5fe6f.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function requestClose(bytes32 channelId) returns()
func (market *Market) TryPackRequestClose(channelId [32]byte) ([]byte, error) {
	return market.abi.Pack("requestClose", channelId)
}

// PackRequestCloseFor is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xa1ed2ae2.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function requestCloseFor(bytes32 channelId, uint24 epoch, uint64 deadline, bytes32 r, bytes32 vs) returns()
func (market *Market) PackRequestCloseFor(channelId [32]byte, epoch *big.Int, deadline uint64, r [32]byte, vs [32]byte) []byte {
	enc, err := market.abi.Pack("requestCloseFor", channelId, epoch, deadline, r, vs)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackRequestCloseFor is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xa1ed2ae2.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function requestCloseFor(bytes32 channelId, uint24 epoch, uint64 deadline, bytes32 r, bytes32 vs) returns()
func (market *Market) TryPackRequestCloseFor(channelId [32]byte, epoch *big.Int, deadline uint64, r [32]byte, vs [32]byte) ([]byte, error) {
	return market.abi.Pack("requestCloseFor", channelId, epoch, deadline, r, vs)
}

// PackSlash is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x93b9b1ea.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function slash((bytes32,uint24,bytes16,bool,bytes32,bytes32,uint64,uint64,uint64,uint96,uint8,bytes32,bytes32) a, (bytes32,uint24,bytes16,bool,bytes32,bytes32,uint64,uint64,uint64,uint96,uint8,bytes32,bytes32) b) returns()
func (market *Market) PackSlash(a MarketResult, b MarketResult) []byte {
	enc, err := market.abi.Pack("slash", a, b)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackSlash is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x93b9b1ea.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function slash((bytes32,uint24,bytes16,bool,bytes32,bytes32,uint64,uint64,uint64,uint96,uint8,bytes32,bytes32) a, (bytes32,uint24,bytes16,bool,bytes32,bytes32,uint64,uint64,uint64,uint96,uint8,bytes32,bytes32) b) returns()
func (market *Market) TryPackSlash(a MarketResult, b MarketResult) ([]byte, error) {
	return market.abi.Pack("slash", a, b)
}

// PackStatus is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xf057b51b.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function status(address provider_, address key, address funder) view returns((bytes32,uint24,uint96,uint96,uint96,uint256,uint96,uint40))
func (market *Market) PackStatus(provider common.Address, key common.Address, funder common.Address) []byte {
	enc, err := market.abi.Pack("status", provider, key, funder)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackStatus is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xf057b51b.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function status(address provider_, address key, address funder) view returns((bytes32,uint24,uint96,uint96,uint96,uint256,uint96,uint40))
func (market *Market) TryPackStatus(provider common.Address, key common.Address, funder common.Address) ([]byte, error) {
	return market.abi.Pack("status", provider, key, funder)
}

// UnpackStatus is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xf057b51b.
//
// Solidity: function status(address provider_, address key, address funder) view returns((bytes32,uint24,uint96,uint96,uint96,uint256,uint96,uint40))
func (market *Market) UnpackStatus(data []byte) (MarketStatus, error) {
	out, err := market.abi.Unpack("status", data)
	if err != nil {
		return *new(MarketStatus), err
	}
	out0 := *abi.ConvertType(out[0], new(MarketStatus)).(*MarketStatus)
	return out0, nil
}

// PackTopUp is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xdaf0dfc1.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function topUp(bytes32 channelId, uint96 amount) payable returns()
func (market *Market) PackTopUp(channelId [32]byte, amount *big.Int) []byte {
	enc, err := market.abi.Pack("topUp", channelId, amount)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackTopUp is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xdaf0dfc1.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function topUp(bytes32 channelId, uint96 amount) payable returns()
func (market *Market) TryPackTopUp(channelId [32]byte, amount *big.Int) ([]byte, error) {
	return market.abi.Pack("topUp", channelId, amount)
}

// PackUnbond is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x5df6a6bc.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function unbond() returns()
func (market *Market) PackUnbond() []byte {
	enc, err := market.abi.Pack("unbond")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackUnbond is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x5df6a6bc.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function unbond() returns()
func (market *Market) TryPackUnbond() ([]byte, error) {
	return market.abi.Pack("unbond")
}

// PackUpdate is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xc1e95d1e.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function update(address payout, uint96 price, bytes descriptor, bytes32 content) returns()
func (market *Market) PackUpdate(payout common.Address, price *big.Int, descriptor []byte, content [32]byte) []byte {
	enc, err := market.abi.Pack("update", payout, price, descriptor, content)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackUpdate is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xc1e95d1e.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function update(address payout, uint96 price, bytes descriptor, bytes32 content) returns()
func (market *Market) TryPackUpdate(payout common.Address, price *big.Int, descriptor []byte, content [32]byte) ([]byte, error) {
	return market.abi.Pack("update", payout, price, descriptor, content)
}

// PackWithdraw is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x51cff8d9.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function withdraw(address to) returns()
func (market *Market) PackWithdraw(to common.Address) []byte {
	enc, err := market.abi.Pack("withdraw", to)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackWithdraw is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x51cff8d9.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function withdraw(address to) returns()
func (market *Market) TryPackWithdraw(to common.Address) ([]byte, error) {
	return market.abi.Pack("withdraw", to)
}

// MarketBonded represents a Bonded event raised by the Market contract.
type MarketBonded struct {
	Provider common.Address
	Total    *big.Int
	Until    uint64
	Raw      *types.Log // Blockchain specific contextual infos
}

const MarketBondedEventName = "Bonded"

// ContractEventName returns the user-defined event name.
func (MarketBonded) ContractEventName() string {
	return MarketBondedEventName
}

// UnpackBondedEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event Bonded(address provider, uint96 total, uint64 until)
func (market *Market) UnpackBondedEvent(log *types.Log) (*MarketBonded, error) {
	event := "Bonded"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != market.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(MarketBonded)
	if len(log.Data) > 0 {
		if err := market.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range market.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// MarketBought represents a Bought event raised by the Market contract.
type MarketBought struct {
	ChannelId [32]byte
	Provider  common.Address
	Key       common.Address
	Funder    common.Address
	Epoch     *big.Int
	Amount    *big.Int
	Locked    *big.Int
	Raw       *types.Log // Blockchain specific contextual infos
}

const MarketBoughtEventName = "Bought"

// ContractEventName returns the user-defined event name.
func (MarketBought) ContractEventName() string {
	return MarketBoughtEventName
}

// UnpackBoughtEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event Bought(bytes32 channelId, address provider, address key, address funder, uint24 epoch, uint96 amount, uint96 locked)
func (market *Market) UnpackBoughtEvent(log *types.Log) (*MarketBought, error) {
	event := "Bought"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != market.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(MarketBought)
	if len(log.Data) > 0 {
		if err := market.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range market.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// MarketClaimClamped represents a ClaimClamped event raised by the Market contract.
type MarketClaimClamped struct {
	ChannelId  [32]byte
	Epoch      *big.Int
	Cumulative *big.Int
	Deposited  *big.Int
	Raw        *types.Log // Blockchain specific contextual infos
}

const MarketClaimClampedEventName = "ClaimClamped"

// ContractEventName returns the user-defined event name.
func (MarketClaimClamped) ContractEventName() string {
	return MarketClaimClampedEventName
}

// UnpackClaimClampedEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event ClaimClamped(bytes32 channelId, uint24 epoch, uint96 cumulative, uint96 deposited)
func (market *Market) UnpackClaimClampedEvent(log *types.Log) (*MarketClaimClamped, error) {
	event := "ClaimClamped"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != market.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(MarketClaimClamped)
	if len(log.Data) > 0 {
		if err := market.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range market.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// MarketClaimContent represents a ClaimContent event raised by the Market contract.
type MarketClaimContent struct {
	Sender  common.Address
	Content [32]byte
	Raw     *types.Log // Blockchain specific contextual infos
}

const MarketClaimContentEventName = "ClaimContent"

// ContractEventName returns the user-defined event name.
func (MarketClaimContent) ContractEventName() string {
	return MarketClaimContentEventName
}

// UnpackClaimContentEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event ClaimContent(address sender, bytes32 content)
func (market *Market) UnpackClaimContentEvent(log *types.Log) (*MarketClaimContent, error) {
	event := "ClaimContent"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != market.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(MarketClaimContent)
	if len(log.Data) > 0 {
		if err := market.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range market.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// MarketClaimSkipped represents a ClaimSkipped event raised by the Market contract.
type MarketClaimSkipped struct {
	ChannelId  [32]byte
	Epoch      *big.Int
	Cumulative *big.Int
	Reason     uint8
	Raw        *types.Log // Blockchain specific contextual infos
}

const MarketClaimSkippedEventName = "ClaimSkipped"

// ContractEventName returns the user-defined event name.
func (MarketClaimSkipped) ContractEventName() string {
	return MarketClaimSkippedEventName
}

// UnpackClaimSkippedEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event ClaimSkipped(bytes32 channelId, uint24 epoch, uint96 cumulative, uint8 reason)
func (market *Market) UnpackClaimSkippedEvent(log *types.Log) (*MarketClaimSkipped, error) {
	event := "ClaimSkipped"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != market.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(MarketClaimSkipped)
	if len(log.Data) > 0 {
		if err := market.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range market.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// MarketClaimed represents a Claimed event raised by the Market contract.
type MarketClaimed struct {
	ChannelId  [32]byte
	Epoch      *big.Int
	Cumulative *big.Int
	Raw        *types.Log // Blockchain specific contextual infos
}

const MarketClaimedEventName = "Claimed"

// ContractEventName returns the user-defined event name.
func (MarketClaimed) ContractEventName() string {
	return MarketClaimedEventName
}

// UnpackClaimedEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event Claimed(bytes32 channelId, uint24 epoch, uint96 cumulative)
func (market *Market) UnpackClaimedEvent(log *types.Log) (*MarketClaimed, error) {
	event := "Claimed"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != market.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(MarketClaimed)
	if len(log.Data) > 0 {
		if err := market.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range market.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// MarketCloseCancelled represents a CloseCancelled event raised by the Market contract.
type MarketCloseCancelled struct {
	ChannelId [32]byte
	Epoch     *big.Int
	Raw       *types.Log // Blockchain specific contextual infos
}

const MarketCloseCancelledEventName = "CloseCancelled"

// ContractEventName returns the user-defined event name.
func (MarketCloseCancelled) ContractEventName() string {
	return MarketCloseCancelledEventName
}

// UnpackCloseCancelledEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event CloseCancelled(bytes32 channelId, uint24 epoch)
func (market *Market) UnpackCloseCancelledEvent(log *types.Log) (*MarketCloseCancelled, error) {
	event := "CloseCancelled"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != market.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(MarketCloseCancelled)
	if len(log.Data) > 0 {
		if err := market.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range market.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// MarketCloseRequested represents a CloseRequested event raised by the Market contract.
type MarketCloseRequested struct {
	ChannelId [32]byte
	Epoch     *big.Int
	CloseAt   *big.Int
	Raw       *types.Log // Blockchain specific contextual infos
}

const MarketCloseRequestedEventName = "CloseRequested"

// ContractEventName returns the user-defined event name.
func (MarketCloseRequested) ContractEventName() string {
	return MarketCloseRequestedEventName
}

// UnpackCloseRequestedEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event CloseRequested(bytes32 channelId, uint24 epoch, uint40 closeAt)
func (market *Market) UnpackCloseRequestedEvent(log *types.Log) (*MarketCloseRequested, error) {
	event := "CloseRequested"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != market.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(MarketCloseRequested)
	if len(log.Data) > 0 {
		if err := market.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range market.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// MarketClosed represents a Closed event raised by the Market contract.
type MarketClosed struct {
	ChannelId       [32]byte
	Epoch           *big.Int
	FinalCumulative *big.Int
	Refunded        *big.Int
	Raw             *types.Log // Blockchain specific contextual infos
}

const MarketClosedEventName = "Closed"

// ContractEventName returns the user-defined event name.
func (MarketClosed) ContractEventName() string {
	return MarketClosedEventName
}

// UnpackClosedEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event Closed(bytes32 channelId, uint24 epoch, uint96 finalCumulative, uint96 refunded)
func (market *Market) UnpackClosedEvent(log *types.Log) (*MarketClosed, error) {
	event := "Closed"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != market.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(MarketClosed)
	if len(log.Data) > 0 {
		if err := market.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range market.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// MarketCredited represents a Credited event raised by the Market contract.
type MarketCredited struct {
	Owner  common.Address
	Amount *big.Int
	Raw    *types.Log // Blockchain specific contextual infos
}

const MarketCreditedEventName = "Credited"

// ContractEventName returns the user-defined event name.
func (MarketCredited) ContractEventName() string {
	return MarketCreditedEventName
}

// UnpackCreditedEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event Credited(address owner, uint256 amount)
func (market *Market) UnpackCreditedEvent(log *types.Log) (*MarketCredited, error) {
	event := "Credited"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != market.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(MarketCredited)
	if len(log.Data) > 0 {
		if err := market.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range market.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// MarketEIP712DomainChanged represents a EIP712DomainChanged event raised by the Market contract.
type MarketEIP712DomainChanged struct {
	Raw *types.Log // Blockchain specific contextual infos
}

const MarketEIP712DomainChangedEventName = "EIP712DomainChanged"

// ContractEventName returns the user-defined event name.
func (MarketEIP712DomainChanged) ContractEventName() string {
	return MarketEIP712DomainChangedEventName
}

// UnpackEIP712DomainChangedEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event EIP712DomainChanged()
func (market *Market) UnpackEIP712DomainChangedEvent(log *types.Log) (*MarketEIP712DomainChanged, error) {
	event := "EIP712DomainChanged"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != market.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(MarketEIP712DomainChanged)
	if len(log.Data) > 0 {
		if err := market.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range market.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// MarketExited represents a Exited event raised by the Market contract.
type MarketExited struct {
	Provider common.Address
	Sequence *big.Int
	Raw      *types.Log // Blockchain specific contextual infos
}

const MarketExitedEventName = "Exited"

// ContractEventName returns the user-defined event name.
func (MarketExited) ContractEventName() string {
	return MarketExitedEventName
}

// UnpackExitedEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event Exited(address provider, uint40 sequence)
func (market *Market) UnpackExitedEvent(log *types.Log) (*MarketExited, error) {
	event := "Exited"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != market.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(MarketExited)
	if len(log.Data) > 0 {
		if err := market.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range market.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// MarketRefunded represents a Refunded event raised by the Market contract.
type MarketRefunded struct {
	ChannelId [32]byte
	Epoch     *big.Int
	Amount    *big.Int
	Raw       *types.Log // Blockchain specific contextual infos
}

const MarketRefundedEventName = "Refunded"

// ContractEventName returns the user-defined event name.
func (MarketRefunded) ContractEventName() string {
	return MarketRefundedEventName
}

// UnpackRefundedEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event Refunded(bytes32 channelId, uint24 epoch, uint96 amount)
func (market *Market) UnpackRefundedEvent(log *types.Log) (*MarketRefunded, error) {
	event := "Refunded"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != market.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(MarketRefunded)
	if len(log.Data) > 0 {
		if err := market.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range market.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// MarketRegistered represents a Registered event raised by the Market contract.
type MarketRegistered struct {
	Provider   common.Address
	Sequence   *big.Int
	Payout     common.Address
	Price      *big.Int
	Descriptor []byte
	Content    [32]byte
	Raw        *types.Log // Blockchain specific contextual infos
}

const MarketRegisteredEventName = "Registered"

// ContractEventName returns the user-defined event name.
func (MarketRegistered) ContractEventName() string {
	return MarketRegisteredEventName
}

// UnpackRegisteredEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event Registered(address provider, uint40 sequence, address payout, uint96 price, bytes descriptor, bytes32 content)
func (market *Market) UnpackRegisteredEvent(log *types.Log) (*MarketRegistered, error) {
	event := "Registered"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != market.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(MarketRegistered)
	if len(log.Data) > 0 {
		if err := market.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range market.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// MarketSlashed represents a Slashed event raised by the Market contract.
type MarketSlashed struct {
	Provider  common.Address
	ChannelId [32]byte
	Epoch     *big.Int
	RoundId   [16]byte
	Reporter  common.Address
	Burnt     *big.Int
	Reward    *big.Int
	Raw       *types.Log // Blockchain specific contextual infos
}

const MarketSlashedEventName = "Slashed"

// ContractEventName returns the user-defined event name.
func (MarketSlashed) ContractEventName() string {
	return MarketSlashedEventName
}

// UnpackSlashedEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event Slashed(address provider, bytes32 channelId, uint24 epoch, bytes16 roundId, address reporter, uint96 burnt, uint96 reward)
func (market *Market) UnpackSlashedEvent(log *types.Log) (*MarketSlashed, error) {
	event := "Slashed"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != market.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(MarketSlashed)
	if len(log.Data) > 0 {
		if err := market.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range market.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// MarketToppedUp represents a ToppedUp event raised by the Market contract.
type MarketToppedUp struct {
	ChannelId [32]byte
	Epoch     *big.Int
	Amount    *big.Int
	Raw       *types.Log // Blockchain specific contextual infos
}

const MarketToppedUpEventName = "ToppedUp"

// ContractEventName returns the user-defined event name.
func (MarketToppedUp) ContractEventName() string {
	return MarketToppedUpEventName
}

// UnpackToppedUpEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event ToppedUp(bytes32 channelId, uint24 epoch, uint96 amount)
func (market *Market) UnpackToppedUpEvent(log *types.Log) (*MarketToppedUp, error) {
	event := "ToppedUp"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != market.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(MarketToppedUp)
	if len(log.Data) > 0 {
		if err := market.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range market.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// MarketUnbonded represents a Unbonded event raised by the Market contract.
type MarketUnbonded struct {
	Provider common.Address
	To       common.Address
	Amount   *big.Int
	Raw      *types.Log // Blockchain specific contextual infos
}

const MarketUnbondedEventName = "Unbonded"

// ContractEventName returns the user-defined event name.
func (MarketUnbonded) ContractEventName() string {
	return MarketUnbondedEventName
}

// UnpackUnbondedEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event Unbonded(address provider, address to, uint96 amount)
func (market *Market) UnpackUnbondedEvent(log *types.Log) (*MarketUnbonded, error) {
	event := "Unbonded"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != market.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(MarketUnbonded)
	if len(log.Data) > 0 {
		if err := market.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range market.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// MarketUpdated represents a Updated event raised by the Market contract.
type MarketUpdated struct {
	Provider   common.Address
	Sequence   *big.Int
	Payout     common.Address
	Price      *big.Int
	Descriptor []byte
	Content    [32]byte
	Raw        *types.Log // Blockchain specific contextual infos
}

const MarketUpdatedEventName = "Updated"

// ContractEventName returns the user-defined event name.
func (MarketUpdated) ContractEventName() string {
	return MarketUpdatedEventName
}

// UnpackUpdatedEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event Updated(address provider, uint40 sequence, address payout, uint96 price, bytes descriptor, bytes32 content)
func (market *Market) UnpackUpdatedEvent(log *types.Log) (*MarketUpdated, error) {
	event := "Updated"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != market.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(MarketUpdated)
	if len(log.Data) > 0 {
		if err := market.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range market.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// MarketWithdrawn represents a Withdrawn event raised by the Market contract.
type MarketWithdrawn struct {
	Owner  common.Address
	To     common.Address
	Amount *big.Int
	Raw    *types.Log // Blockchain specific contextual infos
}

const MarketWithdrawnEventName = "Withdrawn"

// ContractEventName returns the user-defined event name.
func (MarketWithdrawn) ContractEventName() string {
	return MarketWithdrawnEventName
}

// UnpackWithdrawnEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event Withdrawn(address owner, address to, uint256 amount)
func (market *Market) UnpackWithdrawnEvent(log *types.Log) (*MarketWithdrawn, error) {
	event := "Withdrawn"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != market.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(MarketWithdrawn)
	if len(log.Data) > 0 {
		if err := market.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range market.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// UnpackError attempts to decode the provided error data using user-defined
// error definitions.
func (market *Market) UnpackError(raw []byte) (any, error) {
	if bytes.Equal(raw[:4], market.abi.Errors["AlreadyRegistered"].ID.Bytes()[:4]) {
		return market.UnpackAlreadyRegisteredError(raw[4:])
	}
	if bytes.Equal(raw[:4], market.abi.Errors["BadBondTime"].ID.Bytes()[:4]) {
		return market.UnpackBadBondTimeError(raw[4:])
	}
	if bytes.Equal(raw[:4], market.abi.Errors["BadSignature"].ID.Bytes()[:4]) {
		return market.UnpackBadSignatureError(raw[4:])
	}
	if bytes.Equal(raw[:4], market.abi.Errors["Closing"].ID.Bytes()[:4]) {
		return market.UnpackClosingError(raw[4:])
	}
	if bytes.Equal(raw[:4], market.abi.Errors["DescriptorTooLong"].ID.Bytes()[:4]) {
		return market.UnpackDescriptorTooLongError(raw[4:])
	}
	if bytes.Equal(raw[:4], market.abi.Errors["FailedCall"].ID.Bytes()[:4]) {
		return market.UnpackFailedCallError(raw[4:])
	}
	if bytes.Equal(raw[:4], market.abi.Errors["InsufficientBalance"].ID.Bytes()[:4]) {
		return market.UnpackInsufficientBalanceError(raw[4:])
	}
	if bytes.Equal(raw[:4], market.abi.Errors["InvalidShortString"].ID.Bytes()[:4]) {
		return market.UnpackInvalidShortStringError(raw[4:])
	}
	if bytes.Equal(raw[:4], market.abi.Errors["LastEpoch"].ID.Bytes()[:4]) {
		return market.UnpackLastEpochError(raw[4:])
	}
	if bytes.Equal(raw[:4], market.abi.Errors["NoBond"].ID.Bytes()[:4]) {
		return market.UnpackNoBondError(raw[4:])
	}
	if bytes.Equal(raw[:4], market.abi.Errors["NoContradiction"].ID.Bytes()[:4]) {
		return market.UnpackNoContradictionError(raw[4:])
	}
	if bytes.Equal(raw[:4], market.abi.Errors["NoToken"].ID.Bytes()[:4]) {
		return market.UnpackNoTokenError(raw[4:])
	}
	if bytes.Equal(raw[:4], market.abi.Errors["NotClosing"].ID.Bytes()[:4]) {
		return market.UnpackNotClosingError(raw[4:])
	}
	if bytes.Equal(raw[:4], market.abi.Errors["NotFunder"].ID.Bytes()[:4]) {
		return market.UnpackNotFunderError(raw[4:])
	}
	if bytes.Equal(raw[:4], market.abi.Errors["NotRegistered"].ID.Bytes()[:4]) {
		return market.UnpackNotRegisteredError(raw[4:])
	}
	if bytes.Equal(raw[:4], market.abi.Errors["NothingToWithdraw"].ID.Bytes()[:4]) {
		return market.UnpackNothingToWithdrawError(raw[4:])
	}
	if bytes.Equal(raw[:4], market.abi.Errors["PriceAbove"].ID.Bytes()[:4]) {
		return market.UnpackPriceAboveError(raw[4:])
	}
	if bytes.Equal(raw[:4], market.abi.Errors["SafeERC20FailedOperation"].ID.Bytes()[:4]) {
		return market.UnpackSafeERC20FailedOperationError(raw[4:])
	}
	if bytes.Equal(raw[:4], market.abi.Errors["ShortTransfer"].ID.Bytes()[:4]) {
		return market.UnpackShortTransferError(raw[4:])
	}
	if bytes.Equal(raw[:4], market.abi.Errors["StringTooLong"].ID.Bytes()[:4]) {
		return market.UnpackStringTooLongError(raw[4:])
	}
	if bytes.Equal(raw[:4], market.abi.Errors["TooEarly"].ID.Bytes()[:4]) {
		return market.UnpackTooEarlyError(raw[4:])
	}
	if bytes.Equal(raw[:4], market.abi.Errors["TooLate"].ID.Bytes()[:4]) {
		return market.UnpackTooLateError(raw[4:])
	}
	if bytes.Equal(raw[:4], market.abi.Errors["UnknownChannel"].ID.Bytes()[:4]) {
		return market.UnpackUnknownChannelError(raw[4:])
	}
	if bytes.Equal(raw[:4], market.abi.Errors["WrongAmount"].ID.Bytes()[:4]) {
		return market.UnpackWrongAmountError(raw[4:])
	}
	if bytes.Equal(raw[:4], market.abi.Errors["WrongEpoch"].ID.Bytes()[:4]) {
		return market.UnpackWrongEpochError(raw[4:])
	}
	if bytes.Equal(raw[:4], market.abi.Errors["WrongValue"].ID.Bytes()[:4]) {
		return market.UnpackWrongValueError(raw[4:])
	}
	if bytes.Equal(raw[:4], market.abi.Errors["ZeroAddress"].ID.Bytes()[:4]) {
		return market.UnpackZeroAddressError(raw[4:])
	}
	if bytes.Equal(raw[:4], market.abi.Errors["ZeroAmount"].ID.Bytes()[:4]) {
		return market.UnpackZeroAmountError(raw[4:])
	}
	if bytes.Equal(raw[:4], market.abi.Errors["ZeroPrice"].ID.Bytes()[:4]) {
		return market.UnpackZeroPriceError(raw[4:])
	}
	return nil, errors.New("Unknown error")
}

// MarketAlreadyRegistered represents a AlreadyRegistered error raised by the Market contract.
type MarketAlreadyRegistered struct {
	Provider common.Address
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error AlreadyRegistered(address provider)
func MarketAlreadyRegisteredErrorID() common.Hash {
	return common.HexToHash("0x45ed80e9399c87887ea54f615514a1e3dde31e9b6c027ddceb4ffd503b70e428")
}

// UnpackAlreadyRegisteredError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error AlreadyRegistered(address provider)
func (market *Market) UnpackAlreadyRegisteredError(raw []byte) (*MarketAlreadyRegistered, error) {
	out := new(MarketAlreadyRegistered)
	if err := market.abi.UnpackIntoInterface(out, "AlreadyRegistered", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// MarketBadBondTime represents a BadBondTime error raised by the Market contract.
type MarketBadBondTime struct {
	Earliest *big.Int
	Latest   *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error BadBondTime(uint256 earliest, uint256 latest)
func MarketBadBondTimeErrorID() common.Hash {
	return common.HexToHash("0xaa469ed6e56b5c4f3dc22ebe397f9b11ee06f9f628af6e776ecda6b360b9d08e")
}

// UnpackBadBondTimeError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error BadBondTime(uint256 earliest, uint256 latest)
func (market *Market) UnpackBadBondTimeError(raw []byte) (*MarketBadBondTime, error) {
	out := new(MarketBadBondTime)
	if err := market.abi.UnpackIntoInterface(out, "BadBondTime", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// MarketBadSignature represents a BadSignature error raised by the Market contract.
type MarketBadSignature struct {
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error BadSignature()
func MarketBadSignatureErrorID() common.Hash {
	return common.HexToHash("0x5cd5d2335541c4f2ed05fbe44f397e8b79f8e2333157122d2dab06e378ef7685")
}

// UnpackBadSignatureError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error BadSignature()
func (market *Market) UnpackBadSignatureError(raw []byte) (*MarketBadSignature, error) {
	out := new(MarketBadSignature)
	if err := market.abi.UnpackIntoInterface(out, "BadSignature", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// MarketClosing represents a Closing error raised by the Market contract.
type MarketClosing struct {
	CloseAt *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error Closing(uint40 closeAt)
func MarketClosingErrorID() common.Hash {
	return common.HexToHash("0xd54f47b1a84b86d702ba9b4c842eefc905d1b20ceca1bfbf2aa98aae0572cc84")
}

// UnpackClosingError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error Closing(uint40 closeAt)
func (market *Market) UnpackClosingError(raw []byte) (*MarketClosing, error) {
	out := new(MarketClosing)
	if err := market.abi.UnpackIntoInterface(out, "Closing", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// MarketDescriptorTooLong represents a DescriptorTooLong error raised by the Market contract.
type MarketDescriptorTooLong struct {
	Length *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error DescriptorTooLong(uint256 length)
func MarketDescriptorTooLongErrorID() common.Hash {
	return common.HexToHash("0x652625674b4700f666e8a70df0d0355b9c215a2ea5a1e26539a9ce0c72af559c")
}

// UnpackDescriptorTooLongError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error DescriptorTooLong(uint256 length)
func (market *Market) UnpackDescriptorTooLongError(raw []byte) (*MarketDescriptorTooLong, error) {
	out := new(MarketDescriptorTooLong)
	if err := market.abi.UnpackIntoInterface(out, "DescriptorTooLong", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// MarketFailedCall represents a FailedCall error raised by the Market contract.
type MarketFailedCall struct {
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error FailedCall()
func MarketFailedCallErrorID() common.Hash {
	return common.HexToHash("0xd6bda27508c0fb6d8a39b4b122878dab26f731a7d4e4abe711dd3731899052a4")
}

// UnpackFailedCallError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error FailedCall()
func (market *Market) UnpackFailedCallError(raw []byte) (*MarketFailedCall, error) {
	out := new(MarketFailedCall)
	if err := market.abi.UnpackIntoInterface(out, "FailedCall", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// MarketInsufficientBalance represents a InsufficientBalance error raised by the Market contract.
type MarketInsufficientBalance struct {
	Balance *big.Int
	Needed  *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error InsufficientBalance(uint256 balance, uint256 needed)
func MarketInsufficientBalanceErrorID() common.Hash {
	return common.HexToHash("0xcf4791818fba6e019216eb4864093b4947f674afada5d305e57d598b641dad1d")
}

// UnpackInsufficientBalanceError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error InsufficientBalance(uint256 balance, uint256 needed)
func (market *Market) UnpackInsufficientBalanceError(raw []byte) (*MarketInsufficientBalance, error) {
	out := new(MarketInsufficientBalance)
	if err := market.abi.UnpackIntoInterface(out, "InsufficientBalance", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// MarketInvalidShortString represents a InvalidShortString error raised by the Market contract.
type MarketInvalidShortString struct {
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error InvalidShortString()
func MarketInvalidShortStringErrorID() common.Hash {
	return common.HexToHash("0xb3512b0c6163e5f0bafab72bb631b9d58cd7a731b082f910338aa21c83d5c274")
}

// UnpackInvalidShortStringError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error InvalidShortString()
func (market *Market) UnpackInvalidShortStringError(raw []byte) (*MarketInvalidShortString, error) {
	out := new(MarketInvalidShortString)
	if err := market.abi.UnpackIntoInterface(out, "InvalidShortString", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// MarketLastEpoch represents a LastEpoch error raised by the Market contract.
type MarketLastEpoch struct {
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error LastEpoch()
func MarketLastEpochErrorID() common.Hash {
	return common.HexToHash("0xa1d8efea58af48896941d2f19f6fd65136d8dd307aade1288e74af5b99b431b6")
}

// UnpackLastEpochError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error LastEpoch()
func (market *Market) UnpackLastEpochError(raw []byte) (*MarketLastEpoch, error) {
	out := new(MarketLastEpoch)
	if err := market.abi.UnpackIntoInterface(out, "LastEpoch", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// MarketNoBond represents a NoBond error raised by the Market contract.
type MarketNoBond struct {
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error NoBond()
func MarketNoBondErrorID() common.Hash {
	return common.HexToHash("0xdfc19f8e63567b608b131d96dd2af24465636efadcf089cec90fb355bd2933a3")
}

// UnpackNoBondError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error NoBond()
func (market *Market) UnpackNoBondError(raw []byte) (*MarketNoBond, error) {
	out := new(MarketNoBond)
	if err := market.abi.UnpackIntoInterface(out, "NoBond", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// MarketNoContradiction represents a NoContradiction error raised by the Market contract.
type MarketNoContradiction struct {
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error NoContradiction()
func MarketNoContradictionErrorID() common.Hash {
	return common.HexToHash("0xae591c876f8da112edc0ed34afcf8285e8be3315a26401e59cb9f362c2a5d05c")
}

// UnpackNoContradictionError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error NoContradiction()
func (market *Market) UnpackNoContradictionError(raw []byte) (*MarketNoContradiction, error) {
	out := new(MarketNoContradiction)
	if err := market.abi.UnpackIntoInterface(out, "NoContradiction", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// MarketNoToken represents a NoToken error raised by the Market contract.
type MarketNoToken struct {
	Asset common.Address
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error NoToken(address asset)
func MarketNoTokenErrorID() common.Hash {
	return common.HexToHash("0xd7e28573065371623a3915464526e9401807d7ee8b278a4d097278d02f2eeaa3")
}

// UnpackNoTokenError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error NoToken(address asset)
func (market *Market) UnpackNoTokenError(raw []byte) (*MarketNoToken, error) {
	out := new(MarketNoToken)
	if err := market.abi.UnpackIntoInterface(out, "NoToken", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// MarketNotClosing represents a NotClosing error raised by the Market contract.
type MarketNotClosing struct {
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error NotClosing()
func MarketNotClosingErrorID() common.Hash {
	return common.HexToHash("0xf9b46b5f2b61361f95d79ba8adbe86297139b06b35fb3936e5f884c42086e703")
}

// UnpackNotClosingError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error NotClosing()
func (market *Market) UnpackNotClosingError(raw []byte) (*MarketNotClosing, error) {
	out := new(MarketNotClosing)
	if err := market.abi.UnpackIntoInterface(out, "NotClosing", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// MarketNotFunder represents a NotFunder error raised by the Market contract.
type MarketNotFunder struct {
	Sender common.Address
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error NotFunder(address sender)
func MarketNotFunderErrorID() common.Hash {
	return common.HexToHash("0x7bcffa3a7bb4b69809f82334654c0ad83a683a6f42ff8c16b4f54e84180b3675")
}

// UnpackNotFunderError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error NotFunder(address sender)
func (market *Market) UnpackNotFunderError(raw []byte) (*MarketNotFunder, error) {
	out := new(MarketNotFunder)
	if err := market.abi.UnpackIntoInterface(out, "NotFunder", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// MarketNotRegistered represents a NotRegistered error raised by the Market contract.
type MarketNotRegistered struct {
	Provider common.Address
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error NotRegistered(address provider)
func MarketNotRegisteredErrorID() common.Hash {
	return common.HexToHash("0xbfc6c337a80b7b8201f77f0a2a54c6e5f7c6fd9124a749804a482fa16ee8a895")
}

// UnpackNotRegisteredError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error NotRegistered(address provider)
func (market *Market) UnpackNotRegisteredError(raw []byte) (*MarketNotRegistered, error) {
	out := new(MarketNotRegistered)
	if err := market.abi.UnpackIntoInterface(out, "NotRegistered", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// MarketNothingToWithdraw represents a NothingToWithdraw error raised by the Market contract.
type MarketNothingToWithdraw struct {
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error NothingToWithdraw()
func MarketNothingToWithdrawErrorID() common.Hash {
	return common.HexToHash("0xd0d04f60bf4f7629141a1f00f5d2908fa0f3e15bf4cbf8bb8edc6fcbdf2509fa")
}

// UnpackNothingToWithdrawError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error NothingToWithdraw()
func (market *Market) UnpackNothingToWithdrawError(raw []byte) (*MarketNothingToWithdraw, error) {
	out := new(MarketNothingToWithdraw)
	if err := market.abi.UnpackIntoInterface(out, "NothingToWithdraw", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// MarketPriceAbove represents a PriceAbove error raised by the Market contract.
type MarketPriceAbove struct {
	Price *big.Int
	Limit *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error PriceAbove(uint96 price, uint96 limit)
func MarketPriceAboveErrorID() common.Hash {
	return common.HexToHash("0x5771159b430a47360b3f816f4f0e7930b4b32bbc85b5fc9bcd797031be1a1691")
}

// UnpackPriceAboveError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error PriceAbove(uint96 price, uint96 limit)
func (market *Market) UnpackPriceAboveError(raw []byte) (*MarketPriceAbove, error) {
	out := new(MarketPriceAbove)
	if err := market.abi.UnpackIntoInterface(out, "PriceAbove", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// MarketSafeERC20FailedOperation represents a SafeERC20FailedOperation error raised by the Market contract.
type MarketSafeERC20FailedOperation struct {
	Token common.Address
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error SafeERC20FailedOperation(address token)
func MarketSafeERC20FailedOperationErrorID() common.Hash {
	return common.HexToHash("0x5274afe73c98b4749fc91ffae6b7b574e7842cb2144a159e9377a5f20b32edf9")
}

// UnpackSafeERC20FailedOperationError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error SafeERC20FailedOperation(address token)
func (market *Market) UnpackSafeERC20FailedOperationError(raw []byte) (*MarketSafeERC20FailedOperation, error) {
	out := new(MarketSafeERC20FailedOperation)
	if err := market.abi.UnpackIntoInterface(out, "SafeERC20FailedOperation", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// MarketShortTransfer represents a ShortTransfer error raised by the Market contract.
type MarketShortTransfer struct {
	Received *big.Int
	Wanted   *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error ShortTransfer(uint256 received, uint256 wanted)
func MarketShortTransferErrorID() common.Hash {
	return common.HexToHash("0x857dd552cfd20e69d650de2393a01dc63793e417d16597a0816de29c955f487a")
}

// UnpackShortTransferError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error ShortTransfer(uint256 received, uint256 wanted)
func (market *Market) UnpackShortTransferError(raw []byte) (*MarketShortTransfer, error) {
	out := new(MarketShortTransfer)
	if err := market.abi.UnpackIntoInterface(out, "ShortTransfer", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// MarketStringTooLong represents a StringTooLong error raised by the Market contract.
type MarketStringTooLong struct {
	Str string
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error StringTooLong(string str)
func MarketStringTooLongErrorID() common.Hash {
	return common.HexToHash("0x305a27a93f8e33b7392df0a0f91d6fc63847395853c45991eec52dbf24d72381")
}

// UnpackStringTooLongError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error StringTooLong(string str)
func (market *Market) UnpackStringTooLongError(raw []byte) (*MarketStringTooLong, error) {
	out := new(MarketStringTooLong)
	if err := market.abi.UnpackIntoInterface(out, "StringTooLong", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// MarketTooEarly represents a TooEarly error raised by the Market contract.
type MarketTooEarly struct {
	Opens *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error TooEarly(uint256 opens)
func MarketTooEarlyErrorID() common.Hash {
	return common.HexToHash("0x2a35a3246d5070e2b118858c24c2c4d23eaebe645b92ab746b92dd600c35a9d7")
}

// UnpackTooEarlyError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error TooEarly(uint256 opens)
func (market *Market) UnpackTooEarlyError(raw []byte) (*MarketTooEarly, error) {
	out := new(MarketTooEarly)
	if err := market.abi.UnpackIntoInterface(out, "TooEarly", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// MarketTooLate represents a TooLate error raised by the Market contract.
type MarketTooLate struct {
	Closed *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error TooLate(uint256 closed)
func MarketTooLateErrorID() common.Hash {
	return common.HexToHash("0x691e5682c05af91a82d806fceac093f8891d2c453dfc42c67196c1ccdb7b8be1")
}

// UnpackTooLateError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error TooLate(uint256 closed)
func (market *Market) UnpackTooLateError(raw []byte) (*MarketTooLate, error) {
	out := new(MarketTooLate)
	if err := market.abi.UnpackIntoInterface(out, "TooLate", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// MarketUnknownChannel represents a UnknownChannel error raised by the Market contract.
type MarketUnknownChannel struct {
	ChannelId [32]byte
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error UnknownChannel(bytes32 channelId)
func MarketUnknownChannelErrorID() common.Hash {
	return common.HexToHash("0xb08fc1cb7d4c5a62cfc36d1d52273872c8ad5c540953a2c17c0a39912130100d")
}

// UnpackUnknownChannelError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error UnknownChannel(bytes32 channelId)
func (market *Market) UnpackUnknownChannelError(raw []byte) (*MarketUnknownChannel, error) {
	out := new(MarketUnknownChannel)
	if err := market.abi.UnpackIntoInterface(out, "UnknownChannel", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// MarketWrongAmount represents a WrongAmount error raised by the Market contract.
type MarketWrongAmount struct {
	Claimed   *big.Int
	Deposited *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error WrongAmount(uint96 claimed, uint96 deposited)
func MarketWrongAmountErrorID() common.Hash {
	return common.HexToHash("0x5fcfe0a84cd301df93c63c00d859acdad317721ea2dc8edc83fe583e4041a910")
}

// UnpackWrongAmountError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error WrongAmount(uint96 claimed, uint96 deposited)
func (market *Market) UnpackWrongAmountError(raw []byte) (*MarketWrongAmount, error) {
	out := new(MarketWrongAmount)
	if err := market.abi.UnpackIntoInterface(out, "WrongAmount", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// MarketWrongEpoch represents a WrongEpoch error raised by the Market contract.
type MarketWrongEpoch struct {
	Epoch *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error WrongEpoch(uint24 epoch)
func MarketWrongEpochErrorID() common.Hash {
	return common.HexToHash("0xa7e1404687295b00c05ee67957178e757e3e036561f13fcc196941e13b788b45")
}

// UnpackWrongEpochError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error WrongEpoch(uint24 epoch)
func (market *Market) UnpackWrongEpochError(raw []byte) (*MarketWrongEpoch, error) {
	out := new(MarketWrongEpoch)
	if err := market.abi.UnpackIntoInterface(out, "WrongEpoch", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// MarketWrongValue represents a WrongValue error raised by the Market contract.
type MarketWrongValue struct {
	Sent   *big.Int
	Wanted *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error WrongValue(uint256 sent, uint256 wanted)
func MarketWrongValueErrorID() common.Hash {
	return common.HexToHash("0x195a3ca12ac3744ef64727effb118b3b203c382e49c7a7d24d450eae5e3b889a")
}

// UnpackWrongValueError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error WrongValue(uint256 sent, uint256 wanted)
func (market *Market) UnpackWrongValueError(raw []byte) (*MarketWrongValue, error) {
	out := new(MarketWrongValue)
	if err := market.abi.UnpackIntoInterface(out, "WrongValue", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// MarketZeroAddress represents a ZeroAddress error raised by the Market contract.
type MarketZeroAddress struct {
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error ZeroAddress()
func MarketZeroAddressErrorID() common.Hash {
	return common.HexToHash("0xd92e233df2717d4a40030e20904abd27b68fcbeede117eaaccbbdac9618c8c73")
}

// UnpackZeroAddressError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error ZeroAddress()
func (market *Market) UnpackZeroAddressError(raw []byte) (*MarketZeroAddress, error) {
	out := new(MarketZeroAddress)
	if err := market.abi.UnpackIntoInterface(out, "ZeroAddress", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// MarketZeroAmount represents a ZeroAmount error raised by the Market contract.
type MarketZeroAmount struct {
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error ZeroAmount()
func MarketZeroAmountErrorID() common.Hash {
	return common.HexToHash("0x1f2a2005cb66a8e145327e8814e243a0996aec9bfe1e15a495778b1236dbd485")
}

// UnpackZeroAmountError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error ZeroAmount()
func (market *Market) UnpackZeroAmountError(raw []byte) (*MarketZeroAmount, error) {
	out := new(MarketZeroAmount)
	if err := market.abi.UnpackIntoInterface(out, "ZeroAmount", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// MarketZeroPrice represents a ZeroPrice error raised by the Market contract.
type MarketZeroPrice struct {
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error ZeroPrice()
func MarketZeroPriceErrorID() common.Hash {
	return common.HexToHash("0x4dfba023c19aaad0ad1005b8a52f2ae0c7a1acb3f45ecd31562b980620d65f93")
}

// UnpackZeroPriceError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error ZeroPrice()
func (market *Market) UnpackZeroPriceError(raw []byte) (*MarketZeroPrice, error) {
	out := new(MarketZeroPrice)
	if err := market.abi.UnpackIntoInterface(out, "ZeroPrice", raw); err != nil {
		return nil, err
	}
	return out, nil
}
