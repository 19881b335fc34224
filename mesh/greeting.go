package mesh

import (
	"sync"
	"sync/atomic"
	"time"

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

	mu     sync.Mutex // held by the first Write, however long that waits
	kept   []byte     // replies that have not left; guarded by mu
	broken error      // why they could not: nothing may follow them; guarded by mu
}

// greetingAhead is what is read at once of a stream that begins: the names and
// a CREATE.
const greetingAhead = 1 << 10

// lastWords bounds what Close waits for a peer that has no room for replies.
const lastWords = 250 * time.Millisecond

// Read implements io.Reader.
func (g *greeting) Read(p []byte) (int, error) {
	if len(g.in) == 0 {
		// A peer that has said nothing at all does not wait for us: both sides
		// begin with the same words.
		if g.heard && !g.plain.Load() {
			g.reply()
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
	switch {
	case g.broken != nil:
		return 0, g.broken
	case !g.settled:
		g.kept = append(g.kept, p...)
		return len(p), nil
	}
	before := len(g.kept)
	n, err := g.Stream.Write(append(g.kept, p...))
	g.sent(n, err)
	return max(0, n-before), err
}

// reply sends the replies that are kept back. It waits for no Write: one that is
// under way has them in front, and may wait for a peer that waits to be read.
// What goes wrong is for the next Write to say, since a peer that only tells may
// have closed its end, and is to be heard all the same.
func (g *greeting) reply() {
	if !g.mu.TryLock() {
		return
	}
	defer g.mu.Unlock()
	g.flush()
}

// flush is reply with mu held.
func (g *greeting) flush() {
	if len(g.kept) > 0 {
		g.sent(g.Stream.Write(g.kept))
	}
}

// sent notes what became of the replies, of which and of what follows them n
// bytes left. mu is held.
func (g *greeting) sent(n int, err error) {
	if n < len(g.kept) {
		g.broken = err
	} else {
		g.plain.Store(g.settled)
	}
	g.kept = nil
}

// CloseWrite implements network.Stream.
func (g *greeting) CloseWrite() error {
	g.mu.Lock()
	g.flush() // what goes wrong with it goes wrong with CloseWrite
	g.mu.Unlock()
	return g.Stream.CloseWrite()
}

// Close implements network.Stream. The deadline for writes may have passed on
// purpose, so replies that are still here get one of their own.
func (g *greeting) Close() error {
	if g.mu.TryLock() {
		if len(g.kept) > 0 {
			_ = g.Stream.SetWriteDeadline(time.Now().Add(lastWords))
			g.flush() // what goes wrong with it goes wrong with Close
		}
		g.mu.Unlock()
	}
	return g.Stream.Close()
}
