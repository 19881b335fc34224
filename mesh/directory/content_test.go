package directory

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/culvert-net/culvert/mesh/world"
)

// canonical are the bytes of descriptors.
func canonical(ds ...[]world.Descriptor) (out [][]byte) {
	for _, d := range slices.Concat(ds...) {
		out = append(out, d.Canonical())
	}
	return out
}

// keysOf are the keys of descriptors, sorted, each once.
func keysOf(t *testing.T, raw [][]byte) (keys [][32]byte) {
	t.Helper()
	for _, b := range raw {
		d, err := world.DecodeDescriptor(b)
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, d.Key)
	}
	slices.SortFunc(keys, func(a, b [32]byte) int { return bytes.Compare(a[:], b[:]) })
	return slices.Compact(keys)
}

func TestContent(t *testing.T) {
	w := testWorld(t)
	epoch := w.Epoch(at)
	relay := build(t, w, 1, at, 1, testNode(t, w, 1, at))
	provider := build(t, w, 2, at, 1, testNode(t, w, 2, at, "a", "b"))
	last := build(t, w, 3, at.Add(-w.EpochLen()), 1, testNode(t, w, 3, at.Add(-w.EpochLen()), "a"))
	good := canonical(relay, provider, last)
	c := ReadContent(w, epoch, good, nil)
	if c.LeftOut() != 0 || c.Keys() != 3 || !c.Has(publicOf(testKey(2))) {
		t.Fatalf("%d left out, %d keys", c.LeftOut(), c.Keys())
	}
	v := NewView(w)
	if v.Snapshot().Len() != 0 || v.Content() != nil {
		t.Error("a new view shows somebody")
	}
	updated := v.Updated()
	v.Show(c)
	select {
	case <-updated:
	default:
		t.Error("nobody was told of a change")
	}
	snap := v.Snapshot()
	if snap.Len() != 3 || len(snap.Relays()) != 1 || len(snap.Providers("a")) != 2 || snap.Epoch() != epoch {
		t.Errorf("%d nodes, %d relays, %d providers", snap.Len(), len(snap.Relays()), len(snap.Providers("a")))
	}
	updated = v.Updated()
	v.Show(c)
	select {
	case <-updated:
		t.Error("told of a change that was none")
	default:
	}
	v.Show(nil)
	if v.Snapshot().Len() != 0 {
		t.Error("an emptied view shows somebody")
	}

	// What does not stand up costs itself, or its key.
	forged := relay[0]
	forged.Signature[3] ^= 1
	other := makeWorld(t, world.World{Phrase: "other", Sandbox: true}, 5*time.Minute)
	moved := testNode(t, w, 2, at, "c")
	moved.Addrs = []string{"/ip4/127.9.9.9/tcp/1"}
	for _, tt := range []struct {
		name string
		raw  [][]byte
		keys int
		left int
	}{
		{"forged", append(canonical(provider), forged.Canonical()), 1, 1},
		{"no descriptor", append(slices.Clone(good), []byte("nothing")), 3, 1},
		{"of another world", append(slices.Clone(good), canonical(build(t, other, 4, at, 1, testNode(t, other, 4, at)))...), 3, 1},
		{"of the next epoch", append(slices.Clone(good), canonical(build(t, w, 4, at.Add(w.EpochLen()), 1, testNode(t, w, 4, at)))...), 3, 1},
		{"two epochs old", append(slices.Clone(good), canonical(build(t, w, 4, at.Add(-2*w.EpochLen()), 1, testNode(t, w, 4, at.Add(-2*w.EpochLen()))))...), 3, 1},
		{"two seqs of a key", append(slices.Clone(good), canonical(build(t, w, 1, at, 2, testNode(t, w, 1, at)))...), 2, 2},
		{"two epochs of a key", append(slices.Clone(good), canonical(build(t, w, 3, at, 1, testNode(t, w, 3, at, "z")))...), 2, 2},
		{"two addresses of a key", append(slices.Clone(good), canonical(build(t, w, 2, at, 1, moved))...), 2, 3},
		{"after it was put out", append(canonical(build(t, w, 1, at, 2, testNode(t, w, 1, at)), relay, build(t, w, 1, at, 2, testNode(t, w, 1, at, "x"))), canonical(last)...), 1, 3},
	} {
		if c := ReadContent(w, epoch, tt.raw, nil); c.Keys() != tt.keys || c.LeftOut() != tt.left {
			t.Errorf("%s: %d keys, %d left out, want %d, %d", tt.name, c.Keys(), c.LeftOut(), tt.keys, tt.left)
		}
	}
	// What is known need not be verified again, but only the very same.
	if c := ReadContent(w, epoch, append(canonical(provider), forged.Canonical()), c); c.Keys() != 1 {
		t.Errorf("a forged copy of a known descriptor stands")
	}
	if again := ReadContent(w, epoch, good, c); again.slots[publicOf(testKey(1))].live[""] != c.slots[publicOf(testKey(1))].live[""] {
		t.Error("a known descriptor was verified again")
	}
}

func TestUsable(t *testing.T) {
	w := testWorld(t)
	epoch := w.Epoch(at)
	start := w.EpochStart(epoch)
	for _, c := range []struct {
		root uint64
		now  time.Time
		want bool
	}{
		{epoch, start, true},
		{epoch - 1, start, true},
		{epoch - 2, start, true},
		{epoch - 3, start, false},
		{epoch, start.Add(3*w.EpochLen() - 1), true},
		{epoch, start.Add(3 * w.EpochLen()), false},
		{epoch + 1, start, false},
		{epoch, start.Add(-Skew(w)), true},
		{epoch, start.Add(-Skew(w) - time.Millisecond), false},
		{1<<64 - 1, start, false},
		{0, start, false},
	} {
		if got := Usable(w, c.root, c.now); got != c.want {
			t.Errorf("a root of %d at %v is usable: %v", int64(c.root-epoch), c.now.Sub(start), got)
		}
	}
}

// What stands in the bundle of an epoch: the newest of it and the one before.
func TestLive(t *testing.T) {
	w := testWorld(t)
	epoch := w.Epoch(at)
	before := at.Add(-w.EpochLen())
	set := NewSet(w)
	add := func(ds ...[]world.Descriptor) {
		t.Helper()
		set.Add(slices.Concat(ds...), at)
	}
	old3 := build(t, w, 3, before, 5, testNode(t, w, 3, before))
	new3 := build(t, w, 3, at, 6, testNode(t, w, 3, at))
	liar := build(t, w, 4, at, 1, testNode(t, w, 4, at, "x"))
	lie := testNode(t, w, 4, at, "x")
	lie.Name = "other"
	add(build(t, w, 1, at, 1, testNode(t, w, 1, at)), build(t, w, 2, before, 1, testNode(t, w, 2, before, "a", "b")), old3, new3)
	add(build(t, w, 4, before, 1, testNode(t, w, 4, before)), liar, build(t, w, 4, at, 1, lie))

	live := set.Live(epoch, nil)
	c := ReadContent(w, epoch, live, nil)
	if c.LeftOut() != 0 || c.Keys() != 3 || c.Has(publicOf(testKey(4))) || len(live) != 4 {
		t.Errorf("%d keys, %d descriptors, %d left out", c.Keys(), len(live), c.LeftOut())
	}
	if !slices.ContainsFunc(live, func(b []byte) bool { return bytes.Equal(b, new3[0].Canonical()) }) {
		t.Error("what was said last is not in it")
	}
	// In the bundle of the epoch before, what was said since is not known.
	if c := ReadContent(w, epoch-1, set.Live(epoch-1, nil), nil); c.Keys() != 3 || c.LeftOut() != 0 {
		t.Errorf("the epoch before: %d keys, %d left out", c.Keys(), c.LeftOut())
	}
	if len(set.Lacking(c, nil, at)) != 0 {
		t.Error("the set's own bundle lacks something")
	}
}

// Where there is no room for all, who stood before comes first, and a bundle
// that puts a newcomer in his place is told from one that is full.
func TestLiveWithoutRoom(t *testing.T) {
	w := testWorld(t)
	epoch := w.Epoch(at)
	set := NewSet(w)
	for n := range 6 {
		now := at.Add(time.Duration(n) * time.Second)
		set.Add(build(t, w, n+1, at, 1, testNode(t, w, n+1, at)), now)
	}
	set.capacity.keys = 3
	now := at.Add(time.Minute)
	longest := ReadContent(w, epoch, set.Live(epoch, nil), nil)
	for n, want := range []bool{true, true, true, false, false, false} {
		if longest.Has(publicOf(testKey(n+1))) != want {
			t.Errorf("without a bundle before, node %d is in it: %v", n+1, !want)
		}
	}
	stood := ReadContent(w, epoch-1, nil, nil)
	last := ReadContent(w, epoch, canonical(build(t, w, 6, at, 1, testNode(t, w, 6, at))), nil)
	chosen := ReadContent(w, epoch, set.Live(epoch, last), nil)
	if !chosen.Has(publicOf(testKey(6))) || !chosen.Has(publicOf(testKey(2))) || chosen.Has(publicOf(testKey(3))) {
		t.Error("who stood in the bundle before does not come first")
	}
	if lacking := set.Lacking(chosen, last, now); len(lacking) != 0 {
		t.Errorf("a full bundle is told to take %d more", len(lacking))
	}
	if lacking := set.Lacking(longest, last, now); len(lacking) != 1 {
		t.Errorf("a bundle in which a newcomer has another's place lacks %d", len(lacking))
	}
	if lacking := set.Lacking(longest, stood, now); len(lacking) != 0 {
		t.Errorf("a full bundle of newcomers lacks %d", len(lacking))
	}
}

func TestLacking(t *testing.T) {
	w := testWorld(t)
	epoch := w.Epoch(at)
	before := at.Add(-w.EpochLen())
	node := func(n int, now time.Time, seq uint64, models ...string) []world.Descriptor {
		return build(t, w, n, now, seq, testNode(t, w, n, now, models...))
	}
	lie := testNode(t, w, 1, at)
	lie.Name = "other"
	for _, tt := range []struct {
		name   string
		set    [][]world.Descriptor
		bundle [][]world.Descriptor
		want   [][]world.Descriptor
	}{
		{"the same", [][]world.Descriptor{node(1, at, 1)}, [][]world.Descriptor{node(1, at, 1)}, nil},
		{"more than is known", nil, [][]world.Descriptor{node(1, at, 1)}, nil},
		{"a node", [][]world.Descriptor{node(1, at, 1), node(2, at, 1, "a", "b")}, [][]world.Descriptor{node(1, at, 1)}, [][]world.Descriptor{node(2, at, 1, "a", "b")}},
		{"a model", [][]world.Descriptor{node(2, at, 1, "a", "b")}, [][]world.Descriptor{node(2, at, 1, "a")}, [][]world.Descriptor{node(2, at, 1, "b")}},
		{"a change", [][]world.Descriptor{node(1, at, 2)}, [][]world.Descriptor{node(1, at, 1)}, [][]world.Descriptor{node(1, at, 2)}},
		{"an epoch", [][]world.Descriptor{node(1, at, 1)}, [][]world.Descriptor{node(1, before, 7)}, [][]world.Descriptor{node(1, at, 1)}},
		{"the older one", [][]world.Descriptor{node(1, at, 1)}, [][]world.Descriptor{node(1, at, 2)}, nil},
		{"the older epoch", [][]world.Descriptor{node(1, before, 7)}, [][]world.Descriptor{node(1, at, 2)}, nil},
		{"who is out and not in it", [][]world.Descriptor{node(1, at, 1), build(t, w, 1, at, 1, lie)}, nil, nil},
		{"who is out", [][]world.Descriptor{node(1, at, 1), build(t, w, 1, at, 1, lie)}, [][]world.Descriptor{node(1, at, 1)}, [][]world.Descriptor{node(1, at, 1), build(t, w, 1, at, 1, lie)}},
		{"another word under one seq", [][]world.Descriptor{node(1, at, 1)}, [][]world.Descriptor{build(t, w, 1, at, 1, lie)}, [][]world.Descriptor{node(1, at, 1)}},
	} {
		set := NewSet(w)
		set.Add(slices.Concat(tt.set...), at)
		c := ReadContent(w, epoch, canonical(tt.bundle...), nil)
		got, want := set.Lacking(c, nil, at), canonical(tt.want...)
		slices.SortFunc(got, bytes.Compare)
		slices.SortFunc(want, bytes.Compare)
		if !slices.EqualFunc(got, want, bytes.Equal) {
			t.Errorf("%s: lacks %d descriptors of %x, want %d", tt.name, len(got), keysOf(t, got), len(want))
		}
		if tt.name == "a node" {
			if got := set.Lacking(c, nil, at.Add(-time.Second)); len(got) != 0 {
				t.Errorf("what came since is missed already: %d", len(got))
			}
		}
	}
}

func BenchmarkReadContent(b *testing.B) {
	w := testWorld(b)
	var raw [][]byte
	for n := range 1000 {
		raw = append(raw, canonical(build(b, w, n, at, 1, testNode(b, w, n, at, fmt.Sprint("model-", n%20))))...)
	}
	c := ReadContent(w, w.Epoch(at), raw, nil)
	b.Run("new", func(b *testing.B) {
		for b.Loop() {
			ReadContent(w, w.Epoch(at), raw, nil)
		}
	})
	b.Run("known", func(b *testing.B) {
		for b.Loop() {
			ReadContent(w, w.Epoch(at), raw, c)
		}
	})
}
