package circuit

import (
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"time"
)

// Run keeps circuits ready until ctx ends, then ends all of them and waits
// for their goroutines. It runs once.
func (c *Client) Run(ctx context.Context) error {
	c.mu.Lock()
	c.running = true
	c.mu.Unlock()
	close(c.started)
	defer c.stop()

	const lookAgain = 20 * time.Second // for circuits past their time
	pauses := make(map[[32]byte]pause)
	for {
		wait := lookAgain
		key, next, build := c.plan(pauses)
		if build != nil {
			err := build(ctx)
			c.note(err)
			if err == nil && !c.anyYoung() {
				delete(pauses, key)
				continue
			}
			pauses[key] = pauses[key].longer()
			maps.DeleteFunc(pauses, func(_ [32]byte, p pause) bool { return p.over() }) // or providers that are gone would pile up
			c.cfg.Log.Debug("build circuit", "err", err)
			continue
		}
		if !next.IsZero() {
			wait = min(wait, time.Until(next))
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-timer.C:
		case <-c.wake:
			timer.Stop()
		}
	}
}

// pause keeps Run from building the same thing, that fails, over and over. A
// wake does not end it: the failure itself wakes.
type pause struct {
	length time.Duration
	until  time.Time
}

const (
	firstPause = 250 * time.Millisecond // after a build that failed
	longest    = 10 * time.Second       // pauses double up to this

	// diedYoung is the age under which a circuit's end counts as its build's
	// failure.
	diedYoung = 10 * time.Second
)

func (p pause) longer() pause {
	n := min(max(2*p.length, firstPause), longest)
	return pause{n, time.Now().Add(n)}
}

// over reports whether a pause ended so long ago that the next failure is the
// first again.
func (p pause) over() bool { return time.Since(p.until) > longest }

// note keeps the outcome of Run's last build for Problem.
func (c *Client) note(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.problem = err
}

// Problem is what kept the last circuit that was to be ready from being built,
// in the terms of Dial's errors; nil if it was built.
func (c *Client) Problem() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.problem
}

// anyYoung reports whether a circuit died young since it was last asked.
func (c *Client) anyYoung() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.young
	c.young = 0
	return n > 0
}

// stop ends every circuit and waits.
func (c *Client) stop() {
	c.mu.Lock()
	c.running = false
	live := slices.Collect(maps.Keys(c.circuits))
	for a := range c.attempts {
		a.cancel(ErrClosed)
	}
	c.mu.Unlock()
	for _, circ := range live {
		circ.mux.fail(ErrClosed)
	}
	c.wg.Wait()
}

// plan retires what has served its time and says what to build next, by the
// provider's key or zeros for a stem; nil: all that should be ready is, or
// pauses until next.
func (c *Client) plan(pauses map[[32]byte]pause) (what [32]byte, next time.Time, build func(context.Context) error) {
	stems, clean := 0, 0
	has := make(map[[32]byte]bool)
	c.mu.Lock()
	maps.DeleteFunc(c.spares, func(_ [32]byte, at time.Time) bool { return time.Until(at) <= 0 })
	spares := maps.Clone(c.spares)
	crowded := c.crowd()
	for circ := range c.circuits {
		circ.mux.mu.Lock()
		roomy, living := circ.roomy(), circ.mux.err == nil
		over := len(circ.mux.streams) == 0 && (circ.retired() || crowded[circ] ||
			circ.group != nil && time.Since(circ.used) >= idleGroup)
		fresh := circ.requests == 0
		circ.mux.mu.Unlock()
		switch {
		case circ.state == stateEnding:
			continue
		case over && circ.state != stateBuilding:
			circ.state = stateEnding
			circ.mux.retire()
			continue
		case circ.state == stateOpen && circ.group == nil && living:
			// Though it be in doubt: to replace it for that would show its
			// provider what a PING would, see doubt.
			has[circ.last()] = true
		case circ.state == stateStem && roomy:
			stems++
		}
		if fresh {
			clean++
		}
	}
	c.mu.Unlock()

	due := func(key [32]byte) bool {
		until := later(pauses[key].until, spares[key])
		if time.Until(until) <= 0 {
			return true
		}
		if next.IsZero() || until.Before(next) {
			next = until
		}
		return false
	}
	if c.cfg.Hops > 1 && stems < readyStems && due([32]byte{}) {
		return [32]byte{}, next, c.addStem
	}
	for _, key := range c.cfg.Paths.Likely() {
		if !has[key] && clean < maxClean && due(key) {
			return key, next, func(ctx context.Context) error {
				circ, err := c.make(ctx, key, nil)
				if err == nil {
					c.offer(circ, stateOpen)
				}
				return err
			}
		}
	}
	return [32]byte{}, next, nil
}

// used puts off the making of a ready circuit to a provider that a group begins
// to use. c.mu is held.
func (c *Client) used(key [32]byte) {
	if _, ok := c.spares[key]; !ok { // else steady use would put it off for ever
		c.spares[key] = time.Now().Add(rand.N(spareWithin))
	}
}

// crowd is the idle circuits of groups beyond maxIdleGroups, those used longest
// ago. c.mu is held.
func (c *Client) crowd() map[*circuit]bool {
	type idle struct {
		circ *circuit
		used time.Time
	}
	var all []idle
	for circ := range c.circuits {
		circ.mux.mu.Lock()
		if circ.state == stateOpen && circ.group != nil && len(circ.mux.streams) == 0 {
			all = append(all, idle{circ, circ.used})
		}
		circ.mux.mu.Unlock()
	}
	if len(all) <= maxIdleGroups {
		return nil
	}
	slices.SortFunc(all, func(a, b idle) int { return a.used.Compare(b.used) })
	out := make(map[*circuit]bool)
	for _, i := range all[:len(all)-maxIdleGroups] {
		out[i.circ] = true
	}
	return out
}

// addStem builds a stem and puts it into the pool.
func (c *Client) addStem(ctx context.Context) error {
	hops, err := c.path([32]byte{})
	if err != nil {
		return err
	}
	stem, err := c.race(ctx, c.stemTimes.get(), func(ctx context.Context, a *attempt) (*circuit, error) {
		c.goesOver(a, hops)
		return c.stem(ctx, hops)
	}, func(ctx context.Context, a *attempt) (*circuit, error) {
		others, err := c.path([32]byte{})
		if err == nil && within(others, hops) {
			err = errNoOther
		}
		if err != nil {
			return nil, err
		}
		c.goesOver(a, others)
		return c.stem(ctx, others)
	})
	if err != nil {
		return err
	}
	c.offer(stem, stateStem)
	return nil
}

// Ready is nil when a request would find a circuit or a stem, or says what is
// missing.
func (c *Client) Ready() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for circ := range c.circuits {
		if (circ.state == stateOpen || circ.state == stateStem) && circ.usable() {
			return nil
		}
	}
	return errors.New("no circuit is ready yet")
}
