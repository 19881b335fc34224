package upstream

import (
	"net"
	"net/http"
	"time"
)

// inTwo sends the head of an answer and its body apart, the body only once the
// head was acknowledged. That is what Nagle's algorithm does to a server that
// writes twice; a client that delays its acknowledgements makes it wait 40 ms.
func (a *reply) inTwo(body []byte) {
	// Go sets TCP_NODELAY on what it accepts; Slow takes it back.
	if err := http.NewResponseController(a.w).Flush(); err != nil {
		return // the client is gone
	}
	_, _ = a.w.Write(body)
}

// closeUnsaid ends the stream as it should end, and then the connection, which
// was announced as kept.
func (a *reply) closeUnsaid() {
	c := http.NewResponseController(a.w)
	// The end of a chunked body is written by hand: what took the connection over
	// has to.
	if err := c.Flush(); err != nil {
		return
	}
	conn, rw, err := c.Hijack()
	if err != nil {
		return
	}
	// Whoever is gone does not miss it.
	_, _ = rw.WriteString("0\r\n\r\n")
	_ = rw.Flush()
	_ = conn.Close()
}

// Slow makes connections of l send like one whose server has never heard of
// TCP_NODELAY.
func Slow(l net.Listener) net.Listener { return slow{l} }

type slow struct{ net.Listener }

func (s slow) Accept() (net.Conn, error) {
	c, err := s.Listener.Accept()
	if t, ok := c.(*net.TCPConn); ok {
		// Without it the connection is fast, and all else as it was.
		_ = t.SetNoDelay(false)
	}
	return c, err
}

// Serve answers on l until it is closed.
func (s *Server) Serve(l net.Listener) error {
	if s.cfg.Llama {
		l = Slow(l)
	}
	server := &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
	return server.Serve(l)
}
