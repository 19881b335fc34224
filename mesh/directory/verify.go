package directory

import (
	"errors"
	"fmt"
	"time"

	"github.com/culvert-net/culvert/mesh/world"
)

// Runtimes with a meaning of their own here.
const (
	runtimeRelay = "relay" // serves no model
	runtimeMock  = "mock"  // canned answers, for sandboxes
)

// entry is a verified descriptor.
type entry struct {
	d       world.Descriptor
	contact contact
	size    int // of the canonical bytes
}

// model is the model the descriptor is about, "" for a relay's.
func (e *entry) model() string { return e.d.Capability.Manifest.BaseModelID }

// Verify checks everything about d that needs no other descriptor: world,
// epoch, contact lines, capability, id and signature. The error wraps a Reason.
func Verify(d *world.Descriptor, w *world.World, now time.Time) error {
	_, err := verify(d, w, now)
	return err
}

// verify checks what is cheap first: a message of another world costs one
// comparison, a signature is checked last.
func verify(d *world.Descriptor, w *world.World, now time.Time) (*entry, error) {
	if d.World != w.ID {
		return nil, ReasonWorld
	}
	if !inWindow(w, d.Epoch, now) {
		return nil, ReasonEpoch
	}
	return verifyTimeless(d, w)
}

// verifyTimeless is verify for who knows already that d is of the world, and
// current.
func verifyTimeless(d *world.Descriptor, w *world.World) (*entry, error) {
	e, err := inspect(d)
	if err != nil {
		return nil, err
	}
	latest := onionEnd(w, d.Epoch)
	for _, k := range e.contact.onion {
		if k.NotAfter.After(latest) {
			return nil, fmt.Errorf("%w: onion key lives too long", ReasonContact)
		}
	}
	if d.Capability.Manifest.RuntimeID == runtimeMock && !w.Sandbox {
		return nil, fmt.Errorf("%w: the mock runner is for sandboxes", ReasonCapability)
	}
	if err := d.VerifyID(); err != nil {
		return nil, fmt.Errorf("%w: %w", ReasonMalformed, err)
	}
	if err := d.VerifySignature(); err != nil {
		return nil, fmt.Errorf("%w: %w", ReasonSignature, err)
	}
	return e, nil
}

// inspect checks d's content without world, clock or signature.
func inspect(d *world.Descriptor) (*entry, error) {
	size := len(d.Canonical())
	if size > MaxDescriptor {
		return nil, fmt.Errorf("%w: %d bytes, at most %d are allowed", ReasonMalformed, size, MaxDescriptor)
	}
	c, err := parseContact(d.ContactPoints, d.Key)
	if err != nil {
		return nil, err
	}
	if err := checkCapability(d.Capability); err != nil {
		return nil, fmt.Errorf("%w: %w", ReasonCapability, err)
	}
	return &entry{d: *d, contact: c, size: size}, nil
}

// checkCapability wants a manifest, since nobody can route to a bare hash, and
// texts that can be shown.
func checkCapability(c world.Capability) error {
	m := c.Manifest
	switch {
	case m == nil:
		return errors.New("the manifest is not inline")
	case !world.KnownRuntime(m.RuntimeID):
		return fmt.Errorf("unknown runtime %q", m.RuntimeID)
	case (m.BaseModelID == "") != (m.RuntimeID == runtimeRelay):
		return fmt.Errorf("runtime %q with model %q: a relay, and only a relay, names no model", m.RuntimeID, m.BaseModelID)
	}
	texts := []string{m.BaseModelID, m.SafetyMode}
	for _, a := range m.Adapters {
		texts = append(texts, a.Type, a.ID)
	}
	for _, s := range texts {
		if !validText(s) {
			return fmt.Errorf("%q: at most %d printable ASCII characters without spaces are allowed", s, maxModelID)
		}
	}
	return nil
}

// validText allows printable ASCII without spaces: what people can type after
// a flag, and terminals show without surprises. Empty is fine.
func validText(s string) bool {
	if len(s) > maxModelID {
		return false
	}
	for _, c := range []byte(s) {
		if c <= ' ' || c > '~' {
			return false
		}
	}
	return true
}

// inWindow reports whether a descriptor of epoch e is current: of this epoch,
// of the one before, or, within the allowed clock skew, of the next.
func inWindow(w *world.World, e uint64, now time.Time) bool {
	skew := min(maxSkew, w.EpochLen()/4)
	return e <= w.Epoch(now.Add(skew)) && e+1 >= w.Epoch(now)
}
