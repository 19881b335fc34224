package route_test

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/culvert-net/culvert/mesh/directory"
	"github.com/culvert-net/culvert/mesh/route"
	"github.com/culvert-net/culvert/mesh/world"
)

// at is when the tests' worlds are looked at.
var at = time.Unix(1_800_000_000, 0)

func key(n int) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{byte(n)}, ed25519.SeedSize))
}

func public(n int) [32]byte { return [32]byte(key(n).Public().(ed25519.PublicKey)) }

// end, for the models of a node, makes it one at which circuits only end.
const end = "(end)"

// paid, for the models of a node, makes it one that asks to be paid.
const paid = "(paid)"

// makeSnapshot has relays 0..relays-1, and behind them one provider per entry
// of models.
func makeSnapshot(relays int, models ...[]string) (*directory.Snapshot, error) {
	w, err := world.New(world.World{Phrase: "route", Rules: world.DefaultRules()})
	if err != nil {
		return nil, err
	}
	set := directory.NewSet(w)
	for n := range relays + len(models) {
		node := directory.Node{
			Name:  fmt.Sprintf("n%d", n),
			Addrs: []string{fmt.Sprintf("/ip4/192.0.2.%d/tcp/4811", n+1)},
			Onion: []directory.OnionKey{{Public: [32]byte{byte(n)}, NotAfter: at.Add(time.Hour)}},
		}
		if n >= relays {
			for _, id := range models[n-relays] {
				if id == end {
					node.End = true
					break
				}
				if id == paid {
					node.Prices = append(node.Prices, directory.SheetHash([]byte(node.Name)))
					continue
				}
				node.Models = append(node.Models, directory.Model{ID: id, Runtime: "vllm"})
			}
		}
		ds, err := directory.Build(key(n), w.ID, w.Epoch(at), 1, node)
		if err != nil {
			return nil, err
		}
		if res := set.Add(ds, at); len(res.Refused) > 0 {
			return nil, res.Refused[0].Reason
		}
	}
	return set.Snapshot(), nil
}

func snapshot(t testing.TB, relays int, models ...[]string) *directory.Snapshot {
	t.Helper()
	snap, err := makeSnapshot(relays, models...)
	if err != nil {
		t.Fatal(err)
	}
	return snap
}

func seeded(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 7)) }

// not leaves out the named nodes.
func not(nodes ...int) func([32]byte) bool {
	var keys [][32]byte
	for _, n := range nodes {
		keys = append(keys, public(n))
	}
	return func(k [32]byte) bool { return slices.Contains(keys, k) }
}

func TestProvider(t *testing.T) {
	snap := snapshot(t, 2, []string{"a"}, []string{"a", "b"}, []string{"c"})
	for seed := range uint64(50) {
		n, err := route.Provider(snap, "a", nil, nil, seeded(seed))
		if err != nil || (n.Key != public(2) && n.Key != public(3)) {
			t.Errorf("Provider(seed=%d) = %s, %v, want one that serves the model", seed, n.Name, err)
		}
		n, err = route.Provider(snap, "a", not(2), nil, seeded(seed))
		if err != nil || n.Key != public(3) {
			t.Errorf("Provider(seed=%d) without n2 = %s, %v, want n3", seed, n.Name, err)
		}
	}
	for _, c := range []struct {
		model   string
		exclude func([32]byte) bool
		want    error
	}{
		{"d", nil, route.ErrUnknownModel},
		{"", nil, route.ErrUnknownModel}, // a relay is nobody's provider
		{"a", not(2, 3), route.ErrNoProvider},
		{"c", not(4), route.ErrNoProvider},
	} {
		if n, err := route.Provider(snap, c.model, c.exclude, nil, seeded(1)); !errors.Is(err, c.want) {
			t.Errorf("Provider(%q) = %s, %v, want %v", c.model, n.Name, err, c.want)
		}
	}
}

func TestStem(t *testing.T) {
	snap := snapshot(t, 6, []string{"a"}, []string{"b"})
	for seed := range uint64(200) {
		stem, err := route.Stem(snap, 4, not(1), seeded(seed))
		if err != nil || len(stem) != 4 {
			t.Fatalf("Stem(seed=%d) = %d relays, %v", seed, len(stem), err)
		}
		for i, n := range stem {
			if !n.IsRelay() || n.Key == public(1) || n.Key == public(6) || n.Key == public(7) {
				t.Errorf("Stem(seed=%d) has %s in it", seed, n.Name)
			}
			for _, other := range stem[:i] {
				if other.Key == n.Key {
					t.Errorf("Stem(seed=%d) has %s twice", seed, n.Name)
				}
			}
		}
	}
	for _, n := range []int{0, -1} {
		if stem, err := route.Stem(snap, n, nil, seeded(1)); err != nil || len(stem) != 0 {
			t.Errorf("Stem of %d = %v, %v, want none", n, stem, err)
		}
	}
	var few *route.TooFewRelaysError
	stem, err := route.Stem(snap, 5, not(1, 2), seeded(1))
	if !errors.As(err, &few) || few.Have != 4 || few.Need != 5 || !errors.Is(err, route.ErrTooFewRelays) {
		t.Errorf("Stem of 5 from 4 = %v, %v, want 4 of 5", stem, err)
	}
	if _, err := route.Stem(snapshot(t, 0, []string{"a"}), 1, nil, seeded(1)); !errors.Is(err, route.ErrTooFewRelays) {
		t.Errorf("Stem in a world of providers: %v", err)
	}
}

// A node that says that circuits only end at it is never in a stem, however few
// others there are, and is nobody's provider.
func TestEndIsNoRelay(t *testing.T) {
	snap := snapshot(t, 3, []string{end}, []string{end})
	for seed := range uint64(50) {
		stem, err := route.Stem(snap, 3, nil, seeded(seed))
		if err != nil || slices.ContainsFunc(stem, func(n directory.Node) bool { return n.End }) {
			t.Errorf("Stem(seed=%d) = %v, %v; want the three relays", seed, stem, err)
		}
	}
	var few *route.TooFewRelaysError
	if _, err := route.Stem(snap, 4, nil, seeded(1)); !errors.As(err, &few) || few.Have != 3 {
		t.Errorf("Stem of 4 = %v; want that there are 3", err)
	}
	if n, err := route.Provider(snap, "", nil, nil, seeded(1)); !errors.Is(err, route.ErrUnknownModel) {
		t.Errorf("Provider of no model = %s, %v", n.Name, err)
	}
}

// TestSameSeedSameChoice: choices depend on nothing but the arguments.
func TestSameSeedSameChoice(t *testing.T) {
	one, two := snapshot(t, 8, []string{"a"}, []string{"a"}), snapshot(t, 8, []string{"a"}, []string{"a"})
	for seed := range uint64(50) {
		r1, r2 := seeded(seed), seeded(seed)
		p1, err1 := route.Provider(one, "a", nil, nil, r1)
		p2, err2 := route.Provider(two, "a", nil, nil, r2)
		s1, err3 := route.Stem(one, 3, nil, r1)
		s2, err4 := route.Stem(two, 3, nil, r2)
		if err := errors.Join(err1, err2, err3, err4); err != nil {
			t.Fatal(err)
		}
		same := slices.EqualFunc(s1, s2, func(a, b directory.Node) bool { return a.Key == b.Key })
		if p1.Key != p2.Key || !same {
			t.Errorf("seed %d gives two choices", seed)
		}
	}
}

// TestUniform draws many times and compares the counts with an even spread.
// The bounds are the 99.9 % points of chi-square; the seed is fixed, so the
// test cannot fail by chance.
func TestUniform(t *testing.T) {
	snap := snapshot(t, 5, []string{"a"}, []string{"a"}, []string{"a"}, []string{"a"})
	rnd := seeded(42)
	const draws = 12_000

	providers := map[string]int{}
	for range draws {
		n, err := route.Provider(snap, "a", nil, nil, rnd)
		if err != nil {
			t.Fatal(err)
		}
		providers[n.Name]++
	}
	checkUniform(t, "providers", providers, 4, draws, 16.27) // 3 degrees of freedom

	// All ordered pairs of 4 of the 5 relays: entry and middle alike.
	stems, entries := map[string]int{}, map[string]int{}
	for range draws {
		stem, err := route.Stem(snap, 2, not(0), rnd)
		if err != nil {
			t.Fatal(err)
		}
		stems[stem[0].Name+stem[1].Name]++
		entries[stem[0].Name]++
	}
	checkUniform(t, "stems", stems, 12, draws, 31.26) // 11 degrees of freedom
	checkUniform(t, "entries", entries, 4, draws, 16.27)
}

func checkUniform(t *testing.T, what string, counts map[string]int, cells, draws int, bound float64) {
	t.Helper()
	if len(counts) != cells {
		t.Errorf("%s: %d different ones came up, want %d", what, len(counts), cells)
	}
	want := float64(draws) / float64(cells)
	chi := 0.0
	for _, n := range counts {
		chi += (float64(n) - want) * (float64(n) - want) / want
	}
	if chi > bound {
		t.Errorf("%s: chi-square %.2f > %.2f: %v", what, chi, bound, counts)
	}
}

func ExampleStem() {
	snap, err := makeSnapshot(3, []string{"llama-3"}) // a program asks its directory.Set
	if err != nil {
		fmt.Println(err)
		return
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	provider, err := route.Provider(snap, "llama-3", nil, nil, rnd)
	if err != nil {
		fmt.Println(err)
		return
	}
	stem, err := route.Stem(snap, 2, func(key [32]byte) bool { return key == provider.Key }, rnd)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(stem), "relays, then", provider.Name)
	// Output: 2 relays, then n3
}

func BenchmarkStem(b *testing.B) {
	snap := snapshot(b, 200)
	rnd := seeded(1)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := route.Stem(snap, 2, nil, rnd); err != nil {
			b.Fatal(err)
		}
	}
}

// Who asks to be paid is chosen by those only who can pay him.
func TestProviderPaid(t *testing.T) {
	snap := snapshot(t, 1, []string{paid, "a", "b"}, []string{"a"}, []string{paid, "a", "b"})
	third := func(n directory.Node) bool { return n.Name == "n3" }
	all := func(directory.Node) bool { return true }
	for _, c := range []struct {
		model   string
		exclude func([32]byte) bool
		pays    func(directory.Node) bool
		want    []string // nil: ErrUnpaid
	}{
		{"a", nil, nil, []string{"n2"}},
		{"a", nil, third, []string{"n2", "n3"}},
		{"a", nil, all, []string{"n1", "n2", "n3"}},
		{"b", nil, nil, nil},
		{"b", nil, third, []string{"n3"}},
		{"a", not(2), nil, nil},
		{"a", not(2), third, []string{"n3"}},
	} {
		seen := make(map[string]bool)
		for seed := range uint64(64) {
			n, err := route.Provider(snap, c.model, c.exclude, c.pays, seeded(seed))
			switch {
			case c.want == nil && (!errors.Is(err, route.ErrUnpaid) || !errors.Is(err, route.ErrNoProvider)):
				t.Fatalf("%s: %v, want ErrUnpaid", c.model, err)
			case c.want != nil && err != nil:
				t.Fatalf("%s: %v", c.model, err)
			case err == nil:
				seen[n.Name] = true
			}
		}
		if got := slices.Sorted(maps.Keys(seen)); !slices.Equal(got, c.want) {
			t.Errorf("%s: chosen %v, want %v", c.model, got, c.want)
		}
	}
}
