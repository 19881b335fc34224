package evmrpc

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	mrand "math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/culvert-net/culvert/circuit"
	"github.com/culvert-net/culvert/internal/app/node"
	"github.com/culvert-net/culvert/ledger"
	"github.com/culvert-net/culvert/ledger/chain"
	"github.com/culvert-net/culvert/mesh/directory"
	"github.com/culvert-net/culvert/mesh/frame"
)

// URL is where ledger/chain thinks that it asks: an address that nobody has.
const URL = "http://chain.invalid"

// Stream is one to a desk.
type Stream interface {
	io.ReadWriteCloser
	SetDeadline(t time.Time) error
}

// Opener opens streams to desks.
type Opener interface {
	Open(ctx context.Context, to [32]byte, group circuit.Group) (Stream, error)
}

// Over opens them over circuits.
type Over struct{ Circuits *circuit.Client }

var _ Opener = Over{}

// Open implements Opener.
func (o Over) Open(ctx context.Context, to [32]byte, group circuit.Group) (Stream, error) {
	return o.Circuits.DialKind(ctx, to, group, circuit.StreamChain)
}

// RoadConfig is what a Road needs.
type RoadConfig struct {
	Opener Opener
	Known  interface{ Snapshot() *directory.Snapshot }

	// Paid reports whether this bridge has money with a provider of the market, which
	// is then not asked what became of it; nil: it has none with anybody. It may be called at
	// any time, and does not block.
	Paid func(provider ledger.Address) bool

	// Chain is what a provider is measured by; its URL and Transport are not looked at.
	Chain chain.Config

	Log *slog.Logger
}

// Road is a bridge's way to the chain, by two providers.
type Road struct {
	cfg             RoadConfig
	asked, compared *lane

	mu    sync.Mutex
	seats map[*lane][32]byte     // who is asked; guarded by mu
	avoid map[[32]byte]time.Time // who is passed over, until when; guarded by mu
}

var (
	// ErrNobody: there is nobody to ask.
	ErrNobody = errors.New("too few providers pass questions about the chain on; wait for others, or run a node of the chain yourself and set [chain] via = \"own\" and its url")

	errNotPassed = errors.New("it does not pass on what this contract needs")
	errSilent    = errors.New("its node of the chain does not answer")
)

// NewRoad makes a road. It asks nobody anything yet.
func NewRoad(cfg RoadConfig) *Road {
	r := &Road{cfg: cfg, seats: make(map[*lane][32]byte), avoid: make(map[[32]byte]time.Time)}
	r.cfg.Chain.URL, r.cfg.Chain.Witness, r.cfg.Chain.Failed = URL, nil, nil
	for _, l := range []**lane{&r.asked, &r.compared} {
		*l = &lane{road: r, turn: make(chan struct{}, 1)}
		rand.Read((*l).group[:]) // never fails: crypto/rand crashes the program instead
	}
	return r
}

// Asked carries questions to one provider, and Compared to another one.
func (r *Road) Asked() http.RoundTripper { return r.asked }

// Compared is the other way.
func (r *Road) Compared() http.RoundTripper { return r.compared }

// Failed is told why a pass of the reader failed. If it is not that somebody was
// silent, one of the two was wrong, and others are asked next.
func (r *Road) Failed(err error) {
	if errors.Is(err, chain.ErrMoved) || errors.Is(err, chain.ErrUnreachable) || errors.Is(err, chain.ErrBusy) {
		return
	}
	for _, l := range []*lane{r.asked, r.compared} {
		r.mu.Lock()
		at, ok := r.seats[l]
		r.mu.Unlock()
		if ok {
			l.leave(at, doubtedFor, err)
		}
	}
}

// RoadStatus is what the owner is told.
type RoadStatus struct {
	Asked    string `json:"asked,omitempty"`    // who is asked at present, by name
	Compared string `json:"compared,omitempty"` // and whom that is compared with
	Listed   int    `json:"listed"`             // who offers it
}

// Status is how it goes.
func (r *Road) Status() RoadStatus {
	snap := r.cfg.Known.Snapshot()
	name := func(l *lane) string {
		r.mu.Lock()
		defer r.mu.Unlock()
		n, ok := snap.Node(r.seats[l])
		if !ok || !r.fits(n) { // it is left at the next question
			return ""
		}
		return node.DisplayName(n)
	}
	return RoadStatus{Asked: name(r.asked), Compared: name(r.compared), Listed: len(snap.ChainRPC())}
}

// fits reports whether a node may be asked.
func (r *Road) fits(n directory.Node) bool {
	return n.ChainRPC && (r.cfg.Paid == nil || !slices.ContainsFunc(n.Pay, func(p directory.Pay) bool {
		return r.cfg.Paid(ledger.Address(p.Provider))
	}))
}

// choose gives a lane somebody who is not the other one's: one who was not passed
// over, or else the one who was for the shortest time to come. What it then says is
// measured like anybody's.
func (r *Road) choose(l *lane) ([32]byte, error) {
	all := r.cfg.Known.Snapshot().ChainRPC()
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.seats, l)
	now := time.Now()
	taken := func(key [32]byte) bool {
		for _, at := range r.seats {
			if at == key {
				return true
			}
		}
		return false
	}
	var best [32]byte
	found, least := 0, time.Time{}
	for _, n := range all {
		if !r.fits(n) || taken(n.Key) {
			continue
		}
		until := r.avoid[n.Key]
		if until.Before(now) {
			until = time.Time{}
		}
		switch {
		case found == 0 || until.Before(least):
			best, least, found = n.Key, until, 1
		case until.Equal(least):
			if found++; mrand.IntN(found) == 0 {
				best = n.Key
			}
		}
	}
	if found == 0 {
		return best, fmt.Errorf("%d are listed, and nobody is left whom this bridge does not pay, beside the one that answers are compared with: %w", len(all), ErrNobody)
	}
	r.seats[l] = best
	return best, nil
}

// lane is one of the two ways. Its questions share circuits with each other, and
// with nothing else.
type lane struct {
	road  *Road
	group circuit.Group
	turn  chan struct{} // held by whoever chooses

	mu       sync.Mutex
	measured [32]byte // who was, and may be asked; zero: nobody; guarded by mu
}

var _ http.RoundTripper = (*lane)(nil)

// RoundTrip implements http.RoundTripper.
func (l *lane) RoundTrip(r *http.Request) (*http.Response, error) {
	return exchange(r, func(q []byte) (outcome, error) { return l.ask(r.Context(), q) })
}

// exchange is one call of an Ethereum client, over HTTP as far as that knows.
func exchange(r *http.Request, ask func(question []byte) (outcome, error)) (*http.Response, error) {
	defer r.Body.Close()
	c, err := readCall(r.Body)
	if err != nil {
		return nil, err
	}
	q, err := json.Marshal(chain.Question{Method: c.Method, Params: append([]json.RawMessage{}, c.Params...)})
	if err != nil {
		return nil, err
	}
	o, err := ask(q)
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(struct {
		Version string          `json:"jsonrpc"`
		ID      json.RawMessage `json:"id"`
		outcome
	}{"2.0", c.ID, o})
	if err != nil {
		return nil, err
	}
	return &http.Response{
		Status: "200 OK", StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"application/json"}}, ContentLength: int64(len(body)),
		Body: io.NopCloser(bytes.NewReader(body)), Request: r,
	}, nil
}

// ask asks somebody, and others if that one does not answer. All that is asked may
// be asked twice: a transaction that was sent before is the same transaction.
func (l *lane) ask(ctx context.Context, q []byte) (outcome, error) {
	var last error
	for range maxTries {
		at, err := l.seat(ctx)
		if err != nil {
			return outcome{}, errors.Join(err, last)
		}
		o, err := l.road.put(ctx, at, l.group, q)
		if err == nil {
			return o, nil
		}
		if ctx.Err() != nil {
			return outcome{}, ctx.Err()
		}
		last = err
		l.leave(at, passedOver(err), err)
	}
	return outcome{}, fmt.Errorf("%d providers were asked: %w", maxTries, last)
}

// passedOver is for how long a provider is, that failed like this.
func passedOver(err error) time.Duration {
	for _, wrong := range []error{errGarbage, errNotPassed, frame.ErrSize, chain.ErrChainID, chain.ErrCode, chain.ErrTooLarge, chain.ErrInconsistent, chain.ErrAnswer} {
		if errors.Is(err, wrong) {
			return wrongFor
		}
	}
	return silentFor
}

// leave has somebody else asked next.
func (l *lane) leave(at [32]byte, howLong time.Duration, why error) {
	r := l.road
	r.mu.Lock()
	if until := time.Now().Add(howLong); r.avoid[at].Before(until) {
		r.avoid[at] = until
	}
	if r.seats[l] == at {
		delete(r.seats, l)
	}
	listed := r.cfg.Known.Snapshot()
	for key, until := range r.avoid {
		if _, ok := listed.Node(key); !ok && until.Before(time.Now()) {
			delete(r.avoid, key)
		}
	}
	r.mu.Unlock()
	l.mu.Lock()
	if l.measured == at {
		l.measured = [32]byte{}
	}
	l.mu.Unlock()
	r.cfg.Log.Debug("another provider is asked about the chain", "provider", node.ShortID(at), "why", why)
}

// seat is who is asked: the one who was, or somebody new, who is measured first: chain,
// contract, and how old the newest block is.
func (l *lane) seat(ctx context.Context) ([32]byte, error) {
	select {
	case l.turn <- struct{}{}:
		defer func() { <-l.turn }()
	case <-ctx.Done():
		return [32]byte{}, ctx.Err()
	}
	l.mu.Lock()
	at := l.measured
	l.mu.Unlock()
	if n, ok := l.road.cfg.Known.Snapshot().Node(at); ok && l.road.fits(n) {
		return at, nil
	}
	var last error
	for range maxTries {
		at, err := l.road.choose(l)
		if err != nil {
			return at, errors.Join(err, last)
		}
		c := l.road.cfg.Chain
		c.Transport = single{l, at}
		if err = chain.Probe(ctx, c); err == nil {
			l.mu.Lock()
			l.measured = at
			l.mu.Unlock()
			return at, nil
		}
		if ctx.Err() != nil {
			return at, ctx.Err()
		}
		last = err
		l.leave(at, passedOver(err), err)
	}
	return [32]byte{}, fmt.Errorf("%d providers were measured: %w", maxTries, last)
}

// single carries questions to one provider.
type single struct {
	lane *lane
	at   [32]byte
}

// RoundTrip implements http.RoundTripper.
func (s single) RoundTrip(r *http.Request) (*http.Response, error) {
	return exchange(r, func(q []byte) (outcome, error) { return s.lane.road.put(r.Context(), s.at, s.lane.group, q) })
}

// put asks one provider one question, on a stream of its own.
func (r *Road) put(ctx context.Context, at [32]byte, group circuit.Group, q []byte) (outcome, error) {
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	s, err := r.cfg.Opener.Open(ctx, at, group)
	if err != nil {
		return outcome{}, err
	}
	defer s.Close()
	stop := context.AfterFunc(ctx, func() { _ = s.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if err := frame.Write(s, q); err != nil {
		return outcome{}, fmt.Errorf("asking: %w", err)
	}
	b, err := frame.Read(s, 1+maxAnswer)
	if err != nil {
		return outcome{}, fmt.Errorf("asking: %w", err)
	}
	verdict, o, err := decode(b)
	switch {
	case err != nil:
		return o, err
	case verdict == refused:
		return o, errNotPassed
	case verdict == busy:
		return o, chain.ErrBusy
	case verdict == silent:
		return o, errSilent
	case verdict == large:
		// What a server says of a page that is too large: ledger/chain asks for less.
		return outcome{Error: &fault{Code: -32005, Message: fmt.Sprintf("the answer is larger than %d bytes", maxAnswer)}}, nil
	}
	return o, nil
}
