package peer

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// askTime bounds the wait for the kernel, which answers before it returns.
	askTime = time.Second

	// maxAnswer is more than the kernel says about one connection.
	maxAnswer = 4 << 10
)

// overflowUID is what the kernel shows in the place of every user that a user
// namespace has no number for, and what it shows nobody as elsewhere.
const overflowUID = 65534

// owner is the user of the process at the other end of conn.
func owner(conn net.Conn) (uid uint32, err error) {
	uid, err = number(conn)
	if err != nil || uid != overflowUID {
		return uid, err
	}
	users, err := os.ReadFile("/proc/self/uid_map")
	if err != nil {
		return 0, err
	}
	if !everybody(string(users)) {
		return 0, errors.New("a user without a number in this container's namespace")
	}
	return uid, nil
}

// everybody reports whether a namespace's map has a number for every user, each
// its own: "0 0 4294967295".
func everybody(users string) bool {
	return slices.Equal(strings.Fields(users), []string{"0", "0", "4294967295"})
}

// number is the user at the other end of conn as this process's namespace
// numbers it.
func number(conn net.Conn) (uid uint32, err error) {
	if u, ok := conn.(*net.UnixConn); ok {
		return ofSocket(u)
	}
	local, remote, err := ends(conn)
	if err != nil {
		return 0, err
	}
	// A question about one connection takes microseconds, the list of all takes
	// milliseconds where the kernel has room for many; but not every system
	// lets a program ask.
	if uid, err = ask(local, remote); err == nil || errors.Is(err, errAbsent) {
		return uid, err
	}
	return look(local, remote)
}

// ask is the owner of a connection by sock_diag.
func ask(local, remote netip.AddrPort) (uid uint32, err error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, unix.NETLINK_SOCK_DIAG)
	if err != nil {
		return 0, err
	}
	defer unix.Close(fd)
	wait := unix.NsecToTimeval(askTime.Nanoseconds())
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &wait); err != nil {
		return 0, err
	}
	if err := unix.Sendto(fd, askAbout(local, remote), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return 0, err
	}
	var b [maxAnswer]byte
	n, from, err := unix.Recvfrom(fd, b[:], 0)
	if err != nil {
		return 0, err
	}
	if kernel, ok := from.(*unix.SockaddrNetlink); !ok || kernel.Pid != 0 {
		return 0, errors.New("the answer is not the kernel's")
	}
	return answerAbout(b[:n], local, remote)
}

// look is the owner of a connection by the list of all.
func look(local, remote netip.AddrPort) (uid uint32, err error) {
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
