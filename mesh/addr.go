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
// /ip4|ip6/<address>/tcp/<port>[/p2p/<peer id>].
var ErrAddress = errors.New("not an ip address with a tcp port")

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
func splitAddr(s string) (at netip.AddrPort, id string, err error) {
	m, err := ma.NewMultiaddr(s)
	if err == nil {
		at, id, err = endpoint(m)
	}
	if err != nil {
		return at, "", fmt.Errorf("address %q: %w", s, ErrAddress)
	}
	return at, id, nil
}

// ParseEndpoint reads an address that a node listens on or publishes,
// /ip4|ip6/<address>/tcp/<port>. It wraps ErrAddress, with what is wrong for
// people who wrote the address of another transport.
func ParseEndpoint(s string) (netip.AddrPort, error) {
	m, err := ma.NewMultiaddr(s)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("address %q: %w; write /ip4/ADDRESS/tcp/PORT", s, ErrAddress)
	}
	at, id, err := endpoint(m)
	switch {
	case err == nil && id != "":
		return at, fmt.Errorf("address %q: leave out /p2p/ and what follows: a node adds its own", s)
	case err == nil:
		return at, nil
	}
	why := "write /ip4/ADDRESS/tcp/PORT"
	for _, c := range m {
		switch c.Protocol().Code {
		case ma.P_DNS, ma.P_DNS4, ma.P_DNS6, ma.P_DNSADDR:
			why = "nobody asks a name server for a node; write the address that the name stands for"
		case ma.P_UDP:
			why = "nodes connect over tcp only, not udp or quic"
		}
	}
	return at, fmt.Errorf("address %q: %w; %s", s, ErrAddress, why)
}

// FormatEndpoint is what ParseEndpoint reads.
func FormatEndpoint(at netip.AddrPort) string { return multiaddr(at).String() }

// endpoint is splitAddr for an address that libp2p has parsed already.
func endpoint(m ma.Multiaddr) (at netip.AddrPort, id string, err error) {
	var codes []int
	var ip netip.Addr
	var port uint16
	for _, c := range m {
		codes = append(codes, c.Protocol().Code)
		switch raw := c.RawValue(); c.Protocol().Code {
		case ma.P_IP4, ma.P_IP6:
			ip, _ = netip.AddrFromSlice(raw)
		case ma.P_TCP:
			port = uint16(raw[0])<<8 | uint16(raw[1])
		case ma.P_P2P:
			id = c.Value()
		}
	}
	form := len(codes) >= 2 && (codes[0] == ma.P_IP4 || codes[0] == ma.P_IP6) && codes[1] == ma.P_TCP &&
		(len(codes) == 2 || len(codes) == 3 && codes[2] == ma.P_P2P)
	if !form {
		return at, "", ErrAddress
	}
	return netip.AddrPortFrom(ip, port), id, nil
}

// multiaddr is the libp2p form of an address.
func multiaddr(at netip.AddrPort) ma.Multiaddr {
	kind := "ip4"
	if at.Addr().Is6() {
		kind = "ip6"
	}
	return ma.StringCast(fmt.Sprintf("/%s/%s/tcp/%d", kind, at.Addr(), at.Port()))
}

// dialable returns the addresses of addrs that may be dialled to reach key,
// at most maxAddrs, without doubles. Addresses of other transports and other
// keys, and non-public ones unless local, are left out; if nothing is left the
// error says what was wrong with the last.
func dialable(key [32]byte, addrs []string, local bool) ([]netip.AddrPort, error) {
	var out []netip.AddrPort
	seen := make(map[netip.AddrPort]bool)
	why := errors.New("none given")
	for _, s := range addrs {
		at, id, err := splitAddr(s)
		if err == nil && id != "" && id != PeerID(key) {
			err = fmt.Errorf("address %q is of another peer", s)
		}
		if err == nil {
			if e := MayDial(at, local); e != nil {
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
func Publishable(own []netip.AddrPort, local bool) []netip.AddrPort {
	var out, loopback []netip.AddrPort
	for _, at := range own {
		switch {
		case MayDial(at, local) != nil:
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
