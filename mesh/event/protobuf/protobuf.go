package protobuf

import (
	"errors"
	"fmt"

	"github.com/culvert-net/culvert/mesh/event"
	"github.com/culvert-net/culvert/mesh/world"
)

// What is wrong with a message, beside the errors of package event.
var (
	ErrTooLarge = errors.New("the message is larger than one may be")
	ErrWire     = errors.New("the bytes are no protobuf message")
	ErrField    = errors.New("a field is missing, doubled, of another type or out of range")
)

// Encode writes an event as a message. Fields with their default value are left
// out and the others stand in the order of their numbers, as protoc does it.
func Encode(e *event.Event) []byte {
	m := envelope{id: e.ID, typ: uint32(e.Type()), body: e.Body}
	if !placed(e.Body) {
		m.place = &event.Place{WorldID: e.World(), EpochID: e.Epoch()}
	}
	return m.table().append(nil)
}

// placed says whether the body names its world and epoch.
func placed(b event.Body) bool {
	return b.Type() != event.TypeShard && b.Type() != event.TypeManifest
}

// Decode reads one message. The event is one that event.Decode accepts; its
// signature is not looked at. Fields that are not known are passed over.
func Decode(b []byte) (*event.Event, error) {
	if len(b) > MaxMessage {
		return nil, fmt.Errorf("reading a protobuf event of %d bytes: %w", len(b), ErrTooLarge)
	}
	var m envelope
	if err := m.table().read(b); err != nil {
		return nil, fmt.Errorf("reading a protobuf event: %w", err)
	}
	e, err := m.event()
	if err != nil {
		return nil, fmt.Errorf("reading a protobuf event: %w", err)
	}
	return e, nil
}

// envelope is the message around a body.
type envelope struct {
	id    world.Hash
	typ   uint32
	place *event.Place // of a body that does not name its own; nil: not said
	body  event.Body
}

// event makes the event of what was read, by way of its canonical bytes.
func (m *envelope) event() (*event.Event, error) {
	if m.body == nil {
		return nil, fmt.Errorf("%w: there is no body", ErrField)
	}
	if err := m.settle(); err != nil {
		return nil, err
	}
	e := event.New(m.body)
	switch {
	case m.typ != uint32(e.Type()):
		return nil, event.ErrType
	case m.id != e.ID:
		return nil, event.ErrID
	}
	return event.Decode(e.Canonical())
}

// settle gives a shard or a manifest the place that the message says, and looks
// that no other body is said to be elsewhere.
func (m *envelope) settle() error {
	switch b := m.body.(type) {
	case *event.Shard:
		if m.place == nil {
			return fmt.Errorf("%w: a shard does not say where it belongs", ErrField)
		}
		b.Place = *m.place
	case *event.Manifest:
		if m.place == nil {
			return fmt.Errorf("%w: a manifest does not say where it belongs", ErrField)
		}
		b.Place = *m.place
	default:
		if m.place != nil && (m.place.WorldID != b.World() || m.place.EpochID != b.Epoch()) {
			return event.ErrPlace
		}
	}
	return nil
}
