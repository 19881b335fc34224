package serve

import (
	"net"
	"sync"
)

// boundedListener accepts no more connections than it has slots for; the others
// wait with the system, which is where a flood does least harm.
type boundedListener struct {
	net.Listener
	slots chan struct{}
	ended chan struct{} // closed by Close
	once  sync.Once
}

func bounded(l net.Listener, slots chan struct{}) *boundedListener {
	return &boundedListener{Listener: l, slots: slots, ended: make(chan struct{})}
}

func (l *boundedListener) Accept() (net.Conn, error) {
	select {
	case l.slots <- struct{}{}:
	case <-l.ended:
		return nil, net.ErrClosed
	}
	c, err := l.Listener.Accept()
	if err != nil {
		<-l.slots
		return nil, err
	}
	return &boundedConn{Conn: c, free: func() { <-l.slots }}, nil
}

func (l *boundedListener) Close() error {
	l.once.Do(func() { close(l.ended) })
	return l.Listener.Close()
}

type boundedConn struct {
	net.Conn
	free func()
	once sync.Once
}

func (c *boundedConn) Close() error {
	defer c.once.Do(c.free)
	return c.Conn.Close()
}

// CloseWrite is as for malformedConn.
func (c *boundedConn) CloseWrite() error { return closeWrite(c.Conn) }

// closeWrite ends one direction of a connection that can.
func closeWrite(c net.Conn) error {
	if half, ok := c.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}
