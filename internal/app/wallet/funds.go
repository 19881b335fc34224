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
	Held     *ledger.Amount `json:"withdrawable,omitempty"`     // by the contract, for the wallet; nil: not read
	Problems []string       `json:"problems,omitempty"`         // what could not be read, and why

	Money func(ledger.Amount) string `json:"-"` // an amount, for people
}

func (f *Funds) rows(row func(name, format string, args ...any), lines app.Lines) {
	if f.Filecoin != "" {
		row("Also written", "%s", f.Filecoin)
	}
	if f.Chain != "" {
		row("Chain", "%s (%d), contract %s", f.Chain, f.ChainID, f.Contract)
	}
	if f.Own != nil {
		row("In it", "%s", f.Money(*f.Own))
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
