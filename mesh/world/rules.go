package world

import (
	"fmt"
	"time"

	"github.com/culvert-net/culvert/mesh/world/postcard"
)

// RuleBundle is what every node of a world agrees on. Its hash is part of the
// world's id, so a changed rule is another world. The fields are in canonical
// order; the toml names are those of the world file's [rules].
type RuleBundle struct {
	Version                      uint32  `toml:"version"`
	EpochLenMS                   uint64  `toml:"epoch_len_ms"`
	ExplorationRate              float64 `toml:"exploration_rate"`
	DisagreementQuarantineThresh float64 `toml:"disagreement_quarantine_threshold"`
	MinDiverseProbers            uint32  `toml:"min_diverse_probers"`
	MaxProbeRedundancy           uint32  `toml:"max_probe_redundancy"`
	DefaultCircuitLen            uint32  `toml:"default_circuit_len"`
	RelayBatchMaxDelayMS         uint32  `toml:"relay_batch_max_delay_ms"`
	FixedCellBytes               uint32  `toml:"fixed_cell_bytes"`
	WSuccess                     float64 `toml:"w_success"`
	WToolFidelity                float64 `toml:"w_tool_fidelity"`
	WLatency                     float64 `toml:"w_latency"`
	WRefusalConsistency          float64 `toml:"w_refusal_consistency"`
	WRobustness                  float64 `toml:"w_robustness"`
}

// DefaultRules are the rules new worlds are made with: one-hour epochs, three
// hops, 512-byte cells, and relays that never hold a cell back.
func DefaultRules() RuleBundle {
	return RuleBundle{
		Version:                      1,
		EpochLenMS:                   uint64(time.Hour / time.Millisecond),
		ExplorationRate:              0.05,
		DisagreementQuarantineThresh: 0.5,
		MinDiverseProbers:            3,
		MaxProbeRedundancy:           10,
		DefaultCircuitLen:            3,
		RelayBatchMaxDelayMS:         0,
		FixedCellBytes:               512,
		WSuccess:                     1,
		WToolFidelity:                0.5,
		WLatency:                     0.3,
		WRefusalConsistency:          0.2,
		WRobustness:                  0.4,
	}
}

// Hash is the rule bundle's place in the world's id. The bundle must pass Check.
func (r RuleBundle) Hash() Hash { return sum(r.Canonical()) }

// Canonical are the bytes that are hashed. Floats must be finite, which Check
// and DecodeRuleBundle see to.
func (r RuleBundle) Canonical() []byte {
	b := postcard.AppendUint(nil, uint64(r.Version))
	b = postcard.AppendUint(b, r.EpochLenMS)
	b = postcard.AppendFloat(b, r.ExplorationRate)
	b = postcard.AppendFloat(b, r.DisagreementQuarantineThresh)
	b = postcard.AppendUint(b, uint64(r.MinDiverseProbers))
	b = postcard.AppendUint(b, uint64(r.MaxProbeRedundancy))
	b = postcard.AppendUint(b, uint64(r.DefaultCircuitLen))
	b = postcard.AppendUint(b, uint64(r.RelayBatchMaxDelayMS))
	b = postcard.AppendUint(b, uint64(r.FixedCellBytes))
	b = postcard.AppendFloat(b, r.WSuccess)
	b = postcard.AppendFloat(b, r.WToolFidelity)
	b = postcard.AppendFloat(b, r.WLatency)
	b = postcard.AppendFloat(b, r.WRefusalConsistency)
	return postcard.AppendFloat(b, r.WRobustness)
}

// DecodeRuleBundle reads what Canonical writes and nothing else. It does not
// check bounds.
func DecodeRuleBundle(b []byte) (RuleBundle, error) {
	d := postcard.NewDecoder(b)
	r := RuleBundle{ // a composite literal's calls run in the order they are written
		Version:                      d.U32(),
		EpochLenMS:                   d.U64(),
		ExplorationRate:              d.F64(),
		DisagreementQuarantineThresh: d.F64(),
		MinDiverseProbers:            d.U32(),
		MaxProbeRedundancy:           d.U32(),
		DefaultCircuitLen:            d.U32(),
		RelayBatchMaxDelayMS:         d.U32(),
		FixedCellBytes:               d.U32(),
		WSuccess:                     d.F64(),
		WToolFidelity:                d.F64(),
		WLatency:                     d.F64(),
		WRefusalConsistency:          d.F64(),
		WRobustness:                  d.F64(),
	}
	if err := d.Finish(); err != nil {
		return RuleBundle{}, fmt.Errorf("decoding a rule bundle: %w", err)
	}
	return r, nil
}

// FieldError is a field of a world with a value it cannot have.
type FieldError struct {
	Field   string // as in the world file, e.g. rules.epoch_len_ms or seeds[1]
	Problem string // the value, and what would be right
}

func (e *FieldError) Error() string { return e.Field + ": " + e.Problem }

// Check compares every rule with its bounds. Circuits of one or two hops, which
// hide nobody, are for sandboxes only. The error is a *FieldError.
func (r RuleBundle) Check(sandbox bool) error {
	const minEpoch, maxEpoch = uint64(MinEpoch / time.Millisecond), uint64(MaxEpoch / time.Millisecond)
	if r.EpochLenMS < minEpoch || r.EpochLenMS > maxEpoch {
		return ruleError("epoch_len_ms", r.EpochLenMS, fmt.Sprintf("%d (a minute) to %d (seven days)", minEpoch, maxEpoch))
	}
	switch n := r.DefaultCircuitLen; {
	case n == 1 || n == 2:
		if !sandbox {
			return ruleError("default_circuit_len", n, "3 to 5 (fewer hops only with sandbox = true)")
		}
	case n < 1 || n > 5:
		return ruleError("default_circuit_len", n, "3 to 5")
	}
	switch r.FixedCellBytes {
	case 512, 1024, 2048, 4096:
	default:
		return ruleError("fixed_cell_bytes", r.FixedCellBytes, "512, 1024, 2048 or 4096")
	}
	for _, f := range []struct {
		name  string
		value float64
		bound float64
	}{
		{"exploration_rate", r.ExplorationRate, 1},
		{"disagreement_quarantine_threshold", r.DisagreementQuarantineThresh, 1},
		{"w_success", r.WSuccess, MaxWeight},
		{"w_tool_fidelity", r.WToolFidelity, MaxWeight},
		{"w_latency", r.WLatency, MaxWeight},
		{"w_refusal_consistency", r.WRefusalConsistency, MaxWeight},
		{"w_robustness", r.WRobustness, MaxWeight},
	} {
		if !(f.value >= 0 && f.value <= f.bound) { // written so that NaN fails
			return ruleError(f.name, f.value, fmt.Sprintf("0 to %v", f.bound))
		}
	}
	return nil
}

func ruleError(name string, value any, want string) error {
	return &FieldError{Field: "rules." + name, Problem: fmt.Sprintf("%v is out of bounds; it may be %s", value, want)}
}
