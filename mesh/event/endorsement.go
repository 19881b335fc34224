package event

import (
	"crypto/ed25519"

	"github.com/culvert-net/culvert/mesh/world"
	"github.com/culvert-net/culvert/mesh/world/postcard"
)

// Endorsement says that a member would live by other rules
// (RuleEndorsementEvent of the design).
type Endorsement struct {
	Place
	Rules  world.Hash // RuleBundleHash
	Weight float64    // 0 to MaxWeight
	Signed
}

// SignEndorsement makes the event. Key and Signature are filled in.
func SignEndorsement(key ed25519.PrivateKey, e Endorsement) (*Event, error) { return sign(key, &e) }

// Type is TypeEndorsement.
func (*Endorsement) Type() Type { return TypeEndorsement }

// Canonical are the body's canonical bytes.
func (e *Endorsement) Canonical() []byte { return canonical(e) }

func (*Endorsement) domain() world.Domain   { return world.DomainEndorsement }
func (*Endorsement) carried() *world.Hash   { return nil }
func (*Endorsement) ids() error             { return nil }
func (e *Endorsement) verify(c Check) error { return verify(e, c) }

func (e *Endorsement) unsigned() []byte {
	b := appendHash(e.append(room(0)), e.Rules)
	return e.appendKey(postcard.AppendFloat(b, e.Weight))
}

func readEndorsement(d *postcard.Decoder) *Endorsement {
	return &Endorsement{
		Place:  readPlace(d),
		Rules:  readHash(d),
		Weight: d.F64(),
		Signed: readSigned(d),
	}
}

func (e *Endorsement) bounds() error { return checkRange("weight", e.Weight, MaxWeight) }
