package mesh

import (
	"io"
	"net"
	"strings"
	"testing"

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
