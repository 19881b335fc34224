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
//
// An answer that takes longer than most puts the circuit, and those over the
// same relays, in doubt. One that takes much longer ends the streams of which
// nothing was heard: whoever opened them may still go elsewhere, and to wait
// until the circuit counts as dead would be ten seconds of a person's time.
func (circ *circuit) check() {
	usual := circ.client.pongTimes.get()
	suspectAt := min(suspectTrips*usual, pongTimeout)
	giveUpAt := min(max(giveUpTrips*usual, giveUpFloor), pongTimeout)

	m := circ.mux
	m.mu.Lock()
	if m.err != nil {
		m.mu.Unlock()
		return
	}
	now := time.Now()
	if circ.pinged.IsZero() {
		since, limit := m.received, pingIdle
		switch {
		case len(m.streams) > 0 && m.received.Before(circ.used):
			since, limit = circ.used, askAfter
		case len(m.streams) > 0:
			limit = pingAfter
		}
		if quiet := now.Sub(since); circ.pending != nil || quiet < limit {
			circ.checkIn(max(limit-quiet, askAfter))
			m.mu.Unlock()
			return
		}
		circ.askNow()
	}
	silent := now.Sub(later(circ.pinged, m.received))
	dead, suspect := silent >= pongTimeout, silent >= suspectAt
	if !dead && silent >= giveUpAt {
		circ.giveUpUnheard()
	}
	next := pongTimeout
	for _, at := range []time.Duration{suspectAt, giveUpAt} {
		if at > silent {
			next = min(next, at)
		}
	}
	if !dead {
		circ.checkIn(next - silent)
	}
	m.mu.Unlock()
	switch {
	case dead:
		circ.client.pongTimes.add(silent, false)
		m.fail(ErrSilent)
	case suspect:
		circ.suspected()
	}
}

// giveUpUnheard fails the streams of which nothing was heard. mux.mu is held.
func (circ *circuit) giveUpUnheard() {
	for _, s := range circ.mux.streams {
		if !s.heard && s.err == nil {
			s.reset(ErrSilent)
		}
	}
}

// suspected has the circuit's relays avoided until it answers, and what else
// goes over them answer first. A circuit that is being extended has its own
// time limit.
func (circ *circuit) suspected() {
	c := circ.client
	c.mu.Lock()
	if circ.suspect || circ.state != stateStem && circ.state != stateOpen {
		c.mu.Unlock()
		return
	}
	circ.suspect = true
	circ.mux.mu.Lock()
	circ.doubted = true
	circ.mux.mu.Unlock()
	relays := circ.relays() // read here: nobody extends it in these states
	c.mu.Unlock()
	c.doubt(circ, relays)
}

// relays are the hops before the provider. They do not change once built.
func (circ *circuit) relays() []Hop { return circ.hops[:min(len(circ.hops), circ.client.cfg.Hops-1)] }

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
	if circ.state != stateStem && circ.state != stateOpen {
		c.mu.Unlock()
		return // who builds it says what failed
	}
	relays := circ.relays() // read here: nobody extends it in these states
	stem := circ.state == stateStem
	c.mu.Unlock()
	if stem && errors.Is(err, ErrSilent) {
		// To try them anew would take as long as it took to find out. Not those of
		// a circuit to a provider: it may be the one that is silent, on circuits
		// over relays of its choice, so that others are taken. If it is a relay,
		// stems and builds over it are silent too.
		for _, h := range relays {
			c.cfg.Paths.Reached(h.Key, false)
		}
	}
	c.doubt(circ, relays)
}

// doubt has every circuit over one of relays, but not dead, answer a PING before
// it is used. Stems are asked now. Circuits to a provider are asked when it is
// their time, half a minute from now at most: providers, or one provider of
// several circuits, could end one or be late on it, see on which others a PING
// comes at that moment, and know that these are the same person's.
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
			if circ.state == stateStem && circ.pinged.IsZero() {
				circ.askNow()
				circ.checkIn(askAfter)
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
	took, doubted := time.Since(circ.pinged), circ.doubted
	circ.pinged = time.Time{}
	circ.mux.mu.Unlock()
	c := circ.client
	c.pongTimes.add(took, true)
	if !doubted {
		return nil
	}
	c.mu.Lock()
	circ.suspect = false
	circ.mux.mu.Lock()
	circ.doubted = !circ.pinged.IsZero() // doubted anew, just now
	circ.mux.mu.Unlock()
	c.mu.Unlock()
	// All of its hops are there. They do not change in these states.
	for _, h := range circ.hops {
		c.cfg.Paths.Reached(h.Key, true)
	}
	c.Changed()
	return nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
