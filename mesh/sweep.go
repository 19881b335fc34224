package mesh

import (
	"time"

	"github.com/libp2p/go-libp2p/core/network"
)

// sweep closes idle links and forgets old dial failures until the host is
// closed.
func (h *Host) sweep() {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	var idle idleLinks
	for {
		select {
		case <-h.stop:
			return
		case now := <-tick.C:
			h.dialer.expire(now)
			for _, c := range idle.due(h.swarm.Conns(), now) {
				// It is gone either way; what failed is its goodbye.
				_ = c.Close()
			}
		}
	}
}

// idleLinks remembers since when links have had no stream. Its zero value is
// ready; it belongs to one goroutine.
type idleLinks struct {
	since map[network.Conn]time.Time
}

// due returns the links among conns that have been idle for too long. A link
// in use keeps all its time: circuits live on streams.
func (l *idleLinks) due(conns []network.Conn, now time.Time) []network.Conn {
	next := make(map[network.Conn]time.Time)
	var out []network.Conn
	for _, c := range conns {
		stat := c.Stat()
		if stat.NumStreams > 0 {
			continue
		}
		since, ok := l.since[c]
		if !ok {
			since = now
		}
		next[c] = since
		limit := idleDialed
		if stat.Direction == network.DirInbound {
			limit = idleAccepted
		}
		if now.Sub(since) >= limit {
			out = append(out, c)
		}
	}
	l.since = next
	return out
}
