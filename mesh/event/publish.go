package event

import (
	"fmt"

	"github.com/culvert-net/culvert/mesh/world"
	"github.com/culvert-net/culvert/mesh/world/postcard"
)

// DescriptorPublish makes a descriptor known. It has no signature but the
// descriptor's, so it may be said only in the descriptor's own epoch: else one
// descriptor would be an event in every epoch.
type DescriptorPublish struct {
	Place
	Descriptor world.Descriptor // not changed by anyone once it is here
}

// PublishDescriptor makes the event of a signed descriptor.
func PublishDescriptor(d world.Descriptor) (*Event, error) {
	return fits(New(&DescriptorPublish{
		Place:      Place{WorldID: d.DescriptorUnsigned.World, EpochID: d.DescriptorUnsigned.Epoch},
		Descriptor: d,
	}))
}

// Type is TypeDescriptor.
func (*DescriptorPublish) Type() Type { return TypeDescriptor }

// Author is the key of the node that the descriptor is of.
func (p *DescriptorPublish) Author() [32]byte { return p.Descriptor.Key }

// Canonical are the body's canonical bytes.
func (p *DescriptorPublish) Canonical() []byte {
	b := p.append(postcard.AppendUint(nil, TypeDescriptor.index()))
	return append(b, p.Descriptor.Canonical()...)
}

func readDescriptorPublish(d *postcard.Decoder) *DescriptorPublish {
	return &DescriptorPublish{Place: readPlace(d), Descriptor: world.ReadDescriptor(d)}
}

func (p *DescriptorPublish) bounds() error {
	if u := p.Descriptor.DescriptorUnsigned; p.WorldID != u.World || p.EpochID != u.Epoch {
		return fmt.Errorf("%w: a descriptor is published in its own world and epoch", ErrPlace)
	}
	return nil
}

func (p *DescriptorPublish) ids() error {
	if err := p.Descriptor.VerifyID(); err != nil {
		return fmt.Errorf("the descriptor's: %w", ErrID)
	}
	return nil
}

func (p *DescriptorPublish) verify(Check) error {
	if err := p.Descriptor.VerifySignature(); err != nil {
		return fmt.Errorf("verifying a descriptor: %w", ErrSignature)
	}
	return nil
}
