package tunnel

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/culvert-net/culvert/api/backend"
	"github.com/culvert-net/culvert/api/body"
	"github.com/culvert-net/culvert/api/usage"
)

// ServerConfig is what a Server needs.
type ServerConfig struct {
	Backend backend.Backend // answers; required

	// Budget bounds the sum of the requests held in memory. It may be shared
	// with other servers. Required.
	Budget *body.Budget

	// Commit is how long a stream may wait for the backend's status before it is
	// begun without; see backend.EarlyCommit. 0: as long as it takes.
	Commit time.Duration

	// Ended is told of each stream that was served when it is over, by its own
	// goroutine. It must not wait. nil: nobody counts.
	Ended func(usage.Ended)

	// Biller is paid for answers. nil: they are free.
	Biller Biller

	MaxRequests int           // requests the backend works on at once; 0: MaxRequests
	Drain       time.Duration // how long a shutdown lets answers finish; 0: DrainLimit
	Log         *slog.Logger  // nil: silent
}

// Server is the answering end of the tunnel.
type Server struct {
	backend backend.Backend // immutable
	budget  *body.Budget    // immutable
	drain   time.Duration   // immutable
	log     *slog.Logger    // immutable
	ended   func(usage.Ended)
	biller  Biller // nil: answers are free; immutable

	requests chan struct{} // a place for each request at the backend
	streams  chan struct{} // a place for each accepted stream
	buffers  sync.Pool     // of *chunkBuffer, one per answer being sent
	refused  struct{ streams, requests, bodies atomic.Uint64 }
}

// ServerStats counts what a Server does now and has refused since its start,
// because it had no room.
type ServerStats struct {
	Streams  int // accepted, requests that still come in and answers that still go out included
	Requests int // at the backend

	RefusedStreams  uint64 // more than MaxStreams
	RefusedRequests uint64 // more than the backend is to work on at once
	RefusedBodies   uint64 // for which there was no memory
}

// Stats is how things are now.
func (s *Server) Stats() ServerStats {
	return ServerStats{
		Streams: len(s.streams), Requests: len(s.requests), RefusedStreams: s.refused.streams.Load(),
		RefusedRequests: s.refused.requests.Load(), RefusedBodies: s.refused.bodies.Load(),
	}
}

// NewServer returns a Server; Run starts it.
func NewServer(cfg ServerConfig) (*Server, error) {
	switch {
	case cfg.Backend == nil || cfg.Budget == nil:
		return nil, errors.New("tunnel server: Backend and Budget are required")
	case cfg.MaxRequests < 0 || cfg.Drain < 0 || cfg.Commit < 0:
		return nil, errors.New("tunnel server: MaxRequests, Drain and Commit must not be negative")
	}
	s := &Server{
		backend:  private{cfg.Backend},
		budget:   cfg.Budget,
		drain:    cfg.Drain,
		log:      cfg.Log,
		ended:    cfg.Ended,
		biller:   cfg.Biller,
		requests: make(chan struct{}, MaxRequests),
		streams:  make(chan struct{}, MaxStreams),
		buffers:  sync.Pool{New: func() any { return new(chunkBuffer) }},
	}
	if cfg.MaxRequests > 0 {
		s.requests = make(chan struct{}, cfg.MaxRequests)
	}
	if cfg.Commit > 0 {
		s.backend = backend.EarlyCommit(s.backend, cfg.Commit)
	}
	if s.drain == 0 {
		s.drain = DrainLimit
	}
	if s.ended == nil {
		s.ended = func(usage.Ended) {}
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	return s, nil
}

// Run serves every stream that acc hands out until ctx ends or acc fails. Then
// it closes acc, lets running streams finish for as long as Drain says, cancels
// the rest, and returns when the last has ended: nil if that was ctx's doing.
// Run may serve several acceptors at once.
func (s *Server) Run(ctx context.Context, acc Acceptor) error {
	// Streams live on after ctx: it ends the accepting, cancel ends them.
	serving, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	detach := onDone(ctx, func() { _ = acc.Close() })

	var running sync.WaitGroup
	err := s.accept(acc, func(conn Conn) {
		running.Go(func() {
			defer func() { <-s.streams }()
			s.serve(serving, conn)
		})
	})
	detach()
	_ = acc.Close()

	deadline := time.AfterFunc(s.drain, cancel)
	defer deadline.Stop()
	running.Wait()
	if ctx.Err() != nil {
		return nil
	}
	return fmt.Errorf("accepting streams: %w", err)
}

// accept hands streams to start until acc fails. A stream beyond MaxStreams is
// refused unread: nobody is owed an answer in a flood.
func (s *Server) accept(acc Acceptor, start func(Conn)) error {
	for {
		conn, err := acc.Accept()
		if err != nil {
			return err
		}
		select {
		case s.streams <- struct{}{}:
			start(conn)
		default:
			s.refused.streams.Add(1)
			refuseStream(conn)
			s.log.Debug("stream refused", "reason", "too many streams")
		}
	}
}

// refuseStream resets a stream of which nothing was read, and says why where the
// stream can: then the client asks somebody else at once.
func refuseStream(conn Conn) {
	if r, ok := conn.(interface{ Refuse() error }); ok {
		_ = r.Refuse()
		return
	}
	_ = conn.Reset()
}
