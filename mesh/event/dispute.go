package event

import (
	"crypto/ed25519"
	"fmt"

	"github.com/culvert-net/culvert/mesh/world"
	"github.com/culvert-net/culvert/mesh/world/postcard"
)

// Dispute says that two events cannot both be right (DisputeEvent of the
// design).
type Dispute struct {
	Place
	EventA, EventB world.Hash
	Reason         string
	Signed
}

// SignDispute makes the event. Key and Signature are filled in.
func SignDispute(key ed25519.PrivateKey, d Dispute) (*Event, error) { return sign(key, &d) }

// Type is TypeDispute.
func (*Dispute) Type() Type { return TypeDispute }

// Canonical are the body's canonical bytes.
func (d *Dispute) Canonical() []byte { return canonical(d) }

func (*Dispute) domain() world.Domain   { return world.DomainDispute }
func (*Dispute) carried() *world.Hash   { return nil }
func (*Dispute) ids() error             { return nil }
func (d *Dispute) verify(c Check) error { return verify(d, c) }

func (d *Dispute) unsigned() []byte {
	b := d.append(room(0))
	b = appendHash(b, d.EventA)
	b = appendHash(b, d.EventB)
	return d.appendKey(postcard.AppendString(b, d.Reason))
}

func readDispute(d *postcard.Decoder) *Dispute {
	return &Dispute{
		Place:  readPlace(d),
		EventA: readHash(d),
		EventB: readHash(d),
		Reason: d.Text(),
		Signed: readSigned(d),
	}
}

func (d *Dispute) bounds() error {
	if d.EventA == d.EventB {
		return fmt.Errorf("%w: a dispute is about two events", ErrBounds)
	}
	return checkText("reason", d.Reason, MaxReason)
}
