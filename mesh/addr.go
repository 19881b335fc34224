package mesh

import (
	"errors"
	"fmt"
	"net/netip"

	ma "github.com/multiformats/go-multiaddr"
)

// ErrNoAddress is returned when none of a peer's addresses may be dialled.
var ErrNoAddress = errors.New("no address that may be dialled")

// ErrAddress is returned for an address that is not of the form
// /ip4|ip6/<address>/tcp/<port>[/p2p/<peer id>], or with /udp/<port>/quic-v1 in
// place of /tcp/<port>.
var ErrAddress = errors.New("not an ip address with a tcp or quic-v1 port")

// Endpoint is where a link can be made.
type Endpoint struct {
	netip.AddrPort
	QUIC bool // over UDP; else TCP
}

// String is the multiaddr, empty for the zero Endpoint.
func (e Endpoint) String() string {
	if !e.IsValid() {
		return ""
	}
	return multiaddr(e).String()
}

// ErrNotPublic is returned for an address that leads nowhere from elsewhere.
var ErrNotPublic = errors.New("not a public address")

// ParseAddr splits the full address of a node, as it stands in a world's seed
// list, into its transport key and the part that is dialled.
func ParseAddr(s string) (key [32]byte, addr string, err error) {
	at, id, err := splitAddr(s)
	if err != nil {
		return key, "", err
	}
	if id == "" {
		return key, "", fmt.Errorf("address %q has no /p2p/ part", s)
	}
	if key, err = ParsePeerID(id); err != nil {
		return key, "", fmt.Errorf("address %q: %w", s, err)
	}
	return key, multiaddr(at).String(), nil
}

// splitAddr reads an address and the peer id behind it, if there is one.
// Names are refused along with all other transports: a descriptor must not
// make a relay ask a name server.
func splitAddr(s string) (at Endpoint, id string, err error) {
	m, err := ma.NewMultiaddr(s)
	if err == nil {
		at, id, err = endpoint(m)
	}
	if err != nil {
		return at, "", fmt.Errorf("address %q: %w; %s", s, ErrAddress, instead(m))
	}
	return at, id, nil
}

// ParseEndpoint reads an address that a node listens on or publishes,
// /ip4|ip6/<address>/tcp/<port> or /ip4|ip6/<address>/udp/<port>/quic-v1. It
// wraps ErrAddress, with what is wrong for people who wrote the address of
// another transport.
func ParseEndpoint(s string) (Endpoint, error) {
	m, err := ma.NewMultiaddr(s)
	if err != nil {
		return Endpoint{}, fmt.Errorf("address %q: %w; write /ip4/ADDRESS/tcp/PORT", s, ErrAddress)
	}
	at, id, err := endpoint(m)
	switch {
	case err == nil && id != "":
		return at, fmt.Errorf("address %q: leave out /p2p/ and what follows: a node adds its own", s)
	case err == nil:
		return at, nil
	}
	return at, fmt.Errorf("address %q: %w; %s", s, ErrAddress, instead(m))
}

// instead says what to write in place of an address of another form.
func instead(m ma.Multiaddr) string {
	why := "write /ip4/ADDRESS/tcp/PORT"
	for _, c := range m {
		switch c.Protocol().Code {
		case ma.P_DNS, ma.P_DNS4, ma.P_DNS6, ma.P_DNSADDR:
			why = "nobody asks a name server for a node; write the address that the name stands for"
		case ma.P_UDP:
			why = "over udp nodes connect by quic-v1; write /ip4/ADDRESS/udp/PORT/quic-v1"
		}
	}
	return why
}

// endpoint is splitAddr for an address that libp2p has parsed already.
func endpoint(m ma.Multiaddr) (at Endpoint, id string, err error) {
	var codes []int
	var ip netip.Addr
	var port uint16
	for _, c := range m {
		codes = append(codes, c.Protocol().Code)
		switch raw := c.RawValue(); c.Protocol().Code {
		case ma.P_IP4, ma.P_IP6:
			ip, _ = netip.AddrFromSlice(raw)
		case ma.P_TCP, ma.P_UDP:
			port = uint16(raw[0])<<8 | uint16(raw[1])
		case ma.P_P2P:
			id = c.Value()
		}
	}
	var rest []int
	form := len(codes) >= 2 && (codes[0] == ma.P_IP4 || codes[0] == ma.P_IP6)
	switch {
	case form && codes[1] == ma.P_TCP:
		rest = codes[2:]
	case form && len(codes) >= 3 && codes[1] == ma.P_UDP && codes[2] == ma.P_QUIC_V1:
		at.QUIC, rest = true, codes[3:]
	default:
		return at, "", ErrAddress
	}
	if len(rest) > 1 || len(rest) == 1 && rest[0] != ma.P_P2P {
		return at, "", ErrAddress
	}
	at.AddrPort = netip.AddrPortFrom(ip, port)
	return at, id, nil
}

// multiaddr is the libp2p form of an address.
func multiaddr(at Endpoint) ma.Multiaddr {
	kind, form := "ip4", "/%s/%s/tcp/%d"
	if at.Addr().Is6() {
		kind = "ip6"
	}
	if at.QUIC {
		form = "/%s/%s/udp/%d/quic-v1"
	}
	return ma.StringCast(fmt.Sprintf(form, kind, at.Addr(), at.Port()))
}

// dialable returns the addresses of addrs that may be dialled to reach key,
// at most maxAddrs, without doubles. Addresses of other transports and other
// keys, and non-public ones unless local, are left out; if nothing is left the
// error says what was wrong with the last.
func dialable(key [32]byte, addrs []string, local bool) ([]Endpoint, error) {
	var out []Endpoint
	seen := make(map[Endpoint]bool)
	why := errors.New("none given")
	for _, s := range addrs {
		at, id, err := splitAddr(s)
		if err == nil && id != "" && id != PeerID(key) {
			err = fmt.Errorf("address %q is of another peer", s)
		}
		if err == nil {
			if e := MayDial(at.AddrPort, local); e != nil {
				err = fmt.Errorf("address %q: %w", s, e)
			}
		}
		if err != nil {
			why = err
			continue
		}
		if !seen[at] && len(out) < maxAddrs {
			seen[at] = true
			out = append(out, at)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%w: %w", ErrNoAddress, why)
	}
	return out, nil
}

// MayDial is the rule that keeps a relay from being a port scanner
// (docs/spec/circuit.md §4): public unicast only, unless the
// world is one of private addresses. What nobody may dial, nobody need publish.
// The error says what is wrong with the address, and wraps ErrNotPublic if it
// might be right in a local world.
func MayDial(at netip.AddrPort, local bool) error {
	ip := at.Addr()
	switch {
	case at.Port() == 0:
		return errors.New("port 0 is none")
	case ip.Is4In6() || ip.Zone() != "":
		return errors.New("not in the usual form of its kind")
	case !ip.IsLoopback() && !ip.IsGlobalUnicast(): // the latter includes private ranges
		return errors.New("not an address under which a machine can be reached")
	case !local && !isPublic(ip):
		return ErrNotPublic
	}
	return nil
}

// Publishable are those of a node's own addresses that others may dial, in
// their order. Loopback ones are among them only if there are no others: they
// lead everybody else to themselves.
func Publishable(own []Endpoint, local bool) []Endpoint {
	var out, loopback []Endpoint
	for _, at := range own {
		switch {
		case MayDial(at.AddrPort, local) != nil:
		case at.Addr().IsLoopback():
			loopback = append(loopback, at)
		default:
			out = append(out, at)
		}
	}
	if len(out) == 0 {
		return loopback
	}
	return out
}

// notPublic are the ranges of IANA's special-purpose registries that lie in
// unicast space and lead to the own network, nowhere, or, by an embedded IPv4
// address, to either.
var notPublic = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),       // this network
	netip.MustParsePrefix("10.0.0.0/8"),      // private
	netip.MustParsePrefix("100.64.0.0/10"),   // carrier-grade NAT
	netip.MustParsePrefix("127.0.0.0/8"),     // loopback
	netip.MustParsePrefix("169.254.0.0/16"),  // link-local, cloud metadata
	netip.MustParsePrefix("172.16.0.0/12"),   // private
	netip.MustParsePrefix("192.0.0.0/24"),    // protocol assignments
	netip.MustParsePrefix("192.0.2.0/24"),    // documentation
	netip.MustParsePrefix("192.88.99.0/24"),  // 6to4 anycast
	netip.MustParsePrefix("192.168.0.0/16"),  // private
	netip.MustParsePrefix("198.18.0.0/15"),   // benchmarks
	netip.MustParsePrefix("198.51.100.0/24"), // documentation
	netip.MustParsePrefix("203.0.113.0/24"),  // documentation
	netip.MustParsePrefix("224.0.0.0/3"),     // multicast, reserved, broadcast
	netip.MustParsePrefix("2001::/23"),       // protocol assignments, Teredo
	netip.MustParsePrefix("2001:db8::/32"),   // documentation
	netip.MustParsePrefix("2002::/16"),       // 6to4
	netip.MustParsePrefix("3fff::/20"),       // documentation
}

// globalUnicast6 is the only part of IPv6 in which public addresses are given
// out; NAT64, unique local and the rest lie outside.
var globalUnicast6 = netip.MustParsePrefix("2000::/3")

func isPublic(ip netip.Addr) bool {
	if !ip.IsValid() || ip.Is6() && !globalUnicast6.Contains(ip) {
		return false
	}
	for _, p := range notPublic {
		if p.Contains(ip) {
			return false
		}
	}
	return true
}
