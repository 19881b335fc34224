package tunnel

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/culvert-net/culvert/api/backend"
	"github.com/culvert-net/culvert/api/body"
	"github.com/culvert-net/culvert/api/openai"
)

// serve answers the request of one stream and releases the stream: closed if
// the client has its whole answer, else reset, so that it sees a cut.
func (s *Server) serve(ctx context.Context, conn Conn) {
	detach := onDone(ctx, func() { _ = conn.Reset() })
	id := requestID()
	err := s.handle(ctx, conn, id)
	detach()
	if cut, ok := errors.AsType[*cutAnswer](err); ok {
		_ = conn.Close()
		s.log.DebugContext(ctx, "answer cut", "request", id, "circuit", conn.Circuit(), "err", cut.error)
		return
	}
	if err != nil {
		_ = conn.Reset()
		s.log.DebugContext(ctx, "stream reset", "request", id, "circuit", conn.Circuit(), "err", err)
		return
	}
	_ = conn.Close()
}

// handle reads the request, has it answered and sends the answer.
func (s *Server) handle(ctx context.Context, conn Conn, id string) error {
	// Errors of deadlines are those of a dead stream; the next read has them.
	_ = conn.SetReadDeadline(time.Now().Add(HeadLimit))
	in, err := readRequest(conn)
	if e, ok := errors.AsType[*openai.Error](err); ok {
		return refuseEarly(conn, e)
	}
	if err != nil {
		return err
	}
	paced := newPaced(in.body, conn)
	data, release, err := s.budget.Read(paced, in.length, body.MaxBody)
	if _, ok := errors.AsType[*body.TooLargeError](err); ok {
		return refuseEarly(conn, errTooLarge())
	}
	if errors.Is(err, body.ErrBusy) {
		return refuseEarly(conn, errBusy())
	}
	if err != nil {
		return err
	}
	defer release()
	if err := in.scan.finish(); err != nil {
		return err
	}
	_ = conn.SetReadDeadline(time.Time{})

	view, bad := in.route.Parse(data)
	if bad != nil {
		return writeError(conn, bad, nil)
	}
	select {
	case s.requests <- struct{}{}:
		defer func() { <-s.requests }()
	default:
		return writeError(conn, errBusy(), nil)
	}
	return s.answer(ctx, conn, &backend.Request{
		ID: id, Method: http.MethodPost, Path: in.route.Path, Header: in.header, Body: data, View: view,
	})
}

// paced is a body that has to arrive at bodyRate: a deadline that is the same
// for every body would let whoever sends one byte hold a place for as long as
// the largest may take.
type paced struct {
	body io.Reader
	conn Conn
	by   time.Time // when the next byte is due
	set  time.Time // the deadline that is set
}

func newPaced(body io.Reader, conn Conn) *paced {
	p := &paced{body: body, conn: conn, by: time.Now().Add(HeadLimit)}
	p.move()
	return p
}

func (p *paced) Read(b []byte) (int, error) {
	n, err := p.body.Read(b)
	p.by = p.by.Add(time.Duration(n) * time.Second / time.Duration(bodyRate))
	if p.by.Sub(p.set) >= time.Second {
		p.move()
	}
	return n, err
}

func (p *paced) move() {
	p.set = p.by
	_ = p.conn.SetReadDeadline(p.by) // a dead stream tells by its next call
}

// answer asks the backend and sends what it says. The backend's context ends
// as soon as the client is gone.
func (s *Server) answer(ctx context.Context, conn Conn, req *backend.Request) error {
	ctx, cancel := context.WithCancel(ctx)
	defer watch(conn, cancel)()
	defer cancel()

	resp, err := s.backend.Do(ctx, req)
	if ctx.Err() != nil {
		if err == nil {
			_ = resp.Body.Close()
		}
		return ctx.Err()
	}
	if err != nil {
		return writeError(conn, backend.AsError(err), nil)
	}
	defer resp.Body.Close()
	if resp.Status != http.StatusOK {
		return writeError(conn, backend.ReadError(resp), resp.Header)
	}
	buf := s.buffers.Get().(*chunkBuffer)
	defer s.buffers.Put(buf)
	switch backend.ContentType(resp.Header) {
	case backend.ContentStream:
		return writeStream(conn, resp, buf)
	case backend.ContentJSON:
		return writeDocument(ctx, conn, resp, buf)
	}
	return writeError(conn, openai.Upstream(http.StatusBadGateway, "bad_media_type",
		"the model server answered with neither JSON nor an event stream"), nil)
}

// errBusy is for a server that is full.
func errBusy() *openai.Error {
	return openai.Unavailable("provider_busy", "the provider is working at its limit; ask again in a moment", busyRetry)
}

// refuseEarly answers before the request was taken whole. The stream is kept,
// and read, until the client has the answer: a reset would overtake it.
func refuseEarly(conn Conn, e *openai.Error) error {
	if err := writeError(conn, e, nil); err != nil {
		return err
	}
	_ = conn.SetReadDeadline(time.Now().Add(LingerLimit))
	_, err := io.Copy(io.Discard, conn)
	return err
}

// watch calls cancel when the client is gone. The returned function ends it.
func watch(conn Conn, cancel context.CancelFunc) (stop func()) {
	quit := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() {
		select {
		case <-conn.Done():
			cancel()
		case <-quit:
		}
	})
	return func() {
		close(quit)
		watching.Wait()
	}
}

// requestID names a request in this machine's log.
func requestID() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}
