package mesh

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	ma "github.com/multiformats/go-multiaddr"
)

// transports is how many of a host's links are of each kind.
func transports(h *Host) (tcp, quic int) {
	for _, c := range h.swarm.Conns() {
		if c.ConnState().Transport == "quic-v1" {
			quic++
		} else {
			tcp++
		}
	}
	return tcp, quic
}

// A node that listens on both is reached over TCP, and over QUIC by those from
// whom TCP is kept, whether it is refused, dropped or swallowed.
func TestTCPFirstThenQUIC(t *testing.T) {
	swallow, err := net.Listen("tcp", "127.0.0.1:0") // takes connections and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer swallow.Close()
	silent := fmt.Sprintf("/ip4/127.0.0.1/tcp/%d", swallow.Addr().(*net.TCPAddr).Port)

	srv := serverOn(t, onTCP, onQUIC)
	both := srv.Addrs()
	if len(both) != 2 {
		t.Fatalf("Addrs = %v, want TCP and QUIC", both)
	}
	var quic string
	for _, a := range both {
		if strings.Contains(a, "/quic-v1") {
			quic = a
		}
	}
	for _, tt := range []struct {
		name  string
		addrs []string
		quic  bool
	}{
		{"both", both, false},
		{"quic named first", []string{quic, both[0], both[1]}, false},
		{"only quic", []string{quic}, true},
		{"tcp refused", []string{closedPort(t), quic}, true},
		{"tcp silent", []string{silent, quic}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cli := bridge(t)
			s, err := cli.Open(testContext(t), testProto, srv.Key(), tt.addrs)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Reset()
			exchange(t, s, "over a link")
			if s.Peer() != srv.Key() {
				t.Error("the stream's peer is not the server")
			}
			if tcp, quic := transports(cli); (quic == 1) != tt.quic || tcp+quic != 1 {
				t.Errorf("links: %d over TCP, %d over QUIC", tcp, quic)
			}
		})
	}
}

// A UDP port that is taken is said, and TCP goes on; alone it is an error.
func TestListenWithoutUDP(t *testing.T) {
	taken, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	addr := fmt.Sprintf("/ip4/127.0.0.1/udp/%d/quic-v1", taken.LocalAddr().(*net.UDPAddr).Port)

	var log bytes.Buffer
	h := newHost(t, Config{Listen: []string{onTCP, addr}, Local: true, Log: slog.New(slog.NewTextHandler(&log, nil))})
	if a := h.Addrs(); len(a) != 1 || !strings.Contains(a[0], "/tcp/") {
		t.Errorf("Addrs = %v, want TCP alone", a)
	}
	if !strings.Contains(log.String(), "over TCP only") || !strings.Contains(log.String(), "address already in use") {
		t.Errorf("log = %q, want what failed and what follows", log.String())
	}
	if h, err := New(Config{Listen: []string{addr}, Local: true}); err == nil {
		_ = h.Close()
		t.Error("a host without any address started")
	}
}

// Streams that nobody reads must not stop the others of their link, as they
// would if they shared one window.
func TestStalledStreamsStopNoOthers(t *testing.T) { overEach(t, checkStalledStreams) }

func checkStalledStreams(t *testing.T, listen string) {
	srv, cli := serverOn(t, listen), bridge(t)
	release := make(chan struct{})
	defer close(release)
	srv.Handle("/culvert/slow/1", 100, 100, func(s *Stream) {
		<-release
		_ = s.Reset()
	})
	for range 60 { // 30 MiB: twice what libp2p's own QUIC has for a link
		s, err := cli.Open(testContext(t), "/culvert/slow/1", srv.Key(), srv.Addrs())
		if err != nil {
			t.Fatal(err)
		}
		defer s.Reset()
		_ = s.SetWriteDeadline(time.Now().Add(20 * time.Millisecond))
		_, _ = s.Write(make([]byte, 2*maxStreamWindow))
	}
	exchange(t, open(t, cli, srv), strings.Repeat("a cell that is not of theirs", 1000))
}

// Close ends a Write that waits, as a circuit's end has to.
func TestCloseEndsAWrite(t *testing.T) { overEach(t, checkCloseEndsAWrite) }

func checkCloseEndsAWrite(t *testing.T, listen string) {
	srv, cli := serverOn(t, listen), bridge(t)
	srv.Handle("/culvert/slow/1", 1, 1, func(s *Stream) { _, _ = s.Read(make([]byte, 1)) })
	for name, end := range map[string]func(*Stream) error{"close": (*Stream).Close, "reset": (*Stream).Reset} {
		s, err := cli.Open(testContext(t), "/culvert/slow/1", srv.Key(), srv.Addrs())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Write([]byte("a")); err != nil { // with it goes the protocol's name
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() {
			_, err := s.Write(make([]byte, 8*maxStreamWindow))
			ended <- err
		}()
		time.AfterFunc(100*time.Millisecond, func() { _ = end(s) })
		select {
		case err := <-ended:
			if !errors.Is(err, net.ErrClosed) && !errors.Is(err, ErrReset) {
				t.Errorf("%s: Write = %v", name, err)
			}
		case <-time.After(patience):
			t.Fatalf("%s: Write goes on", name)
		}
		_ = s.Reset()
	}
}

// The limits per peer, per address and in all count links over QUIC too.
func TestLimitsCountQUIC(t *testing.T) {
	srv := newHost(t, Config{Listen: []string{onQUIC}, Local: true, Limits: Limits{Conns: 8}})
	srv.Handle(testProto, 100, 100, echo)
	reached := 0
	for range 12 {
		cli := bridge(t)
		s, err := cli.Open(testContext(t), testProto, srv.Key(), srv.Addrs())
		if err != nil {
			continue
		}
		_ = s.SetDeadline(time.Now().Add(patience))
		if _, err := s.Write([]byte("a")); err == nil {
			if _, err := io.ReadFull(s, make([]byte, 1)); err == nil {
				reached++
			}
		}
	}
	if reached == 0 || reached > 8 {
		t.Errorf("%d of 12 links were let in, want at most 8", reached)
	}
	refused := uint64(0)
	for name, n := range srv.Stats().Refused {
		if strings.HasSuffix(name, "conns.inbound") || strings.HasSuffix(name, "conns") {
			refused += n
		}
	}
	if refused == 0 {
		t.Errorf("Refused = %v, want connections", srv.Stats().Refused)
	}
	for _, c := range srv.swarm.Conns() {
		if c.Stat().Direction != network.DirInbound {
			t.Error("a server dialled")
		}
	}
}

// Both ends close, whoever is first, and neither is told that it failed.
func TestCloseAfterThePeer(t *testing.T) { overEach(t, checkCloseAfterThePeer) }

func checkCloseAfterThePeer(t *testing.T, listen string) {
	srv, cli := serverOn(t, listen), bridge(t)
	srv.Handle("/culvert/once/1", 10, 10, func(s *Stream) {
		if _, err := io.ReadFull(s, make([]byte, 1)); err == nil {
			_, _ = s.Write([]byte("b"))
		}
		if err := s.Close(); err != nil {
			t.Errorf("Close of the server: %v", err)
		}
	})
	for range 50 {
		s, err := cli.Open(testContext(t), "/culvert/once/1", srv.Key(), srv.Addrs())
		if err != nil {
			t.Fatal(err)
		}
		_ = s.SetDeadline(time.Now().Add(patience))
		if _, err := s.Write([]byte("a")); err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(s); err != nil || string(got) != "b" {
			t.Fatalf("%q, %v", got, err)
		}
		if err := s.Close(); err != nil {
			t.Fatalf("Close: %v", err)
		}
	}
}

// A certificate says nothing but the key: not when the host was made, nor what
// its clock says, which hosts of one bridge have in common.
func TestCertificatesDifferInTheirKeysOnly(t *testing.T) {
	said := func() string {
		key, _, err := identity(nil)
		if err != nil {
			t.Fatal(err)
		}
		q, err := newQUIC(key, Limits{}, nil, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		conf, _ := q.identity.ConfigForPeer("")
		c, err := x509.ParseCertificate(conf.Certificates[0].Certificate[0])
		if err != nil {
			t.Fatal(err)
		}
		if conf.ClientSessionCache != nil || !conf.SessionTicketsDisabled {
			t.Error("sessions can be resumed")
		}
		if c.NotBefore.After(time.Now().AddDate(-1, 0, 0)) {
			t.Errorf("valid from %v: when the host was made", c.NotBefore)
		}
		return fmt.Sprint(c.Version, c.SerialNumber, c.Subject, c.NotBefore, c.NotAfter)
	}
	if a, b := said(), said(); a != b {
		t.Errorf("certificates of two hosts say\n%s\n%s", a, b)
	}
}

// A node that others make dial sends no flood of handshakes to an address of
// their choice.
func TestDialsOverQUICToOneAddressAreFew(t *testing.T) {
	h := newHost(t, Config{Quiet: true})
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // the dials that are allowed end at once
	var limit *LimitError
	tried := 0
	for ; tried <= 2*maxAddressDials && limit == nil; tried++ {
		m := ma.StringCast(fmt.Sprintf("/ip4/192.0.2.1/udp/%d/quic-v1", 4811+tried))
		_, err := h.swarm.TransportForDialing(m).Dial(ctx, m, idOf([32]byte{byte(tried)}))
		if !errors.As(err, &limit) && err == nil {
			t.Fatal("a dial that was given up succeeded")
		}
	}
	if limit == nil || limit.Limit != "address.dials" || tried <= maxAddressDials {
		t.Errorf("%d dials: limit %v, want address.dials after %d", tried, limit, maxAddressDials)
	}
	m := ma.StringCast("/ip4/192.0.2.2/udp/4811/quic-v1")
	if _, err := h.swarm.TransportForDialing(m).Dial(ctx, m, idOf([32]byte{1})); errors.As(err, &limit) {
		t.Errorf("another address: %v", err)
	}
	if h.Stats().Refused["address.dials"] != 1 {
		t.Errorf("Refused = %v", h.Stats().Refused)
	}
}

// mortalUDP is a socket whose process can be killed: nothing leaves it any more, not
// even a goodbye.
type mortalUDP struct {
	net.PacketConn
	dead *atomic.Bool
}

func (m mortalUDP) WriteTo(p []byte, to net.Addr) (int, error) {
	if m.dead.Load() {
		return len(p), nil
	}
	return m.PacketConn.WriteTo(p, to)
}

// A node that was killed and is back says so of links to its former self, at the
// first word on them. Peers that had dialled it over QUIC held them for alive: each
// circuit over them waited ten seconds, for forty.
func TestKilledNodeEndsItsLinks(t *testing.T) {
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	var dead atomic.Bool
	start := func(listen string, dead *atomic.Bool) *Host {
		h, err := New(Config{Key: key, Listen: []string{listen}, Local: true, ListenUDP: func(netw string, at *net.UDPAddr) (net.PacketConn, error) {
			udp, err := net.ListenUDP(netw, at)
			return mortalUDP{udp, dead}, err
		}})
		if err != nil {
			t.Fatal(err)
		}
		h.Handle(testProto, 4096, 4096, echo)
		return h
	}
	was := start(onQUIC, &dead)
	at := was.Addrs()
	peer := newHost(t, Config{Local: true, Listen: []string{onTCP}})
	s := open(t, peer, was)
	exchange(t, s, "before")
	idle := open(t, peer, was)
	if _, err := idle.Write([]byte("a")); err != nil { // it has begun
		t.Fatal(err)
	}
	if _, err := io.ReadFull(idle, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	dead.Store(true)
	if err := was.Close(); err != nil {
		t.Fatal(err)
	}
	listen := at[0]
	if i := strings.Index(listen, "/p2p/"); i >= 0 {
		listen = listen[:i]
	}
	is := start(listen, new(atomic.Bool))
	t.Cleanup(func() {
		if err := is.Close(); err != nil {
			t.Error(err)
		}
	})
	// A new stream, and one that waits for an answer.
	if err := idle.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	broken := make(chan error, 1)
	go func() {
		_, err := idle.Read(make([]byte, 1))
		broken <- err
	}()
	eventually(t, "the next stream reaches the node", func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		s, err := peer.Open(ctx, testProto, is.Key(), at)
		if err != nil {
			return false
		}
		defer s.Close()
		if err := s.SetDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Write([]byte("b")); err != nil {
			return false
		}
		_, err = io.ReadFull(s, make([]byte, 1))
		return err == nil
	})
	if err := <-broken; err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a stream to who was killed: %v", err)
	}
}
