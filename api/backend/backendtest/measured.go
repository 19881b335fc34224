package backendtest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"testing"

	"github.com/culvert-net/culvert/api/backend"
	"github.com/culvert-net/culvert/internal/openapi"
)

// measured is a Backend whose answers are measured by OpenAI's description: all
// errors, and what the Upstream sent if that kept to it.
type measured struct {
	backend.Backend
	up *Upstream
	t  *testing.T
}

func (m measured) Do(ctx context.Context, req *backend.Request) (*backend.Response, error) {
	resp, err := m.Backend.Do(ctx, req)
	a := openapi.Answer{Method: req.Method, Path: req.Path, Request: req.Body}
	if err != nil {
		if e := backend.AsError(err); ctx.Err() == nil {
			a.Status, a.ContentType, a.Body = e.Status, backend.ContentJSON, e.JSON()
			m.check(a)
		}
		return nil, err
	}
	if resp.Status == http.StatusOK { // else the server of requests makes the answer
		a.Status, a.ContentType = resp.Status, backend.ContentType(resp.Header)
		resp.Body = &read{ReadCloser: resp.Body, whole: func(text []byte) {
			a.Body, a.Foreign = text, m.up.Foreign()
			if a.ContentType == backend.ContentStream {
				a.End = openapi.ErrLeft // how it must end is not a Backend's to say
			}
			m.check(a)
		}}
	}
	return resp, nil
}

func (m measured) check(a openapi.Answer) {
	if err := m.up.description.Check(a); err != nil {
		m.t.Error(err)
	}
}

// read is a body that is handed over once it was read to its end.
type read struct {
	io.ReadCloser
	text  bytes.Buffer
	whole func(text []byte)
}

func (r *read) Read(p []byte) (int, error) {
	n, err := r.ReadCloser.Read(p)
	r.text.Write(p[:n])
	if errors.Is(err, io.EOF) && r.whole != nil {
		r.whole(r.text.Bytes())
		r.whole = nil
	}
	return n, err
}
