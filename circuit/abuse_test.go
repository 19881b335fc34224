package circuit_test

import (
	"context"
	"errors"
	"io"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/culvert-net/culvert/circuit"
	"github.com/culvert-net/culvert/circuit/cell"
)

// heap is what is in use after everything unreachable was collected.
func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// A client that opens, ends and resets streams and reads nothing must not make
// a provider keep what its handlers wrote: three thousand such streams once
// cost 95 MiB on one circuit.
func TestStalledClientCostsABoundedAmount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		user, nd := n.add(t, "user"), n.add(t, "node")
		nd.serve(t, func(c *circuit.RelayConfig) { c.Serve = []circuit.StreamKind{circuit.StreamHTTP} })
		l := &lab{provider: nd}
		l.each(t, func(s *circuit.Stream) {
			defer s.Close()
			_, _ = io.ReadAll(s)
			_, _ = s.Write(make([]byte, 32<<10))
			_ = s.CloseWrite()
		})
		p := connect(t, user, nd)
		before := heap()
		const streams = 3000
		for i := range uint16(streams) {
			p.say(cell.Message{Kind: cell.Open, Stream: i + 1, Data: []byte{0}})
			p.say(cell.Message{Kind: cell.End, Stream: i + 1, Data: make([]byte, 8)})
			synctest.Wait() // the handler has answered
			p.say(cell.Message{Kind: cell.Reset, Stream: i + 1, Data: []byte{0}})
		}
		synctest.Wait()
		if grown := heap() - before; grown > 4<<20 {
			t.Errorf("%d streams cost the provider %d KiB", streams, grown>>10)
		}
		p.link.Close()
	})
}

// A stream that was closed holds nothing until the deadlines that were set on
// it: fifteen minutes of them, at 43 KiB a request.
func TestClosedStreamsCostNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, newNetwork(), 3, 0)
		l.each(t, echo)
		once := func() {
			s := l.dial(t)
			_ = s.SetDeadline(time.Now().Add(15 * time.Minute))
			_, _ = s.Write(make([]byte, 20_000))
			_ = s.CloseWrite()
			_, _ = io.ReadAll(s)
			_ = s.Close()
		}
		for range 20 {
			once()
		}
		synctest.Wait()
		before := heap()
		for range 150 {
			once()
		}
		synctest.Wait()
		if per := (heap() - before) / 150; per > 4<<10 {
			t.Errorf("a closed stream holds %d bytes", per)
		}
	})
}

// A closed stream whose other end never grants credit again must not keep its
// circuit from retiring.
func TestClosedStreamDoesNotPinItsCircuit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, newNetwork(), 3, 0)
		l.each(t, func(s *circuit.Stream) { _ = s.CloseWrite(); <-s.Done() }) // reads nothing, ever
		s := l.dial(t)
		go func() { _, _ = s.Write(make([]byte, 64*457+20_000)); _ = s.CloseWrite() }()
		if _, err := io.ReadAll(s); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		s.Close()
		time.Sleep(time.Hour)
		for _, c := range l.client.Circuits() {
			if c.ID == s.Circuit() {
				t.Errorf("circuit of age %v with %d streams, all of them closed here", c.Age, c.Streams)
			}
		}
	})
}

// A relay may end its links in good order; that is not the end of a stream.
func TestCutIsNotEOF(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, newNetwork(), 3, 0)
		l.each(t, func(s *circuit.Stream) { <-s.Done(); s.Close() })
		s := l.dial(t)
		defer s.Close()
		synctest.Wait()
		l.relays[0].mu.Lock()
		links := l.relays[0].links
		l.relays[0].mu.Unlock()
		for _, k := range links {
			k.Close()
		}
		if _, err := s.Read(make([]byte, 1)); err == nil || errors.Is(err, io.EOF) {
			t.Errorf("a cut stream reads %v, which is io.EOF", err)
		}
	})
}

// stuckConn takes nothing more once frozen; Close unblocks it.
type stuckConn struct {
	net.Conn
	f    *freezer
	once sync.Once
	gone chan struct{}
}

func (c *stuckConn) Write(p []byte) (int, error) {
	select {
	case <-c.f.frozen:
		<-c.gone
		return 0, net.ErrClosed
	default:
		return c.Conn.Write(p)
	}
}

func (c *stuckConn) Close() error {
	c.once.Do(func() { close(c.gone) })
	return c.Conn.Close()
}

// A next hop that stops reading must not keep a circuit at a relay after the
// client has left.
func TestStalledNextHopFreesItsCircuit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		fz := &freezer{frozen: make(chan struct{})}
		n.onLinksOf("relay-1", func(c net.Conn) net.Conn {
			return &stuckConn{Conn: c, f: fz, gone: make(chan struct{})}
		})
		l := stillLab(t, n, 2, 0)
		stop := l.run(t)
		l.each(t, func(s *circuit.Stream) { <-s.Done(); s.Close() })
		s := l.dial(t)
		synctest.Wait()
		close(fz.frozen)
		_, _ = s.Write(make([]byte, 1000))
		synctest.Wait()
		stop()
		time.Sleep(time.Hour)
		if c := l.relays[0].relay.Stats().Circuits; c != 0 {
			t.Errorf("the relay still holds %d circuits an hour after their client left", c)
		}
	})
}

// A link that takes nothing, and one that brings nothing, are given up: honest
// clients read what comes and PING every thirty seconds.
func TestRelayGivesUpDeadCircuits(t *testing.T) {
	for name, before := range map[string]func(p *rawPeer){
		"reads nothing": func(p *rawPeer) { p.say(cell.Message{Kind: cell.Ping, Data: make([]byte, 8)}) },
		"says nothing":  func(*rawPeer) {},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newNetwork()
				user, nd := n.add(t, "user"), n.add(t, "node")
				nd.serve(t, nil)
				p := connect(t, user, nd)
				before(p)
				time.Sleep(time.Hour)
				if c := nd.relay.Stats().Circuits; c != 0 {
					t.Errorf("%d circuits are still there after an hour", c)
				}
				p.link.Close()
			})
		})
	}
}

// padConn swallows what is written once frozen, and reads as one PADDING cell
// a second.
type padConn struct {
	net.Conn
	f *freezer
}

func (c *padConn) Write(p []byte) (int, error) {
	select {
	case <-c.f.frozen:
		return len(p), nil
	default:
		return c.Conn.Write(p)
	}
}

func (c *padConn) Read(p []byte) (int, error) {
	for {
		select {
		case <-c.f.frozen:
			time.Sleep(time.Second)
			if err := c.Conn.SetReadDeadline(time.Time{}); err != nil {
				return 0, err // closed
			}
			clear(p[:512])
			p[0] = byte(cell.Padding)
			return 512, nil
		default:
		}
		_ = c.Conn.SetReadDeadline(time.Now().Add(time.Second))
		n, err := c.Conn.Read(p)
		var timeout net.Error
		if errors.As(err, &timeout) && timeout.Timeout() {
			continue
		}
		return n, err
	}
}

// An entry that swallows everything cannot pretend with PADDING that the rest
// of the circuit lives.
func TestPaddingIsNoSignOfLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		fz := &freezer{frozen: make(chan struct{})}
		n.onLinksOf("user", func(c net.Conn) net.Conn { return &padConn{c, fz} })
		l := newLab(t, n, 3, 0)
		l.each(t, func(s *circuit.Stream) { <-s.Done(); s.Close() })
		s := l.dial(t)
		defer s.Close()
		time.Sleep(10 * time.Millisecond)
		close(fz.frozen)
		s.SetReadDeadline(time.Now().Add(3 * time.Minute))
		if _, err := s.Read(make([]byte, 1)); !errors.Is(err, circuit.ErrSilent) {
			t.Errorf("Read = %v, want ErrSilent", err)
		}
	})
}

// Requests that come and go more often than PING must not keep a dead circuit
// in use.
func TestSilenceIsFoundThoughRequestsComeAndGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		fz := &freezer{frozen: make(chan struct{})}
		n.wrap = func(_, _ [32]byte, c net.Conn) net.Conn { return &freezeConn{c, fz} }
		l := newLab(t, n, 3, 0)
		l.each(t, func(s *circuit.Stream) { <-s.Done(); s.Close() })
		first := l.dial(t)
		synctest.Wait()
		close(fz.frozen)
		start := time.Now()
		for time.Since(start) < time.Minute {
			s, err := l.client.Dial(context.Background(), l.provider.key, circuit.Group{})
			if err != nil || s.Circuit() != first.Circuit() {
				return
			}
			time.Sleep(1500 * time.Millisecond)
			s.Close() // its user gave up
		}
		t.Error("a minute of requests went into a circuit that answers nothing")
	})
}

// A PONG that answers no PING, or another, ends the circuit.
func TestPongMustAnswerAPing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		user, fake := n.add(t, "user"), n.add(t, "fake")
		_ = user
		l := stillLab(t, n, 1, 0)
		l.paths.providers = []*node{fake}
		p := answerCreate(t, fake)
		l.run(t)
		s, err := l.client.Dial(context.Background(), fake.key, circuit.Group{})
		if err != nil {
			t.Fatal(err)
		}
		(<-p).say(cell.Message{Kind: cell.Pong, Data: make([]byte, 8)})
		if _, err := s.Read(make([]byte, 1)); !errors.Is(err, circuit.ErrProtocol) {
			t.Errorf("Read = %v, want ErrProtocol", err)
		}
	})
}

// What waits at a listener that closes is reset, not left to wait.
func TestListenerCloseStrandsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, newNetwork(), 3, 0)
		s := l.dial(t) // nobody accepts
		defer s.Close()
		synctest.Wait()
		l.provider.relay.Listener(circuit.StreamHTTP).Close()
		s.SetReadDeadline(time.Now().Add(time.Hour))
		if _, err := s.Read(make([]byte, 1)); !errors.Is(err, circuit.ErrReset) {
			t.Errorf("Read = %v, want ErrReset", err)
		}
	})
}

// Concurrent Writes each arrive in one piece, as on any net.Conn.
func TestConcurrentWrites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, newNetwork(), 3, 0)
		l.each(t, echo)
		s := l.dial(t)
		defer s.Close()
		var wg sync.WaitGroup
		for _, c := range []byte("ab") {
			b := make([]byte, 100_000)
			for i := range b {
				b[i] = c
			}
			wg.Go(func() { _, _ = s.Write(b) })
		}
		go func() { wg.Wait(); _ = s.CloseWrite() }()
		got, err := io.ReadAll(s)
		if err != nil {
			t.Fatal(err)
		}
		pieces := 1
		for i := 1; i < len(got); i++ {
			if got[i] != got[i-1] {
				pieces++
			}
		}
		if pieces != 2 {
			t.Errorf("two Writes arrived in %d pieces", pieces)
		}
	})
}

// Three hundred workers that dial as fast as they can never meet a circuit
// that others have just filled.
func TestDialsUnderChurn(t *testing.T) {
	l := newLab(t, newNetwork(), 3, 0)
	l.each(t, echo)
	var wg sync.WaitGroup
	var failed atomic.Int64
	var last atomic.Value
	for range 300 {
		wg.Go(func() {
			for range 10 {
				s, err := l.client.Dial(context.Background(), l.provider.key, circuit.Group{})
				if err != nil {
					failed.Add(1)
					last.Store(err.Error())
					continue
				}
				_ = s.CloseWrite()
				_, _ = io.ReadAll(s)
				s.Close()
			}
		})
	}
	wg.Wait()
	if n := failed.Load(); n > 0 {
		t.Errorf("%d of 3000 dials failed: %v", n, last.Load())
	}
}
