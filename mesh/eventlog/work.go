package eventlog

import (
	"context"
	"encoding/binary"
	"slices"

	"github.com/culvert-net/culvert/mesh/event"
	"github.com/culvert-net/culvert/mesh/world"
)

// payer is who owes one ticket: a prober in an epoch.
type payer struct {
	author [32]byte
	epoch  uint64
}

// work looks at tickets, one after the other. A prober's first receipt of an
// epoch owes one; so does a descriptor that is not to be counted among those
// that cost nothing. What is in its epoch's seal owes none: t signers found it
// good, and nobody could compute two weeks of tickets again.
func (a *Admission) work(ctx context.Context, all []candidate) error {
	if a.log.terms.TicketBits == 0 {
		return nil
	}
	paid := make(map[payer]bool)
	tried := make(map[payer]int)
	for i := range all {
		c := &all[i]
		who := payer{c.entry.author, c.entry.epoch}
		t := c.ticket()
		if t == nil || paid[who] && c.Stamp == nil || tried[who] == maxTries {
			continue
		}
		good, err := a.good(ctx, t, who)
		if err != nil {
			return err
		}
		if !good {
			tried[who]++
		} else if paid[who] = true; c.entry.kind == event.TypeDescriptor {
			c.entry.stamp = t.Bytes()
		}
	}
	for i := range all {
		c := &all[i]
		switch {
		case c.out() || c.sealed:
		case c.entry.kind == event.TypeReceipt && !c.free && !paid[payer{c.entry.author, c.entry.epoch}],
			c.entry.kind == event.TypeDescriptor && c.Stamp != nil && c.entry.stamp == nil:
			c.reason = ReasonTicket
		}
	}
	return nil
}

// ticket is the one that is to be looked at, nil if there is none or none is
// due.
func (c *candidate) ticket() *world.Ticket {
	if c.out() || c.sealed || c.free {
		return nil
	}
	if c.entry.kind == event.TypeDescriptor {
		return c.Stamp
	}
	if r, ok := c.event.Body.(*event.Receipt); ok {
		return r.Ticket
	}
	return nil
}

// good verifies a ticket, unless it was found good before: a node's descriptors
// share one.
func (a *Admission) good(ctx context.Context, t *world.Ticket, who payer) (bool, error) {
	key := world.Sum(slices.Concat(binary.LittleEndian.AppendUint64(nil, who.epoch), who.author[:], t.Bytes()))
	a.mu.Lock()
	known := a.paid[key]
	a.mu.Unlock()
	if known {
		return true, nil
	}
	select {
	case a.tickets <- struct{}{}:
	case <-ctx.Done():
		return false, ctx.Err()
	}
	defer func() { <-a.tickets }()
	if t.Check(a.log.cfg.World.ID, who.epoch, who.author, a.log.terms.TicketBits) != nil {
		return false, nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.paid) >= maxTickets {
		clear(a.paid)
	}
	a.paid[key] = true
	return true, nil
}
