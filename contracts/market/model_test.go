package market_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ethereum/go-ethereum/common"

	"github.com/culvert-net/culvert/contracts/market"
	"github.com/culvert-net/culvert/ledger"
)

// model is what the market ought to do, written a second time: small numbers,
// no slots, no packing. A function returns the name of the error with which the
// contract refuses, or nothing. docs/spec/contract.md is its description.
type model struct {
	now       uint64
	domain    ledger.Domain
	providers map[ledger.Address]offer
	channels  map[ledger.ChannelID]pot
	balances  map[ledger.Address]uint64
}

type offer struct {
	price, sequence uint64
	active          bool
}

type pot struct {
	provider, key, funder                      ledger.Address
	deposited, claimed, locked, closeAt, epoch uint64
}

func newModel(x *machine) *model {
	return &model{x.now, x.domain(), map[ledger.Address]offer{}, map[ledger.ChannelID]pot{}, map[ledger.Address]uint64{}}
}

func (m *model) clone() *model {
	return &model{m.now, m.domain, maps.Clone(m.providers), maps.Clone(m.channels), maps.Clone(m.balances)}
}

// key is the same for models that behave the same from here on: of times, only
// what is left counts.
func (m *model) key() string {
	var lines []string
	for a, p := range m.providers {
		p.sequence = 0
		lines = append(lines, fmt.Sprintf("%x %v", a, p))
	}
	for id, c := range m.channels {
		if c.closeAt != 0 {
			c.closeAt = max(c.closeAt, m.now) - m.now + 1
		}
		lines = append(lines, fmt.Sprintf("%x %d %d %d %d %d", id, c.deposited, c.claimed, c.locked, c.closeAt, c.epoch))
	}
	for a, n := range m.balances {
		if n != 0 {
			lines = append(lines, fmt.Sprintf("%x has %d", a, n))
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func (m *model) register(from ledger.Address, price uint64) string {
	p := m.providers[from]
	if p.active {
		return "AlreadyRegistered"
	}
	m.providers[from] = offer{price, p.sequence + 1, true}
	return ""
}

func (m *model) update(from ledger.Address, price uint64) string {
	p := m.providers[from]
	if !p.active {
		return "NotRegistered"
	}
	m.providers[from] = offer{price, p.sequence + 1, true}
	return ""
}

func (m *model) exit(from ledger.Address) string {
	p := m.providers[from]
	if !p.active {
		return "NotRegistered"
	}
	p.active, p.sequence = false, p.sequence+1
	m.providers[from] = p
	return ""
}

func (m *model) buy(from, provider, key ledger.Address, amount, maxPrice uint64) string {
	id := ledger.ChannelOf(provider, key, from)
	p, c := m.providers[provider], m.channels[id]
	switch {
	case !p.active:
		return "NotRegistered"
	case p.price > maxPrice:
		return "PriceAbove"
	case c.closeAt != 0:
		return "Closing"
	}
	c.provider, c.key, c.funder, c.locked = provider, key, from, p.price
	c.deposited += amount
	m.channels[id] = c
	return ""
}

func (m *model) topUp(id ledger.ChannelID, amount uint64) string {
	c, ok := m.channels[id]
	p := m.providers[c.provider]
	switch {
	case !ok:
		return "UnknownChannel"
	case !p.active:
		return "NotRegistered"
	case p.price > c.locked:
		return "PriceAbove"
	case c.closeAt != 0:
		return "Closing"
	}
	c.deposited += amount
	m.channels[id] = c
	return ""
}

// close begins the dispute time, unless it has begun.
func (m *model) close(id ledger.ChannelID) string {
	c := m.channels[id]
	if c.closeAt == 0 {
		c.closeAt = m.now + 24*3600
		m.channels[id] = c
	}
	return ""
}

func (m *model) requestClose(from ledger.Address, id ledger.ChannelID) string {
	c, ok := m.channels[id]
	switch {
	case !ok:
		return "UnknownChannel"
	case c.funder != from:
		return "NotFunder"
	}
	return m.close(id)
}

func (m *model) requestCloseFor(msg ledger.Close, s ledger.Signature) string {
	c, ok := m.channels[msg.Channel]
	signer, err := msg.Recover(m.domain, s)
	switch {
	case !ok:
		return "UnknownChannel"
	case uint64(msg.Epoch) != c.epoch:
		return "WrongEpoch"
	case m.now > msg.Deadline:
		return "TooLate"
	case err != nil || signer != c.funder:
		return "BadSignature"
	}
	return m.close(msg.Channel)
}

func (m *model) cancelClose(from ledger.Address, id ledger.ChannelID) string {
	c, ok := m.channels[id]
	switch {
	case !ok:
		return "UnknownChannel"
	case c.funder != from:
		return "NotFunder"
	case c.closeAt == 0:
		return "NotClosing"
	}
	c.closeAt = 0
	m.channels[id] = c
	return ""
}

func (m *model) refund(id ledger.ChannelID) string {
	c, ok := m.channels[id]
	switch {
	case !ok:
		return "UnknownChannel"
	case c.closeAt == 0:
		return "NotClosing"
	case m.now < c.closeAt:
		return "TooEarly"
	}
	m.balances[c.funder] += c.deposited - c.claimed
	m.end(id)
	return ""
}

func (m *model) end(id ledger.ChannelID) {
	c := m.channels[id]
	c.deposited, c.claimed, c.closeAt = 0, 0, 0
	c.epoch++
	m.channels[id] = c
}

func (m *model) cooperativeClose(from ledger.Address, msg ledger.Release, s ledger.Signature) string {
	c, ok := m.channels[msg.Channel]
	final := msg.FinalCumulative.Big().Uint64()
	signer, err := msg.Recover(m.domain, s)
	switch {
	case !ok:
		return "UnknownChannel"
	case c.funder != from:
		return "NotFunder"
	case uint64(msg.Epoch) != c.epoch:
		return "WrongEpoch"
	case m.now > msg.Deadline:
		return "TooLate"
	case final < c.claimed || final > c.deposited:
		return "WrongAmount"
	case err != nil || signer != c.provider:
		return "BadSignature"
	}
	m.balances[c.provider] += final - c.claimed
	m.balances[c.funder] += c.deposited - final
	m.end(msg.Channel)
	return ""
}

// claim never refuses.
func (m *model) claim(entries []ledger.Signed[ledger.Voucher]) string {
	for _, e := range entries {
		v := e.Message
		c, ok := m.channels[v.Channel]
		signer, err := v.Recover(m.domain, e.Signature)
		n := min(v.Cumulative.Big().Uint64(), c.deposited)
		if !ok || err != nil || signer != c.key || uint64(v.Epoch) != c.epoch || n <= c.claimed {
			continue
		}
		m.balances[c.provider] += n - c.claimed
		c.claimed = n
		m.channels[v.Channel] = c
	}
	return ""
}

func (m *model) withdraw(from ledger.Address) string {
	if m.balances[from] == 0 {
		return "NothingToWithdraw"
	}
	m.balances[from] = 0
	return ""
}

// held is what the contract must have.
func (m *model) held() (sum uint64) {
	for _, c := range m.channels {
		sum += c.deposited - c.claimed
	}
	for _, n := range m.balances {
		sum += n
	}
	return sum
}

// check compares all that the contract shows, and what it has, with the model.
func (m *model) check(x *machine) (differences []string) {
	x.t.Helper()
	b := market.NewMarket()
	say := func(format string, args ...any) { differences = append(differences, fmt.Sprintf(format, args...)) }
	for id, c := range m.channels {
		got := look(x, b.PackChannel(id), b.UnpackChannel)
		if got.Deposited.Uint64() != c.deposited || got.Claimed.Uint64() != c.claimed || got.Locked.Uint64() != c.locked ||
			got.CloseAt.Uint64() != c.closeAt || got.Epoch.Uint64() != c.epoch ||
			ledger.Address(got.Provider) != c.provider || ledger.Address(got.Funder) != c.funder {
			say("channel %s: %+v, want %+v", id, got, c)
		}
	}
	for a, p := range m.providers {
		got := look(x, b.PackProvider(common.Address(a)), b.UnpackProvider)
		if got.Active != p.active || got.Price.Uint64() != p.price || got.Sequence.Uint64() != p.sequence {
			say("provider %s: %+v, want %+v", a, got, p)
		}
	}
	for a, n := range m.balances {
		if got := look(x, b.PackBalanceOf(common.Address(a)), b.UnpackBalanceOf); got.Uint64() != n {
			say("balance of %s: %s, want %d", a, got, n)
		}
	}
	if got := x.state.GetBalance(common.Address(x.at)); got.Uint64() != m.held() {
		say("the contract has %s, want %d", got, m.held())
	}
	return differences
}
