package billing

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/culvert-net/culvert/api/openai"
	"github.com/culvert-net/culvert/api/tunnel"
	"github.com/culvert-net/culvert/internal/app/terms"
	"github.com/culvert-net/culvert/ledger"
	"github.com/culvert-net/culvert/ledger/channel"
)

// Config is what a Till is made of. Fields are required unless they say otherwise.
type Config struct {
	Payee *channel.Payee // started

	// Context is how many tokens prompt and answer of a model may have; 0: unknown.
	Context func(model string) int

	// Asks reports whether requests cost something at present: prices may be taken
	// back while the program runs.
	Asks func() bool

	// Look reads the chain, before a request is refused that it may cover by now; nil:
	// such a request is refused at once.
	Look func(context.Context) error

	Log *slog.Logger
}

// Till is a gateway's.
type Till struct {
	cfg    Config // immutable
	looker looker

	mu       sync.Mutex
	lines    map[round]*line    // pay streams by their round; guarded by mu
	open     map[*line]struct{} // pay streams, those that have no round yet too; guarded by mu
	opened   uint64             // pay streams so far; guarded by mu
	running  map[round]int      // rounds that are answered; guarded by mu
	refusals map[round]refusal  // that wait for their stream; guarded by mu
	paid     chan struct{}      // closed and made anew when a voucher came; guarded by mu
	counts   Counts             // guarded by mu
}

var _ tunnel.Biller = (*Till)(nil)

// round names one round among those of all channels.
type round struct {
	channel ledger.ChannelID
	epoch   uint32
	id      ledger.RoundID
}

// refusal waits for the pay stream on which its reason is told.
type refusal struct {
	frame *channel.ErrorFrame
	until time.Time
}

// Counts is what a till has done since it was opened.
type Counts struct {
	Admitted uint64 `json:"admitted"` // rounds
	Refused  uint64 `json:"refused"`  // requests
	Finished uint64 `json:"finished"` // with a complete answer
	Partial  uint64 `json:"partial"`  // whose answer was cut, by whomever
	Aborted  uint64 `json:"aborted"`  // without an answer
	Unpaid   uint64 `json:"unpaid"`   // ended for want of money
	Failed   uint64 `json:"failed"`   // whose result could not be kept
	Lines    int    `json:"lines"`    // pay streams that are open
}

// Open makes a till.
func Open(cfg Config) *Till {
	return &Till{
		cfg: cfg, lines: make(map[round]*line), open: make(map[*line]struct{}), running: make(map[round]int),
		refusals: make(map[round]refusal), paid: make(chan struct{}),
		looker: looker{read: cfg.Look, waiting: make(map[who]int)},
	}
}

// Counts is what was done so far.
func (t *Till) Counts() Counts {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.counts
	c.Lines = len(t.open)
	return c
}

func (t *Till) count(f func(*Counts)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f(&t.counts)
}

// Run keeps the books tidy until ctx ends.
func (t *Till) Run(ctx context.Context) error {
	tick := time.NewTicker(sweepTime)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case now := <-tick.C:
			if err := t.cfg.Payee.Sweep(ctx, now); err != nil && ctx.Err() == nil {
				t.cfg.Log.ErrorContext(ctx, "the ledger could not be tidied", "err", err)
			}
		}
	}
}

// Admit implements tunnel.Biller.
func (t *Till) Admit(ctx context.Context, a tunnel.Admission) (tunnel.Bill, *openai.Error) {
	if a.Header == "" {
		if !t.cfg.Asks() {
			return nil, nil
		}
		t.count(func(c *Counts) { c.Refused++ })
		return nil, &openai.Error{
			Status: http.StatusPaymentRequired, Type: openai.CodeQuota, Code: tunnel.CodePaymentRequired,
			Message: "this provider is paid for what it serves, and no payment came with the request",
		}
	}
	h, err := channel.ParseHeader(a.Header)
	if err != nil {
		return nil, t.refuse(nil, &channel.Refusal{Code: channel.CodeInvalid, Text: "the payment is none that this provider reads"})
	}
	req := h.Request.Message
	key := round{req.Channel, req.Epoch, req.RoundID}
	body := a.Request.Body
	most := terms.Of(body, a.Request.View)
	want := channel.Terms{
		RequestHash: channel.HashRequest(h.Salt, a.Request.Path, body),
		Model:       a.Request.View.Model, Input: most.Input, Output: most.Output, Images: most.Images,
	}
	if route, ok := openai.RouteOf(a.Request.Path); ok && route.Chunk != "" { // others write nothing
		want.OutputCap = terms.Cap(t.cfg.Context(want.Model), a.Request.View.Choices(body))
	}
	admitted, err := t.admit(ctx, h, want)
	if r, told := errors.AsType[*channel.Refusal](err); told {
		return nil, t.refuse(&key, r)
	}
	if err != nil {
		return nil, t.failed(ctx, err)
	}
	if admitted.Stored != nil {
		t.send(key, &channel.ResultFrame{Result: *admitted.Stored})
		return nil, &openai.Error{
			Status: http.StatusConflict, Type: openai.TypeInvalidRequest, Code: "content_gone",
			Message: "this round was answered before, and answers are not kept; nothing is charged again",
		}
	}
	t.mu.Lock()
	t.counts.Admitted++
	t.running[key]++
	t.mu.Unlock()
	return &bill{till: t, key: key, round: admitted.Round, hash: channel.NewResponseHash(h.Salt)}, nil
}

// admit reserves what the request may cost. What the contract does not hold for it as
// far as is known may have been bought since: it is looked at first.
func (t *Till) admit(ctx context.Context, h channel.Header, want channel.Terms) (channel.Admission, error) {
	a, err := t.cfg.Payee.Admit(ctx, time.Now(), h, want)
	r, told := errors.AsType[*channel.Refusal](err)
	if !told || !r.Unseen {
		return a, err
	}
	w := strangers
	if r.Code != channel.CodeChannel && r.Code != channel.CodeEpoch { // its signature was checked
		w = customers
	}
	if !t.looker.wait(ctx, w) {
		return a, err
	}
	return t.cfg.Payee.Admit(ctx, time.Now(), h, want)
}

// refuse is a refusal as an answer. Its details go over the pay stream, if the round
// is known.
func (t *Till) refuse(key *round, r *channel.Refusal) *openai.Error {
	t.count(func(c *Counts) { c.Refused++ })
	if key != nil {
		t.send(*key, r.Frame())
	}
	e := &openai.Error{
		Status: http.StatusPaymentRequired, Type: openai.CodeQuota, Code: tunnel.CodePaymentRefused, Message: r.Text,
	}
	switch r.Code {
	case channel.CodeUncovered, channel.CodeUnpaid, channel.CodeMaxCost:
		e.Status, e.Code = http.StatusTooManyRequests, tunnel.CodeQuota
	}
	return e
}

// failed is for a store that fails: the request is not worked on, since what it
// costs could not be kept.
func (t *Till) failed(ctx context.Context, err error) *openai.Error {
	if ctx.Err() == nil {
		t.cfg.Log.ErrorContext(ctx, "the ledger failed; nothing is answered that would not be paid", "err", err)
		t.count(func(c *Counts) { c.Failed++ })
	}
	e := openai.Unavailable("ledger_unavailable", "the provider cannot keep what it is paid at present; ask another", sweepTime)
	e.Cause = err
	return e
}
