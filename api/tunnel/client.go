package tunnel

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/culvert-net/culvert/api/backend"
	"github.com/culvert-net/culvert/api/body"
	"github.com/culvert-net/culvert/api/openai"
)

// ClientConfig is what a Client needs.
type ClientConfig struct {
	Router Router       // chooses providers; required
	Dialer Dialer       // opens streams to them; required
	Payer  Payer        // pays them; nil: nobody is paid, and who wants money refuses
	Log    *slog.Logger // nil: silent
}

// Client is the asking end of the tunnel, a backend.Backend.
type Client struct {
	router Router       // immutable
	dialer Dialer       // immutable
	payer  Payer        // immutable
	log    *slog.Logger // immutable
	secret [32]byte     // of this start, for pseudonyms; immutable
}

var _ backend.Backend = (*Client)(nil)

// NewClient returns a Client. There is nothing to close: every request cleans
// up after itself.
func NewClient(cfg ClientConfig) (*Client, error) {
	if cfg.Router == nil || cfg.Dialer == nil {
		return nil, errors.New("tunnel client: Router and Dialer are required")
	}
	c := &Client{router: cfg.Router, dialer: cfg.Dialer, payer: cfg.Payer, log: cfg.Log}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	_, _ = rand.Read(c.secret[:]) // never fails
	return c, nil
}

// Models lists what the providers in reach serve.
func (c *Client) Models(context.Context) ([]backend.Model, error) {
	return c.router.Models(), nil
}

// Do sends req to a provider, and to a second one if the first fails before a
// byte of its answer. It returns when a provider has committed to an answer;
// the answer's first Read may still move to the second provider.
//
// Origin names the provider that committed. ctx governs the answer too.
func (c *Client) Do(ctx context.Context, req *backend.Request) (*backend.Response, error) {
	route, bad := checkRoute(req.Method, req.Path)
	if bad != nil {
		return nil, bad
	}
	if len(req.Body) > body.MaxBody {
		return nil, errTooLarge()
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	reqCtx, cancel := context.WithCancel(ctx)
	call := &call{client: c, req: req, needs: route.Needs}
	x, err := call.run(reqCtx, nil)
	if err == nil {
		answer := newAnswerBody(reqCtx, cancel, call, x)
		resp := &backend.Response{Status: http.StatusOK, Header: x.answer.header, Body: answer, Origin: x.origin}
		if x.payment != nil {
			resp.Settled = answer.settled
		}
		return resp, nil
	}
	cancel()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if e, ok := errors.AsType[*unpaid](err); ok {
		return nil, e.api
	}
	r, said := errors.AsType[*refusal](err)
	switch {
	case !said:
		return nil, err
	case r.elsewhere(): // the last of failed attempts rather than an answer
		return nil, r.api
	}
	return r.response(), nil
}

// call is one request and the attempts made at it. Owned by Do, then by the
// reader of the answer.
type call struct {
	client *Client
	req    *backend.Request
	needs  openai.Capability
	tried  []Target // in order; at most maxAttempts
}

// run makes attempts until one has an answer or none is left. last is what
// ended the attempt before, nil if there was none. Its errors are *refusal,
// *unpaid, *openai.Error, or ctx's own.
func (k *call) run(ctx context.Context, last error) (*exchange, error) {
	for {
		to, err := k.next(last)
		if err != nil {
			return nil, err
		}
		x, err := k.attempt(ctx, to)
		switch {
		case err == nil:
			return x, nil
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case len(k.tried) == maxAttempts:
			return nil, err
		}
		if r, ok := errors.AsType[*refusal](err); ok && !r.elsewhere() {
			return nil, err
		}
		last = err
	}
}

// attempt asks a provider. Where its payment would have to wait for other requests,
// somebody else is asked at once, if there is one who can be paid without waiting.
func (k *call) attempt(ctx context.Context, to Target) (*exchange, error) {
	began := time.Now()
	x, err := k.client.exchange(ctx, k.req, to, 0)
	if errors.Is(err, ErrWaits) {
		if other, y, otherErr := k.elsewhere(ctx, to); other != (Target{}) {
			to, x, err = other, y, otherErr
		}
	}
	k.tried = append(k.tried, to)
	for errors.Is(err, ErrWaits) {
		x, err = k.client.exchange(ctx, k.req, to, max(1, time.Since(began)))
	}
	return x, err
}

// elsewhere asks another provider than the one whose payment has to wait. The zero
// Target: there is none, or it cannot be paid at once either.
func (k *call) elsewhere(ctx context.Context, waits Target) (Target, *exchange, error) {
	other, err := k.client.router.Choose(k.req.View.Model, k.needs, append(slices.Clone(k.tried), waits))
	if err != nil {
		return Target{}, nil, err
	}
	x, err := k.client.exchange(ctx, k.req, other, 0)
	if errors.Is(err, ErrWaits) {
		k.client.router.Report(other, OutcomeCancelled)
		return Target{}, nil, err
	}
	if _, ok := errors.AsType[*unpaid](err); ok {
		return Target{}, nil, err
	}
	k.client.router.Report(waits, OutcomeCancelled)
	return other, x, err
}

// next chooses who to ask: nobody twice while there is somebody else. With
// nobody else the same provider gets a second chance over another circuit,
// unless it was the provider itself that said no, or it cannot be paid. Where it
// said that the payment does not cover the request, the payer knows by then, and
// may pay more.
func (k *call) next(last error) (Target, error) {
	to, err := k.client.router.Choose(k.req.View.Model, k.needs, k.tried)
	switch {
	case err == nil:
		return to, nil
	case last == nil:
		return Target{}, chooseError(k.req.View.Model, k.needs, err)
	}
	if r, said := errors.AsType[*refusal](last); said && !r.again {
		return Target{}, last
	}
	if _, ok := errors.AsType[*unpaid](last); ok {
		return Target{}, last
	}
	return k.tried[len(k.tried)-1], nil
}

// pseudonym is what a provider sees instead of a value that would link
// requests: the same for the same value on one circuit, unrelated elsewhere
// and after a restart.
func (c *Client) pseudonym(circuit, field, value string) string {
	const size = 16 // bytes: no two values of a circuit will meet
	mac := hmac.New(sha256.New, c.secret[:])
	for _, s := range []string{circuit, field, value} {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(s)))
		mac.Write(n[:])
		mac.Write([]byte(s))
	}
	return hex.EncodeToString(mac.Sum(nil)[:size])
}
