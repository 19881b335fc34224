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
	"github.com/culvert-net/culvert/api/usage"
)

// serve answers the request of one stream and releases the stream: closed if
// the client has its whole answer, else reset, so that it sees a cut. Then the
// request's bill is ended.
func (s *Server) serve(ctx context.Context, conn Conn) {
	detach := onDone(ctx, func() { _ = conn.Reset() })
	id := requestID()
	v := &visit{Server: s, conn: conn, started: time.Now()}
	defer v.settle()
	err := v.handle(ctx, id)
	detach()
	v.over(err)
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

// visit is one stream and what becomes of its request. Owned by serve.
type visit struct {
	*Server
	conn    Conn
	started time.Time
	summary usage.Ended
	meter   *usage.Meter // of an answer of success; nil: there was none yet
	refused bool         // with an error that has left whole
	gone    bool         // the client is
	bill    *billed      // nil: it is free
}

// over tells what became of the request; err is what handle returned.
func (v *visit) over(err error) {
	e := &v.summary
	cut, wasCut := errors.AsType[*cutAnswer](err)
	switch {
	case v.refused: // what follows an early refusal is no part of it
	case wasCut && !v.gone:
		e.Status = backend.AsError(cut.error).Status
	case errors.Is(err, errAnswerSize):
		e.Status = http.StatusBadGateway
	case isProtocolError(err):
		e.Status = http.StatusBadRequest
	case err != nil:
		e.Status = usage.StatusGone // the stream broke: nobody reads any more
	}
	e.Took = time.Since(v.started)
	e.Measure(v.meter, v.started)
	v.ended(*e)
}

// refuse sends e as the answer, with what header allows besides.
func (v *visit) refuse(e *openai.Error, header http.Header) error {
	v.summary.Status = e.Status
	err := writeError(v.conn, e, header)
	v.refused = err == nil
	return err
}

// handle reads the request, has it answered and sends the answer.
func (v *visit) handle(ctx context.Context, id string) error {
	s, conn := v.Server, v.conn
	// Errors of deadlines are those of a dead stream; the next read has them.
	_ = conn.SetReadDeadline(time.Now().Add(HeadLimit))
	in, err := readRequest(conn)
	if e, ok := errors.AsType[*openai.Error](err); ok {
		return v.refuseEarly(e)
	}
	if err != nil {
		return err
	}
	v.summary.Route = in.route.Needs
	paced := newPaced(in.body, conn)
	data, release, err := s.budget.Read(paced, in.length, body.MaxBody)
	if _, ok := errors.AsType[*body.TooLargeError](err); ok {
		return v.refuseEarly(errTooLarge())
	}
	if errors.Is(err, body.ErrBusy) {
		s.refused.bodies.Add(1)
		return v.refuseEarly(errBusy())
	}
	if err != nil {
		return err
	}
	defer release()
	if err := in.scan.finish(); err != nil {
		return err
	}
	_ = conn.SetReadDeadline(time.Time{})
	whole := time.Now()

	view, bad := in.route.Parse(data)
	if bad != nil {
		return v.refuse(bad, nil)
	}
	v.summary.Model, v.summary.Stream = view.Model, view.Stream
	select {
	case s.requests <- struct{}{}:
		defer func() { <-s.requests }()
	default:
		s.refused.requests.Add(1)
		return v.refuse(errBusy(), nil)
	}
	v.summary.Overhead = time.Since(whole)
	return v.answer(ctx, in, &backend.Request{
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
func (v *visit) answer(ctx context.Context, in *incoming, req *backend.Request) error {
	s, conn, serving := v.Server, v.conn, ctx
	ctx, cancel := context.WithCancel(ctx)
	defer watch(conn, cancel)()
	defer cancel()
	defer func() { v.gone = ctx.Err() != nil }() // before cancel

	if e := v.admit(ctx, in, req); ctx.Err() != nil {
		return ctx.Err()
	} else if e != nil {
		return v.refuse(e, nil)
	}
	resp, err := s.backend.Do(ctx, req)
	if ctx.Err() != nil {
		if err == nil {
			_ = resp.Body.Close()
		}
		v.bill.left(serving)
		return ctx.Err()
	}
	if err != nil {
		return v.refuse(backend.AsError(err), nil)
	}
	defer resp.Body.Close()
	if resp.Status != http.StatusOK {
		return v.refuse(backend.ReadError(resp), resp.Header)
	}
	buf := s.buffers.Get().(*chunkBuffer)
	defer s.buffers.Put(buf)
	kind := backend.ContentType(resp.Header)
	v.meter = usage.NewMeter(resp.Body, kind == backend.ContentStream)
	v.summary.Status = http.StatusOK
	var src io.Reader = v.meter
	if v.bill != nil {
		v.meter.Bill(v.bill.prompt)
	}
	switch kind {
	case backend.ContentStream:
		if v.bill != nil {
			src = v.bill.stream(ctx, v.meter)
		}
		return writeStream(conn, src, resp.Header, buf)
	case backend.ContentJSON:
		if v.bill != nil {
			text, release, e := v.bill.document(ctx, v.meter, s.budget)
			defer release()
			if ctx.Err() != nil {
				v.bill.left(serving)
				return ctx.Err()
			} else if e != nil {
				return v.refuse(e, nil)
			}
			src = text
		}
		e, err := writeDocument(ctx, conn, src, resp.Header, buf)
		if e != nil {
			return v.refuse(e, nil)
		}
		return err
	}
	return v.refuse(openai.Upstream(http.StatusBadGateway, "bad_media_type",
		"the model server answered with neither JSON nor an event stream"), nil)
}

// errBusy is for a server that is full.
func errBusy() *openai.Error {
	return openai.Unavailable("provider_busy", "the provider is working at its limit; ask again in a moment", busyRetry)
}

// refuseEarly answers before the request was taken whole. The stream is kept,
// and read, until the client has the answer: a reset would overtake it.
func (v *visit) refuseEarly(e *openai.Error) error {
	if err := v.refuse(e, nil); err != nil {
		return err
	}
	_ = v.conn.SetReadDeadline(time.Now().Add(LingerLimit))
	_, err := io.Copy(io.Discard, v.conn)
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
