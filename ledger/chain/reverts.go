package chain

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/accounts/abi"

	"github.com/culvert-net/culvert/contracts/market"
	"github.com/culvert-net/culvert/ledger"
)

// RevertError is what the contract has against a call.
type RevertError struct {
	Name string // of the contract's error; empty: it gave none that is known
	Text string // for people, with what to do next
}

func (e *RevertError) Error() string { return "the contract refuses: " + e.Text }

// explainRevert turns a server's refusal into the contract's reason, where that is
// what it is.
func explainRevert(err error) error {
	var refused *RefusedError
	if !errors.As(err, &refused) {
		return err
	}
	data := refused.Data
	if len(data) == 0 {
		data = revertIn(refused.Text)
	}
	if len(data) == 0 && !refused.says("execution reverted", "exit=[33]") {
		return err
	}
	return decodeRevert(data)
}

// revertIn finds the reason in a text of Lotus: revert reason=[0x…].
func revertIn(text string) []byte {
	_, after, ok := strings.Cut(text, "revert reason=[0x")
	digits, _, closed := strings.Cut(after, "]")
	if !ok || !closed {
		return nil
	}
	b, err := hex.DecodeString(digits)
	if err != nil {
		return nil
	}
	return b
}

// decodeRevert names a contract's reason.
func decodeRevert(data []byte) *RevertError {
	if len(data) >= 4 {
		if reason, err := market.NewMarket().UnpackError(data); err == nil {
			return named(reason)
		}
	}
	if text, err := abi.UnpackRevert(data); err == nil {
		return &RevertError{Text: fmt.Sprintf("%q", cut(text))}
	}
	return &RevertError{Text: "it does not say why; is the contract's address right, and was the token approved?"}
}

// named tells a reason in plain words.
func named(reason any) *RevertError {
	name := strings.TrimPrefix(fmt.Sprintf("%T", reason), "*market.Market")
	return &RevertError{Name: name, Text: plain(reason)}
}

func plain(reason any) string {
	switch e := reason.(type) {
	case *market.MarketAlreadyRegistered:
		return "this provider is registered; change its offer by an update"
	case *market.MarketBadBondTime:
		return fmt.Sprintf("a bond ends between %s and %s; choose a time in there", clock(e.Earliest), clock(e.Latest))
	case *market.MarketBadSignature:
		return "the signature is not of who should have signed; ask for a new one, for this chain and contract"
	case *market.MarketClosing:
		return fmt.Sprintf("the channel is being closed (it can be refunded from %s); cancel that first, or use another channel", clock(e.CloseAt))
	case *market.MarketDescriptorTooLong:
		return fmt.Sprintf("the descriptor has %s bytes, and 4,096 is the most; list fewer models, or shorter names", e.Length)
	case *market.MarketFailedCall, *market.MarketInsufficientBalance:
		return "the money cannot be sent to that address: it is a contract that does not take any; withdraw to another one"
	case *market.MarketLastEpoch:
		return "the channel was closed more often than it can be; buy with a new session key"
	case *market.MarketNoBond:
		return "there is no bond"
	case *market.MarketNoContradiction:
		return "the two results are not final words about one round that differ; both have to be, to be held against a provider"
	case *market.MarketNotClosing:
		return "the channel is not being closed; request it first, and wait for the dispute time"
	case *market.MarketNotFunder:
		return "only who paid into the channel can do this; use that wallet"
	case *market.MarketNotRegistered:
		return fmt.Sprintf("provider %s does not sell; choose another, or register first if it is yours", ledger.Address(e.Provider))
	case *market.MarketNothingToWithdraw:
		return "there is nothing to withdraw; claim first, or wait for a refund"
	case *market.MarketPriceAbove:
		return fmt.Sprintf("the provider's price is %s wei per million tokens, above your limit of %s; agree to it or choose another provider", e.Price, e.Limit)
	case *market.MarketSafeERC20FailedOperation:
		return "the token refuses the transfer; approve the amount first, and check the balance"
	case *market.MarketShortTransfer:
		return "the token keeps a part of transfers, which the market does not take; another deployment has to be used"
	case *market.MarketTooEarly:
		return fmt.Sprintf("that is possible from %s on; wait until then", clock(e.Opens))
	case *market.MarketTooLate:
		return fmt.Sprintf("its time ended at %s; ask for a new signature", clock(e.Closed))
	case *market.MarketUnknownChannel:
		return "nobody bought this channel; check its provider, session key and funder"
	case *market.MarketWrongAmount:
		return fmt.Sprintf("the amount has to lie between what was claimed (%s wei) and deposited (%s wei); ask the provider to sign again", e.Claimed, e.Deposited)
	case *market.MarketWrongEpoch:
		return fmt.Sprintf("the channel is in epoch %s: what was signed is for another; read the channel again", e.Epoch)
	case *market.MarketWrongValue:
		return fmt.Sprintf("%s wei were sent along where %s are due; is the market's asset a token, or the amount too large?", e.Sent, e.Wanted)
	case *market.MarketZeroAddress:
		return "an address is missing"
	case *market.MarketZeroAmount:
		return "the amount is zero"
	case *market.MarketZeroPrice:
		return "the price is zero; what is free needs no market"
	default:
		return fmt.Sprintf("%T", reason)
	}
}

// clock is a time of the contract, for people.
func clock(n *big.Int) string {
	if !n.IsInt64() || n.Int64() > 1<<40 {
		return "the end of time"
	}
	return time.Unix(n.Int64(), 0).UTC().Format("2006-01-02 15:04:05 UTC")
}
