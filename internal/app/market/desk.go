package market

import (
	"context"
	"errors"
	"path/filepath"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/wallet"
	"github.com/culvert-net/culvert/internal/config"
	"github.com/culvert-net/culvert/internal/serve"
	"github.com/culvert-net/culvert/ledger"
	"github.com/culvert-net/culvert/ledger/channel"
)

// DeskConfig is where a command's Market is.
type DeskConfig struct {
	Dir    string        // data directory
	Wallet wallet.Config // with where the passphrase comes from

	// Open makes a Market in the data directory, where no program runs. Looking asks
	// for no passphrase.
	Open func(ctx context.Context, w wallet.Config) (m *Market, done func() error, err error)

	// Slow says to a person what is waited for, until done is called. nil: nobody is told.
	Slow func(what string) (done func())
}

// Desk is a command's way to a Market. It belongs to one command.
type Desk struct {
	cfg        DeskConfig
	socket     string
	state      State
	passphrase config.Secret
	own        *Market // nil: the program runs
	done       func() error
}

// OpenDesk finds the running program, or opens the data directory. Who is only
// looking needs no passphrase.
func OpenDesk(ctx context.Context, cfg DeskConfig, looking bool) (*Desk, error) {
	d := &Desk{cfg: cfg, socket: filepath.Join(cfg.Dir, serve.AdminSocket), done: func() error { return nil }}
	err := serve.Ask(ctx, d.socket, routeState, &d.state)
	switch {
	case errors.Is(err, serve.ErrNoDaemon):
		if looking {
			from := *cfg.Wallet.From
			cfg.Wallet.From = from.WithoutPassphrase()
		}
		if d.own, d.done, err = cfg.Open(ctx, cfg.Wallet); err != nil {
			return nil, err
		}
		if d.state, err = d.own.State(ctx); err != nil {
			return nil, errors.Join(err, d.done())
		}
		if why := d.own.books.Locked; why != nil && !looking {
			return nil, errors.Join(why, d.done())
		}
	case err != nil:
		return nil, said(err)
	case d.state.Locked && !looking:
		if d.passphrase, err = cfg.Wallet.Passphrase(ctx); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// Close ends the way.
func (d *Desk) Close() error { return d.done() }

// State says whose wallet it is, and on which chain.
func (d *Desk) State() State { return d.state }

// Runs reports whether a program runs on the data directory.
func (d *Desk) Runs() bool { return d.own == nil }

// said gives an error of the running program the exit code that it had there.
func said(err error) error { return app.Asked(err) }

// Quote says what an order will do and cost.
func (d *Desk) Quote(ctx context.Context, o Order) (Quote, error) {
	defer d.slow()()
	if d.own != nil {
		return d.own.Quote(ctx, o, d.passphrase)
	}
	return told[Quote](ctx, d, routeQuote, command{Order: o})
}

// Do does what a quote says.
func (d *Desk) Do(ctx context.Context, q Quote, tell func(Progress)) (Done, error) {
	if d.own != nil {
		return d.own.Do(ctx, q, d.passphrase, tell)
	}
	return d.stream(ctx, q, tell)
}

// Seen forgets an order of which the end is known.
func (d *Desk) Seen(ctx context.Context, o Order) error {
	defer d.slow()()
	if d.own != nil {
		return d.own.Seen(ctx, o)
	}
	_, err := told[struct{}](ctx, d, routeSeen, command{Order: o})
	return err
}

// Providers are those that sell.
func (d *Desk) Providers(ctx context.Context) ([]Listing, error) {
	defer d.slow()()
	if d.own != nil {
		return d.own.Providers(ctx)
	}
	return told[[]Listing](ctx, d, routeProviders, command{})
}

// Balance says what is where.
func (d *Desk) Balance(ctx context.Context) (Balance, error) {
	defer d.slow()()
	if d.own != nil {
		return d.own.Balance(ctx)
	}
	return told[Balance](ctx, d, routeBalance, command{})
}

// Earnings says what a provider has earned.
func (d *Desk) Earnings(ctx context.Context) (Earnings, error) {
	defer d.slow()()
	if d.own != nil {
		return d.own.Earnings(ctx, d.passphrase)
	}
	return told[Earnings](ctx, d, routeEarnings, command{})
}

// Rounds are the last rounds of a client.
func (d *Desk) Rounds(ctx context.Context, limit int) ([]channel.RoundInfo, error) {
	if d.own != nil {
		return d.own.Rounds(ctx, limit)
	}
	return told[[]channel.RoundInfo](ctx, d, routeRounds, command{Limit: limit})
}

// Contradictions are those that a client holds.
func (d *Desk) Contradictions(ctx context.Context) ([]Contradiction, error) {
	if d.own != nil {
		return d.own.Contradictions(ctx)
	}
	return told[[]Contradiction](ctx, d, routeWords, command{})
}

// Open opens a round.
func (d *Desk) Open(ctx context.Context, id ledger.RoundID) (Opened, error) {
	if d.own != nil {
		return d.own.Open(ctx, id, d.passphrase)
	}
	return told[Opened](ctx, d, routeOpen, command{Round: id})
}

// slow tells whoever looks that the chain is being asked: its server may not answer,
// and then that takes minutes. What only the ledger is asked for has no need of it.
func (d *Desk) slow() (done func()) {
	if d.cfg.Slow == nil {
		return func() {}
	}
	return d.cfg.Slow("the chain is asked; its server takes long to answer")
}

func told[Out any](ctx context.Context, d *Desk, route string, c command) (out Out, err error) {
	ctx, cancel := context.WithTimeout(ctx, quoteLimit)
	defer cancel()
	c.Passphrase = d.passphrase.Reveal()
	err = serve.Tell(ctx, d.socket, route, c, &out)
	return out, said(err)
}

// stream does what a quote says in the running program. If it ends, or the way to
// it does, what was sent goes on by itself.
func (d *Desk) stream(ctx context.Context, q Quote, tell func(Progress)) (done Done, err error) {
	ended := false
	c := command{Quote: &q, Passphrase: d.passphrase.Reveal()}
	err = serve.Stream(ctx, d.socket, routeDo, c, func(l line) error {
		switch {
		case l.Progress != nil:
			tell(*l.Progress)
		case l.Done != nil:
			done, ended = *l.Done, true
		case l.Error != "":
			return &serve.RefusedError{Status: l.Status, Reason: l.Error}
		}
		return nil
	})
	if err == nil && !ended {
		err = app.NotReady(errors.New("the running program ended before it was done"))
	}
	return done, said(err)
}
