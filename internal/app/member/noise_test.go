package member

import (
	"crypto/ed25519"
	"crypto/rand"
	"testing"
	"time"

	"github.com/culvert-net/culvert/mesh/roster"
	"github.com/culvert-net/culvert/mesh/world"
)

// A member whose entry has noise in everybody's box takes the group's key away, but
// not the means to evict it: the others go on under the key before.
func TestNoiseInAllBoxes(t *testing.T) {
	a, b, x := newKey(t), newKey(t), newKey(t)
	w := makeWorld(t, 2, a, b)
	ma, mb, mx := open(t, w, a), open(t, w, b), open(t, w, x)
	try(t, Found([]Founder{{Member: ma, Role: roster.RoleMemory}, {Member: mb, Role: roster.RoleMemory}, {Member: mx, Role: roster.RoleMemory}},
		keysOf(a, b), time.Now()))
	s := start(t, ma, mb, mx)
	generation, _ := ma.Roster().Head()

	// It invites somebody, and both founders agree.
	other := open(t, w, newKey(t))
	c := roster.Change{Kind: roster.Add, Member: roster.Member{Key: other.Self(), Wrap: other.Wrap(), Role: roster.RoleMemory}}
	for _, key := range keysOf(a, b) {
		approval, err := mx.Roster().Approve(key, roster.Petition{Proposer: mx.Self(), Change: c}, roster.NoProviders{}, time.Now())
		try(t, err)
		c.Approvals = append(c.Approvals, approval)
	}
	e, boxes, err := mx.Roster().Propose(x, []roster.Change{c}, roster.NoProviders{}, time.Now())
	try(t, err)
	for i := range boxes.Sealed {
		if boxes.Sealed[i].Key != mx.Self() {
			_, _ = rand.Read(boxes.Sealed[i].Box[:])
		}
	}
	unsigned := boxes.Canonical()
	unsigned = unsigned[:len(unsigned)-ed25519.SignatureSize]
	message := world.Domain("boxes-sig").Message(w.ID, world.Sum(append([]byte("roster-boxes"), unsigned...)))
	copy(boxes.Signature[:], ed25519.Sign(x, message))
	for _, m := range []*Member{ma, mb, mx} {
		try(t, (group{m}).Learn([][]byte{record{entry: e, boxes: &boxes}.encode()}))
	}
	if g, _ := ma.Roster().Head(); g != generation+1 || ma.keys.Has(e.Hash()) {
		t.Fatalf("generation %d, has its key: %v; the test wants the next one without", g, ma.keys.Has(e.Hash()))
	}

	epoch, id := endorsed(t, ma, "ab")
	if why := meet(t, s[0], mb); why != "none" {
		t.Fatalf("a with b, neither of whom has the key: %s", why)
	}
	if has, err := mb.events.Has(epoch, id); !has || err != nil {
		t.Errorf("b has what a said: %v, %v", has, err)
	}
	// With one who has it they speak as well, under what both have.
	if why := meet(t, s[2], ma); why != "none" {
		t.Errorf("who has the key with one who has not: %s", why)
	}
	for i, m := range []*Member{ma, mb} {
		_, err := (&Ops{Member: m}).evict(t.Context(), Named{Name: fullKey(mx.Self())})
		try(t, err)
		if why := meet(t, s[i], []*Member{mb, ma}[i]); why != "none" {
			t.Fatalf("the session after founder %d evicted: %s", i, why)
		}
	}
	try(t, ma.settle(t.Context(), time.Now()))
	if why := meet(t, s[0], mb); why != "none" {
		t.Errorf("after the eviction: %s", why)
	}
	_, head := mb.Roster().Head()
	if _, still := mb.Roster().Member(mx.Self()); still || !mb.keys.Has(head) || mx.keys.Has(head) {
		t.Errorf("evicted: %v; b has the new key: %v, the evicted: %v", !still, mb.keys.Has(head), mx.keys.Has(head))
	}
	if why := meet(t, s[2], mb); why == "none" {
		t.Error("the evicted is answered")
	}
}
