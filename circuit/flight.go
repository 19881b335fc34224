package circuit

import (
	"context"
	"errors"
	"fmt"
	"maps"
)

// flight is a circuit being made for Dials of one group to one provider. Dials
// that come while it is under way wait for it, as many as a circuit carries
// requests: a person's eight parallel requests build one circuit, not eight.
type flight struct {
	key    flightKey          // immutable
	cancel context.CancelFunc // for when nobody waits any more

	// waiting has a channel of one slot per Dial, and what stream it wants.
	// Guarded by Client.mu.
	waiting map[chan landing]StreamKind
}

type flightKey struct {
	provider [32]byte
	group    Group
}

// landing is what a Dial gets of its flight.
type landing struct {
	stream *Stream
	err    error
}

// board opens a stream on a ready circuit, or waits for one: then the landing
// comes over the channel, and leave must be called by who does not take it.
func (c *Client) board(key [32]byte, group Group, kind StreamKind) (*Stream, *flight, chan landing, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.openReady(key, group, kind); s != nil {
		return s, nil, nil, nil
	}
	if !c.running {
		return nil, nil, nil, ErrClosed
	}
	at := flightKey{key, group}
	f := c.flights[at]
	if f == nil || len(f.waiting) == c.cfg.requests() {
		ctx, cancel := context.WithCancel(context.Background())
		f = &flight{key: at, cancel: cancel, waiting: make(map[chan landing]StreamKind)}
		c.flights[at] = f // a full one is joined by nobody
		c.used(key)
		c.wg.Go(func() { c.fly(ctx, f) })
	}
	landed := make(chan landing, 1)
	f.waiting[landed] = kind
	return nil, f, landed, nil
}

// leave is for a Dial that no longer waits. The last one ends the flight.
func (c *Client) leave(f *flight, landed chan landing) {
	c.mu.Lock()
	delete(f.waiting, landed)
	if len(f.waiting) == 0 {
		c.grounded(f)
		f.cancel()
	}
	c.mu.Unlock()
	select {
	case l := <-landed: // just now
		if l.stream != nil {
			_ = l.stream.Close()
		}
	default:
	}
}

// grounded keeps others from joining f. c.mu is held.
func (c *Client) grounded(f *flight) {
	if c.flights[f.key] == f {
		delete(c.flights, f.key)
	}
}

// fly makes the circuit, in dialAttempts attempts at most, and lands.
func (c *Client) fly(ctx context.Context, f *flight) {
	defer f.cancel()
	var last error
	refusedBy := make(map[[32]byte]bool)
	for range dialAttempts {
		circ, err := c.make(ctx, f.key.provider, maps.Clone(refusedBy))
		if err == nil {
			if c.land(f, circ) {
				return
			}
			last = errors.New("circuit: it ended as soon as it was made")
			continue
		}
		last = err
		if e, ok := errors.AsType[*providerError](err); ok {
			refusedBy[e.by] = true
			if len(refusedBy) == 2 {
				break // two relays that cannot reach it are believed
			}
		}
		if ctx.Err() != nil || errors.Is(err, ErrUnknownNode) || errors.Is(err, ErrClosed) || errors.Is(err, ErrNoPath) {
			break
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.grounded(f)
	for landed := range f.waiting {
		landed <- landing{err: fmt.Errorf("dial circuit: %w", last)}
	}
	clear(f.waiting)
}

// land opens a stream on circ for each who waits and reports whether all have
// one. Before others are offered the circuit: they could claim or fill it.
func (c *Client) land(f *flight, circ *circuit) bool {
	c.mu.Lock()
	if len(f.waiting) == 0 {
		c.grounded(f)
		c.mu.Unlock()
		c.keep(circ)
		return true
	}
	defer c.mu.Unlock()
	circ.group = &f.key.group
	for landed, kind := range f.waiting {
		s, err := circ.open(kind)
		if err != nil {
			break // it ended, or came into doubt
		}
		delete(f.waiting, landed)
		landed <- landing{stream: s}
	}
	circ.state = stateOpen
	if len(f.waiting) > 0 {
		return false
	}
	c.grounded(f)
	return true
}

// providerError is a relay's word that it cannot reach the provider.
type providerError struct {
	by  [32]byte
	err error
}

func (e *providerError) Error() string { return "circuit: provider not reached: " + e.err.Error() }
func (e *providerError) Unwrap() error { return e.err }
