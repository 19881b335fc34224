package circuit

import (
	"context"
	"errors"
	"os"
	"sync/atomic"
	"time"

	"github.com/culvert-net/culvert/circuit/onion"
)

// ClientStats is what a client's circuits are doing, and have done since its
// start. It names nobody.
type ClientStats struct {
	// Circuits that live, by state.
	Building, Stems, Open, Ending int

	Streams int // open on them
	Doubted int // of them not used until their far end answered

	// Builds that are over, by how. Extending a ready stem is one.
	Built, Failed, TimedOut, Busy, GivenUp uint64

	Hedged uint64 // builds that a second one was begun beside

	// Circuits that ended after they were built, by why: retired in good order,
	// by DESTROY or the end of a link, because the far end fell silent or
	// somebody broke the rules, and by this client's own stop.
	Retired, Destroyed, Silenced, Violated, Stopped uint64

	StemTimes, ExtendTimes Times // of builds
}

// Times is how long the last builds took.
type Times struct {
	Patience time.Duration // after it a second one is begun beside
	P50, P80 time.Duration // of the last ones; 0: there was none
}

// Stats is how things are now.
func (c *Client) Stats() ClientStats {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.stats
	for circ := range c.circuits {
		switch circ.state {
		case stateBuilding:
			s.Building++
		case stateStem:
			s.Stems++
		case stateOpen:
			s.Open++
		case stateEnding:
			s.Ending++
		}
		circ.mux.mu.Lock()
		s.Streams += len(circ.mux.streams)
		if circ.doubted {
			s.Doubted++
		}
		circ.mux.mu.Unlock()
	}
	s.StemTimes, s.ExtendTimes = c.stemTimes.times(), c.extendTimes.times()
	return s
}

// attempted counts an attempt that is over. mu is held.
func (s *ClientStats) attempted(ctx context.Context, err error) {
	switch {
	case errors.Is(err, errNoOther), errors.Is(err, ErrNoPath): // nothing was built
	case err == nil:
		s.Built++
	case ctx.Err() != nil, errors.Is(err, ErrClosed):
		s.GivenUp++
	case errors.Is(err, ErrBusy), errors.Is(err, errHopBusy):
		s.Busy++
	case errors.Is(err, errLate), errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		s.TimedOut++
	default:
		s.Failed++
	}
}

// lost counts the end of a circuit that was built. mu is held.
func (s *ClientStats) lost(was state, err error) {
	switch {
	case was == stateBuilding: // an attempt that failed
	case was == stateEnding:
		s.Retired++
	case errors.Is(err, ErrClosed):
		s.Stopped++
	case errors.Is(err, ErrSilent):
		s.Silenced++
	case errors.Is(err, ErrProtocol):
		s.Violated++
	default:
		s.Destroyed++
	}
}

// RelayStats counts what a relay did since its start. It names nobody.
type RelayStats struct {
	Circuits int    `json:"circuits"` // open now
	Created  uint64 `json:"created"`  // handshakes answered
	Extended uint64 `json:"extended"` // circuits passed on
	Refused  uint64 `json:"refused"`  // links that brought no valid CREATE, or too many

	Full uint64 `json:"full"` // of Refused, those for which there was no room

	// Extends that were answered otherwise, by how.
	ExtendUnknown     uint64 `json:"extend_unknown"`     // no descriptor of the node
	ExtendUnreachable uint64 `json:"extend_unreachable"` // no answer, or not the right one
	ExtendRefused     uint64 `json:"extend_refused"`     // this node does not extend, or not there
	ExtendBusy        uint64 `json:"extend_busy"`        // the node has no room

	// Circuits that ended, by what ended them first.
	EndedDestroyed uint64 `json:"ended_destroyed"` // DESTROY, from either side
	EndedLost      uint64 `json:"ended_lost"`      // the end of a link
	EndedViolated  uint64 `json:"ended_violated"`  // bytes that break the rules, or were changed

	Forward      uint64 `json:"cells_forward"`  // cells passed on towards providers
	Backward     uint64 `json:"cells_backward"` // and towards clients
	ResetStreams uint64 `json:"reset_streams"`  // streams of a kind that is not served here
}

// relayStats are the counters behind RelayStats.
type relayStats struct {
	created, refused, full, resetStreams atomic.Uint64

	extends [failBusy + 1]atomic.Uint64 // by code; 0: it was extended
	ended   [endKinds]atomic.Uint64
	cells   [2]atomic.Uint64 // forward, backward
}

// Directions of relayStats.cells.
const (
	forward = iota
	backward
)

// endKind is what ended a circuit at a relay.
type endKind uint32

const (
	endDestroyed endKind = iota
	endLost
	endViolated
	endKinds
)

// endOf is the kind of an error that ended a circuit.
func endOf(err error) endKind {
	switch {
	case err == ErrDestroyed: // not wrapped: that is a link's end
		return endDestroyed
	case errors.Is(err, ErrProtocol), errors.Is(err, onion.ErrOpen):
		return endViolated
	}
	return endLost
}

// Stats is what the relay did so far.
func (r *Relay) Stats() RelayStats {
	s := &r.stats
	return RelayStats{
		Circuits: len(r.slots), Created: s.created.Load(), Extended: s.extends[0].Load(),
		Refused: s.refused.Load(), Full: s.full.Load(),
		ExtendUnknown: s.extends[failUnknown].Load(), ExtendUnreachable: s.extends[failUnreachable].Load(),
		ExtendRefused: s.extends[failRefused].Load(), ExtendBusy: s.extends[failBusy].Load(),
		EndedDestroyed: s.ended[endDestroyed].Load(), EndedLost: s.ended[endLost].Load(),
		EndedViolated: s.ended[endViolated].Load(),
		Forward:       s.cells[forward].Load(), Backward: s.cells[backward].Load(),
		ResetStreams: s.resetStreams.Load(),
	}
}

// ListenerStats counts the streams of a listener.
type ListenerStats struct {
	Waiting   int    // not yet accepted
	Delivered uint64 // that came, since the start
	Busy      uint64 // that were refused because too many waited
}

// Stats is how things are now.
func (l *Listener) Stats() ListenerStats {
	return ListenerStats{Waiting: len(l.queue), Delivered: l.delivered.Load(), Busy: l.busy.Load()}
}
