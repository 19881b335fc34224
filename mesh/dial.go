package mesh

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/libp2p/go-libp2p/core/control"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/peerstore"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-libp2p/core/sec"
	"github.com/libp2p/go-libp2p/p2p/net/swarm"
	ma "github.com/multiformats/go-multiaddr"
	"github.com/multiformats/go-multistream"
)

var (
	// ErrSelf is returned when a host is asked to open a stream to itself.
	ErrSelf = errors.New("own key: a host opens no streams to itself")

	// ErrUnreachable is returned when no link to a peer could be made. The
	// text says why without naming peer or address.
	ErrUnreachable = errors.New("peer not reachable")

	// ErrOtherKey is wrapped along with ErrUnreachable if somebody answers there
	// who is another than the one who was dialled.
	ErrOtherKey = errors.New("another key answered")
)

// Open opens a stream of proto to the node that holds key. A live link is
// used, whoever dialled it; else addrs, and only these, are dialled, together
// with every other call that wants the same peer.
//
// The protocol is not negotiated before the first byte is sent: a peer that
// does not serve it shows at the first Read as ErrProtocol, and no round trip
// is spent on those that do.
//
// Errors: ErrSelf, ErrNoAddress, ErrUnreachable, *LimitError, ErrClosed, or
// ctx's own.
func (h *Host) Open(ctx context.Context, proto string, key [32]byte, addrs []string) (*Stream, error) {
	if key == h.key {
		return nil, ErrSelf
	}
	id := idOf(key)
	for dialled := false; ; dialled = true {
		ns, err := h.swarm.NewStream(network.WithNoDial(ctx, "the dialer dials"), id)
		if err == nil {
			return outbound(ns, proto, key)
		}
		if !errors.Is(err, network.ErrNoConn) {
			return nil, fmt.Errorf("opening a stream: %w", h.explain(err))
		}
		if dialled {
			return nil, fmt.Errorf("%w: link lost at once", ErrUnreachable)
		}
		at, err := dialable(key, addrs, h.local)
		if err != nil {
			return nil, err
		}
		if err := h.dialer.dial(ctx, id, at); err != nil {
			return nil, err
		}
	}
}

// OpenAddr is Open for a full address with its /p2p/ part, as seeds have it.
func (h *Host) OpenAddr(ctx context.Context, proto, addr string) (*Stream, error) {
	key, at, err := ParseAddr(addr)
	if err != nil {
		return nil, err
	}
	return h.Open(ctx, proto, key, []string{at})
}

func outbound(ns network.Stream, proto string, key [32]byte) (*Stream, error) {
	if err := ns.SetProtocol(protocol.ID(proto)); err != nil {
		_ = ns.Reset()
		return nil, fmt.Errorf("opening a stream: %w", err)
	}
	return &Stream{ns: ns, lazy: multistream.NewMSSelect(ns, protocol.ID(proto)), peer: key}, nil
}

// explain turns libp2p's errors about a closed host into ours.
func (h *Host) explain(err error) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return ErrClosed
	}
	return err
}

// dialer makes links. It is also the gate through which libp2p must pass to
// dial: what no call of dial has asked for, an address that identify brought
// for example, is refused.
type dialer struct {
	swarm *swarm.Swarm // set once, before the first dial
	wg    sync.WaitGroup

	mu     sync.Mutex
	closed bool              // guarded by mu
	dials  map[peer.ID]*dial // guarded by mu: running, or failed less than redialAfter ago
}

// dial is one attempt to reach a peer, shared by all who want it.
type dial struct {
	addrs  map[Endpoint]bool // immutable
	cancel context.CancelFunc
	done   chan struct{} // closed when err is set
	err    error
	until  time.Time // set with err: when a further attempt may be made
}

func newDialer() *dialer { return &dialer{dials: make(map[peer.ID]*dial)} }

// dial returns when there is a link to id, or none could be made at any of
// addrs. The attempt outlives a caller whose ctx ends: others may wait for it.
func (d *dialer) dial(ctx context.Context, id peer.ID, addrs []Endpoint) error {
	for {
		a, own, err := d.join(id, addrs)
		if err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-a.done:
		}
		// Another caller's failure counts only if it tried all of our addresses.
		if a.err == nil || own || a.covers(addrs) {
			return a.err
		}
	}
}

// join returns the attempt that is under way, or has just failed at these
// addresses, else a new one that is the caller's own.
func (d *dialer) join(id peer.ID, addrs []Endpoint) (a *dial, own bool, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil, false, ErrClosed
	}
	if a := d.dials[id]; a != nil {
		if a.running() || a.covers(addrs) && time.Now().Before(a.until) {
			return a, false, nil
		}
	}
	if len(d.dials) >= maxDials {
		d.forget(time.Now())
	}
	if len(d.dials) >= maxDials && d.dials[id] == nil {
		return nil, false, &LimitError{Limit: "dials"}
	}
	ctx, cancel := context.WithTimeout(context.Background(), dialTimeout)
	a = &dial{addrs: make(map[Endpoint]bool), cancel: cancel, done: make(chan struct{})}
	for _, at := range addrs {
		a.addrs[at] = true
	}
	d.dials[id] = a
	d.wg.Go(func() { d.run(ctx, id, a) })
	return a, true, nil
}

// run dials. The peerstore is libp2p's way to pass addresses; whatever it held
// for this peer is dropped first.
func (d *dialer) run(ctx context.Context, id peer.ID, a *dial) {
	defer a.cancel()
	store := d.swarm.Peerstore()
	store.ClearAddrs(id)
	for at := range a.addrs {
		store.AddAddr(id, multiaddr(at), peerstore.TempAddrTTL)
	}
	// libp2p's back-off of up to five minutes is for crawlers. Ours is
	// redialAfter, and the callers' own.
	d.swarm.Backoff().Clear(id)
	_, err := d.swarm.DialPeer(ctx, id)

	d.mu.Lock()
	defer d.mu.Unlock()
	a.err = dialFailure(err)
	a.until = time.Now().Add(redialAfter)
	if err == nil {
		delete(d.dials, id)
	}
	if d.closed && err != nil {
		a.err = ErrClosed
	}
	close(a.done)
}

// expire forgets failures that are old enough. The sweeper calls it.
func (d *dialer) expire(now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.forget(now)
}

// forget is expire with mu held.
func (d *dialer) forget(now time.Time) {
	for id, a := range d.dials {
		if !a.running() && now.After(a.until) {
			delete(d.dials, id)
		}
	}
}

func (d *dialer) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	for _, a := range d.dials {
		a.cancel()
	}
}

func (a *dial) running() bool {
	select {
	case <-a.done:
		return false
	default:
		return true
	}
}

func (a *dial) covers(addrs []Endpoint) bool {
	for _, at := range addrs {
		if !a.addrs[at] {
			return false
		}
	}
	return true
}

// dialFailure names the reason of a failed dial. libp2p's own text lists the
// peer and its addresses, which have no place in a log.
func dialFailure(err error) error {
	var limit *LimitError
	var mismatch sec.ErrPeerIDMismatch
	var timeout net.Error
	why := "dial failed"
	switch {
	case err == nil:
		return nil
	case errors.As(err, &limit):
		return limit
	case errors.As(err, &mismatch):
		return fmt.Errorf("%w: %w", ErrUnreachable, ErrOtherKey)
	case errors.Is(err, syscall.ECONNREFUSED):
		why = "connection refused"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		why = "no route"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		why = "timed out"
	}
	return fmt.Errorf("%w: %s", ErrUnreachable, why)
}

// InterceptPeerDial implements connmgr.ConnectionGater.
func (d *dialer) InterceptPeerDial(id peer.ID) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	a := d.dials[id]
	return a != nil && a.running()
}

// InterceptAddrDial implements connmgr.ConnectionGater.
func (d *dialer) InterceptAddrDial(id peer.ID, m ma.Multiaddr) bool {
	p, _, err := endpoint(m)
	if err != nil {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	a := d.dials[id]
	return a != nil && a.running() && a.addrs[p]
}

// InterceptAccept implements connmgr.ConnectionGater.
func (d *dialer) InterceptAccept(network.ConnMultiaddrs) bool { return true }

// InterceptSecured implements connmgr.ConnectionGater: peers whose key is not
// one of ours have no business here.
func (d *dialer) InterceptSecured(_ network.Direction, id peer.ID, _ network.ConnMultiaddrs) bool {
	_, err := keyOf(id)
	return err == nil
}

// InterceptUpgraded implements connmgr.ConnectionGater.
func (d *dialer) InterceptUpgraded(network.Conn) (bool, control.DisconnectReason) { return true, 0 }
