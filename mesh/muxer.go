package mesh

import (
	"errors"
	"io"
	"net"
	"sync/atomic"

	"github.com/libp2p/go-libp2p/core/network"
	libyamux "github.com/libp2p/go-libp2p/p2p/muxer/yamux"
	"github.com/libp2p/go-yamux/v5"
)

// muxer makes yamux sessions that share one budget for window growth.
//
// libp2p's own yamux transport takes even a stream's first window from the
// resource manager, and yamux ends the whole session, with every circuit on
// it, when that fails. So first windows are bounded by counting streams, whose
// excess is reset one by one, and only growth asks for memory.
type muxer struct {
	config *yamux.Config
	budget *windowBudget
}

func newMuxer(l Limits) *muxer {
	return &muxer{
		config: &yamux.Config{
			AcceptBacklog:          streamBacklog,
			PingBacklog:            pingBacklog,
			EnableKeepAlive:        true,
			KeepAliveInterval:      linkPing,
			MeasureRTTInterval:     linkPing,
			ConnectionWriteTimeout: linkTimeout,
			// A stream beyond the limit per peer is reset by the resource
			// manager; this bounds those it has not seen yet.
			MaxIncomingStreams:      uint32(l.PeerStreams) + streamBacklog,
			InitialStreamWindowSize: streamWindow,
			MaxStreamWindowSize:     maxStreamWindow,
			MaxMessageSize:          maxFrame,
			LogOutput:               io.Discard,
		},
		budget: &windowBudget{limit: l.windowBudget()},
	}
}

// NewConn implements network.Multiplexer. The peer's scope is not used: see
// muxer.
func (m *muxer) NewConn(c net.Conn, server bool, _ network.PeerScope) (network.MuxedConn, error) {
	open := yamux.Client
	if server {
		open = yamux.Server
	}
	s, err := open(c, m.config, m.budget.window)
	if err != nil {
		return nil, err
	}
	return libyamux.NewMuxedConn(s), nil
}

// errWindowBudget keeps a window at its size; yamux goes on with it.
var errWindowBudget = errors.New("no memory left to grow stream windows")

// windowBudget counts what windows have grown by. It may be used concurrently.
type windowBudget struct {
	limit int64
	used  atomic.Int64
}

func (b *windowBudget) window() (yamux.MemoryManager, error) { return &window{budget: b}, nil }

// window is the memory of one stream.
type window struct {
	budget *windowBudget
	grown  atomic.Int64
}

// firstWindow is the priority with which yamux reserves what a stream cannot
// do without.
const firstWindow = 255

// ReserveMemory implements yamux.MemoryManager.
func (w *window) ReserveMemory(size int, prio uint8) error {
	if prio == firstWindow {
		return nil
	}
	if w.budget.used.Add(int64(size)) > w.budget.limit {
		w.budget.used.Add(-int64(size))
		return errWindowBudget
	}
	w.grown.Add(int64(size))
	return nil
}

// ReleaseMemory implements yamux.MemoryManager. yamux never gives back part
// of a window.
func (w *window) ReleaseMemory(int) {}

// Done implements yamux.MemoryManager: the stream is over.
func (w *window) Done() { w.budget.used.Add(-w.grown.Swap(0)) }
