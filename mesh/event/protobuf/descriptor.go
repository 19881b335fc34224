package protobuf

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/culvert-net/culvert/mesh/world"
)

func descriptor(d *world.Descriptor) table {
	return table{
		idField(1, &d.ID), messageField(2, unsigned(&d.DescriptorUnsigned)), fixedField(3, d.Key[:]), fixedField(4, d.Signature[:]),
	}
}

func unsigned(u *world.DescriptorUnsigned) table {
	return table{
		idField(1, &u.World), uint64Field(2, &u.Epoch), stringsField(3, &u.ContactPoints),
		fahField(4, &u.Capability), manifestField(5, &u.Capability),
	}
}

// fahField and manifestField are the two sides of the capability, of which a
// message has one; without either it is the FAH of zeros, and the id will not
// be right.
func fahField(n protowire.Number, c *world.Capability) field {
	return delimited(n, func() bool { return c.Manifest == nil }, func() []byte { return id(&c.FAH).append(nil) }, func(b []byte) error {
		if c.Manifest != nil {
			return fmt.Errorf("%w: there are two capabilities", ErrField)
		}
		return id(&c.FAH).read(b)
	})
}

func manifestField(n protowire.Number, c *world.Capability) field {
	write := func() []byte { return capability(c.Manifest).append(nil) }
	return delimited(n, func() bool { return c.Manifest != nil }, write, func(b []byte) error {
		if !c.FAH.IsZero() {
			return fmt.Errorf("%w: there are two capabilities", ErrField)
		}
		c.Manifest = new(world.CapabilityManifest)
		return capability(c.Manifest).read(b)
	})
}

func capability(m *world.CapabilityManifest) table {
	return table{
		stringField(1, &m.BaseModelID), hashField(2, &m.WeightsDigest), stringField(3, &m.RuntimeID), uint32Field(4, &m.ContextLimit),
		hashField(5, &m.ToolSchemasDigest), stringField(6, &m.SafetyMode), messagesField(7, &m.Adapters, adapter),
	}
}

func adapter(a *world.Adapter) table {
	return table{stringField(1, &a.ID), hashField(2, &a.Digest), stringField(3, &a.Type)}
}
