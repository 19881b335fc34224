package mesh

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/connmgr"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/gologshim"
	libyamux "github.com/libp2p/go-libp2p/p2p/muxer/yamux"
	"github.com/libp2p/go-libp2p/p2p/net/swarm"
	"github.com/libp2p/go-libp2p/p2p/security/noise"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
	ma "github.com/multiformats/go-multiaddr"
)

// ErrClosed is returned by a Host that has been closed.
var ErrClosed = errors.New("mesh host is closed")

// Config is what a Host is made from.
type Config struct {
	// Key is the node's Ed25519 identity; nil makes a fresh one.
	Key ed25519.PrivateKey

	// Listen are the addresses to listen on, /ip4|ip6/<address>/tcp/<port> or
	// /ip4|ip6/<address>/udp/<port>/quic-v1. A UDP port that cannot be bound is
	// logged and left out, as long as there is another. Empty: the host only
	// opens links.
	Listen []string

	// Quiet is the profile of a bridge: a fresh key, no address, no protocol
	// served, so that two bridges, or one before and after a restart, differ in
	// nothing but key and address. Listen and Key must be empty.
	Quiet bool

	// Local allows private and loopback addresses to be dialled. Only worlds
	// whose file says so are local.
	Local bool

	// ListenUDP makes the sockets of QUIC links; nil asks the system. A simulated
	// network has its own, and with it only QUIC addresses: TCP is always the
	// system's.
	ListenUDP func(netw string, at *net.UDPAddr) (net.PacketConn, error)

	// Limits bound what the host takes on. Zero fields mean the defaults.
	Limits Limits

	// Log gets a line when a limit is reached, never a peer or an address. nil
	// discards.
	Log *slog.Logger
}

// Host is a node's end of all its links.
type Host struct {
	// Immutable after New.
	key      [32]byte
	local    bool
	quiet    bool
	node     host.Host
	swarm    *swarm.Swarm
	dialer   *dialer
	refusals *refusals
	stop     chan struct{} // closed by Close: ends the sweeper

	wg sync.WaitGroup // the sweeper and every running handler

	mu     sync.Mutex
	closed bool  // guarded by mu: nothing may be added to wg any more
	push   *Push // guarded by mu; nil before Push and after its Close
}

// New makes a Host and starts listening. It returns once every address of
// Config.Listen is bound.
func New(cfg Config) (*Host, error) {
	if cfg.Quiet && (cfg.Key != nil || len(cfg.Listen) > 0) {
		return nil, errors.New("mesh: Quiet excludes Key and Listen: a bridge must not be known again")
	}
	limits, err := cfg.Limits.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("mesh: %w", err)
	}
	priv, key, err := identity(cfg.Key)
	if err != nil {
		return nil, fmt.Errorf("mesh: %w", err)
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	h := &Host{
		key:      key,
		local:    cfg.Local,
		quiet:    cfg.Quiet,
		dialer:   newDialer(),
		refusals: &refusals{log: cfg.Log},
		stop:     make(chan struct{}),
	}
	if cfg.ListenUDP == nil {
		cfg.ListenUDP = func(netw string, at *net.UDPAddr) (net.PacketConn, error) { return net.ListenUDP(netw, at) }
	}
	if err := h.start(priv, limits, cfg); err != nil {
		return nil, fmt.Errorf("mesh: starting libp2p: %w", err)
	}
	h.serve()
	h.wg.Go(h.sweep)
	if err := h.listenAll(cfg); err != nil {
		_ = h.Close()
		return nil, err
	}
	return h, nil
}

// start makes the libp2p host.
func (h *Host) start(priv crypto.PrivKey, limits Limits, cfg Config) error {
	// libp2p writes lines with peers and addresses to stderr by itself. There
	// is one such log per process, and it must be replaced before its first use.
	gologshim.SetDefaultHandler(slog.DiscardHandler)

	res, err := newResources(limits, func(e *LimitError) { h.refusals.count(e.Limit) })
	if err != nil {
		return err
	}
	h.node, err = libp2p.New(
		libp2p.Identity(priv),
		// Quiet hosts never send it. libp2p replaces an empty one by the
		// program's module path and version, so it is the same word everywhere.
		libp2p.UserAgent("culvert"),
		libp2p.Transport(tcp.NewTCPTransport, tcp.DisableReuseport(), tcp.WithConnectionTimeout(dialTimeout)),
		libp2p.Security(noise.ID, noise.New),
		libp2p.Muxer(libyamux.ID, newMuxer(limits)),
		libp2p.ResourceManager(res),
		libp2p.ConnectionGater(h.dialer),
		libp2p.ConnectionManager(&connmgr.NullConnMgr{}), // see sweep
		libp2p.AddrsFactory(h.announced),
		libp2p.WithDialTimeout(dialTimeout),
		libp2p.SwarmOpts(swarm.WithDialRanker(rank)),
		libp2p.NoListenAddrs, // listen binds them one by one
		libp2p.DisableRelay(),
		// Else libp2p would ask peers to dial back. Nobody relies on the answer.
		libp2p.ForceReachabilityPublic(),
		libp2p.Ping(false),
		libp2p.DisableIdentifyAddressDiscovery(),
		libp2p.DisableMetrics(),
		// Addresses are named by the caller and each dial is bounded: what
		// failed before for other peers must not decide.
		libp2p.UDPBlackHoleSuccessCounter(nil),
		libp2p.IPv6BlackHoleSuccessCounter(nil),
	)
	if err != nil {
		return err
	}
	h.swarm = h.node.Network().(*swarm.Swarm)
	h.dialer.swarm = h.swarm
	links, err := newQUIC(priv, limits, res, h.dialer, cfg.ListenUDP)
	if err == nil {
		err = h.swarm.AddTransport(links)
	}
	if err != nil {
		return errors.Join(err, h.node.Close())
	}
	return nil
}

// listenAll binds the addresses. Without UDP a node is reached all the same, by
// those whose network lets TCP pass; without TCP most would not find it.
func (h *Host) listenAll(cfg Config) error {
	bound := 0
	var failed error
	for _, addr := range cfg.Listen {
		err := h.listen(addr)
		if p, _, bad := splitAddr(addr); err != nil && bad == nil && p.QUIC {
			failed = errors.Join(failed, err)
			cfg.Log.Warn("cannot listen for QUIC; others reach this node over TCP only. Free the UDP port, or take the address out of the listen list",
				"port", p.Port(), "err", err)
			continue
		}
		if err != nil {
			return err
		}
		bound++
	}
	if bound == 0 {
		return failed // nil if there was nothing to bind
	}
	return nil
}

// listen binds one address. libp2p by itself is content if one of many works.
func (h *Host) listen(addr string) error {
	p, id, err := splitAddr(addr)
	if err == nil && id != "" {
		err = errors.New("a listen address has no peer id")
	}
	if err == nil {
		err = h.swarm.Listen(multiaddr(p))
	}
	if err != nil {
		return fmt.Errorf("mesh: listening on %s: %w", addr, err)
	}
	return nil
}

// announced is what identify tells others and Addrs returns: addresses of the
// own network are nobody's business outside it.
func (h *Host) announced(all []ma.Multiaddr) []ma.Multiaddr {
	var own []Endpoint
	for _, m := range all {
		if at, _, err := endpoint(m); err == nil {
			own = append(own, at)
		}
	}
	var out []ma.Multiaddr
	for _, at := range Publishable(own, h.local) {
		out = append(out, multiaddr(at))
	}
	return out
}

// Key is the host's transport key.
func (h *Host) Key() [32]byte { return h.key }

// Addrs are the addresses under which others may dial this host, each with its
// /p2p/ part: those of the bound ones, wildcards resolved by the machine's
// interfaces, that are Publishable.
func (h *Host) Addrs() []string {
	bound, err := h.swarm.InterfaceListenAddresses()
	if err != nil {
		return nil
	}
	var out []string
	for _, m := range h.announced(bound) {
		out = append(out, m.String()+"/p2p/"+PeerID(h.key))
	}
	return out
}

// Stats is a moment's count, for status pages.
type Stats struct {
	Links      int // open connections
	StreamsIn  int
	StreamsOut int

	// Refused counts connections and streams by the limit that kept them out,
	// or "protocol" for streams of protocols that are not served.
	Refused map[string]uint64
}

// Stats counts what is open now and what was refused since the start.
func (h *Host) Stats() Stats {
	s := Stats{Links: len(h.swarm.Conns()), Refused: h.refusals.snapshot()}
	// The callback's error is its own, and it returns none.
	_ = h.swarm.ResourceManager().ViewSystem(func(r network.ResourceScope) error {
		st := r.Stat()
		s.StreamsIn, s.StreamsOut = st.NumStreamsInbound, st.NumStreamsOutbound
		return nil
	})
	return s
}

// Close ends all links, and with them all streams, and returns when every
// handler has. What was written but not yet sent is lost: let streams finish
// first. It may be called more than once.
func (h *Host) Close() error {
	h.mu.Lock()
	first := !h.closed
	h.closed = true
	push := h.push
	h.mu.Unlock()

	if push != nil {
		push.Close()
	}
	var err error
	if first {
		close(h.stop)
		h.dialer.close()
		err = h.node.Close()
	}
	h.dialer.wg.Wait()
	h.wg.Wait()
	return err
}

// enter counts a handler in, unless the host is closing.
func (h *Host) enter() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return false
	}
	h.wg.Add(1)
	return true
}
