package circuit

import (
	"testing"
	"time"
)

func newTestEstimate() *estimate {
	return &estimate{first: time.Second, floor: 100 * time.Millisecond, ceiling: 4 * time.Second}
}

func TestEstimate(t *testing.T) {
	ms := time.Millisecond
	for _, tt := range []struct {
		name string
		took []time.Duration
		want time.Duration
	}{
		{"none", nil, time.Second},
		{"too few", repeat(5*ms, estimateLeast-1), time.Second},
		{"just enough", repeat(300*ms, estimateLeast), 300 * ms},
		{"below the floor", repeat(5*ms, 50), 100 * ms},
		{"above the ceiling", repeat(time.Minute, 50), 4 * time.Second},
		{"a fifth is slow", append(repeat(300*ms, 80), repeat(3*time.Second, 20)...), 300 * ms},
		{"more than a fifth is slow", append(repeat(300*ms, 78), repeat(3*time.Second, 22)...), 3 * time.Second},
		{"the old are forgotten", append(repeat(3*time.Second, 500), repeat(300*ms, estimateWindow)...), 300 * ms},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := newTestEstimate()
			for _, d := range tt.took {
				e.add(d, true)
			}
			if got := e.get(); got != tt.want {
				t.Errorf("get = %v, want %v", got, tt.want)
			}
		})
	}
}

// When everything takes longer than the estimate and is given up at it, nothing
// that is done says so: the estimate has to grow by what was given up.
func TestEstimateGrowsByWhatWasGivenUp(t *testing.T) {
	e := newTestEstimate()
	for range 50 {
		e.add(200*time.Millisecond, true)
	}
	for range 60 {
		e.add(2*time.Second, false)
	}
	if got := e.get(); got != 2*time.Second {
		t.Errorf("get = %v, want 2s", got)
	}
	// What was given up early, by a person who left, says nothing.
	e = newTestEstimate()
	for range 50 {
		e.add(time.Second, true)
	}
	for range 200 {
		e.add(time.Millisecond, false)
	}
	if got := e.get(); got != time.Second {
		t.Errorf("get = %v after many left early, want 1s", got)
	}
}

func repeat(d time.Duration, n int) []time.Duration {
	out := make([]time.Duration, n)
	for i := range out {
		out[i] = d
	}
	return out
}
