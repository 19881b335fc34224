package api

import (
	"net/http"

	"github.com/culvert-net/culvert/api/openai"
)

// Malformed is the body of the answer to what no handler ever saw, because it
// was no request that HTTP knows. It is for whoever runs the HTTP server.
func Malformed(status int) []byte {
	e := &openai.Error{
		Status: status, Type: openai.TypeInvalidRequest, Code: "malformed_request",
		Message: "this is no HTTP/1.1 request that can be read; send one with a Host header to the base URL of this server",
	}
	switch status {
	case http.StatusRequestHeaderFieldsTooLarge:
		e.Code, e.Message = "header_too_large", "the request's header is larger than this server reads; send fewer or shorter header fields"
	case http.StatusExpectationFailed:
		e.Message = "of the Expect header only 100-continue is understood; leave it out"
	case http.StatusHTTPVersionNotSupported:
		e.Code, e.Message = "http_version", "this server speaks HTTP/1.1; a client that begins with HTTP/2 without TLS must be told to use it"
	}
	return append(e.JSON(), '\n')
}
