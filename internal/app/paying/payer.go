package paying

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/culvert-net/culvert/api/openai"
	"github.com/culvert-net/culvert/api/tunnel"
	"github.com/culvert-net/culvert/internal/app/paying/purse"
	"github.com/culvert-net/culvert/internal/app/terms"
	"github.com/culvert-net/culvert/ledger"
	"github.com/culvert-net/culvert/ledger/channel"
)

// Offer is what a provider asks for a model, and who it is.
type Offer struct {
	Provider ledger.Address
	Sheet    *ledger.Sheet
	Context  int // tokens that prompt and answer of the model may have; 0: unknown
}

// Config is what a Payer is made of. Fields are required unless they say otherwise.
type Config struct {
	Payer  *channel.Payer // started
	Purses *purse.Book

	// Offer is what a target asks for now; nil: it is free. The error says why what
	// it says of money counts for nothing.
	Offer func(to tunnel.Target, now time.Time) (*Offer, error)

	// Beside opens a pay stream on the circuit of a request's stream.
	Beside func(ctx context.Context, conn tunnel.Conn) (tunnel.Conn, error)

	// MaxOutput is the most tokens of an answer, for each choice, that money is set
	// aside for where the request does not say; 0: terms.DefaultOutput.
	MaxOutput uint64

	// Buy is the command that buys from a provider, for the account of an API key or,
	// if that is "", for all.
	Buy func(provider ledger.Address, account string) string

	// Money is an amount for people.
	Money func(ledger.Amount) string

	// TopUp buys more by itself; the zero value: nothing is.
	TopUp TopUp

	Log *slog.Logger
}

// Payer is a bridge's.
type Payer struct {
	cfg Config // immutable

	settling sync.WaitGroup        // payments that are not over
	lows     chan ledger.ChannelID // that may have little left
	heard    chan struct{}         // a provider has said that it holds a voucher

	mu       sync.Mutex
	stopped  bool                               // nothing is opened any more; guarded by mu
	live     map[*payment]context.CancelFunc    // payments that are not over; guarded by mu
	ended    chan struct{}                      // closed and made anew when one is; guarded by mu
	flights  map[ledger.ChannelID]*flight       // comparisons under way; guarded by mu
	left     map[ledger.Address]channel.Dispute // providers, and why; guarded by mu
	wary     map[ledger.ChannelID]time.Time     // until when nothing is borrowed; guarded by mu
	balances map[ledger.Address]ledger.Amount   // free, by provider; guarded by mu
	looked   time.Time                          // at balances; guarded by mu
	counts   Counts                             // guarded by mu
}

var _ tunnel.Payer = (*Payer)(nil)

// Counts is what a Payer has done since it was made.
type Counts struct {
	Opened   uint64 `json:"opened"`    // rounds
	Paid     uint64 `json:"paid"`      // with a result that was confirmed
	Refused  uint64 `json:"refused"`   // that cost nothing: the provider did not admit them, or nothing was sent
	Aborted  uint64 `json:"aborted"`   // without a result
	Disputed uint64 `json:"disputed"`  // whose figure was not believed
	Unpaid   uint64 `json:"unpaid"`    // requests for which there was no money
	Waited   uint64 `json:"waited"`    // requests that others were in the way of: they waited, or went elsewhere
	Resyncs  uint64 `json:"resyncs"`   // comparisons of books
	ToppedUp uint64 `json:"topped_up"` // channels, by itself
	Failed   uint64 `json:"failed"`    // times that the ledger failed
}

// New makes a Payer, which leaves those that were left before.
func New(ctx context.Context, cfg Config) (*Payer, error) {
	p := &Payer{
		cfg: cfg, lows: make(chan ledger.ChannelID, maxLows), heard: make(chan struct{}, 1), live: make(map[*payment]context.CancelFunc), ended: make(chan struct{}),
		flights: make(map[ledger.ChannelID]*flight), left: make(map[ledger.Address]channel.Dispute),
		wary: make(map[ledger.ChannelID]time.Time),
	}
	if p.cfg.MaxOutput == 0 {
		p.cfg.MaxOutput = terms.DefaultOutput
	}
	disputes, err := cfg.Payer.Disputes(ctx, maxDisputes)
	if err != nil {
		return nil, fmt.Errorf("disputes: %w", err)
	}
	for _, d := range disputes {
		if _, known := p.left[d.Provider]; !known { // the newest comes first
			p.left[d.Provider] = d
		}
	}
	return p, nil
}

// Run keeps the books tidy until ctx ends, and then waits a little for what is
// being settled.
func (p *Payer) Run(ctx context.Context) error {
	tick := time.NewTicker(sweepTime)
	defer tick.Stop()
	var buying sync.WaitGroup
	buying.Go(func() { p.topUps(ctx) })
	defer buying.Wait()
	var flush <-chan time.Time // nil: nothing was heard
	for {
		select {
		case <-ctx.Done():
			p.stop()
			return nil
		case <-p.heard:
			if flush == nil {
				flush = time.After(flushTime)
			}
		case <-flush:
			flush = nil
			p.flush(ctx)
		case now := <-tick.C:
			if err := p.cfg.Payer.Sweep(ctx, now); err != nil && ctx.Err() == nil {
				p.failed(ctx, "the ledger could not be tidied", err)
			}
		}
	}
}

// stop ends what is under way, after a while.
func (p *Payer) stop() {
	p.mu.Lock()
	p.stopped = true
	p.mu.Unlock()
	late := time.AfterFunc(stopLimit, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, cancel := range p.live {
			cancel()
		}
	})
	defer late.Stop()
	p.settling.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), stopLimit)
	defer cancel()
	p.flush(ctx)
}

// flush writes what providers have said of vouchers, which others who look at the books
// see then.
func (p *Payer) flush(ctx context.Context) {
	if err := p.cfg.Payer.Flush(ctx); err != nil && ctx.Err() == nil {
		p.failed(ctx, "what providers have accepted could not be kept", err)
	}
}

// Open implements tunnel.Payer.
func (p *Payer) Open(ctx context.Context, to tunnel.Target, ask tunnel.Ask) (tunnel.Payment, error) {
	now := time.Now()
	offer, err := p.cfg.Offer(to, now)
	if err != nil {
		return nil, unpriced(err)
	}
	if offer == nil {
		return nil, nil
	}
	if d, left := p.leftFor(offer.Provider, now); left {
		return nil, leftError(d)
	}
	order, free, err := p.order(offer, ask)
	if err != nil {
		return nil, err
	}
	m := &payment{p: p, conn: ask.Conn, offer: offer}
	round, err := p.reserve(ctx, m, order, ask, free)
	if errors.Is(err, tunnel.ErrWaits) {
		return nil, err
	}
	if err != nil {
		return nil, p.noMoney(ctx, err, offer, ask.Request.Account)
	}
	m.round, m.hash = round, channel.NewResponseHash(round.Salt())
	p.count(func(c *Counts) { c.Opened++ })
	if !p.begin(m) {
		return nil, errors.Join(errStopping, m.round.Refused(context.WithoutCancel(ctx), now, &channel.Refusal{Code: channel.CodeBusy}))
	}
	return m, nil
}

// order is what the request can use at most, as the provider counts it, too. free:
// the request does not bound its answer.
func (p *Payer) order(offer *Offer, ask tunnel.Ask) (o channel.Order, free bool, err error) {
	route, ok := openai.RouteOf(ask.Request.Path)
	if !ok {
		return o, false, fmt.Errorf("no route %s", ask.Request.Path)
	}
	view, e := route.Parse(ask.Body)
	if e != nil {
		return o, false, e
	}
	most := terms.Of(ask.Body, view)
	o = channel.Order{
		Target: ask.Request.Path, Body: ask.Body, Sheet: offer.Sheet, Model: view.Model,
		Input: most.Input, Output: most.Output, Images: most.Images, TTL: channel.MaxTTL,
	}
	if _, priced := offer.Sheet.Price(view.Model); !priced {
		return o, false, unpriced(fmt.Errorf("its price sheet does not list %q", view.Model))
	}
	if route.Chunk == "" {
		return o, false, nil // nothing is written
	}
	free = o.Output == 0
	limit := terms.Cap(offer.Context, view.Choices(ask.Body))
	if free {
		limit = min(limit, p.cfg.MaxOutput*uint64(view.Choices(ask.Body)))
	}
	if free || limit < o.Output {
		o.Output = limit
	}
	// What is thought and not shown is bounded by the same number of the body's, and
	// costs what the sheet says of it.
	o.Reasoning = o.Output
	return o, free, nil
}

// reserve opens the round, with whatever purse covers it. What is reserved for requests
// in progress is free again when they have ended, and most of them need far less: there
// is room soon. The stream is not kept for all of that time.
func (p *Payer) reserve(ctx context.Context, m *payment, o channel.Order, ask tunnel.Ask, free bool) (*channel.Payment, error) {
	late, stale := time.NewTimer(roomLimit-ask.Waited), time.NewTimer(tunnel.OpenLimit)
	defer late.Stop()
	defer stale.Stop()
	for {
		p.mu.Lock()
		ended := p.ended
		p.mu.Unlock()
		round, err := p.fit(ctx, m, o, ask.Request.Account, free)
		if !errors.Is(err, channel.ErrRunning) {
			return round, err
		}
		if ask.Waited == 0 { // it may go to somebody else
			p.count(func(c *Counts) { c.Waited++ })
			return nil, tunnel.ErrWaits
		}
		select {
		case <-ended:
		case <-time.After(runningTick):
		case <-late.C:
			return nil, err
		case <-stale.C:
			return nil, tunnel.ErrWaits
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// fit opens the round as there is room for it now. An answer that the request leaves
// free is bounded by what there is: most are far shorter than what a model could write.
func (p *Payer) fit(ctx context.Context, m *payment, o channel.Order, account string, free bool) (*channel.Payment, error) {
	for {
		round, err := p.try(ctx, m, o, account)
		if !free || o.Output <= leastOutput || !short(err) {
			return round, err
		}
		o.Output = max(leastOutput, o.Output/2)
		o.Reasoning = o.Output
	}
}

// short reports whether an error says that the money that is there, or that may be
// risked, does not cover a round.
func short(err error) bool {
	return errors.Is(err, channel.ErrFunds) || errors.Is(err, channel.ErrWindow)
}

func (p *Payer) try(ctx context.Context, m *payment, o channel.Order, account string) (*channel.Payment, error) {
	id, err := p.choose(ctx, m.offer, o, account)
	if err != nil {
		return nil, err
	}
	defer p.low(id)
	o.Channel, o.Ahead = id, p.isWary(id)
	round, err := p.cfg.Payer.Open(ctx, time.Now(), o)
	if !errors.Is(err, channel.ErrResync) {
		return round, err
	}
	if err := p.resync(ctx, id, m.conn); err != nil {
		return nil, err
	}
	return p.cfg.Payer.Open(ctx, time.Now(), o)
}

// choose is the channel that pays. Where none covers the request, it is one that
// would if there was more in it, which says so when it is used.
func (p *Payer) choose(ctx context.Context, offer *Offer, o channel.Order, account string) (ledger.ChannelID, error) {
	keys, err := p.cfg.Purses.Find(ctx, offer.Provider, account)
	if err != nil {
		return ledger.ChannelID{}, err
	}
	most, err := o.MaxCost(offer.Sheet.UnitPrice)
	if err != nil {
		return ledger.ChannelID{}, err
	}
	for _, need := range []ledger.Amount{most, {}} {
		for _, key := range keys {
			id, err := p.cfg.Payer.Choose(ctx, offer.Provider, key, need)
			if !errors.Is(err, channel.ErrNoChannel) {
				return id, err
			}
		}
	}
	return ledger.ChannelID{}, channel.ErrNoChannel
}

// notCovered is for a provider that did not admit a round for want of money: what it
// allowed was borrowed elsewhere meanwhile, on another channel of ours or by others.
// The next rounds are paid ahead.
func (p *Payer) notCovered(id ledger.ChannelID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wary[id] = time.Now().Add(waryTime)
}

func (p *Payer) isWary(id ledger.ChannelID) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return time.Now().Before(p.wary[id])
}

func (p *Payer) count(f func(*Counts)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f(&p.counts)
}

// failed is for a ledger that fails where nobody can be told.
func (p *Payer) failed(ctx context.Context, what string, err error) {
	p.cfg.Log.ErrorContext(ctx, what, "err", err)
	p.count(func(c *Counts) { c.Failed++ })
}
