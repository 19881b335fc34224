package api

import (
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/culvert-net/culvert/api/backend"
	"github.com/culvert-net/culvert/api/keys"
	"github.com/culvert-net/culvert/api/openai"
	"github.com/culvert-net/culvert/api/usage"
)

// statusGone is sent only if the client is there after all, and this program is
// stopping.
const statusGone = usage.StatusGone

// exchange is one request and what became of it. It belongs to the handler.
type exchange struct {
	id      string
	started time.Time
	status  int   // what is counted; 0: what was written
	err     error // why, for the log of this machine

	grant   *keys.Grant // nil: no keys are configured
	header  http.Header // of the answer, for those of grant's limits
	counted *counted    // the backend's answer, if it is counted; nil: none yet

	// What is told of it when it is over.
	model    string
	stream   bool
	overhead time.Duration
}

// account is the id of the key that the request came with; "": none.
func (x *exchange) account() string {
	if x.grant == nil {
		return ""
	}
	return x.grant.Key().ID
}

type exchangeKey struct{}

// exchangeOf is the exchange that observe has put into r.
func exchangeOf(r *http.Request) *exchange {
	return r.Context().Value(exchangeKey{}).(*exchange)
}

// everyAnswer names the headers that every answer has.
var everyAnswer = [...]string{"X-Request-Id", "X-Content-Type-Options", "Content-Security-Policy", "Cache-Control"}

// observe gives each request its id, the time its body may take and the
// headers that every answer has, logs what became of it, and turns a panic
// into an error.
func (s *Server) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := &exchange{id: "req_" + rand.Text(), started: time.Now()}
		h := w.Header()
		values := [...]string{x.id, "nosniff", "default-src 'none'; sandbox", "no-cache"}
		for i, name := range everyAnswer { // one allocation instead of four
			h[name] = values[i : i+1 : i+1]
		}

		rec := &recorder{ResponseWriter: w, request: r, until: x.started.Add(bodyTime)}
		route, asks := openai.RouteOf(r.URL.Path)
		if r.ContentLength != 0 {
			// Also for a body that is refused unread: net/http skips the rest
			// of it before it answers, and would wait for ever. A writer
			// without deadlines (of a test) has none.
			_ = http.NewResponseController(w).SetReadDeadline(rec.until)
		}
		defer func() {
			defer func() {
				switch {
				case x.status != 0:
				case rec.failed:
					x.status = statusGone
				default:
					x.status = rec.status
				}
				s.logExchange(r, x, rec)
				if asks {
					s.count(route, x)
				}
			}()
			fault := recover()
			switch {
			case fault == nil:
			case fault == http.ErrAbortHandler:
				panic(fault)
			default:
				// The value may quote what the handler worked on; where it
				// happened says enough.
				s.log.Error("request handler panicked", "id", x.id, "stack", string(debug.Stack()))
				if rec.status != 0 {
					x.status = http.StatusInternalServerError
					panic(http.ErrAbortHandler)
				}
				internal().Write(rec)
			}
		}()
		r = r.WithContext(context.WithValue(r.Context(), exchangeKey{}, x))
		if r.Header.Get("Expect") != "" {
			rec.asks = &begun{ReadCloser: r.Body}
			r.Body = rec.asks
		}
		next.ServeHTTP(rec, r)
	})
}

func internal() *openai.Error {
	return &openai.Error{
		Status: http.StatusInternalServerError, Type: openai.TypeServer, Code: "internal_error",
		Message: "this program has a defect that this request met; its log says where",
	}
}

func (s *Server) logExchange(r *http.Request, x *exchange, rec *recorder) {
	ctx := context.WithoutCancel(r.Context())
	if !s.log.Enabled(ctx, slog.LevelDebug) {
		return
	}
	attrs := []slog.Attr{
		slog.String("id", x.id),
		slog.String("method", r.Method),
		slog.String("route", chi.RouteContext(r.Context()).RoutePattern()),
		slog.Int("status", x.status),
		slog.Int64("bytes", rec.bytes),
		slog.Duration("took", time.Since(x.started)),
	}
	if x.err != nil {
		attrs = append(attrs, slog.Any("err", x.err))
	}
	s.log.LogAttrs(ctx, slog.LevelDebug, "request", attrs...)
}

// count tells of a request to a model that is over.
func (s *Server) count(route openai.Route, x *exchange) {
	if s.ended == nil {
		return
	}
	e := usage.Ended{
		Route: route.Needs, Model: x.model, Stream: x.stream, Status: x.status,
		Took: time.Since(x.started), Overhead: x.overhead,
	}
	if x.counted != nil {
		e.Measure(x.counted.meter, x.started)
	}
	s.ended(e)
}

// fail answers with e. Nothing may have been sent before.
func (x *exchange) fail(w http.ResponseWriter, e *openai.Error) {
	x.err = e
	if e.Cause != nil {
		x.err = e.Cause
	}
	if inVain(e) {
		w.Header().Set("X-Should-Retry", "false")
	}
	e.Write(w)
}

// asError is what the client of r is told about err.
func asError(r *http.Request, err error) *openai.Error {
	if r.Context().Err() != nil {
		return &openai.Error{
			Status: statusGone, Type: openai.TypeServer, Code: "request_cancelled", Cause: err,
			Message: "the request was cancelled, because the client went away or the program is stopping",
		}
	}
	return backend.AsError(err)
}

// recorder remembers what was sent. Before an error it reads what there is
// left of the request: clients send all of a body before they look for an
// answer, and net/http would close the connection under them.
type recorder struct {
	http.ResponseWriter
	request *http.Request
	asks    *begun    // the body of a sender who waits to hear that it is wanted; else nil
	until   time.Time // when the request's body has to be there
	status  int
	bytes   int64
	failed  bool // a write did: the client is gone
}

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 && status >= 200 {
		r.status = status
	}
	if status >= http.StatusBadRequest {
		r.skip()
	}
	r.ResponseWriter.WriteHeader(status)
}

// skip reads the rest of the request's body and forgets it, as long as some of
// it comes. One that says that it is larger than that, or whose sender still
// waits to hear that it is wanted, is left where it is.
func (r *recorder) skip() {
	if r.request.ContentLength > maxSkipped || r.asks != nil && !r.asks.read || r.request.Body == http.NoBody {
		return
	}
	rc := http.NewResponseController(r.ResponseWriter)
	piece := make([]byte, 1<<9) // of most there is nothing left
	for left := int64(maxSkipped); left > 0; {
		soon := time.Now().Add(skipPause)
		if r.until.Before(soon) {
			soon = r.until
		}
		_ = rc.SetReadDeadline(soon) // not every test's writer has one
		n, err := r.request.Body.Read(piece)
		if err == io.EOF {
			_ = rc.SetReadDeadline(time.Time{}) // the next request has its own
		}
		if err != nil {
			return
		}
		left -= int64(n)
		if n == len(piece) && n < skipPiece {
			piece = make([]byte, skipPiece)
		}
	}
}

// begun is a body that knows whether it was read from: net/http has told its
// sender then that it is wanted. It belongs to the handler.
type begun struct {
	io.ReadCloser
	read bool
}

func (b *begun) Read(p []byte) (int, error) {
	b.read = true
	return b.ReadCloser.Read(p)
}

func (r *recorder) Write(p []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	n, err := r.ResponseWriter.Write(p)
	r.bytes += int64(n)
	r.failed = r.failed || err != nil
	return n, err
}

// Unwrap lets http.ResponseController reach the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
