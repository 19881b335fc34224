package serve

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"strconv"
)

// malformedListener replaces what net/http says by itself about requests that
// reach no handler (400, 431, 501, 505: not HTTP, no Host, a header too large)
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
}

// plainHead follows the status line of net/http's own answers, and of no other:
// those of a handler have at least a date.
const plainHead = "\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n"

// Write passes p on, or what is said instead. net/http writes its own answers
// in one piece; should it ever do otherwise, they pass as they are.
func (c *malformedConn) Write(p []byte) (int, error) {
	const status = len("HTTP/1.1 400")
	if len(p) < status || p[9] != '4' && p[9] != '5' || !bytes.HasPrefix(p, []byte("HTTP/1.1 ")) {
		return c.Conn.Write(p)
	}
	if at := bytes.IndexByte(p, '\r'); at < 0 || !bytes.HasPrefix(p[at:], []byte(plainHead)) {
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
