package rules_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/culvert-net/culvert/mesh/rules"
	"github.com/culvert-net/culvert/mesh/world"
)

var (
	red, blue = world.Hash{1}, world.Hash{2}
	policy    = rules.Policy{Threshold: 0.6, Epochs: 3, Lasts: 10}
)

// five are members of five operators, in every epoch.
func five(uint64) []rules.Voter {
	var all []rules.Voter
	for i := range byte(5) {
		all = append(all, rules.Voter{Key: [32]byte{i}, Operator: string('a' + rune(i))})
	}
	return all
}

func says(author byte, epoch uint64, bundle world.Hash, weight float64) rules.Endorsement {
	return rules.Endorsement{Event: world.Hash{author, byte(epoch), bundle[0]}, Epoch: epoch, Author: [32]byte{author}, Bundle: bundle, Weight: weight}
}

func fold(t testing.TB, all []rules.Endorsement, last uint64, p rules.Policy, voters func(uint64) []rules.Voter) string {
	t.Helper()
	standings, err := rules.Fold(all, last, p, voters)
	if err != nil {
		t.Fatal(err)
	}
	text := ""
	for _, s := range standings {
		text += fmt.Sprintf("%d %.2f for %d %v; ", s.Bundle[0], s.Share, s.For, s.Active)
	}
	return text
}

func TestFold(t *testing.T) {
	three := []rules.Endorsement{says(0, 100, red, 1), says(1, 100, red, 1), says(2, 100, red, 1)}
	with := func(more ...rules.Endorsement) []rules.Endorsement { return slices.Concat(three, more) }
	for _, tt := range []struct {
		name string
		all  []rules.Endorsement
		last uint64
		want string
	}{
		{"nobody", nil, 100, ""},
		{"the first epoch", three, 100, "1 0.60 for 1 false; "},
		{"the second", three, 101, "1 0.60 for 2 false; "},
		{"the third", three, 102, "1 0.60 for 3 true; "},
		{"later", three, 109, "1 0.60 for 3 true; "},
		{"not repeated", three, 110, ""},
		{"not yet", three, 99, ""},
		{"one weakens", with(says(2, 101, red, 0.5)), 102, "1 0.50 for 0 false; "},
		{"one withdraws", with(says(2, 102, red, 0)), 102, "1 0.40 for 0 false; "},
		{"one withdraws and comes back", with(says(2, 101, red, 0), says(2, 102, red, 1)), 102, "1 0.60 for 1 false; "},
		{"too heavy counts once", with(says(2, 101, red, 100)), 102, "1 0.60 for 3 true; "},
		{"not a weight", []rules.Endorsement{says(0, 100, red, -1)}, 100, ""},
		{"a stranger", with(says(9, 100, red, 1)), 102, "1 0.60 for 3 true; "},
		{"one voice for two", with(says(2, 102, blue, 1)), 102, "1 0.50 for 0 false; 2 0.10 for 0 false; "},
		{"two bundles", with(says(3, 100, blue, 1), says(4, 100, blue, 1)), 102, "1 0.60 for 3 true; 2 0.40 for 0 false; "},
		{"the world's first epochs", []rules.Endorsement{says(0, 0, red, 1), says(1, 0, red, 1), says(2, 0, red, 1)}, 1, "1 0.60 for 2 false; "},
	} {
		if got := fold(t, tt.all, tt.last, policy, five); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// Ten keys of one operator are one voice.
func TestOneOperator(t *testing.T) {
	voters := func(uint64) []rules.Voter {
		all := five(0)
		for i := range byte(10) {
			all = append(all, rules.Voter{Key: [32]byte{100 + i}, Operator: "A"}) // as "a", in capitals
		}
		return all
	}
	var all []rules.Endorsement
	for i := range byte(10) {
		all = append(all, says(100+i, 100, red, 1))
	}
	if got, want := fold(t, all, 102, policy, voters), "1 0.20 for 0 false; "; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// Whoever was no member, or is none any more, counts only for the epochs in
// which he was.
func TestMembersOfTheEpoch(t *testing.T) {
	voters := func(epoch uint64) []rules.Voter {
		if epoch < 102 {
			return five(epoch)
		}
		return five(epoch)[1:]
	}
	all := []rules.Endorsement{says(0, 100, red, 1), says(1, 100, red, 1), says(2, 100, red, 1)}
	if got, want := fold(t, all, 102, policy, voters), "1 0.50 for 0 false; "; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := fold(t, all, 102, policy, func(uint64) []rules.Voter { return nil }); got != "" {
		t.Errorf("a world without members: %q", got)
	}
}

// Members who hold the same events see the same, in whatever order they came.
func TestOrderDoesNotMatter(t *testing.T) {
	for seed := range uint64(200) {
		rnd := rand.New(rand.NewPCG(seed, 5))
		var all []rules.Endorsement
		for i := range byte(40) {
			e := says(byte(rnd.IntN(7)), 95+rnd.Uint64N(10), world.Hash{byte(rnd.IntN(3))}, float64(rnd.IntN(5))/3)
			e.Event = world.Hash{byte(rnd.IntN(250)), i} // several of one author, epoch and bundle
			all = append(all, e)
		}
		want := fold(t, all, 103, policy, five)
		rnd.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		if got := fold(t, all, 103, policy, five); got != want {
			t.Fatalf("seed %d: %q in one order, %q in another", seed, want, got)
		}
	}
}

// At most one bundle is ever active: thresholds are above one half, and nobody
// has more than one voice.
func TestOneIsActive(t *testing.T) {
	p := rules.Policy{Threshold: 0.51, Epochs: 1, Lasts: 10}
	for seed := range uint64(500) {
		rnd := rand.New(rand.NewPCG(seed, 6))
		var all []rules.Endorsement
		for i := range byte(60) {
			e := says(byte(rnd.IntN(5)), 95+rnd.Uint64N(5), world.Hash{byte(rnd.IntN(2))}, rnd.Float64()*2)
			e.Event = world.Hash{byte(rnd.IntN(250)), i}
			all = append(all, e)
		}
		standings, err := rules.Fold(all, 100, p, five)
		if err != nil {
			t.Fatal(err)
		}
		active := 0
		for _, s := range standings {
			if s.Active {
				active++
			}
		}
		if active > 1 {
			t.Fatalf("seed %d: %d bundles are active: %+v", seed, active, standings)
		}
	}
}

func TestPolicyCheck(t *testing.T) {
	if err := rules.DefaultPolicy().Check(); err != nil {
		t.Error(err)
	}
	nan := 0.
	nan /= nan
	for _, p := range []rules.Policy{
		{Threshold: 0.5, Epochs: 1, Lasts: 1},
		{Threshold: 1.01, Epochs: 1, Lasts: 1},
		{Threshold: nan, Epochs: 1, Lasts: 1},
		{Threshold: 0.6, Lasts: 1},
		{Threshold: 0.6, Epochs: 1},
		{Threshold: 0.6, Epochs: rules.MaxEpochs + 1, Lasts: 1},
	} {
		if p.Check() == nil {
			t.Errorf("%+v is accepted", p)
		}
		if _, err := rules.Fold(nil, 1, p, five); err == nil {
			t.Errorf("Fold takes %+v", p)
		}
	}
}

func BenchmarkFold(b *testing.B) {
	var voters []rules.Voter
	var all []rules.Endorsement
	for i := range 1000 {
		key := [32]byte{byte(i), byte(i >> 8)}
		voters = append(voters, rules.Voter{Key: key})
		for e := range uint64(4) {
			all = append(all, rules.Endorsement{Event: key, Epoch: 90 + e, Author: key, Bundle: red, Weight: 1})
		}
	}
	for b.Loop() {
		if _, err := rules.Fold(all, 100, rules.DefaultPolicy(), func(uint64) []rules.Voter { return voters }); err != nil {
			b.Fatal(err)
		}
	}
}
