package mesh

import (
	"context"
	"log/slog"
	"maps"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/protocol"
)

// Handle serves proto: f is called for each stream that a peer opens, in a
// goroutine of its own, and owns the stream. At most perPeer streams of one
// peer and total streams of all are open at once; a stream counts until it is
// closed or reset by this side, and one too many is reset and counted in
// Stats.
//
// f must return soon after its stream is reset: Close waits for it.
// A quiet host serves nothing; asking it to is a mistake of the program.
func (h *Host) Handle(proto string, perPeer, total int, f func(*Stream)) {
	if h.quiet {
		panic("mesh: a quiet host serves no protocol")
	}
	q := &quota{perPeer: perPeer, total: total, byPeer: make(map[[32]byte]int)}
	h.node.SetStreamHandler(protocol.ID(proto), func(ns network.Stream) {
		key, err := keyOf(ns.Conn().RemotePeer())
		if err != nil { // unreachable: InterceptSecured refuses other keys
			_ = ns.Reset()
			return
		}
		if over := q.take(key); over != "" {
			h.refusals.count(proto + " " + over)
			_ = ns.ResetWithError(network.StreamResourceLimitExceeded)
			return
		}
		f(&Stream{ns: ns, peer: key, release: func() { q.give(key) }})
	})
}

// serve sets what happens to streams that peers open.
func (h *Host) serve() {
	if h.quiet {
		// Two locks on one door: nothing is registered that could answer, and
		// no stream gets far enough to ask.
		for _, p := range h.node.Mux().Protocols() {
			h.node.RemoveStreamHandler(p)
		}
		h.swarm.SetStreamHandler(func(ns network.Stream) { _ = ns.Reset() })
		return
	}
	h.swarm.SetStreamHandler(h.accept)
}

// accept finds the handler for a new stream and runs it. It is what libp2p's
// own handler does, with our time limit, and it counts what is refused.
func (h *Host) accept(ns network.Stream) {
	if !h.enter() {
		_ = ns.Reset()
		return
	}
	defer h.wg.Done()

	// Errors of the deadlines show at the next read.
	_ = ns.SetDeadline(time.Now().Add(negotiateTimeout))
	g := &greeting{Stream: ns}
	proto, handle, err := h.node.Mux().Negotiate(g)
	if err != nil {
		h.refusals.count(limitProtocol)
		_ = ns.ResetWithError(network.StreamProtocolNegotiationFailed)
		return
	}
	_ = ns.SetDeadline(time.Time{})
	if err := ns.SetProtocol(proto); err != nil {
		h.refusals.count(limitName(err))
		_ = ns.ResetWithError(network.StreamResourceLimitExceeded)
		return
	}
	g.settle()
	// A handler made by SetStreamHandler returns no error.
	_ = handle(proto, g)
}

// quota counts a protocol's open streams.
type quota struct {
	perPeer, total int // immutable

	mu     sync.Mutex
	open   int              // guarded by mu
	byPeer map[[32]byte]int // guarded by mu; no zero entries
}

// take counts a stream in, or says which bound it would exceed.
func (q *quota) take(key [32]byte) string {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.open >= q.total:
		return "streams"
	case q.byPeer[key] >= q.perPeer:
		return "streams per peer"
	}
	q.open++
	q.byPeer[key]++
	return ""
}

func (q *quota) give(key [32]byte) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.open--
	if q.byPeer[key]--; q.byPeer[key] == 0 {
		delete(q.byPeer, key)
	}
}

// refusals counts what was refused, by limit, and logs each limit now and
// then. The names are a closed set: limitName's, and two per protocol served.
type refusals struct {
	log *slog.Logger // immutable

	mu     sync.Mutex
	counts map[string]uint64    // guarded by mu
	logged map[string]time.Time // guarded by mu
}

// limitProtocol stands among limits for a protocol that is not served.
const limitProtocol = "protocol"

func (r *refusals) count(limit string) {
	r.mu.Lock()
	if r.counts == nil {
		r.counts, r.logged = make(map[string]uint64), make(map[string]time.Time)
	}
	r.counts[limit]++
	n, now := r.counts[limit], time.Now()
	due := now.Sub(r.logged[limit]) >= complainEvery
	if due {
		r.logged[limit] = now
	}
	r.mu.Unlock()

	if !due {
		return
	}
	// Other protocols are spoken by strangers, and by nodes that start together and
	// reach one that is not through yet: nothing for an operator to do.
	level := slog.LevelWarn
	if limit == limitProtocol {
		level = slog.LevelDebug
	}
	r.log.Log(context.Background(), level, "refused a connection or stream", "limit", limit, "total", n)
}

func (r *refusals) snapshot() map[string]uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.counts)
}
