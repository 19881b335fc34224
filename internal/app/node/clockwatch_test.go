package node

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// What the seeds say is known as soon as half of them, and those that are nearly as
// fast, have said it.
func TestClockWatchDoesNotWaitForTheSilent(t *testing.T) {
	const never = time.Hour
	type seed struct {
		after time.Duration
		compared
	}
	says := func(after, ahead time.Duration) seed { return seed{after, compared{ahead, true}} }
	away := func(after time.Duration) seed { return seed{after, compared{}} }
	for _, c := range []struct {
		name  string
		seeds []seed
		want  []time.Duration
		took  time.Duration
	}{
		{"all answer", []seed{says(time.Second, 1), says(2*time.Second, 2), says(2*time.Second, 3)}, []time.Duration{1, 2, 3}, 2 * time.Second},
		{"one is silent", []seed{says(1, 1), says(time.Second, 2), away(never)}, []time.Duration{1, 2}, time.Second + clockGrace},
		{"one of two is silent", []seed{says(0, 1), away(never)}, []time.Duration{1}, clockGrace},
		{"one is a little late", []seed{says(0, 1), says(0, 2), says(clockGrace-1, 3)}, []time.Duration{1, 2, 3}, clockGrace - 1},
		{"most are slow", []seed{says(0, 1), says(5*time.Second, 2), away(never), away(never)}, []time.Duration{1, 2}, 5*time.Second + clockGrace},
		{"most are silent", []seed{says(0, 1), away(never), away(never)}, []time.Duration{1}, clockAsk},
		{"all are away", []seed{away(0), away(time.Second)}, nil, time.Second},
		{"none", nil, nil, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), clockAsk)
				defer cancel()
				told := make(chan compared, len(c.seeds))
				for _, s := range c.seeds {
					time.AfterFunc(s.after, func() { told <- s.compared })
				}
				began := time.Now()
				got := collect(ctx, told, len(c.seeds))
				slices.Sort(got)
				if !slices.Equal(got, c.want) || time.Since(began) != c.took {
					t.Errorf("%v after %v, want %v after %v", got, time.Since(began), c.want, c.took)
				}
			})
		})
	}
}
