//go:build !linux

package sandbox

import (
	"io"
	"net"
	"strconv"
)

// sharesReserved is false: a port has to be given back before a node can listen.
const sharesReserved = false

// reserve listens at a port.
func reserve(host string, want int) (io.Closer, int, error) {
	l, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(want)))
	if err != nil {
		return nil, 0, err
	}
	return l, l.Addr().(*net.TCPAddr).Port, nil
}
