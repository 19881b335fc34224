package peer

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// target is where the process of another user connects to.
const target = "CULVERT_PEER_TEST_TARGET"

// The process of TestOtherUser. It is no test by itself.
func TestOtherUserChild(t *testing.T) {
	addr := os.Getenv(target)
	if addr == "" {
		return
	}
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, _ = conn.Read(make([]byte, 1)) // until the other end closes
}

func TestOtherUser(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("SKIP TestOtherUser: only root can start a process of another user")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	const other = 65533
	// The test's own binary may lie where the other user cannot read it.
	file, err := os.Open(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	cmd := exec.Command("/proc/self/fd/3", "-test.run=^TestOtherUserChild$")
	cmd.ExtraFiles = []*os.File{file}
	cmd.Dir = "/"
	cmd.Env = []string{target + "=" + l.Addr().String()}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: other, Gid: other}}
	conn := accepted(t, l, func() {
		if err := cmd.Start(); err != nil {
			t.Skipf("SKIP TestOtherUser: %v", err)
		}
	})
	local, remote, err := ends(conn)
	if err != nil {
		t.Fatal(err)
	}
	if uid, err := look(local, remote); uid != other || err != nil {
		t.Errorf("by the list, the owner is %d, %v; want %d", uid, err, other)
	}
	if err := Check(Remember(context.Background(), conn)); !errors.Is(err, ErrOther) {
		t.Errorf("Check of another user's connection = %v, want ErrOther", err)
	}
	conn.Close()
	_ = cmd.Wait()
}

// A connection whose process has closed it is nobody's, by either way to ask:
// the kernel shows such a socket as root's.
func TestClosedIsNobodys(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	conn := accepted(t, l, func() {
		out, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		out.Close()
	})
	local, remote, err := ends(conn)
	if err != nil {
		t.Fatal(err)
	}
	for name, how := range map[string]func(_, _ netip.AddrPort) (uint32, error){"sock_diag": ask, "list": look} {
		if uid, err := how(local, remote); err == nil {
			t.Errorf("by %s, the owner of a closed connection is %d", name, uid)
		}
	}
	if err := same(conn); !errors.Is(err, ErrUnknown) {
		t.Errorf("same = %v, want ErrUnknown", err)
	}
}

// Both ways to ask agree, for each kind of socket a client may use.
func TestWaysAgree(t *testing.T) {
	for _, dial := range []struct {
		listen, name string
		family       int
		addr         func(port int) unix.Sockaddr
	}{
		{"127.0.0.1:0", "IPv4", unix.AF_INET, func(port int) unix.Sockaddr {
			return &unix.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}}
		}},
		{"127.0.0.1:0", "IPv4 by an IPv6 socket", unix.AF_INET6, func(port int) unix.Sockaddr {
			return &unix.SockaddrInet6{Port: port, Addr: netip.MustParseAddr("::ffff:127.0.0.1").As16()}
		}},
		{"[::1]:0", "IPv6", unix.AF_INET6, func(port int) unix.Sockaddr {
			return &unix.SockaddrInet6{Port: port, Addr: netip.IPv6Loopback().As16()}
		}},
	} {
		l, err := net.Listen("tcp", dial.listen)
		if err != nil {
			t.Logf("SKIP %s: %v", dial.listen, err)
			continue
		}
		defer l.Close()
		conn := accepted(t, l, func() {
			fd, err := unix.Socket(dial.family, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { unix.Close(fd) })
			if err := unix.Connect(fd, dial.addr(l.Addr().(*net.TCPAddr).Port)); err != nil {
				t.Fatal(err)
			}
		})
		local, remote, err := ends(conn)
		if err != nil {
			t.Fatal(err)
		}
		listed, err := look(local, remote)
		if err != nil || int(listed) != os.Getuid() {
			t.Errorf("%s: by the list %d, %v", dial.name, listed, err)
		}
		asked, err := ask(local, remote)
		if errors.Is(err, errAbsent) || err == nil && asked != listed {
			t.Errorf("%s: by sock_diag %d, %v; want %d", dial.name, asked, err, listed)
		}
		if err != nil {
			t.Logf("sock_diag is not to be had here: %v", err)
		}
	}
}

// Where a namespace leaves users without a number, they all have that of nobody.
func TestEverybody(t *testing.T) {
	for users, want := range map[string]bool{
		"         0          0 4294967295\n":                                   true,
		"         0       1000          1\n":                                   false,
		"         0       1000          1\n         1     100000      65536\n": false,
		"": false,
	} {
		if got := everybody(users); got != want {
			t.Errorf("everybody(%q) = %v", users, got)
		}
	}
}
