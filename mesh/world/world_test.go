package world_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/culvert-net/culvert/mesh/world"
)

func TestNormalizePhrase(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"test world alpha", "test-world-alpha"},
		{"  Test\t World \r\n ALPHA ", "test-world-alpha"},
		{"already-hyphen--ated 9", "already-hyphen--ated-9"},
		{"x", "x"},
	} {
		got, err := world.NormalizePhrase(c.in)
		if err != nil || got != c.want {
			t.Errorf("NormalizePhrase(%q) = %q, %v, want %q", c.in, got, err, c.want)
		}
		again, err := world.NormalizePhrase(got)
		if err != nil || again != got {
			t.Errorf("NormalizePhrase(%q) = %q, %v: not idempotent", got, again, err)
		}
	}
	for _, in := range []string{
		"", " \t\n", "größe", "a_b", "a.b", "a\x00b", "\xff", "wörld",
		"\u212Aelvin", // the Kelvin sign, whose lower case is an ASCII k
		"аlpha",       // a Cyrillic а
		strings.Repeat("a", world.MaxPhrase+1),
	} {
		if got, err := world.NormalizePhrase(in); err == nil {
			t.Errorf("NormalizePhrase(%q) = %q, want an error", in, got)
		}
	}
}

func TestRuleBounds(t *testing.T) {
	for _, c := range []struct {
		field  string
		change func(*world.RuleBundle)
	}{
		{"epoch_len_ms", func(r *world.RuleBundle) { r.EpochLenMS = 59_999 }},
		{"epoch_len_ms", func(r *world.RuleBundle) { r.EpochLenMS = 7*24*3600*1000 + 1 }},
		{"epoch_len_ms", func(r *world.RuleBundle) { r.EpochLenMS = 0 }},
		{"exploration_rate", func(r *world.RuleBundle) { r.ExplorationRate = 1.01 }},
		{"exploration_rate", func(r *world.RuleBundle) { r.ExplorationRate = math.NaN() }},
		{"disagreement_quarantine_threshold", func(r *world.RuleBundle) { r.DisagreementQuarantineThresh = -0.1 }},
		{"default_circuit_len", func(r *world.RuleBundle) { r.DefaultCircuitLen = 0 }},
		{"default_circuit_len", func(r *world.RuleBundle) { r.DefaultCircuitLen = 2 }},
		{"default_circuit_len", func(r *world.RuleBundle) { r.DefaultCircuitLen = 6 }},
		{"fixed_cell_bytes", func(r *world.RuleBundle) { r.FixedCellBytes = 513 }},
		{"w_success", func(r *world.RuleBundle) { r.WSuccess = math.Inf(1) }},
		{"w_tool_fidelity", func(r *world.RuleBundle) { r.WToolFidelity = 100.5 }},
		{"w_latency", func(r *world.RuleBundle) { r.WLatency = -1 }},
		{"w_refusal_consistency", func(r *world.RuleBundle) { r.WRefusalConsistency = math.NaN() }},
		{"w_robustness", func(r *world.RuleBundle) { r.WRobustness = math.Inf(-1) }},
	} {
		rules := world.DefaultRules()
		c.change(&rules)
		err := rules.Check(false)
		var field *world.FieldError
		if !errors.As(err, &field) || field.Field != "rules."+c.field {
			t.Errorf("Check(%+v) = %v, want an error that names rules.%s", rules, err, c.field)
		}
	}

	for n, sandbox := range map[uint32]bool{1: true, 2: true, 3: false, 4: false, 5: false} {
		rules := world.DefaultRules()
		rules.DefaultCircuitLen = n
		if err := rules.Check(sandbox); err != nil {
			t.Errorf("%d hops, sandbox=%v: %v", n, sandbox, err)
		}
	}
	for _, cell := range []uint32{512, 1024, 2048, 4096} {
		rules := world.DefaultRules()
		rules.FixedCellBytes = cell
		if err := rules.Check(false); err != nil {
			t.Error(err)
		}
	}
}

// TestIDCommitsToRules changes every rule by the smallest step and wants
// another world each time.
func TestIDCommitsToRules(t *testing.T) {
	seen := map[world.Hash]string{}
	add := func(name string, r world.RuleBundle) {
		id := world.WorldID("alpha", r.Hash())
		if other, dup := seen[id]; dup {
			t.Errorf("%s and %s make the same world", name, other)
		}
		seen[id] = name
	}
	base := world.DefaultRules()
	add("base", base)
	for i, change := range []func(*world.RuleBundle){
		func(r *world.RuleBundle) { r.Version++ },
		func(r *world.RuleBundle) { r.EpochLenMS++ },
		func(r *world.RuleBundle) { r.ExplorationRate = math.Nextafter(r.ExplorationRate, 1) },
		func(r *world.RuleBundle) {
			r.DisagreementQuarantineThresh = math.Nextafter(r.DisagreementQuarantineThresh, 1)
		},
		func(r *world.RuleBundle) { r.MinDiverseProbers++ },
		func(r *world.RuleBundle) { r.MaxProbeRedundancy++ },
		func(r *world.RuleBundle) { r.DefaultCircuitLen++ },
		func(r *world.RuleBundle) { r.RelayBatchMaxDelayMS++ },
		func(r *world.RuleBundle) { r.FixedCellBytes++ },
		func(r *world.RuleBundle) { r.WSuccess = math.Nextafter(r.WSuccess, 2) },
		func(r *world.RuleBundle) { r.WToolFidelity = math.Nextafter(r.WToolFidelity, 2) },
		func(r *world.RuleBundle) { r.WLatency = math.Nextafter(r.WLatency, 2) },
		func(r *world.RuleBundle) { r.WRefusalConsistency = math.Nextafter(r.WRefusalConsistency, 2) },
		func(r *world.RuleBundle) { r.WRobustness = math.Nextafter(r.WRobustness, 2) },
	} {
		r := base
		change(&r)
		add(fmt.Sprintf("rule %d changed", i), r)
	}
	if world.WorldID("alpha", base.Hash()) == world.WorldID("beta", base.Hash()) {
		t.Error("the id does not depend on the phrase")
	}
}

func TestEpoch(t *testing.T) {
	rules := world.DefaultRules()
	rules.EpochLenMS = 60_000
	w, err := world.New(world.World{Phrase: "epochs", Rules: rules})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		at   time.Time
		want uint64
	}{
		{time.UnixMilli(0), 0},
		{time.UnixMilli(59_999), 0},
		{time.UnixMilli(60_000), 1},
		{time.UnixMilli(60_000).Add(-time.Nanosecond), 0},
		{time.Unix(-1, 0), 0},
		{time.Unix(1_700_000_000, 0), 1_700_000_000 / 60},
	} {
		if got := w.Epoch(c.at); got != c.want {
			t.Errorf("Epoch(%v) = %d, want %d", c.at, got, c.want)
		}
	}
	for _, e := range []uint64{0, 1, 28_333_333} {
		start := w.EpochStart(e)
		if w.Epoch(start) != e || w.Epoch(start.Add(w.EpochLen()-time.Millisecond)) != e || w.Epoch(start.Add(w.EpochLen())) != e+1 {
			t.Errorf("EpochStart(%d) = %v is not where epoch %d starts", e, start, e)
		}
	}
	// A message may claim any epoch; the arithmetic must not wrap around.
	if far := w.EpochStart(math.MaxUint64); far.Before(w.EpochStart(1 << 40)) {
		t.Errorf("EpochStart(MaxUint64) = %v is in the past of EpochStart(2^40)", far)
	}
}

func TestSecretIsHidden(t *testing.T) {
	key := [32]byte{0xaa, 0xbb}
	s := world.NewSecret(key)
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("a key", "key", s)
	slog.New(slog.NewTextHandler(&log, nil)).Info("a key", "key", s)
	encoded, err := json.Marshal(struct{ K *world.Secret }{s})
	if err != nil {
		t.Fatal(err)
	}
	for _, out := range []string{
		fmt.Sprint(s), fmt.Sprintf("%v %+v %#v %x %d %s %q", s, s, s, s, s, s, s), log.String(), string(encoded),
	} {
		if strings.Contains(out, "aa") || strings.Contains(out, "170") || strings.Contains(out, "qr") {
			t.Errorf("a secret shows: %s", out)
		}
	}

	ref := world.TargetRef(s, world.Hash{}, 1, world.Hash{})
	s.Erase()
	if world.TargetRef(s, world.Hash{}, 1, world.Hash{}) == ref {
		t.Error("an erased secret still derives the same reference")
	}
}

func TestHashText(t *testing.T) {
	h := world.WorldID("alpha", world.Hash{})
	var back world.Hash
	text, err := h.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	if err := back.UnmarshalText(text); err != nil || back != h || string(text) != h.String() {
		t.Errorf("%s came back as %v, %v", text, back, err)
	}
	if !strings.HasPrefix(h.String(), h.Short()) || len(h.Short()) != 8 || h.IsZero() || !(world.Hash{}).IsZero() {
		t.Errorf("Short() = %q of %v", h.Short(), h)
	}
	for _, bad := range []string{"", "00", strings.Repeat("g", 64), strings.Repeat("0", 66)} {
		if _, err := world.ParseHash(bad); err == nil {
			t.Errorf("ParseHash(%q) succeeded", bad)
		}
	}
}
