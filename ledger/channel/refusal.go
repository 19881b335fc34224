package channel

import (
	"errors"
	"fmt"

	"github.com/culvert-net/culvert/ledger"
)

// Code says why a provider refused, on the wire.
type Code uint8

// The codes. docs/spec/channel.md §3.
const (
	CodeInvalid     Code = 1  // not of its form, or signed by another
	CodeChannel     Code = 2  // the contract has no such channel of this provider
	CodeEpoch       Code = 3  // the channel is in another epoch
	CodeClosed      Code = 4  // it is closing, or closed for this epoch
	CodeSheet       Code = 5  // the price sheet is unknown or does not hold now
	CodeMaxCost     Code = 6  // maxCost does not cover the input and one token
	CodeUncovered   Code = 7  // insufficient_quota: a voucher of Wanted would do, if the deposit has it
	CodeUnpaid      Code = 8  // finished rounds were not paid for in time
	CodeSeq         Code = 9  // the sequence number was used, or is outside of the window
	CodeRunning     Code = 10 // the round is being answered
	CodeReused      Code = 11 // the round's id was used for another request
	CodeChainSilent Code = 12 // the chain could not be read for too long
	CodeBusy        Code = 13 // rounds are running
	CodeInternal    Code = 14 // the provider's store failed
)

var codeNames = map[Code]string{
	CodeInvalid: "invalid", CodeChannel: "unknown_channel", CodeEpoch: "wrong_epoch", CodeClosed: "channel_closed",
	CodeSheet: "price_sheet", CodeMaxCost: "max_cost", CodeUncovered: "insufficient_quota", CodeUnpaid: "unpaid",
	CodeSeq: "sequence", CodeRunning: "round_running", CodeReused: "round_reused", CodeChainSilent: "chain_silent",
	CodeBusy: "channel_busy", CodeInternal: "internal",
}

func (c Code) String() string {
	if name, ok := codeNames[c]; ok {
		return name
	}
	return fmt.Sprintf("code %d", uint8(c))
}

// Refusal is a provider's no. What it says may be told to the payer.
type Refusal struct {
	Code   Code
	Wanted ledger.Amount // the cumulative amount that would do; zero: none would
	Text   string

	// Unseen says that it is about what the contract holds, which may be more by now
	// than what was read of it. It does not travel.
	Unseen bool
}

func (r *Refusal) Error() string { return r.Code.String() + ": " + r.Text }

// Frame is the refusal as it travels.
func (r *Refusal) Frame() *ErrorFrame {
	return &ErrorFrame{Code: r.Code, Wanted: r.Wanted, Text: r.Text[:min(len(r.Text), maxText)]}
}

func refuse(code Code, text string) *Refusal { return &Refusal{Code: code, Text: text} }

// unseen is a refusal by what was read of the contract so far.
func unseen(code Code, text string) *Refusal { return &Refusal{Code: code, Text: text, Unseen: true} }

// frameOf is what a payer may be told of an error.
func frameOf(err error) *ErrorFrame {
	if r, ok := errors.AsType[*Refusal](err); ok {
		return r.Frame()
	}
	return &ErrorFrame{Code: CodeInternal, Text: "the provider could not do this now; try again"}
}

// Refusal is what the payer got, as the error it is.
func (f *ErrorFrame) Refusal() *Refusal {
	return &Refusal{Code: f.Code, Wanted: f.Wanted, Text: f.Text}
}
