package sandbox

import (
	"fmt"
	"io"
	"net"
	"runtime"
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

// ports reserves free ports, so that no two nodes get the same, nor another program
// one of them before its node listens at it, or while it is started again.
type ports struct{ held []io.Closer }

// take returns want if it is free, else another free port of host.
func (p *ports) take(host string, want int) (int, error) {
	c, port, err := reserve(host, want)
	if err != nil && want != 0 {
		c, port, err = reserve(host, 0)
	}
	if err != nil {
		return 0, fmt.Errorf("finding a free port: %w", err)
	}
	p.held = append(p.held, c)
	return port, nil
}

// keep holds a port that was found free, where that is possible; where it is not, its
// node says so if somebody is quicker.
func (p *ports) keep(at *net.TCPAddr) {
	if c, _, err := reserve(at.IP.String(), at.Port); err == nil {
		p.held = append(p.held, c)
	}
}

// yield lets the nodes listen at their ports.
func (p *ports) yield() {
	if !sharesReserved {
		p.release()
	}
}

// release gives the ports back.
func (p *ports) release() {
	for _, c := range p.held {
		// Nothing was accepted on it.
		_ = c.Close()
	}
	p.held = nil
}
