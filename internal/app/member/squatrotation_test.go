package member

import (
	"testing"
	"time"

	"github.com/culvert-net/culvert/mesh/roster"
	"github.com/culvert-net/culvert/mesh/world"
)

// Proposals that nobody signed, or that a member makes when it is not its turn, take
// no room and get no signature: four of them would end all rotations.
func TestRotationIsNotSquatted(t *testing.T) {
	a, b := newKey(t), newKey(t)
	w := makeWorld(t, 1, a, b)
	ma, mb := open(t, w, a), open(t, w, b)
	day := time.Now().Add(-roster.MasterLife - 25*turn)
	try(t, foundBy(ma, "", day.Add(-time.Minute), a))
	joinDirectlyAt(t, ma, mb, b, day)
	s := start(t, ma, mb)
	generation, head := ma.Roster().Head()
	var junk [][]byte
	for n := range maxProposed {
		e := roster.Entry{
			Version: roster.Version, World: w.ID, Generation: generation + 1, Previous: head, Time: uint64(time.Now().UnixMilli()),
			Epoch: w.Epoch(time.Now()), MasterHash: world.Hash{byte(n)}, Proposer: mb.Self(),
		}
		junk = append(junk, e.Canonical())
	}
	for _, m := range []*Member{ma, mb} {
		try(t, m.rotations.Merge(junk))
		if n := len(m.rotations.Items()); n != 0 {
			t.Errorf("%d proposals that nobody signed are handed on", n)
		}
	}
	// Both are signers, and none signs what comes out of turn.
	rank, _ := ma.Roster().Rank(mb.Self())
	at, _ := ma.Roster().Entry(head)
	due := time.UnixMilli(int64(at.Time)).Add(roster.MasterLife)
	for name, when := range map[string]time.Time{
		"before it is due":       due.Add(-time.Hour),
		"in the turn of another": due.Add(time.Duration(1-rank)*turn + time.Second),
	} {
		e := roster.Entry{
			Version: roster.Version, World: w.ID, Generation: generation + 1, Previous: head, Time: uint64(when.UnixMilli()),
			Epoch: w.Epoch(when), MasterHash: world.Hash{9}, Proposer: mb.Self(),
		}
		e.Sign(b)
		try(t, ma.rotations.Merge([][]byte{e.Canonical()}))
		if n := len(ma.rotations.Items()); n != 0 {
			t.Errorf("a proposal made %s is kept", name)
		}
	}
	for range 3 {
		for _, x := range s {
			try(t, x.rotations.propose(t.Context(), time.Now()))
		}
		meet(t, s[0], mb)
		meet(t, s[1], ma)
	}
	if g, _ := ma.Roster().Head(); g != generation+1 {
		t.Errorf("generation %d, want the rotation after %d", g, generation)
	}
}
