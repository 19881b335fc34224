package event

import (
	"crypto/ed25519"
	"errors"

	"github.com/culvert-net/culvert/mesh/world"
	"github.com/culvert-net/culvert/mesh/world/postcard"
)

// ErrTicketForm is a ticket with other parameters than the one set, or of a
// size that no ticket has.
var ErrTicketForm = errors.New("the ticket has other parameters or another size than tickets have")

// Receipt says that a probe took place and commits to its outcome, which an
// attestation reveals later (ProbeReceipt of the design).
type Receipt struct {
	ID world.Hash
	Place
	Challenge world.Hash    // what was asked, as a commitment
	Target    world.Hash    // TargetRef of the epoch
	TargetFAH *world.Hash   // what the provider claims to run; nil: not said
	Outcome   world.Hash    // commitment
	Ticket    *world.Ticket // nil: none
	Signed
}

// SignReceipt makes the event. ID, Key and Signature are filled in.
func SignReceipt(key ed25519.PrivateKey, r Receipt) (*Event, error) { return sign(key, &r) }

// Type is TypeReceipt.
func (*Receipt) Type() Type { return TypeReceipt }

// Canonical are the body's canonical bytes.
func (r *Receipt) Canonical() []byte { return canonical(r) }

func (*Receipt) domain() world.Domain   { return world.DomainReceipt }
func (r *Receipt) carried() *world.Hash { return &r.ID }
func (r *Receipt) ids() error           { return checkID(r) }
func (r *Receipt) verify(c Check) error { return verify(r, c) }

func (r *Receipt) unsigned() []byte {
	b := r.append(room(0))
	b = appendHash(b, r.Challenge)
	b = appendHash(b, r.Target)
	b = appendOptionalHash(b, r.TargetFAH)
	b = appendHash(b, r.Outcome)
	return r.appendKey(appendTicket(b, r.Ticket))
}

func readReceipt(d *postcard.Decoder) *Receipt {
	return &Receipt{ // a composite literal's calls run in the order they are written
		ID:        readHash(d),
		Place:     readPlace(d),
		Challenge: readHash(d),
		Target:    readHash(d),
		TargetFAH: readOptionalHash(d),
		Outcome:   readHash(d),
		Ticket:    readTicket(d),
		Signed:    readSigned(d),
	}
}

func (r *Receipt) bounds() error {
	if r.Ticket == nil {
		return nil
	}
	return checkText("the ticket's anchor", string(r.Ticket.Anchor), world.MaxAnchor)
}

// appendTicket writes the ticket with its parameters (ProbeTicket of the
// design).
func appendTicket(b []byte, t *world.Ticket) []byte {
	b = postcard.AppendBool(b, t != nil)
	if t == nil {
		return b
	}
	b = postcard.AppendBytes(b, t.Bytes())
	b = postcard.AppendUint(b, world.TicketN)
	b = postcard.AppendUint(b, world.TicketR)
	return postcard.AppendUint(b, world.TicketP)
}

// readTicket refuses all parameters but the one set: whoever could choose them
// could make others compute for hours.
func readTicket(d *postcard.Decoder) *world.Ticket {
	if !d.Bool() {
		return nil
	}
	t, err := world.ParseTicket(d.Bytes())
	if err != nil {
		d.Fail(ErrTicketForm)
	}
	if n, r, p := d.U32(), d.U32(), d.U32(); n != world.TicketN || r != world.TicketR || p != world.TicketP {
		d.Fail(ErrTicketForm)
	}
	return &t
}
