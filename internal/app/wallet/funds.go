package wallet

import (
	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/ledger"
)

// Funds is what a wallet has on its chain, as far as it could be read.
type Funds struct {
	Chain    string         `json:"chain,omitempty"` // its name; "": no chain is configured, or it cannot be
	ChainID  uint64         `json:"chain_id,omitempty"`
	Contract ledger.Address `json:"contract,omitzero"`
	Filecoin string         `json:"filecoin_address,omitempty"` // the same address as Filecoin's programs write it
	Own      *ledger.Amount `json:"own,omitempty"`              // in the wallet itself; nil: not read
	Tokens   *ledger.Amount `json:"own_tokens,omitempty"`       // of the market's token, in the wallet itself; nil: it is paid in none, or not read
	Held     *ledger.Amount `json:"withdrawable,omitempty"`     // by the contract, for the wallet; nil: not read
	Problems []string       `json:"problems,omitempty"`         // what could not be read, and why

	Money func(ledger.Amount) string `json:"-"` // an amount of what the market is paid in, for people
	Coin  func(ledger.Amount) string `json:"-"` // of the chain's own currency
}

func (f *Funds) rows(row func(name, format string, args ...any), lines app.Lines) {
	if f.Filecoin != "" {
		row("Also written", "%s", f.Filecoin)
	}
	if f.Chain != "" {
		row("Chain", "%s (%d), contract %s", f.Chain, f.ChainID, f.Contract)
	}
	if f.Own != nil {
		row("In it", "%s", f.Coin(*f.Own))
	}
	if f.Tokens != nil {
		row("And", "%s", f.Money(*f.Tokens))
	}
	if f.Held != nil && f.Held.IsZero() {
		row("Withdrawable", "%s", f.Money(*f.Held))
	} else if f.Held != nil {
		row("Withdrawable", "%s, with: %s", f.Money(*f.Held), lines.Line("withdraw"))
	}
	for _, p := range f.Problems {
		row("NOT READ", "%s", p)
	}
}
