package api

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/culvert-net/culvert/api/backend"
	"github.com/culvert-net/culvert/api/body"
	"github.com/culvert-net/culvert/api/openai"
)

// ask serves a route that leads to a model.
func (s *Server) ask(route openai.Route) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		select {
		case s.places <- struct{}{}:
			defer func() { <-s.places }()
			s.askBackend(route, w, r)
		default:
			exchangeOf(r).fail(w, openai.Unavailable("busy", fmt.Sprintf(
				"%d requests are in progress, as many as are taken at once; try again", cap(s.places)), busyRetry))
		}
	}
}

func (s *Server) askBackend(route openai.Route, w http.ResponseWriter, r *http.Request) {
	x := exchangeOf(r)
	text, release, e := s.readBody(w, r, x)
	if e != nil {
		x.fail(w, e)
		return
	}
	defer release()
	whole := time.Now()
	view, e := route.Parse(text)
	if e == nil && view.Stream && !r.ProtoAtLeast(1, 1) {
		// Without chunks the end of a stream and a cut look the same.
		e = openai.Invalid("stream", "streams need HTTP/1.1; leave stream out, or use a client that speaks it")
	}
	if e != nil {
		x.fail(w, e)
		return
	}
	x.model, x.stream = view.Model, view.Stream
	asked := time.Now()
	x.overhead = asked.Sub(whole)
	resp, err := s.backend.Do(r.Context(), &backend.Request{
		ID: x.id, Method: http.MethodPost, Path: route.Path,
		Header: r.Header, Body: text, View: view, Group: s.isolation.group(r, view.Opening(text)), Account: x.account(),
	})
	if err != nil {
		x.fail(w, asError(r, err))
		return
	}
	defer resp.Body.Close()

	describe(w.Header(), resp, x.overhead)
	switch {
	case resp.Status != http.StatusOK:
		x.fail(w, backend.ReadError(resp))
	case view.Stream:
		s.stream(w, r, resp, streamed{chunk: route.Chunk, usage: view.IncludeUsage, paid: resp.Settled != nil})
	default:
		s.document(w, r, resp)
	}
}

// readBody reads the request's body whole, before a byte of it goes anywhere.
func (s *Server) readBody(w http.ResponseWriter, r *http.Request, x *exchange) ([]byte, func(), *openai.Error) {
	if t, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); t != backend.ContentJSON {
		return nil, nil, unsupported("the Content-Type must be application/json")
	}
	if enc := r.Header.Get("Content-Encoding"); enc != "" && !strings.EqualFold(enc, "identity") {
		return nil, nil, unsupported("compressed request bodies are not accepted; send the JSON as it is")
	}
	text, release, err := s.requests.Read(r.Body, r.ContentLength, body.MaxBody)

	var large *body.TooLargeError
	switch {
	case err == nil:
		_ = http.NewResponseController(w).SetReadDeadline(time.Time{}) // the one of observe
		return text, release, nil
	case errors.As(err, &large):
		return nil, nil, &openai.Error{
			Status: http.StatusRequestEntityTooLarge, Type: openai.TypeInvalidRequest, Code: "body_too_large",
			Message: "the request body is larger than " + strconv.FormatInt(large.Max, 10) + " bytes",
		}
	case errors.Is(err, body.ErrBusy):
		return nil, nil, openai.Unavailable("busy",
			"the requests in progress use all memory set aside for request bodies; try again", busyRetry)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, nil, &openai.Error{
			Status: http.StatusRequestTimeout, Type: openai.TypeInvalidRequest, Code: "body_timeout",
			Message: "the request body did not arrive within " + bodyTime.String(),
		}
	}
	if r.Context().Err() != nil {
		return nil, nil, asError(r, err)
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		x.status = statusGone // as far as one can tell: it may still read
	}
	e := openai.Invalid("", "the request body could not be read to its end")
	e.Cause = err
	return nil, nil, e
}

func unsupported(message string) *openai.Error {
	return &openai.Error{
		Status: http.StatusUnsupportedMediaType, Type: openai.TypeInvalidRequest,
		Code: "unsupported_media_type", Message: message,
	}
}

// describe sets the headers that tell the client on this machine where the
// answer came from, and those of the answer that are passed on.
func describe(h http.Header, resp *backend.Response, overhead time.Duration) {
	for name, values := range backend.ResponseHeader(resp.Header) {
		h[name] = values
	}
	h.Set("X-Culvert-Overhead-Us", strconv.FormatInt(overhead.Microseconds(), 10))
	if resp.Origin.Provider != "" {
		h.Set("X-Culvert-Provider", resp.Origin.Provider)
	}
	if resp.Origin.Circuit != "" {
		h.Set("X-Culvert-Circuit", resp.Origin.Circuit)
	}
}

// The headers of what a request has cost: on streams they are trailers, for it
// is known at the end.
const (
	headerCost    = "X-Culvert-Cost"
	headerReceipt = "X-Culvert-Receipt"
)

// price sets them, if what it has cost is known.
func price(h http.Header, resp *backend.Response) {
	if resp.Settled == nil {
		return
	}
	if r, known := resp.Settled(); known {
		h.Set(headerCost, r.Cost)
		h.Set(headerReceipt, r.ID)
	}
}

// document passes on an answer that is not streamed. It is read whole first:
// whatever is wrong with it becomes an error with a status.
func (s *Server) document(w http.ResponseWriter, r *http.Request, resp *backend.Response) {
	x := exchangeOf(r)
	if backend.ContentType(resp.Header) != backend.ContentJSON {
		x.fail(w, openai.Upstream(http.StatusBadGateway, "unexpected_content_type",
			"the model server did not answer with a JSON document"))
		return
	}
	text, release, err := s.answers.Read(resp.Body, -1, MaxAnswer)
	defer release()
	var large *body.TooLargeError
	switch {
	case errors.As(err, &large):
		x.fail(w, openai.Upstream(http.StatusBadGateway, "answer_too_large",
			"the answer is larger than "+strconv.FormatInt(large.Max, 10)+" bytes; ask for a stream"))
	case errors.Is(err, body.ErrBusy):
		x.fail(w, openai.Unavailable("busy",
			"the answers in progress use all memory set aside for them; try again, or ask for a stream", busyRetry))
	case err != nil:
		x.fail(w, asError(r, err))
	default:
		if e := checkDocument(text); e != nil {
			x.fail(w, e)
			return
		}
		price(w.Header(), resp)
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(writeTime))
		send(w, http.StatusOK, backend.ContentJSON, text)
	}
}

// checkDocument finds what is wrong with an answer that claims success.
func checkDocument(text []byte) *openai.Error {
	if trimmed := bytes.TrimSpace(text); len(trimmed) == 0 || trimmed[0] != '{' || !openai.Valid(text) {
		return openai.Upstream(http.StatusBadGateway, "bad_answer",
			"the model server answered with success but without a JSON object")
	}
	return openai.InAnswer(text)
}
