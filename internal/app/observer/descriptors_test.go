package observer

import (
	"crypto/ed25519"
	"log/slog"
	"testing"
	"time"

	"github.com/culvert-net/culvert/internal/app/member"
	"github.com/culvert-net/culvert/mesh/directory"
	"github.com/culvert-net/culvert/mesh/world"
)

// What members say of nodes is taken on a desk's terms: a key pays once per epoch,
// in whatever order it is heard, and one that has not paid does not stand.
func TestHear(t *testing.T) {
	w, err := world.New(world.World{Phrase: "hear", Rules: world.DefaultRules(), Founder: [32]byte{1}, Local: true})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	said := func(key byte, seq uint64, stamped bool) member.Descriptor {
		t.Helper()
		private := ed25519.NewKeyFromSeed(append(make([]byte, ed25519.SeedSize-1), key))
		ds, err := directory.Build(private, w.ID, w.Epoch(now), seq, directory.Node{
			Addrs: []string{"/ip4/127.0.0.1/tcp/4811"}, End: true,
			Onion: []directory.OnionKey{{Public: [32]byte{key}, NotAfter: w.EpochStart(w.Epoch(now) + 2)}},
		})
		if err != nil {
			t.Fatal(err)
		}
		return member.Descriptor{Descriptor: ds[0], Stamped: stamped}
	}
	ob := &observer{world: w, set: directory.NewSet(w), log: slog.New(slog.DiscardHandler)}
	later := ob.hear([]member.Descriptor{said(1, 2, false), said(2, 1, false)}, now)
	if n := ob.set.Snapshot().Len(); n != 0 || len(later) != 2 {
		t.Fatalf("%d nodes stand that paid nothing, and %d may yet; want 0 and 2", n, len(later))
	}
	later = ob.hear(append(later, said(1, 1, true)), now)
	n, ok := ob.set.Snapshot().Node(said(1, 1, true).Key)
	if !ok || n.Seq != 2 || len(later) != 1 || later[0].Key != said(2, 1, false).Key {
		t.Errorf("node %+v, %v, %d left; want what the first said last, and the second left", n, ok, len(later))
	}
	if later = ob.hear(later, now.Add(2*w.EpochLen())); len(later) != 0 {
		t.Errorf("%d are kept of an epoch that is over", len(later))
	}
	// Where stamps cost nothing, nobody has to show one.
	free, err := world.New(world.World{Phrase: "hear", Rules: world.DefaultRules(), Local: true, Charter: &world.Charter{
		Version: 1, Founders: [][32]byte{{1}}, FounderThreshold: 1, DirectorySigners: [][32]byte{{1}}, DirectoryThreshold: 1,
		CircuitSuite: world.CircuitSuite, EventHorizonS: uint64(world.DefaultHorizon / time.Second), QuotaPerAuthor: 1,
	}})
	if err != nil {
		t.Fatal(err)
	}
	w = free
	ob = &observer{world: free, set: directory.NewSet(free), log: slog.New(slog.DiscardHandler)}
	if later := ob.hear([]member.Descriptor{said(1, 1, false)}, now); len(later) != 0 || ob.set.Snapshot().Len() != 1 {
		t.Errorf("%d left, %d nodes; want it taken", len(later), ob.set.Snapshot().Len())
	}
}
