package bridge

import (
	"context"
	"strings"
	"time"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/evmrpc"
	"github.com/culvert-net/culvert/internal/app/paying"
	"github.com/culvert-net/culvert/ledger"
	"github.com/culvert-net/culvert/ledger/chain"
)

// MoneyStatus is what a bridge knows of its money.
type MoneyStatus struct {
	Wallet   ledger.Address     `json:"wallet,omitzero"`
	Currency string             `json:"currency,omitempty"` // of the chain
	Token    *chain.Token       `json:"token,omitempty"`    // that the market is paid in; nil: Currency
	Locked   string             `json:"locked,omitempty"`   // why nothing is paid
	Block    uint64             `json:"block"`              // up to which the chain was read
	Read     time.Time          `json:"read,omitzero"`      // when
	Problem  string             `json:"problem,omitempty"`
	Road     *evmrpc.RoadStatus `json:"road,omitempty"` // who is asked, over circuits
	Channels []paying.Balance   `json:"channels,omitempty"`
	Left     []paying.Left      `json:"left,omitempty"`   // providers that are not paid any more
	Notice   string             `json:"notice,omitempty"` // what providers learn
	Rounds   paying.Counts      `json:"rounds"`
}

// linkable is what direct payment tells a provider.
const linkable = "a provider can link all rounds of one session key with each other and with the purchase (mode direct)"

func (m *money) status(ctx context.Context) *MoneyStatus {
	if m == nil {
		return nil
	}
	read := m.books.Reader.Status()
	s := &MoneyStatus{Block: read.Confirmed, Read: m.books.Reader.Fresh(), Currency: m.books.Chain.Network.Currency}
	if !m.books.Chain.Asset.IsZero() {
		t := m.books.Chain.Token()
		s.Token = &t
	}
	if read.Err != nil {
		s.Problem = read.Err.Error()
	}
	if m.books.Road != nil {
		road := m.books.Road.Status()
		s.Road = &road
	}
	if m.payer == nil {
		s.Locked = "the wallet is not open: " + m.books.Locked.Error()
		return s
	}
	if key := m.books.Wallet.Key(); key != nil {
		s.Wallet = key.Address()
	}
	s.Rounds, s.Left = m.payer.Counts(), m.payer.Left()
	var err error
	if s.Channels, err = m.payer.Balances(ctx); err != nil {
		s.Problem = strings.TrimPrefix(s.Problem+"; the ledger could not be read: "+err.Error(), "; ")
	}
	if len(s.Channels) > 0 {
		s.Notice = linkable
	}
	return s
}

func orNobody(name string) string {
	if name == "" {
		return "nobody"
	}
	return name
}

// money is an amount of what the market is paid in, for people.
func (s *MoneyStatus) money(a ledger.Amount) string {
	if s.Token != nil {
		return s.Token.Format(a)
	}
	return chain.Network{Currency: s.Currency}.Money(a)
}

// rows prints the status for a person.
func (s *MoneyStatus) rows(row func(name, format string, args ...any)) {
	if s == nil {
		return
	}
	if s.Problem != "" {
		row("Chain read", "NOT NOW: %s", s.Problem)
	} else {
		row("Chain read", "up to block %d", s.Block)
	}
	if r := s.Road; r != nil {
		row("Chain asked", "%s, compared with %s (offered by %s)", orNobody(r.Asked), orNobody(r.Compared), app.Count(r.Listed, "node"))
	}
	if s.Locked != "" {
		row("Paying", "no, only providers that are free are used: %s", s.Locked)
		return
	}
	if !s.Wallet.IsZero() {
		row("Wallet", "%s", s.Wallet)
	}
	for _, c := range s.Channels {
		row("Channel", "%s", c.Text(s.money))
	}
	for _, l := range s.Left {
		row("Left", "%s", l.Text(s.money))
	}
	if s.Notice != "" {
		row("Linkable", "%s", s.Notice)
	}
}
