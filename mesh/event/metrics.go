package event

import (
	"fmt"
	"math"

	"github.com/culvert-net/culvert/mesh/world/postcard"
)

// Freshness is how sure it is that answers were not made before the probe.
type Freshness uint32

// The strengths, in the order of the canonical bytes.
const (
	FreshNone Freshness = iota
	FreshWeak
	FreshStrong
	freshnessEnd
)

// Metrics is what one prober measured of one provider (MetricsVector of the
// design). Rates are from 0 to 1.
type Metrics struct {
	SuccessRate        float64
	RefusalConsistency float64
	ToolFidelity       float64
	LatencyP50         uint32 // milliseconds
	LatencyP95         uint32 // milliseconds, not less than P50
	Robustness         float64
	Drift              float64
	Freshness          Freshness
}

// Canonical are the metrics' canonical bytes; the metrics must pass Check.
func (m Metrics) Canonical() []byte { return m.append(nil) }

func (m Metrics) append(b []byte) []byte {
	b = postcard.AppendFloat(b, m.SuccessRate)
	b = postcard.AppendFloat(b, m.RefusalConsistency)
	b = postcard.AppendFloat(b, m.ToolFidelity)
	b = postcard.AppendUint(b, uint64(m.LatencyP50))
	b = postcard.AppendUint(b, uint64(m.LatencyP95))
	b = postcard.AppendFloat(b, m.Robustness)
	b = postcard.AppendFloat(b, m.Drift)
	return postcard.AppendUint(b, uint64(m.Freshness))
}

func readMetrics(d *postcard.Decoder) Metrics {
	return Metrics{
		SuccessRate:        d.F64(),
		RefusalConsistency: d.F64(),
		ToolFidelity:       d.F64(),
		LatencyP50:         d.U32(),
		LatencyP95:         d.U32(),
		Robustness:         d.F64(),
		Drift:              d.F64(),
		Freshness:          Freshness(d.Variant(uint32(freshnessEnd))),
	}
}

// DecodeMetrics reads what Canonical writes and nothing else. It does not check
// bounds.
func DecodeMetrics(b []byte) (Metrics, error) {
	d := postcard.NewDecoder(b)
	m := readMetrics(d)
	if err := d.Finish(); err != nil {
		return Metrics{}, fmt.Errorf("decoding metrics: %w", err)
	}
	return m, nil
}

// Check compares every field with its bounds; its errors are ErrBounds.
func (m Metrics) Check() error {
	for _, f := range []struct {
		name  string
		value float64
	}{
		{"success_rate", m.SuccessRate},
		{"refusal_consistency", m.RefusalConsistency},
		{"tool_fidelity", m.ToolFidelity},
		{"robustness_score", m.Robustness},
		{"drift_indicator", m.Drift},
	} {
		if err := checkRange(f.name, f.value, 1); err != nil {
			return err
		}
	}
	switch {
	case m.LatencyP95 > MaxLatency:
		return fmt.Errorf("%w: latency_p95_ms is %d, and may be 0 to %d", ErrBounds, m.LatencyP95, MaxLatency)
	case m.LatencyP50 > m.LatencyP95:
		return fmt.Errorf("%w: latency_p50_ms is %d, which is more than the p95 of %d", ErrBounds, m.LatencyP50, m.LatencyP95)
	case m.Freshness >= freshnessEnd:
		return fmt.Errorf("%w: freshness is %d, and may be 0 to 2", ErrBounds, m.Freshness)
	}
	return nil
}

// Aggregate is m as a BAH names it: rates rounded to 1/64, halves up, so that
// nodes that saw nearly the same give it the same name.
func (m Metrics) Aggregate() Metrics {
	for _, v := range []*float64{&m.SuccessRate, &m.RefusalConsistency, &m.ToolFidelity, &m.Robustness, &m.Drift} {
		*v = math.Floor(*v*64+0.5) / 64
	}
	return m
}
