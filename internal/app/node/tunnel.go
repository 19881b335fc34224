package node

import (
	"context"
	"errors"
	"fmt"

	"github.com/culvert-net/culvert/api/backend"
	"github.com/culvert-net/culvert/api/tunnel"
	"github.com/culvert-net/culvert/circuit"
)

// Dialer opens the tunnel's streams on circuits.
type Dialer struct {
	Client *circuit.Client
	Hops   int                // of the client's circuits
	Used   func(key [32]byte) // told of each provider that was reached
}

var _ tunnel.Dialer = Dialer{}

// A circuit's stream takes as much without waiting as a tunnel counts on.
const _ = uint(circuit.SendQueue - tunnel.WriteAhead)

// Dial implements tunnel.Dialer.
func (d Dialer) Dial(ctx context.Context, to tunnel.Target, group backend.Group) (tunnel.Conn, error) {
	s, err := d.Client.Dial(ctx, to.Key, circuit.Group(group))
	if err != nil {
		return nil, &tunnel.Explained{Reason: NoCircuit(err, d.Hops), Err: err}
	}
	d.Used(to.Key)
	return s, nil
}

// Beside opens a pay stream on the circuit of a request's stream. Its error wraps
// tunnel.ErrGone where the circuit has ended, so that it never works again.
func Beside(ctx context.Context, conn tunnel.Conn) (tunnel.Conn, error) {
	s, ok := conn.(*circuit.Stream)
	if !ok {
		return nil, fmt.Errorf("a request on a %T has no circuit to pay over", conn)
	}
	other, err := s.Beside(ctx, circuit.StreamPay)
	if err == nil {
		return other, nil
	}
	if ctx.Err() == nil && !errors.Is(err, circuit.ErrBusy) {
		err = fmt.Errorf("%w: %w", tunnel.ErrGone, err)
	}
	return nil, err
}

// Acceptor hands the tunnel the streams that end at this node.
type Acceptor struct{ Listener *circuit.Listener }

var _ tunnel.Acceptor = Acceptor{}

// Accept implements tunnel.Acceptor.
func (a Acceptor) Accept() (tunnel.Conn, error) {
	c, err := a.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return c.(*circuit.Stream), nil // the listener's promise
}

// Close implements tunnel.Acceptor.
func (a Acceptor) Close() error { return a.Listener.Close() }
