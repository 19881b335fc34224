package openapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
)

// Answer is an answer as a client saw it, and what it was the answer to.
type Answer struct {
	Method, Path string // the path with /v1
	Request      []byte // the request's body

	Status      int
	ContentType string
	Body        []byte

	// Foreign says that what the provider sent need not be as the description
	// has it, which is passed on all the same. What Culvert writes itself is
	// checked: errors, lists of models, how a stream ends.
	Foreign bool

	// End is what reading Body ended with: nil or io.EOF if it came whole,
	// ErrLeft if the client did not want the rest, else how it was cut.
	End error
}

// ErrLeft is the end of an answer whose client went away before it was whole.
var ErrLeft = errors.New("openapi: the client did not read on")

const (
	document = "application/json"
	stream   = "text/event-stream"
)

// Check says what in an answer is not as OpenAI's description has it. Of an
// answer whose client went away, what came is checked.
func (d *Description) Check(a Answer) error {
	if err := d.check(a); err != nil {
		return fmt.Errorf("%s %s: status %d: %w", a.Method, a.Path, a.Status, err)
	}
	return nil
}

func (d *Description) check(a Answer) error {
	for _, page := range unpublished {
		if a.Path == page && a.Method == http.MethodGet && (a.Status == http.StatusOK || a.Status == http.StatusServiceUnavailable) {
			return nil
		}
	}
	kind, _, err := mime.ParseMediaType(a.ContentType)
	if err != nil && a.Status != http.StatusNotModified {
		return fmt.Errorf("content type %q: %w", a.ContentType, err)
	}
	switch {
	case a.Method == http.MethodHead, a.Status == http.StatusNotModified:
		if len(a.Body) != 0 {
			return fmt.Errorf("a body where none belongs: %s", clip(a.Body))
		}
		return nil
	case a.Status >= 400:
		if kind != document {
			return fmt.Errorf("an error in %q, not in JSON", kind)
		}
		return d.document(failure, a)
	case a.Status != http.StatusOK:
		return errors.New("a status that no operation has")
	}
	r, ok := routeOf(a.Method, a.Path)
	if !ok {
		return errors.New("success on a route that the description does not have")
	}
	if asked := asks(a.Request).Stream && r.event != ""; asked != (kind == stream) {
		return fmt.Errorf("%q, where a stream was asked for: %v", kind, asked)
	}
	switch {
	case kind == stream:
		return d.checkStream(r.event, a)
	case kind != document:
		return fmt.Errorf("an answer in %q, not in JSON", kind)
	case a.Foreign && r.request != "":
		return d.document("", a)
	case asks(a.Request).Format == "base64" && r.path == "/embeddings":
		return d.document(packedVectors, a)
	}
	return d.document(r.document, a)
}

// document validates one by a schema; one that is foreign, by none, need only be
// JSON.
func (d *Description) document(schema string, a Answer) error {
	// Clients that parse while they read do not read on behind a document.
	if a.End != nil && a.End != io.EOF && !json.Valid(a.Body) {
		if a.End == ErrLeft {
			return nil
		}
		return fmt.Errorf("a document that is cut: %w: %s", a.End, clip(a.Body))
	}
	if schema != "" {
		return d.validate(schema, a.Body)
	}
	if !json.Valid(a.Body) {
		return fmt.Errorf("no JSON: %s", clip(a.Body))
	}
	return nil
}

// asked is what of a request decides how its answer must look.
type asked struct {
	Stream bool   `json:"stream"`
	Format string `json:"encoding_format"`
}

func asks(request []byte) (a asked) {
	_ = json.Unmarshal(request, &a) // what cannot be read asks for nothing
	return a
}
