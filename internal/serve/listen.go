package serve

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"syscall"
)

// A TakenError is an address that another process listens on.
type TakenError struct {
	Flag string // what the user changes to choose another, e.g. --listen
	Addr string
}

func (e *TakenError) Error() string {
	return fmt.Sprintf("%s %s: the port is taken by another program; stop it, or choose another with %s", e.Flag, e.Addr, e.Flag)
}

// An AddrError is an address that may not be bound, and why.
type AddrError struct {
	Flag, Addr, Problem string // Flag may be empty: the caller knows where Addr stands
}

func (e *AddrError) Error() string { return named(e.Flag, e.Addr) + ": " + e.Problem }

// named is an address as people find it: behind its flag, if it has one.
func named(flag, addr string) string {
	return strings.TrimSpace(flag + " " + addr)
}

// ErrPublic is wrapped by errors about addresses other machines could reach.
var ErrPublic = errors.New("not a loopback address")

// CheckLoopback reports whether addr, of the API, is host:port with a loopback
// address. Errors are *AddrError, or wrap ErrPublic if the address is one that
// others could reach. flag may be empty.
func CheckLoopback(flag, addr string) error {
	return check(flag, addr, "whoever reaches it could use this machine's circuits, and there are no keys yet; use 127.0.0.1 or [::1]")
}

// CheckPage is CheckLoopback for the status page and the profiler.
func CheckPage(addr string) error {
	return check("", addr, "it shows what this program does to whoever asks; use 127.0.0.1 or [::1], and ssh -L to look from elsewhere")
}

func check(flag, addr, why string) error {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return &AddrError{flag, addr, "must be address:port, for example 127.0.0.1:8811 or [::1]:8811"}
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return &AddrError{flag, addr, "the port must be a number from 0 to 65535"}
	}
	if host == "localhost" {
		return nil
	}
	ip, err := netip.ParseAddr(host)
	switch {
	case host == "" || err == nil && !ip.Unmap().IsLoopback():
		return fmt.Errorf("%s: %w: %s", named(flag, addr), ErrPublic, why)
	case err != nil:
		return &AddrError{flag, addr, "the host must be an IP address or localhost"}
	}
	return nil
}

// Listen binds a loopback address that the user chose by flag.
func Listen(flag, addr string) (net.Listener, error) {
	if err := CheckLoopback(flag, addr); err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, &TakenError{Flag: flag, Addr: addr}
	}
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", flag, addr, err)
	}
	return l, nil
}

// ListenAll binds all addresses or none. An address in optional that this
// machine does not have is left out: not every machine has IPv6.
func ListenAll(flag string, addrs []string, optional string) ([]net.Listener, error) {
	var all []net.Listener
	for _, addr := range addrs {
		l, err := Listen(flag, addr)
		if err != nil && addr == optional && len(all) > 0 && absent(err) {
			continue
		}
		if err != nil {
			CloseAll(all)
			return nil, err
		}
		all = append(all, l)
	}
	return all, nil
}

// absent reports whether err says that the machine has no such address.
func absent(err error) bool {
	return errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.EAFNOSUPPORT) ||
		errors.Is(err, syscall.EPROTONOSUPPORT)
}

// CloseAll closes listeners that nobody serves on any more, or yet; nil ones
// are left out.
func CloseAll(all []net.Listener) {
	for _, l := range all {
		if l != nil {
			// Nothing was accepted, so there is nothing to lose.
			_ = l.Close()
		}
	}
}
