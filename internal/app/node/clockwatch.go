package node

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/culvert-net/culvert/mesh"
	"github.com/culvert-net/culvert/mesh/world"
)

// ClockWatch compares this machine's clock with those of the world's seeds. A
// world goes by epochs: what is said with a wrong clock, others refuse.
type ClockWatch struct {
	World        *world.World
	Host         *mesh.Host
	First, Every time.Duration // until the first look, and between looks
	Log          *slog.Logger

	mu     sync.Mutex
	ahead  time.Duration // guarded by mu
	known  bool          // guarded by mu
	warned bool          // owned by Run
}

// Ahead is by how much this machine's clock is ahead of the seeds', their middle
// one if they differ; false until one has answered.
func (c *ClockWatch) Ahead() (time.Duration, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ahead, c.known
}

// Off reports whether the clock is so wrong that others refuse what this node
// says: by more than ClockLimit.
func (c *ClockWatch) Off() bool {
	ahead, known := c.Ahead()
	return known && ahead.Abs() > ClockLimit(c.World)
}

// ClockLimit is how far a clock may be off in a world before others refuse what
// it says: the directory's skew, and a quarter of short epochs.
func ClockLimit(w *world.World) time.Duration { return min(clockBad, w.EpochLen()/4) }

// Run looks until ctx ends.
func (c *ClockWatch) Run(ctx context.Context) error {
	wait := time.NewTimer(c.First)
	defer wait.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-wait.C:
		}
		c.look(ctx)
		wait.Reset(c.Every)
	}
}

// look asks all seeds but this node itself.
func (c *ClockWatch) look(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, clockAsk)
	defer cancel()
	var mu sync.Mutex
	var all []time.Duration
	var asking sync.WaitGroup
	for _, seed := range slices.Concat(c.World.Seeds, c.World.Mirrors) {
		if a, err := world.ParseAddr(seed); err != nil || a.Key == c.Host.Key() {
			continue
		}
		asking.Go(func() {
			if ahead, err := c.ask(ctx, seed); err == nil {
				mu.Lock()
				defer mu.Unlock()
				all = append(all, ahead)
			}
		})
	}
	asking.Wait()
	if len(all) == 0 {
		return
	}
	slices.Sort(all)
	c.mu.Lock()
	c.ahead, c.known = all[(len(all)-1)/2], true
	c.mu.Unlock()
	off := c.Off()
	if off && !c.warned {
		c.Log.Warn("this machine's clock differs from the world's: what this node says is refused until it is set right",
			"ahead", c.ahead.Round(time.Second).String(), "asked", len(all))
	}
	c.warned = off
}

// ask is by how much this clock is ahead of a seed's.
func (c *ClockWatch) ask(ctx context.Context, seed string) (time.Duration, error) {
	stream, err := c.Host.OpenAddr(ctx, Proto(c.World), seed)
	if err != nil {
		return 0, err
	}
	stop := context.AfterFunc(ctx, func() { _ = stream.Reset() })
	defer stop()
	before := time.Now()
	there, err := AskTime(stream, c.World)
	if err != nil {
		_ = stream.Reset()
		return 0, err
	}
	_ = stream.Close() // all was said
	return before.Add(time.Since(before) / 2).Sub(there), nil
}
