package circuit

import (
	"bytes"
	"crypto/rand"
	"errors"
	"slices"
	"time"

	"github.com/culvert-net/culvert/circuit/cell"
)

// check looks whether the circuit still lives and asks its far end if it has
// been quiet. It is the circuit's timer: it sets itself again until the
// circuit ends. A provider in a long prefill answers PINGs, so a long wait is
// no reason to give up; a relay or provider that is gone without a word is.
func (circ *circuit) check() {
	m := circ.mux
	m.mu.Lock()
	if m.err != nil {
		m.mu.Unlock()
		return
	}
	now := time.Now()
	if !circ.pinged.IsZero() && now.Sub(later(circ.pinged, m.received)) >= pongTimeout {
		m.mu.Unlock()
		m.fail(ErrSilent)
		return
	}
	limit := pingIdle
	if len(m.streams) > 0 {
		limit = pingAfter
	}
	quiet := now.Sub(m.received)
	if circ.pinged.IsZero() && circ.pending == nil && quiet >= limit {
		circ.askNow()
	}
	next := max(limit-quiet, pingAfter)
	if !circ.pinged.IsZero() {
		next = pingAfter
	}
	circ.checkIn(next)
	m.mu.Unlock()
}

// askNow sends a PING. mux.mu is held, and none is out.
func (circ *circuit) askNow() {
	circ.pinged = time.Now()
	rand.Read(circ.ping[:])
	ping := circ.ping
	circ.mux.ping = &ping
	circ.mux.kick()
}

// ending acts on a circuit that dies: one of its relays may be gone, and nobody
// knows which. Every circuit over one of them must answer a PING before it is
// used again, or a request would lose its second attempt to the same relay. It
// is told before the streams are, so that whoever tries again finds it done.
func (circ *circuit) ending(err error) {
	c := circ.client
	c.mu.Lock()
	built := circ.state == stateStem || circ.state == stateOpen
	c.mu.Unlock()
	if !built {
		return // who builds it says what failed
	}
	relays := circ.hops[:min(len(circ.hops), c.cfg.Hops-1)]
	if errors.Is(err, ErrSilent) {
		// To try them anew would take as long as it took to find out.
		for _, h := range relays {
			c.cfg.Paths.Reached(h.Key, false)
		}
	}
	c.doubt(circ, relays)
}

// doubt has every circuit over one of relays, but not dead, answer a PING.
func (c *Client) doubt(dead *circuit, relays []Hop) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for circ := range c.circuits {
		if circ == dead || circ.state != stateStem && circ.state != stateOpen ||
			!slices.ContainsFunc(relays, func(h Hop) bool { return circ.passes(h.Key) }) {
			continue
		}
		circ.mux.mu.Lock()
		if circ.mux.err == nil {
			circ.doubted = true
			if circ.pinged.IsZero() {
				circ.askNow()
				circ.checkIn(pingAfter)
			}
		}
		circ.mux.mu.Unlock()
	}
	c.Changed()
}

// checkIn sets the next check. mux.mu is held.
func (circ *circuit) checkIn(d time.Duration) {
	circ.checkAt = time.Now().Add(d)
	circ.watch.Reset(d)
}

// ponged takes a PONG: whoever sent it holds the last hop's keys.
func (circ *circuit) ponged(echo []byte) error {
	circ.mux.mu.Lock()
	if circ.pinged.IsZero() || !bytes.Equal(echo, circ.ping[:]) {
		circ.mux.mu.Unlock()
		return violation(cell.Pong)
	}
	trusted := circ.doubted
	circ.pinged, circ.doubted = time.Time{}, false
	circ.mux.mu.Unlock()
	if trusted {
		// All of its hops are there. They do not change in these states.
		for _, h := range circ.hops {
			circ.client.cfg.Paths.Reached(h.Key, true)
		}
		circ.client.Changed()
	}
	return nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
