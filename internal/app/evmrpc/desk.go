package evmrpc

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/culvert-net/culvert/circuit"
	"github.com/culvert-net/culvert/internal/app/node"
	"github.com/culvert-net/culvert/ledger/chain"
	"github.com/culvert-net/culvert/mesh/frame"
)

// DeskConfig says where questions are passed on to.
type DeskConfig struct {
	// Chain is one's own node, and the contract that may be asked about.
	Chain chain.Config

	// Changed is called after Alive has changed; nil: nobody is told.
	Changed func()

	Log *slog.Logger
}

// Desk passes the questions of others on to a node of one's own.
type Desk struct {
	cfg    DeskConfig
	client *http.Client
	rate   *rate.Limiter
	turns  chan struct{}
	held   atomic.Int64 // bytes of answers on their way

	mu      sync.Mutex
	alive   bool   // guarded by mu
	problem string // guarded by mu
	misses  int    // in a row; guarded by mu
	counts  Counts // guarded by mu
}

// Counts are what became of questions, since the start.
type Counts struct {
	Answered uint64 `json:"answered"`
	Refused  uint64 `json:"refused"` // not what a client of the contract asks, or no question
	Busy     uint64 `json:"busy"`    // there was too much to do
	Failed   uint64 `json:"failed"`  // the node did not answer, or more than there may be
}

// NewDesk checks cfg. It asks nobody anything yet.
func NewDesk(cfg DeskConfig) (*Desk, error) {
	if err := cfg.Chain.Check(); err != nil {
		return nil, err
	}
	transport := cfg.Chain.Transport
	if transport == nil {
		transport = http.DefaultTransport
	}
	return &Desk{
		cfg: cfg, rate: rate.NewLimiter(perSecond, burst), turns: make(chan struct{}, maxAsked),
		client: &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
	}, nil
}

// Alive reports whether the node answers for the right chain and contract, and is up
// to date.
func (d *Desk) Alive() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.alive
}

// DeskStatus is what the owner is told.
type DeskStatus struct {
	Alive   bool   `json:"alive"`
	Problem string `json:"problem,omitempty"` // of the node, at the last look
	Counts
}

// Status is how it goes.
func (d *Desk) Status() DeskStatus {
	d.mu.Lock()
	defer d.mu.Unlock()
	return DeskStatus{d.alive, d.problem, d.counts}
}

// Run looks at the node until ctx ends.
func (d *Desk) Run(ctx context.Context) error {
	for {
		wait := probeTime
		if !d.Look(ctx, nodeLimit) {
			wait = probeSoon
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
	}
}

// Look asks the node once, within limit, and reports whether it answered as it should.
func (d *Desk) Look(ctx context.Context, limit time.Duration) bool {
	within, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	err := chain.Probe(within, d.cfg.Chain)
	if ctx.Err() != nil {
		return true
	}
	d.mu.Lock()
	was := d.alive
	if err == nil {
		d.alive, d.problem, d.misses = true, "", 0
	} else if d.problem, d.misses = err.Error(), d.misses+1; d.misses >= maxMisses {
		d.alive = false
	}
	now := d.alive
	d.mu.Unlock()
	if now == was {
		return err == nil
	}
	if now {
		d.cfg.Log.Info("questions about the chain are passed on")
	} else {
		d.cfg.Log.Warn("questions about the chain are not passed on: the chain's node does not answer as it should", "err", err)
	}
	if d.cfg.Changed != nil {
		d.cfg.Changed()
	}
	return err == nil
}

// Serve answers what l accepts, until it is closed or ctx ends.
func (d *Desk) Serve(ctx context.Context, l *circuit.Listener) error {
	return node.ServeStreams(ctx, l, maxStreams, func(s *circuit.Stream) {
		asking, cancel := context.WithCancel(ctx)
		defer cancel()
		// Who leaves does not keep the node busy.
		left := context.AfterFunc(asking, func() { _ = s.Reset() })
		go func() {
			select {
			case <-s.Done():
				cancel()
			case <-asking.Done():
			}
		}()
		if d.answer(asking, s) {
			left()
			_ = node.Ending{Stream: s}.Close() // all was said
			return
		}
		_ = s.Reset()
	})
}

// stream is what a question comes on.
type stream interface {
	io.ReadWriter
	SetDeadline(t time.Time) error
}

// answer answers the question of a stream, and reports whether it could.
func (d *Desk) answer(ctx context.Context, s stream) bool {
	_ = s.SetDeadline(time.Now().Add(questionLimit)) // the next read shows whether it lives
	b, err := frame.Read(s, chain.MaxQuestion)
	if err != nil {
		d.count(refused)
		return false
	}
	_ = s.SetDeadline(time.Time{})
	verdict, o := d.pass(ctx, b)
	out, err := encode(verdict, o)
	if err != nil {
		verdict, out = silent, []byte{silent}
	}
	if held := int64(len(out)); d.held.Add(held) > maxHeld {
		d.held.Add(-held)
		verdict, out = busy, []byte{busy}
	} else {
		defer d.held.Add(-held)
	}
	d.count(verdict)
	_ = s.SetDeadline(time.Now().Add(answerLimit))
	return frame.Write(s, out) == nil
}

func (d *Desk) count(verdict byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch verdict {
	case answered:
		d.counts.Answered++
	case refused:
		d.counts.Refused++
	case busy:
		d.counts.Busy++
	default:
		d.counts.Failed++
	}
}

// pass puts a question to the node, if it is one that may be asked.
func (d *Desk) pass(ctx context.Context, b []byte) (byte, outcome) {
	q, err := chain.ParseQuestion(b)
	if err == nil {
		q, err = d.cfg.Chain.Passable(q)
	}
	if err != nil {
		return refused, outcome{}
	}
	if !d.rate.Allow() {
		return busy, outcome{}
	}
	turn, cancel := context.WithTimeout(ctx, turnLimit)
	defer cancel()
	select {
	case d.turns <- struct{}{}:
		defer func() { <-d.turns }()
	case <-turn.Done():
		return busy, outcome{}
	}
	within, cancel := context.WithTimeout(ctx, nodeLimit)
	defer cancel()
	o, err := d.ask(within, q)
	switch {
	case errors.Is(err, chain.ErrTooLarge):
		return large, outcome{}
	case errors.Is(err, chain.ErrBusy):
		return busy, outcome{}
	case err != nil:
		return silent, outcome{}
	}
	return answered, o
}

// ask asks the node. Errors stay here: they may name its address.
func (d *Desk) ask(ctx context.Context, q chain.Question) (o outcome, err error) {
	b, err := json.Marshal(call{Version: "2.0", ID: json.RawMessage("1"), Method: q.Method, Params: q.Params})
	if err != nil {
		return o, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, d.cfg.Chain.URL, bytes.NewReader(b))
	if err != nil {
		return o, err
	}
	r.Header.Set("Content-Type", "application/json")
	resp, err := d.client.Do(r)
	if err != nil {
		return o, err
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusTooManyRequests {
		return o, chain.ErrBusy
	}
	if resp.StatusCode != http.StatusOK {
		return o, fmt.Errorf("status %d: %w", resp.StatusCode, chain.ErrUnreachable)
	}
	b, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return o, err
	}
	if len(b) > maxAnswer {
		return o, chain.ErrTooLarge
	}
	if err := json.Unmarshal(b, &o); err != nil {
		return outcome{}, err
	}
	if (o.Result == nil) == (o.Error == nil) {
		if o.Error == nil {
			return outcome{}, chain.ErrAnswer
		}
		o.Result = nil // some say "result": null beside an error
	}
	if o.Error != nil {
		o.Error.short()
	}
	return o, nil
}
