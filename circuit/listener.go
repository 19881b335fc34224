package circuit

import (
	"net"
	"sync"
	"sync/atomic"
)

// StreamKind is what an OPEN asks for.
type StreamKind byte

// Kinds of streams. A node resets a kind it does not serve.
const (
	StreamHTTP      StreamKind = 0 // one request
	StreamPay       StreamKind = 1 // what is said about money beside it
	StreamDirectory StreamKind = 2 // one question to the directory, as on /culvert/dir
	StreamSync      StreamKind = 3 // one session between members, as on /culvert/sync
	StreamJoin      StreamKind = 4 // one request to become a member, as on /culvert/join
	StreamChain     StreamKind = 5 // one question about the chain, which the node passes on
)

// Listener hands out the streams of one kind that clients open at this node, in
// the order in which they came.
type Listener struct {
	queue chan *Stream
	done  chan struct{}
	once  sync.Once

	delivered, busy atomic.Uint64
}

var _ net.Listener = (*Listener)(nil)

func newListener() *Listener {
	return &Listener{queue: make(chan *Stream, acceptQueue), done: make(chan struct{})}
}

// Accept returns the next stream; its dynamic type is *Stream. After Close it
// returns ErrClosed.
func (l *Listener) Accept() (net.Conn, error) {
	select {
	case <-l.done:
		return nil, ErrClosed
	case s := <-l.queue:
		return s, nil
	}
}

// Close ends Accept and resets what was not accepted. Streams that were go on.
func (l *Listener) Close() error {
	l.once.Do(func() {
		close(l.done)
		for {
			select {
			case s := <-l.queue:
				_ = s.Reset()
			default:
				return
			}
		}
	})
	return nil
}

// Addr implements net.Listener. It names no node.
func (l *Listener) Addr() net.Addr { return addr{} }

// deliver queues s, or refuses it when nobody takes streams fast enough.
func (l *Listener) deliver(s *Stream) bool {
	select {
	case <-l.done:
		return false
	default:
	}
	select {
	case l.queue <- s:
		select {
		case <-l.done: // Close may have emptied the queue before
			return false
		default:
			l.delivered.Add(1)
			return true
		}
	default:
		l.busy.Add(1)
		return false
	}
}
