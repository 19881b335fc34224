package sandbox

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"syscall"
)

// sharesReserved is true: a node can listen at a port that is reserved.
const sharesReserved = true

// reserve binds a socket to a port and does not listen at it: the kernel chooses
// such a port for nobody, and lets those listen there who name it and say, as all
// programs of Go do, that the address may be in use (SO_REUSEADDR). It fails where
// somebody listens.
func reserve(host string, want int) (io.Closer, int, error) {
	addr, err := netip.ParseAddr(host)
	if err != nil || !addr.Is4() {
		return nil, 0, errors.Join(err, errors.ErrUnsupported)
	}
	failed := func(what string, err error) error {
		return &net.OpError{Op: what, Net: "tcp", Addr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(addr, uint16(want))), Err: err}
	}
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, 0, failed("socket", err)
	}
	f := os.NewFile(uintptr(fd), fmt.Sprintf("%s:%d", host, want))
	err = syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1)
	if err == nil {
		err = syscall.Bind(fd, &syscall.SockaddrInet4{Port: want, Addr: addr.As4()})
	}
	var name syscall.Sockaddr
	if err == nil {
		name, err = syscall.Getsockname(fd)
	}
	if err != nil {
		_ = f.Close()
		return nil, 0, failed("bind", err)
	}
	return f, name.(*syscall.SockaddrInet4).Port, nil
}
