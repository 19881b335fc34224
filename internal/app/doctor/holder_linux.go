package doctor

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// holderProcess names the process that listens at addr, from /proc. Processes
// of other users do not show whose socket is whose.
func holderProcess(addr string) string {
	at, err := netip.ParseAddrPort(addr)
	if err != nil {
		return ""
	}
	var sockets []string
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		text, err := os.ReadFile(table)
		if err == nil {
			sockets = append(sockets, listening(string(text), at.Port())...)
		}
	}
	fds, err := filepath.Glob("/proc/[0-9]*/fd/[0-9]*")
	if err != nil {
		return ""
	}
	for _, fd := range fds {
		target, err := os.Readlink(fd)
		if err != nil || !slices.Contains(sockets, target) {
			continue
		}
		pid := strings.Split(fd, "/")[2]
		if name, err := os.ReadFile("/proc/" + pid + "/comm"); err == nil {
			return fmt.Sprintf("%s, process %s", strings.TrimSpace(string(name)), pid)
		}
	}
	return ""
}

// listening are the sockets of a table in /proc/net that listen at port, as
// links in /proc/PID/fd name them.
func listening(table string, port uint16) []string {
	const local, state, inode = 1, 3, 9 // columns
	var out []string
	for line := range strings.Lines(table) {
		f := strings.Fields(line)
		if len(f) <= inode || f[state] != "0A" {
			continue
		}
		_, hex, _ := strings.Cut(f[local], ":")
		if n, err := strconv.ParseUint(hex, 16, 16); err == nil && uint16(n) == port {
			out = append(out, "socket:["+f[inode]+"]")
		}
	}
	return out
}
