package roster

import (
	"math"
	"time"

	"github.com/culvert-net/culvert/mesh/world"
)

// node is an entry in the tree of all that are valid. The root stands for the
// world before its first entry.
type node struct {
	hash     world.Hash
	entry    Entry
	parent   *node // nil for the root
	children []*node

	// anchored says that a rotation is among what follows: t directory signers
	// had this entry before their head.
	anchored bool

	// vouchers has the members whose vouching each change used, by its index.
	vouchers [][]Key
}

// life is one stay of a key in the roster: from the epoch it was added in, up
// to the one it was removed in.
type life struct {
	from, until uint64 // until is forever while it lasts
	added       *node
	removed     *node // nil while it lasts
}

// member is who stays, as the entry says that begins the stay.
func (l life) member(key Key) Member {
	for _, c := range l.added.entry.Changes {
		if c.Kind == Add && c.Member.Key == key {
			return c.Member
		}
	}
	panic("unreachable: a stay begins with an entry that adds the member")
}

const forever = math.MaxUint64

// state is what the entries up to a node amount to. It moves along the tree,
// one entry at a time forth and back, so that one copy serves all branches.
type state struct {
	at      *node
	members map[Key]Member
	wraps   map[[32]byte]Key
	lives   map[Key][]life
	vouches map[Key][]uint64 // times, unix milliseconds
	masters map[world.Hash]bool
}

func newState(root *node) *state {
	return &state{
		at: root, members: make(map[Key]Member), wraps: make(map[[32]byte]Key),
		lives: make(map[Key][]life), vouches: make(map[Key][]uint64), masters: make(map[world.Hash]bool),
	}
}

// moveTo brings the state to a node of the same tree.
func (s *state) moveTo(to *node) {
	var forth []*node
	for a, b := s.at, to; a != b; {
		if a.entry.Generation >= b.entry.Generation && a.parent != nil {
			s.undo()
			a = s.at
			continue
		}
		forth = append(forth, b)
		b = b.parent
	}
	for i := len(forth) - 1; i >= 0; i-- {
		s.apply(forth[i])
	}
}

// apply goes to a child of where the state is.
func (s *state) apply(n *node) {
	for i, c := range n.entry.Changes {
		key := c.Member.Key
		switch c.Kind {
		case Add:
			s.members[key] = c.Member
			s.wraps[c.Member.Wrap] = key
			s.lives[key] = append(s.lives[key], life{from: n.entry.Epoch, until: forever, added: n})
		case Remove:
			delete(s.members, key)
			delete(s.wraps, c.Member.Wrap)
			last := s.last(key)
			last.until, last.removed = n.entry.Epoch, n
		}
		for _, v := range n.vouchers[i] {
			s.vouches[v] = append(s.vouches[v], n.entry.Time)
		}
	}
	s.masters[n.entry.MasterHash] = true
	s.at = n
}

// undo goes to the parent.
func (s *state) undo() {
	n := s.at
	for i := len(n.entry.Changes) - 1; i >= 0; i-- {
		c := n.entry.Changes[i]
		key := c.Member.Key
		for _, v := range n.vouchers[i] {
			s.vouches[v] = s.vouches[v][:len(s.vouches[v])-1]
		}
		switch c.Kind {
		case Add:
			delete(s.members, key)
			delete(s.wraps, c.Member.Wrap)
			if s.lives[key] = s.lives[key][:len(s.lives[key])-1]; len(s.lives[key]) == 0 {
				delete(s.lives, key)
			}
		case Remove:
			s.members[key] = c.Member // a removal has the member as it stood
			s.wraps[c.Member.Wrap] = key
			last := s.last(key)
			last.until, last.removed = forever, nil
		}
	}
	delete(s.masters, n.entry.MasterHash) // no ancestor has the same
	s.at = n.parent
}

// last is the newest life of a key, nil if it never was a member.
func (s *state) last(key Key) *life {
	list := s.lives[key]
	if len(list) == 0 {
		return nil
	}
	return &list[len(list)-1]
}

// standing is the entry that last added or removed key, zero for none.
func (s *state) standing(key Key) world.Hash {
	switch l := s.last(key); {
	case l == nil:
		return world.Hash{}
	case l.removed == nil:
		return l.added.hash
	default:
		return l.removed.hash
	}
}

// removed reports whether key was a member and is none. Such a key decides
// nothing, were it a founder's.
func (s *state) removed(key Key) bool {
	l := s.last(key)
	return l != nil && l.removed != nil
}

// was reports whether key was a member in an epoch: also in the one in which it
// was added, no more in the one in which it was removed.
func (s *state) was(key Key, epoch uint64) bool {
	for _, l := range s.lives[key] {
		if l.from <= epoch && epoch < l.until {
			return true
		}
	}
	return false
}

// young reports whether key was itself vouched for, less than VouchAge before a time.
// Whom founders admitted is never young.
func (s *state) young(key Key, at uint64) bool {
	l := s.last(key)
	if l == nil || len(l.added.vouchers[changeOf(&l.added.entry, key)]) == 0 {
		return false
	}
	return at < l.added.entry.Time+uint64(VouchAge/time.Millisecond) // our own clock may be a little behind
}

// vouched is how often key vouched in the window that ends at a time.
func (s *state) vouched(key Key, at uint64) int {
	n := 0
	for _, t := range s.vouches[key] {
		if at-t < uint64(VouchWindow/time.Millisecond) { // times never go back
			n++
		}
	}
	return n
}
