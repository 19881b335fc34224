package backend

import (
	"bytes"
	"errors"
	"io"
	"net/http"

	"github.com/culvert-net/culvert/api/openai"
)

// AsError is err as an answer to a client: itself if it carries a status,
// else a 502 that says nothing of the cause, which stays in Cause.
func AsError(err error) *openai.Error {
	if e, ok := errors.AsType[*openai.Error](err); ok {
		return e
	}
	e := openai.Upstream(http.StatusBadGateway, "upstream_failed",
		"the model server or the connection to it failed before the answer was complete; try again")
	e.Cause = err
	return e
}

// ReadError reads the rest of a Response whose status is not 200 and closes
// it. Too much of it, or half of it, is not worth another error: the status
// alone says enough.
func ReadError(resp *Response) *openai.Error {
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, openai.MaxErrorBody))
	e := openai.FromUpstream(resp.Status, text)
	e.RetryAfter = RetryAfter(resp.Header)
	e.Cause = err
	return e
}

// NoStream reads the rest of a Response to a streaming request that is a
// document, and closes it. If the document is an error's, that is why.
func NoStream(resp *Response) *openai.Error {
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, openai.MaxErrorBody))
	if e := openai.InAnswer(text); e != nil {
		return e
	}
	e := openai.Upstream(http.StatusBadGateway, "not_a_stream",
		"the model server answered a streaming request with a single document")
	e.Cause = err
	return e
}

// ErrorResponse is e as a Response, with what header allows besides.
func ErrorResponse(e *openai.Error, header http.Header) *Response {
	h := ResponseHeader(header)
	h.Set("Content-Type", ContentJSON)
	if e.RetryAfter > 0 {
		h.Set("Retry-After", openai.Seconds(e.RetryAfter))
	}
	return &Response{Status: e.Status, Header: h, Body: io.NopCloser(bytes.NewReader(e.JSON()))}
}
