package mesh

import (
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/connmgr"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/transport"
	"github.com/libp2p/go-libp2p/p2p/net/swarm"
	p2ptls "github.com/libp2p/go-libp2p/p2p/security/tls"
	"github.com/libp2p/go-libp2p/x/rate"
	ma "github.com/multiformats/go-multiaddr"
	"github.com/quic-go/quic-go"
)

// quicLinks makes links over QUIC, as libp2p's own transport does and speaks.
// That one is not used because its windows (10 MiB a stream, 15 MiB a link) and
// its 256 streams a link are fixed: one stalled circuit could cost what twenty
// may, thirty of them would stop all others of the link, and a link between
// relays carries thousands. It also punches holes, which nothing here needs.
//
// Each listening address has a socket, and dials go out of another one, so that
// a node's dials and its address have nothing in common but the machine.
type quicLinks struct {
	local    peer.ID          // immutable, as all up to listen
	identity *p2ptls.Identity // makes TLS configurations
	res      *resources       // counts links
	gate     connmgr.ConnectionGater
	config   *quic.Config
	dials    *rate.Limiter // per address; has a lock of its own
	resets   []byte        // of which the keys for resets are made
	listen   func(netw string, at *net.UDPAddr) (net.PacketConn, error)

	mu      sync.Mutex
	closed  bool                   // guarded by mu
	dialing map[string]*quicSocket // guarded by mu; by network, udp4 or udp6
}

var _ transport.Transport = (*quicLinks)(nil)

func newQUIC(key crypto.PrivKey, l Limits, res *resources, gate connmgr.ConnectionGater, listen func(string, *net.UDPAddr) (net.PacketConn, error)) (*quicLinks, error) {
	// quic-go prints a line if the system grants less than it would like for a
	// socket's buffers, which is so on most. There is no other way to stop it.
	if err := os.Setenv("QUIC_GO_DISABLE_RECEIVE_BUFFER_WARNING", "true"); err != nil {
		return nil, err
	}
	local, err := peer.IDFromPrivateKey(key)
	if err != nil {
		return nil, err
	}
	identity, err := p2ptls.NewIdentity(key, p2ptls.WithCertTemplate(certificate()))
	if err != nil {
		return nil, err
	}
	secret, err := key.Raw()
	if err != nil {
		return nil, err
	}
	// A link's own window must never be what stops a stream: those that nobody
	// reads would stop all others. So it is the sum of what its streams may hold.
	streams := int64(l.PeerStreams) + streamBacklog
	return &quicLinks{
		local: local, identity: identity, res: res, gate: gate, dialing: make(map[string]*quicSocket),
		dials: addressRate(maxAddressDials, 4*maxAddressDials), listen: listen, resets: secret,
		config: &quic.Config{
			Versions:                       []quic.Version{quic.Version1},
			HandshakeIdleTimeout:           dialTimeout,
			MaxIdleTimeout:                 quicIdle,
			KeepAlivePeriod:                quicIdle / 2,
			MaxIncomingStreams:             streams,
			MaxIncomingUniStreams:          -1, // none
			InitialStreamReceiveWindow:     streamWindow,
			MaxStreamReceiveWindow:         maxStreamWindow,
			InitialConnectionReceiveWindow: uint64(streams) * maxStreamWindow,
			MaxConnectionReceiveWindow:     uint64(streams) * maxStreamWindow,
		},
	}, nil
}

// certificate is what all hosts' certificates have in common: all but the keys.
// libp2p's own begins an hour before the host was made, by its clock. A guard
// would learn from it when a bridge was started and how far its clock is off, and
// two guards that they see hosts of the same bridge; and nobody whose clock is an
// hour behind could connect.
func certificate() *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{SerialNumber: "1"}, // an issuer must have a name
		NotBefore:    time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC),
		NotAfter:     time.Date(2120, 1, 1, 0, 0, 0, 0, time.UTC),
	}
}

// resetKey is that of a listening address, by which a node that was killed and is back
// tells whoever goes on with a link to its former self, at the first packet: without
// it such a link looks alive until quicIdle. It is another one for each address, since
// one that is used by two lets either be asked how links of the other are ended.
func (q *quicLinks) resetKey(at net.Addr) (*quic.StatelessResetKey, error) {
	b, err := hkdf.Key(sha256.New, q.resets, nil, "culvert quic reset "+at.String(), len(quic.StatelessResetKey{}))
	if err != nil {
		return nil, err
	}
	return (*quic.StatelessResetKey)(b), nil
}

// quicSocket is a UDP socket and what quic-go does with it.
type quicSocket struct {
	udp net.PacketConn
	tr  *quic.Transport
}

func (q *quicLinks) socket(netw string, at *net.UDPAddr) (*quicSocket, error) {
	udp, err := q.listen(netw, at)
	if err != nil {
		return nil, err
	}
	return &quicSocket{udp: udp, tr: &quic.Transport{
		Conn: udp,
		// A round trip per link, which lasts for minutes at least; without it
		// the limits per address would count addresses that were made up, and
		// answers to them would go to who never asked.
		VerifySourceAddress:              func(net.Addr) bool { return true },
		DisableVersionNegotiationPackets: true,
		ConnContext:                      q.incoming,
	}}, nil
}

func (s *quicSocket) close() error { return errors.Join(s.tr.Close(), s.udp.Close()) }

// incoming counts a link before anything is computed for it.
func (q *quicLinks) incoming(ctx context.Context, from *quic.ClientInfo) (context.Context, error) {
	addr, err := quicAddr(from.RemoteAddr)
	if err != nil {
		return nil, err
	}
	scope, err := q.res.OpenConnection(network.DirInbound, false, addr)
	if err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, scope.Done)
	return network.WithConnManagementScope(ctx, scope), nil
}

// Dial implements transport.Transport.
func (q *quicLinks) Dial(ctx context.Context, to ma.Multiaddr, id peer.ID) (transport.CapableConn, error) {
	p, _, err := endpoint(to)
	if err != nil || !p.QUIC {
		return nil, ErrAddress
	}
	if !q.dials.Allow(p.Addr()) {
		return nil, q.res.over("address.dials")
	}
	s, err := q.dialSocket(p.AddrPort)
	if err != nil {
		return nil, err
	}
	scope, err := q.res.OpenConnection(network.DirOutbound, false, to)
	if err != nil {
		return nil, err
	}
	c, err := q.dial(ctx, s, p.AddrPort, id, scope)
	if err != nil {
		scope.Done()
		return nil, err
	}
	return c, nil
}

func (q *quicLinks) dial(ctx context.Context, s *quicSocket, at netip.AddrPort, id peer.ID, scope network.ConnManagementScope) (*quicLink, error) {
	if err := scope.SetPeer(id); err != nil {
		return nil, err
	}
	conf, _ := q.identity.ConfigForPeer(id)
	qc, err := s.tr.Dial(ctx, net.UDPAddrFromAddrPort(at), conf, q.config)
	if err != nil {
		return nil, fmt.Errorf("quic: %w", err)
	}
	return q.link(qc, scope, network.DirOutbound)
}

// link wraps a connection whose handshake is done.
func (q *quicLinks) link(qc *quic.Conn, scope network.ConnManagementScope, dir network.Direction) (*quicLink, error) {
	l, err := q.wrap(qc, scope, dir)
	if err != nil {
		_ = qc.CloseWithError(quic.ApplicationErrorCode(network.ConnGated), "")
	}
	return l, err
}

func (q *quicLinks) wrap(qc *quic.Conn, scope network.ConnManagementScope, dir network.Direction) (*quicLink, error) {
	key, err := p2ptls.PubKeyFromCertChain(qc.ConnectionState().TLS.PeerCertificates)
	if err != nil {
		return nil, err
	}
	l := &quicLink{qc: qc, links: q, scope: scope, key: key}
	if l.peer, err = peer.IDFromPublicKey(key); err != nil {
		return nil, err
	}
	if l.local, err = quicAddr(qc.LocalAddr()); err != nil {
		return nil, err
	}
	if l.remote, err = quicAddr(qc.RemoteAddr()); err != nil {
		return nil, err
	}
	if dir == network.DirInbound {
		if err := scope.SetPeer(l.peer); err != nil {
			return nil, err
		}
		if !q.gate.InterceptAccept(l) {
			return nil, errors.New("refused by the gate")
		}
	}
	if !q.gate.InterceptSecured(dir, l.peer, l) {
		return nil, errors.New("refused by the gate")
	}
	return l, nil
}

// dialSocket is the socket that dials go out of.
func (q *quicLinks) dialSocket(to netip.AddrPort) (*quicSocket, error) {
	netw, from := "udp4", net.IPv4zero
	if to.Addr().Is6() {
		netw, from = "udp6", net.IPv6unspecified
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return nil, ErrClosed
	}
	s := q.dialing[netw]
	if s == nil {
		var err error
		if s, err = q.socket(netw, &net.UDPAddr{IP: from}); err != nil {
			return nil, err
		}
		q.dialing[netw] = s
	}
	return s, nil
}

// Close ends what was dialled. Listeners are closed by who made them.
func (q *quicLinks) Close() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	var err error
	for _, s := range q.dialing {
		err = errors.Join(err, s.close())
	}
	clear(q.dialing)
	return err
}

// CanDial implements transport.Transport.
func (q *quicLinks) CanDial(m ma.Multiaddr) bool {
	p, _, err := endpoint(m)
	return err == nil && p.QUIC
}

// Protocols implements transport.Transport.
func (q *quicLinks) Protocols() []int { return []int{ma.P_QUIC_V1} }

// Proxy implements transport.Transport.
func (q *quicLinks) Proxy() bool { return false }

// Listen implements transport.Transport.
func (q *quicLinks) Listen(m ma.Multiaddr) (transport.Listener, error) {
	p, _, err := endpoint(m)
	if err != nil || !p.QUIC {
		return nil, ErrAddress
	}
	netw := "udp4"
	if p.Addr().Is6() {
		netw = "udp6"
	}
	s, err := q.socket(netw, net.UDPAddrFromAddrPort(p.AddrPort))
	if err != nil {
		return nil, err
	}
	// What dials says nothing to strangers: it has an address for a while only.
	if s.tr.StatelessResetKey, err = q.resetKey(s.udp.LocalAddr()); err != nil {
		return nil, errors.Join(err, s.close())
	}
	ln, err := s.tr.Listen(&tls.Config{
		SessionTicketsDisabled: true, // they would let a guard know a bridge again
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
			conf, _ := q.identity.ConfigForPeer("")
			return conf, nil
		},
	}, q.config)
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	bound, err := quicAddr(ln.Addr())
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	return &quicListener{links: q, socket: s, ln: ln, bound: bound}, nil
}

// quicListener is one address that is listened on.
type quicListener struct {
	links  *quicLinks
	socket *quicSocket
	ln     *quic.Listener
	bound  ma.Multiaddr
}

// Accept implements transport.Listener.
func (l *quicListener) Accept() (transport.CapableConn, error) {
	for {
		qc, err := l.ln.Accept(context.Background()) // ends with Close
		if err != nil {
			return nil, transport.ErrListenerClosed
		}
		scope, err := network.UnwrapConnManagementScope(qc.Context())
		if err != nil { // unreachable: incoming gave it one
			_ = qc.CloseWithError(0, "")
			continue
		}
		c, err := l.links.link(qc, scope, network.DirInbound)
		if err != nil {
			continue // it was told
		}
		return c, nil
	}
}

// Close implements transport.Listener. Links that were accepted end too.
func (l *quicListener) Close() error { return errors.Join(l.ln.Close(), l.socket.close()) }

// Addr implements transport.Listener.
func (l *quicListener) Addr() net.Addr { return l.ln.Addr() }

// Multiaddr implements transport.Listener.
func (l *quicListener) Multiaddr() ma.Multiaddr { return l.bound }

// quicLink is one connection.
type quicLink struct {
	qc            *quic.Conn
	links         *quicLinks
	scope         network.ConnManagementScope
	peer          peer.ID
	key           crypto.PubKey
	local, remote ma.Multiaddr
}

var _ transport.CapableConn = (*quicLink)(nil)

// Close implements network.MuxedConn.
func (l *quicLink) Close() error { return l.CloseWithError(0) }

// CloseWithError implements network.MuxedConn.
func (l *quicLink) CloseWithError(code network.ConnErrorCode) error {
	defer l.scope.Done()
	return l.qc.CloseWithError(quic.ApplicationErrorCode(code), "")
}

// IsClosed implements network.MuxedConn.
func (l *quicLink) IsClosed() bool { return l.qc.Context().Err() != nil }

// As implements network.MuxedConn.
func (l *quicLink) As(any) bool { return false }

// OpenStream implements network.MuxedConn.
func (l *quicLink) OpenStream(ctx context.Context) (network.MuxedStream, error) {
	s, err := l.qc.OpenStreamSync(ctx)
	if err != nil {
		// It fails when the link has ended, a moment before IsClosed says so: by
		// that the swarm tells a link that it should replace.
		select {
		case <-l.qc.Context().Done():
		case <-ctx.Done():
		}
		return nil, err
	}
	return &quicStream{Stream: s}, nil
}

// AcceptStream implements network.MuxedConn.
func (l *quicLink) AcceptStream() (network.MuxedStream, error) {
	s, err := l.qc.AcceptStream(context.Background()) // ends with the link
	if err != nil {
		return nil, err
	}
	return &quicStream{Stream: s}, nil
}

// LocalPeer implements network.ConnSecurity.
func (l *quicLink) LocalPeer() peer.ID { return l.links.local }

// RemotePeer implements network.ConnSecurity.
func (l *quicLink) RemotePeer() peer.ID { return l.peer }

// RemotePublicKey implements network.ConnSecurity.
func (l *quicLink) RemotePublicKey() crypto.PubKey { return l.key }

// ConnState implements network.ConnSecurity.
func (l *quicLink) ConnState() network.ConnectionState {
	return network.ConnectionState{Transport: "quic-v1"}
}

// LocalMultiaddr implements network.ConnMultiaddrs.
func (l *quicLink) LocalMultiaddr() ma.Multiaddr { return l.local }

// RemoteMultiaddr implements network.ConnMultiaddrs.
func (l *quicLink) RemoteMultiaddr() ma.Multiaddr { return l.remote }

// Scope implements network.ConnScoper.
func (l *quicLink) Scope() network.ConnScope { return l.scope }

// Transport implements transport.CapableConn.
func (l *quicLink) Transport() transport.Transport { return l.links }

// quicAddr is the multiaddr of a UDP address.
func quicAddr(a net.Addr) (ma.Multiaddr, error) {
	udp, ok := a.(*net.UDPAddr)
	if !ok {
		return nil, ErrAddress
	}
	at := udp.AddrPort()
	return multiaddr(Endpoint{netip.AddrPortFrom(at.Addr().Unmap().WithZone(""), at.Port()), true}), nil
}

// rank says when the addresses of a node are dialled. TCP first: per core it
// carries twice what QUIC does. QUIC follows at once if all of TCP failed, and
// after quicAfter if it is silent, as behind a firewall that drops it.
func rank(addrs []ma.Multiaddr) []network.AddrDelay {
	var tcp, udp []ma.Multiaddr
	for _, m := range addrs {
		if p, _, err := endpoint(m); err == nil && p.QUIC {
			udp = append(udp, m)
		} else {
			tcp = append(tcp, m)
		}
	}
	out := swarm.DefaultDialRanker(tcp)
	for _, a := range swarm.DefaultDialRanker(udp) {
		if len(tcp) > 0 {
			a.Delay += quicAfter
		}
		out = append(out, a)
	}
	return out
}
