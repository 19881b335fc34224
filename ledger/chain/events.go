package chain

import (
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/core/types"

	"github.com/culvert-net/culvert/contracts/market"
	"github.com/culvert-net/culvert/ledger"
)

// decoder turns the contract's events into changes of a View. It believes
// nothing that does not follow from the state before: an event that was left out
// or made up shows in the next one of its channel or provider.
//
// docs/spec/chain.md §3.
type decoder struct {
	market *market.Market
	names  map[ledger.Hash]string // of events, by their first topic
}

func newDecoder() (*decoder, error) {
	parsed, err := market.MarketMetaData.ParseABI()
	if err != nil {
		return nil, fmt.Errorf("the contract's description: %w", err)
	}
	names := make(map[ledger.Hash]string)
	for name, event := range parsed.Events {
		names[ledger.Hash(event.ID)] = name
	}
	return &decoder{market.NewMarket(), names}, nil
}

// contradiction is of an event that cannot follow from the state before.
type contradiction struct{ error }

func (c *contradiction) Unwrap() error { return c.error }

// apply changes c by one event.
func (d *decoder) apply(c *change, log *types.Log) error {
	if len(log.Topics) == 0 {
		return &contradiction{fmt.Errorf("an event without a name: %w", ErrInconsistent)}
	}
	name := d.names[ledger.Hash(log.Topics[0])]
	err := d.event(c, name, log)
	if err != nil {
		if name == "" {
			name = "unknown"
		}
		return &contradiction{fmt.Errorf("event %s (block %d, number %d): %w", name, log.BlockNumber, log.Index, err)}
	}
	return nil
}

func (d *decoder) event(c *change, name string, log *types.Log) error {
	switch name {
	case "Registered":
		return with(c, log, d.market.UnpackRegisteredEvent, registered)
	case "Updated":
		return with(c, log, d.market.UnpackUpdatedEvent, updated)
	case "Exited":
		return with(c, log, d.market.UnpackExitedEvent, exited)
	case "Bought":
		return with(c, log, d.market.UnpackBoughtEvent, bought)
	case "ToppedUp":
		return with(c, log, d.market.UnpackToppedUpEvent, toppedUp)
	case "Credited":
		return with(c, log, d.market.UnpackCreditedEvent, credited)
	case "CloseRequested":
		return with(c, log, d.market.UnpackCloseRequestedEvent, closeRequested)
	case "CloseCancelled":
		return with(c, log, d.market.UnpackCloseCancelledEvent, closeCancelled)
	case "Refunded":
		return with(c, log, d.market.UnpackRefundedEvent, refunded)
	case "Closed":
		return with(c, log, d.market.UnpackClosedEvent, closed)
	case "Claimed":
		return with(c, log, d.market.UnpackClaimedEvent, claimed)
	case "Withdrawn":
		return with(c, log, d.market.UnpackWithdrawnEvent, withdrawn)
	case "Bonded":
		return with(c, log, d.market.UnpackBondedEvent, bonded)
	case "Unbonded":
		return with(c, log, d.market.UnpackUnbondedEvent, unbonded)
	case "Slashed":
		return with(c, log, d.market.UnpackSlashedEvent, slashed)
	case "ClaimClamped", "ClaimSkipped", "ClaimContent":
		return nil // says why, and changes nothing
	default:
		return fmt.Errorf("the contract has no such event: %w", ErrInconsistent)
	}
}

func with[E any](c *change, log *types.Log, unpack func(*types.Log) (*E, error), apply func(*change, *E) error) error {
	if len(log.Data) == 0 { // the bindings take it for an event whose numbers are nil
		return wrong("it has no data")
	}
	e, err := unpack(log)
	if err != nil {
		return fmt.Errorf("%w: %s", ErrInconsistent, cut(err.Error()))
	}
	return apply(c, e)
}

// wrong is what contradicts the state before.
func wrong(format string, args ...any) error {
	return fmt.Errorf(format+": %w", append(args, ErrInconsistent)...)
}

// numbers converts what the bindings give as big integers; its first error
// stays.
type numbers struct{ err error }

func (n *numbers) amount(b *big.Int) ledger.Amount {
	a, err := ledger.AmountOfBig(b)
	if err != nil && n.err == nil {
		n.err = wrong("amount of %d bits", b.BitLen())
	}
	return a
}

func (n *numbers) uint(b *big.Int, bits int) uint64 {
	if (b.Sign() < 0 || b.BitLen() > bits) && n.err == nil {
		n.err = wrong("number of %d bits, not %d", b.BitLen(), bits)
	}
	return b.Uint64()
}

// offer sets what Registered and Updated have in common.
func (c *change) offer(e *market.MarketUpdated, again bool) error {
	var n numbers
	address := ledger.Address(e.Provider)
	p, known := c.provider(address)
	if again && (!known || p.Exited) || !again && known && !p.Exited {
		return wrong("provider %s is or is not registered", address)
	}
	sequence := n.uint(e.Sequence, 40)
	if n.err == nil && sequence != p.Sequence+1 {
		return wrong("provider %s: number %d after %d", address, sequence, p.Sequence)
	}
	p.Address, p.Payout, p.Price = address, ledger.Address(e.Payout), n.amount(e.Price)
	p.Sequence, p.Descriptor, p.Content, p.Exited = sequence, e.Descriptor, ledger.Hash(e.Content), false
	c.providers[address] = p
	return n.err
}

func registered(c *change, e *market.MarketRegistered) error {
	return c.offer((*market.MarketUpdated)(e), false)
}

func updated(c *change, e *market.MarketUpdated) error { return c.offer(e, true) }

func exited(c *change, e *market.MarketExited) error {
	var n numbers
	p, ok := c.provider(ledger.Address(e.Provider))
	if !ok || p.Exited || n.uint(e.Sequence, 40) != p.Sequence+1 {
		return wrong("provider %s does not sell", ledger.Address(e.Provider))
	}
	p.Sequence, p.Exited = p.Sequence+1, true
	c.providers[p.Address] = p
	return n.err
}

func bought(c *change, e *market.MarketBought) error {
	var n numbers
	id := ledger.ChannelID(e.ChannelId)
	provider, key, funder := ledger.Address(e.Provider), ledger.Address(e.Key), ledger.Address(e.Funder)
	if id != ledger.ChannelOf(provider, key, funder) {
		return wrong("channel %s is not of its provider, key and funder", id)
	}
	epoch := uint32(n.uint(e.Epoch, 24))
	ch, known := c.channel(id)
	if !known {
		ch = ledger.Channel{ID: id, Provider: provider, Key: key, Funder: funder}
	}
	if p, ok := c.provider(provider); !ok || p.Exited {
		return wrong("provider %s does not sell", provider)
	}
	if n.err == nil && ch.Epoch != epoch || ch.CloseAt != 0 {
		return wrong("channel %s: epoch %d, not %d, or closing", id, epoch, ch.Epoch)
	}
	ch.Locked = n.amount(e.Locked)
	return c.deposit(ch, n.amount(e.Amount), n.err)
}

func toppedUp(c *change, e *market.MarketToppedUp) error {
	var n numbers
	ch, err := c.open(e.ChannelId, e.Epoch)
	if err != nil {
		return err
	}
	if ch.CloseAt != 0 {
		return wrong("channel %s is closing", ch.ID)
	}
	return c.deposit(ch, n.amount(e.Amount), n.err)
}

// deposit adds to a channel, unless there was an error before.
func (c *change) deposit(ch ledger.Channel, amount ledger.Amount, err error) error {
	if err != nil {
		return err
	}
	if ch.Deposited, err = ch.Deposited.Add(amount); err != nil {
		return wrong("channel %s: %v", ch.ID, err)
	}
	c.channels[ch.ID] = ch
	return nil
}

// open is a channel in the epoch that an event is about.
func (c *change) open(id [32]byte, epoch *big.Int) (ledger.Channel, error) {
	ch, ok := c.channel(ledger.ChannelID(id))
	if !ok {
		return ch, wrong("nobody bought channel %s", ledger.ChannelID(id))
	}
	if !epoch.IsUint64() || epoch.Uint64() != uint64(ch.Epoch) {
		return ch, wrong("channel %s: epoch %.20s, not %d", ch.ID, epoch, ch.Epoch)
	}
	return ch, nil
}

func credited(c *change, e *market.MarketCredited) error {
	var n numbers
	c.credit(ledger.Address(e.Owner), n.amount(e.Amount))
	return n.err
}

func closeRequested(c *change, e *market.MarketCloseRequested) error {
	var n numbers
	ch, err := c.open(e.ChannelId, e.Epoch)
	if err != nil {
		return err
	}
	at := n.uint(e.CloseAt, 40)
	if n.err == nil && (ch.CloseAt != 0 || at == 0) {
		return wrong("channel %s was closing before", ch.ID)
	}
	ch.CloseAt = at
	c.channels[ch.ID] = ch
	return n.err
}

func closeCancelled(c *change, e *market.MarketCloseCancelled) error {
	ch, err := c.open(e.ChannelId, e.Epoch)
	if err != nil {
		return err
	}
	if ch.CloseAt == 0 {
		return wrong("channel %s was not closing", ch.ID)
	}
	ch.CloseAt = 0
	c.channels[ch.ID] = ch
	return nil
}

func refunded(c *change, e *market.MarketRefunded) error {
	var n numbers
	ch, err := c.open(e.ChannelId, e.Epoch)
	if err != nil {
		return err
	}
	amount := n.amount(e.Amount)
	if n.err == nil && (amount != ch.Remaining() || ch.CloseAt == 0) {
		return wrong("channel %s has %s left, and %s are refunded", ch.ID, ch.Remaining(), amount)
	}
	c.credit(ch.Funder, amount)
	c.endEpoch(ch)
	return n.err
}

func closed(c *change, e *market.MarketClosed) error {
	var n numbers
	ch, err := c.open(e.ChannelId, e.Epoch)
	if err != nil {
		return err
	}
	final, back := n.amount(e.FinalCumulative), n.amount(e.Refunded)
	paid, err := final.Sub(ch.Claimed)
	if sum, over := final.Add(back); err != nil || over != nil || sum != ch.Deposited {
		return wrong("channel %s: %s and %s are not its %s", ch.ID, final, back, ch.Deposited)
	}
	c.credit(ch.Provider, paid)
	c.credit(ch.Funder, back)
	c.endEpoch(ch)
	return n.err
}

// endEpoch is what refund and close leave of a channel.
func (c *change) endEpoch(ch ledger.Channel) {
	ch.Deposited, ch.Claimed, ch.CloseAt = ledger.Amount{}, ledger.Amount{}, 0
	ch.Epoch = min(ch.Epoch+1, ledger.MaxEpoch)
	c.channels[ch.ID] = ch
}

func claimed(c *change, e *market.MarketClaimed) error {
	var n numbers
	ch, err := c.open(e.ChannelId, e.Epoch)
	if err != nil {
		return err
	}
	cumulative := n.amount(e.Cumulative)
	if n.err == nil && (!ch.Claimed.Less(cumulative) || ch.Deposited.Less(cumulative)) {
		return wrong("channel %s: %s claimed of %s after %s", ch.ID, cumulative, ch.Deposited, ch.Claimed)
	}
	more, err := cumulative.Sub(ch.Claimed)
	if err != nil {
		return n.err
	}
	c.credit(ch.Provider, more)
	ch.Claimed = cumulative
	c.channels[ch.ID] = ch
	return n.err
}

func withdrawn(c *change, e *market.MarketWithdrawn) error {
	owner := ledger.Address(e.Owner)
	have, ok := c.balances[owner]
	if !ok {
		have = c.from.Balance(owner)
	}
	if have != ledger.MaxAmount && e.Amount.Cmp(have.Big()) != 0 {
		return wrong("%s withdraws %.40s and has %s", owner, e.Amount, have)
	}
	c.balances[owner] = ledger.Amount{}
	return nil
}

func bonded(c *change, e *market.MarketBonded) error {
	var n numbers
	return c.setBond(ledger.Address(e.Provider), n.amount(e.Total), e.Until, &n)
}

func unbonded(c *change, e *market.MarketUnbonded) error {
	return c.setBond(ledger.Address(e.Provider), ledger.Amount{}, 0, &numbers{})
}

func slashed(c *change, e *market.MarketSlashed) error {
	return c.setBond(ledger.Address(e.Provider), ledger.Amount{}, 0, &numbers{})
}

func (c *change) setBond(a ledger.Address, total ledger.Amount, until uint64, n *numbers) error {
	p, ok := c.provider(a)
	if !ok {
		return wrong("provider %s never registered", a)
	}
	p.Bond, p.BondUntil = total, until
	c.providers[a] = p
	return n.err
}
