package event

import (
	"errors"
	"fmt"

	"github.com/culvert-net/culvert/mesh/world"
	"github.com/culvert-net/culvert/mesh/world/postcard"
)

// What is wrong with bytes that claim to be an event, beside the errors of
// package postcard.
var (
	ErrTooLarge  = errors.New("the event is larger than one may be")
	ErrType      = errors.New("the envelope's type is not the body's")
	ErrPlace     = errors.New("the envelope's world or epoch is not the body's")
	ErrID        = errors.New("an id is not the hash of what it names")
	ErrBounds    = errors.New("a field is out of bounds")
	ErrSignature = errors.New("the signature is not the author's")
)

// Body is what an event says. Its methods are those of one of the nine kinds.
type Body interface {
	Type() Type
	World() world.Hash
	Epoch() uint64
	Author() [32]byte  // the Ed25519 key that signed
	Canonical() []byte // begins with the index of the body enum

	bounds() error      // ErrBounds, and what may be said about floats before they are encoded
	ids() error         // ErrID: the ids it carries
	verify(Check) error // ErrSignature
}

// Event is a body and its id. World, epoch and type of the envelope are the
// body's.
type Event struct {
	ID   world.Hash
	Body Body
}

// New wraps a body that a Sign function made or a decoder accepted.
func New(body Body) *Event { return &Event{ID: world.Sum(body.Canonical()), Body: body} }

// Type is the kind of event.
func (e *Event) Type() Type { return e.Body.Type() }

// World is the world it was said in.
func (e *Event) World() world.Hash { return e.Body.World() }

// Epoch is the epoch it was said in.
func (e *Event) Epoch() uint64 { return e.Body.Epoch() }

// Author is the key that signed it.
func (e *Event) Author() [32]byte { return e.Body.Author() }

// Subject is the TargetRef of the one provider the event is about, if it is a
// receipt or an attestation.
func (e *Event) Subject() (world.Hash, bool) {
	switch b := e.Body.(type) {
	case *Receipt:
		return b.Target, true
	case *Attestation:
		return b.Target, true
	}
	return world.Hash{}, false
}

// Verify checks the signature. Everything else was checked by Decode.
func (e *Event) Verify() error { return e.VerifyWith(standard) }

// VerifyWith is Verify with another way to check a signature.
func (e *Event) VerifyWith(c Check) error { return e.Body.verify(c) }

// Canonical are the event's canonical bytes: the envelope, then the body.
func (e *Event) Canonical() []byte {
	at, body := e.World(), e.Body.Canonical()
	b := postcard.AppendArray(room(len(body)), e.ID[:])
	b = postcard.AppendArray(b, at[:])
	b = postcard.AppendUint(b, e.Epoch())
	b = postcard.AppendUint(b, uint64(e.Type()))
	return append(b, body...)
}

// Decode reads what Canonical writes and nothing else. It checks all that is
// cheap: size, form, that type, world and epoch of envelope and body agree,
// bounds, and every id. It does not look at signatures.
func Decode(b []byte) (*Event, error) {
	if len(b) > MaxEvent {
		return nil, fmt.Errorf("decoding an event of %d bytes: %w", len(b), ErrTooLarge)
	}
	d := postcard.NewDecoder(b)
	e := new(Event)
	var place Place
	d.Array(e.ID[:])
	d.Array(place.WorldID[:])
	place.EpochID = d.U64()
	claimed := Type(d.Variant(uint32(typeEnd)))
	start := d.Offset()
	e.Body = readBody(d, place)
	if err := d.Finish(); err != nil {
		return nil, fmt.Errorf("decoding an event: %w", err)
	}
	if err := e.checkEnvelope(claimed, place, b[start:]); err != nil {
		return nil, fmt.Errorf("decoding an event: %w", err)
	}
	return e, nil
}

// checkEnvelope compares the envelope with the body.
func (e *Event) checkEnvelope(claimed Type, place Place, body []byte) error {
	switch {
	case claimed != e.Type():
		return fmt.Errorf("a %v that holds a %v: %w", claimed, e.Type(), ErrType)
	case place.WorldID != e.World() || place.EpochID != e.Epoch():
		return ErrPlace
	case world.Sum(body) != e.ID:
		return fmt.Errorf("the event's: %w", ErrID)
	}
	if err := e.Body.bounds(); err != nil {
		return err
	}
	return e.Body.ids()
}

// readBody reads the body enum. A body that does not name its place gets that
// of the envelope.
func readBody(d *postcard.Decoder, place Place) Body {
	types := order()
	switch types[d.Variant(uint32(len(types)))] {
	case TypeReceipt:
		return readReceipt(d)
	case TypeAttestation:
		return readAttestation(d)
	case TypeDispute:
		return readDispute(d)
	case TypeLinkHint:
		return readLinkHint(d)
	case TypeEndorsement:
		return readEndorsement(d)
	case TypeDescriptor:
		return readDescriptorPublish(d)
	case TypeShard:
		return readShard(d, place)
	case TypeVerdict:
		return readVerdict(d)
	}
	return readManifest(d, place)
}
