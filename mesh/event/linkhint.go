package event

import (
	"crypto/ed25519"
	"fmt"

	"github.com/culvert-net/culvert/mesh/world"
	"github.com/culvert-net/culvert/mesh/world/postcard"
)

// LinkHint says that two targets seem to be one provider (LinkHintEvent of the
// design).
type LinkHint struct {
	Place
	TargetA, TargetB world.Hash // TargetRefs of the epoch
	Evidence         world.Hash // commitment
	Compatibility    float64    // 0 to 1
	Signed
}

// SignLinkHint makes the event. Key and Signature are filled in.
func SignLinkHint(key ed25519.PrivateKey, l LinkHint) (*Event, error) { return sign(key, &l) }

// Type is TypeLinkHint.
func (*LinkHint) Type() Type { return TypeLinkHint }

// Canonical are the body's canonical bytes.
func (l *LinkHint) Canonical() []byte { return canonical(l) }

func (*LinkHint) domain() world.Domain   { return world.DomainLinkHint }
func (*LinkHint) carried() *world.Hash   { return nil }
func (*LinkHint) ids() error             { return nil }
func (l *LinkHint) verify(c Check) error { return verify(l, c) }

func (l *LinkHint) unsigned() []byte {
	b := l.append(room(0))
	b = appendHash(b, l.TargetA)
	b = appendHash(b, l.TargetB)
	b = appendHash(b, l.Evidence)
	return l.appendKey(postcard.AppendFloat(b, l.Compatibility))
}

func readLinkHint(d *postcard.Decoder) *LinkHint {
	return &LinkHint{
		Place:         readPlace(d),
		TargetA:       readHash(d),
		TargetB:       readHash(d),
		Evidence:      readHash(d),
		Compatibility: d.F64(),
		Signed:        readSigned(d),
	}
}

func (l *LinkHint) bounds() error {
	if l.TargetA == l.TargetB {
		return fmt.Errorf("%w: a link hint is about two targets", ErrBounds)
	}
	return checkRange("compatibility_score", l.Compatibility, 1)
}
