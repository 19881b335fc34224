package gateway

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/mesh"
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

// reach is where others find a node that listens on these addresses, and where
// they would not look for it: wildcards stand for all addresses of the
// machine's interfaces.
func reach(listen []string, machine []netip.Addr, local bool) (found, refused []string) {
	var own []mesh.Endpoint
	for _, addr := range listen {
		at, err := mesh.ParseEndpoint(addr)
		switch {
		case err != nil: // not in a configuration that was checked
		case !at.Addr().IsUnspecified():
			own = append(own, at)
		default:
			for _, ip := range machine {
				if ip.Is4() == at.Addr().Is4() {
					own = append(own, mesh.Endpoint{AddrPort: netip.AddrPortFrom(ip, at.Port()), QUIC: at.QUIC})
				}
			}
		}
	}
	public := mesh.Publishable(own, local)
	for _, at := range own {
		switch addr := at.String(); {
		case slices.Contains(found, addr), slices.Contains(refused, addr):
		case slices.Contains(public, at):
			found = append(found, addr)
		case !at.Addr().IsLoopback() && !at.Addr().IsLinkLocalUnicast(): // nobody expects those to be found
			refused = append(refused, addr)
		}
	}
	return found, refused
}

// machineIPs are the addresses of this machine's interfaces.
func machineIPs() ([]netip.Addr, error) {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return nil, fmt.Errorf("asking for this machine's addresses: %w; name one with --announce", err)
	}
	var out []netip.Addr
	for _, a := range addrs {
		if p, err := netip.ParsePrefix(a.String()); err == nil {
			out = append(out, p.Addr().Unmap())
		}
	}
	return out, nil
}

// unreachable is why a node that others cannot reach is not set up, and what to
// do. founds: it would be the first of a new world.
func unreachable(refused []string, founds bool) error {
	has := ""
	if len(refused) > 0 {
		has = " (not " + strings.Join(refused, ", nor ") + ")"
	}
	local := "the world is one of public addresses; one of private addresses is made with --new-world PHRASE --local"
	if founds {
		local = "for a world of private addresses, all in one network, add --local"
	}
	return app.Usage(fmt.Errorf("this machine has no public address at which others could reach it%s. "+
		"If a router forwards one, name it with --announce /ip4/ADDRESS/tcp/PORT; %s", has, local))
}
