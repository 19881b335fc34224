package market

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"time"

	"github.com/culvert-net/culvert/ledger"
)

// Action is what an Order is for.
type Action string

// Actions of a provider.
const (
	Register Action = "register"
	Update   Action = "update"
	Exit     Action = "exit"
	Claim    Action = "claim"
	Bond     Action = "bond"
	Unbond   Action = "unbond"
)

// Actions of a client.
const (
	Buy    Action = "buy"
	TopUp  Action = "topup"
	Close  Action = "close"
	Reopen Action = "reopen"
	Refund Action = "refund"
	Slash  Action = "slash"
)

// Withdraw is an action of both.
const Withdraw Action = "withdraw"

// Order is what somebody wants done. The fields that its action has no use for are
// zero, and those that say so may be: then the Market decides.
type Order struct {
	Do       Action           `json:"do"`
	Provider ledger.Address   `json:"provider,omitzero"`  // buy
	Account  string           `json:"account,omitempty"`  // buy: the id of the API key whose purse it is; "": everybody's
	Channel  ledger.ChannelID `json:"channel,omitzero"`   // topup, close, reopen, refund
	Amount   ledger.Amount    `json:"amount,omitzero"`    // buy, topup, bond
	Tokens   uint64           `json:"tokens,omitempty"`   // buy, topup: in place of Amount
	MaxPrice ledger.Amount    `json:"max_price,omitzero"` // buy: per million tokens; zero: what it is
	Payout   ledger.Address   `json:"payout,omitzero"`    // register, update; zero: the wallet, or as it was
	Price    ledger.Amount    `json:"price,omitzero"`     // register, update; zero: by the price list
	Content  ledger.Hash      `json:"content,omitzero"`   // register, update
	To       ledger.Address   `json:"to,omitzero"`        // withdraw; zero: the payout address, or the wallet
	Days     uint64           `json:"days,omitempty"`     // bond: for how long
	Round    ledger.RoundID   `json:"round,omitzero"`     // slash: of which two results are held
	Results  []string         `json:"results,omitempty"`  // slash: in place of Round, two that are signed, hexadecimal
}

// key names an order among those that are under way: the same is asked for twice
// if it is the same in all but the price that is agreed to.
func (o Order) key() [32]byte {
	o.MaxPrice = ledger.Amount{}
	b, err := json.Marshal(o)
	if err != nil {
		panic("market: an order is always JSON: " + err.Error())
	}
	return sha256.Sum256(b)
}

// Quote is what an order will do and cost, as of now. Its Terms are what is done
// once it is agreed to.
type Quote struct {
	Order Order       `json:"order"`
	Terms Terms       `json:"terms"`
	What  string      `json:"what"`  // in one line, as an order
	Facts [][2]string `json:"facts"` // name and value
	Cost  string      `json:"cost"`  // fee, for people

	Value  ledger.Amount `json:"value"`   // leaves the wallet
	Fee    ledger.Amount `json:"fee"`     // likely
	MaxFee ledger.Amount `json:"max_fee"` // agreed to

	// Sent says that the order was sent before, by a command that did not see its
	// end: nothing more is paid.
	Sent bool `json:"sent"`
}

// Terms are what a Market has decided about an order, and somebody agrees to.
type Terms struct {
	Amount     ledger.Amount  `json:"amount,omitzero"`
	MaxPrice   ledger.Amount  `json:"max_price,omitzero"`
	Price      ledger.Amount  `json:"price,omitzero"`
	Payout     ledger.Address `json:"payout,omitzero"`
	Descriptor []byte         `json:"descriptor,omitempty"`
	Until      uint64         `json:"until,omitempty"` // Unix seconds
	MaxFee     ledger.Amount  `json:"max_fee,omitzero"`
	ApproveFee ledger.Amount  `json:"approve_fee,omitzero"` // the most that the token's approval may cost; zero: none is needed
}

// Progress is how far an order is.
type Progress struct {
	Text        string      `json:"text"` // for people
	Transaction ledger.Hash `json:"transaction,omitzero"`
	Block       uint64      `json:"block,omitempty"`
	Depth       uint64      `json:"depth,omitempty"`
	Wanted      uint64      `json:"wanted,omitempty"`
}

// Done is what became of an order.
type Done struct {
	Key         string           `json:"-"`
	Do          Action           `json:"do"`
	Transaction ledger.Hash      `json:"transaction,omitzero"` // zero: nothing had to be sent
	Block       uint64           `json:"block,omitempty"`
	Fee         ledger.Amount    `json:"fee,omitzero"`
	Channel     ledger.ChannelID `json:"channel,omitzero"`
	Amount      ledger.Amount    `json:"amount,omitzero"`
	Since       time.Time        `json:"since,omitzero"` // when it was sent, if by an earlier command
	Text        string           `json:"text"`           // for people: what is so now, and what is next
}

// check refuses an order that no Market could do.
func (o Order) check() error {
	needs := func(there bool, what string) error {
		if there {
			return nil
		}
		return fmt.Errorf("%s: %s is missing", o.Do, what)
	}
	switch o.Do {
	case Buy:
		if err := needs(!o.Provider.IsZero(), "the provider"); err != nil {
			return err
		}
		return needs(o.Tokens > 0 != !o.Amount.IsZero(), "an amount, or a number of tokens (and not both)")
	case TopUp:
		if err := needs(o.Channel != ledger.ChannelID{}, "the channel"); err != nil {
			return err
		}
		return needs(o.Tokens > 0 != !o.Amount.IsZero(), "an amount, or a number of tokens (and not both)")
	case Close, Reopen, Refund:
		return needs(o.Channel != ledger.ChannelID{}, "the channel")
	case Bond:
		if err := needs(!o.Amount.IsZero(), "the amount"); err != nil {
			return err
		}
		return needs(o.Days > 0 && o.Days <= maxBondDays, "for how many days")
	case Slash:
		return needs(o.Round != ledger.RoundID{} && len(o.Results) == 0 || o.Round == ledger.RoundID{} && len(o.Results) == 2, "the round, or its two results (and not both)")
	case Register, Update, Exit, Claim, Unbond, Withdraw:
		return nil
	}
	return fmt.Errorf("%q is no order that is known here; are command and program of the same version?", o.Do)
}
