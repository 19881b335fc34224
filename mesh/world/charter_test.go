package world_test

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/culvert-net/culvert/mesh/world"
)

func testCharter() world.Charter {
	return world.Charter{
		Version: 1, Founders: [][32]byte{{3}, {1}, {2}}, FounderThreshold: 2, Mode: world.ModeVouch,
		DirectorySigners: [][32]byte{{9}, {8}, {7}}, DirectoryThreshold: 2, CircuitSuite: 1,
		Chain:         &world.Chain{ID: 31337, Contract: [20]byte{5}, RuntimeCodeHash: world.Hash{6}},
		EventHorizonS: 1_209_600, QuotaPerAuthor: 100, TicketBits: 4, ContentPolicyHash: world.Hash{7},
	}
}

// A change of anything in the charter is another world.
func TestIDCommitsToCharter(t *testing.T) {
	seen := map[world.Hash]string{}
	add := func(name string, c *world.Charter) {
		w, err := world.New(world.World{Phrase: "alpha", Rules: world.DefaultRules(), Charter: c})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if other, dup := seen[w.ID]; dup {
			t.Errorf("%s and %s make the same world", name, other)
		}
		seen[w.ID] = name
	}
	add("no charter", nil)
	base := testCharter()
	add("base", &base)
	for i, change := range []func(*world.Charter){
		func(c *world.Charter) { c.Founders = [][32]byte{{3}, {1}, {4}} },
		func(c *world.Charter) { c.FounderThreshold = 3 },
		func(c *world.Charter) { c.Mode = world.ModeClosed },
		func(c *world.Charter) { c.Mode = world.ModeOpen },
		func(c *world.Charter) { c.DirectorySigners = [][32]byte{{9}, {8}, {6}} },
		func(c *world.Charter) { c.DirectoryThreshold = 3 },
		func(c *world.Charter) { c.Chain = nil },
		func(c *world.Charter) {
			c.Chain = &world.Chain{ID: 1, Contract: [20]byte{5}, RuntimeCodeHash: world.Hash{6}}
		},
		func(c *world.Charter) {
			c.Chain = &world.Chain{ID: 31337, Contract: [20]byte{6}, RuntimeCodeHash: world.Hash{6}}
		},
		func(c *world.Charter) {
			c.Chain = &world.Chain{ID: 31337, Contract: [20]byte{5}, RuntimeCodeHash: world.Hash{7}}
		},
		func(c *world.Charter) { c.EventHorizonS++ },
		func(c *world.Charter) { c.QuotaPerAuthor++ },
		func(c *world.Charter) { c.TicketBits++ },
		func(c *world.Charter) { c.ContentPolicyHash = world.Hash{} },
	} {
		c := testCharter()
		change(&c)
		add(fmt.Sprintf("change %d", i), &c)
	}
	shuffled := testCharter()
	shuffled.Founders = [][32]byte{{1}, {2}, {3}}
	if shuffled.Hash() != base.Hash() {
		t.Error("the order of founders is part of the world")
	}
}

func TestCharterBounds(t *testing.T) {
	many := make([][32]byte, 17)
	for i := range many {
		many[i][0] = byte(i + 1)
	}
	for _, c := range []struct {
		field  string
		change func(*world.Charter)
	}{
		{"version", func(c *world.Charter) { c.Version = 2 }},
		{"founders", func(c *world.Charter) { c.Founders = nil }},
		{"founders", func(c *world.Charter) { c.Founders = many }},
		{"founders[1]", func(c *world.Charter) { c.Founders[1] = c.Founders[0] }},
		{"founders[2]", func(c *world.Charter) { c.Founders[2] = [32]byte{} }},
		{"founder_threshold", func(c *world.Charter) { c.FounderThreshold = 0 }},
		{"founder_threshold", func(c *world.Charter) { c.FounderThreshold = 4 }},
		{"mode", func(c *world.Charter) { c.Mode = 3 }},
		{"mode", func(c *world.Charter) { c.Mode, c.Chain = world.ModeOpen, nil }},
		{"directory_signers", func(c *world.Charter) { c.DirectorySigners = nil }},
		{"directory_signers", func(c *world.Charter) { c.DirectorySigners = many }},
		{"directory_signers[2]", func(c *world.Charter) { c.DirectorySigners[2] = c.DirectorySigners[0] }},
		{"directory_threshold", func(c *world.Charter) { c.DirectoryThreshold = 1 }},
		{"directory_threshold", func(c *world.Charter) { c.DirectoryThreshold = math.MaxUint32 }},
		{"circuit_suite", func(c *world.Charter) { c.CircuitSuite = 2 }},
		{"chain.chain_id", func(c *world.Charter) { c.Chain.ID = 0 }},
		{"chain.chain_id", func(c *world.Charter) { c.Chain.ID = math.MaxUint64 }},
		{"chain.contract", func(c *world.Charter) { c.Chain.Contract = [20]byte{} }},
		{"chain.runtime_code_hash", func(c *world.Charter) { c.Chain.RuntimeCodeHash = world.Hash{} }},
		{"event_horizon_s", func(c *world.Charter) { c.EventHorizonS = 7199 }},
		{"event_horizon_s", func(c *world.Charter) { c.EventHorizonS = math.MaxUint64 }},
		{"quota_per_author", func(c *world.Charter) { c.QuotaPerAuthor = 0 }},
		{"ticket_bits", func(c *world.Charter) { c.TicketBits = 25 }},
	} {
		charter := testCharter()
		c.change(&charter)
		err := charter.Check(world.DefaultRules())
		var field *world.FieldError
		if !errors.As(err, &field) || field.Field != "charter."+c.field {
			t.Errorf("Check = %v, want an error that names charter.%s", err, c.field)
		}
	}
	if err := testCharter().Check(world.DefaultRules()); err != nil {
		t.Error(err)
	}
}

func TestCharterFile(t *testing.T) {
	for _, chain := range []bool{true, false} {
		c := testCharter()
		if !chain {
			c.Chain = nil
		}
		w, err := world.New(world.World{Phrase: "alpha", Rules: world.DefaultRules(), Charter: &c})
		if err != nil {
			t.Fatal(err)
		}
		file, err := world.Format(w)
		if err != nil {
			t.Fatal(err)
		}
		back, err := world.Parse(file)
		if err != nil {
			t.Fatalf("%v\n%s", err, file)
		}
		if back.ID != w.ID || !reflect.DeepEqual(back.Charter, w.Charter) {
			t.Errorf("read back %+v, want %+v", back.Charter, w.Charter)
		}
		if w.Charter.Founders[0] != [32]byte{1} || c.Founders[0] != [32]byte{3} {
			t.Error("New does not sort a copy of the keys")
		}
		// Every key of the table is required, and nothing else is known.
		text := string(file)
		_, table, _ := strings.Cut(text, "[charter]\n")
		for line := range strings.Lines(table) {
			name, _, isKey := strings.Cut(strings.TrimSpace(line), " =")
			if !isKey {
				continue
			}
			_, err := world.Parse([]byte(strings.Replace(text, line, "", 1)))
			if err == nil || !strings.Contains(err.Error(), name+": missing") {
				t.Errorf("without %s: %v", name, err)
			}
			_, err = world.Parse([]byte(strings.Replace(text, line, line+"colour = 1\n", 1)))
			if err == nil || !strings.Contains(err.Error(), "colour: unknown key") {
				t.Errorf("with a key more: %v", err)
			}
		}
	}
}

func TestCharterFileErrors(t *testing.T) {
	c := testCharter()
	w, err := world.New(world.World{Phrase: "alpha", Rules: world.DefaultRules(), Charter: &c})
	if err != nil {
		t.Fatal(err)
	}
	data, err := world.Format(w)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, old, new, want string }{
		{"short key", `founders = ["01`, `founders = ["`, "charter.founders[0]: it has 64 hexadecimal digits"},
		{"no hex", `founders = ["01`, `founders = ["0x`, "charter.founders[0]: "},
		{"mode", `"vouch"`, `"friends"`, "charter.mode: "},
		{"negative", "quota_per_author = 100", "quota_per_author = -1", "charter.quota_per_author: -1"},
		{"too large", "ticket_bits = 4", "ticket_bits = 4294967300", "charter.ticket_bits: 4294967300"},
		{"suite beyond a byte", "circuit_suite = 1", "circuit_suite = 257", "charter.circuit_suite: 257"},
		{"horizon", "event_horizon_s = 1209600", "event_horizon_s = -1", "charter.event_horizon_s: -1"},
		{"half", "directory_threshold = 2", "directory_threshold = 1", "charter.directory_threshold: 1"},
		{"founder besides", "[rules]", "founder = \"" + strings.Repeat("01", 32) + "\"\n[rules]", "founder: "},
		{"another id", `id = "`, `id = "` + strings.Repeat("ab", 32) + `" # `, "id: phrase, rules and charter make world"},
	} {
		text := strings.Replace(string(data), c.old, c.new, 1)
		if text == string(data) {
			t.Fatalf("%s: the file does not contain %q:\n%s", c.name, c.old, data)
		}
		if _, err := world.Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

func TestTerms(t *testing.T) {
	rules := world.DefaultRules()
	rules.EpochLenMS = uint64(7 * 24 * time.Hour / time.Millisecond)
	founder := [32]byte{5}
	w, err := world.New(world.World{Phrase: "alpha", Rules: rules, Founder: founder})
	if err != nil {
		t.Fatal(err)
	}
	terms := w.Terms()
	if terms.Horizon < 2*w.EpochLen() || terms.Quota == 0 || terms.FounderThreshold != 1 || terms.DirectoryThreshold != 1 ||
		!reflect.DeepEqual(terms.Founders, [][32]byte{founder}) || !reflect.DeepEqual(terms.Signers, [][32]byte{founder}) {
		t.Errorf("Terms without a charter = %+v", terms)
	}
	file, err := world.Format(w)
	if err != nil {
		t.Fatal(err)
	}
	if back, err := world.Parse(file); err != nil || back.Founder != founder || back.ID != w.ID {
		t.Errorf("read back %+v, %v", back, err)
	}
	if bare, err := world.New(world.World{Phrase: "alpha", Rules: rules}); err != nil || bare.ID != w.ID || bare.Terms().Founders != nil {
		t.Errorf("the founder is part of the world: %+v, %v", bare, err)
	}
	for _, bad := range []string{"zz", strings.Repeat("00", 32)} {
		if _, err := world.Parse([]byte("founder = \"" + bad + "\"\n" + worldFile)); err == nil || !strings.Contains(err.Error(), "founder: ") {
			t.Errorf("founder %q: %v", bad, err)
		}
	}

	c := testCharter()
	w, err = world.New(world.World{Phrase: "alpha", Rules: world.DefaultRules(), Charter: &c})
	if err != nil {
		t.Fatal(err)
	}
	want := world.Terms{
		Horizon: 14 * 24 * time.Hour, Quota: 100, TicketBits: 4, Mode: world.ModeVouch,
		Founders: [][32]byte{{1}, {2}, {3}}, FounderThreshold: 2,
		Signers: [][32]byte{{7}, {8}, {9}}, DirectoryThreshold: 2,
	}
	if got := w.Terms(); !reflect.DeepEqual(got, want) {
		t.Errorf("Terms = %+v, want %+v", got, want)
	}
}
