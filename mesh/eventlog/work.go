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
//
// A ticket that only looks good costs us as much as a good one. In a receipt it is
// signed by its author, so an author has few tries in an epoch, whoever brings
// them. A stamp is signed by nobody, and no honest member sends on one that it has
// not computed: the first that is bad condemns all that came with it.
func (a *Admission) work(ctx context.Context, all []candidate) error {
	if a.log.terms.TicketBits == 0 {
		return nil
	}
	paid := make(map[payer]bool)
	forged := false
	for i := range all {
		c := &all[i]
		who := payer{c.entry.author, c.entry.epoch}
		t, stamp := c.ticket(), c.stampDue()
		if t == nil || stamp && forged || !stamp && (paid[who] || a.spent(who)) {
			continue
		}
		good, err := a.good(ctx, t, who)
		switch {
		case err != nil:
			return err
		case good:
			if paid[who] = true; stamp {
				c.entry.stamp = t.Bytes()
			}
		case stamp:
			forged = true
		default:
			a.spend(who)
		}
	}
	for i := range all {
		switch c := &all[i]; {
		case c.stampDue() && c.entry.stamp == nil:
			c.known, c.reason = false, ReasonStamp
		case c.out() || c.sealed:
		case c.entry.kind == event.TypeReceipt && !c.free && !paid[payer{c.entry.author, c.entry.epoch}]:
			c.reason = ReasonTicket
		}
	}
	return nil
}

// ticket is the one that is to be looked at, nil if there is none or none is
// due.
func (c *candidate) ticket() *world.Ticket {
	if c.stampDue() {
		return c.Stamp
	}
	if c.out() || c.sealed || c.free {
		return nil
	}
	if r, ok := c.event.Body.(*event.Receipt); ok {
		return r.Ticket
	}
	return nil
}

// stampDue reports whether a stamp is to be looked at. One that was pushed is
// looked at also where it changes nothing here, since it is sent on to others.
func (c *candidate) stampDue() bool {
	return c.Stamp != nil && c.entry.kind == event.TypeDescriptor && c.reason == 0 &&
		(!c.known || c.restamped) && (!c.sealed || c.via == ViaPush)
}

// spent reports whether an author has had its tries in an epoch.
func (a *Admission) spent(who payer) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.tried[who] >= maxTries
}

// spend counts a bad ticket.
func (a *Admission) spend(who payer) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.tried) >= maxTickets {
		clear(a.tried)
	}
	a.tried[who]++
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
