package mesh

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

const testProto = "/culvert/test/1"

// patience is how long a test waits for something that must happen.
const patience = 10 * time.Second

func newHost(tb testing.TB, cfg Config) *Host {
	tb.Helper()
	h, err := New(cfg)
	if err != nil {
		tb.Fatalf("New: %v", err)
	}
	tb.Cleanup(func() {
		if err := h.Close(); err != nil {
			tb.Errorf("Close: %v", err)
		}
	})
	return h
}

// Where a test's host listens.
const (
	onTCP  = "/ip4/127.0.0.1/tcp/0"
	onQUIC = "/ip4/127.0.0.1/udp/0/quic-v1"
)

// overEach runs f for both kinds of links.
func overEach(t *testing.T, f func(t *testing.T, listen string)) {
	t.Run("tcp", func(t *testing.T) { f(t, onTCP) })
	t.Run("quic", func(t *testing.T) { f(t, onQUIC) })
}

// server is a host that listens on loopback and echoes on testProto.
func server(tb testing.TB) *Host {
	tb.Helper()
	return serverOn(tb, onTCP)
}

func serverOn(tb testing.TB, listen ...string) *Host {
	tb.Helper()
	h := newHost(tb, Config{Listen: listen, Local: true})
	h.Handle(testProto, 4096, 4096, echo)
	return h
}

func bridge(tb testing.TB) *Host {
	tb.Helper()
	return newHost(tb, Config{Quiet: true, Local: true})
}

func echo(s *Stream) {
	defer s.Close()
	_, _ = io.Copy(s, s)
}

func testContext(tb testing.TB) context.Context {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), patience)
	tb.Cleanup(cancel)
	return ctx
}

func open(tb testing.TB, from, to *Host) *Stream {
	tb.Helper()
	s, err := from.Open(testContext(tb), testProto, to.Key(), to.Addrs())
	if err != nil {
		tb.Fatalf("Open: %v", err)
	}
	tb.Cleanup(func() { _ = s.Reset() })
	return s
}

// exchange sends what over s, ends the direction and wants it back.
func exchange(tb testing.TB, s *Stream, what string) {
	tb.Helper()
	if err := s.SetDeadline(time.Now().Add(patience)); err != nil {
		tb.Fatalf("SetDeadline: %v", err)
	}
	if _, err := s.Write([]byte(what)); err != nil {
		tb.Fatalf("Write: %v", err)
	}
	if err := s.CloseWrite(); err != nil {
		tb.Fatalf("CloseWrite: %v", err)
	}
	got, err := io.ReadAll(s)
	if err != nil || string(got) != what {
		tb.Fatalf("read back %q, %v; want %q", got, err, what)
	}
}

// eventually waits for cond, which some event outside the test makes true.
func eventually(tb testing.TB, what string, cond func() bool) {
	tb.Helper()
	for deadline := time.Now().Add(patience); !cond(); runtime.Gosched() {
		if time.Now().After(deadline) {
			tb.Fatalf("not within %v: %s", patience, what)
		}
	}
}

func TestOpen(t *testing.T) {
	srv, cli := server(t), bridge(t)
	peers := make(chan [32]byte, 1)
	srv.Handle("/culvert/who/1", 1, 1, func(s *Stream) {
		peers <- s.Peer()
		echo(s)
	})
	s, err := cli.Open(testContext(t), "/culvert/who/1", srv.Key(), srv.Addrs())
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	exchange(t, s, "hello")
	if err := s.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
	if s.Peer() != srv.Key() {
		t.Error("the stream's peer is not the server")
	}
	if got := <-peers; got != cli.Key() {
		t.Error("the handler's peer is not the client")
	}
}

func TestOpenAddr(t *testing.T) {
	srv, cli := server(t), bridge(t)
	s, err := cli.OpenAddr(testContext(t), testProto, srv.Addrs()[0])
	if err != nil {
		t.Fatalf("OpenAddr: %v", err)
	}
	exchange(t, s, "seed")
	_ = s.Close()

	addr, _, _ := strings.Cut(srv.Addrs()[0], "/p2p/")
	if _, err := cli.OpenAddr(testContext(t), testProto, addr); err == nil {
		t.Error("OpenAddr without a peer id succeeded")
	}
}

func TestOpenReusesLink(t *testing.T) {
	srv, cli := server(t), newHost(t, Config{Local: true})
	exchange(t, open(t, cli, srv), "first")
	exchange(t, open(t, cli, srv), "second")
	if n := cli.Stats().Links; n != 1 {
		t.Errorf("links = %d, want 1", n)
	}
	// No address is needed for a peer that dialled us.
	cli.Handle(testProto, 1, 1, echo)
	s, err := srv.Open(testContext(t), testProto, cli.Key(), nil)
	if err != nil {
		t.Fatalf("Open back over the same link: %v", err)
	}
	exchange(t, s, "back")
	_ = s.Close()
}

func TestOpenRefuses(t *testing.T) {
	srv, cli := server(t), bridge(t)
	public := newHost(t, Config{Quiet: true})
	other := server(t)
	for _, tt := range []struct {
		name  string
		from  *Host
		key   [32]byte
		addrs []string
		want  error
	}{
		{"itself", srv, srv.Key(), srv.Addrs(), ErrSelf},
		{"no address", cli, srv.Key(), nil, ErrNoAddress},
		{"loopback from a host that is not local", public, srv.Key(), srv.Addrs(), ErrNoAddress},
		{"private from a host that is not local", public, srv.Key(), []string{"/ip4/10.0.0.1/tcp/4811"}, ErrNoAddress},
		{"name", cli, srv.Key(), []string{"/dns4/localhost/tcp/4811"}, ErrNoAddress},
		{"udp that is not quic", cli, srv.Key(), []string{"/ip4/127.0.0.1/udp/4811"}, ErrNoAddress},
		{"loopback over quic from a host that is not local", public, srv.Key(), []string{"/ip4/127.0.0.1/udp/4811/quic-v1"}, ErrNoAddress},
		{"address of another peer", cli, srv.Key(), other.Addrs(), ErrNoAddress},
		{"port without listener", cli, srv.Key(), []string{closedPort(t)}, ErrUnreachable},
		{"another key answers", cli, [32]byte{31: 1}, bare(other.Addrs()), ErrUnreachable},
		{"another key answers over quic", cli, [32]byte{31: 1}, bare(serverOn(t, onQUIC).Addrs()), ErrUnreachable},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := tt.from.Open(testContext(t), testProto, tt.key, tt.addrs)
			if !errors.Is(err, tt.want) {
				t.Fatalf("Open = %v, want %v", err, tt.want)
			}
			if tt.want == ErrUnreachable && (strings.Contains(err.Error(), "127.0.0.1") || strings.Contains(err.Error(), PeerID(tt.key))) {
				t.Errorf("error names the peer or its address: %v", err)
			}
		})
	}
}

// bare cuts the peer ids off.
func bare(addrs []string) []string {
	var out []string
	for _, a := range addrs {
		a, _, _ = strings.Cut(a, "/p2p/")
		out = append(out, a)
	}
	return out
}

// closedPort is an address on which nothing listens.
func closedPort(tb testing.TB) string {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer l.Close()
	return fmt.Sprintf("/ip4/127.0.0.1/tcp/%d", l.Addr().(*net.TCPAddr).Port)
}

// knocks listens, hangs up on everyone and counts.
func knocks(tb testing.TB) (addr string, count func() int) {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	var mu sync.Mutex
	var n int
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			n++
			mu.Unlock()
			_ = c.Close()
		}
	})
	tb.Cleanup(func() { _ = l.Close(); wg.Wait() })
	return fmt.Sprintf("/ip4/127.0.0.1/tcp/%d", l.Addr().(*net.TCPAddr).Port), func() int {
		mu.Lock()
		defer mu.Unlock()
		return n
	}
}

func TestConcurrentOpensDialOnce(t *testing.T) {
	addr, count := knocks(t)
	cli := bridge(t)
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			if _, err := cli.Open(testContext(t), testProto, [32]byte{1}, []string{addr}); !errors.Is(err, ErrUnreachable) {
				t.Errorf("Open = %v, want ErrUnreachable", err)
			}
		})
	}
	wg.Wait()
	if n := count(); n != 1 {
		t.Errorf("dialled %d times, want once", n)
	}

	// Other addresses are not answered for by that failure.
	second, count2 := knocks(t)
	if _, err := cli.Open(testContext(t), testProto, [32]byte{1}, []string{second}); !errors.Is(err, ErrUnreachable) {
		t.Errorf("Open = %v, want ErrUnreachable", err)
	}
	if n := count2(); n != 1 {
		t.Errorf("other address dialled %d times, want once", n)
	}
	if n := count(); n != 1 {
		t.Errorf("first address dialled %d times, want once", n)
	}

	// And a failure is not for ever.
	cli.dialer.expire(time.Now().Add(redialAfter + time.Second))
	if _, err := cli.Open(testContext(t), testProto, [32]byte{1}, []string{addr}); !errors.Is(err, ErrUnreachable) {
		t.Errorf("Open = %v, want ErrUnreachable", err)
	}
	if n := count(); n != 2 {
		t.Errorf("dialled %d times after the failure expired, want 2", n)
	}
}

// What libp2p knows from elsewhere, identify above all, is not dialled.
func TestOnlyGivenAddressesAreDialled(t *testing.T) {
	known, count := knocks(t)
	cli := bridge(t)
	key := [32]byte{1}
	at, _, err := splitAddr(known)
	if err != nil {
		t.Fatal(err)
	}
	cli.swarm.Peerstore().AddAddr(idOf(key), multiaddr(at), time.Hour)
	if _, err := cli.Open(testContext(t), testProto, key, []string{closedPort(t)}); !errors.Is(err, ErrUnreachable) {
		t.Errorf("Open = %v, want ErrUnreachable", err)
	}
	// Even one that appears while a dial is under way.
	if cli.dialer.InterceptAddrDial(idOf(key), multiaddr(at)) || cli.dialer.InterceptPeerDial(idOf(key)) {
		t.Error("the gate lets through what nobody asked to dial")
	}
	cli.swarm.Peerstore().AddAddr(idOf(key), multiaddr(at), time.Hour)
	if _, err := cli.swarm.DialPeer(testContext(t), idOf(key)); err == nil {
		t.Error("libp2p may dial by itself")
	}
	if n := count(); n != 0 {
		t.Errorf("an address that was not given was dialled %d times", n)
	}
}

// A node whose descriptor names other addresses every epoch costs a dial each
// time and leaves nothing behind; a link to it stays what it was.
func TestAddressesThatChange(t *testing.T) {
	srv, cli := server(t), bridge(t)
	id := idOf(srv.Key())
	for i := range 300 {
		addrs := make([]string, 2*maxAddrs)
		for j := range addrs { // nobody listens at these
			addrs[j] = fmt.Sprintf("/ip4/127.%d.%d.%d/tcp/1", 1+j, 1+i/250, 1+i%250)
		}
		if _, err := cli.Open(testContext(t), testProto, srv.Key(), addrs); !errors.Is(err, ErrUnreachable) {
			t.Fatalf("epoch %d: Open = %v, want ErrUnreachable", i, err)
		}
		if n := len(cli.swarm.Peerstore().Addrs(id)); n > maxAddrs {
			t.Fatalf("epoch %d: %d addresses are kept, want at most %d", i, n, maxAddrs)
		}
	}
	cli.dialer.mu.Lock()
	dials := len(cli.dialer.dials)
	cli.dialer.mu.Unlock()
	if dials > 1 {
		t.Errorf("%d failed dials of one node are kept", dials)
	}
	exchange(t, open(t, cli, srv), "at its real address")
	s, err := cli.Open(testContext(t), testProto, srv.Key(), []string{closedPort(t)})
	if err != nil {
		t.Fatalf("Open over the link there is, with a new descriptor: %v", err)
	}
	exchange(t, s, "over the same link")
	if n := len(cli.swarm.Conns()); n != 1 {
		t.Errorf("%d links, want 1", n)
	}
}

func TestOpenEndsWithContext(t *testing.T) {
	// A listener that accepts and then says nothing.
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, cancel := context.WithCancel(testContext(t))
	silent := make(chan net.Conn, 1)
	var wg sync.WaitGroup
	wg.Go(func() {
		defer cancel()
		c, err := l.Accept()
		if err != nil {
			t.Errorf("Accept: %v", err)
			return
		}
		silent <- c
	})
	addr := fmt.Sprintf("/ip4/127.0.0.1/tcp/%d", l.Addr().(*net.TCPAddr).Port)
	if _, err := bridge(t).Open(ctx, testProto, [32]byte{1}, []string{addr}); !errors.Is(err, context.Canceled) {
		t.Errorf("Open = %v, want context.Canceled", err)
	}
	wg.Wait()
	_ = (<-silent).Close()
}

func TestUnknownProtocol(t *testing.T) { overEach(t, checkUnknownProtocol) }

func checkUnknownProtocol(t *testing.T, listen string) {
	srv, cli := serverOn(t, listen), bridge(t)
	s, err := cli.Open(testContext(t), "/culvert/nobody/1", srv.Key(), srv.Addrs())
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	defer s.Reset()
	_ = s.SetDeadline(time.Now().Add(patience))
	if _, err := s.Write([]byte("x")); err != nil {
		t.Fatalf("Write: %v", err)
	}
	if _, err := s.Read(make([]byte, 1)); !errors.Is(err, ErrProtocol) {
		t.Errorf("Read = %v, want ErrProtocol", err)
	}
	_ = s.Reset()
	eventually(t, "the server counts the refusal", func() bool { return srv.Stats().Refused["protocol"] == 1 })
}

func TestStreamErrors(t *testing.T) { overEach(t, checkStreamErrors) }

func checkStreamErrors(t *testing.T, listen string) {
	srv, cli := serverOn(t, listen), bridge(t)
	buf := make([]byte, 1)

	t.Run("deadline", func(t *testing.T) {
		s := open(t, cli, srv)
		if _, err := s.Write([]byte("a")); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(s, buf); err != nil {
			t.Fatal(err)
		}
		_ = s.SetReadDeadline(time.Now().Add(-time.Second))
		if _, err := s.Read(buf); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("Read = %v, want os.ErrDeadlineExceeded", err)
		}
		_ = s.SetReadDeadline(time.Time{})
		exchange(t, s, "still alive")
	})
	t.Run("reset by the peer", func(t *testing.T) {
		srv.Handle("/culvert/rude/1", 1, 1, func(s *Stream) {
			_, _ = s.Read(make([]byte, 1))
			_ = s.Reset()
		})
		s, err := cli.Open(testContext(t), "/culvert/rude/1", srv.Key(), nil)
		if err != nil {
			t.Fatal(err)
		}
		_ = s.SetDeadline(time.Now().Add(patience))
		if _, err := s.Write([]byte("a")); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Read(buf); !errors.Is(err, ErrReset) {
			t.Errorf("Read = %v, want ErrReset", err)
		}
		_ = s.Reset()
	})
	t.Run("write after CloseWrite", func(t *testing.T) {
		s := open(t, cli, srv)
		exchange(t, s, "a")
		if _, err := s.Write([]byte("b")); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Write = %v, want net.ErrClosed", err)
		}
	})
	// A lost link must not look like the end of what the peer had to say.
	t.Run("link lost", func(t *testing.T) {
		s := open(t, cli, srv)
		if _, err := s.Write([]byte("a")); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(s, buf); err != nil {
			t.Fatal(err)
		}
		_ = s.SetDeadline(time.Now().Add(patience))
		for _, c := range srv.swarm.ConnsToPeer(idOf(cli.Key())) {
			_ = c.Close()
		}
		if _, err := s.Read(buf); !errors.Is(err, ErrReset) {
			t.Errorf("Read = %v, want ErrReset", err)
		}
		if _, err := s.Write(buf); !errors.Is(err, ErrReset) {
			t.Errorf("Write = %v, want ErrReset", err)
		}
		// The next Open makes a new link.
		exchange(t, open(t, cli, srv), "again")
	})
}

// A reader that stops makes its sender stop after the windows are full.
func TestBackpressure(t *testing.T) { overEach(t, checkBackpressure) }

func checkBackpressure(t *testing.T, listen string) {
	srv, cli := serverOn(t, listen), bridge(t)
	release := make(chan struct{})
	srv.Handle("/culvert/slow/1", 1, 1, func(s *Stream) {
		defer s.Close()
		<-release
		_, _ = io.Copy(io.Discard, s)
	})
	s, err := cli.Open(testContext(t), "/culvert/slow/1", srv.Key(), srv.Addrs())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Reset()
	if _, err := s.Write([]byte("a")); err != nil { // with it goes the protocol's name
		t.Fatal(err)
	}
	const much = 4 * maxStreamWindow
	_ = s.SetWriteDeadline(time.Now().Add(time.Second))
	n, err := s.Write(make([]byte, much))
	if !errors.Is(err, os.ErrDeadlineExceeded) || n > maxStreamWindow {
		t.Errorf("Write of %d to a stalled reader = %d, %v; want at most one window and a deadline", much, n, err)
	}
	close(release)
	_ = s.SetWriteDeadline(time.Now().Add(patience))
	if _, err := s.Write(make([]byte, much)); err != nil {
		t.Errorf("Write to a reader that went on: %v", err)
	}
}

func TestNew(t *testing.T) {
	_, priv, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	busy := server(t)
	for _, tt := range []struct {
		name string
		cfg  Config
		want string
	}{
		{"quiet with a key", Config{Quiet: true, Key: priv}, "Quiet excludes Key"},
		{"quiet and listening", Config{Quiet: true, Listen: []string{"/ip4/127.0.0.1/tcp/0"}}, "Quiet excludes Key"},
		{"short key", Config{Key: priv[:31]}, "wrong length"},
		{"negative limit", Config{Limits: Limits{Streams: -1}}, "Streams is negative"},
		{"listen on a name", Config{Listen: []string{"/dns4/localhost/tcp/0"}}, "listening on"},
		{"one of two ports taken", Config{Listen: []string{"/ip4/127.0.0.1/tcp/0", bare(busy.Addrs())[0]}}, "address already in use"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h, err := New(tt.cfg)
			if err == nil {
				_ = h.Close()
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("New = %v, want %q", err, tt.want)
			}
		})
	}
	h := newHost(t, Config{Key: priv})
	if want := [32]byte(priv.Public().(ed25519.PublicKey)); h.Key() != want {
		t.Error("Key is not the configured one")
	}
	// Not local: what lies in the own network is not announced.
	shy := newHost(t, Config{Listen: []string{"/ip4/127.0.0.1/tcp/0"}})
	if a := shy.Addrs(); len(a) != 0 {
		t.Errorf("Addrs = %v, want none", a)
	}
}

func TestHandlerLimits(t *testing.T) { overEach(t, checkHandlerLimits) }

func checkHandlerLimits(t *testing.T, listen string) {
	srv, a, b := serverOn(t, listen), bridge(t), bridge(t)
	const proto = "/culvert/few/1"
	srv.Handle(proto, 2, 3, func(s *Stream) { // the stream stays open when f is done
		_, _ = s.Write([]byte{1})
	})
	try := func(from *Host) error {
		s, err := from.Open(testContext(t), proto, srv.Key(), srv.Addrs())
		if err != nil {
			t.Fatalf("Open: %v", err)
		}
		t.Cleanup(func() { _ = s.Reset() })
		_ = s.SetDeadline(time.Now().Add(patience))
		_, err = io.ReadFull(s, make([]byte, 1))
		return err
	}
	for i, tt := range []struct {
		from *Host
		ok   bool
	}{{a, true}, {a, true}, {a, false}, {b, true}, {b, false}} {
		if err := try(tt.from); (err == nil) != tt.ok {
			t.Errorf("stream %d: %v, want success %v", i, err, tt.ok)
		}
	}
	got := srv.Stats().Refused
	if got[proto+" streams per peer"] != 1 || got[proto+" streams"] != 1 {
		t.Errorf("Refused = %v, want one per peer and one in all", got)
	}
}

func TestHandlerQuotaIsGivenBack(t *testing.T) { overEach(t, checkHandlerQuotaIsGivenBack) }

func checkHandlerQuotaIsGivenBack(t *testing.T, listen string) {
	srv, cli := serverOn(t, listen), bridge(t)
	const proto = "/culvert/one/1"
	srv.Handle(proto, 1, 1, echo)
	for i := range 20 {
		eventually(t, "a stream is accepted", func() bool {
			s, err := cli.Open(testContext(t), proto, srv.Key(), srv.Addrs())
			if err != nil {
				t.Fatal(err)
			}
			defer s.Reset()
			_ = s.SetDeadline(time.Now().Add(patience))
			if _, err := s.Write([]byte{byte(i)}); err != nil {
				return false
			}
			if i%2 == 0 {
				_ = s.CloseWrite()
			}
			_, err = io.ReadFull(s, make([]byte, 1))
			return err == nil
		})
	}
}

func TestManyStreams(t *testing.T) { overEach(t, checkManyStreams) }

func checkManyStreams(t *testing.T, listen string) {
	if testing.Short() {
		t.Skip("SKIP " + t.Name() + ": opens thousands of streams")
	}
	srv, cli := serverOn(t, listen), bridge(t)
	const n = 2000
	streams := make([]*Stream, n)
	var wg sync.WaitGroup
	for i := range streams {
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), 6*patience)
			defer cancel()
			s, err := cli.Open(ctx, testProto, srv.Key(), srv.Addrs())
			if err != nil {
				t.Errorf("stream %d: %v", i, err)
				return
			}
			streams[i] = s
			_ = s.SetDeadline(time.Now().Add(6 * patience))
			msg := bytes.Repeat([]byte{byte(i), byte(i >> 8)}, 256)
			got := make([]byte, len(msg))
			if _, err := s.Write(msg); err != nil {
				t.Errorf("stream %d: Write: %v", i, err)
			} else if _, err := io.ReadFull(s, got); err != nil || !bytes.Equal(got, msg) {
				t.Errorf("stream %d: Read: %v, equal %v", i, err, bytes.Equal(got, msg))
			}
		})
	}
	wg.Wait()
	if st := srv.Stats(); st.Links != 1 || st.StreamsIn < n || len(st.Refused) != 0 {
		t.Errorf("Stats = %+v, want %d streams over one link and no refusal", st, n)
	}
	for _, s := range streams {
		if s != nil {
			_ = s.Reset()
		}
	}
}

func TestClose(t *testing.T) { overEach(t, checkClose) }

func checkClose(t *testing.T, listen string) {
	before := runtime.NumGoroutine()
	func() {
		srv, err := New(Config{Listen: []string{listen}, Local: true})
		if err != nil {
			t.Fatal(err)
		}
		srv.Handle(testProto, 10, 10, echo)
		cli, err := New(Config{Quiet: true, Local: true})
		if err != nil {
			t.Fatal(err)
		}
		s, err := cli.Open(testContext(t), testProto, srv.Key(), srv.Addrs())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Write([]byte("a")); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(s, make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		// The server goes with a stream open and its handler waiting in Read.
		for range 2 {
			if err := srv.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
		}
		if _, err := s.Read(make([]byte, 1)); !errors.Is(err, ErrReset) {
			t.Errorf("Read after the peer closed = %v, want ErrReset", err)
		}
		if err := cli.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		if _, err := cli.Open(testContext(t), testProto, srv.Key(), []string{closedPort(t)}); !errors.Is(err, ErrClosed) {
			t.Errorf("Open after Close = %v, want ErrClosed", err)
		}
	}()
	defer func() {
		if t.Failed() {
			buf := make([]byte, 1<<20)
			t.Logf("%s", buf[:runtime.Stack(buf, true)])
		}
	}()
	eventually(t, "no goroutine is left", func() bool { return runtime.NumGoroutine() <= before })
}
