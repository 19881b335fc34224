package mesh

import (
	"sync"
	"sync/atomic"

	"github.com/libp2p/go-libp2p/core/network"
)

// greeting is a stream that a peer opened, whose protocol is being settled or
// was. A peer of ours names the protocol in one frame with its first bytes;
// what multistream says to that, "/multistream/1.0.0" and the name again, would
// be two frames of a dozen bytes, each with its encryption, system call and two
// threads to wake. So replies are kept back and leave with the handler's first
// write.
//
// They leave at once when they must: before a read that would wait, since a
// peer that waits for our answer says nothing until then, and before the end of
// our direction.
type greeting struct {
	network.Stream

	ahead []byte // for reads before the stream is settled
	in    []byte // of ahead, not yet handed out; both are the reader's
	heard bool   // a byte has come; the reader's

	settled bool        // the handler has the stream; written before it does
	plain   atomic.Bool // and nothing is kept back

	mu   sync.Mutex
	kept []byte // replies that have not left
}

// greetingAhead is what is read at once of a stream that begins: the names and
// a CREATE.
const greetingAhead = 1 << 10

// Read implements io.Reader.
func (g *greeting) Read(p []byte) (int, error) {
	if len(g.in) == 0 {
		// A peer that has said nothing at all does not wait for us: both sides
		// begin with the same words.
		if g.heard && !g.plain.Load() {
			if err := g.flush(); err != nil {
				return 0, err
			}
		}
		if g.settled {
			g.ahead, g.in = nil, nil
			return g.Stream.Read(p)
		}
		if g.ahead == nil {
			g.ahead = make([]byte, greetingAhead)
		}
		n, err := g.Stream.Read(g.ahead)
		if n == 0 {
			return 0, err // one that comes with bytes is met again by the next call
		}
		g.in, g.heard = g.ahead[:n], true
	}
	n := copy(p, g.in)
	g.in = g.in[n:]
	return n, nil
}

// settle gives the stream to the handler of the protocol that was named.
func (g *greeting) settle() { g.settled = true }

// Write implements io.Writer: replies before the stream is settled, then the
// handler's bytes.
func (g *greeting) Write(p []byte) (int, error) {
	if g.plain.Load() {
		return g.Stream.Write(p)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.settled {
		g.kept = append(g.kept, p...)
		return len(p), nil
	}
	before := len(g.kept)
	n, err := g.Stream.Write(append(g.kept, p...))
	g.sent()
	return max(0, n-before), err
}

// flush sends the replies that are kept back.
func (g *greeting) flush() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.kept) == 0 {
		return nil
	}
	_, err := g.Stream.Write(g.kept)
	g.sent()
	return err
}

// sent notes that nothing is kept back. mu is held.
func (g *greeting) sent() {
	g.kept = nil
	g.plain.Store(g.settled)
}

// CloseWrite implements network.Stream.
func (g *greeting) CloseWrite() error {
	_ = g.flush() // what goes wrong with it goes wrong with CloseWrite
	return g.Stream.CloseWrite()
}

// Close implements network.Stream.
func (g *greeting) Close() error {
	_ = g.flush() // what goes wrong with it goes wrong with Close
	return g.Stream.Close()
}
