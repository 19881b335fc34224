package market

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/config"
	"github.com/culvert-net/culvert/internal/serve"
	"github.com/culvert-net/culvert/ledger"
)

// Routes of the admin socket.
const (
	routeState     = "/market"
	routeQuote     = "/market/quote"
	routeDo        = "/market/do"
	routeSeen      = "/market/seen"
	routeProviders = "/market/providers"
	routeBalance   = "/market/balance"
	routeEarnings  = "/market/earnings"
	routeRounds    = "/market/rounds"
	routeOpen      = "/market/open"
	routeExamine   = "/market/examine"
	routeWords     = "/market/contradictions"
)

// command is what a command tells a running program.
type command struct {
	Order      Order          `json:"order,omitzero"`
	Quote      *Quote         `json:"quote,omitempty"`
	Limit      int            `json:"limit,omitempty"`
	Round      ledger.RoundID `json:"round,omitzero"`
	Passphrase string         `json:"passphrase,omitempty"` // for this command alone
}

func (c *command) secret() config.Secret { return config.NewSecret(c.Passphrase) }

// line is one of the answer to routeDo: of many how far it is, and of one the end.
type line struct {
	Progress *Progress `json:"progress,omitempty"`
	Done     *Done     `json:"done,omitempty"`
	Error    string    `json:"error,omitempty"`
	Status   int       `json:"status,omitempty"` // of HTTP, of the error
}

// Admin adds the orders of m to what an admin socket serves; m is nil where there is
// no chain, and why says so. Only the owner can connect to it.
func Admin(m *Market, why error, rest http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", rest)
	if m == nil {
		mux.HandleFunc(routeState, func(w http.ResponseWriter, _ *http.Request) { refuse(w, why) })
		return mux
	}
	mux.HandleFunc("GET "+routeState, func(w http.ResponseWriter, r *http.Request) {
		s, err := m.State(r.Context())
		answer(w, s, err)
	})
	handle(mux, routeQuote, func(ctx context.Context, c command) (any, error) { return m.Quote(ctx, c.Order, c.secret()) })
	handle(mux, routeSeen, func(ctx context.Context, c command) (any, error) { return struct{}{}, m.Seen(ctx, c.Order) })
	handle(mux, routeProviders, func(ctx context.Context, _ command) (any, error) { return m.Providers(ctx) })
	handle(mux, routeExamine, func(ctx context.Context, _ command) (any, error) { return m.Examine(ctx), nil })
	handle(mux, routeBalance, func(ctx context.Context, _ command) (any, error) { return m.Balance(ctx) })
	if m.cfg.Pays {
		handle(mux, routeRounds, func(ctx context.Context, c command) (any, error) { return m.Rounds(ctx, c.Limit) })
		handle(mux, routeWords, func(ctx context.Context, _ command) (any, error) { return m.Contradictions(ctx) })
		handle(mux, routeOpen, func(ctx context.Context, c command) (any, error) { return m.Open(ctx, c.Round, c.secret()) })
	} else {
		handle(mux, routeEarnings, func(ctx context.Context, c command) (any, error) { return m.Earnings(ctx, c.secret()) })
	}
	mux.HandleFunc("POST "+routeDo, m.serveDo)
	return mux
}

func handle(mux *http.ServeMux, route string, do func(context.Context, command) (any, error)) {
	mux.HandleFunc("POST "+route, func(w http.ResponseWriter, r *http.Request) {
		c, err := read(w, r)
		if err != nil {
			refuse(w, err)
			return
		}
		v, err := do(r.Context(), c)
		answer(w, v, err)
	})
}

func read(w http.ResponseWriter, r *http.Request) (c command, err error) {
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxCommand))
	d.DisallowUnknownFields()
	if d.Decode(&c) != nil {
		return c, app.Usage(errors.New("the command is not understood; is it of the same version as the running program?"))
	}
	return c, nil
}

func answer(w http.ResponseWriter, v any, err error) {
	if err != nil {
		refuse(w, err)
		return
	}
	serve.Answer(w, v)
}

// status is how an error's exit code travels.
func status(err error) int {
	if app.Code(err) == app.ExitFailed {
		return http.StatusConflict
	}
	return app.StatusOf(err)
}

func refuse(w http.ResponseWriter, err error) {
	serve.Refuse(w, &serve.RefusedError{Status: status(err), Reason: err.Error()})
}

// serveDo does what a quote says, and tells how far it is in lines of JSON. If
// whoever asked goes away, what was sent goes on by itself.
func (m *Market) serveDo(w http.ResponseWriter, r *http.Request) {
	c, err := read(w, r)
	if err == nil && c.Quote == nil {
		err = app.Usage(errors.New("the command has no quote"))
	}
	if err != nil {
		refuse(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	out := json.NewEncoder(w)
	say := func(l line) {
		// Who is gone hears nothing, and its context ends.
		_ = out.Encode(l)
		_ = http.NewResponseController(w).Flush()
	}
	done, err := m.Do(r.Context(), *c.Quote, c.secret(), func(p Progress) { say(line{Progress: &p}) })
	if err != nil {
		say(line{Error: err.Error(), Status: status(err)})
		return
	}
	say(line{Done: &done})
}
