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
	Bin: "0x61018080604052346101a057602081614796803803809161002082856101a5565b8339810103126101a057516001600160a01b0381168082036101a05760405161004a6040826101a5565b6007815260208101906610dd5b1d995c9d60ca1b82526040519161006f6040846101a5565b600183526020830191603160f81b8352610088816101de565b61012052610095846103ad565b61014052519020918260e05251902080610100524660a0526040519060208201927f8b73c3c69bb8fe3d512ecc4cf759cc79239f7b179b0ffacaa9a75d522b39400f8452604083015260608201524660808201523060a082015260a081526100fe60c0826101a5565b5190206080523060c05280151580610197575b61018357506101605260405161423d908161055982396080518161322f015260a051816132ec015260c05181613200015260e0518161327e015261010051816132a401526101205181611aa001526101405181611ac901526101605181818161233e015281816126810152613a8b0152f35b63d7e2857360e01b60005260045260246000fd5b50803b15610111565b600080fd5b601f909101601f19168101906001600160401b038211908210176101c857604052565b634e487b7160e01b600052604160045260246000fd5b90815160208110600014610276575090601f81511161021a57602081519101516020821061020a571790565b6000198260200360031b1b161790565b6040519063305a27a960e01b8252602060048301528181519182602483015260005b83811061025e5750508160006044809484010152601f80199101168101030190fd5b6020828201810151604487840101528593500161023c565b6001600160401b0381116101c857600054600181811c911680156103a3575b602082101461038d57601f811161034b575b50602092601f82116001146102e757928192936000926102dc575b50508160011b916000199060031b1c19161760005560ff90565b0151905038806102c2565b601f1982169360008052806000209160005b868110610333575083600195961061031a575b505050811b0160005560ff90565b015160001960f88460031b161c1916905538808061030c565b919260206001819286850151815501940192016102f9565b818111156102a757600080526020600020601f80840160051c809201920160051c039060005b82811061037f5750506102a7565b600082820155600101610371565b634e487b7160e01b600052602260045260246000fd5b90607f1690610295565b90815160208110600014610435575090601f8151116103d957602081519101516020821061020a571790565b6040519063305a27a960e01b8252602060048301528181519182602483015260005b83811061041d5750508160006044809484010152601f80199101168101030190fd5b602082820181015160448784010152859350016103fb565b6001600160401b0381116101c857600154600181811c9116801561054e575b602082101461038d57601f811161050b575b50602092601f82116001146104a6579281929360009261049b575b50508160011b916000199060031b1c19161760015560ff90565b015190503880610481565b601f198216936001600052806000209160005b8681106104f357508360019596106104da575b505050811b0160015560ff90565b015160001960f88460031b161c191690553880806104cc565b919260206001819286850151815501940192016104b9565b818111156104665760016000526020600020601f80840160051c809201920160051c039060005b828110610540575050610466565b600082820155600101610532565b90607f169061045456fe6080604052600436101561001257600080fd5b60003560e01c80632975d57d146126e1578063380e9c56146126a557806338d52e0f14612636578063495ae3bd1461248457806351cff8d914612257578063531e2e8c1461218e5780635df6a6bc1461204d5780636b0432ef14611de55780636bf5fe6f14611d7a57806370a0823114611d155780637249fbb614611ba057806384b0196e14611a6957806393b9b1ea14611330578063969915ce14611060578063a1ed2ae214610f5c578063b7d9c80e14610e79578063c1e95d1e14610dbf578063c990adbd14610d82578063d4176d8914610b22578063d7d2082c14610ae7578063daf0dfc114610933578063e3caaec0146105f5578063e9fad8ee146104bc578063f057b51b14610272578063f698da25146102315763fbaf094a1461013a57600080fd5b3461022c5760207ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261022c5761010061017c610177612783565b612d96565b61022a604051809267ffffffffffffffff60e0809273ffffffffffffffffffffffffffffffffffffffff815116855273ffffffffffffffffffffffffffffffffffffffff60208201511660208601526bffffffffffffffffffffffff604082015116604086015264ffffffffff606082015116606086015260808101511515608086015260a081015160a08601526bffffffffffffffffffffffff60c08201511660c0860152015116910152565bf35b600080fd5b3461022c5760007ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261022c57602061026a6131e9565b604051908152f35b3461022c5760607ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261022c576102a9612783565b6102b16127a6565b6044359073ffffffffffffffffffffffffffffffffffffffff8216820361022c576102e4926102de612b47565b50613d57565b6102ed81612c5d565b906060820161031e6bffffffffffffffffffffffff8251166bffffffffffffffffffffffff60808601511690612a6d565b60a08401516000906bffffffffffffffffffffffff166103fa57506bffffffffffffffffffffffff8464ffffffffff938286948161010099816000955b62ffffff82816040860151169251169160e08d60c08660a08160808b015116990151169c0151169c60405190610390826129f3565b815260208101928352604081019485526060810196875285608082019916895260a081019a8b5260c081019b8c52019b8c526040519d8e52511660208d0152511660408b015251166060890152511660808701525160a0860152511660c0840152511660e0820152f35b6bffffffffffffffffffffffff8216620f4240810290808204620f4240149015171561048f576bffffffffffffffffffffffff60a08701511691821561046257509464ffffffffff936bffffffffffffffffffffffff869481848180976101009c049561035b565b807f4e487b7100000000000000000000000000000000000000000000000000000000602492526012600452fd5b6024827f4e487b710000000000000000000000000000000000000000000000000000000081526011600452fd5b3461022c5760007ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261022c57336000526003602052604060002080548060f81c156105c7577f247cb03f7f802f6b8f5d626c4b2095b25cacc18b13981bf716e278fbbb1373be916105b261056264ffffffffff847effffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff60409616855560d01c16612d7d565b82547fff0000000000ffffffffffffffffffffffffffffffffffffffffffffffffffff1660d082901b7effffffffff00000000000000000000000000000000000000000000000000001617909255565b64ffffffffff825191338352166020820152a1005b7fbfc6c337000000000000000000000000000000000000000000000000000000006000523360045260246000fd5b3461022c5760c07ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261022c5760043561062f6128f7565b6106376127c9565b916064359267ffffffffffffffff841680940361022c5761065782613881565b9060018201549173ffffffffffffffffffffffffffffffffffffffff83163303610905578054908160e81c9662ffffff8716978089036108d857508042116108ab576bffffffffffffffffffffffff808460601c169316976bffffffffffffffffffffffff85169584871080156108a2575b6108705773ffffffffffffffffffffffffffffffffffffffff91826106fb65ffffffffffff6107619460a01c16612af0565b5054169788946040519160208301937f92f0a3632f18e6ae95d79de57016bdac7bfd17bb8bb2154fc10d65039410dde885528c60408501526060840152608083015260a082015260a0815261075160c082612a2c565b60a4359160843591519020613a1c565b1603610846577fc14c55223b6058b70feef944705fbe4c421cb144e83d7ca24409dff1deaa93b196610841946bffffffffffffffffffffffff6107b2610806956107ac8b8997613997565b85612a6d565b169060005260066020526107cc604060002091825461299b565b90556bffffffffffffffffffffffff6107e58383612a6d565b163360005260066020526107ff604060002091825461299b565b9055612a6d565b906040519485948592936bffffffffffffffffffffffff8092969562ffffff6060956080880199885216602087015216604085015216910152565b0390a1005b7f5cd5d2330000000000000000000000000000000000000000000000000000000060005260046000fd5b89857f5fcfe0a80000000000000000000000000000000000000000000000000000000060005260045260245260446000fd5b508987116106c9565b7f691e56820000000000000000000000000000000000000000000000000000000060005260045260246000fd5b7fa7e140460000000000000000000000000000000000000000000000000000000060005260045260246000fd5b7f7bcffa3a000000000000000000000000000000000000000000000000000000006000523360045260246000fd5b60407ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261022c576004356024356bffffffffffffffffffffffff8116810361022c5761098181613a75565b61098a82613881565b916109ac6109a665ffffffffffff600186015460a01c16612af0565b50612c2b565b73ffffffffffffffffffffffffffffffffffffffff81511660005260036020526040600020548060f81c15610aa25760206109fe65ffffffffffff6bffffffffffffffffffffffff9360a01c16612af0565b505460a01c9201511690818111610a72575050610841610a3f837ff85db8e7cd1f051b69fd9792abc09b222f11af8aad1dcf69cf4c63ae8e1d00ef95613d97565b926040519384938491604091949362ffffff6bffffffffffffffffffffffff926060860197865216602085015216910152565b7f5771159b0000000000000000000000000000000000000000000000000000000060005260045260245260446000fd5b73ffffffffffffffffffffffffffffffffffffffff8251167fbfc6c3370000000000000000000000000000000000000000000000000000000060005260045260246000fd5b3461022c5760007ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261022c5760206040516110008152f35b60807ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261022c57610b54612783565b610b5c6127a6565b610b646127c9565b606435916bffffffffffffffffffffffff831680930361022c57610b8782613a75565b73ffffffffffffffffffffffffffffffffffffffff81168015610d585773ffffffffffffffffffffffffffffffffffffffff8516948560005260036020526040600020548060f81c15610d2a5760a01c65ffffffffffff1692610be984612af0565b505460a01c95808711610cf9577f9f00ca3484b3b36e1fc911b05a9abca4b1dced943ddba797cf98092880c558e460e089896bffffffffffffffffffffffff8a62ffffff8b8b610c3a338c8e613d57565b96876000526005602052610ccf6040600020936001610c598887613d97565b950180547fffffffffffff000000000000ffffffffffffffffffffffffffffffffffffffff33167fffffffffffff00000000000000000000000000000000000000000000000000009091161760a09290921b79ffffffffffff000000000000000000000000000000000000000016919091179055565b604051978852602088015260408701523360608701521660808501521660a083015260c0820152a1005b867f5771159b0000000000000000000000000000000000000000000000000000000060005260045260245260446000fd5b867fbfc6c3370000000000000000000000000000000000000000000000000000000060005260045260246000fd5b7fd92e233d0000000000000000000000000000000000000000000000000000000060005260046000fd5b3461022c5760007ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261022c5760206040516303c267008152f35b3461022c57610dcd366127e4565b939291933360005260036020526040600020918254958660f81c156105c757610e5a610841948383888a65ffffffffffff7fd5ed41188350760a2306ca7ac012692f0456863f418e3c01a0b3237c43b880699d60a01c1694610e2e86612af0565b505460a01c6bffffffffffffffffffffffff841603610e68575b64ffffffffff815460d01c1690613015565b946040519687963388612909565b9450610e7382612f0b565b94610e48565b3461022c5760207ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261022c5760e0610eb5600435612c5d565b64ffffffffff60c06040519273ffffffffffffffffffffffffffffffffffffffff815116845273ffffffffffffffffffffffffffffffffffffffff602082015116602085015262ffffff60408201511660408501526bffffffffffffffffffffffff60608201511660608501526bffffffffffffffffffffffff60808201511660808501526bffffffffffffffffffffffff60a08201511660a085015201511660c0820152f35b3461022c5760a07ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261022c57600435610f966128f7565b6044359167ffffffffffffffff831680930361022c57610fb581613881565b92835460e81c9062ffffff8416918083036108d857508042116108ab5790611032916040519060208201927f75b175dd0e2969cb696df9b082521106d64ce772fcee4e0118b02c2b0b0e448b8452856040840152606083015260808201526080815261102260a082612a2c565b6084359160643591519020613a1c565b73ffffffffffffffffffffffffffffffffffffffff806001860154169116036108465761105e926138e1565b005b3461022c5760407ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261022c5760025460043560243582821015611329576110aa8284612b3a565b811015611322576110bb908261299b565b905b6110c78183612b3a565b917fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe061110b6110f585612a97565b946111036040519687612a2c565b808652612a97565b0160005b81811061130b5750506000915b81811061121c575050815260405190604082019260408352815180945260206060840192016000945b80861061115a57505082935060208301520390f35b9092602061010082611210600194885167ffffffffffffffff60e0809273ffffffffffffffffffffffffffffffffffffffff815116855273ffffffffffffffffffffffffffffffffffffffff60208201511660208601526bffffffffffffffffffffffff604082015116604086015264ffffffffff606082015116606086015260808101511515608086015260a081015160a08601526bffffffffffffffffffffffff60c08201511660c0860152015116910152565b01940195019490611145565b73ffffffffffffffffffffffffffffffffffffffff61123a82612af0565b50541680600052600360205260406000205460f81c806112e9575b611263575b5060010161111c565b61126f90939193612d96565b92817fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff81146112ba57600192836112b39201956112ac8289612b84565b5286612b84565b509061125a565b7f4e487b7100000000000000000000000000000000000000000000000000000000600052601160045260246000fd5b508060005260036020528165ffffffffffff60406000205460a01c1614611255565b602090611316612b47565b8282880101520161110f565b50816110bb565b50806110bd565b3461022c577ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc3601610340811261022c576101a01361022c576101a07ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe5c36011261022c57606435801580159081830361022c5781611a53575b61198e57600435906101a43592838314801590611a2a575b80156119c7575b61198e5760006024359262ffffff8416938481036119bf5750604435927fffffffffffffffffffffffffffffffff000000000000000000000000000000008416938481036119bb5750506040519260208401947fe90d8102b7a8516c71cfc4070abd2833dc978b54ebabb0f6ce168ebe84eb94cf86528660408601526060850152608084015260a083015260843560c083015260c0825261146a60e083612a2c565b60c4359067ffffffffffffffff8216918281036119c3575060e4359067ffffffffffffffff8216918281036119c357506101043567ffffffffffffffff8116908181036119bf575061012435906bffffffffffffffffffffffff8216918281036119bb5750610144359260ff84168094036119b8575092602092611578959261154a9795604051938685019560a435875260408601526060850152608084015260a083015260c082015260c0815261152360e082612a2c565b60405195869461153b858701998a9251928391612891565b85019151809385840190612891565b0101037fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe08101835282612a2c565b5190209160006101c4359062ffffff8216918281036119c357506101e4357fffffffffffffffffffffffffffffffff000000000000000000000000000000008116908181036119bf57506102043590811515918281036119bb57506040519360208501957fe90d8102b7a8516c71cfc4070abd2833dc978b54ebabb0f6ce168ebe84eb94cf875260408601526060850152608084015260a08301526102243560c083015260c0825261162b60e083612a2c565b610264359067ffffffffffffffff8216918281036119c35750610284359067ffffffffffffffff8216918281036119c357506102a43567ffffffffffffffff8116908181036119bf57506102c435906bffffffffffffffffffffffff8216918281036119bb57506102e4359260ff84168094036119b85750926020926116e7959261154a9795604051938685019561024435875260408601526060850152608084015260a083015260c082015260c0815261152360e082612a2c565b51902080831461198e5761174273ffffffffffffffffffffffffffffffffffffffff938461172b65ffffffffffff600161172088613881565b015460a01c16612af0565b505416948592839261018435906101643590613a1c565b161491821592611959575b50506108465781600052600460205260406000206040519061176e826129a8565b546bffffffffffffffffffffffff811680835267ffffffffffffffff602084019260601c1682521561192f5767ffffffffffffffff905116804210156108ab575060e06bffffffffffffffffffffffff8080947fffffffffffffffffffffffffffffffff000000000000000000000000000000006118287f9d84965bc93e2e9b6d7a4b5308e7b42e2acfbcd8968b23eb345fa08dfc78f2539689600052600460205260006040812055600a85825116049889915116612a6d565b9162ffffff611835612aaf565b61183d612ac1565b926040519b8c5260208c01521660408a015216606088015233608088015216938460a087015216938460c0820152a18047106118fe57600080808093815af13d156118f6573d9061188d82612fdb565b9161189b6040519384612a2c565b82523d6000602084013e5b156118bd5750806118b357005b61105e90336137ef565b8051156118cc57805190602001fd5b7fd6bda2750000000000000000000000000000000000000000000000000000000060005260046000fd5b6060906118a6565b477fcf4791810000000000000000000000000000000000000000000000000000000060005260045260245260446000fd5b7fdfc19f8e0000000000000000000000000000000000000000000000000000000060005260046000fd5b73ffffffffffffffffffffffffffffffffffffffff9192506119849061032435906103043590613a1c565b161415828461174d565b7fae591c870000000000000000000000000000000000000000000000000000000060005260046000fd5b80fd5b8380fd5b8280fd5b5080fd5b506119d0612ac1565b6101e4357fffffffffffffffffffffffffffffffff0000000000000000000000000000000081169182820361022c577fffffffffffffffffffffffffffffffff0000000000000000000000000000000091501614156113c8565b50611a33612aaf565b6101c43562ffffff81169182820361022c5762ffffff91501614156113c1565b50610204358015908115810361022c57506113a9565b3461022c5760007ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261022c57611b42611ac47f0000000000000000000000000000000000000000000000000000000000000000613f3a565b611aed7f00000000000000000000000000000000000000000000000000000000000000006140d5565b6020611b5060405192611b008385612a2c565b6000845260003681376040519586957f0f00000000000000000000000000000000000000000000000000000000000000875260e08588015260e08701906128b4565b9085820360408701526128b4565b466060850152306080850152600060a085015283810360c085015281808451928381520193019160005b828110611b8957505050500390f35b835185528695509381019392810192600101611b7a565b3461022c5760207ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261022c57600435611bdb81613881565b9081549064ffffffffff8260c01c168015611ceb57804210611cbe57506108417f670f833e84264fb0373f1b0657b256aab1f0a94950fc85aae2c95dff6571faa89373ffffffffffffffffffffffffffffffffffffffff6001611c568660e81c966bffffffffffffffffffffffff808260601c169116612a6d565b92611c618782613997565b01541660005260066020526040600020611c8a6bffffffffffffffffffffffff8316825461299b565b90556040519384938491604091949362ffffff6bffffffffffffffffffffffff926060860197865216602085015216910152565b7f2a35a3240000000000000000000000000000000000000000000000000000000060005260045260246000fd5b7ff9b46b5f0000000000000000000000000000000000000000000000000000000060005260046000fd5b3461022c5760207ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261022c5773ffffffffffffffffffffffffffffffffffffffff611d61612783565b1660005260066020526020604060002054604051908152f35b3461022c5760207ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261022c57600435611db581613881565b73ffffffffffffffffffffffffffffffffffffffff60018201541633036109055761105e91815460e81c916138e1565b60207ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261022c5760043567ffffffffffffffff811680820361022c5733600052600360205260406000205460f81c156105c7573360005260046020526040600020805467ffffffffffffffff8160601c16600042821160001461200c57505b6303c267004201908142116112ba578085108015612003575b611fd35750506bffffffffffffffffffffffff16611e9e348261299b565b908115611fa9576bffffffffffffffffffffffff8211611f485782547fffffffffffffffffffffffff0000000000000000000000000000000000000000166bffffffffffffffffffffffff8316908117606087811b73ffffffffffffffff0000000000000000000000001691909117855560408051338152602081019390935282018690527fc952f848f38c5cd5706a7ce9b3a40dd611505ac0cb50e148f592dc55bcd2234391a1005b6bffffffffffffffffffffffff036bffffffffffffffffffffffff81116112ba576bffffffffffffffffffffffff907f195a3ca100000000000000000000000000000000000000000000000000000000600052346004521660245260446000fd5b7f1f2a20050000000000000000000000000000000000000000000000000000000060005260046000fd5b7faa469ed60000000000000000000000000000000000000000000000000000000060005260045260245260446000fd5b50818511611e80565b905060014201908142116120205750611e67565b807f4e487b7100000000000000000000000000000000000000000000000000000000602492526011600452fd5b3461022c5760007ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261022c57336000526004602052604060002060405190612097826129a8565b546bffffffffffffffffffffffff811680835267ffffffffffffffff602084019260601c1682521561192f5767ffffffffffffffff905116908142106121605761105e90336000526004602052600060408120553360005260036020526bffffffffffffffffffffffff73ffffffffffffffffffffffffffffffffffffffff60406000205416917f5387604fc7962e79f1cbf9f87dbff9aa58e5f7d3b4bc54f5892feb605b66e84a606083835116604051903382528660208301526040820152a15116906137ef565b507f2a35a3240000000000000000000000000000000000000000000000000000000060005260045260246000fd5b3461022c5760207ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261022c576004356121c981613881565b73ffffffffffffffffffffffffffffffffffffffff60018201541633036109055764ffffffffff815460c01c1615611ceb577fb22506b7c08609f4a7f69d866228582e6380a042a66ba31f5f2d1e1132b7fbb291817fffffff0000000000ffffffffffffffffffffffffffffffffffffffffffffffff604093541681555460e81c82519182526020820152a1005b3461022c5760207ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261022c5761228e612783565b336000526006602052604060002054801561245a573360005260066020526000604081205573ffffffffffffffffffffffffffffffffffffffff82161561242d575b73ffffffffffffffffffffffffffffffffffffffff821615612425575b6040805133815273ffffffffffffffffffffffffffffffffffffffff841660208201529081018290527fd1c19fbcd4551a5edfb66d43d2e337c04837afda3482b42bdf569a8fccdae5fb90606090a17f000000000000000000000000000000000000000000000000000000000000000073ffffffffffffffffffffffffffffffffffffffff8116612398575073ffffffffffffffffffffffffffffffffffffffff61105e92166137ef565b6040517fa9059cbb00000000000000000000000000000000000000000000000000000000602082015273ffffffffffffffffffffffffffffffffffffffff9093166024840152604483019190915261105e919061242082606481015b037fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe08101845283612a2c565b613eaf565b3391506122ed565b905033600052600360205273ffffffffffffffffffffffffffffffffffffffff60406000205416906122d0565b7fd0d04f600000000000000000000000000000000000000000000000000000000060005260046000fd5b3461022c5760407ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261022c5760043567ffffffffffffffff811161022c573660238201121561022c57806004013567ffffffffffffffff811161022c5736602460c083028401011161022c576024356124fe6131e9565b926000918290815b858310156125bd57600090612523602460c086028701018961334b565b9283156125b15773ffffffffffffffffffffffffffffffffffffffff88168073ffffffffffffffffffffffffffffffffffffffff841603612577575b50505060019161256e9161299b565b925b0191612506565b6001949298509261256e9381612592575b505091819361255f565b825260066020526125a86040832091825461299b565b90558a80612588565b50509260019150612570565b84816125ff575b5050806125cd57005b60407f84c6ee81d1788f99da37d7621de051c824f66588a506e57a7722e7bd9f5c1bf9918151903382526020820152a1005b73ffffffffffffffffffffffffffffffffffffffff16600052600660205261262d604060002091825461299b565b905581806125c4565b3461022c5760007ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261022c57602060405173ffffffffffffffffffffffffffffffffffffffff7f0000000000000000000000000000000000000000000000000000000000000000168152f35b3461022c5760007ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc36011261022c576020604051620151808152f35b3461022c576126ef366127e4565b93929190933360005260036020526040600020948554928360f81c61275557610e5a610841948383888a7f56858c418e5174845e0eacf1d56ea784759325e0a3ca96d15714fd9cf4ea18659c64ffffffffff61274a84612f0b565b9660d01c1690613015565b7f45ed80e9000000000000000000000000000000000000000000000000000000006000523360045260246000fd5b6004359073ffffffffffffffffffffffffffffffffffffffff8216820361022c57565b6024359073ffffffffffffffffffffffffffffffffffffffff8216820361022c57565b604435906bffffffffffffffffffffffff8216820361022c57565b9060807ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc83011261022c5760043573ffffffffffffffffffffffffffffffffffffffff8116810361022c57916024356bffffffffffffffffffffffff8116810361022c579160443567ffffffffffffffff811161022c578260238201121561022c5780600401359267ffffffffffffffff841161022c576024848301011161022c57602401919060643590565b60005b8381106128a45750506000910152565b8181015183820152602001612894565b907fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe0601f6020936128f081518092818752878088019101612891565b0116010190565b6024359062ffffff8216820361022c57565b97969560a0956bffffffffffffffffffffffff60e09673ffffffffffffffffffffffffffffffffffffffff7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe0978d602064ffffffffff601f9a858a9b168452169101521660408d01521660608b015260c060808b01528160c08b0152858a0137600084828a0101520116850101930152565b919082018092116112ba57565b6040810190811067ffffffffffffffff8211176129c457604052565b7f4e487b7100000000000000000000000000000000000000000000000000000000600052604160045260246000fd5b610100810190811067ffffffffffffffff8211176129c457604052565b60e0810190811067ffffffffffffffff8211176129c457604052565b90601f7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe0910116810190811067ffffffffffffffff8211176129c457604052565b906bffffffffffffffffffffffff809116911603906bffffffffffffffffffffffff82116112ba57565b67ffffffffffffffff81116129c45760051b60200190565b60243562ffffff8116810361022c5790565b6044357fffffffffffffffffffffffffffffffff000000000000000000000000000000008116810361022c5790565b600254811015612b0b57600260005260206000200190600090565b7f4e487b7100000000000000000000000000000000000000000000000000000000600052603260045260246000fd5b919082039182116112ba57565b60405190612b54826129f3565b600060e0838281528260208201528260408201528260608201528260808201528260a08201528260c08201520152565b8051821015612b0b5760209160051b010190565b9060405160c0810181811067ffffffffffffffff8211176129c45760405260a065ffffffffffff6001839580546bffffffffffffffffffffffff811686526bffffffffffffffffffffffff8160601c16602087015264ffffffffff8160c01c16604087015260e81c6060860152015473ffffffffffffffffffffffffffffffffffffffff81166080850152821c16910152565b90604051612c38816129a8565b915473ffffffffffffffffffffffffffffffffffffffff8116835260a01c6020830152565b60405190612c6a82612a10565b6000825260006020830152600060408301526000606083015260006080830152600060a0830152600060c08301526000526005602052612cad6040600020612b98565b608081019173ffffffffffffffffffffffffffffffffffffffff83511615612d775750612ce86109a665ffffffffffff60a084015116612af0565b9073ffffffffffffffffffffffffffffffffffffffff808351169351169162ffffff6060830151166bffffffffffffffffffffffff8351169064ffffffffff60406bffffffffffffffffffffffff602081818901511696015116950151169460405196612d5488612a10565b8752602087015260408601526060850152608084015260a083015260c082015290565b91505090565b64ffffffffff1664ffffffffff81146112ba5760010190565b73ffffffffffffffffffffffffffffffffffffffff612db3612b47565b91169081600052600360205260406000206040519060a0820182811067ffffffffffffffff8211176129c45760405280549273ffffffffffffffffffffffffffffffffffffffff84168352602083019365ffffffffffff8160a01c16855264ffffffffff8160d01c169160016040860194848652606087019360f81c151584520154926080860193845215612f01575085600052600460205260406000209267ffffffffffffffff6bffffffffffffffffffffffff64ffffffffff612eb765ffffffffffff73ffffffffffffffffffffffffffffffffffffffff60405199612e9a8b6129a8565b549a858c168b528660208c019c60601c168c5251169a5116612af0565b505460a01c9351169351151594519551169551169560405197612ed9896129f3565b8852602088015260408701526060860152608085015260a084015260c083015260e082015290565b9550505050505090565b9060025465ffffffffffff81169260405191612f26836129a8565b3383526bffffffffffffffffffffffff6020840192168252680100000000000000008110156129c457806001612f5f9201600255612af0565b929092612fac5751905160a01b7fffffffffffffffffffffffff00000000000000000000000000000000000000001673ffffffffffffffffffffffffffffffffffffffff91909116179055565b7f4e487b7100000000000000000000000000000000000000000000000000000000600052600060045260246000fd5b67ffffffffffffffff81116129c457601f017fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe01660200190565b949295919573ffffffffffffffffffffffffffffffffffffffff871615610d58576bffffffffffffffffffffffff16156131bf576110008311613191579073ffffffffffffffffffffffffffffffffffffffff6130746130e993612d7d565b96167fffffffffffffffffffffffff000000000000000000000000000000000000000086541617855584907fffffffffffff000000000000ffffffffffffffffffffffffffffffffffffffff79ffffffffffff000000000000000000000000000000000000000083549260a01b169116179055565b825479ffffffffffffffffffffffffffffffffffffffffffffffffffff167effffffffff000000000000000000000000000000000000000000000000000060d086901b16177f010000000000000000000000000000000000000000000000000000000000000017835561315b81612fdb565b6131686040519182612a2c565b8181526020810191368185011161022c5760208160009260019686378301015251902091015590565b827f652625670000000000000000000000000000000000000000000000000000000060005260045260246000fd5b7f4dfba0230000000000000000000000000000000000000000000000000000000060005260046000fd5b73ffffffffffffffffffffffffffffffffffffffff7f0000000000000000000000000000000000000000000000000000000000000000163014806132e9575b15613251577f000000000000000000000000000000000000000000000000000000000000000090565b60405160208101907f8b73c3c69bb8fe3d512ecc4cf759cc79239f7b179b0ffacaa9a75d522b39400f82527f000000000000000000000000000000000000000000000000000000000000000060408201527f000000000000000000000000000000000000000000000000000000000000000060608201524660808201523060a082015260a081526132e360c082612a2c565b51902090565b507f00000000000000000000000000000000000000000000000000000000000000004614613228565b6004111561331c57565b7f4e487b7100000000000000000000000000000000000000000000000000000000600052602160045260246000fd5b919091823590602084013562ffffff8116810361022c576040850135926bffffffffffffffffffffffff8416840361022c5780600052600560205260406000209361339585612b98565b94608086019573ffffffffffffffffffffffffffffffffffffffff875116156137885762ffffff6060820151169162ffffff86168093036137295781516bffffffffffffffffffffffff8581169491168085111561372157985b60208401986bffffffffffffffffffffffff8a5116946bffffffffffffffffffffffff8c16958611156136c5579061350273ffffffffffffffffffffffffffffffffffffffff61344b65ffffffffffff60a08d96015116612af0565b5054169e8f9260405160208101907f1e22073394650063c7ba1df415e8850447fbe862feb56b6569efa7ba533faa1082528660408201528860608201528b6080820152606084013560a082015260a081526134a760c082612a2c565b5190206040519060208201927f1901000000000000000000000000000000000000000000000000000000000000845260228301526042820152604281526134ef606282612a2c565b519020608060a083013592013590613e70565b5061350c81613312565b1593841594613696575b5050505061363d5750936135dc9693887fb5cfc6e731f99dae33a90e6c44a09ed7c582d0496a70dc84df915a6fb61e8e0d946bffffffffffffffffffffffff9a9894888c99547fffffffffffffffff000000000000000000000000ffffffffffffffffffffffff77ffffffffffffffffffffffff0000000000000000000000008660601b169116179055036135e0575b6040805193845262ffffff9490941660208401526bffffffffffffffffffffffff169282019290925260609150a1511690612a6d565b1690565b6040805184815262ffffff861660208201526bffffffffffffffffffffffff93841691810191909152911660608201527f0170a1b21644a5efb28fd4140fa37a2e5452fb12d1a5794a9c0b77d6efaeb38190608090a138866135a6565b96505050945050939450506040519283526020830152604082015260046003101561331c57608081600360607fbbd33b9b21ecc92063339d0d5fdb2b02943db1c9c26c97d8b0e9180daab7ea41940152a1600090600090565b6136ba93945073ffffffffffffffffffffffffffffffffffffffff90511691613d57565b1415868c3880613516565b50505096505050945050939450506040519283526020830152604082015260046002101561331c57608081600260607fbbd33b9b21ecc92063339d0d5fdb2b02943db1c9c26c97d8b0e9180daab7ea41940152a1600090600090565b5084986133ef565b50506040805193845260208401919091526bffffffffffffffffffffffff90911690820152939450505050608081600160607fbbd33b9b21ecc92063339d0d5fdb2b02943db1c9c26c97d8b0e9180daab7ea41940152a1600090600090565b50506040805192835262ffffff90931660208301526bffffffffffffffffffffffff16918101919091529293506000929150506080818360607fbbd33b9b21ecc92063339d0d5fdb2b02943db1c9c26c97d8b0e9180daab7ea41940152a150600090600090565b81471061384f57600080809373ffffffffffffffffffffffffffffffffffffffff8294165af13d15613847573d9061382682612fdb565b916138346040519384612a2c565b82523d6000602084013e5b156118bd5750565b60609061383f565b50477fcf4791810000000000000000000000000000000000000000000000000000000060005260045260245260446000fd5b9081600052600560205260406000209173ffffffffffffffffffffffffffffffffffffffff600184015416156138b45750565b7fb08fc1cb0000000000000000000000000000000000000000000000000000000060005260045260246000fd5b9064ffffffffff825460c01c1661399257620151804201928342116112ba577f915349409b49ce76bc8dfebed1555ce3c129bd447b18b9fd06a0e38393a5fb6f9362ffffff64ffffffffff9285606096547fffffff0000000000ffffffffffffffffffffffffffffffffffffffffffffffff7cffffffffff000000000000000000000000000000000000000000000000808760c01b16169116179055604051948552166020840152166040820152a1565b505050565b80547fffffff00000000000000000000000000000000000000000000000000000000001681559062ffffff9081166001019081116112ba577cffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7fffffff000000000000000000000000000000000000000000000000000000000083549260e81b169116179055565b906042613a649392613a2c6131e9565b90604051917f190100000000000000000000000000000000000000000000000000000000000083526002830152602282015220613e70565b50613a6e81613312565b6108465790565b6bffffffffffffffffffffffff168015611fa9577f000000000000000000000000000000000000000000000000000000000000000073ffffffffffffffffffffffffffffffffffffffff8116908115613cad5734613c7a57604051907f70a08231000000000000000000000000000000000000000000000000000000008252306004830152602082602481865afa918215613c3957600092613c45575b50602492613b80602092604051907f23b872dd0000000000000000000000000000000000000000000000000000000085830152612420826123f48a30338c850173ffffffffffffffffffffffffffffffffffffffff6040929594938160608401971683521660208201520152565b604051938480927f70a082310000000000000000000000000000000000000000000000000000000082523060048301525afa8015613c3957600090613c05575b613bca9250612b3a565b818103613bd5575050565b7f857dd5520000000000000000000000000000000000000000000000000000000060005260045260245260446000fd5b506020823d602011613c31575b81613c1f60209383612a2c565b8101031261022c57613bca9151613bc0565b3d9150613c12565b6040513d6000823e3d90fd5b9091506020813d602011613c72575b81613c6160209383612a2c565b8101031261022c5751906024613b12565b3d9150613c54565b7f195a3ca10000000000000000000000000000000000000000000000000000000060005234600452600060245260446000fd5b5050803410613d2657803411613cc05750565b613d21613cee7f9c9e0cdb1670e88302408e5b941dc636f63a3293204694bb68910fcf3d9305f39234612b3a565b3360005260066020526040600020613d0782825461299b565b905560408051338152602081019290925290918291820190565b0390a1565b7f195a3ca1000000000000000000000000000000000000000000000000000000006000523460045260245260446000fd5b9173ffffffffffffffffffffffffffffffffffffffff908160405193816020860196168652166040840152166060820152606081526132e3608082612a2c565b919091805464ffffffffff8160c01c1680613e4357508060e81c9362ffffff8514613e19576bffffffffffffffffffffffff8091169116016bffffffffffffffffffffffff81116112ba576bffffffffffffffffffffffff167fffffffffffffffffffffffffffffffffffffffff000000000000000000000000825416179055565b7fa1d8efea0000000000000000000000000000000000000000000000000000000060005260046000fd5b7fd54f47b10000000000000000000000000000000000000000000000000000000060005260045260246000fd5b90613ea8929160ff601b7f7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff851694821c0116906141a7565b9192909190565b906000602091828151910182855af115613c39576000513d613f31575073ffffffffffffffffffffffffffffffffffffffff81163b155b613eed5750565b73ffffffffffffffffffffffffffffffffffffffff907f5274afe7000000000000000000000000000000000000000000000000000000006000521660045260246000fd5b60011415613ee6565b60ff8114613fbc5760ff811690601f8211613f92576040805192613f5e8285612a2c565b602084527fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe060208501920136833783525290565b7fb3512b0c0000000000000000000000000000000000000000000000000000000060005260046000fd5b5060405160008054908160011c916001811680156140cb575b60208410811461409e5783855284929181156140615750600114614003575b61400092500382612a2c565b90565b50600080805290917f290decd9548b62a8d60345a988386fc84ba6bc95484008f6362f93160ef3e5635b81831061404557505090602061400092820101613ff4565b602091935080600191548385880101520191019091839261402d565b602092506140009491507fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff001682840152151560051b820101613ff4565b6024837f4e487b710000000000000000000000000000000000000000000000000000000081526022600452fd5b92607f1692613fd5565b60ff81146140f95760ff811690601f8211613f92576040805192613f5e8285612a2c565b506040516000600154908160011c9160018116801561419d575b60208410811461409e578385528492918115614061575060011461413d5761400092500382612a2c565b506001600090815290917fb10e2d527612073b26eecdfd717e6a320cf44b4afac2b0732d9fcbe2b7fa0cf65b81831061418157505090602061400092820101613ff4565b6020919350806001915483858801015201910190918392614169565b92607f1692614113565b91907f7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a08411614231579160209360809260ff60009560405194855216868401526040830152606082015282805260015afa15613c395760005173ffffffffffffffffffffffffffffffffffffffff8116156142255790600090600090565b50600090600190600090565b5050506000916003919056",
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
