// Package circuit carries byte streams through an onion: what a client gets
// is a net.Conn to a provider, what a provider gets is a net.Listener, and
// everything above is somebody else's protocol.
//
// A Client keeps circuits ready and hands out streams (Dial); a Relay answers
// what arrives on links: it extends circuits for others and, where it serves,
// accepts streams (Listener). Both reach neighbours through Links and know a
// neighbour by its Ed25519 transport key only.
//
// A relay must be unable to know what it carries: this package knows nothing
// of libp2p, HTTP, JSON, money or models, and imports none of them. Exported
// methods may be called concurrently.
//
// Files are in the order a byte travels: client, flight, race, build, pool, watch
// (estimate: how long things take); mux and stream (both ends of a circuit); batch (a link); relay, extend, pump; listener; stats.
// Spec: docs/spec/circuit.md.
package circuit

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/culvert-net/culvert/circuit/onion"
)

// Link is one stream of bytes between neighbours, one per circuit.
type Link interface {
	io.Reader
	io.Writer
	// Close ends both directions after what was written; it may be called
	// twice and unblocks Read and Write.
	Close() error
	// Reset aborts both directions at once.
	Reset() error
	// Peer is the neighbour's Ed25519 transport key as authenticated by the link.
	Peer() [32]byte
}

// Links makes and receives links.
type Links interface {
	// Open reaches the node with this transport key, at the addresses its
	// descriptor gives and at no others. ErrUnknownNode: no descriptor.
	Open(ctx context.Context, to [32]byte) (Link, error)
	// Accept returns the next link a neighbour opened. It fails only when ctx
	// ends or no link will ever come again.
	Accept(ctx context.Context) (Link, error)
}

// OnionKeys finds the private half of a published onion key.
type OnionKeys = onion.OnionKeys

// Hop is one node of a path, from its descriptor.
type Hop struct {
	Name  string   // for the owner of this machine: status, logs at debug
	Key   [32]byte // Ed25519 transport key
	Onion [32]byte // X25519 onion key
}

var (
	// ErrUnknownNode is a node of which no descriptor is held.
	ErrUnknownNode = errors.New("circuit: no descriptor of this node")
	// ErrClosed is a stream, listener or circuit that this side closed.
	ErrClosed = errors.New("circuit: closed")
	// ErrReset is a stream that the other end aborted.
	ErrReset = errors.New("circuit: stream reset by the other end")
	// ErrBusy is a provider that has no room: for another stream, before it read
	// any of it, or for another circuit. It has a method Busy() bool.
	ErrBusy error = busyError{}
	// ErrDestroyed is a circuit that some hop or link ended.
	ErrDestroyed = errors.New("circuit: circuit was destroyed")
	// ErrSilent is a circuit whose far end no longer answers PING.
	ErrSilent = errors.New("circuit: far end went silent")
	// ErrProtocol is a neighbour or far end that broke the rules.
	ErrProtocol = errors.New("circuit: protocol violation")
	// ErrNoPath is a world without the relays for a circuit; trying again at once
	// is no use.
	ErrNoPath = errors.New("circuit: no path")
)

// busyError lets callers that do not import this package tell it from others,
// as net.Error's Timeout does.
type busyError struct{}

func (busyError) Error() string { return "circuit: the other end has no room" }

// Busy is always true.
func (busyError) Busy() bool { return true }

// A HopError is a hop that a circuit was not built to. The node is not always
// to blame: those before it may have kept it from being reached.
type HopError struct {
	Place int    // from 1, the entry
	Name  string // of Hop
	Err   error
}

func (e *HopError) Error() string { return fmt.Sprintf("hop %d, %s: %v", e.Place, e.Name, e.Err) }
func (e *HopError) Unwrap() error { return e.Err }
