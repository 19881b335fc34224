package roster

import (
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/culvert-net/culvert/mesh/world"
)

// start is when test worlds begin: the start of an epoch of an hour.
func start() time.Time { return time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC) }

// person is a key with its wrap key.
type person struct {
	key  ed25519.PrivateKey
	wrap *ecdh.PrivateKey
	Member
}

// someone is the person of a number, always the same.
func someone(n int, operator string) person {
	seed := sha256.Sum256(binary.LittleEndian.AppendUint64([]byte("person"), uint64(n)))
	wrap := sha256.Sum256(binary.LittleEndian.AppendUint64([]byte("wrap"), uint64(n)))
	p := person{key: ed25519.NewKeyFromSeed(seed[:])}
	var err error
	if p.wrap, err = ecdh.X25519().NewPrivateKey(wrap[:]); err != nil {
		panic(err)
	}
	p.Member = Member{Key: publicKey(p.key), Wrap: [32]byte(p.wrap.PublicKey().Bytes()), Role: RoleMemory, Operator: operator}
	return p
}

// spec is a test world: n founders of which m decide, and the same as directory
// signers of which t sign.
type spec struct {
	n, m, t int
	mode    world.Mode
	bits    uint32
}

// testWorld makes a world and its founders, persons 0 to n-1, of operators op-0
// to op-(n-1).
func testWorld(tb testing.TB, s spec) (*world.World, []person) {
	tb.Helper()
	c := world.Charter{
		Version: 1, FounderThreshold: uint32(s.m), Mode: s.mode, DirectoryThreshold: uint32(s.t), CircuitSuite: 1,
		EventHorizonS: 14 * 24 * 3600, QuotaPerAuthor: 100, TicketBits: s.bits,
	}
	var founders []person
	for i := range s.n {
		p := someone(i, "op-"+string(rune('0'+i)))
		founders = append(founders, p)
		c.Founders = append(c.Founders, p.Key)
		c.DirectorySigners = append(c.DirectorySigners, p.Key)
	}
	w, err := world.New(world.World{Phrase: "roster test", Rules: world.DefaultRules(), Charter: &c})
	if err != nil {
		tb.Fatal(err)
	}
	return w, founders
}

// group is a roster under test and what its members hold.
type group struct {
	testing.TB
	world    *world.World
	roster   *Roster
	founders []person
	now      time.Time
	proposer *person // whom approvals are for; nil: the first founder
}

// as is the group with approvals for another proposer.
func (g *group) as(p person) *group {
	other := *g
	other.proposer = &p
	return &other
}

// petition asks for approvals of a change.
func (g *group) petition(c Change) Petition {
	if g.proposer != nil {
		return Petition{g.proposer.Key, c}
	}
	return Petition{g.founders[0].Key, c}
}

// newGroup founds a world whose first members are all founders.
func newGroup(tb testing.TB, s spec) *group {
	tb.Helper()
	w, founders := testWorld(tb, s)
	g := &group{TB: tb, world: w, roster: New(w), founders: founders, now: start()}
	var changes []Change
	for _, f := range founders {
		changes = append(changes, g.approved(Change{Kind: Add, Member: f.Member}, founders[:s.m]...))
	}
	g.must(g.propose(founders[0], changes...))
	return g
}

// approved adds the approvals of people.
func (g *group) approved(c Change, people ...person) Change {
	g.Helper()
	for _, p := range people {
		a, err := g.roster.Approve(p.key, g.petition(c), NoProviders{}, g.now)
		if err != nil {
			g.Fatal(err)
		}
		c.Approvals = append(c.Approvals, a)
	}
	return c
}

// propose makes an entry, which the roster may refuse.
func (g *group) propose(by person, changes ...Change) (Entry, error) {
	e, _, err := g.roster.Propose(by.key, changes, NoProviders{}, g.now)
	return e, err
}

// must appends an entry.
func (g *group) must(e Entry, err error) Entry {
	g.Helper()
	if err == nil {
		err = g.roster.Append(e, g.now)
	}
	if err != nil {
		g.Fatal(err)
	}
	return e
}

// forge makes an entry after the head as a proposer without scruples would,
// sign it with the proposer's key after edit.
func (g *group) forge(by person, changes []Change, edit func(*Entry)) Entry {
	g.Helper()
	generation, head := g.roster.Head()
	t := uint64(g.now.UnixMilli())
	e := Entry{
		Version: Version, World: g.world.ID, Generation: generation + 1, Previous: head, Epoch: g.world.Epoch(g.now), Time: t,
		Changes:    slices.SortedFunc(slices.Values(changes), byMember),
		MasterHash: masterHash(g.world.ID, world.RandomSecret()), Proposer: by.Key,
	}
	if edit != nil {
		edit(&e)
	}
	e.Sign(by.key)
	return e
}

// later moves the clock.
func (g *group) later(d time.Duration) { g.now = g.now.Add(d) }

// add admits by m founders.
func (g *group) add(p person) Entry {
	g.Helper()
	m := int(g.world.Charter.FounderThreshold)
	return g.must(g.propose(g.founders[0], g.approved(Change{Kind: Add, Member: p.Member}, g.founders[:m]...)))
}

// remove evicts by m founders.
func (g *group) remove(p person) Entry {
	g.Helper()
	m := int(g.world.Charter.FounderThreshold)
	return g.must(g.propose(g.founders[0], g.approved(Change{Kind: Remove, Member: p.Member}, g.founders[:m]...)))
}

// wantError checks that err wraps want, or is nil if want is.
func wantError(t testing.TB, err, want error) {
	t.Helper()
	if want == nil && err != nil || want != nil && !errors.Is(err, want) {
		t.Errorf("error = %v, want %v", err, want)
	}
}

// sampleInvite is an invite into a world with a charter, as most are.
func sampleInvite(tb testing.TB) Invite {
	w, _ := testWorld(tb, spec{n: 3, m: 2, t: 2})
	const peer = "/p2p/12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN"
	w.Seeds = []string{"/ip4/192.0.2.1/tcp/4811" + peer, "/ip4/192.0.2.2/tcp/4811" + peer, "/dns4/seed.example.org/tcp/4811" + peer}
	role, operator := RoleMemory, "acme"
	return Invite{
		ID: InviteID{1, 2, 3}, Expires: start().Add(InviteLife), World: w, Role: &role, Operator: &operator,
		Addrs: []string{"/ip4/192.0.2.7/tcp/4811" + peer, "/ip6/2001:db8::7/udp/4811/quic-v1" + peer},
	}
}
