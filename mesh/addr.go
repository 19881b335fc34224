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
var ErrAddress = errors.New("not an ip address with a tcp port or a quic-v1 one")

// place is where a link can be made.
type place struct {
	at   netip.AddrPort
	quic bool // over UDP; else TCP
}

// ParseAddr splits the full address of a node, as it stands in a world's seed
// list, into its transport key and the part that is dialled.
func ParseAddr(s string) (key [32]byte, addr string, err error) {
	p, id, err := splitAddr(s)
	if err != nil {
		return key, "", err
	}
	if id == "" {
		return key, "", fmt.Errorf("address %q has no /p2p/ part", s)
	}
	if key, err = ParsePeerID(id); err != nil {
		return key, "", fmt.Errorf("address %q: %w", s, err)
	}
	return key, multiaddr(p).String(), nil
}

// splitAddr reads an address and the peer id behind it, if there is one.
// Names are refused along with all other transports: a descriptor must not
// make a relay ask a name server.
func splitAddr(s string) (p place, id string, err error) {
	m, err := ma.NewMultiaddr(s)
	if err == nil {
		p, id, err = endpoint(m)
	}
	if err != nil {
		return p, "", fmt.Errorf("address %q: %w", s, ErrAddress)
	}
	return p, id, nil
}

// endpoint is splitAddr for an address that libp2p has parsed already.
func endpoint(m ma.Multiaddr) (p place, id string, err error) {
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
		p.quic, rest = true, codes[3:]
	default:
		return p, "", ErrAddress
	}
	if len(rest) > 1 || len(rest) == 1 && rest[0] != ma.P_P2P {
		return p, "", ErrAddress
	}
	p.at = netip.AddrPortFrom(ip, port)
	return p, id, nil
}

// multiaddr is the libp2p form of an address.
func multiaddr(p place) ma.Multiaddr {
	kind, form := "ip4", "/%s/%s/tcp/%d"
	if p.at.Addr().Is6() {
		kind = "ip6"
	}
	if p.quic {
		form = "/%s/%s/udp/%d/quic-v1"
	}
	return ma.StringCast(fmt.Sprintf(form, kind, p.at.Addr(), p.at.Port()))
}

// dialable returns the addresses of addrs that may be dialled to reach key,
// at most maxAddrs, without doubles. Addresses of other transports and other
// keys, and non-public ones unless local, are left out; if nothing is left the
// error says what was wrong with the last.
func dialable(key [32]byte, addrs []string, local bool) ([]place, error) {
	var out []place
	seen := make(map[place]bool)
	why := errors.New("none given")
	for _, s := range addrs {
		p, id, err := splitAddr(s)
		if err == nil && id != "" && id != PeerID(key) {
			err = fmt.Errorf("address %q is of another peer", s)
		}
		if err == nil && !mayDial(p.at, local) {
			err = fmt.Errorf("address %q is not public", s)
		}
		if err != nil {
			why = err
			continue
		}
		if !seen[p] && len(out) < maxAddrs {
			seen[p] = true
			out = append(out, p)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%w: %w", ErrNoAddress, why)
	}
	return out, nil
}

// mayDial is the rule that keeps a relay from being a port scanner
// (docs/spec/circuit.md "Handshake and keys"): public unicast only, unless the
// world is one of private addresses.
func mayDial(at netip.AddrPort, local bool) bool {
	ip := at.Addr()
	if at.Port() == 0 || ip.Is4In6() || ip.Zone() != "" {
		return false
	}
	if local {
		return ip.IsLoopback() || ip.IsGlobalUnicast() // the latter includes private ranges
	}
	return isPublic(ip)
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
