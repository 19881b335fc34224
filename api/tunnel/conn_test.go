package tunnel

import (
	"cmp"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

var errReset = errors.New("stream reset")

// memConn is one end of a circuit stream in memory: a bounded queue in each
// direction, END and RESET told apart, deadlines. It blocks on a sync.Cond, so
// it works in synctest bubbles.
type memConn struct {
	*memLink
	peer    *memConn
	circuit string

	// Guarded by memLink.mu.
	in       []byte // written by peer, not yet read
	ended    bool   // peer's END is behind in
	writeEnd bool   // our END was sent
	closed   bool
	wasReset bool // Reset was called on this end
	wrote    []byte
	rd, wd   time.Time
	done     chan struct{}
	isDone   bool
}

type memLink struct {
	mu     sync.Mutex
	cond   *sync.Cond
	max    int // of a queue
	broken bool
	why    error // it is broken; nil: errReset
}

// newPipe returns the client's and the server's end of a stream whose queues
// hold max bytes.
func newPipe(circuit string, max int) (client, server *memConn) {
	l := &memLink{max: max}
	l.cond = sync.NewCond(&l.mu)
	client = &memConn{memLink: l, circuit: circuit, done: make(chan struct{})}
	server = &memConn{memLink: l, circuit: circuit, done: make(chan struct{}), peer: client}
	client.peer = server
	return client, server
}

func (c *memConn) Read(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		switch {
		case c.closed:
			return 0, net.ErrClosed
		case c.broken:
			return 0, cmp.Or(c.why, errReset)
		case past(c.rd):
			return 0, os.ErrDeadlineExceeded
		case len(c.in) > 0:
			n := copy(p, c.in)
			c.in = c.in[n:]
			c.cond.Broadcast()
			return n, nil
		case c.ended:
			return 0, io.EOF
		}
		c.cond.Wait()
	}
}

func (c *memConn) Write(p []byte) (n int, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for n < len(p) {
		switch {
		case c.closed, c.writeEnd:
			return n, net.ErrClosed
		case c.broken, c.peer.closed:
			return n, cmp.Or(c.why, errReset)
		case past(c.wd):
			return n, os.ErrDeadlineExceeded
		}
		k := min(len(p)-n, c.max-len(c.peer.in))
		if k <= 0 {
			c.cond.Wait()
			continue
		}
		c.peer.in = append(c.peer.in, p[n:n+k]...)
		c.wrote = append(c.wrote, p[n:n+k]...)
		n += k
		c.cond.Broadcast()
	}
	return n, nil
}

func (c *memConn) CloseWrite() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || c.broken {
		return errReset
	}
	c.writeEnd, c.peer.ended = true, true
	c.cond.Broadcast()
	return nil
}

func (c *memConn) Reset() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil
	}
	c.wasReset = true
	c.breakLocked()
	return nil
}

// Close after CloseWrite still delivers; else the peer sees a reset.
func (c *memConn) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.writeEnd {
		c.breakLocked()
	}
	c.closed = true
	c.finishLocked()
	c.cond.Broadcast()
	return nil
}

func (c *memConn) breakLocked() {
	c.broken = true
	c.in, c.peer.in = nil, nil
	c.finishLocked()
	c.peer.finishLocked()
	c.cond.Broadcast()
}

func (c *memConn) finishLocked() {
	if !c.isDone {
		c.isDone = true
		close(c.done)
	}
}

func (c *memConn) Done() <-chan struct{} { return c.done }
func (c *memConn) Circuit() string       { return c.circuit }

func (c *memConn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

func (c *memConn) SetReadDeadline(t time.Time) error  { return c.setDeadline(&c.rd, t) }
func (c *memConn) SetWriteDeadline(t time.Time) error { return c.setDeadline(&c.wd, t) }

func (c *memConn) setDeadline(d *time.Time, t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	*d = t
	c.cond.Broadcast()
	if !t.IsZero() {
		time.AfterFunc(time.Until(t), func() {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.cond.Broadcast()
		})
	}
	return nil
}

func past(t time.Time) bool { return !t.IsZero() && !time.Now().Before(t) }

func (c *memConn) LocalAddr() net.Addr  { return &net.UnixAddr{Name: "mem"} }
func (c *memConn) RemoteAddr() net.Addr { return &net.UnixAddr{Name: "mem"} }

// state tells what became of the stream.
func (c *memConn) state() (reset, closed bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.wasReset, c.closed
}

// sent is every byte this end has written.
func (c *memConn) sent() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return string(c.wrote)
}

var _ Conn = (*memConn)(nil)

// busyError is what a stream's calls return once its other end refused it.
type busyError struct{}

func (busyError) Error() string { return "no room" }
func (busyError) Busy() bool    { return true }

// refuse resets the stream and says that there is no room.
func (c *memConn) refuse() error {
	c.mu.Lock()
	c.why = busyError{}
	c.mu.Unlock()
	return c.Reset()
}
