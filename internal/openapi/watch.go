package openapi

import (
	"bufio"
	"encoding/json"
	"mime"
	"net"
	"net/http"
	"sync/atomic"
)

// Watch is a http.ResponseWriter of a model server in a test. It passes on what
// that writes, and says before the client can have it whether it breaks the
// description. What a bridge makes of it then is its own affair: answers that
// are no success and what is no JSON become errors of its own.
type Watch struct {
	http.ResponseWriter
	Description *Description
	Request     *http.Request
	Foreign     *atomic.Bool // set when something breaks it

	status int
	text   []byte // of the document, or of an event that has no end yet
}

// WriteHeader implements http.ResponseWriter.
func (w *Watch) WriteHeader(status int) {
	if status >= http.StatusOK {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *Watch) Write(p []byte) (int, error) {
	if !w.Foreign.Load() && (w.status == 0 || w.status == http.StatusOK) && w.breaks(p) {
		w.Foreign.Store(true)
	}
	return w.ResponseWriter.Write(p)
}

// Hijack implements http.Hijacker. Nobody looks into what is written then.
func (w *Watch) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	w.Foreign.Store(true)
	return http.NewResponseController(w.ResponseWriter).Hijack()
}

// Unwrap is for http.ResponseController.
func (w *Watch) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *Watch) breaks(p []byte) bool {
	r, ok := routeOf(w.Request.Method, w.Request.URL.Path)
	if !ok {
		return false // no bridge passes on what it says
	}
	w.text = append(w.text, p...)
	if w.Header().Get("Content-Encoding") != "" || len(w.text) > maxWatched {
		return true // nobody looks into it
	}
	kind, _, _ := mime.ParseMediaType(w.Header().Get("Content-Type"))
	if kind != stream || r.event == "" {
		return r.request != "" && json.Valid(w.text) && w.Description.validate(r.document, w.text) != nil
	}
	events, rest := split(w.text, false)
	w.text = rest
	for _, e := range events {
		if e.named || string(e.data) != done && w.Description.validate(r.event, e.data) != nil {
			return true
		}
	}
	return false
}
