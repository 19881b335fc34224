package tunnel

import (
	"net/http"

	"github.com/culvert-net/culvert/api/backend"
	"github.com/culvert-net/culvert/api/openai"
)

// tunnelHost is the Host of every request: it names nobody.
const tunnelHost = "culvert"

// route is one row of the published route table (docs/spec/tunnel.md).
type route struct {
	method string
	path   string // compared whole; there are no patterns and no queries
}

// routes is the route table. Whatever is not in it does not pass either end.
var routes = []route{
	{http.MethodPost, "/v1/chat/completions"},
}

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

// checkRoute says whether a request may pass: nil, 404 or 405.
func checkRoute(method, path string) *openai.Error {
	known := false
	for _, r := range routes {
		if r.path == path {
			if r.method == method {
				return nil
			}
			known = true
		}
	}
	if known {
		return &openai.Error{
			Status: http.StatusMethodNotAllowed, Type: openai.TypeInvalidRequest, Code: "method_not_allowed",
			Message: "this address does not take that method; use POST",
		}
	}
	return &openai.Error{
		Status: http.StatusNotFound, Type: openai.TypeInvalidRequest, Code: "unknown_url",
		Message: "this address is not served through circuits; use /v1/chat/completions",
	}
}
