package terrain_test

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"lukechampine.com/blake3"

	"github.com/culvert-net/culvert/mesh/terrain"
	"github.com/culvert-net/culvert/mesh/world"
)

var testWorld = world.Hash{1, 2, 3}

func keys(n int) [][32]byte {
	out := make([][32]byte, n)
	for i := range out {
		out[i] = blake3.Sum256(binary.LittleEndian.AppendUint64(nil, uint64(i)))
	}
	return out
}

func cpk(epoch uint64) *world.Secret {
	return world.ControlPlaneKey(world.NewSecret([32]byte{9}), testWorld, epoch)
}

// The bytes, made a second time by hand.
func TestOf(t *testing.T) {
	key := [32]byte{5}
	h := blake3.New(32, make([]byte, 32))
	h.Write([]byte("terrain"))
	h.Write(testWorld[:])
	h.Write(binary.LittleEndian.AppendUint64(nil, 77))
	h.Write(key[:])
	sum := h.Sum(nil)
	want := terrain.Address{
		Epoch:  77,
		Region: binary.LittleEndian.Uint64(sum),
		Chunk:  binary.LittleEndian.Uint64(sum[8:]),
		Cell:   binary.LittleEndian.Uint32(sum[16:]),
	}
	if got := terrain.Of(world.NewSecret([32]byte{}), testWorld, 77, key); got != want {
		t.Errorf("Of = %+v, want %+v", got, want)
	}
}

// A place depends on everything that it is made of: it moves with the epoch and
// with the group's master, so that a key that was ground for a good place under
// one is anywhere under the next. The cells of a coarse map fill evenly.
func TestPlacesAreNotChosen(t *testing.T) {
	const tries, regions = 20_000, 16
	best, at := uint64(math.MaxUint64), [32]byte{}
	for _, k := range keys(tries) {
		if r := terrain.Of(cpk(1), testWorld, 1, k).Region; r < best {
			best, at = r, k
		}
	}
	if best > math.MaxUint64/(tries/20) {
		t.Fatalf("the best of %d keys is at %x: is anything hashed?", tries, best)
	}
	var seen [regions]int
	for e := range uint64(tries) {
		seen[terrain.Of(cpk(e+2), testWorld, e+2, at).Region>>60]++
	}
	var chi float64
	for _, n := range seen {
		d := float64(n) - tries/regions
		chi += d * d / (tries / regions)
	}
	// 15 degrees of freedom: 37.7 is exceeded once in a thousand; the keys are
	// fixed, so this either holds or does not.
	if chi > 37.7 {
		t.Errorf("chi-squared of the ground key's later regions = %.1f: %v", chi, seen)
	}
	other := world.ControlPlaneKey(world.NewSecret([32]byte{10}), testWorld, 1)
	a, b := terrain.Of(cpk(1), testWorld, 1, at), terrain.Of(other, testWorld, 1, at)
	c := terrain.Of(cpk(1), world.Hash{4}, 1, at)
	if a.Region == b.Region || a.Region == c.Region || a.Chunk == b.Chunk || a.Cell == b.Cell {
		t.Errorf("a new master or world leaves the place: %+v, %+v, %+v", a, b, c)
	}
}

func TestDistance(t *testing.T) {
	at := func(region, chunk uint64) terrain.Address { return terrain.Address{Region: region, Chunk: chunk} }
	for _, tt := range []struct {
		a, b terrain.Address
		want terrain.Distance
	}{
		{at(0, 0), at(0, 0), terrain.Distance{}},
		{at(0, 1), at(0, 3), terrain.Distance{Lo: 2}},
		{at(math.MaxUint64, math.MaxUint64), at(0, 0), terrain.Distance{Lo: 1}},
		{at(1, 0), at(0, math.MaxUint64), terrain.Distance{Lo: 1}},
		{at(1<<63, 0), at(0, 0), terrain.Distance{Hi: 1 << 63}},
		{at(1<<63, 1), at(0, 0), terrain.Distance{Hi: 1<<63 - 1, Lo: math.MaxUint64}},
	} {
		if got := tt.a.Distance(tt.b); got != tt.want {
			t.Errorf("distance of %v and %v = %+v, want %+v", tt.a, tt.b, got, tt.want)
		}
		if tt.a.Distance(tt.b) != tt.b.Distance(tt.a) {
			t.Errorf("distance of %v and %v depends on the direction", tt.a, tt.b)
		}
	}
}

func TestPartners(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{0, 1, 2, 5, 8, 9, 10, 300} {
		members := keys(n)
		m := terrain.Draw(cpk(3), testWorld, 3, append(members, members...))
		if len(m.Places()) != n {
			t.Fatalf("a map of %d members, each told twice, has %d", n, len(m.Places()))
		}
		for _, self := range members {
			got := m.Partners(self, terrain.Near, terrain.Random, rnd)
			if len(got) != min(n-1, terrain.Near+terrain.Random) {
				t.Fatalf("of %d members, %d partners", n, len(got))
			}
			me, _ := m.Find(self)
			var far terrain.Distance
			chosen := map[[32]byte]bool{self: true}
			for i, p := range got {
				if chosen[p.Key] {
					t.Fatalf("partner %d of %d members is the member itself or there twice", i, n)
				}
				chosen[p.Key] = true
				if p.Near != (i < terrain.Near) {
					t.Fatalf("partner %d: near = %v", i, p.Near)
				}
				if p.Near && me.Distance(p.Address).Compare(far) > 0 {
					far = me.Distance(p.Address)
				}
			}
			for _, p := range m.Places() {
				if !chosen[p.Key] && me.Distance(p.Address).Compare(far) < 0 {
					t.Fatal("somebody nearer than the near ones was left out")
				}
			}
		}
	}
	if got := terrain.Draw(cpk(3), testWorld, 3, keys(5)).Partners([32]byte{1}, 4, 4, rnd); got != nil {
		t.Errorf("who is no member has partners: %v", got)
	}
}

// Over many epochs each of the others is drawn about equally often, whether by
// place or by chance: no part of the map can hide.
func TestEverybodyIsMet(t *testing.T) {
	const n, epochs = 60, 3000
	members, rnd := keys(n), rand.New(rand.NewPCG(3, 4))
	met := make(map[[32]byte]int)
	for e := range uint64(epochs) {
		for _, p := range terrain.Draw(cpk(e), testWorld, e, members).Partners(members[0], terrain.Near, terrain.Random, rnd) {
			met[p.Key]++
		}
	}
	want := float64(epochs*(terrain.Near+terrain.Random)) / (n - 1) // 407, standard deviation 19
	for _, k := range members[1:] {
		if d := math.Abs(float64(met[k]) - want); d > 5*20 {
			t.Errorf("met %x %d times, want about %.0f", k[:4], met[k], want)
		}
	}
}

// What is measured: the share of (victim, epoch) pairs in which every one of a
// victim's partners is one of 20 % colluders, over 200 epochs of 100 members,
// for all 80 honest ones. The near four alone would be all colluders in 0.13 %
// of cases; all eight in some two of a million.
func TestColludersDoNotSurroundAVictim(t *testing.T) {
	const n, bad, epochs = 100, 20, 200
	members, rnd := keys(n), rand.New(rand.NewPCG(5, 6))
	colludes := func(p terrain.Place) bool { return slices.Contains(members[:bad], p.Key) }
	cases, surrounded, near := 0, 0, 0
	for e := range uint64(epochs) {
		m := terrain.Draw(cpk(e), testWorld, e, members)
		for _, victim := range members[bad:] {
			cases++
			p := m.Partners(victim, terrain.Near, terrain.Random, rnd)
			if !slices.ContainsFunc(p, func(p terrain.Place) bool { return !colludes(p) }) {
				surrounded++
			}
			if !slices.ContainsFunc(p[:terrain.Near], func(p terrain.Place) bool { return !colludes(p) }) {
				near++
			}
		}
	}
	t.Logf("%d cases: surrounded %d, near ones all colluders %d", cases, surrounded, near)
	if surrounded*100 > cases {
		t.Errorf("%d of %d partner sets are all colluders, more than 1 %%", surrounded, cases)
	}
	if near*100 > cases || near == 0 {
		t.Errorf("%d of %d near sets are all colluders, want some and at most 1 %%", near, cases)
	}
}

func TestPhrase(t *testing.T) {
	a := terrain.Of(cpk(3), testWorld, 3, [32]byte{1})
	b, err := world.ParsePhraseAddress(a.Phrase())
	if err != nil {
		t.Fatal(err)
	}
	if got, err := terrain.Decode(b); err != nil || got != a {
		t.Errorf("%s is read as %+v, %v, want %+v", a.Phrase(), got, err, a)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(terrain.Of(cpk(1), testWorld, 1, [32]byte{1}).Canonical())
	f.Add([]byte{0, 0, 0, 0})
	f.Add([]byte{0x80, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := terrain.Decode(b)
		if err == nil && !bytes.Equal(a.Canonical(), b) {
			t.Errorf("Decode(%x) = %+v, whose bytes are %x", b, a, a.Canonical())
		}
	})
}
