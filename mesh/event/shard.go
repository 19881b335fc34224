package event

import (
	"bytes"
	"crypto/ed25519"
	"fmt"

	"github.com/culvert-net/culvert/mesh/world"
	"github.com/culvert-net/culvert/mesh/world/postcard"
)

// Shard is a piece of training data that its author redacted
// (TrainingDataShard of the design). The body does not name world and epoch;
// the envelope does, and the signature covers both.
type Shard struct {
	ID world.Hash
	Place
	Source  string // what kind of thing it was made from
	Payload []byte
	Digest  world.Hash // of the payload
	Signed
}

// SignShard makes the event. ID, Digest, Key and Signature are filled in.
func SignShard(key ed25519.PrivateKey, s Shard) (*Event, error) {
	s.Payload = bytes.Clone(s.Payload)
	s.Digest = world.Sum(s.Payload)
	return sign(key, &s)
}

// Type is TypeShard.
func (*Shard) Type() Type { return TypeShard }

// Canonical are the body's canonical bytes.
func (s *Shard) Canonical() []byte { return canonical(s) }

func (*Shard) domain() world.Domain   { return world.DomainShard }
func (s *Shard) carried() *world.Hash { return &s.ID }
func (s *Shard) verify(c Check) error { return verify(s, c) }

func (s *Shard) unsigned() []byte {
	b := postcard.AppendString(room(len(s.Payload)), s.Source)
	b = postcard.AppendBytes(b, s.Payload)
	return s.appendKey(appendHash(b, s.Digest))
}

func readShard(d *postcard.Decoder, place Place) *Shard {
	return &Shard{
		ID:      readHash(d),
		Place:   place,
		Source:  d.Text(),
		Payload: bytes.Clone(d.Bytes()),
		Digest:  readHash(d),
		Signed:  readSigned(d),
	}
}

func (s *Shard) ids() error {
	if world.Sum(s.Payload) != s.Digest {
		return fmt.Errorf("the payload's: %w", ErrID)
	}
	return checkID(s)
}

func (s *Shard) bounds() error {
	if len(s.Payload) > MaxPayload {
		return fmt.Errorf("%w: redacted_payload has %d bytes, and may have %d", ErrBounds, len(s.Payload), MaxPayload)
	}
	return checkText("source_type", s.Source, MaxName)
}
