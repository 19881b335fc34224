package roster

import (
	"crypto/ed25519"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/culvert-net/culvert/mesh/world"
)

func TestFoundAndAdmit(t *testing.T) {
	g := newGroup(t, spec{n: 3, m: 2, t: 2})
	if gen, _ := g.roster.Head(); gen != 1 || len(g.roster.Members()) != 3 {
		t.Fatalf("after founding: generation %d, %d members", gen, len(g.roster.Members()))
	}
	g.later(time.Hour)
	p := someone(9, "op-9")
	e := g.add(p)
	if m, ok := g.roster.Member(p.Key); !ok || m != p.Member {
		t.Errorf("Member = %v, %v", m, ok)
	}
	if !g.roster.WasMember(p.Key, e.Epoch) || g.roster.WasMember(p.Key, e.Epoch-1) {
		t.Error("a member is one from the epoch it was added in")
	}
	g.later(2 * time.Hour)
	gone := g.remove(p)
	if _, ok := g.roster.Member(p.Key); ok {
		t.Error("it was removed")
	}
	if !g.roster.WasMember(p.Key, gone.Epoch-1) || g.roster.WasMember(p.Key, gone.Epoch) {
		t.Error("a removal takes effect at its epoch, and not before")
	}
	for epoch, want := range map[uint64]int{e.Epoch - 1: 3, e.Epoch: 4, gone.Epoch - 1: 4, gone.Epoch: 3} {
		in := g.roster.MembersIn(epoch)
		if len(in) != want || slices.Contains(in, p.Member) != (want == 4) {
			t.Errorf("MembersIn(%d) = %v, want %d", epoch, in, want)
		}
	}
	wantError(t, g.roster.Check(p.Key, NoProviders{}), ErrRemoved)
	wantError(t, g.roster.Check(someone(50, "").Key, NoProviders{}), ErrNotMember)
	wantError(t, g.roster.Check(g.founders[0].Key, NoProviders{}), nil)
	if gen, entry, ok := g.roster.AtStart(gone.Epoch); !ok || gen != 2 || entry != e.Hash() {
		t.Errorf("AtStart(%d) = %d, want the generation before the removal", gone.Epoch, gen)
	}
	if gen, _, _ := g.roster.AtStart(gone.Epoch + 1); gen != 3 {
		t.Errorf("AtStart of the next epoch = %d, want 3", gen)
	}
	if gen, _, ok := g.roster.AtStart(0); !ok || gen != 1 {
		t.Errorf("AtStart before the first entry = %d, want the first generation", gen)
	}
	if got := len(g.roster.Entries(2)); got != 2 {
		t.Errorf("Entries(2) has %d entries, want 2", got)
	}
}

// Each rule of an entry, broken once by people who hold real keys.
func TestRules(t *testing.T) {
	p, q := someone(20, "op-20"), someone(21, "op-21")
	add := func(g *group, m Member, by ...person) []Change {
		return []Change{g.approved(Change{Kind: Add, Member: m}, by...)}
	}
	for _, tt := range []struct {
		name string
		make func(*group) Entry
		want error
	}{
		{"as it should be", func(g *group) Entry { return g.forge(g.founders[0], add(g, p.Member, g.founders[:2]...), nil) }, nil},
		{"version", func(g *group) Entry {
			return g.forge(g.founders[0], add(g, p.Member, g.founders[:2]...), func(e *Entry) { e.Version = 2 })
		}, ErrVersion},
		{"world", func(g *group) Entry {
			return g.forge(g.founders[0], add(g, p.Member, g.founders[:2]...), func(e *Entry) { e.World[0]++ })
		}, ErrWorld},
		{"parent", func(g *group) Entry {
			return g.forge(g.founders[0], add(g, p.Member, g.founders[:2]...), func(e *Entry) { e.Previous[0]++ })
		}, ErrParent},
		{"generation", func(g *group) Entry {
			return g.forge(g.founders[0], add(g, p.Member, g.founders[:2]...), func(e *Entry) { e.Generation++ })
		}, ErrGeneration},
		{"epoch", func(g *group) Entry {
			return g.forge(g.founders[0], add(g, p.Member, g.founders[:2]...), func(e *Entry) { e.Epoch++ })
		}, ErrTime},
		{"time before the parent's", func(g *group) Entry {
			return g.forge(g.founders[0], add(g, p.Member, g.founders[:2]...), func(e *Entry) {
				e.Time = uint64(start().UnixMilli()) - 1
				e.Epoch--
			})
		}, ErrTime},
		{"time ahead", func(g *group) Entry {
			return g.forge(g.founders[0], add(g, p.Member, g.founders[:2]...), func(e *Entry) { e.Time += 30_001 })
		}, ErrFuture},
		{"time a little ahead", func(g *group) Entry {
			return g.forge(g.founders[0], add(g, p.Member, g.founders[:2]...), func(e *Entry) { e.Time += 30_000 })
		}, nil},
		{"time no clock shows", func(g *group) Entry {
			return g.forge(g.founders[0], add(g, p.Member, g.founders[:2]...), func(e *Entry) { e.Time = math.MaxUint64 })
		}, ErrFuture},
		{"the parent's master", func(g *group) Entry {
			return g.forge(g.founders[0], add(g, p.Member, g.founders[:2]...), func(e *Entry) {
				e.MasterHash = g.roster.Entries(1)[0].MasterHash
			})
		}, ErrMaster},
		{"too few founders", func(g *group) Entry { return g.forge(g.founders[0], add(g, p.Member, g.founders[1]), nil) }, ErrApproval},
		{"no approval", func(g *group) Entry { return g.forge(g.founders[0], []Change{{Kind: Add, Member: p.Member}}, nil) }, ErrApproval},
		{"one founder twice", func(g *group) Entry {
			return g.forge(g.founders[0], add(g, p.Member, g.founders[0], g.founders[0]), nil)
		}, ErrForm},
		{"approval by a member", func(g *group) Entry {
			c := add(g, p.Member, g.founders[0])
			c[0].Approvals = append(c[0].Approvals, signApproval(g.founders[2].key, g.world.ID, g.petition(c[0]), world.Hash{}, c[0].Approvals[0].Expiry))
			c[0].Approvals[1].Key = someone(30, "").Key
			return g.forge(g.founders[0], c, nil)
		}, ErrApproval},
		{"approval for another member", func(g *group) Entry {
			c := add(g, p.Member, g.founders[:2]...)
			c[0].Member = q.Member
			return g.forge(g.founders[0], c, nil)
		}, ErrSignature},
		{"approval for another role", func(g *group) Entry {
			c := add(g, p.Member, g.founders[:2]...)
			c[0].Member.Role = RoleProber
			return g.forge(g.founders[0], c, nil)
		}, ErrSignature},
		{"approval in another's name", func(g *group) Entry {
			c := add(g, p.Member, g.founders[:2]...)
			c[0].Approvals[0].Key = g.founders[2].Key
			return g.forge(g.founders[0], c, nil)
		}, ErrSignature},
		{"approval that has expired", func(g *group) Entry {
			c := add(g, p.Member, g.founders[:2]...)
			g.later(ApprovalLife + time.Hour)
			return g.forge(g.founders[0], c, nil)
		}, ErrExpired},
		{"approval that still holds", func(g *group) Entry {
			c := add(g, p.Member, g.founders[:2]...)
			g.later(ApprovalLife)
			return g.forge(g.founders[0], c, nil)
		}, nil},
		{"approval for too long", func(g *group) Entry {
			c := Change{Kind: Add, Member: p.Member}
			for _, f := range g.founders[:2] {
				c.Approvals = append(c.Approvals, signApproval(f.key, g.world.ID, g.petition(c), world.Hash{}, g.world.Epoch(g.now)+8*24))
			}
			return g.forge(g.founders[0], []Change{c}, nil)
		}, ErrExpired},
		{"a ticket by the way", func(g *group) Entry {
			c := add(g, p.Member, g.founders[:2]...)
			c[0].Ticket = &Ticket{Ticket: world.Ticket{Nonce: [32]byte{1}}}
			return g.forge(g.founders[0], c, nil)
		}, nil},
		{"who is a member", func(g *group) Entry {
			c := []Change{{Kind: Add, Member: g.founders[1].Member}}
			return g.forge(g.founders[0], c, nil)
		}, ErrMember},
		{"removal of who is none", func(g *group) Entry {
			return g.forge(g.founders[0], []Change{{Kind: Remove, Member: p.Member}}, nil)
		}, ErrNotMember},
		{"removal with other fields", func(g *group) Entry {
			m := g.founders[1].Member
			m.Operator = "other"
			return g.forge(g.founders[0], []Change{{Kind: Remove, Member: m}}, nil)
		}, ErrNotMember},
		{"removal by too few", func(g *group) Entry {
			c := g.approved(Change{Kind: Remove, Member: g.founders[2].Member}, g.founders[0])
			return g.forge(g.founders[0], []Change{c}, nil)
		}, ErrApproval},
		{"removal approved by who goes", func(g *group) Entry {
			c := g.approved(Change{Kind: Remove, Member: g.founders[2].Member}, g.founders[1:]...)
			return g.forge(g.founders[0], []Change{c}, nil)
		}, ErrApproval},
		{"removal proposed by who goes", func(g *group) Entry {
			c := g.approved(Change{Kind: Remove, Member: g.founders[2].Member}, g.founders[:2]...)
			return g.forge(g.founders[2], []Change{c}, nil)
		}, ErrProposer},
		{"another's wrap key", func(g *group) Entry {
			m := p.Member
			m.Wrap = g.founders[2].Wrap
			return g.forge(g.founders[0], []Change{{Kind: Add, Member: m}}, nil)
		}, ErrWrapKey},
		{"one wrap key for two", func(g *group) Entry {
			m := q.Member
			m.Wrap = p.Wrap
			return g.forge(g.founders[0], append(add(g, p.Member, g.founders[:2]...), add(g, m, g.founders[:2]...)...), nil)
		}, ErrWrapKey},
		{"wrap key of zeros", func(g *group) Entry {
			m := p.Member
			m.Wrap = [32]byte{}
			return g.forge(g.founders[0], []Change{{Kind: Add, Member: m}}, nil)
		}, ErrWrapKey},
		{"wrap key of small order", func(g *group) Entry {
			m := p.Member
			m.Wrap = [32]byte{1}
			return g.forge(g.founders[0], []Change{{Kind: Add, Member: m}}, nil)
		}, ErrWrapKey},
		{"proposer who is no member", func(g *group) Entry { return g.forge(p, add(g, q.Member, g.founders[:2]...), nil) }, ErrProposer},
		{"proposer who adds itself", func(g *group) Entry { return g.forge(p, add(g, p.Member, g.founders[:2]...), nil) }, ErrProposer},
		{"proposer in another's name", func(g *group) Entry {
			e := g.forge(g.founders[0], add(g, p.Member, g.founders[:2]...), nil)
			e.Signatures[0].Key = g.founders[1].Key
			return e
		}, ErrSignature},
		{"no signature", func(g *group) Entry {
			e := g.forge(g.founders[0], add(g, p.Member, g.founders[:2]...), nil)
			e.Signatures = nil
			return e
		}, ErrSignature},
		{"a signature too many", func(g *group) Entry {
			e := g.forge(g.founders[0], add(g, p.Member, g.founders[:2]...), nil)
			e.Sign(g.founders[1].key)
			return e
		}, ErrSignature},
		{"content changed after the signature", func(g *group) Entry {
			e := g.forge(g.founders[0], add(g, p.Member, g.founders[:2]...), nil)
			e.Time++
			return e
		}, ErrSignature},
		{"changes out of order", func(g *group) Entry {
			c := append(add(g, p.Member, g.founders[:2]...), add(g, q.Member, g.founders[:2]...)...)
			return g.forge(g.founders[0], c, func(e *Entry) { e.Changes[0], e.Changes[1] = e.Changes[1], e.Changes[0] })
		}, ErrForm},
		{"rotation too early", func(g *group) Entry {
			g.later(MinRotation - time.Minute - time.Millisecond)
			e := g.forge(g.founders[0], nil, nil)
			e.Sign(g.founders[1].key)
			return e
		}, ErrRotation},
		{"rotation", func(g *group) Entry {
			g.later(MinRotation - time.Minute)
			e := g.forge(g.founders[0], nil, nil)
			e.Sign(g.founders[1].key)
			return e
		}, nil},
		{"rotation by too few signers", func(g *group) Entry {
			g.later(MinRotation)
			return g.forge(g.founders[0], nil, nil)
		}, ErrSignature},
		{"rotation signed by a stranger", func(g *group) Entry {
			g.later(MinRotation)
			e := g.forge(g.founders[0], nil, nil)
			e.Sign(p.key)
			return e
		}, ErrSignature},
		{"rotation by a member that is no signer", func(g *group) Entry {
			g.add(p)
			g.later(MinRotation)
			e := g.forge(p, nil, nil)
			e.Sign(g.founders[0].key)
			e.Sign(g.founders[1].key)
			return e
		}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := newGroup(t, spec{n: 3, m: 2, t: 2})
			g.later(time.Minute)
			e := tt.make(g)
			before, head := g.roster.Head()
			err := g.roster.Append(e, g.now)
			wantError(t, err, tt.want)
			generation, now := g.roster.Head()
			if tt.want != nil && (generation != before || now != head) {
				t.Error("a refused entry moved the head")
			}
			if tt.want == nil && generation != before+1 {
				t.Errorf("head = %d, want %d", generation, before+1)
			}
		})
	}
}

func TestFirstEntry(t *testing.T) {
	p := someone(20, "")
	for _, tt := range []struct {
		name string
		make func(*group) Entry
		want error
	}{
		{"rotation", func(g *group) Entry { return g.forge(g.founders[0], nil, nil) }, ErrForm},
		{"a proposer it does not add", func(g *group) Entry {
			return g.forge(g.founders[0], []Change{g.approved(Change{Kind: Add, Member: p.Member}, g.founders...)}, nil)
		}, ErrProposer},
		{"too few founders", func(g *group) Entry {
			return g.forge(g.founders[0], []Change{g.approved(Change{Kind: Add, Member: g.founders[0].Member}, g.founders[1])}, nil)
		}, ErrApproval},
		{"as it should be", func(g *group) Entry {
			return g.forge(p, []Change{g.as(p).approved(Change{Kind: Add, Member: p.Member}, g.founders...)}, nil)
		}, nil},
		{"approvals for another proposer", func(g *group) Entry {
			return g.forge(p, []Change{g.approved(Change{Kind: Add, Member: p.Member}, g.founders...)}, nil)
		}, ErrSignature},
	} {
		for _, mode := range []world.Mode{world.ModeClosed, world.ModeVouch} {
			t.Run(tt.name+" "+mode.String(), func(t *testing.T) {
				w, founders := testWorld(t, spec{n: 2, m: 2, t: 2, mode: mode})
				g := &group{TB: t, world: w, roster: New(w), founders: founders, now: start()}
				wantError(t, g.roster.Append(tt.make(g), g.now), tt.want)
			})
		}
	}
}

func TestWorldWithoutFounders(t *testing.T) {
	w, err := world.New(world.World{Phrase: "nobody", Rules: world.DefaultRules()})
	if err != nil {
		t.Fatal(err)
	}
	p := someone(1, "")
	g := &group{TB: t, world: w, roster: New(w), now: start()}
	wantError(t, g.roster.Append(g.forge(p, []Change{{Kind: Add, Member: p.Member}}, nil), g.now), ErrFounders)

	// A world file may name its founder, who then decides alone.
	w, err = world.New(world.World{Phrase: "nobody", Rules: world.DefaultRules(), Founder: p.Key})
	if err != nil {
		t.Fatal(err)
	}
	g = &group{TB: t, world: w, roster: New(w), now: start()}
	g.must(g.propose(p, g.as(p).approved(Change{Kind: Add, Member: p.Member}, p)))
}

func TestOpenModeIsRefused(t *testing.T) {
	c := world.Charter{
		Version: 1, FounderThreshold: 1, Mode: world.ModeOpen, DirectoryThreshold: 1, CircuitSuite: 1,
		EventHorizonS: 14 * 24 * 3600, QuotaPerAuthor: 1,
		Chain: &world.Chain{ID: 1, Contract: [20]byte{1}, RuntimeCodeHash: world.Hash{1}},
	}
	p := someone(0, "op-0")
	c.Founders, c.DirectorySigners = [][32]byte{p.Key}, [][32]byte{p.Key}
	_, _, _, err := Found(Founding{
		World: world.World{Phrase: "open", Rules: world.DefaultRules(), Charter: &c},
		Keys:  []ed25519.PrivateKey{p.key}, Members: []Member{p.Member}, Proposer: p.key,
	}, start())
	wantError(t, err, ErrOpen)
	if err == nil || !strings.Contains(err.Error(), "needs") && !strings.Contains(err.Error(), "need the chain") {
		t.Errorf("error = %v, want one that says what is missing", err)
	}
}

// The same with tickets that were computed.
func TestTicketOfNewcomer(t *testing.T) {
	g := newGroup(t, spec{n: 1, m: 1, t: 1, mode: world.ModeVouch})
	for i, op := range []string{"a", "b", "c"} {
		g.add(someone(10+i, op))
	}
	p, epoch := someone(20, "d"), g.world.Epoch(g.now)
	made, err := world.MakeTicket(t.Context(), g.world.ID, epoch, p.Key, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	vouch := func(tk Ticket) Change {
		return g.as(someone(10, "a")).approved(Change{Kind: Add, Member: p.Member, Ticket: &tk}, someone(10, "a"), someone(11, "b"), someone(12, "c"))
	}
	c := vouch(Ticket{Epoch: epoch, Ticket: made})
	c.Ticket.Output[31]++
	wantError(t, g.roster.Append(g.forge(someone(10, "a"), []Change{c}, nil), g.now), ErrTicket)
	_, err = g.roster.Approve(someone(10, "a").key, g.petition(c), NoProviders{}, g.now)
	wantError(t, err, ErrTicket)
	c.Ticket.Output[31]--
	g.must(g.propose(someone(10, "a"), c))
}

// A founder that was removed decides nothing, and too few must not be left.
func TestRemovedFounder(t *testing.T) {
	g := newGroup(t, spec{n: 3, m: 2, t: 2})
	out, p := g.founders[2], someone(20, "op-20")
	old := g.approved(Change{Kind: Add, Member: p.Member}, out, g.founders[0])
	g.remove(out)
	g.later(time.Hour)

	wantError(t, g.roster.Append(g.forge(g.founders[0], []Change{old}, nil), g.now), ErrRemoved)
	_, err := g.roster.Approve(out.key, g.petition(Change{Kind: Add, Member: p.Member}), NoProviders{}, g.now)
	wantError(t, err, ErrRemoved)
	fresh := g.approved(Change{Kind: Add, Member: p.Member}, g.founders[:2]...)
	wantError(t, g.roster.Append(g.forge(out, []Change{fresh}, nil), g.now), ErrProposer)

	// It signs no rotation either.
	g.later(MinRotation)
	e := g.forge(g.founders[0], nil, nil)
	e.Sign(out.key)
	wantError(t, g.roster.Append(e, g.now), ErrRemoved)

	// Two of three are what it takes: another removal would end the world.
	c := Change{Kind: Remove, Member: g.founders[1].Member}
	_, err = g.roster.Approve(g.founders[0].key, g.petition(c), NoProviders{}, g.now)
	wantError(t, err, ErrQuorum)

	// Who comes back decides again.
	g.later(time.Hour)
	g.add(out)
	g.approved(Change{Kind: Add, Member: p.Member}, out)
}

// What was approved once cannot be used again: neither by who has the old
// approvals, nor by one who kept some that were not used.
func TestReAddNeedsFreshApprovals(t *testing.T) {
	g := newGroup(t, spec{n: 4, m: 2, t: 3})
	p := someone(20, "op-20")
	used := g.approved(Change{Kind: Add, Member: p.Member}, g.founders[:2]...)
	kept := g.approved(Change{Kind: Add, Member: p.Member}, g.founders[2:]...)
	g.must(g.propose(g.founders[0], used))
	keptRemoval := g.approved(Change{Kind: Remove, Member: p.Member}, g.founders[2:]...)
	g.remove(p)
	for _, c := range []Change{used, kept} {
		wantError(t, g.roster.Append(g.forge(g.founders[0], []Change{c}, nil), g.now), ErrSignature)
	}
	g.add(p)
	wantError(t, g.roster.Append(g.forge(g.founders[0], []Change{keptRemoval}, nil), g.now), ErrSignature)
	g.remove(p)
}

func TestProvidersAreRefused(t *testing.T) {
	g := newGroup(t, spec{n: 1, m: 1, t: 1})
	p := someone(20, "acme")
	for _, tt := range []struct {
		name string
		p    fakeProviders
		want error
	}{
		{"none", fakeProviders{}, nil},
		{"by key", fakeProviders{key: p.Key}, ErrProvider},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := Change{Kind: Add, Member: p.Member}
			_, err := g.roster.Approve(g.founders[0].key, g.petition(c), tt.p, g.now)
			wantError(t, err, tt.want)
			_, _, err = g.roster.Propose(g.founders[0].key, []Change{g.approved(c, g.founders[0])}, tt.p, g.now)
			wantError(t, err, tt.want)
			if err != nil && !strings.Contains(err.Error(), short(p.Key)) {
				t.Errorf("error = %v, want one that names the key", err)
			}
		})
	}
	// One that begins to serve models later is no partner any more.
	g.add(p)
	wantError(t, g.roster.Check(p.Key, fakeProviders{key: p.Key}), ErrProvider)
	wantError(t, g.roster.Check(p.Key, fakeProviders{}), nil)
	g.approved(Change{Kind: Remove, Member: p.Member}, g.founders[0]) // and may be removed
}

type fakeProviders struct{ key Key }

func (f fakeProviders) IsProvider(key Key) bool { return key == f.key }

func TestVouch(t *testing.T) {
	// A ticket of this test has the key as its output, and so costs nothing.
	ticket := func(g *group, key Key) *Ticket {
		return &Ticket{Epoch: g.world.Epoch(g.now), Ticket: world.Ticket{Output: key}}
	}
	checkTicket := func(t *Ticket, _ world.Hash, key Key, bits uint32) error {
		if t.Output != key || bits != 1 {
			return world.ErrTicketWrong
		}
		return nil
	}
	// Persons 10, 11, 12 and 13 are members of operators a, b, c and c; 14 has none.
	setup := func(t *testing.T) (*group, []person) {
		g := newGroup(t, spec{n: 2, m: 2, t: 2, mode: world.ModeVouch, bits: 1})
		g.roster.rules.verify.ticket = checkTicket
		var list []person
		for i, op := range []string{"a", "b", "c", "c", ""} {
			p := someone(10+i, op)
			g.add(p)
			list = append(list, p)
		}
		g.proposer = &list[0]
		return g, list
	}
	// vouched has approvals whether the roster would give them or not.
	vouched := func(g *group, m Member, tk *Ticket, by ...person) Change {
		c := Change{Kind: Add, Member: m, Ticket: tk}
		for _, p := range by {
			c.Approvals = append(c.Approvals, signApproval(p.key, g.world.ID, g.petition(c), g.roster.state.standing(m.Key), g.world.Epoch(g.now)+1))
		}
		return c
	}
	for _, tt := range []struct {
		name string
		make func(g *group, m Member, v []person) Change
		want error
	}{
		{"three operators", func(g *group, m Member, v []person) Change { return vouched(g, m, ticket(g, m.Key), v[:3]...) }, nil},
		{"two members", func(g *group, m Member, v []person) Change { return vouched(g, m, ticket(g, m.Key), v[:2]...) }, ErrApproval},
		{"two operators", func(g *group, m Member, v []person) Change {
			return vouched(g, m, ticket(g, m.Key), v[0], v[2], v[3])
		}, ErrApproval},
		{"one without operator", func(g *group, m Member, v []person) Change {
			return vouched(g, m, ticket(g, m.Key), v[0], v[1], v[4])
		}, ErrApproval},
		{"one who is no member", func(g *group, m Member, v []person) Change {
			return vouched(g, m, ticket(g, m.Key), v[0], v[1], someone(40, "d"))
		}, ErrApproval},
		{"one who was removed", func(g *group, m Member, v []person) Change {
			g.as(g.founders[0]).remove(v[2])
			return vouched(g, m, ticket(g, m.Key), v[:3]...)
		}, ErrRemoved},
		{"no ticket", func(g *group, m Member, v []person) Change { return vouched(g, m, nil, v[:3]...) }, ErrTicket},
		{"another's ticket", func(g *group, m Member, v []person) Change {
			return vouched(g, m, ticket(g, v[0].Key), v[:3]...)
		}, ErrTicket},
		{"a ticket of an epoch to come", func(g *group, m Member, v []person) Change {
			tk := ticket(g, m.Key)
			tk.Epoch++
			return vouched(g, m, tk, v[:3]...)
		}, ErrTicket},
		{"an old ticket", func(g *group, m Member, v []person) Change {
			tk := ticket(g, m.Key)
			g.later(ApprovalLife + time.Hour)
			return vouched(g, m, tk, v[:3]...)
		}, ErrTicket},
		{"founders without ticket", func(g *group, m Member, _ []person) Change {
			return g.approved(Change{Kind: Add, Member: m}, g.founders...)
		}, nil},
		{"a founder among vouchers", func(g *group, m Member, v []person) Change {
			return vouched(g, m, ticket(g, m.Key), v[0], v[1], g.founders[0])
		}, nil},
		{"removal by members", func(g *group, _ Member, v []person) Change {
			c := Change{Kind: Remove, Member: v[4].Member}
			for _, p := range v[:3] {
				c.Approvals = append(c.Approvals, signApproval(p.key, g.world.ID, g.petition(c), g.roster.state.standing(v[4].Key), g.world.Epoch(g.now)+1))
			}
			return c
		}, ErrApproval},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g, v := setup(t)
			p := someone(20, "d")
			c := tt.make(g, p.Member, v)
			wantError(t, g.roster.Append(g.forge(v[0], []Change{c}, nil), g.now), tt.want)
			if tt.name == "three operators" {
				if got := g.roster.Sponsors(p.Key); len(got) != 3 {
					t.Errorf("Sponsors = %d keys, want the three vouchers", len(got))
				}
			}
		})
	}

	// Three who let in three, who let in others at once, are as many as they like
	// within a day.
	t.Run("who was vouched for", func(t *testing.T) {
		g, v := setup(t)
		young := someone(50, "y")
		g.must(g.forge(v[0], []Change{vouched(g, young.Member, ticket(g, young.Key), v[:3]...)}, nil), nil)
		next := func(n int) Change {
			m := someone(n, "z").Member
			return vouched(g, m, ticket(g, m.Key), v[0], v[1], young)
		}
		g.later(VouchWindow - time.Hour)
		wantError(t, g.roster.Append(g.forge(v[0], []Change{next(51)}, nil), g.now), ErrYoung)
		c := next(51)
		if got := g.roster.Missing(g.petition(c), g.now); got != 1 {
			t.Errorf("%d approvals are missing, want one beside that of who may not vouch yet", got)
		}
		c.Approvals = nil
		_, err := g.roster.Approve(young.key, g.petition(c), NoProviders{}, g.now)
		wantError(t, err, ErrYoung)
		g.later(time.Hour)
		g.must(g.forge(v[0], []Change{next(52)}, nil), nil)
	})

	t.Run("three in thirty days", func(t *testing.T) {
		g, v := setup(t)
		newcomer := func(n int) Change {
			return vouched(g, someone(n, "d").Member, ticket(g, someone(n, "d").Key), v[:3]...)
		}
		// Two in one entry, one in another.
		g.must(g.forge(v[0], []Change{newcomer(30), newcomer(31)}, nil), nil)
		g.later(10 * 24 * time.Hour)
		g.must(g.forge(v[0], []Change{newcomer(32)}, nil), nil)
		wantError(t, g.roster.Append(g.forge(v[0], []Change{newcomer(33)}, nil), g.now), ErrVouches)
		fresh := Change{Kind: Add, Member: someone(33, "d").Member, Ticket: ticket(g, someone(33, "d").Key)}
		_, err := g.roster.Approve(v[0].key, g.petition(fresh), NoProviders{}, g.now)
		wantError(t, err, ErrVouches)
		// The first two vouches end; two more fit, and three in one entry do not.
		g.later(20 * 24 * time.Hour)
		wantError(t, g.roster.Append(g.forge(v[0], []Change{newcomer(33), newcomer(34), newcomer(35)}, nil), g.now), ErrVouches)
		g.must(g.forge(v[0], []Change{newcomer(33), newcomer(34)}, nil), nil)
		// Founders' approvals are no vouches.
		if got := g.roster.Sponsors(v[0].Key); len(got) != 0 {
			t.Errorf("Sponsors of one whom founders admitted = %d keys, want none", len(got))
		}
	})
}

func TestRosterIsFull(t *testing.T) {
	g := newGroup(t, spec{n: 1, m: 1, t: 1})
	for i := len(g.roster.state.members); i < MaxMembers; i++ {
		var m Member
		m.Key[0], m.Key[1], m.Wrap[0], m.Wrap[1] = byte(i), byte(i>>8), byte(i), byte(i>>8)
		g.roster.state.members[m.Key] = m
	}
	_, err := g.roster.Approve(g.founders[0].key, g.petition(Change{Kind: Add, Member: someone(20, "").Member}), NoProviders{}, g.now)
	wantError(t, err, ErrFull)
}

func TestRotationIsDue(t *testing.T) {
	g := newGroup(t, spec{n: 1, m: 1, t: 1})
	for _, tt := range []struct {
		age          time.Duration
		allowed, due bool
	}{{MinRotation - 1, false, false}, {MinRotation, true, false}, {MasterLife - 1, true, false}, {MasterLife, true, true}} {
		if allowed, due := g.roster.Rotation(start().Add(tt.age)); allowed != tt.allowed || due != tt.due {
			t.Errorf("Rotation after %v = %v, %v, want %v, %v", tt.age, allowed, due, tt.allowed, tt.due)
		}
	}
	if allowed, due := New(g.world).Rotation(start()); allowed || due {
		t.Error("a roster without members has nothing to rotate")
	}
}
