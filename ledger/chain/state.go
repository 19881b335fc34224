package chain

import (
	"bytes"
	"maps"
	"slices"

	"github.com/culvert-net/culvert/ledger"
)

// State is what is known of the contract at one time. It does not change.
type State struct {
	// Head is the newest block that was seen, Confirmed the one that is believed.
	Head, Confirmed Block

	// View is what holds at Confirmed. Money counts from here.
	View

	// Pending is what holds if nothing forks: at Head.
	Pending View
}

// View is the contract's state after one block. It does not change, and its zero
// value is that of a contract nobody used.
type View struct {
	providers *table[ledger.Address, ledger.Provider]
	channels  *table[ledger.ChannelID, ledger.Channel]
	balances  *table[ledger.Address, ledger.Amount]
}

// Channel is what the contract holds of a channel; false if nobody bought it.
func (v View) Channel(id ledger.ChannelID) (ledger.Channel, bool) { return v.channels.get(id) }

// Provider is what the contract holds of a provider; false if it never registered.
// Its descriptor must not be changed.
func (v View) Provider(a ledger.Address) (ledger.Provider, bool) { return v.providers.get(a) }

// Balance is what an address can withdraw.
func (v View) Balance(a ledger.Address) ledger.Amount {
	b, _ := v.balances.get(a)
	return b
}

// Providers are all that ever registered, in the order of their addresses.
func (v View) Providers() []ledger.Provider {
	out := make([]ledger.Provider, 0, v.providers.len())
	v.providers.all(func(_ ledger.Address, p ledger.Provider) { out = append(out, p) })
	slices.SortFunc(out, func(a, b ledger.Provider) int { return bytes.Compare(a.Address[:], b.Address[:]) })
	return out
}

// Channels are those that a test accepts, in the order of their ids: those of one
// provider, or of one funder.
func (v View) Channels(wanted func(ledger.Channel) bool) []ledger.Channel {
	var out []ledger.Channel
	v.channels.all(func(_ ledger.ChannelID, c ledger.Channel) {
		if wanted(c) {
			out = append(out, c)
		}
	})
	slices.SortFunc(out, func(a, b ledger.Channel) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	return out
}

// change is a View with what events change in it, which is its own until view.
type change struct {
	from      View
	providers map[ledger.Address]ledger.Provider
	channels  map[ledger.ChannelID]ledger.Channel
	balances  map[ledger.Address]ledger.Amount
}

func (v View) change() *change {
	return &change{
		from:      v,
		providers: make(map[ledger.Address]ledger.Provider),
		channels:  make(map[ledger.ChannelID]ledger.Channel),
		balances:  make(map[ledger.Address]ledger.Amount),
	}
}

// view ends the change.
func (c *change) view() (View, error) {
	v := View{
		c.from.providers.with(c.providers),
		c.from.channels.with(c.channels),
		c.from.balances.with(c.balances),
	}
	if max(v.providers.len(), v.channels.len(), v.balances.len()) > maxEntries {
		return View{}, ErrTooLarge
	}
	return v, nil
}

// size is how many records the change has.
func (c *change) size() int { return len(c.providers) + len(c.channels) + len(c.balances) }

// dirty names what the change has.
func (c *change) dirty() (d dirty) {
	d.providers = slices.Collect(maps.Keys(c.providers))
	d.channels = slices.Collect(maps.Keys(c.channels))
	d.balances = slices.Collect(maps.Keys(c.balances))
	return d
}

func (c *change) channel(id ledger.ChannelID) (ledger.Channel, bool) {
	if ch, ok := c.channels[id]; ok {
		return ch, true
	}
	return c.from.Channel(id)
}

func (c *change) provider(a ledger.Address) (ledger.Provider, bool) {
	if p, ok := c.providers[a]; ok {
		return p, true
	}
	return c.from.Provider(a)
}

// credit adds to a balance. The contract keeps 256 bits of it; what does not fit
// into an amount is more than there is of any currency, and stays at the largest.
func (c *change) credit(a ledger.Address, more ledger.Amount) {
	b, ok := c.balances[a]
	if !ok {
		b = c.from.Balance(a)
	}
	sum, err := b.Add(more)
	if err != nil {
		sum = ledger.MaxAmount
	}
	c.balances[a] = sum
}
