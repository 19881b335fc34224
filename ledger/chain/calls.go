package chain

import (
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/culvert-net/culvert/contracts/market"
	"github.com/culvert-net/culvert/ledger"
)

// Call is what a transaction does. The methods of Calls make them.
type Call struct {
	What  string // for people: "register", "buy"
	To    ledger.Address
	Value ledger.Amount // of the chain's own currency
	Data  []byte

	// MaxFee is the most that it may cost in fees, replacements included, as its
	// owner agreed to; zero: the network's limit.
	MaxFee ledger.Amount
}

// Calls makes the calls of one deployment.
type Calls struct {
	contract ledger.Address
	asset    ledger.Address
	market   *market.Market
}

// Calls are those of the contract that c names.
func (c Config) Calls() Calls { return Calls{c.Contract, c.Asset, market.NewMarket()} }

func (c Calls) call(what string, value ledger.Amount, data []byte) Call {
	return Call{What: what, To: c.contract, Value: value, Data: data}
}

// paid is what goes along with a payment: nothing where a token is paid in.
func (c Calls) paid(amount ledger.Amount) ledger.Amount {
	if c.asset.IsZero() {
		return amount
	}
	return ledger.Amount{}
}

// Register offers the sender's models at a price.
func (c Calls) Register(payout ledger.Address, price ledger.Amount, descriptor []byte, content ledger.Hash) Call {
	return c.call("register", ledger.Amount{}, c.market.PackRegister(common.Address(payout), price.Big(), descriptor, content))
}

// Update changes what the sender offers.
func (c Calls) Update(payout ledger.Address, price ledger.Amount, descriptor []byte, content ledger.Hash) Call {
	return c.call("update", ledger.Amount{}, c.market.PackUpdate(common.Address(payout), price.Big(), descriptor, content))
}

// Exit ends the sender's offer.
func (c Calls) Exit() Call { return c.call("exit", ledger.Amount{}, c.market.PackExit()) }

// Approve lets the contract take so much of the token; only where one is paid in.
func (c Calls) Approve(amount ledger.Amount) Call {
	var word [32]byte
	data := append(crypto.Keccak256([]byte("approve(address,uint256)"))[:4], make([]byte, 12)...)
	data = append(data, c.contract[:]...)
	data = append(data, amount.Big().FillBytes(word[:])...)
	return Call{What: "approve", To: c.asset, Data: data}
}

// Buy puts money into the sender's channel with a provider and a session key, if
// the price is not above maxPrice.
func (c Calls) Buy(provider, key ledger.Address, amount, maxPrice ledger.Amount) Call {
	return c.call("buy", c.paid(amount), c.market.PackBuy(common.Address(provider), common.Address(key), amount.Big(), maxPrice.Big()))
}

// TopUp adds to a channel.
func (c Calls) TopUp(id ledger.ChannelID, amount ledger.Amount) Call {
	return c.call("top up", c.paid(amount), c.market.PackTopUp(id, amount.Big()))
}

// RequestClose begins the dispute time of the sender's channel.
func (c Calls) RequestClose(id ledger.ChannelID) Call {
	return c.call("request close", ledger.Amount{}, c.market.PackRequestClose(id))
}

// RequestCloseFor does it for the funder who signed.
func (c Calls) RequestCloseFor(s ledger.Signed[ledger.Close]) Call {
	m := s.Message
	return c.call("request close", ledger.Amount{}, c.market.PackRequestCloseFor(m.Channel, bigOf(m.Epoch), m.Deadline, [32]byte(s.Signature[:32]), [32]byte(s.Signature[32:])))
}

// CancelClose goes on with the sender's channel.
func (c Calls) CancelClose(id ledger.ChannelID) Call {
	return c.call("cancel close", ledger.Amount{}, c.market.PackCancelClose(id))
}

// Refund credits what is left of a channel to its funder.
func (c Calls) Refund(id ledger.ChannelID) Call {
	return c.call("refund", ledger.Amount{}, c.market.PackRefund(id))
}

// CooperativeClose closes the sender's channel at what the provider signed.
func (c Calls) CooperativeClose(s ledger.Signed[ledger.Release]) Call {
	m := s.Message
	return c.call("close", ledger.Amount{}, c.market.PackCooperativeClose(m.Channel, bigOf(m.Epoch), m.FinalCumulative.Big(), m.Deadline, [32]byte(s.Signature[:32]), [32]byte(s.Signature[32:])))
}

// Claim credits providers with what vouchers say.
func (c Calls) Claim(vouchers []ledger.Signed[ledger.Voucher], content ledger.Hash) Call {
	entries := make([]market.MarketEntry, len(vouchers))
	for i, v := range vouchers {
		entries[i] = market.EntryOf(v)
	}
	return c.call("claim", ledger.Amount{}, c.market.PackClaim(entries, content))
}

// Withdraw sends the sender's balance; zero is the payout address, or the sender.
func (c Calls) Withdraw(to ledger.Address) Call {
	return c.call("withdraw", ledger.Amount{}, c.market.PackWithdraw(common.Address(to)))
}

// Bond adds to the sender's bond, which is at stake until then.
func (c Calls) Bond(amount ledger.Amount, until uint64) Call {
	return c.call("bond", amount, c.market.PackBond(until))
}

// Unbond sends the sender's bond back.
func (c Calls) Unbond() Call { return c.call("unbond", ledger.Amount{}, c.market.PackUnbond()) }

// Slash shows two words of a provider about one round.
func (c Calls) Slash(a, b ledger.Signed[ledger.Result]) Call {
	return c.call("slash", ledger.Amount{}, c.market.PackSlash(market.ResultOf(a), market.ResultOf(b)))
}

func bigOf(n uint32) *big.Int { return new(big.Int).SetUint64(uint64(n)) }
