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
	var asking sync.WaitGroup
	defer asking.Wait()
	defer cancel() // what is asked still, nobody waits for
	seeds := slices.DeleteFunc(slices.Concat(c.World.Seeds, c.World.Mirrors), func(seed string) bool {
		a, err := world.ParseAddr(seed)
		return err != nil || a.Key == c.Host.Key()
	})
	told := make(chan compared, len(seeds))
	for _, seed := range seeds {
		asking.Go(func() {
			ahead, err := c.ask(ctx, seed)
			told <- compared{ahead, err == nil}
		})
	}
	all := collect(ctx, told, len(seeds))
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

// compared is what came of asking one seed.
type compared struct {
	ahead time.Duration
	ok    bool // it has answered
}

// collect is by how much this clock is ahead of those of n seeds that answer: of all,
// or, once half of them have, of those that do within clockGrace. One that is silent
// does not keep us from what the others say.
func collect(ctx context.Context, told <-chan compared, n int) (all []time.Duration) {
	var grace <-chan time.Time
	for range n {
		select {
		case x := <-told:
			if x.ok {
				all = append(all, x.ahead)
			}
		case <-grace:
			return all
		case <-ctx.Done():
			return all
		}
		if grace == nil && 2*len(all) >= n {
			grace = time.After(clockGrace)
		}
	}
	return all
}

// ask is by how much this clock is ahead of a seed's.
func (c *ClockWatch) ask(ctx context.Context, seed string) (time.Duration, error) {
	stream, err := c.Host.OpenAddr(ctx, mesh.ProtoMirror, seed)
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
