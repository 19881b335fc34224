package openai

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"
)

// newTransport never compresses, never asks a proxy and speaks HTTP/1.1 only,
// so that a connection carries one answer at a time and closing it cancels
// exactly that.
func newTransport(connect time.Duration, keep bool) *http.Transport {
	dialer := &net.Dialer{Timeout: connect}
	return &http.Transport{
		DialContext:            dialer.DialContext,
		TLSHandshakeTimeout:    connect,
		DisableCompression:     true,
		DisableKeepAlives:      !keep,
		MaxIdleConnsPerHost:    maxIdleConns,
		IdleConnTimeout:        idleConn,
		MaxResponseHeaderBytes: maxHeader,
	}
}

// connState is what is known of the connection that carries a request.
type connState struct {
	reused, answered atomic.Bool // set by net/http's goroutines
}

func (s *connState) trace(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn:              func(i httptrace.GotConnInfo) { s.reused.Store(i.Reused) },
		GotFirstResponseByte: func() { s.answered.Store(true) },
	})
}

// stale reports whether a request that failed may have failed only because
// its connection had been closed while it lay in the pool. net/http replays by
// itself what it had not begun to write; a body written halfway when the reset
// came it leaves to us.
func (s *connState) stale() bool { return s.reused.Load() && !s.answered.Load() }

// errSilent is why a context ends whose watch has run out.
var errSilent = errors.New("the server was silent for too long")

// watch ends a request that makes no progress.
type watch struct {
	cancel context.CancelCauseFunc
	cause  func() error // why the request's context ended, nil if it has not
	caller func() error // the same of the caller's context
	timer  *time.Timer
}

// newWatch returns a context that ends with ctx, and when nobody restarted the
// watch for limit.
func newWatch(ctx context.Context, limit time.Duration) (context.Context, *watch) {
	guarded, cancel := context.WithCancelCause(ctx)
	return guarded, &watch{
		cancel: cancel,
		cause:  func() error { return context.Cause(guarded) },
		caller: ctx.Err,
		timer:  time.AfterFunc(limit, func() { cancel(errSilent) }),
	}
}

// end releases the watch and cancels whatever still runs under it.
func (w *watch) end() {
	w.timer.Stop()
	w.cancel(context.Canceled)
}
