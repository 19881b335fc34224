package gateway

import (
	"context"

	"github.com/culvert-net/culvert/circuit"
	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/books"
	"github.com/culvert-net/culvert/internal/app/evmrpc"
	"github.com/culvert-net/culvert/ledger/chain"
)

// openDesk makes what passes questions about the chain on, if it is to.
func (g *gateway) openDesk(ctx context.Context) error {
	if g.chain == nil || !g.cfg.Chain.Serve {
		return nil
	}
	c, err := books.ChainOf(g.chain)
	if err != nil {
		return err
	}
	// Questions about the token of a market that is paid in one are passed on, too.
	ask, cancel := context.WithTimeout(ctx, assetWait)
	defer cancel()
	if t, err := chain.ReadToken(ask, c); err == nil {
		c.Asset, c.Named = t.Address, t
	} else {
		g.log.Warn("what the market is paid in could not be asked; if it is a token, questions about that are passed on after the next start", "err", err)
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
