package serve

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
)

// malformedListener replaces what net/http says by itself about requests that
// reach no handler (400, 417, 431, 501, 505: not HTTP, no Host, a header too large)
// and for which it has no setting.
type malformedListener struct {
	net.Listener
	say func(status int) []byte
}

func (l malformedListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &malformedConn{Conn: c, say: l.say}, nil
}

type malformedConn struct {
	net.Conn
	say func(status int) []byte

	// answering is set from the moment a handler has a request until its answer
	// is written. What is in an answer is a far end's choice, and where its
	// bytes are cut into writes follows from it; so it is never looked at.
	answering atomic.Bool
}

type malformedKey struct{}

// malformedConns makes server tell the connections of a malformedListener when
// what they write is a handler's.
func malformedConns(server *http.Server) {
	handler, before := server.Handler, server.ConnContext
	server.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		if before != nil {
			ctx = before(ctx, c)
		}
		return context.WithValue(ctx, malformedKey{}, c)
	}
	server.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, ok := r.Context().Value(malformedKey{}).(*malformedConn); ok {
			c.answering.Store(true)
		}
		handler.ServeHTTP(w, r)
	})
	server.ConnState = func(c net.Conn, state http.ConnState) {
		// Idle comes when all of the answer is written, and before another
		// request is read.
		if c, ok := c.(*malformedConn); ok && state == http.StateIdle {
			c.answering.Store(false)
		}
	}
}

// Write passes p on, or what is said instead of an error of net/http's own: what
// it writes while no handler answers. It does so in one piece; should it ever do
// otherwise, the rest passes as it is.
func (c *malformedConn) Write(p []byte) (int, error) {
	const status = len("HTTP/1.1 400")
	if c.answering.Load() || len(p) < status || p[9] != '4' && p[9] != '5' || !bytes.HasPrefix(p, []byte("HTTP/1.1 ")) {
		return c.Conn.Write(p)
	}
	code, err := strconv.Atoi(string(p[9:status]))
	if err != nil {
		return c.Conn.Write(p)
	}
	body := c.say(code)
	_, err = fmt.Fprintf(c.Conn, "HTTP/1.1 %d %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n"+
		"X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n%s", code, http.StatusText(code), len(body), body)
	return len(p), err
}

// CloseWrite lets net/http end an answer before the connection, so that a client
// which is still sending can read it.
func (c *malformedConn) CloseWrite() error { return closeWrite(c.Conn) }
