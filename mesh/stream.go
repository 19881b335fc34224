package mesh

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-yamux/v5"
	"github.com/multiformats/go-multistream"
)

var (
	// ErrReset is returned by a stream that either end has reset, or whose link
	// is gone.
	ErrReset = errors.New("stream reset")

	// ErrProtocol is returned by the first Read of a stream whose protocol the
	// peer does not serve.
	ErrProtocol = errors.New("peer does not serve the protocol")
)

// Stream is one flow of bytes each way between two nodes. Its end on this side
// must be closed or reset even if the peer has done so: until then it counts
// against limits.
type Stream struct {
	ns   network.Stream
	lazy multistream.LazyConn // sends the protocol's name with the first bytes; nil if the peer opened the stream
	peer [32]byte

	closed  atomic.Bool // by Close
	once    sync.Once   // guards the single call of release
	release func()      // gives the stream back to its protocol's quota; may be nil
}

// Peer is the transport key of the other end, proven by the link's handshake.
func (s *Stream) Peer() [32]byte { return s.peer }

// Read reads what has arrived. It returns io.EOF after the peer's Close or
// CloseWrite.
func (s *Stream) Read(p []byte) (n int, err error) {
	if s.lazy != nil {
		n, err = s.lazy.Read(p)
	} else {
		n, err = s.ns.Read(p)
	}
	return n, translate(err)
}

// Write queues p for sending. It blocks while the peer's window is full, which
// is how a slow reader slows its sender down.
func (s *Stream) Write(p []byte) (n int, err error) {
	if s.lazy != nil {
		n, err = s.lazy.Write(p)
	} else {
		n, err = s.ns.Write(p)
	}
	if err != nil && s.closed.Load() {
		return n, net.ErrClosed
	}
	return n, translate(err)
}

// CloseWrite ends our direction; the peer reads io.EOF after what was written.
func (s *Stream) CloseWrite() error {
	if s.lazy != nil {
		// Without it a stream on which nothing was written ends nameless. A
		// failure shows in CloseWrite too.
		_ = s.lazy.Flush()
	}
	return translate(s.ns.CloseWrite())
}

// Close ends both directions: what was written is still delivered, what
// arrives from now on is thrown away, and a Write that waits returns. The peer
// may not be told that nobody reads, so Close belongs where it is done sending,
// else Reset.
func (s *Stream) Close() error {
	defer s.once.Do(s.end)
	if s.lazy != nil {
		_ = s.lazy.Flush()
	}
	s.closed.Store(true)
	// yamux leaves a Write waiting, for a window that a peer may never open.
	_ = s.ns.SetWriteDeadline(time.Unix(1, 0))
	return translate(s.ns.Close())
}

// Reset ends both directions at once; the peer's reads and writes fail.
func (s *Stream) Reset() error {
	defer s.once.Do(s.end)
	return translate(s.ns.Reset())
}

func (s *Stream) end() {
	if s.release != nil {
		s.release()
	}
}

// SetDeadline bounds reads and writes from now on; the zero time removes it.
// One that passes while the protocol's name is still under way, with the first
// write or the first read, leaves the stream good for nothing but Reset.
func (s *Stream) SetDeadline(t time.Time) error { return s.ns.SetDeadline(t) }

// SetReadDeadline is SetDeadline for reads only.
func (s *Stream) SetReadDeadline(t time.Time) error { return s.ns.SetReadDeadline(t) }

// SetWriteDeadline is SetDeadline for writes only.
func (s *Stream) SetWriteDeadline(t time.Time) error { return s.ns.SetWriteDeadline(t) }

// translate turns libp2p's errors into ones that callers may branch on without
// importing it. Those of a broken link name addresses, and are left behind.
func translate(err error) error {
	var unsupported multistream.ErrNotSupported[protocol.ID]
	switch {
	case err == nil:
		return nil
	case err == io.EOF: // and no wrapped one: that is what a lost link says
		return io.EOF
	case errors.As(err, &unsupported):
		return ErrProtocol
	case errors.Is(err, yamux.ErrTimeout), errors.Is(err, os.ErrDeadlineExceeded):
		return os.ErrDeadlineExceeded
	case errors.Is(err, yamux.ErrStreamClosed):
		return net.ErrClosed
	}
	return ErrReset
}
