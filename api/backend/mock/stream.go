package mock

import (
	"context"
	"io"
	"sync"
	"time"
)

// stream writes an answer down as it is read, so that a reader who goes away
// leaves nothing running.
type stream struct {
	pace   time.Duration
	answer *answer
	ctx    <-chan struct{} // the request's context is done
	err    func() error    // and why
	closed chan struct{}
	once   sync.Once

	next int    // the event to write next; owned by the reader
	rest []byte // of the event before; owned by the reader
}

func newStream(ctx context.Context, pace time.Duration, a *answer) *stream {
	return &stream{pace: pace, answer: a, ctx: ctx.Done(), err: ctx.Err, closed: make(chan struct{})}
}

func (s *stream) Read(p []byte) (int, error) {
	if len(s.rest) == 0 {
		if s.next == s.answer.events() {
			return 0, io.EOF
		}
		if err := s.wait(); err != nil {
			return 0, err
		}
		s.rest = s.answer.event(s.next)
		s.next++
	}
	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

// wait paces the tokens, and notices the end of the request without a pace too.
func (s *stream) wait() error {
	timer := time.NewTimer(s.pace)
	defer timer.Stop()
	select {
	case <-s.ctx:
		return s.err()
	case <-s.closed:
		return io.ErrClosedPipe
	default:
	}
	select {
	case <-s.ctx:
		return s.err()
	case <-s.closed:
		return io.ErrClosedPipe
	case <-timer.C:
		return nil
	}
}

func (s *stream) Close() error {
	s.once.Do(func() { close(s.closed) })
	return nil
}

// pause waits for d unless ctx ends first.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
