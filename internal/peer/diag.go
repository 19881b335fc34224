package peer

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"syscall"
)

// Numbers of the kernel's sock_diag protocol (sock_diag(7), and inet_diag.h):
// a request for one TCP connection and its answer are a header of 16 bytes and
// a fixed structure.
const (
	diagHead     = 16 // length, type, flags, sequence, port
	diagRequest  = diagHead + 56
	diagAnswer   = diagHead + 72
	diagByFamily = 20 // type of both
	diagError    = 2  // type of a refusal
	diagIsAsked  = 1  // flag
	diagID       = 48 // bytes that name a connection

	familyIPv4 = 2
	familyIPv6 = 10
	protoTCP   = 6

	// offsets in an answer
	diagStateAt = diagHead + 1
	diagIDAt    = diagHead + 4
	diagUIDAt   = diagIDAt + diagID + 12
	diagInodeAt = diagUIDAt + 4

	stateListen = 10
)

// askAbout is a request for the connection with these ends.
func askAbout(local, remote netip.AddrPort) []byte {
	b := make([]byte, 0, diagRequest)
	b = binary.NativeEndian.AppendUint32(b, diagRequest)
	b = binary.NativeEndian.AppendUint16(b, diagByFamily)
	b = binary.NativeEndian.AppendUint16(b, diagIsAsked)
	b = append(b, make([]byte, 8)...) // sequence, port
	family := byte(familyIPv6)
	if local.Addr().Is4() {
		family = familyIPv4
	}
	b = append(b, family, protoTCP, 0, 0)
	b = binary.NativeEndian.AppendUint32(b, ^uint32(0)) // in any state
	b = append(b, connID(local, remote)...)
	b = binary.NativeEndian.AppendUint32(b, 0)          // on any interface
	b = binary.NativeEndian.AppendUint64(b, ^uint64(0)) // whatever its cookie
	return b
}

// connID is how the protocol names a connection, without interface and cookie.
func connID(local, remote netip.AddrPort) []byte {
	b := make([]byte, 0, 36)
	b = binary.BigEndian.AppendUint16(b, local.Port())
	b = binary.BigEndian.AppendUint16(b, remote.Port())
	for _, a := range []netip.Addr{local.Addr(), remote.Addr()} {
		var field [16]byte
		copy(field[:], a.AsSlice())
		b = append(b, field[:]...)
	}
	return b
}

// answerAbout reads the answer to askAbout: the connection's owner, or errAbsent.
func answerAbout(b []byte, local, remote netip.AddrPort) (uid uint32, err error) {
	if len(b) < diagHead+4 {
		return 0, errors.New("the system's answer is cut")
	}
	switch kind := binary.NativeEndian.Uint16(b[4:]); {
	case kind == diagError:
		code := syscall.Errno(-int32(binary.NativeEndian.Uint32(b[diagHead:])))
		if code == syscall.ENOENT {
			return 0, errAbsent
		}
		return 0, fmt.Errorf("asking the system: %w", code)
	case kind != diagByFamily || len(b) < diagAnswer:
		return 0, errors.New("the system's answer has a form that is not known here")
	}
	// A connection that is not found may be answered by the socket that
	// listens at its address, and one that its process has closed is root's.
	id := connID(local, remote)
	mapped := connID(asIPv6(local), asIPv6(remote))
	got := string(b[diagIDAt : diagIDAt+len(id)])
	if got != string(id) && got != string(mapped) || b[diagStateAt] == stateListen ||
		binary.NativeEndian.Uint32(b[diagInodeAt:]) == 0 {
		return 0, errAbsent
	}
	return binary.NativeEndian.Uint32(b[diagUIDAt:]), nil
}

// asIPv6 is a as an IPv6 socket has it.
func asIPv6(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom16(a.Addr().As16()), a.Port())
}
