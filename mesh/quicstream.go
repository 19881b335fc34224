package mesh

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-yamux/v5"
	"github.com/quic-go/quic-go"
)

// quicStream gives a stream of QUIC what Stream needs of either kind: a Close
// that may be called beside a Write, and ends it, and one error for that.
type quicStream struct {
	*quic.Stream
	closing atomic.Bool
	writing sync.Mutex // held by Write
}

// Write implements network.MuxedStream.
func (s *quicStream) Write(p []byte) (int, error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	if s.closing.Load() {
		return 0, yamux.ErrStreamClosed
	}
	n, err := s.Stream.Write(p)
	if err != nil && s.closing.Load() {
		err = yamux.ErrStreamClosed
	}
	return n, err
}

// Close implements network.MuxedStream. That the peer, done with its own
// direction, reads no more of ours is no failure of it.
func (s *quicStream) Close() error {
	s.CancelRead(0)
	_ = s.end()
	return nil
}

func (s *quicStream) end() error {
	s.closing.Store(true)
	// A Write that waits returns; what it has passed on is sent all the same.
	_ = s.Stream.SetWriteDeadline(time.Unix(1, 0))
	s.writing.Lock()
	defer s.writing.Unlock()
	return s.Stream.Close()
}

// CloseWrite implements network.MuxedStream.
func (s *quicStream) CloseWrite() error { return s.end() }

// CloseRead implements network.MuxedStream.
func (s *quicStream) CloseRead() error {
	s.CancelRead(0)
	return nil
}

// Reset implements network.MuxedStream.
func (s *quicStream) Reset() error { return s.ResetWithError(0) }

// ResetWithError implements network.MuxedStream.
func (s *quicStream) ResetWithError(code network.StreamErrorCode) error {
	s.CancelRead(quic.StreamErrorCode(code))
	s.CancelWrite(quic.StreamErrorCode(code))
	return nil
}
