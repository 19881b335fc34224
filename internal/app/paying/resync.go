package paying

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/culvert-net/culvert/api/tunnel"
	"github.com/culvert-net/culvert/ledger"
	"github.com/culvert-net/culvert/ledger/channel"
)

// flight is one comparison under way, for all who need it.
type flight struct {
	done chan struct{}
	err  error // set before done is closed
}

// resync compares a channel's books with its provider's, on the circuit of a
// request's stream. Whoever comes meanwhile waits for the same answer.
func (p *Payer) resync(ctx context.Context, id ledger.ChannelID, beside tunnel.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, resyncLimit)
	defer cancel()
	p.mu.Lock()
	f, flying := p.flights[id]
	if !flying {
		f = &flight{done: make(chan struct{})}
		p.flights[id] = f
	}
	p.mu.Unlock()
	if !flying {
		f.err = p.compare(ctx, id, beside)
		p.mu.Lock()
		delete(p.flights, id)
		p.mu.Unlock()
		close(f.done)
	}
	select {
	case <-f.done:
		return f.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// compare adopts what the provider's books say. While a round of the channel runs, it is
// ErrRunning.
func (p *Payer) compare(ctx context.Context, id ledger.ChannelID, beside tunnel.Conn) error {
	ask, err := p.cfg.Payer.ResyncAsk(ctx, id)
	if err != nil {
		return err
	}
	p.count(func(c *Counts) { c.Resyncs++ })
	hello := channel.Hello{Channel: ask.Channel, Epoch: ask.Epoch}
	_, _ = rand.Read(hello.Round[:]) // never fails; it names no round
	l, err := p.dial(ctx, beside, hello)
	if err != nil {
		return err
	}
	defer l.drop()
	if err := l.write(ask); err != nil {
		return err
	}
	f, err := channel.ReadFrame(l.conn)
	if err != nil {
		return fmt.Errorf("a provider's books: %w", err)
	}
	switch f := f.(type) {
	case *channel.State:
		// The voucher, if there is one to send, goes with the next round's header.
		_, err := p.cfg.Payer.Adopt(ctx, id, *f)
		return err
	case *channel.ErrorFrame:
		return &channel.Refusal{Code: f.Code, Wanted: f.Wanted, Text: f.Text}
	}
	return errors.New("a provider answers the question for its books with something else")
}
