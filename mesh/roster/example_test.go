package roster_test

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/culvert-net/culvert/internal/kv/bolt"
	"github.com/culvert-net/culvert/mesh/roster"
	"github.com/culvert-net/culvert/mesh/world"
)

// A person founds a world, invites another, and evicts it later.
func Example() {
	ctx, now := context.Background(), time.Now()
	dir, err := os.MkdirTemp("", "roster")
	check(err)
	defer os.RemoveAll(dir)

	// The founder's key decides and is a member's as well.
	public, founder, err := ed25519.GenerateKey(nil)
	check(err)
	w, err := world.New(world.World{Phrase: "quiet harbour", Rules: world.DefaultRules(), Charter: &world.Charter{
		Version: 1, Founders: [][32]byte{[32]byte(public)}, FounderThreshold: 1,
		DirectorySigners: [][32]byte{[32]byte(public)}, DirectoryThreshold: 1,
		CircuitSuite: 1, EventHorizonS: 14 * 24 * 3600, QuotaPerAuthor: 1000,
	}})
	check(err)
	chain, ring := files(filepath.Join(dir, "founder"), w)
	defer chain.Close()
	self := roster.Member{Key: roster.Key(public), Wrap: ring.Wrap(), Role: roster.RoleBoth, Operator: "harbour"}
	_, entry, boxes, err := roster.Found(roster.Founding{
		World: *w, Keys: []ed25519.PrivateKey{founder}, Members: []roster.Member{self}, Proposer: founder,
	}, now)
	check(err)
	check(chain.Extend(entry, boxes, now))
	check(ring.Open(self.Key, boxes))

	// An invite is a file and a phrase, sent by different ways.
	store, err := bolt.Open(filepath.Join(dir, "roster.db"))
	check(err)
	defer store.Close()
	desk := &roster.Desk{
		Chain: chain, Keyring: ring, Invites: roster.NewInvites(store, w), Pool: roster.NewPool(chain.Roster(), store, self.Key),
		Providers: roster.NoProviders{}, Key: founder, Founders: []ed25519.PrivateKey{founder},
	}
	const here = "/ip4/192.0.2.7/tcp/4811/p2p/12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN"
	invite, phrase, err := desk.Invites.Create(ctx, []string{here}, nil, nil, now)
	check(err)
	file, err := invite.Format()
	check(err)

	// The newcomer asks with both, in a session with the inviter.
	invite, err = roster.ParseInvite(file)
	check(err)
	theirs, theirRing := files(filepath.Join(dir, "newcomer"), invite.World)
	defer theirs.Close()
	theirPublic, theirKey, err := ed25519.GenerateKey(nil)
	check(err)
	ask, err := roster.NewAsk(invite, phrase, theirKey, theirRing.Wrap(), roster.RoleProber, "visitor", nil, now)
	check(err)
	transcript := roster.Transcript{1} // a hash that only the two ends of the session know
	reply, _, err := desk.Ask(ctx, ask.Request(transcript).Canonical(), transcript, now)
	check(err)
	answer, err := ask.Answer(transcript, reply)
	check(err)
	check(roster.Join(theirs, theirRing, answer, now))
	fmt.Println("members:", len(theirs.Roster().Members()))
	generation, _ := theirRing.Newest()
	fmt.Println("the newcomer's generation:", generation)

	// An eviction makes a master that the evicted cannot open.
	member, _ := chain.Roster().Member(roster.Key(theirPublic))
	change := roster.Change{Kind: roster.Remove, Member: member}
	approval, err := chain.Roster().Approve(founder, roster.Petition{Proposer: self.Key, Change: change}, roster.NoProviders{}, now)
	check(err)
	change.Approvals = append(change.Approvals, approval)
	check(desk.Pool.Put(ctx, change, now))
	check(desk.Settle(ctx, now))
	for _, e := range chain.Roster().Entries(generation + 1) {
		check(theirs.Append(e, nil, now))
		sealed, err := chain.Boxes(e.Hash())
		check(err)
		fmt.Println("the evicted:", theirRing.Open(member.Key, sealed) != nil)
	}
	fmt.Println("members:", len(theirs.Roster().Members()))
	// Output:
	// members: 2
	// the newcomer's generation: 2
	// the evicted: true
	// members: 1
}

// files opens the chain and the keyring of a node.
func files(dir string, w *world.World) (*roster.Chain, *roster.Keyring) {
	check(os.Mkdir(dir, 0o700))
	chain, err := roster.OpenChain(dir, w)
	check(err)
	ring, err := roster.OpenKeyring(filepath.Join(dir, "group.keys"), chain.Roster())
	check(err)
	return chain, ring
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
