package mesh

import (
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/multiformats/go-multistream"
)

// frames is a stream that remembers each write.
type frames struct {
	network.Stream
	conn  net.Conn
	wrote []string
}

func (f *frames) Read(p []byte) (int, error) { return f.conn.Read(p) }

func (f *frames) Write(p []byte) (int, error) {
	f.wrote = append(f.wrote, string(p))
	return f.conn.Write(p)
}

func (f *frames) CloseWrite() error { return f.Close() }
func (f *frames) Close() error      { return f.conn.Close() }

func (f *frames) SetWriteDeadline(t time.Time) error { return f.conn.SetWriteDeadline(t) }

// negotiated runs multistream for protocol /p on a stream whose peer does as
// told, and gives what was settled to handle.
func negotiated(t *testing.T, peer func(net.Conn), handle func(*greeting)) *frames {
	t.Helper()
	near, far := net.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer far.Close()
		peer(far)
	}()
	f := &frames{conn: near}
	g := &greeting{Stream: f}
	mux := multistream.NewMultistreamMuxer[string]()
	mux.AddHandler("/p", nil)
	if _, _, err := mux.Negotiate(g); err != nil {
		t.Fatal(err)
	}
	g.settle()
	handle(g)
	_ = near.Close()
	<-done
	return f
}

const (
	helloLine = "\x13/multistream/1.0.0\n"
	protoLine = "\x03/p\n"
)

// A peer that does not wait for the negotiation is answered in one frame.
func TestReplyLeavesWithFirstBytes(t *testing.T) {
	f := negotiated(t, func(peer net.Conn) {
		lazy := multistream.NewMSSelect(peer, "/p")
		_, _ = io.WriteString(lazy, "ask")
		got := make([]byte, 6)
		if _, err := io.ReadFull(lazy, got); err != nil || string(got) != "answer" {
			t.Errorf("the peer read %q, %v", got, err)
		}
	}, func(g *greeting) {
		p := make([]byte, 3)
		if _, err := io.ReadFull(g, p); err != nil || string(p) != "ask" {
			t.Errorf("the handler read %q, %v", p, err)
		}
		if n, err := io.WriteString(g, "answer"); n != len("answer") || err != nil {
			t.Errorf("Write = %d, %v", n, err)
		}
	})
	if len(f.wrote) != 1 || f.wrote[0] != helloLine+protoLine+"answer" {
		t.Errorf("frames %q, want one", f.wrote)
	}
}

// A peer that waits for each answer gets it, and so does one whose handler
// says nothing.
func TestReplyDoesNotKeepThePeerWaiting(t *testing.T) {
	expect := func(peer net.Conn, want string) {
		got := make([]byte, len(want))
		if _, err := io.ReadFull(peer, got); err != nil || string(got) != want {
			t.Errorf("the peer read %q, %v, want %q", got, err, want)
		}
	}
	for name, handle := range map[string]func(*greeting){
		"read":        func(g *greeting) { _, _ = g.Read(make([]byte, 1)) },
		"close write": func(g *greeting) { _ = g.CloseWrite() },
		"close":       func(g *greeting) { _ = g.Close() },
		"write":       func(g *greeting) { _, _ = g.Write(nil) },
	} {
		t.Run(name, func(t *testing.T) {
			f := negotiated(t, func(peer net.Conn) {
				_, _ = io.WriteString(peer, helloLine)
				expect(peer, helloLine)
				_, _ = io.WriteString(peer, "\x03/x\n")
				expect(peer, "\x03na\n")
				_, _ = io.WriteString(peer, protoLine)
				expect(peer, protoLine)
			}, handle)
			if n := strings.Count(strings.Join(f.wrote, ""), "\n"); n != 3 {
				t.Errorf("frames %q, want three lines", f.wrote)
			}
		})
	}
}

// A peer that only tells, and has closed its stream since, is heard to the end:
// that the replies do not reach it any more is no failure of what it told.
func TestPeerThatOnlyTellsIsHeard(t *testing.T) { overEach(t, checkPeerThatOnlyTells) }

func checkPeerThatOnlyTells(t *testing.T, listen string) {
	const told = "first, and second"
	srv, cli := serverOn(t, listen), bridge(t)
	began, closed := make(chan struct{}), make(chan struct{})
	heard := make(chan string, 1)
	srv.Handle("/culvert/tell/1", 1, 1, func(s *Stream) {
		defer s.Close()
		got := make([]byte, len(told))
		_, err := io.ReadFull(s, got[:1])
		close(began)
		<-closed
		// Ours to know, since a write that fails is what shows that the peer
		// has closed its end.
		for refused := false; err == nil && listen == onQUIC && !refused; {
			_, e := s.ns.(*greeting).Stream.Write(nil)
			refused = e != nil
			runtime.Gosched()
		}
		n := 0
		if err == nil {
			n, err = io.ReadFull(s, got[1:])
		}
		heard <- fmt.Sprint(string(got[:1+n]), " ", err)
	})
	s, err := cli.Open(testContext(t), "/culvert/tell/1", srv.Key(), srv.Addrs())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(s, told[:5]); err != nil {
		t.Fatal(err)
	}
	<-began
	if _, err := io.WriteString(s, told[5:]); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	close(closed)
	if got := <-heard; got != told+" <nil>" {
		t.Errorf("heard %q, want %q", got, told)
	}
}

// A handler that ends the stream without a word has served its protocol, and a
// peer that waits to hear so does.
func TestCloseWithoutAWordIsAnEnd(t *testing.T) { overEach(t, checkCloseWithoutAWord) }

func checkCloseWithoutAWord(t *testing.T, listen string) {
	srv, cli := serverOn(t, listen), bridge(t)
	srv.Handle("/culvert/mute/1", 1, 1, func(s *Stream) { _ = s.Close() })
	link := open(t, cli, srv).ns.Conn()
	raw, err := link.NewStream(testContext(t))
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Reset()
	_ = raw.SetDeadline(time.Now().Add(patience))
	if err := multistream.SelectProtoOrFail("/culvert/mute/1", raw); err != nil {
		t.Errorf("the protocol is not served: %v", err)
	}
	if rest, err := io.ReadAll(raw); len(rest) > 0 || err != nil {
		t.Errorf("after it came %q, %v; want an end", rest, err)
	}
}

// A first write that waits for the peer's window does not keep a read from what
// the peer says meanwhile.
func TestFirstWriteThatWaitsHoldsNoReadUp(t *testing.T) { overEach(t, checkFirstWriteThatWaits) }

func checkFirstWriteThatWaits(t *testing.T, listen string) {
	const much = 32 << 20
	srv, cli := serverOn(t, listen), bridge(t)
	heard := make(chan error, 1)
	srv.Handle("/culvert/both/1", 1, 1, func(s *Stream) {
		_ = s.SetReadDeadline(time.Now().Add(patience))
		_, _ = io.ReadFull(s, make([]byte, 1))
		wrote := make(chan struct{})
		go func() {
			defer close(wrote)
			_, _ = s.Write(make([]byte, much))
		}()
		for g := s.ns.(*greeting); g.mu.TryLock(); runtime.Gosched() {
			g.mu.Unlock() // the write has not begun
		}
		_, err := io.ReadFull(s, make([]byte, 1<<20))
		heard <- err
		_ = s.Reset()
		<-wrote
	})
	s, err := cli.Open(testContext(t), "/culvert/both/1", srv.Key(), srv.Addrs())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Reset()
	_ = s.SetDeadline(time.Now().Add(patience))
	if _, err := s.Write(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = s.Write(make([]byte, 1<<20)) }()
	select {
	case err := <-heard:
		if err != nil {
			t.Errorf("reading beside a write that waits: %v", err)
		}
	case <-time.After(patience):
		t.Errorf("a read waits behind a write for more than %v", patience)
	}
}
