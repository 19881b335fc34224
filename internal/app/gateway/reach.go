package gateway

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"

	"github.com/culvert-net/culvert/internal/app"
)

// freePort is want if it is free, else another. It is written down, so that
// the node is found where its descriptor says, after a restart too.
func freePort(want int) (int, error) {
	for _, port := range []int{want, 0} {
		l, err := net.Listen("tcp4", fmt.Sprintf(":%d", port))
		if err != nil {
			continue
		}
		defer l.Close()
		return l.Addr().(*net.TCPAddr).Port, nil
	}
	return 0, errors.New("no free port for other nodes to connect to; choose one with --listen /ip4/0.0.0.0/tcp/PORT")
}

// wildcards are the beginnings of addresses that mean all of the machine's.
var wildcards = []string{"/ip4/0.0.0.0/tcp/", "/ip6/::/tcp/"}

// reachable is where others find a node that listens on these addresses: for
// wildcards, the addresses of the machine's interfaces.
func reachable(listen []string, local bool) ([]string, error) {
	var out []string
	for _, addr := range listen {
		port, wildcard := "", false
		for _, prefix := range wildcards {
			if rest, ok := strings.CutPrefix(addr, prefix); ok {
				port, wildcard = rest, true
			}
		}
		if !wildcard {
			out = append(out, addr)
			continue
		}
		for _, ip := range interfaceIPs(local) {
			if seed := fmt.Sprintf("/ip4/%s/tcp/%s", ip, port); !slices.Contains(out, seed) {
				out = append(out, seed)
			}
		}
	}
	if len(out) == 0 {
		return nil, app.Usage(errors.New("this machine has no public address that others could reach; say where a router forwards one with --announce /ip4/ADDRESS/tcp/PORT, or make a world of private addresses with --local"))
	}
	return out, nil
}

// interfaceIPs are the machine's IPv4 addresses: public ones, or for a local
// world private ones, and loopback if there is no other.
func interfaceIPs(local bool) []netip.Addr {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	var private, public []netip.Addr
	for _, a := range addrs {
		p, err := netip.ParsePrefix(a.String())
		if err != nil || !p.Addr().Is4() || !p.Addr().IsGlobalUnicast() {
			continue
		}
		if p.Addr().IsPrivate() {
			private = append(private, p.Addr())
		} else {
			public = append(public, p.Addr())
		}
	}
	switch {
	case !local:
		return public
	case len(private)+len(public) > 0:
		return append(private, public...)
	}
	return []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1})}
}
