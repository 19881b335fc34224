package gateway

import (
	"context"

	"github.com/culvert-net/culvert/circuit"
	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/books"
	"github.com/culvert-net/culvert/internal/app/evmrpc"
)

// openDesk makes what passes questions about the chain on, if it is to.
func (g *gateway) openDesk() error {
	if g.chain == nil || !g.cfg.Chain.Serve {
		return nil
	}
	c, err := books.ChainOf(g.chain)
	if err != nil {
		return err
	}
	c.Log = g.log
	g.desk, err = evmrpc.NewDesk(evmrpc.DeskConfig{Chain: c, Changed: g.directory.Changed, Log: g.log})
	return app.Configured(err)
}

// deskParts run as long as the gateway does.
func (g *gateway) deskParts() []app.Part {
	if g.desk == nil {
		return nil
	}
	return []app.Part{{Name: "chain watch", Run: g.desk.Run}, {Name: "chain over circuits", Run: func(ctx context.Context) error {
		return g.desk.Serve(ctx, g.relay.Listener(circuit.StreamChain))
	}}}
}

// deskStatus is nil where questions about the chain are not passed on.
func (g *gateway) deskStatus() *evmrpc.DeskStatus {
	if g.desk == nil {
		return nil
	}
	s := g.desk.Status()
	return &s
}

// deskRows prints it for a person.
func deskRows(s *evmrpc.DeskStatus, row func(name, format string, args ...any)) {
	switch {
	case s == nil:
	case !s.Alive && s.Problem == "":
		row("For bridges", "the chain's node has not been looked at yet")
	case !s.Alive:
		row("For bridges", "questions about the chain are NOT passed on: %s", s.Problem)
	default:
		row("For bridges", "questions about the chain are passed on: %d answered, %d refused, %d too many, %d without an answer", s.Answered, s.Refused, s.Busy, s.Failed)
	}
}
