package circuit

import (
	"context"
	"maps"
)

// flight is one circuit that is being built for Dials of one group to one
// provider. Many of them at once, as after a start, would else build a circuit
// each, and use an eighth of it.
type flight struct {
	route  route
	aboard int           // Dials that will open a stream on it; guarded by Client.mu
	landed chan struct{} // closed at the end; what follows is set before

	err       error // why there is no circuit
	abandoned bool  // err is that of the leader's context: it says nothing
	refusedBy map[[32]byte]bool
}

// route is who may share a circuit, and where it goes.
type route struct {
	key   [32]byte
	group Group
}

// board returns a flight with a place left. leads: it is a new one, and the
// caller has to fly it.
func (c *Client) board(key [32]byte, group Group) (f *flight, leads bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := route{key, group}
	if f = c.flights[r]; f != nil && f.aboard < maxStreams {
		f.aboard++
		return f, false
	}
	f = &flight{route: r, aboard: 1, landed: make(chan struct{})}
	c.flights[r] = f
	return f, true
}

// fly builds the circuit, opens the leader's stream on it and lets the others
// at it.
func (c *Client) fly(ctx context.Context, f *flight, refusedBy map[[32]byte]bool) (*Stream, error) {
	defer close(f.landed)
	defer func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.flights[f.route] == f {
			delete(c.flights, f.route)
		}
	}()
	circ, err := c.make(ctx, f.route.key, refusedBy)
	if err != nil {
		f.err, f.abandoned, f.refusedBy = err, ctx.Err() != nil, maps.Clone(refusedBy)
		return nil, err
	}
	// Before others are offered it: they could claim or fill it.
	c.claim(circ, f.route.group)
	s, err := circ.open()
	c.offer(circ, stateOpen)
	return s, err // an error: it ended since
}
