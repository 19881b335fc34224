package mesh

import (
	"errors"
	"math"
	"net/netip"
	"strings"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	rcmgr "github.com/libp2p/go-libp2p/p2p/host/resource-manager"
	"github.com/libp2p/go-libp2p/p2p/protocol/identify"
	"github.com/libp2p/go-libp2p/x/rate"
	ma "github.com/multiformats/go-multiaddr"
)

// A LimitError says which limit kept a connection or stream from being opened.
type LimitError struct {
	Limit string // for example "peer.streams.outbound"; never names a peer
}

func (e *LimitError) Error() string { return "resource limit reached: " + e.Limit }

// resources is libp2p's resource manager with our limits, whose refusals are
// told to hit and come back as *LimitError.
type resources struct {
	network.ResourceManager
	anywhere anywhere
	rate     *rate.Limiter // of connections from an address; has a lock of its own
	hit      func(*LimitError)
}

// anywhere opens connections that no limit per address counts.
type anywhere interface {
	OpenConnectionNoIP(dir network.Direction, usefd bool, endpoint ma.Multiaddr) (network.ConnManagementScope, error)
}

func newResources(l Limits, hit func(*LimitError)) (*resources, error) {
	unlimited := rcmgr.ResourceLimits{
		Streams: rcmgr.Unlimited, StreamsInbound: rcmgr.Unlimited, StreamsOutbound: rcmgr.Unlimited,
		Conns: rcmgr.Unlimited, ConnsInbound: rcmgr.Unlimited, ConnsOutbound: rcmgr.Unlimited,
		FD: rcmgr.Unlimited, Memory: rcmgr.Unlimited64,
	}
	system := unlimited
	system.Conns = rcmgr.LimitVal(l.Conns)
	system.ConnsInbound = system.Conns - system.Conns/8 // likewise
	system.FD = rcmgr.LimitVal(l.Conns)
	system.Streams = rcmgr.LimitVal(l.Streams)
	system.Memory = serviceMemory

	pending := unlimited
	pending.Conns = rcmgr.LimitVal(min(maxPendingConns, l.Conns))
	// Half-open connections of others must not keep us from dialling.
	pending.ConnsInbound = pending.Conns - pending.Conns/4
	// Nor must dials that others make us do keep them from reaching us.
	pending.ConnsOutbound = pending.Conns - pending.Conns/4
	pending.Streams = rcmgr.LimitVal(min(maxPendingStreams, l.Streams))

	onePeer := unlimited
	onePeer.ConnsInbound = maxPeerConns
	onePeer.ConnsOutbound = maxAddrs
	onePeer.Conns = maxPeerConns + maxAddrs
	onePeer.StreamsInbound = rcmgr.LimitVal(l.PeerStreams)
	onePeer.StreamsOutbound = rcmgr.LimitVal(l.PeerStreams)

	ident := unlimited
	ident.Streams = identifyStreams
	identPeer := unlimited
	identPeer.Streams = identifyPeerStreams

	// Each stream holds one message while it is read, so this is 8 MiB at worst.
	push := unlimited
	push.StreamsInbound = pushPeers * pushPeerStreams
	push.StreamsOutbound = pushPeers * pushPeerStreams
	pushPeer := unlimited
	pushPeer.StreamsInbound = pushPeerStreams
	pushPeer.StreamsOutbound = pushPeerStreams

	limits := rcmgr.PartialLimitConfig{
		System:      system,
		Transient:   pending,
		PeerDefault: onePeer,
		Protocol: map[protocol.ID]rcmgr.ResourceLimits{
			identify.ID: ident, identify.IDPush: ident, ProtoPush: push,
		},
		ProtocolPeer: map[protocol.ID]rcmgr.ResourceLimits{
			identify.ID: identPeer, identify.IDPush: identPeer, ProtoPush: pushPeer,
		},
	}
	m, err := rcmgr.NewResourceManager(
		rcmgr.NewFixedLimiter(limits.Build(rcmgr.InfiniteLimits)),
		rcmgr.WithMetricsDisabled(),
		rcmgr.WithLimitPerSubnet(
			[]rcmgr.ConnLimitPerSubnet{{PrefixLength: 32, ConnCount: maxAddressConns}},
			[]rcmgr.ConnLimitPerSubnet{{PrefixLength: 56, ConnCount: maxAddressConns}, {PrefixLength: 48, ConnCount: maxSiteConns}},
		),
		rcmgr.WithNetworkPrefixLimit(
			[]rcmgr.NetworkPrefixLimit{{Network: loopback4, ConnCount: math.MaxInt}},
			[]rcmgr.NetworkPrefixLimit{{Network: loopback6, ConnCount: math.MaxInt}},
		),
		rcmgr.WithConnRateLimiters(&rate.Limiter{}), // none: it would count our dials too
	)
	if err != nil {
		return nil, err
	}
	a, ok := m.(anywhere)
	if !ok {
		return nil, errors.Join(errors.New("libp2p's resource manager cannot leave addresses uncounted"), m.Close())
	}
	return &resources{ResourceManager: m, anywhere: a, rate: addressRate(maxAddressConns, maxSiteConns), hit: hit}, nil
}

// Loopback is exempt from the limits per address: a whole world may run there.
var (
	loopback4 = netip.MustParsePrefix("127.0.0.0/8")
	loopback6 = netip.MustParsePrefix("::1/128")
)

// addressRate allows an address addressConnRate per second after a burst, and a
// site four times that after its own.
func addressRate(burst, siteBurst int) *rate.Limiter {
	address := rate.Limit{RPS: addressConnRate, Burst: burst}
	site := rate.Limit{RPS: 4 * addressConnRate, Burst: siteBurst}
	return &rate.Limiter{
		NetworkPrefixLimits: []rate.PrefixLimit{{Prefix: loopback4}, {Prefix: loopback6}},
		SubnetRateLimiter: rate.SubnetLimiter{
			IPv4SubnetLimits: []rate.SubnetLimit{{PrefixLength: 32, Limit: address}},
			IPv6SubnetLimits: []rate.SubnetLimit{{PrefixLength: 56, Limit: address}, {PrefixLength: 48, Limit: site}},
			GracePeriod:      time.Minute,
		},
	}
}

// OpenConnection implements network.ResourceManager. The limits per address are
// for those who connect to us. Whom we dial is chosen by others: a descriptor
// that names the address of an honest node, and a circuit to it now and then,
// would use up what that node may have, and keep it and us apart.
func (r *resources) OpenConnection(dir network.Direction, usefd bool, m ma.Multiaddr) (network.ConnManagementScope, error) {
	open := r.anywhere.OpenConnectionNoIP
	if dir == network.DirInbound {
		open = r.ResourceManager.OpenConnection
		if p, _, err := endpoint(m); err == nil && !r.rate.Allow(p.Addr()) {
			return nil, r.over("address.conns.rate")
		}
	}
	s, err := open(dir, usefd, m)
	if err != nil {
		return nil, r.over(limitName(err))
	}
	return connScope{s, r}, nil
}

func (r *resources) OpenStream(p peer.ID, dir network.Direction) (network.StreamManagementScope, error) {
	s, err := r.ResourceManager.OpenStream(p, dir)
	if err != nil {
		return nil, r.over(limitName(err))
	}
	return s, nil
}

// over counts a refusal by the limit that was reached, and is its error.
func (r *resources) over(limit string) error {
	l := &LimitError{Limit: limit}
	r.hit(l)
	return l
}

// connScope is a connection's scope. The limit per peer is checked when the
// handshake has shown who the peer is.
type connScope struct {
	network.ConnManagementScope
	r *resources
}

func (s connScope) SetPeer(p peer.ID) error {
	if err := s.ConnManagementScope.SetPeer(p); err != nil {
		return s.r.over(limitName(err))
	}
	return nil
}

// limitName reads the limit out of the resource manager's error. libp2p says
// it in words only, "peer:12D3…: cannot reserve inbound stream: …", the scope
// that refused coming last; the test of each limit fails if the words change.
func limitName(err error) string {
	text := err.Error()
	if !errors.Is(err, network.ErrResourceLimitExceeded) {
		if strings.Contains(text, "per ip limit") {
			return "address.conns"
		}
		return "unknown"
	}
	scopes, what, _ := strings.Cut(text, "cannot reserve ")
	what, _, _ = strings.Cut(what, ":")
	scope := "system"
	for _, s := range []string{"peer", "transient", "protocol"} {
		if strings.Contains(scopes, s) {
			scope = s
		}
	}
	if scope == "transient" {
		scope = "pending"
	}
	names := map[string]string{
		"inbound stream":      "streams.inbound",
		"outbound stream":     "streams.outbound",
		"stream":              "streams",
		"inbound connection":  "conns.inbound",
		"outbound connection": "conns.outbound",
		"connection":          "conns",
		"file descriptor":     "files",
	}
	if n, ok := names[what]; ok {
		return scope + "." + n
	}
	return scope + ".memory"
}
