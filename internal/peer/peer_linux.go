package peer

import (
	"errors"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// owner is the user of the process at the other end of conn.
func owner(conn net.Conn) (uid uint32, err error) {
	if u, ok := conn.(*net.UnixConn); ok {
		return ofSocket(u)
	}
	local, remote, err := ends(conn)
	if err != nil {
		return 0, err
	}
	// A client may use an IPv6 socket for an IPv4 address.
	for _, name := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		uid, err = ofTCP(name, func(f *os.File) (uint32, error) { return find(f, local, remote) })
		if err == nil {
			return uid, nil
		}
		if !errors.Is(err, errAbsent) && !errors.Is(err, os.ErrNotExist) {
			return 0, err
		}
	}
	return 0, err
}

func ofTCP(name string, read func(*os.File) (uint32, error)) (uint32, error) {
	f, err := os.Open(name)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	return read(f)
}

func ofSocket(conn *net.UnixConn) (uid uint32, err error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return 0, err
	}
	var cred *unix.Ucred
	failed := raw.Control(func(fd uintptr) {
		cred, err = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	})
	if err := errors.Join(failed, err); err != nil {
		return 0, err
	}
	return cred.Uid, nil
}
