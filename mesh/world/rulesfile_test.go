package world_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/culvert-net/culvert/mesh/world"
)

// Rules are read from a file of their own, from its table and from a world file,
// and are the same.
func TestRulesFile(t *testing.T) {
	want := world.DefaultRules()
	want.EpochLenMS, want.WLatency = 1_800_000, 0.30000000000000004 // not 0.3
	path := filepath.Join(t.TempDir(), "rules.toml")
	if err := world.WriteRules(path, want); err != nil {
		t.Fatal(err)
	}
	if got, err := world.LoadRules(path, false); err != nil || got.Hash() != want.Hash() {
		t.Errorf("read back %+v, %v; want %+v", got, err, want)
	}
	alone, err := world.FormatRules(want)
	if err != nil {
		t.Fatal(err)
	}
	w, err := world.New(world.World{Phrase: "x", Rules: want})
	if err != nil {
		t.Fatal(err)
	}
	whole, err := world.Format(w)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"alone": string(alone), "table": "[rules]\n" + string(alone), "world file": string(whole)} {
		if got, err := world.ParseRules([]byte(text), false); err != nil || got != want {
			t.Errorf("%s: %+v, %v; want %+v", name, got, err, want)
		}
	}
	if got, want := world.DefaultRules().Changes(want), []string{"epoch_len_ms 3600000 -> 1800000", "w_latency 0.3 -> 0.30000000000000004"}; !slices.Equal(got, want) {
		t.Errorf("Changes = %q, want %q", got, want)
	}
	if got := want.Changes(want); got != nil {
		t.Errorf("Changes of the same = %q", got)
	}
}

func TestRulesFileRefuses(t *testing.T) {
	good, err := world.FormatRules(world.DefaultRules())
	if err != nil {
		t.Fatal(err)
	}
	text := string(good)
	for _, tt := range []struct{ name, text, want string }{
		{"nothing", "", "missing"},
		{"no TOML", "culvert = ", "toml"},
		{"one left out", strings.Replace(text, "w_latency", "# w_latency", 1), "rules.w_latency: missing"},
		{"one too many", text + "w_luck = 1.0\n", "w_luck: unknown key"},
		{"in another case", strings.Replace(text, "w_latency", "W_latency", 1), "unknown key"},
		{"beside the table", "x = 1\n[rules]\n" + text, "x: unknown key"},
		{"out of bounds", strings.Replace(text, "fixed_cell_bytes = 512", "fixed_cell_bytes = 500", 1), "rules.fixed_cell_bytes"},
		{"negative", strings.Replace(text, "epoch_len_ms = 3600000", "epoch_len_ms = -1", 1), "positive"},
		{"not a number", strings.Replace(text, "w_latency = 0.3", "w_latency = nan", 1), "rules.w_latency"},
		{"a sandbox's", strings.Replace(text, "default_circuit_len = 3", "default_circuit_len = 1", 1), "sandbox"},
		{"part of a world file", "phrase = \"x\"\n[rules]\n" + text, "format: missing"},
		{"too long", text + strings.Repeat("#", world.MaxFile), "bytes"},
	} {
		if r, err := world.ParseRules([]byte(tt.text), false); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %+v, %v; want %q", tt.name, r, err, tt.want)
		}
	}
	sandbox := strings.Replace(text, "default_circuit_len = 3", "default_circuit_len = 1", 1)
	if r, err := world.ParseRules([]byte(sandbox), true); err != nil || r.DefaultCircuitLen != 1 {
		t.Errorf("a sandbox's rules for a sandbox: %v", err)
	}
}

func FuzzRulesFile(f *testing.F) {
	good, err := world.FormatRules(world.DefaultRules())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(append([]byte("[rules]\n"), good...))
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := world.ParseRules(text, true)
		if err != nil {
			return
		}
		again, err := world.FormatRules(r)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := world.ParseRules(again, true); err != nil || got.Hash() != r.Hash() {
			t.Errorf("%+v is written as %s, read back as %+v, %v", r, again, got, err)
		}
	})
}
