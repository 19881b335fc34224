package peer

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"net/netip"
	"strconv"
	"strings"
)

// maxLine bounds a line of the kernel's list; it writes 150 bytes, or some more
// for IPv6.
const maxLine = 1 << 10

// errAbsent is returned when a connection is not in the list.
var errAbsent = errors.New("the connection is not in the system's list")

// find looks up the owner of a connection in a list in the form of
// /proc/net/tcp:
//
//	sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
//	0: 0100007F:22B3 0100007F:D431 01 00000000:00000000 00:00000000 00000000  1000        0 12345 …
//
// A row without an inode is a socket that its process has closed: the kernel
// then shows uid 0, whoever it was.
func find(list io.Reader, local, remote netip.AddrPort) (uid uint32, err error) {
	lines := bufio.NewScanner(list)
	lines.Buffer(make([]byte, 0, maxLine), maxLine)
	for lines.Scan() {
		f := strings.Fields(lines.Text())
		if len(f) < 10 {
			continue
		}
		if a, ok := address(f[1]); !ok || a != local {
			continue
		}
		if a, ok := address(f[2]); !ok || a != remote {
			continue
		}
		if f[9] == "0" {
			continue
		}
		n, err := strconv.ParseUint(f[7], 10, 32)
		if err != nil {
			return 0, errors.New("the system's list has a form that is not known here")
		}
		return uint32(n), nil
	}
	if err := lines.Err(); err != nil {
		return 0, err
	}
	return 0, errAbsent
}

// address reads "0100007F:22B3": words of four bytes as this machine orders
// them, and a port.
func address(text string) (netip.AddrPort, bool) {
	ip, port, _ := strings.Cut(text, ":")
	n, err := strconv.ParseUint(port, 16, 16)
	raw, bad := hex.DecodeString(ip)
	if err != nil || bad != nil || len(raw) != 4 && len(raw) != 16 {
		return netip.AddrPort{}, false
	}
	for i := 0; i < len(raw); i += 4 {
		binary.NativeEndian.PutUint32(raw[i:], binary.BigEndian.Uint32(raw[i:]))
	}
	a, _ := netip.AddrFromSlice(raw)
	return plain(netip.AddrPortFrom(a, uint16(n))), true
}
