// Package peer tells whose process is at the other end of a local connection.
//
// Remember is an http.Server's ConnContext; Check says, for a request on such a
// connection, whether the process that made it belongs to the user of this
// one, or to root, who can read this process's memory anyway. It looks once per
// connection, when it is first asked. Works says whether this system can tell.
//
// On Linux the kernel knows the owner of the other end of a TCP connection and
// is asked for it (sock_diag, else /proc/net/tcp and tcp6); unix sockets have
// credentials. It is no
// protection from processes of the same user, nor from what somebody's proxy
// or port forwarding lets in: the proxy is then the peer. The package knows
// nothing of what is served. All functions may be called concurrently.
//
// Implements: docs/spec/api.md section 2.
package peer

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"
)

var (
	// ErrOther is returned for a connection of another user's process.
	ErrOther = errors.New("the connection belongs to another user")

	// ErrUnknown is returned where the system does not say, or no longer.
	ErrUnknown = errors.New("the system does not say whose the connection is")
)

// tryTime bounds Works, which connects to itself: it takes microseconds.
const tryTime = 5 * time.Second

type connKey struct{}

// Remember makes Check work for what comes on conn.
func Remember(ctx context.Context, conn net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, sync.OnceValue(func() error { return same(conn) }))
}

// Check returns nil if the process behind ctx's connection is of the same user
// or root's, else an error that wraps ErrOther or ErrUnknown.
func Check(ctx context.Context) error {
	check, ok := ctx.Value(connKey{}).(func() error)
	if !ok {
		return fmt.Errorf("%w: it was not remembered", ErrUnknown)
	}
	return check()
}

// Works returns an error that wraps ErrUnknown if this system does not say whose
// a connection is, as one to oneself shows. Where none can be made, nothing is
// shown, and Check is left to say so: whoever could make it fail must not
// thereby make callers do without it.
func Works() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil
	}
	defer l.Close()
	return try(l.(*net.TCPListener))
}

// try is Works with a listener. Others may connect to it too, and first.
func try(l *net.TCPListener) error {
	_ = l.SetDeadline(time.Now().Add(tryTime)) // it fails on no listener that is open
	dialer := net.Dialer{Timeout: tryTime}
	out, err := dialer.Dial("tcp", l.Addr().String())
	if err != nil {
		return nil
	}
	defer out.Close()
	for {
		in, err := l.Accept()
		if err != nil {
			return nil
		}
		if in.RemoteAddr().String() == out.LocalAddr().String() {
			defer in.Close()
			return same(in)
		}
		in.Close()
	}
}

func same(conn net.Conn) error {
	uid, err := owner(conn)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnknown, err)
	}
	return allowed(uid, os.Getuid())
}

// allowed compares the other end's user with ours.
func allowed(uid uint32, own int) error {
	if uid != 0 && int64(uid) != int64(own) {
		return fmt.Errorf("%w (uid %d)", ErrOther, uid)
	}
	return nil
}

// ends are the addresses of a TCP connection, as the other side has them.
func ends(conn net.Conn) (local, remote netip.AddrPort, err error) {
	theirs, ok := conn.RemoteAddr().(*net.TCPAddr)
	ours, also := conn.LocalAddr().(*net.TCPAddr)
	if !ok || !also {
		return local, remote, errors.New("neither a TCP connection nor a unix socket")
	}
	if !theirs.IP.IsLoopback() {
		return local, remote, errors.New("the connection comes from another machine")
	}
	return plain(theirs.AddrPort()), plain(ours.AddrPort()), nil
}

// plain is a with an IPv4 address in its own form.
func plain(a netip.AddrPort) netip.AddrPort { return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()) }
