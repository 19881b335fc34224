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

// CheckAddr returns an *AddrError unless addr is host:port with an address that
// can be bound. Errors wrap ErrPublic if it is one that other machines may
// reach: that is the caller's to decide. flag may be empty.
func CheckAddr(flag, addr string) error {
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
		return fmt.Errorf("%s: %w", named(flag, addr), ErrPublic)
	case err != nil:
		return &AddrError{flag, addr, "the host must be an IP address or localhost"}
	}
	return nil
}

// CheckLoopback is CheckAddr for what is never served to other machines.
func CheckLoopback(flag, addr string) error {
	return never(CheckAddr(flag, addr), "whoever reaches it could use this machine's circuits; use 127.0.0.1 or [::1]")
}

// CheckPage is CheckLoopback for the status page and the profiler.
func CheckPage(addr string) error {
	return never(CheckAddr("", addr), "it shows what this program does to whoever asks; use 127.0.0.1 or [::1], and ssh -L to look from elsewhere")
}

// never says why an address that others reach is refused.
func never(err error, why string) error {
	if errors.Is(err, ErrPublic) {
		return fmt.Errorf("%w: %s", err, why)
	}
	return err
}

// Listen binds a loopback address that the user chose by flag.
func Listen(flag, addr string) (net.Listener, error) {
	if err := CheckLoopback(flag, addr); err != nil {
		return nil, err
	}
	return listen(flag, addr)
}

func listen(flag, addr string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, &TakenError{Flag: flag, Addr: addr}
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return nil, fmt.Errorf("%s %s: this machine has no such address; choose one that it has with %s: %w", flag, addr, flag, err)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("%s %s: this user may not listen there; choose a port from 1024 up with %s: %w", flag, addr, flag, err)
	}
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", flag, addr, err)
	}
	return l, nil
}

// ListenAll binds all addresses or none. An address in optional that this
// machine does not have is left out: not every machine has IPv6. Addresses that
// other machines reach are bound too: who may call is for the caller to check.
func ListenAll(flag string, addrs []string, optional string) ([]net.Listener, error) {
	var all []net.Listener
	for _, addr := range addrs {
		if err := CheckAddr(flag, addr); err != nil && !errors.Is(err, ErrPublic) {
			CloseAll(all)
			return nil, err
		}
		l, err := listen(flag, addr)
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
