package openapi

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
)

// Transport checks every answer that an http.Client gets, when its body has
// been read to the end or closed.
type Transport struct {
	Base        http.RoundTripper // http.DefaultTransport if nil
	Description *Description

	// Foreign, if there is one, says whether something in the answer that is
	// under way may be Foreign (see Answer). It is asked when the answer begins
	// and when it has ended.
	Foreign func() bool

	// Report gets what is wrong. It is called on the goroutine that reads the
	// answer, before that learns of the end.
	Report func(error)
}

// RoundTrip implements http.RoundTripper.
func (t *Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	base := t.Base
	if base == nil {
		base = http.DefaultTransport
	}
	sent := &tee{}
	if r.Body != nil && r.Body != http.NoBody {
		sent.ReadCloser = r.Body
		copied := *r
		copied.Body = sent
		r = &copied
	}
	resp, err := base.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	foreign := t.Foreign != nil && t.Foreign()
	body := &recorded{ReadCloser: resp.Body, ctx: r.Context()}
	body.finish = sync.OnceFunc(func() {
		a := Answer{
			Method: r.Method, Path: r.URL.Path, Request: sent.bytes(), Status: resp.StatusCode,
			ContentType: resp.Header.Get("Content-Type"), Body: body.text.Bytes(), End: body.end,
			Foreign: foreign || t.Foreign != nil && t.Foreign(),
		}
		err := t.Description.Check(a)
		if body.text.Len() > maxKept {
			err = fmt.Errorf("%s %s: an answer of more than %d bytes cannot be checked", a.Method, a.Path, maxKept)
		}
		if err != nil {
			t.Report(err)
		}
	})
	resp.Body = body
	return resp, nil
}

// tee is a request's body that is kept while it is sent, which may go on when
// the answer is there already.
type tee struct {
	io.ReadCloser

	mu   sync.Mutex // guards text
	text bytes.Buffer
}

func (b *tee) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.text.Len() <= maxKept {
		b.text.Write(p[:n])
	}
	return n, err
}

func (b *tee) bytes() []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	return bytes.Clone(b.text.Bytes())
}

// recorded is an answer's body that is kept while it is read.
type recorded struct {
	io.ReadCloser
	ctx    context.Context // of the request
	text   bytes.Buffer
	end    error
	finish func() // once: checks
}

func (b *recorded) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.text.Len() <= maxKept {
		b.text.Write(p[:n])
	}
	if err != nil {
		b.ended(err)
	}
	return n, err
}

func (b *recorded) Close() error {
	err := b.ReadCloser.Close()
	b.ended(ErrLeft)
	return err
}

func (b *recorded) ended(err error) {
	if b.end == nil {
		b.end = err
		if b.ctx.Err() != nil {
			b.end = ErrLeft
		}
	}
	b.finish()
}
