package reference

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
)

// Relay passes each connection that l accepts on to target, until l is closed,
// which ends them all. It reads and writes, and leaves nothing to splice(2): a
// relay that has to look at what it passes on cannot either.
func Relay(l net.Listener, target string) error {
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	defer all.Wait()
	defer cancel()
	for {
		in, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("accepting: %w", err)
		}
		all.Go(func() { join(ctx, in, target) })
	}
}

// join carries both directions until both have ended, or ctx has.
func join(ctx context.Context, in net.Conn, target string) {
	defer in.Close()
	var d net.Dialer
	out, err := d.DialContext(ctx, "tcp", target)
	if err != nil {
		return // the client sees that its connection ends
	}
	defer out.Close()
	defer context.AfterFunc(ctx, func() {
		// They end, whatever it says.
		_ = in.Close()
		_ = out.Close()
	})()
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
