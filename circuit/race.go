package circuit

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// attempt is one circuit being made, in a goroutine of its own.
type attempt struct {
	cancel context.CancelCauseFunc
	second bool // of a race

	// Guarded by Client.mu.
	hops []Hop       // it goes over, as far as is known
	late bool        // it takes longer than most
	cut  *time.Timer // ends it once it was outrun; nil: it was not
}

// try makes a circuit, or says why not. It tells goesOver its hops as soon as
// it knows them.
type try func(ctx context.Context, a *attempt) (*circuit, error)

var (
	// errOutrun ends an attempt that took too long after another one had won.
	// Unlike one that nobody wanted any more, it speaks against its relays.
	errOutrun = errors.New("circuit: outrun by a second build")

	// errNoOther is a second build that would go over the relays of the first.
	errNoOther = errors.New("circuit: no other relays")
)

// race makes a circuit by first and, if that takes longer than patience, by
// second beside it; the first to succeed wins. The other one goes on for a
// while, since how long it takes is worth knowing, and a stem is of use. There
// is one second build per race and maxHedges in all: when every build is slow,
// the estimate has to grow and not the load. second may be nil.
func (c *Client) race(ctx context.Context, patience time.Duration, first, second try) (*circuit, error) {
	type result struct {
		circ *circuit
		err  error
	}
	results, over := make(chan result), make(chan struct{})
	defer close(over)
	run := func(t try, second bool) *attempt {
		return c.attempt(t, second, func(circ *circuit, err error) {
			select {
			case results <- result{circ, err}:
			case <-over:
				if err == nil {
					c.tooLate(circ)
				}
			}
		})
	}
	attempts := []*attempt{run(first, false)}
	if attempts[0] == nil {
		return nil, ErrClosed
	}
	waiting := time.NewTimer(patience)
	defer waiting.Stop()
	var last error
	for running := 1; running > 0; {
		select {
		case <-ctx.Done():
			for _, a := range attempts {
				a.cancel(context.Cause(ctx))
			}
			return nil, ctx.Err()
		case <-waiting.C:
			c.isLate(attempts[0])
			if second == nil || !c.startHedge() {
				continue
			}
			defer c.endHedge()
			if a := run(second, true); a != nil {
				attempts = append(attempts, a)
				running++
			}
		case r := <-results:
			if r.err == nil {
				for _, a := range attempts {
					c.outrun(a)
				}
				return r.circ, nil
			}
			running--
			if !errors.Is(r.err, errNoOther) {
				last = r.err
			}
		}
	}
	return nil, last
}

// attempt runs t and tells done; nil: the client has stopped. t ends when the
// client stops, when a.cancel is called, or by itself.
func (c *Client) attempt(t try, second bool, done func(*circuit, error)) *attempt {
	ctx, cancel := context.WithCancelCause(context.Background())
	a := &attempt{cancel: cancel, second: second}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.running {
		cancel(nil)
		return nil
	}
	c.attempts[a] = struct{}{}
	c.wg.Go(func() {
		defer cancel(nil)
		circ, err := t(ctx, a)
		c.mu.Lock()
		delete(c.attempts, a)
		c.stats.attempted(ctx, err)
		if a.cut != nil {
			a.cut.Stop()
		}
		c.mu.Unlock()
		done(circ, err)
	})
	return a
}

// goesOver notes the hops of an attempt.
func (c *Client) goesOver(a *attempt, hops []Hop) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if a.second && a.hops == nil {
		c.stats.Hedged++
	}
	a.hops = slices.Clone(hops)
}

// isLate has the relays of an attempt avoided while it lasts: one of them keeps
// it waiting.
func (c *Client) isLate(a *attempt) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a.late = true
}

// outrun ends an attempt that is still under way when another one has won, but
// not at once: beyond the ceiling its time would change no estimate. If it had
// begun first, circuits over the same relays have to show that they live: that
// one which began later has ended speaks against them, while being late alone
// does not, as one in five is.
func (c *Client) outrun(a *attempt) {
	c.mu.Lock()
	_, running := c.attempts[a]
	late, hops := a.late, a.hops
	if running {
		why := context.Canceled
		if late {
			why = errOutrun
		}
		a.cut = time.AfterFunc(buildCeiling, func() { a.cancel(why) })
	}
	c.mu.Unlock()
	if running && late {
		c.doubt(nil, hops)
	}
}

// startHedge takes one of the maxHedges places, if there is one.
func (c *Client) startHedge() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.hedges == maxHedges {
		return false
	}
	c.hedges++
	return true
}

func (c *Client) endHedge() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.hedges--
}

// suspicion counts the late attempts and silent circuits that each of hops may
// be the fault in. c.mu is held.
func (c *Client) suspicion(hops []Hop) int {
	n := 0
	stuck := c.stuck()
	for _, of := range stuck {
		for _, h := range c.atFault(of, stuck) {
			if among(h, hops) {
				n++
			}
		}
	}
	return n
}

// stuck are the hops of each late attempt and silent circuit. c.mu is held.
func (c *Client) stuck() [][]Hop {
	var all [][]Hop
	for a := range c.attempts {
		if a.late {
			all = append(all, a.hops)
		}
	}
	for circ := range c.circuits {
		if circ.suspect {
			all = append(all, circ.hops)
		}
	}
	return all
}

// atFault are those of one of stuck's relays that may be why it is. If it reached
// for a provider, they are what it has in common with all that do so and are
// stuck: else a provider, by being slow on circuits over relays of its choice,
// would have others taken in their place.
func (c *Client) atFault(of []Hop, stuck [][]Hop) []Hop {
	if len(of) < c.cfg.Hops {
		return of
	}
	last := len(of) - 1
	relays := slices.Clone(of[:last])
	for _, other := range stuck {
		if len(other) > last && other[last].Key == of[last].Key {
			relays = slices.DeleteFunc(relays, func(h Hop) bool { return !among(h, other) })
		}
	}
	return relays
}

func among(h Hop, hops []Hop) bool {
	return slices.ContainsFunc(hops, func(o Hop) bool { return o.Key == h.Key })
}

// path is a stem of relays without not: of several proposals the one about
// which there is the least suspicion, so that a relay which keeps others
// waiting is not met again. Sticky entries may come back in all of them.
func (c *Client) path(not [32]byte) ([]Hop, error) {
	var best []Hop
	least := 0
	for range pathLooks {
		hops, err := c.cfg.Paths.Stem(c.cfg.Hops-1, not)
		if err == nil && !distinct(hops, c.cfg.Hops-1, not) {
			err = errBadPath
		}
		if err != nil && best == nil {
			return nil, fmt.Errorf("%w: %w", ErrNoPath, err)
		}
		if err != nil {
			break
		}
		c.mu.Lock()
		n := c.suspicion(hops)
		c.mu.Unlock()
		if best == nil || n < least {
			best, least = hops, n
		}
		if n == 0 {
			break
		}
	}
	return best, nil
}

// errBadPath is a proposal that would hide less than a circuit promises.
var errBadPath = errors.New("circuit: not the relays that were asked for")

// within reports whether every one of hops is among of.
func within(hops, of []Hop) bool {
	for _, h := range hops {
		if !among(h, of) {
			return false
		}
	}
	return true
}

// tooLate takes a circuit that lost its race. A stem is kept. A whole circuit is
// not: its provider, by being slow once, has seen two circuits come one upon the
// other, and would know the group that takes this one for the person on that one.
func (c *Client) tooLate(circ *circuit) {
	if len(circ.hops) < c.cfg.Hops {
		c.keep(circ)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	circ.state = stateEnding
	circ.mux.retire()
}

// keep puts a circuit that came too late for whom it was made into the pool,
// if there is room in it.
func (c *Client) keep(circ *circuit) {
	c.mu.Lock()
	defer c.mu.Unlock()
	clean := 0
	for other := range c.circuits {
		other.mux.mu.Lock()
		if other.requests == 0 && (other.state == stateStem || other.state == stateOpen) {
			clean++
		}
		other.mux.mu.Unlock()
	}
	switch {
	case clean >= maxClean:
		circ.state = stateEnding
		circ.mux.retire()
	case len(circ.hops) < c.cfg.Hops:
		circ.state = stateStem
	default:
		circ.state = stateOpen
	}
}
