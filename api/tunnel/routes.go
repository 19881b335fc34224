package tunnel

import (
	"net/http"

	"github.com/culvert-net/culvert/api/backend"
	"github.com/culvert-net/culvert/api/openai"
)

// tunnelHost is the Host of every request: it names nobody.
const tunnelHost = "culvert"

// requestFields are the header fields a request consists of: each must be
// there exactly once, with one of these values (nil: checked by its own rule).
// An unlisted field is refused, not dropped: a client that sends one tells
// itself apart from the others.
var requestFields = map[string][]string{
	"host":           {tunnelHost},
	"content-type":   {backend.ContentJSON},
	"accept":         {backend.ContentJSON, backend.ContentStream},
	"content-length": nil,
}

// roundField is the one field that a request may do without: what a provider who
// is paid needs to know of the payment.
const (
	roundField  = "x-culvert-round"
	roundHeader = "X-Culvert-Round" // as net/http keeps it
)

// refusedFields are those whose presence in an answer means that its sender
// speaks another dialect (upgrades, hop-by-hop fields, trailers, encodings).
// Of all others only what backend.ResponseHeader knows is kept.
var refusedFields = map[string]bool{
	"connection":          true,
	"content-encoding":    true,
	"keep-alive":          true,
	"proxy-authenticate":  true,
	"proxy-authorization": true,
	"proxy-connection":    true,
	"te":                  true,
	"trailer":             true,
	"upgrade":             true,
}

// onceFields are those of an answer whose repetition would be ambiguous.
var onceFields = map[string]bool{
	"content-length":    true,
	"content-type":      true,
	"retry-after":       true,
	"transfer-encoding": true,
}

// checkRoute finds the row of openai.Routes for a request, or says why there is
// none: 404 or 405. Whatever is not in the table does not pass either end.
func checkRoute(method, path string) (openai.Route, *openai.Error) {
	r, known := openai.RouteOf(path)
	switch {
	case !known:
		return openai.Route{}, &openai.Error{
			Status: http.StatusNotFound, Type: openai.TypeInvalidRequest, Code: "unknown_url",
			Message: "this address is not served through circuits; GET / of the bridge lists those that are",
		}
	case method != http.MethodPost:
		return openai.Route{}, &openai.Error{
			Status: http.StatusMethodNotAllowed, Type: openai.TypeInvalidRequest, Code: "method_not_allowed",
			Message: "this address does not take that method; use POST",
		}
	}
	return r, nil
}
