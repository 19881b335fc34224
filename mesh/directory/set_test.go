package directory

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/culvert-net/culvert/mesh/world"
)

// only wants exactly one refusal for that reason.
func only(t *testing.T, res Result, want Reason) {
	t.Helper()
	if res.Added != 0 || len(res.Refused) != 1 || res.Refused[0].Reason != want {
		t.Errorf("Add = %+v, want one refusal: %v", res, want)
	}
}

// added wants n new descriptors and no refusal.
func added(t *testing.T, res Result, n int) {
	t.Helper()
	if res.Added != n || len(res.Refused) != 0 {
		t.Errorf("Add = %+v, want %d added", res, n)
	}
}

func TestHighestSeqWins(t *testing.T) {
	w := testWorld(t)
	set := NewSet(w)
	key := publicOf(testKey(1))
	first := build(t, w, 1, at, 10, testNode(t, w, 1, at, "a", "b"))
	added(t, set.Add(first, at), 2)
	before := set.Snapshot()

	second := build(t, w, 1, at, 20, testNode(t, w, 1, at, "c"))
	added(t, set.Add(second, at), 1)
	if n, _ := set.Snapshot().Node(key); n.Seq != 20 || len(n.Models) != 1 || n.Models[0].ID != "c" {
		t.Errorf("after a higher seq: %+v", n)
	}
	only(t, set.Add(first[:1], at), ReasonOldSeq) // a rollback
	if n, _ := set.Snapshot().Node(key); n.Seq != 20 {
		t.Errorf("after a rollback: %+v", n)
	}
	if res := set.Add(second, at); res.Known != 1 || res.Added != 0 {
		t.Errorf("the same again: %+v", res)
	}
	if n, _ := before.Node(key); n.Seq != 10 || len(n.Models) != 2 || len(before.Descriptors()) != 2 {
		t.Errorf("an older snapshot has changed: %+v", n)
	}

	// Models of one seq may come one by one.
	third := build(t, w, 1, at, 30, testNode(t, w, 1, at, "d", "e"))
	added(t, set.Add(third[1:], at), 1)
	added(t, set.Add(third[:1], at), 1)
	if n, _ := set.Snapshot().Node(key); n.Seq != 30 || len(n.Models) != 2 {
		t.Errorf("after two halves: %+v", n)
	}

	// The fourth change is the last one.
	added(t, set.Add(build(t, w, 1, at, 31, testNode(t, w, 1, at, "f")), at), 1)
	only(t, set.Add(build(t, w, 1, at, 32, testNode(t, w, 1, at, "g")), at), ReasonChanges)

	// A new epoch counts anew, and a seq may start anywhere in it.
	next := at.Add(w.EpochLen())
	added(t, set.Add(build(t, w, 1, next, 1, testNode(t, w, 1, next, "h")), next), 1)
	if n, _ := set.Snapshot().Node(key); n.Seq != 1 || n.Models[0].ID != "h" {
		t.Errorf("after the turn of the epoch: %+v", n)
	}
}

func TestTooManyModels(t *testing.T) {
	w := testWorld(t)
	set := NewSet(w)
	var ids []string
	for i := range maxModels {
		ids = append(ids, fmt.Sprintf("m%d", i))
	}
	added(t, set.Add(build(t, w, 1, at, 1, testNode(t, w, 1, at, ids...)), at), maxModels)
	only(t, set.Add(build(t, w, 1, at, 1, testNode(t, w, 1, at, "one-more")), at), ReasonModels)
}

func TestEquivocation(t *testing.T) {
	w := testWorld(t)
	key := publicOf(testKey(1))
	base := testNode(t, w, 1, at, "a")
	other := func(change func(*Node)) []world.Descriptor {
		n := testNode(t, w, 1, at, "a")
		change(&n)
		return build(t, w, 1, at, 5, n)
	}
	bystander := build(t, w, 2, at, 1, testNode(t, w, 2, at))

	for name, second := range map[string][]world.Descriptor{
		"same model, other content": other(func(n *Node) { n.Models[0].Context = 1 }),
		"same model, other caps":    other(func(n *Node) { n.Models[0].Caps = nil }),
		"other model, other name":   other(func(n *Node) { n.Models[0].ID, n.Name = "b", "x" }),
		"other model, other place":  other(func(n *Node) { n.Models[0].ID, n.Addrs = "b", []string{"/ip4/127.0.0.9/tcp/1"} }),
		"other model, other onion":  other(func(n *Node) { n.Models[0].ID, n.Onion = "b", []OnionKey{testOnion(t, w, 9, at)} }),
		"a relay, other name":       other(func(n *Node) { n.Models, n.Name = nil, "x" }),
	} {
		t.Run(name, func(t *testing.T) {
			first := build(t, w, 1, at, 5, base)
			set := NewSet(w)
			added(t, set.Add(slices.Concat(first, bystander), at), 2)
			only(t, set.Add(second, at), ReasonEquivocal)

			out := func(set *Set) {
				t.Helper()
				snap := set.Snapshot()
				if n, ok := snap.Node(key); ok {
					t.Errorf("the key still stands as %+v", n)
				}
				if proof := snap.Equivocations(); len(proof) != 1 || proof[0].Key != key ||
					proof[0].First.Verify() != nil || proof[0].Second.Verify() != nil || proof[0].First.ID == proof[0].Second.ID {
					t.Errorf("proof = %+v", proof)
				}
				if _, ok := snap.Node(publicOf(testKey(2))); !ok {
					t.Error("a bystander is out too")
				}
			}
			out(set)
			only(t, set.Add(build(t, w, 1, at, 6, base), at), ReasonEquivocal) // no way back
			out(set)

			// Whoever fetches this set comes to the same result, even if what he
			// had was newer, and in whatever order.
			for _, order := range [][]world.Descriptor{set.All(), reversed(set.All())} {
				fresh := NewSet(w)
				fresh.Add(order, at)
				out(fresh)
				if !slices.Equal(idsOf(fresh), idsOf(set)) {
					t.Error("two sets that were told the same differ")
				}
				newer := NewSet(w)
				added(t, newer.Add(build(t, w, 1, at, 9, base), at), 1)
				newer.Add(order, at)
				out(newer)
			}

			// With the epoch it is over, and what was said before it is not believed.
			next := at.Add(w.EpochLen())
			set.Advance(next)
			if _, ok := set.Snapshot().Node(key); ok {
				t.Error("the key is back with nothing new said")
			}
			added(t, set.Add(build(t, w, 1, next, 1, testNode(t, w, 1, next, "a")), next), 1)
			if n, ok := set.Snapshot().Node(key); !ok || n.Epoch != w.Epoch(next) {
				t.Errorf("in the next epoch the key stands as %+v, %v", n, ok)
			}
		})
	}
}

// TestOutMeansNotEarlierEither: what a key said in the last epoch does not
// stand in for what it contradicted in this one.
func TestOutMeansNotEarlierEither(t *testing.T) {
	w := testWorld(t)
	set := NewSet(w)
	last := at.Add(-w.EpochLen())
	added(t, set.Add(build(t, w, 1, last, 1, testNode(t, w, 1, last, "a")), at), 1)
	set.Add(build(t, w, 1, at, 1, testNode(t, w, 1, at, "a")), at)
	set.Add(build(t, w, 1, at, 1, testNode(t, w, 1, at, "a", "b")), at)
	if _, ok := set.Snapshot().Node(publicOf(testKey(1))); !ok {
		t.Error("a second model under the same seq is no contradiction")
	}
	changed := testNode(t, w, 1, at, "a")
	changed.Models[0].Context++
	only(t, set.Add(build(t, w, 1, at, 1, changed), at), ReasonEquivocal)
	if n, ok := set.Snapshot().Node(publicOf(testKey(1))); ok {
		t.Errorf("the key stands as %+v", n)
	}
}

func TestEpochsPass(t *testing.T) {
	w := testWorld(t)
	set := NewSet(w)
	added(t, set.Add(build(t, w, 1, at, 1, testNode(t, w, 1, at)), at), 1)
	updated := set.Updated()
	set.Advance(at.Add(w.EpochLen()))
	if set.Snapshot().Len() != 1 {
		t.Error("the last epoch's node is gone")
	}
	select {
	case <-updated:
	default:
		t.Error("the turn of the epoch was not told")
	}
	set.Advance(at.Add(2 * w.EpochLen()))
	if set.Snapshot().Len() != 0 || len(set.All()) != 0 {
		t.Error("a node of two epochs ago still stands")
	}
	// A clock that was ahead and is set right must not leave the set empty.
	added(t, set.Add(build(t, w, 2, at, 1, testNode(t, w, 2, at)), at), 1)
	if set.Snapshot().Epoch() != w.Epoch(at) || set.Snapshot().Len() != 1 {
		t.Error("the set did not follow the clock back")
	}
}

func TestBadOnesCostThemselves(t *testing.T) {
	w := testWorld(t)
	foreign := makeWorld(t, world.World{Phrase: "foreign", Sandbox: true}, 5*time.Minute)
	good := slices.Concat(
		build(t, w, 1, at, 1, testNode(t, w, 1, at)),
		build(t, w, 2, at, 1, testNode(t, w, 2, at, "m")))
	bad := good[0]
	bad.Signature[0] ^= 1
	bad.ContactPoints = append(slices.Clone(bad.ContactPoints), "x:y")
	bad.ID = world.DescriptorID(bad.DescriptorUnsigned)
	old := at.Add(-3 * w.EpochLen())
	res := NewSet(w).Add(slices.Concat(
		good[:1],
		build(t, foreign, 3, at, 1, testNode(t, foreign, 3, at)),
		[]world.Descriptor{bad},
		build(t, w, 4, old, 1, testNode(t, w, 4, old)),
		good[1:]), at)
	want := []Refusal{{1, ReasonWorld}, {2, ReasonSignature}, {3, ReasonEpoch}}
	if res.Added != 2 || !slices.Equal(res.Refused, want) {
		t.Errorf("Add = %+v, want 2 added and refusals %v", res, want)
	}
}

// TestOrderDoesNotMatter merges what twenty honest nodes and two that
// contradict themselves said, in random orders and batches, and wants one set.
func TestOrderDoesNotMatter(t *testing.T) {
	w := testWorld(t)
	var all []world.Descriptor
	for n := range 20 {
		models := []string{"a", "b", "c"}[:n%4]
		all = append(all, build(t, w, n, at, uint64(n), testNode(t, w, n, at, models...))...)
		all = append(all, build(t, w, n, at.Add(-w.EpochLen()), 1, testNode(t, w, n, at.Add(-w.EpochLen())))...)
	}
	for n := 30; n < 32; n++ {
		node := testNode(t, w, n, at)
		all = append(all, build(t, w, n, at, 1, node)...)
		node.Name = "two-faced"
		all = append(all, build(t, w, n, at, 1, node)...)
	}
	var want []world.Hash
	for seed := range uint64(20) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		rnd.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		set := NewSet(w)
		for rest := all; len(rest) > 0; {
			n := min(len(rest), 1+rnd.IntN(10))
			set.Add(rest[:n], at)
			rest = rest[n:]
		}
		snap := set.Snapshot()
		if snap.Len() != 20 || len(snap.Equivocations()) != 2 {
			t.Fatalf("seed %d: %d nodes, %d equivocations, want 20 and 2", seed, snap.Len(), len(snap.Equivocations()))
		}
		if seed == 0 {
			want = idsOf(set)
		}
		if !slices.Equal(idsOf(set), want) {
			t.Errorf("seed %d: another set", seed)
		}
	}
}

// TestFloodLeavesRoom fills an epoch with new keys before the old ones have
// published, and wants all old ones in.
func TestFloodLeavesRoom(t *testing.T) {
	w := testWorld(t)
	const old, capacity = 20, 50
	set := NewSet(w)
	set.capacity.keys = capacity
	last := at.Add(-w.EpochLen())
	for n := range old {
		added(t, set.Add(build(t, w, n, last, 1, testNode(t, w, n, last)), at), 1)
	}
	let, full := 0, 0
	for n := 100; n < 200; n++ {
		res := set.Add(build(t, w, n, at, 1, testNode(t, w, n, at)), at)
		let += res.Added
		if len(res.Refused) == 1 && res.Refused[0].Reason == ReasonFull {
			full++
		}
	}
	if let != capacity-old || full != 100-let {
		t.Errorf("%d newcomers got in and %d were refused, want %d in", let, full, capacity-old)
	}
	var batch []world.Descriptor // old keys and a newcomer in one go
	for n := range old {
		batch = append(batch, build(t, w, n, at, 1, testNode(t, w, n, at))...)
	}
	res := set.Add(append(batch, build(t, w, 500, at, 1, testNode(t, w, 500, at))...), at)
	if res.Added != old || len(res.Refused) != 1 || res.Refused[0].Reason != ReasonFull {
		t.Errorf("old keys: %+v, want all %d in and the newcomer out", res, old)
	}

	// Bytes are bounded the same way, changes included.
	small := NewSet(w)
	small.capacity.bytes = 2 * MaxDescriptor
	n := 0
	for ; n < 1000 && len(small.Add(build(t, w, n, at, 1, testNode(t, w, n, at)), at).Refused) == 0; n++ {
	}
	if n == 1000 || small.epochs[w.Epoch(at)].size > small.capacity.bytes {
		t.Errorf("%d nodes fit in %d bytes", n, small.capacity.bytes)
	}
	size := small.epochs[w.Epoch(at)].size
	added(t, small.Add(build(t, w, 0, at, 2, testNode(t, w, 0, at)), at), 1) // in place of the old one
	if got := small.epochs[w.Epoch(at)].size; got != size {
		t.Errorf("after a change %d bytes, before %d", got, size)
	}
	contradiction := testNode(t, w, 0, at)
	contradiction.Name = "x"
	only(t, small.Add(build(t, w, 0, at, 2, contradiction), at), ReasonEquivocal)
	if got := small.epochs[w.Epoch(at)].size; got > small.capacity.bytes {
		t.Errorf("proof overflows: %d bytes", got)
	}
	if _, ok := small.Snapshot().Node(publicOf(testKey(0))); ok {
		t.Error("there was no room for proof, and so no consequence")
	}
}

func TestSnapshotTables(t *testing.T) {
	w := testWorld(t)
	set := NewSet(w)
	var all []world.Descriptor
	all = append(all, build(t, w, 1, at, 1, testNode(t, w, 1, at))...)
	all = append(all, build(t, w, 2, at, 1, testNode(t, w, 2, at, "a"))...)
	big := testNode(t, w, 3, at, "a", "b")
	big.Models[0].Context = 100_000
	all = append(all, build(t, w, 3, at, 1, big)...)
	lost := build(t, w, 4, at, 1, testNode(t, w, 4, at))
	all = append(all, resign(lost[0], 4, func(u *world.DescriptorUnsigned) {
		u.ContactPoints = slices.DeleteFunc(u.ContactPoints, func(s string) bool { return s[0] == '/' })
		u.ContactPoints = append(u.ContactPoints, "/carrier-pigeon/7")
	}))
	added(t, set.Add(all, at), 5)

	snap := set.Snapshot()
	if snap.World() != w.ID || snap.Epoch() != w.Epoch(at) || snap.Len() != 4 || snap.Serving() != 2 {
		t.Errorf("snapshot of %v, epoch %d, %d nodes, %d serving", snap.World(), snap.Epoch(), snap.Len(), snap.Serving())
	}
	if relays := snap.Relays(); len(relays) != 1 || relays[0].Name != "node-1" {
		t.Errorf("Relays = %+v, want node-1 only: node-4 has no address we know", relays)
	}
	if len(snap.Providers("a")) != 2 || len(snap.Providers("b")) != 1 || len(snap.Providers("")) != 0 || len(snap.Providers("c")) != 0 {
		t.Error("providers are not those of their models")
	}
	want := []ModelInfo{{"a", 2, 100_000}, {"b", 1, 8192}}
	if !slices.Equal(snap.Models(), want) {
		t.Errorf("Models = %+v, want %+v", snap.Models(), want)
	}
	if set.Snapshot() != snap {
		t.Error("an unchanged set makes a new snapshot")
	}
	set.Add(all, at)
	if set.Snapshot() != snap {
		t.Error("adding what is known makes a new snapshot")
	}
	if _, ok := snap.Node([32]byte{1}); ok {
		t.Error("a node nobody knows was found")
	}
}

// idsOf names all that a set holds, in its order.
func idsOf(s *Set) (out []world.Hash) {
	for _, d := range s.All() {
		out = append(out, d.ID)
	}
	return out
}

func reversed(ds []world.Descriptor) []world.Descriptor {
	out := slices.Clone(ds)
	slices.Reverse(out)
	return out
}
