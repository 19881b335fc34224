package serve

import (
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// Server is one handler on some listeners.
type Server struct {
	Name      string         // for logs: "api", "status"
	Handler   http.Handler   // required
	Listeners []net.Listener // required; Run closes them
	Drain     time.Duration  // how long requests may go on after ctx ended; 0 means Drain
	Log       *slog.Logger   // required

	// Malformed is the JSON body of the answer to what is no request that a
	// handler could get; nil leaves net/http's own text.
	Malformed func(status int) []byte

	// Connections is how many may be open at a time, on all listeners together;
	// the next ones wait. 0 sets no bound.
	Connections int

	// Conn may add to the context of what comes on a connection; nil adds
	// nothing.
	Conn func(context.Context, net.Conn) context.Context
}

// Run serves until ctx ends or a listener fails. Then it stops accepting, lets
// running requests finish within Drain, ends the contexts of those that are
// left, and waits for them. Requests' contexts do not end with ctx: an answer
// that is being written when the user stops the program is still written.
func (s *Server) Run(ctx context.Context) error {
	requests, abort := context.WithCancel(context.WithoutCancel(ctx))
	defer abort()
	server := &http.Server{
		Handler:           s.Handler,
		ReadHeaderTimeout: headTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		// OPTIONS * would be answered without the handler, and so unguarded.
		DisableGeneralOptionsHandler: true,
		BaseContext:                  func(net.Listener) context.Context { return requests },
		ConnContext:                  s.Conn,
		// net/http complains of clients here, which is nobody's news.
		ErrorLog: log.New(debugWriter{s.Log}, "", 0),
	}
	if s.Malformed != nil {
		malformedConns(server)
	}

	ended := make(chan error, len(s.Listeners))
	slots := make(chan struct{}, s.Connections)
	for _, l := range s.Listeners {
		if s.Connections > 0 {
			l = bounded(l, slots)
		}
		if s.Malformed != nil {
			l = malformedListener{l, s.Malformed}
		}
		go func() { ended <- server.Serve(l) }() // all are received below
	}
	running := len(s.Listeners)
	var failed error
	select {
	case <-ctx.Done():
	case failed = <-ended:
		running--
	}

	drain := s.Drain
	if drain == 0 {
		drain = Drain
	}
	if err := shutdown(ctx, server, drain); err != nil {
		s.Log.Warn("requests were cut off", "server", s.Name)
		abort()
		if err := shutdown(ctx, server, abortWait); err != nil {
			// What has not returned by now never will; the connections go.
			_ = server.Close()
		}
	}
	for range running {
		<-ended
	}
	if failed != nil && !errors.Is(failed, http.ErrServerClosed) {
		return fmt.Errorf("serving %s: %w", s.Name, failed)
	}
	return nil
}

// shutdown stops accepting and waits for running requests, for limit at most.
func shutdown(ctx context.Context, server *http.Server, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
	defer cancel()
	return server.Shutdown(ctx)
}

// debugWriter passes net/http's own log on.
type debugWriter struct{ log *slog.Logger }

func (w debugWriter) Write(p []byte) (int, error) {
	w.log.Debug("http server", "detail", string(p))
	return len(p), nil
}
