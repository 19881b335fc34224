package event

import (
	"bytes"
	"crypto/ed25519"
	"fmt"

	"github.com/culvert-net/culvert/mesh/world"
	"github.com/culvert-net/culvert/mesh/world/postcard"
)

// Attestation says what a prober measured (BehaviorAttestation of the design).
// It is evidence, not a score: everybody weighs it on their own.
type Attestation struct {
	ID world.Hash
	Place
	Challenge world.Hash
	Target    world.Hash  // TargetRef of the epoch
	TargetFAH *world.Hash // what the provider claims to run; nil: not said
	Metrics   Metrics
	Evidence  world.Hash // commitment
	Anchor    []byte     // what the answers are younger than; empty: none
	Signed
}

// SignAttestation makes the event. ID, Key and Signature are filled in.
func SignAttestation(key ed25519.PrivateKey, a Attestation) (*Event, error) {
	a.Anchor = bytes.Clone(a.Anchor)
	return sign(key, &a)
}

// Type is TypeAttestation.
func (*Attestation) Type() Type { return TypeAttestation }

// Canonical are the body's canonical bytes.
func (a *Attestation) Canonical() []byte { return canonical(a) }

func (*Attestation) domain() world.Domain   { return world.DomainAttestation }
func (a *Attestation) carried() *world.Hash { return &a.ID }
func (a *Attestation) ids() error           { return checkID(a) }
func (a *Attestation) verify(c Check) error { return verify(a, c) }

func (a *Attestation) unsigned() []byte {
	b := a.append(room(0))
	b = appendHash(b, a.Challenge)
	b = appendHash(b, a.Target)
	b = appendOptionalHash(b, a.TargetFAH)
	b = a.Metrics.append(b)
	b = appendHash(b, a.Evidence)
	b = postcard.AppendBool(b, len(a.Anchor) > 0)
	if len(a.Anchor) > 0 {
		b = postcard.AppendBytes(b, a.Anchor)
	}
	return a.appendKey(b)
}

func readAttestation(d *postcard.Decoder) *Attestation {
	return &Attestation{
		ID:        readHash(d),
		Place:     readPlace(d),
		Challenge: readHash(d),
		Target:    readHash(d),
		TargetFAH: readOptionalHash(d),
		Metrics:   readMetrics(d),
		Evidence:  readHash(d),
		Anchor:    readAnchor(d),
		Signed:    readSigned(d),
	}
}

// readAnchor reads an optional anchor. One that is there is not empty: that is
// what none is for.
func readAnchor(d *postcard.Decoder) []byte {
	if !d.Bool() {
		return nil
	}
	b := d.Bytes()
	if len(b) == 0 {
		d.Fail(postcard.ErrSize)
	}
	return bytes.Clone(b)
}

func (a *Attestation) bounds() error {
	if len(a.Anchor) > world.MaxAnchor {
		return fmt.Errorf("%w: freshness_anchor has %d bytes, and may have %d", ErrBounds, len(a.Anchor), world.MaxAnchor)
	}
	return a.Metrics.Check()
}
