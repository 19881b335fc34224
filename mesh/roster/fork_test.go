package roster

import (
	"strings"
	"testing"
	"time"
)

// forked is a group with two entries after the founding, and a child of the
// first.
func forked(t *testing.T) (g *group, a, b, child Entry) {
	g = newGroup(t, spec{n: 3, m: 2, t: 2})
	p, q, r := someone(20, "op-20"), someone(21, "op-21"), someone(22, "op-22")
	g.later(time.Hour)
	a = g.forge(g.founders[0], []Change{g.approved(Change{Kind: Add, Member: p.Member}, g.founders[:2]...)}, nil)
	b = g.forge(g.founders[1], []Change{g.as(g.founders[1]).approved(Change{Kind: Add, Member: q.Member}, g.founders[:2]...)}, nil)
	c := g.as(p).approved(Change{Kind: Add, Member: r.Member}, g.founders[:2]...)
	g.must(a, nil)
	child = g.forge(p, []Change{c}, nil)
	g.must(child, nil)
	return g, a, b, child
}

func TestForkStaysOnTheParent(t *testing.T) {
	g, a, b, child := forked(t)
	if _, is := g.roster.Forked(); is || g.roster.Alarm() != "" {
		t.Fatal("there is no fork yet")
	}
	g.must(b, nil) // late: two generations are taken back
	generation, head := g.roster.Head()
	if generation != 1 || head != a.Previous {
		t.Errorf("head = %d %s, want the common parent", generation, head.Short())
	}
	if _, is := g.roster.Member(someone(20, "").Key); is {
		t.Error("who is on one branch only is no member")
	}
	f, is := g.roster.Forked()
	if !is || f.Parent != a.Previous || len(f.Branches) != 2 || !f.Open {
		t.Errorf("Forked = %+v, %v", f, is)
	}
	for _, e := range f.Branches {
		if DecodeMust(t, e).Hash() != a.Hash() && e.Hash() != b.Hash() {
			t.Error("both entries are the proof")
		}
	}
	alarm := g.roster.Alarm()
	if !strings.Contains(alarm, a.Hash().Short()) || !strings.Contains(alarm, b.Hash().Short()) || !strings.Contains(alarm, "2 founders choose") {
		t.Errorf("alarm: %s", alarm)
	}
	if got := len(g.roster.Entries(0)); got != 4 {
		t.Errorf("%d entries to sync, want all 4", got)
	}

	// Nothing is proposed or rotated meanwhile.
	_, err := g.propose(g.founders[0], g.approved(Change{Kind: Add, Member: someone(23, "").Member}, g.founders[:2]...))
	wantError(t, err, ErrForked)
	if allowed, _ := g.roster.Rotation(g.now.Add(48 * time.Hour)); allowed {
		t.Error("no rotation while the roster is forked")
	}

	// One founder is not enough, a stranger is none, two are.
	choice, err := g.roster.ProposeChoice(g.founders[0].key, a.Hash())
	if err != nil {
		t.Fatal(err)
	}
	wantError(t, g.roster.Choose(choice), ErrApproval)
	stranger := choice
	stranger.Sign(someone(40, "").key)
	wantError(t, g.roster.Choose(stranger), ErrSignature)
	choice.Sign(g.founders[2].key)
	choice.Sign(g.founders[2].key)
	if err := g.roster.Choose(choice); err != nil {
		t.Fatal(err)
	}
	if generation, head := g.roster.Head(); generation != 3 || head != child.Hash() {
		t.Errorf("head = %d, want the end of the branch that was chosen", generation)
	}
	if _, is := g.roster.Forked(); is || g.roster.Alarm() != "" {
		t.Error("the fork is settled")
	}
	if list := g.roster.Forks(); len(list) != 1 || list[0].Open || len(list[0].Branches) != 2 {
		t.Errorf("Forks = %+v, want the proof of the settled one", list)
	}
	_, err = g.roster.ProposeChoice(g.founders[0].key, a.Hash())
	if err == nil {
		t.Error("there is nothing to choose any more")
	}
}

// DecodeMust sends an entry over a wire.
func DecodeMust(t *testing.T, e Entry) Entry {
	t.Helper()
	out, err := DecodeEntry(e.Canonical())
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestChoices(t *testing.T) {
	g, a, b, _ := forked(t)
	g.must(b, nil)
	choose := func(e Entry, number uint64) Choice {
		c := Choice{World: g.world.ID, Parent: a.Previous, Chosen: e.Hash(), Number: number}
		c.Sign(g.founders[0].key)
		c.Sign(g.founders[1].key)
		if err := g.roster.Choose(c); err != nil {
			t.Fatal(err)
		}
		return c
	}
	head := func() uint64 { n, _ := g.roster.Head(); return n }
	choose(b, 1)
	if head() != 2 {
		t.Errorf("head = %d, want 2", head())
	}
	choose(a, 1)
	if alarm := g.roster.Alarm(); head() != 1 || !strings.Contains(alarm, "chose both") {
		t.Errorf("head = %d, alarm %q, want that founders chose both", head(), alarm)
	}
	c, err := g.roster.ProposeChoice(g.founders[0].key, a.Hash())
	if err != nil || c.Number != 2 {
		t.Fatalf("number %d, %v, want 2", c.Number, err)
	}
	choose(a, 2)
	if head() != 3 {
		t.Errorf("head = %d, want 3", head())
	}
	// A third branch changes nothing any more.
	late := g.forge(g.founders[2], []Change{g.as(g.founders[2]).approved(Change{Kind: Add, Member: someone(25, "").Member}, g.founders[:2]...)}, func(e *Entry) {
		e.Generation, e.Previous = 2, a.Previous
	})
	g.must(late, nil)
	if head() != 3 {
		t.Errorf("head = %d, want 3", head())
	}
	// A choice of what has not come: wait for it.
	other := late
	other.Changes = []Change{g.as(g.founders[2]).approved(Change{Kind: Add, Member: someone(26, "").Member}, g.founders[:2]...)}
	other.Signatures = nil
	other.Sign(g.founders[2].key)
	choose(other, 3)
	if alarm := g.roster.Alarm(); head() != 1 || !strings.Contains(alarm, "has not arrived") {
		t.Errorf("head = %d, alarm %q, want that an entry is awaited", head(), alarm)
	}
	g.must(other, nil)
	if head() != 2 {
		t.Errorf("head = %d, want 2", head())
	}
	wantError(t, g.roster.Choose(Choice{World: g.world.ID, Parent: [32]byte{1}}), ErrParent)
	wantError(t, g.roster.Choose(Choice{Parent: a.Previous}), ErrWorld)
}

// A founder that a branch removed may not choose after it.
func TestRemovedFounderDoesNotChoose(t *testing.T) {
	g := newGroup(t, spec{n: 3, m: 2, t: 2})
	g.remove(g.founders[2])
	g.later(time.Hour)
	a := g.forge(g.founders[0], []Change{g.approved(Change{Kind: Add, Member: someone(20, "").Member}, g.founders[:2]...)}, nil)
	b := g.forge(g.founders[1], []Change{g.as(g.founders[1]).approved(Change{Kind: Add, Member: someone(21, "").Member}, g.founders[:2]...)}, nil)
	g.must(a, nil)
	g.must(b, nil)
	c, err := g.roster.ProposeChoice(g.founders[0].key, a.Hash())
	if err != nil {
		t.Fatal(err)
	}
	c.Sign(g.founders[2].key)
	wantError(t, g.roster.Choose(c), ErrRemoved)
}

func TestBranchesAreBounded(t *testing.T) {
	g := newGroup(t, spec{n: 1, m: 1, t: 1})
	var all []Entry
	for i := range maxBranches + 2 {
		all = append(all, g.forge(g.founders[0], []Change{g.approved(Change{Kind: Add, Member: someone(20+i, "").Member}, g.founders[0])}, nil))
	}
	for _, e := range all[:maxBranches] {
		g.must(e, nil)
	}
	wantError(t, g.roster.Append(all[maxBranches], g.now), ErrBranches)
	// One that founders chose is always taken.
	c := Choice{World: g.world.ID, Parent: all[0].Previous, Chosen: all[maxBranches+1].Hash(), Number: 1}
	c.Sign(g.founders[0].key)
	if err := g.roster.Choose(c); err != nil {
		t.Fatal(err)
	}
	wantError(t, g.roster.Append(all[maxBranches], g.now), ErrBranches)
	g.must(all[maxBranches+1], nil)
	if n, _ := g.roster.Head(); n != 2 {
		t.Errorf("head = %d, want 2", n)
	}
}

// Approvals that are public by now are of no use to another member, nor to one
// that was evicted: it cannot fork the roster where it was a member still.
func TestOldApprovalsMakeNoFork(t *testing.T) {
	g := newGroup(t, spec{n: 3, m: 2, t: 2})
	x, y := someone(20, "op-20"), someone(21, "op-21")
	g.add(x)
	_, parent := g.roster.Head()
	admitted := g.add(y)
	g.remove(x)
	for _, by := range []person{x, y, g.founders[1]} {
		e := g.forge(by, admitted.Changes, func(e *Entry) {
			e.Generation, e.Previous, e.Time, e.Epoch = 3, parent, admitted.Time, admitted.Epoch
		})
		want := ErrSignature
		if by.Key == y.Key {
			want = ErrProposer // it was no member there
		}
		wantError(t, g.roster.Append(e, g.now), want)
	}
}

// Whoever proposed an entry can make another after its parent, long after it was
// evicted. Once a quorum of directory signers has followed the first, that is a
// proof against it, and takes nothing back.
func TestLateForkIsSettledByRotation(t *testing.T) {
	g := newGroup(t, spec{n: 3, m: 2, t: 2})
	x, y := someone(20, "op-20"), someone(21, "op-21")
	g.add(x)
	_, parent := g.roster.Head()
	c := g.as(x).approved(Change{Kind: Add, Member: y.Member}, g.founders[:2]...)
	first, second := g.forge(x, []Change{c}, nil), g.forge(x, []Change{c}, nil)
	g.must(first, nil)
	g.remove(x)
	g.later(MinRotation)
	r := g.forge(g.founders[0], nil, nil)
	r.Sign(g.founders[1].key)
	g.must(r, nil)
	g.must(second, nil)
	if n, head := g.roster.Head(); head != r.Hash() {
		t.Errorf("head = %d, want the rotation", n)
	}
	list := g.roster.Forks()
	if len(list) != 1 || list[0].Open || list[0].Parent != parent || len(list[0].Branches) != 2 {
		t.Errorf("Forks = %+v, want the proof against who made two entries", list)
	}
	// Founders may still say otherwise.
	choice := Choice{World: g.world.ID, Parent: parent, Chosen: second.Hash()}
	choice.Sign(g.founders[0].key)
	choice.Sign(g.founders[2].key)
	if err := g.roster.Choose(choice); err != nil {
		t.Fatal(err)
	}
	if _, head := g.roster.Head(); head != second.Hash() {
		t.Error("the founders' word counts for more than a rotation")
	}
}

// The same rotation, signed by other signers, is no fork.
func TestOtherSignersAreNoFork(t *testing.T) {
	g := newGroup(t, spec{n: 3, m: 2, t: 2})
	g.later(MasterLife)
	e := g.forge(g.founders[0], nil, nil)
	first, second := e, e
	first.Sign(g.founders[1].key)
	second.Sign(g.founders[2].key)
	g.must(first, nil)
	g.must(second, nil)
	if _, is := g.roster.Forked(); is {
		t.Error("one entry, signed by different quorums, is one entry")
	}
}
