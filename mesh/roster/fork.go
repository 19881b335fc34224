package roster

import (
	"crypto/ed25519"
	"fmt"
	"slices"

	"github.com/culvert-net/culvert/mesh/world"
)

// Fork is a parent that several entries follow. The entries are the proof: each
// is signed by those who could.
type Fork struct {
	Parent     world.Hash // the world's id if the first entry is in doubt
	Generation uint64     // of the parent
	Branches   []Entry
	Choices    []Choice // the highest number first
	Open       bool     // nobody knows which branch to follow
}

// Forked is the fork at which the roster stands, if it does. The head is its
// parent until m founders choose a branch.
func (r *Roster) Forked() (Fork, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.stuck() {
		return Fork{}, false
	}
	return r.fork(r.head), true
}

// stuck reports whether the head cannot be left without the founders' word, or
// without an entry that they chose. The caller holds mu.
func (r *Roster) stuck() bool {
	return len(r.head.children) > 0 || len(r.choices[r.head.hash]) > 0
}

// Forks are all forks there ever were, settled ones too.
func (r *Roster) Forks() []Fork {
	r.mu.Lock()
	defer r.mu.Unlock()
	var list []*node
	for _, n := range r.nodes {
		if len(n.children) > 1 {
			list = append(list, n)
		}
	}
	slices.SortFunc(list, byGeneration)
	out := make([]Fork, len(list))
	for i, n := range list {
		out[i] = r.fork(n)
	}
	return out
}

func (r *Roster) fork(n *node) Fork {
	children := slices.SortedFunc(slices.Values(n.children), byGeneration)
	f := Fork{
		Parent: n.hash, Generation: n.entry.Generation,
		Choices: slices.Clone(r.choices[n.hash]), Open: r.next(n) == nil,
	}
	for _, c := range children {
		f.Branches = append(f.Branches, c.entry)
	}
	return f
}

// Alarm is what an operator must be told, empty if all is well.
func (r *Roster) Alarm() string {
	f, ok := r.Forked()
	if !ok {
		return ""
	}
	list := ""
	for i, e := range f.Branches {
		if i > 0 {
			list += ", "
		}
		list += fmt.Sprintf("%s (by %s, %d changes)", e.Hash().Short(), short(e.Proposer), len(e.Changes))
	}
	switch {
	case len(f.Choices) > 1 && f.Choices[0].Number == f.Choices[1].Number:
		return fmt.Sprintf("roster: founders chose both %s and %s after generation %d; they have to choose again, with a higher number than %d",
			f.Choices[0].Chosen.Short(), f.Choices[1].Chosen.Short(), f.Generation, f.Choices[0].Number)
	case len(f.Choices) > 0:
		return fmt.Sprintf("roster: founders chose entry %s after generation %d, which has not arrived; the roster stays at generation %d until then",
			f.Choices[0].Chosen.Short(), f.Generation, f.Generation)
	default:
		return fmt.Sprintf("roster: %d entries follow generation %d: %s; it stays there until %d founders choose one",
			len(f.Branches), f.Generation, list, r.rules.decides)
	}
}

// ProposeChoice begins the choice of a branch at the fork where the roster
// stands, signed by one founder. Others Sign what it returns, until it is good
// for Choose.
func (r *Roster) ProposeChoice(key ed25519.PrivateKey, chosen world.Hash) (Choice, error) {
	f, ok := r.Forked()
	if !ok {
		return Choice{}, fmt.Errorf("choosing entry %s: the roster is not forked", chosen.Short())
	}
	if !slices.ContainsFunc(f.Branches, func(e Entry) bool { return e.Hash() == chosen }) {
		return Choice{}, fmt.Errorf("choosing entry %s: it does not follow generation %d", chosen.Short(), f.Generation)
	}
	c := Choice{World: r.rules.world.ID, Parent: f.Parent, Chosen: chosen, Number: 1}
	if len(f.Choices) > 0 {
		c.Number = f.Choices[0].Number + 1
	}
	c.Sign(key)
	return c, nil
}
