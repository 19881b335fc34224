package roster

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/culvert-net/culvert/mesh/world"
)

// Roster is who is a member, as far as the entries say that were appended. What
// it answers depends on the set of entries and choices only, and not on the
// order in which they came.
type Roster struct {
	rules rules // immutable

	mu      sync.Mutex
	root    *node
	nodes   map[world.Hash]*node    // the root under the world's id
	choices map[world.Hash][]Choice // by parent; highest number first
	head    *node                   // the newest entry that is beyond doubt
	state   *state                  // at the head between calls
}

// New is the roster of a world before its first entry.
func New(w *world.World) *Roster { return newRoster(newRules(w)) }

func newRoster(r rules) *Roster {
	root := &node{hash: r.world.ID}
	return &Roster{
		rules: r, root: root, nodes: map[world.Hash]*node{r.world.ID: root}, head: root,
		choices: make(map[world.Hash][]Choice), state: newState(root),
	}
}

// Append takes an entry whose parent is known. One that is known already is no
// error. The clock's now only refuses what is ahead of it, with ErrFuture; that
// and ErrParent may pass, every other error stays.
func (r *Roster) Append(e Entry, now time.Time) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.append(e, now, func() error { return nil })
}

// append is Append. Between the check and the change it calls persist, whose
// error leaves all as it was. The caller holds mu.
func (r *Roster) append(e Entry, now time.Time, persist func() error) error {
	name := e.Hash()
	if r.nodes[name] != nil {
		return nil
	}
	vouchers, err := r.check(&e, name, now)
	if err == nil {
		err = persist()
	}
	if err != nil {
		return fmt.Errorf("roster entry %s of generation %d: %w", name.Short(), e.Generation, err)
	}
	parent := r.nodes[e.Previous]
	n := &node{hash: name, entry: e, parent: parent, vouchers: vouchers}
	r.nodes[name] = n
	parent.children = append(parent.children, n)
	if e.Rotation() {
		for a := n; a != nil && !a.anchored; a = a.parent {
			a.anchored = true
		}
	}
	r.settle(parent)
	return nil
}

// check says what is wrong with an entry, and changes nothing.
func (r *Roster) check(e *Entry, name world.Hash, now time.Time) ([][]Key, error) {
	if e.World != r.rules.world.ID {
		return nil, fmt.Errorf("%w: %s", ErrWorld, e.World.Short())
	}
	parent := r.nodes[e.Previous]
	if parent == nil {
		return nil, ErrParent
	}
	if limit := now.Add(MaxSkew).UnixMilli(); limit < 0 || e.Time > uint64(limit) {
		ahead := time.Duration(int64(e.Time)-now.UnixMilli()) * time.Millisecond
		return nil, fmt.Errorf("%w: %v ahead", ErrFuture, ahead)
	}
	if len(parent.children) >= maxBranches {
		if c, ok := r.choice(parent); !ok || c.Chosen != name {
			return nil, ErrBranches
		}
	}
	r.state.moveTo(parent)
	defer r.state.moveTo(r.head)
	return r.rules.check(r.state, e)
}

// Choose takes the founders' choice for a parent that is known.
func (r *Roster) Choose(c Choice) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.choose(c, func() error { return nil })
}

// choose is Choose, with persist as append has it. The caller holds mu.
func (r *Roster) choose(c Choice, persist func() error) error {
	if r.hasChoice(c) {
		return nil
	}
	err := r.checkChoice(&c)
	if err == nil {
		err = persist()
	}
	if err != nil {
		return fmt.Errorf("choice after %s: %w", c.Parent.Short(), err)
	}
	list := append(r.choices[c.Parent], c)
	slices.SortFunc(list, func(a, b Choice) int {
		x, y := a.Hash(), b.Hash()
		return cmp.Or(cmp.Compare(b.Number, a.Number), bytes.Compare(x[:], y[:]))
	})
	r.choices[c.Parent] = list[:min(len(list), maxChoices)]
	r.settle(r.nodes[c.Parent])
	return nil
}

func (r *Roster) hasChoice(c Choice) bool {
	name := c.Hash()
	return slices.ContainsFunc(r.choices[c.Parent], func(o Choice) bool { return o.Hash() == name })
}

func (r *Roster) checkChoice(c *Choice) error {
	if c.World != r.rules.world.ID {
		return fmt.Errorf("%w: %s", ErrWorld, c.World.Short())
	}
	parent := r.nodes[c.Parent]
	if parent == nil {
		return ErrParent
	}
	r.state.moveTo(parent)
	defer r.state.moveTo(r.head)
	return r.rules.checkChoice(r.state, c)
}

// settle moves the head after something changed at a node: from there along the
// only child, the chosen one or the only one that signers anchored, until there
// is none. What changed elsewhere
// than at the head may have put an earlier entry in doubt.
func (r *Roster) settle(changed *node) {
	if changed != r.head {
		r.head = r.root
	}
	for next := r.next(r.head); next != nil; next = r.next(r.head) {
		r.head = next
	}
	r.state.moveTo(r.head)
}

// next is the entry that follows n, nil if there is none or nobody knows which.
// Without the founders' word it is the one that a rotation follows: a quorum of
// directory signers has followed it, and no other can have. So whoever makes
// a second entry after an old parent takes nothing back.
func (r *Roster) next(n *node) *node {
	if len(r.choices[n.hash]) > 0 {
		c, ok := r.choice(n)
		if !ok {
			return nil
		}
		if chosen := r.nodes[c.Chosen]; chosen != nil && chosen.parent == n {
			return chosen
		}
		return nil
	}
	if len(n.children) == 1 {
		return n.children[0]
	}
	var anchored *node
	for _, c := range n.children {
		switch {
		case c.anchored && anchored != nil:
			return nil
		case c.anchored:
			anchored = c
		}
	}
	return anchored
}

// choice is the one that holds at n.
func (r *Roster) choice(n *node) (Choice, bool) {
	list := r.choices[n.hash]
	if len(list) == 0 || len(list) > 1 && list[0].Number == list[1].Number {
		return Choice{}, false
	}
	return list[0], true
}

// Head is the newest generation that is beyond doubt, and its entry's hash:
// 0 and the world's id before the first.
func (r *Roster) Head() (uint64, world.Hash) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.head.entry.Generation, r.head.hash
}

// Members are all members, sorted by key.
func (r *Roster) Members() []Member {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.state.list()
}

// Member finds a member by its key.
func (r *Roster) Member(key Key) (Member, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	m, ok := r.state.members[key]
	return m, ok
}

// WasMember reports whether key's events of an epoch count: from the epoch in
// which it was added, until before the one in which it was removed.
func (r *Roster) WasMember(key Key, epoch uint64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.state.was(key, epoch)
}

// MembersIn are the members whose events of an epoch count, as they stood when
// they were added, sorted by key.
func (r *Roster) MembersIn(epoch uint64) []Member {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []Member
	for key, lives := range r.state.lives {
		for _, l := range lives {
			if l.from <= epoch && epoch < l.until {
				out = append(out, l.member(key))
				break
			}
		}
	}
	slices.SortFunc(out, func(a, b Member) int { return bytes.Compare(a.Key[:], b.Key[:]) })
	return out
}

// Providers tells who stands as a provider in the directory. It is what this
// node knows now, so it decides whom we approve and speak with, and never
// whether an entry is valid. Its methods are called while the roster is locked,
// and must not call it.
type Providers interface {
	// IsProvider reports whether key itself said that it serves a model. What
	// others say of it, or it of others, does not count.
	IsProvider(key Key) bool
}

// Check returns nil if key is a member with whom the control plane may be
// shared, and else why not.
func (r *Roster) Check(key Key, p Providers) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	m, is := r.state.members[key]
	switch {
	case r.state.removed(key):
		return fmt.Errorf("%s: %w", short(key), ErrRemoved)
	case !is:
		return fmt.Errorf("%s: %w", short(key), ErrNotMember)
	}
	return checkProvider(m, p)
}

func checkProvider(m Member, p Providers) error {
	if p.IsProvider(m.Key) {
		return fmt.Errorf("%s: %w", short(m.Key), ErrProvider)
	}
	return nil
}

// Sponsors are the members whose vouching let key in: who trusts them may trust
// them less if it turns out bad. Those that founders admitted have none.
func (r *Roster) Sponsors(key Key) []Key {
	r.mu.Lock()
	defer r.mu.Unlock()
	l := r.state.last(key)
	if l == nil {
		return nil
	}
	return slices.Clone(l.added.vouchers[changeOf(&l.added.entry, key)])
}

// AtStart is the generation that was the newest when an epoch began, and its
// entry's hash. All members agree on it during the epoch. In the epoch of the
// first entry and before it is the first.
func (r *Roster) AtStart(epoch uint64) (generation uint64, entry world.Hash, ok bool) {
	n := r.newest(func(n *node) bool { return n.entry.Epoch < epoch || n.entry.Generation == 1 })
	if n == nil {
		return 0, world.Hash{}, false
	}
	return n.entry.Generation, n.hash, true
}

// newest is the last entry up to the head for which f is true, nil for none.
func (r *Roster) newest(f func(*node) bool) *node {
	r.mu.Lock()
	defer r.mu.Unlock()
	for n := r.head; n.parent != nil; n = n.parent {
		if f(n) {
			return n
		}
	}
	return nil
}

// Rotation tells whether the master may be rotated, and whether it should be.
// While the roster is forked it may not.
func (r *Roster) Rotation(now time.Time) (allowed, due bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	at := r.head
	if at.parent == nil || r.stuck() {
		return false, false
	}
	age := now.Sub(time.UnixMilli(int64(at.entry.Time)))
	return age >= MinRotation, age >= MasterLife
}

// Entries are all entries from a generation on, those of every branch, parents
// first: what another node needs that knows all before.
func (r *Roster) Entries(from uint64) []Entry {
	r.mu.Lock()
	defer r.mu.Unlock()
	var list []*node
	for _, n := range r.nodes {
		if n.parent != nil && n.entry.Generation >= from {
			list = append(list, n)
		}
	}
	slices.SortFunc(list, byGeneration)
	out := make([]Entry, len(list))
	for i, n := range list {
		out[i] = n.entry
	}
	return out
}

// Has reports whether an entry is known.
func (r *Roster) Has(entry world.Hash) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.nodes[entry] != nil
}

// Entry finds an entry by its hash, on any branch.
func (r *Roster) Entry(entry world.Hash) (Entry, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := r.nodes[entry]
	if n == nil || n.parent == nil {
		return Entry{}, false
	}
	return n.entry, true
}

// Choices are all choices that are kept, for sync.
func (r *Roster) Choices() []Choice {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []Choice
	for _, parent := range slices.SortedFunc(maps.Keys(r.choices), func(a, b world.Hash) int { return bytes.Compare(a[:], b[:]) }) {
		out = append(out, r.choices[parent]...)
	}
	return out
}

func byGeneration(a, b *node) int {
	return cmp.Or(cmp.Compare(a.entry.Generation, b.entry.Generation), bytes.Compare(a.hash[:], b.hash[:]))
}

// list are the members, sorted by key.
func (s *state) list() []Member {
	return slices.SortedFunc(maps.Values(s.members), func(a, b Member) int { return bytes.Compare(a.Key[:], b.Key[:]) })
}

// membersAfter are the members after an entry of any branch.
func (r *Roster) membersAfter(entry world.Hash) ([]Member, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := r.nodes[entry]
	if n == nil {
		return nil, false
	}
	r.state.moveTo(n)
	defer r.state.moveTo(r.head)
	return r.state.list(), true
}
