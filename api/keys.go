package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/culvert-net/culvert/api/backend"
	"github.com/culvert-net/culvert/api/keys"
	"github.com/culvert-net/culvert/api/openai"
	"github.com/culvert-net/culvert/api/usage"
)

// door lets in who has a key or, as long as there are none, whose process it
// is.
type door struct {
	keys  *keys.Ring                  // nil: none
	local func(context.Context) error // nil: everybody
}

// open are the routes that need no key: probes, and the pointer to the others.
// None says what is asked here, or by whom.
var open = []string{"/", "/livez", "/readyz"}

func (d door) middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if slices.Contains(open, r.URL.Path) {
			next.ServeHTTP(w, r)
			return
		}
		x := exchangeOf(r)
		var e *openai.Error
		if x.grant, e = d.check(r); e == nil {
			x.header = w.Header()
			defer func() { // also of an answer that was cut
				if x.counted != nil {
					x.counted.settle()
				}
			}()
			next.ServeHTTP(w, r)
			return
		}
		if e.Status == http.StatusUnauthorized {
			w.Header().Set("WWW-Authenticate", "Bearer")
		}
		x.fail(w, e)
	})
}

// check is nil if r may be answered, with its grant where keys are required.
func (d door) check(r *http.Request) (*keys.Grant, *openai.Error) {
	if d.keys != nil && d.keys.Required() {
		return d.admit(r)
	}
	return nil, d.admitLocal(r)
}

// shown is what r has for a key. Clients of Anthropic's API have a header of
// their own.
func shown(r *http.Request) string {
	field := r.Header.Get("Authorization")
	if scheme, text, found := strings.Cut(field, " "); found && strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(text)
	}
	if field == "" {
		return r.Header.Get("X-Api-Key")
	}
	return field
}

// admit finds the key of r. What was shown is not repeated to anybody.
func (d door) admit(r *http.Request) (*keys.Grant, *openai.Error) {
	if len(r.Header.Values("Authorization")) > 1 || len(r.Header.Values("X-Api-Key")) > 1 {
		// Whoever looked at it before may have believed the other one.
		return nil, unauthorized("more than one API key was sent; send one")
	}
	text := shown(r)
	if text == "" {
		return nil, unauthorized("no API key was sent, and this bridge requires one: " +
			"send it as \"Authorization: Bearer " + keys.Prefix + "…\"; its owner makes one with: bridge keys add NAME")
	}
	g, err := d.keys.Find(text)
	if err != nil {
		return nil, refusedKey(err)
	}
	return g, nil
}

func refusedKey(err error) *openai.Error {
	return unauthorized("the API key " + err.Error() + "; bridge keys list shows those there are, bridge keys add NAME makes one")
}

func unauthorized(message string) *openai.Error {
	return &openai.Error{
		Status: http.StatusUnauthorized, Type: openai.TypeInvalidRequest,
		Code: "invalid_api_key", Message: message,
	}
}

func (d door) admitLocal(r *http.Request) *openai.Error {
	if d.local == nil {
		return nil
	}
	err := d.local(r.Context())
	if err == nil {
		return nil
	}
	e := forbidden("other_user", "this bridge has no API keys, so only programs of the user who runs it may use it, "+
		"and this connection is not known to come from one; that user makes a key for others with: bridge keys add NAME")
	e.Cause = err
	return e
}

// metered is a Backend that holds each request to what its key may do, and
// counts what it used. It stands where every route passes, so a route cannot
// be forgotten.
type metered struct {
	backend.Backend
	always  bool         // count also what no key is for
	keyless *keys.Budget // of who has no key; nil: no limit
}

// purse is a budget as a Backend knows it.
type purse struct{ *keys.Budget }

// Afford implements backend.Purse.
func (p purse) Afford() error {
	if err := p.Budget.Afford(); err != nil {
		return limitReached(err)
	}
	return nil
}

// Spent implements backend.Purse.
func (p purse) Spent(r backend.Receipt) { p.Budget.Spent(r.Cost) }

// Do implements backend.Backend.
func (m metered) Do(ctx context.Context, req *backend.Request) (*backend.Response, error) {
	x := ctx.Value(exchangeKey{}).(*exchange)
	if x.grant == nil {
		if m.keyless != nil {
			req.Purse = purse{m.keyless}
		}
		resp, err := m.Backend.Do(ctx, req)
		if err == nil && m.always {
			x.count(resp, 0)
		}
		return resp, err
	}
	if k := x.grant.Key(); !k.Allows(req.View.Model) {
		return nil, notAllowed(k, req.View.Model)
	} else if field := req.View.OtherModels(req.Body); field != "" && len(k.Models) > 0 {
		return nil, openai.Invalid(field, fmt.Sprintf("%s may name models besides model, and the key %q does not have access to all; leave it out", field, k.Name))
	}
	states, err := x.grant.Admit()
	setLimits(x.header, states)
	if err != nil {
		return nil, limitReached(err)
	}
	req.Purse = purse{x.grant.Budget()}
	resp, err := m.Backend.Do(ctx, req)
	if err != nil {
		return nil, err
	}
	if len(states) > 0 {
		// Those of the far end are about its own customer, who is not this one.
		for _, kind := range []keys.Kind{keys.Requests, keys.Tokens} {
			for _, name := range limitHeaders(kind) {
				resp.Header.Del(name)
			}
		}
	}
	x.count(resp, usage.Prompt(req.Body))
	return resp, nil
}

// count has the tokens of an answer of success counted while it is read.
func (x *exchange) count(resp *backend.Response, prompt int64) {
	if resp.Status != http.StatusOK {
		return
	}
	c := &counted{
		meter:  usage.NewMeter(resp.Body, backend.ContentType(resp.Header) == backend.ContentStream),
		Closer: resp.Body, grant: x.grant, prompt: prompt,
	}
	resp.Body, x.counted = c, c
}

// Models implements backend.Backend: a key sees what it may ask for.
func (m metered) Models(ctx context.Context) ([]backend.Model, error) {
	list, err := m.Backend.Models(ctx)
	x := ctx.Value(exchangeKey{}).(*exchange)
	if err != nil || x.grant == nil {
		return list, err
	}
	allowed := make([]backend.Model, 0, len(list))
	for _, one := range list {
		if k := x.grant.Key(); k.Allows(one.ID) || one.Alias != "" && k.Allows(one.Alias) {
			allowed = append(allowed, one)
		}
	}
	return allowed, nil
}

// counted is an answer whose tokens are counted: at its end, or when its
// handler has returned. It belongs to that handler, but for Close.
type counted struct {
	io.Closer
	meter  *usage.Meter
	grant  *keys.Grant // nil: none is charged
	prompt int64       // estimated tokens
	done   bool
}

// Read implements io.Reader. A document is counted before the client has it,
// so that the next request finds it counted.
func (c *counted) Read(p []byte) (int, error) {
	n, err := c.meter.Read(p)
	if err == io.EOF {
		c.settle()
	}
	return n, err
}

func (c *counted) settle() {
	if !c.done && c.grant != nil {
		c.done = true
		c.grant.Used(c.meter.Count(c.prompt).Tokens)
	}
}

// notAllowed is what OpenAI answers where a project has no access to a model.
func notAllowed(k *keys.Key, model string) *openai.Error {
	return &openai.Error{
		Status: http.StatusForbidden, Type: openai.TypeInvalidRequest, Param: "model", Code: "model_not_found",
		Message: fmt.Sprintf("the key %q does not have access to the model %q; it has access to: %s", k.Name, model, strings.Join(k.Models, ", ")),
	}
}

// patience is the longest wait that clients are let try again by themselves.
const patience = time.Minute

// limitReached is what a client is told that has used up a limit, or whose key
// was revoked while its body arrived.
func limitReached(err error) *openai.Error {
	over, ok := errors.AsType[*keys.LimitError](err)
	if !ok {
		return refusedKey(err)
	}
	return &openai.Error{
		Status: http.StatusTooManyRequests, Type: string(over.Kind), Code: codeLimit, RetryAfter: over.Reset,
		Message: fmt.Sprintf("the %s; it begins anew in %s, at %s", over.Error(), inWords(over.Reset), over.Until.Format("2006-01-02 15:04:05 MST")),
	}
}

// codeLimit is the code of a limit of a key that is used up.
const codeLimit = "rate_limit_exceeded"

// inVain reports whether to try again by itself, as OpenAI's own clients do,
// twice, would be of no use.
func inVain(e *openai.Error) bool {
	return e.Code == openai.CodeQuota || e.Code == codeLimit && e.RetryAfter > patience
}

// setLimits sets the headers in which OpenAI tells how far limits are used.
func setLimits(h http.Header, states keys.States) {
	for _, s := range states {
		names := limitHeaders(s.Kind)
		h.Set(names[0], strconv.FormatInt(s.Limit, 10))
		h.Set(names[1], strconv.FormatInt(s.Remaining, 10))
		h.Set(names[2], inWords(s.Reset))
	}
}

// limitHeaders are limit, remaining and reset of a kind.
func limitHeaders(kind keys.Kind) [3]string {
	return [3]string{"X-Ratelimit-Limit-" + string(kind), "X-Ratelimit-Remaining-" + string(kind), "X-Ratelimit-Reset-" + string(kind)}
}

// inWords is d as OpenAI writes it, "6m0s", in whole seconds or more.
func inWords(d time.Duration) string {
	return (d + time.Second - 1).Truncate(time.Second).String()
}
