package member

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"github.com/culvert-net/culvert/mesh/gossip"
	"github.com/culvert-net/culvert/mesh/roster"
	"github.com/culvert-net/culvert/mesh/world"
	"github.com/culvert-net/culvert/mesh/world/postcard"
)

// group is the roster and the keys as sync needs them.
type group struct{ m *Member }

var _ gossip.Group = group{}

// Head implements gossip.Group.
func (g group) Head() (uint64, world.Hash) { return g.m.Roster().Head() }

// Speaks implements gossip.Group.
func (g group) Speaks() (uint64, world.Hash) {
	if generation, entry, ok := g.m.keys.Speaks(); ok {
		return generation, entry
	}
	return g.Head()
}

// Member implements gossip.Group: who stands as a provider is spoken with no more,
// whatever the roster says.
func (g group) Member(key [32]byte) bool {
	return g.m.Roster().Check(key, g.m.cfg.Providers) == nil
}

// Members implements gossip.Group. Other bridges are left out, since nobody
// reaches them: they come by themselves.
func (g group) Members() [][32]byte {
	var out [][32]byte
	for _, m := range g.m.Roster().Members() {
		if (m.Role != roster.RoleBridge || m.Key == g.m.self) && g.Member(m.Key) {
			out = append(out, m.Key)
		}
	}
	return out
}

// Key implements gossip.Group.
func (g group) Key(entry world.Hash, epoch uint64) *world.Secret {
	key, err := g.m.keys.EntryKey(entry, epoch)
	if err != nil {
		return nil
	}
	return key
}

// Missing implements gossip.Group. An entry goes with its boxes; without them who
// gets it could not read on, so nothing is sent that is newer than the last entry
// whose boxes are here.
func (g group) Missing(generation uint64, entry world.Hash, limit int) ([][]byte, error) {
	r := g.m.Roster()
	from := generation + 1
	if !r.Has(entry) {
		// It is on another branch, or ahead of us by more than we know.
		from = max(1, generation, lookBack) - lookBack + 1
	}
	var out [][]byte
	size, good := 0, 0
	for _, e := range r.Entries(from) {
		x := record{entry: e}
		if boxes, err := g.m.chain.Boxes(e.Hash()); err == nil {
			x.boxes = &boxes
		}
		b := x.encode()
		if size += len(b); size > limit {
			break
		}
		out = append(out, b)
		if x.boxes != nil {
			good = len(out)
		}
	}
	return out[:good], nil
}

// Learn implements gossip.Group.
func (g group) Learn(entries [][]byte) error {
	for _, b := range entries {
		x, err := decodeRecord(b)
		if err != nil {
			return fmt.Errorf("%w: %w", gossip.ErrEntry, err)
		}
		if err := g.m.learn(x, time.Now()); err != nil {
			return err
		}
	}
	g.m.update()
	return nil
}

// learn takes an entry and its boxes from a peer.
func (m *Member) learn(x record, now time.Time) error {
	name := x.entry.Hash()
	err := m.chain.Append(x.entry, x.boxes, now)
	switch {
	case err == nil:
	case errors.Is(err, roster.ErrParent), errors.Is(err, roster.ErrFuture), errors.Is(err, roster.ErrBranches), errors.Is(err, roster.ErrFull):
		return nil // it may come again; nobody is to blame
	case errors.Is(err, roster.ErrDisk), errors.Is(err, roster.ErrVersion):
		return err // this machine's trouble, or this program's
	default:
		return fmt.Errorf("%w: %w", gossip.ErrEntry, err)
	}
	return m.openBox(name)
}

// openBox takes this node's master out of the boxes of an entry, if it is a
// member after it and has not got it yet.
func (m *Member) openBox(entry world.Hash) error {
	if m.keys.Has(entry) {
		return nil
	}
	boxes, err := m.chain.Boxes(entry)
	if err != nil {
		return nil // they are not here
	}
	if _, ours := boxes.For(m.self); !ours {
		return nil // the entry removed us, or is from before we came
	}
	err = m.keys.Open(m.self, boxes)
	if errors.Is(err, roster.ErrBox) {
		// Whoever made the entry sealed noise to us. Who brought it could not see
		// that, so nobody is blamed but by this line.
		e, _ := m.Roster().Entry(entry)
		m.cfg.Log.Warn("the group's key was not sealed to this node", "generation", e.Generation, "proposer", short(e.Proposer))
		return nil
	}
	return err
}

// record is a roster entry as members send it to one another.
type record struct {
	entry roster.Entry
	boxes *roster.Boxes
}

func (x record) encode() []byte {
	b := postcard.AppendBytes(nil, x.entry.Canonical())
	b = postcard.AppendBool(b, x.boxes != nil)
	if x.boxes != nil {
		b = postcard.AppendBytes(b, x.boxes.Canonical())
	}
	return b
}

// decodeRecord reads what encode writes and nothing else.
func decodeRecord(b []byte) (record, error) {
	d := postcard.NewDecoder(b)
	entry := d.Bytes()
	var boxes []byte
	if d.Bool() {
		boxes = d.Bytes()
	}
	if err := d.Finish(); err != nil {
		return record{}, fmt.Errorf("decoding a roster entry with its boxes: %w", err)
	}
	var x record
	var err error
	if x.entry, err = roster.DecodeEntry(bytes.Clone(entry)); err != nil {
		return record{}, err
	}
	if boxes == nil {
		return x, nil
	}
	sealed, err := roster.DecodeBoxes(bytes.Clone(boxes))
	if err != nil {
		return record{}, err
	}
	x.boxes = &sealed
	return x, nil
}
