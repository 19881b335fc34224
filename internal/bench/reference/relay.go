package reference

import (
	"errors"
	"fmt"
	"net"
	"sync"
)

// Relay passes each connection that l accepts on to target, until l is closed.
// It reads and writes, and leaves nothing to splice(2): a relay that has to look
// at what it passes on cannot either.
func Relay(l net.Listener, target string) error {
	var all sync.WaitGroup
	defer all.Wait()
	for {
		in, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("accepting: %w", err)
		}
		all.Go(func() { join(in, target) })
	}
}

// join carries both directions until both have ended.
func join(in net.Conn, target string) {
	defer in.Close()
	out, err := net.Dial("tcp", target)
	if err != nil {
		return // the client sees that its connection ends
	}
	defer out.Close()
	var both sync.WaitGroup
	both.Go(func() { carry(out, in) })
	both.Go(func() { carry(in, out) })
	both.Wait()
}

// carry copies from to to, and passes the end on.
func carry(to, from net.Conn) {
	buf := make([]byte, copyBuffer)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			if _, err := to.Write(buf[:n]); err != nil {
				break
			}
		}
		if err != nil {
			break
		}
	}
	for _, c := range []struct {
		conn net.Conn
		end  func(*net.TCPConn) error
	}{{to, (*net.TCPConn).CloseWrite}, {from, (*net.TCPConn).CloseRead}} {
		if t, ok := c.conn.(*net.TCPConn); ok {
			// One that is closed already needs no end.
			_ = c.end(t)
		}
	}
}
