package member

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/culvert-net/culvert/mesh/gossip"
	"github.com/culvert-net/culvert/mesh/roster"
	"github.com/culvert-net/culvert/mesh/world"
)

// carriers are the lists that travel with sync, in the order of
// docs/spec/member.md.
func (m *Member) carriers() []gossip.Carrier {
	return []gossip.Carrier{boxes{m}, choices{m}, m.waiting, m.rotations, seals{m}}
}

// digest names a list by its items.
func digest(label string, items [][]byte) [32]byte {
	b := []byte(label)
	for _, it := range items {
		h := world.Sum(it)
		b = append(b, h[:]...)
	}
	return world.Sum(b)
}

// boxes carries the boxes of the newest entry to who has the entry without them,
// as a newcomer does: it was given one box, and should be able to give others
// theirs.
type boxes struct{ m *Member }

// Digest implements gossip.Carrier.
func (b boxes) Digest() [32]byte { return digest("boxes", b.Items()) }

// Items implements gossip.Carrier.
func (b boxes) Items() [][]byte {
	_, head := b.m.Roster().Head()
	all, err := b.m.chain.Boxes(head)
	if err != nil {
		return nil
	}
	return [][]byte{all.Canonical()}
}

// Merge implements gossip.Carrier.
func (b boxes) Merge(items [][]byte) error {
	for _, it := range items {
		all, err := roster.DecodeBoxes(it)
		if err != nil {
			return fmt.Errorf("%w: %w", gossip.ErrEntry, err)
		}
		if !b.m.Roster().Has(all.Entry) {
			continue // of an entry that has not come yet
		}
		if _, err := b.m.chain.Boxes(all.Entry); !errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err := b.m.Roster().CheckBoxes(all); err != nil {
			return fmt.Errorf("%w: %w", gossip.ErrEntry, err)
		}
		if err := b.m.chain.PutBoxes(all); err != nil {
			return err
		}
		if err := b.m.openBox(all.Entry); err != nil {
			return err
		}
		b.m.update()
	}
	return nil
}

// choices carries the founders' choices between branches of the roster.
type choices struct{ m *Member }

// Digest implements gossip.Carrier.
func (c choices) Digest() [32]byte { return digest("choices", c.Items()) }

// Items implements gossip.Carrier.
func (c choices) Items() [][]byte {
	var out [][]byte
	for _, choice := range c.m.Roster().Choices() {
		out = append(out, choice.Canonical())
	}
	return out
}

// Merge implements gossip.Carrier.
func (c choices) Merge(items [][]byte) error {
	for _, it := range items {
		choice, err := roster.DecodeChoice(it)
		if err != nil {
			return fmt.Errorf("%w: %w", gossip.ErrEntry, err)
		}
		switch err := c.m.chain.Choose(choice); {
		case err == nil, errors.Is(err, roster.ErrParent):
		case errors.Is(err, roster.ErrDisk):
			return err
		default:
			return fmt.Errorf("%w: %w", gossip.ErrEntry, err)
		}
	}
	c.m.update()
	return nil
}

var (
	_ gossip.Carrier = boxes{}
	_ gossip.Carrier = choices{}
	_ gossip.Carrier = (*waiting)(nil)
	_ gossip.Carrier = (*rotations)(nil)
)
