package member

import (
	"context"
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/culvert-net/culvert/mesh/gossip"
	"github.com/culvert-net/culvert/mesh/roster"
	"github.com/culvert-net/culvert/mesh/world"
)

// endorsed says something, for others to get.
func endorsed(t testing.TB, m *Member, rules string) (uint64, world.Hash) {
	t.Helper()
	said, err := (&Ops{Member: m}).endorse(t.Context(), EndorseIn{Rules: strings.Repeat(rules, 32), Weight: 1})
	try(t, err)
	id, err := world.ParseHash(said.ID)
	try(t, err)
	return said.Epoch, id
}

// evicted removes m by the word of the one founder that host is.
func evicted(t testing.TB, host, m *Member) {
	t.Helper()
	out, err := (&Ops{Member: host}).evict(t.Context(), Named{Name: fullKey(m.Self())})
	try(t, err)
	if out.Missing != 0 {
		t.Fatalf("evicting %s takes %d approvals more", short(m.Self()), out.Missing)
	}
}

// Who was evicted gets no session from anybody who knows, nothing that was said
// after, and no key of the generation that began with it.
func TestEvicted(t *testing.T) {
	a, b, c := newKey(t), newKey(t), newKey(t)
	w := makeWorld(t, 1, a)
	ma, mb, mc := open(t, w, a), open(t, w, b), open(t, w, c)
	try(t, foundBy(ma, "", time.Now(), a))
	admitted(t, ma, mb)
	admitted(t, ma, mc)
	s := start(t, ma, mb, mc)
	for _, m := range []*Member{ma, mb} {
		if why := meet(t, s[2], m); why != "none" {
			t.Fatalf("c with %s before: %s", short(m.Self()), why)
		}
	}
	evicted(t, ma, mc)
	if why := meet(t, s[1], ma); why != "none" {
		t.Fatalf("b with a: %s", why)
	}
	epoch, id := endorsed(t, ma, "ab")
	generation, entry := ma.Roster().Head()
	for _, x := range []struct {
		who  *Service
		with *Member
	}{{s[2], ma}, {s[2], mb}, {s[0], mc}, {s[1], mc}} {
		if why := meet(t, x.who, x.with); why == "none" {
			t.Errorf("%s had a session with %s after the eviction", short(x.who.Self()), short(x.with.Self()))
		}
	}
	if has, err := mc.events.Has(epoch, id); has || err != nil {
		t.Errorf("the evicted has what was said after, %v", err)
	}
	if mc.keys.Has(entry) || mc.Roster().Has(entry) || (group{mc}).Key(entry, epoch) != nil {
		t.Errorf("the evicted has generation %d", generation)
	}
	// Given the entry and its boxes, by whoever betrays the group, it reads nothing.
	boxes, err := ma.chain.Boxes(entry)
	try(t, err)
	e, _ := ma.Roster().Entry(entry)
	try(t, (group{mc}).Learn([][]byte{record{entry: e, boxes: &boxes}.encode()}))
	if mc.keys.Has(entry) || mc.IsMember() == nil {
		t.Error("with the boxes of others the evicted has the key")
	}
	if why := meet(t, s[1], ma); why != "none" {
		t.Errorf("b with a after: %s", why)
	}
}

// Who was away for many generations catches up in one session, from a member that
// has only caught up itself.
func TestRosterCatchUp(t *testing.T) {
	a, b, c := newKey(t), newKey(t), newKey(t)
	w := makeWorld(t, 1, a)
	ma, mb, mc := open(t, w, a), open(t, w, b), open(t, w, c)
	try(t, foundBy(ma, "", time.Now(), a))
	admitted(t, ma, mb)
	admitted(t, ma, mc)
	for range lookBack + 2 {
		wrap, err := ecdh.X25519().GenerateKey(rand.Reader)
		try(t, err)
		c := roster.Change{Kind: roster.Add, Member: roster.Member{Key: public(newKey(t)), Wrap: [32]byte(wrap.PublicKey().Bytes()), Role: roster.RoleMemory}}
		approval, err := ma.Roster().Approve(a, roster.Petition{Proposer: ma.Self(), Change: c}, roster.NoProviders{}, time.Now())
		try(t, err)
		c.Approvals = []roster.Approval{approval}
		try(t, ma.pool.Put(t.Context(), c, time.Now()))
		try(t, ma.settle(t.Context(), time.Now()))
	}
	s := start(t, ma, mb, mc)
	if why := meet(t, s[2], ma); why != "none" {
		t.Fatalf("c with a: %s", why)
	}
	if why := meet(t, s[1], mc); why != "none" {
		t.Fatalf("b with c: %s", why)
	}
	ga, ea := ma.Roster().Head()
	if g, e := mb.Roster().Head(); g != ga || e != ea || !mb.keys.Has(ea) {
		t.Errorf("b is in generation %d, has its key: %v; a is in %d", g, mb.keys.Has(ea), ga)
	}
}

// A founder who approves a change again is still one founder: nobody is told that it
// was carried out.
func TestApproveTwice(t *testing.T) {
	a, b := newKey(t), newKey(t)
	w := makeWorld(t, 2, a, b)
	ma, mb, mc := open(t, w, a), open(t, w, b), open(t, w, newKey(t))
	try(t, Found([]Founder{{Member: ma, Role: roster.RoleMemory}, {Member: mb, Role: roster.RoleMemory}, {Member: mc, Role: roster.RoleMemory}},
		[]ed25519.PrivateKey{a, b}, time.Now()))
	name := Named{Name: fullKey(mc.Self())}
	for _, approve := range []func(*Ops, context.Context, Named) (Approved, error){(*Ops).evict, (*Ops).admit, (*Ops).evict} {
		got, err := approve(&Ops{Member: ma}, t.Context(), name)
		try(t, err)
		if got.Missing != 1 {
			t.Errorf("%+v, want one approval missing", got)
		}
	}
	if _, is := ma.Roster().Member(mc.Self()); !is {
		t.Error("one founder of two evicted a member")
	}
}

// A founder whose machine was away for long approves by file what it never heard of:
// somebody whom its roster does not know is not taken for one who was evicted.
func TestApproveBehind(t *testing.T) {
	a, b := newKey(t), newKey(t)
	w := makeWorld(t, 2, a, b)
	ma, mb, mc := open(t, w, a), open(t, w, b), open(t, w, newKey(t))
	try(t, Found([]Founder{{Member: ma, Role: roster.RoleMemory}, {Member: mb, Role: roster.RoleMemory}}, []ed25519.PrivateKey{a, b}, time.Now()))
	q := roster.Petition{Proposer: ma.Self(), Change: roster.Change{Kind: roster.Add, Member: roster.Member{Key: mc.Self(), Wrap: mc.Wrap(), Role: roster.RoleMemory}}}
	for _, m := range []*Member{ma, mb} {
		approval, err := m.Roster().Approve(m.cfg.Key, q, roster.NoProviders{}, time.Now())
		try(t, err)
		q.Change.Approvals = append(q.Change.Approvals, approval)
	}
	try(t, ma.pool.Put(t.Context(), q.Change, time.Now()))
	try(t, ma.settle(t.Context(), time.Now())) // and b does not hear of it
	here, away := &Ops{Member: ma}, &Ops{Member: mb}
	name := Named{Name: fullKey(mc.Self())}
	if got, err := here.evict(t.Context(), name); err != nil || got.Missing != 1 {
		t.Fatalf("evict = %+v, %v", got, err)
	}
	sheet, err := here.petition(t.Context(), name)
	try(t, err)
	back, err := away.approveSheet(t.Context(), SheetIn{File: sheet.File})
	try(t, err)
	if back.Done || !back.Approves || back.Missing != 0 {
		t.Errorf("who was away says %+v", back)
	}
	done, err := here.approveSheet(t.Context(), SheetIn{File: back.File})
	try(t, err)
	if _, is := ma.Roster().Member(mc.Self()); is || !done.Done {
		t.Errorf("with the approval of who was away: %+v", done)
	}
}

// Two members ask for the same eviction before they hear of one another. Everybody
// approves one and the same petition, so it is carried out once and nothing forks.
func TestSameAskedTwice(t *testing.T) {
	keys := []ed25519.PrivateKey{newKey(t), newKey(t), newKey(t)}
	w := makeWorld(t, 2, keys...)
	var all []Founder
	var ms []*Member
	for _, k := range append(keys, newKey(t)) {
		m := open(t, w, k)
		ms = append(ms, m)
		all = append(all, Founder{Member: m, Role: roster.RoleMemory})
	}
	try(t, Found(all, keys[:2], time.Now()))
	s := start(t, ms...)
	target := ms[3]
	for _, i := range []int{0, 1} {
		got, err := (&Ops{Member: ms[i]}).evict(t.Context(), Named{Name: fullKey(target.Self())})
		try(t, err)
		if got.Missing != 1 {
			t.Fatalf("evict by founder %d = %+v, want one approval missing", i, got)
		}
	}
	meet(t, s[0], ms[1])
	for _, i := range []int{0, 1} {
		if n := len(ms[i].waiting.all(time.Now())); n == 0 {
			t.Fatalf("nothing waits at founder %d", i)
		}
	}
	meet(t, s[2], ms[0])
	meet(t, s[2], ms[1])
	got, err := (&Ops{Member: ms[2]}).admit(t.Context(), Named{Name: fullKey(target.Self())})
	try(t, err)
	if got.Missing != 0 {
		t.Errorf("after the second approval %d are missing", got.Missing)
	}
	for range 2 {
		meet(t, s[2], ms[0])
		meet(t, s[2], ms[1])
		meet(t, s[0], ms[1])
		for _, m := range ms[:3] {
			try(t, m.settle(t.Context(), time.Now()))
		}
	}
	for i, m := range ms[:3] {
		g, _ := m.Roster().Head()
		_, still := m.Roster().Member(target.Self())
		if g != 2 || still || m.Roster().Alarm() != "" {
			t.Errorf("founder %d: generation %d, target still in: %v, alarm %q", i, g, still, m.Roster().Alarm())
		}
		if n := len(m.waiting.all(time.Now())); n != 0 {
			t.Errorf("founder %d: %d changes still wait", i, n)
		}
	}
}

// What a receiver cannot take for reasons of its own, its clock or its disk, gets
// nobody banned: a member whose disk was full would else leave its world for an
// hour, one honest peer after the other.
func TestLocalTroubleBlamesNobody(t *testing.T) {
	a, b := newKey(t), newKey(t)
	w := makeWorld(t, 1, a)
	ma, mb := open(t, w, a), open(t, w, b)
	try(t, foundBy(ma, "", time.Now(), a))
	admitted(t, ma, mb)
	next := func(now time.Time) []byte {
		t.Helper()
		other := open(t, w, newKey(t))
		c := roster.Change{Kind: roster.Add, Member: roster.Member{Key: other.Self(), Wrap: other.Wrap(), Role: roster.RoleMemory}}
		approval, err := ma.Roster().Approve(a, roster.Petition{Proposer: ma.Self(), Change: c}, roster.NoProviders{}, now)
		try(t, err)
		c.Approvals = []roster.Approval{approval}
		e, boxes, err := ma.Roster().Propose(a, []roster.Change{c}, roster.NoProviders{}, now)
		try(t, err)
		return record{entry: e, boxes: &boxes}.encode()
	}
	before, _ := mb.Roster().Head()

	if err := (group{mb}).Learn([][]byte{next(time.Now().Add(roster.MaxSkew + time.Hour))}); err != nil {
		t.Errorf("an entry that is ahead of our clock: %v, want it left for later", err)
	}
	dir := filepath.Join(mb.cfg.Dir, "boxes")
	try(t, os.RemoveAll(dir))
	try(t, os.WriteFile(dir, nil, 0o600)) // no box can be written
	if err := (group{mb}).Learn([][]byte{next(time.Now())}); err == nil || errors.Is(err, gossip.ErrEntry) {
		t.Errorf("boxes that this disk does not take: %v, want an error that is not the peer's", err)
	}
	try(t, os.Remove(dir))
	good := next(time.Now())
	try(t, mb.chain.Close())
	if err := (group{mb}).Learn([][]byte{good}); err == nil || errors.Is(err, gossip.ErrEntry) {
		t.Errorf("an entry that this disk does not take: %v, want an error that is not the peer's", err)
	}
	if g, _ := mb.Roster().Head(); g != before {
		t.Errorf("generation %d, want %d: nothing could be kept", g, before)
	}

	// And what is wrong with an entry itself is still the peer's.
	x, err := decodeRecord(good)
	try(t, err)
	x.entry.Signatures[0].Signature[0] ^= 1
	if err := (group{ma}).Learn([][]byte{x.encode()}); !errors.Is(err, gossip.ErrEntry) {
		t.Errorf("a forged entry: %v, want it blamed on the peer", err)
	}
}

// What was sealed to us may be noise to us. Who brought it could not see that, and is
// not blamed.
func TestNoiseInOurBox(t *testing.T) {
	a, b := newKey(t), newKey(t)
	w := makeWorld(t, 1, a)
	ma, mb, other := open(t, w, a), open(t, w, b), open(t, w, newKey(t))
	try(t, foundBy(ma, "", time.Now(), a))
	try(t, mb.chain.Append(ma.Roster().Entries(0)[0], nil, time.Now()))
	c := roster.Change{Kind: roster.Add, Member: roster.Member{Key: mb.Self(), Wrap: other.Wrap(), Role: roster.RoleMemory}}
	approval, err := ma.Roster().Approve(a, roster.Petition{Proposer: ma.Self(), Change: c}, roster.NoProviders{}, time.Now())
	try(t, err)
	c.Approvals = []roster.Approval{approval}
	e, boxes, err := ma.Roster().Propose(a, []roster.Change{c}, roster.NoProviders{}, time.Now())
	try(t, err)
	if err := (group{mb}).Learn([][]byte{record{entry: e, boxes: &boxes}.encode()}); err != nil {
		t.Errorf("a box of ours that does not open: %v, want nobody blamed", err)
	}
	if name := e.Hash(); !mb.Roster().Has(name) || mb.keys.Has(name) || mb.IsMember() == nil {
		t.Errorf("has the entry: %v, its key: %v, is a member that reads: %v", mb.Roster().Has(name), mb.keys.Has(name), mb.IsMember() == nil)
	}
}

// Who cannot be reached has not closed anything.
func TestUnreachable(t *testing.T) {
	a, b := newKey(t), newKey(t)
	w := makeWorld(t, 1, a)
	ma, mb := open(t, w, a), open(t, w, b)
	try(t, foundBy(ma, "", time.Now(), a))
	admitted(t, ma, mb)
	s := start(t, ma)
	if why := meet(t, s[0], mb); why != "unreachable" {
		t.Errorf("a member that nobody dials: %q, want unreachable", why)
	}
}
