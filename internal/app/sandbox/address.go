package sandbox

import (
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"strconv"
)

// host is the loopback address of the n-th node, counted from 1. On Linux each
// has its own /16, as nodes of different people do; elsewhere 127.0.0.1 is the
// only one there is.
func host(n int) string {
	if runtime.GOOS == "linux" {
		return fmt.Sprintf("127.%d.0.1", n)
	}
	return "127.0.0.1"
}

// ports reserves free ports: it holds them until all are chosen, so that no
// two nodes get the same.
type ports struct{ held []net.Listener }

// take returns want if it is free, else another free port of host.
func (p *ports) take(host string, want int) (int, error) {
	l, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(want)))
	if err != nil && want != 0 {
		l, err = net.Listen("tcp", net.JoinHostPort(host, "0"))
	}
	if err != nil {
		return 0, fmt.Errorf("finding a free port: %w", err)
	}
	p.held = append(p.held, l)
	return int(netip.MustParseAddrPort(l.Addr().String()).Port()), nil
}

// release lets the nodes have their ports.
func (p *ports) release() {
	for _, l := range p.held {
		// Nothing was accepted on it.
		_ = l.Close()
	}
	p.held = nil
}
