package backend

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/culvert-net/culvert/api/openai"
	"github.com/culvert-net/culvert/api/sse"
)

// EarlyCommit makes a Backend answer streaming requests with status 200 after
// at most after, so that whoever serves it can start sending heartbeats while
// a long prompt is still being read. An answer that comes sooner, errors above
// all, keeps its status. One that comes later and is no event stream turns
// into one error frame in the stream, and the stream is cut.
//
// Other requests pass through unchanged. It stands in front of servers of one's
// own: a late answer tells no Settled.
func EarlyCommit(inner Backend, after time.Duration) Backend {
	return &earlyCommit{Backend: inner, after: after}
}

type earlyCommit struct {
	Backend               // immutable
	after   time.Duration // immutable
}

func (e *earlyCommit) Do(ctx context.Context, req *Request) (*Response, error) {
	if !req.View.Stream {
		return e.Backend.Do(ctx, req)
	}
	ctx, cancel := context.WithCancel(ctx)
	late := &lateBody{cancel: cancel, answered: make(chan struct{})}
	go func() { // ends with ctx at the latest; Do waits for it, or else Close
		defer close(late.answered)
		late.resp, late.err = e.Backend.Do(ctx, req)
	}()

	patience := time.NewTimer(e.after)
	defer patience.Stop()
	select {
	case <-late.answered:
		if late.err != nil {
			cancel()
			return nil, late.err
		}
		resp := *late.resp
		resp.Body = late
		late.rest = late.resp.Body
		return &resp, nil
	case <-patience.C:
		return &Response{
			Status: http.StatusOK,
			Header: http.Header{"Content-Type": {ContentStream}},
			Body:   late,
		}, nil
	}
}

// lateBody is an answer that may not have begun.
type lateBody struct {
	cancel context.CancelFunc

	answered chan struct{} // closed when resp and err are set
	resp     *Response
	err      error

	// Owned by whoever reads.
	rest io.Reader // what is still to be read; nil before the answer
	cut  error     // what the reader gets when rest has ended; nil: its own error
}

func (b *lateBody) Read(p []byte) (int, error) {
	if b.rest == nil {
		<-b.answered
		b.settle()
	}
	n, err := b.rest.Read(p)
	if err == io.EOF && b.cut != nil {
		err = b.cut
	}
	return n, err
}

// settle decides what is read from an answer that came after the commitment.
func (b *lateBody) settle() {
	switch {
	case errors.Is(b.err, context.Canceled), errors.Is(b.err, context.DeadlineExceeded):
		b.rest, b.cut = http.NoBody, b.err // nobody is left to read a frame
	case b.err != nil:
		b.fail(AsError(b.err), b.err)
	case b.resp.Status != http.StatusOK:
		e := ReadError(b.resp)
		b.fail(e, e)
	case ContentType(b.resp.Header) != ContentStream:
		e := NoStream(b.resp)
		b.fail(e, e)
	default:
		b.rest = b.resp.Body
	}
}

func (b *lateBody) fail(e *openai.Error, cause error) {
	b.rest = bytes.NewReader(sse.AppendError(nil, e.JSON()))
	b.cut = fmt.Errorf("answer failed after the stream was committed: %w", cause)
}

// Close cancels the work and waits until the inner Backend has let go.
func (b *lateBody) Close() error {
	b.cancel()
	<-b.answered
	if b.resp == nil {
		return nil
	}
	return b.resp.Body.Close()
}
