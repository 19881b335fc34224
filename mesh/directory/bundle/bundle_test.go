package bundle

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"lukechampine.com/blake3"

	"github.com/culvert-net/culvert/mesh/quorum"
	"github.com/culvert-net/culvert/mesh/world"
	"github.com/culvert-net/culvert/mesh/world/postcard"
)

// leaf is the n-th descriptor's leaf; what it holds is not looked at here.
func leaf(n int) []byte { return Descriptor(fmt.Appendf(nil, "descriptor %04d", n)) }

func leavesOf(t testing.TB, ns ...int) *Leaves {
	t.Helper()
	var all [][]byte
	for _, n := range ns {
		all = append(all, leaf(n))
	}
	l, err := NewLeaves(all)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// rootOf is the root of leaves in epoch 7, without signatures.
func rootOf(l *Leaves) SignedRoot {
	return SignedRoot{Root: Root{
		World: world.Hash{1}, Epoch: 7, Count: uint32(l.Len()), Leaves: l.Merkle(), Previous: world.Hash{2},
		Generation: 3, Roster: world.Hash{4}, Time: 1_800_000_000_000,
	}}
}

func TestMerkle(t *testing.T) {
	pair := func(a, b world.Hash) world.Hash {
		return blake3.Sum256(append(append([]byte("dir-node"), a[:]...), b[:]...))
	}
	h := func(n int) world.Hash { return blake3.Sum256(append([]byte("dir-leaf"), leaf(n)...)) }
	for _, c := range []struct {
		leaves []int
		want   world.Hash
	}{
		{nil, blake3.Sum256([]byte("dir-none"))},
		{[]int{1}, h(1)},
		{[]int{1, 2}, pair(h(1), h(2))},
		{[]int{3, 1, 2, 2}, pair(pair(h(1), h(2)), h(3))},
		{[]int{1, 2, 3, 4, 5}, pair(pair(pair(h(1), h(2)), pair(h(3), h(4))), h(5))},
		{[]int{1, 2, 3, 4, 5, 6, 7}, pair(pair(pair(h(1), h(2)), pair(h(3), h(4))), pair(pair(h(5), h(6)), h(7)))},
	} {
		if got := leavesOf(t, c.leaves...).Merkle(); got != c.want {
			t.Errorf("%v: %v, want %v", c.leaves, got, c.want)
		}
	}
	// A node is no leaf: what hashes to one has another label.
	l := leavesOf(t, 1, 2)
	if _, err := New(SignedRoot{Root: Root{Count: 1, Leaves: l.Merkle()}}, leavesOf(t, 1)); !errors.Is(err, ErrShrunken) {
		t.Errorf("another number of leaves: %v", err)
	}
}

// The bytes of a root are what docs/spec/directory.md says.
func TestRootBytes(t *testing.T) {
	r := rootOf(leavesOf(t, 1, 2))
	want := []byte{1}
	want = append(want, r.World[:]...)
	want = append(want, 7, 2)
	want = append(want, r.Leaves[:]...)
	want = append(want, r.Previous[:]...)
	want = append(want, 3)
	want = append(want, r.Roster[:]...)
	want = postcard.AppendUint(want, 1_800_000_000_000)
	if got := r.Canonical(); !bytes.Equal(got, want) {
		t.Errorf("%s, want %s", hex.EncodeToString(got), hex.EncodeToString(want))
	}
	if r.ID() != blake3.Sum256(append([]byte("dir-root"), want...)) {
		t.Error("the id is not the hash of that")
	}
	want[0] = 2
	if _, err := DecodeSignedRoot(append(want, 0)); !errors.Is(err, ErrVersion) {
		t.Errorf("another version: %v", err)
	}
}

func TestSignedRoot(t *testing.T) {
	key := ed25519.NewKeyFromSeed(make([]byte, 32))
	public := [32]byte(key.Public().(ed25519.PublicKey))
	q := quorum.Quorum{Signers: [][32]byte{public}, Threshold: 1}
	r := rootOf(leavesOf(t, 1, 2))
	m, err := quorum.OpenMemory(t.TempDir()+"/signed.db", r.World)
	if err != nil {
		t.Fatal(err)
	}
	sig, err := m.Sign(key, r.Statement(), func() error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	r.Signatures = []quorum.Signature{sig}
	back, err := DecodeSignedRoot(r.Append(nil))
	if err != nil || back.Root != r.Root || back.Verify(r.World, q) != nil {
		t.Errorf("decoded: %v, %v", err, back.Verify(r.World, q))
	}
	for name, change := range map[string]func(*Root){
		"epoch": func(r *Root) { r.Epoch++ }, "count": func(r *Root) { r.Count++ }, "leaves": func(r *Root) { r.Leaves[0] ^= 1 },
		"previous": func(r *Root) { r.Previous[0] ^= 1 }, "generation": func(r *Root) { r.Generation++ },
		"roster": func(r *Root) { r.Roster[0] ^= 1 }, "time": func(r *Root) { r.Time++ },
	} {
		other := back
		change(&other.Root)
		if err := other.Verify(r.World, q); !errors.Is(err, quorum.ErrSignature) {
			t.Errorf("%s changed: %v", name, err)
		}
	}
}

func TestDelta(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	pick := func() (ns []int) {
		for range rnd.IntN(20) {
			ns = append(ns, rnd.IntN(30))
		}
		return ns
	}
	for range 500 {
		from, to := leavesOf(t, pick()...), leavesOf(t, pick()...)
		d := Diff(from, to)
		got, err := from.Apply(d)
		if err != nil || !slices.EqualFunc(got.All(), to.All(), bytes.Equal) {
			t.Fatalf("from %q to %q by %+v: %v", from.All(), to.All(), d, err)
		}
		if common := from.Len() - len(d.Removed); common+len(d.Added) != to.Len() {
			t.Fatalf("%+v moves more than it must", d)
		}
	}
	l := leavesOf(t, 1, 2, 3)
	for name, d := range map[string]Delta{
		"beyond":           {Removed: []uint32{3}},
		"far beyond":       {Removed: []uint32{1 << 31}},
		"twice":            {Removed: []uint32{1, 1}},
		"backwards":        {Removed: []uint32{2, 1}},
		"there already":    {Added: [][]byte{leaf(2)}},
		"of unknown kind":  {Added: [][]byte{{9, 9}}},
		"empty":            {Added: [][]byte{{0}}},
		"larger than can":  {Added: [][]byte{make([]byte, maxDescriptor+1)}},
		"added twice over": {Added: [][]byte{leaf(5), leaf(5)}},
	} {
		if _, err := l.Apply(d); !errors.Is(err, ErrLeaves) {
			t.Errorf("%s: %v, want ErrLeaves", name, err)
		}
	}
}

func TestLimits(t *testing.T) {
	full := func(kind byte, most, size int) [][]byte {
		large := make([][]byte, most/size+1)
		for i := range large {
			large[i] = append(postcard.AppendUint([]byte{kind}, uint64(1000+i)), make([]byte, size-3)...)
		}
		return large
	}
	descriptors, sheets := full(kindDescriptor, MaxBytes, maxDescriptor), full(kindSheet, MaxSheetBytes, MaxLeaf)
	if _, err := NewLeaves(slices.Concat(descriptors[1:], sheets[1:])); err != nil {
		t.Errorf("as much as there may be: %v", err)
	}
	if _, err := NewLeaves(slices.Concat(descriptors, sheets[1:])); !errors.Is(err, ErrLeaves) {
		t.Errorf("one descriptor more: %v", err)
	}
	if _, err := NewLeaves(slices.Concat(descriptors[1:], sheets)); !errors.Is(err, ErrLeaves) {
		t.Errorf("one price sheet more: %v", err)
	}
	for name, b := range map[string][]byte{
		"a descriptor": Descriptor(make([]byte, maxDescriptor)), "a price sheet": Sheet(make([]byte, MaxLeaf)),
	} {
		if _, err := NewLeaves([][]byte{b[:len(b)-1]}); err != nil {
			t.Errorf("%s of the largest size: %v", name, err)
		}
		if _, err := NewLeaves([][]byte{b}); !errors.Is(err, ErrLeaves) {
			t.Errorf("%s a byte longer: %v", name, err)
		}
	}
	many := make([][]byte, MaxLeaves+1)
	for i := range many {
		many[i] = leaf(i)
	}
	if _, err := NewLeaves(many); !errors.Is(err, ErrLeaves) {
		t.Errorf("too many: %v", err)
	}
}

func TestBundle(t *testing.T) {
	l := leavesOf(t, 5, 1, 3)
	root := rootOf(l)
	b, err := New(root, l)
	if err != nil {
		t.Fatal(err)
	}
	back, err := Decode(b.Encode())
	if err != nil || back.Root.ID() != root.ID() || !slices.EqualFunc(back.All(), l.All(), bytes.Equal) {
		t.Errorf("decoded: %v", err)
	}
	if ds := b.Descriptors(); len(ds) != 3 || !bytes.Equal(ds[0], leaf(1)[1:]) {
		t.Errorf("descriptors %q", ds)
	}
	for name, other := range map[string]*Leaves{
		"left out": leavesOf(t, 5, 1), "put in": leavesOf(t, 5, 1, 3, 2), "changed": leavesOf(t, 5, 1, 4), "empty": leavesOf(t),
	} {
		if _, err := New(root, other); !errors.Is(err, ErrShrunken) {
			t.Errorf("%s: %v, want ErrShrunken", name, err)
		}
	}
}

// Price sheets stand in a bundle beside descriptors, under the same root, and the
// format of bundles without one is what it was.
func TestSheets(t *testing.T) {
	l := leavesOf(t, 5, 1, 3)
	priced, err := NewLeaves(append(slices.Clone(l.All()), Sheet([]byte("prices")), Sheet([]byte("prices"))))
	if err != nil {
		t.Fatal(err)
	}
	if got := priced.Sheets(); len(got) != 1 || string(got[0]) != "prices" || len(priced.Descriptors()) != 3 || len(l.Sheets()) != 0 {
		t.Errorf("sheets %q, %d descriptors, want the same sheet once", got, len(priced.Descriptors()))
	}
	b, err := New(rootOf(priced), priced)
	if err != nil {
		t.Fatal(err)
	}
	back, err := Decode(b.Encode())
	if err != nil || !slices.EqualFunc(back.All(), priced.All(), bytes.Equal) {
		t.Errorf("decoded: %v", err)
	}
	if _, err := New(rootOf(priced), l); !errors.Is(err, ErrShrunken) {
		t.Errorf("without the sheet: %v, want ErrShrunken", err)
	}
	if to, err := l.Apply(Diff(l, priced)); err != nil || to.Merkle() != priced.Merkle() {
		t.Errorf("the delta to it: %v", err)
	}
}

func FuzzBundle(f *testing.F) {
	l := leavesOf(f, 5, 1, 3)
	priced, err := NewLeaves([][]byte{leaf(1), Sheet([]byte("prices"))})
	if err != nil {
		f.Fatal(err)
	}
	with, err := New(rootOf(priced), priced)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(with.Encode())
	b, err := New(rootOf(l), l)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b.Encode())
	f.Fuzz(func(t *testing.T, in []byte) {
		b, err := Decode(in)
		if err == nil && !bytes.Equal(b.Encode(), in) {
			t.Errorf("%x decodes and encodes to something else", in)
		}
	})
}

func FuzzSignedRoot(f *testing.F) {
	r := rootOf(leavesOf(f, 1))
	f.Add(r.Append(nil))
	f.Fuzz(func(t *testing.T, in []byte) {
		r, err := DecodeSignedRoot(in)
		if err == nil && !bytes.Equal(r.Append(nil), in) {
			t.Errorf("%x decodes and encodes to something else", in)
		}
	})
}

func FuzzApply(f *testing.F) {
	f.Add([]byte{1}, leaf(9))
	f.Fuzz(func(t *testing.T, removed, added []byte) {
		l := leavesOf(t, 1, 2, 3, 4)
		d := Delta{Added: [][]byte{added}}
		for _, at := range removed {
			d.Removed = append(d.Removed, uint32(at))
		}
		to, err := l.Apply(d)
		if err == nil && to.Len() != 5-len(removed) {
			t.Errorf("%d leaves", to.Len())
		}
	})
}
