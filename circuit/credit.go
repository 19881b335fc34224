package circuit

import "time"

// credits is a stream's receiving window: what the other end may send, and
// when it is granted more. The window begins small and doubles while it, and
// not the sender or the reader, is what limits the stream: when half of it is
// read within two of the circuit's round trips. A reader that does not keep up
// grants nothing, so its window does not grow.
//
// All is guarded by mux.mu.
type credits struct {
	size   int // of the window, in cells
	window int // of these, what the other end may still send
	grant  int // cells read and not yet granted again

	got    uint64    // cells that came
	marked uint64    // cells allowed before the grant that is being timed
	markAt time.Time // when that grant was made; zero: none is timed
	half   int       // cells granted since halfAt
	halfAt time.Time // when the half of the window began that is being timed
}

func newCredits() credits {
	return credits{size: initialCredit, window: initialCredit, halfAt: time.Now()}
}

// due reports whether enough was read to grant it again. A grant costs a cell,
// so a small window is granted by no less than half of the first one.
func (c *credits) due() bool { return c.grant >= max(c.size/8, initialCredit/2) }

// give is how many cells to grant now.
func (c *credits) give(m *mux) int {
	now := time.Now()
	if c.half += c.grant; c.half >= c.size/2 {
		if m.trip > 0 && now.Sub(c.halfAt) < 2*m.trip && m.windows+c.size <= maxCredit {
			m.windows += c.size
			c.grant += c.size
			c.size *= 2
		}
		c.half, c.halfAt = 0, now
	}
	if c.markAt.IsZero() {
		c.marked, c.markAt = c.got+uint64(c.window), now
	}
	n := c.grant
	c.window += n
	c.grant = 0
	return n
}

// took accounts for a cell that came. The first that uses a new grant shows
// how long a round trip is at most, and exactly if the sender waited for it.
func (c *credits) took(m *mux) {
	c.window--
	c.got++
	if !c.markAt.IsZero() && c.got > c.marked {
		if trip := time.Since(c.markAt); m.trip == 0 || trip < m.trip {
			m.trip = max(trip, 1) // 0 is "not known"
		}
		c.markAt = time.Time{}
	}
}
